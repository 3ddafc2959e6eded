"""The stubs, in a process of their own, so that they take neither time nor memory of what is measured.

    python -m bench.cloud

answers each line of JSON on its standard input with one: to an account, that it serves it; to null, what came of it.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import Any

from tests.stubs.clock import SystemClock
from tests.stubs.cloud import Cloud, serve
from tests.stubs.misbehaviour import RateLimit


@dataclass(frozen=True)
class Account:
    """What is in an account, and how CAS answers."""

    orders: int = 40
    expiring: int = 0
    """How many of them are to be renewed."""
    instances: int = 0
    """V2 instances, none of which ends soon."""
    uploads: int = 0
    """Certificates of other origin, none of which ends soon."""
    latency_ms: float = 0
    qps: int | None = None


@dataclass(frozen=True)
class Report:
    """What came of a run."""

    calls: dict[str, int]
    """By service."""
    purchases: int
    messages: int

    @property
    def all_calls(self) -> int:
        """HTTP calls to all services."""
        return sum(self.calls.values())


class CloudProcess:
    """The process, from the side of the bench."""

    def __init__(self) -> None:
        """Start it."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.cloud"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def close(self) -> None:
        """End it."""
        self._process.communicate()

    def open(self, account: Account) -> dict[str, str]:
        """Serve a new account; returns the environment of a function there."""
        environ: dict[str, str] = self._ask(asdict(account))
        return environ

    def report(self) -> Report:
        """Tell what has happened in the account."""
        return Report(**self._ask(None))

    def _ask(self, question: object) -> Any:
        assert self._process.stdin  # noqa: S101
        assert self._process.stdout  # noqa: S101
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def main() -> None:
    """Serve one account after the other, until standard input ends."""
    with contextlib.ExitStack() as served:
        cloud = Cloud(SystemClock())
        for line in sys.stdin:
            question = json.loads(line)
            if question is None:
                answer: Any = asdict(_report(cloud))
            else:
                served.close()
                account = Account(**question)
                cloud = _furnished(account)
                served.enter_context(serve(cloud, latency_seconds=account.latency_ms / 1000))
                answer = cloud.environ()
            print(json.dumps(answer), flush=True)


def _furnished(account: Account) -> Cloud:
    cloud = Cloud(SystemClock())
    for number in range(account.orders):
        cloud.cas.add_order(
            domain=f"host-{number}.example.com",
            days_left=20.5 if number < account.expiring else 100.5,
            source="CPACK" if number % 2 else "BUY",
            product_code=f"digicert-dv-{number % 5}",
        )
    for number in range(account.instances):
        cloud.cas.instances.add(f"instance-{number}.example.com", 100.5, hosted=not number % 2)
    for number in range(account.uploads):
        cloud.cas.certificates.upload(f"upload-{number}.example.com", days_left=100.5)
    if account.qps:
        cloud.cas.fault_sources.append(RateLimit(account.qps))
    return cloud


def _report(cloud: Cloud) -> Report:
    calls: dict[str, int] = {name: len(backend.calls) for name, backend in cloud.backends.items()}
    return Report(calls, len(cloud.cas.purchases), len(cloud.smq.messages()))


if __name__ == "__main__":
    main()
