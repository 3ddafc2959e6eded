"""May the next certificate of this instance be applied for? A chain of small checks, each with its reason. Pure.

First what a row of the list tells, then what only the detail of an instance does.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from handler.certificates.domains import names_in
from handler.certificates.rules import HISTORY, Rules, is_allowed, opening_of_window
from handler.instances.detail import Detail
from handler.instances.instance import CLOSED, Instance
from handler.outcomes import Reason

LEAST_GAIN = timedelta(days=7)
"""A next certificate cannot end later than the subscription, so one that would gain less than this is not worth it."""


def row_unreadable(instance: Instance, _rules: Rules, _now: datetime) -> bool:
    """CAS shows something of the instance that makes no sense."""
    return bool(instance.odd)


def domain_not_allowed(instance: Instance, rules: Rules, _now: datetime) -> bool:
    """The operator's own list decides: every name, of the newest certificate and of the next, must be allowed."""
    texts = [text for text in (instance.renewable.domain, instance.configured) if text]
    return bool(texts) and not all(is_allowed(text, rules) for text in texts)


def free_instance(instance: Instance, _rules: Rules, _now: datetime) -> bool:
    """A free instance gets no second certificate."""
    return instance.kind == "TEST"


def no_certificate(instance: Instance, _rules: Rules, _now: datetime) -> bool:
    """Nobody has ever applied, so it is not ours to begin with."""
    return not instance.certificate_id


def revoked(instance: Instance, _rules: Rules, _now: datetime) -> bool:
    """The newest certificate was revoked, which somebody did on purpose."""
    return instance.certificate_status == "revoked"


def closed(instance: Instance, _rules: Rules, _now: datetime) -> bool:
    """The subscription is over."""
    return instance.status in CLOSED


def hosted(instance: Instance, _rules: Rules, _now: datetime) -> bool:
    """The platform gets the next certificate by itself."""
    return instance.is_hosted


def in_review(instance: Instance, _rules: Rules, _now: datetime) -> bool:
    """Somebody has applied."""
    return instance.is_pending


def outside_window(instance: Instance, rules: Rules, now: datetime) -> bool:
    """It is too early: see `window_opens`."""
    opens = window_opens(instance, rules)
    return opens is not None and now < opens


def subscription_ends(instance: Instance, _rules: Rules, _now: datetime) -> bool:
    """The subscription ends with the certificate, so the next one needs a person and money."""
    ends, subscription = instance.ends, instance.subscription_ends
    return ends is not None and subscription is not None and subscription <= ends + LEAST_GAIN


def expired(instance: Instance, _rules: Rules, now: datetime) -> bool:
    """It ended so long ago that nobody waits for the next one."""
    return instance.ends is not None and instance.ends < now - HISTORY


def names_changed(instance: Instance, _rules: Rules, _now: datetime) -> bool:
    """The next certificate would lack names of the newest, since somebody has configured others."""
    return bool(instance.configured) and not set(names_in(instance.renewable.domain)) <= _granted(instance.configured)


def watched(_instance: Instance, rules: Rules, _now: datetime) -> bool:
    """The operator only wants it watched."""
    return not rules.may_apply


def upgrading(detail: Detail) -> bool:
    """An upgrade is paid for and not carried out."""
    return detail.upgrade_status == "payed"


def not_dv(instance: Instance, _rules: Rules, _now: datetime) -> bool:
    """An organisation is validated by persons."""
    return instance.certificate_type != "DV"


def own_csr(detail: Detail) -> bool:
    """The key is somebody's own, and so is the request."""
    return detail.csr_method == "upload"


def needs_data(detail: Detail) -> bool:
    """It lacks a contact, a domain or a way to validate it."""
    return not (detail.contacts and detail.domain and detail.validation_method)


def is_awaited(instance: Instance) -> bool:
    """Tell whether somebody else gets the next certificate: the platform that hosts it, or whoever has applied.

    Whatever the operator allows: his rules are about what this function may do.
    """
    if instance.certificate_status == "revoked" or instance.status in CLOSED:
        return False
    return instance.is_pending or (instance.is_hosted and instance.kind != "TEST")


def awaited_from(instance: Instance) -> Reason:
    """Return why an instance that `is_awaited` is left alone: `in-review` or `hosted`."""
    return Reason.IN_REVIEW if instance.is_pending else Reason.HOSTED


CHECKS: dict[Reason, Callable[[Instance, Rules, datetime], bool]] = {
    Reason.ROW_UNREADABLE: row_unreadable,
    Reason.DOMAIN_NOT_ALLOWED: domain_not_allowed,
    Reason.TEST_INSTANCE: free_instance,
    Reason.NO_CERTIFICATE: no_certificate,
    Reason.REVOKED: revoked,
    Reason.CLOSED: closed,
    Reason.HOSTED: hosted,
    Reason.IN_REVIEW: in_review,
    Reason.OUTSIDE_WINDOW: outside_window,
    Reason.SUBSCRIPTION_ENDS: subscription_ends,
    Reason.NOT_DV: not_dv,
    Reason.EXPIRED: expired,
    Reason.NAMES_CHANGED: names_changed,
    Reason.WATCHED: watched,
}
"""What a row tells."""
DETAIL_CHECKS: dict[Reason, Callable[[Detail], bool]] = {
    Reason.UPGRADING: upgrading,
    Reason.OWN_CSR: own_csr,
    Reason.NEEDS_DATA: needs_data,
}
"""What only the detail tells."""


def reason_not_to_apply(instance: Instance, rules: Rules, now: datetime) -> Reason | None:
    """Return the reason of the first check of the row that forbids an application, None if all allow it."""
    return next((reason for reason, forbids in CHECKS.items() if forbids(instance, rules, now)), None)


def reason_in_detail(detail: Detail) -> Reason | None:
    """Return the reason of the first check of the detail that forbids an application, None if all allow it."""
    return next((reason for reason, forbids in DETAIL_CHECKS.items() if forbids(detail)), None)


def window_opens(instance: Instance, rules: Rules) -> datetime | None:
    """Return from when on the next certificate may be applied for; None if nothing tells."""
    return opening_of_window(instance.starts, instance.ends, rules)


def names_of(instance: Instance) -> tuple[str, ...]:
    """Return the names for which an instance's newest certificate was applied for.

    Authorities add names of their own, so that the certificate can have more than were configured.
    """
    has, configured = names_in(instance.renewable.domain), names_in(instance.configured)
    return configured if configured and set(configured) <= set(has) else has


def _granted(configured: str) -> set[str]:
    """Return the names that a certificate for these can have: authorities add the name without or with `www.`."""
    names = names_in(configured)
    bare = [name.removeprefix("www.").removeprefix("*.") for name in names]
    return {*names, *bare, *(f"www.{name}" for name in names)}
