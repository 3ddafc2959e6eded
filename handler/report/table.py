"""All orders of the report in one table: the last but one section of its page."""

from handler.report.data import Report, ReportLine
from handler.report.markup import both, clipped, count_of, day_of, domain_of, group, safe
from handler.report.words import COLUMNS, EXPIRED, NO_ORDERS, ORDERS, OUTCOMES, SOONEST_FIRST, STAGES, Words


def table_section(report: Report, lines: list[ReportLine], room: int) -> str:
    """Return the section, in at most `room` bytes: the last orders are left out if they have no room."""
    if not lines:
        return f"<section>{both(ORDERS, 'h2')}{both(NO_ORDERS, 'p')}</section>\n"
    rows: list[str] = []
    room -= 4000  # the heading
    for line in lines:
        row = _row(report, line)
        room -= len(row.encode())
        if room < 0:
            break
        rows.append(row)
    cells = "".join(f"<th scope=col>{both(column)}" for column in COLUMNS)
    shown = ""
    if len(rows) < len(lines):
        words = SOONEST_FIRST.format(f"{len(rows):,}", f"{len(lines):,}")
        shown = both(words, "p class=soft")
    return (
        f"<section>{both(ORDERS, 'h2', count_of(len(lines)))}{shown}<div class='card orders'><table>\n"
        f"<caption class=hide>{both(ORDERS)}</caption><thead><tr>{cells}<tbody>\n"
        + "".join(rows)
        + "</table></div></section>\n"
    )


def _row(report: Report, line: ReportLine) -> str:
    """Return a row without most of the end tags that HTML does not ask for: there may be thousands."""
    left = line.days_left(report.written_at)
    late = line.renewable.ends is not None and line.renewable.ends <= report.written_at
    days = f"<td class=late>{both(EXPIRED)}" if late else f"<td>{'—' if left is None else f'{left:,}'}"
    ends = day_of(line.renewable.ends) if line.renewable.ends else "—"
    did = both(OUTCOMES.get(line.outcome, Words(line.outcome, line.outcome))) if line.outcome else ""
    why = f"<small>{safe(clipped(line.reason))}</small>" if line.reason else ""
    return (
        f"<tr><th scope=row>{domain_of(line)}<small>{safe(line.renewable.id)}</small>{days}<td>{ends}"
        f"<td class='s {group(line)}'>{both(STAGES[line.stage])}<td>{did}{why}"
        f"<td>{safe(line.successor_id or '')}</tr>\n"
    )
