"""All lines of the report in one table, to be narrowed to one kind: the last but one section of its page."""

from datetime import datetime

from handler.certificates.renewable import Kind
from handler.report.data import Report, ReportLine, Stage, kinds
from handler.report.markup import both, clipped, count_of, day_of, domain_of, group, id_of, products_of, safe
from handler.report.reasons import OUTCOMES
from handler.report.words import (
    CERTIFICATES,
    COLUMNS,
    DAY_AGO,
    DAYS_AGO,
    DEPLOYED_OF,
    ENDED,
    EVERY_KIND,
    FILTERS,
    KINDS,
    NOTHING_TO_SHOW,
    SOONEST_FIRST,
    STAGES,
    TODAY,
    Words,
)

HEADING_BYTES = 5000
"""What the section needs beside its rows."""
_CLASS = {Kind.ORDER: "o", Kind.INSTANCE: "i", Kind.CERTIFICATE: "c"}
"""Of a row; the style sheet hides those of other kinds than the chosen one."""


def table_section(report: Report, lines: list[ReportLine], room: int) -> str:
    """Return the section, in at most `room` bytes: the last lines are left out if they have no room."""
    if not lines:
        return f"<section>{both(CERTIFICATES, 'h2')}{both(NOTHING_TO_SHOW, 'p')}</section>\n"
    is_use_known = any(line.products for line in lines)
    rows: list[str] = []
    room -= HEADING_BYTES
    for line in lines:
        row = _row(line, report.written_at, is_use_known=is_use_known)
        room -= len(row.encode())
        if room < 0:
            break
        rows.append(row)
    cells = "".join(f"<th scope=col>{both(column)}" for column in COLUMNS[: None if is_use_known else -1])
    shown = ""
    if len(rows) < len(lines):
        words = SOONEST_FIRST.format(f"{len(rows):,}", f"{len(lines):,}")
        shown = both(words, "p class=soft")
    return (
        f"<section>{both(CERTIFICATES, 'h2', count_of(len(lines)))}{shown}{_filter(lines)}"
        f"<div class='card rows'><table>\n<caption class=hide>{both(CERTIFICATES)}</caption><thead><tr>{cells}<tbody>\n"
        + "".join(rows)
        + "</table></div></section>\n"
    )


def _filter(lines: list[ReportLine]) -> str:
    """Return what narrows the table: radio buttons before it and the style sheet do it, without a script."""
    counted = {kind: number for kind, number in kinds(lines).items() if number}
    if len(counted) == 1:
        return ""
    choices = [("all", EVERY_KIND, len(lines)), *((_CLASS[kind], FILTERS[kind], counted[kind]) for kind in counted)]
    buttons = "".join(
        f"<input class=hide type=radio name=kind id=kind-{key}{' checked' * (key == 'all')}>" for key, _, _ in choices
    )
    labels = "".join(f"<label for=kind-{key}>{both(words)}{count_of(number)}</label>" for key, words, number in choices)
    return f"{buttons}<div class=kinds>{labels}</div>\n"


def _row(line: ReportLine, at: datetime, *, is_use_known: bool) -> str:
    """Return a row without most of the end tags that HTML does not ask for: there may be thousands."""
    of = line.renewable
    stands = ENDED if line.stage is Stage.EXPIRING and line.has_ended(at) else STAGES[line.stage]
    did = _brief(OUTCOMES.get(line.outcome, Words(line.outcome, line.outcome))) if line.outcome else ""
    placed = line.placing
    so_far = _brief(DEPLOYED_OF.format(placed.deployed, len(placed.resources))) if placed and placed.resources else ""
    so_far = f"<small>{so_far}</small>" if so_far else ""
    why = f"<small>{safe(clipped(line.reason))}</small>" if line.reason else ""
    return (
        f"<tr class={_CLASS[of.kind]}><th scope=row>{domain_of(line)}"
        f"<small>{_brief(KINDS[of.kind])} {id_of(of.id)}</small>"
        f"{_days(line, at)}<td>{day_of(of.ends) if of.ends else '—'}"
        f"<td class='s {group(line)}'>{_brief(stands)}{so_far}<td>{did}{why}"
        f"<td>{id_of(line.successor_id) if line.successor_id else ''}"
        + (f"<td>{products_of(line)}</tr>\n" if is_use_known else "</tr>\n")
    )


def _brief(words: Words) -> str:
    """Return the text in both languages with the shortest tag that there is, for the same reason."""
    return both(words, "i")


def _days(line: ReportLine, at: datetime) -> str:
    if not line.has_ended(at):
        left = line.days_left(at)
        return "<td>—" if left is None else f"<td>{left:,}"
    ago = line.days_since(at)
    return f"<td class=late>{_brief((DAY_AGO if ago == 1 else DAYS_AGO).format(ago) if ago else TODAY)}"
