"""Does the demonstration still see? Switches one protection off at a time; the state machine must fail each time.

    python -m tests.promise.mutants            all of them
    python -m tests.promise.mutants claim      those whose name has "claim" in it

A protection that was renamed or moved makes its mutant fail loudly, since it can no longer be switched off.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from handler.certificates.rules import HISTORY, is_allowed
from handler.cloud.cas_deployments import CasDeployments
from handler.cloud.cas_lists import CasList
from handler.cloud.oss_store import OssStore
from handler.deployment import became, plan, step
from handler.deployment.course import Courses
from handler.errors import CasError, CasOutcomeUnknown, JournalConflict
from handler.instances import eligibility, progress
from handler.instances import policy as policy_of_instances
from handler.instances import settle as settle_of_instances
from handler.instances.application import Application
from handler.journal import days, open_notes
from handler.journal.alerts import Alerts
from handler.journal.attempts import Attempts
from handler.journal.days import DayCount
from handler.journal.entries import Applied, Claimed, Followed, Issued
from handler.journal.folder_store import FileStore
from handler.journal.journal import Journal
from handler.journal.lines import already_renewed
from handler.journal.open_notes import OpenNotes
from handler.journal.pictures import Picture
from handler.journal.renewal import Renewal
from handler.journal.states import State
from handler.orders import policy, reading, settle
from handler.orders.book import OrderBook
from handler.orders.reading import CurrentBook
from handler.outbox import deployment_messages, instance_messages, publisher
from handler.outbox.publisher import Outbox
from handler.outbox.watch_messages import Expiring
from handler.outcomes import ListFault, Outcome, Reason
from handler.result import Line, RunResult
from handler.run import (
    apply_instances,
    follow_instances,
    instances,
    lists,
    reviews,
    run,
    serving,
    settle_instances,
    standings,
    watching,
)
from handler.run.apply_instances import Applicant
from handler.run.follow_instances import FollowInstances
from handler.run.recover import Recovery
from handler.run.settle_instances import InstanceRecovery
from handler.run.watch import Watch
from handler.run.watching import Watching
from handler.runtime.countdown import Countdown
from tests.promise.deploying_scenes import everything as deployments
from tests.promise.machine import ExactlyOnce
from tests.promise.scenes import play, turns

EXAMPLES = 1500
"""How many random histories a mutant may survive before it counts as unseen. Most live for a few dozen."""


@contextmanager
def no_claim_before_the_call() -> Iterator[None]:
    """The claim is written after the call."""

    def make(attempts: Any, renewal: Any, claim: Any, call: Any, done: Any) -> Any:
        now = attempts._time.now()
        try:
            entry = call(20)
            claimed = attempts._journal.record(renewal, claim, now)
        except CasError:
            return Line(Outcome.DEFERRED, "mutant", claim.renewable), renewal
        except JournalConflict:
            return Line(Outcome.DEFERRED, Reason.IN_PROGRESS, claim.renewable), renewal
        return attempts._happened(claimed, entry, done)

    with patch.object(Attempts, "make", make):
        yield


@contextmanager
def no_compare_in_compare_and_append() -> Iterator[None]:
    """An entry is added wherever the log ends."""
    with _appending_anywhere(OssStore), _appending_anywhere(FileStore):
        yield


@contextmanager
def no_look_for_an_append_that_failed() -> Iterator[None]:
    """An entry whose answer was lost counts as not written."""
    with patch.object(OssStore, "_stands", lambda *_: False):
        yield


@contextmanager
def nothing_known_of_what_existed_before() -> Iterator[None]:
    """The claim does not say which orders existed before, and neither does its note."""
    with (
        patch.object(OrderBook, "existing", lambda *_: frozenset()),
        patch.object(OrderBook, "picture", property(lambda book: Picture(frozenset(), book.empty_lists))),
    ):
        yield


@contextmanager
def a_snapshot_of_rivals_only() -> Iterator[None]:
    """Candidate is what the claim's snapshot lacks, and that has only what looks like a successor already."""
    rivals = OrderBook.rivals

    def existing(book: Any, product: str, domain: str) -> frozenset[str]:
        return frozenset(order.id for order in rivals(book, product, domain))

    candidates_of = settle.candidates_of
    with (
        patch.object(OrderBook, "existing", existing),
        patch.object(settle, "candidates_of", lambda renewal, book, _new=None: candidates_of(renewal, book)),
    ):
        yield


