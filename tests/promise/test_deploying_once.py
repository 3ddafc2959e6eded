"""Of a new certificate there is one job at most, and each fact is told once: see `deploying_lives`."""

from __future__ import annotations

import pytest

from tests.promise.deploying_lives import live, other_names, two_runs


@pytest.mark.parametrize("seed", range(30))
def test_whatever_happens_there_is_one_job_and_nothing_else_is_changed(seed: int) -> None:
    live(seed)


@pytest.mark.parametrize("points", range(0, 60, 4))
def test_of_two_runs_at_once_one_makes_the_job_wherever_the_first_stands(points: int) -> None:
    two_runs(points)


def test_what_has_other_names_is_never_deployed() -> None:
    other_names()
