"""What an event of CloudMonitor names is found wherever it stands, and however it is written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.command import Renew, Selection
from handler.errors import EventRefused
from handler.triggers.events import command_in
from tests.examples import DOMAIN, NEW, OLD, PROPERTY
from tests.unit.sample_events import (
    ARN,
    EXPIRY_EVENTS,
    INSTANCE,
    SCAN,
    cloud_event,
    refusal,
    selection,
    subscription,
    system_event,
    threshold_alarm,
)


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
        ({"TaskId": "cas_dv-cn-0001"}, Selection(instance_ids=("cas_dv-cn-0001",))),
        ({"jobId": "cas_deployment-cn-1", "text": "see cas_dv-cn-0001"}, SCAN),
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
            for key in (
                "instanceIds",
                "resourceIds",
                "InstanceIdList",
                "instances",
                "Resources",
                "certInstanceIds",
                "certificate-instance-id",
                "casInstanceId",
            )
        ),
        ("affected", ["cas_dv-cn-1", "cas_ov-cn-2"], Selection(instance_ids=("cas_dv-cn-1", "cas_ov-cn-2"))),
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
        ({"description": "[WARN] instanceId: i-cas-1"}, SCAN),
        ({"certificate": {"instanceId": "cas_dv-cn-1"}}, Selection(instance_ids=("cas_dv-cn-1",))),
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


@pytest.mark.parametrize(
    ("arn", "named"),
    [
        (ARN, Selection(instance_ids=(INSTANCE,))),
        (f"acs:yundun-cert:cn-hangzhou:123456789012:instance/{INSTANCE}", Selection(instance_ids=(INSTANCE,))),
        ("acs:cas::123456789012:instance/cas_dv-cn-1", Selection(instance_ids=("cas_dv-cn-1",))),
        ("acs:CAS:cn-hangzhou:123456789012:cert-instance/cas_dv-cn-1", Selection(instance_ids=("cas_dv-cn-1",))),
        ("acs:cas:cn-hangzhou:123456789012:cas_dv-cn-1", Selection(instance_ids=("cas_dv-cn-1",))),
        (
            "acs:yundun-cert:cn-hangzhou:123456789012:instance/cas_dv-cn-1/certificate/7",
            Selection(certificate_ids=("7",), instance_ids=("cas_dv-cn-1",)),
        ),
        (f"acs:cas:cn-hangzhou:123456789012:order/{OLD}", Selection(order_ids=(OLD,))),
        (f"acs:cas::123456789012:Order/{OLD}", Selection(order_ids=(OLD,))),
        ("acs:cas:cn-hangzhou:123456789012:certificate/7", Selection(certificate_ids=("7",))),
        ("acs:cas:cn-hangzhou:123456789012:cert/7", Selection(certificate_ids=("7",))),
        ("acs:cas:cn-hangzhou:123456789012:instance/other", SCAN),
        ("acs:cas:cn-hangzhou:123456789012:order/*", SCAN),
        ("acs:ecs:cn-hangzhou:123456789012:instance/cas_dv-cn-1", SCAN),
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


@pytest.mark.parametrize(("opens", "closes"), [("[", "]"), ('{"x": ', "}")])
def test_an_event_is_understood_however_deeply_it_is_nested_or_refused_for_it(opens, closes):
    seen: set[object] = set()
    for depth in (1, 100, *range(800, 1200, 7), 3_000, 10_000):
        content = '{"orderId": ' + opens * depth + '{"orderId": 1}' + closes * depth + "}"
        event = '{"product": "CAS", "name": "expiry", "content": ' + content + "}"
        try:
            seen.add(command_in(event.encode(), EXPIRY_EVENTS).what)
        except EventRefused as refused:
            assert "refused at event: it is nested too deeply" in str(refused)  # noqa: PT017 (which depths is Python's)
            seen.add(None)
    assert seen == {Renew(Selection(order_ids=("1",))), None}


V2_IDS = st.from_regex(r"cas(_(dv|ov|ev))?-(cn|sg)-[a-z0-9]{1,20}", fullmatch=True)
INSTANCE_KEYS = ("instanceId", "InstanceId", "instance_ids", "resource-id", "resourceIds", "instances", "Resources")
WAYS = (
    list,
    ", ".join,
    json.dumps,
    lambda ids: [{"value": one} for one in ids],
    lambda ids: [f"acs:cas:cn-hangzhou:123456789012:instance/{one}" for one in ids],
    lambda ids: ",".join(f"acs:yundun-cert::123456789012:instance/{one}" for one in ids),
)


@PROPERTY
@given(
    st.lists(V2_IDS, min_size=1, max_size=4),
    st.sampled_from(INSTANCE_KEYS),
    st.sampled_from(WAYS),
    st.lists(st.sampled_from(["rows", "detail", "x", "text"]), max_size=3),
    st.booleans(),
)
def test_v2_instances_are_found_in_every_envelope_however_they_are_written(ids, key, written, around, has_more):
    content = {key: written(ids)}
    for name in around:
        content = {name: json.dumps(content) if name == "text" else [content]}
    named = Selection(certificate_ids=("7",) if has_more else (), instance_ids=tuple(dict.fromkeys(ids)))
    if has_more:
        content |= {"certificateId": 7, "domain": DOMAIN}
    assert selection(system_event(content)) == named
    assert selection(system_event(json.dumps(content))) == named
    assert selection(subscription(content)) == named
    assert selection(subscription(eventRawContent=json.dumps(content))) == named
    assert selection(subscription(meta={"sysEventMeta": content})) == named
    assert selection(cloud_event(content)) == named
    assert selection(cloud_event(json.dumps({"content": content}))) == named
    assert selection(threshold_alarm(resources=json.dumps(content))) == named
