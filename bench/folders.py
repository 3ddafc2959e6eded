"""What is compared: two code packages, unpacked as the platform does it, into folders that nobody may write to."""

from __future__ import annotations

import shutil
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from deploy import interpreter, package, proof
from deploy.runtimes import DEFAULT, RUNTIMES

HERE = Path(__file__).parent
RUNTIME = RUNTIMES[DEFAULT]
LOCK = Path(RUNTIME.lock)


@dataclass(frozen=True)
class Package:
    """A code package."""

    folder: Path
    """Unpacked."""
    zip_bytes: int
    folder_bytes: int


def ours(work: Path, source: Path = Path("handler")) -> Package:
    """Build the function's package."""
    package.build(source, LOCK, work / "built", RUNTIME)
    return _unpacked(work / "built" / "code.zip", work / "ours")


def naive(work: Path, python: str) -> Package:
    """Build the other handler's package: everything that pip installs, compiled as pip compiles it."""
    built = work / "naive-built"
    built.mkdir()
    package.install(LOCK, built, RUNTIME)
    shutil.copy(HERE / "naive.py", built / "index.py")
    package.run([python, "-m", "compileall", "-q", str(built)], {}, "the naive package does not compile")
    package.write_zip(built, work / "naive.zip")
    return _unpacked(work / "naive.zip", work / "naive")


def find_python() -> str:
    """Return the deployed Python, else the one that runs this."""
    found = interpreter.find(RUNTIME)
    return found.path if found else sys.executable


def _unpacked(archive: Path, folder: Path) -> Package:
    # The times of the files are those of the unpacking, so a `.pyc` that pip made does not match its source any more.
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(folder)
    size = sum(path.stat().st_size for path in package.files_of(folder))
    proof.set_writable(folder, allowed=False)
    return Package(folder, archive.stat().st_size, size)
