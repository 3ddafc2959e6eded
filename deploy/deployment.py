"""What will be deployed, and where: `s.yaml` with the operator's own file `s.mine.yaml` laid over it.

That file is no invention of this project: it says `extend: s.yaml`, and Serverless Devs lays it over that one as it is
done here. Objects are merged, all else is replaced. Git does not track it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from deploy.keys import PLACES, RESOURCE, VARIABLES, check_keys
from deploy.problem import Problem
from deploy.unique_keys import read_yaml

ROOT = Path(__file__).resolve().parent.parent
TRACKED = "s.yaml"
CHOICES = "s.mine.yaml"
EXAMPLE = "s.mine.example.yaml"

PLACEHOLDERS = {"account": "123456789012", "journal_bucket": "example-renewal-journal"}
"""What stands in the tracked files in the place of what nobody but the operator can know."""

Arrivals = Mapping[str, tuple[str, Sequence[str | None], str]]

_VAR = re.compile(r"\$\{vars\.(\w+)\}")


@dataclass(frozen=True)
class Deployment:
    """The deployment, as far as this program has to do with it."""

    template: str
    """The file that Serverless Devs is given, by its name in the project's folder."""
    region: str
    account: str
    queue: str
    alert_queue: str
    """Empty: the same queue."""
    journal_bucket: str
    journal_prefix: str
    role: str
    """The name of the RAM role."""
    function: str
    runtime: str
    timeout: object
    code: object
    """Where the code is that is deployed: a folder, by its name from here."""
    environment: Mapping[str, str]
    """The function's settings."""
    timers: tuple[str, ...]
    """When it runs by itself: the schedules of the timers that are on."""
    event_triggers: tuple[str, ...]
    """The names of the other triggers."""
    warnings: tuple[str, ...] = ()
    """What may be meant as it stands, and is nothing that this program knows."""

    @property
    def placeholders(self) -> list[str]:
        """What nobody has chosen yet, as a person reads it: the name and the example's value."""
        return [f"{name} {value}" for name, value in PLACEHOLDERS.items() if getattr(self, name) == value]

    def require_choices(self) -> None:
        """Raise Problem if something that only the operator can know is still that of the example."""
        if self.placeholders:
            raise Problem(self.warning, "put your own there")

    @property
    def warning(self) -> str:
        """Say of what is still the example's that it is."""
        copy = "" if self.template == CHOICES else f" (`cp {EXAMPLE} {CHOICES}`)"
        return f"still the example's: {' and '.join(self.placeholders)}; your choices go into {CHOICES}{copy}"


def read_deployment() -> Deployment:
    """Read what is to be deployed from here; without a `s.mine.yaml`, that is `s.yaml` alone.

    Raises Problem for a file that cannot be read, and for choices that would not arrive where they are meant to.
    """
    name, own = TRACKED, dict[str, Any]()
    document, warnings = _document(ROOT / TRACKED)
    if (ROOT / CHOICES).exists():
        name = CHOICES
        own, more = _document(ROOT / CHOICES)
        if own.get("extend") != TRACKED:
            raise Problem(f"{CHOICES} does not say `extend: {TRACKED}`", f"begin it as {EXAMPLE} does")
        document, warnings = merged(document, own), (*warnings, *more)
    chosen = {variable: _text(_object(document, "vars", name), variable, {}, name) for variable in VARIABLES}
    props = _object(_object(_object(document, "resources", name), RESOURCE, name), "props", name)
    environment = _object(props, "environmentVariables", name)
    settings = {key: _text(environment, key, chosen, name) for key in environment}
    _require_arrival(chosen, _arrivals(chosen, props, settings, name), own.get("vars") or {}, name)
    triggers = _triggers(props, name)
    return Deployment(
        template=name,
        **{field: chosen[field] for field in PLACES},
        function=_text(props, "functionName", chosen, name),
        runtime=_text(props, "runtime", chosen, name),
        timeout=props.get("timeout"),
        code=props.get("code"),
        environment=settings,
        timers=tuple(time for time, is_on in _timers(triggers, chosen) if is_on),
        event_triggers=tuple(str(one.get("triggerName")) for one in triggers if one.get("triggerType") != "timer"),
        warnings=warnings,
    )


