"""May a certificate take another one's place, where, and which of the two of an order is which?"""

import pytest

from handler.deployment.certificate import IssuedCertificate
from handler.deployment.plan import Plan, planned, reason_not_to_deploy
from handler.deployment.resource import Resource
from handler.deployment.twins import STILL_BOUND, Twins, twins
from handler.outcomes import Reason
from tests.examples import DAY, NOW, SECOND

OLD = IssuedCertificate("1", "www.example.com", "cas-old", "willExpire", "BUY", NOW + 9 * DAY, "aa")
NEW = IssuedCertificate("2", "www.example.com", "cas-new", "issued", "BUY", NOW + 190 * DAY, "bb")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ({}, {}, None),
        ({"domain": "WWW.Example.com."}, {}, None),
        ({"domain": "a.example.com,www.example.com"}, {"domain": "www.example.com a.example.com"}, None),
        ({"source": "TEST"}, {"source": "TEST"}, None),
        ({"status": "expired", "ends": NOW - DAY}, {}, None),
        ({"serial": ""}, {"serial": ""}, None),
        ({"source": "UPLOAD"}, {}, Reason.UPLOADED),
        ({}, {"source": "UPLOAD"}, Reason.UPLOADED),
        ({"odd": ("Domain",)}, {}, Reason.ROW_UNREADABLE),
        ({}, {"odd": ("CertificateSource",)}, Reason.ROW_UNREADABLE),
        ({}, {"id": "1"}, Reason.ROW_UNREADABLE),
        ({}, {"status": "revoked"}, Reason.REVOKED),
        ({}, {"status": "expired"}, Reason.EXPIRED),
        ({"ends": NOW - DAY}, {"ends": NOW}, Reason.EXPIRED),
        ({}, {"domain": "www.example.com,a.example.com"}, Reason.NAMES_CHANGED),
        ({"domain": "www.example.com,a.example.com"}, {}, Reason.NAMES_CHANGED),
        ({"domain": "*.example.com"}, {}, Reason.NAMES_CHANGED),
        ({}, {"ends": NOW + 9 * DAY}, Reason.ENDS_NO_LATER),
        ({}, {"ends": NOW + 8 * DAY}, Reason.ENDS_NO_LATER),
    ],
)
def test_a_certificate_takes_the_place_of_one_with_its_names_that_ends_sooner(old, new, reason):
    assert reason_not_to_deploy(OLD._replace(**old), NEW._replace(**new), NOW) == reason


def resource(id_, product="CDN", certificate="1", **more):
    return Resource(id_, certificate, product, "cn-hangzhou", "www.example.com", "", "", **more)


@pytest.mark.parametrize(
    ("products", "chosen"),
    [
        (("CDN",), ["1", "2"]),
        (("cdn",), ["1", "2"]),
        (("Alb", "oss"), ["3"]),
        (("*",), ["1", "2", "3"]),
        (("DCDN",), []),
        ((), []),
    ],
)
def test_the_operator_chooses_the_products_in_any_case_of_letters(products, chosen):
    plan = planned("1", [resource("1"), resource("2", "Cdn"), resource("3", "ALB")], (), products)
    assert [one.id for one in plan.resources] == chosen
    assert sorted([*chosen, *(one.id for one in plan.elsewhere)]) == ["1", "2", "3"]


def test_what_is_bound_to_another_certificate_or_is_in_another_cloud_is_left_alone_whatever_the_list_was_asked_for():
    rows = [resource("1"), resource("2", certificate="7"), resource("3", cloud="tencent")]
    plan = planned("1", rows, (), ("*",))
    assert plan == Plan((rows[0],))


def test_a_row_that_makes_no_sense_is_shown_and_stops_no_other():
    rows = [resource("1", odd=("Domain",)), resource("2"), resource("3", certificate="", odd=("CertId",))]
    plan = planned("1", rows, ["Id None"], ("*",))
    assert plan.ids == {"2"}
    assert plan.unreadable == ("Id None", "resource 1: Domain", "resource 3: CertId")


# --- the certificates of two orders -----------------------------------------------------------------------------------


def of(*certificates):
    return twins("cas-old", "cas-new", certificates, NOW)


def test_of_two_orders_there_is_one_certificate_each():
    other = OLD._replace(id="7", instance="cas-other")
    assert of(other, NEW, OLD) == Twins(OLD, NEW)


@pytest.mark.parametrize(
    ("certificates", "reason"),
    [
        ([OLD], Reason.CERTIFICATE_NOT_FOUND),
        ([NEW], Reason.CERTIFICATE_NOT_FOUND),
        ([], Reason.CERTIFICATE_NOT_FOUND),
        ([OLD, NEW, OLD._replace(id="3")], Reason.SEVERAL_CERTIFICATES),
        ([OLD, NEW, NEW._replace(id="3")], Reason.SEVERAL_CERTIFICATES),
        ([OLD._replace(status="revoked"), NEW], Reason.CERTIFICATE_NOT_FOUND),
        ([OLD, NEW._replace(ends=NOW - SECOND, status="expired")], Reason.CERTIFICATE_NOT_FOUND),
        ([OLD, NEW._replace(source="UPLOAD")], Reason.CERTIFICATE_NOT_FOUND),
        ([OLD._replace(ends=NOW - STILL_BOUND - SECOND), NEW], Reason.CERTIFICATE_NOT_FOUND),
        ([OLD, NEW._replace(domain="shop.example.com")], Reason.NAMES_CHANGED),
        ([OLD, NEW._replace(ends=OLD.ends)], Reason.ENDS_NO_LATER),
        ([OLD, NEW, NEW._replace(id="3", ends=None, odd=("NotAfter",))], Reason.ROW_UNREADABLE),
    ],
)
def test_otherwise_nothing_is_deployed_and_the_reason_is_told(certificates, reason):
    assert of(*certificates) == reason


def test_without_an_instance_there_is_no_certificate():
    assert twins("", "cas-new", [OLD._replace(instance=""), NEW], NOW) == Reason.CERTIFICATE_NOT_FOUND


def test_an_old_one_that_has_just_ended_is_still_bound_and_one_that_is_in_force_comes_before_it():
    ended = OLD._replace(status="expired", ends=NOW - DAY)
    assert of(ended, NEW) == Twins(ended, NEW)
    assert of(ended._replace(id="3"), OLD, NEW) == Twins(OLD, NEW)
