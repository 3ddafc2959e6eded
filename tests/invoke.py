"""The manual test invoke: calls the handler exactly as the platform does, and shows what came of it.

    python -m tests.invoke events/timer.json

runs the real handler on the local stand-in of the cloud. The stand-in and the journal are kept in a folder
(`.local/`), so that a second run finds everything as the first one left it. The deployed function is invoked by
`python -m deploy.invoke`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

from deploy.event import add_event, read_event
from deploy.table import show
from handler import index
from handler.errors import EventRefused, RunFailed, SettingsError
from tests.sample_account import furnish
from tests.stubs.clock import SystemClock
from tests.stubs.cloud import QUEUE, local_cloud


class _OfTheDeployed(argparse.Action):
    """Says where the deployed function is invoked, instead of an option that has no effect here."""

    def __call__(self, parser: argparse.ArgumentParser, *given: Any) -> None:
        parser.error(f"{given[-1]} is not for the local stand-in; for the deployed function: python -m deploy.invoke")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns 0, 1 if the invocation failed, or 2 if it could not be made."""
    parser = _parser()
    options = parser.parse_args(arguments)
    return _local(read_event(parser, options), options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.invoke",
        description="Call the function with an event, on the local stand-in of the cloud.",
    )
    add_event(parser)
    parser.add_argument("--runtime", choices=("3.10", "3.12"), default="3.10", help="whose context the function gets")
    parser.add_argument("--fresh", action="store_true", help="forget what earlier runs left and start anew")
    parser.add_argument("--state", type=Path, default=Path(".local"), help="the stand-in's folder (default: .local)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a setting, such as DRY_RUN=true; repeatable"
    )
    elsewhere = ("--remote", "--async", "--qualifier", "--region", "--account", "--endpoint")
    parser.add_argument(*elsewhere, nargs="?", action=_OfTheDeployed, help=argparse.SUPPRESS)
    return parser


def _local(event: bytes, options: argparse.Namespace) -> int:
    state: Path = options.state.absolute()
    journal = state / "journal"
    state.mkdir(parents=True, exist_ok=True)
    if options.fresh:
        _forget(journal)
    new = options.fresh or not (state / "cas.json").exists()
    with local_cloud(SystemClock(), state=state, fresh=options.fresh) as cloud:
        if new:
            furnish(cloud)
            print("A new account on the local stand-in of the cloud; nothing here costs money.")
        settings = dict(pair.split("=", 1) for pair in options.set)
        environ = cloud.environ(**{"JOURNAL_URL": journal.as_uri(), **settings})
        context = cloud.context(options.runtime, timeout=options.timeout)
        log = state / "handler.log"
        with (
            log.open("a", encoding="utf-8") as lines,
            contextlib.redirect_stdout(lines),
            patch.dict(os.environ, environ),
        ):
            index.initialize(context)
            code, text = _call(event, context)
        show(text)
        print(f"\nOn the queue {QUEUE}: {_count(cloud.smq.messages(QUEUE), 'message')}")
        for message in cloud.smq.messages(QUEUE):
            print(f"  {message['time']}  {message['type']}  {message['id']}  {message['data']['Domain']}")
        print(f"\nThe function's log: {_shown(log)}   its journal: {_shown(journal)}")
        if (journal / "report.html").exists():
            print(f"The report: {_shown(journal / 'report.html')}")
    return code


def _call(event: bytes, context: Any) -> tuple[int, str]:
    """Invoke as the platform does: the result of the call, or what the platform makes of an exception."""
    try:
        return 0, index.handler(event, context)
    except RunFailed as failed:
        return 1, str(failed)
    except (EventRefused, SettingsError) as refused:
        return 1, json.dumps({"errorType": type(refused).__name__, "errorMessage": str(refused)})


def _forget(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def _count(things: Iterable[object], name: str) -> str:
    number = len(list(things))
    return f"{number} {name}{'' if number == 1 else 's'}"


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


if __name__ == "__main__":
    sys.exit(main())
