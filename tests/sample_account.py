"""Accounts such as people have: one of each kind that the function must tell apart."""

from __future__ import annotations

from tests.stubs.cloud import Cloud

PLAIN_ORDER_ID = 123451222
"""The order that the samples in `events/` name."""


def furnish(cloud: Cloud) -> None:
    """Put the orders into an empty account."""
    add = cloud.cas.add_order
    add(
        PLAIN_ORDER_ID,
        domain="www.example.com",
        days_left=20.5,
        instance_id="cas-cn-example01",
        certificate_id=7654321,
    )
    add(123451230, domain="shop.example.com", days_left=4.5, source="BUY", product_code="geotrust-ov-1", cert_type="OV")
    add(123451241, domain="*.api.example.com", days_left=28.5, product_code="digicert-dv-wildcard-1")
    add(123451256, domain="blog.example.com", days_left=12.5, trustee="trustee")
    add(123451263, domain="test.example.com", days_left=9.5, cert_type="FREE", product_code="digicert-free-1")
    add(123451270, domain="a.example.com,b.example.com", days_left=15.5, domain_type="MULTIPLE")
    add(123451288, domain="mail.example.com", days_left=25.5, product_code="digicert-dv-2")
    add(123451299, domain="mail.example.com", status="PAYED", product_code="digicert-dv-2")
    add(123451305, domain="docs.example.com", days_left=160.5)
    add(123451311, domain="old.example.com", days_left=-40)


def sample_account_2026(cloud: Cloud) -> None:
    """Put into an empty account what people have in 2026: the orders, V2 instances of each kind, and uploads.

    The authority and the deployments of this account take seconds, so that somebody who runs the function again by hand
    sees how it goes on.
    """
    furnish(cloud)
    cas = cloud.cas
    cas.authority.dns_takes, cas.authority.takes, cas.authority.records_after = 2, 3, 1
    cas.deployments.scheduling_takes = cas.deployments.takes = 1
    add = cas.instances.add
    due = add("app.example.com", 11.5, instance_id="cas_dv-cn-due00001")
    add("pay.example.com", 8.5, instance_id="cas_dv-cn-record01", own_dns=False)
    hosted = add("portal.example.com,*.portal.example.com", 26.5, instance_id="cas_dv-cn-hosted01", hosted=True)
    add("trial.example.com", 13.5, instance_id="cas_dv-cn-test0001", kind="TEST")
    add("legacy.example.com", 6.5, instance_id="cas_dv-cn-ending01", subscription_days_left=6.5)
    add("intranet.example.com", 140.5, instance_id="cas_dv-cn-later001")
    add("", None, instance_id="cas_dv-cn-unused01")
    upload = cas.certificates.upload("partner.example.com", days_left=10.5)
    cas.certificates.upload("archive.example.com", "static.example.com", days_left=120.5)

    for instance, product, domain in (
        (due, "CDN", "app.example.com"),
        (due, "ALB", "app.example.com"),
        (hosted, "WAF", "portal.example.com"),
    ):
        certificate = cas.instances.certificate(instance)
        assert certificate
        cas.resources.add(certificate.certificate_id, product, domain)
    cas.resources.add(upload, "SLB", "partner.example.com")
    cas.resources.add(7654321, "DCDN", "www.example.com")
