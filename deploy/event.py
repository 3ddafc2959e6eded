"""The event of a command line: a file, or standard input."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def add_event(parser: argparse.ArgumentParser) -> None:
    """Let a command line take an event, and for how long the invocation may take."""
    parser.add_argument("event", metavar="EVENT", help="a file with the event, or - for standard input; see events/")
    parser.add_argument("--timeout", type=int, default=300, help="seconds the invocation may take (default: 300)")


def read_event(parser: argparse.ArgumentParser, options: argparse.Namespace) -> bytes:
    """Return the bytes of the event, or end the command as one that was called in a wrong way."""
    try:
        return sys.stdin.buffer.read() if options.event == "-" else Path(options.event).read_bytes()
    except OSError as error:
        parser.error(f"the event cannot be read: {error}")
