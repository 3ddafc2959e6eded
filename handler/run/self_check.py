"""The self-check: does everything that the function needs work from here? Buys nothing, sends nothing."""

import secrets
from collections.abc import Callable
from functools import partial
from typing import Any

from handler.errors import CasError, JournalConflict, JournalUnavailable, PublishFailed
from handler.orders.purchase import SHORTEST_TIMEOUT
from handler.run.invocation import Invocation

_ADVICE = {
    "settings": "correct the settings (s.yaml: environmentVariables, timeout) and deploy again",
    "credentials": "give the function a RAM role that fc.aliyuncs.com may assume (s.yaml: role)",
    "cas": "allow yundun-cert:ListUserCertificateOrder to the role; check CAS_ENDPOINT and the network settings",
    "smq": "create the queue; allow mns:SendMessage and mns:GetQueueAttributes on it; check SMQ_ENDPOINT",
    "alone": "let one function renew an account, or several with one JOURNAL_URL: two journals cannot see what the "
    "other buys. Delete the mark of a journal that is no more; allow oss:PutObject and ListObjects on .renewers/",
    "journal": "create the bucket; allow oss:PutObject, GetObject, ListObjects and DeleteObject; check OSS_ENDPOINT",
}


def check(invocation: Invocation) -> list[dict[str, Any]]:
    """Try each thing once and return a line for each, see `line`. Settings and credentials have proved themselves."""
    queues = dict.fromkeys((invocation.settings.smq_queue, invocation.settings.alert_queue))
    dry = "dry run, nothing is bought" if invocation.settings.dry_run else "armed: renewals are bought"
    return [
        _settings(invocation, dry),
        line("credentials", "found"),
        _tried("cas", "orders can be listed", invocation.cas.probe),
        *(_tried("smq", f"queue {queue} is there", partial(invocation.queue.probe, queue)) for queue in queues),
        _tried("journal", "an entry can be appended once, and only once", lambda: _append_once(invocation)),
        _alone(invocation),
    ]


def line(name: str, found: str, *, ok: bool = True) -> dict[str, Any]:
    """Return a line of the check: `check` (what), `ok`, `found` (what was found) and, if it is not ok, `do`."""
    return {"check": name, "ok": ok, "found": found, **({} if ok else {"do": _ADVICE[name]})}


def _settings(invocation: Invocation, dry: str) -> dict[str, Any]:
    if invocation.timeout() < SHORTEST_TIMEOUT:
        found = f"the function's timeout of {invocation.timeout():.0f} s lets no renewal begin; at least 60 is advised"
        return line("settings", found, ok=False)
    return line("settings", f"in order; {dry}")


def _tried(name: str, good: str, attempt: Callable[[], None]) -> dict[str, Any]:
    try:
        attempt()
    except (CasError, PublishFailed, JournalUnavailable) as failure:
        return line(name, str(failure), ok=False)
    return line(name, good)


def _alone(invocation: Invocation) -> dict[str, Any]:
    """Tell whether another function seems to keep a journal of its own."""
    try:
        others = invocation.store.neighbours(invocation.account_id)
    except JournalUnavailable as failure:
        return line("alone", f"other journals could not be looked for: {failure}", ok=False)
    if others:
        return line(
            "alone", f"other journals of the account have been used in this bucket: {', '.join(others)}", ok=False
        )
    return line("alone", "no other journal of the account was used in this bucket; elsewhere nobody can look")


def _append_once(invocation: Invocation) -> None:
    store, key = invocation.store, f"check/{secrets.token_hex(8)}"
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
