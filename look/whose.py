"""Whose account is looked at: where the credentials were found, and what STS says of them."""

import contextlib
import json
from pathlib import Path
from typing import Any, NamedTuple

from alibabacloud_credentials.client import Client as CredentialsChain
from alibabacloud_credentials.utils import auth_constant, auth_util

from deploy.deployment import CHOICES
from deploy.problem import Problem
from deploy.setup.ram import identity
from deploy.setup.services import Endpoints
from handler.cloud.credentials import Credentials
from look.cannot import CannotLook

STS = Endpoints.of("").sts
PERMISSIONS = "yundun-cert:ListUserCertificateOrder, yundun-cert:ListInstances and yundun-cert:ListCertificates"
SHORTEST = 8
"""Characters of an access key; what is shorter is a slip, or an example."""


class Found(NamedTuple):
    """The credentials of the default chain, and where it has found them."""

    chain: CredentialsChain
    credentials: Credentials
    source: str
    """For a person."""


def find_credentials() -> Found:
    """Return what the default chain finds: the environment, the profile of the aliyun CLI, and so on.

    Raises CannotLook if it finds none.
    """
    try:
        chain = CredentialsChain()
        found = chain.get_credential()
    except Exception as nothing:  # noqa: BLE001 (a profile that is no JSON falls out of the chain as it comes)
        kind = type(nothing).__name__
        said = (
            f"no credentials were found ({kind}): run `aliyun configure`, or set ALIBABA_CLOUD_ACCESS_KEY_ID and "
            f"ALIBABA_CLOUD_ACCESS_KEY_SECRET, or write ~/.alibabacloud/credentials.ini (see docs/looking.md); the "
            f"permissions {PERMISSIONS} are enough."
        )
        raise CannotLook(said) from None
    credentials = Credentials(found.access_key_id or "", found.access_key_secret or "", found.security_token or "")
    source = _source(str(found.provider_name or ""))
    if min(len(credentials.access_key_id), len(credentials.access_key_secret)) < SHORTEST:
        raise CannotLook(
            f"the access key in {source} is none: it has less than {SHORTEST} characters. Put yours there."
        )
    return Found(chain, credentials, source)


def account_of(found: Found, chosen: str, *, sts: str | None) -> str:
    """Return in a sentence whose account that is, as STS at the URL `sts` says.

    `chosen`: the account that the operator has chosen; empty for none. `sts` is None where nobody can be asked. Raises
    CannotLook if it is another account: what would be deployed to one says nothing of the other.
    """
    hoped = f"; {CHOICES} says {chosen}, which nobody has verified" if chosen else ""
    if sts is None:
        return f"Whose account it is was not asked, since CAS_ENDPOINT is on this machine{hoped}."
    try:
        account, arn = identity(sts, found.chain)
    except Problem as problem:
        return f"Whose account it is could not be found out ({found.credentials.redact(str(problem))}){hoped}."
    if chosen and account != chosen:
        raise CannotLook(
            f"the credentials are of account {account}, and {CHOICES} says {chosen}. Use those of the other account, "
            f"or look at this one without that file: make look ARGS=--defaults"
        )
    return f"Account {account}, as {arn}{f', which {CHOICES} says, too' if chosen else ''}."


def _source(provider: str) -> str:
    """Return where the chain has found something, from the name that it has for that place."""
    file = auth_util.environment_credentials_file or "~/.alibabacloud/credentials.ini"
    places = {
        "env": "the environment (ALIBABA_CLOUD_ACCESS_KEY_ID)",
        "cli_profile": f"the profile {_profile()} of the aliyun command line tool (~/.aliyun/config.json)",
        "profile": f"the section {auth_util.client_type} of the credentials file {file}",
        "oidc_role_arn": "the environment (ALIBABA_CLOUD_OIDC_TOKEN_FILE)",
        "ecs_ram_role": "the role of this machine (ECS)",
        "credential_uri": "the address in ALIBABA_CLOUD_CREDENTIALS_URI",
    }
    words = provider.split("/")
    return next((places[word] for word in words if word in places), provider or "the default chain")


def _profile() -> str:
    """Return the name of the profile that the command line tool uses."""
    name: Any = auth_util.environment_profile_name
    if not name:
        with contextlib.suppress(OSError, ValueError, AttributeError):
            text = (Path(auth_constant.HOME) / ".aliyun" / "config.json").read_text("utf-8")
            name = json.loads(text).get("current")
    return str(name or "in use")
