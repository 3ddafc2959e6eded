"""One deployment, made, started, followed and told, by runs that die at any point; and two at once, at any two."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from tests.promise.deploying_machine import Deploying
from tests.promise.deploying_witness import START
from tests.promise.interleaving import PausedInvocation

CALM_RUNS = 3
ACCOUNT: dict[str, Any] = {
    "pairs": [(("hosted", ""), ("CDN", "OSS"))],
    "lags": set(),
    "workers_wait": False,
    "workers_know": True,
    "begins_after": 5,
    "partly_failed": "error",
    "skews": (0, 0),
    "rows": 50,
    "oldest_first": False,
    "moves": None,
    "issued": 1,
}
AN_HOUR = 3600
PATIENCE = 400
"""After so many points a run of these has ended."""


@contextlib.contextmanager
def one_deployment(runs_before: int = 0) -> Iterator[Deploying]:
    """A certificate that is issued, and so many runs that have seen it; what is broken in the end is raised."""
    machine = Deploying()
    try:
        machine.an_account(**ACCOUNT)
        for _ in range(runs_before):
            machine.tick()
            machine.cloud.clock.advance(AN_HOUR)
        yield machine
        machine.come_to_rest(CALM_RUNS, further=1)
        (pair,) = machine.account.pairs
        assert [one.message["id"] for one in machine.witness.told][-1] == f"{pair.new}-deployed", "it is not deployed"
    finally:
        machine.account.pairs.clear()  # it has come to rest
        machine.teardown()


def points(runs_before: int) -> int:
    """How often a run stands still that comes after so many others."""
    with one_deployment(runs_before) as machine:
        run = machine.start()
        count = 0
        while not run.finished:
            run.step()
            count += 1
        machine.finish(run)
        return count


def dies_at(runs_before: int, point: int) -> None:
    """A run dies at that point, and others go on with it."""
    with one_deployment(runs_before) as machine:
        run = machine.start()
        run.step(point)
        machine.kill(run)


def two_at(first: int, second: int, *, second_ends_first: bool) -> None:
    """Two runs begin; each stands still at its point before one, and then the other, comes to its end."""
    with one_deployment() as machine:
        runs = [machine.start(0), machine.start(1)]
        runs[0].step(first)
        runs[1].step(second)
        for run in reversed(runs) if second_ends_first else runs:
            machine.finish(run)
        assert _starts(machine) == 1, "it is started once"


def one_dies_beside_another(first: int, second: int) -> None:
    """Two runs begin, and one dies at its point once the other stands at its own."""
    with one_deployment() as machine:
        runs = [machine.start(0), machine.start(1)]
        runs[0].step(first)
        runs[1].step(second)
        machine.kill(runs[0])
        machine.finish(runs[1])


def effects() -> list[int]:
    """The points of the first run at which it is about to change something, or has just changed it."""
    with one_deployment() as machine:
        run = machine.start()
        found = [point for point in range(PATIENCE) if _changes(run)]
        machine.finish(run)
        return found


def _changes(run: PausedInvocation) -> bool:
    """Whether the call at which a run stands changes something; it goes on to the next."""
    at = run.at
    is_over = run.finished
    run.step()
    if is_over or at is None:
        return False
    return at[2] in {"AppendObject", "PutObject", "DeleteObject", "CreateDeploymentJob", START, "SendMessage"}


def _starts(machine: Deploying) -> int:
    return len([call for call in machine.cloud.cas.calls_of(START) if call.is_answered])


def every_point(stride: int = 1, of_pairs: int = 3) -> None:
    """All of it; of the points of a run every `stride`-th, and of those of each of two every `of_pairs`-th."""
    for runs_before in (0, 1):
        for point in range(0, points(runs_before), stride):
            dies_at(runs_before, point)
    at = effects()
    for first in at[::of_pairs]:
        for second in at[::of_pairs]:
            two_at(first, second, second_ends_first=bool((first + second) % 2))
            one_dies_beside_another(first, second)
