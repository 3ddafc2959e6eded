"""The runtimes of Function Compute that the function can be deployed to, and what each of them can load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Runtime:
    """A runtime of the platform; all of them are x86-64 Linux."""

    name: str
    """As `runtime` in s.yaml has it."""
    python: tuple[int, int]
    glibc: tuple[int, int]
    """Of its Debian."""
    lock: str
    """The file with what the function ships with there."""
    has_context_credentials: bool
    """Whether the context has the credentials of the role; else only the environment has."""

    @property
    def version(self) -> str:
        """Its Python, as people write it."""
        return ".".join(map(str, self.python))

    @property
    def abi(self) -> str:
        """What a library is compiled for that only this Python loads: `cp310`."""
        return "cp" + "".join(map(str, self.python))

    @property
    def platforms(self) -> tuple[str, ...]:
        """The tags of wheels that its C library can load, the newest first."""
        newest = range(self.glibc[1], 16, -1)
        return (*(f"manylinux_2_{minor}_x86_64" for minor in newest), "manylinux2014_x86_64")


DEFAULT = "python3.10"

RUNTIMES: Mapping[str, Runtime] = {
    runtime.name: runtime
    for runtime in (
        Runtime(DEFAULT, (3, 10), (2, 28), "requirements.lock", has_context_credentials=True),  # Debian 10
        Runtime("python3.12", (3, 12), (2, 31), "requirements-3.12.lock", has_context_credentials=False),  # Debian 11
    )
}
"""By name."""


def runtime_in(environ: Mapping[str, str]) -> str:
    """Return the operator's choice, the variable RUNTIME; what it is not said to be is the default."""
    return environ.get("RUNTIME", "").strip() or DEFAULT


def known(name: str) -> Runtime:
    """Return the runtime of that name. Raises ValueError, which says what there is."""
    found: Any = RUNTIMES.get(name)
    if not isinstance(found, Runtime):
        raise ValueError(f"the runtime is {name!r}; it must be one of {', '.join(RUNTIMES)}")  # noqa: TRY004
    return found
