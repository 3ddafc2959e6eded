"""The SDKs do the same with `lean_imports` as without, and what it left out is there when it is wanted."""

from __future__ import annotations

import gc
import json
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from handler.runtime import lean_imports
from tests.interpreter import run_alone
from tests.stubs import faults
from tests.stubs.clock import SystemClock
from tests.stubs.cloud import Cloud, serve
from tests.traces import RENEWALS

ROOT = Path(__file__).resolve().parents[2]

START = f"""
import json, os, sys
from contextlib import nullcontext
sys.path.insert(0, {str(ROOT)!r})
from handler.runtime.lean_imports import lean_imports

with lean_imports() if sys.argv[1] == "lean" else nullcontext():
    import alibabacloud_oss_v2 as oss
    from alibabacloud_cas20200407 import models
    from alibabacloud_cas20200407.client import Client
    from alibabacloud_tea_openapi.utils_models import Config
    from darabonba.exceptions import UnretryableException
    from darabonba.runtime import RuntimeOptions
    from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
    from mns.account import Account
    from mns.mns_exception import MNSServerException
    from mns.queue import Message

KEYS = [os.environ["ALIBABA_CLOUD_" + name] for name in ("ACCESS_KEY_ID", "ACCESS_KEY_SECRET", "SECURITY_TOKEN")]
protocol, _, host = os.environ["CAS_ENDPOINT"].partition("://")
config = Config(*KEYS, endpoint=host, protocol=protocol.upper())
cas = Client(config)
"""

SYNCHRONOUS = """
said = []

def say(call, *args, **kwargs):
    try:
        answer = call(*args, **kwargs)
        said.append(answer.to_map() if hasattr(answer, "to_map") else answer)
    except (AlibabaCloudException, UnretryableException, MNSServerException, oss.exceptions.BaseError) as error:
        cause = error.unwrap() if isinstance(error, oss.exceptions.OperationError) else error
        said.append([type(error).__name__, type(cause).__name__, str(getattr(cause, "code", None)), str(cause)])

for page in (1, 2):
    say(cas.list_user_certificate_order, models.ListUserCertificateOrderRequest(current_page=page, show_size=2))
detail = models.GetUserCertificateDetailRequest(cert_id=7654321, cert_filter=True)
say(cas.get_user_certificate_detail, detail)
renewal = models.RenewCertificateOrderForPackageRequestRequest(order_id=123451222)
for _ in range(5):  # three of them go wrong
    say(cas.renew_certificate_order_for_package_request_with_options, renewal, RuntimeOptions(read_timeout=2000))
said.append(isinstance(renewal, models.RenewCertificateOrderForPackageRequestRequest))
said.append(isinstance(detail, models.RenewCertificateOrderForPackageRequestRequest))
said.append(models.ListUserCertificateOrderRequest().from_map({"ShowSize": 3}).to_map())

settings = oss.config.load_default()
settings.credentials_provider = oss.credentials.StaticCredentialsProvider(*KEYS)
settings.endpoint, settings.region = os.environ["OSS_ENDPOINT"], "cn-hangzhou"
bucket = oss.Client(settings)
say(lambda: bucket.append_object(oss.AppendObjectRequest("journal-bucket", "log", position=0, body=b"1")).next_position)
say(lambda: bucket.append_object(oss.AppendObjectRequest("journal-bucket", "log", position=0, body=b"2")).next_position)
say(lambda: bucket.put_object(oss.PutObjectRequest("journal-bucket", "note", body=b"3")).etag)
say(lambda: bucket.get_object(oss.GetObjectRequest("journal-bucket", "log")).body.read().decode())
say(lambda: bucket.get_object(oss.GetObjectRequest("journal-bucket", "none")))
say(lambda: [found.key for found in bucket.list_objects_v2(oss.ListObjectsV2Request("journal-bucket")).contents])
say(lambda: bucket.delete_object(oss.DeleteObjectRequest("journal-bucket", "note")).status_code)

account = Account(os.environ["SMQ_ENDPOINT"], *KEYS)
for name in (os.environ["SMQ_QUEUE"], "no-such-queue"):
    say(lambda: account.get_queue(name).send_message(Message('{"OrderId": "1"}')).message_body_md5)
    say(lambda: account.get_queue(name).get_attributes().active_messages)
account.mns_client.close_connection()
print(json.dumps(said))
"""

ASYNCHRONOUS = """
import asyncio
request = models.ListUserCertificateOrderRequest(show_size=2)
answer = asyncio.run(cas.list_user_certificate_order_async(request))
print(json.dumps([answer.body.to_map(), "aiohttp" in sys.modules]))
"""

BLOCKED = """
import asyncio
sys.modules["aiohttp"] = None
try:
    asyncio.run(cas.list_user_certificate_order_async(models.ListUserCertificateOrderRequest()))
except Exception as error:
    print(json.dumps(repr(error.inner_exception)))
"""

KEPT = """
kept = {}
for name, module in list(sys.modules.items()):
    stand_ins = [key for key, value in vars(module).items() if type(value).__module__ == lean_imports.__module__]
    if stand_ins and getattr(module, "__file__", None):
        kept[name] = [module.__file__, stand_ins]
print(json.dumps(kept))
"""


def sdk(code: str, *, lean: bool, environ: dict[str, str] | None = None) -> Any:
    return run_alone(START + code, "lean" if lean else "plain", environ=environ)


def furnished() -> Cloud:
    cloud = Cloud(SystemClock())
    end = cloud.clock.now().replace(microsecond=0, second=0, minute=0)
    for number in range(3):
        cloud.cas.add_order(123451222 + number, certificate_id=7654321 + number, cert_end=end, bought_at=end)
    cloud.cas.order(123451222).fixed_status = "WILLEXPIRED"
    return cloud


