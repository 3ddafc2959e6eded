"""What the operator has chosen for the deployment, in `s.mine.yaml`: a look is at what would be deployed."""

from collections.abc import Mapping
from typing import NamedTuple

from deploy import deployment
from deploy.deployment import CHOICES, PLACEHOLDERS, read_deployment
from deploy.problem import Problem
from look.cannot import CannotLook


class Choices(NamedTuple):
    """What a look takes from the operator's file; nothing where there is none."""

    said: str
    """In a sentence, whether it was read."""
    settings: Mapping[str, str] = {}
    """The function's settings, as they would be deployed."""
    region: str = ""
    account: str = ""
    """The account's id; empty if nobody has put one there."""
    warnings: tuple[str, ...] = ()


def read_choices(*, aside: bool) -> Choices:
    """Read the operator's file; `aside`: leave it alone. Raises CannotLook if it is there and no deployment."""
    if not (deployment.ROOT / CHOICES).exists():
        return Choices(f"There is no {CHOICES}, so the settings are the defaults of the function.")
    if aside:
        return Choices(f"{CHOICES} was left aside (--defaults), so the settings are the defaults of the function.")
    try:
        chosen = read_deployment()
    except Problem as problem:
        raise CannotLook(f"{problem.line} ARGS=--defaults looks without it.") from None
    account = "" if chosen.account == PLACEHOLDERS["account"] else chosen.account
    return Choices(f"The settings are those of {CHOICES}.", chosen.environment, chosen.region, account, chosen.warnings)
