"""The function in real processes, killed with SIGKILL at random moments while the cloud on loopback misbehaves.

Time runs faster than on the wall, the same for the processes and for the cloud, so that deadlines and settle times
pass in seconds. The clocks of two processes differ by up to `handler.runtime.clock.SKEW`, as the promise allows.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Literal, NamedTuple

from handler.errors import EventRefused, RunFailed
from handler.index import invoke
from handler.runtime.clock import SKEW
from tests.deployed import TIMER, what_a_person_says
from tests.stubs.cloud import Cloud, serve
from tests.stubs.misbehaviour import RandomFaults
from tests.traces import bought, published

SPEED = 100
"""Seconds of the function's time in one second on the wall."""
ORDERS = 6
SETTINGS = {"SETTLE_SECONDS": "300", "MAX_RENEWALS_PER_RUN": "2", "INSTANCES": "apply"}
TIMEOUT = 120
AT_REST_TIMEOUT = 900
"""Of those that nobody kills: on a busy machine they, too, must come to what is done last, at so fast a clock."""
LATE_SECONDS = 100
WATCHED = ("cas.instance.", "cas.certificate.")
MOST_SKEW = SKEW.total_seconds() / 2
"""Of one process against the cloud; two of them differ by twice that."""


class FastClock:
    """`SPEED` times as fast as the wall's clock since a moment, given in seconds of the epoch, and `skew` ahead.

    It begins at the wall's time, so that the files of a journal in a folder, which have the wall's, are not too old.
    """

    def __init__(self, began: float, skew: float = 0) -> None:
        self.began = began
        self._start = datetime.fromtimestamp(began, timezone.utc) + timedelta(seconds=skew)

    def now(self) -> datetime:
        """Return the moment, aware, in UTC."""
        return self._start + timedelta(seconds=(time.time() - self.began) * SPEED)

    def sleep(self, seconds: float) -> None:
        """Wait, in the function's seconds."""
        time.sleep(seconds / SPEED)


class _World(NamedTuple):
    """What every process of one history works with."""

    cloud: Cloud
    clock: FastClock
    chance: random.Random
    settings: Mapping[str, str]
    awaited: Sequence[str]
    """How the ids of messages begin, beside those about renewals, that must come."""
    replaced: Sequence[str]
    """The instances whose next certificate must be told, each with the certificate that it replaces."""

    @property
    def has_told(self) -> bool:
        """Whether they have."""
        messages = self.cloud.smq.messages()
        ids = [message["id"] for message in messages]
        issued = [message["data"] for message in messages if message["type"] == "cas.instance.issued"]
        followed = {f"{data['InstanceId']}-{data['ReplacedCertificateId']}" for data in issued}
        return followed.issuperset(self.replaced) and all(
            any(id_.startswith(start) for id_ in ids) for start in self.awaited
        )


def kill_and_recover(number: int, kills: int = 10, journal: Literal["oss", "file"] = "oss") -> int:
    """Kill so many invocations at random moments, then let the function come to rest; return how many were killed.

    Raises AssertionError if an order was bought twice, a new order is not on the queue, or one was forgotten; or if
    anything but the truth was told of an instance that the platform re-issues, and of an upload that ends; or if
    another instance was not applied for exactly once.
    """
    with tempfile.TemporaryDirectory(prefix="journal-") as folder:
        place = {"JOURNAL_URL": Path(folder, "journal").as_uri()} if journal == "file" else {}
        return _kill_and_recover(number, kills, {**SETTINGS, **place})


