"""What may stand in the facts: words that the documentation has, and shapes of values. Never a value itself. Pure.

A text that the documentation does not have could be a name or an id, so it is counted and left out.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from handler.certificates.ids import id_in
from handler.certificates.rows import Row

ABSENT = object()
"""Stands for a field that a row does not have."""
UNDOCUMENTED = "undocumented"

_CERTIFICATE = ("issued", "revoked", "willExpire", "expired")
_WORDS: Mapping[str, tuple[str, ...]] = {
    "AutoReissue": ("enable", "disable"),
    "AutoReissueFlag": ("0", "1"),
    "CertType": ("DV", "OV", "EV", "FREE"),
    "CertificateSource": ("BUY", "TEST", "UPLOAD"),
    "CertificateStatus": _CERTIFICATE,
    "CertificateType": ("DV", "OV", "EV"),
    "DomainType": ("ONE", "MULTIPLE", "WILDCARD", "M_WILDCARD", "MIX"),
    "GenerateCsrMethod": ("online", "upload"),
    "InstanceType": ("BUY", "TEST"),
    "SourceType": ("cpack", "buy"),
    "Status": (
        *("PAYED", "CHECKING", "CHECKED_FAIL", "ISSUED", "WILLEXPIRED", "EXPIRED", "NOTACTIVATED", "REVOKED"),
        *("inactive", "pending", "normal", "willExpire", "refund", "closed"),
    ),
    "TaskStatus": ("success", "processing", "failed"),
    "TrusteeStatus": ("trustee", "unTrustee"),
    "UpgradeStatus": ("none", "payed", "issued"),
    "ValidationMethod": ("DNS", "HTTP"),
    "ValidationType": ("TXT", "CNAME", "HTTP", "FILE"),
}
_FOLDED = {field: frozenset(map(str.casefold, words)) for field, words in _WORDS.items()}
FIELDS_OF_WORDS = tuple(_WORDS)

_CODES = frozenset(
    {
        *("Throttling", "Throttling.User", "Throttling.Api", "Rejected.Throttling", "FlowControlError"),
        *("OperationDenied.SystemUpgrading", "InvalidStatus.UpdateProtection", "NotFound", "NotFoundOrder"),
        *("InvalidInstanceId.NotFound", "InvalidParameter", "MissingParameter"),
        *("OperationDenied.StatusNotSupport", "Forbidden.RAM", "NoPermission", "AccessDenied.NoAuth"),
        *("PermissionDenied", "InvalidAccessKeyId.NotFound", "InvalidAccessKeyId.Inactive"),
        *("SignatureDoesNotMatch", "InvalidSecurityToken.Expired", "InvalidSecurityToken.Malformed"),
        *("InvalidTimeStamp.Expired", "InternalError", "ServiceUnavailable", "no-answer", "no-connection"),
        *("no-code", "no-list", "empty-answer"),
    }
)
_PREFIXES = ("cas_dv-", "cas_ov-", "cas_ev-", "cas_", "cas-ivauto-", "cas-upload-", "cas-")
_REGIONS = ("cn-hangzhou", "ap-southeast-1")
_SECONDS = range(946_684_800, 7_258_118_400)
"""From 2000 to 2200."""
_EXACT = 2**53


def word(field: str, value: Any) -> str:
    """Return a documented word as it came, in whatever case; else what can be said of the value."""
    text = str(value) if type(value) is int else value
    if isinstance(text, str) and text.casefold() in _FOLDED[field]:
        return text
    is_empty = filling(value) in {"absent", "null", "empty"}
    return filling(value) if is_empty else UNDOCUMENTED


def filling(value: Any) -> str:
    """Return whether there is a value: absent, null, empty, zero or filled."""
    if value is ABSENT:
        return "absent"
    if value is None:
        return "null"
    if value in ("", [], {}):
        return "empty"
    return "zero" if value in (0, "0") and value is not False else "filled"


def time_shape(value: Any) -> str:
    """Return how a moment is written, such as `milliseconds, number`."""
    if filling(value) != "filled":
        return filling(value)
    number = id_in(value)
    if number is None:
        return "neither seconds nor milliseconds"
    kind = "text" if isinstance(value, str) else "number"
    if int(number) in _SECONDS:
        return f"seconds, {kind}"
    return f"milliseconds, {kind}" if int(number) // 1000 in _SECONDS else f"neither seconds nor milliseconds, {kind}"


def id_shape(value: Any) -> str:
    """Return how an id is written: number or text, and whether a float would lose digits of it."""
    number = id_in(value)
    if number is None:
        return filling(value) if filling(value) != "filled" else "no whole number"
    return f"{'text' if isinstance(value, str) else 'number'}{', above 2^53' if int(number) > _EXACT else ''}"


def prefix(value: Any) -> str:
    """Return how an instance id begins, as far as that is known of a kind."""
    if not isinstance(value, str) or not value:
        return filling(value)
    return next((f"{known}*" for known in _PREFIXES if value.startswith(known)), UNDOCUMENTED)


def region_of_identifier(value: Any) -> str:
    """Return the region at the end of a CertIdentifier."""
    if not isinstance(value, str) or not value:
        return filling(value)
    return next((f"*-{region}" for region in _REGIONS if value.endswith(f"-{region}")), UNDOCUMENTED)


def code(said: str) -> str:
    """Return a documented error code, or one of our own for what was no answer."""
    return said if said in _CODES else UNDOCUMENTED


def moment(row: Mapping[str, Any], field: str) -> datetime | None:
    """Return a moment of a row, in whichever unit; None if there is none that makes sense."""
    return Row(row).moment(field)
