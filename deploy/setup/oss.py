"""The bucket of the journal, through the SDK of OSS."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, TypeVar

import alibabacloud_oss_v2 as oss
import requests
import urllib3.exceptions

from deploy.problem import Problem
from deploy.setup.found import Bucket, Rule
from deploy.setup.services import AGAIN, CONNECT_SECONDS, READ_SECONDS, refusal, require
from handler.cloud.credentials import Credentials

_T = TypeVar("_T")
_NOT_AN_ANSWER = (SyntaxError, LookupError, ValueError, TypeError, AttributeError)


class Buckets:
    """The buckets as one region's endpoint shows them. Each method raises Problem."""

    def __init__(self, url: str, region: str, credentials: Credentials) -> None:
        config = oss.config.load_default()
        config.credentials_provider = oss.credentials.StaticCredentialsProvider(
            credentials.access_key_id, credentials.access_key_secret, credentials.security_token or None
        )
        config.endpoint = url
        config.region = region
        config.connect_timeout = CONNECT_SECONDS
        config.readwrite_timeout = READ_SECONDS
        config.retry_max_attempts = 1
        self._client = oss.Client(config)

    def bucket(self, name: str) -> Bucket | None:
        """Return a bucket; None if nobody has one of that name."""
        action = "oss:GetBucketInfo"
        request = oss.GetBucketInfoRequest(bucket=name)
        answer = _call(action, lambda: self._client.get_bucket_info(request), {"NoSuchBucket"})
        if answer is None:
            return None
        info = require(answer.bucket_info, action)
        return Bucket(
            region=str(require(info.location, action)),
            owner=str((info.owner and info.owner.id) or ""),
            acl=str(require(info.acl, action)),
            versioning=str(info.versioning or ""),
            rules=self._rules_of(name),
        )

    def _rules_of(self, name: str) -> tuple[Rule, ...]:
        request = oss.GetBucketLifecycleRequest(bucket=name)
        answer = _call(
            "oss:GetBucketLifecycle", lambda: self._client.get_bucket_lifecycle(request), {"NoSuchLifecycle"}
        )
        rules = answer.lifecycle_configuration.rules if answer and answer.lifecycle_configuration else ()
        enabled = [rule for rule in rules or () if rule.status != "Disabled"]
        return tuple(Rule(str(rule.id or "without a name"), str(rule.prefix or "")) for rule in enabled)

    def create(self, name: str) -> None:
        """Make a private bucket. One that somebody made meanwhile is not touched: it would change its ACL."""
        if self.bucket(name) is not None:
            raise Problem(f"bucket {name} has come into being meanwhile", "run it again, and look at what is there")
        request = oss.PutBucketRequest(bucket=name, acl="private")
        _call("oss:PutBucket", lambda: self._client.put_bucket(request))

    def enable_versioning(self, name: str) -> None:
        """Let a bucket keep what is deleted or overwritten."""
        status = oss.VersioningConfiguration(status="Enabled")
        request = oss.PutBucketVersioningRequest(bucket=name, versioning_configuration=status)
        _call("oss:PutBucketVersioning", lambda: self._client.put_bucket_versioning(request))


def _call(action: str, operation: Callable[[], _T], missing: Collection[str] = ()) -> _T | None:
    """Call an operation of OSS; see `services.call`."""
    try:
        return operation()
    except oss.exceptions.BaseError as error:
        cause: Any = error.unwrap() if isinstance(error, oss.exceptions.OperationError) else error
        code = getattr(cause, "code", None)
        if code in missing:
            return None
        if not code:
            raise Problem(f"{action}: no answer, so nobody can say whether it happened", AGAIN) from None
        problem = refusal(action, str(code), str(cause.message), getattr(cause, "status_code", None))
        if code == "AccessDenied" and action == "oss:GetBucketInfo":
            todo = f"the bucket may be somebody else's: choose another journal_bucket; {problem.todo}"
            raise Problem(str(problem), todo) from None
        raise problem from None
    except (requests.RequestException, urllib3.exceptions.HTTPError, *_NOT_AN_ANSWER):
        raise Problem(f"{action}: no answer that makes sense", AGAIN) from None
