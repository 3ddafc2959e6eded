"""The real SDK clients, as a function has them, for tests of the stubs."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import alibabacloud_oss_v2 as oss
import pytest
from alibabacloud_cas20200407 import models
from alibabacloud_cas20200407.client import Client as CasClient
from alibabacloud_oss_v2.exceptions import OperationError
from alibabacloud_tea_openapi.exceptions import ClientException, ServerException
from alibabacloud_tea_openapi.utils_models import Config
from darabonba.exceptions import UnretryableException
from darabonba.policy.retry import RetryOptions
from mns.account import Account
from mns.queue import Message

from tests.stubs.cloud import BUCKET, QUEUE

FAILURES = (ClientException, ServerException, UnretryableException)
"""What the SDK raises for an answer that is an error, or for none."""


class Clients:
    """One client of each SDK, made from nothing but the environment that a function would have."""

    def __init__(self, environ: dict[str, str], retry_options: RetryOptions | None = None) -> None:
        key, secret, token = (
            environ[f"ALIBABA_CLOUD_{name}"] for name in ("ACCESS_KEY_ID", "ACCESS_KEY_SECRET", "SECURITY_TOKEN")
        )
        cas = urlsplit(environ.get("CAS_ENDPOINT", "https://cas.aliyuncs.com"))
        self.cas = CasClient(
            Config(
                access_key_id=key,
                access_key_secret=secret,
                security_token=token,
                endpoint=cas.netloc,
                protocol=cas.scheme,
                retry_options=retry_options,
            )
        )
        config = oss.config.load_default()
        config.credentials_provider = oss.credentials.StaticCredentialsProvider(key, secret, token)
        config.region = "cn-hangzhou"
        config.endpoint = environ.get("OSS_ENDPOINT", "https://oss-cn-hangzhou-internal.aliyuncs.com")
        self.oss = oss.Client(config)
        self.smq = Account(environ["SMQ_ENDPOINT"], key, secret, token)

    def orders(self, **params: Any) -> models.ListUserCertificateOrderResponseBody:
        """Read a page of a list of orders; the parameters are those of the request."""
        request = models.ListUserCertificateOrderRequest(**params)
        return self.cas.list_user_certificate_order(request).body

    def renew(self, order_id: int) -> models.RenewCertificateOrderForPackageRequestResponseBody:
        """Buy a renewal."""
        request = models.RenewCertificateOrderForPackageRequestRequest(order_id=order_id)
        return self.cas.renew_certificate_order_for_package_request(request).body

    def append(self, key: str, position: int, body: bytes) -> int:
        """Append to an object of the journal's bucket; return where the next one goes."""
        request = oss.AppendObjectRequest(bucket=BUCKET, key=key, position=position, body=body)
        return int(self.oss.append_object(request).next_position)

    def get(self, key: str) -> bytes:
        """Read an object of the journal's bucket."""
        return bytes(self.oss.get_object(oss.GetObjectRequest(bucket=BUCKET, key=key)).body.read())

    def send(self, body: dict[str, Any], queue: str = QUEUE) -> Message:
        """Send a message, as JSON, and close the connection."""
        try:
            return self.smq.get_queue(queue).send_message(Message(json.dumps(body)))
        finally:
            self.smq.mns_client.close_connection()


def oss_code(failed: pytest.ExceptionInfo[OperationError]) -> Any:
    """The code of the error that OSS answered with."""
    return failed.value.unwrap().code


def code_of(call: Any, *args: Any, **kwargs: Any) -> tuple[str, int]:
    """Return the code and the status with which a call is refused."""
    with pytest.raises(ClientException) as refused:
        call(*args, **kwargs)
    return refused.value.code, refused.value.status_code
