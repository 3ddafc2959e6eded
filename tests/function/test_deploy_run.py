"""Issued is not installed: what the deployed function makes of DEPLOY_TO, run by run, and what people hear of it."""

from __future__ import annotations

import contextlib
import json
from datetime import timedelta
from typing import Any

import pytest

from handler.deployment import served
from handler.deployment.replacement import Replacement
from handler.deployment.served import Served, Unreachable
from handler.run.replacing import Replacing
from tests.deployed import Answer, Function
from tests.points import Crash, crash_at
from tests.stubs import faults
from tests.stubs.cloud import QUEUE, Cloud
from tests.stubs.faults import Fault
from tests.stubs.jobs import Job
from tests.stubs.lost import DID_NOT, HAPPENED, fault_name

CREATE, START = "CreateDeploymentJob", "UpdateDeploymentJobStatus"
DEPLOYED, FAILED = "cas.certificate.deployed", "cas.certificate.deploy-failed"
EFFECTS = {CREATE, START}


class World:
    """An account with one certificate that is replaced; its resources, and the function that deploys."""

    def __init__(self, cloud: Cloud, kind: str, *bound_to: str, **settings: str) -> None:
        self.cloud = cloud
        self.function = Function(cloud, **{"DEPLOY_TO": "*", "MAX_RENEWALS_PER_RUN": "1000", **settings})
        self.kind = kind
        if kind == "instance":
            self.id = cloud.cas.instances.add("www.example.com", 10, hosted=True)
            certificate = cloud.cas.instances.of(self.id).certificate_id
            assert certificate
            self.old = certificate
        else:
            order = cloud.cas.add_order(domain="www.example.com", days_left=10, instance_id="cas-cn-old01")
            self.id = str(order)
            self.old = cloud.cas.order(order).certificate_id or 0
        self.resources = [cloud.cas.resources.add(self.old, product) for product in bound_to or ("CDN", "ALB")]
        self.new = 0

    def issue(self) -> None:
        """The next certificate is issued, and no run has seen it yet."""
        self.function.tick()
        if self.kind == "instance":
            self.new = self.cloud.cas.instances.issue(self.id)
            return
        (bought,) = self.cloud.cas.bought(int(self.id))
        self.cloud.clock.advance(seconds=3600)
        self.cloud.cas.apply(bought.new_order_id)
        self.cloud.cas.issue(bought.new_order_id)
        self.new = self.cloud.cas.order(bought.new_order_id).certificate_id or 0

    def tick(self, hours: float = 1, **settings: Any) -> Answer:
        """A run, and then so much time."""
        answer = self.function.tick(300, 0, **settings)
        self.cloud.clock.advance(seconds=3600 * hours)
        return answer

    def ticks(self, count: int = 4, hours: float = 1) -> Answer:
        for _ in range(count):
            answer = self.tick(hours)
        return answer

    def shown(self, answer: Answer) -> dict[str, Any]:
        """What the result says of the deployment."""
        (line,) = [line for line in answer.orders if self.id in {line["order_id"], line.get("instance_id")}]
        found: dict[str, Any] = line["deployment"]
        return found

    def said(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.cloud.smq.messages(QUEUE) if message["type"] == kind]

    @property
    def jobs(self) -> list[Job]:
        return [job for job in self.cloud.cas.deployments.jobs() if job.name == f"renewer-{self.new}"]

    @property
    def bound(self) -> list[int]:
        return [self.cloud.cas.resources.of(one).certificate_id for one in self.resources]

    @property
    def started(self) -> int:
        return len(self.cloud.cas.calls_of(START))

    def notes(self) -> list[str]:
        """The notes of replacements that are not over."""
        return [key for _, key in self.cloud.oss.objects if "open/replaced" in key]


@pytest.fixture(params=["instance", "order"])
def world(request: pytest.FixtureRequest, cloud: Cloud) -> World:
    return World(cloud, request.param)


def told_once(world: World, kind: str) -> dict[str, Any]:
    messages = world.said(kind)
    assert len(messages) == 1, [message["type"] for message in world.cloud.smq.messages(QUEUE)]
    found: dict[str, Any] = messages[0]
    return found


