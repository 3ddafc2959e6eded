"""From the bytes of an event to a command: which trigger sent it, and so what it asks for.

The triggers are recognised in this order: the timer (`timer`), CloudMonitor by its envelopes (`envelopes`, then
`cloudmonitor`), a person (`manual`). Whatever is none of them is refused.
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

from handler.command import Command
from handler.errors import EventRefused
from handler.triggers.cloudmonitor import asked_by_cloudmonitor
from handler.triggers.envelopes import open_envelope
from handler.triggers.manual import asked_by_hand
from handler.triggers.timer import asked_by_timer, is_timer
from handler.triggers.values import json_in, kind_of


def command_in(event: bytes, expiry_events: Sequence[str]) -> Command:
    """Return the command that an event is.

    `expiry_events`: patterns of the event and rule names that speak of an expiring certificate (`EXPIRY_EVENTS`).
    Raises EventRefused, naming the place in the event and what is allowed there.
    """
    document = _document(event)
    if is_timer(document):
        return Command("timer", asked_by_timer(document))
    try:
        notice = open_envelope(document)
        if notice is not None:
            return Command("cloudmonitor", asked_by_cloudmonitor(document, notice, expiry_events))
    except RecursionError:
        raise EventRefused("event", "it is nested too deeply") from None
    return Command("manual", asked_by_hand(document, "event"))


def _document(event: bytes) -> dict[str, Any]:
    try:
        text = event.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise EventRefused(f"byte {error.start}", f"0x{event[error.start]:02x} is not UTF-8") from None
    if not text.strip():
        raise EventRefused("event", "it is empty; expected a JSON object")
    form = _form(text)
    document = form if form is not None else json_in(text, "event")
    if not isinstance(document, dict):
        raise EventRefused("event", f"expected a JSON object, got {kind_of(document)}")
    return document


def _form(text: str) -> dict[str, Any] | None:
    """Read a webhook sent as a form: its fields, or None if the text is no such form."""
    if text.lstrip()[:1] in {"{", "["} or "alert=" not in text:
        return None
    fields = parse_qsl(text.strip(), keep_blank_values=True)
    form = dict(fields)
    if len(form) < len(fields):
        raise EventRefused("event", "a field of the form stands twice")
    return form
