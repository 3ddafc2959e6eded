"""The manual test invoke: calls the handler exactly as the platform does, and shows what came of it.

    python -m tests.invoke events/timer.json

runs the real handler on the local stand-in of the cloud. The stand-in and the journal are kept in a folder
(`.local/`), so that a second run finds everything as the first one left it.

    python -m tests.invoke --remote NAME events/check.json
    python -m tests.invoke --remote SERVICE/NAME events/check.json

invokes the deployed function, on Function Compute 3.0 or 2.0: there a renewal costs money.
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

from deploy.table import show
from handler import index
from handler.errors import EventRefused, RunFailed, SettingsError
from tests.sample_account import furnish
from tests.stubs.clock import SystemClock
from tests.stubs.cloud import QUEUE, local_cloud


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns 0, 1 if the invocation failed, or 2 if it could not be made."""
    parser = _parser()
    options = parser.parse_args(arguments)
    _reject_strangers(parser, options)
    try:
        event = sys.stdin.buffer.read() if options.event == "-" else Path(options.event).read_bytes()
    except OSError as error:
        parser.error(f"the event cannot be read: {error}")
    return _remote(event, options) if options.remote else _local(event, options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.invoke", description="Call the function with an event.")
    parser.add_argument("event", help="a file with the event, or - for standard input; see events/")
    parser.add_argument("--timeout", type=int, default=300, help="seconds the invocation may take (default: 300)")

    local = parser.add_argument_group("on the local stand-in of the cloud")
    local.add_argument("--runtime", choices=("3.10", "3.12"), default="3.10", help="whose context the function gets")
    local.add_argument("--fresh", action="store_true", help="forget what earlier runs left and start anew")
    local.add_argument("--state", type=Path, default=Path(".local"), help="the stand-in's folder (default: .local)")
    local.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a setting, such as DRY_RUN=true; repeatable"
    )

    remote = parser.add_argument_group("the deployed function", "Credentials: the default chain of Alibaba Cloud.")
    remote.add_argument("--remote", metavar="NAME", help="its name; SERVICE/NAME on Function Compute 2.0")
    remote.add_argument("--async", action="store_true", dest="asynchronous", help="do not wait for the result")
    remote.add_argument("--qualifier", help="a version or an alias (default: LATEST)")
    remote.add_argument("--region", help="default: ALIBABA_CLOUD_REGION_ID, else vars in s.yaml")
    remote.add_argument("--account", help="the account's id; default: ALIBABA_CLOUD_ACCOUNT_ID, else vars in s.yaml")
    remote.add_argument("--endpoint", metavar="URL", help="instead of https://ACCOUNT.REGION.fc.aliyuncs.com")
    return parser


def _reject_strangers(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Refuse an option that would have no effect: above all a DRY_RUN=true that the deployed function never sees."""
    local = {"runtime": "--runtime", "fresh": "--fresh", "state": "--state", "set": "--set"}
    remote = {name: f"--{name}" for name in ("qualifier", "region", "account", "endpoint")} | {
        "asynchronous": "--async"
    }
    for name, flag in (local if options.remote else remote).items():
        if getattr(options, name) != parser.get_default(name):
            parser.error(f"{flag} has no effect {'with' if options.remote else 'without'} --remote")


def _remote(event: bytes, options: argparse.Namespace) -> int:
    from deploy import invoke as remote  # noqa: PLC0415 (a local run needs none of its libraries)

    return remote.run(
        remote.Call(
            name=options.remote,
            event=event,
            asynchronous=options.asynchronous,
            qualifier=options.qualifier,
            seconds=options.timeout,
        ),
        remote.Place(options.endpoint, options.region, options.account),
    )


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
        log = state / "handler.runtime.log"
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
