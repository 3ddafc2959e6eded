"""From a row of `ListUserCertificateOrder`, types CPACK and BUY (CAS API 2020-04-07), to an order. Pure."""

from collections.abc import Mapping

from handler.certificates.ids import id_in
from handler.certificates.renewable import Kind, Renewable
from handler.certificates.rows import SHOWN, Row
from handler.orders.order import Order


def order_in(row: object) -> Order | str:
    """Return the order of a row, or what can be shown of a row that has no order id.

    Fields that make no sense come back empty, and are named in `Order.odd`.
    """
    if not isinstance(row, Mapping):
        return repr(row)[:SHOWN]
    order_id = id_in(row.get("OrderId"))
    if order_id is None:
        return f"OrderId {row.get('OrderId')!r}"[:SHOWN]
    fields = Row(row)
    found = Order(
        renewable=Renewable(
            Kind.ORDER,
            order_id,
            domain=fields.text("Domain"),
            product=fields.text("ProductCode"),
            instance=fields.text("InstanceId"),
            ends=fields.milliseconds("CertEndTime"),
        ),
        status=fields.text("Status"),
        cert_type=fields.text("CertType"),
        domain_type=fields.text("DomainType"),
        source_type=fields.text("SourceType"),
        trustee_status=fields.text("TrusteeStatus"),
        bought_at=fields.milliseconds("BuyDate"),
        starts=fields.milliseconds("CertStartTime"),
    )
    return found._replace(odd=fields.odd)
