"""What happens to V2 instances while nobody calls: the certificate authority takes its time, and the platform acts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from tests.stubs.certificate import Certificate
from tests.stubs.certificates import Certificates
from tests.stubs.instance import Application, By, Instance
from tests.stubs.shapes import Common
from tests.stubs.validation import entries, record_of


class Authority:
    """The authority and the platform that hosts certificates.

    Nothing here runs by itself: `pass_time` makes up for all that should have happened since, at its own moment. So
    the settings say how it will have been, also for an application that is outstanding when they are changed.
    """

    settings: ClassVar = (
        "takes",
        "submission_takes",
        "records_after",
        "own_dns",
        "dns_takes",
        "lifetime_days",
        "test_lifetime_days",
        "adds_apex",
        "hosting_works",
        "hosting_days",
        "hosting_units",
        "shows_after",
        "says_meanwhile",
    )

    def __init__(self, common: Common, certificates: Certificates) -> None:
        self.takes: float = 300
        """Seconds from the validation of the domains to the decision."""
        self.submission_takes: float = 2
        """Seconds for which GetTaskAttribute says `processing`."""
        self.records_after: float = 5
        """Seconds from an application to its validation records."""
        self.own_dns = True
        """Whether the domains are in the account's own DNS, so that the platform adds the records by itself."""
        self.dns_takes: float = 120
        """Seconds that it takes to do so, from the application on."""
        self.lifetime_days: float = 199
        self.test_lifetime_days: float = 90
        self.adds_apex = False
        """Whether a certificate for `www.example.com` is good for `example.com` too, which nobody asked for."""
        self.hosting_works = True
        """Whether the platform applies by itself for what is hosted."""
        self.hosting_days: float = 30
        """So many days before the end of the certificate."""
        self.hosting_units = 10
        """Prepaid; each application of the platform takes one, and without one it applies for nothing."""
        self.shows_after: float = 0
        """Seconds until an application shows as `pending`. The service itself knows it at once."""
        self.says_meanwhile = ""
        """PendingResult of an application that is in review, which is no refusal."""
        self.applications: list[Application] = []
        self.instances: dict[str, Instance] = {}
        self._common = common
        self._certificates = certificates
        self._records: dict[tuple[str, str, str, str], datetime] = {}

    def add_record(self, zone: str, host: str, kind: str, value: str) -> None:
        """Somebody adds a record to a zone (or puts up a file: kind HTTP), as a validation asks for it."""
        self._records.setdefault((zone, host, kind, value), self._common.clock.now())

    def add_all_records(self) -> None:
        """Somebody adds every record that a validation asks for."""
        for instance in self.instances.values():
            for entry in self.records(instance):
                self.add_record(*record_of(entry))

    def submit(self, instance: Instance, by: By, at: datetime) -> Application:
        """An application is in."""
        application = Application(
            number=len(self.applications) + 1,
            instance_id=instance.instance_id,
            names=instance.names,
            at=at,
            by=by,
            base=instance.certificate_id,
        )
        self.applications.append(application)
        instance.remember(at)
        instance.application = application.number
        instance.pending_from = at + timedelta(seconds=self.shows_after)
        instance.pending_result = self.says_meanwhile
        return application

    def outstanding(self, instance: Instance) -> Application | None:
        """The application that the authority has not answered, or whose refusal leaves the instance pending."""
        return self.applications[instance.application - 1] if instance.application else None

    def newest(self, instance: Instance) -> Application | None:
        """The newest application for the instance, whatever became of it."""
        of_instance = (one for one in reversed(self.applications) if one.instance_id == instance.instance_id)
        return next(of_instance, None)

    def records(self, instance: Instance) -> list[dict[str, Any]]:
        """The DomainValidationList as it shows now."""
        application = self.outstanding(instance)
        if application is None or self._common.clock.now() < application.at + timedelta(seconds=self.records_after):
            return []
        return entries(application, instance.validation_method)

    def pass_time(self) -> None:
        """Let everything happen that should have, up to now."""
        now = self._common.clock.now()
        ends_soon = now + timedelta(days=self.hosting_days)
        for instance in self.instances.values():
            if instance.application is None and not self._is_due(instance, ends_soon):
                continue  # most are: there may be thousands, and this comes before every answer
            while self._next(instance, now):
                pass

    def issue(self, instance: Instance, at: datetime | None = None) -> int:
        """The authority issues the certificate that was applied for, whatever is missing; returns its id."""
        at = at or self._common.clock.now()
        application = self.outstanding(instance)
        names = application.names if application else instance.names
        if self.adds_apex:
            names = [*names, *(name[4:] for name in names if name.startswith("www.") and name[4:] not in names)]
        lifetime = timedelta(days=self.test_lifetime_days if instance.kind == "TEST" else self.lifetime_days)
        certificate = self._certificates.keep(
            Certificate(
                certificate_id=self._certificates.new_id(),
                names=names,
                not_before=at,
                not_after=at + lifetime,
                source=instance.kind,
                instance_id=instance.instance_id,
                algorithm=instance.key_algorithm,
            )
        )
        instance.remember(at)
        instance.certificate_id, instance.pending_result = certificate.certificate_id, ""
        if instance.start is None:
            instance.start, instance.end = at, at + timedelta(days=30.44 * instance.months)
        if application:
            application.certificate_id = certificate.certificate_id
        self.close(instance, "issued")
        return certificate.certificate_id

    def close(self, instance: Instance, outcome: Any) -> None:
        """The outstanding application comes to its end."""
        application = self.outstanding(instance)
        if application:
            application.outcome = outcome
        instance.application = instance.pending_from = None

    def to_json(self) -> dict[str, Any]:
        """The state as a JSON object; the instances are kept where they are listed."""
        return {
            "settings": {name: getattr(self, name) for name in self.settings},
            "applications": [application.to_json() for application in self.applications],
            "records": [[*record, added.isoformat()] for record, added in self._records.items()],
        }

    def from_json(self, state: Mapping[str, Any]) -> None:
        """Replace the state by what `to_json` gave."""
        for name, value in state["settings"].items():
            setattr(self, name, value)
        self.applications = [Application.from_json(application) for application in state["applications"]]
        self._records = {
            (zone, host, kind, value): datetime.fromisoformat(added)
            for zone, host, kind, value, added in state["records"]
        }

    def _is_due(self, instance: Instance, ends_soon: datetime) -> bool:
        if not instance.hosted or not instance.certificate_id:
            return False
        certificate = self._certificates.find(instance.certificate_id)
        return certificate is not None and certificate.not_after <= ends_soon

    def _next(self, instance: Instance, now: datetime) -> bool:
        """Let the next thing happen to an instance; False if there is none up to now."""
        application = self.outstanding(instance)
        if application is None:
            return self._host(instance, now)
        decided_at = None if application.outcome else self._decided_at(instance, application)
        if instance.end and instance.end <= min(now, decided_at or now):
            self.close(instance, "ended")
        elif decided_at is None or decided_at > now:
            return False
        elif instance.refusal is not None:
            instance.remember(decided_at)
            self._refuse(instance, application)
        else:
            self.issue(instance, decided_at)
        return True

    def _decided_at(self, instance: Instance, application: Application) -> datetime | None:
        if instance.refusal is not None and instance.refusal_after is not None:
            return application.at + timedelta(seconds=instance.refusal_after)
        own_dns = self.own_dns if instance.own_dns is None else instance.own_dns
        if own_dns and instance.validation_method == "DNS":
            validated_at = application.at + timedelta(seconds=self.dns_takes)
        else:
            asked = [record_of(entry) for entry in entries(application, instance.validation_method)]
            if not all(record in self._records for record in asked):
                return None
            validated_at = max(application.at, *(self._records[record] for record in asked))
        return validated_at + timedelta(seconds=self.takes)

    def _refuse(self, instance: Instance, application: Application) -> None:
        text, instance.refusal = instance.refusal or "", None
        if "pending-result" in instance.refusal_traces:
            instance.pending_result = text
        if "task" in instance.refusal_traces:
            application.failure = text
        application.outcome = "refused"
        if "status" in instance.refusal_traces:
            self.close(instance, "refused")

    def _host(self, instance: Instance, now: datetime) -> bool:
        """Let the platform apply for what is hosted, once for each certificate."""
        certificate = self._certificates.find(instance.certificate_id) if instance.certificate_id else None
        if not self.hosting_works or instance.hosted_since is None or certificate is None or instance.fixed_status:
            return False
        at = max(instance.hosted_since, certificate.not_after - timedelta(days=self.hosting_days))
        in_time = at <= now and at < certificate.not_after and not certificate.revoked_at
        in_subscription = instance.kind == "BUY" and instance.end is not None and at < instance.end
        if (
            not in_time
            or not in_subscription
            or not self.hosting_units
            or instance.hosted_base == instance.certificate_id
        ):
            return False
        self.hosting_units -= 1
        instance.hosted_base = instance.certificate_id
        self.submit(instance, "hosting", at)
        return True
