"""Journals that earlier versions have left, and the function that takes one over."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from tests.deployed import Answer, Function
from tests.function.old_situations import OLD
from tests.stubs.cloud import BUCKET, Cloud
from tests.stubs.oss import StoredObject
from tests.traces import RENEWALS

SAMPLES = Path(__file__).resolve().parents[1] / "journals"
"""A folder for each of `tests.function.old_situations`."""
LOGS = ("orders", "instances", "days", "successors")
"""What only grows. The rest are notes."""


class Contents(NamedTuple):
    """All that a journal says."""

    logs: dict[str, list[bytes]]
    notes: dict[str, bytes]

    def of(self, id_: str) -> list[dict[str, Any]]:
        """The entries of an order or of an instance."""
        folder = "orders" if id_.isdigit() else "instances"
        return [json.loads(line) for line in self.logs.get(f"{folder}/{id_}", ())]


def in_folder(root: Path) -> Contents:
    logs: dict[str, list[bytes]] = {}
    notes: dict[str, bytes] = {}
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        key = path.relative_to(root)
        if key.parts[0] in LOGS:
            logs.setdefault(str(key.parent), []).append(path.read_bytes())
        elif len(key.parts) > 1:  # the report is not the journal
            notes[str(key)] = path.read_bytes()
    return Contents(logs, notes)


def in_bucket(cloud: Cloud) -> Contents:
    logs: dict[str, list[bytes]] = {}
    notes: dict[str, bytes] = {}
    for (_, name), stored in cloud.oss.objects.items():
        key = name.removeprefix("renewals/")
        if key.split("/")[0] in LOGS:
            logs[key] = stored.data.splitlines()
        elif "/" in key:
            notes[key] = stored.data
    return Contents(logs, notes)


def put_into_folder(contents: Contents, root: Path) -> None:
    for key, body in contents.notes.items():
        (root / key).parent.mkdir(parents=True, exist_ok=True)
        (root / key).write_bytes(body)
    for key, lines in contents.logs.items():
        (root / key).mkdir(parents=True)
        for number, line in enumerate(lines, 1):
            (root / key / f"{number:08d}").write_bytes(line)
        written = moment(json.loads(lines[-1])["at"]).timestamp()
        os.utime(root / key, (written, written))


def put_into_bucket(contents: Contents, cloud: Cloud) -> None:
    for key, body in contents.notes.items():
        stored = StoredObject(body, appendable=False, modified=cloud.clock.now())
        cloud.oss.objects[BUCKET, f"renewals/{key}"] = stored
    for key, lines in contents.logs.items():
        body = b"".join(line + b"\n" for line in lines)
        stored = StoredObject(body, appendable=True, modified=moment(json.loads(lines[-1])["at"]))
        cloud.oss.objects[BUCKET, f"renewals/{key}"] = stored


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


class TakenOver:
    """The function that has taken over an old journal."""

    def __init__(self, cloud: Cloud, function: Function, sample: Contents, read: Callable[[], Contents]) -> None:
        self.sample = sample
        self.read = read
        self._cloud = cloud
        self._function = function
        self._sent = len(cloud.smq.messages())
        self._calls = len(cloud.cas.calls_of(RENEWALS))

    def tick(self, after: float = 0, days: float = 0, most_per_day: int = 50) -> Answer:
        """Let the timer fire that many seconds or days later."""
        self._cloud.clock.advance(seconds=after, days=days)
        return self._function.tick(MAX_RENEWALS_PER_DAY=str(most_per_day))

    def say(self, event: Mapping[str, Any]) -> Answer:
        """Let a person say something."""
        return self._function.invoke(dict(event))

    @property
    def sent(self) -> list[str]:
        """The ids of the messages that were sent since it took over."""
        return [message["id"] for message in self.messages]

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The messages that were sent since it took over."""
        return self._cloud.smq.messages()[self._sent :]

    @property
    def calls(self) -> int:
        """How often it has asked CAS to renew."""
        return len(self._cloud.cas.calls_of(RENEWALS)) - self._calls

    @property
    def added(self) -> list[str]:
        """The kinds of the entries that were added to the old order's journal."""
        return self.added_to(OLD)

    def added_to(self, id_: str) -> list[str]:
        """The kinds of the entries that were added to the journal of an order or of an instance."""
        return [entry["entry"] for entry in self.read().of(id_)[len(self.sample.of(id_)) :]]


TakeOver = Callable[[str], TakenOver]
"""Takes over the journal of a situation, by its name."""
