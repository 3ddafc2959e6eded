"""Flat records of which the state of a stub is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, TypeVar

_Record = TypeVar("_Record", bound="Record")


@dataclass
class Record:
    """A flat record that survives JSON; its times become ISO texts."""

    def to_json(self) -> dict[str, Any]:
        """The record as a JSON object."""
        return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in vars(self).items()}

    @classmethod
    def from_json(cls: type[_Record], state: Mapping[str, Any]) -> _Record:  # noqa: PYI019 - Self is new in 3.11
        """The record that `to_json` was called on."""
        times = {field.name for field in fields(cls) if "datetime" in str(field.type)}
        return cls(
            **{
                name: datetime.fromisoformat(value) if name in times and value else value
                for name, value in state.items()
            }
        )
