"""What makes a kind of journal entry whole: its name, its class, the states that it may follow, and its JSON."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from handler.certificates.renewable import Kind
from handler.journal.fields import Field
from handler.journal.states import State

Facts = Mapping[str, Any]
"""The fields of an entry as they stand in its JSON, with those of every entry: `entry`, `at`, `run` and `id`."""


class EntryKind(NamedTuple):
    """One kind of entry, whole."""

    name: str
    """What stands under `entry`."""
    type: type[Any]
    follows: frozenset[State]
    """The states that it may follow."""
    write: Callable[[Any], dict[str, Any]]
    """From the entry to its own fields."""
    read: Callable[[Facts, Kind, str], Any]
    """From the fields, in the journal of that kind and id, to the entry. KeyError, TypeError, ValueError or
    AttributeError for what makes no sense."""


def kind_of_fields(name: str, type_: type[Any], follows: Collection[State], **fields: Field) -> EntryKind:
    """Return a kind whose fields in JSON, in this order, are those of its class."""

    def write(entry: tuple[Any, ...]) -> dict[str, Any]:
        return {key: field.write(value) for (key, field), value in zip(fields.items(), entry, strict=True)}

    def read(facts: Facts, _kind: Kind, _id: str) -> Any:
        lacks = [key for key, field in fields.items() if field.default is ... and key not in facts]
        if lacks:
            raise KeyError(lacks[0])
        return type_(*(field.read(facts.get(key, field.default)) for key, field in fields.items()))

    return EntryKind(name, type_, frozenset(follows), write, read)
