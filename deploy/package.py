"""Build what Function Compute runs: `dist/code/`, which `s deploy` uploads, and the same as `dist/code.zip`.

The package is for a runtime of the platform (`deploy/runtimes.py`), whatever this machine has. The same input gives the
same bytes. At the end a Python of the runtime's version proves it, if there is one here (`deploy/proof.py`).
"""

import argparse
import os
import re
import shutil
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from deploy import interpreter
from deploy.interpreter import Interpreter
from deploy.left_out import UNUSED, prune
from deploy.proof import NotProved, prove_imports
from deploy.reader import at_terminal
from deploy.runtimes import DEFAULT, RUNTIMES, Runtime, known, runtime_in

BUILT_FOR = "runtime"
"""A file beside the code: the name of the runtime that it was built for."""

ZIP_TIME = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip file can say; any would do, if it is always the same."""


class PackageError(Exception):
    """The package cannot be built, or would not run where it is deployed."""


def main(arguments: list[str] | None = None) -> int:
    """Build the package and say what came out."""
    parser = argparse.ArgumentParser(
        prog="make package",
        usage="make package [RUNTIME=python3.12]",
        description="Build the code package.",
        allow_abbrev=False,
    )
    parser.add_argument("--source", type=Path, default=Path("handler"), help="the function's package")
    parser.add_argument("--runtime", default=runtime_in(os.environ), help=f"one of {', '.join(RUNTIMES)}")
    parser.add_argument("--lock", type=Path, help="what it ships with, hashed; default: that of the runtime")
    parser.add_argument("--output", type=Path, default=Path("dist"), help="where code/ and code.zip go")
    options = parser.parse_args(arguments)
    try:
        runtime = known(options.runtime or DEFAULT)
    except ValueError as error:
        parser.error(str(error))
    try:
        build(options.source, options.lock or Path(runtime.lock), options.output, runtime)
    except PackageError as error:
        shutil.rmtree(options.output / "code", ignore_errors=True)  # nobody shall deploy it
        print(f"package: {error}", file=sys.stderr)
        return 1
    return 0


def build(source: Path, lock: Path, output: Path, runtime: Runtime) -> None:
    """Build `code/` and `code.zip` in `output`, replacing what was there."""
    started = time.monotonic()
    code, archive = output / "code", output / "code.zip"
    shutil.rmtree(code, ignore_errors=True)
    archive.unlink(missing_ok=True)
    code.mkdir(parents=True)

    install(lock, code, runtime)
    packages = len(list(code.glob("*.dist-info")))
    check_wheels(code)
    prune(code)
    copy_source(source, code)
    check_libraries(code, runtime)
    compile_and_prove(code, runtime)
    set_modes(code)
    write_zip(code, archive)
    (output / BUILT_FOR).write_text(f"{runtime.name}\n", encoding="ascii")

    size = sum(path.stat().st_size for path in files_of(code))
    print(f"{code}: {size / 1e6:.1f} MB, {len(list(files_of(code)))} files, {packages} packages and the function")
    print(f"{archive}: {archive.stat().st_size / 1e6:.1f} MB, built in {time.monotonic() - started:.0f} s")


def compile_and_prove(code: Path, runtime: Runtime) -> None:
    """Do what this machine can: compile with a Python of the runtime's version, and prove where its libraries load."""
    python = interpreter.find(runtime)
    if python is None:
        print(
            f"WARNING: no Python {runtime.version} on this machine. The package works, but it holds no compiled code, "
            f"so every cold start compiles it again, and nothing has shown that it can be imported.",
            file=sys.stderr,
        )
        return
    compile_bytecode(python, code)
    if python.loads_the_package:
        try:
            prove_imports(python, code)
        except NotProved as failure:
            raise PackageError(f"the built package cannot be imported:\n{failure}") from None
        print(f"compiled by, and imported with, Python {runtime.version} ({python.path})")
    else:
        print(
            f"WARNING: compiled by Python {runtime.version} ({python.path}), but nothing has shown that it can be "
            f"imported: only Linux on x86-64 with glibc can, and this is {python.platform}. The self-check of the "
            f"deployed function shows it.",
            file=sys.stderr,
        )


def install(lock: Path, code: Path, runtime: Runtime) -> None:
    """Install what the lock file says, each hash checked, for the runtime's platform.

    A package that has no wheel is built from its source here, with the setuptools of this environment rather than one
    that pip would fetch unhashed; `check_wheels` refuses it if that made anything but plain Python.
    """
    command = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--require-hashes"]
    command += ["--no-deps", "--no-compile", "--no-build-isolation", "--prefer-binary", "--target", str(code)]
    command += ["--implementation", "cp", "--python-version", runtime.version]
    command += [word for abi in (runtime.abi, "abi3", "none") for word in ("--abi", abi)]
    command += [word for platform in runtime.platforms for word in ("--platform", platform)]
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


def check_libraries(code: Path, runtime: Runtime) -> None:
    """Refuse a compiled library that the runtime's Python or C library could not load."""
    for path in files_of(code):
        if ".so" not in path.suffixes:
            continue
        if re.search(rf"\.cpython-(?!{runtime.abi.removeprefix('cp')}-x86_64-)", path.name):
            raise PackageError(f"{path.name} is for another Python or processor")
        needed = glibc_needed(path.read_bytes())
        if needed > runtime.glibc:
            wanted, has = (".".join(map(str, version)) for version in (needed, runtime.glibc))
            raise PackageError(f"{path.name} needs glibc {wanted}, {runtime.name} has {has}")


def glibc_needed(library: bytes) -> tuple[int, ...]:
    """The newest version of the C library among the symbol versions that a compiled library names."""
    versions = re.findall(rb"\0GLIBC_([0-9]+(?:\.[0-9]+)+)(?=\0)", library)
    return max((tuple(map(int, version.split(b"."))) for version in versions), default=())


def compile_bytecode(python: Interpreter, code: Path) -> None:
    """Compile everything, in the one form that survives the upload.

    The platform unpacks a zip into a read-only folder, so a `.pyc` that is checked against its source's time never
    matches, and no new one can be written: hash-based and unchecked ones are taken as they are.
    """
    command = [python.path, "-S", "-s", "-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash"]
    # The folder's own path is stripped, and constant sets keep one order: the same bytes wherever it is built.
    command += ["-s", str(code), str(code)]
    run(command, {"PYTHONHASHSEED": "0"}, "the code does not compile")


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
    sys.exit(at_terminal(main))
