"""The operator's credentials: the default chain of Alibaba Cloud, as its other tools find them."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

from alibabacloud_credentials.client import Client as CredentialsChain
from alibabacloud_credentials.exceptions import CredentialException

from deploy.problem import Problem
from handler.cloud.credentials import Credentials

NOT_FOUND = "no credentials were found in the environment, the configuration of the aliyun CLI or anywhere else"
TODO = "run `aliyun configure`, or set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET"


def credentials_in_force() -> tuple[CredentialsChain, Credentials]:
    """Return the chain, and what it finds now. Raises Problem if it finds none.

    The chain looks at a good many places, and says at length of each in the log why there is none: of that, nothing is
    shown.
    """
    with silent_sdks():
        try:
            chain = CredentialsChain()
            found: Any = chain.get_credential()
        except (CredentialException, OSError, ValueError):  # such as a profile that cannot be read
            raise Problem(NOT_FOUND, TODO) from None
    if not found.access_key_id or not found.access_key_secret:
        raise Problem(NOT_FOUND, TODO)
    return chain, Credentials(found.access_key_id, found.access_key_secret, found.security_token or "")


@contextlib.contextmanager
def silent_sdks() -> Iterator[None]:
    """Let no library log: fc2 logs the headers of a failed request, the others do if DEBUG=sdk; a token is in them."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
