"""What watching certificates needs of the certificate service: a port, filled in `handler.cloud`."""

from typing import NamedTuple, Protocol

from handler.watch.certificate import Certificate


class CertificateList(NamedTuple):
    """Every certificate that CAS showed."""

    certificates: tuple[Certificate, ...] = ()
    nameless: tuple[str, ...] = ()
    """What can be shown of the rows that had no certificate id."""


class CertificateService(Protocol):
    """The certificates of one account. Every method raises CasError when it cannot do its work."""

    def certificates(self) -> CertificateList:
        """Read every certificate, all pages."""

    def of_instance(self, instance_id: str) -> CertificateList:
        """Read every certificate that an instance has issued."""

    def probe_certificates(self) -> None:
        """Ask for one certificate, to see whether that works."""
