"""What needs a person: the first section of the report's page, with what to do about it."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime

from handler.certificates.renewable import Kind
from handler.report.advice import (
    AND_MORE,
    DAY_AGO,
    DAY_LEFT,
    DAYS_AGO,
    DAYS_LEFT,
    END_UNKNOWN,
    ENDED_ON,
    ENDS,
    HOURS_AGO,
    HOURS_LEFT,
    IN_USE,
    LIMITS,
    LIMITS_MEAN,
    NEEDED,
    NEEDS,
    NEW_CERTIFICATE,
    NEW_ORDER,
    NOT_SHOWN,
    NOTHING_NEEDED,
    RECORD_FIELDS,
    RECORDS_NOT_SHOWN,
    RELEASE,
    RELEASE_INSTANCE,
    RESOLVE,
    RESOLVE_OTHER,
    STILL_BOUND_TO,
)
from handler.report.data import Need, Report, ReportLine
from handler.report.markup import both, clipped, count_of, day_of, domain_of, id_of, products_of, safe
from handler.report.reasons import REASONS
from handler.report.words import KINDS
from handler.result import Placing

MOST_ITEMS = 40
"""How many lines a group of what needs a person names one by one."""
MOST_CANDIDATES = 5
MOST_RECORDS = 5
MOST_OF_VALUE = 1000
"""Of a value that somebody is to paste: no authority asks for as much."""


def needs_section(report: Report, lines: list[ReportLine]) -> str:
    """Return the section; `lines` are those of the report, the soonest first."""
    groups: dict[Need, list[ReportLine]] = {}
    for line in lines:
        if line.need is not None:
            groups.setdefault(line.need, []).append(line)
    if not groups and not report.foresight:
        return (
            f"<section class=needs>{both(NEEDED, 'h2 class=hide')}{both(NOTHING_NEEDED, 'p class=quiet')}</section>\n"
        )
    # What has ended comes first, then what will be missed. Of the other groups the one with the most urgent line, since
    # its lines come soonest first; then the gravest.
    ended = _group(report, Need.ENDED, groups.pop(Need.ENDED)) if Need.ENDED in groups else ""
    gravity = list(NEEDS)
    by_urgency = sorted(groups, key=lambda need: (_day_or_later(groups[need][0]), gravity.index(need)))
    parts = "".join(_group(report, need, groups[need]) for need in by_urgency)
    count = sum(line.need is not None for line in lines)
    heading = both(NEEDED, "h2", count_of(count) if count else "")
    return f"<section class=needs>{heading}{ended}{_foresight(report)}{parts}</section>\n"


def _day_or_later(line: ReportLine) -> str:
    return day_of(line.renewable.ends) if line.renewable.ends else "later"


def _foresight(report: Report) -> str:
    if not report.foresight:
        return ""
    said = f"<p><code>{safe(clipped(report.foresight, MOST_OF_VALUE))}</code></p>"
    return f"<article class=need>{both(LIMITS, 'h3')}{both(LIMITS_MEAN, 'p')}{said}</article>\n"


def _group(report: Report, need: Need, lines: list[ReportLine]) -> str:
    headline, how = NEEDS[need]
    items = "".join(_item(report, line) for line in lines[:MOST_ITEMS])
    rest = len(lines) - MOST_ITEMS
    more = f"<li class=more>{both(AND_MORE.format(rest))}</li>" if rest > 0 else ""
    title = both(headline, "h3", count_of(len(lines)) if len(lines) > 1 else "")
    return f"<article class=need>{title}{both(how, 'p')}<ul>{items}{more}</ul></article>\n"


def _item(report: Report, line: ReportLine) -> str:
    listed = "".join(f"<span>{fact}</span>" for fact in _facts(report, line) if fact)
    events = _events(line) if line.need in {Need.SETTLE, Need.STUCK} else ""
    return (
        f"<li class=item><div class=left>{_days(line, report.written_at)}</div>"
        f"<div><div class=domain>{domain_of(line)}</div><div class=facts>{listed}</div>{_records(line)}{events}</div>"
        "</li>\n"
    )


def _facts(report: Report, line: ReportLine) -> Iterator[str]:
    of = line.renewable
    yield f"{both(KINDS[of.kind])} {id_of(of.id)}"
    yield safe(of.product)
    if of.ends:
        yield both((ENDED_ON if line.has_ended(report.written_at) else ENDS).format(day_of(of.ends)))
    if line.products:
        yield both(IN_USE, more=f" <strong>{products_of(line)}</strong>")
    if line.successor_id:
        new = NEW_ORDER if of.kind is Kind.ORDER else NEW_CERTIFICATE
        yield f"<strong>{both(new)} {id_of(line.successor_id)}</strong>"
    if line.placing is not None and line.placing.still_bound:
        yield both(STILL_BOUND_TO, more=f" <strong>{_places(line.placing)}</strong>")
    if line.reason:
        means = REASONS.get(line.reason)
        yield (both(means) + " " if means else "") + f"<code>{safe(clipped(line.reason))}</code>"


def _places(placing: Placing) -> str:
    """Return by product and domain what is bound to the old certificate, not more than a person reads."""
    listed = [f"{one['Product']} {one['Domain'] or one['Resource']}" for one in placing.still_bound]
    return safe(clipped(", ".join(dict.fromkeys(listed))))


def _days(line: ReportLine, at: datetime) -> str:
    left = line.days_left(at)
    if left is None:
        return both(END_UNKNOWN)
    if line.has_ended(at):
        ago = line.days_since(at)
        return f"<b class=late>{ago:,}</b>{both(DAY_AGO if ago == 1 else DAYS_AGO)}" if ago else both(HOURS_AGO)
    if left == 0:
        return f"<b>0</b>{both(HOURS_LEFT)}"
    return f"<b>{left:,}</b>{both(DAY_LEFT if left == 1 else DAYS_LEFT)}"


def _records(line: ReportLine) -> str:
    """Return what somebody must add, each part to be copied by itself."""
    if not line.records:
        return ""
    shown = "".join(f"<dl>{''.join(_record(record))}</dl>" for record in line.records[:MOST_RECORDS])
    rest = len(line.records) - MOST_RECORDS
    more = both(RECORDS_NOT_SHOWN.format(rest), "p") if rest > 0 else ""
    return f"<div class=records>{shown}{more}</div>"


def _record(record: Mapping[str, str]) -> Iterator[str]:
    for name, words in RECORD_FIELDS.items():
        if value := record.get(name):
            yield f"<dt>{both(words)}</dt><dd><code>{safe(clipped(value, MOST_OF_VALUE))}</code></dd>"


def _events(line: ReportLine) -> str:
    """Return what to invoke the function with, once a person knows what happened."""
    if line.renewable.kind is Kind.INSTANCE:
        release = both(RELEASE_INSTANCE) + _event("release", instance_id=line.renewable.id)
        return f"<div class=events><div>{release}</div></div>"
    lines = [
        both(RESOLVE.format(candidate)) + _event("resolve", order_id=line.renewable.id, new_order_id=candidate)
        for candidate in line.candidates[:MOST_CANDIDATES]
    ]
    if not line.candidates:
        lines.append(both(RESOLVE_OTHER) + _event("resolve", order_id=line.renewable.id, new_order_id="NEW_ORDER_ID"))
    if len(line.candidates) > MOST_CANDIDATES:
        lines.append(both(NOT_SHOWN.format(len(line.candidates) - MOST_CANDIDATES)))
    lines.append(both(RELEASE) + _event("release", order_id=line.renewable.id))
    return "<div class=events>" + "".join(f"<div>{line}</div>" for line in lines) + "</div>"


def _event(what: str, **values: str) -> str:
    """Return an event, in which no id is broken either."""
    inner = ", ".join(f"{safe(json.dumps(name))}: {id_of(json.dumps(value))}" for name, value in values.items())
    return f"<code>{{{safe(json.dumps(what))}: {{{inner}}}}}</code>"