def conversation(*, lean: bool) -> tuple[str, list[Any]]:
    """What the SDKs say to their caller, and what they have asked the cloud for."""
    cloud = furnished()
    cloud.cas.fail(RENEWALS, faults.throttle(), None, faults.html(503), faults.reset_before(), None)
    with serve(cloud):
        said = json.dumps(sdk(SYNCHRONOUS, lean=lean, environ=cloud.environ()), indent=1)
    asked = [(name, call.action, call.params) for name, backend in cloud.backends.items() for call in backend.calls]
    return anonymous(said), asked


def anonymous(said: str) -> str:
    """Without what is different every time: request ids, dates, ports, addresses in memory."""
    said = re.sub(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|\b[0-9A-F]{24}\b|0x[0-9a-f]{8,}", "ID", said)
    said = re.sub(
        r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT|\d{4}-\d\d-\d\dT[\d:.]+Z?|(?<=timestamp: )[^,\n]+", "TIME", said
    )
    said = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?(\+\d\d:\d\d)?", "TIME", said)
    return re.sub(r"127\.0\.0\.1:\d+|port=\d+", "HOST", said)


@pytest.mark.sends_any_text
def test_the_sdks_ask_and_answer_the_same_with_and_without():
    said, asked = conversation(lean=True)
    assert (said, asked) == conversation(lean=False)
    assert '"TotalCount": 3' in said
    assert len(asked) > 15


@pytest.mark.parametrize("lean", [True, False])
def test_an_asynchronous_method_works(lean: bool):
    cloud = furnished()
    with serve(cloud):
        body, loaded = sdk(ASYNCHRONOUS, lean=lean, environ=cloud.environ())
    assert body["TotalCount"] == 3
    assert loaded


def test_an_asynchronous_method_says_what_to_do_if_its_library_is_not_there():
    cloud = furnished()
    with serve(cloud):
        problem = sdk(BLOCKED, lean=True, environ=cloud.environ())
    assert "aiohttp.TCPConnector is used after all" in problem
    assert "handler/runtime/lean_imports.py" in problem


def test_no_sdk_catches_what_it_was_given_a_stand_in_for():
    kept = sdk(KEPT, lean=True, environ=furnished().environ(CAS_ENDPOINT="http://127.0.0.1:1"))
    assert "darabonba.core" in kept
    for file, names in kept.values():
        source = Path(file).read_text(encoding="utf-8")
        caught = re.findall(r"^\s*except\s+(.+):", source, re.MULTILINE)
        for name in names:
            assert not [line for line in caught if re.search(rf"\b{name}\b(?!\.)", line)], (file, name)


# --- the stand-ins themselves -----------------------------------------------------------------------------------------


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A module that is on the list."""
    name = "made_up_unused_module"
    (tmp_path / f"{name}.py").write_text("class Thing:\n    size = 3\n\n\ndef double(x):\n    return 2 * x\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(lean_imports, "UNUSED", (f"{name}.",))
    return name


@pytest.fixture(autouse=True)
def forget_made_up() -> Any:
    yield
    for name in [name for name in sys.modules if name.startswith("made_up_unused_module")]:
        del sys.modules[name]


def taken(name: str) -> ModuleType:
    """A module that imports the made-up one inside the block."""
    module = ModuleType("taker")
    with lean_imports.lean_imports():
        exec(f"import {name} as whole\nfrom {name} import Thing, double", vars(module))  # noqa: S102
    return module


def test_nothing_is_loaded_until_it_is_used_and_then_it_is_the_real_thing(made_up: str):
    module = taken(made_up)
    assert made_up not in sys.modules
    assert module.double(4) == 8
    real = sys.modules[made_up]
    assert module.Thing.size == 3
    assert type(module.Thing()) is real.Thing
    assert isinstance(real.Thing(), module.Thing)
    assert not isinstance(4, module.Thing)
    assert issubclass(real.Thing, module.Thing)
    assert issubclass(type("Derived", (), {}), module.Thing) is False
    assert module.whole.Thing is real.Thing


def test_a_class_can_be_derived_from_a_stand_in(made_up: str):
    stand_in: Any = taken(made_up).Thing

    class Derived(stand_in):  # type: ignore[misc]
        pass

    assert Derived.__mro__[1] is sys.modules[made_up].Thing


def test_a_name_that_is_used_at_once_is_real_at_once(made_up: str):
    with lean_imports.lean_imports():
        namespace: dict[str, Any] = {}
        exec(f"from {made_up} import double\neight = double(4)", namespace)  # noqa: S102
        assert sys.modules[made_up].double(1) == 2
    assert namespace["eight"] == 8


def test_nothing_is_left_behind_whatever_happens(made_up: str, tmp_path: Path):
    before = list(sys.meta_path)
    (tmp_path / "made_up_unused_module_1.py").write_text("1 / 0\n")
    with pytest.raises(ZeroDivisionError), lean_imports.lean_imports():
        exec(f"import {made_up}, made_up_unused_module_1")  # noqa: S102
    assert sys.meta_path == before
    assert made_up not in sys.modules
    assert gc.isenabled()


def test_a_stand_in_has_no_version_to_be_taken_for_the_real_one(made_up: str):
    with lean_imports.lean_imports():
        stand_in = __import__(made_up)
        with pytest.raises(AttributeError, match="stand-in"):
            _ = stand_in.__version__


def test_what_is_not_on_the_list_is_loaded_as_ever(made_up: str, tmp_path: Path):
    (tmp_path / "made_up_unused_module_2.py").write_text("one = 1\n")
    with lean_imports.lean_imports():
        assert __import__("made_up_unused_module_2").one == 1
