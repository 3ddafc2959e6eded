"""The project around the function: documentation, deployment, package, permissions, imports, the operator's commands.

Mostly files read and compared, at little cost; the tests of imports start an interpreter each.
"""
