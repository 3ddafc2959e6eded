"""One module of the function at a time, without a cloud: values in, values out, and the journal in memory or a folder.

The cheapest room, milliseconds a test: what can go wrong here is tested here and nowhere else.
"""
