"""Whoever reads what a command prints: may leave before the end, as `head` does, and may not have every character."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterator

LEFT = 141
"""The exit status of a command that could not go on since nobody reads it any more: that of a shell's own commands."""


def at_terminal(main: Callable[[], int]) -> int:
    """Run a command and return its exit status.

    What the terminal has no character for is printed by its number, and is no error: with LANG=C, a domain may be one.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        status = main()
        sys.stdout.flush()
    except BrokenPipeError:
        _print_nowhere()
        return LEFT
    return status


@contextlib.contextmanager
def reader_may_leave() -> Iterator[None]:
    """End the block when nobody reads standard output any more; what the process still prints then goes nowhere."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        _print_nowhere()


def _print_nowhere() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
