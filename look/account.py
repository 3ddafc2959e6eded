"""Whose account is looked at, and with which settings: from the environment, with defaults for the rest."""

import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from alibabacloud_credentials.client import Client as CredentialsChain

from handler.cloud.credentials import Credentials
from handler.errors import SettingsError
from handler.runtime.settings import Settings, settings_from
from handler.runtime.variables import VARIABLES

TIMEOUT_SECONDS = 600
"""How long a look may take; nobody waits for less than all of it."""
PERMISSIONS = "yundun-cert:ListUserCertificateOrder, yundun-cert:ListInstances and yundun-cert:ListCertificates"
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


class CannotLook(Exception):
    """Why there was nothing to look at, in a sentence or two, with what a person can do."""


class Account(NamedTuple):
    """What the handler needs of an account."""

    environ: dict[str, str]
    """The environment that the handler gets: its settings and the credentials."""
    context: Any
    """The platform's context."""
    settings: Settings
    credentials: Credentials

    def shown_settings(self) -> str:
        """Return the settings that decide what a run would do, as NAME=VALUE."""
        known = {variable.name: self.environ.get(variable.name) or variable.default or "" for variable in VARIABLES}
        return " ".join(f"{name}={known[name]}" for name in _SHOWN if known.get(name))


def account_from(environ: Mapping[str, str], journal: Path) -> Account:
    """Return the account that the environment and the default credentials chain lead to; `journal`: a folder.

    The function's required settings are not needed. Raises CannotLook without credentials, or for a wrong setting.
    """
    settings = {
        **{name: value for name, value in environ.items() if not name.startswith("ALIBABA_CLOUD_")},
        **_NOT_FOR_A_LOOK,
        "JOURNAL_URL": journal.absolute().as_uri(),
    }
    context = SimpleNamespace(
        request_id=str(uuid.uuid4()),
        region=environ.get("ALIBABA_CLOUD_REGION_ID") or "cn-hangzhou",
        # No operation of CAS tells the account; for messages, which are not sent, it would matter.
        account_id=environ.get("ALIBABA_CLOUD_ACCOUNT_ID") or "0",
        function=SimpleNamespace(timeout=TIMEOUT_SECONDS),
    )
    try:
        checked = settings_from(settings, context)
    except SettingsError as wrong:
        raise CannotLook(f"a setting in the environment is wrong: {'; '.join(wrong.problems)}.") from None
    url = urlsplit(checked.cas_endpoint)
    if url.scheme != "https" and url.hostname not in _LOOPBACK:
        said = f"CAS_ENDPOINT is {checked.cas_endpoint}, and no credentials are sent without TLS: leave http:// away."
        raise CannotLook(said)
    credentials = default_credentials()
    settings |= {
        "ALIBABA_CLOUD_ACCESS_KEY_ID": credentials.access_key_id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": credentials.access_key_secret,
        "ALIBABA_CLOUD_SECURITY_TOKEN": credentials.security_token,
    }
    return Account(settings, context, checked, credentials)


def advice(errors: Iterable[str]) -> str:
    """Return what went wrong, each once, and what a person can do about it."""
    said = "; ".join(dict.fromkeys(errors))
    return f"{said}. To do: check credentials and network; the permissions that are needed are {PERMISSIONS}."


def default_credentials() -> Credentials:
    """Return what the default chain finds: the environment, the profile of the aliyun CLI, and so on.

    Raises CannotLook if it finds none.
    """
    try:
        found = CredentialsChain().get_credential()
    except Exception as nothing:  # noqa: BLE001 (a profile that is no JSON falls out of the chain as it comes)
        kind = type(nothing).__name__
        said = (
            f"no credentials were found ({kind}): run `aliyun configure`, or set ALIBABA_CLOUD_ACCESS_KEY_ID and "
            f"ALIBABA_CLOUD_ACCESS_KEY_SECRET; the permissions {PERMISSIONS} are enough."
        )
        raise CannotLook(said) from None
    return Credentials(found.access_key_id or "", found.access_key_secret or "", found.security_token or "")
