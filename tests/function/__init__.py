"""The whole function, or its client of one service, on the local cloud: what an event comes to, for those who see it.

Tens of milliseconds a test. For what only shows when the modules work together; not for what one of them gets wrong.
"""
