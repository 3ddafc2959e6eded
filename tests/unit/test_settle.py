"""What happened to a call whose answer was lost, decided from the order book alone."""

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.certificates.domains import canonical
from handler.errors import JournalUnavailable
from handler.journal.entries import Held
from handler.journal.pictures import Picture
from handler.journal.renewal import Renewal, Successor
from handler.journal.states import State
from handler.orders import settle
from handler.orders.book import OrderBook
from handler.orders.order import Order
from handler.orders.settle import Found, Later, NothingPurchased, Puzzle, Verdict, candidates_of, why_not_successor
from handler.outcomes import Reason
from tests.examples import (
    DAY,
    DOMAIN,
    HOUR,
    MILLISECOND,
    MINUTE,
    NEW,
    NOW,
    OLD,
    OTHER,
    PICTURE,
    PRODUCT,
    PROPERTY,
    book,
    order,
    pending,
    renewal,
)

SETTLE = 15 * MINUTE
SKEW = MINUTE
NEWER = "98987582437920969"
SHOP = "shop.example.com"
THIRD = "123451444"
UNKNOWN, HELD, CLAIMED = State.UNKNOWN, State.HELD, State.CLAIMED
IN_PROGRESS = NOW + MINUTE
"""A deadline that has not passed."""
INCOMPLETE = Later(Reason.LIST_INCOMPLETE)


def existed(*order_ids: str, empty_lists: Collection[str] = ()) -> dict[str, Picture]:
    """What there was when the examples were claimed: the old orders, and whatever else is said."""
    return {PICTURE: Picture(frozenset({OLD, OTHER, THIRD, *order_ids}), frozenset(empty_lists))}


BEFORE = existed()


def olds() -> list[Order]:
    return [order(OLD), order(OTHER, domain=SHOP), order(THIRD, domain="c.example.com")]


def shown(*new: Order, **more: Any) -> OrderBook:
    """What CAS shows: the old orders, and whatever else is said."""
    return book(*olds(), *new, **more)


def settled(
    lost: Renewal, seen: OrderBook, *others: Renewal, recorded: Collection[str] = (), pictures: Any = None
) -> Verdict:
    puzzle = Puzzle([lost, *others], seen, recorded, BEFORE if pictures is None else pictures)
    return puzzle.verdict(lost, SETTLE, NOW)


def solved(
    renewals: Iterable[Renewal], seen: OrderBook, recorded: Collection[str] = (), pictures: Any = None
) -> dict[str, Verdict]:
    """Settle all lost calls as a run does: what is certain, and then the rest."""
    renewals = list(renewals)
    lost = [one for one in renewals if one.is_lost(NOW)]
    puzzle = Puzzle(renewals, seen, recorded, BEFORE if pictures is None else pictures)
    found: dict[str, Verdict] = {}
    for one, successor in puzzle.certain(lost):
        found[one.id] = successor
        puzzle.found(one.id, successor.successor_id)
    return found | {one.id: puzzle.verdict(one, SETTLE, NOW) for one in lost if one.id not in found}


# -------------------------------------------------------------------------------------------------------- one candidate


@pytest.mark.parametrize("lost", [renewal(), renewal(state=UNKNOWN, unknown_since=NOW)], ids=["died", "answer lost"])
@pytest.mark.parametrize(
    "new",
    [
        pending(NEW),
        pending(NEW, domain=""),
        pending(NEW, domain="WWW.Example.com."),
        order(NEW, status="ISSUED"),
        order(NEW, status="CHECKED_FAIL"),
        pending("7"),
    ],
)
def test_the_one_order_that_appeared_since_the_claim_is_the_successor(lost, new):
    assert settled(lost, shown(new)) == Found(new.id)


def test_a_successor_need_not_be_waited_for():
    assert settled(renewal(state=UNKNOWN, unknown_since=NOW), shown(pending(NEW), read_at=NOW)) == Found(NEW)


STRANGERS = [
    pending(NEW, domain=SHOP),
    pending(NEW, domain="*.example.com"),
    pending(NEW, product="ov-single"),
    pending(NEW, product="ov-single", domain=""),
]


@pytest.mark.parametrize("stranger", STRANGERS)
def test_an_order_for_something_else_is_no_successor(stranger):
    assert settled(renewal(snapshot=()), shown(stranger), pictures=existed(NEW)) == NothingPurchased()
    assert settled(renewal(snapshot=()), shown(stranger, pending(NEWER)), pictures=existed(NEW)) == Found(NEWER)