def merged(below: Any, above: Any) -> Any:
    """Lay one document over another as Serverless Devs does: objects are merged, all else but null replaces."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return below if above is None else above
    return below | {key: merged(below[key], value) if key in below else value for key, value in above.items()}


def _document(path: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return what a file holds, and what to warn of in it."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        document = read_yaml(text)
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(f"{path.name} cannot be read: {error}", f"compare it with {EXAMPLE}") from None
    except yaml.YAMLError as error:
        mark, why = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        where = f"line {mark.line + 1}: {why}" if mark else " ".join(str(error).split())
        raise Problem(f"{path.name} is no YAML: {where}", "look for a quotation mark or an indent there") from None
    if not isinstance(document, dict):
        raise Problem(f"{path.name} holds no object", f"compare it with {EXAMPLE}")
    return document, tuple(check_keys(document, text, path.name))


def _object(document: Mapping[str, Any], key: str, name: str) -> dict[str, Any]:
    found = document.get(key)
    if not isinstance(found, dict):
        raise Problem(f"{key} in {name} is no object", f"compare it with {EXAMPLE}")
    return found


def _text(document: Mapping[str, Any], key: str, chosen: Mapping[str, str], name: str) -> str:
    """Return a value with every `${vars.…}` in it replaced."""
    found = document.get(key)
    if not isinstance(found, str):
        raise Problem(f"{key} in {name} is {found!r} and no text", f'put it into quotation marks: {key}: "..."')
    text = _VAR.sub(lambda var: chosen.get(var[1], var[0]), found)
    if "${" in text:
        raise Problem(f"{key} in {name} is {text!r}, which only Serverless Devs can fill in", "write the value itself")
    return text


def _arrivals(chosen: Mapping[str, str], props: Mapping[str, Any], settings: Mapping[str, str], name: str) -> Arrivals:
    """By variable: where in the function it has to arrive, what is there, and what must be."""
    crons = [time for time, _ in _timers(_triggers(props, name), chosen)]
    journal = f"oss://{chosen['journal_bucket']}/{chosen['journal_prefix']}"
    role = f"acs:ram::{chosen['account']}:role/{chosen['role']}"
    return {
        "region": ("region", [_text(props, "region", chosen, name)], chosen["region"]),
        "role": ("role", [_text(props, "role", chosen, name)], role),
        "queue": ("SMQ_QUEUE", [settings.get("SMQ_QUEUE")], chosen["queue"]),
        "alert_queue": ("ALERT_QUEUE", [settings.get("ALERT_QUEUE")], chosen["alert_queue"]),
        "journal_bucket": ("JOURNAL_URL", [settings.get("JOURNAL_URL")], journal),
        "dry_run": ("DRY_RUN", [settings.get("DRY_RUN")], chosen["dry_run"]),
        "domains": ("RENEW_DOMAINS", [settings.get("RENEW_DOMAINS")], chosen["domains"]),
        "schedule": ("cronExpression", crons, chosen["schedule"]),
    }


def _triggers(props: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    triggers = props.get("triggers") or []
    if not isinstance(triggers, list) or not all(isinstance(trigger, dict) for trigger in triggers):
        raise Problem(f"triggers in {name} is no list of objects", f"compare it with {EXAMPLE}")
    return triggers


def _timers(triggers: Sequence[Mapping[str, Any]], chosen: Mapping[str, str]) -> list[tuple[str, bool]]:
    """Return the schedule of each timer, and whether it is on."""
    configs = [trigger.get("triggerConfig") for trigger in triggers if trigger.get("triggerType") == "timer"]
    return [
        (
            _VAR.sub(lambda var: chosen.get(var[1], var[0]), str(config.get("cronExpression"))),
            bool(config.get("enable")),
        )
        for config in configs
        if isinstance(config, dict)
    ]


def _require_arrival(chosen: Mapping[str, str], arrivals: Arrivals, own: Mapping[str, Any], name: str) -> None:
    """Raise Problem for a choice that does not reach the function: it would be believed, and have no effect.

    The aliases in s.yaml were resolved before anything was laid over it, so its own file has to hand a choice on.
    """
    for variable, (key, found, wanted) in arrivals.items():
        matters = variable not in {"domains", "schedule"} or variable in own
        if matters and wanted not in found:
            raise Problem(
                f"{variable} in {name} is {chosen[variable]!r}, and {key} of the function is {found and found[0]!r}",
                f"let {key} be {wanted!r} there, as {EXAMPLE} hands it on",
            )
