"""The journal in a folder: writers that die, meet or find the disk full, and what is on the disk when."""

import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from handler.errors import JournalConflict, JournalUnavailable
from handler.journal.folder_store import FileStore
from handler.journal.store import Store
from tests.points import Crash
from tests.side_by_side import side_by_side
from tests.stores import LOG, METHODS, filled

ROOT = Path(__file__).resolve().parents[2]


def add_entries(store: Store, writer: int, start: threading.Barrier) -> None:
    start.wait()
    number = 0
    for _ in range(1000):  # far more often than the others can get in between
        with suppress(JournalConflict):
            store.append(LOG, store.read_log(LOG).position, b"%d %d" % (writer, number))
            number += 1
        if number == 10:
            return


def assert_every_entry_once(entries: tuple[bytes, ...], writers: int, each: int) -> None:
    written = [tuple(map(int, entry.split())) for entry in entries]
    assert Counter(writer for writer, _ in written) == dict.fromkeys(range(writers), each)
    for writer in range(writers):
        assert [number for who, number in written if who == writer] == list(range(each))


def test_writers_side_by_side_lose_nothing_and_overwrite_nothing(tmp_path):
    start = threading.Barrier(4)
    side_by_side(*(partial(add_entries, FileStore(tmp_path), i, start) for i in range(4)))
    assert_every_entry_once(FileStore(tmp_path).read_log(LOG).entries, 4, 10)


WRITER = """
import sys
from pathlib import Path
from handler.errors import JournalConflict
from handler.journal.folder_store import FileStore

store, writer = FileStore(Path(sys.argv[1])), sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
number = 0
for _ in range(1000):
    try:
        store.append("orders/123451222", store.read_log("orders/123451222").position, f"{writer} {number}".encode())
    except JournalConflict:
        continue
    number += 1
    if number == 10:
        break
"""


def test_processes_side_by_side_lose_nothing_and_overwrite_nothing(tmp_path):
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(i)],
            cwd=ROOT,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for i in range(3)
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate()
        assert writer.returncode == 0
    assert_every_entry_once(FileStore(tmp_path).read_log(LOG).entries, 3, 10)


def crash_at(monkeypatch: pytest.MonkeyPatch, target: object, name: str, call: int) -> list[int]:
    """Let the call of that number, counted from 1, not return: it raises before it does anything."""
    real, calls = getattr(target, name), [0]

    def crashing(*args: Any, **kwargs: Any) -> Any:
        calls[0] += 1
        if calls[0] == call:
            raise Crash
        return real(*args, **kwargs)

    monkeypatch.setattr(target, name, crashing)
    return calls


@pytest.mark.parametrize("call", range(1, 6))
@pytest.mark.parametrize(
    ("target", "name"), [(os, "fsync"), (Path, "hardlink_to"), (Path, "open"), (Path, "mkdir"), (Path, "unlink")]
)
def test_wherever_a_writer_dies_an_entry_is_there_whole_or_not_at_all(target, name, call, tmp_path, monkeypatch):
    store = FileStore(tmp_path / "journal")
    with monkeypatch.context() as patch:
        crash_at(patch, target, name, call)
        with suppress(Crash):
            filled(store, b"one")
    assert store.read_log(LOG).entries in {(), (b"one",)}
    filled(store, b"two")
    assert store.read_log(LOG).entries in {(b"two",), (b"one", b"two")}


@pytest.mark.parametrize("call", range(1, 4))
@pytest.mark.parametrize(("target", "name"), [(os, "fsync"), (Path, "replace"), (Path, "open")])
def test_wherever_a_writer_dies_a_note_is_the_old_or_the_new_one(target, name, call, tmp_path, monkeypatch):
    store = FileStore(tmp_path)
    store.put("open/a", b"old")
    with monkeypatch.context() as patch:
        crash_at(patch, target, name, call)
        with suppress(Crash):
            store.put("open/a", b"the new one")
    assert store.get("open/a") in {b"old", b"the new one"}
    assert [listed.key for listed in store.find("open/")] == ["open/a"]


@pytest.mark.parametrize("shown", [0, 1, 2])
def test_a_folder_that_is_shown_late_lets_nobody_write_over_an_entry(shown, tmp_path, monkeypatch):
    """As an NFS mount does, which keeps what it has read of a folder for a minute."""
    filled(FileStore(tmp_path), b"one", b"two", b"three")
    late = FileStore(tmp_path)
    monkeypatch.setattr(late, "_entry_names", lambda key: [f"{number:08d}" for number in range(1, shown + 1)])
    seen = late.read_log(LOG)
    assert seen.position == shown
    with pytest.raises(JournalConflict):
        late.append(LOG, seen.position, b"another")
    assert FileStore(tmp_path).read_log(LOG).entries == (b"one", b"two", b"three")


