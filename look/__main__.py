"""Looks at a real account from this machine, and only looks.

`make look` prints what the function would do there; `make look ARGS=--facts`, what the account tells that the
documentation leaves open, as JSON.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from handler.runtime.clock import Clock, SystemClock
from handler.runtime.quiet import silence_libraries
from look.account import CannotLook, account_from
from look.dry_run import journal_in, look
from look.show_facts import show_facts

FOLDER = Path(".local/look")
CANNOT = 2


def main(
    arguments: Sequence[str] | None = None,
    environ: Mapping[str, str] | None = None,
    clock: Clock | None = None,
    folder: Path = FOLDER,
) -> int:
    """Run the command line; returns 0 when it could look, 2 when it could not, or not at everything."""
    parser = argparse.ArgumentParser(
        prog="make look",
        description="Look at a real account: what the function would do there. Nothing is bought, changed or sent.",
        epilog="Settings: the function's, from the environment. Credentials: the default chain of Alibaba Cloud.",
    )
    parser.add_argument(
        "--facts", action="store_true", help="print what the account tells that the documentation leaves open, as JSON"
    )
    options = parser.parse_args(arguments)
    # The chain logs a traceback for each place that has no credentials, and the SDKs the headers if DEBUG=sdk.
    silence_libraries()
    clock = clock or SystemClock()
    try:
        account = account_from(os.environ if environ is None else environ, journal_in(folder))
        complete = show_facts(account, clock) if options.facts else look(account, folder, clock)
    except CannotLook as why:
        print(f"Cannot look: {why}", file=sys.stderr)
        return CANNOT
    return 0 if complete else CANNOT


if __name__ == "__main__":
    sys.exit(main())
