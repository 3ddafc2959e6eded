"""From a row of the list of certificates to a certificate: what makes no sense costs its own certificate at most."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from handler.certificates.renewable import Kind, Renewable
from handler.watch.certificate import Certificate, certificate_in
from tests.examples import PROPERTY
from tests.unit.v2_rows import (
    CERTIFICATE,
    ENDS,
    GONE,
    JSON,
    STARTS,
    certificate,
    milliseconds,
    nearly,
    seconds,
    with_changes,
)


def test_every_field_of_a_row_is_taken():
    assert certificate() == Certificate(
        Renewable(Kind.CERTIFICATE, "9000001", "www.example.com,shop.example.com", "", "cas-upload-895441", ENDS),
        status="willExpire",
        source="UPLOAD",
        starts=STARTS,
        odd=(),
        products=("CDN",),
    )


@pytest.mark.parametrize("as_text", [False, True])
@pytest.mark.parametrize("unit", [seconds, milliseconds])
def test_times_may_be_in_either_unit_and_numbers_or_texts(unit: Any, as_text: bool):
    written = {"NotAfter": unit(ENDS), "NotBefore": unit(STARTS)}
    shown = certificate(**{name: str(number) if as_text else number for name, number in written.items()})
    assert (shown.renewable.ends, shown.starts, shown.odd) == (ENDS, STARTS, ())


@pytest.mark.parametrize(("given_id", "found"), [("9000001", "9000001"), (9000001, "9000001"), ("0042", "42")])
def test_a_certificate_id_is_a_whole_number_in_any_spelling(given_id: Any, found: str):
    assert certificate(CertificateId=given_id).renewable.id == found


@pytest.mark.parametrize(
    "given_id", [GONE, None, 0, "0", -1, 1.5, True, "", "x", "9000001-cn-hangzhou", [1], {}, 2**63, "9" * 5000]
)
def test_a_row_without_a_certificate_id_is_shown_and_nothing_else(given_id: Any):
    shown = certificate_in(with_changes(CERTIFICATE, {"CertificateId": given_id}))
    assert isinstance(shown, str)
    assert shown.startswith("CertificateId ")
    assert len(shown) <= 80


@pytest.mark.parametrize("row", [None, 5, "text", [], [CERTIFICATE], True, 1.5, "x" * 5000])
def test_what_is_no_row_is_shown(row: Any):
    shown = certificate_in(row)
    assert isinstance(shown, str)
    assert len(shown) <= 80


@pytest.mark.parametrize("status", ["issued", "revoked", "willExpire", "expired"])
def test_each_state_that_is_documented_makes_sense(status: str):
    assert (certificate(CertificateStatus=status).status, certificate(CertificateStatus=status).odd) == (status, ())


@pytest.mark.parametrize("status", [GONE, None, "", "frozen", "Issued", 7, []])
def test_a_state_that_nobody_knows_is_named_once(status: Any):
    assert certificate(CertificateStatus=status).odd == ("CertificateStatus",)


@pytest.mark.parametrize("end", [GONE, None, "", 0, "0", "soon", [], True, 10**30])
def test_a_certificate_without_an_end_is_odd_since_nobody_could_be_told_in_time(end: Any):
    shown = certificate(NotAfter=end)
    assert (shown.renewable.ends, shown.odd) == (None, ("NotAfter",))


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({}, ("www.example.com", "shop.example.com")),
        ({"Domain": "www.example.com"}, ("www.example.com", "shop.example.com")),
        ({"Domain": "WWW.example.com."}, ("www.example.com", "shop.example.com")),
        ({"Domain": GONE}, ("www.example.com", "shop.example.com")),
        ({"SubjectAlternativeNames": []}, ("www.example.com", "shop.example.com")),
        ({"SubjectAlternativeNames": None, "Domain": "www.example.com"}, ("www.example.com",)),
        ({"SubjectAlternativeNames": GONE, "Domain": ""}, ("www.example.com",)),
        ({"SubjectAlternativeNames": ["x@example.com", "null", ""], "Domain": "a.example.com"}, ("a.example.com",)),
        ({"SubjectAlternativeNames": [], "Domain": "", "CommonName": GONE}, ()),
    ],
)
def test_it_is_for_every_name_that_the_row_has_anywhere_so_that_none_is_lost_unnoticed(
    fields: dict[str, Any], names: tuple[str, ...]
):
    assert (certificate(**fields).renewable.domains, certificate(**fields).odd) == (names, ())


def test_where_the_names_agree_the_domain_is_as_cas_shows_it():
    assert (
        certificate(Domain="Shop.example.com, www.example.com").renewable.domain == "Shop.example.com, www.example.com"
    )


@pytest.mark.parametrize(
    "name",
    [name for name, value in CERTIFICATE.items() if name not in {"CertificateId", "CommonName"}],
)
@pytest.mark.parametrize("nonsense", [1.5, ["x", 1], {"a": 1}])
def test_a_field_that_makes_no_sense_is_named_once(name: str, nonsense: Any):
    assert certificate(**{name: nonsense}).odd == (name,)


@PROPERTY
@given(nearly(CERTIFICATE) | JSON)
def test_whatever_a_row_is_it_gives_a_certificate_or_a_text(row: Any):
    found = certificate_in(row)
    if isinstance(found, str):
        assert len(found) <= 80
        return
    assert isinstance(found, Certificate)
    assert int(found.renewable.id) > 0
    assert set(found.odd) <= set(CERTIFICATE)
    assert len(set(found.odd)) == len(found.odd)
    assert (found.renewable.ends is None) == ("NotAfter" in found.odd)
    assert isinstance(found.renewable.domains, tuple)
