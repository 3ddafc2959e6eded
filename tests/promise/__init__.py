"""The promise, exactly once: state machine, scenes, interleaved and killed runs, mutants, soak."""
