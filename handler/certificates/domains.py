"""Domain names: compared in one spelling, matched against the patterns of the settings.

Names of other scripts are read by IDNA 2008, as registries and certificate authorities do. IDNA 2003 read some of them
as other names (`straße` as `strasse`); only what forbids looks at that reading, too.
"""

import re
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from functools import lru_cache
from unicodedata import normalize

_SEPARATORS = re.compile("[\\s,;|\u3001\uff0c\uff1b\uff5c\uff64]+")
"""What may stand between two names of one field: white space, and commas, semicolons and bars of either width."""

_LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})+")
_STARRED_LABEL = re.compile("(?:[a-z0-9_*-]|[^\x00-\x7f])+")
_LONGEST_NAME = 253
_JOINERS = {0x200C: None, 0x200D: None}
_REMEMBERED = 1 << 14
"""A run asks for the same names again and again; only those that are not plain ASCII cost anything."""


def canonical(domain: str) -> str:
    """Return the spelling in which two names are the same domain: lower case, no final dot, IDN as ASCII.

    Text that is no valid name comes back lower-cased, so it is equal to itself and to no name.
    """
    name = domain.strip().rstrip(".").lower()
    return name if name.isascii() else _to_ascii(name)


def names_in(text: str) -> tuple[str, ...]:
    """Return all the names of a field, each once and canonical; what is no name is among them, for `is_name` to tell.

    Names are separated by commas, semicolons or bars, ASCII or Chinese, or by white space.
    """
    return tuple(dict.fromkeys(map(canonical, parts_of(text))))


def parts_of(text: str) -> list[str]:
    """Split a field at whatever may stand between two names, or two ids."""
    return [part for part in _SEPARATORS.split(text) if part]


def is_name(name: str) -> bool:
    """Tell whether a canonical text is a name that a certificate can have: a host below some domain, or `*.` and one.

    Underscores are tolerated. A single label is none: no public certificate has one, but `null` and the like look so.
    """
    if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        return False
    return "xn--" not in name or all(_shown(label) != label for label in name.split(".") if label.startswith("xn--"))


def matches(domain: str, patterns: Iterable[str]) -> bool:
    """Tell whether a pattern covers the domain; `*` stands for any characters, dots too. For what allows.

    So `*.example.com` covers `www.example.com`, `a.b.example.com` and the wildcard certificate's
    own name, and does not cover `example.com`.
    """
    name = canonical(domain)
    shown = _shown(name)
    # A label of an IDN with a * in it has no ASCII spelling, so patterns are tried on both spellings of the name.
    return any(_any_match((name, in_ascii), (shown, as_shown)) for in_ascii, as_shown, _ in map(_spellings, patterns))


def could_match(domain: str, patterns: Iterable[str]) -> bool:
    """Tell whether a pattern covers the domain in any reading of either, IDNA 2003's too. For what forbids."""
    name = canonical(domain)
    shown = _shown(name)
    folded = _folded(shown)
    folded_in_ascii = _per_label(folded, _punycode)
    return any(
        _any_match((name, in_ascii), (shown, as_shown), (folded, as_folded), (folded_in_ascii, in_ascii))
        for in_ascii, as_shown, as_folded in map(_spellings, patterns)
    )


def is_pattern(text: str) -> bool:
    """Tell whether a text is a pattern that covers some name.

    One that covers none, such as `.example.com`, is a slip: among the exceptions it would protect nothing.
    """
    mapped = _mapped(text.strip().lower())
    if mapped is None:
        return False
    labels = _spellings(text)[0].split(".")
    return ("*" in text or len(labels) > 1) and all(
        _STARRED_LABEL.fullmatch(label) if "*" in label else is_name(f"{label}.example") for label in labels
    )


def _any_match(*pairs: tuple[str, str]) -> bool:
    return any(fnmatchcase(name, pattern) for name, pattern in dict.fromkeys(pairs))


@lru_cache
def _spellings(pattern: str) -> tuple[str, str, str]:
    """Return a pattern in ASCII, as people write it, and as IDNA 2003 folds it, each as far as its labels have one."""
    text = pattern.strip().rstrip(".").lower()
    text = (_mapped(text) or text).rstrip(".")
    shown = _shown(text)
    return _per_label(text, _a_label), shown, _folded(shown)


@lru_cache(maxsize=_REMEMBERED)
def _to_ascii(text: str) -> str:
    name = (_mapped(text) or "").rstrip(".")
    ascii_name = _per_label(name, _a_label)
    return ascii_name if ascii_name.isascii() and all(ascii_name.split(".")) else text


def _mapped(text: str) -> str | None:
    """Map every character as IDNA 2008 wants it (UTS 46); None if one of them is not allowed, or cannot be seen."""
    if text.isascii():
        return text
    # Imported here, and in all below: most accounts have ASCII names only, and a cold start should not pay for others.
    import idna  # noqa: PLC0415

    try:
        # The standard drops some characters. Nobody writes them on purpose, so what has them is not known.
        seen = all(char.isascii() or idna.uts46_remap(char, std3_rules=False) for char in text)
        return idna.uts46_remap(text, std3_rules=False) if seen else None
    except UnicodeError:
        return None


def _per_label(name: str, change: Callable[[str], str]) -> str:
    return ".".join(change(label) for label in name.split("."))


def _a_label(label: str) -> str:
    if label.isascii():
        return label
    import idna  # noqa: PLC0415

    try:
        return idna.alabel(label).decode("ascii")
    except UnicodeError:
        return label


def _shown(name: str) -> str:
    """Return a name as people write it; a label that is no valid IDN stays as it is."""
    return _per_label(name, _u_label) if "xn--" in name else name


@lru_cache(maxsize=_REMEMBERED)
def _u_label(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    import idna  # noqa: PLC0415

    try:
        return idna.ulabel(label)
    except UnicodeError:
        return label


def _folded(shown: str) -> str:
    """Return a name as IDNA 2003 would fold it: `ß` is `ss`, a final sigma is a sigma, joiners are nothing."""
    if shown.isascii():
        return shown
    return normalize("NFKC", normalize("NFKC", shown).casefold()).translate(_JOINERS)


def _punycode(label: str) -> str:
    return label if label.isascii() else f"xn--{label.encode('punycode').decode('ascii')}"
