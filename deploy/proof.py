"""Proves a built package: loaded as the platform does it, by the runtime's Python, with nothing beside it."""

from __future__ import annotations

import contextlib
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from deploy.interpreter import Interpreter

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


class NotProved(Exception):
    """The built package does not do what it must."""


@contextlib.contextmanager
def unpacked(code: Path) -> Iterator[Path]:
    """Give a copy of the code as the platform has it: a read-only folder, with nothing of this project near it.

    Raises NotProved at the end if something was written there nevertheless, as root may: a `.pyc` that was not taken.
    """
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / "code"
        shutil.copytree(code, copy)
        before = listing(copy)
        set_writable(copy, allowed=False)
        try:
            yield copy
        finally:
            set_writable(copy, allowed=True)
        written = listing(copy) ^ before
        if written:
            raise NotProved(f"running it wrote {min(name for name, _ in written)}")


def prove_imports(python: Interpreter, code: Path) -> None:
    """Import everything from the folder. Raises NotProved, with what Python printed."""
    with unpacked(code) as copy:
        output_of(python, IMPORTS, [str(copy)], {}, copy.parent)


def output_of(python: Interpreter, program: str, arguments: list[str], environ: Mapping[str, str], cwd: Path) -> str:
    """Run a program with the standard library alone, and return what it printed. Raises NotProved if it fails."""
    command = [python.path, "-I", "-S", "-c", program, *arguments]
    result = subprocess.run(command, env=environ, cwd=cwd, capture_output=True, text=True, check=False)
    if result.returncode:
        raise NotProved(f"{result.stdout}{result.stderr}".rstrip())
    return result.stdout


def listing(folder: Path) -> set[tuple[str, int]]:
    """Every file below a folder, with the time of its last change."""
    return {(str(path.relative_to(folder)), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


def set_writable(folder: Path, *, allowed: bool) -> None:
    """Allow or forbid writing in a folder and everything below it."""
    for path in [folder, *folder.rglob("*")]:
        mode = path.stat().st_mode
        path.chmod(mode | stat.S_IWUSR if allowed else mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
