"""What an account told of its orders, its instances and its certificates. Pure; see `look.facts`."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from handler.certificates.domains import names_in
from handler.certificates.ids import id_in
from look.survey import Survey
from look.words import ABSENT, filling, moment, prefix, region_of_identifier, word

Row = Mapping[str, Any]

_PENDING, _IN_FORCE = ("PAYED", "CHECKING"), ("ISSUED", "WILLEXPIRED")
"""Of an order. No sets, since what CAS shows need not be hashable."""
_LIFETIMES = {"up to 47 days": 47, "up to 100 days": 100, "up to 200 days": 200, "up to 400 days": 400}
_HALF_A_DAY = timedelta(hours=12)
"""A lifetime of 200 days is one of 199 days and 23:59:59, or of some hours more."""


class _Phase(NamedTuple):
    """How a list says that something is about to end."""

    state: str
    before: frozenset[str]
    """The states before that, in small letters."""
    during: frozenset[str]
    starts: str
    ends: str


_OF_ORDERS = _Phase("Status", frozenset({"issued"}), frozenset({"willexpired"}), "CertStartTime", "CertEndTime")
_OF_CERTIFICATES = _Phase(
    "CertificateStatus", frozenset({"issued"}), frozenset({"willexpire"}), "NotBefore", "NotAfter"
)
_OF_NEWEST = _OF_CERTIFICATES._replace(starts="CertificateNotBefore", ends="CertificateNotAfter")
_OF_SUBSCRIPTIONS = _Phase(
    "Status", frozenset({"normal"}), frozenset({"willexpire"}), "InstanceStartTime", "InstanceEndTime"
)


def orders(survey: Survey) -> dict[str, Any]:
    """Return what the V1 orders told."""
    by_type = {name: _rows(survey, name) for name in ("CPACK", "BUY")}
    rows = [row for of_type in by_type.values() for row in of_type]
    ids = {name: {id_in(row.get("OrderId")) for row in of_type} - {None} for name, of_type in by_type.items()}
    return {
        "in_use": {name: len(_rows(survey, name)) for name in ("CPACK", "BUY", "CERT", "UPLOAD")},
        "in_both_lists": len(ids["CPACK"] & ids["BUY"]),
        "WILLEXPIRED_begins": _threshold(rows, _OF_ORDERS, survey.at),
        "with_a_newer_order_for_the_same": _with_newer(by_type),
        "domain_while_pending": _counted(
            filling(row.get("Domain", ABSENT)) for row in rows if row.get("Status") in _PENDING
        ),
        "instance_ids_begin": _counted(prefix(row.get("InstanceId", ABSENT)) for row in rows),
    }


def instances(survey: Survey) -> dict[str, Any]:
    """Return what the V2 instances told."""
    rows = _rows(survey, "ListInstances")
    issued = [row for row in rows if id_in(row.get("CertificateId"))]
    newest = {str(id_in(row["CertificateId"])): row for row in issued}
    listed = {str(id_in(row.get("CertificateId"))): row for row in _rows(survey, "ListCertificates")}
    under_cert = {str(id_in(row.get("CertificateId"))) for row in _rows(survey, "CERT")}
    of_instance = Counter(str(row.get("InstanceId")) for row in listed.values())
    per_instance = Counter(of_instance[str(row.get("InstanceId"))] for row in rows)
    details = [single for single in survey.singles if single.action == "GetInstanceDetail" and not single.error]
    tasks = [single for single in survey.singles if single.action == "GetTaskAttribute" and not single.error]
    return {
        "certificate_willExpire_begins": _threshold(rows, _OF_NEWEST, survey.at),
        "subscription_willExpire_begins": _threshold(rows, _OF_SUBSCRIPTIONS, survey.at),
        "normal_without_a_certificate": sum(
            word("Status", row.get("Status", ABSENT)) == "normal" and row not in issued for row in rows
        ),
        "newest_certificate_is_in": {
            "ListCertificates": _yes_or_no(id_ in listed for id_ in newest),
            "ListUserCertificateOrder_CERT": _yes_or_no(id_ in under_cert for id_ in newest),
        },
        "certificates_per_instance": {str(count): times for count, times in sorted(per_instance.items())},
        "ends_in_both_lists": _ends(newest, listed),
        "domain_and_CertificateDomain": _counted(_same_names(row) for row in issued),
        "separators_of_domains": _counted(_separator(row.get("Domain")) for row in rows if row.get("Domain")),
        "identifiers_end": _counted(region_of_identifier(row.get("CertIdentifier", ABSENT)) for row in issued),
        "validation_records_by_state": _records(details),
        "upgrade_status": _counted(word("UpgradeStatus", one.answer.get("UpgradeStatus", ABSENT)) for one in details),
        "task_status": _counted(word("TaskStatus", one.answer.get("TaskStatus", ABSENT)) for one in tasks),
    }


def certificates(survey: Survey) -> dict[str, Any]:
    """Return what the list of all certificates told."""
    rows = _rows(survey, "ListCertificates")
    ids = {id_in(row.get("CertificateId")) for row in rows}
    of_instances = {row.get("InstanceId") for row in rows if isinstance(row.get("InstanceId"), str)}
    ordered = [
        row.get("InstanceId") in of_instances
        for name in ("CPACK", "BUY")
        for row in _rows(survey, name)
        if row.get("Status") in _IN_FORCE and isinstance(row.get("InstanceId"), str)
    ]
    return {
        "willExpire_begins": _threshold(rows, _OF_CERTIFICATES, survey.at),
        "instance_ids_begin": {
            source: _counted(prefix(row.get("InstanceId", ABSENT)) for row in of_source)
            for source, of_source in _by_source(rows).items()
        },
        "has_those_of_V1_orders": _yes_or_no(ordered),
        "has_uploads": _yes_or_no(id_in(row.get("CertificateId")) in ids for row in _rows(survey, "UPLOAD")),
        "uploads_are_under_CERT": _yes_or_no(
            id_in(row.get("CertificateId")) in {id_in(other.get("CertificateId")) for other in _rows(survey, "CERT")}
            for row in _rows(survey, "UPLOAD")
        ),
        "domain_and_SubjectAlternativeNames": _counted(map(_has_all_names, rows)),
        "separators_of_domains": _counted(_separator(row.get("Domain")) for row in rows if row.get("Domain")),
    }


def _rows(survey: Survey, name: str) -> list[dict[str, Any]]:
    return survey.lists[name].rows if name in survey.lists else []


def _counted(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(words).items()))


def _yes_or_no(answers: Iterable[bool]) -> dict[str, int]:
    return _counted("yes" if answer else "no" for answer in answers)


def _threshold(rows: Iterable[Row], phase: _Phase, now: datetime) -> dict[str, Any]:
    """Return how many days before the end the state changes: no later than the one, and later than the other.

    By lifetime, since it may be a share of that.
    """
    during: dict[str, list[float]] = {}
    before: dict[str, list[float]] = {}
    for row in rows:
        ends, state = moment(row, phase.ends), str(row.get(phase.state)).casefold()
        if ends is None or ends <= now:
            continue
        lifetime = _lifetime(moment(row, phase.starts), ends)
        if state in phase.during:
            during.setdefault(lifetime, []).append((ends - now) / timedelta(days=1))
        elif state in phase.before:
            before.setdefault(lifetime, []).append((ends - now) / timedelta(days=1))
    return {
        lifetime: {
            "days_left_at_most_while_expiring": _days(max(during.get(lifetime, ()), default=None)),
            "days_left_at_least_while_not": _days(min(before.get(lifetime, ()), default=None)),
        }
        for lifetime in sorted({*during, *before})
    }


def _days(days: float | None) -> float | None:
    return None if days is None else round(days, 1)


def _lifetime(starts: datetime | None, ends: datetime) -> str:
    if starts is None or starts >= ends:
        return "unknown lifetime"
    of = ends - starts - _HALF_A_DAY
    return next((name for name, days in _LIFETIMES.items() if of <= timedelta(days=days)), "longer")


def _with_newer(by_type: Mapping[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return, of orders in force with a newer one for the same product and domain, how both look, and how often."""
    found = Counter[tuple[str, str, str, str]]()
    every = [(name, row) for name, rows in by_type.items() for row in rows]
    by_what: dict[tuple[str, str], list[tuple[str, dict[str, Any]]]] = {}
    for name, row in every:
        if isinstance(row.get("Domain"), str) and row["Domain"] and isinstance(row.get("ProductCode"), str):
            by_what.setdefault((row["Domain"], row["ProductCode"]), []).append((name, row))
    for same in by_what.values():
        for name, row in same:
            bought = moment(row, "BuyDate")
            if bought is None or row.get("Status") not in _IN_FORCE:
                continue
            for other_name, other in same:
                if (moment(other, "BuyDate") or bought) > bought:
                    states = word("Status", row["Status"]), word("Status", other.get("Status", ABSENT))
                    found[name, states[0], other_name, states[1]] += 1
    return [
        {"order": f"{state} in {name}", "newer": f"{newer_state} in {newer_name}", "times": times}
        for (name, state, newer_name, newer_state), times in sorted(found.items())
    ]


