"""Certificate Management Service: lists orders, and renews them as often as it is asked to."""

from __future__ import annotations

import json
from bisect import insort
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal, cast

from tests.stubs.backend import ApiError, Backend, Refusal
from tests.stubs.clock import Clock
from tests.stubs.credentials import Credentials
from tests.stubs.faults import ALTERED_ORDER_ID, Fault
from tests.stubs.orders import PENDING, Order, Record, Source, Upload
from tests.stubs.signatures import Signed, acs3
from tests.stubs.wire import NotStubbed, Request, Response, new_id

FIRST_ORDER_ID = 123451222
FIRST_RENEWAL_ID = 98987582437920968
"""Above 2^53 on purpose: such an id does not survive a float."""
LIFETIME = timedelta(days=200)
FAKE_PRIVATE_KEY = (
    "-----BEGIN PRIVATE KEY-----\nFAKE-PRIVATE-KEY-THAT-NOBODY-SHOULD-ASK-FOR\n-----END PRIVATE KEY-----\n"
)
HOST = "cas.aliyuncs.com"


@dataclass
class Purchase(Record):
    """One renewal that happened: money or quota is gone."""

    old_order_id: int
    new_order_id: int
    at: datetime
    csr: str | None
    by: Literal["api", "console"]


@dataclass
class RawRow(Record):
    """A row of a list with no order behind it, any JSON value."""

    row: Any
    source: Source
    place: int


BetweenPages = Callable[[str, int], object]
"""Called with the type of a list and the number of the page that was just answered."""


