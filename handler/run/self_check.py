"""The self-check: does everything that the function needs work from here? Buys nothing, sends nothing."""

import secrets
from collections.abc import Callable
from functools import partial
from typing import Any

from handler.certificates.renewable import Kind
from handler.deployment.plan import EVERYWHERE
from handler.errors import CasError, JournalConflict, JournalUnavailable, PublishFailed
from handler.run.services import Services
from handler.runtime.countdown import SHORTEST_TIMEOUT

_ADVICE = {
    "settings": "correct the settings (s.mine.yaml: environmentVariables, timeout) and deploy again",
    "credentials": "give the function a RAM role that fc.aliyuncs.com may assume (s.mine.yaml: role)",
    "cas": "allow yundun-cert:ListUserCertificateOrder to the role; check CAS_ENDPOINT and the network settings",
    "instances": "allow yundun-cert:ListInstances and GetInstanceDetail to the role, with INSTANCES=apply also "
    "ApplyCertificate, GetTaskAttribute and ListCertificates; else leave instances out of WATCH and "
    "INSTANCES at watch",
    "certificates": "allow yundun-cert:ListCertificates to the role; else leave certificates out of WATCH",
    "deployments": "allow yundun-cert:ListDeploymentJob and what else `make policy` prints for DEPLOY_TO to the role; "
    "else empty DEPLOY_TO",
    "smq": "create the queue; allow mns:SendMessage and mns:GetQueueAttributes on it; check SMQ_ENDPOINT",
    "alone": "let one function renew an account, or several with one JOURNAL_URL: two journals cannot see what the "
    "other buys. Delete the mark of a journal that is no more; allow oss:PutObject and ListObjects on .renewers/",
    "journal": "create the bucket; allow oss:PutObject, GetObject, ListObjects and DeleteObject; check OSS_ENDPOINT",
}


def self_check(services: Services) -> list[dict[str, Any]]:
    """Try each thing once and return a line for each: see `check_line`."""
    queues = dict.fromkeys((services.settings.smq_queue, services.settings.alert_queue))
    dry = "dry run, nothing is bought" if services.settings.dry_run else "armed: renewals are bought"
    return [
        _settings(services, dry),
        check_line("credentials", "found"),
        _tried("cas", "orders can be listed", services.orders.probe),
        *_watched(services),
        *_deployed(services),
        *(_tried("smq", f"queue {queue} is there", partial(services.queue.probe, queue)) for queue in queues),
        _tried("journal", "an entry can be appended once, and only once", lambda: _append_once(services)),
        _alone(services),
    ]


def check_line(name: str, found: str, *, ok: bool = True) -> dict[str, Any]:
    """Return a line of the check: `check` (what), `ok`, `found` (what was found) and, if it is not ok, `do`."""
    return {"check": name, "ok": ok, "found": found, **({} if ok else {"do": _ADVICE[name]})}


def _settings(services: Services, dry: str) -> dict[str, Any]:
    if services.time.timeout < SHORTEST_TIMEOUT:
        found = f"the function's timeout of {services.time.timeout} s lets no renewal begin; at least 60 is advised"
        return check_line("settings", found, ok=False)
    return check_line("settings", f"in order; {dry}")


def _watched(services: Services) -> list[dict[str, Any]]:
    """Try the lists that are looked at besides the orders; of what is not in WATCH there is no line."""
    watch, lines = services.settings.watch, []
    if Kind.INSTANCE in watch:
        found = f"instances can be listed; {_what_is_done(services)}"
        lines.append(_tried("instances", found, services.instances.probe_instances))
    if Kind.CERTIFICATE in watch:
        lines.append(_tried("certificates", "certificates can be listed", services.certificates.probe_certificates))
    return lines


def _deployed(services: Services) -> list[dict[str, Any]]:
    """Try whether deployment jobs can be listed; without `DEPLOY_TO` there is no line."""
    products = services.settings.deploy_to
    if not products:
        return []
    to = "every product" if EVERYWHERE in products else ", ".join(products)
    how = "dry run, nothing is deployed" if services.settings.dry_run else f"armed: what is issued is deployed to {to}"
    served = "domains are asked what they serve" if services.settings.probe else "no domain is asked (PROBE=off)"
    return [_tried("deployments", f"jobs can be listed; {how}; {served}", services.deployments.probe_deployments)]


def _what_is_done(services: Services) -> str:
    """Say what becomes of an instance whose certificate ends; whether CAS allows an application, only one can show."""
    if not services.settings.rules.may_apply:
        return "they are only watched (INSTANCES=watch)"
    if services.settings.dry_run:
        return "dry run, their next certificates are not applied for"
    return "armed: their next certificates are applied for (INSTANCES=apply)"


def _tried(name: str, good: str, attempt: Callable[[], None]) -> dict[str, Any]:
    try:
        attempt()
    except (CasError, PublishFailed, JournalUnavailable) as failure:
        return check_line(name, str(failure), ok=False)
    return check_line(name, good)


def _alone(services: Services) -> dict[str, Any]:
    """Tell whether another function seems to keep a journal of its own."""
    try:
        others = services.store.neighbours(services.identity.account_id)
    except JournalUnavailable as failure:
        return check_line("alone", f"other journals could not be looked for: {failure}", ok=False)
    if others:
        return check_line(
            "alone", f"other journals of the account have been used in this bucket: {', '.join(others)}", ok=False
        )
    return check_line("alone", "no other journal of the account was used in this bucket; elsewhere nobody can look")


def _append_once(services: Services) -> None:
    store, key = services.store, f"check/{secrets.token_hex(8)}"
    try:
        store.append(key, 0, b'{"entry":"check","writer":1}')
        try:
            store.append(key, 0, b'{"entry":"check","writer":2}')
        except JournalConflict:
            pass
        else:
            msg = "two writers could write the same entry: this storage cannot hold the journal"
            raise JournalUnavailable(msg)
        if len(store.read_log(key).entries) != 1:
            msg = "an entry that was written cannot be read"
            raise JournalUnavailable(msg)
        list(store.find("open/"))
    finally:
        store.discard_log(key)
