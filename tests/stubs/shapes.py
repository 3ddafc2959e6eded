"""How CAS writes what its documentation leaves open, and what the parts of its stub share."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal

from tests.stubs.clock import Clock

_NOTHING: dict[str, Any] = {"null": None, "zero": 0, "text": ""}


class Shapes:
    """Units and empty values of the V2 operations, and when something counts as about to expire.

    The SDK says that times are in seconds, every published example has milliseconds; nobody says how a time looks
    that there is not yet, nor how many days before the end the two `willExpire` begin.
    """

    settings: ClassVar = ("units", "times_as", "empty", "certificate_expiring_days", "instance_expiring_days")

    def __init__(self) -> None:
        self.units: Literal["milliseconds", "seconds"] = "milliseconds"
        self.times_as: Literal["number", "text"] = "number"
        self.empty: Literal["absent", "null", "zero", "text"] = "absent"
        """What stands for a time or a certificate id that there is not: no key, `null`, `0` or `""`."""
        self.certificate_expiring_days: float = 30
        self.instance_expiring_days: float = 30

    def time(self, moment: datetime) -> int | str:
        """A moment as the service writes it."""
        number = round(moment.timestamp() * (1000 if self.units == "milliseconds" else 1))
        return str(number) if self.times_as == "text" else number

    def given(self, **values: datetime | int | None) -> dict[str, Any]:
        """The part of a row with these times and ids, of which some may not be there."""
        row: dict[str, Any] = {}
        for name, value in values.items():
            if isinstance(value, datetime):
                row[name] = self.time(value)
            elif value is not None:
                row[name] = value
            elif self.empty != "absent":
                row[name] = _NOTHING[self.empty]
        return row

    def to_json(self) -> dict[str, Any]:
        """The settings as a JSON object."""
        return {name: getattr(self, name) for name in self.settings}

    def from_json(self, state: dict[str, Any]) -> None:
        """Set what `to_json` gave."""
        for name, value in state.items():
            setattr(self, name, value)


@dataclass(frozen=True)
class Common:
    """What each part of the stub is given: the cloud's clock, the lock of the whole stub, and the shapes."""

    clock: Clock
    lock: AbstractContextManager[Any]
    shapes: Shapes
    happening: list[Callable[[], None]] = field(default_factory=list)
    """What makes up for the time that has passed, in order."""

    def pass_time(self) -> None:
        """Let everything happen that should have, up to now: before anybody looks, and before anybody acts."""
        with self.lock:
            for happens in self.happening:
                happens()
