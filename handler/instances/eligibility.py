"""May be applied for this instance now? What its journal knows; the policy is asked before and after. Pure."""

from datetime import datetime

from handler.instances.instance import Instance
from handler.journal.lines import line_of
from handler.journal.renewal import Renewal
from handler.journal.states import State
from handler.outcomes import Outcome, Reason
from handler.result import Line


def why_not_now(instance: Instance, renewal: Renewal, now: datetime) -> Line | None:
    """Return the line of an instance that the policy allows and its journal does not; None if both do."""
    base = renewal.base.certificate_id if renewal.base else ""
    if renewal.state is State.APPLIED and base == instance.certificate_id:
        return line_of(renewal, Outcome.APPLIED, renewal.progress or None)
    if renewal.is_open:
        return Line(Outcome.DEFERRED, Reason.IN_PROGRESS, instance.renewable)
    is_over = renewal.state is State.DONE and base == instance.certificate_id
    if is_over or instance.certificate_id in renewal.applied_for:
        # The next one is there by what the journal says, and this list is older than that.
        return Line(Outcome.DEFERRED, Reason.SETTLING, instance.renewable)
    if renewal.refusal is not None and now < renewal.refusal.retry_at:
        return line_of(renewal, Outcome.REFUSED, renewal.refusal.code)
    return None
