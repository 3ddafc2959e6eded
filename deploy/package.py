"""Build what Function Compute runs: `dist/code/`, which `s deploy` uploads, and the same as `dist/code.zip`.

The package is for the function's platform whatever this machine has: Python 3.10, x86-64, glibc 2.28. The same input
gives the same bytes. At the end a Python 3.10 imports the built folder on its own, if there is one on this machine.
"""

import argparse
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from deploy.left_out import UNUSED, prune

PYTHON = (3, 10)
GLIBC = (2, 28)
ABIS = ("cp310", "abi3", "none")
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")

ZIP_TIME = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip file can say; any would do, if it is always the same."""

PROOF = """
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


class PackageError(Exception):
    """The package cannot be built, or would not run where it is deployed."""


def main(arguments: list[str] | None = None) -> int:
    """Build the package and say what came out."""
    parser = argparse.ArgumentParser(prog="python -m deploy.package", description="Build the code package.")
    parser.add_argument("--source", type=Path, default=Path("handler"), help="the function's package")
    parser.add_argument("--lock", type=Path, default=Path("requirements.lock"), help="what it ships with, hashed")
    parser.add_argument("--output", type=Path, default=Path("dist"), help="where code/ and code.zip go")
    options = parser.parse_args(arguments)
    try:
        build(options.source, options.lock, options.output)
    except PackageError as error:
        shutil.rmtree(options.output / "code", ignore_errors=True)  # nobody shall deploy it
        print(f"package: {error}", file=sys.stderr)
        return 1
    return 0


def build(source: Path, lock: Path, output: Path) -> None:
    """Build `code/` and `code.zip` in `output`, replacing what was there."""
    started = time.monotonic()
    code, archive = output / "code", output / "code.zip"
    shutil.rmtree(code, ignore_errors=True)
    archive.unlink(missing_ok=True)
    code.mkdir(parents=True)

    install(lock, code)
    packages = len(list(code.glob("*.dist-info")))
    check_wheels(code)
    prune(code)
    copy_source(source, code)
    check_libraries(code)

    python = find_python()
    if python:
        compile_bytecode(python, code)
        prove(python, code)
        print(f"compiled by, and imported with, Python {'.'.join(map(str, PYTHON))} ({python})")
    else:
        wanted = ".".join(map(str, PYTHON))
        print(
            f"WARNING: no Python {wanted} on this machine. The package works, but it holds no compiled code, so every "
            f"cold start compiles it again, and nothing has shown that it can be imported.",
            file=sys.stderr,
        )
    set_modes(code)
    write_zip(code, archive)

    size = sum(path.stat().st_size for path in files_of(code))
    print(f"{code}: {size / 1e6:.1f} MB, {len(list(files_of(code)))} files, {packages} packages and the function")
    print(f"{archive}: {archive.stat().st_size / 1e6:.1f} MB, built in {time.monotonic() - started:.0f} s")


def install(lock: Path, code: Path) -> None:
    """Install what the lock file says, each hash checked, for the function's platform.

    A package that has no wheel is built from its source here, with the setuptools of this environment rather than one
    that pip would fetch unhashed; `check_wheels` refuses it if that made anything but plain Python.
    """
    command = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--require-hashes"]
    command += ["--no-deps", "--no-compile", "--no-build-isolation", "--prefer-binary", "--target", str(code)]
    command += ["--implementation", "cp", "--python-version", ".".join(map(str, PYTHON))]
    command += [word for abi in ABIS for word in ("--abi", abi)]
    command += [word for platform in PLATFORMS for word in ("--platform", platform)]
    run([*command, "-r", str(lock)], os.environ, "pip could not install the dependencies")


def check_wheels(code: Path) -> None:
    """Refuse a package that was compiled by this machine's own tools."""
    for wheel in sorted(code.glob("*.dist-info/WHEEL")):
        for tag in re.findall(r"^Tag: (.+)$", wheel.read_text(encoding="utf-8"), re.MULTILINE):
            if not re.search(r"-(any|manylinux\w+_x86_64)$", tag):
                raise PackageError(f"{wheel.parent.name} is made for {tag}: there is no wheel of it for the function")


def copy_source(source: Path, code: Path) -> None:
    """Copy the function; its entry point goes to the root, the only place that the platform documents for it."""
    if not (source / "index.py").is_file():
        raise PackageError(f"{source / 'index.py'} is missing: it is the entry point")
    package = code / "handler"
    shutil.copytree(source, package, ignore=shutil.ignore_patterns(*UNUSED))
    (package / "index.py").rename(code / "index.py")


