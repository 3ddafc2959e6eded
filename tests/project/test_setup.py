"""`make setup`: what it makes in an account on loopback, what it shows, and what it leaves alone."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from alibabacloud_credentials.utils import auth_util

from deploy import deployment
from deploy.policy import policy_for
from deploy.setup.__main__ import main
from deploy.setup.services import Endpoints
from tests.project.chosen import ACCOUNT, BUCKET, choose
from tests.stubs import faults
from tests.stubs.account_api import AccountStub, PolicyState, RoleState
from tests.stubs.buckets import BucketsStub, BucketState
from tests.stubs.clock import SystemClock
from tests.stubs.cloud import forget_sessions
from tests.stubs.credentials import issue
from tests.stubs.loopback import served

QUEUE = "renewed-certificates"
READS = {"GetCallerIdentity", "GetRole", "ListPoliciesForRole", "GetPolicy", "GetQueueAttributes"}
READS_OF_OSS = {"GetBucketInfo", "GetBucketLifecycle"}
TRUST = json.loads((Path(deployment.__file__).with_name("trust-policy.json")).read_text("utf-8"))
WIDE = {"Effect": "Allow", "Action": "oss:*", "Resource": "*"}
CREDENTIALS = issue(1)


@dataclass
class World:
    """The account on loopback, and how to run the command there."""

    account: AccountStub
    buckets: BucketsStub
    endpoints: Endpoints

    def setup(self, *arguments: str) -> int:
        return main(arguments, self.endpoints)

    @property
    def changes(self) -> list[str]:
        """Every call so far that was no mere look."""
        calls = [call.action for call in self.account.calls + self.buckets.calls]
        return [action for action in calls if action not in READS | READS_OF_OSS]

    def document(self) -> Any:
        """What the function's policy says."""
        policy = self.account.policies["renewer"]
        return json.loads(policy.versions[policy.default])


