"""Looks at a real account from this machine, and only looks.

`make look` prints what the function would do there; `make look ARGS=--facts`, what the account tells that the
documentation leaves open, as JSON.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.problem import warn
from deploy.reader import at_terminal
from handler.runtime.clock import Clock, SystemClock
from handler.runtime.quiet import silence_libraries
from look.account import account_from
from look.cannot import CannotLook
from look.choices import read_choices
from look.dry_run import journal_in, look
from look.show_facts import show_facts
from look.whose import STS, account_of, find_credentials

FOLDER = Path(".local/look")
CANNOT = 2


def main(
    arguments: Sequence[str] | None = None,
    environ: Mapping[str, str] | None = None,
    clock: Clock | None = None,
    folder: Path = FOLDER,
    sts: str = STS,
) -> int:
    """Run the command line; returns 0 when it could look, 2 when it could not, or not at everything.

    `sts`: the URL of the service that says whose the credentials are.
    """
    parser = argparse.ArgumentParser(
        prog="make look",
        description="Look at a real account: what the function would do there. Nothing is bought, changed or sent.",
        usage="make look [NAME=VALUE ...] [ARGS='--facts --defaults']",
        epilog="Settings: the function's, from the command line or the environment, then from s.mine.yaml if there is "
        "one. Credentials: the default chain of Alibaba Cloud.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--facts", action="store_true", help="print what the account tells that the documentation leaves open, as JSON"
    )
    parser.add_argument("--defaults", action="store_true", help="leave s.mine.yaml aside")
    options = parser.parse_args(arguments)
    # The chain logs a traceback for each place that has no credentials, and the SDKs the headers if DEBUG=sdk.
    silence_libraries()
    clock = clock or SystemClock()
    try:
        choices = read_choices(aside=options.defaults)
        warn("look", choices.warnings)
        found = find_credentials()
        account = account_from(os.environ if environ is None else environ, choices, found, journal_in(folder))
        whose = account_of(found, choices.account, sts=None if account.is_on_this_machine else sts)
        about = (f"Credentials: {found.source}. {whose}", choices.said)
        if options.facts:
            print(*about, sep="\n", file=sys.stderr)
        complete = show_facts(account, clock) if options.facts else look(account, about, folder, clock)
    except CannotLook as why:
        print(f"Cannot look: {why}", file=sys.stderr)
        return CANNOT
    return 0 if complete else CANNOT


if __name__ == "__main__":
    sys.exit(at_terminal(main))