def test_the_old_order_is_no_successor_of_itself():
    nothing = {PICTURE: Picture(frozenset({OTHER, THIRD}), frozenset())}
    assert settled(renewal(snapshot=()), shown(), pictures=nothing) == NothingPurchased()


def test_an_order_that_existed_before_the_call_is_no_successor():
    seen = shown(pending(NEW, domain=""))
    assert settled(renewal(snapshot=(OLD, NEW)), seen, pictures=existed(NEW)) == NothingPurchased()
    assert settled(renewal(snapshot=(OLD,)), seen, pictures=existed(NEW)) == NothingPurchased()
    assert settled(renewal(snapshot=(OLD,)), seen) == Found(NEW)


def test_the_successor_of_another_order_is_none_of_this_one():
    seen = shown(pending(NEW))
    assert settled(renewal(), seen, recorded={NEW: OTHER}) == NothingPurchased()
    assert settled(renewal(), seen, recorded={"5": OTHER}) == Found(NEW)


def test_the_successor_of_another_order_leaves_one_candidate():
    seen = shown(pending(NEW, domain=""), pending(NEWER, domain=""))
    assert settled(renewal(), seen, recorded={NEW: OTHER}) == Found(NEWER)


def test_a_claim_that_has_no_picture_still_finds_its_successor_by_its_snapshot():
    assert settled(renewal(picture="", snapshot=(OLD,)), shown(pending(NEW)), pictures={}) == Found(NEW)
    known = renewal(picture="", snapshot=(OLD, NEW))
    assert settled(known, shown(pending(NEW)), pictures={}) == Held("picture-lost", ())


# --------------------------------------------------------------------------------------------------------- no candidate


def test_nothing_was_bought_if_no_order_appeared_in_the_time_that_it_may_take():
    assert settled(renewal(), shown()) == NothingPurchased()


@pytest.mark.parametrize(
    ("lost", "last_effect"),
    [
        (renewal(state=UNKNOWN, unknown_since=NOW - HOUR, deadline=NOW + HOUR), NOW - HOUR),
        (renewal(state=UNKNOWN, unknown_since=NOW - HOUR, deadline=NOW - 3 * HOUR), NOW - HOUR),
        (renewal(state=CLAIMED, deadline=NOW - HOUR), NOW - HOUR),
    ],
    ids=["noticed before the deadline", "noticed after the deadline", "the run died"],
)
def test_the_wait_counts_from_the_last_moment_at_which_the_call_could_have_taken_effect(lost, last_effect):
    assert settled(lost, shown(read_at=last_effect + SETTLE + SKEW)) == NothingPurchased()
    assert settled(lost, shown(read_at=last_effect + SETTLE + SKEW - MILLISECOND)) == Later()


def test_the_wait_does_not_count_from_the_beginning_of_the_claim():
    lost = renewal(deadline=NOW - 14 * MINUTE)
    assert lost.claim is not None
    assert lost.claim.snapshot_at < NOW - SETTLE
    assert settled(lost, shown()) == Later()


def test_the_wait_counts_to_the_moment_at_which_the_book_began_to_be_read():
    assert settled(renewal(deadline=NOW - HOUR), shown(read_at=NOW - HOUR)) == Later()


@pytest.mark.parametrize(
    ("lost_before", "decided"), [(0, NothingPurchased()), (1, NothingPurchased()), (2, Held("answers-lost", ()))]
)
def test_the_third_lost_answer_is_for_a_person(lost_before, decided):
    assert settled(renewal(lost=lost_before), shown()) == decided


def test_a_third_lost_answer_is_waited_for_and_searched_for_like_any_other():
    assert settled(renewal(lost=2, deadline=NOW - MINUTE), shown()) == Later()
    assert settled(renewal(lost=2), shown(pending(NEW))) == Found(NEW)


def test_an_answer_that_named_the_old_order_is_for_a_person_unless_a_new_order_appears():
    odd = renewal(state=UNKNOWN, unknown_since=NOW - HOUR, unknown_code=Reason.ANSWER_NAMES_OLD_ORDER)
    assert settled(odd, shown()) == Held("answer-names-old-order", ())
    assert settled(odd, shown(pending(NEW))) == Found(NEW)
    assert settled(odd, shown(read_at=NOW - HOUR)) == Later()


