"""The journal in an OSS bucket. The only module that touches the OSS SDK.

A log is an appendable object: `AppendObject` writes only if the position given is the object's length, so of two
writers at one position exactly one wins. A note is an ordinary object.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, unquote

import alibabacloud_oss_v2 as oss
import requests
import urllib3.exceptions

from handler.cloud.credentials import Credentials
from handler.errors import JournalConflict, JournalNotAppendable, JournalUnavailable
from handler.journal.store import Listed, Log
from handler.runtime.variables import OssPlace

CONNECT_SECONDS = 3
READ_SECONDS = 5
ATTEMPTS = 3
"""How often the SDK tries a call; every one of ours can be repeated, see `OssStore.append`."""

MARKS = ".renewers/"
"""Where each journal of the bucket leaves a mark, so that a self-check notices another one of the account."""

_REGION = re.compile(r"//oss-(?P<region>[a-z0-9-]+?)(-internal)?\.aliyuncs\.com$")
_CONFLICTS = frozenset({"PositionNotEqualToLength"})
_NOT_AN_ANSWER = (SyntaxError, LookupError, ValueError, TypeError, AttributeError)
"""What falls out of the SDK when something answers that is not OSS; its XML parser's error is a SyntaxError."""
_MISSING = frozenset({"NoSuchKey"})


class OssStore:
    """A `Store` below one prefix of one bucket."""

    def __init__(self, place: OssPlace, endpoint: str, region: str, credentials: Credentials) -> None:
        """Lives for one invocation, as the credentials do.

        The bucket's region goes into the signature: the one that the endpoint's name tells, else `region`.
        """
        named = _REGION.search(endpoint)
        self._bucket = place.bucket
        self._prefix = f"{place.prefix}/" if place.prefix else ""
        config = oss.config.load_default()
        config.credentials_provider = oss.credentials.StaticCredentialsProvider(
            credentials.access_key_id, credentials.access_key_secret, credentials.security_token or None
        )
        config.endpoint = endpoint
        config.region = named["region"] if named else region
        config.connect_timeout = CONNECT_SECONDS
        config.readwrite_timeout = READ_SECONDS
        config.retry_max_attempts = ATTEMPTS
        self._client = oss.Client(config)
        self._redact = credentials.redact

    def read_log(self, key: str) -> Log:
        """Return all entries of a log."""
        body = self.get(key) or b""
        return Log(tuple(body.splitlines()), len(body))

    def append(self, key: str, position: int, entry: bytes) -> int:
        """Add an entry, if the object ends at `position`; see `Store.append`.

        The SDK repeats a call whose answer was lost. If the first one had landed, the repetition is refused,
        although the entry is ours: then, and after any other failure, what stands there decides.
        """
        line = entry + b"\n"
        try:
            with self._errors(key):
                answer = self._client.append_object(
                    oss.AppendObjectRequest(
                        bucket=self._bucket,
                        key=self._prefix + key,
                        position=position,
                        body=line,
                        content_type=_content_type(key),
                    )
                )
                _require(answer.next_position == position + len(line), key)
        except (JournalConflict, JournalUnavailable):
            if not self._stands(key, position, line):
                raise
        return position + len(line)

    def _stands(self, key: str, position: int, line: bytes) -> bool:
        return (self.get(key) or b"")[position : position + len(line)] == line

    def find(self, prefix: str) -> Iterator[Listed]:
        """Return the logs and notes whose key begins with `prefix`, all pages."""
        token = None
        while True:
            with self._errors(prefix):
                page = self._client.list_objects_v2(
                    oss.ListObjectsV2Request(
                        bucket=self._bucket, prefix=self._prefix + prefix, max_keys=1000, continuation_token=token
                    )
                )
            _require(page.name or page.is_truncated is not None, prefix)
            for found in page.contents or ():
                yield Listed(str(found.key).removeprefix(self._prefix), found.last_modified)
            token = page.next_continuation_token
            if not page.is_truncated or not token:
                return

    def get(self, key: str) -> bytes | None:
        """Return a note, None if there is none."""
        try:
            with self._errors(key):
                result = self._client.get_object(oss.GetObjectRequest(bucket=self._bucket, key=self._prefix + key))
                with result.body as body:
                    found = bytes(body.read())
                _require(result.content_length in {None, len(found)} and (found[:1] == b"{" or result.etag), key)
                return found
        except FileNotFoundError:
            return None

    def put(self, key: str, body: bytes) -> None:
        """Write a note, over what was there."""
        self._put(self._prefix + key, body)

    def delete(self, key: str) -> None:
        """Remove a note; it need not exist."""
        with self._errors(key):
            self._client.delete_object(oss.DeleteObjectRequest(bucket=self._bucket, key=self._prefix + key))

    def discard_log(self, key: str) -> None:
        """Remove a whole log: to OSS it is an object like any other."""
        self.delete(key)

    def announce(self, account_id: str) -> None:
        """Leave a mark in the bucket, beside all journals; writing it again makes it new."""
        self._put(f"{MARKS}{account_id}/{quote(self._prefix, safe='')}", b"{}")

    def neighbours(self, account_id: str) -> list[str]:
        """Return the account's other journals in the bucket that have left a mark; the first thousand."""
        place = f"{MARKS}{account_id}/"
        with self._errors(place):
            page = self._client.list_objects_v2(oss.ListObjectsV2Request(bucket=self._bucket, prefix=place))
        prefixes = [unquote(str(mark.key).removeprefix(place)) for mark in page.contents or ()]
        return [f"oss://{self._bucket}/{prefix}".rstrip("/") for prefix in prefixes if prefix != self._prefix]

    def _put(self, key: str, body: bytes) -> None:
        with self._errors(key):
            answer = self._client.put_object(
                oss.PutObjectRequest(bucket=self._bucket, key=key, body=body, content_type=_content_type(key))
            )
        _require(answer.etag or answer.hash_crc64 or answer.request_id, key)

    @contextmanager
    def _errors(self, key: str) -> Iterator[None]:
        """Say in our own exceptions what the SDK's mean. What OSS says is redacted here, and only then cut."""
        try:
            yield
        except oss.exceptions.BaseError as error:
            cause: Any = error.unwrap() if isinstance(error, oss.exceptions.OperationError) else error
            code = getattr(cause, "code", None) or type(cause).__name__
            if code in _CONFLICTS:
                raise JournalConflict(key) from None
            if code == "ObjectNotAppendable":
                msg = f"OSS: {key}: it is an ordinary object, as a copy or a restored backup is: make it appendable"
                raise JournalNotAppendable(msg) from None
            if code in _MISSING:
                raise FileNotFoundError(key) from None
            said = getattr(cause, "message", None) or str(cause)
            msg = f"OSS: {key}: {self._redact(str(code))[:100]}: {self._redact(str(said))[:300]}"
            raise JournalUnavailable(msg) from error
        except (requests.RequestException, urllib3.exceptions.HTTPError, *_NOT_AN_ANSWER) as error:
            msg = f"OSS: {key}: {type(error).__name__}"
            raise JournalUnavailable(msg) from error


def _content_type(key: str) -> str:
    """Return what an object is; left alone, the SDK would read the system's tables of types to find out."""
    return "text/html; charset=utf-8" if key.endswith(".html") else "application/json"


def _require(is_of_oss: object, key: str) -> None:
    """Refuse a 200 that OSS did not give: something in between answered, and what was asked may not have happened."""
    if not is_of_oss:
        msg = f"OSS: {key}: the answer says 200 and nothing else that OSS says"
        raise JournalUnavailable(msg)
