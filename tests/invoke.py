"""The manual test invoke: calls the handler exactly as the platform does, and shows what came of it.

    python -m tests.invoke events/timer.json

runs the real handler on the local stand-in of the cloud. The stand-in and the journal are kept in a folder
(`.local/`), so that a second run finds everything as the first one left it; `--later 3d` lets three days go by there
before. What is applied for there is issued within seconds, unless `--refuse ID` lets the authority refuse it; where it
waits for records that somebody must add, `--add-records` adds them. The deployed function is invoked by
`make invoke`.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import functools
import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from deploy.event import add_event, read_event
from deploy.reader import at_terminal, reader_may_leave
from deploy.table import show, show_what_failed
from handler import index
from handler.errors import EventRefused, RunFailed, SettingsError
from handler.runtime.variables import VARIABLES
from tests import rehearsals
from tests.sample_account import sample_account_2026
from tests.stubs.clock import Clock, SkewedClock, SystemClock
from tests.stubs.cloud import QUEUE, Cloud, local_cloud

REFUSAL = "The CAA record of the domain forbids it."
"""What the authority says that is told to refuse."""


class _OfTheDeployed(argparse.Action):
    """Says where the deployed function is invoked, instead of an option that has no effect here."""

    def __call__(self, parser: argparse.ArgumentParser, *given: Any) -> None:
        parser.error(
            f"{given[-1]} is not for the local stand-in; the deployed function: make invoke NAME=... EVENT=..."
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns 0, 1 if the invocation failed, or 2 if it could not be made."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if wrong := rehearsals.wrong_together(options):
        parser.error(wrong)
    return _local(read_event(parser, options), options, parser)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make run",
        usage="make run [EVENT=FILE] [NAME=VALUE ...] [ARGS='--fresh --later 3d ...'] (ARGS=--help lists them)",
        description="Call the function with an event, on the local stand-in of the cloud.",
        epilog="NAME=VALUE is a setting of the function, as with --set.",
        allow_abbrev=False,
    )
    add_event(parser)
    parser.add_argument("--runtime", choices=("3.10", "3.12"), default="3.10", help="whose context the function gets")
    parser.add_argument("--fresh", action="store_true", help="forget what earlier runs left and start anew")
    parser.add_argument("--state", type=Path, default=Path(".local"), help="the stand-in's folder (default: .local)")
    parser.add_argument(
        "--set",
        type=_setting,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting, such as DRY_RUN=true or DEPLOY_TO=*; repeatable. PROBE is off here: no domain is looked up",
    )
    parser.add_argument(
        "--later", type=_span, default=timedelta(), metavar="3d", help="let days (3d) or hours (12h) go by before"
    )
    rehearsals.add_options(parser)
    parser.add_argument(
        "--refuse",
        action="append",
        default=[],
        metavar="ID",
        help="let the authority refuse the application for this instance, outstanding or the next one; repeatable",
    )
    parser.add_argument(
        "--add-records",
        action="store_true",
        help="add all records that the authority waits for before, as somebody would whom the function asked for it",
    )
    elsewhere = ("--remote", "--async", "--qualifier", "--region", "--account", "--endpoint")
    parser.add_argument(*elsewhere, nargs="?", action=_OfTheDeployed, help=argparse.SUPPRESS)
    return parser


def _local(event: bytes, options: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    state: Path = options.state.absolute()
    journal = state / "journal"
    state.mkdir(parents=True, exist_ok=True)
    if options.fresh or options.rehearse:
        _forget(state, parser)
    if options.rehearse:
        rehearsals.begin(options.rehearse, state, lambda later: _clock(state, later), functools.partial(_run, options))
    elif not (state / "cas.json").exists():
        with local_cloud(_clock(state, timedelta()), state=state, fresh=True) as cloud:
            sample_account_2026(cloud)
        with reader_may_leave():
            print("A new account on the local stand-in of the cloud; nothing here costs money.")
    elif said := rehearsals.notice(state):
        with reader_may_leave():
            print(f"{said}\n")
    if options.done:
        rehearsals.do(state, _clock(state, timedelta()))
    _people_act(state, options, parser)
    clock = _clock(state, options.later)
    with local_cloud(clock, state=state) as cloud:
        before = {message["id"] for message in cloud.smq.messages(QUEUE)}
        code, text, failed = _run(options, cloud, event)
        with reader_may_leave():
            show(text)
            if failed:
                show_what_failed(text, "RunFailed")
            _show_queue(cloud.smq.messages(QUEUE), before)
            print(f"\nThe function's log: {_shown(state / 'handler.log')}   its journal: {_shown(journal)}")
            if (journal / "report.html").exists():
                print(f"The report: {_shown(journal / 'report.html')}")
            if options.rehearse:
                rehearsals.show_next(options.rehearse)
    return rehearsals.status(options.rehearse, text) if options.rehearse else code


def _run(options: argparse.Namespace, cloud: Cloud, event: bytes) -> tuple[int, str, bool]:
    """Invoke once, with what the function writes kept out of sight; see `_call`."""
    state: Path = options.state.absolute()
    # The names of the stand-in are nobody's: none is looked up.
    ours = {"JOURNAL_URL": (state / "journal").as_uri(), "PROBE": "off"}
    settings = ours | rehearsals.settings(state) | dict(options.set)
    context = cloud.context(options.runtime, timeout=options.timeout)
    with (
        (state / "handler.log").open("a", encoding="utf-8") as lines,
        contextlib.redirect_stdout(lines),
        patch.dict(os.environ, cloud.environ(**settings)),
        patch.object(index, "SystemClock", lambda: cloud.clock),
    ):
        index.initialize(context)
        return _call(event, context)


def _setting(text: str) -> tuple[str, str]:
    """Read a setting such as `DRY_RUN=true`. What is none must not go by unseen: the run would buy all the same."""
    name, equals, value = text.partition("=")
    names = [variable.name for variable in VARIABLES]
    if not equals or name not in names:
        near = difflib.get_close_matches(name.upper(), names, 1)
        meant = f"; did you mean {near[0]}={value or '...'}?" if near else ""
        msg = f"{text!r} is no setting with its value{meant} NAME=VALUE, and NAME is one of {', '.join(names)}"
        raise argparse.ArgumentTypeError(msg)
    return name, value


def _people_act(state: Path, options: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Let the authority and others do on the stand-in what the options say, before any time goes by."""
    if not options.refuse and not options.add_records:
        return
    with local_cloud(_clock(state, timedelta()), state=state) as cloud:
        instances = cloud.cas.instances
        for id_ in options.refuse:
            if id_ not in instances.ids():
                parser.error(f"--refuse {id_}: there is no such instance, only {', '.join(sorted(instances.ids()))}")
            instances.refuse(id_, REFUSAL)
        if options.add_records:
            cloud.cas.authority.add_all_records()