@contextmanager
def what_a_run_bought_is_not_in_its_book() -> Iterator[None]:
    """A run forgets what it has just bought."""
    with patch.object(CurrentBook, "add_successor", lambda *_: None):
        yield


@contextmanager
def no_settle_wait() -> Iterator[None]:
    """An order that is not visible at once is taken for never bought."""
    verdict = settle.Puzzle.verdict

    def at_once(puzzle: Any, renewal: Any, _settle: timedelta, now: Any) -> Any:
        return verdict(puzzle, renewal, timedelta(0), now)

    with patch.object(settle.Puzzle, "verdict", at_once):
        yield


@contextmanager
def settle_wait_from_the_claims_start() -> Iterator[None]:
    """The wait counts from when the claim was written."""
    with patch.object(Renewal, "last_effect", lambda lost: lost.claim.snapshot_at):
        yield


@contextmanager
def no_allowance_for_clocks() -> Iterator[None]:
    """All clocks agree."""
    with patch.object(settle, "SKEW", timedelta(0)):
        yield


@contextmanager
def settled_by_now() -> Iterator[None]:
    """The wait counts to now, and not to when the book was read."""
    take_up = Recovery.take_up

    def by_now(recovery: Any, work: Any, book: Any, now: Any) -> Any:
        return take_up(recovery, work, book.as_of(recovery._time.now()), now)

    with patch.object(Recovery, "take_up", by_now):
        yield


@contextmanager
def a_book_dated_when_it_has_been_read() -> Iterator[None]:
    """A picture counts from the end of its reading."""
    whole_book = reading.whole_book

    def dated(cas: Any, book: Any) -> Any:
        return whole_book(cas, book).as_of(cas._clock.now())

    with _read_whole_by(dated):
        yield


@contextmanager
def one_reading_will_do() -> Iterator[None]:
    """A list need not hold still."""
    with _read_whole_by(lambda _cas, book: book):
        yield


@contextmanager
def any_second_reading_will_do() -> Iterator[None]:
    """Two readings need not agree."""
    with patch.object(OrderBook, "proves_whole", lambda *_: True):
        yield


@contextmanager
def anything_is_a_list() -> Iterator[None]:
    """An answer without a list or a total is a list, and an empty one."""

    def page(cas: Any, number: int, size: int) -> Any:
        try:
            return original(cas, number, size)
        except CasOutcomeUnknown as failure:
            if failure.code != ListFault.NO_LIST:
                raise
            return [], 0, size

    original = CasList._page
    with patch.object(CasList, "_page", page), patch.object(settle.Puzzle, "_is_incomplete", lambda *_: False):
        yield


@contextmanager
def a_list_may_lack_what_must_be_there() -> Iterator[None]:
    """An empty list is as good as any."""
    with patch.object(settle.Puzzle, "_is_incomplete", lambda *_: False):
        yield


@contextmanager
def a_stale_picture_will_do() -> Iterator[None]:
    """What was read hours ago is good enough to buy by."""
    with patch.object(CurrentBook, "is_stale", lambda _: False):
        yield


@contextmanager
def unexplained_orders_do_not_matter() -> Iterator[None]:
    """Nothing was bought if nothing looks like the successor, whatever else has come into being."""
    with patch.object(settle.Puzzle, "_unexplained", lambda *_: frozenset()):
        yield


@contextmanager
def no_check_for_shared_candidates() -> Iterator[None]:
    """A candidate is taken although other open work could have it as successor."""
    with patch.object(settle.Puzzle, "_own", lambda puzzle, order_id: sorted(puzzle._candidates.get(order_id, ()))):
        yield


@contextmanager
def work_in_progress_shares_no_candidate() -> Iterator[None]:
    """What another run may just be buying is anybody's."""
    init = settle.Puzzle.__init__

    def without(puzzle: Any, renewals: Any, book: Any, recorded: Any, pictures: Any) -> None:
        lost = [one for one in renewals if one.state is not State.CLAIMED or one.is_lost(book.read_at)]
        init(puzzle, lost, book, recorded, pictures)

    with patch.object(settle.Puzzle, "__init__", without):
        yield


