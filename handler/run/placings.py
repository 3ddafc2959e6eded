"""How deployments show in the result: on the line of the order or the instance whose certificate is replaced. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from handler.certificates.renewable import Kind, Renewable
from handler.deployment.became import Deployed
from handler.deployment.course import Course
from handler.deployment.plan import Plan
from handler.deployment.replacement import Replacement
from handler.deployment.resource import Resource
from handler.deployment.served import Serves, serves
from handler.journal.lines import already_renewed
from handler.journal.renewal import Renewal
from handler.outbox.deployment_messages import DeployedResource, Deployment
from handler.outcomes import Outcome, Placed, Reason
from handler.result import Line, Place, Placing, RunResult
from handler.run.issued import place_of

NOTHING_BOUND = Plan()
MOST_SHOWN = 20
"""So many resources does a dry run name in its note; the line has more."""


def put_placing(result: RunResult, one: Replacement, renewal: Renewal, placing: Placing) -> None:
    """Say how far a replacement is; `renewal`: of what is replaced, for a line if there is none yet."""
    line = result.lines.get(one.id) or _line(one, renewal)
    result.put(line._replace(placing=placing))


def _line(one: Replacement, renewal: Renewal) -> Line:
    if one.new.kind is Kind.ORDER:
        if renewal.successor is not None and renewal.successor.id == one.new.id:
            return already_renewed(renewal)
        of = Renewable(Kind.ORDER, one.id, one.new.domain, one.new.product, one.old_instance, one.old_ends)
        return Line(Outcome.ALREADY_RENEWED, None, of, one.new.id)
    of = one.new._replace(ends=one.old_ends)
    if renewal.applied_at is not None:
        return Line(Outcome.APPLIED, None, of, one.new_id)
    return Line(Outcome.SKIPPED, Reason.HOSTED, of, one.new_id)


def placing_of(
    one: Replacement, stage: Placed, reason: str | None, job_id: str = "", resources: Iterable[Place] = ()
) -> Placing:
    """Return how far a replacement is."""
    return Placing(stage, one.new_id, one.old_id, reason, job_id, tuple(resources))


def to_be_placed(resources: Iterable[Resource]) -> list[Place]:
    """Return what a dry run says of the resources that would get the new certificate."""
    return [{**place_of(one), "Outcome": None, "Serves": None} for one in resources]


def named(places: list[Place]) -> str:
    """Return what the note of a dry run says of them."""
    listed = ", ".join(f"{one['Product']} {one['Resource']}" for one in places[:MOST_SHOWN])
    rest = len(places) - MOST_SHOWN
    return f"{listed} and {rest} more" if rest > 0 else listed


def told_of(resources: Iterable[Deployed], found: Mapping[str, Serves]) -> list[DeployedResource]:
    """Return what messages say of resources; `found`: what their names were seen to serve."""
    return [
        DeployedResource(one.product, one.region, one.name, one.domain, one.put, serves(one.domain, found))
        for one in resources
    ]


def places_in(resources: Iterable[DeployedResource]) -> list[Place]:
    """Return the same for the result."""
    return [
        {
            "Product": one.product,
            "Region": one.region,
            "Resource": one.resource,
            "Domain": one.domain,
            "Outcome": str(one.outcome),
            "Serves": None if one.serves is None else str(one.serves),
        }
        for one in resources
    ]


def message_of(
    one: Replacement, course: Course, resources: Sequence[DeployedResource], bound: Plan = NOTHING_BOUND
) -> Deployment:
    """Return what a message says of a replacement; `bound`: what is bound to the old one."""
    job_id = (course.ended.job_id if course.ended else "") or course.record.job_id
    elsewhere = tuple(map(place_of, bound.elsewhere))
    return Deployment(one.new, one.new_id, one.old_id, job_id or None, resources, elsewhere)
