"""Proves a built package: imported and run as the platform does, by the runtime's Python, with nothing beside it.

The folder is read-only. The cloud is the stand-in of the tests, on loopback; the process in which the function runs
knows nothing of it but addresses.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from deploy.interpreter import Interpreter
from deploy.runtimes import Runtime
from tests.stubs.clock import SystemClock
from tests.stubs.cloud import Cloud, serve

IMPORTS = """
import importlib, pkgutil, sys
sys.path.insert(0, sys.argv[1])
import index
for name in ("handler", "initialize"):
    if not callable(getattr(index, name, None)):
        sys.exit(f"index.{name} is not a function")
import handler
for module in pkgutil.walk_packages(handler.__path__, "handler."):
    importlib.import_module(module.name)

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from handler.certificates.csr import read_csr
name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "www.example.com")])
key = ec.generate_private_key(ec.SECP256R1())
csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
read_csr(csr.public_bytes(serialization.Encoding.PEM).decode(), "csr")
"""
"""Imports the entry point and every module of the function, and lets it read a CSR, from the built folder and the
standard library alone."""

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

TIMER = json.dumps({"triggerTime": "2026-11-21T03:00:00Z", "triggerName": "daily", "payload": ""})


class NotProved(Exception):
    """The built package does not do what it must."""


def prove_imports(python: Interpreter, code: Path, elsewhere: Path) -> None:
    """Import everything from the folder. Raises NotProved, with what Python printed."""
    _output(python, IMPORTS, [str(code)], {}, elsewhere)


def prove_renewal(python: Interpreter, code: Path, elsewhere: Path, runtime: Runtime) -> None:
    """Renew one order, tell the queue, and know that the next time. Raises NotProved if anything else happens."""
    cloud = Cloud(SystemClock())
    old = str(cloud.cas.add_order(domain="www.example.com"))
    with serve(cloud):
        outcomes = [_outcome(_run(python, code, elsewhere, cloud, runtime), old) for _ in range(2)]
    if outcomes != ["renewed", "already-renewed"] or len(cloud.cas.bought(old)) != 1:
        raise NotProved(f"an order was to be renewed, then found to be renewed, but: {', '.join(outcomes)}")
    told = [message["type"] for message in cloud.smq.messages()]
    if told.count("cas.order.renewed") != 1:
        raise NotProved(f"one new order was to be told, but on the queue are: {', '.join(told) or 'none'}")


def _run(python: Interpreter, code: Path, elsewhere: Path, cloud: Cloud, runtime: Runtime) -> str:
    environ = cloud.environ()
    keys = {name: environ[name] for name in environ if name.startswith("ALIBABA_CLOUD_")}
    context = cloud.context()
    given = {**vars(context), "function": vars(context.function), "credentials": vars(context.credentials)}
    # The credentials stand where the runtime puts them, and nowhere else.
    if runtime.has_context_credentials:
        environ = {name: value for name, value in environ.items() if name not in keys}
    else:
        del given["credentials"]
    printed = _output(python, RUN, [str(code), json.dumps(given), TIMER], environ, elsewhere)
    return printed.splitlines()[-1]


def _outcome(result: str, order_id: str) -> str:
    """What a result says of the order."""
    lines = json.loads(result)["orders"]
    return next((str(line["outcome"]) for line in lines if line["order_id"] == order_id), "not there")


def _output(python: Interpreter, program: str, arguments: list[str], environ: dict[str, str], cwd: Path) -> str:
    command = [python.path, "-I", "-S", "-c", program, *arguments]
    result = subprocess.run(command, env=environ, cwd=cwd, capture_output=True, text=True, check=False)
    if result.returncode:
        raise NotProved(f"{result.stdout}{result.stderr}".rstrip())
    return result.stdout
