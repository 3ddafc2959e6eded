"""What was issued and replaces another certificate: what is said of that, and remembered before anybody is notified."""

from datetime import datetime, timedelta

from handler.certificates.renewable import Kind, Renewable
from handler.deployment.plan import EVERYWHERE, planned
from handler.deployment.replacement import Replacement, Replacements
from handler.deployment.resource import Resource
from handler.deployment.twins import Twins, twins
from handler.errors import CasError
from handler.instances.progress import next_in_row
from handler.journal.open_notes import OpenWork
from handler.journal.renewal import Renewal, Successor
from handler.journal.states import State
from handler.orders.book import OrderBook
from handler.orders.progress import Progress, progress_of
from handler.outbox.cloud_event import Replaced
from handler.outcomes import Reason
from handler.run.lists import Lists
from handler.run.services import Services
from handler.run.unfinished import is_watched

MOST_LOOKS = 20
"""Of so many certificates at most a run asks where they are bound before it notifies that they are replaced."""


class Issues:
    """Takes note of what is issued, in one run."""

    def __init__(self, services: Services) -> None:
        """Of the settings, `WATCH` and `DEPLOY_TO` say whether there is anything to look at."""
        self._service = services.deployments
        self._time = services.time
        self._log = services.log
        self._deploys = bool(services.settings.deploy_to)
        self._looks = self._deploys or Kind.CERTIFICATE in services.settings.watch
        self._left = MOST_LOOKS
        self._notes = Replacements(services.store)
        self.fresh: dict[str, Replacement] = {}
        """What was noted by this run, by the key of its note."""

    def of_order(self, renewal: Renewal, new: Renewable) -> Replaced:
        """Take note of a renewed order whose certificate is issued, and return what the message says of it.

        Raises JournalUnavailable; whatever CAS does not tell is left out.
        """
        return self._noted(replacement_of_order(renewal, new, self._time.now()))

    def of_instance(self, renewal: Renewal, new: Renewable) -> Replaced:
        """As `of_order`, of an instance whose next certificate is there."""
        return self._noted(replacement_of_instance(renewal, new, self._time.now()))

    def _noted(self, one: Replacement) -> Replaced:
        bound: list[dict[str, str]] | None = None
        if self._looks and self._left > 0 and self._time.may_purchase():
            self._left -= 1
            try:
                one = self._found_out(one)
                if one.old_id:
                    bound = [place_of(resource) for resource in self._bound(one.old_id)]
            except CasError as failure:
                # Where it is bound is worth no delay: the others go without.
                self._left = 0
                self._log.problem("not-looked-where-bound", order_id=one.id, message=str(failure))
        if self._deploys or bound:
            one = one._replace(deploys=self._deploys)
            self._notes.put(one)
            self.fresh[one.key] = one
        return Replaced(one.new_id, one.old_id, bound)

    def _found_out(self, one: Replacement) -> Replacement:
        if one.new_id or not (one.old_instance and one.new.instance):
            return one
        of_both = one.old_instance, one.new.instance
        everything = [certificate for of in of_both for certificate in self._service.certificates_of(of)]
        found = twins(one.old_instance, one.new.instance, everything, self._time.now())
        return one if isinstance(found, Reason) else with_ids(one, found)

    def _bound(self, certificate_id: str) -> tuple[Resource, ...]:
        listed = self._service.resources(certificate_id)
        return planned(certificate_id, listed.resources, listed.nameless, (EVERYWHERE,)).resources


def would_be_noted(
    left: OpenWork, book: OrderBook, lists: Lists, settle: timedelta, now: datetime
) -> dict[str, Replacement]:
    """Return what a run that is no dry run would take note of, by the key of its note."""
    shown = {instance.id: instance for instance in lists.instances.instances}
    found = []
    for renewal in left.renewals.values():
        if is_watched(renewal):
            new = book.get(renewal.succeeded().id)
            if new is not None and progress_of(renewal, book, now, settle) == Progress.ISSUED:
                found.append(replacement_of_order(renewal, new.renewable, now))
        elif renewal.id in shown and renewal.state in {State.FOLLOWED, State.APPLIED}:
            instance = shown[renewal.id]
            issued = next_in_row(renewal, instance)
            if issued is not None:
                then = renewal._replace(successor=Successor(issued.certificate_id, now))
                found.append(replacement_of_instance(then, instance.renewable, now))
    return {one.key: one._replace(deploys=True) for one in found}


def replacement_of_order(renewal: Renewal, new: Renewable, now: datetime) -> Replacement:
    """Return what is known of a renewed order from its journal, and of the new one from the order book."""
    old = renewal.claimed().renewable
    new = new._replace(domain=new.domain or old.domain, product=new.product or old.product)
    return Replacement(renewal.id, new, now, old.instance, old.ends)


def replacement_of_instance(renewal: Renewal, new: Renewable, now: datetime) -> Replacement:
    """Return what is known of an instance whose next certificate is there."""
    base = renewal.base
    ends, old_id = (base.renewable.ends, base.certificate_id) if base else (None, "")
    return Replacement(renewal.id, new, now, "", ends, old_id, renewal.succeeded().id)


def with_ids(one: Replacement, found: Twins) -> Replacement:
    """Return a replacement with the ids of its certificates."""
    return one._replace(old_id=found.old.id, new_id=found.new.id, old_ends=found.old.ends)


def place_of(resource: Resource) -> dict[str, str]:
    """Return what messages, result and report say of where a certificate is bound."""
    return {
        "Product": resource.product,
        "Region": resource.region,
        "Resource": resource.name,
        "Domain": resource.domain,
    }