@pytest.fixture(autouse=True)
def own(checkout: Path) -> Path:
    return choose(checkout)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[World]:
    monkeypatch.setattr(auth_util, "environment_access_key_id", CREDENTIALS.access_key_id)
    monkeypatch.setattr(auth_util, "environment_access_key_secret", CREDENTIALS.access_key_secret)
    monkeypatch.setattr(auth_util, "environment_security_token", CREDENTIALS.security_token)
    monkeypatch.setattr(auth_util, "environment_ecs_metadata_disabled", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    account = AccountStub(SystemClock(), CREDENTIALS, ACCOUNT)
    buckets = BucketsStub(SystemClock(), CREDENTIALS, ACCOUNT)
    with served(account) as one, served(buckets) as other:
        yield World(account, buckets, Endpoints(one.url, one.url, one.url, other.url))
        for url in (one.url, other.url):
            forget_sessions(url)
    assert not account.not_stubbed + buckets.not_stubbed


@pytest.fixture
def ready(world: World) -> World:
    """An account in which everything is there."""
    assert world.setup("--yes") == 0
    world.account.calls.clear()
    world.buckets.calls.clear()
    return world


Shown = pytest.CaptureFixture[str]


def answers(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


def replace_policy(world: World, change: Callable[[list[Any]], object]) -> None:
    """Somebody changes the statements of the function's policy."""
    document = world.document()
    change(document["Statement"])
    world.account.policies["renewer"].versions["v1"] = json.dumps(document, indent=2)


# --- what is made -----------------------------------------------------------------------------------------------------


def test_an_empty_account_gets_role_policy_queue_and_bucket(world: World, capsys: Shown):
    assert world.setup("--yes") == 0
    role = world.account.roles["renewer"]
    assert json.loads(role.trust) == TRUST
    assert role.policies == [("Custom", "renewer")]
    assert world.document() == policy_for(deployment.read_deployment())
    assert f"acs:oss:*:{ACCOUNT}:{BUCKET}/renewals/*" in str(world.document())
    assert world.account.queues == {QUEUE: 604800}
    assert world.buckets.buckets == {BUCKET: BucketState(ACCOUNT, acl="private", versioning="Enabled")}
    shown = capsys.readouterr().out
    assert shown.startswith(f"Account {ACCOUNT}, region cn-hangzhou, as acs:ram::{ACCOUNT}:user/operator\n")
    assert "+ allow yundun-cert:ListInstances on *" in shown
    assert shown.endswith("Everything that the function needs is there.\n")


def test_an_alert_queue_is_made_likewise(world: World, checkout: Path):
    choose(checkout, alert_queue="alerts")
    assert world.setup("--yes") == 0
    assert world.account.queues == {QUEUE: 604800, "alerts": 604800}


def test_a_second_run_changes_nothing(ready: World, capsys: Shown):
    capsys.readouterr()
    assert ready.setup() == 0  # nobody is asked
    assert ready.changes == []
    shown = capsys.readouterr().out
    assert shown.count("is there") == 4 + 1
    assert "To do" not in shown


def test_a_plan_changes_nothing(world: World, capsys: Shown):
    assert world.setup("--plan", "--yes") == 0
    assert world.changes == []
    shown = capsys.readouterr().out
    assert "  make role renewer\n  make policy renewer\n  attach policy renewer to role renewer\n" in shown
    assert f"  make queue {QUEUE}\n  make bucket {BUCKET}\n  enable versioning of bucket {BUCKET}\n" in shown
    assert shown.endswith("Only looked: nothing was changed.\n")


@pytest.mark.parametrize("said", ["n\n", "\n", "", "maybe\n"])
def test_without_a_yes_nothing_is_changed(world: World, said: str, monkeypatch: pytest.MonkeyPatch, capsys: Shown):
    answers(monkeypatch, said)
    assert world.setup() == 2
    assert world.changes == []
    assert "Nothing was changed." in capsys.readouterr().err


def test_everything_is_shown_before_a_person_is_asked(world: World, monkeypatch: pytest.MonkeyPatch, capsys: Shown):
    shown = ""

    def answer(question: str) -> str:
        nonlocal shown
        shown = capsys.readouterr().out
        assert world.changes == []
        return "y"

    monkeypatch.setattr("builtins.input", answer)
    assert world.setup() == 0
    assert "+ allow mns:SendMessage on" in shown
    assert f"make bucket {BUCKET}" in shown
    assert world.buckets.buckets


# --- dying on the way -------------------------------------------------------------------------------------------------

CALLS = ["CreateRole", "CreatePolicy", "AttachPolicyToRole", "CreateQueue", "PutBucket", "PutBucketVersioning"]


@pytest.mark.parametrize("action", CALLS)
@pytest.mark.parametrize("fault", [faults.reset_before, faults.reset_after], ids=["not-done", "done"])
def test_an_answer_that_is_lost_stops_it_and_the_next_run_goes_on_from_there(
    world: World, action: str, fault: Callable[[], faults.Fault], capsys: Shown
):
    service = world.buckets if action in world.buckets.actions else world.account
    service.fail(action, fault())
    assert world.setup("--yes") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert action in line
    assert "run it again" in line
    assert world.setup("--yes") == 0
    assert world.setup() == 0
    assert world.account.roles["renewer"].policies == [("Custom", "renewer")]
    assert world.account.queues == {QUEUE: 604800}
    assert world.buckets.buckets[BUCKET].versioning == "Enabled"
    assert len(world.account.policies["renewer"].versions) == 1


@pytest.mark.parametrize("action", sorted(READS | READS_OF_OSS))
@pytest.mark.parametrize(
    "fault",
    [faults.reset_before(), faults.html(502), faults.error("NoPermission", 403), faults.error("ServiceBusy", 503)],
    ids=["reset", "html", "denied", "busy"],
)
def test_what_cannot_be_read_is_one_line_and_nothing_is_changed(
    ready: World, action: str, fault: faults.Fault, capsys: Shown
):
    capsys.readouterr()
    service = ready.buckets if action in READS_OF_OSS else ready.account
    service.fail(action, fault)
    assert ready.setup("--yes") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f":{action}: " in line
    assert "To do: " in line
    assert ready.changes == []


@pytest.mark.parametrize("action", ["GetRole", "GetPolicy", "GetQueueAttributes", "GetCallerIdentity"])
def test_an_answer_that_lacks_what_it_is_about_is_none(ready: World, action: str, capsys: Shown):
    ready.account.fail(action, faults.answer({}))
    assert ready.setup("--yes") == 2
    assert f":{action}: the answer lacks" in capsys.readouterr().err
    assert ready.changes == []


# --- what differs -----------------------------------------------------------------------------------------------------


def test_a_policy_of_an_older_version_is_changed_after_its_difference_was_shown(ready: World, capsys: Shown):
    replace_policy(ready, lambda statements: statements[0]["Action"].remove("yundun-cert:ListInstances"))
    old = ready.document()
    capsys.readouterr()
    assert ready.setup("--yes") == 0
    shown = capsys.readouterr().out
    assert "CHANGE   policy renewer\n           + allow yundun-cert:ListInstances on *\n" in shown
    assert "This WIDENS what it allows." in shown
    assert ready.changes == ["CreatePolicyVersion"]
    assert ready.document() == policy_for(deployment.read_deployment())
    assert json.loads(ready.account.policies["renewer"].versions["v1"]) == old


def test_a_policy_that_allows_more_is_narrowed_and_that_is_said(ready: World, capsys: Shown):
    replace_policy(ready, lambda statements: statements.append(WIDE))
    capsys.readouterr()
    assert ready.setup("--yes") == 0
    shown = capsys.readouterr().out
    assert "- allow oss:* on *\n           This widens nothing." in shown
    assert ready.document() == policy_for(deployment.read_deployment())


def test_a_denial_that_goes_widens(ready: World, capsys: Shown):
    deny = {"Effect": "Deny", "Action": ["yundun-cert:List*"], "Resource": ["*"]}
    replace_policy(ready, lambda statements: statements.append(deny))
    capsys.readouterr()
    assert ready.setup("--plan") == 0
    shown = capsys.readouterr().out
    assert "- deny yundun-cert:List* on *\n           This WIDENS what it allows." in shown


def test_the_order_and_the_grouping_of_a_policy_make_no_difference(ready: World):
    def regroup(statements: list[Any]) -> None:
        first = statements.pop(0)
        statements += [{"Effect": "Allow", "Action": action, "Resource": "*"} for action in reversed(first["Action"])]

    replace_policy(ready, regroup)
    assert ready.setup() == 0
    assert ready.changes == []


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("no json", 'what stands there as a policy: "no json"'),
        ("[1]", "what stands there as a policy: [1]"),
        (
            '{"Statement": [{"Effect": "Allow", "NotAction": "ram:*", "Resource": "*"}]}',
            '- a statement: {"Effect": "Allow", "NotAction": "ram:*", "Resource": "*"}',
        ),
    ],
)
def test_a_policy_that_is_not_understood_is_shown_as_it_is(ready: World, document: str, said: str, capsys: Shown):
    ready.account.policies["renewer"].versions["v1"] = document
    capsys.readouterr()
    assert ready.setup("--plan") == 0
    shown = capsys.readouterr().out
    assert said in shown
    assert "WIDENS" in shown


