"""Notes of what was issued and replaces another certificate, `open/replaced-<pair>`: kept until nothing is left to do.

They lie among the notes of open work, so that the one list of these finds them. What becomes of the job is in the log
of the new certificate (`course`); the note says what replaces what, from before anybody is notified that it is issued.
"""

import json
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from handler.certificates.renewable import Kind, Renewable
from handler.errors import JournalUnreadable
from handler.journal.fields import json_object, text
from handler.journal.open_notes import REPLACED
from handler.journal.store import Store
from handler.runtime.clock import from_rfc3339, rfc3339

_TIDIED_AFTER = timedelta(days=400)
"""Versions that know no such notes take them for notes of finished work, and leave them alone until then."""

_TEXTS = ("new_id", "domain", "product_code", "instance_id")


class Replacement(NamedTuple):
    """One certificate in the place of another."""

    id: str
    """Of the renewed order, or of the instance."""
    new: Renewable
    """What the new certificate is of: the new order, or the instance; `ends` is the new certificate's."""
    since: datetime
    """When it was seen to be issued."""
    old_instance: str = ""
    """The `InstanceId` in CAS of the renewed order."""
    old_ends: datetime | None = None
    old_id: str = ""
    """Of the certificate that is replaced; of an order empty until it is found out."""
    new_id: str = ""
    """Of the new certificate; as `old_id`."""
    deploys: bool = False
    """Whether it was to be deployed when it was noted: `DEPLOY_TO` is about what is issued from then on."""

    @property
    def key(self) -> str:
        """The key of its note."""
        successor = self.new.id if self.new.kind is Kind.ORDER else self.new_id
        return f"{REPLACED}{self.id}-{successor}"


class Replacements:
    """The notes of all replacements."""

    def __init__(self, store: Store) -> None:
        """`store`: that of the journal."""
        self._store = store

    def put(self, one: Replacement) -> None:
        """Write a note, over what was there. Raises JournalUnavailable."""
        of = one.new
        body: dict[str, Any] = {
            # For versions that know no such notes: see `_TIDIED_AFTER`.
            "orders": [],
            "deadline": rfc3339(one.since + _TIDIED_AFTER),
            "kind": of.kind.value,
            "id": one.id,
            "since": rfc3339(one.since),
            "new_id": of.id,
            "domain": of.domain,
            "product_code": of.product,
            "instance_id": of.instance,
            "cert_end": rfc3339(of.ends) if of.ends else None,
            "replaced_instance_id": one.old_instance,
            "replaced_cert_end": rfc3339(one.old_ends) if one.old_ends else None,
            "replaced_certificate_id": one.old_id,
            "certificate_id": one.new_id,
            "deploys": one.deploys,
        }
        self._store.put(one.key, json.dumps(body, separators=(",", ":")).encode())

    def read(self, key: str) -> Replacement | None:
        """Read a note; None if it is gone. Raises JournalUnavailable, or JournalUnreadable if it makes no sense."""
        body = self._store.get(key)
        if body is None:
            return None
        facts = json_object(body)
        try:
            id_, domain, product, instance = (text(facts[name]) for name in _TEXTS)
            new = Renewable(Kind(facts["kind"]), id_, domain, product, instance, _moment(facts["cert_end"]))
            return Replacement(
                text(facts["id"]),
                new,
                from_rfc3339(facts["since"]),
                text(facts["replaced_instance_id"]),
                _moment(facts["replaced_cert_end"]),
                text(facts["replaced_certificate_id"]),
                text(facts["certificate_id"]),
                facts.get("deploys") is True,
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            msg = f"{key} is not a note of this program"
            raise JournalUnreadable(msg) from None

    def drop(self, one: Replacement) -> None:
        """Remove a note: nothing is left to do. Raises JournalUnavailable."""
        self._store.delete(one.key)


def _moment(value: object) -> datetime | None:
    return None if value is None else from_rfc3339(text(value))