def test_what_was_issued_takes_the_place_of_what_it_replaces_once_and_is_told_once(world: World) -> None:
    world.issue()
    world.ticks(6)
    assert world.bound == [world.new] * 2
    assert (len(world.jobs), world.started) == (1, 1)
    message = told_once(world, DEPLOYED)
    assert (message["id"], message["subject"]) == (f"{world.new}-deployed", str(world.new))
    assert message["data"]["JobId"] == str(world.jobs[0].job_id)
    assert {one["Outcome"] for one in message["data"]["Resources"]} == {"deployed"}
    assert world.said(FAILED) == []


def test_the_issued_message_has_both_certificates_and_where_the_old_one_is_bound(world: World) -> None:
    world.issue()
    world.ticks(2)
    data = told_once(world, f"cas.{world.kind}.issued")["data"]
    assert (data["CertificateId"], data["ReplacedCertificateId"]) == (str(world.new), str(world.old))
    assert sorted(one["Product"] for one in data["StillBound"]) == ["ALB", "CDN"]


def test_the_result_says_deployed_n_of_m(world: World) -> None:
    world.issue()
    under_way = world.shown(world.tick())
    assert (under_way["stage"], under_way["reason"], under_way["of"]) == ("deploying", "deploying", 0)
    over = world.shown(world.tick())
    assert (over["stage"], over["deployed"], over["of"], over["still_bound"]) == ("deployed", 2, 2, [])


@pytest.mark.parametrize("kind", ["instance", "order"])
def test_without_deploy_to_nothing_is_made_and_where_it_is_bound_is_said(cloud: Cloud, kind: str) -> None:
    world = World(cloud, kind, DEPLOY_TO="")
    world.issue()
    answer = world.ticks(2)
    assert [one["Product"] for one in told_once(world, f"cas.{kind}.issued")["data"]["StillBound"]] == ["ALB", "CDN"]
    shown = world.shown(answer)
    assert (shown["stage"], len(shown["still_bound"])) == ("not-deployed", 2)
    assert not {call.action for call in cloud.cas.calls} & {*EFFECTS, "ListDeploymentJob", "ListContact"}
    for resource in world.resources:
        cloud.cas.resources.bind(resource, world.new)
    world.tick()
    assert world.notes(), "a resource that is new may show late"
    world.ticks(2)
    assert world.notes() == []


@pytest.mark.parametrize("kind", ["instance", "order"])
def test_where_it_is_bound_is_neither_asked_nor_said_unless_certificates_are_watched(cloud: Cloud, kind: str) -> None:
    world = World(cloud, kind, DEPLOY_TO="", WATCH="orders,instances")
    world.issue()
    world.ticks(2)
    assert "StillBound" not in told_once(world, f"cas.{kind}.issued")["data"]
    assert cloud.cas.calls_of("ListCloudResources") == []


@pytest.mark.parametrize("kind", ["instance", "order"])
@pytest.mark.parametrize("deploy_to", ["", "*"])
def test_what_cannot_be_read_of_the_old_one_delays_no_message(cloud: Cloud, kind: str, deploy_to: str) -> None:
    world = World(cloud, kind, DEPLOY_TO=deploy_to)
    cloud.cas.forbid("ListCloudResources")
    world.issue()
    world.tick()
    assert "StillBound" not in told_once(world, f"cas.{kind}.issued")["data"]


def test_no_other_product_is_touched(cloud: Cloud) -> None:
    world = World(cloud, "instance", "CDN", "ALB", DEPLOY_TO="CDN")
    world.issue()
    answer = world.ticks()
    assert world.bound == [world.new, world.old]
    data = told_once(world, DEPLOYED)["data"]
    assert [one["Product"] for one in data["Resources"]] == ["CDN"]
    assert [one["Product"] for one in data["StillBound"]] == ["ALB"]
    assert [one["Product"] for one in world.shown(answer)["still_bound"]] == ["ALB"]
    assert world.notes(), "it is still looked at"


