"""What one invocation works with, handed from the door to everything behind it."""

from datetime import datetime
from typing import NamedTuple

from handler.cloud.meter import Meter
from handler.cloud.smq import Smq
from handler.journal.journal import Journal
from handler.journal.store import Store
from handler.orders.service import OrderService
from handler.runtime.clock import Clock
from handler.runtime.log import Log
from handler.runtime.settings import Settings

RESERVE_SECONDS = 5
"""Kept for recording and publishing."""


class Invocation(NamedTuple):
    """The services, the settings and the time of one invocation."""

    request_id: str
    account_id: str
    region: str
    started: datetime
    deadline: datetime
    """When the platform ends the invocation; nobody calls CAS to buy after it."""
    settings: Settings
    clock: Clock
    log: Log
    cas: OrderService
    queue: Smq
    store: Store
    journal: Journal
    meter: Meter

    def timeout(self) -> float:
        """Return how many seconds the platform gives an invocation."""
        return (self.deadline - self.started).total_seconds()

    def seconds_left(self) -> float:
        """Return how long the invocation may still last."""
        return (self.deadline - self.clock.now()).total_seconds()

    def may_write(self) -> bool:
        """Tell whether another entry or message can be written before the invocation ends."""
        return self.seconds_left() > RESERVE_SECONDS
