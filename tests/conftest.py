"""What the tests start from: an empty account, and the function deployed to it."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests import published
from tests.deployed import Function
from tests.stubs.cloud import Cloud, local_cloud
from tests.stubs.smq import SmqStub


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "sends_any_text: it puts texts of its own on a queue, and not the function's")


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with local_cloud() as opened:
        yield opened


@pytest.fixture
def function(cloud: Cloud) -> Function:
    return Function(cloud)


@pytest.fixture(autouse=True)
def _read_messages(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every message that a test makes the function send is one that is published."""
    if request.node.get_closest_marker("sends_any_text") is None:
        monkeypatch.setattr(SmqStub, "readers", (published.check_message,))


@pytest.fixture(autouse=True)
def _talkative_libraries() -> Iterator[None]:
    """An invocation silences them for good; each test is to see that for itself."""
    logging.disable(logging.NOTSET)
    yield
    logging.disable(logging.NOTSET)
