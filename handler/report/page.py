"""The report as one self-contained HTML page: no script, nothing fetched, and both languages in it."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone

from handler.report.data import Need, Report, ReportLine, stages
from handler.report.markup import both, group, safe
from handler.report.style import STYLE
from handler.report.timeline import Timeline
from handler.report.words import (
    ACCOUNT,
    AND_MORE,
    BAD,
    COLUMNS,
    DAY_LEFT,
    DAYS_LEFT,
    DRY_RUN,
    DRY_RUN_MEANS,
    END_UNKNOWN,
    ENDED,
    ENDS,
    ERRORS,
    EXPIRED,
    HOURS_LEFT,
    IN_DAYS,
    LAST_RUN,
    NEEDED,
    NEEDS,
    NEW_ORDER_IS,
    NO_COUNTS,
    NO_DOMAIN,
    NO_ORDERS,
    NOT_SHOWN,
    NOTHING_NEEDED,
    ORDER,
    ORDERS,
    OUTCOMES,
    PIPELINE,
    REASONS,
    REGION,
    RELEASE,
    REQUEST,
    RESOLVE,
    RESOLVE_OTHER,
    SOONEST_FIRST,
    STAGES,
    TIMELINE,
    TITLE,
    TRIGGER,
    TRIGGERS,
    UNTIL,
    WAY,
    WINDOW_IS,
    WRITTEN,
    Words,
)
from handler.runtime.clock import rfc3339

MOST_BYTES = 960_000
"""The table ends before the page is larger: whoever has more orders reads report.json."""
MOST_ITEMS = 40
"""How many orders a group of what needs a person names one by one."""
MOST_CANDIDATES = 5
MOST_ERRORS = 20
MOST_CHARACTERS = 1000
"""Of an error."""
MOST_OF_NAME = 300
"""Of a name, which a certificate of many domains can make long."""

# Nothing but the page's own style may be loaded, should anything ever get past the escaping.
_HEAD = """<!doctype html>
<html lang=en>
<head>
<meta charset=utf-8>
<meta http-equiv=Content-Security-Policy content="default-src 'none'; style-src 'unsafe-inline'; \
base-uri 'none'; form-action 'none'">
<meta name=viewport content="width=device-width, initial-scale=1">
<meta name=color-scheme content="light dark">
<meta name=referrer content=no-referrer>
<meta name=robots content=noindex>
"""

_LANGUAGES = """
<input class=hide type=radio name=language id=en checked>
<input class=hide type=radio name=language id=zh>
<div class=languages><label for=en lang=en>English</label><label for=zh lang=zh-CN>中文</label></div>
"""


def page(report: Report) -> str:
    """Return the page."""
    orders = report.soonest_first()
    before = "".join([*_top(report), _needs(report, orders), _errors(report), _timeline(report), _pipeline(report)])
    after = _last_run(report) + "</main>\n</body>\n</html>\n"
    return before + _table(report, orders, MOST_BYTES - len(before.encode()) - len(after.encode())) + after


# ------------------------------------------------------------------------------------------------------------- the top


def _top(report: Report) -> Iterator[str]:
    needed = sum(line.need is not None for line in report.lines)
    yield _HEAD
    yield f"<title>{f'({needed:,}) ' if needed else ''}{TITLE.en} {TITLE.zh}</title>\n"
    yield f"<style>{STYLE}</style>\n</head>\n<body>{_LANGUAGES}<main>\n"
    yield f"<header>{both(TITLE, 'h1')}<p class=soft>{both(WRITTEN)} {_moment(report.written_at)}. {both(UNTIL)} "
    yield f"{both(ACCOUNT)} {safe(report.account_id)}, {safe(report.region)}</p></header>\n"
    if report.dry_run:
        yield f"<p class=dry role=note><strong>{both(DRY_RUN)}</strong>{both(DRY_RUN_MEANS)}</p>\n"


def _moment(moment: datetime) -> str:
    return f"<time datetime={rfc3339(moment)}>{moment.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S} UTC</time>"


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(timezone.utc):%Y-%m-%d}"


# -------------------------------------------------------------------------------------------------- what needs a person


def _needs(report: Report, orders: list[ReportLine]) -> str:
    groups: dict[Need, list[ReportLine]] = {}
    for line in orders:
        if line.need is not None:
            groups.setdefault(line.need, []).append(line)
    if not groups:
        return f"<section class=needs>{_hidden_heading(NEEDED)}{both(NOTHING_NEEDED, 'p class=quiet')}</section>\n"
    # The group with the most urgent order comes first, since its orders come soonest first; then the gravest.
    gravity = list(NEEDS)
    by_urgency = sorted(groups, key=lambda need: (_day_of(groups[need][0]), gravity.index(need)))
    count = sum(map(len, groups.values()))
    parts = "".join(_group(report, need, groups[need]) for need in by_urgency)
    return f"<section class=needs>{both(NEEDED, 'h2', _count(count))}{parts}</section>\n"


def _day_of(line: ReportLine) -> str:
    return _day(line.renewable.ends) if line.renewable.ends else "later"


def _hidden_heading(words: Words) -> str:
    return both(words, "h2 class=hide")


def _count(count: int) -> str:
    return f" <span class=count>{count:,}</span>"


def _group(report: Report, need: Need, orders: list[ReportLine]) -> str:
    headline, how = NEEDS[need]
    items = "".join(_item(report, line) for line in orders[:MOST_ITEMS])
    rest = len(orders) - MOST_ITEMS
    more = f"<li class=more>{both(AND_MORE.format(rest))}</li>" if rest > 0 else ""
    title = both(headline, "h3", _count(len(orders)) if len(orders) > 1 else "")
    return f"<article class=need>{title}{both(how, 'p')}<ul>{items}{more}</ul></article>\n"


def _item(report: Report, line: ReportLine) -> str:
    facts = [both(ORDER.format(line.renewable.id)), safe(line.renewable.product)]
    if line.renewable.ends:
        facts.append(both(ENDS.format(_day(line.renewable.ends))))
    if line.successor_id:
        facts.append(f"<strong>{both(NEW_ORDER_IS.format(line.successor_id))}</strong>")
    if line.reason:
        means = REASONS.get(line.reason)
        facts.append((both(means) + " " if means else "") + f"<code>{safe(_clipped(line.reason))}</code>")
    listed = "".join(f"<span>{fact}</span>" for fact in facts if fact)
    events = _events(line) if line.need is Need.SETTLE else ""
    return (
        f"<li class=item><div class=left>{_days(line, report.written_at)}</div>"
        f"<div><div class=domain>{_domain(line)}</div><div class=facts>{listed}</div>{events}</div></li>\n"
    )


def _domain(line: ReportLine) -> str:
    return safe(_clipped(line.renewable.domain)) if line.renewable.domain else both(NO_DOMAIN)


def _clipped(text: str, most: int = MOST_OF_NAME) -> str:
    return text if len(text) <= most else text[:most] + "…"


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


def _errors(report: Report) -> str:
    if not report.errors:
        return ""
    lines = [_clipped(error, MOST_CHARACTERS) for error in report.errors[:MOST_ERRORS]]
    rest = len(report.errors) - len(lines)
    listed = "".join(f"<li><code>{safe(line)}</code></li>" for line in lines) + (f"<li>+ {rest:,}</li>" if rest else "")
    return f"<section class=errors>{both(ERRORS, 'h2', _count(len(report.errors)))}<ul>{listed}</ul></section>\n"


# ------------------------------------------------------------------------------------------------------- the whole lot


def _timeline(report: Report) -> str:
    return f"<section>{both(TIMELINE, 'h2')}{Timeline(report).figure()}</section>\n"


def _pipeline(report: Report) -> str:
    counted = stages(report.lines)
    steps = []
    for place, (stage, words) in enumerate(STAGES.items()):
        number = counted[stage]
        kind = "zero" if not number else "bad" if place >= BAD else "some"
        steps.append(f"<li class={kind}><b>{number:,}</b>{both(words)}</li>")
    way, between = "".join(steps[:WAY]), "".join(steps[WAY:])
    return f"<section>{both(PIPELINE, 'h2')}<div class=stages><ol>{way}</ol><ul>{between}</ul></div></section>\n"


def _table(report: Report, orders: list[ReportLine], room: int) -> str:
    if not orders:
        return f"<section>{both(ORDERS, 'h2')}{both(NO_ORDERS, 'p')}</section>\n"
    rows: list[str] = []
    room -= 4000  # the heading
    for line in orders:
        row = _row(report, line)
        room -= len(row.encode())
        if room < 0:
            break
        rows.append(row)
    cells = "".join(f"<th scope=col>{both(column)}" for column in COLUMNS)
    shown = ""
    if len(rows) < len(orders):
        words = SOONEST_FIRST.format(f"{len(rows):,}", f"{len(orders):,}")
        shown = both(words, "p class=soft")
    return (
        f"<section>{both(ORDERS, 'h2', _count(len(orders)))}{shown}<div class='card orders'><table>\n"
        f"<caption class=hide>{both(ORDERS)}</caption><thead><tr>{cells}<tbody>\n"
        + "".join(rows)
        + "</table></div></section>\n"
    )


def _row(report: Report, line: ReportLine) -> str:
    """Return a row without most of the end tags that HTML does not ask for: there may be thousands."""
    left = line.days_left(report.written_at)
    late = line.renewable.ends is not None and line.renewable.ends <= report.written_at
    days = f"<td class=late>{both(EXPIRED)}" if late else f"<td>{'—' if left is None else f'{left:,}'}"
    ends = _day(line.renewable.ends) if line.renewable.ends else "—"
    did = both(OUTCOMES.get(line.outcome, Words(line.outcome, line.outcome))) if line.outcome else ""
    why = f"<small>{safe(_clipped(line.reason))}</small>" if line.reason else ""
    return (
        f"<tr><th scope=row>{_domain(line)}<small>{safe(line.renewable.id)}</small>{days}<td>{ends}"
        f"<td class='s {group(line)}'>{both(STAGES[line.stage])}<td>{did}{why}"
        f"<td>{safe(line.successor_id or '')}</tr>\n"
    )


# -------------------------------------------------------------------------------------------------------- the last run


def _last_run(report: Report) -> str:
    known = [*(key for key in OUTCOMES if key in report.counts), *(key for key in report.counts if key not in OUTCOMES)]
    counts = "".join(
        f"<li><b>{report.counts[key]:,}</b>{both(OUTCOMES.get(key, Words(key, key)))}</li>" for key in known
    )
    listed = f"<ul class=counts>{counts}</ul>" if counts else both(NO_COUNTS, "p")
    facts: Iterable[tuple[Words, str]] = (
        (TRIGGER, both(TRIGGERS.get(report.trigger, Words(report.trigger, report.trigger)))),
        (ENDED, _moment(report.written_at)),
        (REQUEST, f"<code>{safe(report.request_id)}</code>"),
        (ACCOUNT, safe(report.account_id)),
        (REGION, safe(report.region)),
        (WINDOW_IS, both(IN_DAYS.format(report.window_days))),
    )
    lines = "".join(f"<dt>{both(name)}</dt><dd>{value}</dd>" for name, value in facts)
    dry = f"<p class=dry><strong>{both(DRY_RUN)}</strong>{both(DRY_RUN_MEANS)}</p>" if report.dry_run else ""
    return f"<section>{both(LAST_RUN, 'h2')}<div class=card>{dry}{listed}<dl>{lines}</dl></div></section>\n"
