"""The operator's rules: what may be renewed, whoever asks."""

from datetime import timedelta
from typing import NamedTuple


class Rules(NamedTuple):
    """What the operator allows."""

    within: timedelta
    """What ends later than this from now is left alone; exactly then, it is not."""
    statuses: frozenset[str]
    domains: tuple[str, ...]
    domains_except: tuple[str, ...]