@contextmanager
def journals_read_before_the_book() -> Iterator[None]:
    """What other runs have bought while the orders were read is not known."""
    journals: dict[int, Any] = {}
    found, touched = OpenNotes.open_work, Journal.touched_since

    def early(notes: Any, now: Any, *, tidy: bool) -> Any:
        journals[id(notes._journal)] = touched(notes._journal, now - timedelta(days=10))
        return found(notes, now, tidy=tidy)

    with (
        patch.object(OpenNotes, "open_work", early),
        patch.object(Journal, "touched_since", lambda j, _moment, _but=(): journals.get(id(j), [])),
    ):
        yield


@contextmanager
def a_deadline_written_too_early() -> Iterator[None]:
    """The claim says that its run is over, while it goes on."""
    record = Journal.record

    def early(journal: Any, renewal: Any, entry: Any, now: Any) -> Any:
        return record(journal, renewal, entry._replace(deadline=now) if isinstance(entry, Claimed) else entry, now)

    with patch.object(Journal, "record", early):
        yield


@contextmanager
def no_look_at_the_time_before_the_call() -> Iterator[None]:
    """A call may be made in the last second, and take effect after the deadline."""
    may_purchase = Countdown.may_purchase
    with (
        patch.object(Countdown, "may_purchase", lambda _: True),
        # Before each batch it is looked at all the same: this is about a run that began one in time.
        patch.object(Attempts, "has_time", lambda attempts: may_purchase(attempts._time)),
    ):
        yield


@contextmanager
def no_republishing() -> Iterator[None]:
    """What is renewed counts as done, published or not."""
    with patch.object(Recovery, "_publish", lambda _recovery, renewal: already_renewed(renewal)):
        yield


@contextmanager
def no_look_at_recorded_successors() -> Iterator[None]:
    """An order that is known as somebody's successor is a candidate again."""
    with patch.object(Journal, "touched_since", lambda _journal, _moment, _but=(): []):
        yield


@contextmanager
def no_note_of_open_work() -> Iterator[None]:
    """Nobody writes down where to look for open work."""
    with patch.object(OpenNotes, "write", lambda *_: ""):
        yield


@contextmanager
def only_the_first_batch_is_noted() -> Iterator[None]:
    """What a run claims after its first batch is in no note."""
    write = OpenNotes.write
    noted: dict[int, tuple[Any, str]] = {}

    def once(notes: Any, *rest: Any) -> str:
        if id(notes) not in noted or noted[id(notes)][0] is not notes:
            noted[id(notes)] = (notes, write(notes, *rest))
        return noted[id(notes)][1]

    with patch.object(OpenNotes, "write", once):
        yield


@contextmanager
def a_note_tidied_before_its_run_is_over() -> Iterator[None]:
    """A note goes as soon as nothing of it is open, although its run may still claim."""
    with patch.object(open_notes, "SKEW", -timedelta(days=1)):
        yield


@contextmanager
def no_limit_of_a_day() -> Iterator[None]:
    """Each run may buy as if it were the first."""
    with patch.object(DayCount, "reserve", lambda _days, _now, wanted, _most: wanted):
        yield


@contextmanager
def renewed_before_half_of_the_lifetime() -> Iterator[None]:
    """The window alone decides."""
    opens = policy.window_opens
    with patch.object(policy, "window_opens", lambda order, rules: opens(order._replace(starts=None), rules)):
        yield


@contextmanager
def told_without_comparing_names() -> Iterator[None]:
    """A certificate that replaces another is not looked for."""
    with _unreplaced_by(lambda _standings: {}):
        yield


@contextmanager
def any_name_in_common_replaces() -> Iterator[None]:
    """A certificate that lacks some of the names counts as the next one."""

    def latest(standings: Any) -> Any:
        everything = list(standings)
        alike = {s.names: [o.ends for o in everything if o.names & s.names] for s in everything}
        return {names: max(ends) for names, ends in alike.items()}

    with _unreplaced_by(latest):
        yield


@contextmanager
def names_as_the_instance_shows_them() -> Iterator[None]:
    """What the authority has put into a certificate beside them is not known."""
    with patch.object(standings, "_of_certificates", _without_owners(standings._of_certificates)):
        yield


