"""The settings: environment variables, checked together.

A new setting is a row in `VARIABLES` and a field of `Settings`.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from urllib.parse import unquote, urlsplit

from handler.certificates.domains import is_pattern
from handler.certificates.rules import Rules
from handler.errors import SettingsError


class Function(Protocol):
    """The part of the platform's context that describes the function."""

    timeout: int
    """Seconds after which the platform ends the invocation."""


class Context(Protocol):
    """The platform's context, as far as every runtime has it. `credentials` is missing from 3.12."""

    request_id: str
    region: str
    account_id: str
    function: Function


class OssPlace(NamedTuple):
    """A journal in a bucket, all keys below `prefix` (no slash at either end, may be empty)."""

    bucket: str
    prefix: str


class Settings(NamedTuple):
    """What the operator decided, with the defaults filled in."""

    cas_endpoint: str
    smq_queue: str
    alert_queue: str
    """Where alarms go; the same as `smq_queue` unless it was set."""
    smq_endpoint: str
    journal: OssPlace | Path
    oss_endpoint: str
    rules: Rules
    max_renewals_per_run: int
    max_renewals_per_day: int
    """Over all runs of a UTC day."""
    settle: timedelta
    stalled_within: timedelta
    """How long before the old certificate's end a renewal that does not get on begins to be told."""
    dry_run: bool
    expiry_events: tuple[str, ...]


class Variable(NamedTuple):
    """One environment variable."""

    name: str
    default: str | None
    """None: required. `<region>` and `<account>` are filled in from the context."""
    allowed: str
    parse: Callable[[str], Any]
    """Returns the value; ValueError if the text is not allowed."""


def _url(text: str) -> str:
    url = urlsplit(text if "://" in text else f"https://{text}")
    bare = url.hostname and not (url.path.strip("/") or url.query or url.fragment or "@" in url.netloc)
    if url.scheme not in {"http", "https"} or not bare or not re.fullmatch(r"[A-Za-z0-9.-]+(:[0-9]+)?", url.netloc):
        raise ValueError
    if url.port == 0:  # reading the port raises ValueError for one above 65535
        raise ValueError
    return f"{url.scheme}://{url.netloc}"


