"""What has to be done so that an account has what the function needs. Pure.

What is missing is made. Of what is there and differs, only the function's own policy is replaced, after its difference
was shown; anything else is somebody's decision, so it is named and left as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.setup.found import Bucket, Found, Policy, Queue, Role
from deploy.setup.grants import difference, document_in
from deploy.setup.wanted import RETENTION_SECONDS, Wanted


@dataclass(frozen=True)
class CreateRole:
    """Make a role."""

    name: str
    trust: str

    def __str__(self) -> str:
        return f"make role {self.name}"


@dataclass(frozen=True)
class CreatePolicy:
    """Make a custom policy."""

    name: str
    document: str

    def __str__(self) -> str:
        return f"make policy {self.name}"


@dataclass(frozen=True)
class ReplacePolicy:
    """Give a policy another default version; `seen`: what it was when a person was shown the difference."""

    name: str
    document: str
    seen: Policy

    def __str__(self) -> str:
        return f"change policy {self.name}; what it was stays beside it as version {self.seen.version}"


@dataclass(frozen=True)
class AttachPolicy:
    """Attach a custom policy to a role."""

    policy: str
    role: str

    def __str__(self) -> str:
        return f"attach policy {self.policy} to role {self.role}"


@dataclass(frozen=True)
class CreateQueue:
    """Make a queue."""

    name: str
    retention_seconds: int

    def __str__(self) -> str:
        return f"make queue {self.name}"


@dataclass(frozen=True)
class CreateBucket:
    """Make a private bucket."""

    name: str

    def __str__(self) -> str:
        return f"make bucket {self.name}"


@dataclass(frozen=True)
class EnableVersioning:
    """Let a bucket keep what is deleted or overwritten."""

    bucket: str

    def __str__(self) -> str:
        return f"enable versioning of bucket {self.bucket}"


Act = CreateRole | CreatePolicy | ReplacePolicy | AttachPolicy | CreateQueue | CreateBucket | EnableVersioning


@dataclass(frozen=True)
class Item:
    """One thing, and what is to become of it."""

    what: str
    """A thing with its name."""
    acts: tuple[Act, ...] = ()
    """What is to be done about it; nothing: it is there."""
    lines: tuple[str, ...] = ()
    """What a person should see before that."""
    left: tuple[str, ...] = ()
    """What is not as it should be and is left as it is, each with what a person can do."""


def plan(wanted: Wanted, found: Found) -> list[Item]:
    """Return every thing in the order in which they are made."""
    return [
        _role(wanted, found.role),
        _policy(wanted, found),
        *(_queue(name, found.queues[name]) for name in wanted.queues),
        _bucket(wanted, found.bucket),
    ]


def acts_of(items: Sequence[Item]) -> list[Act]:
    """Return all that is to be done, in order."""
    return [act for item in items for act in item.acts]


def _role(wanted: Wanted, role: Role | None) -> Item:
    what = f"role {wanted.role}"
    if role is None:
        return Item(what, (CreateRole(wanted.role, _text(wanted.trust)),), ("only fc.aliyuncs.com may take it",))
    changes = difference(document_in(role.trust), wanted.trust)
    if not changes:
        return Item(what)
    wrong = f"who may take it is not what the function needs: {'; '.join(changes.lines)}"
    todo = "choose another role in s.mine.yaml, or give this one the trust policy deploy/trust-policy.json"
    return Item(what, left=(f"{wrong}. To do: {todo}",))


def _policy(wanted: Wanted, found: Found) -> Item:
    what, document, policy = f"policy {wanted.role}", _text(wanted.policy), found.policy
    has = found.role.policies if found.role else ()
    attach = () if wanted.role in has else (AttachPolicy(wanted.role, wanted.role),)
    left = []
    if _role(wanted, found.role).left:  # who may take that role would get to do what this policy allows
        return Item(what, left=("nothing is done about it as long as the role is not as it should be",))
    if others := [name for name in has if name != wanted.role]:
        also = f"the role also has {', '.join(others)}, and the function may do what these grant"
        left.append(f"{also}. To do: detach them, or choose another role in s.mine.yaml")
    if policy is None:
        grants = difference(None, wanted.policy).lines
        return Item(what, (CreatePolicy(wanted.role, document), *attach), tuple(grants), tuple(left))
    changes = difference(document_in(policy.document), wanted.policy)
    if not changes:
        return Item(what, attach, left=tuple(left))
    widens = "This WIDENS what it allows." if changes.widens else "This widens nothing."
    elsewhere = policy.attachments - (wanted.role in has)
    if elsewhere > 0:
        shared = f"it differs from what the function needs, and {elsewhere} besides the role have it"
        left.append(f"{shared}. To do: choose another role in s.mine.yaml, whose name is also that of the policy")
        return Item(what, (), tuple(changes.lines), tuple(left))
    return Item(what, (ReplacePolicy(wanted.role, document, policy), *attach), (*changes.lines, widens), tuple(left))


def _queue(name: str, queue: Queue | None) -> Item:
    what = f"queue {name}"
    if queue is None:
        return Item(what, (CreateQueue(name, RETENTION_SECONDS),), ("keeps messages for 7 days, the longest there is",))
    kept = queue.retention_seconds
    if kept is not None and kept >= RETENTION_SECONDS:
        return Item(what)
    wrong = f"it keeps messages for {'a time that it does not say' if kept is None else f'{kept} seconds'}"
    return Item(what, left=(f"{wrong}. To do: set its MessageRetentionPeriod to {RETENTION_SECONDS}, seven days",))


def _bucket(wanted: Wanted, bucket: Bucket | None) -> Item:
    what = f"bucket {wanted.bucket}"
    versioning = EnableVersioning(wanted.bucket)
    keeps = "versioning: what is deleted or overwritten is kept, and a journal can be had back"
    if bucket is None:
        return Item(what, (CreateBucket(wanted.bucket), versioning), ("private", keeps))
    left = tuple(_wrong_with(bucket, wanted))
    if not left and not bucket.versioning:
        return Item(what, (versioning,), (f"{keeps}; this is about the whole bucket",))
    return Item(what, left=left)


def _wrong_with(bucket: Bucket, wanted: Wanted) -> Iterator[str]:
    if bucket.owner and bucket.owner != wanted.account:
        yield f"it belongs to account {bucket.owner}. To do: choose another journal_bucket in s.mine.yaml"
    if bucket.region != f"oss-{wanted.region}":
        region = bucket.region.removeprefix("oss-")
        yield f"it is in {region}, and the function in {wanted.region}. To do: choose another journal_bucket or region"
    if bucket.acl != "private":
        yield f"it is {bucket.acl}: others can read which domains you have. To do: set its ACL to private"
    if bucket.versioning == "Suspended":
        yield "somebody has suspended its versioning: what is deleted is gone. To do: enable it again"
    for rule in bucket.rules:
        if rule.prefix.startswith(f"{wanted.prefix}/") or f"{wanted.prefix}/".startswith(rule.prefix):
            about = f"its lifecycle rule {rule.name} is about {rule.prefix or 'everything'}"
            harm = "a journal that is deleted or archived is missing, and an order may be renewed a second time"
            yield f"{about}: {harm}. To do: take {wanted.prefix}/ out of that rule"


def _text(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
