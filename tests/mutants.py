"""Does the demonstration still see? Switches one protection off at a time; the state machine must fail each time.

    python -m tests.mutants            all of them
    python -m tests.mutants claim      those whose name has "claim" in it

A protection that was renamed or moved makes its mutant fail loudly, since it can no longer be switched off.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from handler import journal, open_work, renewal, run, work
from handler.errors import CasError, JournalConflict
from handler.journal import Snapshot
from handler.oss_store import OssStore
from handler.result import Outcome, already_renewed, of_order
from handler.work import State
from tests.machine import ExactlyOnce

EXAMPLES = 1500
"""How many random histories a mutant may survive before it counts as unseen. Most live for a few dozen."""


@contextmanager
def no_claim_before_the_call() -> Iterator[None]:
    """The claim is written after the call."""

    def renew(invocation: Any, order: Any, work: Any, seen: Snapshot, csr: Any) -> Any:
        now = invocation.clock.now()
        try:
            new_order_id, request_id = invocation.cas.renew(order.id, csr, 20)
            claimed = invocation.journal.claim(work, order, now, invocation.deadline, seen)
        except CasError:
            return of_order(order, Outcome.DEFERRED, "mutant")
        except JournalConflict:
            return of_order(order, Outcome.DEFERRED, "in-progress")
        return renewal._record_and_publish(invocation, claimed, new_order_id, request_id)

    with patch.object(run, "renew", renew):
        yield


@contextmanager
def no_compare_in_compare_and_append() -> Iterator[None]:
    """An entry is added wherever the log ends."""
    append = OssStore.append

    def add(store: OssStore, key: str, _position: int, entry: bytes) -> int:
        return append(store, key, store.read_log(key).position, entry)

    with patch.object(OssStore, "append", add):
        yield


@contextmanager
def no_snapshot_in_the_claim() -> Iterator[None]:
    """The claim does not say which orders existed before."""
    with patch.object(run, "Snapshot", lambda at, _ids: Snapshot(at, frozenset())):
        yield


@contextmanager
def no_settle_wait() -> Iterator[None]:
    """An order that is not visible at once is taken for never bought."""
    verdict = settle.verdict

    def at_once(work: Any, others: Any, book: Any, recorded: Any, _settle: timedelta, now: Any) -> Any:
        return verdict(work, others, book, recorded, timedelta(0), now)

    with patch.object(open_work, "verdict", at_once):
        yield


@contextmanager
def settle_wait_from_the_claims_start() -> Iterator[None]:
    """The wait counts from when the claim was written."""
    with patch.object(work.Work, "last_effect", lambda lost: lost.claim.snapshot_at):
        yield


@contextmanager
def no_check_for_shared_candidates() -> Iterator[None]:
    """A candidate is taken although other open work could have it as successor."""
    verdict = settle.verdict

    def alone(work: Any, _others: Any, *rest: Any) -> Any:
        return verdict(work, (), *rest)

    with patch.object(open_work, "verdict", alone):
        yield


@contextmanager
def no_republishing() -> Iterator[None]:
    """What is renewed counts as done, published or not."""
    waiting = open_work._Settling._waiting

    def done(settling: Any, work: Any, *, dry_run: bool) -> Any:
        if work.state is State.RENEWED:
            return already_renewed(work)
        return waiting(settling, work, dry_run=dry_run)

    with patch.object(open_work._Settling, "_waiting", done):
        yield


@contextmanager
def no_look_at_recorded_successors() -> Iterator[None]:
    """An order that is known as somebody's successor is a candidate again."""
    with patch.object(journal.Journal, "touched_since", lambda _journal, _moment: []):
        yield


@contextmanager
def no_note_of_open_work() -> Iterator[None]:
    """Nobody writes down where to look for open work."""
    with patch.object(journal.Journal, "about_to_claim", lambda *_: None):
        yield


MUTANTS = [
    no_claim_before_the_call,
    no_compare_in_compare_and_append,
    no_snapshot_in_the_claim,
    no_settle_wait,
    settle_wait_from_the_claims_start,
    no_check_for_shared_candidates,
    no_republishing,
    no_look_at_recorded_successors,
    no_note_of_open_work,
]


def histories(examples: int, start: int) -> None:
    """Run that many random histories; raises what the state machine finds."""
    machine = seed(start)(type("Histories", (ExactlyOnce,), {}))
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=25,
            deadline=None,
            database=None,
            print_blob=False,
            report_multiple_bugs=False,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


def seen(name: str, start: int) -> tuple[str | None, float]:
    """Return what the state machine says against a mutant, None if nothing, and how many seconds that took."""
    began = time.monotonic()
    said = None
    with globals()[name](), contextlib.redirect_stdout(io.StringIO()):
        try:
            histories(EXAMPLES, start)
        except AssertionError as found:
            said = str(found).splitlines()[0][:160]
    return said, time.monotonic() - began


def main(arguments: Sequence[str] | None = None) -> int:
    """Try the mutants; returns 1 if one was not seen."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("name", nargs="?", default="", help="only those with this in their name")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    names = [mutant.__name__ for mutant in MUTANTS if options.name in mutant.__name__]
    unseen = 0
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        tried = {pool.submit(seen, name, options.seed): name for name in names}
        for done in as_completed(tried):
            name, (said, seconds) = tried[done], done.result()
            unseen += said is None
            print(f"{'seen  ' if said else 'UNSEEN'} {seconds:5.0f} s  {name}: {said or ''}", flush=True)
    print(f"{unseen} of the mutants were not seen" if unseen else "every mutant was seen")
    return 1 if unseen else 0


if __name__ == "__main__":
    sys.exit(main())
