"""What a notice names: ids, domains and `dry_run`, found wherever they stand and however their keys are written.

CAS itself publishes no expiry event that anyone could find; what arrives are events of other products, custom events
and alarm rules. So nothing here relies on one product's fields.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from handler.certificates.domains import parts_of
from handler.certificates.ids import is_surely_v2
from handler.errors import EventRefused
from handler.triggers.values import BEFORE_JSON, json_or_none

_CAS_INSTANCE = re.compile(r"(?<![\w-])cas[-_]\w")
"""How the id of an instance of CAS begins; other products have instances of their own."""
_PAIR = re.compile(r"(?<![\w-])([\w-]+)=(\[[^{}\[\]]*\]|[^,{}\[\]]+)")
"""The value may be a list in brackets.

The lookbehind keeps the search linear: no second try inside a word that no `=` follows."""
_KEY = re.compile(r"(?<![\w-])([\w-]+)[\"']?\s{0,3}:")
_COLLECTION = re.compile("(?:list|array|set|s)+$")
_KINDS = {
    **dict.fromkeys(("orderid", "certorderid", "certificateorderid"), "order_ids"),
    **dict.fromkeys(("certificateid", "certid"), "certificate_ids"),
    **dict.fromkeys(("instanceid", "certinstanceid", "certificateinstanceid", "casinstanceid"), "instance_ids"),
    **dict.fromkeys(("instance", "resource", "resourceid"), "instance_ids"),
    **dict.fromkeys(("domain", "domainname", "commonname", "certdomain"), "domains"),
    **dict.fromkeys(("san", "subjectaltname", "subjectalternativename"), "domains"),
    "dryrun": "dry_run",
}
"""What a key names, by its letters, without what makes it a plural."""
_NUMBERED = {"order": "order_ids", "certificate": "certificate_ids", "cert": "certificate_ids"}
"""Keys that name something if a long number stands there."""
_LONG_NUMBER = re.compile("[0-9]{6,}")
_WRAPPERS = frozenset({"value", "item", "element", "member"})
"""Keys that stand between the key that names and the value, and say nothing themselves."""
_LONGEST_KEY = 80
_ARN = re.compile(r"(?i:acs:(?:cas|yundun-cert)):[^:]*:[^:]*:(?P<resource>[\w.-]+(?:/[\w.-]+)*)")
"""`instance/cas-cn-example01`, and also what stands below another resource, or alone."""


@dataclass
class Names:
    """What was found, each with its path, in reading order. Values are as they came, unchecked."""

    order_ids: list[tuple[str, Any]] = field(default_factory=list)
    certificate_ids: list[tuple[str, Any]] = field(default_factory=list)
    instance_ids: list[tuple[str, Any]] = field(default_factory=list)
    domains: list[tuple[str, Any]] = field(default_factory=list)
    dry_run: list[tuple[str, Any]] = field(default_factory=list)
    """What is said under this key, wherever it stands."""
    empty: list[str] = field(default_factory=list)
    """Paths of lists that would name something and are empty."""


def named_in(body: dict[str, Any]) -> Names:
    """Collect every order id, certificate id, CAS instance id and domain that a notice's body names, and its `dry_run`.

    Keys count in any spelling and in the plural; a text may hold several values. A resource name of CAS counts under
    any key, and so does an id that can be nothing but a V2 instance's, unless its key says that it is something else.
    """
    names = Names()
    for path, key, value in _leaves(body, ""):
        kind = _kind(key)
        if kind == "dry_run":
            names.dry_run.append((path, value))
        elif isinstance(value, str) and (arn := _ARN.fullmatch(value)):
            _from_arn(arn, path, names)
        elif kind is not None:
            _from_field(kind, path, value, names)
        elif isinstance(value, str) and (parts := parts_of(value)) and all(map(is_surely_v2, parts)):
            names.instance_ids += [(path, part) for part in parts]
        elif (numbered := _NUMBERED.get(_COLLECTION.sub("", key.lower()[:_LONGEST_KEY]))) and _is_long_number(value):
            _from_field(numbered, path, value, names)
    return names


def _is_long_number(value: Any) -> bool:
    parts = parts_of(str(value)) if isinstance(value, (str, int)) else []
    return bool(parts) and all(map(_LONG_NUMBER.fullmatch, parts))


def _kind(key: str) -> str | None:
    """Tell what a key names; None if nothing."""
    if len(key) > _LONGEST_KEY:
        return None
    word = re.sub(r"[^a-z]", "", key.lower())
    return _KINDS.get(word) or _KINDS.get(_COLLECTION.sub("", word))


def _from_field(kind: str, path: str, value: Any, names: Names) -> None:
    values = parts_of(value) if isinstance(value, str) else [value]
    if kind == "instance_ids":
        for part in (part for part in values if isinstance(part, str)):
            if arn := _ARN.fullmatch(part):
                _from_arn(arn, path, names)
            elif _CAS_INSTANCE.match(part):
                names.instance_ids.append((path, part))
    elif not values or isinstance(value, (dict, list)):
        names.empty.append(path)
    else:
        found: list[tuple[str, Any]] = getattr(names, kind)
        found += [(path, part.removeprefix("DNS:") if isinstance(part, str) else part) for part in values]


def _from_arn(arn: re.Match[str], path: str, names: Names) -> None:
    steps = arn["resource"].split("/")
    for kind, step in zip(["", *map(str.lower, steps)], steps, strict=False):
        if kind == "order":
            names.order_ids.append((path, step))
        elif kind in {"certificate", "cert"}:
            names.certificate_ids.append((path, step))
        elif _CAS_INSTANCE.match(step):
            names.instance_ids.append((path, step))


def _leaves(value: Any, path: str, key: str = "") -> Iterator[tuple[str, str, Any]]:
    """Walk to every plain value; JSON text and CloudMonitor's `{key=value, …}` text are walked into.

    Empty lists and objects are yielded, too, and so is whatever stands under `dry_run`.
    """
    if _kind(key) == "dry_run":
        yield path, key, value
    elif isinstance(value, dict) and value:
        for name, inner in value.items():
            step = name[:80] if name.isprintable() else ascii(name[:80])
            yield from _leaves(inner, f"{path}.{step}" if path else step, _key_below(key, name))
    elif isinstance(value, list) and value:
        for i, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{i}]", key)
    elif isinstance(value, str) and _may_be_json(value):
        opened = _opened(value, path)
        if isinstance(opened, str):
            yield path, key, opened
        else:
            yield from _leaves(opened, path, key)
    elif value is not None and value != "":
        yield path, key, value


def _key_below(key: str, name: str) -> str:
    """Return what a key in an object means there: `id` below `order` is an order id, `value` is what stands above."""
    if _kind(name) is not None:
        return name
    joined = _COLLECTION.sub("", key.lower()[-_LONGEST_KEY:]) + name
    if _kind(joined) is not None:
        return joined
    return key if _COLLECTION.sub("", name.lower()[-_LONGEST_KEY:]) in _WRAPPERS else name


def _may_be_json(text: str) -> bool:
    return text.lstrip(BEFORE_JSON)[:1] in {"{", "[", '"'}


def _opened(text: str, path: str) -> Any:
    """Open JSON text, however often it was wrapped, or what CloudMonitor writes instead.

    Text that is neither comes back, without brackets.
    """
    opened = json_or_none(text, path)
    if isinstance(opened, str) and _may_be_json(opened):
        return _opened(opened, path)
    if opened is not None:
        return opened
    pairs: dict[str, list[str]] = {}
    for key, value in _PAIR.findall(text):
        pairs.setdefault(key, []).append(value.strip())
    if not pairs and _names_something(text):
        raise EventRefused(path, "it names something and cannot be read; expected JSON or {key=value, …}")
    return {key: values if len(values) > 1 else values[0] for key, values in pairs.items()} or text.strip().strip("[]")


def _names_something(text: str) -> bool:
    """Tell whether free text has a key that names; other products write of instances of their own."""
    kinds = {_kind(key) for key in _KEY.findall(text)} - {None}
    return bool(kinds - {"instance_ids"}) or (bool(kinds) and _CAS_INSTANCE.search(text) is not None)
