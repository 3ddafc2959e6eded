"""What to invoke, and where: before anything is sent."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

import yaml

from deploy.not_invoked import NotInvoked
from deploy.policy import DEPLOYMENT

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
    """Where it is; what is left out comes from the environment, else from s.yaml."""

    endpoint: str | None = None
    region: str | None = None
    account: str | None = None

    def url(self) -> str:
        """Return the endpoint. Raises NotInvoked for one to which no credentials should be sent."""
        if self.endpoint:
            url = urlsplit(self.endpoint if "://" in self.endpoint else f"https://{self.endpoint}")
            if url.netloc and (url.scheme == "https" or (url.scheme == "http" and url.hostname in _LOOPBACK)):
                return f"{url.scheme}://{url.netloc}"
            raise NotInvoked(f"{self.endpoint} is no https:// address", "give --endpoint https://HOST")
        deployed = yaml.safe_load(DEPLOYMENT.read_text("utf-8"))["vars"]
        account = self.account or os.environ.get("ALIBABA_CLOUD_ACCOUNT_ID") or deployed["account"]
        region = self.region or os.environ.get("ALIBABA_CLOUD_REGION_ID") or deployed["region"]
        if not re.fullmatch(r"[0-9]+", account) or not re.fullmatch(r"[a-z0-9-]+", region):
            raise NotInvoked(f"account {account!r} in region {region!r} cannot be", "give --account ID --region ID")
        return f"https://{account}.{region}.fc.aliyuncs.com"


def check_name(name: str, pattern: str, give: str = "NAME, or SERVICE/FUNCTION on 2.0") -> None:
    """Raise NotInvoked for a name that does not match: it would become part of an address."""
    if not re.fullmatch(pattern, name, re.ASCII):
        raise NotInvoked(f"{name!r} is no name", f"give {give}")