def test_without_the_picture_of_what_existed_nobody_says_that_nothing_was_bought():
    for pictures in ({}, {"open/another": BEFORE[PICTURE]}):
        assert settled(renewal(), shown(), pictures=pictures) == Held("picture-lost", ())
        assert settled(renewal(), shown(read_at=NOW - HOUR), pictures=pictures) == Later()


# -------------------------------------------------------------------------------------------- books that lack something


@pytest.mark.parametrize(
    "new", [(), (pending(NEW),), (pending(NEW), pending(NEWER))], ids=["none", "a candidate", "several"]
)
def test_a_book_that_lacks_the_old_order_settles_nothing(new):
    without = book(*olds()[1:], *new, read_at=NOW + 100 * HOUR)
    assert settled(renewal(), without) == INCOMPLETE
    assert solved([renewal()], without) == {OLD: INCOMPLETE}


def test_a_book_that_lacks_the_old_order_of_another_call_settles_this_one():
    without = book(order(OLD), pending(NEW))
    assert solved([renewal(), renewal(OTHER, domain=SHOP)], without) == {OLD: Found(NEW), OTHER: INCOMPLETE}


def test_a_list_that_had_orders_before_the_claim_and_has_none_now_settles_nothing():
    emptied = shown(pending(NEW), empty_lists={"BUY"})
    assert settled(renewal(), emptied) == INCOMPLETE
    assert solved([renewal()], emptied) == {OLD: INCOMPLETE}
    assert settled(renewal(), emptied, pictures=existed(empty_lists={"BUY"})) == Found(NEW)


def test_a_list_that_has_its_first_orders_since_the_claim_is_as_good_as_any():
    assert settled(renewal(), shown(), pictures=existed(empty_lists={"BUY"})) == NothingPurchased()


# --------------------------------------------------------------------------------------------------- unexplained orders


@pytest.mark.parametrize("stranger", STRANGERS)
def test_nothing_was_bought_is_not_said_while_a_new_order_of_the_account_is_unexplained(stranger):
    assert settled(renewal(), shown(stranger)) == Held("unexplained-orders", (NEW,))
    assert settled(renewal(), shown(stranger, read_at=NOW - HOUR)) == Later(), "it may yet be explained"


def test_all_unexplained_orders_are_named():
    seen = shown(pending(NEWER, domain=SHOP), pending(NEW, product="ov-single"), pending("7"))
    assert settled(renewal(), seen, recorded={"7"}) == Held("unexplained-orders", (NEW, NEWER))


def test_a_new_order_that_is_the_successor_of_another_is_explained():
    assert settled(renewal(), shown(STRANGERS[0]), recorded={NEW}) == NothingPurchased()


def test_a_new_order_waits_for_a_run_in_progress_that_may_be_buying_it():
    in_progress = renewal(THIRD, CLAIMED, domain="c.example.com", deadline=IN_PROGRESS)
    assert settled(renewal(), shown(STRANGERS[0]), in_progress) == Later()
    assert settled(renewal(), shown(), in_progress) == NothingPurchased()


def test_a_new_order_waits_for_another_open_call_that_can_have_made_it():
    lost = renewal(OTHER, UNKNOWN, domain=SHOP, unknown_since=NOW)
    held = renewal(OTHER, HELD, domain=SHOP)
    for other_call in (lost, held):
        assert settled(renewal(), shown(STRANGERS[0]), other_call) == Later()
    assert solved([renewal(), lost], shown(STRANGERS[0])) == {OTHER: Found(NEW), OLD: NothingPurchased()}


def test_of_several_new_orders_each_must_be_what_another_open_call_can_have_made():
    held = renewal(OTHER, HELD, domain=SHOP)
    seen = shown(STRANGERS[0], pending(NEWER, product="ov-single"))
    assert settled(renewal(), seen, held) == Held("unexplained-orders", (NEW, NEWER))


def test_an_order_that_existed_before_this_claim_explains_itself_whatever_is_new_to_another():
    later = {**BEFORE, "open/later": existed(NEW)[PICTURE]}
    renewals = [renewal(), renewal(OTHER, domain=SHOP, product="ov-single", picture="open/later")]
    assert solved(renewals, shown(STRANGERS[1]), pictures=later) == {
        OLD: Held("unexplained-orders", (NEW,)),
        OTHER: NothingPurchased(),
    }


