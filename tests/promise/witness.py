"""Looks over the shoulder of every run: what was true while it read the lists, and whether what it then says is so."""

from __future__ import annotations

import json
import math
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from handler.runtime.clock import from_rfc3339
from tests.promise.truth import EXCEPTED, RENEWED, THRESHOLDS, Thing, Truth, moment_of, why_not_applied_for
from tests.stubs.cloud import QUEUE, Cloud
from tests.stubs.instance import Application, Instance
from tests.traces import LIST, RENEWALS

APPLY = "ApplyCertificate"
LISTS = {LIST, "ListInstances", "ListCertificates"}
BOUND = "ListCloudResources"
ALLOWED = LISTS | {RENEWALS, APPLY, BOUND, "GetInstanceDetail", "GetTaskAttribute", "GetUserCertificateDetail"}
"""The operations of CAS that the function may use."""
NOT_YET = {
    "in-progress",
    "settling",
    "nothing-bought",
    "run-stopped",
    "list-too-slow",
    "list-incomplete",
    "no-answer",
    "no-code",
    "no-order-id",
    "answer-names-old-order",
    "not-published",
}
"""Reasons that a later run of the same day need not find again: with more than three days left they are no alarm."""
LIMITS = {"run-limit", "day-limit", "no-time-left"}
FORESEEN = (60, 30)
NEW_TYPES = {
    "cas.certificate.expiring",
    "cas.instance.applied",
    "cas.instance.issued",
    "cas.instance.stalled",
    "cas.instance.validation",
}
SETTLED = timedelta(minutes=17)
"""After so long CAS shows what was applied for, by whatever clock."""
Recorded = Callable[[str], Iterable[dict[str, Any]]]
"""The entries and notes that say that a message is on the queue, by the message's id."""
RenewedAt = Callable[[str], "datetime | None"]
"""Since when the journal of an order has its successor."""


class Seen(NamedTuple):
    """What a run was shown of an instance, at a moment of the cloud's."""

    at: datetime
    why_not: str
    """Why the policy forbids an application."""
    is_pending: bool
    said: str
    """What the authority has said."""
    records: list[dict[str, str]]


RECORD = {
    "Domain": "Domain",
    "Zone": "RootDomain",
    "Host": "ValidationKey",
    "Type": "ValidationType",
    "Value": "ValidationValue",
}


