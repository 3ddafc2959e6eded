"""A cold start imports what it uses: the guard. Nothing here looks at a clock."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.left_out import LEFT_OUT
from tests.deployed import TIMER, raw
from tests.interpreter import run_alone
from tests.stubs.clock import SystemClock
from tests.stubs.cloud import Cloud, serve

ROOT = Path(__file__).resolve().parents[2]

NEVER = {
    "aiofiles",
    "aiohttp",
    "alibabacloud_gateway_spi",
    "alibabacloud_oss_v2.aio",
    "alibabacloud_oss_v2.crypto",
    "alibabacloud_oss_v2.downloader",
    "alibabacloud_oss_v2.encryption_client",
    "alibabacloud_oss_v2.uploader",
    "alibabacloud_tea_openapi.websocket_utils",
    "apscheduler",
    "asyncio",
    "attr",
    "cffi",
    "charset_normalizer.api",
    "Crypto",
    "cryptography",
    "darabonba.websocket",
    "importlib.metadata",
    "multidict",
    "multiprocessing",
    "pycparser",
    "pytest",
    "sqlite3",
    "Tea.core",
    "tests",
    "tzlocal",
    "unittest",
    "websocket",
    "wrapt.synchronization",
    "yaml",
    "yarl",
    "zipfile",
}
"""With all that is below them."""

CAS_MODELS = "alibabacloud_cas20200407.models._"

IMPORT = """
import json, sys
sys.path.insert(0, {root!r})
import handler.index
with handler.index.lean_imports():
    import handler.cloud.oss_store
print(json.dumps(sorted(sys.modules)))
"""

RENEW = """
import json, os, sys
from types import SimpleNamespace
sys.path.insert(0, {root!r})

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in {left_out!r}:
            raise ModuleNotFoundError("the package leaves it out", name=name)

sys.meta_path.insert(0, Missing())
from handler import index
context = SimpleNamespace(
    request_id="a-request", region="cn-hangzhou", account_id="123456789012", function=SimpleNamespace(timeout=300)
)
answer = sys.stdout
sys.stdout = sys.stderr
index.initialize(context)
result = json.loads(index.handler({event!r}, context))
print(json.dumps([result, sorted(sys.modules)]), file=answer)
"""


def loaded_of(names: set[str], modules: list[str]) -> list[str]:
    return [module for module in modules if any(f"{module}.".startswith(f"{name}.") for name in names)]


@pytest.fixture(scope="module")
def bare() -> set[str]:
    """What an interpreter here has loaded before anybody imports anything: a `.pth` file may do that."""
    return set(run_alone("import sys, json; print(json.dumps(sorted(sys.modules)))"))


def test_the_entry_point_and_the_journal_import_nothing_that_is_not_used(bare: set[str]):
    modules = run_alone(IMPORT.format(root=str(ROOT)))
    assert {"handler.run.run", "handler.cloud.oss_store", "alibabacloud_cas20200407.client", "mns.queue"} <= set(
        modules
    )
    assert loaded_of(NEVER - bare, modules) == []
    assert [module for module in modules if module.startswith(CAS_MODELS)] == []


def test_a_renewal_needs_nothing_that_the_package_leaves_out(bare: set[str]):
    left_out = {name.removesuffix(".py").replace("/", ".") for name in LEFT_OUT}
    cloud = Cloud(SystemClock())
    order = cloud.cas.add_order()
    with serve(cloud):
        code = RENEW.format(root=str(ROOT), left_out=left_out, event=raw(TIMER))
        result, modules = run_alone(code, environ=cloud.environ())
    assert result["counts"] == {"renewed": 1}
    assert len(cloud.cas.bought(order)) == len(cloud.smq.messages()) == 1
    assert loaded_of(NEVER - bare, modules) == []
    models = {module.removeprefix(CAS_MODELS) for module in modules if module.startswith(CAS_MODELS)}
    used = ("list_user_certificate_order_", "renew_certificate_order_for_package_request_")
    assert models
    assert all(model.startswith(used) for model in models)