@pytest.mark.parametrize("kind", ["instance", "order"])
def test_resources_of_very_many_names_keep_no_message_from_people(cloud: Cloud, kind: str) -> None:
    world = World(cloud, kind, "CDN")
    cloud.cas.deployments.takes = 0.1
    names = ",".join(f"one-of-very-many-names-{number:02}.example.com" for number in range(20))
    for _ in range(150):
        cloud.cas.resources.add(world.old, "ALB", names)
    world.issue()
    answers = [world.tick() for _ in range(3)]
    assert [answer.failed for answer in answers] == [False] * 3
    assert told_once(world, f"cas.{kind}.issued")["data"]["StillBound"]
    data = told_once(world, DEPLOYED)["data"]
    assert data["ResourcesInAll"] == 151 > len(data["Resources"]) > 0


def test_where_nothing_is_bound_it_is_deployed_with_an_empty_list(cloud: Cloud) -> None:
    world = World(cloud, "instance", "ALB", DEPLOY_TO="CDN")
    world.issue()
    world.ticks()
    data = told_once(world, DEPLOYED)["data"]
    assert (data["JobId"], data["Resources"], len(data["StillBound"])) == (None, [], 1)
    assert cloud.cas.calls_of(CREATE) == []


def test_a_dry_run_says_to_which_resources_and_does_nothing(world: World) -> None:
    world.issue()
    answer = world.tick(DRY_RUN="true")
    shown = world.shown(answer)
    assert shown["stage"] == "would-deploy"
    assert sorted(one["Product"] for one in shown["resources"]) == ["ALB", "CDN"]
    assert "would be deployed to" in answer.result["note"]
    assert not {call.action for call in world.cloud.cas.calls} & EFFECTS
    assert world.notes() == []


@pytest.mark.parametrize("action", [CREATE, START])
@pytest.mark.parametrize("fault", [*HAPPENED, *DID_NOT], ids=fault_name)
def test_an_answer_that_is_lost_makes_no_second_job(cloud: Cloud, action: str, fault: Fault) -> None:
    world = World(cloud, "instance")
    world.issue()
    cloud.cas.fail(action, fault)
    world.ticks(8)
    assert len(world.jobs) == 1
    assert world.bound == [world.new] * 2
    told_once(world, DEPLOYED)


@pytest.mark.parametrize("nth", range(1, 14))
@pytest.mark.parametrize("service", ["cas", "oss", "smq"])
@pytest.mark.parametrize("phase", ["before", "after"])
def test_a_run_that_dies_at_any_call_is_gone_on_with(cloud: Cloud, phase: str, service: str, nth: int) -> None:
    world = World(cloud, "instance", PROBE="off")
    world.issue()
    left = nth

    def die(*at: str) -> None:
        nonlocal left
        if at[:2] == (phase, service):
            left -= 1
            if left == 0:
                raise Crash

    cloud.hooks.append(die)
    for _ in range(8):
        with contextlib.suppress(Crash):
            world.function.tick()
        cloud.clock.advance(seconds=3600)
    cloud.hooks.remove(die)
    assert len(world.jobs) == 1
    assert world.bound == [world.new] * 2
    assert {message["id"] for message in world.said(DEPLOYED)} == {f"{world.new}-deployed"}
    assert world.said(FAILED) == []


def test_a_run_that_dies_between_issued_and_deploying_loses_nothing(world: World) -> None:
    world.issue()
    crash_at(world.cloud, "after", "smq", "SendMessage")
    with pytest.raises(Crash):
        world.function.tick()
    world.ticks(30)
    assert world.bound == [world.new] * 2


def test_what_cas_refuses_is_told_and_tried_again_the_next_day(cloud: Cloud) -> None:
    world = World(cloud, "instance")
    world.issue()
    cloud.cas.fail(CREATE, faults.error("ResourceNotSupportCert", 400))
    world.ticks(3)
    message = told_once(world, FAILED)
    assert message["id"] == f"{world.new}-deploy-failed-ResourceNotSupportCert"
    assert (message["data"]["Reason"], message["data"]["Final"]) == ("ResourceNotSupportCert", False)
    assert len(cloud.cas.calls_of(CREATE)) == 1
    world.ticks(3, hours=20)
    assert world.bound == [world.new] * 2
    told_once(world, FAILED)
    told_once(world, DEPLOYED)


