"""Rows as the V2 operations of CAS show them, for the tests of what reads them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from handler.certificates.rules import Rules
from handler.instances.detail import Detail, detail_in
from handler.instances.instance import Instance
from handler.instances.row import instance_in
from handler.watch.certificate import Certificate, certificate_in
from tests.examples import DAY, NOW, rules

STARTS, ENDS, SUBSCRIPTION_ENDS = NOW - 179 * DAY, NOW + 20 * DAY, NOW + 186 * DAY


def seconds(moment: datetime) -> int:
    """The moment as the SDK says that it is written."""
    return int(moment.timestamp())


def milliseconds(moment: datetime) -> int:
    """The moment as every published example has it."""
    return seconds(moment) * 1000


INSTANCE: dict[str, Any] = {
    "AutoReissue": "disable",
    "CertificateDomain": "www.example.com",
    "CertificateId": 20000001,
    "CertificateNotAfter": milliseconds(ENDS),
    "CertificateNotBefore": milliseconds(STARTS),
    "CertificateStatus": "willExpire",
    "CertificateType": "DV",
    "Domain": "www.example.com",
    "InstanceEndTime": milliseconds(SUBSCRIPTION_ENDS),
    "InstanceId": "cas_dv-cn-example01",
    "InstanceType": "BUY",
    "PendingResult": "",
    "Spec": "digicert-dv",
    "Status": "normal",
    "UsingProductList": ["CDN", "ALB"],
}
"""An instance whose next certificate may be applied for."""

DETAIL: dict[str, Any] = {
    "RequestId": "082FAB35-6AB9-4FD5-8750-D36673548E76",
    "ContactIdList": [21001, 21002],
    "Domain": "www.example.com",
    "DomainValidationList": [],
    "GenerateCsrMethod": "online",
    "InstanceId": "cas_dv-cn-example01",
    "PendingResult": "",
    "UpgradeStatus": "none",
    "ValidationMethod": "DNS",
}
"""Its detail: nothing is missing for the next application."""

CERTIFICATE: dict[str, Any] = {
    "CertificateId": "9000001",
    "CertificateSource": "UPLOAD",
    "CertificateStatus": "willExpire",
    "CommonName": "www.example.com",
    "Domain": "www.example.com,shop.example.com",
    "InstanceId": "cas-upload-895441",
    "NotAfter": milliseconds(ENDS),
    "NotBefore": milliseconds(STARTS),
    "SubjectAlternativeNames": ["www.example.com", "shop.example.com"],
    "UsingProductList": ["CDN"],
}
"""An uploaded certificate that ends soon."""

GONE = object()
"""The value of a field that is not there."""

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
"""Whatever a value can be."""


def nearly(row: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Whatever a row can be, most of it like that one."""
    return st.fixed_dictionaries(
        {}, optional={name: JSON | st.just(value) | st.integers(0, 2**64) for name, value in row.items()}
    )


def with_changes(row: dict[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
    """The row with other values; a field is left out whose value is GONE."""
    return {name: value for name, value in {**row, **changed}.items() if value is not GONE}


def instance(**changed: Any) -> Instance:
    """The instance of the row above with some fields changed, under the names of the row."""
    found = instance_in(with_changes(INSTANCE, changed))
    assert isinstance(found, Instance)
    return found


def detail(**changed: Any) -> Detail:
    """The detail above with some fields changed."""
    return detail_in(with_changes(DETAIL, changed))


def certificate(**changed: Any) -> Certificate:
    """The certificate of the row above with some fields changed."""
    found = certificate_in(with_changes(CERTIFICATE, changed))
    assert isinstance(found, Certificate)
    return found


def applying(**ruled: Any) -> Rules:
    """The rules of an operator who lets the next certificate of an instance be applied for."""
    return rules(**ruled)._replace(may_apply=True)


def ends_in(time: timedelta) -> dict[str, Any]:
    """The field that lets the newest certificate of an instance end then."""
    return {"CertificateNotAfter": int((NOW + time).timestamp() * 1000)}
