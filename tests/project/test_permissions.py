"""The RAM policy grants exactly what the function calls: no call without a grant, no grant without a call.

And it forbids, whatever else the role may be given, what the function must never do.

The calls are those that reach the stubs when the handler runs; that none is missing, the handler's source shows.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import alibabacloud_oss_v2
import mns.queue
import pytest
from alibabacloud_cas20200407.client import Client as CasClient

from deploy import policy
from handler.cloud.cas_client import CasClient as CasClientOfTheFunction
from handler.cloud.cas_deployments import CasDeployments
from handler.cloud.credentials import Credentials
from handler.cloud.meter import Meter
from handler.journal.alerts import FORGOTTEN_AFTER
from tests.deployed import Answer, Function
from tests.stubs import faults
from tests.stubs.backend import Call
from tests.stubs.cloud import BUCKET, QUEUE, Cloud, local_cloud
from tests.traces import RENEWALS

HANDLER = Path(__file__).resolve().parents[2] / "handler"
POLICY = json.loads(policy.POLICY.read_text(encoding="utf-8"))
ALLOWS = [statement for statement in POLICY["Statement"] if statement["Effect"] == "Allow"]
PREFIX = "renewals"
"""Where `Cloud.environ` puts the journal."""

SDK_METHODS: dict[str, tuple[str, type, dict[str, str]]] = {
    "cas_client.py": ("alibabacloud_cas20200407", CasClient, {}),
    "smq.py": ("mns", mns.queue.Queue, {"get_attributes": "GetQueueAttributes"}),
    "oss_store.py": ("alibabacloud_oss_v2", alibabacloud_oss_v2.Client, {}),
}
"""By the module that uses it: the SDK, the class whose methods are operations, and those that are called otherwise."""

WAYS_TO_CALL = {"read", "call_once"}
"""How the function's own client of CAS is used: `client.read("TheOperation", …)`."""

ALERT_QUEUE = "renewal-alerts"

NEVER = {
    "RevokeCertificate",
    "CancelPendingCertificate",
    "CancelOrderRequest",
    "CancelCertificateForPackageRequest",
    "ShareCertificate",
    "MoveResourceGroup",
    "UpdateInstance",
}
"""What the function must never call; and besides whatever deletes, refunds, or has to do with bills."""
LONGEST_POLICY = 6144
"""In bytes; RAM takes no longer one."""


