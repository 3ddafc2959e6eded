"""What there is in an account, as far as it matters here. None in the place of a thing: there is none of that name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Role:
    """A RAM role."""

    trust: str
    """Who may take it, as RAM has it: a policy document."""
    policies: tuple[str, ...]
    """The names of the policies that are attached to it; those of the system begin with `System:`."""


@dataclass(frozen=True)
class Policy:
    """A custom policy of RAM."""

    document: str
    """Its default version, as RAM has it."""
    version: str
    attachments: int
    """To how many users, groups and roles it is attached."""


@dataclass(frozen=True)
class Queue:
    """A queue of SMQ."""

    retention_seconds: int | None
    """How long it keeps a message; None: it did not say."""


@dataclass(frozen=True)
class Rule:
    """A lifecycle rule of a bucket that is in force."""

    name: str
    prefix: str
    """Of the objects that it is about; empty: all."""


@dataclass(frozen=True)
class Bucket:
    """A bucket of OSS."""

    region: str
    owner: str
    acl: str
    versioning: str
    """`Enabled`, `Suspended`, or empty: nobody has ever decided."""
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Found:
    """The account."""

    account: str
    caller: str
    """Who looks, as an ARN."""
    role: Role | None
    policy: Policy | None
    queues: Mapping[str, Queue | None]
    bucket: Bucket | None