def test_resources_that_fail_are_told_with_the_job_and_nothing_is_rolled_back(cloud: Cloud) -> None:
    world = World(cloud, "instance")
    cloud.cas.resources.of(world.resources[1]).fails = True
    world.issue()
    answer = world.ticks(5)
    message = told_once(world, FAILED)
    data = message["data"]
    assert (message["id"], data["Reason"], data["Final"]) == (f"{world.new}-deploy-failed", "resources-left", True)
    assert [(one["Product"], one["Outcome"]) for one in data["Resources"]] == [("ALB", "failed"), ("CDN", "deployed")]
    assert world.bound == [world.new, world.old]
    assert cloud.cas.calls_of("UpdateWorkerResourceStatus") == []
    shown = world.shown(answer)
    assert (shown["stage"], shown["deployed"], shown["of"]) == ("deploy-failed", 1, 2)
    assert [one["Product"] for one in shown["still_bound"]] == ["ALB"]
    assert len(world.jobs) == 1


def test_a_job_that_does_not_end_within_a_day_is_told_once(cloud: Cloud) -> None:
    world = World(cloud, "instance")
    cloud.cas.deployments.stalls = True
    world.issue()
    world.ticks(4, hours=12)
    assert told_once(world, FAILED)["data"]["Reason"] == "job-too-slow"
    world.jobs[0].stalls = False
    world.ticks(2)
    told_once(world, DEPLOYED)
    told_once(world, FAILED)


def test_each_trouble_is_told_once_and_none_keeps_the_last_word_from_people(cloud: Cloud) -> None:
    world = World(cloud, "instance", PROBE="off", STALLED_WITHIN_DAYS="1")
    cloud.cas.resources.contacts.clear()
    cloud.cas.deployments.stalls = True
    cloud.cas.resources.of(world.resources[1]).fails = True
    world.issue()
    world.ticks(2)
    cloud.cas.resources.add_contact("Somebody", "somebody@example.com")
    cloud.cas.fail(CREATE, faults.error("DeploymentJobFailed", 400))
    world.ticks(2, hours=21)
    world.ticks(3, hours=15)
    world.jobs[0].stalls = False
    world.ticks(3)
    troubles = ["-no-contact", "-DeploymentJobFailed", "-job-too-slow", ""]
    assert [message["id"] for message in world.said(FAILED)] == [f"{world.new}-deploy-failed{why}" for why in troubles]
    assert [message["data"]["Final"] for message in world.said(FAILED)] == [False, False, False, True]


def test_while_a_refused_job_is_made_at_last_the_result_says_that_it_is_deploying(cloud: Cloud) -> None:
    world = World(cloud, "instance")
    cloud.cas.fail(CREATE, faults.error("DeploymentJobFailed", 400))
    world.issue()
    refused = world.shown(world.tick(hours=21))
    assert (refused["stage"], refused["reason"]) == ("deploy-failed", "DeploymentJobFailed")
    assert world.shown(world.tick())["stage"] == "deploying"
    assert world.shown(world.tick())["stage"] == "deployed"


def test_an_uploaded_certificate_is_never_deployed_nor_replaced(cloud: Cloud) -> None:
    world = World(cloud, "instance")
    world.issue()
    cloud.cas.certificates.of(world.new).source = "UPLOAD"
    world.ticks(3)
    assert told_once(world, FAILED)["data"]["Reason"] == "uploaded"
    assert not {call.action for call in cloud.cas.calls} & EFFECTS


def test_a_certificate_of_other_names_is_not_deployed_and_that_is_told(cloud: Cloud) -> None:
    world = World(cloud, "instance")
    world.issue()
    cloud.cas.certificates.of(world.new).names.append("more.example.com")
    world.ticks(3)
    data = told_once(world, FAILED)["data"]
    assert (data["Reason"], [one["Outcome"] for one in data["Resources"]]) == ("names-changed", ["missed", "missed"])
    assert not {call.action for call in cloud.cas.calls} & EFFECTS