def what_reaches_the_disk(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> list[str]:
    """The files and folders that are synced, and the names that are given, in order."""
    seen: list[str] = []
    sync, link, replace = os.fsync, Path.hardlink_to, Path.replace

    def synced(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        seen.append(f"sync {'aside' if path.name.startswith('.') else path.name}")
        sync(descriptor)

    def linked(path: Path, target: Path) -> None:
        seen.append(f"name {path.name}")
        link(path, target)

    def replaced(path: Path, target: Path) -> Path:
        seen.append(f"name {target.name}")
        return replace(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", synced)
        patch.setattr(Path, "hardlink_to", linked)
        patch.setattr(Path, "replace", replaced)
        act()
    return seen


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc to tell which file is synced")
def test_an_entry_and_a_note_are_on_the_disk_before_they_have_their_name_and_their_name_before_it_is_said(
    tmp_path, monkeypatch
):
    root = tmp_path / "journal"
    store = FileStore(root)
    first = what_reaches_the_disk(monkeypatch, lambda: filled(store, b"one"))
    made = [f"sync {tmp_path.name}", "sync journal", "sync orders"]  # each new folder's name, in the one above it
    assert first == [*made, "sync aside", "name 00000001", "sync 123451222"]
    assert what_reaches_the_disk(monkeypatch, lambda: filled(store, b"two")) == [
        "sync aside",
        "name 00000002",
        "sync 123451222",
    ]
    assert what_reaches_the_disk(monkeypatch, lambda: store.put("open/a", b"x")) == [
        "sync journal",
        "sync aside",
        "name a",
        "sync open",
    ]


def test_what_a_dead_writer_left_aside_is_neither_an_entry_nor_a_note(tmp_path):
    store = FileStore(tmp_path)
    position = filled(store, b"one")
    store.put("open/a", b"x")
    (tmp_path / LOG / ".00000002.0123456789abcdef").write_bytes(b"half an ent")
    (tmp_path / "open" / ".a.0123456789abcdef").write_bytes(b"half a no")
    assert store.read_log(LOG).entries == (b"one",)
    assert [listed.key for listed in store.find("open/")] == ["open/a"]
    store.append(LOG, position, b"two")
    assert store.read_log(LOG).entries == (b"one", b"two")


def test_nothing_is_left_aside_by_writers_that_win_lose_or_fail(tmp_path, monkeypatch):
    store = FileStore(tmp_path)
    filled(store, b"one")
    store.put("open/a", b"x")
    with pytest.raises(JournalConflict):
        store.append(LOG, 0, b"two")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", disk_full)
        with pytest.raises(JournalUnavailable, match="No space left on device"):
            filled(store, b"three")
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()) == [
        "open/a",
        f"{LOG}/00000001",
    ]


def disk_full(_descriptor: int) -> None:
    raise OSError(28, "No space left on device")


def test_two_writers_that_saw_the_same_end_do_not_both_win(tmp_path, monkeypatch):
    first, second = FileStore(tmp_path), FileStore(tmp_path)
    link = Path.hardlink_to

    def after_another(path: Path, target: Path) -> None:
        monkeypatch.setattr(Path, "hardlink_to", link)
        second.append(LOG, 0, b"the other")
        link(path, target)

    monkeypatch.setattr(Path, "hardlink_to", after_another)
    with pytest.raises(JournalConflict):
        first.append(LOG, 0, b"mine")
    assert first.read_log(LOG).entries == (b"the other",)


@pytest.mark.parametrize("method", ["append", "get", "put"])
def test_a_journal_whose_folder_is_no_folder_is_unavailable(method, tmp_path):
    (tmp_path / "journal").write_text("a file")
    with pytest.raises(JournalUnavailable):
        METHODS[method](FileStore(tmp_path / "journal"))


def test_a_folder_on_a_read_only_disk_is_unavailable(tmp_path, monkeypatch):
    def read_only(*_args: Any, **_kwargs: Any) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", read_only)
    with pytest.raises(JournalUnavailable, match="Read-only file system"):
        FileStore(tmp_path / "journal").append(LOG, 0, b"one")
    with pytest.raises(JournalUnavailable, match="Read-only file system"):
        FileStore(tmp_path / "journal").put("open/a", b"x")