@contextmanager
def no_second_reading_before_an_alert() -> Iterator[None]:
    """What one reading has found is told."""
    with patch.object(Watching, "_confirmed", lambda _watching, new: new):
        yield


@contextmanager
def a_second_reading_that_need_not_agree() -> Iterator[None]:
    """It is only looked whether the lists can be read."""
    confirmed = Watching._confirmed

    def all_of(watching: Any, new: Any) -> Any:
        before = len(watching._result.errors)
        confirmed(watching, new)
        return new if len(watching._result.errors) == before else []

    with patch.object(Watching, "_confirmed", all_of):
        yield


@contextmanager
def a_broken_list_is_an_empty_one() -> Iterator[None]:
    """What cannot be read replaces nothing."""
    with _lists_read_by(lambda lists: lists._replace(is_broken=False)):
        yield


@contextmanager
def instances_that_nobody_has_seen_are_none() -> Iterator[None]:
    """Without the list of instances their certificates are of unknown origin."""
    with _lists_read_by(lambda lists: lists._replace(has_instances=True)), patch.object(standings, "_V2", "none"):
        yield


@contextmanager
def issued_without_comparing_the_certificate() -> Iterator[None]:
    """A followed instance with a certificate has the next one."""

    def next_in_row(renewal: Any, instance: Any) -> Any:
        return Issued(instance.certificate_id, instance.ends) if instance.certificate_id and instance.ends else None

    with patch.object(follow_instances, "next_in_row", next_in_row):
        yield


@contextmanager
def next_without_comparing_names() -> Iterator[None]:
    """A certificate that lasts longer is the next one, for whatever names."""
    following = progress._next

    def any_names(renewal: Any, certificate_id: str, ends: Any, _names: Any) -> Any:
        return following(renewal, certificate_id, ends, set(renewal.base.renewable.domains) if renewal.base else set())

    with patch.object(progress, "_next", any_names):
        yield


@contextmanager
def no_settle_wait_for_applications() -> Iterator[None]:
    """An application that does not show at once was never made."""
    verdict = settle_of_instances.verdict

    def at_once(renewal: Any, shown: Any, read_at: Any, _settle: Any, now: Any) -> Any:
        return verdict(renewal, shown, read_at, timedelta(days=-9), now)

    with patch.object(settle_instances, "verdict", at_once):
        yield


@contextmanager
def a_refused_application_is_taken_for_one_that_is_in() -> Iterator[None]:
    """Why CAS supports none in this state is not looked at."""
    with patch.object(Application, "_read_again", lambda *_: Applied("settled")):
        yield


@contextmanager
def an_answered_application_is_repeated() -> Iterator[None]:
    """What does not get on is applied for again."""

    def why_not_now(instance: Any, renewal: Any, now: Any) -> Any:
        if renewal.state is State.APPLIED and not instance.is_pending:
            return None
        return why_not(instance, renewal, now)

    why_not = eligibility.why_not_now
    with (
        patch.object(instances, "why_not_now", why_not_now),
        patch.object(apply_instances, "why_not_now", why_not_now),
        patch.object(Renewal, "may_be_claimed", lambda *_: True),
        # Whose line says that it is applied for would be left out.
        patch.object(instances, "line_of", lambda renewal, *_: Line(Outcome.DEFERRED, "mutant", renewal.renewable)),
        patch.object(RunResult, "has_final_line", lambda *_: False),
    ):
        yield


@contextmanager
def applied_for_by_what_the_list_shows() -> Iterator[None]:
    """That the instance has another certificate by now is not looked at, and nor is it itself."""
    with patch.object(Applicant, "_shown", lambda _applicant, one: one.instance):
        yield


@contextmanager
def another_certificate_does_not_settle() -> Iterator[None]:
    """Only what is in review was applied for."""

    def is_applied(shown: Any, _base: Any) -> bool:
        return bool(shown.is_pending)

    with (
        patch.object(settle_of_instances, "is_applied", is_applied),
        patch.object(settle_instances, "is_applied", is_applied),
    ):
        yield


@contextmanager
def applied_for_what_is_in_review() -> Iterator[None]:
    """That somebody has applied does not count."""
    with patch.dict(policy_of_instances.CHECKS, {Reason.IN_REVIEW: lambda *_: False}):
        yield


