"""What the tests start from: an empty account, and the function deployed to it."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.deployed import Function
from tests.stubs.cloud import Cloud, local_cloud


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with local_cloud() as opened:
        yield opened


@pytest.fixture
def function(cloud: Cloud) -> Function:
    return Function(cloud)


@pytest.fixture(autouse=True)
def _talkative_libraries() -> Iterator[None]:
    """An invocation silences them for good; each test is to see that for itself."""
    logging.disable(logging.NOTSET)
    yield
    logging.disable(logging.NOTSET)
