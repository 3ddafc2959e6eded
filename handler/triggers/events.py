"""From the bytes of an event to what it asks. Nothing here calls anything.

The kinds of event, in the order in which they are recognised: timer, the CloudMonitor envelopes
(`handler.triggers.envelopes`), manual. Whatever is none of them is refused.
"""

import json
import re
from collections.abc import Sequence
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from handler.certificates.csr import Csr, read_csr
from handler.certificates.domains import canonical, names_in
from handler.command import Check, Command, Nothing, Release, Renew, Resolve, Selection
from handler.errors import EventRefused
from handler.orders.row import order_id_in
from handler.triggers import envelopes
from handler.triggers.plain_notes import instruction_in, visible

_MAX_DOMAIN = 253


def understand(event: bytes, expiry_events: Sequence[str]) -> Command:
    """Tell what an event asks for.

    `expiry_events`: patterns of the event and rule names that speak of an expiring certificate (`EXPIRY_EVENTS`).
    Raises EventRefused, naming the place in the event and what is allowed there.
    """
    document = _decode(event)
    if "triggerTime" in document and "triggerName" in document:
        return Command("timer", _timer(document))
    try:
        notice = envelopes.open_envelope(document)
        if notice is not None:
            _require_no_manual_key(document)
            return Command("cloudmonitor", _notice(notice, expiry_events))
    except RecursionError:
        raise EventRefused("event", "it is nested too deeply") from None
    return Command("manual", _manual(document, "event"))


def _decode(event: bytes) -> dict[str, Any]:
    try:
        text = event.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise EventRefused(f"byte {error.start}", f"0x{event[error.start]:02x} is not UTF-8") from None
    if not text.strip():
        raise EventRefused("event", "it is empty; expected a JSON object")
    form = _form(text)
    document = form if form is not None else _json(text, "event")
    if not isinstance(document, dict):
        raise EventRefused("event", f"expected a JSON object, got {_kind(document)}")
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


def _json(text: str, where: str) -> Any:
    def no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        for key, value in pairs:
            if key in seen:
                raise EventRefused(where, f"the key {key[:80]!r} stands twice in one object")
            seen[key] = value
        return seen

    def no_constant(name: str) -> NoReturn:
        raise EventRefused(where, f"{name} is not JSON")

    try:
        return json.loads(text, object_pairs_hook=no_duplicates, parse_constant=no_constant)
    except EventRefused:
        raise
    except json.JSONDecodeError as error:
        raise EventRefused(
            f"{where}, line {error.lineno} column {error.colno}", f"it is not JSON: {error.msg}"
        ) from None
    except (RecursionError, ValueError):
        raise EventRefused(where, "it is nested too deeply or has too long a number") from None


def _timer(document: dict[str, Any]) -> Renew | Nothing | Check | Resolve | Release:
    astray = [key for key in document if _WORDS_ASTRAY.fullmatch(re.sub("[^a-z]", "", key.lower()))]
    if astray:
        # Ignored, a "dry_run" would buy and a list of orders would be a scan.
        raise EventRefused("event", f"{astray[0][:80]!r} belongs into the payload of a timer event, not beside it")
    payload = document.get("payload")
    if payload is None:
        payload = ""
    if not isinstance(payload, str):
        raise EventRefused("payload", f"the platform sends a string, this is {_kind(payload)}")
    # A broken object is refused, and so is what may be meant as one: a scan would do more than was meant.
    if not payload.lstrip().startswith("{"):
        return _noted(payload)
    narrowed = _json(payload, "payload")
    if not set(narrowed) - {"dry_run"}:
        narrowed = {"scan": True, **narrowed}
    return _manual(narrowed, "payload")


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


def _notice(notice: envelopes.Notice, expiry_events: Sequence[str]) -> Renew | Nothing:
    if not notice.is_about_expiry(expiry_events):
        return Nothing(f"the event {notice.title!r} is not about an expiring certificate (see EXPIRY_EVENTS)")
    if notice.resolved:
        return Nothing(f"the alarm {notice.title!r} is over")
    named = envelopes.names_in(notice)
    said = [_said(value, path) for path, value in named.dry_run]
    return Renew(_named(named), dry_run=any(said))


def _named(named: envelopes.Names) -> Selection:
    # They all describe the same certificate, so only the most exact one is followed.
    if named.order_ids:
        ids = tuple(_id(value, path) for path, value in named.order_ids)
        return Selection(order_ids=tuple(dict.fromkeys(ids)))
    if named.certificate_ids:
        ids = tuple(_id(value, path) for path, value in named.certificate_ids)
        return Selection(certificate_ids=tuple(dict.fromkeys(ids)))
    if named.instance_ids:
        return Selection(instance_ids=tuple(dict.fromkeys(str(value) for _, value in named.instance_ids)))
    domains = tuple(_domain(value, path) for path, value in named.domains)
    if not domains and named.empty:
        raise EventRefused(named.empty[0], "it names nothing, and without a name the event would be a scan")
    return Selection(domains=tuple(dict.fromkeys(domains)))


def _said(value: object, where: str) -> bool:
    """Read a `dry_run` of an envelope: true or false, also as text, since forms and alarms know nothing else."""
    said = {"true": True, "false": False}.get(value.strip().lower()) if isinstance(value, str) else value
    if not isinstance(said, bool):
        raise EventRefused(where, f"expected true or false, got {_kind(value)}")
    return said


