"""A journal in a folder whose process dies between any two system calls."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from handler.errors import JournalConflict
from handler.journal.folder_store import FileStore
from tests.deployed import TIMER, Function, what_a_person_says
from tests.points import Crash
from tests.promise.file_crashes import file_crashes
from tests.promise.interleaving import PausedInvocation
from tests.side_by_side import side_by_side
from tests.stubs.cloud import Cloud, Phase, Service, local_cloud
from tests.traces import bought, published

LOG, NOTE = "orders/1", "open/1"
DESCRIPTORS = Path("/dev/fd")
"""Those of this process."""
Act = Callable[[FileStore], object]
ACTS: dict[str, Act] = {
    "append": lambda store: store.append(LOG, 1, b"second"),
    "append the first": lambda store: store.append("orders/2", 0, b"first"),
    "put": lambda store: store.put(NOTE, b"new"),
    "put the first": lambda store: store.put("done/1", b"new"),
    "delete": lambda store: store.delete(NOTE),
    "discard": lambda store: store.discard_log(LOG),
    "read": lambda store: [store.read_log(LOG), store.get(NOTE), list(store.find("orders/"))],
}


@pytest.fixture
def folder(cloud: Cloud, tmp_path: Path) -> Iterator[Path]:
    root = tmp_path / "journal"
    with file_crashes(cloud, root):
        yield root


def points(cloud: Cloud, act: Callable[[], object]) -> list[str]:
    """The calls that something makes, in order."""
    seen: list[str] = []

    def note(phase: Phase, service: Service, action: str) -> None:
        if (phase, service) == ("before", "file"):
            seen.append(action)

    cloud.hooks.append(note)
    act()
    cloud.hooks.remove(note)
    return seen


def die_at(cloud: Cloud, nth: int) -> None:
    """Let the process die before its nth call, once."""
    left = iter(range(nth))

    def hook(phase: Phase, service: Service, action: str) -> None:
        if phase == "before" and next(left, None) is None:
            cloud.hooks.remove(hook)
            raise Crash

    cloud.hooks.append(hook)


def contents(root: Path) -> dict[str, bytes]:
    """Everything in the folder, leftovers too."""
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def filled(root: Path) -> FileStore:
    store = FileStore(root)
    store.append(LOG, 0, b"first")
    store.put(NOTE, b"old")
    return store


def seen_by_others(root: Path) -> tuple[object, ...]:
    store = FileStore(root)
    logs = [store.read_log(key).entries for key in (LOG, "orders/2")]
    # A log that is listed and empty is none: its folder is made before its first entry.
    listed = [found.key for found in store.find("orders/") if store.read_log(found.key).entries]
    notes = [found.key for prefix in ("open/", "done/") for found in store.find(prefix)]
    return (*logs, store.get(NOTE), store.get("done/1"), listed, notes)


def test_every_system_call_has_a_point_before_and_after_it(cloud: Cloud, folder: Path) -> None:
    store = filled(folder)
    seen: list[tuple[str, ...]] = []
    cloud.hooks.append(lambda *point: seen.append(point))

    store.append(LOG, 1, b"second")

    assert seen[::2] == [("before", "file", name) for _, _, name in seen[::2]]
    assert seen[1::2] == [("after", "file", name) for _, _, name in seen[::2]]
    names = [name for _, _, name in seen[::2] if name not in {"stat", "listdir"}]
    assert names == ["open", "write", "write", "fsync", "link", "unlink", "open", "fsync"]


@pytest.mark.parametrize(
    ("act", "calls"),
    [
        ("append the first", {"stat", "mkdir", "link", "write"}),
        ("put", {"open", "write", "fsync", "replace"}),
        ("delete", {"unlink"}),
        ("discard", {"lstat", "open", "scandir", "unlink", "rmdir"}),
        ("read", {"stat", "listdir", "open"}),
    ],
)
def test_each_method_passes_the_points_of_its_calls(cloud: Cloud, folder: Path, act: str, calls: set[str]) -> None:
    store = filled(folder)
    assert calls <= set(points(cloud, lambda: ACTS[act](store)))


def test_what_lies_elsewhere_has_no_points(cloud: Cloud, folder: Path, tmp_path: Path) -> None:
    assert points(cloud, lambda: filled(tmp_path / "journal-of-another")) == []


def test_what_is_written_has_the_time_of_the_cloud(cloud: Cloud, folder: Path) -> None:
    store = filled(folder)
    assert [listed.modified for listed in store.find("orders/")] == [cloud.clock.now()]
    cloud.clock.advance(100)
    store.append(LOG, 1, b"second")
    assert [listed.modified for listed in store.find("orders/")] == [cloud.clock.now()]
    assert [listed.modified for listed in store.find("open/")] != [cloud.clock.now()]


@pytest.mark.parametrize("act", ACTS)
def test_a_process_that_dies_at_any_call_leaves_all_or_nothing_and_the_next_one_goes_on(
    cloud: Cloud, folder: Path, act: str
) -> None:
    before = seen_by_others(filled(folder / "0")._root)
    count = len(points(cloud, lambda: ACTS[act](FileStore(folder / "0"))))
    after = seen_by_others(folder / "0")
    assert count > 1 or act == "delete"
    for nth in range(count):
        root = folder / str(nth + 1)
        store = filled(root)
        die_at(cloud, nth)
        with pytest.raises(Crash):
            ACTS[act](store)

        if act != "discard":  # only the self-check discards, what nobody else reads
            assert seen_by_others(root) in (before, after), nth
        with suppress(JournalConflict):
            ACTS[act](FileStore(root))
        assert seen_by_others(root) == after, nth


def test_a_process_that_is_killed_does_not_tidy_up(cloud: Cloud, folder: Path) -> None:
    store = filled(folder)
    die_at(cloud, points(cloud, lambda: ACTS["put"](store)).index("fsync"))

    with pytest.raises(Crash):
        store.put(NOTE, b"newer")

    names = {Path(name).name: body for name, body in contents(folder).items() if "/open/" in name}
    (left,) = names.keys() - {"1"}
    assert left.startswith(".1.")
    assert names == {"1": b"new", left: b"newer"}


def test_a_write_can_be_half_done(cloud: Cloud, folder: Path) -> None:
    store = filled(folder)
    calls = points(cloud, lambda: ACTS["put"](store))
    die_at(cloud, calls.index("write") + 1)

    with pytest.raises(Crash):
        store.put(NOTE, b"newest")

    assert b"new" in contents(folder).values()
    assert b"newest" not in contents(folder).values()
    assert store.get(NOTE) == b"new"


def test_nothing_stays_open_after_a_death(cloud: Cloud, folder: Path) -> None:
    filled(folder)
    before = len([*DESCRIPTORS.iterdir()])
    for nth in range(60):
        die_at(cloud, nth)
        with suppress(Crash, JournalConflict):
            for act in ACTS.values():
                act(FileStore(folder))
        cloud.hooks.clear()
    assert len([*DESCRIPTORS.iterdir()]) == before


def test_one_renewal_that_dies_at_any_system_call_is_bought_once_and_published(tmp_path: Path) -> None:
    calls = _renewed_with_a_death_at(tmp_path / "whole", 10**6)
    assert calls > 50
    deaths = [_renewed_with_a_death_at(tmp_path / str(nth), nth) for nth in range(calls)]
    assert deaths == list(range(calls))


def _renewed_with_a_death_at(root: Path, nth: int) -> int:
    """Renew an order, with a process that dies before its nth call below the folder; return how many it made."""
    with local_cloud() as cloud, file_crashes(cloud, root):
        old = cloud.cas.add_order()
        function = Function(cloud, JOURNAL_URL=root.as_uri())
        run = PausedInvocation(cloud, TIMER, "run-1", 300, JOURNAL_URL=root.as_uri())
        made = 0
        while not run.finished:
            if run.at is not None and run.at[:2] == ("before", "file"):
                if made == nth:
                    run.kill()
                    break
                made += 1
            run.step()
        for _ in range(4):
            cloud.clock.advance(1000)
            answer = function.tick()
            for line in answer.orders:
                if line["outcome"] == "held":
                    function.invoke(what_a_person_says(cloud, line["order_id"]))
        assert run.bug is None
        assert len(cloud.cas.bought(old)) == 1, (nth, run.at)
        assert set(published(cloud)) == set(bought(cloud)), (nth, run.at)
        assert set(function.tick().result["counts"]) == {"already-renewed"}
    return made


def test_two_writers_that_stand_still_at_the_same_call_do_not_both_win(cloud: Cloud, folder: Path) -> None:
    filled(folder)
    both_are_about_to_link = threading.Barrier(2, timeout=10)
    came: Counter[str] = Counter()

    def meet(phase: Phase, service: Service, action: str) -> None:
        if (phase, action) == ("before", "link"):
            both_are_about_to_link.wait()

    def append(entry: bytes) -> None:
        try:
            FileStore(folder).append(LOG, 1, entry)
            came["won"] += 1
        except JournalConflict:
            came["lost"] += 1

    cloud.hooks.append(meet)
    side_by_side(partial(append, b"one"), partial(append, b"other"))

    assert came == {"won": 1, "lost": 1}
