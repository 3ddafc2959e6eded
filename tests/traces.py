"""What a run has left behind in the local cloud: purchases, messages, entries of the journal."""

from __future__ import annotations

import json
from typing import Any

from tests.stubs.cloud import BUCKET, Cloud

LIST = "ListUserCertificateOrder"
RENEWALS = "RenewCertificateOrderForPackageRequest"
"""The two operations of CAS by which orders are found and bought."""

ORDERS = "renewals/orders/"
"""Where the journals of the orders are, each under the id of its order."""


def bought(cloud: Cloud) -> list[str]:
    """Every purchase, oldest first, spelled as the id of the message that it calls for."""
    return [f"{purchase.old_order_id}-{purchase.new_order_id}" for purchase in cloud.cas.purchases]


def assert_bought_at_most_once(cloud: Cloud) -> None:
    """No order was bought twice."""
    for order in {purchase.old_order_id for purchase in cloud.cas.purchases}:
        assert len(cloud.cas.bought(order)) <= 1, f"{order} was bought twice"


def messages(cloud: Cloud, type_: str, queue: str | None = None) -> list[dict[str, Any]]:
    """The messages of a type on a queue (on the only one, if it is not named), oldest first."""
    return [message for message in cloud.smq.messages(queue) if message["type"] == type_]


def published(cloud: Cloud) -> list[str]:
    """The ids of the messages about renewals, oldest first."""
    return [message["id"] for message in messages(cloud, "cas.order.renewed")]


def entries(cloud: Cloud, order: object) -> list[dict[str, Any]]:
    """The entries of an order's journal, oldest first."""
    return [json.loads(line) for line in cloud.oss.objects[BUCKET, f"{ORDERS}{order}"].data.splitlines()]


def warned(cloud: Cloud, queue: str | None = None) -> list[tuple[str, int, str]]:
    """The alerts that nothing will replace something, oldest first: of what, at which threshold, and why."""
    found = messages(cloud, "cas.certificate.expiring", queue)
    parts = [(message["id"].rpartition("-expiring-"), message["data"]["Reason"]) for message in found]
    return [(of, int(days), reason) for (of, _, days), reason in parts]