def check_libraries(code: Path) -> None:
    """Refuse a compiled library that the function's Python or C library could not load."""
    for path in files_of(code):
        if ".so" not in path.suffixes:
            continue
        if re.search(r"\.cpython-(?!310-x86_64-)", path.name):
            raise PackageError(f"{path.name} is for another Python or processor")
        needed = glibc_needed(path.read_bytes())
        if needed > GLIBC:
            raise PackageError(
                f"{path.name} needs glibc {'.'.join(map(str, needed))}, the function has {'.'.join(map(str, GLIBC))}"
            )


def glibc_needed(library: bytes) -> tuple[int, ...]:
    """The newest version of the C library among the symbol versions that a compiled library names."""
    versions = re.findall(rb"\0GLIBC_([0-9]+(?:\.[0-9]+)+)(?=\0)", library)
    return max((tuple(map(int, version.split(b"."))) for version in versions), default=())


def find_python() -> str | None:
    """A Python of the function's version: this one, one on PATH, or one that pyenv keeps."""
    name = "python" + ".".join(map(str, PYTHON))
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [sys.executable, shutil.which(name), *map(str, sorted(pyenv.glob(f"*/bin/{name}")))]
    return next((candidate for candidate in candidates if candidate and version_of(candidate) == PYTHON), None)


def version_of(python: str) -> tuple[int, ...] | None:
    """The version of an interpreter; None if it does not start, like a pyenv shim of a version that is not selected."""
    command = [python, "-c", "import sys; print(*sys.version_info[:2])"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return tuple(map(int, result.stdout.split())) if result.returncode == 0 else None


def compile_bytecode(python: str, code: Path) -> None:
    """Compile everything, in the one form that survives the upload.

    The platform unpacks a zip into a read-only folder, so a `.pyc` that is checked against its source's time never
    matches, and no new one can be written: hash-based and unchecked ones are taken as they are.
    """
    command = [python, "-S", "-s", "-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash"]
    # The folder's own path is stripped, and constant sets keep one order: the same bytes wherever it is built.
    command += ["-s", str(code), str(code)]
    run(command, {"PYTHONHASHSEED": "0"}, "the code does not compile")


def prove(python: str, code: Path) -> None:
    """Import the function as the platform does: from a read-only folder, with only the standard library beside it."""
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / "code"
        shutil.copytree(code, copy)
        before = listing(copy)
        set_writable(copy, allowed=False)
        try:
            run([python, "-I", "-S", "-c", PROOF, str(copy)], {}, "the built package cannot be imported", cwd=scratch)
        finally:
            set_writable(copy, allowed=True)
        # Root may write in a read-only folder, so look whether anything was: a `.pyc` that was not taken, say.
        written = listing(copy) ^ before
        if written:
            raise PackageError(f"importing the built package wrote {min(name for name, _ in written)}")


def listing(folder: Path) -> set[tuple[str, int]]:
    """Every file below a folder, with the time of its last change."""
    return {(str(path.relative_to(folder)), path.stat().st_mtime_ns) for path in files_of(folder)}


def set_writable(folder: Path, *, allowed: bool) -> None:
    """Allow or forbid writing in a folder and everything below it."""
    for path in [folder, *folder.rglob("*")]:
        mode = path.stat().st_mode
        path.chmod(mode | stat.S_IWUSR if allowed else mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))


def set_modes(code: Path) -> None:
    """Make everything readable to the platform's user, whatever this machine's umask is."""
    for path in [code, *code.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)


def write_zip(folder: Path, archive: Path) -> None:
    """Pack a folder so that the same files always give the same bytes."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for path in files_of(folder):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), ZIP_TIME)
            entry.create_system = 3  # Unix: the modes below count
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, path.read_bytes())


def files_of(folder: Path) -> Iterator[Path]:
    """Every file below a folder, always in the same order."""
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def run(command: Iterable[str], environment: "os._Environ[str] | dict[str, str]", problem: str, cwd: str = ".") -> None:
    """Run a command; if it fails, that is a PackageError with what it printed."""
    result = subprocess.run(list(command), env=environment, cwd=cwd, capture_output=True, text=True, check=False)
    if result.returncode:
        raise PackageError(f"{problem}:\n{result.stdout}{result.stderr}".rstrip())


if __name__ == "__main__":
    sys.exit(main())
