"""What the tests of old journals begin with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deployed import Function
from tests.function.applied_situations import SITUATIONS
from tests.function.taken_over import (
    SAMPLES,
    TakenOver,
    TakeOver,
    in_bucket,
    in_folder,
    put_into_bucket,
    put_into_folder,
)
from tests.stubs.cloud import Cloud


@pytest.fixture(params=["a folder", "a bucket"])
def take_over(request: pytest.FixtureRequest, cloud: Cloud, tmp_path: Path) -> Iterator[TakeOver]:
    """Take over the journal of a situation; in the end nothing in it has changed and nothing was bought twice."""
    taken: list[TakenOver] = []

    def take(name: str) -> TakenOver:
        SITUATIONS[name](cloud, Function(cloud, JOURNAL_URL=(tmp_path / "fresh").as_uri()))
        sample, root = in_folder(SAMPLES / name), tmp_path / "old"
        if request.param == "a folder":
            put_into_folder(sample, root)
            old = TakenOver(cloud, Function(cloud, JOURNAL_URL=root.as_uri()), sample, lambda: in_folder(root))
        else:
            put_into_bucket(sample, cloud)
            old = TakenOver(cloud, Function(cloud), sample, lambda: in_bucket(cloud))
        taken.append(old)
        return old

    yield take
    for old in taken:
        logs = old.read().logs
        for key, lines in old.sample.logs.items():
            assert logs[key][: len(lines)] == lines, f"{key} was changed"
    for order_id in cloud.cas.order_ids():
        assert len(cloud.cas.bought(order_id)) <= 1, f"{order_id} was bought twice"
