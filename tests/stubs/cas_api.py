"""How CAS speaks, whatever it is asked: signatures, parameters, answers, errors, and answers that are spoilt."""

from __future__ import annotations

import contextlib
import json
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, cast

from tests.stubs.backend import ApiError, Backend, Refusal
from tests.stubs.clock import Clock
from tests.stubs.credentials import Credentials
from tests.stubs.faults import ALTERED_ORDER_ID, Fault
from tests.stubs.signatures import Signed, acs3
from tests.stubs.wire import NotStubbed, Request, Response, new_id

HOST = "cas.aliyuncs.com"
LISTS = {
    "ListUserCertificateOrder": ("CertificateOrderList", "TotalCount"),
    "ListInstances": ("InstanceList", "TotalCount"),
    "ListCertificates": ("CertificateList", "TotalCount"),
    "ListContact": ("ContactList", "TotalCount"),
    "ListCloudResources": ("Data", "Total"),
    "ListDeploymentJob": ("Data", "Total"),
    "ListWorkerResource": ("Data", "Total"),
}
"""The keys under which each list has its rows and how many there are in all."""
ASKED_FOR = {
    "DescribeDeploymentJob": ("JobId", "Id"),
    "DescribeDeploymentJobStatus": ("JobId", ""),
    "ListWorkerResource": ("JobId", ""),
    "GetCertificateDetail": ("CertificateId", "CertificateId"),
}
"""What each of these is asked by, and under which key its answer has that, if it does."""
NEW_IDS = {"RenewCertificateOrderForPackageRequest": "OrderId", "CreateDeploymentJob": "JobId"}
"""The key of the id of what a call has made."""

BetweenPages = Callable[[str, int], object]
"""Called with the name of a list and the number of the page that was just answered. The name is that of the operation;
of ListUserCertificateOrder it is the OrderType."""


