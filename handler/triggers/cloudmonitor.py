"""What an event of CloudMonitor asks for, once its envelope is open: a renewal of what it names, a scan, or nothing."""

from collections.abc import Callable, Sequence
from typing import Any

from handler.certificates.ids import is_surely_v2
from handler.command import Nothing, Renew, Selection
from handler.errors import EventRefused
from handler.triggers.envelopes import Notice
from handler.triggers.manual import ONLY_MANUAL
from handler.triggers.names import Names, named_in
from handler.triggers.values import domain_at, flag_at, id_at, instance_id_at


def asked_by_cloudmonitor(document: dict[str, Any], notice: Notice, expiry_events: Sequence[str]) -> Renew | Nothing:
    """Return what an event asks for; `notice` is what its envelope, `document`, held.

    `expiry_events`: patterns of the event and rule names that speak of an expiring certificate (`EXPIRY_EVENTS`).
    Raises EventRefused if it asks like a manual event, or what it names cannot be read.
    """
    astray = [key for key in ONLY_MANUAL if key in document]
    if astray:
        raise EventRefused("event", f"{astray[0]!r} belongs into a manual event, not beside what CloudMonitor tells")
    if not notice.is_about_expiry(expiry_events):
        return Nothing(f"the event {notice.title!r} is not about an expiring certificate (see EXPIRY_EVENTS)")
    if notice.is_over:
        return Nothing(f"the alarm {notice.title!r} is over")
    named = named_in(notice.body)
    dry_runs = [_flag_or_its_text(value, path) for path, value in named.dry_run]
    return Renew(_most_exact(named), dry_run=any(dry_runs))


def _most_exact(named: Names) -> Selection:
    """Select by the most exact of what is named: all of it describes the same certificate."""
    if named.order_ids:
        # An order has an instance id, too, and it says nothing more. But an instance of V2 has no order.
        of_v2 = [(path, value) for path, value in named.instance_ids if is_surely_v2(value)]
        return Selection(_each(named.order_ids, id_at), instance_ids=_each(of_v2, instance_id_at))
    if named.certificate_ids or named.instance_ids:
        # Whether an order is behind a certificate, or a V2 instance that only its own id leads to, no id tells.
        certificate_ids = _each(named.certificate_ids, id_at)
        return Selection(certificate_ids=certificate_ids, instance_ids=_each(named.instance_ids, instance_id_at))
    domains = _each(named.domains, domain_at)
    if not domains and named.empty:
        raise EventRefused(named.empty[0], "it names nothing, and without a name the event would be a scan")
    return Selection(domains=domains)


def _each(found: list[tuple[str, Any]], read: Callable[[object, str], str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(read(value, path) for path, value in found))


def _flag_or_its_text(value: object, where: str) -> bool:
    """Read true or false, also as text, since forms and alarms know nothing else."""
    said = {"true": True, "false": False}.get(value.strip().lower()) if isinstance(value, str) else value
    return flag_at(said if isinstance(said, bool) else value, where)