@dataclass(frozen=True)
class Access:
    """What RAM decides about."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict, hash=False)


# --- what the function calls ------------------------------------------------------------------------------------------


def lose_an_answer(cloud: Cloud, function: Function, product_code: str, *, happens: bool) -> str:
    """Let the answer to a renewal get lost; return the old order."""
    old = cloud.cas.add_order(domain=f"{product_code}.example.com", product_code=product_code)
    cloud.cas.fail(RENEWALS, faults.timeout_after() if happens else faults.timeout_before())
    assert function.tick().of(old)["outcome"] == "unknown"
    return str(old)


def hold(cloud: Cloud, function: Function, product_code: str) -> tuple[str, str]:
    """Let an order be held because two new ones could be its successor; return it, and one of the two."""
    old = lose_an_answer(cloud, function, product_code, happens=True)
    new = [
        str(cloud.cas.add_order(domain=f"{product_code}.example.com", status="PAYED", product_code=product_code))
        for _ in range(2)
    ]
    cloud.clock.advance(seconds=3600)
    assert function.tick().of(old)["outcome"] == "held"
    return old, new[0]


def run_everything(cloud: Cloud, function: Function) -> None:
    """Lead the function through all that it can do."""
    assert all(line["ok"] for line in function.invoke({"check": True}).result["check"])
    order = cloud.cas.add_order(domain="www.example.com", certificate_id=7654321)
    assert function.invoke({"scan": True, "dry_run": True}).of(order)["outcome"] == "would-renew"
    expiring = {"name": "Certificate:WillExpire", "product": "CAS", "content": {"certificateId": "7654321"}}
    event = {"eventTime": "20261121T030000Z", "id": "1", "level": "WARN", "regionId": "cn-hangzhou", **expiring}
    event |= {"resourceId": "", "userId": cloud.account_id, "ver": "1.0"}
    assert function.invoke(event).of(order)["outcome"] == "renewed"
    by_id = cloud.cas.add_order(domain="id.example.com")
    assert function.invoke({"order_ids": [str(by_id)]}).of(by_id)["outcome"] == "renewed"
    cloud.clock.advance(seconds=3600)
    assert function.tick().of(order)["outcome"] == "already-renewed"

    lost = lose_an_answer(cloud, function, "lost", happens=True)
    cloud.clock.advance(seconds=3600)
    assert function.tick().of(lost)["outcome"] == "renewed"
    never = lose_an_answer(cloud, function, "never", happens=False)
    cloud.clock.advance(seconds=3600)
    assert function.tick().of(never)["outcome"] == "renewed"
    held, new = hold(cloud, function, "resolved")
    assert function.invoke({"resolve": {"order_id": held, "new_order_id": new}}).of(held)["outcome"] == "renewed"
    held, _ = hold(cloud, function, "released")
    assert function.invoke({"release": {"order_id": held}}).of(held)["reason"] == "released"

    refused = cloud.cas.add_order(domain="refused.example.com")
    cloud.cas.fail(RENEWALS, faults.error("OrderStateError"))
    assert function.tick().of(refused)["outcome"] == "refused"

    unpublished = cloud.cas.add_order(domain="unpublished.example.com")
    cloud.smq.fail("SendMessage", *[faults.error("InternalError", 500)] * 3)
    assert function.tick().failed
    assert function.tick().of(unpublished)["message_id"]
    cloud.clock.advance(seconds=3600)
    function.tick()
    for _ in range(2):  # of the first it is forgotten, when the second is told, that it was told
        cloud.cas.certificates.upload("ends.example.com", days_left=5)
        function.tick()
        cloud.clock.advance(days=2 * FORGOTTEN_AFTER.days)


def apply_for_instances(cloud: Cloud, function: Function) -> None:
    """Lead the function through an application for an instance, until its next certificate is there."""

    def outcome(answer: Answer) -> str:
        (line,) = [line for line in answer.orders if line.get("instance_id") == instance]
        return f"{line['outcome']} {line.get('new_certificate_id', '')}".strip()

    instance = cloud.cas.instances.add("app.example.com", 20, own_dns=False)
    assert outcome(function.invoke({"instance_ids": [instance]})) == "applied"
    cloud.clock.advance(seconds=700)
    assert outcome(function.tick()) == "applied", "in review, and looked at closely"
    cloud.cas.instances.issue(instance)
    assert outcome(function.tick()).startswith("applied 2")


def deploy_a_certificate(cloud: Cloud) -> None:
    """Put a certificate in another one's place, as the service behind the port does."""
    instance = cloud.cas.instances.add("deployed.example.com")
    old = cloud.cas.instances.of(instance).certificate_id or 0
    new = str(cloud.cas.instances.issue(instance))
    resource = str(cloud.cas.resources.add(old))
    credentials = Credentials(**vars(cloud.credentials))
    client = CasClientOfTheFunction("https://cas.aliyuncs.com", credentials, cloud.clock, Meter(cloud.clock))
    service = CasDeployments(client)
    assert service.certificate(new).id in {one.id for one in service.certificates_of(instance)}
    assert [one.id for one in service.resources(str(old)).resources] == [resource]
    job = service.create(f"renewer-{new}", new, [resource], service.contacts()[0], 30)
    service.schedule(job, 30)
    assert [one.id for one in service.jobs_named(f"renewer-{new}")] == [job]
    assert [one.resource_id for one in service.workers(job)] == [resource]
    assert (service.job(job) is None, service.counts(job).workers) == (False, 1)


@pytest.fixture(scope="module")
def calls() -> dict[str, list[Call]]:
    """What reached each service while the function did everything that it can do."""
    with local_cloud() as cloud:
        cloud.smq.add_queue(ALERT_QUEUE)
        function = Function(cloud, ALERT_QUEUE=ALERT_QUEUE, INSTANCES="apply")
        run_everything(cloud, function)
        apply_for_instances(cloud, function)
        deploy_a_certificate(cloud)
        return {name: list(backend.calls) for name, backend in cloud.backends.items()}


@pytest.fixture(scope="module")
def accesses(calls: dict[str, list[Call]]) -> set[Access]:
    return {access_of(service, call) for service, of_service in calls.items() for call in of_service}


def access_of(service: str, call: Call) -> Access:
    """What a call needs, as the documentation of each service tells it."""
    region, account = Cloud.region, Cloud.account_id
    if service == "cas":
        return Access(f"yundun-cert:{call.action}", f"acs:yundun-cert:{region}:{account}:*")
    if service == "smq":
        queue = f"acs:mns:{region}:{account}:/queues/{call.params['QueueName']}"
        return Access(f"mns:{call.action}", f"{queue}/messages" if call.action == "SendMessage" else queue)
    bucket = f"acs:oss:oss-{region}:{account}:{call.params['bucket']}"
    if call.action == "ListObjectsV2":
        return Access("oss:ListObjects", bucket, {"oss:Prefix": call.params.get("prefix", "")})
    action = {"AppendObject": "PutObject", "HeadObject": "GetObject"}.get(call.action, call.action)
    return Access(f"oss:{action}", f"{bucket}/{call.params['key']}")


# --- what the policy grants -------------------------------------------------------------------------------------------


