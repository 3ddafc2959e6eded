"""A CSR that somebody gave along is checked before it costs anything."""

import base64
import re
import textwrap

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519
from hypothesis import given
from hypothesis import strategies as st

from handler.certificates.csr import Csr, read_csr
from handler.errors import EventRefused
from tests import examples
from tests.examples import DOMAIN, PROPERTY, ec_key, rsa_key

RSA_2048 = examples.csr(key=rsa_key())


def refusal(text: object) -> str:
    with pytest.raises(EventRefused) as refused:
        read_csr(text, "csr")
    assert refused.value.where == "csr"
    return str(refused.value).removeprefix("event refused at csr: ")


def der(pem: str) -> bytes:
    return base64.b64decode("".join(pem.splitlines()[1:-1]))


def pem(raw: bytes) -> str:
    body = "\n".join(textwrap.wrap(base64.b64encode(raw).decode(), 64))
    return f"-----BEGIN CERTIFICATE REQUEST-----\n{body}\n-----END CERTIFICATE REQUEST-----\n"


# ----------------------------------------------------------------------------------------------------------------- keys


@pytest.mark.parametrize(
    "key",
    [rsa_key(2048), rsa_key(3072), ec_key(), ec.generate_private_key(ec.SECP384R1())],
    ids=["RSA 2048", "RSA 3072", "P-256", "P-384"],
)
def test_rsa_of_2048_bits_and_elliptic_curves_are_good(key):
    text = examples.csr(key=key)
    assert read_csr(text, "csr") == Csr(text, DOMAIN)


@pytest.mark.parametrize("bits", [1024, 2040, 2047])
def test_rsa_below_2048_bits_is_refused(bits):
    assert refusal(examples.csr(key=rsa_key(bits))) == f"the CSR's RSA key has {bits} bits; at least 2048 are needed"


@pytest.mark.parametrize("key", [ed25519.Ed25519PrivateKey.generate(), ed448.Ed448PrivateKey.generate()])
def test_any_other_kind_of_key_is_refused(key):
    assert "RSA or EC is needed" in refusal(examples.csr(key=key, algorithm=None))


# ------------------------------------------------------------------------------------------------------------ signature


@pytest.mark.parametrize("text", [RSA_2048, examples.csr()], ids=["RSA", "EC"])
def test_a_csr_whose_signature_was_changed_is_refused(text):
    raw = bytearray(der(text))
    raw[-1] ^= 1
    assert refusal(pem(bytes(raw))) == "the CSR's signature does not fit its key"


def test_a_csr_whose_name_was_changed_after_signing_is_refused():
    raw = der(RSA_2048)
    assert raw.count(b"www.example.com") == 1
    assert (
        refusal(pem(raw.replace(b"www.example.com", b"wvw.example.com"))) == "the CSR's signature does not fit its key"
    )


def test_a_csr_signed_with_another_key_is_refused():
    other = examples.csr(key=rsa_key(3072))
    key = rsa_key().public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    assert key in der(RSA_2048)
    request = x509.load_pem_x509_csr(RSA_2048.encode())
    mixed = der(RSA_2048).replace(request.signature, x509.load_pem_x509_csr(other.encode()).signature[:256])
    assert refusal(pem(mixed)) == "the CSR's signature does not fit its key"


@pytest.mark.parametrize("algorithm", [hashes.SHA384(), hashes.SHA512()])
def test_how_strong_the_hash_is_does_not_matter(algorithm):
    assert read_csr(examples.csr(algorithm=algorithm), "csr").common_name == DOMAIN


def test_a_signature_with_sha_1_is_checked_or_refused_like_any_other():
    raw = der(RSA_2048).replace(bytes.fromhex("2a864886f70d01010b"), bytes.fromhex("2a864886f70d010105"))
    assert raw != der(RSA_2048)
    assert refusal(pem(raw))


# ----------------------------------------------------------------------------------------------------------------- name


def test_two_common_names_are_refused():
    assert refusal(examples.csr(DOMAIN, "b.example.com")) == "the CSR has 2 CNs; exactly one is needed"


def test_no_common_name_is_refused():
    unsigned = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    text = unsigned.sign(ec_key(), hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
    assert refusal(text) == "the CSR has 0 CNs; exactly one is needed"


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        (DOMAIN, DOMAIN),
        ("WWW.Example.com", DOMAIN),
        (DOMAIN, "www.example.com."),
        ("*.example.com", "*.example.com"),
        ("xn--bcher-kva.example.com", "bücher.example.com"),
        ("bücher.example.com", "xn--bcher-kva.example.com"),
        ("BÜCHER.example.com", "bücher.example.com"),
    ],
)
def test_the_common_name_is_the_domain_in_any_spelling(name, domain):
    read_csr(examples.csr(name), "csr").require_domain(domain, "csr")


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        (DOMAIN, "example.com"),
        ("*.example.com", DOMAIN),
        (DOMAIN, "*.example.com"),
        (DOMAIN, ""),
        ("bücher.example.com", "bucher.example.com"),
        ("www.example.com.example.com", DOMAIN),
    ],
)
def test_a_common_name_that_is_not_the_domain_is_refused_naming_both(name, domain):
    request = read_csr(examples.csr(name), "csr")
    with pytest.raises(EventRefused) as refused:
        request.require_domain(domain, "event.Csr")
    assert refused.value.where == "event.Csr"
    assert f"the CSR's CN is {name!r}; the order's domain is {domain!r}" in str(refused.value)


