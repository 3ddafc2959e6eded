"""What the mutants of deployments are seen by first: scenes of their state machine, each on a small account.

Random histories put them one after the other and into each other; here none is left to chance.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.promise.deploying_account import PRODUCTS
from tests.promise.deploying_machine import CONTENTS, Deploying
from tests.promise.deploying_points import ACCOUNT, every_point
from tests.promise.deploying_witness import CREATE, START
from tests.stubs import faults

PLAIN: dict[str, Any] = {**ACCOUNT, "issued": 0}
SLOW = {**PLAIN, "lags": {"show_after", "found_after", "starts_show_after", "bindings"}, "begins_after": 1500}
MUTE = {**PLAIN, "workers_wait": True, "workers_know": False, "skews": (-30, 30)}
ACCOUNTS = {"plain": PLAIN, "slow": SLOW, "mute": MUTE}
LOST = {"fault": (faults.timeout_after(), faults.timeout_before()), "later": (1, 4000), "who": (0,)}
REFUSED = {"fault": (faults.error("DeploymentJobFailed"),), "later": (4000,), "who": (0,)}
SCENES: list[tuple[str, dict[str, tuple[Any, ...]]]] = [
    ("the_answer_when_a_job_is_made_goes_wrong", LOST),
    ("the_answer_when_a_job_is_made_goes_wrong", REFUSED),
    ("the_answer_when_a_job_is_started_goes_wrong", LOST),
    ("the_answer_when_a_job_is_started_goes_wrong", REFUSED),
    ("a_job_seems_to_be_gone", {"count": (12,), "later": (1,)}),
    ("a_person_puts_our_job_back", {"later": (1, 4000), "who": (0,)}),
    (
        "a_person_acts_between_making_and_starting",
        {
            "place": (("before", "cas", START),),
            "act": ("rebinds", "makes a job", "adds a resource"),
            "which": (0,),
            "content": ("more",),
            "dies": (True,),
        },
    ),
    (
        "two_runs_come_to_the_same_place",
        {
            "place": (("before", "cas", CREATE), ("before", "cas", START), ("before", "smq", "SendMessage")),
            "nth": (1,),
            "who": (0,),
            "dies": (False, True),
            "stands": (0,),
        },
    ),
    ("a_certificate_is_issued", {"which": (0,)}),
]
OF_PEOPLE = {
    "a person has made a job": {**PLAIN, "pairs": [(("hosted", ""), PRODUCTS)], "issued": 1},
    "a person has made a job for the only resource": {**PLAIN, "pairs": [(("hosted", ""), ("CDN",))], "issued": 1},
}
PEOPLES_JOBS = {"which": (0,), "content": CONTENTS, "begins": ("at once", "later", "never")}
FLAWS = [("hosted", "names"), ("hosted", "uploaded"), ("hosted", "revoked"), ("order", "several"), ("order", "names")]
EXAMPLES = 200
"""How many random histories a mutant may survive before it counts as unseen."""


def turns() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield account, scene and parameters, of all that there are."""
    of_people = [(account, ("a_person_makes_a_job", PEOPLES_JOBS)) for account in OF_PEOPLE]
    for account, (scene, grid) in [*of_people, *product(ACCOUNTS, SCENES)]:
        for values in product(*grid.values()):
            yield account, scene, dict(zip(grid, values, strict=True))


def play(account: str, scene: str, parameters: dict[str, Any]) -> None:
    """Play one scene on a new account, and let it come to rest; raises what the state machine finds."""
    _play({**ACCOUNTS, **OF_PEOPLE}[account], scene, parameters)


def must_not_be_deployed(kind: str, flaw: str) -> None:
    """Let a certificate be issued that may not take the other one's place, beside one that may."""
    pairs = [((kind, flaw), ("CDN", "ALB")), (("order", ""), ("OSS",))]
    _play({**PLAIN, "pairs": pairs, "issued": 2}, "time_passes", {"seconds": 1})


def _play(account: dict[str, Any], scene: str, parameters: dict[str, Any]) -> None:
    machine = Deploying()
    try:
        machine.an_account(**account)
        getattr(machine, scene)(**parameters)
        machine.every_promise_holds()
    finally:
        machine.teardown()


def histories(examples: int, start: int, steps: int = 8) -> None:
    """Run that many random histories; raises what the state machine finds."""
    machine = seed(start)(type("Deployments", (Deploying,), {}))
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            print_blob=False,
            report_multiple_bugs=False,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


def everything(start: int) -> None:
    """All of it, for the mutants: the scenes, the points, and then random histories."""
    for kind, flaw in FLAWS:
        must_not_be_deployed(kind, flaw)
    for turn in turns():
        play(*turn)
    every_point(stride=5, of_pairs=5)
    histories(EXAMPLES, start)
