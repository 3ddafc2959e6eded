"""The environment variables, one row each: name, field, default, what is allowed, and how the text is read.

A new setting is a row in `VARIABLES` and the field that it names, in `Settings` or in `Rules`.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from handler.certificates.domains import is_pattern
from handler.certificates.ids import id_in
from handler.certificates.renewable import Kind


class OssPlace(NamedTuple):
    """A journal in a bucket, all keys below `prefix` (no slash at either end, may be empty)."""

    bucket: str
    prefix: str


class Variable(NamedTuple):
    """One environment variable."""

    name: str
    field: str
    """The field of `Settings`, or of its `Rules`, that the value becomes."""
    default: str | None
    """None: required. `<region>` and `<account>` are filled in from the context."""
    allowed: str
    parse: Callable[[str], Any]
    """Returns the value; ValueError if the text is not allowed."""
    blank_is_a_value: bool = False
    """Elsewhere an empty variable counts as not set. An empty allow-list must not quietly mean "everything"."""


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


def _queue_or_none(text: str) -> str:
    return text and _queue(text)


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


def _kinds(text: str) -> frozenset[Kind]:
    """Return the kinds whose plurals are named, and orders in any case: they are what the function is for."""
    plurals = {f"{kind.value}s": kind for kind in Kind}
    words = _words(text)
    if not words or not set(words) <= plurals.keys():
        raise ValueError
    return frozenset({Kind.ORDER, *(plurals[word] for word in words)})


def _products(text: str) -> tuple[str, ...]:
    """Return the products as CAS spells them, in whatever case they are given; `*` stands alone."""
    spelling = {product.casefold(): product for product in PRODUCTS}
    words = _words(text)
    if words == ("*",):
        return words
    if not {word.casefold() for word in words} <= spelling.keys():
        raise ValueError
    return tuple(dict.fromkeys(spelling[word.casefold()] for word in words))


def _switch(text: str) -> bool:
    if text.lower() not in {"on", "off"}:
        raise ValueError
    return text.lower() == "on"


def _contact(text: str) -> str:
    found = id_in(text)
    if text and found is None:
        raise ValueError
    return found or ""


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
            raise ValueError
        return int(text)

    return parse


def _days(low: int, high: int) -> Callable[[str], timedelta]:
    number = _whole(low, high)
    return lambda text: timedelta(days=number(text))


def _seconds(low: int, high: int) -> Callable[[str], timedelta]:
    number = _whole(low, high)
    return lambda text: timedelta(seconds=number(text))


def _flag(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError
    return text.lower() == "true"


def _may_apply(text: str) -> bool:
    if text not in {"watch", "apply"}:
        raise ValueError
    return text == "apply"


PRODUCTS = (
    *("ALB", "APIGateway", "CDN", "CR", "DCDN", "DDOS", "FC", "GA", "LIVE", "MSE", "NLB", "OSS", "SAE", "SLB", "VOD"),
    *("WAF", "webHosting"),
)
"""The products to which CAS deploys bought certificates for nothing, as it spells them."""

_URL = "a host, or a URL with http:// or https:// and no path"
_QUEUE = "a queue name: letters, digits and hyphens, at most 120"
_PATTERNS = "comma-separated domain patterns such as *.example.com"
_WATCH = "orders,instances,certificates"
_EXPIRY = "*expir*,*cert*day*,*ssl*day*,*到期*,*过期*"

VARIABLES = (
    Variable("CAS_ENDPOINT", "cas_endpoint", "cas.aliyuncs.com", _URL, _url),
    Variable("SMQ_QUEUE", "smq_queue", None, _QUEUE, _queue),
    Variable("ALERT_QUEUE", "alert_queue", "", "a queue name, or nothing for the queue in SMQ_QUEUE", _queue_or_none),
    Variable("SMQ_ENDPOINT", "smq_endpoint", "https://<account>.mns.<region>.aliyuncs.com", _URL, _url),
    Variable("JOURNAL_URL", "journal", None, "oss://bucket/prefix or file:///folder", _journal),
    Variable("OSS_ENDPOINT", "oss_endpoint", "https://oss-<region>-internal.aliyuncs.com", _URL, _url),
    Variable("RENEW_WITHIN_DAYS", "within", "30", "a whole number from 1 to 365", _days(1, 365)),
    Variable("RENEW_STATUSES", "statuses", "WILLEXPIRED", "WILLEXPIRED, ISSUED, or both with a comma", _statuses),
    Variable(
        "RENEW_DOMAINS", "domains", "*", f"{_PATTERNS}, or * for every domain", _some_patterns, blank_is_a_value=True
    ),
    Variable("RENEW_DOMAINS_EXCEPT", "domains_except", "", f"{_PATTERNS}, or nothing", _patterns),
    Variable("MAX_RENEWALS_PER_RUN", "max_renewals_per_run", "10", "a whole number from 0 to 1000", _whole(0, 1000)),
    Variable("MAX_RENEWALS_PER_DAY", "max_renewals_per_day", "50", "a whole number from 0 to 10000", _whole(0, 10000)),
    Variable("SETTLE_SECONDS", "settle", "900", "a whole number from 1 to 86400", _seconds(1, 86400)),
    Variable("STALLED_WITHIN_DAYS", "stalled_within", "14", "a whole number from 1 to 365", _days(1, 365)),
    Variable("DRY_RUN", "dry_run", "false", "true or false", _flag),
    Variable("EXPIRY_EVENTS", "expiry_events", _EXPIRY, "comma-separated patterns of event or rule names", _titles),
    Variable("WATCH", "watch", _WATCH, "some of orders, instances and certificates, with commas", _kinds),
    Variable("INSTANCES", "may_apply", "watch", "watch or apply", _may_apply),
    Variable(
        "DEPLOY_TO", "deploy_to", "", f"some of {', '.join(PRODUCTS)} with commas, * for all, or nothing", _products
    ),
    Variable("PROBE", "probe", "on", "on or off", _switch),
    Variable("DEPLOY_CONTACT", "deploy_contact", "", "the id of a contact, in digits, or nothing", _contact),
)
"""Every setting, in the order in which the documentation lists them."""
