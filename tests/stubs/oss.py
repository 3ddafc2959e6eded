"""Object Storage Service: objects that are put, or grown by compare-and-append."""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Any, ClassVar, Literal
from urllib.parse import quote
from xml.sax.saxutils import escape

from alibabacloud_oss_v2.crc import Crc64

from tests.stubs.backend import ApiError, Backend, Refusal
from tests.stubs.clock import Clock
from tests.stubs.credentials import Credentials
from tests.stubs.signatures import Signed, oss_region, oss_v4
from tests.stubs.wire import NotStubbed, Request, Response, new_id

_BUCKET_IN_HOST = re.compile(r"(?P<bucket>[a-z0-9-]+)\.oss-[a-z0-9-]+\.aliyuncs\.com")
_ERROR_CODES = {
    "AccessDenied": "0003-00000001",
    "FileAlreadyExists": "0026-00000003",
    "InvalidAccessKeyId": "0002-00000002",
    "NoSuchBucket": "0015-00000101",
    "NoSuchKey": "0026-00000001",
    "ObjectNotAppendable": "0026-00000017",
    "PositionNotEqualToLength": "0026-00000016",
    "SecurityTokenExpired": "0002-00000007",
    "SignatureDoesNotMatch": "0002-00000040",
}


@dataclass
class StoredObject:
    """One object; `modified` is the time of its last write."""

    data: bytes
    appendable: bool
    modified: datetime
    storage: Literal["Standard", "Archive"] = "Standard"

    @property
    def kind(self) -> str:
        """The type as lists and headers name it."""
        return "Appendable" if self.appendable else "Normal"

    @property
    def etag(self) -> str:
        """An ETag in quotation marks."""
        return f'"{hashlib.md5(self.data).hexdigest().upper()}"'

    @property
    def crc64(self) -> str:
        """The CRC-64/ECMA-182 of the data, a decimal number. The SDK compares it after a PutObject."""
        crc = Crc64(init_crc=0)
        crc.update(self.data)
        return str(crc.sum64())


