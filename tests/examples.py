"""Builders of examples: everything has a default, so that a test says only what matters to it."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta, timezone
from functools import cache
from types import SimpleNamespace
from typing import Any

import hypothesis
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from handler.certificates.renewable import Kind, Renewable
from handler.certificates.rules import Rules
from handler.journal.entries import Claimed
from handler.journal.renewal import Renewal, Successor
from handler.journal.states import State
from handler.orders.book import OrderBook
from handler.orders.order import Order
from handler.runtime.settings import Settings, settings_from

NOW = datetime(2026, 11, 21, 3, 0, 0, tzinfo=timezone.utc)
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MILLISECOND = timedelta(milliseconds=1)

OLD, NEW, OTHER = "123451222", "98987582437920968", "123451333"
"""An order that expires, its successor (above 2^53, as ids can be), and another order that expires."""
DOMAIN = "www.example.com"
PRODUCT = "dv-single"
ACCOUNT = "123456789012"
PICTURE = "open/2026-11-21T020000Z-request-0-0a1b2c3d"
"""The note that says what existed when the examples were claimed."""
JOURNAL_URL = "oss://journal-bucket/renewals"

_SHA256 = hashes.SHA256()

PROPERTY = hypothesis.settings(derandomize=True, deadline=None, max_examples=200)
"""How the tests look for counterexamples: the same ones each time, however slow the machine."""


def renewable(
    id_: str = OLD,
    *,
    domain: str = DOMAIN,
    product: str = PRODUCT,
    instance: str = "cas-cn-example01",
    ends: datetime | None = NOW + 20 * DAY,
) -> Renewable:
    """What expires."""
    return Renewable(Kind.ORDER, id_, domain, product, instance, ends)


def order(
    order_id: str = OLD,
    *,
    status: str = "WILLEXPIRED",
    cert_type: str = "DV",
    domain_type: str = "ONE",
    source_type: str = "cpack",
    trustee_status: str = "",
    bought_at: datetime | None = NOW - 345 * DAY,
    starts: datetime | None = None,
    odd: Collection[str] = (),
    **of: Any,
) -> Order:
    """An order that may be renewed, unless told otherwise; `of` goes to `renewable`."""
    return Order(
        renewable=renewable(order_id, **of),
        status=status,
        cert_type=cert_type,
        domain_type=domain_type,
        source_type=source_type,
        trustee_status=trustee_status,
        bought_at=bought_at,
        starts=starts,
        odd=tuple(odd),
    )


def pending(order_id: str = NEW, **more: Any) -> Order:
    """An order as a renewal makes it: bought just now, without a certificate."""
    return order(order_id, **{"status": "PAYED", "bought_at": NOW, "ends": None, **more})


def book(*orders: Order, read_at: datetime = NOW, **more: Any) -> OrderBook:
    """What CAS showed."""
    return OrderBook(orders, read_at, **more)


def rules(
    *,
    within: timedelta = 30 * DAY,
    statuses: Collection[str] = ("WILLEXPIRED",),
    domains: Collection[str] = ("*",),
    domains_except: Collection[str] = (),
) -> Rules:
    """The operator's rules, by default the defaults."""
    return Rules(within, frozenset(statuses), tuple(domains), tuple(domains_except))


def context(**more: Any) -> Any:
    """The platform's context, as far as every runtime has it."""
    function = SimpleNamespace(timeout=300)
    return SimpleNamespace(
        **{
            "request_id": "request-1",
            "region": "cn-hangzhou",
            "account_id": ACCOUNT,
            "function": function,
            **more,
        }
    )


def settings(environ: Mapping[str, str] | None = None, **more: str) -> Settings:
    """The settings of an environment that lacks nothing."""
    required = {"SMQ_QUEUE": "renewed-certificates", "JOURNAL_URL": JOURNAL_URL}
    return settings_from({**required, **(environ or {}), **more}, context())


def claim(
    order_id: str = OLD,
    *,
    snapshot: Collection[str] = (OLD,),
    deadline: datetime = NOW - HOUR,
    picture: str = PICTURE,
    **of: Any,
) -> Claimed:
    """A claim whose run is over; `of` goes to `renewable`."""
    return Claimed(renewable(order_id, **of), deadline, deadline - 5 * MINUTE, frozenset(snapshot), picture)


def renewal(
    order_id: str = OLD,
    state: State = State.CLAIMED,
    *,
    unknown_since: datetime | None = None,
    unknown_code: str = "",
    lost: int = 0,
    successor: Successor | None = None,
    **claimed: Any,
) -> Renewal:
    """The journal of an order that was claimed by a run that is over; `claimed` goes to `claim`."""
    return Renewal(
        order_id,
        position=1,
        state=state,
        claim=claim(order_id, **claimed),
        unknown_since=unknown_since,
        unknown_code=unknown_code,
        lost=lost,
        successor=successor,
    )


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    """A key; the same one each time, since making one takes long."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    """A key; the same one each time."""
    return ec.generate_private_key(ec.SECP256R1())


def csr(*common_names: str, key: Any = None, algorithm: Any = _SHA256, label: str = "CERTIFICATE REQUEST") -> str:
    """A request in PEM, signed by its own key: for www.example.com, with an EC key, unless told otherwise."""
    names = [x509.NameAttribute(x509.NameOID.COMMON_NAME, name) for name in common_names or (DOMAIN,)]
    unsigned = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names))
    pem = unsigned.sign(key or ec_key(), algorithm).public_bytes(serialization.Encoding.PEM).decode()
    return pem.replace("CERTIFICATE REQUEST", label)
