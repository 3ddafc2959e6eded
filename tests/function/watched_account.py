"""An account with one of each kind that a run has something to say about."""

from __future__ import annotations

from tests.stubs.cloud import Cloud

INSTANCES, CERTIFICATES = "ListInstances", "ListCertificates"


def furnish(cloud: Cloud) -> None:
    """One of each kind: to be renewed, hosted and stalled, ending, and an upload that ends."""
    cloud.cas.add_order(domain="renew.example.com", days_left=10.5)
    cloud.cas.instances.add("hosted.example.com", 10.5, hosted=True, own_dns=False)
    cloud.cas.instances.add("ending.example.com", 10.5)
    cloud.cas.certificates.upload("upload.example.com", days_left=10.5)
