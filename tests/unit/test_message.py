"""The message on the queue: consumers rely on it word for word."""

import json
from base64 import b64encode
from datetime import datetime, timedelta, timezone

import pytest

from handler.cloud.smq import MAX_BYTES
from handler.errors import JournalUnavailable
from handler.journal.entries import Claimed, Held, Published, Refused, Renewed
from handler.journal.journal import Journal
from handler.journal.lines import line_of
from handler.journal.renewal import Renewal, Successor
from handler.journal.states import State
from handler.outbox.messages import failed_message, renewed_id, renewed_message
from handler.outcomes import Outcome
from handler.runtime.log import MAX_CHARS
from tests.examples import ACCOUNT, DAY, DOMAIN, MINUTE, NEW, NOW, OLD, PRODUCT, renewable, renewal
from tests.memory_store import MemoryStore

RENEWED = renewal(state=State.RENEWED, successor=Successor(NEW, NOW + timedelta(seconds=7), "request-of-cas"))


def test_the_message_is_the_documented_cloud_event():
    assert json.loads(renewed_message(RENEWED, ACCOUNT)) == {
        "specversion": "1.0",
        "id": f"{OLD}-{NEW}",
        "source": "acs:yundun-cert::123456789012",
        "type": "cas.order.renewed",
        "subject": NEW,
        "time": "2026-11-21T03:00:07Z",
        "datacontenttype": "application/json",
        "data": {
            "OrderId": NEW,
            "RenewedOrderId": OLD,
            "Domain": DOMAIN,
            "ProductCode": PRODUCT,
            "InstanceId": "cas-cn-example01",
            "CertEndTime": "2026-12-11T03:00:00Z",
            "RequestId": "request-of-cas",
        },
    }


def test_the_id_by_which_a_repetition_is_known_is_made_of_the_two_orders():
    assert renewed_id(RENEWED) == "123451222-98987582437920968"


def test_the_time_is_in_utc_and_whole_seconds():
    at = datetime(2026, 11, 21, 11, 0, 7, 999_999, tzinfo=timezone(timedelta(hours=8)))
    event = json.loads(renewed_message(RENEWED._replace(successor=Successor(NEW, at, None)), ACCOUNT))
    assert event["time"] == "2026-11-21T03:00:07Z"


def test_what_nobody_knows_is_null():
    settled = renewal(state=State.RENEWED, ends=None, successor=Successor(NEW, NOW, None))
    data = json.loads(renewed_message(settled, ACCOUNT))["data"]
    assert (data["CertEndTime"], data["RequestId"]) == (None, None)


def test_a_domain_in_other_letters_survives_and_the_message_is_ascii():
    spelt = renewal(state=State.RENEWED, domain="例子.example.com", successor=RENEWED.successor)
    text = renewed_message(spelt, ACCOUNT)
    assert text.isascii()
    assert json.loads(text)["data"]["Domain"] == "例子.example.com"


def test_the_same_facts_make_the_same_bytes_whoever_reads_them_and_when():
    store = MemoryStore()
    writer = Journal(store, "request-1")
    claimed = writer.record(Renewal(OLD), Claimed(renewable(), NOW + 5 * MINUTE, NOW, frozenset({OLD})), NOW)
    renewed = writer.record(claimed, Renewed(NEW, "answer", "request-of-cas"), NOW + MINUTE)
    first = renewed_message(renewed, ACCOUNT)
    assert renewed_message(Journal(store, "request-2").read(OLD), ACCOUNT) == first
    writer.record(renewed, Published(f"{OLD}-{NEW}", "smq-1"), NOW + DAY)
    assert renewed_message(Journal(store, "request-3").read(OLD), ACCOUNT) == first


@pytest.mark.parametrize("not_renewed", [Renewal(OLD), renewal(), RENEWED._replace(claim=None)])
def test_there_is_no_message_of_an_order_that_was_not_renewed(not_renewed):
    with pytest.raises(JournalUnavailable, match=OLD):
        renewed_message(not_renewed, ACCOUNT)


def held(candidates: tuple[str, ...]) -> Renewal:
    return renewal(state=State.HELD)._replace(hold=Held("several-candidates", candidates), since=2, since_at=NOW)


