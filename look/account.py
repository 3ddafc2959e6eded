"""What the handler is given for a look: settings of the environment, over the operator's choices or the defaults."""

import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from deploy.deployment import CHOICES
from handler.cloud.credentials import Credentials
from handler.errors import SettingsError
from handler.runtime.settings import Settings, settings_from
from handler.runtime.variables import VARIABLES
from look.cannot import CannotLook
from look.choices import Choices
from look.whose import PERMISSIONS, Found

TIMEOUT_SECONDS = 600
"""How long a look may take; nobody waits for less than all of it."""
CHINA, INTERNATIONAL = "cas.aliyuncs.com", "cas.ap-southeast-1.aliyuncs.com"

_NOT_FOR_A_LOOK = {
    "DRY_RUN": "true",
    "SMQ_QUEUE": "no-queue",
    "ALERT_QUEUE": "",
    "SMQ_ENDPOINT": "https://no-queue.invalid",
    "OSS_ENDPOINT": "",
}
"""What a look has in any case, whatever the environment says; and where the journal is, see `account_from`."""
_SHOWN = (
    *("CAS_ENDPOINT", "WATCH", "RENEW_WITHIN_DAYS", "RENEW_STATUSES", "RENEW_DOMAINS", "RENEW_DOMAINS_EXCEPT"),
    *("MAX_RENEWALS_PER_RUN", "MAX_RENEWALS_PER_DAY", "INSTANCES", "DEPLOY_TO"),
)
"""The settings that decide what a run would do."""
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Account(NamedTuple):
    """What the handler needs of an account."""

    environ: dict[str, str]
    """The environment that the handler gets: its settings and the credentials."""
    context: Any
    """The platform's context."""
    settings: Settings
    credentials: Credentials
    overlaid: tuple[str, ...]
    """The settings that the environment, or the command line of make, has given."""

    def shown_settings(self) -> str:
        """Return the settings that decide what a run would do, as NAME=VALUE."""
        known = {variable.name: self.environ.get(variable.name) or variable.default or "" for variable in VARIABLES}
        return " ".join(f"{name}={known[name]}" for name in _SHOWN)

    @property
    def is_on_this_machine(self) -> bool:
        """Whether CAS is a stand-in here."""
        return urlsplit(self.settings.cas_endpoint).hostname in _LOOPBACK


def account_from(environ: Mapping[str, str], choices: Choices, found: Found, journal: Path) -> Account:
    """Return what the handler is given; `journal`: a folder.

    What the environment has goes before the operator's choices, and these before the defaults. The function's required
    settings are not needed. Raises CannotLook for a wrong setting.
    """
    settings = {
        **choices.settings,
        **{name: value for name, value in environ.items() if not name.startswith("ALIBABA_CLOUD_")},
        **_NOT_FOR_A_LOOK,
        "JOURNAL_URL": journal.absolute().as_uri(),
    }
    context = SimpleNamespace(
        request_id=str(uuid.uuid4()),
        region=choices.region or environ.get("ALIBABA_CLOUD_REGION_ID") or "cn-hangzhou",
        # No operation of CAS tells the account; for messages, which are not sent, it would matter.
        account_id=choices.account or environ.get("ALIBABA_CLOUD_ACCOUNT_ID") or "0",
        function=SimpleNamespace(timeout=TIMEOUT_SECONDS),
    )
    try:
        checked = settings_from(settings, context)
    except SettingsError as wrong:
        where = f"the environment or {CHOICES}" if choices.settings else "the environment"
        raise CannotLook(f"a setting in {where} is wrong: {'; '.join(wrong.problems)}.") from None
    url = urlsplit(checked.cas_endpoint)
    if url.scheme != "https" and url.hostname not in _LOOPBACK:
        said = f"CAS_ENDPOINT is {checked.cas_endpoint}, and no credentials are sent without TLS: leave http:// away."
        raise CannotLook(said)
    credentials = found.credentials
    settings |= {
        "ALIBABA_CLOUD_ACCESS_KEY_ID": credentials.access_key_id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": credentials.access_key_secret,
        "ALIBABA_CLOUD_SECURITY_TOKEN": credentials.security_token,
    }
    overlaid = tuple(name for name in _SHOWN if name in environ)
    return Account(settings, context, checked, credentials, overlaid)


def todo() -> str:
    """Return what a person can do about a look that did not come about."""
    return f"To do: check credentials and network; the permissions that are needed are {PERMISSIONS}."


def said_of(errors: Iterable[str]) -> str:
    """Return what went wrong, each once."""
    return "; ".join(dict.fromkeys(errors))
