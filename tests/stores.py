"""The storages of a journal, opened for tests, and what may be asked of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from handler.cloud.credentials import Credentials
from handler.cloud.oss_store import OssStore
from handler.journal.store import Store
from handler.runtime.settings import OssPlace
from tests.stubs.cloud import BUCKET, Cloud

LOG = "orders/123451222"
ENDPOINT = "https://oss-cn-hangzhou-internal.aliyuncs.com"

METHODS: dict[str, Callable[[Store], object]] = {
    "read_log": lambda store: store.read_log(LOG),
    "append": lambda store: store.append(LOG, 0, b"one"),
    "find": lambda store: list(store.find("orders/")),
    "get": lambda store: store.get("open/a"),
    "put": lambda store: store.put("open/a", b"x"),
    "delete": lambda store: store.delete("open/a"),
    "discard_log": lambda store: store.discard_log(LOG),
}


def oss_store(cloud: Cloud, **changed: Any) -> OssStore:
    """The journal in OSS, unless told otherwise where `Cloud.environ` puts it, with the credentials of the role."""
    place = changed.pop("place", OssPlace(BUCKET, "renewals"))
    return OssStore(place, ENDPOINT, cloud.region, Credentials(**{**vars(cloud.credentials), **changed}))


def filled(store: Store, *entries: bytes, key: str = LOG) -> int:
    """Add entries to a log; return the position of the next one."""
    position = store.read_log(key).position
    for entry in entries:
        position = store.append(key, position, entry)
    return position
