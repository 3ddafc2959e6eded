"""How single values stand in the JSON of the journal."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from handler.runtime.clock import from_rfc3339, rfc3339


class Field(NamedTuple):
    """One field of an entry."""

    write: Callable[[Any], Any]
    read: Callable[[Any], Any]
    default: Any = ...
    """For entries of older versions that lack the field; without one, it must be there."""


def text(value: object) -> str:
    """Return a text. Raises TypeError for anything else."""
    if isinstance(value, str):
        return value
    msg = f"{value!r:.80} is no text"
    raise TypeError(msg)


def texts(value: object) -> tuple[str, ...]:
    """Return a list of texts. Raises TypeError for anything else."""
    if isinstance(value, list):
        return tuple(map(text, value))
    msg = f"{value!r:.80} is no list"
    raise TypeError(msg)


def loose(default: str = "") -> Field:
    """Return a field for a text that nothing is decided by: what is no text is read as one."""
    return Field(str, lambda value: str(value or default), default)


TEXT = Field(str, text)
TEXT_OR_NONE = Field(lambda value: value, lambda value: None if value is None else text(value))
IDS = Field(sorted, texts)
MOMENT = Field(rfc3339, from_rfc3339)
FLAG = Field(bool, bool)


def json_object(text: bytes) -> dict[str, Any]:
    """Read a JSON object; anything else comes back as an empty one."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
