"""The client of Certificate Management Service (CAS), API 2020-04-07. The only module that touches its SDK.

It knows how an operation is called and what an error means, and nothing of what any operation is for: those of
certificate orders are in `cas_orders`.
"""

from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
from alibabacloud_cas20200407.client import Client
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from alibabacloud_tea_openapi.utils_models import Config, OpenApiRequest, Params
from darabonba.exceptions import UnretryableException
from darabonba.policy.retry import RetryOptions
from darabonba.runtime import RuntimeOptions

from handler.cloud.cas_codes import Meaning, meaning
from handler.cloud.credentials import Credentials
from handler.cloud.meter import Meter
from handler.errors import CasBusy, CasError, CasMisconfigured, CasOutcomeUnknown, CasRefused, CasThrottled
from handler.outcomes import Reason
from handler.runtime.clock import Clock

CONNECT_SECONDS = 3
READ_SECONDS = 10
MAX_READ_SECONDS_ONCE = 30
"""What is called once may be slow, and giving up on it early only makes its outcome unknown."""
READS_A_SECOND = 10
"""What `ListUserCertificateOrder` and `ListInstances` allow an account."""
A_SECOND = timedelta(milliseconds=1050)
"""With a little for the clocks to differ."""
READ_ATTEMPTS = 4

_NOT_AN_ANSWER = (AttributeError, TypeError, ValueError)
"""What falls out of the SDK when the answer is JSON, and no object."""
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


class Cas(Protocol):
    """CAS as the services here use it: there are two ways to call an operation.

    Both take the parameters as texts and return the answer as it came, since the SDK's models make an empty list of
    whatever is none; an answer that is no object is an empty one.
    """

    def read(self, action: str, query: Mapping[str, str]) -> dict[str, Any]:
        """See `CasReader.read`."""

    def call_once(self, action: str, query: Mapping[str, str], seconds: float) -> dict[str, Any]:
        """See `CasClient.call_once`."""


class CasReader:
    """CAS for one account, for reading only. Lives for one invocation, as the credentials do."""

    def __init__(
        self, endpoint: str, credentials: Credentials, clock: Clock, meter: Meter, *, repeats: bool = True
    ) -> None:
        """`endpoint`: a URL; set, never derived from a region, since the SDK's own table has wrong hosts in it.

        `repeats`: whether what is throttled or not answered is tried again, by the SDK's own retry options.
        """
        self._clock = clock
        self._meter = meter
        self._redact = credentials.redact
        self._reads: deque[datetime] = deque(maxlen=READS_A_SECOND)
        self._reading = _sdk_client(endpoint, credentials, repeats=repeats)

    def read(self, action: str, query: Mapping[str, str]) -> dict[str, Any]:
        """Call an operation that changes nothing, no sooner than CAS allows. Raises CasError after some attempts."""
        if len(self._reads) == READS_A_SECOND:
            wait = self._reads[0] + A_SECOND - self._clock.now()
            if wait > timedelta(0):
                # No longer than the rule asks for: a clock that is set back meanwhile makes the rest of it vast.
                self._clock.sleep(min(wait, A_SECOND).total_seconds())
        self._reads.append(self._clock.now())
        return self._call(self._reading, action, query, RuntimeOptions())

    def _call(self, client: Client, action: str, query: Mapping[str, str], runtime: RuntimeOptions) -> dict[str, Any]:
        params = Params(
            action=action,
            version="2020-04-07",
            protocol="HTTPS",
            pathname="/",
            method="POST",
            auth_type="AK",
            style="RPC",
            req_body_type="formData",
            body_type="json",
        )
        try:
            with self._meter.call("cas"):
                answer = client.call_api(params, OpenApiRequest(query=dict(query)), runtime)["body"]
        except (AlibabaCloudException, UnretryableException) as error:
            raise _translated(error, self._redact) from error
        except _NOT_AN_ANSWER as error:
            said = "CAS answered with something else than an object"
            raise CasOutcomeUnknown(Reason.NO_ANSWER, said) from error
        return answer if isinstance(answer, dict) else {}


class CasClient(CasReader):
    """CAS for one account, for calls that have an effect, too: these are never repeated."""

    def __init__(self, endpoint: str, credentials: Credentials, clock: Clock, meter: Meter) -> None:
        """See `CasReader`."""
        super().__init__(endpoint, credentials, clock, meter)
        self._single = _sdk_client(endpoint, credentials, repeats=False)

    def call_once(self, action: str, query: Mapping[str, str], seconds: float) -> dict[str, Any]:
        """Call an operation that has an effect; `seconds`: how long it may take.

        Raises CasBusy, CasThrottled, CasRefused or CasMisconfigured when nothing happened, CasOutcomeUnknown when that
        cannot be said.
        """
        read = min(MAX_READ_SECONDS_ONCE, seconds - CONNECT_SECONDS)
        runtime = RuntimeOptions(connect_timeout=CONNECT_SECONDS * 1000, read_timeout=int(read * 1000))
        return self._call(self._single, action, query, runtime)


def _sdk_client(endpoint: str, credentials: Credentials, *, repeats: bool) -> Client:
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
