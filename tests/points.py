"""Points of a run, and what a test lets happen there.

A run comes to a point immediately before and immediately after the effect of each of its calls to the cloud: phase,
service and action, such as `("before", "oss", "AppendObject")`.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.stubs.cloud import Cloud

Point = tuple[str, str, str]


class Crash(BaseException):
    """The process is gone. Nothing in the handler may catch it."""


def crash(*_: object) -> None:
    """End the process."""
    raise Crash


def once_at(cloud: Cloud, point: Point, act: Callable[[], object], nth: int = 1) -> None:
    """Let something happen when a run comes to a point for the nth time, and never again."""
    left = nth

    def hook(*at: str) -> None:
        nonlocal left
        if at == point:
            left -= 1
            if left == 0:
                cloud.hooks.remove(hook)
                act()

    cloud.hooks.append(hook)


def always_at(cloud: Cloud, point: Point, act: Callable[[], object]) -> None:
    """Let something happen each time that a run comes to a point."""

    def hook(*at: str) -> None:
        if at == point:
            act()

    cloud.hooks.append(hook)


def crash_at(cloud: Cloud, phase: str, service: str, action: str, nth: int = 1) -> None:
    """Let the process die at a point, once."""
    once_at(cloud, (phase, service, action), crash, nth)
