"""Plain notes: a payload of a timer that is words for people, and no instruction that nobody would follow.

A timer whose payload is a note scans, and a scan buys. So only plain words pass for a note: a refusal is seen at once
and costs nothing, a misunderstood `dry_run` costs money.
"""

import json
import re
from unicodedata import category, normalize

_MARKS = re.compile(r'[][{}"=*\\]')
_PAIR = re.compile(r"(?<!\w)[^\W\d]\w*\s*:(?!//)")
_OPTION = re.compile(r"(?<!\S)--?[^\W\d]")
_LONG_NUMBER = re.compile(r"\d{6}")
_HOST = re.compile(r"\w\.[^\W\d_]{2}")
_WORD = re.compile(r"[^\W_]+")
_BASE64_OBJECT = re.compile(r"(?:eyJ|eyAi|ewog|ew0K)\S+")
_KEYS = frozenset(
    {
        *("dry", "dryrun", "scan", "check", "resolve", "release", "csr"),
        *("id", "order", "orderid", "neworderid", "certid", "certificateid", "instanceid"),
        *("domain", "domainname", "commonname"),
    }
)
"""The words of which the keys of events are made, but `run` and `new`, which are words of every note."""
_SWITCHES = frozenset({"true", "false", "yes", "no", "on", "off", "none", "null", "enabled", "disabled", "nan"})


def visible(text: str) -> str:
    """Return a text without the characters that nobody sees, in the compatible spelling: fullwidth letters as ASCII."""
    kept = "".join(char for char in text if char.isspace() or category(char) not in {"Cf", "Cc"})
    return normalize("NFKC", kept).strip()


def instruction_in(text: str) -> str | None:
    """Tell what in a text looks like an instruction, as the subject of a sentence; None: it is a plain note, or empty.

    Instructions have the marks of JSON, YAML, an assignment or an option, the name of a host, a long number, or a word
    that an event has as a key.
    """
    plain = visible(text)
    if mark := _MARKS.search(plain):
        return f"the character {mark.group()!r}"
    if _LONG_NUMBER.search(plain):
        return "a number as long as an id"
    if _is_json(plain) or plain.lower() in _SWITCHES or _BASE64_OBJECT.fullmatch(plain):
        return "a text that is a value, and no words,"
    if plain and not any(map(str.isalpha, plain)) and any(map(str.isdigit, plain)):
        return "a text of numbers"
    if pair := _PAIR.search(plain):
        return f"{pair.group()[:40]!r}"
    if option := _OPTION.search(plain):
        return f"an option such as {option.group()!r}"
    if any(_HOST.search(word) for word in plain.split() if "@" not in word):
        return "the name of a host"
    key = next((word for word in _WORD.findall(plain) if {word.lower(), word.lower().removesuffix("s")} & _KEYS), None)
    return f"the word {key!r}" if key else None


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