@contextmanager
def applied_for_what_is_hosted() -> Iterator[None]:
    """That the platform acts does not count."""
    with patch.dict(policy_of_instances.CHECKS, {Reason.HOSTED: lambda *_: False}):
        yield


@contextmanager
def applied_for_other_names() -> Iterator[None]:
    """What is configured is not compared with what the certificate has."""
    with patch.dict(policy_of_instances.CHECKS, {Reason.NAMES_CHANGED: lambda *_: False}):
        yield


@contextmanager
def one_allowed_name_will_do() -> Iterator[None]:
    """The operator's list need not allow every name."""

    def not_allowed(instance: Any, rules: Any, _now: Any) -> bool:
        return not any(is_allowed(name, rules) for name in instance.renewable.domains)

    with patch.dict(policy_of_instances.CHECKS, {Reason.DOMAIN_NOT_ALLOWED: not_allowed}):
        yield


@contextmanager
def applied_for_from_an_old_picture() -> Iterator[None]:
    """What was seen before CAS was busy for hours is good enough."""
    make = Attempts.make
    with patch.object(Attempts, "make", lambda attempts, *args: make(attempts, *args[:4])):
        yield


@contextmanager
def records_are_asked_for_at_once() -> Iterator[None]:
    """The platform gets no time to add them."""
    with patch.object(reviews, "RECORDS_AFTER", timedelta(0)):
        yield


@contextmanager
def records_are_asked_for_in_every_run() -> Iterator[None]:
    """That people were asked before does not count."""

    def alert_validation(outbox: Any, renewal: Any, records: Any) -> Any:
        return alert(outbox, renewal._replace(notified=frozenset()), records)

    alert = Outbox.alert_validation
    with patch.object(Outbox, "alert_validation", alert_validation):
        yield


@contextmanager
def an_application_is_told_once_or_never() -> Iterator[None]:
    """If the run dies before, nobody is told."""
    with patch.object(InstanceRecovery, "take_up", _without_applied(InstanceRecovery.take_up)):
        yield


@contextmanager
def the_end_of_the_next_is_that_of_the_row() -> Iterator[None]:
    """Whatever certificate the row shows."""
    message = instance_messages.instance_issued_message

    def of_row(renewal: Any, new: Any, account: Any) -> Any:
        return message(renewal._replace(successor=renewal.successor._replace(ends=new.ends)), new, account)

    with patch.object(publisher, "instance_issued_message", of_row):
        yield


@contextmanager
def nothing_is_in_the_way() -> Iterator[None]:
    """What the authority says, and what it turns down, is not looked at."""
    with patch.object(reviews, "trouble", lambda *_: None):
        yield


@contextmanager
def the_base_is_recorded_after_the_new_one() -> Iterator[None]:
    """An instance is followed once the platform has acted."""
    look_at = FollowInstances._look_at

    def late(follow: Any, renewal: Any, instance: Any) -> Any:
        base = renewal.base
        if instance is not None and renewal.state is State.FOLLOWED and instance.certificate_id != base.certificate_id:
            entry = Followed(instance.renewable, instance.certificate_id)
            renewal = follow._journal.record(renewal, entry, follow._time.now())
        return look_at(follow, renewal, instance)

    with patch.object(FollowInstances, "_look_at", late):
        yield


@contextmanager
def followed_once_the_window_is_open() -> Iterator[None]:
    """What the platform replaces between two runs was never looked at."""
    with patch.object(follow_instances, "HOSTED_FROM", timedelta(0)):
        yield


@contextmanager
def thresholds_told_again_in_each_run() -> Iterator[None]:
    """What has been told is told again."""
    with patch.object(Alerts, "all_sent", lambda *_: frozenset()):
        yield


@contextmanager
def one_note_for_all_certificates_of_an_instance() -> Iterator[None]:
    """Whoever has heard of one hears of no other."""
    with patch.object(Expiring, "noted_as", property(lambda expiring: expiring.id)):
        yield


@contextmanager
def the_alarm_rings_in_every_run() -> Iterator[None]:
    """For what a run of the day has failed the next one fails, too."""
    look = DayCount.look
    with patch.object(DayCount, "look", lambda days, now: look(days, now)._replace(alarmed=frozenset())):
        yield


@contextmanager
def no_alarm() -> Iterator[None]:
    """No run fails for what ends within days."""
    with patch.object(Watch, "alarm", lambda *_: None):
        yield


