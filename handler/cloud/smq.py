"""The queue: Simple Message Queue (formerly MNS). The only module that touches its SDK."""

import warnings
from base64 import b64encode

from mns.account import Account
from mns.mns_exception import MNSClientNetworkException, MNSExceptionBase, MNSServerException
from mns.queue import Message

from handler.cloud.credentials import Credentials
from handler.cloud.meter import Meter
from handler.errors import PublishFailed
from handler.outcomes import Reason

TIMEOUT_SECONDS = 5
ATTEMPTS = 3
"""A message may be sent more than once, and keeps its id."""
UNANSWERED_SENDS = 2
"""After so many messages in a row without any answer, the queue counts as out of reach: the rest of an invocation is
too dear to be waited away."""
MAX_BYTES = 65_536
"""What SMQ takes as the body of one message, in Base64."""

_MISCONFIGURED = frozenset(
    {
        "AccessDenied",
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "QueueNotExist",
        "InvalidSecurityToken",
        "Forbidden",
    }
)

_FAILURES = (MNSExceptionBase, OSError, LookupError, ValueError)
"""What the SDK raises: its own exceptions, and what falls out of it when an answer is not as it expects."""


class Smq:
    """The queues of one account and region. Lives for one invocation, as the credentials do."""

    def __init__(self, endpoint: str, credentials: Credentials, meter: Meter) -> None:
        """`endpoint`: a URL."""
        # The SDK takes a token of None for a text and fails with a misleading network error.
        account = Account(
            endpoint, credentials.access_key_id, credentials.access_key_secret, credentials.security_token or ""
        )
        # Over HTTPS the SDK has no time-out and no way to set one; http.client reads this attribute when it connects.
        account.mns_client.http.conn.timeout = TIMEOUT_SECONDS
        account.mns_client.http.conn.connection_timeout = TIMEOUT_SECONDS
        self._account = account
        self._meter = meter
        self._redact = credentials.redact
        self._unanswered = 0
        """How many messages in a row got no answer, each after all its attempts."""

    def send(self, queue: str, body: str) -> str:
        """Send a message and return the id that the queue gave it. Raises PublishFailed after some attempts.

        After `UNANSWERED_SENDS` in a row that nobody answered it raises at once: later runs send what is left.
        """
        body = self._redact(body)
        size = len(b64encode(body.encode()))
        if size > MAX_BYTES:
            raise PublishFailed(
                Reason.MESSAGE_TOO_LARGE,
                f"queue {queue}: the message has {size} bytes in Base64, {MAX_BYTES} are allowed",
                misconfigured=False,
            )
        if self._unanswered >= UNANSWERED_SENDS:
            raise PublishFailed(
                Reason.NO_ANSWER,
                f"queue {queue}: not tried, since {self._unanswered} messages in a row got no answer",
                misconfigured=False,
            )
        answered = False
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self._meter.call("smq"):
                    sent = self._account.get_queue(queue).send_message(Message(body))
            except _FAILURES as error:
                answered = answered or not _is_silence(error)
                failure = self._translated(queue, error)
                if failure.misconfigured or attempt == ATTEMPTS:
                    self._unanswered = 0 if answered else self._unanswered + 1
                    raise failure from error
            else:
                self._unanswered = 0
                return str(sent.message_id)
        raise AssertionError  # the last attempt returns or raises

    def probe(self, queue: str) -> None:
        """Ask for a queue's attributes, to see whether it is there. Raises PublishFailed."""
        try:
            with warnings.catch_warnings():
                # Reading the answer, the SDK uses attributes that it has itself marked as deprecated.
                warnings.simplefilter("ignore", DeprecationWarning)
                self._account.get_queue(queue).get_attributes()
        except _FAILURES as error:
            raise self._translated(queue, error) from error

    def close(self) -> None:
        """Close the connection."""
        self._account.mns_client.close_connection()

    def _translated(self, queue: str, error: Exception) -> PublishFailed:
        """Say in our own exception what the SDK's means. What the queue says is redacted here, and only then cut."""
        if isinstance(error, MNSServerException):
            code = str(error.type)
            misconfigured = code.split(".", 1)[0] in _MISCONFIGURED
            said = self._redact(str(error.message))[:300]
            return PublishFailed(self._redact(code)[:100], f"queue {queue}: {said}", misconfigured=misconfigured)
        return PublishFailed(Reason.NO_ANSWER, f"queue {queue}: {self._redact(str(error))[:300]}", misconfigured=False)


def _is_silence(error: Exception) -> bool:
    """Tell whether nobody answered: an answer of somebody else's, a proxy's page, is one too."""
    if isinstance(error, MNSClientNetworkException):
        return bool(error.type == "NetWorkException")  # the SDK's word, and spelling; RespDataDamaged is the other
    return isinstance(error, OSError)
