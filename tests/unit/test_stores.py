"""What every storage of the journal must be able to do, and what only a folder or only OSS can get wrong."""

import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from handler.cloud.credentials import Credentials
from handler.cloud.oss_store import OssStore
from handler.errors import JournalConflict, JournalNotAppendable, JournalUnavailable
from handler.journal.folder_store import FileStore
from handler.journal.store import Listed, Store
from handler.runtime.variables import OssPlace
from tests.deployed import Function
from tests.examples import NOW, SECOND
from tests.memory_store import MemoryStore
from tests.stubs import faults
from tests.stubs.cloud import BUCKET, Cloud, local_cloud

ROOT = Path(__file__).resolve().parents[2]
LOG = "orders/123451222"
ENDPOINT = "https://oss-cn-hangzhou-internal.aliyuncs.com"

Opener = Callable[[], Store]
"""Opens the same storage once more, as another run does."""


@pytest.fixture
def cloud():
    with local_cloud() as cloud:
        yield cloud


def oss_store(cloud: Cloud, **changed: Any) -> OssStore:
    place = changed.pop("place", OssPlace(BUCKET, "renewals"))
    return OssStore(place, ENDPOINT, cloud.region, Credentials(**{**vars(cloud.credentials), **changed}))


@pytest.fixture(params=["file", "oss", "oss without a prefix", "memory"])
def another(request, tmp_path) -> Opener:
    if request.param == "file":
        return lambda: FileStore(tmp_path / "made" / "when needed")
    if request.param == "memory":
        memory = MemoryStore()
        return lambda: memory
    cloud = request.getfixturevalue("cloud")
    place = OssPlace(BUCKET, "" if "without" in request.param else "renewals")
    return lambda: oss_store(cloud, place=place)


@pytest.fixture
def store(another) -> Store:
    opened: Store = another()
    return opened


def filled(store: Store, *entries: bytes, key: str = LOG) -> int:
    position = store.read_log(key).position
    for entry in entries:
        position = store.append(key, position, entry)
    return position


# ----------------------------------------------------------------------------------------------------------------- logs


def test_a_log_that_nobody_wrote_to_is_empty(store):
    log = store.read_log(LOG)
    assert (log.entries, log.position) == ((), 0)


def test_entries_are_read_in_the_order_in_which_they_were_added(store, another):
    entries = [f"entry {i}".encode() for i in range(12)]
    position = filled(store, *entries)
    log = another().read_log(LOG)
    assert (log.entries, log.position) == (tuple(entries), position)


def test_what_append_returns_is_where_the_next_entry_goes(store, another):
    first = store.append(LOG, 0, b"one")
    assert another().read_log(LOG).position == first
    second = another().append(LOG, first, b"two")
    assert store.read_log(LOG).position == second


def test_an_entry_may_hold_any_byte_but_a_line_break(store):
    entry = bytes(set(range(256)) - set(b"\r\n"))
    filled(store, entry, b"after")
    assert store.read_log(LOG).entries == (entry, b"after")


def test_a_long_entry_is_kept_whole(store):
    entry = b"x" * 200_000
    filled(store, entry)
    assert store.read_log(LOG).entries == (entry,)


def test_logs_are_apart(store):
    filled(store, b"one")
    filled(store, b"two", key="orders/12345122")
    assert store.read_log(LOG).entries == (b"one",)
    assert store.read_log("orders/12345122").entries == (b"two",)


def test_of_two_writers_at_the_same_position_the_second_is_told_and_leaves_no_trace(store, another):
    position = filled(store, b"before")
    store.append(LOG, position, b"first")
    with pytest.raises(JournalConflict):
        another().append(LOG, position, b"second")
    assert store.read_log(LOG).entries == (b"before", b"first")


def test_of_two_writers_of_the_first_entry_the_second_is_told(store, another):
    store.append(LOG, 0, b"first")
    with pytest.raises(JournalConflict):
        another().append(LOG, 0, b"second")
    assert store.read_log(LOG).entries == (b"first",)


def test_two_entries_of_the_same_length_are_told_apart(store, another):
    store.append(LOG, 0, b'{"writer":1}')
    with pytest.raises(JournalConflict):
        another().append(LOG, 0, b'{"writer":2}')