@contextmanager
def retries_of_the_alarm_buy() -> Iterator[None]:
    """An event that is repeated since its run has rung the alarm buys up to the limit each time."""
    with patch.object(days, "_is_alarm_of", lambda *_: False):
        yield


@contextmanager
def an_excepted_domain_is_told() -> Iterator[None]:
    """The operator's eyes are open."""
    with patch.object(standings, "is_excepted", lambda *_: False):
        yield


@contextmanager
def a_hosted_instance_is_told_as_expiring() -> Iterator[None]:
    """Whoever else gets the next certificate does not count."""
    with patch.object(standings, "is_awaited", lambda _: False):
        yield


@contextmanager
def a_hosted_order_is_told_as_expiring() -> Iterator[None]:
    """That the platform renews it does not count, however long there is left."""
    with patch.object(standings, "hosted", lambda *_: False):
        yield


@contextmanager
def what_is_revoked_replaces() -> Iterator[None]:
    """A certificate counts whatever its state."""
    certificates = standings._of_certificates

    def all_of(found: Any, *rest: Any) -> Any:
        return certificates([one._replace(status="issued") for one in found], *rest)

    with patch.object(standings, "_of_certificates", all_of):
        yield


@contextmanager
def what_is_deferred_is_told_at_once() -> Iterator[None]:
    """An order that a later run will renew is an alarm from the first day on."""
    with patch.object(standings, "_is_deferred", lambda _: False):
        yield


def _without_applied(take_up: Any) -> Any:
    def others(recovery: Any, renewals: Any) -> Any:
        return take_up(recovery, (one for one in renewals if one.state is not State.APPLIED))

    return others


@contextmanager
def _unreplaced_by(latest: Any) -> Iterator[None]:
    """Exchange how it is found out until when names have a certificate; what is not in it ends as it says itself."""

    def found(everything: Any, now: Any) -> Any:
        seen = list(everything)
        until = latest(seen)
        kept = [s for s in seen if s.why_not is not None and s.ends > now - HISTORY]
        return [s for s in kept if until.get(s.names, s.ends) == s.ends]

    with patch.object(watching, "unreplaced", found):
        yield


@contextmanager
def _lists_read_by(change: Any) -> Iterator[None]:
    read_lists = lists.read_lists

    def read(*args: Any, **kwargs: Any) -> Any:
        return change(read_lists(*args, **kwargs))

    with patch.object(run, "read_lists", read), patch.object(watching, "read_lists", read):
        yield


def _without_owners(certificates: Any) -> Any:
    def others(*args: Any) -> Any:
        return [standing for standing in certificates(*args) if standing.why_not is not None]

    return others


@contextmanager
def _read_whole_by(whole_book: Any) -> Iterator[None]:
    """Exchange it where it is looked up: by the run, and by the book that is kept current."""
    with patch.object(run, "whole_book", whole_book), patch.object(reading, "whole_book", whole_book):
        yield


@contextmanager
def _appending_anywhere(store: Any) -> Iterator[None]:
    append = store.append

    def add(self: Any, key: str, _position: int, entry: bytes) -> int:
        return int(append(self, key, self.read_log(key).position, entry))

    with patch.object(store, "append", add):
        yield


@contextmanager
def no_look_for_the_job_by_name() -> Iterator[None]:
    """A job whose answer was lost is not looked for."""
    with patch.object(CasDeployments, "jobs_named", lambda *_: ()):
        yield


@contextmanager
def a_job_is_started_twice() -> Iterator[None]:
    """It is started again at once, whatever the first answer was."""
    schedule = CasDeployments.schedule

    def twice(self: CasDeployments, job_id: str, seconds: float) -> None:
        with contextlib.suppress(CasError):
            schedule(self, job_id, seconds)
        schedule(self, job_id, seconds)

    with patch.object(CasDeployments, "schedule", twice):
        yield


@contextmanager
def deployed_without_comparing_names() -> Iterator[None]:
    """A certificate takes the place of one of other names."""
    with patch.dict(plan.CHECKS, {Reason.NAMES_CHANGED: lambda *_: False}):
        yield


