"""The lists of CAS, read by the function's own client: whole, within the rate limit, and not misled by what moves."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any, Literal

import pytest

from handler import index
from handler.cloud.credentials import Credentials
from handler.cloud.meter import Meter
from handler.errors import CasError, CasMisconfigured, CasOutcomeUnknown, CasRefused, CasThrottled
from handler.orders.book import OrderBook
from handler.outcomes import ListFault, Reason
from handler.run.services import Services
from handler.runtime.countdown import Countdown
from handler.runtime.log import Log
from handler.runtime.settings import settings_from
from tests.stubs import faults
from tests.stubs.clock import START
from tests.stubs.cloud import Cloud
from tests.stubs.listing import Listing
from tests.stubs.misbehaviour import MovingLists
from tests.traces import LIST

INSTANCES, CERTIFICATES, DETAIL = "ListInstances", "ListCertificates", "GetInstanceDetail"
Kind = Literal["instances", "certificates"]


@pytest.fixture
def services(cloud: Cloud) -> Iterator[Services]:
    """The services as the door puts them together for one invocation."""
    context, credentials = cloud.context(timeout=3600), Credentials(**vars(cloud.credentials))
    log, meter = Log(io.StringIO(), cloud.clock, "request-1", str), Meter(cloud.clock)
    time = Countdown(cloud.clock, cloud.clock.now(), 3600)
    settings = settings_from(cloud.environ(), context)
    with index.DEPLOYED.opened(context, settings, credentials, log, time, meter) as opened:
        yield opened


class Account:
    """One of the two lists: how it is filled, and what the function sees of it."""

    def __init__(self, kind: Kind, cloud: Cloud, services: Services) -> None:
        self.cloud = cloud
        self.action = INSTANCES if kind == "instances" else CERTIFICATES
        self.probe: Callable[[], None] = (
            services.instances.probe_instances if kind == "instances" else services.certificates.probe_certificates
        )
        self._kind, self._services = kind, services

    @property
    def pages(self) -> Listing:
        """What is odd about the list."""
        return self.cloud.cas.instances.pages if self._kind == "instances" else self.cloud.cas.certificates.pages

    def fill(self, count: int) -> list[str]:
        """Put so many rows into the list; return their ids, the last row first."""
        return [self.add(f"host{number}.example.com") for number in range(count)]

    def add(self, domain: str = "www.example.com") -> str:
        """Put a row at the top of the list; return its id."""
        if self._kind == "instances":
            return self.cloud.cas.instances.add(domain)
        return str(self.cloud.cas.certificates.upload(domain))

    def remove(self, row_id: str) -> None:
        """Take a row out of the list."""
        part: Any = self.cloud.cas.instances if self._kind == "instances" else self.cloud.cas.certificates
        part.remove(row_id)

    def read(self) -> tuple[list[str], tuple[str, ...]]:
        """The ids that the function sees, and what it shows of the rows without one."""
        if self._kind == "instances":
            instances = self._services.instances.instances()
            return [instance.id for instance in instances.instances], instances.nameless
        certificates = self._services.certificates.certificates()
        return [certificate.renewable.id for certificate in certificates.certificates], certificates.nameless

    def ids(self) -> list[str]:
        """The ids that the function sees, each once."""
        found, nameless = self.read()
        assert not nameless
        assert len(set(found)) == len(found)
        return found

    @property
    def asked(self) -> list[int]:
        """The numbers of the pages that were asked for."""
        return [int(call.params["CurrentPage"]) for call in self.cloud.cas.calls_of(self.action)]

    @property
    def readings(self) -> int:
        """How often the list was begun with."""
        return self.asked.count(1)


@pytest.fixture(params=["instances", "certificates"])
def account(request: pytest.FixtureRequest, cloud: Cloud, services: Services) -> Account:
    return Account(request.param, cloud, services)


class BetweenPages:
    """Lets something happen after a page, the first so many times that it is answered."""

    def __init__(self, page: int, *happens: Callable[[], object]) -> None:
        self._page, self._left = page, list(happens)

    def __call__(self, name: str, page: int) -> None:
        if page == self._page and self._left:
            self._left.pop(0)()


# --------------------------------------------------------------------------------------------------------------- pages


@pytest.mark.parametrize(("count", "pages"), [(0, 1), (1, 1), (99, 1), (101, 2), (199, 2), (250, 3)])
def test_a_list_that_holds_still_costs_the_pages_there_are(account: Account, count: int, pages: int) -> None:
    filled = account.fill(count)
    assert account.ids() == filled[::-1]
    assert account.asked == list(range(1, 1 + pages))


def test_a_full_page_is_the_last_only_if_an_empty_one_follows_since_the_total_may_be_too_low(account: Account) -> None:
    filled = account.fill(200)
    assert {*account.ids()} == {*filled}
    assert account.asked == [1, 2, 3]
    account.add()
    account.pages.total_off_by = -1
    assert len(account.ids()) == 201, "the total says 200, and two pages have as many"


def test_a_page_is_asked_for_in_the_largest_size_and_without_a_filter(account: Account, cloud: Cloud) -> None:
    account.read()
    (call,) = cloud.cas.calls_of(account.action)
    assert call.params == {"CurrentPage": "1", "ShowSize": "100"}


@pytest.mark.parametrize("limit", [1, 7, 50, 99])
def test_a_service_that_answers_smaller_pages_is_read_to_the_end(account: Account, limit: int) -> None:
    account.pages.page_limit = limit
    filled = account.fill(101)
    assert account.ids() == filled[::-1]
    assert account.readings == 1
    assert len(account.asked) == 101 // limit + 1


@pytest.mark.parametrize("shown", [None, 0, 100, "100", 2, "x", -1])
def test_a_page_that_is_smaller_than_it_says_is_not_the_last_while_the_total_says_that_there_is_more(
    account: Account, cloud: Cloud, shown: Any
) -> None:
    names = ("InstanceList", "InstanceId") if account.action == INSTANCES else ("CertificateList", "CertificateId")
    first, second, third = (
        [f"cas-cn-{n}" if account.action == INSTANCES else str(n) for n in numbers]
        for numbers in ((1, 2), (3, 4), (5,))
    )
    pages = [{names[0]: [{names[1]: row} for row in rows], "TotalCount": 5} for rows in (first, second, third)]
    cloud.cas.fail(account.action, *(faults.answer({**page, "ShowSize": shown}) for page in pages))
    assert account.ids() == [*first, *second, *third]
    assert account.asked == [1, 2, 3]


# ------------------------------------------------------------------------------------------------- lists that are odd


@pytest.mark.parametrize("count", [1, 100, 101, 150])
@pytest.mark.parametrize("off_by", [-1000, -50, -1, 1, 3])
def test_a_wrong_total_hides_nothing_and_costs_one_more_reading(account: Account, count: int, off_by: int) -> None:
    filled = account.fill(count)
    account.pages.total_off_by = off_by
    assert {*account.ids()} == {*filled}
    assert account.readings == 2, "the second reading is the same as the first, so nothing moves"


def test_a_row_that_always_comes_twice_is_there_once(account: Account) -> None:
    filled = account.fill(120)
    account.pages.twice |= {filled[3], filled[90]}
    assert {*account.ids()} == {*filled}
    assert account.readings == 2


def test_rows_that_make_no_sense_are_shown_and_cost_no_other_row(account: Account) -> None:
    filled = account.fill(120)
    rows: list[Any] = [None, "text", 7, [], {"Status": "frozen"}, {}, True]
    for place, row in enumerate(rows):
        account.pages.add_raw_row(row, place=place * 20)
    found, nameless = account.read()
    assert {*found} == {*filled}
    id_name = "InstanceId" if account.action == INSTANCES else "CertificateId"
    assert {*nameless} == {"None", "'text'", "7", "[]", "True", f"{id_name} None"}
    assert account.readings == 1


def test_a_row_of_which_something_makes_no_sense_says_what(cloud: Cloud, services: Services) -> None:
    instance = cloud.cas.instances.add(fixed_status="frozen", kind="BUY")
    cloud.cas.instances.pages.odd_row(instance, "Spec", CertificateNotAfter=[1], AutoReissue="perhaps")
    upload = cloud.cas.certificates.upload("www.example.com")
    cloud.cas.certificates.pages.odd_row(upload, "CommonName", NotAfter="soon", CertificateStatus="frozen")
    (seen,) = services.instances.instances().instances
    assert (seen.id, seen.ends, seen.odd) == (instance, None, ("CertificateNotAfter", "Status", "AutoReissue"))
    odd = {found.renewable.id: found.odd for found in services.certificates.certificates().certificates}
    assert odd.pop(str(upload)) == ("NotAfter", "CertificateStatus")
    assert [*odd.values()] == [()], "that of the instance"


@pytest.mark.parametrize("units", ["milliseconds", "seconds"])
@pytest.mark.parametrize("times_as", ["number", "text"])
@pytest.mark.parametrize("empty", ["absent", "null", "zero", "text"])
def test_times_are_understood_in_either_unit_and_so_is_one_that_there_is_not(
    cloud: Cloud, services: Services, units: Any, times_as: Any, empty: Any
) -> None:
    shapes = cloud.cas.shapes
    shapes.units, shapes.times_as, shapes.empty = units, times_as, empty
    used = cloud.cas.instances.add(days_left=20, subscription_days_left=200, hosted=True)
    unused = cloud.cas.instances.buy("new.example.com")
    upload = cloud.cas.certificates.upload("www.example.com", days_left=7)
    seen = {instance.id: instance for instance in services.instances.instances().instances}
    ends, over = START + timedelta(days=20), START + timedelta(days=200)
    assert (seen[used].ends, seen[used].subscription_ends, seen[used].is_hosted, seen[used].odd) == (
        ends,
        over,
        True,
        (),
    )
    assert (seen[unused].status, seen[unused].certificate_id, seen[unused].ends) == ("inactive", "", None)
    assert (seen[unused].subscription_ends, seen[unused].odd) == (None, ())
    certificates = {found.renewable.id: found for found in services.certificates.certificates().certificates}
    assert certificates[str(upload)].renewable.ends == START + timedelta(days=7)
    assert certificates[seen[used].certificate_id].renewable.ends == ends
    assert not [found for found in certificates.values() if found.odd]


def test_both_lists_say_where_a_certificate_is_in_use_and_for_whom_it_is(cloud: Cloud, services: Services) -> None:
    instance = cloud.cas.instances.add("www.example.com,*.example.com")
    newest = cloud.cas.instances.certificate(instance)
    assert newest
    cloud.cas.resources.add(newest.certificate_id, "CDN")
    cloud.cas.resources.add(newest.certificate_id, "ALB")
    (seen,), (certificate,) = (
        services.instances.instances().instances,
        services.certificates.certificates().certificates,
    )
    assert seen.products == certificate.products == ("ALB", "CDN")
    assert seen.renewable.domains == certificate.renewable.domains == ("www.example.com", "*.example.com")
    assert certificate.renewable.instance == instance
    assert certificate.renewable.id == seen.certificate_id


# ------------------------------------------------------------------------------------------------- lists that move


def test_a_row_that_slipped_past_is_found_by_reading_again(account: Account, cloud: Cloud) -> None:
    filled = account.fill(150)
    gone, slipped = filled[-1], filled[49]  # the first row of the first page, and the first of the second
    cloud.cas.between_pages = BetweenPages(1, lambda: account.remove(gone))
    found = account.ids()
    assert slipped in found
    assert {*found} == {*filled}, "what is gone was seen, and whoever must hear of it rather hears once too often"
    assert account.readings == 2


def test_a_row_that_comes_meanwhile_is_there_once(account: Account, cloud: Cloud) -> None:
    filled = account.fill(150)
    new: list[str] = []
    cloud.cas.between_pages = BetweenPages(1, lambda: new.append(account.add("new.example.com")))
    assert {*account.ids()} == {*filled, *new}
    assert account.readings == 2


def test_a_list_that_never_holds_still_is_read_three_times_and_all_that_was_seen_counts(
    account: Account, cloud: Cloud
) -> None:
    filled = account.fill(150)
    goes = [(lambda row=row: account.remove(row)) for row in filled[:-6:-1]]
    cloud.cas.between_pages = BetweenPages(1, *goes)
    found = account.ids()
    assert account.readings == 3
    assert {*found} == {*filled}


def test_of_an_instance_the_row_that_was_read_last_counts(cloud: Cloud, services: Services) -> None:
    bystanders = [cloud.cas.instances.add(f"host{number}.example.com") for number in range(110)]
    instance = cloud.cas.instances.add("www.example.com", days_left=5)
    issued: list[int] = []

    def issue_and_move() -> None:
        issued.append(cloud.cas.instances.issue(instance))
        cloud.cas.instances.remove(bystanders[0])

    cloud.cas.between_pages = BetweenPages(1, issue_and_move)
    seen = {found.id: found for found in services.instances.instances().instances}
    assert seen[instance].certificate_id == str(issued[0])
    assert seen[instance].ends == START + timedelta(days=cloud.cas.authority.lifetime_days)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_moves_what_was_there_all_the_time_is_seen(account: Account, cloud: Cloud, seed: int) -> None:
    account.pages.page_limit = 10
    filled = account.fill(45)
    cloud.cas.between_pages = MovingLists(cloud.cas, seed, share=0.3)
    found = account.ids()
    assert account.readings <= 3
    assert {*found} >= {*filled}


# ----------------------------------------------------------------------------------------- answers that are no answers


NO_LISTS = [*faults.NO_ANSWERS, faults.no_list(), faults.null_list(), faults.no_total()]


@pytest.mark.parametrize("fault", NO_LISTS, ids=str)
@pytest.mark.parametrize("nth", [0, 1])
def test_an_answer_without_a_list_is_none(account: Account, cloud: Cloud, fault: faults.Fault, nth: int) -> None:
    account.fill(150)
    cloud.cas.fail(account.action, *[None] * nth, fault)
    with pytest.raises(CasOutcomeUnknown) as failed:
        account.read()
    assert failed.value.code in {ListFault.NO_LIST, Reason.NO_ANSWER}
    if failed.value.code == ListFault.NO_LIST:
        assert f"page {nth + 1} of the {'instances' if account.action == INSTANCES else 'certificates'}" in str(
            failed.value
        )


@pytest.mark.parametrize("total", [None, -1, 1.5, True, "", "x", "9" * 5000, [], "-1"])
def test_a_total_that_is_no_number_is_none(account: Account, cloud: Cloud, total: Any) -> None:
    key = "InstanceList" if account.action == INSTANCES else "CertificateList"
    cloud.cas.fail(account.action, faults.answer({key: [], "TotalCount": total}))
    with pytest.raises(CasOutcomeUnknown) as failed:
        account.read()
    assert (failed.value.code, failed.value.message[-10:]) == (ListFault.NO_LIST, "TotalCount")


def test_a_page_that_comes_again_is_no_page(account: Account, cloud: Cloud) -> None:
    account.fill(250)
    cloud.cas.fail(account.action, None, faults.first_page())
    with pytest.raises(CasOutcomeUnknown) as failed:
        account.read()
    assert failed.value.code == ListFault.LIST_NOT_PAGED


@pytest.mark.parametrize("fault", [faults.empty_list(), faults.short_page()], ids=str)
@pytest.mark.parametrize("nth", [1, 2])
def test_a_page_that_lacks_rows_is_noticed_and_the_list_read_again(
    account: Account, cloud: Cloud, fault: faults.Fault, nth: int
) -> None:
    filled = account.fill(250)
    cloud.cas.fail(account.action, *[None] * nth, fault)
    assert {*account.ids()} == {*filled}
    assert account.readings == 2


# ------------------------------------------------------------------------------------------------ permission and limits


@pytest.mark.parametrize("code", ["NoPermission", "Forbidden.RAM"])
def test_a_list_that_may_not_be_read_is_one_matter_and_the_others_are_another(
    account: Account, cloud: Cloud, services: Services, code: str
) -> None:
    cloud.cas.forbid(account.action, code=code)
    for attempt in (account.read, account.probe):
        with pytest.raises(CasMisconfigured) as failed:
            attempt()
        assert failed.value.code == code
    assert isinstance(services.orders.order_book(), OrderBook)
    cloud.cas.permit(account.action)
    account.probe()


def test_throttling_is_waited_out(account: Account, cloud: Cloud) -> None:
    filled = account.fill(150)
    cloud.cas.fail(account.action, faults.throttle(), faults.throttle("Throttling"), None, faults.throttle())
    assert account.ids() == filled[::-1]
    assert cloud.clock.now() > START


def test_throttling_for_ever_is_told_after_some_attempts(account: Account, cloud: Cloud) -> None:
    cloud.cas.fail(account.action, *[faults.throttle()] * 50)
    with pytest.raises(CasThrottled):
        account.read()
    assert len(cloud.cas.calls_of(account.action)) < 10


def test_to_try_a_list_asks_for_one_row(account: Account, cloud: Cloud) -> None:
    account.fill(3)
    account.probe()
    (call,) = cloud.cas.calls_of(account.action)
    assert (call.params["CurrentPage"], call.params["ShowSize"]) == ("1", "1")


def test_all_three_lists_and_the_details_keep_to_one_rate_limit(cloud: Cloud, services: Services) -> None:
    for number in range(570):
        cloud.cas.add_order(domain=f"order{number}.example.com", days_left=200, source="BUY" if number % 2 else "CPACK")
    ids = [cloud.cas.instances.add(f"instance{number}.example.com") for number in range(550)]
    for number in range(1_000):
        cloud.cas.certificates.upload(f"upload{number}.example.com")

    assert len(services.orders.order_book()) == 570
    assert len(services.instances.instances().instances) == 550
    assert len(services.certificates.certificates().certificates) == 2_120, "those of the others, too"
    for instance in ids[:7]:
        services.instances.detail(instance)

    pages = {LIST: 6 + 6, INSTANCES: 6, CERTIFICATES: 22, DETAIL: 7}
    assert {action: len(cloud.cas.calls_of(action)) for action in pages} == pages
    at = [call.at for call in cloud.cas.calls]
    assert len(at) == sum(pages.values())
    assert all(tenth - first >= timedelta(seconds=1) for first, tenth in zip(at, at[10:], strict=False))
    assert all(earlier <= later for earlier, later in pairwise(at))
    assert (at[-1] - at[0]).total_seconds() <= 1.15 * len(at) / 10, "and waits no longer than it must"


# --------------------------------------------------------------------------------------------------------------- detail


def test_a_detail_is_asked_for_by_the_id_alone_and_says_what_must_be_added(cloud: Cloud, services: Services) -> None:
    cloud.cas.authority.own_dns = False
    cloud.cas.instances.repeats_records = True
    instance = cloud.cas.instances.add("www.example.com,shop.example.com")
    cloud.cas.instances.apply(instance)
    cloud.clock.advance(seconds=10)
    seen = services.instances.detail(instance)
    assert [(record.domain, record.zone, record.host, record.type) for record in seen.records] == [
        ("www.example.com", "example.com", "_dnsauth.www", "TXT"),
        ("shop.example.com", "example.com", "_dnsauth.shop", "TXT"),
    ]
    (call,) = cloud.cas.calls_of(DETAIL)
    assert call.params == {"InstanceId": instance}


def test_a_detail_that_is_odd_is_read_as_far_as_it_makes_sense(cloud: Cloud, services: Services) -> None:
    instance = cloud.cas.instances.add("www.example.com")
    cloud.cas.instances.details.odd_row(instance, "DomainValidationList", ContactIdList=[None, 7], ValidationMethod=7)
    seen = services.instances.detail(instance)
    assert (seen.contacts, seen.validation_method, seen.records, seen.domain) == (("7",), "", (), "www.example.com")


@pytest.mark.parametrize("code", ["NotFound", "InvalidInstanceId.NotFound"])
def test_an_instance_that_cas_does_not_know_is_refused(cloud: Cloud, services: Services, code: str) -> None:
    cloud.cas.instances.unknown_code = code
    with pytest.raises(CasRefused) as failed:
        services.instances.detail("cas_dv-cn-nobody")
    assert failed.value.code == code


@pytest.mark.parametrize("body", [{}, [], None, "text", {"RequestId": "082FAB35"}], ids=str)
def test_an_answer_that_says_nothing_of_an_instance_does_not_mean_that_it_lacks_everything(
    cloud: Cloud, services: Services, body: Any
) -> None:
    instance = cloud.cas.instances.add()
    cloud.cas.fail(DETAIL, faults.answer(body))
    with pytest.raises(CasError) as failed:
        services.instances.detail(instance)
    assert failed.value.code in {ListFault.EMPTY_ANSWER, Reason.NO_ANSWER}