def test_a_policy_that_changes_after_it_was_shown_is_not_replaced(ready: World, capsys: Shown):
    replace_policy(ready, lambda statements: statements[0]["Action"].remove("yundun-cert:ListInstances"))
    looks = 0

    def meanwhile(action: str) -> None:
        nonlocal looks
        looks += action == "GetPolicy"
        if action == "GetPolicy" and looks == 2:
            replace_policy(ready, lambda statements: statements.append(WIDE))

    ready.account.between = meanwhile
    assert ready.setup("--yes") == 2
    assert "has changed since it was shown" in capsys.readouterr().err
    assert ready.changes == []


def test_a_policy_that_others_have_too_is_left_alone(ready: World, capsys: Shown):
    ready.account.policies["renewer"].attached_elsewhere = 2
    replace_policy(ready, lambda statements: statements.append(WIDE))
    capsys.readouterr()
    assert ready.setup("--yes") == 1
    assert ready.changes == []
    assert "and 2 besides the role have it. To do: choose another role" in capsys.readouterr().out


def test_a_sixth_version_takes_the_place_of_the_oldest(ready: World):
    policy = ready.account.policies["renewer"]
    policy.versions = {f"v{number}": policy.versions["v1"] for number in range(1, 6)}
    policy.default, policy.made = "v1", 5
    replace_policy(ready, lambda statements: statements.append(WIDE))
    assert ready.setup("--yes") == 0
    assert (policy.default, list(policy.versions)) == ("v6", ["v1", "v3", "v4", "v5", "v6"])