@contextmanager
def no_entry_before_a_job_is_made() -> Iterator[None]:
    """That a job is about to be made is not written down."""
    with patch.object(Courses, "deploying", lambda _self, course, *_: course):
        yield


@contextmanager
def the_confirmation_of_a_start_is_not_written_down() -> Iterator[None]:
    """That a job was started, or is seen to have begun, is forgotten."""
    with patch.object(Courses, "started", lambda _self, course, _now: course):
        yield


@contextmanager
def a_failure_is_told_without_its_reason_in_the_id() -> Iterator[None]:
    """All that is told of a certificate that is not deployed has one id."""

    def one_id(subject: str, _trouble: Any) -> str:
        return f"{subject}-deploy-failed"

    with (
        patch.object(deployment_messages, "deploy_failed_id", one_id),
        patch.object(serving, "deploy_failed_id", one_id),
    ):
        yield


@contextmanager
def a_job_that_seems_gone_is_believed_to_be_gone() -> Iterator[None]:
    """What cannot be found is gone, however new it is."""
    gone = step._gone

    def at_once(picture: Any, record: Any, now: Any, settle: Any) -> Any:
        return gone(picture, record._replace(job_at=None), now, settle)

    with patch.object(step, "_gone", at_once):
        yield


@contextmanager
def a_start_that_was_confirmed_is_repeated() -> Iterator[None]:
    """What CAS shows to wait is started, whatever is written down."""
    to_be_started = step._to_be_started

    def again(picture: Any, record: Any, *rest: Any) -> Any:
        return to_be_started(picture, record._replace(started_at=None), *rest)

    with patch.object(step, "_to_be_started", again):
        yield


@contextmanager
def what_a_person_has_bound_is_taken_back() -> Iterator[None]:
    """A job is started without a look at what is bound by then."""
    with patch.object(step, "_takes_something_back", lambda *_: False):
        yield


@contextmanager
def any_product_is_chosen() -> Iterator[None]:
    """Whatever the old certificate is bound to gets the new one."""
    with patch.object(plan, "is_chosen", lambda *_: True):
        yield


@contextmanager
def any_job_of_the_name_is_ours() -> Iterator[None]:
    """A job that waits is started, whatever it would do."""
    with patch.object(step, "_is_ours", lambda *_: True):
        yield


@contextmanager
def two_that_look_alike_are_one() -> Iterator[None]:
    """What is at the place of a worker needs no worker of its own."""

    def missed(workers: Any, bound: Any, _known: Any) -> Any:
        listed = list(workers)
        ids, places = {one.resource_id for one in listed}, {(one.product, one.domain) for one in listed}
        return [one for one in bound if one.id not in ids and (one.product, one.domain) not in places]

    with patch.object(became, "not_among", missed):
        yield


@contextmanager
def whatever_a_job_puts_somewhere_is_the_new_one() -> Iterator[None]:
    """Nobody looks which certificate the workers of a job have."""

    def became_of_all(self: Any, known: Any) -> Any:
        return became.what_became(self.workers, self.plan.resources, known)

    over = step._under_way_or_over

    def all_ours(picture: Any, *rest: Any) -> Any:
        ours = tuple(one._replace(certificate_id=picture.new_id) for one in picture.workers)
        return over(picture._replace(workers=ours), *rest)

    with patch.object(step.Picture, "became", became_of_all), patch.object(step, "_under_way_or_over", all_ours):
        yield