def test_a_row_without_an_id_could_be_the_successor_of_any():
    assert settled(renewal(), shown(nameless=("OrderId None",))) == Held("unexplained-orders", ())
    assert settled(renewal(), shown(pending(NEW), nameless=("OrderId None",))) == Found(NEW)


# --------------------------------------------------------------------------------------------------- several candidates


def test_several_candidates_are_for_a_person():
    seen = shown(pending(NEWER), pending(NEW, domain=""))
    assert settled(renewal(), seen) == Held("several-candidates", (NEW, NEWER))


def test_several_candidates_are_for_a_person_even_if_more_are_shared():
    seen = shown(pending(NEWER), pending(NEW), pending("7", domain=""))
    other = renewal(OTHER, domain=SHOP, snapshot=())
    assert settled(renewal(), seen, other) == Held("several-candidates", ("7", NEW, NEWER))


def test_one_candidate_of_its_own_wins_over_those_that_are_shared():
    seen = shown(pending(NEW), pending("7", domain=""))
    assert settled(renewal(), seen, renewal(OTHER, domain=SHOP, snapshot=())) == Found(NEW)


# ---------------------------------------------------------------------------------------------------- shared candidates


def other(state: State, **more: Any) -> Renewal:
    """Other open work that could have bought an order without a domain."""
    return renewal(OTHER, state, **{"domain": SHOP, "snapshot": (OTHER,), **more})


@pytest.mark.parametrize("sharer", [other(UNKNOWN, unknown_since=NOW), other(HELD), other(CLAIMED)])
def test_two_lost_answers_are_not_guessed_apart(sharer):
    seen = shown(pending(NEW, domain=""))
    assert settled(renewal(), seen, sharer) == Held("shared-candidates", (NEW,))


def test_two_lost_answers_are_not_guessed_apart_though_two_orders_appeared():
    seen = shown(pending(NEW, domain=""), pending(NEWER, domain=""))
    assert settled(renewal(), seen, other(CLAIMED)) == Held("shared-candidates", (NEW, NEWER))


def test_a_candidate_shared_with_work_in_progress_waits_for_that():
    seen = shown(pending(NEW, domain=""))
    assert settled(renewal(), seen, other(CLAIMED, deadline=IN_PROGRESS)) == Later()


def test_work_is_in_progress_until_its_deadline_and_the_skew_of_a_clock():
    seen = shown(pending(NEW, domain=""))
    assert settled(renewal(), seen, other(CLAIMED, deadline=NOW - MINUTE)) == Later()
    assert settled(renewal(), seen, other(CLAIMED, deadline=NOW - MINUTE - MILLISECOND)) == Held(
        "shared-candidates", (NEW,)
    )


def test_a_claim_whose_deadline_no_run_can_have_is_not_waited_for():
    seen = shown(pending(NEW, domain=""))
    assert settled(renewal(), seen, other(CLAIMED, deadline=NOW + DAY + 2 * SKEW)) == Later()
    odd = other(CLAIMED, deadline=NOW + DAY + 2 * SKEW + MILLISECOND)
    assert settled(renewal(), seen, odd) == Held("shared-candidates", (NEW,))


def test_a_candidate_shared_with_work_in_progress_and_with_lost_work_waits():
    seen = shown(pending(NEW, domain=""))
    third = renewal(THIRD, HELD, domain="c.example.com")
    assert settled(renewal(), seen, other(CLAIMED, deadline=IN_PROGRESS), third) == Later()


def test_of_several_shared_candidates_each_must_be_shared_with_work_in_progress():
    seen = shown(pending(NEW, domain=""), pending(NEWER, domain=""))
    in_progress = renewal(THIRD, CLAIMED, domain="c.example.com", snapshot=(NEWER,), deadline=IN_PROGRESS)
    assert settled(renewal(), seen, in_progress, other(HELD)) == Held("shared-candidates", (NEW, NEWER))


