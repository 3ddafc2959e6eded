"""Reading JSON and the values in it: each is what it must be, or the event is refused at its place.

A place (`where`) is a path into the event such as `order_ids[1]`.
"""

import json
from typing import Any, NoReturn

from handler.certificates.domains import canonical, names_in
from handler.certificates.ids import id_in, instance_id_in
from handler.errors import EventRefused

_MAX_DOMAIN = 253
BEFORE_JSON = "\ufeff\u200b \t\r\n"
"""What may stand before JSON inside an envelope."""


def json_in(text: str, where: str) -> Any:
    """Read a text that must be JSON, in which no key stands twice. Raises EventRefused."""

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


def json_or_none(text: str, where: str) -> Any:
    """Read a text that may be JSON; None if it is not. Raises EventRefused if a key stands twice."""

    def no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise EventRefused(where, "a key stands twice in one object")
        return dict(pairs)

    try:
        return json.loads(text.lstrip(BEFORE_JSON), object_pairs_hook=no_duplicates)
    except EventRefused:
        raise
    except (ValueError, RecursionError):
        return None


def object_in(value: Any, where: str) -> dict[str, Any]:
    """Return an object, or the one that a text is. Raises EventRefused if it is neither."""
    opened = object_or_none(value, where)
    if opened is None:
        raise EventRefused(where, "expected a JSON object, or the text of one")
    return opened


def object_or_none(value: Any, where: str) -> dict[str, Any] | None:
    """Return an object, or the one that a text is; None if it is neither."""
    opened = json_or_none(value, where) if isinstance(value, str) else value
    return opened if isinstance(opened, dict) else None


def id_at(value: object, where: str) -> str:
    """Read an order or certificate id: a positive integer of 64 bits, as a number or as a string of digits."""
    found = id_in(value)
    if found is None:
        raise EventRefused(where, f"expected an id, a positive integer or its digits, got {_shown(value)}")
    return found


def instance_id_at(value: object, where: str) -> str:
    """Read an instance id, such as `cas_dv-cn-example01`."""
    found = instance_id_in(value)
    if found is None:
        allowed = "at most 128 letters, digits, _ . and -, a letter or digit first and not digits alone"
        raise EventRefused(
            where, f"expected an instance id such as cas_dv-cn-example01, {allowed}, got {_shown(value)}"
        )
    return found


def domain_at(value: object, where: str) -> str:
    """Read the text of exactly one domain name; returns it in its one spelling."""
    name = canonical(value) if isinstance(value, str) and len(value) <= _MAX_DOMAIN else ""
    if not name or names_in(str(value)) != (name,) or not name.isprintable():
        raise EventRefused(where, f"expected a domain name such as www.example.com, got {kind_of(value)}")
    return name


def flag_at(value: object, where: str) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise EventRefused(where, f"expected true or false, got {kind_of(value)}")
    return value


def require_true(value: object, where: str) -> None:
    """Refuse whatever is not true: the key alone says what is asked."""
    if value is not True:
        raise EventRefused(where, f"only true is allowed, got {kind_of(value)}")


def _shown(value: object) -> str:
    """Show a value that should be an id, if it is a plain one."""
    return repr(value)[:80] if isinstance(value, (str, int, float)) else kind_of(value)


def kind_of(value: object) -> str:
    """Name a JSON value without quoting it: it may be long or private."""
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}
    size = f" of {len(value)}" if isinstance(value, (dict, list, str)) else ""
    return names.get(type(value), "a number") + size
