"""From a row of `ListUserCertificateOrder`, types CPACK and BUY (CAS API 2020-04-07), to an order. Pure.

A row is read field by field: what makes no sense costs its own order at most, and never the list that it stands in.
"""

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from handler.certificates.renewable import Kind, Renewable
from handler.orders.order import Order
from handler.runtime.clock import YEARS

_SHOWN = 80
_LONG = 2**63 - 1


def order_in(row: object) -> Order | str:
    """Return the order of a row, or what can be shown of a row that has no order id.

    Fields that make no sense come back empty, and are named in `Order.odd`.
    """
    if not isinstance(row, Mapping):
        return repr(row)[:_SHOWN]
    order_id = order_id_in(row.get("OrderId"))
    if order_id is None:
        return f"OrderId {row.get('OrderId')!r}"[:_SHOWN]
    odd: list[str] = []
    return Order(
        renewable=Renewable(
            Kind.ORDER,
            order_id,
            domain=_text(row, "Domain", odd),
            product=_text(row, "ProductCode", odd),
            instance=_text(row, "InstanceId", odd),
            ends=_moment(row, "CertEndTime", odd),
        ),
        status=_text(row, "Status", odd),
        cert_type=_text(row, "CertType", odd),
        domain_type=_text(row, "DomainType", odd),
        source_type=_text(row, "SourceType", odd),
        trustee_status=_text(row, "TrusteeStatus", odd),
        bought_at=_moment(row, "BuyDate", odd),
        starts=_moment(row, "CertStartTime", odd),
        odd=tuple(odd),
    )


def order_id_in(value: Any) -> str | None:
    """Return the order id that a value is, None if it is none."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= len(str(_LONG)):
        value = int(value)
    return str(value) if type(value) is int and 0 < value <= _LONG else None


def _text(row: Mapping[Any, Any], name: str, odd: list[str]) -> str:
    value = row.get(name)
    if isinstance(value, str):
        return value
    if value is not None:
        odd.append(name)
    return ""


def _moment(row: Mapping[Any, Any], name: str, odd: list[str]) -> datetime | None:
    """Read milliseconds since 1970; absent, 0 and empty are none."""
    value = row.get(name)
    if value is None or value in ("", 0, "0"):
        return None
    try:
        if isinstance(value, bool):
            raise TypeError
        moment = datetime.fromtimestamp(int(value) / 1000, timezone.utc)
        if moment.year in YEARS:
            return moment
    except (TypeError, ValueError, OverflowError, OSError):
        pass
    odd.append(name)
    return None
