"""The facts of an account, printed: JSON for a bug report, and on the side what is not in it."""

import json
import sys
from urllib.parse import urlsplit

from handler.cloud.meter import Meter
from handler.runtime.clock import Clock
from look.account import CHINA, INTERNATIONAL, Account, said_of, todo
from look.cannot import CannotLook
from look.facts import facts, left_out
from look.read_only import ReadOnlyCas
from look.survey import Surveyor

MOST_LEFT_OUT = 20
_SITES = {CHINA: "China", INTERNATIONAL: "international"}


def show_facts(account: Account, clock: Clock) -> bool:
    """Print the facts as one JSON object, and on standard error what could not be looked at.

    Returns whether all that is watched could be. Raises CannotLook if nothing could.
    """
    endpoint = account.settings.cas_endpoint
    cas = ReadOnlyCas(endpoint, account.credentials, clock, Meter(clock), repeats=False)
    survey = Surveyor(cas.read, clock).survey(account.settings.watch)
    errors = {name: reading.error for name, reading in survey.lists.items() if reading.error}
    if len(errors) == len(survey.lists):
        raise CannotLook(f"{said_of(map(str, errors.values()))}. {todo()}")
    host = urlsplit(endpoint).hostname or ""
    print(json.dumps(facts(survey, _SITES.get(host, "another endpoint")), indent=1))
    for name, error in errors.items():
        print(f"{name}: {error}", file=sys.stderr)
    values = left_out(survey)
    if values:
        print("Left out of the facts, since any of it may be a name; add by hand what is none:", file=sys.stderr)
    for (name, field, value), times in values.most_common(MOST_LEFT_OUT):
        print(f"  {name}: {field} {account.credentials.redact(value)[:80]} ({times})", file=sys.stderr)
    return not any(survey.lists[name].of.kind for name in errors)
