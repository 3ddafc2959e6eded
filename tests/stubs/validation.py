"""The records by which an authority makes sure that a domain is the applicant's."""

from __future__ import annotations

import hashlib
from typing import Any

from tests.stubs.instance import Application

_SECOND_LEVEL = frozenset({"com", "net", "org", "gov", "edu", "co"})


def root_domain(name: str) -> str:
    """The zone in which a name is: `example.com` of `*.shop.example.com`, `example.com.cn` of `www.example.com.cn`."""
    labels = name.removeprefix("*.").split(".")
    has_second_level = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL
    return ".".join(labels[-3 if has_second_level else -2 :])


def entries(application: Application, method: str) -> list[dict[str, Any]]:
    """The DomainValidationList of an application: one entry a name, with values that no other application has."""
    return [_entry(application, name, method) for name in application.names]


def record_of(entry: dict[str, Any]) -> tuple[str, str, str, str]:
    """The record that fulfils an entry: zone, host, type and value."""
    return entry["RootDomain"], entry["ValidationKey"], entry["ValidationType"], entry["ValidationValue"]


def _entry(application: Application, name: str, method: str) -> dict[str, Any]:
    bare, zone = name.removeprefix("*."), root_domain(name)
    below = bare.removesuffix(zone).rstrip(".")
    value = hashlib.sha256(f"{application.instance_id} {application.number} {bare}".encode()).hexdigest()[:32]
    by_file = method == "HTTP"
    return {
        "Cname": "",
        "CnameKey": "",
        "Domain": name,
        "RootDomain": zone,
        "ValidationKey": "fileauth.txt" if by_file else "_dnsauth" + (below and f".{below}"),
        "ValidationType": "HTTP" if by_file else "TXT",
        "ValidationValue": value,
    }
