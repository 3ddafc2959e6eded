"""Which instances a selection means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.command import Selection
from handler.instances.instance import Instance
from handler.instances.policy import names_of
from handler.instances.selection import selected
from tests.examples import PROPERTY
from tests.unit.v2_rows import instance

WWW = instance()
SHOP = instance(
    InstanceId="cas_dv-cn-example02",
    CertificateId=20000002,
    CertificateDomain="shop.example.com,WWW.example.com",
    Domain="shop.example.com,www.example.com",
)
FRESH = instance(
    InstanceId="cas-cn-example03", CertificateId=None, CertificateDomain="", Domain="new.example.com", Status="inactive"
)
NAMELESS = instance(InstanceId="cas_dv-cn-example04", CertificateId=20000004, CertificateDomain="", Domain="")
ALL = [WWW, SHOP, FRESH, NAMELESS]


@pytest.mark.parametrize(
    ("selection", "meant"),
    [
        (None, ALL),
        (Selection(instance_ids=("cas_dv-cn-example02",)), [SHOP]),
        (Selection(instance_ids=("cas-cn-example03", "cas_dv-cn-example01", "cas_dv-cn-example09")), [WWW, FRESH]),
        (Selection(instance_ids=("CAS_DV-CN-EXAMPLE01",)), []),
        (Selection(instance_ids=("cas_dv-cn-example0",)), []),
        (Selection(certificate_ids=("20000001", "20000004")), [WWW, NAMELESS]),
        (Selection(certificate_ids=("",)), []),
        (Selection(domains=("www.example.com",)), [WWW]),
        (Selection(domains=("WWW.Example.com.",)), [WWW]),
        (Selection(domains=("new.example.com",)), [FRESH]),
        (Selection(domains=("shop.example.com",)), []),
        (Selection(domains=("shop.example.com", "www.example.com")), [WWW]),
        (Selection(domains=("",)), []),
        (Selection(order_ids=("20000001",)), []),
        (Selection(certificate_ids=("20000002",), domains=("www.example.com",)), [WWW, SHOP]),
    ],
)
def test_an_instance_is_meant_by_its_id_by_its_newest_certificate_or_by_its_only_name(
    selection: Selection | None, meant: list[Instance]
):
    assert selected(selection, ALL) == meant


def test_a_name_that_the_authority_has_added_does_not_hide_the_one_that_was_configured():
    added = instance(CertificateDomain="www.example.com,example.com", Domain="www.example.com")
    assert selected(Selection(domains=("www.example.com",)), [added]) == [added]
    assert selected(Selection(domains=("example.com",)), [added]) == []


NAMES = st.sampled_from(["www.example.com", "shop.example.com", "*.example.com", "bücher.example.com", "null", ""])
ROWS = st.builds(
    lambda n, has, configured, certificate: instance(
        InstanceId=f"cas_dv-cn-example0{n}",
        CertificateDomain=",".join(has),
        Domain=",".join(configured),
        CertificateId=certificate,
    ),
    st.integers(1, 4),
    st.lists(NAMES, max_size=2),
    st.lists(NAMES, max_size=2),
    st.sampled_from([None, 20000001, 20000002]),
)


@PROPERTY
@given(
    st.lists(ROWS, max_size=4),
    st.builds(
        Selection,
        st.just(()),
        st.lists(st.sampled_from(["20000001", "20000002", "5", ""]), max_size=2).map(tuple),
        st.lists(st.sampled_from(["cas_dv-cn-example01", "cas_dv-cn-example02"]), max_size=2).map(tuple),
        st.lists(NAMES, max_size=2).map(tuple),
    ),
)
def test_nothing_is_meant_that_nobody_named(instances: list[Instance], selection: Selection):
    meant = selected(selection, instances)
    assert meant == [one for one in instances if one in meant], "in their order"
    for one in meant:
        is_named = one.id in selection.instance_ids or one.certificate_id in selection.certificate_ids
        assert is_named or len(names_of(one)) == 1
        assert is_named or selection.domains
    if selection.is_scan:
        assert meant == []