class CasStub(Backend):
    """The V1 order operations of CAS, API version 2020-04-07.

    There is no idempotency token in this API, so the stub has none: each renewal call that is not refused is a
    purchase. What the documentation leaves open can be set either way: `renewable_statuses`, `pending_domain`,
    `pending_source`, `visible_after`.

    A list need not hold still or be right: `between_pages` may change the account while it is read, and
    `total_count_off_by`, `list_twice`, `odd_row` and `add_raw_row` make lists that CAS should not give.
    """

    actions: ClassVar = frozenset(
        {"ListUserCertificateOrder", "RenewCertificateOrderForPackageRequest", "GetUserCertificateDetail"}
    )
    refusals: ClassVar[dict[Refusal, tuple[str, int]]] = {
        "unknown key": ("InvalidAccessKeyId.NotFound", 404),
        "expired token": ("InvalidSecurityToken.Expired", 400),
        "wrong signature": ("SignatureDoesNotMatch", 403),
        "too old": ("InvalidTimeStamp.Expired", 400),
        "denied": ("NoPermission", 403),
    }
    settings: ClassVar = (
        "page_limit",
        "quota",
        "pending_domain",
        "pending_source",
        "visible_after",
        "total_count_off_by",
        "next_order_id",
        "next_renewal_id",
    )

    def __init__(self, clock: Clock, credentials: Credentials, page_limit: int = 50) -> None:
        super().__init__(clock, credentials)
        self.page_limit = page_limit
        self.renewable_statuses: set[str] = {"WILLEXPIRED"}
        self.quota: int | None = None
        self.pending_domain: Literal["empty", "filled"] = "empty"
        self.pending_source: Source | None = None
        self.visible_after: float = 0
        self.renewal_takes: float = 0
        """Seconds from the arrival of a renewal to its effect, in which its caller may have given up or died."""
        self.oldest_first = False
        self.between_pages: BetweenPages | None = None
        """What happens each time a page of ListUserCertificateOrder has been answered. Not kept in the state."""
        self.total_count_off_by = 0
        """What TotalCount is too high by, in every list."""
        self.list_twice: set[int] = set()
        """The orders whose row comes twice, one right after the other. TotalCount counts both."""
        self.extra_rows: list[RawRow] = []
        """Rows without an order; TotalCount counts them. See `add_raw_row`."""
        self.next_order_id = FIRST_ORDER_ID
        self.next_renewal_id = FIRST_RENEWAL_ID
        self.purchases: list[Purchase] = []
        self._orders: dict[int, Order] = {}
        self._newest_first: dict[str, list[Order]] = {"CPACK": [], "BUY": []}
        self._odd: dict[int, tuple[list[str], dict[str, Any]]] = {}
        self._uploads: dict[int, Upload] = {}
        self._last_visible_at: datetime | None = None

    # What a test sets up, and what people and certificate authorities do

    def add_order(
        self,
        order_id: int | None = None,
        domain: str = "www.example.com",
        days_left: float = 20,
        status: str | None = None,
        source: Source = "CPACK",
        product_code: str = "digicert-dv-1",
        product_name: str = "DigiCert DV",
        cert_type: str = "DV",
        domain_type: str | None = None,
        root_brand: str = "DigiCert",
        trustee: str = "unTrustee",
        instance_id: str | None = None,
        bought_at: datetime | None = None,
        cert_end: datetime | None = None,
        certificate_id: int | None = None,
        visible_at: datetime | None = None,
        place: int | None = None,
    ) -> int:
        """Put an order into the account and return its id.

        Without a `status` the end of the certificate decides what it is from day to day; a pending status means that
        there is no certificate yet. `domain_type` follows from the domain unless it is given. `place` is where the
        list shows it, 0 being the first row; lists are newest first otherwise.
        """
        with self._lock:
            now = self.clock.now()
            if order_id is None:
                order_id, self.next_order_id = self.next_order_id, self.next_order_id + 1
            issued = status not in PENDING
            cert_end = (cert_end or now + timedelta(days=days_left)) if issued else None
            cert_start = min(now, cert_end - LIFETIME) if cert_end else None
            self._insert(
                Order(
                    order_id=order_id,
                    source=source,
                    domain=domain,
                    bound_domain=domain,
                    product_code=product_code,
                    product_name=product_name,
                    cert_type=cert_type,
                    domain_type=domain_type or ("WILDCARD" if domain.startswith("*.") else "ONE"),
                    root_brand=root_brand,
                    trustee=trustee,
                    instance_id=instance_id or _instance_id(order_id),
                    bought_at=bought_at or cert_start or now,
                    visible_at=visible_at or now,
                    fixed_status=status,
                    cert_start=cert_start,
                    cert_end=cert_end,
                    certificate_id=(certificate_id or _certificate_id(order_id)) if issued else None,
                )
            )
            if place is not None:
                self.move_row(order_id, place)
            return order_id

    def add_upload(self, common_name: str, days_left: float = 20, certificate_id: int | None = None) -> int:
        """Put an uploaded certificate into the account and return its certificate id."""
        with self._lock:
            certificate_id = certificate_id or 9_000_000 + len(self._uploads)
            end = self.clock.now() + timedelta(days=days_left)
            self._uploads[certificate_id] = Upload(certificate_id, common_name, end - LIFETIME, end)
            return certificate_id

    def order(self, order_id: int | str) -> Order:
        """The order with that id; KeyError if there is none."""
        return self._orders[int(order_id)]

    def order_ids(self) -> list[int]:
        """The ids of all orders, in the order in which they came into the account."""
        return list(self._orders)

    def status(self, order_id: int | str) -> str:
        """What the order is at this moment."""
        return self.order(order_id).status(self.clock.now())

    def bought(self, order_id: int | str) -> list[Purchase]:
        """The renewals of that order which the API was asked for."""
        return [bought for bought in self.purchases if bought.by == "api" and bought.old_order_id == int(order_id)]

    def renew_in_console(self, order_id: int | str, domain_filled: bool = True) -> int:
        """A person renews the order in the console; returns the new order's id."""
        with self._lock:
            return self._renew(self.order(order_id), csr=None, by="console", domain_filled=domain_filled)

    def apply(self, order_id: int | str) -> None:
        """Somebody submits the application of a pending order: PAYED to CHECKING."""
        with self._lock:
            order = self.order(order_id)
            order.domain, order.fixed_status = order.bound_domain, "CHECKING"

    def issue(self, order_id: int | str, days: float = 200) -> None:
        """The certificate authority issues the certificate, for `days` from now."""
        with self._lock:
            order, now = self.order(order_id), self.clock.now()
            order.domain, order.fixed_status = order.bound_domain, None
            order.cert_start, order.cert_end = now, now + timedelta(days=days)
            order.certificate_id = _certificate_id(order.order_id)

    def fail_review(self, order_id: int | str) -> None:
        """The certificate authority says no: CHECKED_FAIL."""
        self.order(order_id).fixed_status = "CHECKED_FAIL"

    def cancel(self, order_id: int | str) -> None:
        """A pending order goes away and gives its quota back; an issued certificate is revoked."""
        with self._lock:
            order = self.order(order_id)
            if order.status(self.clock.now()) not in PENDING:
                order.fixed_status = "REVOKED"
                return
            self.remove(order_id)
            if self.quota is not None:
                self.quota += 1

    def remove(self, order_id: int | str) -> None:
        """The order disappears from the order book."""
        with self._lock:
            order = self._orders.pop(int(order_id))
            self._newest_first[order.source].remove(order)

    def move(self, order_id: int | str, source: Source) -> None:
        """The order goes from the one list to the other."""
        with self._lock:
            order = self.order(order_id)
            self.remove(order_id)
            order.source = source
            self._insert(order)

    def move_row(self, order_id: int | str, place: int) -> None:
        """The order's row goes to another place in its list, 0 being the first."""
        with self._lock:
            order = self.order(order_id)
            rows = self._newest_first[order.source]
            rows.remove(order)
            rows.insert(place, order)

    def once_after_page(self, order_type: str, page: int, happens: Callable[[], object]) -> None:
        """Let something happen between that page and what is asked next: set `between_pages` for one reading."""

        def between_pages(answered_type: str, answered_page: int) -> None:
            if (answered_type, answered_page) == (order_type, page):
                self.between_pages = None
                happens()

        self.between_pages = between_pages

    def odd_row(self, order_id: int | str, *absent: str, **fields: Any) -> None:
        """List the order without some fields and with other values in others; with neither, as it is again."""
        with self._lock:
            self._odd[int(order_id)] = (list(absent), fields)
            if not absent and not fields:
                del self._odd[int(order_id)]

    def add_raw_row(self, row: Any, source: Source = "CPACK", place: int = 0) -> None:
        """List any JSON value as a row, 0 being the first; a place behind the end is the end."""
        with self._lock:
            self.extra_rows.append(RawRow(row, source, place))

    def to_json(self) -> dict[str, Any]:
        with self._lock:
            return super().to_json() | {
                "renewable_statuses": sorted(self.renewable_statuses),
                "list_twice": sorted(self.list_twice),
                "extra_rows": [row.to_json() for row in self.extra_rows],
                "odd": [[order_id, *odd] for order_id, odd in self._odd.items()],
                "orders": [order.to_json() for order in self._orders.values()],
                "rows": {source: [order.order_id for order in rows] for source, rows in self._newest_first.items()},
                "uploads": [upload.to_json() for upload in self._uploads.values()],
                "purchases": [purchase.to_json() for purchase in self.purchases],
            }

    def from_json(self, state: Mapping[str, Any]) -> None:
        with self._lock:
            super().from_json(state)
            self.renewable_statuses = set(state["renewable_statuses"])
            self._orders.clear()
            self._newest_first = {"CPACK": [], "BUY": []}
            for order in state["orders"]:
                self._insert(Order.from_json(order))
            self._newest_first = {
                source: [self._orders[order_id] for order_id in order_ids]
                for source, order_ids in state["rows"].items()
            }
            self.list_twice = set(state["list_twice"])
            self.extra_rows = [RawRow.from_json(row) for row in state["extra_rows"]]
            self._odd = {order_id: (absent, fields) for order_id, absent, fields in state["odd"]}
            uploads = map(Upload.from_json, state["uploads"])
            self._uploads = {upload.certificate_id: upload for upload in uploads}
            self.purchases = [Purchase.from_json(purchase) for purchase in state["purchases"]]

    # The API

    def render_error(self, error: ApiError) -> Response:
        request_id = _request_id()
        body: dict[str, Any] = {
            "RequestId": request_id,
            "HostId": HOST,
            "Code": error.code,
            "Message": error.message,
            "Recommend": f"https://api.aliyun.com/troubleshoot?q={error.code}&product=cas&requestId={request_id}",
        }
        if error.code in {"NoPermission", "Forbidden.RAM"}:
            body["AccessDeniedDetail"] = {
                "AuthPrincipalType": "AssumedRoleUser",
                "NoPermissionType": "ImplicitDeny",
                "PolicyType": "AccountLevelIdentityBasedPolicy",
            }
        return _json_response(body, error.status, error.headers)

    def _identify(self, request: Request) -> tuple[str, dict[str, str]]:
        action = request.headers.get("x-acs-action")
        if not action:
            raise NotStubbed(f"CasStub answers RPC calls only, not {request.method} {request.url}")
        return action, request.query

    def _signed(self, request: Request) -> Signed:
        return acs3(request)

    def _perform(self, action: str, params: dict[str, str], request: Request) -> Response:
        if action == "ListUserCertificateOrder":
            answer = self._list(params)
            if self.between_pages:
                self.between_pages(params.get("OrderType") or "CPACK", answer["CurrentPage"])
        elif action == "GetUserCertificateDetail":
            answer = self._certificate(params)
        else:
            answer = {"OrderId": self._renew_checked(params)}
        return _json_response({"RequestId": _request_id(), **answer})

    def _altered(self, fault: Fault, params: Mapping[str, str], answer: Response | None) -> Response:
        body: dict[str, Any] = json.loads(answer.body) if answer else {"RequestId": _request_id(), "OrderId": None}
        if fault.kind in ALTERED_ORDER_ID and "OrderId" in body:
            self._alter_order_id(fault, params, body)
        elif fault.kind not in ALTERED_ORDER_ID and "CertificateOrderList" in body:
            self._alter_list(fault, params, body)
        elif answer:  # an error, or of another action
            return answer
        return _json_response(body)

    def _alter_order_id(self, fault: Fault, params: Mapping[str, str], body: dict[str, Any]) -> None:
        if fault.kind == "missing_order_id":
            del body["OrderId"]
        elif fault.kind == "old_order_id":
            body["OrderId"] = int(params["OrderId"])
        else:
            body["OrderId"] = (str if fault.kind == "order_id_as_string" else int)(body["OrderId"])

    def _alter_list(self, fault: Fault, params: Mapping[str, str], body: dict[str, Any]) -> None:
        rows = body["CertificateOrderList"]
        if fault.kind == "no_list":
            del body["CertificateOrderList"]
        elif fault.kind == "null_list":
            body["CertificateOrderList"] = None
        elif fault.kind == "no_total":
            del body["TotalCount"]
        elif fault.kind == "empty_list":
            body |= {"CertificateOrderList": [], "TotalCount": 0}
        elif fault.kind == "short_page":
            body["CertificateOrderList"] = rows[: len(rows) // 2]
        else:
            first = self._list({**params, "CurrentPage": "1"})
            body["CertificateOrderList"] = first["CertificateOrderList"]

    def _list(self, params: Mapping[str, str]) -> dict[str, Any]:
        order_type = params.get("OrderType") or "CPACK"
        page = _positive(params, "CurrentPage", default=1)
        size = min(_positive(params, "ShowSize", default=50), self.page_limit)
        status, keyword, now = params.get("Status", ""), params.get("Keyword", ""), self.clock.now()
        shown = slice((page - 1) * size, page * size)
        if order_type in self._newest_first:
            listed = self._as_listed(order_type, self._matching_orders(order_type, status, keyword, now))
            total, rows = len(listed), [self._row(line, now) for line in listed[shown]]
        elif order_type in {"CERT", "UPLOAD"}:
            certificates = self._matching_certificates(order_type, status, keyword, now)
            total, rows = len(certificates), [certificate.certificate_row(now) for certificate in certificates[shown]]
        else:
            raise ApiError("InvalidParameter", 400, "The parameter OrderType is invalid.")
        total = max(0, total + self.total_count_off_by)
        return {"TotalCount": total, "CurrentPage": page, "ShowSize": size, "CertificateOrderList": rows}

    def _matching_orders(self, source: str, status: str, keyword: str, now: datetime) -> list[Order]:
        orders = self._newest_first[source]
        if not status and not keyword and (self._last_visible_at is None or self._last_visible_at <= now):
            return orders
        return [
            order
            for order in orders
            if order.visible_at <= now
            and (not status or order.status(now) == status)
            and (not keyword or order.matches(keyword))
        ]

    def _as_listed(self, source: str, orders: list[Order]) -> Sequence[Order | RawRow]:
        in_order = orders[::-1] if self.oldest_first else orders
        if not self.list_twice and not self.extra_rows:
            return in_order
        twice = self.list_twice
        listed: list[Order | RawRow] = [line for line in in_order for _ in range(1 + (line.order_id in twice))]
        for extra in self.extra_rows:
            if extra.source == source:
                listed.insert(extra.place, extra)
        return listed

    def _row(self, line: Order | RawRow, now: datetime) -> Any:
        if isinstance(line, RawRow):
            return line.row
        absent, fields = self._odd.get(line.order_id, ((), {}))
        row = line.row(now) | fields
        return {name: value for name, value in row.items() if name not in absent}

    def _matching_certificates(self, kind: str, status: str, keyword: str, now: datetime) -> list[Order | Upload]:
        found: list[tuple[int, Order | Upload]] = [
            (upload.certificate_id, upload)
            for upload in self._uploads.values()
            if (not status or upload.status(now) == status) and keyword in upload.common_name
        ]
        if kind == "CERT":
            found += [
                (order.certificate_id, order)
                for order in self._orders.values()
                if order.certificate_id and (not status or order.status(now) == status) and order.matches(keyword)
            ]
        return [certificate for _, certificate in sorted(found, key=lambda pair: pair[0], reverse=True)]

    def _certificate(self, params: Mapping[str, str]) -> dict[str, Any]:
        certificate_id = _positive(params, "CertId")
        order = next((order for order in self._orders.values() if order.certificate_id == certificate_id), None)
        certificate = order or self._uploads.get(certificate_id)
        if certificate is None:
            raise ApiError("NotFound", 404, "The certificate does not exist.")
        row = certificate.certificate_row(self.clock.now())
        detail = {name: row[name] for name in ("EndDate", "Expired", "Issuer", "Name", "Sans", "SerialNo", "StartDate")}
        detail |= {"Id": certificate_id, "Common": row["CommonName"], "BuyInAliyun": not row["Upload"]}
        detail["CertIdentifier"] = f"{certificate_id}-cn-hangzhou"
        if order:
            detail |= {"OrderId": order.order_id, "InstanceId": order.instance_id}
        if params.get("CertFilter", "").lower() != "true":
            detail |= {
                "Cert": "-----BEGIN CERTIFICATE-----\nFAKE\n-----END CERTIFICATE-----\n",
                "Key": FAKE_PRIVATE_KEY,
            }
        return detail

    def _renew_checked(self, params: Mapping[str, str]) -> int:
        self.clock.sleep(self.renewal_takes)
        order = self._orders.get(_positive(params, "OrderId"))
        if order is None:
            raise ApiError("NotFoundOrder", 404, "The order does not exist.")
        if order.cert_type == "FREE" or order.domain_type in {"MULTIPLE", "M_WILDCARD", "MIX"}:
            raise ApiError("OperationDenied.StatusNotSupport", 400, "This kind of certificate cannot be renewed.")
        status = order.status(self.clock.now())
        if status == "EXPIRED":
            raise ApiError("OrderExpired", 400, "The order has expired.")
        if status not in self.renewable_statuses:
            raise ApiError("OrderStateError", 403, f"An order that is {status} cannot be renewed.")
        if self.quota == 0:
            raise ApiError("InsufficientQuota", 400, "The quota is used up.")
        return self._renew(order, params.get("Csr"), by="api", domain_filled=self.pending_domain == "filled")

    def _renew(self, old: Order, csr: str | None, by: Literal["api", "console"], domain_filled: bool) -> int:
        now = self.clock.now()
        new_id, self.next_renewal_id = self.next_renewal_id, self.next_renewal_id + 1
        if self.quota is not None:
            self.quota -= 1
        copied = vars(old) | {
            "order_id": new_id,
            "source": self.pending_source or old.source,
            "domain": old.bound_domain if domain_filled else "",
            "instance_id": _instance_id(new_id),
            "bought_at": now,
            "visible_at": now + timedelta(seconds=self.visible_after),
            "fixed_status": "PAYED",
            "cert_start": None,
            "cert_end": None,
            "certificate_id": None,
        }
        self._insert(Order(**copied))
        self.purchases.append(Purchase(old.order_id, new_id, now, csr, by))
        return new_id

    def _insert(self, order: Order) -> None:
        if order.order_id in self._orders:
            raise ValueError(f"there is an order {order.order_id} already")
        self._orders[order.order_id] = order
        insort(
            self._newest_first[order.source], order, key=lambda other: (-other.bought_at.timestamp(), -other.order_id)
        )
        self._last_visible_at = max(order.visible_at, self._last_visible_at or order.visible_at)


def _positive(params: Mapping[str, str], name: str, default: int | None = None) -> int:
    text = params.get(name)
    if not text and default is not None:
        return default
    if not text:
        raise ApiError(f"Missing{name}", 400, f"{name} is mandatory for this action.")
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise ApiError("InvalidParameter", 400, f"The parameter {name} is invalid.")
    return int(text)


def _instance_id(order_id: int) -> str:
    return f"cas-cn-{order_id:x}"


def _certificate_id(order_id: int) -> int:
    return 1_000_000 + order_id % 1_000_000_000


def _request_id() -> str:
    return str(new_id()).upper()


def _json_response(body: dict[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    common = {"Content-Type": "application/json;charset=utf-8", "x-acs-request-id": cast(str, body["RequestId"])}
    return Response(
        status, common | dict(headers or {}), json.dumps(body, ensure_ascii=False).encode("utf-8", "backslashreplace")
    )
