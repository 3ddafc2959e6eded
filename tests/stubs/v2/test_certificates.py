"""Certificates of every origin, as the real client of CAS sees them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from alibabacloud_cas20200407 import models
from alibabacloud_cas20200407.client import Client
from alibabacloud_tea_openapi.exceptions import ClientException

from tests.stubs.clock import START
from tests.stubs.cloud import Cloud


def listed(client: Client, **params: Any) -> Any:
    return client.list_certificates(models.ListCertificatesRequest(**params)).body


def ids(client: Client, **params: Any) -> list[str]:
    return [row.certificate_id for row in listed(client, **params).certificate_list]


def detail(client: Client, certificate: int) -> Any:
    return client.get_certificate_detail(models.GetCertificateDetailRequest(certificate_id=certificate)).body


def milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def test_an_upload_an_instance_and_an_issued_order_each_have_a_certificate(cloud: Cloud, client: Client) -> None:
    order = cloud.cas.add_order(domain="order.example.com", certificate_id=777)
    cloud.cas.add_order(domain="order.example.com", status="PAYED")
    free = cloud.cas.add_order(domain="free.example.com", cert_type="FREE", certificate_id=778)
    instance = cloud.cas.instances.add("instance.example.com")
    test = cloud.cas.instances.add("test.example.com", kind="TEST")
    cloud.cas.instances.buy("to-be-used.example.com")
    upload = cloud.cas.certificates.upload("upload.example.com", "other.example.com")

    shown = [(row.certificate_source, row.domain, row.instance_id) for row in listed(client).certificate_list]

    assert shown == [
        ("UPLOAD", "upload.example.com,other.example.com", f"cas-upload-{upload:x}"),
        ("TEST", "test.example.com", test),
        ("BUY", "instance.example.com", instance),
        ("TEST", "free.example.com", cloud.cas.order(free).instance_id),
        ("BUY", "order.example.com", cloud.cas.order(order).instance_id),
    ]
    assert ids(client, certificate_source="UPLOAD") == [str(upload)]
    assert ids(client, instance_id=cloud.cas.order(order).instance_id) == ["777"]


def test_a_row_has_the_id_as_a_text_and_a_detail_as_a_number(cloud: Cloud, client: Client) -> None:
    upload = cloud.cas.certificates.upload("www.example.com", "example.com", days_left=20)
    cloud.cas.certificates.serials[upload] = "0a1b2c"
    cloud.cas.resources.add(upload, "OSS")
    cloud.cas.resources.add(upload, "CDN")

    (row,) = listed(client).certificate_list
    looked_at = detail(client, upload)

    assert (row.certificate_id, looked_at.certificate_id) == (str(upload), upload)
    for one in (row, looked_at):
        assert (one.certificate_source, one.certificate_status, one.common_name) == (
            "UPLOAD",
            "willExpire",
            "www.example.com",
        )
        assert one.subject_alternative_names == ["www.example.com", "example.com"]
        assert (one.not_before, one.not_after) == (
            milliseconds(START - timedelta(days=180)),
            milliseconds(START + timedelta(days=20)),
        )
        assert (one.serial, one.cert_identifier) == ("0a1b2c", f"{upload}-cn-hangzhou")
        assert (one.algorithm, one.key_size, one.exist_private_key) == ("RSA", 2048, True)
        assert one.using_product_list == ["CDN", "OSS"]
        assert "PRIVATE KEY" not in str(one.to_map())


def test_an_instance_lists_all_that_it_has_issued_newest_first(cloud: Cloud, client: Client) -> None:
    instance = cloud.cas.instances.add("www.example.com")
    cloud.cas.instances.add("www.example.com")
    first = cloud.cas.instances.of(instance).certificate_id
    second = cloud.cas.instances.issue(instance)

    assert ids(client, instance_id=instance) == [str(second), str(first)]
    assert len(ids(client)) == 3


def test_a_certificate_is_found_by_its_state_and_by_a_keyword(cloud: Cloud, client: Client) -> None:
    upload = cloud.cas.certificates.upload
    issued, ending, ended, revoked = (
        upload("a.example.com", days_left=100),
        upload("b.example.com", days_left=30),
        upload("c.example.com", "shop.example.com", days_left=0),
        upload("d.example.com", days_left=100),
    )
    cloud.cas.certificates.revoke(revoked)
    cloud.cas.add_order(domain="e.example.com", status="REVOKED", certificate_id=777)

    states = ("issued", "willExpire", "expired", "revoked")
    assert [ids(client, certificate_status=state) for state in states] == [
        [str(issued)],
        [str(ending)],
        [str(ended)],
        [str(revoked), "777"],
    ]
    assert ids(client, keyword="shop") == [str(ended)]
    assert ids(client, keyword=f"cert-{issued}") == [str(issued)]
    assert ids(client, keyword="example.com", certificate_source="BUY") == ["777"]


def test_a_page_has_ten_rows_or_up_to_a_hundred(cloud: Cloud, client: Client) -> None:
    for _ in range(60):
        cloud.cas.add_order()
    for _ in range(60):
        cloud.cas.certificates.upload("www.example.com")

    assert len(ids(client)) == 10
    pages = [listed(client, show_size=100, current_page=page) for page in (1, 2)]
    assert [len(page.certificate_list) for page in pages] == [100, 20]
    assert len({row.certificate_id for page in pages for row in page.certificate_list}) == 120
    assert {(page.total_count, page.show_size) for page in pages} == {(120, 100)}
    with pytest.raises(ClientException, match="InvalidParameter"):
        ids(client, show_size=101)


def test_rows_and_details_of_certificates_may_be_odd(cloud: Cloud, client: Client) -> None:
    upload = cloud.cas.certificates.upload("www.example.com")
    cloud.cas.certificates.pages.odd_row(upload, "CertificateId", NotAfter="soon")
    cloud.cas.certificates.pages.add_raw_row({}, place=5)
    cloud.cas.certificates.details.odd_row(upload, SubjectAlternativeNames=None)

    first, last = listed(client).certificate_list

    assert (first.certificate_id, first.not_after, last.to_map()) == (None, "soon", {})
    assert detail(client, upload).subject_alternative_names is None


def test_a_certificate_that_was_deleted_is_not_found(cloud: Cloud, client: Client) -> None:
    kept, deleted = (cloud.cas.certificates.upload("www.example.com") for _ in range(2))
    cloud.cas.certificates.remove(deleted)

    with pytest.raises(ClientException) as missing:
        detail(client, deleted)
    assert (missing.value.code, missing.value.status_code) == ("NotFound", 404)
    assert ids(client) == [str(kept)]
    assert cloud.cas.certificates.upload("www.example.com") not in {kept, deleted}


@pytest.mark.parametrize("shown", [True, False])
def test_the_user_s_certificates_have_those_of_instances_or_not(cloud: Cloud, client: Client, shown: bool) -> None:
    cloud.cas.certificates.user_list_has_instances = shown
    instance = cloud.cas.instances.add("a.example.com,b.example.com")
    upload = cloud.cas.certificates.upload("www.example.com")

    def user_list(order_type: str) -> Any:
        request = models.ListUserCertificateOrderRequest(order_type=order_type)
        return client.list_user_certificate_order(request).body.certificate_order_list

    assert [row.certificate_id for row in user_list("UPLOAD")] == [upload]
    of_instances = [row for row in user_list("CERT") if row.certificate_id != upload]
    assert [(row.instance_id, row.common_name, row.sans) for row in of_instances] == (
        [(instance, "a.example.com", "a.example.com,b.example.com")] if shown else []
    )


def test_the_old_detail_knows_the_instance_and_no_order(cloud: Cloud, client: Client) -> None:
    instance = cloud.cas.instances.add()
    certificate = cloud.cas.instances.of(instance).certificate_id
    request = models.GetUserCertificateDetailRequest(cert_id=certificate, cert_filter=True)

    old = client.get_user_certificate_detail(request).body

    assert (old.instance_id, old.order_id, old.key) == (instance, None, None)


def test_ten_thousand_orders_and_five_thousand_certificates_are_listed_in_150_pages(
    cloud: Cloud, client: Client
) -> None:
    for _ in range(10_000):
        cloud.cas.add_order()
    for _ in range(5_000):
        cloud.cas.instances.add(hosted=True)

    pages = 0
    seen: set[str] = set()
    while len(seen) < 15_000:
        pages += 1
        seen.update(ids(client, show_size=100, current_page=pages))

    assert pages == 150
