"""The message about what nothing will replace, and its id. Pure."""

from datetime import datetime
from typing import NamedTuple

from handler.certificates.renewable import Kind, Renewable
from handler.journal.alerts import EXPIRING
from handler.outbox.cloud_event import MessageType, certificate_of, cloud_event

_ID = {Kind.ORDER: "OrderId", Kind.INSTANCE: "InstanceId", Kind.CERTIFICATE: "CertificateId"}


class Expiring(NamedTuple):
    """What nothing will replace."""

    renewable: Renewable
    days: int
    """The threshold that has been reached, in days before the end."""
    days_left: int
    reason: str
    products: tuple[str, ...] = ()
    deferred: int = 0
    """For how many others, which wait for the same limit, the message speaks, too."""

    @property
    def id(self) -> str:
        """Of the message: one for each threshold."""
        return f"{self.renewable.id}{EXPIRING}{self.days}"

    @property
    def noted_as(self) -> str:
        """Under what it is noted that people have been told.

        In an instance one certificate follows another, sooner than such a note is forgotten; so it names the end.
        """
        ends = self.renewable.ends
        is_one_of_many = self.renewable.kind is Kind.INSTANCE and ends is not None
        return f"{self.id}-{ends:%Y-%m-%d}" if is_one_of_many else self.id


def expiring_message(expiring: Expiring, now: datetime, account_id: str) -> str:
    """Write the message that nothing will replace a certificate.

    `subject` is the id of the order, instance or certificate. `data` has Kind, its id (OrderId, InstanceId or
    CertificateId), Domain, ProductCode, InstanceId and CertEndTime, Reason, DaysLeft (negative when it has ended),
    Products (where it is in use, if that is known) and, if it speaks for others too, Deferred (how many).
    """
    of = expiring.renewable
    data = {
        "Kind": of.kind.value,
        **certificate_of(of),
        _ID[of.kind]: of.id,
        "Reason": str(expiring.reason),
        "DaysLeft": expiring.days_left,
        "Products": list(expiring.products),
        **({"Deferred": expiring.deferred} if expiring.deferred else {}),
    }
    return cloud_event(expiring.id, MessageType.EXPIRING, of.id, now, account_id, data)
