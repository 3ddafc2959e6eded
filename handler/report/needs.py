"""What needs a person: the first section of the report's page, with what to do about it."""

import json
from datetime import datetime

from handler.report.data import Need, Report, ReportOrder
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


def needs_section(report: Report, orders: list[ReportOrder]) -> str:
    """Return the section; `orders` are those of the report, the soonest first."""
    groups: dict[Need, list[ReportOrder]] = {}
    for order in orders:
        if order.need is not None:
            groups.setdefault(order.need, []).append(order)
    if not groups:
        return f"<section class=needs>{_hidden_heading(NEEDED)}{both(NOTHING_NEEDED, 'p class=quiet')}</section>\n"
    # The group with the most urgent order comes first, since its orders come soonest first; then the gravest.
    gravity = list(NEEDS)
    by_urgency = sorted(groups, key=lambda need: (_day_or_later(groups[need][0]), gravity.index(need)))
    count = sum(map(len, groups.values()))
    parts = "".join(_group(report, need, groups[need]) for need in by_urgency)
    return f"<section class=needs>{both(NEEDED, 'h2', count_of(count))}{parts}</section>\n"


def _day_or_later(order: ReportOrder) -> str:
    return day_of(order.cert_end) if order.cert_end else "later"


def _hidden_heading(words: Words) -> str:
    return both(words, "h2 class=hide")


def _group(report: Report, need: Need, orders: list[ReportOrder]) -> str:
    headline, how = NEEDS[need]
    items = "".join(_item(report, order) for order in orders[:MOST_ITEMS])
    rest = len(orders) - MOST_ITEMS
    more = f"<li class=more>{both(AND_MORE.format(rest))}</li>" if rest > 0 else ""
    title = both(headline, "h3", count_of(len(orders)) if len(orders) > 1 else "")
    return f"<article class=need>{title}{both(how, 'p')}<ul>{items}{more}</ul></article>\n"


def _item(report: Report, order: ReportOrder) -> str:
    facts = [both(ORDER.format(order.order_id)), safe(order.product_code)]
    if order.cert_end:
        facts.append(both(ENDS.format(day_of(order.cert_end))))
    if order.new_order_id:
        facts.append(f"<strong>{both(NEW_ORDER_IS.format(order.new_order_id))}</strong>")
    if order.reason:
        means = REASONS.get(order.reason)
        facts.append((both(means) + " " if means else "") + f"<code>{safe(clipped(order.reason))}</code>")
    listed = "".join(f"<span>{fact}</span>" for fact in facts if fact)
    events = _events(order) if order.need is Need.SETTLE else ""
    return (
        f"<li class=item><div class=left>{_days(order, report.written_at)}</div>"
        f"<div><div class=domain>{domain_of(order)}</div><div class=facts>{listed}</div>{events}</div></li>\n"
    )


def _days(order: ReportOrder, at: datetime) -> str:
    left = order.days_left(at)
    if left is None or order.cert_end is None:
        return both(END_UNKNOWN)
    if order.cert_end <= at:
        return f"<b class=late>{both(EXPIRED)}</b>"
    if left == 0:
        return f"<b>0</b>{both(HOURS_LEFT)}"
    return f"<b>{left:,}</b>{both(DAY_LEFT if left == 1 else DAYS_LEFT)}"


def _events(order: ReportOrder) -> str:
    """Return what to invoke the function with, once a person knows what happened."""
    lines = [
        both(RESOLVE.format(candidate)) + _event("resolve", order_id=order.order_id, new_order_id=candidate)
        for candidate in order.candidates[:MOST_CANDIDATES]
    ]
    if not order.candidates:
        lines.append(both(RESOLVE_OTHER) + _event("resolve", order_id=order.order_id, new_order_id="NEW_ORDER_ID"))
    if len(order.candidates) > MOST_CANDIDATES:
        lines.append(both(NOT_SHOWN.format(len(order.candidates) - MOST_CANDIDATES)))
    lines.append(both(RELEASE) + _event("release", order_id=order.order_id))
    return "<div class=events>" + "".join(f"<div>{line}</div>" for line in lines) + "</div>"


def _event(what: str, **values: str) -> str:
    return f"<code>{safe(json.dumps({what: values}))}</code>"
