"""What the services of the account have in common: where they are, how one is called, and what an error means."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from alibabacloud_credentials.client import Client as CredentialsChain
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from alibabacloud_tea_openapi.utils_models import Config
from darabonba.exceptions import UnretryableException

from deploy.problem import Problem

CONNECT_SECONDS = 5
READ_SECONDS = 20
MAX_CHARS = 300
"""Of what a server says."""
AGAIN = "run it again: it goes on from what is there, and makes nothing twice"

_T = TypeVar("_T")
_NOT_AN_ANSWER = (AttributeError, TypeError, ValueError, LookupError)
"""What falls out of the SDKs when something else answers than the service."""


@dataclass(frozen=True)
class Endpoints:
    """Where the services are: URLs."""

    sts: str
    ram: str
    smq: str
    oss: str

    @classmethod
    def of(cls, region: str) -> Endpoints:
        """Return the public endpoints. Those of STS and RAM are the same for every region."""
        return cls(
            sts="https://sts.aliyuncs.com",
            ram="https://ram.aliyuncs.com",
            smq=f"https://mns-open.{region}.aliyuncs.com",
            oss=f"https://oss-{region}.aliyuncs.com",
        )


def config_for(url: str, chain: CredentialsChain) -> Config:
    """Return the configuration of an SDK client for one endpoint. Nothing is repeated by itself."""
    address = urlsplit(url)
    return Config(
        credential=chain,
        endpoint=address.netloc,
        protocol=address.scheme.upper(),
        connect_timeout=CONNECT_SECONDS * 1000,
        read_timeout=READ_SECONDS * 1000,
    )


def call(action: str, operation: Callable[[], _T], missing: Collection[str] = ()) -> _T | None:
    """Call an operation; None if it answers with one of the codes `missing`. Raises Problem.

    `action` is its name in policies, such as `ram:GetRole`.
    """
    try:
        return operation()
    except AlibabaCloudException as error:
        if error.code in missing:
            return None
        raise refusal(action, str(error.code), str(error.message), error.status_code) from None
    except UnretryableException:
        raise Problem(f"{action}: no answer, so nobody can say whether it happened", AGAIN) from None
    except _NOT_AN_ANSWER as error:
        raise Problem(f"{action}: the answer makes no sense ({type(error).__name__})", AGAIN) from None


def refusal(action: str, code: str, message: str, status: object) -> Problem:
    """Make one line of what a service says when it does not do something."""
    said = " ".join(message.split())
    what = f"{action}: {code} (HTTP {status}): {said[:MAX_CHARS].rstrip('. ')}"
    if any(word in code for word in ("NoPermission", "AccessDenied", "Forbidden", "NotAuthorized")):
        return Problem(what, f"if that is a permission, allow {action} to whoever these credentials belong to; {AGAIN}")
    return Problem(what, f"fix what it says; then {AGAIN}")


def require(value: Any, action: str) -> Any:
    """Return what an answer must have. Raises Problem for one that lacks it: something in between has answered."""
    if value is None:
        raise Problem(f"{action}: the answer lacks what it is about", AGAIN)
    return value
