"""Reading a row that CAS shows, field by field: what makes no sense costs its own row at most. Pure."""

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from handler.certificates.domains import canonical, is_name, names_in
from handler.certificates.ids import id_in

YEARS = range(2000, 2200)
"""Moments outside of these years are nonsense, and nobody could add a day to some of them."""
SHOWN = 80
"""So much is shown of a row that has no id."""
_MILLISECONDS_FROM = 10**11
"""A moment above this is in milliseconds, else it is in seconds: CAS documents both for the same field."""
_ABSENT = ("", 0, "0")


class Row:
    """One row of a list, and which of its fields made no sense so far."""

    def __init__(self, row: Mapping[Any, Any]) -> None:
        """`row`: JSON, as it came."""
        self._row = row
        self._odd: list[str] = []

    @property
    def odd(self) -> tuple[str, ...]:
        """The fields that were asked for and made no sense."""
        return tuple(self._odd)

    def text(self, name: str) -> str:
        """Return a text; what is absent or no text is empty."""
        value = self._row.get(name)
        if isinstance(value, str):
            return value
        if value is not None:
            self._odd.append(name)
        return ""

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts; what is absent or no such list is empty."""
        value = self._row.get(name)
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return tuple(value)
        if value is not None and value != "":
            self._odd.append(name)
        return ()

    def id(self, name: str) -> str:
        """Return an id that is a whole number, in digits; what is absent or none is empty."""
        value = self._row.get(name)
        found = id_in(value)
        if found is None and value is not None and value not in _ABSENT:
            self._odd.append(name)
        return found or ""

    def milliseconds(self, name: str) -> datetime | None:
        """Return a moment that is given in milliseconds since 1970; absent, 0 and empty are none."""
        return self._moment(name, lambda value: value / 1000)

    def moment(self, name: str) -> datetime | None:
        """Return a moment that is given in seconds or in milliseconds since 1970; absent, 0 and empty are none."""
        return self._moment(name, lambda value: value / 1000 if value > _MILLISECONDS_FROM else float(value))

    def _moment(self, name: str, seconds: Any) -> datetime | None:
        value = self._row.get(name)
        if value is None or value in _ABSENT:
            return None
        try:
            if isinstance(value, bool):
                raise TypeError
            moment = datetime.fromtimestamp(seconds(int(value)), timezone.utc)
            if moment.year in YEARS:
                return moment
        except (TypeError, ValueError, OverflowError, OSError):
            pass
        self._odd.append(name)
        return None


def domain_in(fields: Row) -> str:
    """Return all names that a certificate is good for, in one text; the common name alone if CAS shows no others.

    Nobody says whether `Domain` has all of them. A certificate that is taken for one of fewer names would be replaced
    by one that lacks the others, and nobody would be told.
    """
    text = fields.text("Domain")
    named = names_in(text)
    others = [name for name in fields.texts("SubjectAlternativeNames") if canonical(name) not in named]
    return ",".join(filter(None, [text, *filter(is_name, map(canonical, others))])) or fields.text("CommonName")
