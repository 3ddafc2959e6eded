"""Manual events: what a person, or the payload of a timer, may ask for.

A new manual event is a key in `_ALONE` and what it means in `_alone`; a new way to select is a key in `_SELECTORS`.
Either must be known to `timer` and `plain_notes`, too, or a timer that asks so would scan instead.
"""

from typing import Any

from handler.certificates.csr import Csr, read_csr
from handler.certificates.renewable import Kind
from handler.command import Check, Release, Renew, Resolve, Selection
from handler.errors import EventRefused
from handler.triggers.values import domain_at, flag_at, id_at, instance_id_at, kind_of, require_true

_SELECTORS = ("order_ids", "instance_ids", "domains", "scan", "OrderId")
"""Keys that select what may be renewed."""
_ALONE = ("check", "resolve", "release")
"""Keys that ask for something else; nothing may stand beside them."""
_KEYS = (*_SELECTORS, *_ALONE, "dry_run", "csr", "Csr")
ONLY_MANUAL = (*_ALONE, "scan", "csr", "Csr")
"""Keys that have no meaning in what other triggers send; the rest may stand there and names something."""
_READ = {"order_ids": id_at, "instance_ids": instance_id_at, "domains": domain_at}
"""How the entries of a list are read, by its key, which is the selection's word for them, too."""
_EXPECTED = (
    'expected {"order_ids": […]}, {"instance_ids": […]}, {"domains": […]} or {"scan": true}, each with "dry_run" if '
    'you like; {"OrderId": …, "Csr": …}; {"check": true}; {"resolve": {"order_id", "new_order_id"}}; '
    '{"release": {"order_id"}} or {"release": {"instance_id"}}'
)


def asked_by_hand(document: dict[str, Any], where: str) -> Renew | Check | Resolve | Release:
    """Return what a manual event asks for; `where` is its place: `event`, or the `payload` of a timer.

    Raises EventRefused for unknown and contradictory keys and for values that are not what they must be.
    """
    unknown = set(document) - {*_KEYS}
    if unknown:
        raise EventRefused(where, f"unknown key {min(unknown)[:80]!r}; {_EXPECTED}")
    asked = [key for key in (*_SELECTORS, *_ALONE) if key in document]
    if not asked:
        raise EventRefused(where, f"it asks for nothing; {_EXPECTED}")
    if len(asked) > 1:
        raise EventRefused(where, f"{asked[0]!r} and {asked[1]!r} contradict each other; {_EXPECTED}")
    if asked[0] in _ALONE:
        return _alone(document, asked[0], where)
    dry_run = flag_at(document.get("dry_run", False), f"{where}.dry_run")
    selection = _selection(document, asked[0], where)
    return Renew(selection, _csr(document, selection, where), dry_run)


def _selection(document: dict[str, Any], selector: str, where: str) -> Selection:
    place, value = f"{where}.{selector}", document[selector]
    if selector == "scan":
        require_true(value, place)
        return Selection()
    if selector == "OrderId":
        return Selection(order_ids=(id_at(value, place),))
    if not isinstance(value, list) or not value:
        raise EventRefused(place, f"expected a list with at least one entry, got {kind_of(value)}")
    read = _READ[selector]
    entries = tuple(dict.fromkeys(read(entry, f"{place}[{i}]") for i, entry in enumerate(value)))
    return Selection()._replace(**{selector: entries})


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


def _alone(document: dict[str, Any], key: str, where: str) -> Check | Resolve | Release:
    others = set(document) - {key}
    if others:
        raise EventRefused(where, f"{key!r} stands alone, but here is {min(others)!r} too")
    place, value = f"{where}.{key}", document[key]
    if key == "check":
        require_true(value, place)
        return Check()
    return _resolve(value, place) if key == "resolve" else _release(value, place)


def _resolve(value: object, place: str) -> Resolve:
    fields = ("order_id", "new_order_id")
    if not isinstance(value, dict) or set(value) != set(fields):
        raise EventRefused(place, f"expected an object with {' and '.join(fields)}")
    old, new = (id_at(value[field], f"{place}.{field}") for field in fields)
    if old == new:
        raise EventRefused(f"{place}.new_order_id", f"order {old} cannot be its own successor")
    return Resolve(old, new)


def _release(value: object, place: str) -> Release:
    if isinstance(value, dict) and set(value) == {"order_id"}:
        return Release(id_at(value["order_id"], f"{place}.order_id"), Kind.ORDER)
    if isinstance(value, dict) and set(value) == {"instance_id"}:
        return Release(instance_id_at(value["instance_id"], f"{place}.instance_id"), Kind.INSTANCE)
    raise EventRefused(place, "expected an object with either order_id or instance_id, and nothing else")
