"""What is rehearsed: each state of the account, how it comes about, and what an operator does about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.sample_account import PLAIN_ORDER_ID
from tests.stubs import faults
from tests.stubs.cloud import Cloud
from tests.stubs.validation import record_of

INSTANCE = "cas_dv-cn-record01"
_BOUGHT_ELSEWHERE = 123451333
_RENEW = "RenewCertificateOrderForPackageRequest"

Change = Callable[[Cloud], None]


@dataclass(frozen=True)
class Rehearsal:
    """One state to practise in. After each of the `stages` but the last a run of the timer takes place unseen."""

    prepared: str
    next: str
    """What to look at and what to send, command by command."""
    stages: tuple[Change, ...]
    shows: tuple[str, str | None]
    """Outcome and reason that the run then shows, of the order or instance with `about` as its id."""
    about: str = str(PLAIN_ORDER_ID)
    done: Change | None = None
    """What a person does elsewhere."""
    settings: dict[str, str] = field(default_factory=dict)
    """Settings of the function for as long as the rehearsal lasts."""


def _two_orders(cloud: Cloud) -> None:
    """The order that it is about, which is bought first, and one that all goes well with."""
    cloud.cas.add_order(PLAIN_ORDER_ID, "www.example.com", days_left=5.5)
    cloud.cas.add_order(123451241, "*.api.example.com", days_left=20.5, product_code="digicert-dv-wildcard-1")


def _answer_is_lost(cloud: Cloud) -> None:
    _two_orders(cloud)
    cloud.cas.fail(_RENEW, faults.timeout_after())


def _renewed_in_the_console_too(cloud: Cloud) -> None:
    cloud.cas.renew_in_console(PLAIN_ORDER_ID, domain_filled=False)


def _quota_is_used_up(cloud: Cloud) -> None:
    cloud.cas.add_order(PLAIN_ORDER_ID, "www.example.com", days_left=5.5)
    cloud.cas.add_order(123451241, "shop.example.com", days_left=20.5)  # of the same product
    cloud.cas.quota = 0


def _buy_quota(cloud: Cloud) -> None:
    cloud.cas.quota = 10


def _has_expired(cloud: Cloud) -> None:
    _two_orders(cloud)
    cloud.cas.remove(PLAIN_ORDER_ID)
    cloud.cas.add_order(PLAIN_ORDER_ID, "www.example.com", days_left=-1.5)


def _buy_another(cloud: Cloud) -> None:
    if _BOUGHT_ELSEWHERE not in cloud.cas.order_ids():
        cloud.cas.add_order(_BOUGHT_ELSEWHERE, "www.example.com", days_left=199.5)


def _zone_elsewhere(cloud: Cloud) -> None:
    authority = cloud.cas.authority
    authority.dns_takes, authority.takes, authority.records_after = 2, 3, 1
    cloud.cas.instances.add("pay.example.com", 8.5, instance_id=INSTANCE, own_dns=False)


def _nothing(cloud: Cloud) -> None:
    """Only time goes by."""


def _add_records(cloud: Cloud) -> None:
    cas = cloud.cas
    for entry in cas.authority.records(cas.instances.of(INSTANCE)):
        cas.authority.add_record(*record_of(entry))


def _in_use_twice(cloud: Cloud) -> None:
    cas = cloud.cas
    cas.deployments.scheduling_takes = cas.deployments.takes = 1
    _two_orders(cloud)
    bound = cas.order(PLAIN_ORDER_ID).certificate_id
    assert bound
    cas.resources.add(bound, "CDN", "www.example.com")
    cas.resources.of(cas.resources.add(bound, "ALB", "www.example.com")).fails = True


def _is_issued(cloud: Cloud) -> None:
    (bought,) = cloud.cas.bought(PLAIN_ORDER_ID)
    cloud.cas.apply(bought.new_order_id)
    cloud.cas.issue(bought.new_order_id)


def _deploy_by_hand(cloud: Cloud) -> None:
    cas = cloud.cas
    (bought,) = cas.bought(PLAIN_ORDER_ID)
    new = cas.order(bought.new_order_id).certificate_id
    assert new
    for resource in cas.resources.all():
        resource.fails = False
        cas.resources.bind(resource.resource_id, new)


REHEARSALS = {
    "lost-answer": Rehearsal(
        prepared="order 123451222 is due. CAS renews it, and its answer never arrives: was it bought?",
        stages=(_answer_is_lost,),
        shows=("unknown", "no-answer"),
        next="""nothing has to be decided: a later run looks whether a new order is there, and never buys again before.
  make run ARGS='--later 1h'           # `renewed`: the new order was found; its message is on the queue""",
    ),
    "held": Rehearsal(
        prepared="the answer to the renewal of order 123451222 was lost, and a colleague renewed it in the console.",
        stages=(_answer_is_lost, _renewed_in_the_console_too),
        shows=("held", "several-candidates"),
        next="""only a person can say which of the candidates is the function's. The colleague says that
98987582437920970 is theirs, so the other one is the successor:
  make run EVENT=events/resolve.json   # `renewed`; that one's message is on the queue
  make run                             # `already-renewed`; a message says that nobody has applied yet
Had nothing been bought at all, you would send events/release.json, after which the next run buys.""",
    ),
    "refused": Rehearsal(
        prepared="order 123451222 is due, and the plan's quota is used up.",
        stages=(_quota_is_used_up,),
        shows=("refused", "InsufficientQuota"),
        done=_buy_quota,
        next="""nothing was bought. Buy quota in the CAS console (here: --done). CAS is asked again after 20 hours:
  make run ARGS='--done --later 1d'    # `renewed`, and so is the order that was `deferred`""",
    ),
    "expired": Rehearsal(
        prepared="the certificate of order 123451222 ended a day ago, while the function was off.",
        stages=(_has_expired,),
        shows=("expiring", "expired"),
        done=_buy_another,
        next="""no event helps, since CAS renews no expired certificate; see what asking for it comes to:
  make run EVENT=events/manual.json    # `skipped`, `expired`
Buy another certificate for the same names in the CAS console, and install it (here: --done):
  make run ARGS='--done --later 1d'    # nothing is said of the old one any more""",
    ),
    "validation": Rehearsal(
        prepared=f"the function has applied with {INSTANCE}; the zone of pay.example.com is not in this account.",
        stages=(_zone_elsewhere, _nothing),
        shows=("applied", "needs-records"),
        about=INSTANCE,
        done=_add_records,
        settings={"INSTANCES": "apply"},
        next="""the report and the message `cas.instance.validation` have the records.
Add them to the zone (here: --done):
  make run ARGS='--done --later 1h'    # `cas.instance.issued` is on the queue""",
    ),
    "deploy-failed": Rehearsal(
        prepared="order 123451222 has its new certificate; of the two resources with the old one, ALB fails.",
        stages=(_in_use_twice, _is_issued, _nothing),
        shows=("already-renewed", None),
        done=_deploy_by_hand,
        settings={"DEPLOY_TO": "*", "PROBE": "off"},
        next="""a message `cas.certificate.deploy-failed` names the resource and the job.
Deploy there in the CAS console (here: --done):
  make run ARGS='--done --later 1h'    # both resources have the new certificate""",
    ),
}
