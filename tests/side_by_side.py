"""Things done at the same time, each in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable


def side_by_side(*acts: Callable[[], object]) -> None:
    """Begin all of them, and wait until all have ended."""
    threads = [threading.Thread(target=act) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
