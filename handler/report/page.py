"""The report as one self-contained HTML page: no script, nothing fetched, and both languages in it."""

from collections.abc import Iterable, Iterator

from handler.report.data import Report, Stage, stages
from handler.report.markup import both, clipped, count_of, moment_of, safe
from handler.report.needs import needs_section
from handler.report.reasons import OUTCOMES
from handler.report.style import STYLE
from handler.report.table import table_section
from handler.report.timeline import Timeline
from handler.report.words import (
    ACCOUNT,
    BAD,
    DRY_RUN,
    DRY_RUN_MEANS,
    ENDED_OF_THEM,
    ERRORS,
    IN_DAYS,
    LAST_RUN,
    NO_COUNTS,
    OF_EVERY_KIND,
    PIPELINE,
    REGION,
    REQUEST,
    RUN_ENDED,
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

MOST_BYTES = 1_950_000
"""The table ends before the page is larger: it has room for 5,000 lines, and whoever has more reads report.json."""
MOST_ERRORS = 20
MOST_CHARACTERS = 1000
"""Of an error."""

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
    lines = report.soonest_first()
    before = "".join(
        [*_top(report), needs_section(report, lines), _errors(report), _timeline(report), _pipeline(report)]
    )
    after = _last_run(report) + "</main>\n</body>\n</html>\n"
    return before + table_section(report, lines, MOST_BYTES - len(before.encode()) - len(after.encode())) + after


def _top(report: Report) -> Iterator[str]:
    needed = sum(line.need is not None for line in report.lines)
    yield _HEAD
    yield f"<title>{f'({needed:,}) ' if needed else ''}{TITLE.en} {TITLE.zh}</title>\n"
    yield f"<style>{STYLE}</style>\n</head>\n<body>{_LANGUAGES}<main>\n"
    yield f"<header>{both(TITLE, 'h1')}<p class=soft>{both(WRITTEN)} {moment_of(report.written_at)}. {both(UNTIL)} "
    yield f"{both(ACCOUNT)} {safe(report.account_id)}, {safe(report.region)}</p></header>\n"
    if report.dry_run:
        yield f"<p class=dry role=note><strong>{both(DRY_RUN)}</strong>{both(DRY_RUN_MEANS)}</p>\n"


def _errors(report: Report) -> str:
    if not report.errors:
        return ""
    lines = [clipped(error, MOST_CHARACTERS) for error in report.errors[:MOST_ERRORS]]
    rest = len(report.errors) - len(lines)
    listed = "".join(f"<li><code>{safe(line)}</code></li>" for line in lines) + (f"<li>+ {rest:,}</li>" if rest else "")
    return f"<section class=errors>{both(ERRORS, 'h2', count_of(len(report.errors)))}<ul>{listed}</ul></section>\n"


def _timeline(report: Report) -> str:
    return f"<section>{both(TIMELINE, 'h2')}{Timeline(report).figure()}</section>\n"


def _pipeline(report: Report) -> str:
    counted = stages(report.lines)
    ended = sum(line.stage is Stage.EXPIRING and line.has_ended(report.written_at) for line in report.lines)
    steps = []
    for place, (stage, words) in enumerate(STAGES.items()):
        number = counted[stage]
        kind = "zero" if not number else "bad" if place >= BAD else "some"
        late = both(ENDED_OF_THEM.format(ended), "small") if stage is Stage.EXPIRING and ended else ""
        steps.append(f"<li class={kind}><b>{number:,}</b><span>{both(words)}{late}</span></li>")
    way, between = "".join(steps[:WAY]), "".join(steps[WAY:])
    heading = both(PIPELINE, "h2") + both(OF_EVERY_KIND, "p class=soft")
    return f"<section>{heading}<div class=stages><ol>{way}</ol><ul>{between}</ul></div></section>\n"


def _last_run(report: Report) -> str:
    known = [*(key for key in OUTCOMES if key in report.counts), *(key for key in report.counts if key not in OUTCOMES)]
    counts = "".join(
        f"<li><b>{report.counts[key]:,}</b>{both(OUTCOMES.get(key, Words(key, key)))}</li>" for key in known
    )
    listed = f"<ul class=counts>{counts}</ul>" if counts else both(NO_COUNTS, "p")
    facts: Iterable[tuple[Words, str]] = (
        (TRIGGER, both(TRIGGERS.get(report.trigger, Words(report.trigger, report.trigger)))),
        (RUN_ENDED, moment_of(report.written_at)),
        (REQUEST, f"<code>{safe(report.request_id)}</code>"),
        (ACCOUNT, safe(report.account_id)),
        (REGION, safe(report.region)),
        (WINDOW_IS, both(IN_DAYS.format(report.window_days))),
    )
    lines = "".join(f"<dt>{both(name)}</dt><dd>{value}</dd>" for name, value in facts)
    dry = f"<p class=dry><strong>{both(DRY_RUN)}</strong>{both(DRY_RUN_MEANS)}</p>" if report.dry_run else ""
    return f"<section>{both(LAST_RUN, 'h2')}<div class=card>{dry}{listed}<dl>{lines}</dl></div></section>\n"
