"""The envelopes of CloudMonitor: each opens, in all its variants."""

import json
from urllib.parse import urlencode

import pytest

from handler.command import Selection
from handler.triggers.envelopes import ENVELOPES, open_envelope
from handler.triggers.events import command_in
from handler.triggers.names import named_in
from tests.examples import DOMAIN, OLD
from tests.unit.sample_events import (
    ARN,
    EVENTS,
    EXPIRY_EVENTS,
    INSTANCE,
    SCAN,
    asked,
    cloud_event,
    refusal,
    sample,
    selection,
    subscription,
    system_event,
    threshold_alarm,
)


def test_every_envelope_has_a_sample_that_no_envelope_before_it_opens():
    documents = [sample(path.name) for path in sorted(EVENTS.glob("*.json"))]
    first = {next((one for one in ENVELOPES if one(document) is not None), None) for document in documents}
    assert first - {None} == set(ENVELOPES)


@pytest.mark.parametrize("name", ["cloudmonitor-system-event.json", "cloudmonitor-system-event-text.json"])
def test_the_content_of_a_system_event_is_an_object_or_the_text_of_one(name):
    notice = open_envelope(sample(name))
    assert notice is not None
    names = named_in(notice.body)
    assert names.certificate_ids == [("content.certificateId", "7654321")]
    assert names.domains == [("content.domain", DOMAIN)]
    assert names.instance_ids == [("resourceId", INSTANCE)]


def test_a_subscription_sent_as_a_form_means_what_it_means_as_json():
    webhook = sample("cloudmonitor-subscription.json")
    text = {key: value if isinstance(value, str) else json.dumps(value) for key, value in webhook.items()}
    form = urlencode(text).encode()
    assert command_in(form, EXPIRY_EVENTS) == asked(webhook) == asked(text)


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
