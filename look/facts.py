"""What an account told that the documentation leaves open, without a name, an id or a domain. Pure.

Every key is ours, or a documented field or word; every value is a count, a number of days, or one of our own words. See
`look.words` for what may be said of a value.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from alibabacloud_cas20200407 import models

from handler.certificates.ids import id_in
from look.facts_of_kinds import certificates, instances, orders
from look.survey import Reading, Survey
from look.words import ABSENT, FIELDS_OF_WORDS, UNDOCUMENTED, code, filling, id_shape, prefix, time_shape, word

VERSION = 1
FAR = 1_000
"""A total that is wrong by more is simply wrong."""

_ROW_MODELS = {
    "ListUserCertificateOrder": models.ListUserCertificateOrderResponseBodyCertificateOrderList,
    "ListInstances": models.ListInstancesResponseBodyInstanceList,
    "ListCertificates": models.ListCertificatesResponseBodyCertificateList,
}
_TIMES = frozenset(
    {
        *("BuyDate", "CertStartTime", "CertEndTime", "NotBefore", "NotAfter", "CertificateNotBefore"),
        *("CertificateNotAfter", "CertificateRevokeTime", "InstanceStartTime", "InstanceEndTime"),
        *("OrderStartTime", "OrderEndTime"),
    }
)
_IDS = frozenset({"OrderId", "CertificateId"})
_STATES = {"CPACK": "Status", "BUY": "Status", "ListInstances": "Status", "ListCertificates": "CertificateStatus"}
"""By which field the rows of a list are told apart; those of the others have no state."""


def facts(survey: Survey, site: str) -> dict[str, Any]:
    """Return the facts, as JSON has them. `site`: which endpoint was asked, in a word."""
    return {
        "facts": VERSION,
        "api": "CAS 2020-04-07",
        "site": site,
        "day": f"{survey.at:%Y-%m-%d}",
        "lists": {name: _list(reading) for name, reading in survey.lists.items()},
        "orders": orders(survey),
        "instances": instances(survey),
        "certificates": certificates(survey),
        "operations": _operations(survey),
        "rate": {
            "calls": dict(survey.calls),
            "throttled": [
                {"operation": action, "code": code(said), "times": times}
                for (action, said), times in sorted(survey.throttled.items())
            ],
            "told_how_long_to_wait": survey.waits_told,
            "most_calls_in_a_second": survey.most_in_a_second,
        },
        "private_keys_in_answers": {action: times for action, times in survey.keys_seen.items() if times},
    }


def left_out(survey: Survey) -> Counter[tuple[str, str, str]]:
    """Return what the documentation does not have and the facts leave out: list, field and value.

    For the eyes of whoever looks at his own account: any of it may be a name.
    """
    found = Counter[tuple[str, str, str]]()
    for name, reading in survey.lists.items():
        for row in reading.rows:
            for field in FIELDS_OF_WORDS:
                if field in row and word(field, row[field]) == UNDOCUMENTED:
                    found[name, field, repr(row[field])] += 1
            found.update((name, "a field", repr(field)) for field in row.keys() - _documented(reading))
    return found


def _list(reading: Reading) -> dict[str, Any]:
    if reading.error is not None and not reading.pages:
        return {"error": code(reading.error.code)}
    ids = [str(row.get(reading.of.id)) for row in reading.rows if reading.of.id in row]
    found: dict[str, Any] = {
        "rows": len(reading.raw),
        "pages": len(reading.pages),
        "rows_in_a_page": {"asked": reading.of.size, "most": max(len(_rows(page, reading)) for page in reading.pages)},
        "ShowSize": _counted(_show_size(page, reading.of.size) for page in reading.pages),
        "TotalCount": _total(reading),
        "beyond_the_last_page": reading.end,
        "rows_that_came_twice": len(ids) - len(set(ids)),
        "rows_without_an_id": len(reading.raw) - len(ids),
        "by_state": _by_state(reading),
    }
    unknown = Counter(field for row in reading.rows for field in row.keys() - _documented(reading))
    if unknown:
        found["undocumented_fields"] = len(unknown)
    if reading.error is not None:
        found["error"] = code(reading.error.code)
    return found


def _total(reading: Reading) -> dict[str, Any]:
    """Return whether the total is the number of rows."""
    totals = [page.get("TotalCount", ABSENT) for page in reading.pages]
    numbers = {int(found) for found in map(id_in, totals) if found} | {0 for total in totals if total in (0, "0")}
    rows = len(reading.raw)
    says: dict[str, Any] = {"written_as": _counted(_number_shape(total) for total in totals)}
    if not numbers:
        return says | {"agrees": None}
    return says | {
        "agrees": numbers == {rows},
        "too_high_by": sorted({max(-FAR, min(number - rows, FAR)) for number in numbers}),
        "same_on_each_page": len(numbers) == 1,
    }


def _number_shape(value: Any) -> str:
    shape = filling(value)
    if shape in {"absent", "null", "empty"}:
        return shape
    return "number" if type(value) is int else "text" if isinstance(value, str) else "something else"


def _show_size(page: Mapping[str, Any], asked: int) -> str:
    size = page.get("ShowSize", ABSENT)
    if _number_shape(size) not in {"number", "text"}:
        return _number_shape(size)
    if str(size) == str(asked):
        return "as asked"
    return "smaller" if str(size).isdigit() and int(str(size)[:9]) < asked else "something else"


def _by_state(reading: Reading) -> dict[str, Any]:
    """Return how the documented fields are filled, by the state of the row."""
    state = _STATES.get(reading.of.name)
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in reading.rows:
        groups.setdefault(word(state, row.get(state, ABSENT)) if state else "any", []).append(row)
    # What no row of the list has is left out, but for the domain: whether it is there is the question.
    fields = [name for name in sorted(_documented(reading)) if _is_shown(name, reading)]
    return {
        name: {"rows": len(rows), "fields": {field: _filled(field, rows) for field in fields}}
        for name, rows in sorted(groups.items())
    }


def _is_shown(field: str, reading: Reading) -> bool:
    return field == "Domain" or any(field in row for row in reading.rows)


def _filled(field: str, rows: Iterable[Mapping[str, Any]]) -> Any:
    """Return what the values of a field look like: one word if all are alike, else how many of each."""
    look = _look_of(field)
    return _counted(look(row.get(field, ABSENT)) for row in rows)


def _look_of(field: str) -> Any:
    if field in _TIMES:
        return time_shape
    if field in _IDS:
        return id_shape
    if field == "InstanceId":
        return prefix
    return (lambda value: word(field, value)) if field in FIELDS_OF_WORDS else filling


def _counted(words: Iterable[str]) -> Any:
    counted = Counter(words)
    return next(iter(counted), "absent") if len(counted) <= 1 else dict(sorted(counted.items()))


def _documented(reading: Reading) -> frozenset[str]:
    """Return the fields of a row that the SDK knows."""
    return _FIELDS[reading.of.action]


def _rows(page: Mapping[str, Any], reading: Reading) -> list[Any]:
    rows = page.get(reading.of.rows)
    return rows if isinstance(rows, list) else []


def _operations(survey: Survey) -> dict[str, Any]:
    """Return which operations of those that are asked one by one answered, and with which code others did not."""
    answered: dict[str, Counter[str]] = {}
    for single in survey.singles:
        said = code(single.error.code) if single.error else "answered"
        answered.setdefault(single.action, Counter())[said] += 1
    return {action: dict(sorted(said.items())) for action, said in answered.items()}


def _fields_of(model: Any) -> frozenset[str]:
    """Return the names that an SDK's model has in JSON: it writes what it has read."""
    arguments = {name: 0 for name in model().__dict__ if not name.startswith("_")}
    return frozenset(model(**arguments).to_map())


_FIELDS = {action: _fields_of(model) for action, model in _ROW_MODELS.items()}