@pytest.mark.parametrize(
    "no_sharer",
    [
        other(State.RENEWED, successor=Successor("5", NOW, None)),
        other(State.DONE),
        other(State.REFUSED),
        other(HELD, product="ov-single"),
        other(HELD, snapshot=(OTHER, NEW)),
        other(HELD, picture="open/later"),
        renewal(OLD, HELD),
    ],
    ids=[
        "renewed",
        "done",
        "refused",
        "another product",
        "it knew the order before",
        "the order was in its picture",
        "itself",
    ],
)
def test_work_that_cannot_have_bought_the_candidate_does_not_share_it(no_sharer):
    pictures = {**BEFORE, "open/later": existed(NEW)[PICTURE]}
    assert settled(renewal(), shown(pending(NEW, domain="")), no_sharer, pictures=pictures) == Found(NEW)


def test_a_candidate_for_the_very_domain_is_not_shared_with_another_domain():
    assert settled(renewal(), shown(pending(NEW)), other(HELD)) == Found(NEW)


def test_two_old_orders_for_the_same_domain_share_what_appears_for_it():
    twin = renewal(OTHER, snapshot=(OLD, OTHER))
    assert settled(renewal(snapshot=(OLD, OTHER)), shown(pending(NEW)), twin) == Held("shared-candidates", (NEW,))


def test_a_shared_candidate_is_not_taken_for_nothing_bought_however_long_ago():
    seen = shown(pending(NEW, domain=""), read_at=NOW + 100 * HOUR)
    assert settled(renewal(), seen, other(HELD)) == Held("shared-candidates", (NEW,))


def test_of_a_journal_that_cannot_be_read_nobody_knows_what_it_claimed():
    unreadable = Renewal(OTHER, state=HELD, hold=Held("journal-unreadable", ()))
    assert settled(renewal(), shown(pending(NEW)), unreadable) == Held("shared-candidates", (NEW,))
    assert settled(renewal(), shown(), unreadable) == NothingPurchased(), "there is nothing that it could have claimed"


def test_what_was_never_claimed_cannot_be_settled():
    with pytest.raises(JournalUnavailable, match=OLD):
        candidates_of(Renewal(OLD), book())


# ------------------------------------------------------------------------------------------------------ several at once


def test_what_is_found_for_one_may_leave_only_one_for_another():
    seen = shown(pending(NEW), pending(NEWER, domain=""))
    renewals = [other(UNKNOWN, unknown_since=NOW), renewal()]
    decided = {OLD: Found(NEW), OTHER: Found(NEWER)}
    assert solved(renewals, seen) == solved(reversed(renewals), seen) == decided


def test_what_was_found_and_could_not_be_recorded_is_offered_once_and_given_to_nobody_else():
    renewals = [renewal(), other(UNKNOWN, unknown_since=NOW)]
    puzzle = Puzzle(renewals, shown(pending(NEW), pending(NEWER, domain="")), (), BEFORE)
    assert list(puzzle.certain(renewals)) == [(renewals[0], Found(NEW))]
    assert puzzle.verdict(renewals[1], SETTLE, NOW) == Held("shared-candidates", (NEWER,))


def test_a_chain_of_lost_answers_comes_apart_from_its_end():
    """Each shares a candidate with the one before it, and the first has one more that shows its domain."""
    count = 30
    ids, news = ([str(start + number) for number in range(count)] for start in (1000, 2000))
    renewals, pictures = [], {}
    for number, order_id in enumerate(ids):
        own = {news[number], news[max(0, number - 1)]}
        pictures[f"open/{number}"] = Picture(frozenset({*ids, *news} - own), frozenset())
        renewals.append(renewal(order_id, picture=f"open/{number}", snapshot=(), domain=f"{number}.example.com"))
    rows = [order(order_id) for order_id in ids]
    rows += [pending(new, domain="" if number else "0.example.com") for number, new in enumerate(news)]
    decided = {order_id: Found(new) for order_id, new in zip(ids, news, strict=True)}
    assert solved(renewals, book(*rows), pictures=pictures) == decided
    assert solved(reversed(renewals), book(*rows), pictures=pictures) == decided


def test_the_order_of_the_calls_does_not_matter_though_one_new_order_is_too_many():
    """Three new orders for two calls: one is a stranger's, and nothing tells which."""
    renewals = [renewal(), other(UNKNOWN, unknown_since=NOW)]
    seen = shown(pending(NEW), pending(NEWER, domain=SHOP), pending("7", domain=""))
    assert solved(renewals, seen) == solved(reversed(renewals), seen)


