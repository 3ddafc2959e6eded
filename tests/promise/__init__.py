"""The promise, exactly once: state machine, scenes, interleaved and killed runs, moving lists, mutants, soak.

The dearest room, minutes in all, since it tries what nobody thought of. A bug that it finds gets a test of its own in
the lowest room that can catch it.
"""