# ----------------------------------------------------------------------------------------------------------------- text


@pytest.mark.parametrize("lost", [" ", "", "\r\n", "\n\n", "\t"])
def test_line_breaks_lost_on_the_way_are_put_back(lost):
    assert read_csr(RSA_2048.strip().replace("\n", lost), "csr").pem == RSA_2048


def test_space_around_a_csr_does_not_matter():
    assert read_csr(f"\n  {RSA_2048}\n\n", "csr").pem == RSA_2048


def test_the_older_label_of_a_csr_is_kept():
    text = examples.csr(label="NEW CERTIFICATE REQUEST")
    assert text.startswith("-----BEGIN NEW CERTIFICATE REQUEST-----")
    assert read_csr(text, "csr").pem == text


def private_key(form: serialization.PrivateFormat) -> str:
    return rsa_key().private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


@pytest.mark.parametrize("form", [serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL])
@pytest.mark.parametrize("text", ["{key}", "{csr}{key}", "{key}{csr}", "{csr}\n{csr}{key}"])
def test_a_private_key_is_refused_and_never_quoted(form, text):
    key = private_key(form)
    said = refusal(text.format(key=key, csr=RSA_2048))
    assert said == "expected the PEM text of one CSR (-----BEGIN CERTIFICATE REQUEST-----) and no more"
    assert not any(line in said for line in key.splitlines()[1:-1])


def test_a_private_key_under_the_label_of_a_csr_is_refused_and_never_quoted():
    key = private_key(serialization.PrivateFormat.PKCS8)
    said = refusal(key.replace("PRIVATE KEY", "CERTIFICATE REQUEST"))
    assert said.startswith("the CSR cannot be read")
    assert not any(line[:20] in said for line in key.splitlines()[1:-1])


@pytest.mark.parametrize(
    "text",
    [
        None,
        5,
        b"bytes",
        [RSA_2048],
        "",
        DOMAIN,
        RSA_2048 + RSA_2048,
        RSA_2048 + "and more",
        "Subject: CN=www.example.com\n" + RSA_2048,
        RSA_2048.replace("END", "BEGIN"),
        RSA_2048.replace("CERTIFICATE REQUEST", "CERTIFICATE"),
        RSA_2048.replace("BEGIN CERTIFICATE", "BEGIN NEW CERTIFICATE"),
        RSA_2048.replace("M", "!", 1),
        "-----BEGIN CERTIFICATE REQUEST----------END CERTIFICATE REQUEST-----",
    ],
)
def test_text_that_is_not_one_csr_is_refused(text):
    assert refusal(text).startswith("expected the PEM text of one CSR")


@pytest.mark.parametrize(
    "text",
    [
        pem(b""),
        pem(b"\x30\x00"),
        pem(der(RSA_2048)[:-1]),
        pem(der(RSA_2048) + b"\x00"),
        pem(DOMAIN.encode()),
        RSA_2048.replace("-----\n", "-----\nAAAA", 1),
        "-----BEGIN CERTIFICATE REQUEST-----\n=\n-----END CERTIFICATE REQUEST-----",
    ],
)
def test_a_csr_that_cannot_be_parsed_is_refused(text):
    assert refusal(text).startswith(("the CSR cannot be read", "expected the PEM text"))


def test_a_csr_of_a_version_that_does_not_exist_is_refused():
    raw = bytearray(der(RSA_2048))
    version = raw.index(b"\x02\x01\x00")
    raw[version + 2] = 5
    assert refusal(pem(bytes(raw))).startswith("the CSR cannot be read")


@PROPERTY
@given(st.integers(0, len(der(RSA_2048)) - 1), st.integers(1, 255))
def test_a_csr_with_any_byte_changed_is_refused_unless_that_byte_says_nothing(place, change):
    raw = bytearray(der(RSA_2048))
    raw[place] ^= change
    try:
        assert read_csr(pem(bytes(raw)), "csr").common_name == DOMAIN
    except EventRefused:
        return
    key = x509.load_der_x509_csr(bytes(raw)).public_key()
    assert key == rsa_key().public_key()


def test_a_csr_that_was_read_can_be_read_again():
    once = read_csr(re.sub(r"\s", " ", RSA_2048), "csr")
    assert read_csr(once.pem, "csr") == once
