"""Invocations that can be stopped at every call to the cloud: to let others run in between, or to let them die."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

from handler.errors import EventRefused, RunFailed
from handler.index import invoke
from tests import published
from tests.deployed import Event, raw
from tests.points import Crash
from tests.stubs.clock import SkewedClock
from tests.stubs.cloud import Cloud


class PausedInvocation:
    """One invocation in a thread of its own, of which at most one runs at a time.

    It stands still before and after the effect of every call to the cloud, until `step` lets it go on. The platform
    ends it at its deadline, wherever it stands.
    """

    def __init__(self, cloud: Cloud, event: Event, name: str, timeout: int, skew: float = 0, **settings: str) -> None:
        """`name` is its request id, `timeout` is in seconds.

        The clock of its instance is `skew` seconds ahead of the cloud's, by which the platform ends it.
        """
        self.name = name
        self.at: tuple[str, str, str] | None = None
        """Where it stands: phase, service, action."""
        self.finished = False
        self.text: str | None = None
        """The result, if it lived to give one."""
        self.failed = False
        """Whether it ended with an exception, as far as the platform can see."""
        self.bug: BaseException | None = None
        self._cloud = cloud
        self._clock = SkewedClock(cloud.clock, skew)
        self._deadline: datetime = cloud.clock.now() + timedelta(seconds=timeout)
        self._dead = False
        self._go = threading.Semaphore(0)
        self._stands = threading.Semaphore(0)
        context = cloud.context(timeout=timeout, request_id=name)
        environ = cloud.environ(**settings)
        self._thread = threading.Thread(target=self._run, args=(raw(event), context, environ), name=name, daemon=True)
        cloud.hooks.append(self._pause)
        self._thread.start()
        self._stands.acquire()

    def step(self, points: int = 1) -> None:
        """Let it go on past that many points, or to its end."""
        for _ in range(points):
            if self.finished:
                return
            self._go.release()
            self._stands.acquire()

    def finish(self) -> None:
        """Let it go on to its end."""
        while not self.finished:
            self.step()

    def kill(self) -> None:
        """End it where it stands; nothing that it would still do takes effect."""
        self._dead = True
        self.finish()

    def _run(self, event: bytes, context: Any, environ: dict[str, str]) -> None:
        try:
            try:
                self.text = invoke(event, context, environ, self._clock)
            except RunFailed as told:
                self.text, self.failed = str(told), True
            published.check_result(self.text)
        except EventRefused as told:
            self.text, self.failed = str(told), True
        except Crash:
            self.failed = True
        except BaseException as bug:  # noqa: BLE001 (raised by whoever looks at the run)
            self.bug = bug
        finally:
            self._cloud.hooks.remove(self._pause)
            self.finished = True
            self._stands.release()

    def _pause(self, phase: str, service: str, action: str) -> None:
        if threading.current_thread() is not self._thread:
            return
        self.at = (phase, service, action)
        if not self._dead:
            self._stands.release()
            self._go.acquire()
        if self._dead or self._cloud.clock.now() > self._deadline:
            self._dead = True
            raise Crash