def filled(document: Any = POLICY, **values: str) -> Any:
    chosen = {
        "region": Cloud.region,
        "account": Cloud.account_id,
        "alert_queue": ALERT_QUEUE,
        "bucket": BUCKET,
        "prefix": PREFIX,
        "deploy_to": "*",
    }
    chosen["queue"] = QUEUE
    return policy.filled(document, chosen | values)


def matches(pattern: str, text: str) -> bool:
    """Tell whether RAM takes a text for one that the pattern means: `*` is any text, `?` any character."""
    wild = {"*": ".*", "?": "."}
    return bool(re.fullmatch("".join(wild.get(char, re.escape(char)) for char in pattern), text, re.DOTALL))


def grants(statement: Mapping[str, Any], access: Access) -> bool:
    return (
        statement["Effect"] == "Allow"
        and access.action in statement["Action"]
        and any(matches(pattern, access.resource) for pattern in statement["Resource"])
        and all(
            any(matches(pattern, access.context.get(key, "")) for pattern in patterns)
            for key, patterns in statement.get("Condition", {}).get("StringLike", {}).items()
        )
    )


def forbids(statement: Mapping[str, Any], action: str) -> bool:
    """Tell whether a statement denies an action on everything, which no other statement or policy can take back."""
    is_denied = any(matches(pattern, action) for pattern in statement["Action"])
    return statement["Effect"] == "Deny" and statement["Resource"] == ["*"] and is_denied


def denied(document: Any, accesses: set[Access]) -> set[str]:
    """The actions that the policy does not allow on everything on which they are called."""
    statements = document["Statement"]
    return {
        access.action
        for access in accesses
        if any(forbids(statement, access.action) for statement in statements)
        or not any(grants(statement, access) for statement in statements)
    }


def forbidden() -> set[str]:
    """The operations of CAS that the policy forbids, of all that its SDK knows."""
    methods = {name for name in vars(CasClient) if f"{name}_with_options" in vars(CasClient)}
    operations = {name.title().replace("_", "") for name in methods}
    statements = POLICY["Statement"]
    return {name for name in operations if any(forbids(one, f"yundun-cert:{name}") for one in statements)}


def test_every_call_is_granted_on_what_it_touches(accesses: set[Access]) -> None:
    assert not denied(filled(), accesses)


def test_every_grant_is_of_an_operation_that_is_called(accesses: set[Access]) -> None:
    granted = {action for statement in ALLOWS for action in statement["Action"]}
    assert granted == {access.action for access in accesses}


def test_every_resource_of_a_grant_is_one_that_is_touched(accesses: set[Access]) -> None:
    for statement in filled(ALLOWS):
        for action in statement["Action"]:
            for resource in statement["Resource"]:
                alone = {**statement, "Action": [action], "Resource": [resource]}
                assert any(grants(alone, access) for access in accesses), f"{action} on {resource}"


def test_only_conditions_that_this_test_understands_are_used() -> None:
    for statement in POLICY["Statement"]:
        assert statement.keys() <= {"Effect", "Action", "Resource", "Condition", "OnlyWith"}
        assert statement.get("Condition", {}).keys() <= {"StringLike"}


def test_what_only_deploying_needs_is_granted_only_to_who_deploys(accesses: set[Access]) -> None:
    deploying = {action for statement in ALLOWS if "OnlyWith" in statement for action in statement["Action"]}
    assert "yundun-cert:CreateDeploymentJob" in deploying
    assert denied(filled(deploy_to=""), accesses) == deploying
    assert denied(filled(deploy_to="CDN"), accesses) == set()


@pytest.mark.parametrize("action", [action for statement in ALLOWS for action in statement["Action"]])
def test_a_missing_grant_would_be_noticed(accesses: set[Access], action: str) -> None:
    lacking = filled()
    for statement in (statement for statement in lacking["Statement"] if statement["Effect"] == "Allow"):
        statement["Action"] = [granted for granted in statement["Action"] if granted != action]
    assert denied(lacking, accesses) == {action}


@pytest.mark.parametrize(
    ("change", "actions"),
    [
        ({"queue": "another-queue"}, {"mns:SendMessage", "mns:GetQueueAttributes"}),
        ({"alert_queue": "another-queue"}, {"mns:SendMessage", "mns:GetQueueAttributes"}),
        ({"bucket": "another-bucket"}, {"oss:PutObject", "oss:GetObject", "oss:DeleteObject", "oss:ListObjects"}),
        ({"prefix": "another/place"}, {"oss:PutObject", "oss:GetObject", "oss:DeleteObject", "oss:ListObjects"}),
        ({"region": "cn-beijing"}, {"mns:SendMessage", "mns:GetQueueAttributes"}),
    ],
    ids=lambda change: "-".join(change) if isinstance(change, dict) else "",
)
def test_nothing_of_another_queue_bucket_or_folder_is_granted(
    accesses: set[Access], change: dict[str, str], actions: set[str]
) -> None:
    assert denied(filled(**change), accesses) == actions


