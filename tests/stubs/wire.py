"""What passes between a front end and a backend: requests, responses, and the ways a connection goes wrong."""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from requests.structures import CaseInsensitiveDict


@dataclass(frozen=True)
class Request:
    """One HTTP request as it arrived. `url` is absolute; header names compare without case."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def __post_init__(self) -> None:
        object.__setattr__(self, "headers", CaseInsensitiveDict(self.headers))

    @cached_property
    def parts(self) -> SplitResult:
        """The URL, split."""
        return urlsplit(self.url)

    @property
    def path(self) -> str:
        """The path, percent-decoded."""
        return unquote(self.parts.path) or "/"

    @cached_property
    def query(self) -> dict[str, str]:
        """The query parameters, decoded; a parameter without a value is an empty string."""
        return dict(parse_qsl(self.parts.query, keep_blank_values=True))

    @property
    def hostname(self) -> str:
        """The host of the URL, lower case, without the port."""
        return self.parts.hostname or ""


@dataclass(frozen=True)
class Response:
    """One HTTP answer."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class Disconnected(Exception):
    """There is no answer. A backend raises it, and each front end shows it to the client in its own way."""


class ReadTimeout(Disconnected):
    """The request was sent, and the answer never came."""


class ConnectionReset(Disconnected):
    """The connection was reset after the request was sent."""


class ConnectionRefused(Disconnected):
    """No connection was made: nothing was sent."""


class NotStubbed(BaseException):
    """The code under test asked for something that the stub lacks.

    A BaseException, so that no `except Exception` in the code under test or in an SDK turns it into just another
    cloud error.
    """


_ids = random.Random()  # noqa: S311 - the system's randomness takes longer than the rest of an answer


def new_id() -> uuid.UUID:
    """An id that no other answer has."""
    return uuid.UUID(int=_ids.getrandbits(128))