def test_the_same_bytes_at_another_position_are_not_the_same_entry(store, another):
    filled(store, b"first", b"second")
    with pytest.raises(JournalConflict):
        another().append(LOG, 0, b"second")
    assert store.read_log(LOG).entries == (b"first", b"second")


@pytest.mark.parametrize("beyond", [1, 7, 10**6])
def test_nothing_is_added_at_a_position_that_does_not_exist(store, beyond):
    position = filled(store, b"one")
    with pytest.raises(JournalConflict):
        store.append(LOG, position + beyond, b"two")
    assert store.read_log(LOG).entries == (b"one",)


def test_nothing_is_added_beyond_the_beginning_of_a_log_that_does_not_exist(store):
    with pytest.raises(JournalConflict):
        store.append(LOG, 5, b"one")
    assert store.read_log(LOG).entries == ()


def test_after_a_conflict_the_writer_can_read_and_go_on(store, another):
    store.append(LOG, 0, b"first")
    with pytest.raises(JournalConflict):
        another().append(LOG, 0, b"second")
    filled(another(), b"second")
    assert store.read_log(LOG).entries == (b"first", b"second")


def test_a_log_that_was_discarded_is_empty_again(store):
    filled(store, b"one", b"two")
    filled(store, b"kept", key="orders/1")
    store.discard_log(LOG)
    assert store.read_log(LOG).position == 0
    assert [listed.key for listed in store.find("orders/")] == ["orders/1"]
    filled(store, b"three")
    assert store.read_log(LOG).entries == (b"three",)


