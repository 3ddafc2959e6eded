"""What an operator's command cannot do, in one line with what a person can do about it."""

from __future__ import annotations

import sys
from collections.abc import Iterable


class Problem(Exception):
    """What is wrong; `todo` says what a person can do. Shown as `line` by whatever command meets it."""

    def __init__(self, what: str, todo: str) -> None:
        super().__init__(what)
        self.todo = todo

    @property
    def line(self) -> str:
        """The one line that a person reads."""
        return f"{self}. To do: {self.todo}."


def warn(command: str, warnings: Iterable[str]) -> None:
    """Print what may be meant as it stands, on standard error."""
    for warning in warnings:
        print(f"{command}: WARNING: {warning}", file=sys.stderr)
