"""The Pythons of this machine: which of them can compile the package for a runtime, and which can even run it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.runtimes import Runtime

ASK = """
import json, platform, sys
about = [sys.executable, sys.version_info[:2], platform.system(), platform.machine(), platform.libc_ver()[0]]
print(json.dumps(about))
"""


@dataclass(frozen=True)
class Interpreter:
    """A Python, and the machine that it is made for."""

    path: str
    """Its own file: not that of a shim, which finds it by an environment and a folder that are not always there."""
    version: tuple[int, ...]
    system: str
    machine: str
    libc: str

    @property
    def platform(self) -> str:
        """What it runs on, for people."""
        return " ".join(filter(None, (self.system, self.machine, self.libc)))

    @property
    def loads_the_package(self) -> bool:
        """Whether it can load the compiled libraries of the package, as the platform does."""
        return (self.system, self.machine, self.libc) == ("Linux", "x86_64", "glibc")


def find(runtime: Runtime) -> Interpreter | None:
    """Return a Python of the runtime's version: this one, one on PATH, or one that pyenv keeps; None without any."""
    found = (ask(candidate) for candidate in _candidates(f"python{runtime.version}"))
    return next((python for python in found if python and python.version == runtime.python), None)


def ask(python: str) -> Interpreter | None:
    """Return what an interpreter says of itself; None if it does not start, like a shim of what is not selected."""
    try:
        result = subprocess.run([python, "-I", "-c", ASK], capture_output=True, text=True, check=False)
        path, version, *machine = json.loads(result.stdout)
    except (OSError, ValueError):
        return None
    return Interpreter(path, tuple(version), *machine)


def _candidates(name: str) -> Iterator[str]:
    yield sys.executable
    for folder in os.get_exec_path():
        found = shutil.which(name, path=folder)
        if found:
            yield found
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    yield from map(str, sorted(pyenv.glob(f"*/bin/{name}")))
