"""The timer of Function Compute: a scan, unless its payload narrows it."""

import re
from typing import Any

from handler.command import Check, Release, Renew, Resolve, Selection
from handler.errors import EventRefused
from handler.triggers.manual import asked_by_hand
from handler.triggers.plain_notes import instruction_in, visible
from handler.triggers.values import json_in, kind_of

_FOR_THE_PAYLOAD = re.compile(
    "(?:new|order|cert|certificate|instance)*ids?(?:list)?|domain(?:name)?s?(?:list)?|scan|check|resolve|release|dryrun|csr"
)
"""The keys of manual events in any spelling, without what is no letter."""


def is_timer(document: dict[str, Any]) -> bool:
    """Tell whether an event comes from a timer."""
    return "triggerTime" in document and "triggerName" in document


def asked_by_timer(document: dict[str, Any]) -> Renew | Check | Resolve | Release:
    """Return what a timer asks for: a scan, or what the JSON object in its payload asks for.

    A payload of plain words is a note for people. Raises EventRefused for one that may be meant to narrow the scan and
    does not, and for an instruction beside the payload.
    """
    astray = [key for key in document if _FOR_THE_PAYLOAD.fullmatch(re.sub("[^a-z]", "", key.lower()))]
    if astray:
        # Ignored, a "dry_run" would buy and a list of orders would be a scan.
        raise EventRefused("event", f"{astray[0][:80]!r} belongs into the payload of a timer event, not beside it")
    payload = document.get("payload")
    if payload is None:
        payload = ""
    if not isinstance(payload, str):
        raise EventRefused("payload", f"the platform sends a string, this is {kind_of(payload)}")
    # A broken object is refused, and so is what may be meant as one: a scan would do more than was meant.
    if not payload.lstrip().startswith("{"):
        return _noted(payload)
    narrowed = json_in(payload, "payload")
    if not set(narrowed) - {"dry_run"}:
        narrowed = {"scan": True, **narrowed}
    return asked_by_hand(narrowed, "payload")


def _noted(payload: str) -> Renew:
    """Take a payload for a note for people, if it is one."""
    if not visible(payload):
        return Renew(Selection())
    instruction = instruction_in(payload)
    if instruction:
        raise EventRefused(
            "payload",
            f"it is no JSON object, and {instruction} makes it look like an instruction, not like a note for people; "
            f'expected an object such as {{"dry_run": true}} with nothing before it, a note of plain words, or nothing',
        )
    return Renew(Selection(), note="the payload of the timer was taken for a note: it narrowed nothing")