def test_that_it_cannot_be_told_which_certificate_replaces_which_is_told_once(cloud: Cloud) -> None:
    world = World(cloud, "order")
    world.issue()
    (bought,) = cloud.cas.bought(int(world.id))
    second = cloud.cas.certificates.of(cloud.cas.certificates.upload("www.example.com", days_left=300))
    second.source, second.instance_id = "BUY", cloud.cas.order(bought.new_order_id).instance_id
    second.not_before = cloud.clock.now()
    crash_at(cloud, "after", "smq", "SendMessage", 2)
    with pytest.raises(Crash):
        world.tick()
    assert len(world.said(FAILED)) == 1, "and that it was told was not written down"
    answer = world.ticks(3)
    message, again = world.said(FAILED)
    assert message["id"] == again["id"] == f"{bought.new_order_id}-deploy-failed-several-certificates"
    assert message["subject"] == str(bought.new_order_id)
    assert (message["data"]["CertificateId"], message["data"]["Resources"]) == (None, [])
    assert world.shown(answer)["reason"] == "several-certificates"
    assert not answer.failed
    assert not {call.action for call in cloud.cas.calls} & EFFECTS


@pytest.mark.parametrize("bound_late", ["in another product", "after the job"])
def test_what_is_bound_to_the_old_one_shortly_before_its_end_is_told_once(cloud: Cloud, bound_late: str) -> None:
    world = World(cloud, "instance", "CDN", DEPLOY_TO="CDN", STALLED_WITHIN_DAYS="5", PROBE="off")
    if bound_late == "in another product":
        cloud.cas.resources.add(world.old, "ALB")
    world.issue()
    world.ticks(3)
    if bound_late == "after the job":
        cloud.cas.resources.add(world.old, "CDN", "late.example.com")
    world.ticks(4, hours=24)
    assert world.said(FAILED) == []
    world.ticks(4, hours=24)
    message = told_once(world, FAILED)
    assert message["id"] == f"{world.new}-deploy-failed-still-bound"
    assert [one["Outcome"] for one in message["data"]["Resources"]] == ["missed"]
    told_once(world, DEPLOYED)


def test_a_failure_near_the_end_is_no_reason_to_tell_on_the_same_day_that_the_old_one_is_bound(cloud: Cloud) -> None:
    world = World(cloud, "instance", "CDN", STALLED_WITHIN_DAYS="14", PROBE="off")
    cloud.cas.resources.of(world.resources[0]).fails = True
    world.issue()
    world.ticks(5)
    assert [message["data"]["Reason"] for message in world.said(FAILED)] == ["resources-left"]
    world.ticks(3, hours=12)
    assert [message["data"]["Reason"] for message in world.said(FAILED)] == ["resources-left", "still-bound"]


def test_people_are_alerted_before_anything_is_deployed(cloud: Cloud) -> None:
    world = World(cloud, "instance")
    world.issue()
    cloud.cas.certificates.upload("ends.example.com", days_left=6)
    sent_before: list[list[str]] = []

    def when_made(*at: str) -> None:
        if at == ("before", "cas", CREATE):
            sent_before.append([message["type"] for message in cloud.smq.messages(QUEUE)])

    cloud.hooks.append(when_made)
    world.tick()
    (types,) = sent_before
    assert "cas.certificate.expiring" in types


def test_what_no_time_is_left_for_is_said_and_done_by_the_next_run(cloud: Cloud) -> None:
    world = World(cloud, "instance")
    world.issue()
    answer = world.function.tick(14, 0)
    assert "no time was left for the deployment of 1 certificate" in answer.text
    world.ticks(3)
    assert world.bound == [world.new] * 2


