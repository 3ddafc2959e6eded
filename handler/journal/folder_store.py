"""The journal in a folder: for tests, one host, or a NAS mount.

A log is a folder with a file per entry. An entry is written aside, synced, then given its name with `link`,
which fails if the name is taken: a compare-and-append that needs no lock (NFS mounts often have none) and
never shows half an entry. The name is taken on the server, so of two writers one wins even where a mount shows a folder
late; what a late folder can spoil is settling, which reads what others have noted (see docs/promise.md).
"""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path

from handler.errors import JournalConflict, JournalUnavailable
from handler.journal.store import Listed, Log


class FileStore:
    """A `Store` below one folder, which is made when it is first written to."""

    def __init__(self, root: Path) -> None:
        """`root`: an absolute path."""
        self._root = root

    def read_log(self, key: str) -> Log:
        """Return all entries of a log."""
        with _os_errors(key):
            names = self._entry_names(key)
            return Log(tuple((self._root / key / name).read_bytes() for name in names), len(names))

    def append(self, key: str, position: int, entry: bytes) -> int:
        """Add an entry, if `position` entries are there; see `Store.append`."""
        folder = self._root / key
        with _os_errors(key):
            if len(self._entry_names(key)) != position:
                raise JournalConflict(key)
            _make(folder)
            try:
                _write_new(folder / f"{position + 1:08d}", entry)
            except FileExistsError:
                raise JournalConflict(key) from None
            return position + 1

    def find(self, prefix: str) -> Iterator[Listed]:
        """Return the logs and notes in the folder `prefix`."""
        with _os_errors(prefix):
            folder = self._root / prefix
            found = sorted(folder.iterdir()) if folder.is_dir() else []
            for path in found:
                # Another run may have tidied a note away since the folder was listed.
                with suppress(FileNotFoundError):
                    if not path.name.startswith("."):
                        modified = datetime.fromtimestamp(path.stat().st_mtime, timezone.utc)
                        yield Listed(f"{prefix}{path.name}", modified)

    def get(self, key: str) -> bytes | None:
        """Return a note, None if there is none."""
        with _os_errors(key):
            try:
                return (self._root / key).read_bytes()
            except FileNotFoundError:
                return None

    def put(self, key: str, body: bytes) -> None:
        """Write a note, over what was there."""
        path = self._root / key
        with _os_errors(key):
            _make(path.parent)
            with _written_aside(path, body) as aside:
                aside.replace(path)
            _sync_folder(path.parent)

    def delete(self, key: str) -> None:
        """Remove a note; it need not exist."""
        with _os_errors(key):
            (self._root / key).unlink(missing_ok=True)

    def discard_log(self, key: str) -> None:
        """Remove a whole log."""
        with _os_errors(key), suppress(FileNotFoundError):
            shutil.rmtree(self._root / key)

    def announce(self, account_id: str) -> None:
        """Do nothing: of other folders nothing is known."""

    def neighbours(self, account_id: str) -> list[str]:  # noqa: ARG002
        """Return nothing: of other folders nothing is known."""
        return []

    def _entry_names(self, key: str) -> list[str]:
        folder = self._root / key
        return sorted(path.name for path in folder.iterdir() if path.name.isdigit()) if folder.is_dir() else []


@contextmanager
def _os_errors(key: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        msg = f"{key}: {error.strerror or error}"
        raise JournalUnavailable(msg) from error


def _make(folder: Path) -> None:
    if folder.is_dir():
        return
    _make(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync_folder(folder.parent)


def _write_new(path: Path, body: bytes) -> None:
    with _written_aside(path, body) as aside:
        path.hardlink_to(aside)
    _sync_folder(path.parent)


@contextmanager
def _written_aside(path: Path, body: bytes) -> Iterator[Path]:
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with aside.open("xb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        yield aside
    finally:
        aside.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
