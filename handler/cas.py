"""Certificate Management Service, API 2020-04-07. The only module that touches its SDK.

Reads are repeated by the SDK's own retry options. The renewal has a client without any: it is never repeated here.
"""

import itertools
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
from alibabacloud_cas20200407 import models
from alibabacloud_cas20200407.client import Client
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from alibabacloud_tea_openapi.utils_models import Config
from darabonba.exceptions import UnretryableException
from darabonba.policy.retry import RetryOptions
from darabonba.runtime import RuntimeOptions

from handler.cas_codes import Meaning, meaning
from handler.clock import Clock
from handler.credentials import Credentials
from handler.csr import Csr
from handler.errors import CasBusy, CasError, CasMisconfigured, CasOutcomeUnknown, CasRefused, CasThrottled
from handler.meter import Meter
from handler.orders import Order, OrderBook

PAGE = 50
CONNECT_SECONDS = 3
READ_SECONDS = 10
MAX_RENEWAL_READ_SECONDS = 30
"""A purchase may be slow, and giving up on it early only makes its outcome unknown."""
READS_A_SECOND = 10
"""What `ListUserCertificateOrder` allows an account."""
A_SECOND = timedelta(milliseconds=1050)
"""With a little for the clocks to differ."""
READ_ATTEMPTS = 4
BOOK_ATTEMPTS = 3

_ORDER_TYPES = ("CPACK", "BUY")
_REPEATED_ON = [
    "RetryError",  # no answer
    "ServerException",
    "ThrottlingException",
    None,  # an answer that is no JSON: the SDK raises the parser's own exception, which has no `name`
]
_REPEATED_CODES = [
    "Throttling",
    "Throttling.User",
    "Throttling.Api",
    "Rejected.Throttling",
    "FlowControlError",
    "InternalError",
    "ServiceUnavailable",
]


class Cas:
    """The certificate orders of one account. Lives for one invocation, as the credentials do."""

    def __init__(self, endpoint: str, credentials: Credentials, clock: Clock, meter: Meter) -> None:
        """`endpoint`: a URL; set, never derived from a region, since the SDK's own table has wrong hosts in it."""
        self._clock = clock
        self._meter = meter
        self._redact = credentials.redact
        self._reads: deque[datetime] = deque(maxlen=READS_A_SECOND)
        self._reader = _client(endpoint, credentials, repeats=True)
        self._buyer = _client(endpoint, credentials, repeats=False)

    def order_book(self) -> OrderBook:
        """Read every CPACK and BUY order, all pages.

        Raises CasError, also if the list goes on changing while it is read: a book with a hole in it would make
        an old order look new.
        """
        for _ in range(BOOK_ATTEMPTS):
            read_at = self._clock.now()
            orders: dict[str, Order] = {}
            whole = [self._read_orders(order_type, orders) for order_type in _ORDER_TYPES]
            if all(whole):
                return OrderBook(orders.values(), read_at)
        code = "list-changing"
        raise CasRefused(code, f"the order list did not hold still in {BOOK_ATTEMPTS} readings")

    def probe(self) -> None:
        """Ask for one order, to see whether that works. Raises CasError."""
        self._page("CPACK", 1, 1)

    def order_of_certificate(self, certificate_id: str) -> str | None:
        """Return the order behind a certificate, None if there is none (it was uploaded).

        Raises CasRefused if CAS knows no such certificate, and any other CasError.
        """
        # Without cert_filter=True the answer holds the private key.
        request = models.GetUserCertificateDetailRequest(cert_id=int(certificate_id), cert_filter=True)
        body = self._read(self._reader.get_user_certificate_detail_with_options, request)
        return str(body.order_id) if body.order_id else None

    def renew(self, order_id: str, csr: Csr | None, seconds: float) -> tuple[str, str | None]:
        """Renew an order: buy. Returns the id of the new order and the request id.

        `seconds`: how long it may take. Raises CasBusy, CasThrottled, CasRefused or CasMisconfigured when nothing
        was bought, CasOutcomeUnknown when that cannot be said.
        """
        request = models.RenewCertificateOrderForPackageRequestRequest(
            order_id=int(order_id), csr=csr.pem if csr else None
        )
        read = min(MAX_RENEWAL_READ_SECONDS, seconds - CONNECT_SECONDS)
        runtime = RuntimeOptions(connect_timeout=CONNECT_SECONDS * 1000, read_timeout=int(read * 1000))
        try:
            with self._meter.call("cas"):
                body = self._buyer.renew_certificate_order_for_package_request_with_options(request, runtime).body
        except (AlibabaCloudException, UnretryableException) as error:
            raise _translated(error, self._redact) from error
        new_order_id = str(body.order_id) if body is not None else ""
        if not (new_order_id.isascii() and new_order_id.isdigit()) or int(new_order_id) in {0, int(order_id)}:
            code = "no-order-id"
            raise CasOutcomeUnknown(code, f"CAS accepted the renewal of {order_id} and named no new order")
        return str(int(new_order_id)), body.request_id

    def _read_orders(self, order_type: str, orders: dict[str, Order]) -> bool:
        """Add the orders of a type; tell whether the list held still, so that none was missed between two pages."""
        rows, ids = 0, set[str]()
        for number in itertools.count(1):
            page = self._page(order_type, number, PAGE)
            found = page.certificate_order_list or []
            rows += len(found)
            for row in found:
                order = _order(row)
                ids.add(order.id)
                orders[order.id] = order
            if not found or rows >= (page.total_count or 0):
                break
        return rows == len(ids) == (page.total_count or 0)

    def _page(self, order_type: str, number: int, size: int) -> Any:
        request = models.ListUserCertificateOrderRequest(order_type=order_type, current_page=number, show_size=size)
        return self._read(self._reader.list_user_certificate_order_with_options, request)

    def _read(self, call: Any, request: Any) -> Any:
        """Make a reading call, no sooner than CAS allows, and return the body of its answer."""
        if len(self._reads) == READS_A_SECOND:
            wait = self._reads[0] + A_SECOND - self._clock.now()
            if wait > timedelta(0):
                # No longer than the rule asks for: a clock that is set back meanwhile makes the rest of it vast.
                self._clock.sleep(min(wait, A_SECOND).total_seconds())
        self._reads.append(self._clock.now())
        try:
            with self._meter.call("cas"):
                body = call(request, RuntimeOptions()).body
        except (AlibabaCloudException, UnretryableException) as error:
            raise _translated(error, self._redact) from error
        if body is None:
            code = "empty-answer"
            raise CasOutcomeUnknown(code, "CAS answered without a body")
        return body


