"""Print the RAM policy of the function's role, filled in for one account.

The values are the operator's choices (see `deploy.deployment`); `name=value` arguments take precedence.
"""

import json
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from string import Template
from typing import Any

from deploy.deployment import Deployment, read_deployment
from deploy.problem import Problem, warn
from deploy.reader import at_terminal, reader_may_leave

POLICY = Path(__file__).with_name("ram-policy.json")

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


def main(arguments: list[str] | None = None) -> int:
    """Print the policy, or say what is wrong."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        deployment = read_deployment()
        policy = policy_for(deployment, given)
    except Problem as problem:
        print(f"policy: {problem.line}", file=sys.stderr)
        return 1
    warn("policy", deployment.warnings)
    if deployment.placeholders and not {"account", "bucket"} <= {argument.partition("=")[0] for argument in given}:
        warn("policy", [deployment.warning])
    with reader_may_leave():
        print(json.dumps(policy, indent=2))
    return 0


def policy_for(deployment: Deployment, arguments: Iterable[str] = ()) -> Any:
    """Return the policy for a deployment, filled in. Raises Problem for a value that would grant something else."""
    return filled(json.loads(POLICY.read_text(encoding="utf-8")), chosen(arguments, deployment))


def chosen(arguments: Iterable[str], deployment: Deployment) -> dict[str, str]:
    """Return the value of each placeholder: from the arguments, else from the deployment. Raises Problem."""
    values = {
        "region": deployment.region,
        "account": deployment.account,
        "queue": deployment.queue,
        "alert_queue": deployment.alert_queue,
        "bucket": deployment.journal_bucket,
        "prefix": deployment.journal_prefix,
        "deploy_to": deployment.environment.get("DEPLOY_TO", ""),
    }
    for argument in arguments:
        name, _, value = argument.partition("=")
        if name not in ALLOWED:
            names = ", ".join(f"{name}=..." for name in ALLOWED)
            raise Problem(f"{argument!r} is not one of {names}", "name one of these")
        values[name] = value
    values["alert_queue"] = values["alert_queue"] or values["queue"]
    for name, pattern in ALLOWED.items():
        value = values[name].strip("/")
        if not re.fullmatch(pattern, value):
            raise Problem(f"{name} is {value!r}", f"let it match {pattern}")
        values[name] = value
    return values


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
    sys.exit(at_terminal(main))
