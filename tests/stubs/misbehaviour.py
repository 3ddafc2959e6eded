"""Bad days, drawn by chance: faults that nobody queued, for long runs against stubs in a process of their own."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable

from tests.stubs import faults
from tests.stubs.cas import CasStub
from tests.stubs.cas_api import LISTS
from tests.stubs.faults import Fault

_ANYWHERE = (
    faults.error("InternalError", status=500),
    faults.error_after("InternalError", status=500),
    faults.html(503),
    faults.html_after(502),
    faults.timeout_before(),
    faults.timeout_after(),
    faults.reset_before(),
    faults.reset_after(),
    faults.refused(),
)
_ELSEWHERE = (faults.empty(), faults.empty_after(), faults.answer({}), faults.answer_after({"ok": True}))
_CAS = (
    *_ANYWHERE,
    *_ELSEWHERE,
    faults.throttle(),
    faults.throttle(retry_after_ms=200),
    faults.error("ServiceUnavailable", status=503),
    faults.error("InternalError"),
    faults.error_after("InternalError", status=400),
)
_BY_ACTION: dict[str, tuple[Fault, ...]] = {
    **dict.fromkeys(CasStub.actions, (*_CAS, *faults.NO_ANSWERS)),
    **dict.fromkeys(LISTS, (*_CAS, *faults.NO_ANSWERS, *faults.NO_LISTS)),
    "CreateDeploymentJob": (*_CAS, faults.missing_order_id(), faults.order_id_as_string()),
    "GetUserCertificateDetail": _CAS,
    "RenewCertificateOrderForPackageRequest": (
        *_CAS,
        faults.missing_order_id(),
        faults.order_id_as_string(),
        faults.old_order_id(),
        faults.old_order_id_after(),
    ),
    "SendMessage": (*_ANYWHERE, *_ELSEWHERE, faults.error("QpsLimitExceeded", status=503)),
    "AppendObject": (*_ANYWHERE, *_ELSEWHERE),
    "PutObject": (*_ANYWHERE, *_ELSEWHERE),
    "GetObject": (*_ANYWHERE, *_ELSEWHERE),
    "ListObjectsV2": (*_ANYWHERE, *_ELSEWHERE),
}


class RandomFaults:
    """Spoils a share of the calls. The same seed and the same calls in the same order give the same faults."""

    def __init__(self, seed: int | str, share: float = 0.2) -> None:
        self._random = random.Random(seed)  # noqa: S311 - nothing secret about it
        self._share = share

    def __call__(self, action: str) -> Fault | None:
        """A fault, or None for a call that behaves."""
        if self._random.random() >= self._share:
            return None
        return self._random.choice(_BY_ACTION.get(action, _ANYWHERE))


class MovingLists:
    """For `CasStub.between_pages`: after a share of the pages something moves, none of which touches a renewal.

    An order that has nothing to do with any other is bought or goes away, one goes from list to list, or a row goes
    elsewhere in its list; so do instances, uploads, resources and deployment jobs while their lists are read. The same
    seed and the same readings give the same.
    """

    def __init__(self, cas: CasStub, seed: int | str, share: float = 0.2) -> None:
        self._cas = cas
        self._random = random.Random(seed)  # noqa: S311 - nothing secret about it
        self._others = random.Random(f"{seed} of V2")  # noqa: S311
        self._share = share
        self._bystanders: list[int] = []
        self._instances: list[str] = []
        self._uploads: list[int] = []
        self._resources: list[int] = []
        self._by_list: dict[str, tuple[Callable[[], None], ...]] = {
            "ListInstances": (self._instance_comes, self._instance_goes, self._instances_change_places),
            "ListCertificates": (self._upload_comes, self._upload_goes),
            "ListCloudResources": (self._resource_comes, self._resource_goes),
            "ListDeploymentJob": (self._job_comes,),
            "ListContact": (self._contact_comes,),
        }

    def __call__(self, order_type: str, page: int) -> None:
        """Let something happen, or nothing. `order_type`: the name of a list, see `CasStub.between_pages`."""
        if order_type in self._by_list:
            if self._others.random() < self._share:
                self._others.choice(self._by_list[order_type])()
            return
        if self._random.random() >= self._share:
            return
        self._random.choice((self._come, self._go, self._change_lists, self._change_places))()

    def _come(self) -> None:
        place = self._random.choice((None, 0, 1, 50))
        product = f"bystander-{len(self._bystanders)}"
        self._bystanders.append(
            self._cas.add_order(domain="bystander.example.net", days_left=150, product_code=product, place=place)
        )

    def _go(self) -> None:
        if self._bystanders:
            self._cas.remove(self._bystanders.pop(self._random.randrange(len(self._bystanders))))

    def _change_lists(self) -> None:
        if order := self._any_order():
            self._cas.move(order, "BUY" if self._cas.order(order).source == "CPACK" else "CPACK")

    def _change_places(self) -> None:
        if order := self._any_order():
            self._cas.move_row(order, self._random.choice((0, 1, 1000)))

    def _instance_comes(self) -> None:
        place = self._others.choice((0, 1, 50))
        self._instances.append(self._cas.instances.add("bystander.example.net", 150, place=place))

    def _instance_goes(self) -> None:
        if self._instances:
            self._cas.instances.remove(self._instances.pop(self._others.randrange(len(self._instances))))

    def _instances_change_places(self) -> None:
        if known := self._cas.instances.ids():
            self._cas.instances.move_row(self._others.choice(known), self._others.choice((0, 1, 1000)))

    def _upload_comes(self) -> None:
        self._uploads.append(self._cas.certificates.upload("bystander.example.net", days_left=150))

    def _upload_goes(self) -> None:
        if self._uploads:
            self._cas.certificates.remove(self._uploads.pop(self._others.randrange(len(self._uploads))))

    def _resource_comes(self) -> None:
        self._resources.append(self._cas.resources.add(1, "OSS", "bystander.example.net"))

    def _resource_goes(self) -> None:
        if self._resources:
            self._cas.resources.remove(self._resources.pop(self._others.randrange(len(self._resources))))

    def _job_comes(self) -> None:
        upload = self._cas.certificates.upload("bystander.example.net", days_left=150)
        resource = self._cas.resources.add(upload, "OSS", "bystander.example.net")
        self._cas.deployments.create_in_console("bystander", upload, [resource], start=False)

    def _contact_comes(self) -> None:
        self._cas.resources.add_contact("Bystander", "bystander@example.net")

    def _any_order(self) -> int | None:
        known = self._cas.order_ids()
        return self._random.choice(known) if known else None


class RateLimit:
    """Throttles whatever exceeds so many calls of one action within any second, by the real time."""

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._recent: dict[str, deque[float]] = {}

    def __call__(self, action: str) -> Fault | None:
        """Throttling, or None for a call within the limit. A throttled call does not count."""
        now, recent = time.monotonic(), self._recent.setdefault(action, deque())
        while recent and recent[0] <= now - 1:
            recent.popleft()
        if len(recent) >= self._per_second:
            return faults.throttle()
        recent.append(now)
        return None
