"""What is about to be deployed, for the person who is asked: every choice that lets it spend or change something."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.deployment import Deployment
from handler.runtime.settings import Settings


def summary(deployment: Deployment, settings: Settings) -> str:
    """Return what the function may do once it is deployed, line by line, harmless choices included."""
    what = f"{deployment.function} to account {deployment.account} in {deployment.region}, on {deployment.runtime}"
    lines = [f"  {name:<13} {said}" for name, said in (*_what_it_may(settings), *_when(deployment, settings))]
    return "\n".join([f"\n{what}:", *lines])


def _what_it_may(settings: Settings) -> Iterator[tuple[str, str]]:
    rules, is_dry = settings.rules, settings.dry_run
    nothing = "a DRY RUN, which buys, applies for, deploys and sends nothing (DRY_RUN=true)"
    yield "renewals", nothing if is_dry else "from now on they MAY COST MONEY (DRY_RUN=false)"
    if is_dry:
        yield "", "Once it is none, what follows holds:"
    said = f"but not {', '.join(rules.domains_except)}" if rules.domains_except else "without exception"
    yield "of", f"{', '.join(rules.domains)} (RENEW_DOMAINS), {said} (RENEW_DOMAINS_EXCEPT)"
    statuses = ", ".join(sorted(rules.statuses))
    yield "that end", f"within {rules.within.days} days (RENEW_WITHIN_DAYS), {statuses} (RENEW_STATUSES)"
    run, day = settings.max_renewals_per_run, settings.max_renewals_per_day
    yield "at most", f"{run} a run (MAX_RENEWALS_PER_RUN) and {day} a day (MAX_RENEWALS_PER_DAY), applications included"
    apply = "APPLIED FOR, within their paid subscriptions and these limits (INSTANCES=apply)"
    yield "V2 instances", apply if rules.may_apply else "only watched (INSTANCES=watch)"
    everything = "every product of it (DEPLOY_TO=*)" if settings.deploy_to == ("*",) else ""
    products = everything or f"{', '.join(settings.deploy_to)} (DEPLOY_TO)"
    yield "deploys to", f"{products}: RUNNING SYSTEMS CHANGE" if settings.deploy_to else "nothing (DEPLOY_TO is empty)"
    if settings.deploy_to:
        contact = settings.deploy_contact or "the first contact of the account"
        yield "", f"CAS notifies {contact} of it (DEPLOY_CONTACT); deployed names are {_probed(settings)}"


def _when(deployment: Deployment, settings: Settings) -> Iterator[tuple[str, str]]:
    yield "runs", "; ".join(deployment.timers) or "never by itself: no timer is on"
    if deployment.event_triggers:
        patterns = ",".join(settings.expiry_events)
        yield "on events", f"of {', '.join(deployment.event_triggers)} that are called {patterns} (EXPIRY_EVENTS)"
    yield "watches", f"{', '.join(sorted(f'{kind.value}s' for kind in settings.watch))} (WATCH)"
    alerts = "the same" if settings.alert_queue == settings.smq_queue else settings.alert_queue
    yield "messages to", f"{settings.smq_queue} (SMQ_QUEUE), alerts to {alerts} (ALERT_QUEUE)"
    yield "journal in", f"{deployment.environment.get('JOURNAL_URL')} (JOURNAL_URL)"
    yield "CAS at", f"{settings.cas_endpoint} (CAS_ENDPOINT)"


def _probed(settings: Settings) -> str:
    return "asked over TLS what they serve (PROBE=on)" if settings.probe else "not asked what they serve (PROBE=off)"