def add_entries(another: Opener, writer: int, start: threading.Barrier) -> None:
    store = another()
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
    def another() -> Store:
        return FileStore(tmp_path)

    start = threading.Barrier(4)
    writers = [threading.Thread(target=add_entries, args=(another, i, start)) for i in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert_every_entry_once(another().read_log(LOG).entries, 4, 10)


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


# ---------------------------------------------------------------------------------------------------------------- notes


def test_a_note_is_read_as_it_was_written(store, another):
    store.put("open/a", b"\x00 any \n bytes \xff")
    assert another().get("open/a") == b"\x00 any \n bytes \xff"


def test_a_note_is_written_over_whole(store, another):
    store.put("open/a", b"a long first text")
    another().put("open/a", b"short")
    assert store.get("open/a") == b"short"


def test_a_note_that_nobody_wrote_is_none(store):
    assert store.get("open/a") is None
    store.put("open/b", b"")
    assert store.get("open/a") is None
    assert store.get("open/b") == b""


def test_a_note_that_was_deleted_is_none_and_may_be_deleted_again(store):
    store.put("open/a", b"1")
    store.put("open/b", b"2")
    store.delete("open/a")
    store.delete("open/a")
    assert store.get("open/a") is None
    assert [listed.key for listed in store.find("open/")] == ["open/b"]


def test_a_folder_in_which_nothing_lies_is_empty(store):
    assert list(store.find("open/")) == []


def test_everything_in_a_folder_is_found_and_nothing_else(store, another):
    for i in range(11):  # several pages
        store.put(f"open/2026-11-21T030000Z-{i:02d}", b"x")
    filled(store, b"one", b"two")
    filled(store, b"one", key="orders/98987582437920968")
    found = [listed.key for listed in another().find("open/")]
    assert found == [f"open/2026-11-21T030000Z-{i:02d}" for i in range(11)]
    assert sorted(listed.key for listed in another().find("orders/")) == [LOG, "orders/98987582437920968"]


def test_what_is_found_says_when_it_was_last_written_by_the_clock_of_the_storage(tmp_path, cloud):
    memory, oss, folder = MemoryStore(), oss_store(cloud), FileStore(tmp_path)
    for store in (memory, oss, folder):
        filled(store, b"one")
    os.utime(tmp_path / LOG, (NOW.timestamp(), NOW.timestamp()))
    for store in (memory, oss, folder):
        assert list(store.find("orders/")) == [Listed(LOG, NOW)]
    memory.now = NOW + SECOND
    cloud.clock.advance(seconds=1)
    for store in (memory, oss):
        filled(store, b"two")
        assert list(store.find("orders/")) == [Listed(LOG, NOW + SECOND)]
    filled(folder, b"two")
    assert next(iter(folder.find("orders/"))).modified > NOW - 365 * 24 * 3600 * SECOND
    assert next(iter(folder.find("orders/"))).modified != NOW


# ---------------------------------------------------------------------------------------------------- a folder, crashes


class Crash(BaseException):
    """The process ends here."""


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


EVERY_METHOD: list[Callable[[Store], object]] = [
    lambda store: store.read_log(LOG),
    lambda store: store.append(LOG, 0, b"one"),
    lambda store: list(store.find("orders/")),
    lambda store: store.get("open/a"),
    lambda store: store.put("open/a", b"x"),
    lambda store: store.delete("open/a"),
    lambda store: store.discard_log(LOG),
]
NAMES = ["read_log", "append", "find", "get", "put", "delete", "discard_log"]


@pytest.mark.parametrize("method", EVERY_METHOD[1:2] + EVERY_METHOD[3:5], ids=["append", "get", "put"])
def test_a_journal_whose_folder_is_no_folder_is_unavailable(method, tmp_path):
    (tmp_path / "journal").write_text("a file")
    with pytest.raises(JournalUnavailable):
        method(FileStore(tmp_path / "journal"))


def test_a_folder_on_a_read_only_disk_is_unavailable(tmp_path, monkeypatch):
    def read_only(*_args: Any, **_kwargs: Any) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", read_only)
    with pytest.raises(JournalUnavailable, match="Read-only file system"):
        FileStore(tmp_path / "journal").append(LOG, 0, b"one")
    with pytest.raises(JournalUnavailable, match="Read-only file system"):
        FileStore(tmp_path / "journal").put("open/a", b"x")


# ---------------------------------------------------------------------------------------------------------- OSS, faults

LANDED = [
    faults.timeout_after(),
    faults.reset_after(),
    faults.error_after("InternalError"),
    faults.html_after(502),
]
NOT_LANDED = [
    faults.timeout_before(),
    faults.reset_before(),
    faults.refused(),
    faults.error("InternalError", status=500),
    faults.html(503),
]


def label(fault: faults.Fault) -> str:
    return f"{fault.kind} {'after' if fault.happens else 'before'}"


@pytest.mark.parametrize("fault", [*LANDED, *NOT_LANDED], ids=label)
@pytest.mark.parametrize("times", [1, 2])
def test_an_append_that_had_to_be_repeated_is_ours_and_there_once(fault, times, cloud):
    store = oss_store(cloud)
    position = filled(store, b"before")
    cloud.oss.fail("AppendObject", *[fault] * times)
    position = store.append(LOG, position, b"ours")
    assert len(cloud.oss.calls_of("AppendObject")) > 2
    assert store.read_log(LOG).entries == (b"before", b"ours")
    assert store.read_log(LOG).position == position


@pytest.mark.parametrize("fault", LANDED, ids=label)
def test_an_append_that_landed_at_its_last_attempt_is_ours(fault, cloud):
    store = oss_store(cloud)
    cloud.oss.fail("AppendObject", faults.timeout_before(), faults.timeout_before(), fault)
    position = store.append(LOG, 0, b"ours")
    assert len(cloud.oss.calls_of("AppendObject")) == 3
    assert (store.read_log(LOG).entries, store.read_log(LOG).position) == ((b"ours",), position)


@pytest.mark.parametrize("fault", NOT_LANDED, ids=label)
def test_an_append_that_never_landed_is_not_taken_for_ours(fault, cloud):
    store = oss_store(cloud)
    position = filled(store, b"before")
    cloud.oss.fail("AppendObject", *[fault] * 3)
    with pytest.raises(JournalUnavailable):
        store.append(LOG, position, b"ours")
    assert store.read_log(LOG).entries == (b"before",)


@pytest.mark.parametrize("fault", NOT_LANDED, ids=label)
def test_an_append_that_another_writer_overtook_between_two_attempts_is_not_taken_for_ours(fault, cloud):
    store, other = oss_store(cloud), oss_store(cloud)
    cloud.oss.fail("AppendObject", fault)

    def overtake(phase, _service, action):
        if phase == "after" and action == "AppendObject":
            cloud.hooks.clear()
            other.append(LOG, 0, b"another")

    cloud.hooks.append(overtake)
    with pytest.raises(JournalConflict):
        store.append(LOG, 0, b"ours, longer than the other")
    assert store.read_log(LOG).entries == (b"another",)


@pytest.mark.parametrize("fault", LANDED, ids=label)
def test_an_append_that_landed_is_ours_though_another_writer_has_gone_on_since(fault, cloud):
    store, other = oss_store(cloud), oss_store(cloud)
    cloud.oss.fail("AppendObject", fault)

    def go_on(phase, _service, action):
        if phase == "after" and action == "AppendObject":
            cloud.hooks.clear()
            filled(other, b"another")

    cloud.hooks.append(go_on)
    position = store.append(LOG, 0, b"ours")
    assert store.read_log(LOG).entries == (b"ours", b"another")
    assert position < store.read_log(LOG).position


def test_an_append_whose_fate_cannot_be_read_is_unavailable(cloud):
    store = oss_store(cloud)
    cloud.oss.fail("AppendObject", *[faults.timeout_after()] * 3)
    cloud.oss.fail("GetObject", *[faults.timeout_before()] * 3)
    with pytest.raises(JournalUnavailable):
        store.append(LOG, 0, b"ours")
    assert store.read_log(LOG).entries == (b"ours",)


def test_an_object_that_cannot_be_appended_to_is_not_written_over(cloud):
    store = oss_store(cloud)
    store.put(LOG, b"a note where a log should be\n")
    for position in (0, 29):
        with pytest.raises(JournalNotAppendable, match=LOG):
            store.append(LOG, position, b"ours")
    assert store.get(LOG) == b"a note where a log should be\n"


FAULTS = [
    *NOT_LANDED,
    faults.error("AccessDenied", status=403),
    faults.error("NoSuchBucket", status=404),
    faults.html(404),
]


@pytest.mark.parametrize(
    ("action", "method"),
    list(
        zip(
            ["GetObject", "AppendObject", "ListObjectsV2", "GetObject", "PutObject", "DeleteObject", "DeleteObject"],
            EVERY_METHOD,
            strict=True,
        )
    ),
    ids=NAMES,
)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.kind} {fault.status} {fault.code}")
def test_whatever_oss_answers_instead_the_journal_is_unavailable(action, method, fault, cloud):
    cloud.oss.fail(action, *[fault] * 3)
    with pytest.raises(JournalUnavailable, match=r"^OSS: "):
        method(oss_store(cloud))
    assert cloud.oss.history == []


