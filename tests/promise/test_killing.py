"""The promise of exactly one renewal, held by real processes that are killed. `make soak` does this at length."""

import pytest

from tests.promise.killing import kill_and_recover


@pytest.mark.parametrize("journal", ["oss", "file"])
def test_processes_that_are_killed_at_random_moments_buy_once_and_lose_nothing(journal):
    assert kill_and_recover(number=1, kills=4, journal=journal) == 4