def _kill_and_recover(number: int, kills: int, settings: Mapping[str, str]) -> int:
    chance = random.Random(number)  # noqa: S311 (makes a history that can be repeated)
    clock = FastClock(time.time())
    cloud = Cloud(clock)
    cloud.cas.visible_after = LATE_SECONDS
    orders = [cloud.cas.add_order(domain=f"host{n}.example.com", product_code=f"p{n % 2}") for n in range(ORDERS)]
    cloud.cas.authority.own_dns = False  # so the re-issue waits
    instance = cloud.cas.instances.add("hosted.example.com", 29, hosted=True)
    upload = cloud.cas.certificates.upload("upload.example.com", days_left=6)
    cloud.cas.authority.takes = cloud.cas.authority.dns_takes = 40
    due = cloud.cas.instances.add("due.example.com", 20, own_dns=True)
    base = cloud.cas.instances.of(due).certificate_id
    newest = [f"{instance}-{cloud.cas.instances.of(instance).certificate_id}", f"{due}-{base}"]
    world = _World(cloud, clock, chance, settings, [f"{due}-{base}-applied", f"{upload}-expiring-7"], newest)
    killed = 0
    with serve(cloud, hang_seconds=0.05, latency_seconds=0.01):
        faulty = RandomFaults(number, share=0.15)
        for backend in cloud.backends.values():
            backend.fault_sources.append(faulty)
        for _ in range(kills * 4):
            killed += _killed(world, chance.uniform(0.0, 0.5))
            if killed == kills:
                break
        for backend in cloud.backends.values():
            backend.fault_sources.clear()
        _tick(world)  # which has seen by its end what the re-issue replaces
        cloud.cas.instances.issue(instance)
        _come_to_rest(world)
    for old in orders:
        purchases = cloud.cas.bought(old)
        assert len(purchases) == 1, f"{old} was bought {len(purchases)} times"
    assert set(published(cloud)) == set(bought(cloud))
    assert len(cloud.cas.instances.applied(due)) == 1, f"{due} was applied for more than once"
    messages = [message for message in cloud.smq.messages() if message["type"].startswith(WATCHED)]
    # Whoever gets the next certificate of what is hosted waits for records.
    told = {message["id"] for message in messages if message["type"] != "cas.instance.validation"}
    issued = {f"{one}-{cloud.cas.instances.of(one).certificate_id}-issued" for one in (instance, due)}
    assert told == {*issued, f"{due}-{base}-applied", f"{upload}-expiring-7"}, told
    return killed


def _killed(world: _World, seconds: float) -> bool:
    """Start an invocation and kill it that long after it has begun to work; tell whether it was still at work."""
    process = _start(world, timeout=TIMEOUT)
    with process:
        assert process.stdout is not None
        process.stdout.readline()  # it says when its modules are loaded
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        at_work = process.poll() is None
        if at_work:
            os.kill(process.pid, signal.SIGKILL)
    return at_work


def _come_to_rest(world: _World) -> None:
    """Invoke until everything is renewed, with a person who settles what is held."""
    for _ in range(60):
        said = _tick(world)
        result = json.loads(said.splitlines()[-1])
        outcomes = {line["outcome"] for line in result["orders"] if line["order_id"]}
        if outcomes == {"already-renewed"} and world.has_told:
            return
        for line in result["orders"]:
            if line["outcome"] == "held" and line["order_id"]:
                _settle(world, what_a_person_says(world.cloud, line["order_id"]))
            elif line["outcome"] == "held":
                _settle(world, {"release": {"instance_id": line["instance_id"]}})
        world.clock.sleep(400)
    raise AssertionError(f"it does not come to rest: {said}")


def _tick(world: _World) -> str:
    with _start(world) as process:
        assert process.stdout is not None
        return process.stdout.read()


def _settle(world: _World, said: Mapping[str, object]) -> None:
    with _start(world, said) as process:
        process.communicate()


def _start(
    world: _World, event: Mapping[str, object] | None = None, timeout: int = AT_REST_TIMEOUT
) -> subprocess.Popen[str]:
    environ = {**world.cloud.environ(**world.settings), "PYTHONPATH": os.pathsep.join(sys.path)}
    skew = world.chance.uniform(-MOST_SKEW, MOST_SKEW)
    module = ["-m", "tests.promise.killing"]
    event = event or {**TIMER, "triggerTime": world.clock.now().isoformat()}
    arguments = [sys.executable, *module, str(world.clock.began), str(skew), json.dumps(event), str(timeout)]
    return subprocess.Popen(
        arguments,
        env=environ,
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def _invoke(began: str, skew: str, event: str, timeout: str) -> None:
    """Be one invocation: say that the work begins, work, say what came of it."""
    clock = FastClock(float(began), float(skew))
    cloud = Cloud(clock)
    print("ready", flush=True)
    try:
        said = invoke(event.encode(), cloud.context(timeout=int(timeout)), os.environ, clock)
    except (RunFailed, EventRefused) as told:
        said = str(told)
    print(said.replace("\n", " "), flush=True)


if __name__ == "__main__":
    _invoke(*sys.argv[1:])
