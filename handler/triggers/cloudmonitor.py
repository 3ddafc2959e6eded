"""What an event of CloudMonitor asks for, once its envelope is open: a renewal of what it names, a scan, or nothing."""

from collections.abc import Sequence
from typing import Any

from handler.command import Nothing, Renew, Selection
from handler.errors import EventRefused
from handler.triggers.envelopes import Notice
from handler.triggers.manual import ONLY_MANUAL
from handler.triggers.names import Names, named_in
from handler.triggers.values import domain_at, flag_at, id_at


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
        ids = tuple(id_at(value, path) for path, value in named.order_ids)
        return Selection(order_ids=tuple(dict.fromkeys(ids)))
    if named.certificate_ids:
        ids = tuple(id_at(value, path) for path, value in named.certificate_ids)
        return Selection(certificate_ids=tuple(dict.fromkeys(ids)))
    if named.instance_ids:
        return Selection(instance_ids=tuple(dict.fromkeys(str(value) for _, value in named.instance_ids)))
    domains = tuple(domain_at(value, path) for path, value in named.domains)
    if not domains and named.empty:
        raise EventRefused(named.empty[0], "it names nothing, and without a name the event would be a scan")
    return Selection(domains=tuple(dict.fromkeys(domains)))


def _flag_or_its_text(value: object, where: str) -> bool:
    """Read true or false, also as text, since forms and alarms know nothing else."""
    said = {"true": True, "false": False}.get(value.strip().lower()) if isinstance(value, str) else value
    return flag_at(said if isinstance(said, bool) else value, where)
