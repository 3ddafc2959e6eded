"""The lists of CAS, read page by page: they need not hold still, and what they say of themselves need not be right."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

from handler.errors import CasOutcomeUnknown
from handler.outcomes import ListFault

READINGS = 3
"""So often at most a list is read that was not tidy."""

_LONGEST_COUNT = 18
"""In digits; Python itself reads no number of some thousands."""


class _Named(Protocol):
    @property
    def id(self) -> str: ...


_Item = TypeVar("_Item", bound=_Named)


class Reading(Generic[_Item]):
    """All rows of a list, read once."""

    def __init__(self, rows: Sequence[_Item | str], totals: set[int]) -> None:
        """`rows`: as they came; a text is what can be shown of a row without an id. `totals`: of all pages."""
        self.rows = rows
        self.items = [row for row in rows if not isinstance(row, str)]
        self.nameless = [row for row in rows if isinstance(row, str)]
        self.total_agrees = totals == {len(rows)}
        """Whether the total was the number of rows on every page."""
        self.is_short = max(totals, default=0) > len(rows)
        """Whether some page said that there are more rows than came."""

    @property
    def listed(self) -> list[str]:
        """The ids as they came, repetitions included; of a row without one, its text."""
        return [row if isinstance(row, str) else row.id for row in self.rows]

    @property
    def is_tidy(self) -> bool:
        """Whether the total agrees and no id came twice, as it does when a row moves behind a page that was read."""
        return self.total_agrees and len({item.id for item in self.items}) == len(self.items)


class CasList(Generic[_Item]):
    """One list of CAS, whichever operation reads it."""

    def __init__(
        self,
        what: str,
        ask: Callable[[dict[str, str]], dict[str, Any]],
        key: str,
        item_in: Callable[[object], _Item | str],
        size: int,
        total: str = "TotalCount",
    ) -> None:
        """`what` is listed, for a person. `ask`: gets `CurrentPage` and `ShowSize` and returns the answer.

        `key`: under which the answer has its rows. `item_in`: reads a row; of one that has no id it returns a text to
        show. `size`: how many rows a page is asked for. `total`: under which the answer says how many rows there are
        in all.
        """
        self._what = what
        self._ask = ask
        self._key = key
        self._item_in = item_in
        self._size = size
        self._total = total

    def read(self) -> Reading[_Item]:
        """Read all pages once. Raises CasError; CasOutcomeUnknown also if an answer is no list, or no other page.

        The total alone ends nothing, since it may be wrong; and a list of any length ends with an empty page.
        """
        rows: list[_Item | str] = []
        totals: set[int] = set()
        before: list[Any] = []
        for number in itertools.count(1):
            found, total, size = self._page(number, self._size)
            if found and found == before:
                if len(rows) >= total:
                    break  # beyond the last page some services answer the last one again
                said = f"page {number} of the {self._what} is page {number - 1} again"
                raise CasOutcomeUnknown(ListFault.LIST_NOT_PAGED, said)
            rows += map(self._item_in, found)
            totals.add(total)
            if not found or (len(found) < size and len(rows) >= total):
                break
            before = found
        return Reading(rows, totals)

    def read_tidily(self) -> tuple[tuple[_Item, ...], tuple[str, ...]]:
        """Read until a reading is tidy, `READINGS` times at most. Returns what has an id, and the texts of the others.

        What any of the readings showed is in it. A list that changes while it is read can hide a row, and a
        certificate whose successor slipped past would be told as one that nothing will replace; one that has been
        deleted meanwhile and is still spoken of does less harm. Of each id the row that was read last counts.

        Two readings that are the same, row by row, end it too: then nothing moves, and the total is simply wrong.
        """
        items: dict[str, _Item] = {}
        nameless: dict[str, None] = {}
        before: list[str] | None = None
        for _ in range(READINGS):
            reading = self.read()
            items.update((item.id, item) for item in reading.items)
            nameless.update(dict.fromkeys(reading.nameless))
            if reading.is_tidy or reading.listed == before:
                break
            before = reading.listed
        return tuple(items.values()), tuple(nameless)

    def read_whole(self) -> tuple[tuple[_Item, ...], tuple[str, ...]]:
        """Read until two readings are the same, row by row, `READINGS` times at most. Returns as `read_tidily` does.

        For what must not be missed: a job that is made already, or a place where a certificate is bound. What the list
        says of its length counts for nothing, since it may be wrong for good. Raises CasError; CasOutcomeUnknown also
        if the list moved all the time.
        """
        before: list[str] | None = None
        for _ in range(READINGS):
            reading = self.read()
            if reading.listed == before:
                return tuple({item.id: item for item in reading.items}.values()), tuple(dict.fromkeys(reading.nameless))
            before = reading.listed
        said = f"the {self._what} were not the same in any two of {READINGS} readings"
        raise CasOutcomeUnknown(ListFault.LIST_CHANGING, said)

    def probe(self) -> None:
        """Ask for one row, to see whether that works. Raises CasError."""
        self._page(1, 1)

    def _page(self, number: int, size: int) -> tuple[list[Any], int, int]:
        """Return the rows of a page, the total, and how many rows a full page has, which may be less than asked for."""
        answer = self._ask({"CurrentPage": str(number), "ShowSize": str(size)})
        rows, total, shown = (answer.get(name) for name in (self._key, self._total, "ShowSize"))
        if not isinstance(rows, list) or not _is_count(total):
            lacks = self._total if isinstance(rows, list) else self._key
            said = f"CAS answered page {number} of the {self._what} without {lacks}"
            raise CasOutcomeUnknown(ListFault.NO_LIST, said)
        full = int(shown or 0) if _is_count(shown) else 0
        return rows, int(total or 0), min(size, full) if full else size


def _is_count(value: object) -> bool:
    if isinstance(value, str):
        return value.isascii() and value.isdigit() and len(value) <= _LONGEST_COUNT
    return type(value) is int and value >= 0
