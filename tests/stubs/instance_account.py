"""The V2 instances of the account: what a test sets up, and what people do to them in the console."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from tests.stubs.authority import Authority
from tests.stubs.certificate import Certificate
from tests.stubs.certificates import Certificates
from tests.stubs.instance import TRACES, Application, Instance, Trace
from tests.stubs.resources import FIRST_CONTACT_ID
from tests.stubs.shapes import Common

MONTH = 30.44


class InstanceAccount:
    """All V2 instances, newest first."""

    def __init__(self, common: Common, certificates: Certificates, authority: Authority) -> None:
        self._common = common
        self._certificates = certificates
        self._authority = authority
        self._newest_first: list[Instance] = []
        self._made = 0

    def add(
        self,
        domain: str = "www.example.com",
        days_left: float | None = 20,
        *,
        instance_id: str | None = None,
        kind: Literal["BUY", "TEST"] = "BUY",
        subscription_days_left: float | None = None,
        months: int | None = None,
        certificate_domain: str | None = None,
        certificate_type: str = "DV",
        hosted: bool = False,
        own_dns: bool | None = None,
        place: int = 0,
        **fields: Any,
    ) -> str:
        """Put an instance into the account and return its id.

        `days_left` until the end of its newest certificate; None: there is none yet. The subscription lasts `months`
        (3 for TEST, else 12) from that certificate on, or `subscription_days_left` from now. `fields` are fields of
        `Instance`, such as `contacts`, `csr_method`, `upgrade`, `fixed_status`. `place`: 0 is the first row.
        """
        with self._common.lock:
            now = self._common.clock.now()
            self._made += 1
            months = months or (3 if kind == "TEST" else 12)
            instance = Instance(
                instance_id=instance_id or f"cas_{certificate_type.lower()}-cn-{0xE0A0000 + self._made:x}",
                kind=kind,
                domain=domain,
                ordered_at=now,
                months=months,
                certificate_type=certificate_type,
                hosted=hosted,
                hosted_since=now if hosted else None,
                own_dns=own_dns,
            )
            instance.contacts = [FIRST_CONTACT_ID]
            for name, value in fields.items():
                if not hasattr(instance, name):
                    raise TypeError(f"an instance has no {name}")
                setattr(instance, name, value)
            self._insert(instance, place)
            if days_left is not None:
                self._give_certificate(instance, certificate_domain or domain, now + timedelta(days=days_left))
            if subscription_days_left is not None:
                instance.end = now + timedelta(days=subscription_days_left)
                instance.start = instance.ordered_at = min(now, instance.end - timedelta(days=MONTH * months))
            return instance.instance_id

    def of(self, instance_id: str) -> Instance:
        """The instance with that id as it is now; KeyError if there is none."""
        self._common.pass_time()
        return self._authority.instances[instance_id]

    def ids(self) -> list[str]:
        """The ids of all instances, newest first."""
        return [instance.instance_id for instance in self._newest_first]

    def status(self, instance_id: str) -> str:
        """What the instance is at this moment."""
        return self._status(self.of(instance_id))

    def certificate(self, instance_id: str) -> Certificate | None:
        """Its newest certificate."""
        newest = self.of(instance_id).certificate_id
        return self._certificates.find(newest) if newest else None

    def applied(self, instance_id: str) -> list[Application]:
        """The applications for that instance that were made through the API, oldest first."""
        return [
            application
            for application in self._authority.applications
            if application.by == "api" and application.instance_id == instance_id
        ]

    # What people do in the console

    def buy(self, domain: str = "", kind: Literal["BUY", "TEST"] = "BUY", months: int | None = None) -> str:
        """Buy another instance (or take a free one), which is to be used; return its id."""
        return self.add(domain, None, kind=kind, months=months)

    def apply(self, instance_id: str) -> None:
        """Submit the application, as ApplyCertificate does."""
        with self._common.lock:
            instance = self.of(instance_id)
            if instance.application:
                raise ValueError(f"there is an application for {instance_id} already")
            self._authority.submit(instance, "console", self._common.clock.now())

    def withdraw(self, instance_id: str) -> None:
        """Withdraw the application; the instance is `normal` then, even if it never had a certificate."""
        with self._common.lock:
            instance = self.of(instance_id)
            if not instance.application:
                raise ValueError(f"there is no application for {instance_id}")
            instance.remember(self._common.clock.now())
            self._authority.close(instance, "withdrawn")
            instance.settled = "normal"

    def host(self, instance_id: str, hosted: bool = True) -> None:
        """Switch hosting on, or off."""
        instance = self.of(instance_id)
        instance.hosted, instance.hosted_since = hosted, self._common.clock.now() if hosted else None

    def change_domain(self, instance_id: str, domain: str) -> None:
        """Configure another domain for the next application."""
        self.of(instance_id).domain = domain

    def end_subscription(self, instance_id: str) -> None:
        """The subscription ends now."""
        self.of(instance_id).end = self._common.clock.now()

    def extend_subscription(self, instance_id: str, months: int = 12) -> None:
        """Pay for more months."""
        instance = self.of(instance_id)
        instance.end = (instance.end or self._common.clock.now()) + timedelta(days=MONTH * months)

    def refuse(
        self, instance_id: str, text: str, *, traces: Sequence[Trace] = TRACES, after: float | None = None
    ) -> None:
        """The authority will refuse the outstanding application, or else the next, with these words.

        When it would have issued, or `after` so many seconds from the application, whatever is validated by then.
        """
        instance = self.of(instance_id)
        instance.refusal, instance.refusal_traces, instance.refusal_after = text, list(traces), after

    def issue(self, instance_id: str) -> int:
        """The authority issues at once, applied for or not; return the certificate's id."""
        with self._common.lock:
            return self._authority.issue(self.of(instance_id))

    def remove(self, instance_id: str) -> None:
        """The instance disappears from the account; its certificates stay."""
        with self._common.lock:
            self._newest_first.remove(self._authority.instances.pop(instance_id))

    def move_row(self, instance_id: str, place: int) -> None:
        """The instance's row goes to another place in its list, 0 being the first."""
        with self._common.lock:
            instance = self.of(instance_id)
            self._newest_first.remove(instance)
            self._newest_first.insert(place, instance)

    def _status(self, instance: Instance) -> str:
        return instance.status(self._common.clock.now(), self._common.shapes.instance_expiring_days)

    def _insert(self, instance: Instance, place: int) -> None:
        if instance.instance_id in self._authority.instances:
            raise ValueError(f"there is an instance {instance.instance_id} already")
        self._authority.instances[instance.instance_id] = instance
        self._newest_first.insert(place, instance)

    def _give_certificate(self, instance: Instance, domain: str, end: datetime) -> None:
        days = self._authority.test_lifetime_days if instance.kind == "TEST" else self._authority.lifetime_days
        start = min(self._common.clock.now(), end - timedelta(days=days))
        certificate = Certificate(
            certificate_id=self._certificates.new_id(),
            names=domain.split(","),
            not_before=start,
            not_after=end,
            source=instance.kind,
            instance_id=instance.instance_id,
            algorithm=instance.key_algorithm,
        )
        instance.certificate_id = self._certificates.keep(certificate).certificate_id
        instance.start = instance.ordered_at = start
        instance.end = start + timedelta(days=MONTH * instance.months)
