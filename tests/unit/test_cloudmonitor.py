"""What an event of CloudMonitor asks for: a renewal of what it names, a dry run of it, or nothing."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from handler.command import Nothing, Renew, Selection
from handler.triggers.events import command_in
from tests import examples
from tests.examples import DOMAIN, OLD
from tests.unit.sample_events import (
    EXPIRY_EVENTS,
    INSTANCE,
    SCAN,
    V2_INSTANCE,
    asked,
    cloud_event,
    nothing,
    refusal,
    selection,
    subscription,
    system_event,
    threshold_alarm,
)

# ------------------------------------------------------------------------------------------------- nothing is asked for


@pytest.mark.parametrize(
    "document",
    [
        system_event({"orderId": OLD}, status="RESOLVED"),
        system_event({"orderId": OLD}, status="Recovered"),
        subscription({"orderId": OLD}, alertStatus="RESOLVED"),
        subscription({"orderId": OLD}, alertStatus="Resolved"),
        cloud_event({"orderId": OLD, "alertStatus": "RESOLVED"}),
        cloud_event({"orderId": OLD, "curLevel": "OK"}),
        threshold_alarm(eventName="AlertOk", curLevel="OK"),
        threshold_alarm(eventName="AlertOk"),
        threshold_alarm(curLevel="OK", preLevel="CRITICAL"),
    ],
)
def test_an_alarm_that_is_over_asks_for_nothing(document):
    assert nothing(document).endswith(" is over")


@pytest.mark.parametrize(
    "document",
    [
        system_event({"orderId": OLD}, status="Normal"),
        system_event({"orderId": OLD}, level="INFO"),
        subscription({"orderId": OLD}, alertStatus="TRIGGERED"),
        threshold_alarm(dimensions={"orderId": OLD}, eventName="AlertCritical", preLevel="OK"),
    ],
)
def test_an_alarm_that_is_not_over_asks_for_a_renewal(document):
    assert selection(document) == Selection(order_ids=(OLD,))


@pytest.mark.parametrize(
    "document",
    [
        system_event({"orderId": OLD, "note": "expiry"}, name="Instance:StateChange", product="ECS"),
        subscription({"orderId": OLD}, eventName="Disk:Stalled"),
        cloud_event({"orderId": OLD, "name": "StateChange"}, type="ecs:CloudMonitor:StateChange"),
        threshold_alarm(ruleName="cpu", metricName="cpu_total", eventName="AlertCritical"),
        {"product": "CAS", "name": "", "content": {"orderId": OLD}},
    ],
)
def test_an_event_that_is_not_about_expiry_asks_for_nothing(document):
    assert "is not about an expiring certificate (see EXPIRY_EVENTS)" in nothing(document)


def test_what_is_said_of_an_event_is_short_and_names_it():
    why = nothing(system_event({}, name="Instance:StateChange"))
    assert why == "the event 'Instance:StateChange' is not about an expiring certificate (see EXPIRY_EVENTS)"
    assert len(nothing(system_event({}, name="x" * 10_000))) < 200
    assert "'without a name'" in nothing({"product": "CAS", "name": 5, "content": {}})


@pytest.mark.parametrize(
    "name",
    [
        "CertKeyExpired_1",
        "CertKeyExpired30",
        "Certificate:WillExpire",
        "SSL_EXPIRY",
        "SslCertDaysLeft",
        "证书即将到期",
        "证书已过期",
    ],
)
def test_the_usual_names_of_expiry_events_are_known(name):
    assert selection(system_event({}, name=name)) == SCAN
    assert selection(system_event({}, name="custom", ruleName=name)) == SCAN
    assert selection(subscription(eventName="custom") | {"strategyName": name}) == SCAN
    assert selection(subscription(eventName="custom", meta={"sysEventMeta": {"name": name}})) == SCAN
    assert selection(cloud_event({}, type=name)) == SCAN
    assert selection(cloud_event({"name": name}, type="custom")) == SCAN
    assert selection(threshold_alarm(ruleName="custom", metricName=name)) == SCAN


def test_which_events_speak_of_expiry_is_for_the_operator_to_say():
    event = json.dumps(system_event({"orderId": OLD}, name="Team:CertAlert")).encode()
    assert isinstance(command_in(event, EXPIRY_EVENTS).what, Nothing)
    patterns = examples.settings(EXPIRY_EVENTS="other, team:certalert").expiry_events
    assert command_in(event, patterns).what == Renew(Selection(order_ids=(OLD,)))


# ---------------------------------------------------------------------------------------------------- what is asked for


def test_of_all_that_is_named_only_the_most_exact_is_followed():
    content = {"domain": DOMAIN, "instanceId": INSTANCE, "certificateId": "7", "orderId": OLD}
    exact_first = [
        ("orderId", Selection(order_ids=(OLD,))),
        ("certificateId", Selection(certificate_ids=("7",), instance_ids=(INSTANCE,))),
        ("instanceId", Selection(instance_ids=(INSTANCE,))),
        ("domain", Selection(domains=(DOMAIN,))),
    ]
    for key, named in exact_first:
        assert selection(system_event(content)) == named
        del content[key]
    assert selection(system_event(content)) == SCAN


@pytest.mark.parametrize(
    ("document", "where"),
    [
        (system_event({"orderId": "A1B2"}), "content.orderId"),
        (system_event(json.dumps({"orderId": "-1"})), "content.orderId"),
        (system_event({"rows": [{"orderId": 1}, {"orderId": 0}]}), "content.rows[1].orderId"),
        (system_event({"certificateId": 2**63}), "content.certificateId"),
        (system_event({"certificateId": True}), "content.certificateId"),
        (subscription({"orderId": 1.5}), "content.orderId"),
        (subscription(arn="acs:cas:cn-hangzhou:123456789012:order/x1"), "arn"),
        (cloud_event({"orderId": "1e9"}), "data.orderId"),
        (cloud_event({}, subject="acs:cas:cn-hangzhou:123456789012:order/none"), "subject"),
        (threshold_alarm(dimensions="{orderId=x}"), "dimensions.orderId"),
        (threshold_alarm(resources='{"certId": NaN}'), "resources.certId"),
    ],
)
def test_a_malformed_id_is_refused_naming_its_path(document, where):
    assert f"refused at {where}: expected an id, a positive integer or its digits" in refusal(document)


@pytest.mark.parametrize("instance_id", [INSTANCE, V2_INSTANCE])
def test_a_certificate_and_an_instance_are_both_followed_since_either_may_lead_nowhere(instance_id):
    content = {"certificateId": "7", "instanceId": instance_id, "domain": DOMAIN}
    assert selection(system_event(content)) == Selection(certificate_ids=("7",), instance_ids=(instance_id,))


def test_beside_an_order_only_what_surely_has_no_order_is_followed_too():
    content = {"rows": [{"orderId": OLD, "instanceId": INSTANCE}, {"instanceId": V2_INSTANCE, "certificateId": "7"}]}
    assert selection(system_event(content)) == Selection(order_ids=(OLD,), instance_ids=(V2_INSTANCE,))


@pytest.mark.parametrize("wrong", ["cas-cn-\u0661", "cas_dv-cn-1/2", "cas-cn-(1)", "cas_dv-cn-" + "1" * 200])
def test_a_malformed_instance_id_of_cas_is_refused_naming_its_path(wrong):
    for document in (system_event({"instanceId": wrong}), cloud_event({"content": {"instanceId": wrong}})):
        assert "content.instanceId: expected an instance id such as cas_dv-cn-example01" in refusal(document)


def test_an_order_that_is_named_well_is_renewed_whatever_stands_there_for_its_instance():
    assert selection(system_event({"orderId": OLD, "resource": "cas-cn-(1)"})) == Selection(order_ids=(OLD,))


def test_a_malformed_id_is_not_passed_over_for_a_good_domain():
    assert "refused at content.orderId" in refusal(system_event({"orderId": "none", "domain": DOMAIN}))


@pytest.mark.parametrize("wrong", [5, True, "a" * 254, "."])
def test_a_malformed_domain_is_refused_naming_its_path(wrong):
    assert "refused at content.domain: expected a domain name" in refusal(system_event({"domain": wrong}))


@pytest.mark.parametrize("key", ["check", "resolve", "release", "scan", "csr", "Csr"])
def test_an_envelope_that_asks_like_a_person_is_refused(key):
    for document in (system_event({}), subscription(), cloud_event({}), threshold_alarm()):
        assert f"refused at event: {key!r} belongs into a manual event" in refusal({**document, key: True})


# ------------------------------------------------------------------------------------------------------------ a dry run


def with_everywhere(key: str, value: Any) -> list[dict[str, Any]]:
    """Expiry events that say it, each at another place."""
    found: dict[str, Any] = {"orderId": OLD}
    said = {key: value}
    return [
        system_event({**found, **said}),
        system_event(json.dumps({**found, **said})),
        system_event({**found, "options": [said]}),
        system_event(found, **said),
        subscription({**found, **said}),
        subscription(found, **said),
        subscription(found, meta=said),
        subscription(found, eventRawContent=json.dumps(said)),
        subscription(found) | said,
        cloud_event({**found, **said}),
        cloud_event(found, **said),
        threshold_alarm(dimensions=json.dumps({**found, **said})),
        threshold_alarm(dimensions=found, **said),
    ]


@pytest.mark.parametrize("key", ["dry_run", "dryRun", "DryRun", "DRY-RUN"])
@pytest.mark.parametrize(
    ("value", "dry"), [(True, True), ("true", True), (" True ", True), (False, False), ("false", False)]
)
def test_a_dry_run_is_a_dry_run_wherever_an_event_says_it(key, value, dry):
    for document in with_everywhere(key, value):
        assert asked(document).what == Renew(Selection(order_ids=(OLD,)), dry_run=dry)


@pytest.mark.parametrize(
    "wrong", [None, "", 0, 1, "yes", "1", [], {}, [True], {"value": True}, "[true]", '{"value": true}']
)
def test_what_is_neither_true_nor_false_is_no_dry_run_and_no_other_either(wrong):
    for document in with_everywhere("dryRun", wrong):
        said = refusal(document)
        assert "dryRun: expected true or false, got " in said
        assert "refused at " in said


def test_a_dry_run_is_said_in_the_text_of_an_alarm_and_in_a_form_too():
    assert asked(threshold_alarm(dimensions=f"{{orderId={OLD}, dryRun=true}}")).what == Renew(
        Selection(order_ids=(OLD,)), dry_run=True
    )
    assert "dimensions.dryRun: expected true or false" in refusal(
        threshold_alarm(dimensions="{dryRun=, x=1, dryRun=1}")
    )
    form = urlencode({"alert": json.dumps(subscription({"orderId": OLD})["alert"]), "dry_run": "true"}).encode()
    assert command_in(form, EXPIRY_EVENTS).what == Renew(Selection(order_ids=(OLD,)), dry_run=True)


def test_of_two_that_contradict_each_other_the_dry_run_wins():
    for one, other in ((True, False), (False, True)):
        what = asked(system_event({"orderId": OLD, "dry_run": one}, dryRun=other)).what
        assert what == Renew(Selection(order_ids=(OLD,)), dry_run=True)