def _ends(newest: Mapping[str, Row], listed: Mapping[str, Row]) -> dict[str, Any]:
    """Return whether both lists give a certificate the same end."""
    apart = list(_seconds_apart(newest, listed))
    return {"same": apart.count(0), "differ": len(apart) - apart.count(0), "seconds_at_most": max(apart, default=0)}


def _seconds_apart(newest: Mapping[str, Row], listed: Mapping[str, Row]) -> Iterator[int]:
    for id_, row in newest.items():
        one = moment(row, "CertificateNotAfter")
        other = moment(listed[id_], "NotAfter") if id_ in listed else None
        if one and other:
            yield round(abs((one - other).total_seconds()))


def _names(value: Any) -> set[str]:
    return set(names_in(value)) if isinstance(value, str) else set()


def _compared(one: set[str], other: set[str], words: tuple[str, str]) -> str:
    if not one or not other:
        return f"no names in {words[0] if not one else words[1]}"
    if one == other:
        return "the same names"
    return f"{words[0]} lacks some" if one < other else f"{words[1]} lacks some" if one > other else "others"


def _same_names(row: Row) -> str:
    return _compared(_names(row.get("Domain")), _names(row.get("CertificateDomain")), ("Domain", "CertificateDomain"))


def _has_all_names(row: Row) -> str:
    listed = row.get("SubjectAlternativeNames")
    others = {name for one in (listed if isinstance(listed, list) else ()) for name in _names(one)}
    return _compared(_names(row.get("Domain")), others, ("Domain", "SubjectAlternativeNames"))


def _separator(value: Any) -> str:
    if not isinstance(value, str):
        return "no text"
    found = [name for name, mark in {"comma": ",", "semicolon": ";", "space": " "}.items() if mark in value.strip()]
    return " and ".join(found) or "one name"


def _by_source(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(word("CertificateSource", row.get("CertificateSource", ABSENT)), []).append(row)
    return dict(sorted(found.items()))


def _records(details: Iterable[Any]) -> dict[str, dict[str, int]]:
    """Return what the validation list of an instance is, by the instance's state."""
    found: dict[str, Counter[str]] = {}
    for single in details:
        listed = single.answer.get("DomainValidationList", ABSENT)
        entries = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        kinds = [word("ValidationType", one.get("ValidationType", ABSENT)) for one in entries] or [filling(listed)]
        state = word("Status", single.answer.get("Status", ABSENT))
        found.setdefault(state, Counter()).update(kinds)
    return {state: dict(sorted(kinds.items())) for state, kinds in sorted(found.items())}
