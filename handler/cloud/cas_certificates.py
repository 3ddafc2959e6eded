"""The certificates of CAS, whatever they came from: the `CertificateService` of the deployed function."""

from handler.cloud.cas_client import Cas
from handler.cloud.cas_lists import CasList
from handler.watch.certificate import certificate_in
from handler.watch.service import CertificateList

PAGE = 100
"""The most that CAS allows."""


class CasCertificates:
    """The certificates of one account."""

    def __init__(self, client: Cas) -> None:
        """`client`: shared with the other services of CAS, since what it allows is for all of them together."""
        self._list = CasList(
            "certificates", lambda page: client.read("ListCertificates", page), "CertificateList", certificate_in, PAGE
        )

    def certificates(self) -> CertificateList:
        """Read every certificate, all pages, until the list has held still. Raises CasError."""
        return CertificateList(*self._list.read_tidily())

    def probe_certificates(self) -> None:
        """Ask for one certificate, to see whether that works. Raises CasError."""
        self._list.probe()