class CasApi(Backend):
    """The RPC style of CAS, API version 2020-04-07, without any operation."""

    refusals: ClassVar[dict[Refusal, tuple[str, int]]] = {
        "unknown key": ("InvalidAccessKeyId.NotFound", 404),
        "expired token": ("InvalidSecurityToken.Expired", 400),
        "wrong signature": ("SignatureDoesNotMatch", 403),
        "too old": ("InvalidTimeStamp.Expired", 400),
        "denied": ("NoPermission", 403),
    }

    def __init__(self, clock: Clock, credentials: Credentials) -> None:
        super().__init__(clock, credentials)
        self.between_pages: BetweenPages | None = None
        """What happens each time a page of a list has been answered. Not kept in the state."""

    def once_after_page(self, name: str, page: int, happens: Callable[[], object]) -> None:
        """Let something happen between that page and what is asked next: set `between_pages` for one reading."""

        def between_pages(answered: str, answered_page: int) -> None:
            if (answered, answered_page) == (name, page):
                self.between_pages = None
                happens()

        self.between_pages = between_pages

    def render_error(self, error: ApiError) -> Response:
        request_id = _request_id()
        body: dict[str, Any] = {
            "RequestId": request_id,
            "HostId": HOST,
            "Code": error.code,
            "Message": error.message,
            "Recommend": f"https://api.aliyun.com/troubleshoot?q={error.code}&product=cas&requestId={request_id}",
        }
        if error.code in {"NoPermission", "Forbidden.RAM"}:
            body["AccessDeniedDetail"] = {
                "AuthAction": f"yundun-cert:{error.action}",
                "AuthPrincipalType": "AssumedRoleUser",
                "NoPermissionType": "ImplicitDeny",
                "PolicyType": "AccountLevelIdentityBasedPolicy",
            }
        return _json_response(body, error.status, error.headers)

    @abstractmethod
    def _operate(self, action: str, params: Mapping[str, str]) -> dict[str, Any]:
        """Carry out an operation; its answer without the request id."""

    def _identify(self, request: Request) -> tuple[str, dict[str, str]]:
        action = request.headers.get("x-acs-action")
        if not action:
            raise NotStubbed(f"{type(self).__name__} answers RPC calls only, not {request.method} {request.url}")
        return action, request.query

    def _signed(self, request: Request) -> Signed:
        return acs3(request)

    def _perform(self, action: str, params: dict[str, str], request: Request) -> Response:
        answer = self._operate(action, params)
        if self.between_pages and action in LISTS:
            name = params.get("OrderType") or "CPACK" if action == "ListUserCertificateOrder" else action
            self.between_pages(name, answer["CurrentPage"])
        return _json_response({"RequestId": _request_id(), **answer})

    def _altered(self, action: str, fault: Fault, params: Mapping[str, str], answer: Response | None) -> Response:
        if fault.kind == "another":
            return self._about_another(action, params, answer)
        new_id_key = NEW_IDS.get(action, "OrderId")
        body: dict[str, Any] = json.loads(answer.body) if answer else {"RequestId": _request_id(), new_id_key: None}
        if fault.kind in ALTERED_ORDER_ID and new_id_key in body:
            _alter_new_id(fault, new_id_key, params, body)
        elif fault.kind not in ALTERED_ORDER_ID and action in LISTS and LISTS[action][0] in body:
            self._alter_list(action, fault, params, body)
        elif answer:  # an error, or of another action
            return answer
        return _json_response(body)

    def _about_another(self, action: str, params: Mapping[str, str], answer: Response | None) -> Response:
        """The answer about the one beside it; where there is none, the answer under the next id."""
        assert answer
        body: dict[str, Any] = json.loads(answer.body)
        if action not in ASKED_FOR or "Code" in body:
            return answer
        asked, key = ASKED_FOR[action]
        for beside in (int(params[asked]) - 1, int(params[asked]) + 1):
            with contextlib.suppress(ApiError):
                return _json_response(body | self._operate(action, {**params, asked: str(beside)}))
        return _json_response(body | ({key: int(params[asked]) + 1} if key else {}))

    def _alter_list(self, action: str, fault: Fault, params: Mapping[str, str], body: dict[str, Any]) -> None:
        rows_key, total_key = LISTS[action]
        if fault.kind == "no_list":
            del body[rows_key]
        elif fault.kind == "null_list":
            body[rows_key] = None
        elif fault.kind == "no_total":
            del body[total_key]
        elif fault.kind == "empty_list":
            body |= {rows_key: [], total_key: 0}
        elif fault.kind == "short_page":
            body[rows_key] = body[rows_key][: len(body[rows_key]) // 2]
        else:
            body[rows_key] = self._operate(action, {**params, "CurrentPage": "1"})[rows_key]


def missing(name: str) -> ApiError:
    """The error for a parameter that is not there."""
    return ApiError(f"Missing{name}", 400, f"{name} is mandatory for this action.")


def invalid(name: str) -> ApiError:
    """The error for a parameter that makes no sense."""
    return ApiError("InvalidParameter", 400, f"The parameter {name} is invalid.")


def required(params: Mapping[str, str], name: str) -> str:
    """A parameter that must be there."""
    text = params.get(name)
    if not text:
        raise missing(name)
    return text


def positive(params: Mapping[str, str], name: str, default: int | None = None) -> int:
    """A parameter that is a whole number above 0; mandatory if there is no default."""
    if not params.get(name) and default is not None:
        return default
    text = required(params, name)
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise invalid(name)
    return int(text)


def numbers(params: Mapping[str, str], name: str) -> list[int]:
    """A mandatory parameter that is a list of ids: with commas between them, or as a JSON array."""
    texts = required(params, name).strip("[]").split(",")
    if not all(text.strip().isascii() and text.strip().isdigit() for text in texts):
        raise invalid(name)
    return [int(text) for text in texts]


def _alter_new_id(fault: Fault, key: str, params: Mapping[str, str], body: dict[str, Any]) -> None:
    if fault.kind == "missing_order_id":
        del body[key]
    elif fault.kind != "old_order_id":
        body[key] = (str if fault.kind == "order_id_as_string" else int)(body[key])
    elif key in params:
        body[key] = int(params[key])


def _request_id() -> str:
    return str(new_id()).upper()


def _json_response(body: dict[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    common = {"Content-Type": "application/json;charset=utf-8", "x-acs-request-id": cast(str, body["RequestId"])}
    return Response(
        status, common | dict(headers or {}), json.dumps(body, ensure_ascii=False).encode("utf-8", "backslashreplace")
    )