class OssStub(Backend):
    """Objects in buckets, addressed by virtual host (`bucket.oss-region…`) or by path (an IP endpoint).

    `page_limit` is small on purpose, so that whoever lists has to page. `history` keeps every write of a client for
    ever: a test can prove from it that nothing that was written once was lost or changed later. What people do to a
    bucket is not in it: `restore_as_ordinary`, `archive`, `deny_reading`, `put_marker`.
    """

    actions: ClassVar = frozenset(
        {"AppendObject", "PutObject", "GetObject", "HeadObject", "DeleteObject", "ListObjectsV2"}
    )
    refusals: ClassVar[dict[Refusal, tuple[str, int]]] = {
        "unknown key": ("InvalidAccessKeyId", 403),
        "expired token": ("SecurityTokenExpired", 403),
        "wrong signature": ("SignatureDoesNotMatch", 403),
        "too old": ("RequestTimeTooSkewed", 403),
        "denied": ("AccessDenied", 403),
    }
    settings: ClassVar = ("page_limit",)

    def __init__(
        self,
        clock: Clock,
        credentials: Credentials,
        buckets: Sequence[str] = ("journal-bucket",),
        region: str = "cn-hangzhou",
    ) -> None:
        super().__init__(clock, credentials)
        self.page_limit = 3
        self.region = region
        self.buckets = set(buckets)
        self.objects: dict[tuple[str, str], StoredObject] = {}
        self.history: list[tuple[str, str, bytes]] = []
        self._unreadable: set[tuple[str, str]] = set()

    # What people do to a bucket; a key is the whole key, such as `renewals/orders/1`

    def restore_as_ordinary(self, key: str, bucket: str | None = None) -> None:
        """The object is copied back from somewhere: the same bytes, and nothing can be appended to it any more."""
        with self._lock:
            stored = self.objects[self._only(bucket), key]
            stored.appendable, stored.modified = False, self.clock.now()

    def archive(self, key: str, bucket: str | None = None) -> None:
        """The object goes to the archive: it is still listed, and cannot be read or appended to."""
        self.objects[self._only(bucket), key].storage = "Archive"

    def deny_reading(self, key: str, bucket: str | None = None) -> None:
        """Nobody may read that one object any more, such as by its ACL; it need not exist."""
        self._unreadable.add((self._only(bucket), key))

    def put_marker(self, key: str, bucket: str | None = None) -> None:
        """Put an object without a byte in it, over what was there; consoles make them for folders: `renewals/open/`."""
        self.objects[self._only(bucket), key] = StoredObject(b"", appendable=False, modified=self.clock.now())

    def _only(self, bucket: str | None) -> str:
        if bucket is None:
            (bucket,) = self.buckets
        return bucket

    def respond(self, request: Request) -> Response:
        response = super().respond(request)
        if request.method != "HEAD":
            return response
        # An answer to HEAD has no body, so OSS puts the error into a header.
        error = {"x-oss-err": b64encode(response.body).decode()} if response.body else {}
        return Response(response.status, response.headers | error)

    def to_json(self) -> dict[str, Any]:
        with self._lock:
            return super().to_json() | {
                "buckets": sorted(self.buckets),
                "objects": [
                    {
                        "bucket": bucket,
                        "key": key,
                        "data": b64encode(stored.data).decode(),
                        "appendable": stored.appendable,
                        "modified": stored.modified.isoformat(),
                        "storage": stored.storage,
                    }
                    for (bucket, key), stored in self.objects.items()
                ],
                "unreadable": sorted(self._unreadable),
                "history": [[key, write, b64encode(data).decode()] for key, write, data in self.history],
            }

    def from_json(self, state: Mapping[str, Any]) -> None:
        with self._lock:
            super().from_json(state)
            self.buckets = set(state["buckets"])
            self.objects = {
                (stored["bucket"], stored["key"]): StoredObject(
                    b64decode(stored["data"]),
                    stored["appendable"],
                    datetime.fromisoformat(stored["modified"]),
                    stored["storage"],
                )
                for stored in state["objects"]
            }
            self._unreadable = {(bucket, key) for bucket, key in state["unreadable"]}
            self.history = [(key, write, b64decode(data)) for key, write, data in state["history"]]

    def render_error(self, error: ApiError) -> Response:
        request_id = _request_id()
        code = _ERROR_CODES.get(error.code, "")
        fields = {
            "Code": error.code,
            "Message": error.message,
            "RequestId": request_id,
            "HostId": f"oss-{self.region}.aliyuncs.com",
            "EC": code,
        }
        inside = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
        body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inside}</Error>'.encode()
        headers = {"Content-Type": "application/xml", "x-oss-request-id": request_id, "x-oss-ec": code}
        return Response(error.status, headers | error.headers, body)

    def _identify(self, request: Request) -> tuple[str, dict[str, str]]:
        bucket, key = _address(request)
        action = None
        if not key and request.method == "GET" and request.query.get("list-type") == "2":
            action = "ListObjectsV2"
        elif key and request.method == "POST" and "append" in request.query:
            action = "AppendObject"
        elif key and not request.query:
            action = {"PUT": "PutObject", "GET": "GetObject", "HEAD": "HeadObject", "DELETE": "DeleteObject"}.get(
                request.method
            )
        lacking = {"range", "if-match", "if-none-match", "x-oss-copy-source"} & {
            name.lower() for name in request.headers
        }
        if not action or lacking or "delimiter" in request.query:
            raise NotStubbed(f"OssStub lacks {request.method} {request.url} {' '.join(sorted(lacking))}".rstrip())
        return action, {"bucket": bucket, "key": key, **request.query}

    def _signed(self, request: Request) -> Signed:
        return oss_v4(request, *_address(request))

    def _authenticate(self, request: Request) -> None:
        super()._authenticate(request)
        if oss_region(request) != self.region:
            raise ApiError("InvalidArgument", 400, "Invalid signing region in Authorization header.")

    def _perform(self, action: str, params: dict[str, str], request: Request) -> Response:
        bucket, key = params["bucket"], params["key"]
        if bucket not in self.buckets:
            raise ApiError("NoSuchBucket", 404, "The specified bucket does not exist.")
        if action == "ListObjectsV2":
            return self._list(bucket, params)
        if action == "AppendObject":
            return self._append(bucket, key, params, request.body)
        if action == "PutObject":
            return self._put(bucket, key, request)
        if action == "DeleteObject":
            if self.objects.pop((bucket, key), None):
                self.history.append((key, "delete", b""))
            return Response(204, {"x-oss-request-id": _request_id()})
        return self._read(bucket, key, action)

    def _append(self, bucket: str, key: str, params: Mapping[str, str], body: bytes) -> Response:
        if not params.get("position", "").isdigit():
            raise ApiError("InvalidArgument", 400, "The position must be a number that is not negative.")
        stored = self.objects.get((bucket, key)) or StoredObject(b"", appendable=True, modified=self.clock.now())
        if stored.storage == "Archive":
            raise _archived()
        if not stored.appendable:
            raise ApiError("ObjectNotAppendable", 409, "The object is not appendable")
        if int(params["position"]) != len(stored.data):
            length = {"x-oss-next-append-position": str(len(stored.data))}
            raise ApiError("PositionNotEqualToLength", 409, "Position is not equal to file length", length)
        self.objects[(bucket, key)] = stored
        stored.data += body
        stored.modified = self.clock.now()
        self.history.append((key, "append", body))
        return Response(200, _object_headers(stored))

    def _put(self, bucket: str, key: str, request: Request) -> Response:
        if request.headers.get("x-oss-forbid-overwrite", "").lower() == "true" and (bucket, key) in self.objects:
            raise ApiError(
                "FileAlreadyExists", 409, "The object you specified already exists and can not be overwritten."
            )
        stored = StoredObject(request.body, appendable=False, modified=self.clock.now())
        self.objects[(bucket, key)] = stored
        self.history.append((key, "put", request.body))
        return Response(200, _object_headers(stored))

    def _read(self, bucket: str, key: str, action: str) -> Response:
        if (bucket, key) in self._unreadable:
            raise ApiError("AccessDenied", 403, "You have no right to access this object.")
        stored = self.objects.get((bucket, key))
        if stored is None:
            raise ApiError("NoSuchKey", 404, "The specified key does not exist.")
        if stored.storage == "Archive" and action == "GetObject":
            raise _archived()
        headers = _object_headers(stored) | {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(len(stored.data)),
            "Last-Modified": format_datetime(stored.modified, usegmt=True),
        }
        return Response(200, headers, stored.data if action == "GetObject" else b"")

    def _list(self, bucket: str, params: Mapping[str, str]) -> Response:
        prefix = params.get("prefix", "")
        token = params.get("continuation-token")
        after = b64decode(token).decode() if token else params.get("start-after", "")
        size = min(int(params.get("max-keys", 100)), self.page_limit)
        keys = sorted(key for owner, key in self.objects if owner == bucket and key.startswith(prefix))
        if delimiter := params.get("delimiter"):
            keys = sorted({_folder(key, prefix, delimiter) or key for key in keys})
        keys = [key for key in keys if key > after]
        shown, more = keys[:size], len(keys) > size
        folders = [key for key in shown if delimiter and key.endswith(delimiter)]
        shape = quote if params.get("encoding-type") == "url" else escape
        fields = {
            "Name": bucket,
            "Prefix": shape(prefix),
            "MaxKeys": str(size),
            "EncodingType": params.get("encoding-type", ""),
            "IsTruncated": str(more).lower(),
            "KeyCount": str(len(shown)),
        }
        if more:
            fields["NextContinuationToken"] = b64encode(shown[-1].encode()).decode()
        inside = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items() if value)
        inside += "".join(_list_entry(shape(key), self.objects[(bucket, key)]) for key in shown if key not in folders)
        inside += "".join(f"<CommonPrefixes><Prefix>{shape(key)}</Prefix></CommonPrefixes>" for key in folders)
        body = f'<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult>{inside}</ListBucketResult>'
        return Response(200, {"Content-Type": "application/xml", "x-oss-request-id": _request_id()}, body.encode())