def _span(text: str) -> timedelta:
    """Read a time such as `3d` or `12h`."""
    found = re.fullmatch(r"([0-9]{1,4})([dh])", text)
    if not found:
        msg = f"{text!r} is no time such as 3d (days) or 12h (hours)"
        raise argparse.ArgumentTypeError(msg)
    return int(found[1]) * timedelta(**{{"d": "days", "h": "hours"}[found[2]]: 1})


def _clock(state: Path, later: timedelta) -> Clock:
    """Return the stand-in's clock, which goes on from where earlier runs have left it, so much later."""
    kept = state / "clock.json"
    ahead = json.loads(kept.read_text("utf-8"))["seconds_ahead"] if kept.exists() else 0
    ahead += int(later.total_seconds())
    kept.write_text(json.dumps({"seconds_ahead": ahead}), "utf-8")
    return SkewedClock(SystemClock(), ahead)


def _call(event: bytes, context: Any) -> tuple[int, str, bool]:
    """Invoke as the platform does: the result of the call, or what the platform makes of an exception.

    Returns the exit status, the text, and whether that is the result of a run that failed. A self-check with something
    that is not in order is none that failed, to the platform; to whoever waits for the exit status it is.
    """
    try:
        text = index.handler(event, context)
        return int(not all(check["ok"] for check in json.loads(text).get("check", ()))), text, False
    except RunFailed as failed:
        return 1, str(failed), True
    except (EventRefused, SettingsError) as refused:
        return 1, json.dumps({"errorType": type(refused).__name__, "errorMessage": str(refused)}), False


def _show_queue(messages: Sequence[dict[str, Any]], before: Iterable[str]) -> None:
    """List what is on the queue; what this run has sent has a plus."""
    new = [message for message in messages if message["id"] not in before]
    print(f"\nOn the queue {QUEUE}: {_count(messages, 'message')}, {len(new)} new (+)")
    width = max((len(message["type"]) for message in messages), default=0)
    for message in messages:
        mark = "+" if message in new else " "
        print(f"{mark} {message['time']}  {message['type']:<{width}}  {message['id']}  {message['data']['Domain']}")


def _forget(folder: Path, parser: argparse.ArgumentParser) -> None:
    """Remove everything in the stand-in's folder; in a folder that is somebody else's, nothing."""
    if any(folder.iterdir()) and not any((folder / mark).exists() for mark in ("cas.json", "clock.json")):
        parser.error(f"--state {folder} is no folder of the local stand-in, and all that is in it would be removed")
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def _count(things: Iterable[object], name: str) -> str:
    number = len(list(things))
    return f"{number} {name}{'' if number == 1 else 's'}"


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


if __name__ == "__main__":
    sys.exit(at_terminal(main))