@pytest.mark.parametrize("fault", [faults.empty(), faults.html(200)], ids=label)
def test_a_200_that_oss_did_not_give_is_no_answer(fault, cloud):
    store = oss_store(cloud)
    position = filled(store, b"one")
    store.put("open/a", b"x")
    before = list(cloud.oss.history)
    calls: list[tuple[str, Callable[[], object]]] = [
        ("GetObject", lambda: store.read_log(LOG)),
        ("GetObject", lambda: store.get("open/a")),
        ("AppendObject", lambda: store.append(LOG, position, b"two")),
        ("ListObjectsV2", lambda: list(store.find("orders/"))),
        ("PutObject", lambda: store.put("open/a", b"y")),
    ]
    for action, call in calls:
        cloud.oss.fail(action, fault)
        with pytest.raises(JournalUnavailable, match=r"^OSS: "):
            call()
    assert cloud.oss.history == before


@pytest.mark.parametrize("fault", [faults.empty_after(), faults.html_after(200)], ids=label)
def test_an_append_that_landed_and_was_answered_by_somebody_else_is_ours(fault, cloud):
    store = oss_store(cloud)
    cloud.oss.fail("AppendObject", fault)
    position = store.append(LOG, 0, b"ours")
    assert (store.read_log(LOG).entries, store.read_log(LOG).position) == ((b"ours",), position)


