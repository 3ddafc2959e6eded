"""Function Compute 2.0, through its SDK."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import fc2
import requests
import urllib3.exceptions

from deploy.call import CONNECT_SECONDS, Call
from deploy.not_invoked import lost, refused
from deploy.reply import Reply, json_object
from handler.cloud.credentials import Credentials


class _Client(fc2.Client):  # type: ignore[misc] # (the SDK ships no types)
    """Keeps the answer. FcError has only its body, and the log is in the headers."""

    answer: requests.Response | None = None

    def _do_request(self, *args: Any, **kwargs: Any) -> requests.Response:
        self.answer = super()._do_request(*args, **kwargs)
        return self.answer


def invoke(call: Call, url: str, credentials: Credentials) -> Reply:
    """Invoke once. Raises NotInvoked."""
    service, _, function = call.name.partition("/")
    client = _Client(
        endpoint=url,
        accessKeyID=credentials.access_key_id,
        accessKeySecret=credentials.access_key_secret,
        securityToken=credentials.security_token,  # None would crash it
        Timeout=(CONNECT_SECONDS, call.answer_seconds),
    )
    headers = {"x-fc-invocation-type": call.invocation_type, "x-fc-log-type": call.log_type}
    try:
        with patch.object(fc2.client, "retries", 0):  # it would try five times to connect, for half a minute
            client.invoke_function(service, function, payload=call.event, headers=headers, qualifier=call.qualifier)
    except fc2.FcError as error:
        if client.answer is None:
            raise refused(error.status_code, json_object(error.message)) from None
    except (requests.RequestException, urllib3.exceptions.HTTPError, TypeError) as error:
        if client.answer is None:
            raise lost(error, url) from None
    if client.answer is None:  # it returns or raises only after that
        raise AssertionError
    return Reply.of(client.answer.headers, client.answer.content)
