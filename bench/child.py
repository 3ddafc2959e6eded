"""What runs in a measured process, with as little around it as possible.

python bench/child.py function FOLDER EVENT [journal] [own]
    Runs a function once, as the platform does in a new instance. FOLDER is its code, as it was unpacked. With
    `journal` it measures the time of the journal as well, with `own` the processor time outside of the SDK of CAS.

python bench/child.py floor FOLDER CALLS
    The least that such a run can cost: imports `requests`, which is in FOLDER, and makes as many calls. CALLS is JSON,
    a number for each of the services. The calls are not signed, so the stubs refuse them: less work than answering.

It ends with one line of JSON: what came of it, the processor time and the memory that it took.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # `typing` has one too, but importing that is work that would be measured
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any


def floor(calls: str) -> dict[str, Any]:
    """Make calls, and nothing else."""
    import json  # noqa: PLC0415

    import requests  # noqa: PLC0415

    environ = os.environ
    queue = f"{environ['SMQ_ENDPOINT']}/queues/{environ['SMQ_QUEUE']}/messages"
    how = {
        "cas": ("POST", environ["CAS_ENDPOINT"], {"x-acs-action": "ListUserCertificateOrder"}),
        "oss": ("GET", environ["OSS_ENDPOINT"] + "/journal-bucket/key", {}),
        "smq": ("POST", queue, {}),
    }
    with requests.Session() as session:
        for service, number in json.loads(calls).items():
            method, url, headers = how[service]
            for _ in range(number):
                session.request(method, url, headers=headers, timeout=10)
    return {"result": "{}"}


def function(event: str, *what: str) -> dict[str, Any]:
    """Import, initialize, handle: a new instance's first invocation."""
    from types import SimpleNamespace  # noqa: PLC0415

    import index  # type: ignore[import-not-found]  # noqa: PLC0415

    watch = watch_journal(index) if "journal" in what else watch_sdk() if "own" in what else {}
    keys = ("ACCESS_KEY_ID", "ACCESS_KEY_SECRET", "SECURITY_TOKEN")
    context = SimpleNamespace(
        request_id="11111111-2222-3333-4444-555555555555",
        region="cn-hangzhou",
        account_id="123456789012",
        function=SimpleNamespace(name="renewer", handler="index.handler", memory=256, timeout=300),
        credentials=SimpleNamespace(**{key.lower(): os.environ[f"ALIBABA_CLOUD_{key}"] for key in keys}),
    )
    sys.stdout = sys.stderr  # the function's log
    index.initialize(context)
    return {"result": index.handler(event.encode(), context), **watch}


def watch_journal(index: ModuleType) -> dict[str, Any]:
    """Measure how long the import of the journal's SDK takes, and from now on each call to the journal's storage."""
    import time  # noqa: PLC0415

    started = time.perf_counter()
    with index.lean_imports():
        from handler.cloud.oss_store import OssStore  # noqa: PLC0415
    watch: dict[str, Any] = {"journal_import": time.perf_counter() - started, "journal_calls": 0.0}
    inside: list[object] = []

    def watched(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            started = time.perf_counter()
            inside.append(method)
            try:
                return method(*args, **kwargs)
            finally:
                inside.pop()
                if not inside:  # a method that another one calls is counted there
                    watch["journal_calls"] += time.perf_counter() - started

        return call

    for name in ("read_log", "append", "get", "put", "delete", "discard_log"):
        setattr(OssStore, name, watched(getattr(OssStore, name)))
    find = OssStore.find
    OssStore.find = watched(lambda *args: list(find(*args)))  # type: ignore[method-assign]
    return watch


def watch_sdk() -> dict[str, Any]:
    """Measure from now on the processor time inside the SDK of CAS, and what everything before this has taken."""
    import time  # noqa: PLC0415

    from handler.cloud.cas_client import CasClient  # noqa: PLC0415

    watch: dict[str, Any] = {"sdk_cpu": 0.0, "start_cpu": time.process_time()}
    call = CasClient._call  # noqa: SLF001

    def watched(*args: Any) -> Any:
        started = time.process_time()
        try:
            return call(*args)
        finally:
            watch["sdk_cpu"] += time.process_time() - started

    CasClient._call = watched  # type: ignore[assignment,method-assign] # noqa: SLF001
    return watch


def peak_bytes() -> int:
    """Return the most memory that this process had in RAM at a time.

    `getrusage` would give that of the parent, if it was larger when it started this process.
    """
    with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


def main(mode: str, folder: str, *arguments: str) -> None:
    """Do it and report."""
    sys.path.insert(0, folder)
    report = floor(*arguments) if mode == "floor" else function(*arguments)
    times = os.times()
    report |= {"cpu": times.user + times.system, "peak": peak_bytes()}
    import json  # noqa: PLC0415

    print(json.dumps(report), file=sys.__stdout__, flush=True)


main(*sys.argv[1:])
