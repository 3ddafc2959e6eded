"""The report's picture of what expires when: a column a day, or a week where the window is long, stacked by stage.

Widths are in percent and heights in pixels, so that the picture fits a phone and its labels stay as large as they are.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta, timezone
from math import ceil

from handler.report.data import Report
from handler.report.markup import both, group, safe
from handler.report.words import (
    BAR,
    BAR_ENDED,
    BAR_WEEK,
    ENDED,
    GROUPS,
    IN_DAYS,
    NO_TIMELINE,
    NOT_DRAWN,
    PER_DAY,
    PER_WEEK,
    TIMELINE,
    TIMELINE_DESCRIBED,
    TODAY,
    WINDOW,
    Words,
)

LEAST_DAYS, MOST_DAYS, WEEKLY_ABOVE = 14, 90, 100
HEIGHT = 130
"""Of the columns, in pixels."""
TOP = 20
"""For the words above them."""
SINGLE_UP_TO = 8
"""While no column is higher, each certificate is a block of its own."""
TICKS = 5
"""How many steps of the days have room on a phone."""
ENDED_PERCENT = 14.0
"""What the column of what has ended takes, where there are any."""
_ENDED = -1


class Timeline:
    """The picture, of one report."""

    def __init__(self, report: Report) -> None:
        """Count the certificates of each column."""
        self._at = report.written_at.astimezone(timezone.utc)
        self._window = report.window_days
        days = [(left, group(line)) for line in report.lines if (left := line.days_left(report.written_at)) is not None]
        limit = max(MOST_DAYS, report.window_days)
        shown = [(left, key) for left, key in days if left < limit]
        self.not_drawn = len(report.lines) - len(shown)
        farthest = max((left + 1 for left, _ in shown), default=0)
        ahead = max(LEAST_DAYS, farthest, report.window_days + report.window_days // 6)
        self.step = 7 if min(ahead, limit) > WEEKLY_ABOVE else 1
        self.days = ceil(min(ahead, limit) / self.step) * self.step
        self._columns: dict[int, Counter[str]] = {}
        for left, key in shown:
            self._columns.setdefault(_ENDED if left < 0 else left // self.step, Counter())[key] += 1
        self._start = ENDED_PERCENT + 2 if _ENDED in self._columns else 0.0
        self._most = max((column.total() for column in self._columns.values()), default=0)
        self._top = _round_up(self._most)

    def figure(self) -> str:
        """Return the figure in both languages."""
        if not self._columns:
            return both(NO_TIMELINE, "p class=quiet")
        return f"<figure class=card>{self._legend()}<div class=plot>{self._drawings()}</div>{self._caption()}</figure>"

    def _legend(self) -> str:
        counted: Counter[str] = Counter()
        for column in self._columns.values():
            counted.update(column)
        return "".join(
            f"<ul class=legend lang={lang}>"
            + "".join(
                f"<li class={key}>{safe(words[i])} {counted[key]:,}" for key, words in GROUPS.items() if counted[key]
            )
            + "</ul>"
            for i, lang in _LANGUAGES
        )

    def _caption(self) -> str:
        rest = both(NOT_DRAWN.format(self.not_drawn)) if self.not_drawn else ""
        return f"<figcaption>{both(PER_DAY if self.step == 1 else PER_WEEK)} {rest}</figcaption>"

    def _drawings(self) -> str:
        return "".join(self._drawing(i, lang) for i, lang in _LANGUAGES)

    def _drawing(self, i: int, lang: str) -> str:
        described = TIMELINE_DESCRIBED.format(self.days, self._window)
        return (
            f'<svg lang={lang} role=img width="100%" height={TOP + HEIGHT + 40} aria-labelledby="t{i} d{i}">'
            f"<title id=t{i}>{safe(TIMELINE[i])}</title><desc id=d{i}>{safe(described[i])}</desc>"
            + self._shade(i)
            + "".join(self._grid())
            + "".join(self._bar(i, at, column) for at, column in sorted(self._columns.items()))
            + "".join(self._ticks(i))
            + "</svg>"
        )

    def _x(self, day: float) -> float:
        return self._start + day * (100 - self._start) / self.days

    def _shade(self, i: int) -> str:
        left, right = self._x(0), self._x(min(self._window, self.days))
        return (
            f'<rect class=window x="{left:.2f}%" y={TOP} width="{right - left:.2f}%" height={HEIGHT} />'
            f'<text x="{left:.2f}%" y={TOP - 7}>{safe(WINDOW.format(self._window)[i])}</text>'
        )

    def _grid(self) -> Iterator[str]:
        for count in sorted({self._top, self._top // 2} - {0}):
            y = TOP + HEIGHT - self._height(count)
            yield f'<line class=grid x1=0 x2="100%" y1={y:.0f} y2={y:.0f} />'
            yield f"<text x=-8 y={y + 4:.0f} text-anchor=end>{count:,}</text>"

    def _height(self, count: int) -> float:
        return count * HEIGHT / self._top

    def _bar(self, i: int, at: int, column: Counter[str]) -> str:
        if at == _ENDED:
            left, width = ENDED_PERCENT * 0.25, ENDED_PERCENT * 0.5
            words = BAR_ENDED.format(column.total())
        else:
            left, right = self._x(at * self.step), self._x((at + 1) * self.step)
            gap = (right - left) * 0.08
            left, width = left + gap, right - left - 2 * gap
            first, last = at * self.step, (at + 1) * self.step - 1
            days = (first,) if first == last else (first, last)
            words = (BAR if first == last else BAR_WEEK).format(*days, column.total())
        parts = "".join(self._blocks(left, width, column))
        return f"<g><title>{safe(words[i])}</title>{parts}</g>"

    def _blocks(self, left: float, width: float, column: Counter[str]) -> Iterator[str]:
        done = 0
        for key in GROUPS:
            blocks = [1] * column[key] if self._most <= SINGLE_UP_TO else [column[key]] * bool(column[key])
            for count in blocks:
                done += count
                y, height = TOP + HEIGHT - self._height(done), max(self._height(count) - 1.5, 1)
                yield f'<rect class={key} x="{left:.2f}%" y={y:.1f} width="{width:.2f}%" height={height:.1f} rx=1 />'

    def _ticks(self, i: int) -> Iterator[str]:
        base = TOP + HEIGHT
        yield f'<line class=axis x1=0 x2="100%" y1={base} y2={base} />'
        yield f'<line class=today x1="{self._x(0):.2f}%" x2="{self._x(0):.2f}%" y1={TOP - 4} y2={base + 5} />'
        if self._start:
            yield f'<text x="{ENDED_PERCENT / 2:.2f}%" y={base + 18} text-anchor=middle>{safe(ENDED[i])}</text>'
        for day in self._tick_days():
            x = f'x="{self._x(day):.2f}%" text-anchor={"middle" if day else "start"}'
            name = TODAY[i] if day == 0 else IN_DAYS.format(day)[i]
            yield f"<text {x} y={base + 18} class=strong>{safe(name)}</text>"
            if day:
                yield f"<text {x} y={base + 34}>{safe(self._short_date(day)[i])}</text>"

    def _tick_days(self) -> list[int]:
        """Return the days to label."""
        most = TICKS - 1 if self._start else TICKS
        step = next(step for step in (7, 10, 15, 20, 30, 60, 90, 120) if self.days / step <= most)
        return list(range(0, self.days + 1, step))

    def _short_date(self, day: int) -> Words:
        date = self._at + timedelta(days=day)
        return Words(f"{date.day} {_MONTHS[date.month - 1]}", f"{date.month}月{date.day}日")


_LANGUAGES = ((0, "en"), (1, "zh-CN"))
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""Not by strftime: that speaks the machine's language."""


def _round_up(count: int) -> int:
    """Return an even number for the top of the picture, with a round one from 10 on."""
    if count <= SINGLE_UP_TO:
        return max(4, count + count % 2)
    digit: int = 10 ** (len(str(count)) - 1)
    return next(
        tenths * digit // 10 for tenths in (10, 12, 16, 20, 30, 40, 60, 80, 100) if tenths * digit >= count * 10
    )
