"""What the operator decided: the environment variables, checked together. Their rows are in `variables`."""

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from handler.certificates.renewable import Kind
from handler.certificates.rules import Rules
from handler.errors import SettingsError
from handler.runtime.context import Context
from handler.runtime.misspelling import misspelt
from handler.runtime.variables import VARIABLES, OssPlace


class Settings(NamedTuple):
    """What the operator decided, with the defaults filled in."""

    cas_endpoint: str
    smq_queue: str
    alert_queue: str
    """Where alerts go; the same as `smq_queue` unless it was set."""
    smq_endpoint: str
    journal: OssPlace | Path
    oss_endpoint: str
    rules: Rules
    max_renewals_per_run: int
    max_renewals_per_day: int
    """Over all runs of a UTC day."""
    settle: timedelta
    """How long CAS may take to show a new order."""
    stalled_within: timedelta
    """How long before the old certificate's end people begin to be notified of a renewal that does not get on."""
    dry_run: bool
    expiry_events: tuple[str, ...]
    watch: frozenset[Kind]
    """What is looked at; orders always are."""
    deploy_to: tuple[str, ...]
    """Products to which a new certificate is deployed in the place of the one that it replaces; `*`: to all."""
    probe: bool
    """Whether deployed names are asked over TLS which certificate they serve."""
    deploy_contact: str
    """The id of the contact for deployment jobs; empty: the account's first."""


def settings_from(environ: Mapping[str, str], context: Context) -> Settings:
    """Read the settings.

    Raises SettingsError, which names every variable that is missing or wrong, its value and what is allowed, and every
    one whose name is a slip: left alone, the setting that was meant would quietly have its default.
    """
    values: dict[str, Any] = {}
    problems = [
        f"{name} is no setting; if {' or '.join(meant)} is meant, rename it, else remove it"
        for name, meant in misspelt(environ, [variable.name for variable in VARIABLES]).items()
    ]
    for variable in VARIABLES:
        text = environ.get(variable.name, "").strip()
        if not text and not (variable.blank_is_a_value and variable.name in environ):
            if variable.default is None:
                problems.append(f"{variable.name} is not set; it must be {variable.allowed}")
                continue
            text = variable.default.replace("<region>", context.region).replace("<account>", str(context.account_id))
        try:
            values[variable.field] = variable.parse(text)
        except ValueError:
            problems.append(f"{variable.name} is {_shown(text)}; it must be {variable.allowed}")
    if values.get("may_apply") and Kind.INSTANCE not in values.get("watch", (Kind.INSTANCE,)):
        problems.append("INSTANCES is 'apply', and WATCH leaves the instances out; add instances to it")
    if problems:
        raise SettingsError(problems)
    values["alert_queue"] = values["alert_queue"] or values["smq_queue"]
    rules = Rules(**{field: values.pop(field) for field in Rules._fields})
    return Settings(rules=rules, **values)


def _shown(text: str) -> str:
    """Quote a wrong value, without what may be secret in a URL: a password (with or without a scheme) and a query."""
    without_query = re.sub(r"(?s)(://[^?]*\?).*", r"\1***", text)
    return repr(re.sub(r"(?s)^(\w+://)?.*@", r"\1***@", without_query)[:200])
