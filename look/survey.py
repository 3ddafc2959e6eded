"""What the account is asked beyond a run, to find out what the documentation leaves open. Only reads."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from handler.certificates.renewable import Kind
from handler.cloud.cas_client import READ_ATTEMPTS
from handler.errors import CasError, CasMisconfigured, CasRefused, CasThrottled
from handler.runtime.clock import Clock

MOST_PAGES = 500
"""Of a list: whoever has more is told enough by these."""
MOST_DETAILS = 10
"""So many instances are looked at one by one, some of each state."""
_FIRST_WAIT = 0.5
_LONGEST_WAIT = 10.0

Read = Callable[[str, Mapping[str, str]], dict[str, Any]]


class ListOf(NamedTuple):
    """A list of CAS."""

    name: str
    action: str
    query: Mapping[str, str]
    rows: str
    """The key under which an answer has them."""
    size: int
    """How many a page is asked for."""
    id: str
    """The field that tells a row from the others."""
    kind: Kind | None
    """What the function reads it for; None for what it does not read."""


_USER = "ListUserCertificateOrder", "CertificateOrderList"
LISTS = (
    ListOf("CPACK", _USER[0], {"OrderType": "CPACK"}, _USER[1], 50, "OrderId", Kind.ORDER),
    ListOf("BUY", _USER[0], {"OrderType": "BUY"}, _USER[1], 50, "OrderId", Kind.ORDER),
    ListOf("CERT", _USER[0], {"OrderType": "CERT"}, _USER[1], 50, "CertificateId", None),
    ListOf("UPLOAD", _USER[0], {"OrderType": "UPLOAD"}, _USER[1], 50, "CertificateId", None),
    ListOf("ListInstances", "ListInstances", {}, "InstanceList", 100, "InstanceId", Kind.INSTANCE),
    ListOf("ListCertificates", "ListCertificates", {}, "CertificateList", 100, "CertificateId", Kind.CERTIFICATE),
)


class Reading(NamedTuple):
    """A list, as it was read."""

    of: ListOf
    pages: tuple[dict[str, Any], ...]
    """The answers that had rows, and the first in any case."""
    end: str
    """What came after the last page: empty, the last page again, or why no more was read."""
    error: CasError | None = None

    @property
    def raw(self) -> list[Any]:
        """All rows as they came."""
        return [row for page in self.pages for row in _rows(page, self.of.rows)]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows that are objects."""
        return [row for row in self.raw if isinstance(row, dict)]


class Single(NamedTuple):
    """A question about one instance, or about all of them."""

    action: str
    row: Mapping[str, Any]
    """The instance's row in the list."""
    answer: dict[str, Any]
    """Empty if there was an error."""
    error: CasError | None = None


class Survey(NamedTuple):
    """All that the account was asked."""

    at: datetime
    lists: dict[str, Reading]
    singles: tuple[Single, ...]
    calls: Counter[str]
    """Answered or not, by operation, repetitions included."""
    throttled: Counter[tuple[str, str]]
    """By operation and code."""
    waits_told: int
    """How often CAS said how long to wait."""
    most_in_a_second: int
    keys_seen: Counter[str]
    """Answers with a private key in them, by operation."""


class Surveyor:
    """Asks, repeats what was throttled or got no answer, and remembers how it went."""

    def __init__(self, read: Read, clock: Clock) -> None:
        """`read` calls an operation once; see `ReadOnlyCas.read`."""
        self._read = read
        self._clock = clock
        self._times: list[datetime] = []
        self._calls = Counter[str]()
        self._throttled = Counter[tuple[str, str]]()
        self._keys_seen = Counter[str]()
        self._waits_told = 0

    def survey(self, watch: Iterable[Kind]) -> Survey:
        """Ask for all lists of what is watched, and for some instances one by one."""
        watched = {None, *watch}
        lists = {of.name: self._list(of) for of in LISTS if of.kind in watched}
        instances = lists.get("ListInstances")
        singles = tuple(self._singles(instances.rows)) if instances and not instances.error else ()
        return Survey(
            at=self._clock.now(),
            lists=lists,
            singles=singles,
            calls=self._calls,
            throttled=self._throttled,
            waits_told=self._waits_told,
            most_in_a_second=_most_in_a_second(self._times),
            keys_seen=self._keys_seen,
        )

    def _list(self, of: ListOf) -> Reading:
        pages: list[dict[str, Any]] = []
        for number in range(1, MOST_PAGES + 1):
            query = {**of.query, "CurrentPage": str(number), "ShowSize": str(of.size)}
            try:
                page = self._ask(of.action, query)
            except CasError as error:
                # Only beyond a first page that was answered is an error about that page alone.
                return Reading(of, tuple(pages), "refused", None if pages and _is_final(error) else error)
            rows = _rows(page, of.rows)
            if pages and rows == _rows(pages[-1], of.rows):
                return Reading(of, tuple(pages), "empty" if not rows else "the last page again")
            if not rows:
                return Reading(of, tuple(pages or [page]), "empty" if of.rows in page else "no list")
            pages.append(page)
        return Reading(of, tuple(pages), "not reached")

    def _singles(self, rows: list[dict[str, Any]]) -> Iterator[Single]:
        yield self._single("GetInstanceSummary", {}, {})
        for row in _some_of_each(rows):
            instance = {"InstanceId": str(row["InstanceId"])}
            yield self._single("GetInstanceDetail", row, instance)
            yield self._single(
                "GetTaskAttribute", row, {"TaskId": instance["InstanceId"], "TaskType": "ApplyCertificate"}
            )

    def _single(self, action: str, row: Mapping[str, Any], query: Mapping[str, str]) -> Single:
        try:
            return Single(action, row, self._ask(action, query))
        except CasError as error:
            return Single(action, row, {}, error)

    def _ask(self, action: str, query: Mapping[str, str]) -> dict[str, Any]:
        wait = _FIRST_WAIT
        for attempt in range(1, READ_ATTEMPTS + 1):
            self._calls[action] += 1
            try:
                answer = self._read(action, query)
            except CasError as error:
                self._times.append(self._clock.now())
                if isinstance(error, CasThrottled):
                    self._throttled[action, error.code] += 1
                    self._waits_told += error.retry_after is not None
                    wait = max(wait, error.retry_after or 0)
                if _is_final(error) or attempt == READ_ATTEMPTS:
                    raise
                self._clock.sleep(min(wait, _LONGEST_WAIT))
                wait *= 2
            else:
                self._times.append(self._clock.now())
                self._keys_seen[action] += "PRIVATE KEY-----" in repr(answer)
                return answer
        raise AssertionError  # the last attempt returns or raises


def _is_final(error: CasError) -> bool:
    return isinstance(error, (CasRefused, CasMisconfigured))


def _rows(page: Mapping[str, Any], key: str) -> list[Any]:
    rows = page.get(key)
    return rows if isinstance(rows, list) else []


def _some_of_each(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return some rows with an id: one of each state first, then another of each, and so on."""
    by_state: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        if isinstance(row.get("InstanceId"), str) and row["InstanceId"]:
            by_state.setdefault(repr((row.get("Status"), row.get("CertificateStatus"))), []).append(row)
    rounds = max(map(len, by_state.values()), default=0)
    mixed = (of_state[i] for i in range(rounds) for of_state in by_state.values() if i < len(of_state))
    return [row for row, _ in zip(mixed, range(MOST_DETAILS), strict=False)]


def _most_in_a_second(times: list[datetime]) -> int:
    most = first = 0
    for last, time in enumerate(times):
        while time - times[first] >= timedelta(seconds=1):
            first += 1
        most = max(most, last - first + 1)
    return most
