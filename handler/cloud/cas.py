"""Certificate Management Service, API 2020-04-07. The only module that touches its SDK.

Reads are repeated by the SDK's own retry options. The renewal has a client without any: it is never repeated here.
"""

import itertools
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
from alibabacloud_cas20200407 import models
from alibabacloud_cas20200407.client import Client
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from alibabacloud_tea_openapi.utils_models import Config, OpenApiRequest, Params
from darabonba.exceptions import UnretryableException
from darabonba.policy.retry import RetryOptions
from darabonba.runtime import RuntimeOptions

from handler.certificates.csr import Csr
from handler.cloud.cas_codes import Meaning, meaning
from handler.cloud.credentials import Credentials
from handler.cloud.meter import Meter
from handler.errors import CasBusy, CasError, CasMisconfigured, CasOutcomeUnknown, CasRefused, CasThrottled
from handler.orders.book import OrderBook
from handler.orders.order import Order
from handler.orders.row import order_id_in, order_in
from handler.outcomes import ListFault, Reason
from handler.runtime.clock import Clock

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

_ORDER_TYPES = ("CPACK", "BUY")
_NOT_AN_ANSWER = (AttributeError, TypeError, ValueError)
"""What falls out of the SDK's models when the answer is JSON, and no object."""
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
        """Read every CPACK and BUY order, all pages, once. Raises CasError."""
        read_at = self._clock.now()
        rows: list[Any] = []
        is_tidy = True
        empty_lists = []
        names: list[str] = []
        for order_type in _ORDER_TYPES:
            found, total_agrees = self._listed(order_type)
            names += [str(row.get("OrderId")) for row in found if isinstance(row, dict)]
            is_tidy = is_tidy and total_agrees
            empty_lists += [] if found else [order_type]
            rows += found
        orders = [order_in(row) for row in rows]
        return OrderBook(
            [order for order in orders if isinstance(order, Order)],
            read_at,
            listed=[order.id if isinstance(order, Order) else "" for order in orders],
            # An order in both lists has gone from the one to the other meanwhile, and may have left a hole.
            is_tidy=is_tidy and len(set(names)) == len(names),
            nameless=[order for order in orders if not isinstance(order, Order)],
            empty_lists=empty_lists,
        )

    def probe(self) -> None:
        """Ask for one order, to see whether that works. Raises CasError."""
        self._page("CPACK", 1, 1)

    def order_of_certificate(self, certificate_id: str) -> str | None:
        """Return the order behind a certificate, None if there is none (it was uploaded).

        Raises CasRefused if CAS knows no such certificate, and any other CasError.
        """
        # Without cert_filter=True the answer holds the private key.
        request = models.GetUserCertificateDetailRequest(cert_id=int(certificate_id), cert_filter=True)
        body = self._read(lambda runtime: self._reader.get_user_certificate_detail_with_options(request, runtime).body)
        if body is None:
            raise CasOutcomeUnknown(ListFault.EMPTY_ANSWER, "CAS answered without a body")
        return str(body.order_id) if body.order_id else None

    def purchase(self, order_id: str, csr: Csr | None, seconds: float) -> tuple[str, str | None]:
        """Renew an order, which may cost money. Returns the id of the new order and the request id.

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
        except _NOT_AN_ANSWER as error:
            raise CasOutcomeUnknown(Reason.NO_ANSWER, "CAS answered with something else than an object") from error
        new_order_id = order_id_in(body.order_id) if body is not None else None
        if new_order_id is None:
            raise CasOutcomeUnknown(
                Reason.NO_ORDER_ID, f"CAS accepted the renewal of {order_id} and named no new order"
            )
        if int(new_order_id) == int(order_id):
            raise CasOutcomeUnknown(Reason.ANSWER_NAMES_OLD_ORDER, f"CAS named {order_id} as the order that renews it")
        return new_order_id, body.request_id

    def _listed(self, order_type: str) -> tuple[list[Any], bool]:
        """Return all rows of a type, and whether the total was their number on every page.

        The total alone ends nothing, since it may be wrong; and a list of any length ends with an empty page.
        """
        rows: list[Any] = []
        totals: set[int] = set()
        before: list[Any] = []
        for number in itertools.count(1):
            found, total, size = self._page(order_type, number, PAGE)
            if found and found == before:
                if len(rows) >= total:
                    break  # beyond the last page some services answer the last one again
                raise CasOutcomeUnknown(
                    ListFault.LIST_NOT_PAGED, f"page {number} of the {order_type} orders is page {number - 1} again"
                )
            rows += found
            totals.add(total)
            if not found or (len(found) < size and len(rows) >= total):
                break
            before = found
        return rows, totals == {len(rows)}

    def _page(self, order_type: str, number: int, size: int) -> tuple[list[Any], int, int]:
        """Return the rows of a page, the total, and how many rows a full page has.

        The answer is read as it came: the SDK's own model makes an empty list of whatever is none.
        """
        query = {"OrderType": order_type, "CurrentPage": str(number), "ShowSize": str(size)}
        params = Params(
            action="ListUserCertificateOrder",
            version="2020-04-07",
            protocol="HTTPS",
            pathname="/",
            method="POST",
            auth_type="AK",
            style="RPC",
            req_body_type="formData",
            body_type="json",
        )
        body = self._read(lambda runtime: self._reader.call_api(params, OpenApiRequest(query=query), runtime)["body"])
        answer = body if isinstance(body, dict) else {}
        rows, total, shown = (answer.get(name) for name in ("CertificateOrderList", "TotalCount", "ShowSize"))
        if not isinstance(rows, list) or not _is_count(total):
            lacks = "CertificateOrderList" if not isinstance(rows, list) else "TotalCount"
            raise CasOutcomeUnknown(
                ListFault.NO_LIST, f"CAS answered page {number} of the {order_type} orders without {lacks}"
            )
        full = int(shown or 0) if _is_count(shown) else 0
        return rows, int(total or 0), min(size, full) if full else size

    def _read(self, call: Callable[[RuntimeOptions], Any]) -> Any:
        """Make a reading call, no sooner than CAS allows, and return what it returns."""
        if len(self._reads) == READS_A_SECOND:
            wait = self._reads[0] + A_SECOND - self._clock.now()
            if wait > timedelta(0):
                # No longer than the rule asks for: a clock that is set back meanwhile makes the rest of it vast.
                self._clock.sleep(min(wait, A_SECOND).total_seconds())
        self._reads.append(self._clock.now())
        try:
            with self._meter.call("cas"):
                return call(RuntimeOptions())
        except (AlibabaCloudException, UnretryableException) as error:
            raise _translated(error, self._redact) from error
        except _NOT_AN_ANSWER as error:
            raise CasOutcomeUnknown(Reason.NO_ANSWER, "CAS answered with something else than an object") from error


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


def _is_count(value: object) -> bool:
    return (type(value) is int and value >= 0) or (isinstance(value, str) and value.isascii() and value.isdigit())


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
            return CasOutcomeUnknown(Reason.NO_CODE, redact(str(error.message))[:300], request_id)
        kind = _CLASSES[meaning(error.code, error.status_code)]
        ours = kind(redact(str(error.code))[:100], redact(str(error.message))[:300], request_id)
        if isinstance(ours, CasThrottled) and (error.retry_after or 0) > 0:
            ours.retry_after = error.retry_after / 1000
        return ours
    if _never_sent(error):
        return CasBusy(Reason.NO_CONNECTION, "CAS could not be reached; nothing was sent")
    cause = getattr(error, "inner_exception", None) or error
    return CasOutcomeUnknown(Reason.NO_ANSWER, f"{type(cause).__name__}: {redact(str(cause))[:200]}")


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
