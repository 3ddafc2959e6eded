"""All orders of the report in one table: the last but one section of its page."""

from handler.report.data import Report, ReportOrder
from handler.report.markup import both, clipped, count_of, day_of, domain_of, group, safe
from handler.report.words import COLUMNS, EXPIRED, NO_ORDERS, ORDERS, OUTCOMES, SOONEST_FIRST, STAGES, Words


def table_section(report: Report, orders: list[ReportOrder], room: int) -> str:
    """Return the section, in at most `room` bytes: the last orders are left out if they have no room."""
    if not orders:
        return f"<section>{both(ORDERS, 'h2')}{both(NO_ORDERS, 'p')}</section>\n"
    rows: list[str] = []
    room -= 4000  # the heading
    for order in orders:
        row = _row(report, order)
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
        f"<section>{both(ORDERS, 'h2', count_of(len(orders)))}{shown}<div class='card orders'><table>\n"
        f"<caption class=hide>{both(ORDERS)}</caption><thead><tr>{cells}<tbody>\n"
        + "".join(rows)
        + "</table></div></section>\n"
    )


def _row(report: Report, order: ReportOrder) -> str:
    """Return a row without most of the end tags that HTML does not ask for: there may be thousands."""
    left = order.days_left(report.written_at)
    late = order.cert_end is not None and order.cert_end <= report.written_at
    days = f"<td class=late>{both(EXPIRED)}" if late else f"<td>{'—' if left is None else f'{left:,}'}"
    ends = day_of(order.cert_end) if order.cert_end else "—"
    did = both(OUTCOMES.get(order.outcome, Words(order.outcome, order.outcome))) if order.outcome else ""
    why = f"<small>{safe(clipped(order.reason))}</small>" if order.reason else ""
    return (
        f"<tr><th scope=row>{domain_of(order)}<small>{safe(order.order_id)}</small>{days}<td>{ends}"
        f"<td class='s {group(order)}'>{both(STAGES[order.stage])}<td>{did}{why}"
        f"<td>{safe(order.new_order_id or '')}</tr>\n"
    )
