"""Rehearsals: the local account in a state that needs a person, for an operator to practise in.

`make run ARGS='--rehearse held'` begins one: what had to happen before happens to a new account, a run shows what an
operator then sees, and the text says what to send. What a person does elsewhere, in a console say, `--done` does.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from deploy.reader import reader_may_leave
from tests.rehearsed import REHEARSALS
from tests.stubs.clock import Clock
from tests.stubs.cloud import Cloud, local_cloud

_TIMER = Path(__file__).resolve().parents[1] / "events/timer.json"
_HOUR = timedelta(hours=1)

Run = Callable[[Cloud, bytes], Any]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what the command line says of rehearsals."""
    parser.add_argument(
        "--rehearse", choices=REHEARSALS, help="start anew with an account that needs a person, to practise with"
    )
    parser.add_argument("--done", action="store_true", help="do what the rehearsal told you to do in a console")


def wrong_together(options: argparse.Namespace) -> str | None:
    """Return what is wrong with the options of a rehearsal, as a sentence; None if nothing is."""
    if options.rehearse:
        if options.done or options.later:
            return "--rehearse starts anew: --done and --later are for the runs after it"
        return None
    if not options.done:
        return None
    name = None if options.fresh else _under_way(options.state)
    if name is None:
        return f"--done belongs to a rehearsal, and none is under way in {options.state}: --rehearse NAME begins one"
    if REHEARSALS[name].done is None:
        return f"--done: in the rehearsal {name} there is nothing to do in a console; send the event that it names"
    return None


def begin(name: str, state: Path, clock_after: Callable[[timedelta], Clock], run: Run) -> None:
    """Put a new account into the state of a rehearsal.

    `clock_after`: the account's clock, so much later. `run` invokes the function with an event.
    """
    rehearsal = REHEARSALS[name]
    (state / "rehearsal.json").write_text(json.dumps({"name": name}), "utf-8")
    last = len(rehearsal.stages) - 1
    for number, change in enumerate(rehearsal.stages):
        clock = clock_after(_HOUR if number else timedelta())
        with local_cloud(clock, state=state, fresh=not number) as cloud:
            change(cloud)
            if number < last:
                run(cloud, _TIMER.read_bytes())
    with reader_may_leave():
        print(f"Rehearsal {name}, on a new account on the local stand-in of the cloud; nothing here costs money.")
        print(f"Prepared: {rehearsal.prepared}\n")


def settings(state: Path) -> dict[str, str]:
    """Return the settings of the rehearsal that is under way; none if there is none."""
    name = _under_way(state)
    return dict(REHEARSALS[name].settings) if name else {}


def notice(state: Path) -> str | None:
    """Return in a sentence or two that a rehearsal is under way, and how it ends; None if none is."""
    name = _under_way(state)
    if name is None:
        return None
    chosen = " ".join(f"{setting}={value}" for setting, value in REHEARSALS[name].settings.items())
    with_ = f", with {chosen}" if chosen else ""
    done = "ARGS=--done does what it told you to do in a console; " if REHEARSALS[name].done else ""
    return f"The rehearsal {name} is under way here{with_}. {done}ARGS=--fresh ends it."


def do(state: Path, clock: Clock) -> None:
    """Do what a person does elsewhere in the rehearsal that is under way, at the time of the clock."""
    name = _under_way(state)
    if name and (done := REHEARSALS[name].done):
        with local_cloud(clock, state=state) as cloud:
            done(cloud)


def show_next(name: str) -> None:
    """Print what the operator does next."""
    print(f"\nNext: {REHEARSALS[name].next}")


def status(name: str, text: str) -> int:
    """Return the exit status of a rehearsal's beginning: 0 if the result shows what it is about."""
    rehearsal = REHEARSALS[name]
    lines = json.loads(text).get("orders", ())
    return int(
        not any(
            rehearsal.about in {line["order_id"], line.get("instance_id")}
            and (line["outcome"], line["reason"]) == rehearsal.shows
            for line in lines
        )
    )


def _under_way(state: Path) -> str | None:
    kept = state / "rehearsal.json"
    name = json.loads(kept.read_text("utf-8"))["name"] if kept.exists() else None
    return name if name in REHEARSALS else None