def _client(endpoint: str, credentials: Credentials, *, repeats: bool) -> Client:
    url = urlsplit(endpoint)
    condition = {
        "maxAttempts": READ_ATTEMPTS,
        "backoff": {"policy": "ExponentialWithEqualJitter", "period": 250, "cap": 5000},
        "exception": _REPEATED_ON,
        "errorCode": _REPEATED_CODES,
    }
    return Client(
        Config(
            access_key_id=credentials.access_key_id,
            access_key_secret=credentials.access_key_secret,
            security_token=credentials.security_token or None,
            endpoint=url.netloc,
            protocol=url.scheme.upper(),
            connect_timeout=CONNECT_SECONDS * 1000,
            read_timeout=READ_SECONDS * 1000,
            retry_options=RetryOptions({"retryable": True, "retryCondition": [condition]}) if repeats else None,
        )
    )


def _order(row: Any) -> Order:
    return Order(
        id=str(row.order_id),
        domain=row.domain or "",
        status=row.status or "",
        product_code=row.product_code or "",
        instance_id=row.instance_id or "",
        cert_type=row.cert_type or "",
        domain_type=row.domain_type or "",
        source_type=row.source_type or "",
        trustee_status=row.trustee_status or "",
        bought_at=_moment(row.buy_date),
        cert_end=_moment(row.cert_end_time),
    )


def _moment(milliseconds: int | str | None) -> datetime | None:
    return datetime.fromtimestamp(int(milliseconds) / 1000, timezone.utc) if milliseconds else None


_CLASSES: dict[Meaning, type[CasError]] = {
    Meaning.THROTTLED: CasThrottled,
    Meaning.BUSY: CasBusy,
    Meaning.REFUSED: CasRefused,
    Meaning.MISCONFIGURED: CasMisconfigured,
    Meaning.UNKNOWN: CasOutcomeUnknown,
}


def _translated(error: Exception, redact: Callable[[str], str]) -> CasError:
    """Say in our own exceptions what the SDK's means.

    What CAS says is redacted here, since it goes into the journal: an answer can quote what was signed, and the text
    of a broken connection the whole URL, with the CSR in its query. It is cut only then: see `Credentials.redact`.
    """
    if isinstance(error, AlibabaCloudException):
        request_id = redact(str(error.request_id))[:100] if error.request_id else None
        if error.code in {None, "None"}:  # the SDK makes a text of what the answer lacks
            code = "no-code"
            return CasOutcomeUnknown(code, redact(str(error.message))[:300], request_id)
        kind = _CLASSES[meaning(error.code, error.status_code)]
        ours = kind(redact(str(error.code))[:100], redact(str(error.message))[:300], request_id)
        if isinstance(ours, CasThrottled) and (error.retry_after or 0) > 0:
            ours.retry_after = error.retry_after / 1000
        return ours
    if _never_sent(error):
        return CasBusy("no-connection", "CAS could not be reached; nothing was sent")
    cause = getattr(error, "inner_exception", None) or error
    return CasOutcomeUnknown("no-answer", f"{type(cause).__name__}: {redact(str(cause))[:200]}")


def _never_sent(error: BaseException) -> bool:
    """Tell whether the connection was not even made.

    The SDK keeps the text of the cause alone, but Python chains the exception of `requests` behind the SDK's own.
    """
    seen: BaseException | None = getattr(error, "inner_exception", None)
    while seen is not None:
        reason = getattr(seen.args[0], "reason", None) if seen.args else None
        if isinstance(seen, requests.ConnectTimeout) or isinstance(reason, urllib3.exceptions.NewConnectionError):
            return True
        seen = seen.__cause__ or seen.__context__
    return False