class Witness:
    """A hook of the cloud. What it finds is in `broken`: what it raised would end in the handler."""

    def __init__(self, cloud: Cloud, per_run: int, recorded: Recorded, renewed_at: RenewedAt) -> None:
        self.broken: list[str] = []
        self.alive: dict[str, set[str]] = {}
        """By the name of a run: those that had not ended when it began."""
        self._cloud = cloud
        self._per_run = per_run
        self._recorded = recorded
        self._renewed_at = renewed_at
        self._readings: dict[str, list[Truth]] = {}
        """By run, what was true during its last reading of the lists."""
        self._reads: set[str] = set()
        self._waited: dict[str, set[tuple[str, str]]] = {}
        """By run, the instances whose next certificate somebody else was about to get, with the newest one."""
        self.may_apply = False
        self.lags: tuple[datetime, Truth] | None = None
        """Until when lists may show what was, and that."""
        self.released: set[str] = set()
        """The instances that a person has released at some time."""
        self._details: dict[tuple[str, str], list[Seen]] = {}
        """By run and instance, what its details have shown."""
        self._calls_at: dict[str, datetime] = {}
        """By run, when it has last begun to apply for something."""
        self._seen_messages = 0
        self._seen_calls = 0

    def __call__(self, phase: str, service: str, action: str) -> None:
        run = threading.current_thread().name
        if service == "cas" and action in LISTS:
            if phase == "before":
                return
            if run not in self._reads:
                self._reads.add(run)
                self._readings[run] = []
            readings = self._readings[run]
            if not readings or readings[-1].taken_at != moment_of(self._cloud):
                readings.append(Truth(self._cloud, may_apply=self.may_apply))
                if self.lags is not None and self.lags[0] >= self._cloud.clock.now():
                    readings.append(self.lags[1])
                for truth in readings[-2:]:
                    waiting = truth.waiting.values()
                    self._waited.setdefault(run, set()).update((w.instance, w.certificate) for w in waiting)
            return
        self._reads.discard(run)
        if (phase, action) == ("before", APPLY):
            self._calls_at[run] = self._cloud.clock.now()
        if (phase, action) == ("after", APPLY):
            self._look_at_application(run)
        if (phase, action) == ("after", "SendMessage"):
            self._look(run)

    def saw(self, instance: Instance, detail: Mapping[str, Any]) -> None:
        """Keep what a run is shown of an instance."""
        cas, now = self._cloud.cas, self._cloud.clock.now()
        newest = cas.certificates.find(instance.certificate_id) if instance.certificate_id else None
        why_not = why_not_applied_for(instance, newest, now)
        records = [{key: entry[field] for key, field in RECORD.items()} for entry in detail["DomainValidationList"]]
        seen = Seen(now, why_not, instance.status(now, 30) == "pending", detail["PendingResult"], records)
        self._details.setdefault((threading.current_thread().name, instance.instance_id), []).append(seen)

    def _look_at_application(self, run: str) -> None:
        call = self._cloud.cas.calls[-1]
        instance = call.params["InstanceId"]
        seen = self._details.get((run, instance), [])
        why_not = "nobody had looked at it" if not seen else seen[-1].why_not
        if not self.may_apply:
            why_not = "the function only watches"
        elif seen and self._calls_at[run] - seen[-1].at > SETTLED:
            why_not = f"what it had seen was of {seen[-1].at}"
        if why_not:
            self.broken.append(f"{run} applied for {instance} at {call.at}: {why_not}")

    def hold(self) -> None:
        """Raise what has been found."""
        assert not self.broken, self.broken[0]
        calls = self._cloud.cas.calls
        for call in calls[self._seen_calls :]:
            assert call.action in ALLOWED, f"the function called {call.action}"
        self._seen_calls = len(calls)

    def overlapped(self, run: str, other: str) -> bool:
        """Whether the earlier of two runs had not ended when the later one began."""
        return run == other or run in self.alive.get(other, ()) or other in self.alive.get(run, ())

    def _look(self, run: str) -> None:
        bodies = self._cloud.smq._queues[QUEUE]
        for body in bodies[self._seen_messages :]:
            message = json.loads(body)
            if message["type"] in NEW_TYPES:
                problem = self._problem(run, message) or self._told_before(run, message)
                if problem:
                    self.broken.append(f"{run} told {message['id']}: {problem} ({body})")
        self._seen_messages = len(bodies)

    def _told_before(self, run: str, message: dict[str, Any]) -> str:
        # An instance has one certificate after the other, each with an end of its own.
        end = (message["data"].get("CertEndTime") or "")[:10]
        if message["type"] == "cas.instance.applied" and message["subject"] in self.released:
            return ""
        for record in [*self._recorded(message["id"]), *self._recorded(f"{message['id']}-{end}")]:
            if not self.overlapped(run, record["run"]):
                return f"{record['run']} had told it before"
        return ""

    def _problem(self, run: str, message: dict[str, Any]) -> str:
        data = message["data"]
        if message["type"] == "cas.instance.applied":
            return self._problem_of_applied(message)
        if message["type"] == "cas.instance.validation":
            return self._problem_of_validation(run, message)
        if message["type"] == "cas.instance.stalled":
            day = message["time"][:10]
            if self._applications(data):
                return self._problem_of_stuck(run, message)
            if (data["InstanceId"], data["ReplacedCertificateId"]) not in self._waited.get(run, ()):
                return "nobody was about to get its next certificate"
            wanted = f"{data['InstanceId']}-{data['ReplacedCertificateId']}-stalled-{day}"
            return "" if message["id"] == wanted and data["DaysLeft"] <= THRESHOLDS[0] else "it is not as it should be"
        if message["type"] == "cas.instance.issued":
            return self._problem_of_issued(message)
        return self._problem_of_expiring(run, message)

    def _applications(self, data: Mapping[str, Any]) -> list[Application]:
        """Those for an instance and a base, of whomever, if the function may apply at all."""
        wanted = data["InstanceId"], data["ReplacedCertificateId"]
        found = self._cloud.cas.authority.applications if self.may_apply else ()
        return [one for one in found if (one.instance_id, str(one.base)) == wanted]

    def _problem_of_applied(self, message: dict[str, Any]) -> str:
        data = message["data"]
        newest = str(self._cloud.cas.instances.of(data["InstanceId"]).certificate_id)
        if not self._applications(data) and newest == data["ReplacedCertificateId"]:
            return "nobody has applied"
        wanted = f"{data['InstanceId']}-{data['ReplacedCertificateId']}-applied"
        return "" if message["id"] == wanted else "its id is another one"

    def _problem_of_validation(self, run: str, message: dict[str, Any]) -> str:
        data, now = message["data"], self._cloud.clock.now()
        start = f"{data['InstanceId']}-{data['ReplacedCertificateId']}-validation-"
        if not message["id"].startswith(start):
            return "its id is another one"
        if data["Records"] not in [seen.records for seen in self._details.get((run, data["InstanceId"]), [])]:
            return "it has not seen such records"
        applications = self._cloud.cas.authority.applications
        first = min((one.at for one in applications if one.instance_id == data["InstanceId"]), default=now)
        return "the platform may still add them" if self.may_apply and now - first < timedelta(minutes=8) else ""

    def _problem_of_stuck(self, run: str, message: dict[str, Any]) -> str:
        data, now = message["data"], self._cloud.clock.now()
        stage, applications = data["Stage"], self._applications(data)
        seen = self._details.get((run, data["InstanceId"]), [])
        if not re.fullmatch(
            f"{data['InstanceId']}-{data['ReplacedCertificateId']}-stalled-[0-9-]{{10}}", message["id"]
        ):
            return "its id is another one"
        if stage in {"hosted", "in-review"}:
            waited = (data["InstanceId"], data["ReplacedCertificateId"]) in self._waited.get(run, ())
            is_fresh = any(now - one.at < SETTLED for one in applications)
            return "" if waited or is_fresh or not seen else "nobody is about to get its next certificate"
        if stage == "authority-says":
            return "" if data["Detail"] in [one.said for one in seen] or not seen else "the authority did not say so"
        if stage == "submission-failed":
            return "" if any(one.failure for one in applications) else "it was submitted"
        if stage == "review-too-long":
            is_long = any(now - one.at > timedelta(hours=23, minutes=58) for one in applications)
            return "" if is_long and any(one.is_pending for one in seen) else "it is not in review for so long"
        if any(one.is_pending for one in seen[-1:]):
            return "it is in review"
        issued = self._cloud.cas.certificates.of_instance(data["InstanceId"])
        base = next((one for one in issued if str(one.certificate_id) == data["ReplacedCertificateId"]), None)
        nexts = [one for one in issued if base and {*base.names} <= {*one.names} and one.not_after > base.not_after]
        first = min((one.not_before for one in nexts if not one.revoked_at), default=now)
        return "" if not seen or seen[-1].at <= first else "its next certificate is there"

    def _problem_of_issued(self, message: dict[str, Any]) -> str:
        data = message["data"]
        of_instance = {str(c.certificate_id): c for c in self._cloud.cas.certificates.of_instance(data["InstanceId"])}
        new, old = of_instance.get(data["CertificateId"]), of_instance.get(data["ReplacedCertificateId"])
        if new is None or new is old:
            return "there is no such certificate"
        if not _is_moment(data["CertEndTime"], new.not_after):
            return f"it ends on {new.not_after}"
        if old is not None and (new.not_after <= old.not_after or not {*old.names} <= {*new.names}):
            return "it does not follow the other"
        wanted = f"{data['InstanceId']}-{data['CertificateId']}-issued"
        return "" if message["id"] == wanted else "its id is another one"

    def _problem_of_expiring(self, run: str, message: dict[str, Any]) -> str:
        data, days = message["data"], int(message["id"].rpartition("-")[2])
        wanted = message["id"] == f"{message['subject']}-expiring-{days}"
        if not wanted or (days not in THRESHOLDS and (days not in FORESEEN or data["Reason"] not in LIMITS)):
            return "its id is another one"
        if all(EXCEPTED[1:] in name for name in data["Domain"].split(",")):
            return "the operator has closed his eyes to it"
        readings = self._readings.get(run, [])
        at = [(truth, truth.things.get((data["Kind"], message["subject"]))) for truth in readings]
        problems = {self._why_false(message, days, thing, truth) for truth, thing in at}
        return "" if "" in problems else " or ".join(sorted(problems)) or "it had read no list"

    def _why_false(self, message: dict[str, Any], days: int, thing: Thing | None, truth: Truth) -> str:
        data = message["data"]
        if thing is None:
            return "there is no such thing"
        if thing.falsely == RENEWED:
            since = self._renewed_at(thing.order)
            thing = thing if since is not None and since < truth.now else thing._replace(falsely="")
        if thing.falsely:
            return thing.falsely
        if thing.names and not _is_moment(data["CertEndTime"], thing.ends):
            return f"it ends on {thing.ends}"
        left = thing.ends - truth.now
        if left > timedelta(days=days, minutes=2):
            return "it is too early"
        if thing.waits and left > timedelta(days=3, minutes=2):
            return self._why_it_may_wait(data["Reason"], thing, truth, left)
        return ""

    def _why_it_may_wait(self, reason: str, thing: Thing, truth: Truth, left: timedelta) -> str:
        if reason in NOT_YET:
            return "a later run will renew it"
        if thing.kind == "instance" and reason in LIMITS:
            return ""  # orders come first, and how many there will be is not known here
        runs = math.ceil(left / timedelta(days=1)) - 1
        if reason in LIMITS and truth.count_waiting(thing.ends) <= self._per_run * runs:
            return "its turn will come in time"
        return ""


def _is_moment(text: str | None, moment: datetime) -> bool:
    """To the second: CAS rounds."""
    return text is not None and abs(from_rfc3339(text) - moment) <= timedelta(seconds=1)
