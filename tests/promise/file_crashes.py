"""A journal in a folder takes its turn: what is done to its files can be stopped, or end, between any two system calls.

    with file_crashes(cloud, folder):
        run = PausedInvocation(cloud, event, "run-1", 300, JOURNAL_URL=folder.as_uri())

Each call of the operating system below the folder runs the cloud's hooks, as a call to OSS does: `("before", "file",
"link")`, then `("after", "file", "link")`. Nothing in `handler.journal.folder_store` knows of it.

A process that is killed does not run its `finally`, but a thread that a `Crash` goes through does. So while a `Crash`
is under way in a thread, what that thread would still do to the files has no effect and is another `Crash`.
"""

from __future__ import annotations

import contextlib
import io
import os
import pathlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.points import Crash
from tests.stubs.cloud import Cloud

_NAMES = (
    "open",
    "stat",
    "lstat",
    "listdir",
    "scandir",
    "mkdir",
    "rmdir",
    "link",
    "unlink",
    "rename",
    "replace",
    "fsync",
)
_CHANGES = frozenset({"mkdir", "rmdir", "link", "unlink", "rename", "replace"})


@contextlib.contextmanager
def file_crashes(cloud: Cloud, root: Path) -> Iterator[None]:
    """Run the cloud's hooks around every call below `root` meanwhile, and give the files there the cloud's time.

    Reading and closing what is open is no call of its own: it changes nothing. A first write to a file writes half of
    what it should, as a system may.
    """
    files = _Files(cloud, root)
    with contextlib.ExitStack() as stack:
        # Python 3.10 keeps functions of `os` and `io` in a class of pathlib's; later ones look them up when they call.
        accessor = getattr(pathlib, "_NormalAccessor", None)
        wrapped = {name: files.wrapped(name, getattr(os, name)) for name in _NAMES}
        for name, call in wrapped.items():
            stack.enter_context(patch.object(os, name, call))
            if name != "open" and hasattr(accessor, name):
                stack.enter_context(patch.object(accessor, name, staticmethod(call)))
        stack.enter_context(patch.object(os, "close", files.close))
        stack.enter_context(patch.object(io, "open", files.open))
        if accessor is not None:
            stack.enter_context(patch.object(accessor, "open", staticmethod(files.open)))
        yield


class _Files:
    """What lies below a folder."""

    def __init__(self, cloud: Cloud, root: Path) -> None:
        self._cloud = cloud
        self._root = os.fspath(root)
        self.descriptors: set[int] = set()
        """Those that are open there."""
        self._close = os.close
        self._open = io.open

    def wrapped(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        """A function of `os` that runs the hooks if it is about a file of ours."""

        def call(*args: Any, **kwargs: Any) -> Any:
            if kwargs.get("dir_fd") not in self.descriptors and not any(map(self._is_ours, args[:2])):
                return real(*args, **kwargs)

            def effect() -> Any:
                done = real(*args, **kwargs)
                if name == "open":
                    self.descriptors.add(done)
                elif name in _CHANGES:
                    self.changed(*args[:2])
                return done

            return self.around(name, effect)

        return call

    def around(self, name: str, effect: Callable[[], Any]) -> Any:
        """Do something to a file, with the hooks before and after."""
        if _is_dying():
            raise Crash
        self._cloud.run_hooks("before", "file", name)
        try:
            done = effect()
        except OSError:
            self._cloud.run_hooks("after", "file", name)
            raise
        try:
            self._cloud.run_hooks("after", "file", name)
        except BaseException:
            # The system closes what a process had open when it ends.
            if name == "open" and isinstance(done, int):
                self.close(done)
            elif hasattr(done, "close"):
                done.close()
            raise
        return done

    def close(self, descriptor: int) -> None:
        """`os.close`."""
        self.descriptors.discard(descriptor)
        self._close(descriptor)

    def open(self, file: Any, mode: str = "r", buffering: int = -1, *args: Any, **kwargs: Any) -> Any:
        """`io.open`, for files of ours with a write that can be told from the opening."""
        if not self._is_ours(file):
            return self._open(file, mode, buffering, *args, **kwargs)
        if "+" in mode or buffering != -1:
            raise NotImplementedError(f"file_crashes lacks open({mode!r}, {buffering})")
        raw = self.around("open", lambda: _RawFile(self, os.fspath(file), mode.replace("b", "").replace("t", "")))
        buffered = io.BufferedReader(raw) if raw.readable() else io.BufferedWriter(raw)
        return buffered if "b" in mode else io.TextIOWrapper(buffered, *args, **kwargs)

    def changed(self, *paths: Any) -> None:
        """Give what was changed, and the folders that it is in, the cloud's time: it is the time of the storage."""
        now = self._cloud.clock.now().timestamp()
        for path in paths:
            if self._is_ours(path) and not isinstance(path, int):
                for place in (Path(path), Path(path).parent):
                    with contextlib.suppress(OSError):
                        os.utime(place, (now, now))

    def _is_ours(self, path: Any) -> bool:
        if isinstance(path, int):
            return path in self.descriptors
        if not isinstance(path, (str, os.PathLike)):
            return False
        text = os.fspath(path)
        return isinstance(text, str) and (text == self._root or text.startswith(self._root + os.sep))


class _RawFile(io.FileIO):
    """A file of ours. The buffer above it calls `write` when it is flushed, and again for what is left."""

    def __init__(self, files: _Files, path: str, mode: str) -> None:
        super().__init__(path, mode)
        self._files = files
        self._path = path
        self._is_new = True
        files.descriptors.add(self.fileno())
        if mode != "r":
            files.changed(path)

    def write(self, data: Any, /) -> int:
        part = memoryview(data)
        if self._is_new:
            part = part[: max(1, len(part) // 2)]
        self._is_new = False

        def effect() -> int:
            written = super(_RawFile, self).write(part)
            self._files.changed(self._path)
            return written

        count: int = self._files.around("write", effect)
        return count

    def close(self) -> None:
        if not self.closed:
            self._files.descriptors.discard(self.fileno())
        super().close()


def _is_dying() -> bool:
    """Tell whether a Crash goes through this thread right now: the code that asks stands in a `finally`."""
    going = sys.exc_info()[1]
    while going is not None:
        if isinstance(going, Crash):
            return True
        going = going.__context__
    return False
