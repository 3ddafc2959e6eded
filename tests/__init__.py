"""The tests, the local stand-in of the cloud (`tests.stubs`) and the manual test invoke (`tests.invoke`).

Put a test at the lowest layer that can catch the bug: `unit`, then `function`, then `promise`; what is about the
project around the function goes to `project`. A test file imports nothing from another one: what two of them share
stands in a module of their room, or beside this file if the rooms differ.
"""