DEPLOYING = [
    whatever_a_job_puts_somewhere_is_the_new_one,
    the_confirmation_of_a_start_is_not_written_down,
    a_failure_is_told_without_its_reason_in_the_id,
    a_job_that_seems_gone_is_believed_to_be_gone,
    a_start_that_was_confirmed_is_repeated,
    what_a_person_has_bound_is_taken_back,
    any_product_is_chosen,
    any_job_of_the_name_is_ours,
    two_that_look_alike_are_one,
    no_look_for_the_job_by_name,
    a_job_is_started_twice,
    deployed_without_comparing_names,
    no_entry_before_a_job_is_made,
]
"""Those that the state machine of deployments sees."""
MUTANTS = [
    no_claim_before_the_call,
    no_compare_in_compare_and_append,
    no_look_for_an_append_that_failed,
    nothing_known_of_what_existed_before,
    a_snapshot_of_rivals_only,
    what_a_run_bought_is_not_in_its_book,
    no_settle_wait,
    settle_wait_from_the_claims_start,
    no_allowance_for_clocks,
    settled_by_now,
    a_book_dated_when_it_has_been_read,
    one_reading_will_do,
    any_second_reading_will_do,
    anything_is_a_list,
    a_list_may_lack_what_must_be_there,
    a_stale_picture_will_do,
    unexplained_orders_do_not_matter,
    no_check_for_shared_candidates,
    work_in_progress_shares_no_candidate,
    journals_read_before_the_book,
    a_deadline_written_too_early,
    no_look_at_the_time_before_the_call,
    no_republishing,
    no_look_at_recorded_successors,
    no_note_of_open_work,
    only_the_first_batch_is_noted,
    a_note_tidied_before_its_run_is_over,
    no_limit_of_a_day,
    renewed_before_half_of_the_lifetime,
    told_without_comparing_names,
    any_name_in_common_replaces,
    names_as_the_instance_shows_them,
    no_second_reading_before_an_alert,
    a_second_reading_that_need_not_agree,
    a_broken_list_is_an_empty_one,
    instances_that_nobody_has_seen_are_none,
    issued_without_comparing_the_certificate,
    next_without_comparing_names,
    no_settle_wait_for_applications,
    a_refused_application_is_taken_for_one_that_is_in,
    an_answered_application_is_repeated,
    applied_for_by_what_the_list_shows,
    another_certificate_does_not_settle,
    applied_for_what_is_in_review,
    applied_for_what_is_hosted,
    applied_for_other_names,
    one_allowed_name_will_do,
    applied_for_from_an_old_picture,
    records_are_asked_for_at_once,
    records_are_asked_for_in_every_run,
    an_application_is_told_once_or_never,
    the_end_of_the_next_is_that_of_the_row,
    nothing_is_in_the_way,
    the_base_is_recorded_after_the_new_one,
    followed_once_the_window_is_open,
    thresholds_told_again_in_each_run,
    one_note_for_all_certificates_of_an_instance,
    the_alarm_rings_in_every_run,
    no_alarm,
    retries_of_the_alarm_buy,
    an_excepted_domain_is_told,
    a_hosted_instance_is_told_as_expiring,
    a_hosted_order_is_told_as_expiring,
    what_is_revoked_replaces,
    what_is_deferred_is_told_at_once,
    *DEPLOYING,
]


def histories(examples: int, start: int) -> None:
    """Run that many random histories; raises what the state machine finds."""
    machine = seed(start)(type("Histories", (ExactlyOnce,), {}))
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=7,
            deadline=None,
            database=None,
            print_blob=False,
            report_multiple_bugs=False,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


def seen(name: str, start: int) -> tuple[str | None, float]:
    """Return what the state machine says against a mutant, None if nothing, and how many seconds that took."""
    began = time.monotonic()
    said = None
    with globals()[name](), contextlib.redirect_stdout(io.StringIO()):
        try:
            if globals()[name] in DEPLOYING:
                deployments(start)
                return None, time.monotonic() - began
            for turn in turns():
                play(*turn)
            histories(EXAMPLES, start)
        except AssertionError as found:
            said = (str(found).splitlines() or ["an assertion"])[0][:160]
    return said, time.monotonic() - began


def main(arguments: Sequence[str] | None = None) -> int:
    """Try the mutants; returns 1 if one was not seen."""
    parser = argparse.ArgumentParser(prog="make mutants", allow_abbrev=False)
    parser.add_argument("name", nargs="?", default="", help="only those with this in their name")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    names = [mutant.__name__ for mutant in MUTANTS if options.name in mutant.__name__]
    if not names:
        parser.error(f"no mutant has {options.name!r} in its name; there are {', '.join(m.__name__ for m in MUTANTS)}")
    unseen = 0
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        tried = {pool.submit(seen, name, options.seed): name for name in names}
        for done in as_completed(tried):
            name, (said, seconds) = tried[done], done.result()
            unseen += said is None
            print(f"{'seen  ' if said else 'UNSEEN'} {seconds:5.0f} s  {name}: {said or ''}", flush=True)
    print(f"{unseen} of the mutants were not seen" if unseen else "every mutant was seen")
    return 1 if unseen else 0


if __name__ == "__main__":
    sys.exit(main())
