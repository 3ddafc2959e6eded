"""OSS on this machine, as its real client sees it."""

from __future__ import annotations

import threading

import alibabacloud_oss_v2 as oss
import pytest
from alibabacloud_oss_v2.exceptions import OperationError

from tests.side_by_side import side_by_side
from tests.stubs import faults
from tests.stubs.clients import Clients, oss_code
from tests.stubs.cloud import BUCKET, Cloud, Phase, Service, local_cloud

pytestmark = pytest.mark.sends_any_text


@local_cloud()
def test_of_two_appends_at_one_position_exactly_one_wins(cloud: Cloud) -> None:
    clients = Clients(cloud.environ())
    assert clients.append("renewals/1", 0, b"claimed ") == 8
    both_are_about_to_append = threading.Barrier(2, timeout=10)
    outcomes: list[str] = []

    def meet(phase: Phase, service: Service, action: str) -> None:
        if phase == "before":
            both_are_about_to_append.wait()

    def append() -> None:
        try:
            outcomes.append(str(Clients(cloud.environ()).append("renewals/1", 8, b"renewed ")))
        except OperationError as lost:
            outcomes.append(lost.unwrap().code)

    cloud.hooks.append(meet)
    side_by_side(append, append)

    assert sorted(outcomes) == ["16", "PositionNotEqualToLength"]
    cloud.hooks.clear()
    assert clients.get("renewals/1") == b"claimed renewed "
    assert cloud.oss.history == [("renewals/1", "append", b"claimed "), ("renewals/1", "append", b"renewed ")]


@local_cloud()
def test_an_append_whose_answer_was_lost_conflicts_with_itself_when_the_sdk_retries(cloud: Cloud) -> None:
    clients = Clients(cloud.environ())
    cloud.oss.fail("AppendObject", faults.timeout_after())

    with pytest.raises(OperationError) as conflict:
        clients.append("renewals/1", 0, b"claimed")

    assert (conflict.value.unwrap().status_code, oss_code(conflict)) == (409, "PositionNotEqualToLength")
    assert clients.get("renewals/1") == b"claimed"


@local_cloud()
def test_objects_are_put_read_listed_in_small_pages_and_deleted(cloud: Cloud) -> None:
    client = Clients(cloud.environ()).oss
    keys = [f"renewals/{number} of 5 & m\u00f6re" for number in range(5)]
    for key in [*keys, "elsewhere"]:
        client.put_object(oss.PutObjectRequest(bucket=BUCKET, key=key, body=key.encode()))

    pages = [
        [found.key for found in page.contents]
        for page in client.list_objects_v2_paginator().iter_page(
            oss.ListObjectsV2Request(bucket=BUCKET, prefix="renewals/", start_after=keys[0])
        )
    ]

    assert pages == [keys[1:4], keys[4:]]
    head = client.head_object(oss.HeadObjectRequest(bucket=BUCKET, key=keys[0]))
    assert (head.content_length, head.object_type) == (len(keys[0].encode()), "Normal")
    for _ in range(2):
        assert client.delete_object(oss.DeleteObjectRequest(bucket=BUCKET, key=keys[0])).status_code == 204
    with pytest.raises(OperationError) as gone:
        client.head_object(oss.HeadObjectRequest(bucket=BUCKET, key=keys[0]))
    assert (oss_code(gone), gone.value.unwrap().ec) == ("NoSuchKey", "0026-00000001")


@local_cloud()
def test_what_was_put_cannot_be_appended_to_and_a_bucket_must_exist(cloud: Cloud) -> None:
    clients = Clients(cloud.environ())
    clients.oss.put_object(oss.PutObjectRequest(bucket=BUCKET, key="a", body=b"put"))

    with pytest.raises(OperationError) as refused:
        clients.append("a", 3, b"more")
    with pytest.raises(OperationError) as missing:
        clients.oss.get_object(oss.GetObjectRequest(bucket="no-such-bucket", key="a"))

    assert [oss_code(refused), oss_code(missing)] == ["ObjectNotAppendable", "NoSuchBucket"]
