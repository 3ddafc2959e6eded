"""The journals: one log for each renewal, `orders/<id>` or `instances/<id>`, that grows by compare-and-append.

What the other folders of the store hold, the modules of their names say: `open_notes`, `days`, `named_successors`,
`alerts`.
"""

import json
import secrets
from collections.abc import Collection
from datetime import datetime
from typing import Any

from handler.certificates.renewable import Kind
from handler.errors import JournalUnavailable, JournalUnreadable
from handler.journal.entries import Entry, Held
from handler.journal.entry_kinds import KIND_OF, entry_in
from handler.journal.fold import after
from handler.journal.renewal import Renewal
from handler.journal.states import State
from handler.journal.store import Store
from handler.outcomes import Reason
from handler.runtime.clock import SKEW, rfc3339


class Journal:
    """The journals of all renewals, over any store."""

    def __init__(self, store: Store, run: str) -> None:
        """`run`: the request id; goes into every entry."""
        self._store = store
        self._run = run

    def read(self, id_: str) -> Renewal:
        """Read the journal of one order or instance.

        Raises JournalUnavailable, or JournalUnreadable for an entry that makes no sense.
        """
        kind = kind_of(id_)
        log = self._store.read_log(_key(kind, id_))
        renewal = Renewal(id_, kind=kind)
        for line in log.entries:
            renewal = after(renewal, entry_in(line, kind, id_))
        return renewal._replace(position=log.position)

    def read_or_hold(self, id_: str) -> Renewal:
        """Read a journal; if that fails or it makes no sense, it is as good as held, and the others go on."""
        try:
            return self.read(id_)
        except JournalUnreadable:
            return Renewal(id_, state=State.HELD, kind=kind_of(id_), hold=Held(Reason.JOURNAL_UNREADABLE))
        except JournalUnavailable as failure:
            held = Held(Reason.JOURNAL_UNAVAILABLE)
            return Renewal(id_, state=State.HELD, kind=kind_of(id_), hold=held, trouble=str(failure))

    def record(self, renewal: Renewal, entry: Entry, now: datetime) -> Renewal:
        """Add an entry, and return the renewal as it then is.

        Raises JournalConflict if another run has added one meanwhile, JournalUnavailable if it cannot be added, and
        JournalUnreadable if it makes no sense there.
        """
        kind = KIND_OF[type(entry)]
        line = journal_line(kind.name, kind.write(entry), self._run, now)
        then = after(renewal, entry_in(line, renewal.kind, renewal.id))
        return then._replace(position=self._store.append(_key(renewal.kind, renewal.id), renewal.position, line))

    def touched_since(self, moment: datetime, but: Collection[str] = ()) -> list[Renewal]:
        """Read every journal touched since `moment` (by the storage's clock), `but` for some orders.

        Lists the names of all journals, so it is only for the rare case that a lost answer has a candidate, or that
        orders have come into being since it was lost.
        """
        names = [(found.key.removeprefix("orders/"), found.modified) for found in self._store.find("orders/")]
        wanted = [name for name, at in names if name.isdigit() and at >= moment - SKEW and name not in but]
        return [self.read_or_hold(name) for name in wanted]


def kind_of(id_: str) -> Kind:
    """Tell what an id is of: that of an instance has letters, such as `cas_dv-cn-example01`."""
    return Kind.ORDER if id_.isdigit() else Kind.INSTANCE


def _key(kind: Kind, id_: str) -> str:
    return f"{kind.value}s/{id_}"


def journal_line(name: str, fields: dict[str, Any], run: str, now: datetime) -> bytes:
    """Write an entry of any log: what it is, when and by which run it was written, and its own fields."""
    # The random id makes an entry unique: see `Store.append`.
    entry = {"entry": name, "at": rfc3339(now), "run": run, "id": secrets.token_hex(8), **fields}
    return json.dumps(entry, separators=(",", ":"), ensure_ascii=True).encode()
