"""The platform's context of an invocation, as far as every runtime has it."""

from typing import Protocol


class Function(Protocol):
    """The part of the context that describes the function."""

    timeout: int
    """Seconds after which the platform ends the invocation."""


class Context(Protocol):
    """The context. `credentials` is not in it, since runtime 3.12 has none."""

    request_id: str
    region: str
    account_id: str
    function: Function