def test_no_certificate_waits_for_ever_for_a_daily_run_that_has_time_for_one(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(cloud, "instance", "CDN", PROBE="off")
    others = [cloud.cas.instances.add(f"www{number}.example.com", 10, hosted=True) for number in range(3)]
    world.issue()
    for other in others:
        cloud.cas.resources.add(cloud.cas.instances.of(other).certificate_id or 0, "CDN")
        cloud.cas.instances.issue(other)
    looked_at: list[str] = []

    def only_one(replacing: Replacing, one: Replacement) -> None:
        looked_at.append(one.id)
        monkeypatch.setattr("handler.run.replacing.SHORTEST_TIMEOUT", 10_000)

    monkeypatch.setattr(Replacing, "_take_up", only_one)
    first = cloud.clock.now()
    for day in range(20):
        monkeypatch.setattr("handler.run.replacing.SHORTEST_TIMEOUT", 1)
        cloud.clock.advance(seconds=(first + timedelta(days=day) - cloud.clock.now()).total_seconds())
        world.function.tick()
    assert set(looked_at) == {world.id, *others}


def test_a_resource_that_a_person_binds_elsewhere_meanwhile_is_left_alone(cloud: Cloud) -> None:
    world = World(cloud, "instance")
    world.issue()
    other = cloud.cas.certificates.upload("www.example.com")
    cloud.cas.resources.bind(world.resources[0], other)
    world.ticks()
    assert world.bound == [other, world.new]


def test_without_the_permission_the_run_fails_and_says_which(cloud: Cloud) -> None:
    world = World(cloud, "instance")
    cloud.cas.forbid(CREATE)
    world.issue()
    answer = world.tick()
    assert answer.failed
    assert "make policy" in answer.text
    assert world.bound == [world.old] * 2


# --- what is served ---------------------------------------------------------------------------------------------------


class Browser:
    """A prober that answers with a certificate of the account, or not at all."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.serves: int | None = None
        self.asked: list[str] = []

    def ask(self, domain: str, seconds: float) -> Served | Unreachable:
        assert seconds <= served.SECONDS
        self.asked.append(domain)
        if self.serves is None:
            return Unreachable("nobody is there")
        certificate = self.cloud.cas.certificates.of(self.serves)
        return Served(self.serves, certificate.not_after, frozenset(certificate.names))


@pytest.mark.parametrize(("serves", "word"), [("new", "new"), ("old", "old"), (None, "unreachable")])
def test_what_a_domain_serves_is_in_the_message(cloud: Cloud, serves: str | None, word: str) -> None:
    world = World(cloud, "instance", "CDN")
    browser = world.function.prober = Browser(cloud)
    world.issue()
    world.tick()
    assert browser.asked == [], "before the job has ended nobody is asked"
    browser.serves = {"new": world.new, "old": world.old, None: None}[serves]
    world.ticks(2)
    assert [one["Serves"] for one in told_once(world, DEPLOYED)["data"]["Resources"]] == [word]
    assert set(browser.asked) == {"www.example.com"}
    assert len(browser.asked) == (1 if word == "new" else 2), "the old one, and nobody, is looked at again"


def test_so_many_domains_that_a_run_cannot_ask_them_all_are_asked_by_several(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handler.run.serving.MOST", 2)
    world = World(cloud, "instance", "CDN", DEPLOY_TO="CDN")
    for name in "abcd":
        cloud.cas.resources.add(world.old, "CDN", f"{name}.example.com")
    cloud.cas.resources.add(world.old, "OSS", "elsewhere.example.com")
    browser = world.function.prober = Browser(cloud)
    world.issue()
    browser.serves = world.new
    world.ticks(2)
    first = len(browser.asked)
    shown = world.shown(world.ticks(4))
    assert (first, len(browser.asked), len(set(browser.asked))) == (2, 5, 5)
    assert {one["Serves"] for one in shown["resources"]} == {"new"}, "and what was seen is remembered"


def test_an_old_one_that_is_served_for_three_days_is_told_once(cloud: Cloud) -> None:
    world = World(cloud, "instance", "CDN")
    browser = world.function.prober = Browser(cloud)
    browser.serves = world.old
    world.issue()
    world.ticks(6, hours=12)
    assert world.said(FAILED) == []
    world.ticks(4, hours=12)
    data = told_once(world, FAILED)["data"]
    assert (data["Reason"], data["Resources"][0]["Serves"]) == ("old-one-served", "old")
    told_once(world, DEPLOYED)
    assert world.notes() == []


@pytest.mark.parametrize("then", ["old", "new", "nobody"])
def test_a_name_that_does_not_answer_is_asked_again_for_three_days(cloud: Cloud, then: str) -> None:
    world = World(cloud, "instance", "CDN")
    browser = world.function.prober = Browser(cloud)
    world.issue()
    world.ticks(2)
    told_once(world, DEPLOYED)
    browser.serves = {"old": world.old, "new": world.new, "nobody": None}[then]
    world.ticks(8, hours=12)
    assert [message["data"]["Reason"] for message in world.said(FAILED)] == ["old-one-served"] * (then == "old")
    assert world.notes() == []
    asked = len(browser.asked)
    assert asked == (2 if then == "new" else 8), "seven more, over three days"
    world.ticks(2)
    assert len(browser.asked) == asked


def test_with_probe_off_nobody_is_asked(cloud: Cloud) -> None:
    world = World(cloud, "instance", "CDN", PROBE="off")
    browser = world.function.prober = Browser(cloud)
    world.issue()
    world.ticks(3)
    assert browser.asked == []
    assert told_once(world, DEPLOYED)["data"]["Resources"][0]["Serves"] is None


def test_what_still_uses_the_old_one_needs_somebody_once_that_ends_soon(cloud: Cloud) -> None:
    world = World(cloud, "instance", "CDN", DEPLOY_TO="", STALLED_WITHIN_DAYS="5")
    world.issue()
    world.ticks(2)
    needs = [need_of(cloud, world.id)]
    cloud.clock.advance(seconds=timedelta(days=6).total_seconds())
    world.tick()
    assert [*needs, need_of(cloud, world.id)] == [None, "still-bound"]
    assert "CDN www.example.com" in report(cloud, "report.html")


def report(cloud: Cloud, name: str) -> str:
    written = [body for key, _, body in cloud.oss.history if key.endswith(name)]
    return written[-1].decode()


def need_of(cloud: Cloud, id_: str) -> str | None:
    lines = json.loads(report(cloud, "report.json"))["orders"]
    (line,) = [line for line in lines if id_ in {line["order_id"], line["instance_id"]}]
    found: str | None = line["need"]
    return found


@pytest.mark.parametrize("dry_run", ["true", "false"])
def test_the_self_check_says_to_which_products_it_deploys(cloud: Cloud, dry_run: str) -> None:
    function = Function(cloud, DRY_RUN=dry_run)
    assert "deployments" not in {one["check"] for one in function.invoke({"check": True}).result["check"]}
    (line,) = checked(function, DEPLOY_TO="CDN,ALB")
    assert line["ok"]
    assert ("armed" in line["found"], "CDN, ALB" in line["found"]) == ((dry_run == "false",) * 2)
    cloud.cas.forbid("ListDeploymentJob")
    (line,) = checked(function, DEPLOY_TO="*", PROBE="off")
    assert not line["ok"]
    assert "ListDeploymentJob" in line["do"]


def checked(function: Function, **settings: str) -> list[dict[str, Any]]:
    lines = Function(function.cloud, **{**function.settings, **settings}).invoke({"check": True}).result["check"]
    return [one for one in lines if one["check"] == "deployments"]


# --- the world moves on meanwhile -------------------------------------------------------------------------------------


@pytest.mark.parametrize("resources", ["an empty list", "an error"])
@pytest.mark.parametrize("when", ["under way", "deployed"])
def test_who_deletes_the_replaced_certificate_hears_that_the_new_one_is_deployed_and_no_complaint(
    cloud: Cloud, when: str, resources: str
) -> None:
    world = World(cloud, "instance", "CDN", PROBE="off")
    world.issue()
    world.ticks(2 if when == "deployed" else 1)
    cloud.cas.certificates.remove(world.old)
    if resources == "an error":
        for _ in range(20):
            cloud.cas.fail("ListCloudResources", faults.error("InvalidCertId.NotFound", 404))
    answers = [world.tick(12) for _ in range(6)]
    assert not any(answer.failed for answer in answers)
    told_once(world, DEPLOYED)
    assert world.said(FAILED) == []
    assert world.notes() == []


def test_where_both_are_known_a_refusal_to_say_where_the_old_one_is_bound_is_never_taken_for_nowhere(
    cloud: Cloud,
) -> None:
    world = World(cloud, "instance", "CDN")
    world.issue()
    for _ in range(20):
        cloud.cas.fail("ListCloudResources", faults.error("InvalidCertId.NotFound", 404))
    assert all(world.tick(12).failed for _ in range(3))
    assert world.said(DEPLOYED) == []


def test_a_replaced_certificate_that_is_deleted_before_anything_was_made_is_told_once_and_fails_no_run(
    cloud: Cloud,
) -> None:
    world = World(cloud, "instance", "CDN", DEPLOY_CONTACT="")
    cloud.cas.resources.contacts.clear()
    world.issue()
    world.tick()
    cloud.cas.certificates.remove(world.old)
    for _ in range(20):
        cloud.cas.fail("ListCloudResources", faults.error("InvalidCertId.NotFound", 404))
    assert not any(world.tick(12).failed for _ in range(6))
    assert [message["data"]["Reason"] for message in world.said(FAILED)] == ["no-contact", "certificate-not-found"]
    assert world.said(DEPLOYED) == []


def test_what_was_issued_before_deploy_to_was_set_is_not_deployed(cloud: Cloud) -> None:
    world = World(cloud, "instance", "CDN", DEPLOY_TO="")
    world.issue()
    answer = [world.tick(), *(world.tick(DEPLOY_TO="*") for _ in range(3))][-1]
    assert not {call.action for call in cloud.cas.calls} & EFFECTS
    shown = world.shown(answer)
    assert (shown["stage"], shown["reason"], len(shown["still_bound"])) == ("not-deployed", None, 1)
    assert world.said(FAILED) == []


@pytest.mark.parametrize("deploys_again", ["CDN", "*"])
def test_a_job_that_was_begun_is_gone_on_with_once_deploy_to_is_set_again(cloud: Cloud, deploys_again: str) -> None:
    world = World(cloud, "instance", "CDN", PROBE="off")
    world.issue()
    world.tick()
    world.tick(DEPLOY_TO="")
    world.tick(DEPLOY_TO=deploys_again)
    told_once(world, DEPLOYED)


def test_a_certificate_whose_names_the_operator_does_not_allow_is_not_deployed_and_that_is_no_failure(
    cloud: Cloud,
) -> None:
    world = World(cloud, "instance", "CDN", RENEW_DOMAINS="trial.example.com")
    world.issue()
    answer = world.ticks(3)
    assert not {call.action for call in cloud.cas.calls} & EFFECTS
    shown = world.shown(answer)
    assert (shown["stage"], shown["reason"], len(shown["still_bound"])) == ("not-deployed", "domain-not-allowed", 1)
    assert not answer.failed
    assert world.said(FAILED) == []
    for resource in world.resources:
        cloud.cas.resources.bind(resource, world.new)
    world.ticks(3)
    assert world.notes() == []


@pytest.mark.parametrize("why", ["no contact", "refused", "stalls"])
def test_what_never_gets_on_is_forgotten_a_month_after_the_old_one_has_ended(cloud: Cloud, why: str) -> None:
    world = World(cloud, "instance", "CDN", PROBE="off")
    cloud.cas.deployments.stalls = why == "stalls"
    cloud.cas.resources.of(world.resources[0]).supports_certificates = why != "refused"
    if why == "no contact":
        cloud.cas.resources.contacts.clear()
    world.issue()
    world.ticks(35, hours=24)
    assert world.notes()
    world.ticks(8, hours=24)
    assert world.notes() == []
    before = len(cloud.cas.calls_of("ListCloudResources"))
    world.ticks(3, hours=24)
    assert len(cloud.cas.calls_of("ListCloudResources")) == before


@pytest.mark.parametrize("why", ["refused", "answers lost"])
def test_what_people_bind_themselves_instead_of_a_job_that_could_not_be_made_is_no_longer_a_failure(
    cloud: Cloud, why: str
) -> None:
    world = World(cloud, "instance", "CDN", PROBE="off")
    cloud.cas.resources.of(world.resources[0]).supports_certificates = why == "answers lost"
    for _ in range(3 if why == "answers lost" else 0):
        cloud.cas.fail(CREATE, faults.timeout_before())
    world.issue()
    assert world.shown(world.ticks(6))["stage"] == "deploy-failed"
    cloud.cas.resources.bind(world.resources[0], world.new)
    assert world.shown(world.tick())["stage"] == "deployed"
    assert told_once(world, DEPLOYED)["data"]["Resources"] == []
    world.ticks(4)
    assert world.notes() == []


def test_a_function_that_was_off_for_months_deploys_and_says_so(cloud: Cloud) -> None:
    world = World(cloud, "instance", "CDN", PROBE="off")
    world.issue()
    crash_at(cloud, "before", "cas", CREATE)
    with contextlib.suppress(Crash):
        world.tick()
    cloud.clock.advance(seconds=timedelta(days=70).total_seconds())
    world.ticks(3)
    assert world.bound == [world.new]
    told_once(world, DEPLOYED)
