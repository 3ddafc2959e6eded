"""The journal in OSS: calls that fail, answers that are lost or none, and what is nobody's business."""

from collections.abc import Callable
from typing import Any

import pytest

from handler.cloud.oss_store import OssStore
from handler.errors import JournalConflict, JournalNotAppendable, JournalUnavailable
from handler.runtime.settings import OssPlace
from tests.deployed import Function
from tests.points import once_at
from tests.stores import LOG, METHODS, filled, oss_store
from tests.stubs import faults
from tests.stubs.cloud import BUCKET, Cloud

LANDED = [
    faults.timeout_after(),
    faults.reset_after(),
    faults.error_after("InternalError"),
    faults.html_after(502),
]
NOT_LANDED = [
    faults.timeout_before(),
    faults.reset_before(),
    faults.refused(),
    faults.error("InternalError", status=500),
    faults.html(503),
]


def label(fault: faults.Fault) -> str:
    return f"{fault.kind} {'after' if fault.happens else 'before'}"


@pytest.mark.parametrize("fault", [*LANDED, *NOT_LANDED], ids=label)
@pytest.mark.parametrize("times", [1, 2])
def test_an_append_that_had_to_be_repeated_is_ours_and_there_once(fault, times, cloud):
    store = oss_store(cloud)
    position = filled(store, b"before")
    cloud.oss.fail("AppendObject", *[fault] * times)
    position = store.append(LOG, position, b"ours")
    assert len(cloud.oss.calls_of("AppendObject")) > 2
    assert store.read_log(LOG).entries == (b"before", b"ours")
    assert store.read_log(LOG).position == position


@pytest.mark.parametrize("fault", LANDED, ids=label)
def test_an_append_that_landed_at_its_last_attempt_is_ours(fault, cloud):
    store = oss_store(cloud)
    cloud.oss.fail("AppendObject", faults.timeout_before(), faults.timeout_before(), fault)
    position = store.append(LOG, 0, b"ours")
    assert len(cloud.oss.calls_of("AppendObject")) == 3
    assert (store.read_log(LOG).entries, store.read_log(LOG).position) == ((b"ours",), position)


@pytest.mark.parametrize("fault", NOT_LANDED, ids=label)
def test_an_append_that_never_landed_is_not_taken_for_ours(fault, cloud):
    store = oss_store(cloud)
    position = filled(store, b"before")
    cloud.oss.fail("AppendObject", *[fault] * 3)
    with pytest.raises(JournalUnavailable):
        store.append(LOG, position, b"ours")
    assert store.read_log(LOG).entries == (b"before",)


@pytest.mark.parametrize("fault", NOT_LANDED, ids=label)
def test_an_append_that_another_writer_overtook_between_two_attempts_is_not_taken_for_ours(fault, cloud):
    store, other = oss_store(cloud), oss_store(cloud)
    cloud.oss.fail("AppendObject", fault)
    once_at(cloud, ("after", "oss", "AppendObject"), lambda: other.append(LOG, 0, b"another"))
    with pytest.raises(JournalConflict):
        store.append(LOG, 0, b"ours, longer than the other")
    assert store.read_log(LOG).entries == (b"another",)


@pytest.mark.parametrize("fault", LANDED, ids=label)
def test_an_append_that_landed_is_ours_though_another_writer_has_gone_on_since(fault, cloud):
    store, other = oss_store(cloud), oss_store(cloud)
    cloud.oss.fail("AppendObject", fault)
    once_at(cloud, ("after", "oss", "AppendObject"), lambda: filled(other, b"another"))
    position = store.append(LOG, 0, b"ours")
    assert store.read_log(LOG).entries == (b"ours", b"another")
    assert position < store.read_log(LOG).position


def test_an_append_whose_fate_cannot_be_read_is_unavailable(cloud):
    store = oss_store(cloud)
    cloud.oss.fail("AppendObject", *[faults.timeout_after()] * 3)
    cloud.oss.fail("GetObject", *[faults.timeout_before()] * 3)
    with pytest.raises(JournalUnavailable):
        store.append(LOG, 0, b"ours")
    assert store.read_log(LOG).entries == (b"ours",)


def test_an_object_that_cannot_be_appended_to_is_not_written_over(cloud):
    store = oss_store(cloud)
    store.put(LOG, b"a note where a log should be\n")
    for position in (0, 29):
        with pytest.raises(JournalNotAppendable, match=LOG):
            store.append(LOG, position, b"ours")
    assert store.get(LOG) == b"a note where a log should be\n"


FAULTS = [
    *NOT_LANDED,
    faults.error("AccessDenied", status=403),
    faults.error("NoSuchBucket", status=404),
    faults.html(404),
]


ACTIONS = dict(
    zip(
        METHODS,
        ["GetObject", "AppendObject", "ListObjectsV2", "GetObject", "PutObject", "DeleteObject", "DeleteObject"],
        strict=True,
    )
)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.kind} {fault.status} {fault.code}")
def test_whatever_oss_answers_instead_the_journal_is_unavailable(method, fault, cloud):
    cloud.oss.fail(ACTIONS[method], *[fault] * 3)
    with pytest.raises(JournalUnavailable, match=r"^OSS: "):
        METHODS[method](oss_store(cloud))
    assert cloud.oss.history == []


