"""What needs a person: the first section of the report's page, with what to do about it."""

import json
from datetime import datetime

from handler.report.data import Need, Report, ReportLine
from handler.report.markup import both, clipped, count_of, day_of, domain_of, safe
from handler.report.words import (
    AND_MORE,
    DAY_LEFT,
    DAYS_LEFT,
    END_UNKNOWN,
    ENDS,
    EXPIRED,
    HOURS_LEFT,
    NEEDED,
    NEEDS,
    NEW_ORDER_IS,
    NOT_SHOWN,
    NOTHING_NEEDED,
    ORDER,
    REASONS,
    RELEASE,
    RESOLVE,
    RESOLVE_OTHER,
    Words,
)

MOST_ITEMS = 40
"""How many orders a group of what needs a person names one by one."""
MOST_CANDIDATES = 5


def needs_section(report: Report, lines: list[ReportLine]) -> str:
    """Return the section; `lines` are those of the report, the soonest first."""
    groups: dict[Need, list[ReportLine]] = {}
    for line in lines:
        if line.need is not None:
            groups.setdefault(line.need, []).append(line)
    if not groups:
        return f"<section class=needs>{_hidden_heading(NEEDED)}{both(NOTHING_NEEDED, 'p class=quiet')}</section>\n"
    # The group with the most urgent order comes first, since its orders come soonest first; then the gravest.
    gravity = list(NEEDS)
    by_urgency = sorted(groups, key=lambda need: (_day_or_later(groups[need][0]), gravity.index(need)))
    count = sum(map(len, groups.values()))
    parts = "".join(_group(report, need, groups[need]) for need in by_urgency)
    return f"<section class=needs>{both(NEEDED, 'h2', count_of(count))}{parts}</section>\n"


def _day_or_later(line: ReportLine) -> str:
    return day_of(line.renewable.ends) if line.renewable.ends else "later"


def _hidden_heading(words: Words) -> str:
    return both(words, "h2 class=hide")


def _group(report: Report, need: Need, lines: list[ReportLine]) -> str:
    headline, how = NEEDS[need]
    items = "".join(_item(report, line) for line in lines[:MOST_ITEMS])
    rest = len(lines) - MOST_ITEMS
    more = f"<li class=more>{both(AND_MORE.format(rest))}</li>" if rest > 0 else ""
    title = both(headline, "h3", count_of(len(lines)) if len(lines) > 1 else "")
    return f"<article class=need>{title}{both(how, 'p')}<ul>{items}{more}</ul></article>\n"


def _item(report: Report, line: ReportLine) -> str:
    facts = [both(ORDER.format(line.renewable.id)), safe(line.renewable.product)]
    if line.renewable.ends:
        facts.append(both(ENDS.format(day_of(line.renewable.ends))))
    if line.successor_id:
        facts.append(f"<strong>{both(NEW_ORDER_IS.format(line.successor_id))}</strong>")
    if line.reason:
        means = REASONS.get(line.reason)
        facts.append((both(means) + " " if means else "") + f"<code>{safe(clipped(line.reason))}</code>")
    listed = "".join(f"<span>{fact}</span>" for fact in facts if fact)
    events = _events(line) if line.need is Need.SETTLE else ""
    return (
        f"<li class=item><div class=left>{_days(line, report.written_at)}</div>"
        f"<div><div class=domain>{domain_of(line)}</div><div class=facts>{listed}</div>{events}</div></li>\n"
    )


def _days(line: ReportLine, at: datetime) -> str:
    left = line.days_left(at)
    if left is None or line.renewable.ends is None:
        return both(END_UNKNOWN)
    if line.renewable.ends <= at:
        return f"<b class=late>{both(EXPIRED)}</b>"
    if left == 0:
        return f"<b>0</b>{both(HOURS_LEFT)}"
    return f"<b>{left:,}</b>{both(DAY_LEFT if left == 1 else DAYS_LEFT)}"


def _events(line: ReportLine) -> str:
    """Return what to invoke the function with, once a person knows what happened."""
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
    return f"<code>{safe(json.dumps({what: values}))}</code>"