_SELECTORS = ("order_ids", "domains", "scan", "OrderId")
_SETTLERS = ("check", "resolve", "release")
_MANUAL_KEYS = (*_SELECTORS, *_SETTLERS, "dry_run", "csr", "Csr")
_WORDS_ASTRAY = re.compile(
    "(?:new|order|cert|certificate|instance)*ids?(?:list)?|domain(?:name)?s?(?:list)?|scan|check|resolve|release|dryrun|csr"
)
"""The same keys in any spelling, without what is no letter."""
_EXPECTED = (
    'expected {"order_ids": […]}, {"domains": […]} or {"scan": true}, each with "dry_run" if you like; '
    '{"OrderId": …, "Csr": …}; {"check": true}; {"resolve": {"order_id", "new_order_id"}} or {"release": {"order_id"}}'
)


def _require_no_manual_key(document: dict[str, Any]) -> None:
    """Refuse an envelope that asks like a manual event beside what it tells; what it names and `dry_run` are read."""
    astray = [key for key in (*_SETTLERS, "scan", "csr", "Csr") if key in document]
    if astray:
        raise EventRefused("event", f"{astray[0]!r} belongs into a manual event, not beside what CloudMonitor tells")


def _manual(document: dict[str, Any], where: str) -> Renew | Check | Resolve | Release:
    unknown = set(document) - {*_MANUAL_KEYS}
    if unknown:
        raise EventRefused(where, f"unknown key {min(unknown)[:80]!r}; {_EXPECTED}")
    asked = [key for key in (*_SELECTORS, *_SETTLERS) if key in document]
    if not asked:
        raise EventRefused(where, f"it asks for nothing; {_EXPECTED}")
    if len(asked) > 1:
        raise EventRefused(where, f"{asked[0]!r} and {asked[1]!r} contradict each other; {_EXPECTED}")
    if asked[0] in _SETTLERS:
        return _settler(document, asked[0], where)
    dry_run = document.get("dry_run", False)
    if not isinstance(dry_run, bool):
        raise EventRefused(f"{where}.dry_run", f"expected true or false, got {_kind(dry_run)}")
    selection = _selection(document, asked[0], where)
    return Renew(selection, _csr(document, selection, where), dry_run)


def _selection(document: dict[str, Any], selector: str, where: str) -> Selection:
    place, value = f"{where}.{selector}", document[selector]
    if selector == "scan":
        _require_true(value, place)
        return Selection()
    if selector == "OrderId":
        return Selection(order_ids=(_id(value, place),))
    if not isinstance(value, list) or not value:
        raise EventRefused(place, f"expected a list with at least one entry, got {_kind(value)}")
    read = _id if selector == "order_ids" else _domain
    entries = tuple(dict.fromkeys(read(entry, f"{place}[{i}]") for i, entry in enumerate(value)))
    return Selection(order_ids=entries) if selector == "order_ids" else Selection(domains=entries)


def _csr(document: dict[str, Any], selection: Selection, where: str) -> Csr | None:
    keys = [key for key in ("csr", "Csr") if key in document]
    if not keys:
        return None
    if len(keys) > 1:
        raise EventRefused(where, "'csr' and 'Csr' contradict each other")
    place = f"{where}.{keys[0]}"
    if len(selection.order_ids) + len(selection.domains) != 1:
        raise EventRefused(place, "a CSR goes with exactly one order")
    csr = read_csr(document[keys[0]], place)
    for domain in selection.domains:
        csr.require_domain(domain, place)
    return csr


def _settler(document: dict[str, Any], key: str, where: str) -> Check | Resolve | Release:
    others = set(document) - {key}
    if others:
        raise EventRefused(where, f"{key!r} stands alone, but here is {min(others)!r} too")
    place, value = f"{where}.{key}", document[key]
    if key == "check":
        _require_true(value, place)
        return Check()
    fields = ("order_id", "new_order_id") if key == "resolve" else ("order_id",)
    if not isinstance(value, dict) or set(value) != set(fields):
        raise EventRefused(place, f"expected an object with {' and '.join(fields)}")
    ids = [_id(value[field], f"{place}.{field}") for field in fields]
    if key == "release":
        return Release(*ids)
    if ids[0] == ids[1]:
        raise EventRefused(f"{place}.new_order_id", f"order {ids[0]} cannot be its own successor")
    return Resolve(*ids)


def _require_true(value: object, where: str) -> None:
    if value is not True:
        raise EventRefused(where, f"only true is allowed, got {_kind(value)}")


def _id(value: object, where: str) -> str:
    """Read an order or certificate id: a positive integer of 64 bits, as a number or as a string of digits."""
    found = order_id_in(value)
    if found is None:
        shown = repr(value)[:80] if isinstance(value, (str, int, float)) else _kind(value)
        raise EventRefused(where, f"expected an id, a positive integer or its digits, got {shown}")
    return found


def _domain(value: object, where: str) -> str:
    name = canonical(value) if isinstance(value, str) and len(value) <= _MAX_DOMAIN else ""
    if not name or names_in(str(value)) != (name,) or not name.isprintable():
        raise EventRefused(where, f"expected a domain name such as www.example.com, got {_kind(value)}")
    return name


def _kind(value: object) -> str:
    """Name a JSON value without quoting it: it may be long or private."""
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}
    size = f" of {len(value)}" if isinstance(value, (dict, list, str)) else ""
    return names.get(type(value), "a number") + size
