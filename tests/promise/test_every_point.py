"""A run may die at any point: each of them is tried, one by one."""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deployed import TIMER, Function
from tests.promise.file_crashes import file_crashes
from tests.promise.interleaving import PausedInvocation
from tests.situations import expiring
from tests.stubs import faults
from tests.stubs.cloud import Cloud, local_cloud
from tests.traces import RENEWALS, bought, published


@contextlib.contextmanager
def three_to_renew(*, in_files: bool) -> Iterator[tuple[Cloud, dict[str, str]]]:
    """A purchase that succeeds, one that is refused, one whose answer is lost, and an application; and its settings.

    The note of an earlier run, whose renewal is issued by now, is there to be tidied away.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        cloud = stack.enter_context(local_cloud())
        settings = {"INSTANCES": "apply"}
        if in_files:
            root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            stack.enter_context(file_crashes(cloud, root))
            settings["JOURNAL_URL"] = (root / "journal").as_uri()
        cloud.cas.pending_domain = "filled"
        first = cloud.cas.add_order(domain="first.example.com", days_left=4)
        Function(cloud, **settings).tick()
        new = cloud.cas.bought(first)[0].new_order_id
        cloud.cas.apply(new)
        cloud.cas.issue(new)
        cloud.clock.advance(3600)
        expiring(cloud, 3)
        cloud.cas.instances.add("due.example.com", 20)
        cloud.cas.fail(RENEWALS, None, faults.error("OrderStateError", 403), faults.timeout_after())
        yield cloud, settings


def points(*, in_files: bool) -> int:
    """How often such a run stands still."""
    with three_to_renew(in_files=in_files) as (cloud, settings):
        run = PausedInvocation(cloud, TIMER, "run", 300, 0, **settings)
        count = 0
        while not run.finished:
            run.step()
            count += 1
        return count


@pytest.mark.parametrize("in_files", [False, True], ids=["oss", "files"])
def test_whatever_point_a_run_dies_at_nothing_is_bought_twice_and_every_new_order_is_published(in_files: bool) -> None:
    count = points(in_files=in_files)
    assert count > 50
    # With files a call is a dozen points; every fourth is enough, since each call has its own remainder.
    for point in range(0, count, 4 if in_files else 1):
        with three_to_renew(in_files=in_files) as (cloud, settings):
            run = PausedInvocation(cloud, TIMER, "run", 300, 0, **settings)
            run.step(point)
            run.kill()
            function = Function(cloud, **settings)
            for _ in range(4):
                cloud.clock.advance(days=0.9)
                function.tick()
            renewed = [purchase.old_order_id for purchase in cloud.cas.purchases]
            assert len(renewed) == len(set(renewed)) == 4, f"killed at {run.at}, point {point}"
            assert set(published(cloud)) == set(bought(cloud)), f"{run.at}, {point}"
            (instance,) = cloud.cas.instances.ids()
            assert len(cloud.cas.instances.applied(instance)) == 1, f"{run.at}, {point}"
            base, new = (one.certificate_id for one in cloud.cas.certificates.of_instance(instance))
            told = {message["id"] for message in cloud.smq.messages()}
            assert {f"{instance}-{base}-applied", f"{instance}-{new}-issued"} <= told, f"{run.at}, {point}"
