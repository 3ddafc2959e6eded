"""What the tests of `make look` share: the default chain finds the stand-in's credentials, and a look is called."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from alibabacloud_credentials.utils import auth_constant, auth_util

from look.__main__ import main
from tests.stubs.account_api import AccountStub
from tests.stubs.clock import SystemClock
from tests.stubs.cloud import Cloud, forget_sessions
from tests.stubs.loopback import served

READS = ("List", "Get", "Describe")
LIMIT = 1_000
"""What a look may cost, in calls."""


def default_chain(monkeypatch: pytest.MonkeyPatch, home: Path, **found: str | None) -> None:
    """Let the chain find these in the environment, which it reads when it is imported, and nothing anywhere else."""
    for variable in ("access_key_id", "access_key_secret", "security_token"):
        monkeypatch.setattr(auth_util, f"environment_{variable}", found.get(variable))
    monkeypatch.setattr(auth_util, "environment_ecs_metadata_disabled", "true")
    monkeypatch.setattr(auth_util, "environment_credentials_uri", None)
    monkeypatch.setattr(auth_util, "environment_credentials_file", None)
    monkeypatch.setattr(auth_constant, "HOME", str(home))


@contextlib.contextmanager
def looking(cloud: Cloud, folder: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Look]:
    """`make look` at a cloud, beside an STS that says whose the credentials are."""
    sts = AccountStub(SystemClock(), cloud.credentials, cloud.account_id)
    with served(sts) as at:
        yield Look(cloud, folder, capsys, sts, at.url)
        forget_sessions(at.url)


@dataclass
class Look:
    """`make look` on the stand-in."""

    cloud: Cloud
    folder: Path
    capsys: pytest.CaptureFixture[str]
    sts: AccountStub
    url: str
    """Where STS is."""
    err: str = ""

    def __call__(self, *options: str, status: int = 0, **environ: str) -> str:
        """What it prints; every call that it made only reads, and nothing is sent anywhere else."""
        before = len(self.cloud.cas.calls)
        assert main(options, environ, self.cloud.clock, self.folder, self.url) == status
        out, self.err = self.capsys.readouterr()
        self.assert_it_only_read(before)
        return out

    def facts(self, status: int = 0, **environ: str) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads(self("--facts", status=status, **environ))
        return facts

    def assert_it_only_read(self, since: int = 0) -> None:
        actions = [call.action for call in self.cloud.cas.calls[since:]]
        assert not [action for action in actions if not action.startswith(READS)]
        assert len(actions) < LIMIT
        assert self.cloud.smq.calls == self.cloud.oss.calls == []
        assert {call.action for call in self.sts.calls} <= {"GetCallerIdentity"}

    @property
    def report(self) -> Path:
        return self.folder / "report.html"
