"""A list of CAS in pages, which need not hold still, be whole or be right."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

from tests.stubs.cas_api import invalid, positive

_Item = TypeVar("_Item")


class Listing:
    """What is odd about one list: smaller pages, a wrong total, rows twice, rows of nothing, rows with odd fields.

    `size` is what a page has that nobody asked a size for; to ask for more than `maximum` is an error, where there
    is a documented one.
    """

    settings: ClassVar = ("page_limit", "total_off_by", "oldest_first", "last_page_again")

    def __init__(self, rows: str, total: str = "TotalCount", size: int = 10, maximum: int | None = 100) -> None:
        self.page_limit = maximum or 100
        """How many rows a page has at most, whatever was asked for; the answer's ShowSize tells."""
        self.total_off_by = 0
        """What the total is too high by."""
        self.oldest_first = False
        self.last_page_again = False
        """Whether what is beyond the last page is the last page again; else it is empty."""
        self.twice: set[str] = set()
        """The ids whose row comes twice, one right after the other. The total counts both."""
        self._rows, self._total, self._size, self._maximum = rows, total, size, maximum
        self._extra: list[tuple[Any, int]] = []
        self._odd: dict[str, tuple[list[str], dict[str, Any]]] = {}

    def odd_row(self, row_id: int | str, *absent: str, **fields: Any) -> None:
        """List a row without some fields and with other values in others; with neither, as it is again."""
        if absent or fields:
            self._odd[str(row_id)] = (list(absent), fields)
        else:
            del self._odd[str(row_id)]

    def add_raw_row(self, row: Any, place: int = 0) -> None:
        """List any JSON value as a row, 0 being the first; a place behind the end is the end. The total counts it."""
        self._extra.append((row, place))

    def altered(self, row_id: object, row: dict[str, Any]) -> dict[str, Any]:
        """A row as `odd_row` wants it."""
        absent, fields = self._odd.get(str(row_id), ((), {}))
        return {name: value for name, value in (row | fields).items() if name not in absent}

    def page(
        self,
        params: Mapping[str, str],
        items: Sequence[_Item],
        key: Callable[[_Item], object],
        row: Callable[[_Item], dict[str, Any]],
    ) -> dict[str, Any]:
        """The page that the parameters ask for, of all that matches them, newest first."""
        number = positive(params, "CurrentPage", default=1)
        asked = positive(params, "ShowSize", default=self._size)
        if self._maximum and asked > self._maximum:
            raise invalid("ShowSize")
        size = min(asked, self.page_limit)
        rows_of = number if not self.last_page_again else min(number, max(1, -(-len(items) // size)))
        shown = slice((rows_of - 1) * size, rows_of * size)
        in_order = items[::-1] if self.oldest_first else items
        if self.twice or self._extra:
            listed = self._as_listed(in_order, key, row)
            total, rows = len(listed), [listed_row() for listed_row in listed[shown]]
        else:
            total, rows = len(items), [self._row(item, key, row) for item in in_order[shown]]
        total = max(0, total + self.total_off_by)
        return {self._total: total, "CurrentPage": number, "ShowSize": size, self._rows: rows}

    def to_json(self) -> dict[str, Any]:
        """The oddities as a JSON object."""
        return {
            "settings": {name: getattr(self, name) for name in self.settings},
            "twice": sorted(self.twice),
            "extra": [list(extra) for extra in self._extra],
            "odd": [[row_id, *odd] for row_id, odd in self._odd.items()],
        }

    def from_json(self, state: Mapping[str, Any]) -> None:
        """Replace the oddities by what `to_json` gave."""
        for name, value in state["settings"].items():
            setattr(self, name, value)
        self.twice = set(state["twice"])
        self._extra = [(row, place) for row, place in state["extra"]]
        self._odd = {row_id: (absent, fields) for row_id, absent, fields in state["odd"]}

    def _as_listed(
        self, items: Sequence[_Item], key: Callable[[_Item], object], row: Callable[[_Item], dict[str, Any]]
    ) -> list[Callable[[], Any]]:
        listed: list[Callable[[], Any]] = [
            lambda item=item: self._row(item, key, row)  # type: ignore[misc]
            for item in items
            for _ in range(1 + (str(key(item)) in self.twice))
        ]
        for extra, place in self._extra:
            listed.insert(place, lambda extra=extra: extra)  # type: ignore[misc]
        return listed

    def _row(
        self, item: _Item, key: Callable[[_Item], object], row: Callable[[_Item], dict[str, Any]]
    ) -> dict[str, Any]:
        return self.altered(key(item), row(item))
