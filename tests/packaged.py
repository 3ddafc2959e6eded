"""A whole renewal from the built folder alone: `python -m tests.packaged`, which `make package` ends with.

The function runs as the platform runs it, in the runtime's Python; the cloud is the local stand-in, on loopback, and
the process in which the function runs knows nothing of it but addresses.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from deploy import interpreter
from deploy.interpreter import Interpreter
from deploy.package import BUILT_FOR
from deploy.proof import NotProved, output_of, unpacked
from deploy.runtimes import Runtime, known
from tests.deployed import TIMER
from tests.stubs.clock import SystemClock
from tests.stubs.cloud import Cloud, serve

RUN = """
import json, sys
from types import SimpleNamespace
sys.path.insert(0, sys.argv[1])
given = json.loads(sys.argv[2])
context = SimpleNamespace(**{**given, "function": SimpleNamespace(**given["function"])})
if "credentials" in given:
    context.credentials = SimpleNamespace(**given["credentials"])
import index
index.initialize(context)
print(index.handler(sys.argv[3].encode(), context))
"""
"""Handles one event; the last line of what it prints is the result."""


def main(folder: Path = Path("dist")) -> int:
    """Try what was built there; returns 1, and removes the code, if it does not renew."""
    runtime = known((folder / BUILT_FOR).read_text(encoding="ascii").strip())
    python = interpreter.find(runtime)
    if python is None or not python.loads_the_package:
        return 0  # `deploy.package` has said that nothing is proved here
    try:
        prove_renewal(python, folder / "code", runtime)
    except NotProved as failure:
        shutil.rmtree(folder / "code")  # nobody shall deploy it
        print(f"package: it does not renew on {runtime.name}:\n{failure}", file=sys.stderr)
        return 1
    print(f"an order was renewed with it, and told, by Python {runtime.version}")
    return 0


def prove_renewal(python: Interpreter, code: Path, runtime: Runtime) -> None:
    """Renew one order, tell the queue, and know that the next time. Raises NotProved if anything else happens."""
    cloud = Cloud(SystemClock())
    old = str(cloud.cas.add_order(domain="www.example.com"))
    with serve(cloud), unpacked(code) as copy:
        outcomes = [_outcome(_run(python, copy, cloud, runtime), old) for _ in range(2)]
    if outcomes != ["renewed", "already-renewed"] or len(cloud.cas.bought(old)) != 1:
        raise NotProved(f"an order was to be renewed, then found to be renewed, but: {', '.join(outcomes)}")
    told = [message["type"] for message in cloud.smq.messages()]
    if told.count("cas.order.renewed") != 1:
        raise NotProved(f"one new order was to be told, but on the queue are: {', '.join(told) or 'none'}")


def _run(python: Interpreter, code: Path, cloud: Cloud, runtime: Runtime) -> str:
    environ = cloud.environ()
    keys = {name: environ[name] for name in environ if name.startswith("ALIBABA_CLOUD_")}
    context = cloud.context()
    given = {**vars(context), "function": vars(context.function), "credentials": vars(context.credentials)}
    # The credentials stand where the runtime puts them, and nowhere else.
    if runtime.has_context_credentials:
        environ = {name: value for name, value in environ.items() if name not in keys}
    else:
        del given["credentials"]
    printed = output_of(python, RUN, [str(code), json.dumps(given), json.dumps(TIMER)], environ, code.parent)
    return printed.splitlines()[-1]


def _outcome(result: str, order_id: str) -> str:
    """What a result says of the order."""
    lines = json.loads(result)["orders"]
    return next((str(line["outcome"]) for line in lines if line["order_id"] == order_id), "not there")


if __name__ == "__main__":
    sys.exit(main())