def test_the_order_of_the_calls_does_not_matter_in_a_chain_with_one_new_order_too_many():
    """Each call shares an order with the next, and both ends have one of their own."""
    without = [("2", "3"), ("0", "3"), ("0", "1")]
    pictures = {f"open/{number}": existed(*there)[PICTURE] for number, there in enumerate(without)}
    domains = [DOMAIN, SHOP, "c.example.com"]
    renewals = [
        renewal(order_id, picture=f"open/{number}", snapshot=(), domain=domains[number])
        for number, order_id in enumerate([OLD, OTHER, THIRD])
    ]
    seen = shown(*(pending(str(number), domain="") for number in range(4)))
    assert solved(renewals, seen, pictures=pictures) == solved(reversed(renewals), seen, pictures=pictures)


NAMES = ["", DOMAIN, SHOP]
NEWS = [str(9000 + number) for number in range(5)]


@st.composite
def accounts(draw: st.DrawFn) -> tuple[list[Renewal], OrderBook, set[str], dict[str, Picture]]:
    """Some lost, held and running calls, and what CAS shows."""
    news = draw(st.lists(st.sampled_from(NEWS), unique=True))
    rows = [
        pending(new, domain=draw(st.sampled_from(NAMES)), product=draw(st.sampled_from([PRODUCT, "ov"])))
        for new in news
    ]
    pictures = {f"open/{n}": existed(*draw(st.sets(st.sampled_from(NEWS), max_size=2)))[PICTURE] for n in range(2)}
    renewals = []
    for order_id in draw(st.lists(st.sampled_from([OLD, OTHER, THIRD]), unique=True, min_size=1)):
        state = draw(st.sampled_from([CLAIMED, UNKNOWN, HELD]))
        renewals.append(
            renewal(
                order_id,
                state,
                unknown_since=draw(st.sampled_from([NOW, NOW - HOUR])) if state is UNKNOWN else None,
                deadline=draw(st.sampled_from([NOW + MINUTE, NOW - 5 * MINUTE, NOW - HOUR])),
                domain=draw(st.sampled_from(NAMES[1:])),
                snapshot=draw(st.sets(st.sampled_from(NEWS), max_size=1)),
                picture=draw(st.sampled_from([*pictures, *pictures, *pictures, "open/lost"])),
                lost=draw(st.sampled_from([0, 0, 2])),
            )
        )
    hidden = draw(st.sampled_from([None, None, None, OLD]))
    nameless = draw(st.sampled_from([(), (), ("OrderId None",)]))
    seen = book(*(row for row in olds() if row.id != hidden), *rows, nameless=nameless)
    return renewals, seen, draw(st.sets(st.sampled_from(NEWS), max_size=1)), pictures


@PROPERTY
@given(accounts())
def test_no_two_calls_ever_get_one_successor_and_none_gets_what_is_recorded_or_was_there_before(account):
    renewals, seen, recorded, pictures = account
    decided = solved(renewals, seen, recorded, pictures)
    found = [verdict.successor_id for verdict in decided.values() if isinstance(verdict, Found)]
    assert len(set(found)) == len(found)
    assert not recorded & set(found)
    for lost in renewals:
        verdict = decided.get(lost.id)
        if isinstance(verdict, Found):
            claim = lost.claimed()
            row = seen.get(verdict.successor_id)
            assert row is not None
            assert row.domain in {claim.renewable.domain, ""}
            assert row.product == claim.renewable.product
            assert row.id not in claim.snapshot
            assert claim.picture not in pictures or row.id not in pictures[claim.picture].ids


@PROPERTY
@given(accounts())
def test_nothing_was_bought_only_if_every_order_that_is_new_is_somebodys_successor(account):
    renewals, seen, recorded, pictures = account
    decided = solved(renewals, seen, recorded, pictures)
    explained = recorded | {found.successor_id for found in decided.values() if isinstance(found, Found)}
    for lost in renewals:
        if decided.get(lost.id) == NothingPurchased():
            assert seen.ids - pictures[lost.claimed().picture].ids <= explained
            assert not seen.nameless
            assert seen.get(lost.id) is not None
            assert seen.read_at >= lost.last_effect() + SETTLE + SKEW