def test_a_new_version_that_is_not_in_force_is_no_success(ready: World, capsys: Shown):
    replace_policy(ready, lambda statements: statements.append(WIDE))
    ready.account.ignores_set_as_default = True
    assert ready.setup("--yes") == 2
    assert "v2 is not in force. To do: make it the default version of renewer" in capsys.readouterr().err


def test_a_role_that_somebody_else_may_take_is_named_and_gets_nothing(world: World, capsys: Shown):
    trust = {"Version": "1", "Statement": [{**TRUST["Statement"][0], "Principal": {"Service": ["ecs.aliyuncs.com"]}}]}
    world.account.roles["renewer"] = RoleState(json.dumps(trust))
    assert world.setup("--yes") == 1
    shown = capsys.readouterr().out
    assert '- allow sts:AssumeRole by {"Service": ["ecs.aliyuncs.com"]}' in shown
    assert '+ allow sts:AssumeRole by {"Service": ["fc.aliyuncs.com"]}' in shown
    assert "To do: choose another role" in shown
    assert world.account.roles["renewer"] == RoleState(json.dumps(trust))
    assert not world.account.policies
    assert world.account.queues, "the rest is made all the same"


def test_what_else_the_role_has_is_named(ready: World, capsys: Shown):
    ready.account.roles["renewer"].policies += [("System", "AdministratorAccess"), ("Custom", "more")]
    assert ready.setup("--yes") == 1
    assert "the role also has System:AdministratorAccess, more, and" in capsys.readouterr().out
    assert ready.changes == []


def test_a_policy_without_its_role_is_attached(world: World):
    document = json.dumps(policy_for(deployment.read_deployment()))
    world.account.policies["renewer"] = PolicyState({"v1": document}, "v1")
    assert world.setup("--yes") == 0
    assert "CreatePolicy" not in world.changes
    assert world.account.roles["renewer"].policies == [("Custom", "renewer")]


@pytest.mark.parametrize(("kept", "said"), [(345600, "345600 seconds"), (None, "a time that it does not say")])
def test_a_queue_that_keeps_messages_for_less_is_named_and_left(
    ready: World, kept: int | None, said: str, capsys: Shown
):
    ready.account.queues[QUEUE] = kept
    assert ready.setup("--yes") == 1
    assert f"keeps messages for {said}. To do: set its MessageRetentionPeriod" in capsys.readouterr().out
    assert ready.changes == []


@pytest.mark.parametrize("errors_with_200", [True, False])
def test_smq_may_say_what_is_wrong_with_either_status(world: World, errors_with_200: bool, capsys: Shown):
    world.account.errors_with_200 = errors_with_200

    def meanwhile(action: str) -> None:
        if action == "CreateQueue":
            world.account.queues[QUEUE] = 604800

    world.account.between = meanwhile
    assert world.setup("--yes") == 2
    assert "mns:CreateQueue: QueueAlreadyExist (HTTP 409)" in capsys.readouterr().err
    assert world.setup("--yes") == 0


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"acl": "public-read"}, "it is public-read: others can read"),
        ({"versioning": "Suspended"}, "somebody has suspended its versioning"),
        ({"location": "oss-cn-beijing"}, "it is in cn-beijing, and the function in cn-hangzhou"),
        ({"rules": [("all", "", "Enabled")]}, "its lifecycle rule all is about everything"),
        ({"rules": [("r", "ren", "Enabled")]}, "its lifecycle rule r is about ren:"),
        ({"rules": [("o", "renewals/orders/", "Enabled")]}, "its lifecycle rule o is about renewals/orders/"),
        ({"versioning": "", "acl": "public-read"}, "it is public-read: others can read"),
    ],
)
def test_a_bucket_that_is_not_as_it_should_be_is_named_and_left(
    ready: World, changed: dict[str, Any], said: str, capsys: Shown
):
    ready.buckets.buckets[BUCKET] = BucketState(ACCOUNT, **({"versioning": "Enabled"} | changed))
    assert ready.setup("--yes") == 1
    assert said in capsys.readouterr().out
    assert ready.changes == []


