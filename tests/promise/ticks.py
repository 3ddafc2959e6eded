"""Runs one after the other, in a world in which each of them must keep the promise."""

from __future__ import annotations

from tests.deployed import Answer, Function, assert_no_internal_error
from tests.stubs.cloud import Cloud
from tests.traces import assert_bought_at_most_once


def ticks(cloud: Cloud, function: Function, count: int = 4, seconds: float = 700) -> list[Answer]:
    """Let the timer fire so often, with so many seconds after each; return what each run came to."""
    answers = []
    for _ in range(count):
        answers.append(function.tick())
        assert_no_internal_error(answers[-1])
        assert_bought_at_most_once(cloud)
        cloud.clock.advance(seconds)
    return answers