def test_what_the_function_must_never_do_is_forbidden_whatever_else_allows_it_and_nothing_else_is() -> None:
    found = forbidden()
    assert found >= NEVER
    assert {"DeleteInstance", "DeleteUserCertificate", "RefundInstance"} <= found - NEVER
    assert all(name.startswith(("Delete", "Refund")) for name in found - NEVER)


@pytest.mark.parametrize("action", ["bss:PayOrder", "bssapi:CreateInstance", "bssapi:RenewInstance", "efc:Pay"])
def test_whatever_has_to_do_with_bills_is_forbidden(action: str) -> None:
    assert any(forbids(statement, action) for statement in POLICY["Statement"])


def test_no_private_key_can_be_had_but_by_the_one_operation_that_is_always_asked_without_it() -> None:
    granted = {action.removeprefix("yundun-cert:") for statement in ALLOWS for action in statement["Action"]}
    assert granted & {"GetUserCertificateDetail", "DescribeCertificateState"} == {"GetUserCertificateDetail"}


def test_the_policy_is_no_longer_than_ram_takes() -> None:
    longest = filled(queue="q" * 120, alert_queue="a" * 120, bucket="b" * 63, prefix="p" * 120)
    assert len(json.dumps(longest, indent=2).encode()) <= LONGEST_POLICY


def test_what_the_journal_remembers_can_be_deleted_by_nobody_who_has_this_role(calls: dict[str, list[Call]]) -> None:
    bucket = f"acs:oss:oss-{Cloud.region}:{Cloud.account_id}:{BUCKET}"
    written = {call.params["key"] for call in calls["oss"] if call.action == "AppendObject"}
    kept = {key for key in written if not key.startswith(f"{PREFIX}/check/")} | {f"{PREFIX}/instances/cas_dv-cn-1"}
    assert {key.split("/")[1] for key in kept} == {"orders", "days", "successors", "instances"}
    for key in {*kept, f"{PREFIX}/report.html"}:
        assert denied(filled(), {Access("oss:DeleteObject", f"{bucket}/{key}")}), key


def test_a_list_of_the_whole_bucket_is_not_granted() -> None:
    bucket = f"acs:oss:oss-{Cloud.region}:{Cloud.account_id}:{BUCKET}"
    for prefix in ("", "r", "renewals-of-somebody-else/"):
        assert denied(filled(), {Access("oss:ListObjects", bucket, {"oss:Prefix": prefix})})


# --- what the source calls --------------------------------------------------------------------------------------------


def operations_in(module: str) -> set[str]:
    """The operations of an SDK that a module of the function calls by the SDK's own methods."""
    _, client, otherwise = SDK_METHODS[module]
    tree = ast.parse((HANDLER / "cloud" / module).read_text(encoding="utf-8"))
    named = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    methods = {name for name in vars(client) if not name.startswith("_")} & named
    camel = {name: name.removesuffix("_with_options").title().replace("_", "") for name in methods}
    return {otherwise.get(name, operation) for name, operation in camel.items()}


def operations_of_cas() -> set[str]:
    """The operations that the function calls by their name, through its own client of CAS."""
    found = set[str]()
    for path in HANDLER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if node.func.attr in WAYS_TO_CALL and ast.unparse(node.func.value).endswith("client"):
                action = node.args[0]
                assert isinstance(action, ast.Constant), f"{path}: an operation is named where it is called"
                found.add(str(action.value))
    return found


@pytest.mark.parametrize(("service", "module"), [("smq", "smq.py"), ("oss", "oss_store.py")])
def test_every_operation_in_the_source_is_called_here(calls: dict[str, list[Call]], service: str, module: str) -> None:
    assert operations_in(module) == {call.action for call in calls[service]}


def test_every_operation_of_cas_in_the_source_is_called_here(calls: dict[str, list[Call]]) -> None:
    assert operations_in("cas_client.py") == set(), "it takes the names of operations"
    assert operations_of_cas() == {call.action for call in calls["cas"]}


def test_each_sdk_is_used_in_one_module_only() -> None:
    imports: dict[str, set[str]] = {}
    for path in HANDLER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                imports.setdefault(name.partition(".")[0], set()).add(path.name)
    assert {module: imports[sdk] for module, (sdk, _, _) in SDK_METHODS.items()} == {
        module: {module} for module in SDK_METHODS
    }
    assert {sdk for sdk in imports if sdk.startswith(("alibabacloud_", "aliyun"))} <= {
        "alibabacloud_cas20200407",
        "alibabacloud_oss_v2",
        "alibabacloud_tea_openapi",  # what the CAS SDK is built on
    }
