"""The shapes in which CloudMonitor tells of an event, all opened into one `Notice`.

A new envelope is a function here and its name in `ENVELOPES`. What a notice names is found by `names`, wherever it
stands in the body.
"""

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from handler.triggers.values import object_in, object_or_none

_OVER = frozenset({"resolved", "recovered", "ok", "alertok"})


class Notice(NamedTuple):
    """What an envelope held."""

    titles: tuple[str, ...]
    """Every name under which the event or its rule goes; the first is shown to people."""
    states: tuple[str, ...]
    """What the envelope says of the alarm's state, such as TRIGGERED or OK."""
    body: dict[str, Any]
    """Where ids and domains are looked for; JSON strings in it have been opened."""

    @property
    def title(self) -> str:
        """The name to show; at most 100 characters."""
        return next(iter(self.titles), "without a name")[:100]

    @property
    def is_over(self) -> bool:
        """Whether the alarm is over, so that nothing needs to be done."""
        return any(state.lower() in _OVER for state in self.states)

    def is_about_expiry(self, patterns: Sequence[str]) -> bool:
        """Tell whether one of its names matches one of the patterns, in any case."""
        return any(fnmatchcase(title.lower(), pattern.lower()) for title in self.titles for pattern in patterns)


def system_event(document: dict[str, Any]) -> Notice | None:
    """Open a raw CloudMonitor system event; `content` is an object or a JSON string."""
    if not {"product", "name", "content"} <= set(document):
        return None
    body = {**document, "content": object_in(document["content"], "content")}
    return Notice(_texts(document, "name", "ruleName", "eventType"), _texts(document, "status"), body)


def subscription(document: dict[str, Any]) -> Notice | None:
    """Open the webhook of an event subscription; sent as a form, its inner objects are JSON strings."""
    if "alert" not in document:
        return None
    alert = object_in(document["alert"], "alert")
    meta = object_in(alert.get("meta", {}), "alert.meta")
    event = object_in(meta.get("sysEventMeta", {}), "alert.meta.sysEventMeta")
    taken = {"eventContentMap", "eventRawContent", "meta", "arn"}
    body = {
        "content": object_in(alert.get("eventContentMap", {}), "alert.eventContentMap"),
        "raw": alert.get("eventRawContent"),
        "arn": alert.get("arn"),
        "meta": {**meta, "sysEventMeta": event},
        "alert": {key: value for key, value in alert.items() if key not in taken},
        "event": {key: value for key, value in document.items() if key != "alert"},
    }
    titles = _texts(alert, "eventName") + _texts(event, "name") + _texts(document, "strategyName")
    return Notice(titles, _texts(alert, "alertStatus"), body)


def cloud_event(document: dict[str, Any]) -> Notice | None:
    """Open an EventBridge event (CloudEvents 1.0). Its times come in several formats and are not read."""
    if not {"specversion", "type", "source"} <= set(document):
        return None
    data = object_or_none(document.get("data"), "data") or {}
    body = {**document, "data": data or document.get("data")}
    titles = _texts(document, "type") + _texts(data, "name", "eventName", "ruleName")
    return Notice(titles, _texts(data, "alertStatus", "status", "curLevel"), body)


def threshold_alarm(document: dict[str, Any]) -> Notice | None:
    """Open a threshold alarm as it comes through SMQ; `dimensions` and `resources` are JSON strings."""
    if "ruleName" not in document or not {"curLevel", "preLevel", "metricName"} & set(document):
        return None
    titles = _texts(document, "ruleName", "metricName", "eventName", "eventType")
    return Notice(titles, _texts(document, "curLevel", "eventName"), document)


ENVELOPES: tuple[Callable[[dict[str, Any]], Notice | None], ...] = (
    cloud_event,
    subscription,
    threshold_alarm,
    system_event,
)


def open_envelope(document: dict[str, Any]) -> Notice | None:
    """Open whichever envelope this is; None if it is none of them.

    Raises EventRefused where an inner object is neither an object nor the JSON text of one.
    """
    return next((notice for open_one in ENVELOPES if (notice := open_one(document)) is not None), None)


def _texts(document: dict[str, Any], *keys: str) -> tuple[str, ...]:
    return tuple(value for key in keys if isinstance(value := document.get(key), str) and value)
