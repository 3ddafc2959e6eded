"""Events, and what is asked by them: for the tests of the triggers."""

import json
from pathlib import Path
from typing import Any

import pytest

from handler.command import Command, Nothing, Renew, Selection
from handler.errors import EventRefused
from handler.triggers.events import command_in
from tests import examples

EVENTS = Path(__file__).resolve().parents[2] / "events"
EXPIRY_EVENTS = examples.settings().expiry_events
SCAN = Selection()
INSTANCE = "cas-cn-example01"
V2_INSTANCE = "cas_dv-cn-due00001"
"""The instance that the samples name."""
ARN = f"acs:cas:cn-hangzhou:123456789012:instance/{INSTANCE}"


def sample(name: str) -> dict[str, Any]:
    """One of the samples in `events/`."""
    document: dict[str, Any] = json.loads((EVENTS / name).read_text("utf-8"))
    return document


def asked(event: object) -> Command:
    """The command in an event: its bytes, its text, or what becomes its JSON."""
    raw = event if isinstance(event, bytes) else (event if isinstance(event, str) else json.dumps(event)).encode()
    return command_in(raw, EXPIRY_EVENTS)


def refusal(event: object) -> str:
    """What is said of an event that is refused."""
    with pytest.raises(EventRefused) as refused:
        asked(event)
    return str(refused.value)


def selection(document: object) -> Selection:
    """What an event of CloudMonitor selects, and it asks for nothing else."""
    command = asked(document)
    assert command.trigger == "cloudmonitor"
    assert isinstance(command.what, Renew)
    assert command.what == Renew(command.what.selection)
    return command.what.selection


def nothing(document: object) -> str:
    """Why an event of CloudMonitor asks for nothing."""
    command = asked(document)
    assert command.trigger == "cloudmonitor"
    assert isinstance(command.what, Nothing)
    return command.what.why


def timer(**more: Any) -> dict[str, Any]:
    return {"triggerTime": "2026-11-21T03:00:00Z", "triggerName": "daily", **more}


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
