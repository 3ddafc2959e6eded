"""Text into HTML, for the report's page: what comes from outside stays text, whatever it holds."""

from datetime import datetime, timezone

from handler.report.data import ReportLine, Stage
from handler.report.words import NO_DOMAIN, Words
from handler.runtime.clock import rfc3339

MOST_OF_NAME = 300
"""Of a name, which a certificate of many domains can make long."""
MOST_OF_PRODUCTS = 100

# One pass does all of it; `html.escape` would load the table of every HTML entity and still leave the controls.
_NEUTRAL: dict[int, str | None] = {
    ord("&"): "&amp;",
    ord("<"): "&lt;",
    ord(">"): "&gt;",
    ord('"'): "&quot;",
    ord("'"): "&#39;",
    # Control characters, of C0 and of C1.
    **dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)), " "),
    # Halves of a surrogate pair, which have no UTF-8.
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),
    # Controls of the direction of writing: they make a name look like another one.
    **dict.fromkeys([0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]),
}


def safe(text: object) -> str:
    """Return the text for an element or a quoted attribute, without anything that could be more than text."""
    return str(text).translate(_NEUTRAL)


def both(words: Words, tag: str = "span", more: str = "") -> str:
    """Return the text in both languages, of which the page shows one; `tag` may have attributes, `more` is markup."""
    end = f"{more}</{tag.partition(' ')[0]}>"
    return f"<{tag} lang=en>{safe(words.en)}{end}<{tag} lang=zh-CN>{safe(words.zh)}{end}"


def group(line: ReportLine) -> str:
    """Return the key in `GROUPS` of a line: its colour."""
    if line.need is not None:
        return "n"
    if line.stage in {Stage.ISSUED, Stage.DEPLOYED}:
        return "d"
    return "e" if line.stage is Stage.EXPIRING else "p"


def moment_of(moment: datetime) -> str:
    """Return a moment to the second, in UTC."""
    return f"<time datetime={rfc3339(moment)}>{moment.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S} UTC</time>"


def day_of(moment: datetime) -> str:
    """Return the day of a moment, in UTC."""
    return f"{moment.astimezone(timezone.utc):%Y-%m-%d}"


def domain_of(line: ReportLine) -> str:
    """Return the domains of a line, not longer than a person reads; they may be wrapped behind a comma."""
    domain = line.renewable.domain
    return safe(clipped(domain).replace(",", ", ")) if domain else both(NO_DOMAIN)


def id_of(text: str) -> str:
    """Return an id, which is never broken in its middle, whatever is in it."""
    return f"<bdi>{safe(text)}</bdi>"


def products_of(line: ReportLine) -> str:
    """Return the cloud products where it is in use, not more than a person reads."""
    return safe(clipped(", ".join(line.products), MOST_OF_PRODUCTS))


def clipped(text: str, most: int = MOST_OF_NAME) -> str:
    """Return a text cut to so many characters, before it is made safe."""
    return text if len(text) <= most else text[:most] + "…"


def count_of(count: int) -> str:
    """Return a number to stand behind a heading."""
    return f" <span class=count>{count:,}</span>"
