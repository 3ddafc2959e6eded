"""The time of an invocation: what may still be begun before the platform ends it."""

import pytest

from handler.runtime.countdown import LEAST_CALL_SECONDS, RESERVE_SECONDS, SHORTEST_TIMEOUT, Countdown
from tests.examples import MINUTE, NOW
from tests.stubs.clock import FakeClock

ALMOST = 0.001


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def time(clock: FakeClock) -> Countdown:
    return Countdown(clock, NOW, 300)


def test_an_invocation_ends_its_timeout_after_it_began_and_not_after_it_was_asked(clock, time):
    assert (time.timeout, time.deadline, time.seconds_left()) == (300, NOW + 5 * MINUTE, 300)
    clock.advance(299.5)
    assert (time.deadline, time.seconds_left()) == (NOW + 5 * MINUTE, 0.5)
    clock.advance(1)
    assert time.seconds_left() == -0.5


def test_what_was_used_before_the_countdown_was_made_counts(clock):
    clock.advance(100)
    assert Countdown(clock, NOW, 300).seconds_left() == 200


def test_it_is_the_clock_that_it_was_made_of(clock, time):
    assert time.now() == NOW
    time.sleep(60)
    assert time.now() == clock.now() == NOW + MINUTE
    assert time.seconds_left() == 240


@pytest.mark.parametrize(
    ("left", "may"), [(RESERVE_SECONDS + ALMOST, True), (RESERVE_SECONDS, False), (0, False), (-1, False)]
)
def test_nothing_is_written_in_what_is_kept_for_recording(left, may, clock, time):
    clock.advance(300 - left)
    assert time.may_write() is may


@pytest.mark.parametrize(
    ("left", "may"), [(SHORTEST_TIMEOUT, True), (SHORTEST_TIMEOUT - ALMOST, False), (0, False), (-1, False)]
)
def test_a_purchase_is_begun_only_if_its_answer_and_what_is_recorded_of_it_have_time(left, may, clock, time):
    clock.advance(300 - left)
    assert time.may_purchase() is may


def test_the_shortest_timeout_is_the_call_and_the_reserve():
    assert SHORTEST_TIMEOUT == LEAST_CALL_SECONDS + RESERVE_SECONDS == 15
    assert Countdown(FakeClock(NOW), NOW, SHORTEST_TIMEOUT).may_purchase()
    assert not Countdown(FakeClock(NOW), NOW, SHORTEST_TIMEOUT - 1).may_purchase()


def test_whoever_may_purchase_may_write(clock, time):
    while time.seconds_left() > -10:
        assert time.may_write() or not time.may_purchase()
        clock.advance(0.5)
