"""The keys of a deployment file: what nobody would read there is refused, since it would be believed to be in force.

Serverless Devs and its component `fc3` let a key pass that they do not know: `enviromentVariables` deploys a function
without the settings that stand below it. So a key that this program does not know is refused where it is nearly one
that there is, or holds settings of the function, or is a setting itself; and whatever else is not known here,
Serverless Devs may know, so that is a warning.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from deploy.problem import Problem
from handler.runtime.misspelling import misspelt
from handler.runtime.variables import VARIABLES as SETTINGS

PLACES = ("region", "account", "queue", "alert_queue", "journal_bucket", "journal_prefix", "role")
VARIABLES = (*PLACES, "schedule", "domains", "dry_run")
"""What stands under `vars`."""
RESOURCE = "renewer"

_SETTINGS = tuple(setting.name for setting in SETTINGS)
_TOP = ("edition", "name", "access", "extend", "vars", "resources", "actions", "flow", "env", "template")
_RESOURCE = ("component", "props", "access", "actions", "extend", "flow")
_PROPS = (
    *("region", "functionName", "description", "runtime", "handler", "code", "role", "timeout", "cpu", "memorySize"),
    *("diskSize", "internetAccess", "instanceConcurrency", "instanceLifecycleConfig", "concurrencyConfig"),
    *("asyncInvokeConfig", "logConfig", "tags", "environmentVariables", "triggers", "annotations", "vpcConfig"),
    *("vpcBinding", "nasConfig", "ossMountConfig", "layers", "customDNS", "customRuntimeConfig", "gpuConfig"),
    *("customContainerConfig", "tracingConfig", "provisionConfig", "scalingConfig", "resourceGroupId", "endpoint"),
    *("sessionAffinity", "sessionAffinityConfig", "instanceIsolationMode", "enableLongLiving", "supplement"),
)
_HOOK = ("handler", "timeout", "command")
_BELOW: Mapping[str, tuple[str, ...]] = {
    "asyncInvokeConfig": (
        *("maxAsyncRetryAttempts", "maxAsyncEventAgeInSeconds", "destinationConfig", "asyncTask", "qualifier"),
    ),
    "concurrencyConfig": ("reservedConcurrency",),
    "instanceLifecycleConfig": ("initializer", "preStop"),
    "initializer": _HOOK,
    "preStop": _HOOK,
    "vpcConfig": ("vpcId", "vSwitchIds", "securityGroupId"),
    "logConfig": (
        *("project", "logstore", "enableRequestMetrics", "enableInstanceMetrics", "logBeginRule", "enableLlmMetrics"),
    ),
    "tags": ("key", "value"),
    "triggers": (
        *("triggerName", "triggerType", "triggerConfig", "description", "qualifier", "invocationRole", "sourceArn"),
    ),
    "timer": ("cronExpression", "enable", "payload"),
    "eventbridge": (
        *("triggerEnable", "asyncInvocationType", "eventRuleFilterPattern", "eventSourceConfig", "eventSinkConfig"),
        "runOptions",
    ),
}
"""The keys of objects below `props`, by the key of the object; the config of a trigger by the trigger's type. What is
not here is not looked into."""
_OF_OTHERS = re.compile(
    r"TZ|LANG|LC_[A-Z]+|LD_[A-Z_]+|PYTHON[A-Z]+|(?i:https?|no|all)_(?i:proxy)|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE"
    r"|FC_EXTENSION\w*"
)
"""Environment variables that are no settings, and that the runtime, its libraries or the platform read."""


_LOOKED_INTO = frozenset({"vars", "resources", "props", "environmentVariables"})
"""The keys below which this program looks for settings and variables itself."""


def check_keys(document: Mapping[str, Any], text: str, name: str) -> Iterator[str]:
    """Yield a warning for each key of a file that this program does not know, and that may be meant nevertheless.

    `text` is what the document was read from, for the variables that are used in it. Raises Problem for a key that can
    only be a mistake, and for one that has no value.
    """
    variables, resources = (_object(document, key, name) for key in ("vars", "resources"))
    yield from _checked(document, _TOP, "", name)
    for key in variables:
        if key not in VARIABLES and not _is_used(key, text):
            raise _unknown(key, "vars", VARIABLES, name)
    _require_values(variables, "vars", name)
    for key in resources:
        resource = _object(resources, key, name)
        if key == RESOURCE:
            yield from _of_the_function(resource, name)
        else:
            yield _another_resource(key, resource, name)


def _of_the_function(resource: Mapping[str, Any], name: str) -> Iterator[str]:
    place = f"resources.{RESOURCE}"
    yield from _checked(resource, _RESOURCE, place, name)
    props = _object(resource, "props", name)
    yield from _checked(props, _PROPS, f"{place}.props", name)
    for key, value in props.items():
        yield from _below(key, value, f"{place}.props.{key}", name)
    environment = _object(props, "environmentVariables", name)
    _require_values(environment, "environmentVariables", name)
    for key in (key for key in environment if key not in _SETTINGS):
        if not _OF_OTHERS.fullmatch(str(key)):
            raise _no_setting(str(key), name)
        yield f"{key} in environmentVariables in {name} is no setting of the function; what else reads it, may"


def _below(key: str, value: object, place: str, name: str) -> Iterator[str]:
    """Check an object below `props`, or each of a list."""
    for one in value if isinstance(value, list) else [value]:
        if not isinstance(one, dict) or key not in _BELOW:
            continue
        yield from _checked(one, _BELOW[key], place, name)
        for inner, deeper in one.items():
            meant = str(one.get("triggerType")) if inner == "triggerConfig" else inner
            yield from _below(meant, deeper, f"{place}.{inner}", name)


def _checked(found: Mapping[str, Any], allowed: tuple[str, ...], place: str, name: str) -> Iterator[str]:
    """Yield the keys that may be meant, as warnings. Raises Problem for what can only be a mistake."""
    _require_values(found, place, name)
    for key, value in found.items():
        inside = sorted(
            _settings_in(value) if key in allowed else _settings_in({key: value}) | _variables_in({key: value})
        )
        if inside and key not in _LOOKED_INTO:
            said = f"{_where(key, place, name)} is not where {inside[0]} is read"
            raise Problem(
                said, f"put settings into resources.{RESOURCE}.props.environmentVariables, variables into vars"
            )
        if key in allowed:
            continue
        if _near(str(key), allowed) or (key in _PROPS and place in {"", f"resources.{RESOURCE}"}):
            raise _unknown(str(key), place, allowed, name)
        yield f"{_where(key, place, name)} is nothing that this program knows; Serverless Devs may"


def _another_resource(key: str, resource: Mapping[str, Any], name: str) -> str:
    if "component" not in resource or _near(key, [RESOURCE]) or _settings_in(resource):
        raise Problem(
            f"{key} in resources in {name} is not the function, and what stands there is not looked at here",
            f"call it {RESOURCE} if that is meant, else keep it in a file of its own",
        )
    return f"{key} in resources in {name} is not looked at here; `s deploy` deploys it, too"


def _settings_in(value: object) -> set[str]:
    """Return the keys of an object that are, or nearly are, settings of the function, at any depth."""
    keys = set(_keys_in(value))
    slips = misspelt(keys, [setting for setting in _SETTINGS if "_" in setting])  # `match` is no slip of WATCH
    return keys & {*_SETTINGS, *slips}


def _variables_in(value: object) -> set[str]:
    """Return the keys of an object that are variables of this project, at any depth, but for those of much else."""
    return {*_keys_in(value)} & ({*VARIABLES} - {"region", "role"})


def _keys_in(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        yield from map(str, value)
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        yield from _keys_in(one)


def _no_setting(key: str, name: str) -> Problem:
    near = _near(key, _SETTINGS)
    meant = f"rename it if {' or '.join(near)} is meant, else remove it" if near else "remove it, or use one of these"
    allowed = "" if near else f"; settings are {', '.join(_SETTINGS)}"
    return Problem(f"{key} is no setting of the function (environmentVariables in {name}){allowed}", meant)


def _unknown(key: str, place: str, allowed: tuple[str, ...], name: str) -> Problem:
    near = _near(key, allowed)
    what = "is no variable of this project, and nothing uses it" if place == "vars" else "is read by nobody"
    said = f"{_where(key, place, name)} {what}"
    if near:
        return Problem(said, f"rename it if {near[0]} is meant, else remove it")
    if key in _PROPS:
        return Problem(said, f"move it to resources.{RESOURCE}.props")
    return Problem(f"{said}; there are {', '.join(allowed)}", "use one of these, or remove it")


def _require_values(found: Mapping[str, Any], place: str, name: str) -> None:
    """Raise Problem for a key without a value: the one of s.yaml would stay in force."""
    for key, value in found.items():
        if value is None:
            raise Problem(
                f"{_where(key, place, name)} has no value, so it changes nothing", 'give it one ("" is empty)'
            )


def _near(key: str, allowed: Iterable[str]) -> list[str]:
    """Return the names that are nearly this one, the nearest first, whatever their case, hyphens and underscores."""
    bare = {_bare(name): name for name in allowed}
    found = difflib.get_close_matches(_bare(key), bare, 2, 0.65)
    return [bare[one] for one in found]


def _bare(name: str) -> str:
    return re.sub(r"[_-]", "", name).casefold()


def _is_used(variable: object, text: str) -> bool:
    """Tell whether a variable of the operator's own is used in the file: as `${vars.…}`, or by an anchor."""
    anchor = re.search(rf"(?m)^\s+{re.escape(str(variable))}:\s*&(\S+)", text)
    return f"${{vars.{variable}}}" in text or bool(anchor and re.search(rf"\*{re.escape(anchor[1])}(?!\w)", text))


def _where(key: object, place: str, name: str) -> str:
    return f"{key} in {place} in {name}" if place else f"{key} in {name}"


def _object(document: Mapping[str, Any], key: str, name: str) -> Mapping[str, Any]:
    """Return the object below a key; an empty one if there is no such key. Raises Problem for anything else."""
    found = document.get(key, {})
    if found is None:
        raise Problem(f"{key} in {name} has no value, so it changes nothing", "give it one, or remove it")
    if not isinstance(found, dict):
        raise Problem(f"{key} in {name} is no object", "compare it with s.mine.example.yaml")
    return found
