"""What became of the resources of a job, and what has the old certificate although it should not. Pure."""

from collections.abc import Iterable
from typing import NamedTuple

from handler.deployment.job import Put, Worker
from handler.deployment.resource import Resource


class Deployed(NamedTuple):
    """What became of one resource."""

    product: str
    region: str
    name: str
    domain: str
    put: Put


def what_became(workers: Iterable[Worker], bound: Iterable[Resource], known: frozenset[str]) -> tuple[Deployed, ...]:
    """Return what became of a job's resources, and what it missed: what shows only after it was made.

    `bound`: what has the old certificate now, as CAS shows it. `known`: the ids that the job was made with.
    """
    listed = list(workers)
    found = [Deployed(one.product, one.region, one.name, one.domain, one.put) for one in listed]
    return (*found, *left(not_among(listed, bound, known)))


def left(resources: Iterable[Resource]) -> tuple[Deployed, ...]:
    """Return resources as what still has the old certificate."""
    return tuple(Deployed(one.product, one.region, one.name, one.domain, Put.MISSED) for one in resources)


def not_among(workers: Iterable[Worker], bound: Iterable[Resource], known: frozenset[str]) -> list[Resource]:
    """Return the resources with which no worker has to do: the id says it.

    Where workers say no ids, what the job was made with has to do with it, if it has that many workers. Nothing else is
    taken for the same: two resources can have one domain.
    """
    listed = list(workers)
    ids = {one.resource_id for one in listed}
    if "" in ids and len(listed) >= len(known):
        ids |= known
    return [one for one in bound if one.id not in ids]