def _folder(key: str, prefix: str, delimiter: str) -> str:
    """What a list with a delimiter shows in the place of a key; nothing if that is the key itself."""
    name, mark, _ = key.removeprefix(prefix).partition(delimiter)
    return f"{prefix}{name}{mark}" if mark else ""


def _address(request: Request) -> tuple[str, str]:
    """Bucket and key; the key is empty for an operation on the bucket."""
    virtual = _BUCKET_IN_HOST.fullmatch(request.hostname)
    if virtual:
        return virtual["bucket"], request.path[1:]
    bucket, _, key = request.path[1:].partition("/")
    if not bucket:
        raise NotStubbed(f"OssStub lacks {request.method} {request.url}: it names no bucket")
    return bucket, key


def _object_headers(stored: StoredObject) -> dict[str, str]:
    headers = {
        "x-oss-request-id": _request_id(),
        "x-oss-object-type": stored.kind,
        "x-oss-hash-crc64ecma": stored.crc64,
        "ETag": stored.etag,
    }
    if stored.appendable:
        headers["x-oss-next-append-position"] = str(len(stored.data))
    return headers


def _list_entry(key: str, stored: StoredObject) -> str:
    modified = stored.modified.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return (
        f"<Contents><Key>{key}</Key><LastModified>{modified}</LastModified><ETag>{stored.etag}</ETag>"
        f"<Type>{stored.kind}</Type><Size>{len(stored.data)}</Size><StorageClass>{stored.storage}</StorageClass></Contents>"
    )


def _archived() -> ApiError:
    return ApiError("InvalidObjectState", 403, "The operation is not valid for the object's state")


def _request_id() -> str:
    return new_id().hex[:24].upper()
