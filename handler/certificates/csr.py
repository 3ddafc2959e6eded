"""A certificate signing request that somebody gave along: checked before it costs anything."""

import re
import textwrap
from typing import NamedTuple

from handler.certificates.domains import canonical
from handler.errors import EventRefused

_PEM = re.compile(
    r"\s*-----BEGIN (?P<label>(?:NEW )?CERTIFICATE REQUEST)-----(?P<body>[A-Za-z0-9+/=\s]+)-----END (?P=label)-----\s*"
)
_MIN_RSA_BITS = 2048


class Csr(NamedTuple):
    """A request that parses, is signed with its own key and has a key that CAS takes."""

    pem: str
    common_name: str

    def require_domain(self, domain: str, where: str) -> None:
        """Raise EventRefused unless the CN is the order's domain ("the CN is the bound domain", API reference)."""
        if canonical(self.common_name) != canonical(domain):
            raise EventRefused(where, f"the CSR's CN is {self.common_name!r}; the order's domain is {domain!r}")


def read_csr(text: object, where: str) -> Csr:
    """Check a CSR in PEM and return it; line breaks lost on the way (as in the API's sample) are put back.

    Raises EventRefused, naming `where`, if it is no text, holds anything but one request (a private key,
    say), does not parse, is not signed by its own key, has a key other than RSA of at least 2048 bits or EC,
    or has no single CN.
    """
    # Imported here: only a manual event can have a CSR, and a cold start should not pay for the others.
    from cryptography import x509  # noqa: PLC0415
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec, rsa  # noqa: PLC0415

    if not isinstance(text, str) or not (found := _PEM.fullmatch(text)):
        raise EventRefused(where, "expected the PEM text of one CSR (-----BEGIN CERTIFICATE REQUEST-----) and no more")
    body = "\n".join(textwrap.wrap(re.sub(r"\s+", "", found["body"]), 64))
    pem = f"-----BEGIN {found['label']}-----\n{body}\n-----END {found['label']}-----\n"
    try:
        request = x509.load_pem_x509_csr(pem.encode())
        signed = request.is_signature_valid
        names = [str(name.value) for name in request.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
        key = request.public_key()
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise EventRefused(where, f"the CSR cannot be read: {str(error)[:200]}") from None
    if not signed:
        raise EventRefused(where, "the CSR's signature does not fit its key")
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < _MIN_RSA_BITS:
            raise EventRefused(where, f"the CSR's RSA key has {key.key_size} bits; at least {_MIN_RSA_BITS} are needed")
    elif not isinstance(key, ec.EllipticCurvePublicKey):
        raise EventRefused(where, f"the CSR's key is a {type(key).__name__}; RSA or EC is needed")
    if len(names) != 1:
        raise EventRefused(where, f"the CSR has {len(names)} CNs; exactly one is needed")
    return Csr(pem, names[0])
