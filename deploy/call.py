"""What to invoke, and where: before anything is sent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from deploy.deployment import PLACEHOLDERS, read_deployment
from deploy.not_invoked import NotInvoked
from deploy.problem import warn

CONNECT_SECONDS = 5
MARGIN_SECONDS = 15
"""The platform needs some time of its own: to start an instance, to send the answer."""

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True)
class Call:
    """What to invoke, and how."""

    name: str
    """FUNCTION on Function Compute 3.0, SERVICE/FUNCTION on 2.0."""
    event: bytes
    asynchronous: bool = False
    qualifier: str | None = None
    seconds: int = 300
    """How long the function may take."""

    def require_names(self) -> None:
        """Raise NotInvoked for names that cannot be: they would become part of an address."""
        if not self.name:
            raise NotInvoked("NAME is not given", "make invoke NAME=cas-certificate-renewer EVENT=events/check.json")
        service, slash, function = self.name.partition("/")
        if slash:
            names = [(service, r"[A-Za-z_][\w-]*"), (function, r"[A-Za-z_][\w-]*")]
        else:
            names = [(self.name, r"[A-Za-z_][\w$-]*")]  # a function that came from 2.0 is called SERVICE$FUNCTION
        for name, pattern in names:
            if not re.fullmatch(pattern, name, re.ASCII):
                raise NotInvoked(f"{name!r} is no name of a function", "give NAME, or SERVICE/FUNCTION on 2.0")
        if self.qualifier is not None and not re.fullmatch(r"[\w-]+", self.qualifier, re.ASCII):
            raise NotInvoked(f"{self.qualifier!r} is no name of a version", "give --qualifier NAME")

    @property
    def answer_seconds(self) -> int:
        """How long to wait for the answer."""
        return self.seconds + MARGIN_SECONDS

    @property
    def invocation_type(self) -> str:
        """The same word on both platforms."""
        return "Async" if self.asynchronous else "Sync"

    @property
    def log_type(self) -> str:
        """Whether the end of the log comes with the answer; an asynchronous call has none yet."""
        return "None" if self.asynchronous else "Tail"


@dataclass(frozen=True)
class Place:
    """Where it is; what is left out comes from the operator's choices."""

    endpoint: str | None = None
    region: str | None = None
    account: str | None = None

    def url(self) -> str:
        """Return the endpoint.

        Raises NotInvoked for one to which no credentials should be sent, and Problem where nobody has chosen yet.
        """
        if self.endpoint:
            url = urlsplit(self.endpoint if "://" in self.endpoint else f"https://{self.endpoint}")
            if url.netloc and (url.scheme == "https" or (url.scheme == "http" and url.hostname in _LOOPBACK)):
                return f"{url.scheme}://{url.netloc}"
            raise NotInvoked(f"{self.endpoint} is no https:// address", "give --endpoint https://HOST")
        account, region = self.account, self.region
        if account is None or region is None:
            deployment = read_deployment()
            warn("invoke", deployment.warnings)
            if account is None:
                deployment.require_choices()
            account, region = account or deployment.account, region or deployment.region
        if account == PLACEHOLDERS["account"]:
            raise NotInvoked(f"account {account} is the example's", "give --account with your own")
        if not re.fullmatch(r"[0-9]+", account, re.ASCII) or not re.fullmatch(r"[a-z0-9-]+", region):
            raise NotInvoked(f"account {account!r} in region {region!r} cannot be", "give --account ID --region ID")
        return f"https://{account}.{region}.fc.aliyuncs.com"