def _queue(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{0,119}", text):
        raise ValueError
    return text


def _journal(text: str) -> OssPlace | Path:
    url = urlsplit(text)
    prefix = url.path.strip("/")
    if url.query or url.fragment or ".." in prefix.split("/"):
        raise ValueError
    if url.scheme == "oss" and re.fullmatch(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", url.netloc):
        return OssPlace(url.netloc, prefix)
    if url.scheme == "file" and not url.netloc and prefix:
        return Path(unquote(url.path))
    raise ValueError


def _statuses(text: str) -> frozenset[str]:
    statuses = frozenset(_words(text))
    if not statuses or not statuses <= {"WILLEXPIRED", "ISSUED"}:
        raise ValueError
    return statuses


def _patterns(text: str) -> tuple[str, ...]:
    patterns = _words(text)
    if not all(map(is_pattern, patterns)):
        raise ValueError
    return patterns


def _some_patterns(text: str) -> tuple[str, ...]:
    patterns = _patterns(text)
    if not patterns:
        raise ValueError
    return patterns


def _titles(text: str) -> tuple[str, ...]:
    """Event and rule names have colons, spaces and what not in them."""
    patterns = _words(text)
    if not patterns:
        raise ValueError
    return patterns


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
            raise ValueError
        return int(text)

    return parse


def _flag(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError
    return text.lower() == "true"


_A_URL = "a host, or a URL with http:// or https:// and no path"
_PATTERNS = "comma-separated domain patterns such as *.example.com"

VARIABLES = (
    Variable("CAS_ENDPOINT", "cas.aliyuncs.com", _A_URL, _url),
    Variable("SMQ_QUEUE", None, "a queue name: letters, digits and hyphens, at most 120", _queue),
    Variable(
        "ALERT_QUEUE", "", "a queue name, or nothing for the queue in SMQ_QUEUE", lambda text: text and _queue(text)
    ),
    Variable("SMQ_ENDPOINT", "https://<account>.mns.<region>.aliyuncs.com", _A_URL, _url),
    Variable("JOURNAL_URL", None, "oss://bucket/prefix or file:///folder", _journal),
    Variable("OSS_ENDPOINT", "https://oss-<region>-internal.aliyuncs.com", _A_URL, _url),
    Variable("RENEW_WITHIN_DAYS", "30", "a whole number from 1 to 365", _whole(1, 365)),
    Variable("RENEW_STATUSES", "WILLEXPIRED", "WILLEXPIRED, ISSUED, or both with a comma", _statuses),
    Variable("RENEW_DOMAINS", "*", f"{_PATTERNS}, or * for every domain", _some_patterns),
    Variable("RENEW_DOMAINS_EXCEPT", "", f"{_PATTERNS}, or nothing", _patterns),
    Variable("MAX_RENEWALS_PER_RUN", "10", "a whole number from 0 to 1000", _whole(0, 1000)),
    Variable("MAX_RENEWALS_PER_DAY", "50", "a whole number from 0 to 10000", _whole(0, 10000)),
    Variable("SETTLE_SECONDS", "900", "a whole number from 1 to 86400", _whole(1, 86400)),
    Variable("STALLED_WITHIN_DAYS", "14", "a whole number from 1 to 365", _whole(1, 365)),
    Variable("DRY_RUN", "false", "true or false", _flag),
    Variable(
        "EXPIRY_EVENTS",
        "*expir*,*cert*day*,*ssl*day*,*到期*,*过期*",
        "comma-separated patterns of event or rule names",
        _titles,
    ),
)
"""Every setting, in the order in which the documentation lists them."""

BLANK_IS_A_VALUE = frozenset({"RENEW_DOMAINS", "RENEW_DOMAINS_EXCEPT"})
"""Elsewhere an empty variable counts as not set. An empty allow-list must not quietly mean "everything"."""


def settings_from(environ: Mapping[str, str], context: Context) -> Settings:
    """Read the settings.

    Raises SettingsError, which names every variable that is missing or wrong, its value and what is allowed, and every
    one whose name is a slip: left alone, the setting that was meant would quietly have its default.
    """
    values: dict[str, Any] = {}
    problems = [
        f"{name} is no setting; if {' or '.join(meant)} is meant, rename it, else remove it"
        for name, meant in misspelt(environ, [variable.name for variable in VARIABLES]).items()
    ]
    for variable in VARIABLES:
        text = environ.get(variable.name, "").strip()
        if not text and not (variable.name in BLANK_IS_A_VALUE and variable.name in environ):
            if variable.default is None:
                problems.append(f"{variable.name} is not set; it must be {variable.allowed}")
                continue
            text = variable.default.replace("<region>", context.region).replace("<account>", str(context.account_id))
        try:
            values[variable.name] = variable.parse(text)
        except ValueError:
            problems.append(f"{variable.name} is {_shown(text)}; it must be {variable.allowed}")
    if problems:
        raise SettingsError(problems)
    return Settings(
        cas_endpoint=values["CAS_ENDPOINT"],
        smq_queue=values["SMQ_QUEUE"],
        alert_queue=values["ALERT_QUEUE"] or values["SMQ_QUEUE"],
        smq_endpoint=values["SMQ_ENDPOINT"],
        journal=values["JOURNAL_URL"],
        oss_endpoint=values["OSS_ENDPOINT"],
        rules=Rules(
            within=timedelta(days=values["RENEW_WITHIN_DAYS"]),
            statuses=values["RENEW_STATUSES"],
            domains=values["RENEW_DOMAINS"],
            domains_except=values["RENEW_DOMAINS_EXCEPT"],
        ),
        max_renewals_per_run=values["MAX_RENEWALS_PER_RUN"],
        max_renewals_per_day=values["MAX_RENEWALS_PER_DAY"],
        settle=timedelta(seconds=values["SETTLE_SECONDS"]),
        stalled_within=timedelta(days=values["STALLED_WITHIN_DAYS"]),
        dry_run=values["DRY_RUN"],
        expiry_events=values["EXPIRY_EVENTS"],
    )


def misspelt(environ: Iterable[str], names: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return each variable that is none of the names but nearly one, with the names that it nearly is.

    Nearly: apart from case, hyphens and underscores they differ in at most one letter, which is missing, too much,
    another one, or has changed places with the next.
    """
    bare = {name: _bare(name) for name in names}
    others = {variable: _bare(variable) for variable in environ if variable not in bare}
    near = {
        variable: tuple(name for name, meant in bare.items() if _one_letter_apart(written, meant))
        for variable, written in others.items()
    }
    return {variable: meant for variable, meant in near.items() if meant}


def _bare(name: str) -> str:
    return name.replace("_", "").replace("-", "").upper()


def _one_letter_apart(one: str, other: str) -> bool:
    if abs(len(one) - len(other)) > 1:
        return False
    same = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    one, other = one[same:], other[same:]
    swapped = one[:2] == other[:2][::-1] and one[2:] == other[2:]
    return swapped or one[1:] == other[1:] or one[1:] == other or one == other[1:]


def _shown(text: str) -> str:
    """Quote a wrong value, without what may be secret in a URL: a password (with or without a scheme) and a query."""
    without_query = re.sub(r"(?s)(://[^?]*\?).*", r"\1***", text)
    return repr(re.sub(r"(?s)^(\w+://)?.*@", r"\1***@", without_query)[:200])
