"""The queues, through the SDK that manages SMQ (`mns-open`)."""

from __future__ import annotations

from typing import Any

from alibabacloud_credentials.client import Client as CredentialsChain
from alibabacloud_mns_open20220119 import models
from alibabacloud_mns_open20220119.client import Client
from darabonba.runtime import RuntimeOptions

from deploy.setup.found import Queue
from deploy.setup.services import call, config_for, refusal, require

_MISSING = frozenset({"QueueNotExist", "QueueNotExists"})


class Queues:
    """The queues of one region. Each method raises Problem."""

    def __init__(self, url: str, chain: CredentialsChain) -> None:
        self._client = Client(config_for(url, chain))
        self._runtime = RuntimeOptions()

    def queue(self, name: str) -> Queue | None:
        """Return a queue; None if there is none."""
        action = "mns:GetQueueAttributes"
        request = models.GetQueueAttributesRequest(queue_name=name)
        answer = call(action, lambda: self._client.get_queue_attributes_with_options(request, self._runtime), _MISSING)
        if answer is None or (answer.body and answer.body.code in _MISSING):
            return None
        body = _good(answer.body, action)
        kept = require(body.data, action).message_retention_period
        return Queue(None if kept is None else int(kept))

    def create(self, name: str, retention_seconds: int) -> None:
        """Make a queue."""
        request = models.CreateQueueRequest(queue_name=name, message_retention_period=retention_seconds)
        answer = call("mns:CreateQueue", lambda: self._client.create_queue_with_options(request, self._runtime))
        _good(answer and answer.body, "mns:CreateQueue")


def _good(body: Any, action: str) -> Any:
    """Return the body of an answer. Raises Problem for an error that came with HTTP 200."""
    require(body, action)
    if body.success is False:
        raise refusal(action, str(body.code), str(body.message), body.status)
    return body
