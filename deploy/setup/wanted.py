"""What an account needs for the function."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.deployment import Deployment
from deploy.policy import chosen, policy_for

TRUST = Path(__file__).resolve().parent.parent / "trust-policy.json"
RETENTION_SECONDS = 604800
"""Seven days, the longest that SMQ keeps a message."""


@dataclass(frozen=True)
class Wanted:
    """What there has to be."""

    account: str
    region: str
    role: str
    """The name of the role, and of its policy."""
    trust: Any
    """Who may take the role: a policy document."""
    policy: Any
    """What the role may do: a policy document."""
    queues: tuple[str, ...]
    bucket: str
    prefix: str


def wanted_for(deployment: Deployment) -> Wanted:
    """Return what a deployment needs. Raises Problem for names that cannot be."""
    names = chosen((), deployment)
    return Wanted(
        account=names["account"],
        region=names["region"],
        role=deployment.role,
        trust=json.loads(TRUST.read_text(encoding="utf-8")),
        policy=policy_for(deployment),
        queues=tuple(dict.fromkeys((names["queue"], names["alert_queue"]))),
        bucket=names["bucket"],
        prefix=names["prefix"],
    )
