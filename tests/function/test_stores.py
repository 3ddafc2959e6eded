"""What every storage of the journal must be able to do, whichever it is."""

import os
from collections.abc import Callable

import pytest

from handler.errors import JournalConflict
from handler.journal.folder_store import FileStore
from handler.journal.store import Listed, Store
from handler.runtime.settings import OssPlace
from tests.examples import NOW, SECOND
from tests.memory_store import MemoryStore
from tests.stores import LOG, filled, oss_store
from tests.stubs.cloud import BUCKET

Opener = Callable[[], Store]
"""Opens the same storage once more, as another run does."""


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