def wrong_secret(cloud: Cloud) -> OssStore:
    return oss_store(cloud, access_key_secret="FAKE-WRONG-SECRET")


def unknown_key(cloud: Cloud) -> OssStore:
    return oss_store(cloud, access_key_id="STS.FAKE-UNKNOWN-KEY")


def expired(cloud: Cloud) -> OssStore:
    cloud.oss.expire_credentials()
    return oss_store(cloud)


def denied(cloud: Cloud) -> OssStore:
    cloud.oss.deny()
    return oss_store(cloud)


def no_bucket(cloud: Cloud) -> OssStore:
    return oss_store(cloud, place=OssPlace("another-bucket", "renewals"))


@pytest.mark.parametrize("method", EVERY_METHOD, ids=NAMES)
@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (wrong_secret, "SignatureDoesNotMatch"),
        (unknown_key, "InvalidAccessKeyId"),
        (expired, "SecurityTokenExpired"),
        (denied, "AccessDenied"),
        (no_bucket, "NoSuchBucket"),
    ],
)
def test_what_oss_forbids_is_said_by_its_code_and_without_a_secret(broken, code, method, cloud):
    with pytest.raises(JournalUnavailable, match=code) as unavailable:
        method(broken(cloud))
    said = str(unavailable.value)
    assert len(said) < 500
    for secret in (cloud.credentials.access_key_secret, cloud.credentials.security_token, "FAKE-WRONG-SECRET"):
        assert secret not in said
    assert cloud.oss.history == []


def test_a_listing_is_read_to_its_last_page(cloud):
    store = oss_store(cloud)
    for i in range(7):
        store.put(f"open/{i}", b"x")
    for size in (1, 2, 3, 7, 8):
        cloud.oss.page_limit = size
        assert [listed.key for listed in store.find("open/")] == [f"open/{i}" for i in range(7)]


def test_a_listing_that_breaks_off_between_two_pages_is_unavailable(cloud):
    store = oss_store(cloud)
    for i in range(7):
        store.put(f"open/{i}", b"x")
    cloud.oss.fail("ListObjectsV2", None, *[faults.timeout_before()] * 3)
    with pytest.raises(JournalUnavailable):
        list(store.find("open/"))


def test_prefixes_of_one_bucket_are_apart(cloud):
    one = oss_store(cloud, place=OssPlace(BUCKET, "one"))
    two = oss_store(cloud, place=OssPlace(BUCKET, "one/two"))
    filled(one, b"1")
    two.put("open/a", b"2")
    assert list(one.find("open/")) == []
    assert two.read_log(LOG).entries == ()
    assert {key for _, key in cloud.oss.objects} == {f"one/{LOG}", "one/two/open/a"}


def test_nothing_that_is_appended_is_ever_written_over(cloud):
    store = oss_store(cloud)
    position = filled(store, b"one", b"two")
    with pytest.raises(JournalConflict):
        store.append(LOG, 0, b"three")
    store.append(LOG, position, b"four")
    assert cloud.oss.history == [
        (f"renewals/{LOG}", "append", b"one\n"),
        (f"renewals/{LOG}", "append", b"two\n"),
        (f"renewals/{LOG}", "append", b"four\n"),
    ]


@pytest.mark.parametrize("prefixes", [("a", "b"), ("team/a", "team/b"), ("a", "team/b"), ("a", ""), ("", "a")])
def test_a_self_check_notices_that_another_journal_was_used_in_the_bucket(
    cloud: Cloud, prefixes: tuple[str, str]
) -> None:
    first, second = (Function(cloud, JOURNAL_URL=f"oss://{BUCKET}/{prefix}") for prefix in prefixes)

    def alone(function: Function) -> dict[str, Any]:
        (line,) = (line for line in function.invoke({"check": True}).result["check"] if line["check"] == "alone")
        return dict(line)

    assert alone(second)["ok"]
    cloud.cas.add_order()
    first.tick()
    assert alone(first)["ok"], "its own journal is no other"
    assert not alone(second)["ok"]
    assert f"oss://{BUCKET}/{prefixes[0]}".rstrip("/") in alone(second)["found"]
