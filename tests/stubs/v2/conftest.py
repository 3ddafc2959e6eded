"""Each test of a V2 operation runs against both front ends: in this process, and over loopback HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from alibabacloud_cas20200407.client import Client

from tests.stubs.clients import Clients
from tests.stubs.cloud import Cloud, local_cloud, serve


@pytest.fixture(params=["in process", "over HTTP"])
def cloud(request: pytest.FixtureRequest) -> Iterator[Cloud]:
    if request.param == "in process":
        with local_cloud() as opened:
            yield opened
    else:
        with serve(Cloud(), hang_seconds=0) as served:
            yield served


@pytest.fixture
def client(cloud: Cloud) -> Client:
    """The real client of CAS."""
    return Clients(cloud.environ()).cas