@pytest.mark.parametrize("rule", [("logs", "logs/", "Enabled"), ("off", "", "Disabled"), ("x", "renewals2", "Enabled")])
def test_a_lifecycle_rule_for_something_else_is_none_of_its_business(ready: World, rule: tuple[str, str, str]):
    ready.buckets.buckets[BUCKET].rules.append(rule)
    assert ready.setup() == 0


def test_a_bucket_of_somebody_else_is_one_line(world: World, capsys: Shown):
    world.buckets.buckets[BUCKET] = BucketState("444455556666")
    assert world.setup("--yes") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "the bucket may be somebody else's: choose another journal_bucket" in line
    assert world.changes == []


def test_a_bucket_that_comes_into_being_meanwhile_keeps_its_acl(world: World, capsys: Shown):
    looks = 0

    def meanwhile(action: str) -> None:
        nonlocal looks
        looks += action == "GetBucketInfo"
        if action == "GetBucketInfo" and looks == 2:
            world.buckets.buckets[BUCKET] = BucketState(ACCOUNT, acl="public-read-write")

    world.buckets.between = meanwhile
    assert world.setup("--yes") == 2
    assert "has come into being meanwhile" in capsys.readouterr().err
    assert world.buckets.buckets[BUCKET].acl == "public-read-write"


# --- whose account ----------------------------------------------------------------------------------------------------


def test_credentials_of_another_account_change_nothing(world: World, capsys: Shown):
    world.account.account_id = "444455556666"
    assert world.setup("--yes") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"these credentials are of account 444455556666, and s.mine.yaml says {ACCOUNT}")
    assert [call.action for call in world.account.calls + world.buckets.calls] == ["GetCallerIdentity"]


@pytest.mark.parametrize("placeholder", [{"account": "123456789012"}, {"journal_bucket": "example-renewal-journal"}])
def test_what_is_still_the_examples_is_refused(
    world: World, checkout: Path, placeholder: dict[str, str], capsys: Shown
):
    choose(checkout, **placeholder)
    assert world.setup("--yes") == 2
    (line,) = capsys.readouterr().err.splitlines()
    ((name, value),) = placeholder.items()
    assert f"{name} {value}" in line
    assert not world.account.calls


@pytest.mark.parametrize("choice", [{"journal_prefix": "*"}, {"queue": "a/b"}, {"region": "cn hangzhou"}])
def test_a_name_that_would_grant_more_than_was_meant_is_refused(
    world: World, checkout: Path, choice: dict[str, str], capsys: Shown
):
    choose(checkout, **choice)
    assert world.setup("--yes") == 2
    assert "let it match" in capsys.readouterr().err
    assert not world.account.calls


def test_no_secret_is_shown_even_when_a_service_quotes_it(world: World, capsys: Shown):
    quoted = f"{CREDENTIALS.access_key_id} {CREDENTIALS.access_key_secret} {CREDENTIALS.security_token}"
    world.account.fail("GetRole", faults.error("SignatureDoesNotMatch", 400, quoted))
    assert world.setup("--yes") == 2
    shown = capsys.readouterr()
    assert "SignatureDoesNotMatch" in shown.err
    for secret in quoted.split():
        assert secret not in shown.out + shown.err
