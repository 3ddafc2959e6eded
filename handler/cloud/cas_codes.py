"""What an error of CAS means for the call that got it. Pure; the table follows the API's documented codes.

The HTTP status does not classify: CAS answers 400 for throttling, permission, not-found and internal errors alike.
"""

from enum import Enum
from fnmatch import fnmatchcase


class Meaning(Enum):
    """What the caller may conclude."""

    THROTTLED = "refused before anything happened; try again soon"
    BUSY = "refused before anything happened; try again later"
    REFUSED = "refused; trying again is useless until somebody changes something"
    MISCONFIGURED = "refused; no other call can succeed either"
    UNKNOWN = "it may or may not have happened"


_TABLE: dict[Meaning, tuple[str, ...]] = {
    Meaning.THROTTLED: (
        "Throttling",
        "Throttling.*",
        "Rejected.Throttling",
        "FlowControlError",
    ),
    Meaning.BUSY: (
        "OperationDenied.SystemUpgrading",
        "InvalidStatus.UpdateProtection",
    ),
    Meaning.MISCONFIGURED: (
        "Forbidden.RAM",
        "NoPermission",
        "AccessDenied.NoAuth",
        "PermissionDenied",
        "InvalidAccessKeyId.*",
        "SignatureDoesNotMatch",
        "InvalidSecurityToken.*",
        "InvalidTimeStamp.Expired",
    ),
    Meaning.UNKNOWN: (
        "InternalError",
        "ServiceUnavailable",
        "CreateOrderFailed",
        "DeductQuotaFailed",
    ),
}
_CLIENT_ERRORS = range(400, 500)


def meaning(code: str | None, status: int | None) -> Meaning:
    """Classify an error answer by its code; a 5xx may have happened whatever its code says.

    A code that the table lacks is a useless refusal with a 4xx status, and unknown with any other.
    """
    if status not in _CLIENT_ERRORS or not code:
        return Meaning.UNKNOWN
    for kind, patterns in _TABLE.items():
        if any(fnmatchcase(code, pattern) for pattern in patterns):
            return kind
    return Meaning.REFUSED
