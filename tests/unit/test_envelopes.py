"""What CloudMonitor sends, in each of its envelopes and in their variants."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from handler.command import Command, Nothing, Renew, Selection
from handler.errors import EventRefused
from handler.triggers.envelopes import names_in, open_envelope
from handler.triggers.events import understand
from tests import examples
from tests.examples import DOMAIN, NEW, OLD

EVENTS = Path(__file__).resolve().parents[2] / "events"
EXPIRY_EVENTS = examples.settings().expiry_events
SCAN = Selection()
INSTANCE = "cas-cn-example01"
ARN = f"acs:cas:cn-hangzhou:123456789012:instance/{INSTANCE}"


def sample(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((EVENTS / name).read_text("utf-8"))
    return document


def asked(document: object) -> Command:
    return understand(json.dumps(document).encode(), EXPIRY_EVENTS)


def selection(document: object) -> Selection:
    ask = asked(document)
    assert ask.trigger == "cloudmonitor"
    assert isinstance(ask.what, Renew)
    assert ask.what == Renew(ask.what.selection)
    return ask.what.selection


def nothing(document: object) -> str:
    ask = asked(document)
    assert ask.trigger == "cloudmonitor"
    assert isinstance(ask.what, Nothing)
    return ask.what.why


def refusal(document: object) -> str:
    with pytest.raises(EventRefused) as refused:
        asked(document)
    return str(refused.value)


def system_event(content: object, **more: Any) -> dict[str, Any]:
    return {"product": "CAS", "name": "Certificate:WillExpire", "content": content, **more}


def subscription(content: object = None, **alert: Any) -> dict[str, Any]:
    inner = {"alertStatus": "TRIGGERED", "eventName": "Certificate:WillExpire", "eventContentMap": content or {}}
    return {"alert": {**inner, **alert}, "strategyName": "certificates"}


def cloud_event(data: object, **more: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "type": "slb:CloudMonitor:CertKeyExpired_30",
        "source": "acs.slb",
        "data": data,
        **more,
    }


def threshold_alarm(**more: Any) -> dict[str, Any]:
    return {"ruleName": "ssl-certificate-expiry", "metricName": "days_left", "curLevel": "CRITICAL", **more}


# -------------------------------------------------------------------------------------------------- each envelope opens


@pytest.mark.parametrize("name", ["cloudmonitor-system-event.json", "cloudmonitor-system-event-text.json"])
def test_the_content_of_a_system_event_is_an_object_or_the_text_of_one(name):
    names = names_in(open_envelope(sample(name)))  # type: ignore[arg-type]
    assert names.certificate_ids == [("content.certificateId", "7654321")]
    assert names.domains == [("content.domain", DOMAIN)]
    assert names.instance_ids == [("resourceId", INSTANCE)]


def test_a_subscription_sent_as_a_form_means_what_it_means_as_json():
    webhook = sample("cloudmonitor-subscription.json")
    text = {key: value if isinstance(value, str) else json.dumps(value) for key, value in webhook.items()}
    form = urlencode(text).encode()
    assert understand(form, EXPIRY_EVENTS) == asked(webhook) == asked(text)


def test_a_form_holds_its_fields_in_any_order_and_encoding():
    alert = json.dumps(subscription({"domain": "bücher.example.com"})["alert"], ensure_ascii=False)
    for form in (
        f"batchId=1&{urlencode({'alert': alert})}",
        f"alert={alert}&time=1\n",
        f" alert={alert.replace(' ', '+')}",
    ):
        ask = understand(form.encode(), EXPIRY_EVENTS)
        assert ask == Command("cloudmonitor", Renew(Selection(domains=("xn--bcher-kva.example.com",))))


def test_a_form_in_which_a_field_stands_twice_is_refused():
    alert = urlencode({"alert": json.dumps(subscription({"orderId": OLD})["alert"])})
    with pytest.raises(EventRefused, match="refused at event: a field of the form stands twice"):
        understand(f"{alert}&{alert}".encode(), EXPIRY_EVENTS)


def test_objects_inside_the_alert_of_a_subscription_may_be_texts_too():
    meta = json.dumps({"sysEventMeta": json.dumps({"resourceId": ARN})})
    assert selection(subscription(meta=meta)) == Selection(instance_ids=(INSTANCE,))
    assert selection(subscription(json.dumps({"orderId": OLD}))) == Selection(order_ids=(OLD,))


def test_the_raw_content_of_a_subscription_is_read_where_its_map_says_nothing():
    assert selection(subscription(eventRawContent=json.dumps({"orderId": OLD}))) == Selection(order_ids=(OLD,))
    assert selection(subscription({"orderId": OLD}, eventRawContent="free text")) == Selection(order_ids=(OLD,))


@pytest.mark.parametrize(
    "time",
    [
        "2026-11-21T03:00:00Z",
        "2026-11-21T11:00:00+08:00",
        "2020-11-19T21:04:42.179PRC",
        "yesterday",
        "",
        None,
        1795230000,
        {},
    ],
)
def test_the_time_of_a_cloud_event_may_be_written_in_any_way(time):
    assert selection(cloud_event({"orderId": OLD}, time=time, aliyunpublishtime=time)) == Selection(order_ids=(OLD,))


@pytest.mark.parametrize("data", [None, {}, "", "no json", [], 5])
def test_a_cloud_event_whose_data_say_nothing_is_a_scan(data):
    assert selection(cloud_event(data)) == SCAN


def test_the_data_of_a_cloud_event_may_be_text():
    assert selection(cloud_event(json.dumps({"orderId": OLD}))) == Selection(order_ids=(OLD,))


@pytest.mark.parametrize("key", ["dimensions", "resources"])
@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"userId": "123456789012", "domain": DOMAIN}),
        json.dumps([{"userId": "123456789012"}, {"domain": DOMAIN}]),
        f"{{userId=123456789012, domain={DOMAIN}}}",
        f"{{domain={DOMAIN} }}",
        f"[{{domain={DOMAIN}, userId=123456789012}}]",
    ],
)
def test_the_dimensions_of_an_alarm_are_json_or_what_cloudmonitor_writes_instead(key, text):
    assert selection(threshold_alarm(**{key: text})) == Selection(domains=(DOMAIN,))


def test_an_id_in_text_that_is_not_json_is_an_id():
    assert selection(threshold_alarm(dimensions=f"{{ orderId={OLD} , port=443 }}")) == Selection(order_ids=(OLD,))


@pytest.mark.parametrize("level", ["curLevel", "preLevel", "metricName"])
def test_any_field_of_an_alarm_makes_it_one(level):
    assert selection({"ruleName": "ssl-certificate-expiry", level: "x"}) == SCAN


@pytest.mark.parametrize(
    ("document", "where"),
    [
        (system_event("no json"), "content"),
        (system_event([]), "content"),
        (system_event(None), "content"),
        (system_event("[]"), "content"),
        (subscription() | {"alert": "no json"}, "alert"),
        (subscription() | {"alert": ""}, "alert"),
        (subscription(meta="x"), "alert.meta"),
        (subscription(meta={"sysEventMeta": 5}), "alert.meta.sysEventMeta"),
        (subscription("x"), "alert.eventContentMap"),
    ],
)
def test_an_envelope_whose_inside_is_no_object_is_refused(document, where):
    assert f"refused at {where}: expected a JSON object, or the text of one" in refusal(document)


@pytest.mark.parametrize("missing", ["product", "name", "content"])
def test_part_of_an_envelope_is_no_envelope(missing):
    document = system_event({"orderId": OLD})
    del document[missing]
    assert open_envelope(document) is None
    assert "refused at event: unknown key" in refusal(document)


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
    assert isinstance(understand(event, EXPIRY_EVENTS).what, Nothing)
    patterns = examples.settings(EXPIRY_EVENTS="other, team:certalert").expiry_events
    assert understand(event, patterns).what == Renew(Selection(order_ids=(OLD,)))


# -------------------------------------------------------------------------------------------------- what an event names


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ({"orderId": OLD}, Selection(order_ids=(OLD,))),
        ({"OrderId": int(NEW)}, Selection(order_ids=(NEW,))),
        ({"order_id": OLD}, Selection(order_ids=(OLD,))),
        ({"cert-order-id": OLD}, Selection(order_ids=(OLD,))),
        ({"certificateOrderId": OLD}, Selection(order_ids=(OLD,))),
        ({"deep": [{"er": {"orderId": OLD}}, {"orderId": int(OLD)}]}, Selection(order_ids=(OLD,))),
        ({"deep": json.dumps({"er": json.dumps({"orderId": OLD})})}, Selection(order_ids=(OLD,))),
        ({"orderId": [1, "2"]}, Selection(order_ids=("1", "2"))),
        ({"CertId": 7}, Selection(certificate_ids=("7",))),
        ({"certificate_id": "7"}, Selection(certificate_ids=("7",))),
        ({"instanceId": INSTANCE}, Selection(instance_ids=(INSTANCE,))),
        ({"resourceId": "cas_dv-cn-0001"}, Selection(instance_ids=("cas_dv-cn-0001",))),
        ({"domain": "WWW.example.com."}, Selection(domains=(DOMAIN,))),
        ({"domainName": DOMAIN}, Selection(domains=(DOMAIN,))),
        ({"CommonName": "*.example.com"}, Selection(domains=("*.example.com",))),
        ({"domains": ["a.example.com", "b.example.com"]}, Selection(domains=("a.example.com", "b.example.com"))),
        (
            {"domains": "a.example.com, b.example.com,A.example.com"},
            Selection(domains=("a.example.com", "b.example.com")),
        ),
        ({"orderId": "", "domain": None, "certId": "7"}, Selection(certificate_ids=("7",))),
        ({}, SCAN),
        ({"instanceId": "lb-example01", "instanceName": DOMAIN, "id": "7", "expiry": 5}, SCAN),
        ({"instanceId": "i-cas-1", "name": INSTANCE, "text": f"see {ARN}"}, SCAN),
    ],
)
def test_what_is_named_is_found_wherever_it_stands(content, named):
    assert selection(system_event(content)) == named
    assert selection(system_event(json.dumps(content))) == named
    assert selection(subscription(content)) == named
    assert selection(cloud_event(content)) == named
    assert selection(cloud_event({"content": content})) == named
    assert selection(threshold_alarm(dimensions=json.dumps(content))) == named


TWO = Selection(order_ids=("1", "2"))
TWO_DOMAINS = Selection(domains=("a.example.com", "b.example.com"))


@pytest.mark.parametrize(
    ("key", "values", "named"),
    [
        *((key, ["1", 2], TWO) for key in ("orderIds", "order_ids", "OrderIdList", "order-ids", "certOrderIds")),
        *((key, ["1", 2], Selection(certificate_ids=("1", "2"))) for key in ("certificateIds", "certIds", "CertIdSet")),
        *(
            (key, ["a.example.com", "B.example.com."], TWO_DOMAINS)
            for key in ("domains", "domainNames", "domainList", "DomainNameList", "commonNames", "certDomains", "sans")
        ),
        *(
            (key, [INSTANCE, "lb-example01", "cas-cn-example02"], Selection((), (), (INSTANCE, "cas-cn-example02")))
            for key in ("instanceIds", "resourceIds", "InstanceIdList")
        ),
        ("resourceIds", [ARN, f"{ARN}2"], Selection(instance_ids=(INSTANCE, f"{INSTANCE}2"))),
        ("orders", [int(OLD), NEW], Selection(order_ids=(OLD, NEW))),
        ("certificates", ["7654321", "7654322"], Selection(certificate_ids=("7654321", "7654322"))),
    ],
)
def test_several_are_named_by_a_plural_in_any_spelling(key, values, named):
    assert selection(system_event({key: values})) == named
    assert selection(system_event({key: json.dumps(values)})) == named
    assert selection(system_event({key: json.dumps(json.dumps(values))})) == named
    for separator in (",", ", ", ";", " ", "、"):
        assert selection(system_event({key: separator.join(map(str, values))})) == named
    bracketed = ", ".join(map(str, values))
    assert selection(system_event({key: f"[{bracketed}]"})) == named
    assert selection(threshold_alarm(dimensions=f"{{userId=123456789012, {key}=[{bracketed}], port=443}}")) == named
    assert selection(system_event({key: {"item": values}})) == named
    assert selection(system_event({key: [{"value": value} for value in values]})) == named


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ({"order": {"id": "1"}}, Selection(order_ids=("1",))),
        ({"orders": [{"id": "1", "seq": 7}, {"id": 2}]}, TWO),
        ({"certificate": {"id": 7}}, Selection(certificate_ids=("7",))),
        ({"domain": {"name": DOMAIN, "port": 443}}, Selection(domains=(DOMAIN,))),
        ({"instance": {"id": INSTANCE}}, Selection(instance_ids=(INSTANCE,))),
        ({"sans": ["DNS:a.example.com", "DNS:b.example.com"]}, TWO_DOMAINS),
        ({"order": 5, "id": 7, "ids": [8], "certificate": "-----BEGIN", "items": ["1"]}, SCAN),
        ({"description": "{x} [y] all orders"}, SCAN),
        ({"description": "[WARN] instanceId: lb-example01"}, SCAN),
    ],
)
def test_what_is_named_by_an_object_is_found(content, named):
    assert selection(system_event(content)) == named
    assert selection(cloud_event(content)) == named


@pytest.mark.parametrize(
    "document",
    [
        system_event({}, orderIds=["1", "2"]),
        system_event({}, extra={"orderIds": "1,2"}),
        cloud_event({}, orderIds=["1", "2"]),
        cloud_event(None, orders=[{"id": "1"}, {"id": "2"}]),
        cloud_event([{"orderId": 1}, {"orderId": 2}]),
        cloud_event('[{"orderId": 1}, {"orderId": 2}]'),
        subscription(orderIds=["1", "2"]),
        subscription(content={"orderIds": ["1", "2"]}),
        subscription() | {"order_ids": "1 2"},
        subscription(eventRawContent='[{"orderId": 1}, {"orderId": 2}]'),
        subscription(eventRawContent='\ufeff{"orderIds": [1, 2]}'),
        threshold_alarm(extra={"orderIds": ["1", "2"]}),
        threshold_alarm(dimensions="{orderId=1, orderId=2}"),
        system_event('\ufeff{"orderIds": [1, 2]}'),
    ],
)
def test_what_is_named_beside_the_content_is_found_too(document):
    assert selection(document) == TWO


@pytest.mark.parametrize("empty", [[], {}, "[]", "{}", ",", " ; "])
@pytest.mark.parametrize("key", ["orderIds", "domains", "certificateId"])
def test_an_empty_list_of_names_is_no_scan(key, empty):
    assert f"refused at content.{key}: it names nothing" in refusal(system_event({key: empty}))
    assert selection(system_event({key: empty, "orderId": OLD})) == Selection(order_ids=(OLD,))


@pytest.mark.parametrize(
    "text",
    [
        "{'orderId': '123451222'}",
        '{"orderId": "123451222"',
        "{orderId: 123451222}",
        "[{'domains' : 1}]",
        "{dry-run: 1}",
        f"[x] resourceId: {INSTANCE}",
    ],
)
def test_a_text_that_names_something_and_cannot_be_read_is_no_scan(text):
    assert "refused at dimensions: it names something and cannot be read" in refusal(threshold_alarm(dimensions=text))
    assert "refused at data: it names something and cannot be read" in refusal(cloud_event(text))


def test_a_key_that_stands_twice_in_a_text_is_refused():
    text = '{"dry_run": true, "dry_run": false}'
    assert "refused at content: a key stands twice" in refusal(system_event(text))
    assert "refused at dimensions: a key stands twice" in refusal(threshold_alarm(dimensions=text))


# -------------------------------------------------------------------------------------------------- a dry run, and more


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
    assert understand(form, EXPIRY_EVENTS).what == Renew(Selection(order_ids=(OLD,)), dry_run=True)


def test_of_two_that_contradict_each_other_the_dry_run_wins():
    for one, other in ((True, False), (False, True)):
        what = asked(system_event({"orderId": OLD, "dry_run": one}, dryRun=other)).what
        assert what == Renew(Selection(order_ids=(OLD,)), dry_run=True)


@pytest.mark.parametrize("key", ["check", "resolve", "release", "scan", "csr", "Csr"])
def test_an_envelope_that_asks_like_a_person_is_refused(key):
    for document in (system_event({}), subscription(), cloud_event({}), threshold_alarm()):
        assert f"refused at event: {key!r} belongs into a manual event" in refusal({**document, key: True})


@pytest.mark.parametrize(
    ("arn", "named"),
    [
        (ARN, Selection(instance_ids=(INSTANCE,))),
        (f"acs:yundun-cert:cn-hangzhou:123456789012:instance/{INSTANCE}", Selection(instance_ids=(INSTANCE,))),
        (f"acs:cas:cn-hangzhou:123456789012:order/{OLD}", Selection(order_ids=(OLD,))),
        (f"acs:cas::123456789012:Order/{OLD}", Selection(order_ids=(OLD,))),
        ("acs:cas:cn-hangzhou:123456789012:certificate/7", Selection(certificate_ids=("7",))),
        ("acs:cas:cn-hangzhou:123456789012:cert/7", Selection(certificate_ids=("7",))),
        ("acs:cas:cn-hangzhou:123456789012:instance/other", SCAN),
        (f"acs:slb:cn-hangzhou:123456789012:order/{OLD}", SCAN),
        (f"acs:ecs:cn-hangzhou:123456789012:instance/{INSTANCE}", SCAN),
        ("acs:cas", SCAN),
    ],
)
def test_a_resource_name_of_cas_says_what_is_meant(arn, named):
    assert selection(system_event({}, resourceId=arn)) == named
    assert selection(subscription(arn=arn)) == named
    assert selection(subscription(meta={"sysEventMeta": {"resourceId": arn}})) == named
    assert selection(cloud_event({}, subject=arn)) == named
    assert selection(cloud_event({"resourceId": arn})) == named
    assert selection(threshold_alarm(resources=json.dumps({"any": arn}))) == named


def test_of_all_that_is_named_only_the_most_exact_is_followed():
    content = {"domain": DOMAIN, "instanceId": INSTANCE, "certificateId": "7", "orderId": OLD}
    exact_first = [
        ("orderId", Selection(order_ids=(OLD,))),
        ("certificateId", Selection(certificate_ids=("7",))),
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


def test_a_malformed_id_is_not_passed_over_for_a_good_domain():
    assert "refused at content.orderId" in refusal(system_event({"orderId": "none", "domain": DOMAIN}))


@pytest.mark.parametrize("wrong", [5, True, "a" * 254, "."])
def test_a_malformed_domain_is_refused_naming_its_path(wrong):
    assert "refused at content.domain: expected a domain name" in refusal(system_event({"domain": wrong}))


@pytest.mark.parametrize(("opens", "closes"), [("[", "]"), ('{"x": ', "}")])
def test_an_event_is_understood_however_deeply_it_is_nested_or_refused_for_it(opens, closes):
    seen: set[object] = set()
    for depth in (1, 100, *range(800, 1200, 7), 3_000, 10_000):
        content = '{"orderId": ' + opens * depth + '{"orderId": 1}' + closes * depth + "}"
        event = '{"product": "CAS", "name": "expiry", "content": ' + content + "}"
        try:
            seen.add(understand(event.encode(), EXPIRY_EVENTS).what)
        except EventRefused as refused:
            assert "refused at event: it is nested too deeply" in str(refused)  # noqa: PT017 (which depths is Python's)
            seen.add(None)
    assert seen == {Renew(Selection(order_ids=("1",))), None}
