"""What a person asks for, and what is said of an event that a person cannot mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.certificates.renewable import Kind
from handler.command import Command, Release, Renew, Selection
from handler.triggers.manual import _ALONE, _SELECTORS
from tests import examples
from tests.examples import DOMAIN, NEW, OLD, OTHER, PROPERTY
from tests.unit.sample_events import EVENTS, INSTANCE, SCAN, V2_INSTANCE, asked, refusal, sample

# -------------------------------------------------------------------------------------------------------- what is asked


def test_whatever_a_person_may_ask_for_has_a_sample():
    assert {key for path in EVENTS.glob("*.json") for key in sample(path.name)} >= {*_SELECTORS, *_ALONE}


@pytest.mark.parametrize(
    ("event", "selection"),
    [
        ({"order_ids": [OLD, OTHER]}, Selection(order_ids=(OLD, OTHER))),
        ({"order_ids": [int(OLD)]}, Selection(order_ids=(OLD,))),
        ({"order_ids": [OLD, int(OLD), f"00{OLD}"]}, Selection(order_ids=(OLD,))),
        ({"order_ids": [1, 2**63 - 1]}, Selection(order_ids=("1", "9223372036854775807"))),
        ({"OrderId": int(NEW)}, Selection(order_ids=("98987582437920968",))),
        ({"OrderId": NEW}, Selection(order_ids=("98987582437920968",))),
        (
            {"domains": ["WWW.Example.COM.", " www.example.com ", "*.example.com"]},
            Selection((), (), (), (DOMAIN, "*.example.com")),
        ),
        ({"domains": ["bücher.example.com"]}, Selection(domains=("xn--bcher-kva.example.com",))),
        ({"instance_ids": [V2_INSTANCE, INSTANCE]}, Selection(instance_ids=(V2_INSTANCE, INSTANCE))),
        ({"instance_ids": [V2_INSTANCE, V2_INSTANCE]}, Selection(instance_ids=(V2_INSTANCE,))),
        ({"instance_ids": ["a" * 128, "cas-ivauto-1a2b"]}, Selection(instance_ids=("a" * 128, "cas-ivauto-1a2b"))),
        ({"scan": True}, SCAN),
    ],
)
def test_a_person_names_orders_instances_or_domains_or_asks_for_a_scan(event, selection):
    assert asked(event) == Command("manual", Renew(selection))
    assert asked({**event, "dry_run": True}) == Command("manual", Renew(selection, dry_run=True))


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({}, "refused at event: it asks for nothing"),
        ({"dry_run": True}, "refused at event: it asks for nothing"),
        ({"order_id": OLD}, "refused at event: unknown key 'order_id'"),
        ({"order_ids": [OLD], "force": True}, "refused at event: unknown key 'force'"),
        (
            {"order_ids": [OLD], "domains": [DOMAIN]},
            "refused at event: 'order_ids' and 'domains' contradict each other",
        ),
        ({"order_ids": [OLD], "scan": True}, "refused at event: 'order_ids' and 'scan' contradict each other"),
        ({"order_ids": [OLD], "OrderId": 1}, "refused at event: 'order_ids' and 'OrderId' contradict each other"),
        (
            {"check": True, "release": {"order_id": OLD}},
            "refused at event: 'check' and 'release' contradict each other",
        ),
        ({"scan": True, "check": True}, "refused at event: 'scan' and 'check' contradict each other"),
        ({"order_ids": []}, "refused at event.order_ids: expected a list with at least one entry, got a list of 0"),
        ({"order_ids": OLD}, "refused at event.order_ids: expected a list with at least one entry, got a string of 9"),
        ({"order_ids": {OLD: True}}, "refused at event.order_ids: expected a list"),
        ({"order_ids": None}, "refused at event.order_ids: expected a list with at least one entry, got null"),
        (
            {"order_ids": [OLD], "instance_ids": [V2_INSTANCE]},
            "refused at event: 'order_ids' and 'instance_ids' contradict each other",
        ),
        ({"instance_id": V2_INSTANCE}, "refused at event: unknown key 'instance_id'"),
        ({"instance_ids": V2_INSTANCE}, "refused at event.instance_ids: expected a list with at least one entry"),
        ({"instance_ids": []}, "refused at event.instance_ids: expected a list with at least one entry"),
        ({"instance_ids": [V2_INSTANCE], "dry_run": "yes"}, "refused at event.dry_run: expected true or false"),
        ({"domains": DOMAIN}, "refused at event.domains: expected a list"),
        ({"domains": []}, "refused at event.domains: expected a list"),
        ({"scan": False}, "refused at event.scan: only true is allowed"),
        ({"scan": 1}, "refused at event.scan: only true is allowed, got a number"),
        ({"scan": "true"}, "refused at event.scan: only true is allowed"),
        ({"scan": True, "dry_run": "true"}, "refused at event.dry_run: expected true or false, got a string of 4"),
        ({"scan": True, "dry_run": 1}, "refused at event.dry_run: expected true or false, got a number"),
        ({"scan": True, "dry_run": None}, "refused at event.dry_run: expected true or false, got null"),
        ({"check": False}, "refused at event.check: only true is allowed"),
        ({"check": True, "dry_run": True}, "refused at event: 'check' stands alone, but here is 'dry_run' too"),
        ({"resolve": OLD}, "refused at event.resolve: expected an object with order_id and new_order_id"),
        ({"resolve": {"order_id": OLD}}, "refused at event.resolve: expected an object with order_id and new_order_id"),
        ({"resolve": {"order_id": OLD, "new_order_id": "x"}}, "refused at event.resolve.new_order_id: expected an id"),
        (
            {"resolve": {"order_id": OLD, "new_order_id": OLD}},
            "refused at event.resolve.new_order_id: order 123451222 cannot be its own successor",
        ),
        ({"resolve": {"order_id": OLD, "new_order_id": f"0{OLD}"}}, "cannot be its own successor"),
        (
            {"resolve": {"order_id": OLD, "new_order_id": NEW, "why": "x"}},
            "refused at event.resolve: expected an object",
        ),
        ({"release": {"order_id": -1}}, "refused at event.release.order_id: expected an id"),
        ({"release": {}}, "refused at event.release: expected an object with either order_id or instance_id"),
        ({"release": OLD}, "refused at event.release: expected an object with either order_id or instance_id"),
        (
            {"release": {"order_id": OLD, "instance_id": V2_INSTANCE}},
            "either order_id or instance_id, and nothing else",
        ),
        ({"release": {"instance_id": V2_INSTANCE, "why": "x"}}, "either order_id or instance_id, and nothing else"),
        ({"release": {"instance_id": OLD}}, "refused at event.release.instance_id: expected an instance id"),
        ({"release": {"instance_id": None}}, "refused at event.release.instance_id: expected an instance id"),
        ({"release": {"order_id": V2_INSTANCE}}, "refused at event.release.order_id: expected an id"),
        (
            {"release": {"instance_id": V2_INSTANCE}, "dry_run": True},
            "'release' stands alone, but here is 'dry_run' too",
        ),
        (
            {"resolve": {"instance_id": V2_INSTANCE, "new_order_id": NEW}},
            "expected an object with order_id and new_order",
        ),
        ({"release": {"order_id": OLD}, "csr": "x"}, "refused at event: 'release' stands alone, but here is 'csr' too"),
    ],
)
def test_what_a_person_cannot_mean_is_refused_naming_the_place(event, said):
    assert said in refusal(event)


@pytest.mark.parametrize(
    "wrong",
    [
        0,
        -1,
        2**63,
        1.5,
        1e300,
        True,
        None,
        "",
        " 1",
        "1 ",
        "+1",
        "-1",
        "1.0",
        "1e5",
        "0x1",
        "١٢٣",
        "²",
        "9" * 20,
        [],
        {},
    ],
)
def test_an_id_is_a_positive_integer_of_64_bits(wrong):
    assert "refused at event.order_ids[1]: expected an id, a positive integer or its digits" in refusal(
        {"order_ids": [OLD, wrong]}
    )


@pytest.mark.parametrize(
    "wrong",
    [
        OLD,
        7,
        None,
        True,
        "",
        " ",
        f" {V2_INSTANCE}",
        f"{V2_INSTANCE}\n",
        "../orders/1",
        "a/b",
        "-a",
        "a" * 129,
        "é",
        [],
        {},
    ],
)
def test_an_instance_id_is_a_short_text_that_can_be_part_of_a_name_and_no_number(wrong):
    said = refusal({"instance_ids": [V2_INSTANCE, wrong]})
    assert "refused at event.instance_ids[1]: expected an instance id such as cas_dv-cn-example01" in said
    assert "at most 128 letters, digits, _ . and -, a letter or digit first and not digits alone" in said


@PROPERTY
@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}", fullmatch=True).filter(lambda text: not text.isdigit()))
def test_any_instance_id_selects_itself_and_can_be_released(instance_id):
    assert asked({"instance_ids": [instance_id]}).what == Renew(Selection(instance_ids=(instance_id,)))
    assert asked({"release": {"instance_id": instance_id}}).what == Release(instance_id, Kind.INSTANCE)


@pytest.mark.parametrize(
    "wrong", [1, None, True, "", "  ", ".", " . ", "a.example.com,b.example.com", "a" * 254, [], {}]
)
def test_a_domain_is_the_text_of_one_name(wrong):
    assert "refused at event.domains[1]: expected a domain name" in refusal({"domains": [DOMAIN, wrong]})


def test_a_refusal_does_not_repeat_a_long_value():
    assert len(refusal({"order_ids": ["x" * 10_000]})) < 300
    assert len(refusal({"x" * 10_000: 1})) < 600


# ----------------------------------------------------------------------------------------------------------------- CSRs


@pytest.mark.parametrize(
    ("event", "selection"),
    [
        ({"order_ids": [OLD]}, Selection(order_ids=(OLD,))),
        ({"OrderId": int(OLD)}, Selection(order_ids=(OLD,))),
        ({"domains": [DOMAIN]}, Selection(domains=(DOMAIN,))),
    ],
)
@pytest.mark.parametrize("key", ["csr", "Csr"])
def test_a_csr_goes_with_one_order(event, selection, key):
    what = asked({**event, key: examples.csr()}).what
    assert isinstance(what, Renew)
    assert what.selection == selection
    assert what.csr is not None
    assert what.csr.common_name == DOMAIN


@pytest.mark.parametrize(
    "event",
    [
        {"scan": True},
        {"order_ids": [OLD, OTHER]},
        {"domains": [DOMAIN, "b.example.com"]},
        {"instance_ids": [INSTANCE]},
        {"instance_ids": [V2_INSTANCE]},
    ],
)
def test_a_csr_does_not_go_with_several_orders_nor_with_instances(event):
    assert "refused at event.csr: a CSR goes with exactly one order" in refusal({**event, "csr": examples.csr()})


def test_a_csr_for_another_domain_than_the_one_named_is_refused():
    event = {"domains": ["shop.example.com"], "csr": examples.csr(DOMAIN)}
    assert "refused at event.csr: the CSR's CN is 'www.example.com'; the order's domain is 'shop.example.com'" in (
        refusal(event)
    )


def test_two_csrs_contradict_each_other():
    event = {"OrderId": OLD, "csr": examples.csr(), "Csr": examples.csr()}
    assert "'csr' and 'Csr' contradict each other" in refusal(event)


@pytest.mark.parametrize("wrong", [None, "", 5, {}, "not a CSR"])
def test_a_csr_that_is_none_is_refused_and_not_left_out(wrong):
    assert "refused at event.Csr: expected the PEM text of one CSR" in refusal({"OrderId": OLD, "Csr": wrong})
