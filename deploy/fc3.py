"""Function Compute 3.0, through its SDK."""

from __future__ import annotations

import io
from urllib.parse import urlsplit

from alibabacloud_credentials.client import Client as CredentialsChain
from alibabacloud_fc20230330 import models
from alibabacloud_fc20230330.client import Client
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from alibabacloud_tea_openapi.utils_models import Config
from darabonba.exceptions import UnretryableException
from darabonba.runtime import RuntimeOptions

from deploy.call import CONNECT_SECONDS, Call
from deploy.not_invoked import lost, refused
from deploy.reply import Reply


def invoke(call: Call, url: str, chain: CredentialsChain) -> Reply:
    """Invoke once: the SDK repeats nothing unless it is told to. Raises NotInvoked."""
    address = urlsplit(url)
    client = Client(Config(credential=chain, endpoint=address.netloc, protocol=address.scheme.upper()))
    request = models.InvokeFunctionRequest(body=io.BytesIO(call.event), qualifier=call.qualifier)
    headers = models.InvokeFunctionHeaders(x_fc_invocation_type=call.invocation_type, x_fc_log_type=call.log_type)
    runtime = RuntimeOptions(connect_timeout=CONNECT_SECONDS * 1000, read_timeout=call.answer_seconds * 1000)
    try:
        answer = client.invoke_function_with_options(call.name, request, headers, runtime)
    except AlibabaCloudException as error:
        raise refused(error.status_code, error.data or {}) from None
    except UnretryableException as error:
        raise lost(error, url) from None
    return Reply.of(answer.headers, answer.body.read() if answer.body else b"")
