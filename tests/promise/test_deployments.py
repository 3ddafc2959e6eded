"""Of a new certificate there is one job, nothing else is changed, and each fact is told once: whatever happens."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.promise import deploying_points, deploying_scenes
from tests.promise.deploying_machine import Deploying

STRIDE = 3
"""Of the points at which a run may die these are tried here; `make soak` tries them all."""
SCENES = list(deploying_scenes.turns())[::3]


@pytest.mark.parametrize("runs_before", [0, 1], ids=["makes and starts", "follows and tells"])
def test_wherever_the_run_dies_that_others_go_on_with_the_job(runs_before: int) -> None:
    count = deploying_points.points(runs_before)
    assert count > 30
    for point in range(0, count, STRIDE):
        deploying_points.dies_at(runs_before, point)


def test_of_two_runs_at_once_one_makes_the_job_wherever_they_stand() -> None:
    at = deploying_points.effects()
    assert len(at) > 12
    for number, first in enumerate(at[::4]):
        for second in at[number % 4 :: 4]:
            if number % 2:
                deploying_points.one_dies_beside_another(first, second)
            else:
                deploying_points.two_at(first, second, second_ends_first=bool(second % 2))


@pytest.mark.parametrize(("kind", "flaw"), deploying_scenes.FLAWS)
def test_what_must_not_be_deployed_is_not_and_people_hear_of_it(kind: str, flaw: str) -> None:
    deploying_scenes.must_not_be_deployed(kind, flaw)


@pytest.mark.parametrize(("account", "scene", "parameters"), SCENES)
def test_each_scene_keeps_the_promise(account: str, scene: str, parameters: dict[str, Any]) -> None:
    deploying_scenes.play(account, scene, parameters)


TestWhateverHappensInWhateverOrder = Deploying.TestCase
TestWhateverHappensInWhateverOrder.settings = settings(
    max_examples=10,
    stateful_step_count=9,
    derandomize=True,
    deadline=None,
    database=None,
    print_blob=False,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
