"""What `make setup` talks to besides OSS: STS, RAM and the management of SMQ, for one account, in one stub."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from tests.stubs.backend import ApiError, Backend, Refusal
from tests.stubs.cas_api import required
from tests.stubs.clock import Clock
from tests.stubs.credentials import Credentials
from tests.stubs.signatures import Signed, acs3
from tests.stubs.wire import NotStubbed, Request, Response, new_id

MOST_VERSIONS = 5
LONGEST_POLICY = 6144


@dataclass
class PolicyState:
    """A custom policy: its versions in order, and to whom it is attached besides the roles of the stub."""

    versions: dict[str, str]
    default: str
    attached_elsewhere: int = 0
    made: int = 1


@dataclass
class RoleState:
    """A role: who may take it, and its policies as (type, name)."""

    trust: str
    policies: list[tuple[str, str]] = field(default_factory=list)


class AccountStub(Backend):
    """The account itself: its id, its roles and policies, and its queues with what they say of themselves."""

    actions: ClassVar = frozenset(
        {
            *("GetCallerIdentity", "GetRole", "ListPoliciesForRole", "GetPolicy", "CreateRole", "CreatePolicy"),
            *("CreatePolicyVersion", "AttachPolicyToRole", "GetQueueAttributes", "CreateQueue"),
        }
    )
    refusals: ClassVar[dict[Refusal, tuple[str, int]]] = {
        "unknown key": ("InvalidAccessKeyId.NotFound", 404),
        "expired token": ("InvalidSecurityToken.Expired", 400),
        "wrong signature": ("SignatureDoesNotMatch", 400),
        "too old": ("InvalidTimeStamp.Expired", 400),
        "denied": ("NoPermission", 403),
    }

    def __init__(self, clock: Clock, credentials: Credentials, account_id: str) -> None:
        super().__init__(clock, credentials)
        self.account_id = account_id
        self.roles: dict[str, RoleState] = {}
        self.policies: dict[str, PolicyState] = {}
        self.queues: dict[str, int | None] = {}
        """How long each keeps its messages; None: it does not say."""
        self.errors_with_200 = False
        """Whether SMQ says what is wrong in an answer whose HTTP status is 200."""
        self.ignores_set_as_default = False
        """Whether a new version of a policy is never in force at once, whatever is asked for."""
        self.between: Callable[[str], None] = lambda _: None
        """Called with each action before it is carried out: what others do meanwhile."""

    def to_json(self) -> dict[str, Any]:
        raise NotImplementedError

    def from_json(self, state: Mapping[str, Any]) -> None:
        raise NotImplementedError

    def render_error(self, error: ApiError) -> Response:
        if self.errors_with_200 and error.code.startswith("Queue"):
            return _json({"Success": False, "Status": error.status, "Code": error.code, "Message": error.message})
        return _json({"Code": error.code, "Message": error.message, "HostId": "stub"}, error.status)

    def _identify(self, request: Request) -> tuple[str, dict[str, str]]:
        action = request.headers.get("x-acs-action")
        if not action:
            raise NotStubbed(f"AccountStub answers RPC calls only, not {request.method} {request.url}")
        return action, request.query

    def _signed(self, request: Request) -> Signed:
        return acs3(request)

    def _perform(self, action: str, params: dict[str, str], request: Request) -> Response:
        self.between(action)
        return _json(getattr(self, f"_{action}")(params))

    def _GetCallerIdentity(self, params: Mapping[str, str]) -> dict[str, Any]:  # noqa: N802
        arn = f"acs:ram::{self.account_id}:user/operator"
        return {"AccountId": self.account_id, "Arn": arn, "IdentityType": "RAMUser"}

    def _GetRole(self, params: Mapping[str, str]) -> dict[str, Any]:  # noqa: N802
        name = required(params, "RoleName")
        return {"Role": {"RoleName": name, "AssumeRolePolicyDocument": self._role(name).trust}}

    def _ListPoliciesForRole(self, params: Mapping[str, str]) -> dict[str, Any]:  # noqa: N802
        attached = self._role(required(params, "RoleName")).policies
        return {"Policies": {"Policy": [{"PolicyType": kind, "PolicyName": name} for kind, name in attached]}}

    def _GetPolicy(self, params: Mapping[str, str]) -> dict[str, Any]:  # noqa: N802
        name = required(params, "PolicyName")
        policy = self._policy(name)
        here = sum(("Custom", name) in role.policies for role in self.roles.values())
        version = {"VersionId": policy.default, "PolicyDocument": policy.versions[policy.default]}
        return {
            "Policy": {"PolicyName": name, "AttachmentCount": here + policy.attached_elsewhere},
            "DefaultPolicyVersion": {**version, "IsDefaultVersion": True},
        }

    def _CreateRole(self, params: Mapping[str, str]) -> dict[str, Any]:  # noqa: N802
        name = required(params, "RoleName")
        if name in self.roles:
            raise ApiError("EntityAlreadyExists.Role", 409, "The role already exists.")
        self.roles[name] = RoleState(_document(params, "AssumeRolePolicyDocument"))
        return {"Role": {"RoleName": name}}

    def _CreatePolicy(self, params: Mapping[str, str]) -> dict[str, Any]:  # noqa: N802
        name = required(params, "PolicyName")
        if name in self.policies:
            raise ApiError("EntityAlreadyExists.Policy", 409, "The policy already exists.")
        self.policies[name] = PolicyState({"v1": _document(params, "PolicyDocument")}, "v1")
        return {"Policy": {"PolicyName": name}}

    def _CreatePolicyVersion(self, params: Mapping[str, str]) -> dict[str, Any]:  # noqa: N802
        policy = self._policy(required(params, "PolicyName"))
        document = _document(params, "PolicyDocument")
        if len(policy.versions) >= MOST_VERSIONS:
            if params.get("RotateStrategy") != "DeleteOldestNonDefaultVersionWhenLimitExceeded":
                raise ApiError("LimitExceeded.Policy.Version", 409, "There are too many versions.")
            del policy.versions[next(version for version in policy.versions if version != policy.default)]
        policy.made += 1
        policy.versions[f"v{policy.made}"] = document
        is_default = params.get("SetAsDefault", "").lower() == "true" and not self.ignores_set_as_default
        if is_default:
            policy.default = f"v{policy.made}"
        return {"PolicyVersion": {"VersionId": f"v{policy.made}", "IsDefaultVersion": is_default}}

    def _AttachPolicyToRole(self, params: Mapping[str, str]) -> dict[str, Any]:  # noqa: N802
        role, name = self._role(required(params, "RoleName")), required(params, "PolicyName")
        self._policy(name)
        attached = (required(params, "PolicyType"), name)
        if attached in role.policies:
            raise ApiError("EntityAlreadyExists.Role.Policy", 409, "The policy is attached already.")
        role.policies.append(attached)
        return {}

    def _GetQueueAttributes(self, params: Mapping[str, str]) -> dict[str, Any]:  # noqa: N802
        name = required(params, "QueueName")
        if name not in self.queues:
            raise ApiError("QueueNotExist", 404, "The queue name you provided is not exist.")
        kept = self.queues[name]
        data = {"QueueName": name} | ({} if kept is None else {"MessageRetentionPeriod": kept})
        return {"Success": True, "Status": 200, "Code": "200", "Data": data}

    def _CreateQueue(self, params: Mapping[str, str]) -> dict[str, Any]:  # noqa: N802
        name = required(params, "QueueName")
        if name in self.queues:
            raise ApiError("QueueAlreadyExist", 409, "The queue already exists.")
        self.queues[name] = int(required(params, "MessageRetentionPeriod"))
        return {"Success": True, "Status": 200, "Code": "200", "Data": {}}

    def _role(self, name: str) -> RoleState:
        if name not in self.roles:
            raise ApiError("EntityNotExist.Role", 404, "The role not exists.")
        return self.roles[name]

    def _policy(self, name: str) -> PolicyState:
        if name not in self.policies:
            raise ApiError("EntityNotExist.Policy", 404, "The policy not exists.")
        return self.policies[name]


def _document(params: Mapping[str, str], name: str) -> str:
    text = required(params, name)
    if len(text.encode()) > LONGEST_POLICY:
        raise ApiError("InvalidParameter.PolicyDocument.Length", 400, "The document is too long.")
    json.loads(text)
    return text


def _json(body: dict[str, Any], status: int = 200) -> Response:
    request_id = str(new_id()).upper()
    headers = {"Content-Type": "application/json;charset=utf-8", "x-acs-request-id": request_id}
    return Response(status, headers, json.dumps({"RequestId": request_id, **body}).encode())