@pytest.mark.parametrize("fault", [faults.empty(), faults.html(200)], ids=label)
def test_a_200_that_oss_did_not_give_is_no_answer(fault, cloud):
    store = oss_store(cloud)
    position = filled(store, b"one")
    store.put("open/a", b"x")
    before = list(cloud.oss.history)
    calls: list[tuple[str, Callable[[], object]]] = [
        ("GetObject", lambda: store.read_log(LOG)),
        ("GetObject", lambda: store.get("open/a")),
        ("AppendObject", lambda: store.append(LOG, position, b"two")),
        ("ListObjectsV2", lambda: list(store.find("orders/"))),
        ("PutObject", lambda: store.put("open/a", b"y")),
    ]
    for action, call in calls:
        cloud.oss.fail(action, fault)
        with pytest.raises(JournalUnavailable, match=r"^OSS: "):
            call()
    assert cloud.oss.history == before


@pytest.mark.parametrize("fault", [faults.empty_after(), faults.html_after(200)], ids=label)
def test_an_append_that_landed_and_was_answered_by_somebody_else_is_ours(fault, cloud):
    store = oss_store(cloud)
    cloud.oss.fail("AppendObject", fault)
    position = store.append(LOG, 0, b"ours")
    assert (store.read_log(LOG).entries, store.read_log(LOG).position) == ((b"ours",), position)


def wrong_secret(cloud: Cloud) -> OssStore:
    return oss_store(cloud, access_key_secret="FAKE-WRONG-SECRET")


def unknown_key(cloud: Cloud) -> OssStore:
    return oss_store(cloud, access_key_id="STS.FAKE-UNKNOWN-KEY")


def expired(cloud: Cloud) -> OssStore:
    cloud.oss.expire_credentials()
    return oss_store(cloud)


def denied(cloud: Cloud) -> OssStore:
    cloud.oss.deny()
    return oss_store(cloud)


def no_bucket(cloud: Cloud) -> OssStore:
    return oss_store(cloud, place=OssPlace("another-bucket", "renewals"))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (wrong_secret, "SignatureDoesNotMatch"),
        (unknown_key, "InvalidAccessKeyId"),
        (expired, "SecurityTokenExpired"),
        (denied, "AccessDenied"),
        (no_bucket, "NoSuchBucket"),
    ],
)
def test_what_oss_forbids_is_said_by_its_code_and_without_a_secret(broken, code, method, cloud):
    with pytest.raises(JournalUnavailable, match=code) as unavailable:
        METHODS[method](broken(cloud))
    said = str(unavailable.value)
    assert len(said) < 500
    for secret in (cloud.credentials.access_key_secret, cloud.credentials.security_token, "FAKE-WRONG-SECRET"):
        assert secret not in said
    assert cloud.oss.history == []


def test_a_listing_is_read_to_its_last_page(cloud):
    store = oss_store(cloud)
    for i in range(7):
        store.put(f"open/{i}", b"x")
    for size in (1, 2, 3, 7, 8):
        cloud.oss.page_limit = size
        assert [listed.key for listed in store.find("open/")] == [f"open/{i}" for i in range(7)]


def test_a_listing_that_breaks_off_between_two_pages_is_unavailable(cloud):
    store = oss_store(cloud)
    for i in range(7):
        store.put(f"open/{i}", b"x")
    cloud.oss.fail("ListObjectsV2", None, *[faults.timeout_before()] * 3)
    with pytest.raises(JournalUnavailable):
        list(store.find("open/"))


def test_prefixes_of_one_bucket_are_apart(cloud):
    one = oss_store(cloud, place=OssPlace(BUCKET, "one"))
    two = oss_store(cloud, place=OssPlace(BUCKET, "one/two"))
    filled(one, b"1")
    two.put("open/a", b"2")
    assert list(one.find("open/")) == []
    assert two.read_log(LOG).entries == ()
    assert {key for _, key in cloud.oss.objects} == {f"one/{LOG}", "one/two/open/a"}


def test_nothing_that_is_appended_is_ever_written_over(cloud):
    store = oss_store(cloud)
    position = filled(store, b"one", b"two")
    with pytest.raises(JournalConflict):
        store.append(LOG, 0, b"three")
    store.append(LOG, position, b"four")
    assert cloud.oss.history == [
        (f"renewals/{LOG}", "append", b"one\n"),
        (f"renewals/{LOG}", "append", b"two\n"),
        (f"renewals/{LOG}", "append", b"four\n"),
    ]


@pytest.mark.parametrize("prefixes", [("a", "b"), ("team/a", "team/b"), ("a", "team/b"), ("a", ""), ("", "a")])
def test_a_self_check_notices_that_another_journal_was_used_in_the_bucket(
    cloud: Cloud, prefixes: tuple[str, str]
) -> None:
    first, second = (Function(cloud, JOURNAL_URL=f"oss://{BUCKET}/{prefix}") for prefix in prefixes)

    def alone(function: Function) -> dict[str, Any]:
        (line,) = (line for line in function.invoke({"check": True}).result["check"] if line["check"] == "alone")
        return dict(line)

    assert alone(second)["ok"]
    cloud.cas.add_order()
    first.tick()
    assert alone(first)["ok"], "its own journal is no other"
    assert not alone(second)["ok"]
    assert f"oss://{BUCKET}/{prefixes[0]}".rstrip("/") in alone(second)["found"]
