"""The account that `make run` shows, as the real client of CAS sees it."""

from __future__ import annotations

from pathlib import Path

from alibabacloud_cas20200407 import models

from tests.sample_account import PLAIN_ORDER_ID, sample_account_2026
from tests.stubs.clients import Clients
from tests.stubs.cloud import local_cloud


def test_the_account_of_2026_has_one_of_each_kind_and_still_has_them_when_it_is_loaded_again(tmp_path: Path) -> None:
    with local_cloud(state=tmp_path) as cloud:
        sample_account_2026(cloud)

    with local_cloud(state=tmp_path) as cloud:
        clients = Clients(cloud.environ())
        instances = clients.cas.list_instances(models.ListInstancesRequest()).body.instance_list
        uploads = clients.cas.list_certificates(models.ListCertificatesRequest(certificate_source="UPLOAD")).body

        assert PLAIN_ORDER_ID in {order.order_id for order in clients.orders().certificate_order_list}
        assert {row.certificate_domain: (row.instance_type, row.auto_reissue, row.status) for row in instances} == {
            "app.example.com": ("BUY", "disable", "normal"),
            "pay.example.com": ("BUY", "disable", "normal"),
            "portal.example.com,*.portal.example.com": ("BUY", "enable", "pending"),
            "trial.example.com": ("TEST", "disable", "willExpire"),
            "legacy.example.com": ("BUY", "disable", "willExpire"),
            "intranet.example.com": ("BUY", "disable", "normal"),
            None: ("BUY", "disable", "inactive"),
        }
        assert uploads.total_count == 2
        assert next(row for row in instances if row.domain == "app.example.com").using_product_list == ["ALB", "CDN"]


def test_an_application_in_the_account_of_2026_is_issued_within_seconds() -> None:
    with local_cloud() as cloud:
        sample_account_2026(cloud)
        client = Clients(cloud.environ()).cas
        for instance in ("cas_dv-cn-due00001", "cas_dv-cn-record01"):
            client.apply_certificate(models.ApplyCertificateRequest(instance_id=instance))
        cloud.clock.advance(seconds=5)

        asking = client.get_instance_detail(models.GetInstanceDetailRequest(instance_id="cas_dv-cn-record01")).body

        assert cloud.cas.instances.status("cas_dv-cn-due00001") == "normal"
        assert (asking.status, [entry.root_domain for entry in asking.domain_validation_list]) == (
            "pending",
            ["example.com"],
        )
