"""Text into HTML, for the report's page: what comes from outside stays text, whatever it holds."""

from handler.report.data import ReportLine, Stage
from handler.report.words import Words

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
    """Return the key in `GROUPS` of an order: its colour."""
    if line.need is not None:
        return "n"
    if line.stage is Stage.ISSUED:
        return "d"
    return "e" if line.stage is Stage.EXPIRING else "p"