def test_of_very_many_candidates_the_message_lists_the_first_and_says_how_many_there_are():
    many = tuple(str(98987582437920968 + n) for n in reversed(range(5_000)))
    text = failed_message(held(many), None, NOW, ACCOUNT)
    data = json.loads(text)["data"]
    assert data["Candidates"] == sorted(many)[:100]
    assert data["CandidatesInAll"] == 5_000
    assert len(b64encode(text.encode())) < MAX_BYTES


@pytest.mark.parametrize("number", [0, 1, 100])
def test_of_a_few_candidates_the_message_lists_all(number):
    some = tuple(str(98987582437920968 + n) for n in range(number))
    data = json.loads(failed_message(held(some), None, NOW, ACCOUNT))["data"]
    assert (data["Candidates"], data["CandidatesInAll"]) == (list(some), number)


def test_the_message_of_a_failure_is_the_documented_cloud_event():
    refused = renewal(state=State.REFUSED)._replace(refusal=Refused("OrderStateError", "", NOW), since=2, since_at=NOW)
    assert json.loads(failed_message(refused, None, NOW, ACCOUNT)) == {
        "specversion": "1.0",
        "id": f"{OLD}-failed-2",
        "source": "acs:yundun-cert::123456789012",
        "type": "cas.renewal.failed",
        "subject": OLD,
        "time": "2026-11-21T03:00:00Z",
        "datacontenttype": "application/json",
        "data": {
            "OrderId": OLD,
            "Domain": DOMAIN,
            "ProductCode": PRODUCT,
            "InstanceId": "cas-cn-example01",
            "CertEndTime": "2026-12-11T03:00:00Z",
            "Outcome": "refused",
            "Reason": "OrderStateError",
            "Candidates": [],
            "CandidatesInAll": 0,
        },
    }


@pytest.mark.parametrize(("deferred", "shown"), [(0, None), (7, 7)])
def test_the_message_of_a_refusal_says_how_many_others_wait_for_the_same_thing_if_there_are_any(deferred, shown):
    refusal = Refused("InsufficientQuota", "", NOW)
    refused = renewal(state=State.REFUSED)._replace(refusal=refusal, since=2, since_at=NOW)
    data = json.loads(failed_message(refused, None, NOW, ACCOUNT, deferred))["data"]
    assert data.get("Deferred") == shown


def test_what_a_journal_that_cannot_be_read_does_not_tell_is_taken_from_the_row():
    unreadable = Renewal(OLD, state=State.HELD, hold=Held("journal-unreadable", ()), since_at=NOW)
    data = json.loads(failed_message(unreadable, renewable(), NOW, ACCOUNT))["data"]
    assert (data["Domain"], data["ProductCode"], data["InstanceId"]) == (DOMAIN, PRODUCT, "cas-cn-example01")
    assert (data["CertEndTime"], data["Outcome"], data["Reason"]) == (
        "2026-12-11T03:00:00Z",
        "held",
        "journal-unreadable",
    )
    data = json.loads(failed_message(unreadable, None, NOW, ACCOUNT))["data"]
    assert [data[name] for name in ("Domain", "ProductCode", "InstanceId", "CertEndTime")] == [None] * 4


@pytest.mark.parametrize(
    ("lost", "reason"),
    [
        (renewal(), "no-answer"),
        (renewal(state=State.UNKNOWN, unknown_since=NOW, unknown_code="no-order-id"), "no-order-id"),
    ],
)
def test_the_message_of_an_unknown_outcome_says_why_it_is_unknown(lost, reason):
    data = json.loads(failed_message(lost, None, NOW, ACCOUNT))["data"]
    assert (data["Outcome"], data["Reason"]) == ("unknown", reason)


def test_a_line_of_the_result_lists_the_first_candidates_and_says_how_many_only_if_it_leaves_any_out():
    many = tuple(str(98987582437920968 + n) for n in reversed(range(101)))
    line = line_of(held(many), Outcome.HELD, "several-candidates", candidates=many).to_dict(NOW)
    assert (line["candidates"], line["candidates_in_all"]) == (sorted(many)[:100], 101)
    assert len(json.dumps(line)) < MAX_CHARS
    line = line_of(held(many), Outcome.HELD, "several-candidates", candidates=many[1:]).to_dict(NOW)
    assert line["candidates"] == sorted(many[1:])
    assert "candidates_in_all" not in line
