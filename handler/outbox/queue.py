"""What the outbox needs of a queue: the port that another queue than SMQ has to fill."""

from typing import Protocol


class Queue(Protocol):
    """The queues of one account and region. Whoever opens it, the door, closes it."""

    def send(self, queue: str, body: str) -> str:
        """Send a message to the queue of that name and return the id that the queue gave it.

        A message may be sent more than once. Raises PublishFailed if it is not known to be on the queue.
        """

    def probe(self, queue: str) -> None:
        """Ask whether the queue of that name is there. Raises PublishFailed if it cannot be used."""
