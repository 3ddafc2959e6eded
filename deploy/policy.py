"""Print the RAM policy of the function's role, filled in for one account.

The values come from `vars` in s.yaml; `name=value` arguments take precedence.
"""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

import yaml

from deploy.reader import reader_may_leave

ROOT = Path(__file__).resolve().parent.parent
POLICY = ROOT / "deploy" / "ram-policy.json"
DEPLOYMENT = ROOT / "s.yaml"

ALLOWED = {
    "region": r"[a-z0-9-]+",
    "account": r"[0-9]+",
    "queue": r"[A-Za-z0-9][A-Za-z0-9-]{0,119}",
    "alert_queue": r"[A-Za-z0-9][A-Za-z0-9-]{0,119}",
    "bucket": r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
    "prefix": r"[\w.-]+(/[\w.-]+)*",
    "deploy_to": r"(\*|[A-Za-z]+(, *[A-Za-z]+)*)?",
}
"""The placeholders of the policy, and what each may be: above all no `*`, which would grant more than was meant.

`deploy_to` is none: unless it is empty, the statements are granted that only it needs (`OnlyWith`)."""


class PolicyError(Exception):
    """The policy cannot be filled in."""


def main(arguments: list[str] | None = None) -> int:
    """Print the policy, or say what is wrong."""
    try:
        values = chosen(sys.argv[1:] if arguments is None else arguments, DEPLOYMENT.read_text(encoding="utf-8"))
        policy = filled(json.loads(POLICY.read_text(encoding="utf-8")), values)
    except PolicyError as error:
        print(f"policy: {error}", file=sys.stderr)
        return 1
    with reader_may_leave():
        print(json.dumps(policy, indent=2))
    return 0


def chosen(arguments: list[str], deployment: str) -> dict[str, str]:
    """The value of each placeholder: from the arguments, else from the text of s.yaml."""
    variables = variables_in(deployment)
    variables |= {"bucket": variables.get("journal_bucket"), "prefix": variables.get("journal_prefix")}
    values = {name: str(variables[name]) for name in ALLOWED if variables.get(name)}
    for argument in arguments:
        name, _, value = argument.partition("=")
        if name not in ALLOWED:
            raise PolicyError(f"{argument!r} is not one of {', '.join(f'{name}=...' for name in ALLOWED)}")
        values[name] = value
    values.setdefault("alert_queue", values.get("queue", ""))
    values.setdefault("deploy_to", "")
    for name, pattern in ALLOWED.items():
        value = values.get(name, "").strip("/")
        if not re.fullmatch(pattern, value):
            raise PolicyError(f"{name} is {value!r}; it must match {pattern}")
        values[name] = value
    return values


def variables_in(deployment: str) -> dict[str, Any]:
    """What stands under `vars` in the text of s.yaml. Raises PolicyError if the text is not like that."""
    try:
        document = yaml.safe_load(deployment)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise PolicyError(f"s.yaml is no YAML: {where}{error.problem}; look for a quote or an indent there") from None
    except yaml.YAMLError as error:
        raise PolicyError(f"s.yaml is no YAML: {error}") from None
    variables = document.get("vars") if isinstance(document, dict) else None
    if not isinstance(variables, dict):
        raise PolicyError("s.yaml has no `vars` with a name and a value on each line; the original has")
    return dict(variables)


def filled(policy: Any, values: Mapping[str, str]) -> Any:
    """A copy of the policy with every placeholder filled in, without the statements that nothing chosen needs."""
    if isinstance(policy, dict):
        return {key: filled(value, values) for key, value in policy.items() if key != "OnlyWith"}
    if isinstance(policy, list):
        entries = [filled(value, values) for value in policy if _is_needed(value, values)]
        return [entry for i, entry in enumerate(entries) if entry not in entries[:i]]  # both queues may be one
    return Template(policy).substitute(values)


def _is_needed(entry: Any, values: Mapping[str, str]) -> bool:
    return not isinstance(entry, dict) or "OnlyWith" not in entry or bool(values[entry["OnlyWith"]])


if __name__ == "__main__":
    sys.exit(main())
