"""The certificates of CAS, whatever they came from: the `CertificateService` of the deployed function."""

from handler.cloud.cas_client import Cas
from handler.cloud.cas_lists import CasList
from handler.watch.certificate import Certificate, certificate_in
from handler.watch.service import CertificateList

PAGE = 100
"""The most that CAS allows."""


class CasCertificates:
    """The certificates of one account."""

    def __init__(self, client: Cas) -> None:
        """`client`: shared with the other services of CAS, since what it allows is for all of them together."""
        self._client = client
        self._list = self._of({})

    def certificates(self) -> CertificateList:
        """Read every certificate, all pages, until the list has held still. Raises CasError."""
        return CertificateList(*self._list.read_tidily())

    def of_instance(self, instance_id: str) -> CertificateList:
        """Read every certificate that an instance has issued. Raises CasError."""
        return CertificateList(*self._of({"InstanceId": instance_id}).read_tidily())

    def probe_certificates(self) -> None:
        """Ask for one certificate, to see whether that works. Raises CasError."""
        self._list.probe()

    def _of(self, what: dict[str, str]) -> CasList[Certificate]:
        client = self._client
        return CasList(
            "certificates",
            lambda page: client.read("ListCertificates", {**what, **page}),
            "CertificateList",
            certificate_in,
            PAGE,
        )
