"""The event of a command line: a file, or standard input."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

LONGEST_SECONDS = 86400
"""The platform's limit of a function's timeout."""
EXAMPLES = {
    "make run": "For example: make run EVENT=events/timer.json",
    "make invoke": "For example, a self-check, which buys nothing: "
    "make invoke NAME=cas-certificate-renewer EVENT=events/check.json",
}
"""By command, one that works."""


def add_event(parser: argparse.ArgumentParser) -> None:
    """Let a command line take an event, and for how long the invocation may take."""
    parser.add_argument("event", metavar="EVENT", help="a file with the event, or - for standard input; see events/")
    parser.add_argument(
        "--timeout", type=_seconds, default=300, metavar="SECONDS", help="that the invocation may take (default: 300)"
    )


def read_event(parser: argparse.ArgumentParser, options: argparse.Namespace) -> bytes:
    """Return the bytes of the event, or end the command as one that was called in a wrong way."""
    if not options.event:
        parser.error(f"EVENT is not given, and none is taken for granted. {EXAMPLES.get(parser.prog, '')}")
    try:
        return sys.stdin.buffer.read() if options.event == "-" else Path(options.event).read_bytes()
    except OSError as error:
        parser.error(f"the event cannot be read: {error}; those of this project are in events/, as events/check.json")


def _seconds(text: str) -> int:
    """Read a timeout that the platform allows."""
    if not re.fullmatch(r"[0-9]{1,5}", text, re.ASCII) or not 1 <= int(text) <= LONGEST_SECONDS:
        msg = f"{text!r} is no time that a function may take: whole seconds from 1 to {LONGEST_SECONDS}"
        raise argparse.ArgumentTypeError(msg)
    return int(text)
