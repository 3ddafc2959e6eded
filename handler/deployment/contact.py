"""Somebody whom CAS notifies of a deployment job: `ListContact` (CAS API 2020-04-07). Pure.

Nothing but the id is read: names, addresses and numbers are nobody's business here.
"""

from collections.abc import Mapping
from typing import NamedTuple

from handler.certificates.ids import id_in
from handler.certificates.rows import SHOWN


class Contact(NamedTuple):
    """One contact."""

    id: str


def contact_in(row: object) -> Contact | str:
    """Return the contact of a row, or what can be shown of a row without an id: never a name or an address."""
    if not isinstance(row, Mapping):
        return type(row).__name__
    contact_id = id_in(row.get("ContactId"))
    return Contact(contact_id) if contact_id else f"ContactId {row.get('ContactId')!r}"[:SHOWN]
