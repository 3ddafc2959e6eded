"""What became of the resources of a job, and what has the old certificate although it should not. Pure."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from handler.deployment.job import Put, Worker
from handler.deployment.resource import Resource

Place = tuple[str, str, str, str, str]


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
    """Return the resources with which no worker has to do.

    The id says it. A worker whose id is that of no resource, or that has none, is of the one at the same place: should
    CAS know it by another id there. One worker is of one resource: of two at one place the second is missed.
    """
    listed, resources = list(workers), list(bound)
    ids = {one.resource_id for one in listed}
    strangers = ids - known - {one.id for one in resources}
    places = Counter(place_of(one) for one in listed if one.resource_id in strangers)
    missed = []
    for one in resources:
        place = place_of(one)
        if one.id in ids:
            continue
        if place is not None and places[place] > 0:
            places[place] -= 1
        else:
            missed.append(one)
    return missed


def place_of(one: Worker | Resource) -> Place | None:
    """Return by what a resource is the same, whatever its id; None if nothing tells it from its neighbours."""
    if not (one.domain or one.instance or one.listener):
        return None
    return one.product.casefold(), one.region, one.domain, one.instance, one.listener
