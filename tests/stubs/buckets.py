"""OSS as whoever makes buckets sees it: buckets with what they say of themselves, and no objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from xml.sax.saxutils import escape

from tests.stubs.backend import ApiError, Backend, Refusal
from tests.stubs.clock import Clock
from tests.stubs.credentials import Credentials
from tests.stubs.signatures import Signed, oss_v4
from tests.stubs.wire import NotStubbed, Request, Response, new_id


@dataclass
class BucketState:
    """One bucket; `versioning` is empty until somebody decides about it."""

    owner: str
    location: str = "oss-cn-hangzhou"
    acl: str = "private"
    versioning: str = ""
    rules: list[tuple[str, str, str]] = field(default_factory=list)
    """Name, prefix and status of each lifecycle rule."""


class BucketsStub(Backend):
    """All the buckets that there are, since their names are unique among all accounts."""

    actions: ClassVar = frozenset({"GetBucketInfo", "GetBucketLifecycle", "PutBucket", "PutBucketVersioning"})
    refusals: ClassVar[dict[Refusal, tuple[str, int]]] = {
        "unknown key": ("InvalidAccessKeyId", 403),
        "expired token": ("SecurityTokenExpired", 403),
        "wrong signature": ("SignatureDoesNotMatch", 403),
        "too old": ("RequestTimeTooSkewed", 403),
        "denied": ("AccessDenied", 403),
    }

    def __init__(self, clock: Clock, credentials: Credentials, account_id: str) -> None:
        super().__init__(clock, credentials)
        self.account_id = account_id
        self.buckets: dict[str, BucketState] = {}
        self.between: Callable[[str], None] = lambda _: None
        """Called with each action before it is carried out: what others do meanwhile."""

    def to_json(self) -> dict[str, Any]:
        raise NotImplementedError

    def from_json(self, state: Mapping[str, Any]) -> None:
        raise NotImplementedError

    def render_error(self, error: ApiError) -> Response:
        inside = f"<Code>{error.code}</Code><Message>{escape(error.message)}</Message><RequestId>{_id()}</RequestId>"
        return _xml(f"<Error>{inside}</Error>", error.status)

    def _identify(self, request: Request) -> tuple[str, dict[str, str]]:
        bucket, _, key = request.path[1:].partition("/")
        action = {
            ("GET", "bucketInfo"): "GetBucketInfo",
            ("GET", "lifecycle"): "GetBucketLifecycle",
            ("PUT", "versioning"): "PutBucketVersioning",
            ("PUT", ""): "PutBucket",
        }.get((request.method, "".join(request.query)))
        if not action or not bucket or key:
            raise NotStubbed(f"BucketsStub lacks {request.method} {request.url}")
        return action, {"bucket": bucket}

    def _signed(self, request: Request) -> Signed:
        return oss_v4(request, request.path[1:].partition("/")[0], "")

    def _perform(self, action: str, params: dict[str, str], request: Request) -> Response:
        self.between(action)
        name = params["bucket"]
        if action == "PutBucket":
            return self._put(name, request)
        if name not in self.buckets:
            raise ApiError("NoSuchBucket", 404, "The specified bucket does not exist.")
        bucket = self.buckets[name]
        if bucket.owner != self.account_id:
            raise ApiError("AccessDenied", 403, "You do not have read permission on this bucket.")
        if action == "PutBucketVersioning":
            bucket.versioning = "Enabled" if b"<Status>Enabled</Status>" in request.body else "Suspended"
            return _xml("")
        return self._lifecycle(bucket) if action == "GetBucketLifecycle" else self._info(name, bucket)

    def _put(self, name: str, request: Request) -> Response:
        """As OSS does: of a bucket of one's own it changes the ACL."""
        acl = request.headers.get("x-oss-acl", "private")
        bucket = self.buckets.setdefault(name, BucketState(self.account_id))
        if bucket.owner != self.account_id:
            raise ApiError("BucketAlreadyExists", 409, "The requested bucket name is not available.")
        bucket.acl = acl
        return _xml("")

    def _info(self, name: str, bucket: BucketState) -> Response:
        versioning = f"<Versioning>{bucket.versioning}</Versioning>" if bucket.versioning else ""
        return _xml(
            f"<BucketInfo><Bucket><Name>{name}</Name><Location>{bucket.location}</Location>{versioning}"
            f"<Owner><ID>{bucket.owner}</ID><DisplayName>{bucket.owner}</DisplayName></Owner>"
            f"<AccessControlList><Grant>{bucket.acl}</Grant></AccessControlList></Bucket></BucketInfo>"
        )

    def _lifecycle(self, bucket: BucketState) -> Response:
        if not bucket.rules:
            raise ApiError("NoSuchLifecycle", 404, "No Row found in Lifecycle Table.")
        rules = "".join(
            f"<Rule><ID>{name}</ID><Prefix>{prefix}</Prefix><Status>{status}</Status>"
            f"<Expiration><Days>30</Days></Expiration></Rule>"
            for name, prefix, status in bucket.rules
        )
        return _xml(f"<LifecycleConfiguration>{rules}</LifecycleConfiguration>")


def _xml(inside: str, status: int = 200) -> Response:
    head = '<?xml version="1.0" encoding="UTF-8"?>\n' if inside else ""
    headers = {"Content-Type": "application/xml", "x-oss-request-id": _id()}
    return Response(status, headers, f"{head}{inside}".encode())


def _id() -> str:
    return new_id().hex[:24].upper()