class History(NamedTuple):
    """What three calls came to, in a world that keeps to the assumptions, and what is known of it an hour later."""

    renewals: list[Renewal]
    seen: OrderBook
    recorded: set[str]
    pictures: dict[str, Picture]
    truth: dict[str, str | None]
    """The real successor of each order, None if nothing was bought."""


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Calls one after the other, each of which may not see yet what those before it have made.

    Strangers buy for other domains. What a renewal makes shows its domain, or none; or else, against all assumptions,
    one that no other order has: then nobody must say that it was not bought.
    """
    renewals, rows, truth, pictures, recorded = (
        [],
        list(olds()),
        dict[str, str | None](),
        dict[str, Picture](),
        set[str](),
    )
    made: list[Order] = []
    for number, order_id in enumerate(draw(st.permutations([OLD, OTHER, THIRD]))):
        if draw(st.booleans()):
            made.append(pending(f"80{number}", domain="stranger.example.com"))
        domain = draw(st.sampled_from([DOMAIN, SHOP]))
        there = {row.id for row in rows} | {row.id for row in made if draw(st.booleans())}
        pictures[f"open/{number}"] = Picture(frozenset(there), frozenset())
        state = draw(st.sampled_from([CLAIMED, UNKNOWN, HELD, State.RENEWED]))
        new = f"90{number}" if state is State.RENEWED or draw(st.booleans()) else None
        if new is not None:
            shows = st.sampled_from([domain, domain, "", "", "moved.example.com"])
            made.append(pending(new, domain=draw(shows)))
        truth[order_id] = new
        known = state is State.RENEWED and new is not None
        recorded |= {str(new)} if known else set()
        renewals.append(
            renewal(
                order_id,
                state,
                domain=domain,
                snapshot=there,
                picture=f"open/{number}",
                unknown_since=NOW - HOUR if state is UNKNOWN else None,
                successor=Successor(str(new), NOW - HOUR, None) if known else None,
            )
        )
    return History(renewals, book(*rows, *made), recorded, pictures, truth)


@PROPERTY
@given(histories())
def test_as_long_as_the_assumptions_hold_what_is_settled_is_the_truth(history):
    decided = solved(history.renewals, history.seen, history.recorded, history.pictures)
    for order_id, verdict in decided.items():
        if isinstance(verdict, Found):
            assert history.truth[order_id] == verdict.successor_id
        if verdict == NothingPurchased():
            assert history.truth[order_id] is None


@PROPERTY
@given(histories(), st.permutations(range(3)))
def test_as_long_as_the_assumptions_hold_the_order_of_the_calls_does_not_matter(history, shuffled):
    renewals = [history.renewals[number] for number in shuffled]
    rest = history.seen, history.recorded, history.pictures
    assert solved(renewals, *rest) == solved(history.renewals, *rest)


# --------------------------------------------------------------------------------------------------------- many at once


@pytest.fixture
def steps(monkeypatch):
    """Count what settling does for each pair of a call and an order."""
    counted = {"canonical": 0, "in progress": 0, "own": 0}
    is_in_progress, own = Renewal.is_in_progress, Puzzle._own

    def counting_canonical(domain):
        counted["canonical"] += 1
        return canonical(domain)

    def counting_is_in_progress(self, now):
        counted["in progress"] += 1
        return is_in_progress(self, now)

    def counting_own(self, order_id):
        counted["own"] += 1
        return own(self, order_id)

    monkeypatch.setattr(settle, "canonical", counting_canonical)
    monkeypatch.setattr(Renewal, "is_in_progress", counting_is_in_progress)
    monkeypatch.setattr(Puzzle, "_own", counting_own)
    return counted


def many(count: int, bound: int = 0) -> tuple[list[Renewal], OrderBook, dict[str, Picture]]:
    """So many lost answers, and as many new orders, of which `bound` show their domain and the others none."""
    ids = [str(100_000 + number) for number in range(count)]
    renewals = [renewal(order_id, snapshot=(), domain=f"{order_id}.example.com") for order_id in ids]
    rows = [order(order_id, domain=f"{order_id}.example.com") for order_id in ids]
    news = [
        pending(str(900_000 + number), domain=f"{order_id}.example.com" if number < bound else "")
        for number, order_id in enumerate(ids)
    ]
    return renewals, book(*rows, *news), {PICTURE: Picture(frozenset(ids), frozenset())}


def test_three_hundred_lost_answers_whose_orders_show_no_domain_take_a_few_steps_a_pair(steps):
    renewals, seen, pictures = many(300)
    assert {type(verdict) for verdict in solved(renewals, seen, pictures=pictures).values()} == {Held}
    pairs = 300 * 300
    assert steps["canonical"] <= 3 * pairs
    assert steps["in progress"] <= 3 * pairs
    assert steps["own"] <= 3 * 300


def test_three_hundred_lost_answers_whose_orders_show_their_domains_are_all_settled(steps):
    renewals, seen, pictures = many(300, bound=300)
    assert {type(verdict) for verdict in solved(renewals, seen, pictures=pictures).values()} == {Found}
    assert steps["own"] <= 3 * 300


def test_three_hundred_lost_answers_half_of_which_show_their_domains_take_a_few_steps_a_pair(steps):
    renewals, seen, pictures = many(300, bound=150)
    decided = list(solved(renewals, seen, pictures=pictures).values())
    assert sum(isinstance(verdict, Found) for verdict in decided) == 150
    assert steps["own"] <= 3 * 300 * 300
    assert steps["in progress"] <= 3 * 300 * 300


def test_lost_answers_that_wait_for_a_run_in_progress_take_a_few_steps_a_pair(steps):
    renewals, seen, pictures = many(100)
    running = renewal("200000", deadline=IN_PROGRESS, snapshot=())
    decided = solved([*renewals, running], seen, pictures=pictures)
    assert set(decided.values()) == {Later()}
    assert steps["in progress"] <= 3 * 100 * 101


# ---------------------------------------------------------------------------------------------------- named by a person


def objection_to(
    held: Renewal, seen: OrderBook, recorded: dict[str, str] | None = None, others: Iterable[Renewal] = ()
) -> str | None:
    return why_not_successor(held, NEW, seen, recorded or {}, others, NOW)


@pytest.mark.parametrize(
    "named",
    [
        pending(NEW),
        pending(NEW, domain=""),
        pending(NEW, domain="WWW.Example.com."),
        order(NEW, status="ISSUED"),
        pending(NEW, product="ov-single"),
    ],
)
def test_a_person_may_name_a_new_order_of_the_domain_or_of_none(named):
    assert objection_to(renewal(state=HELD), book(named)) is None


def test_a_person_may_name_what_is_already_recorded_for_this_very_order():
    assert objection_to(renewal(state=HELD), book(pending(NEW)), {NEW: OLD, NEWER: OTHER}) is None


@pytest.mark.parametrize(
    ("rows", "snapshot", "recorded", "objection"),
    [
        ((), (OLD,), {}, f"CAS shows no order {NEW}"),
        ((pending(NEW),), (OLD, NEW), {}, f"order {NEW} existed before {OLD} was to be renewed"),
        (
            (pending(NEW, domain=SHOP),),
            (OLD,),
            {},
            f"order {NEW} is for 'shop.example.com', not for '{DOMAIN}'",
        ),
        ((pending(NEW),), (OLD,), {NEW: OTHER}, f"order {NEW} is already the successor of {OTHER}"),
    ],
)
def test_a_person_may_not_name_any_other_order(rows, snapshot, recorded, objection):
    held = renewal(state=HELD, snapshot=snapshot, product=PRODUCT)
    assert objection_to(held, book(*rows), recorded) == objection


def test_a_person_may_not_name_what_a_run_in_progress_may_just_be_buying():
    held, seen = renewal(state=HELD), book(pending(NEW, domain=""))
    running = other(CLAIMED, deadline=IN_PROGRESS)
    why = f"order {NEW} may be what a run in progress buys for {OTHER}; try again later"
    assert objection_to(held, seen, others=[held, running]) == why


@pytest.mark.parametrize(
    "harmless",
    [
        other(CLAIMED),
        other(HELD),
        other(CLAIMED, deadline=IN_PROGRESS, snapshot=(NEW,)),
        other(CLAIMED, deadline=IN_PROGRESS, product="ov-single"),
        renewal(OLD, deadline=IN_PROGRESS),
        Renewal(OTHER, state=HELD, hold=Held("journal-unreadable", ())),
    ],
    ids=["its run is over", "held", "it knew the order before", "another product", "itself", "unreadable"],
)
def test_a_person_may_name_what_no_run_in_progress_can_be_buying(harmless):
    assert objection_to(renewal(state=HELD), book(pending(NEW, domain="")), others=[harmless]) is None
