"""The last step of a chain: what was issued takes the place of what it replaces, and people hear of it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256

from handler.certificates.rules import HISTORY
from handler.deployment.became import left
from handler.deployment.course import Course, Courses
from handler.deployment.plan import Plan, reason_not_to_deploy
from handler.deployment.replacement import Replacement, Replacements
from handler.deployment.step import LONGEST, Done, Failed, Make, Schedule, Step, Wait
from handler.deployment.twins import Twins
from handler.errors import CasError, CasMisconfigured, CasRefused, JournalConflict, JournalUnavailable, PublishFailed
from handler.journal.journal import Journal
from handler.journal.open_notes import OpenWork
from handler.journal.renewal import Renewal
from handler.orders.book import OrderBook
from handler.orders.eligibility import Known
from handler.outbox.publisher import Outbox
from handler.outcomes import Placed, Reason
from handler.result import Placing, RunResult
from handler.run.deploy import Deployer
from handler.run.issued import Issues, place_of, with_ids, would_be_noted
from handler.run.lists import Lists
from handler.run.pairing import Pairing
from handler.run.placings import named, placing_of, put_placing, to_be_placed
from handler.run.services import Services
from handler.run.serving import Serving
from handler.runtime.countdown import SHORTEST_TIMEOUT

_MAY_PASS = frozenset({Reason.CERTIFICATE_NOT_FOUND, Reason.ROW_UNREADABLE})
"""What CAS may yet show otherwise: told after a day."""
SHOWN_LATE = timedelta(hours=3)
"""A resource that is new shows in CAS after an hour or two; until then the old certificate may be bound somewhere."""
_SAYS_ALL = frozenset({None, Reason.DOMAIN_NOT_ALLOWED})
"""Of what is not deployed for one of these, nothing is left to say once the old certificate is bound nowhere."""


class Replacing:
    """Takes every replacement one step further, and says in the result how far it is."""

    def __init__(
        self,
        services: Services,
        journal: Journal,
        outbox: Outbox,
        issues: Iterable[Issues],
        known: Known,
        result: RunResult,
    ) -> None:
        """`journal`, `known`: of the renewals, for the lines of what is replaced. `issues`: what is fresh."""
        self._issues = tuple(issues)
        self._known = known
        self._pairing = Pairing(services)
        self._settings = services.settings
        self._time = services.time
        self._journal = journal
        self._result = result
        self._notes = Replacements(services.store)
        self._courses = Courses(services.store, services.identity.request_id)
        self._deployer = Deployer(services, self._courses)
        self._serving = Serving(services, self._courses, outbox)

    def go_on(self, left: OpenWork, book: OrderBook, lists: Lists) -> None:
        """Look at each, of earlier runs and of this one. A dry run says what would be done."""
        fresh = {key: one for issues in self._issues for key, one in issues.fresh.items()}
        if self._result.dry_run and self._settings.deploy_to:
            fresh = would_be_noted(left, book, lists, self._settings.settle, self._time.now())
        unreached = 0
        for key in _in_turn([*fresh, *(key for key in left.replaced if key not in fresh)], self._time.now()):
            if self._time.seconds_left() < SHORTEST_TIMEOUT:
                unreached += 1
                continue
            try:
                one = fresh.get(key) or self._notes.read(key)
                if one is not None:
                    self._take_up(one)
            except JournalConflict:
                continue  # another run is looking at it too
            except (CasError, JournalUnavailable, PublishFailed) as failure:
                self._result.errors.append(f"{key.removeprefix('open/')}: {_advised(failure)}")
                if isinstance(failure, CasMisconfigured):
                    return
        if unreached:
            self._result.errors.append(
                f"no time was left for the deployment of {unreached} certificates: raise the function's timeout"
            )

    def _take_up(self, one: Replacement) -> None:
        """Take one a step further, and say how far it is; what CAS refuses is forgotten one day."""
        try:
            placing = self._look_at(one)
        except CasRefused:
            if self._is_history(one) and not self._result.dry_run:
                self._notes.drop(one)
            raise
        if placing is not None:
            put_placing(self._result, one, self._renewal(one), placing)

    def _renewal(self, one: Replacement) -> Renewal:
        return self._known.renewals.get(one.id) or self._journal.read_or_hold(one.id)

    def _look_at(self, one: Replacement) -> Placing | None:
        """Take one a step further; None if nothing is left to say of it."""
        if not self._settings.deploy_to:
            return self._only_said(one, None)
        course = self._courses.read(one.new_id) if one.new_id else Course("")
        if not (one.deploys or course.is_begun):
            return self._only_said(one, None)
        found = self._pairing.certificates(one, is_begun=course.is_begun)
        if not isinstance(found, Twins):
            return self._not_found_out(one, found)
        known = with_ids(one, found)
        if self._pairing.is_forbidden(found) and not course.is_begun:
            return self._only_said(known, Reason.DOMAIN_NOT_ALLOWED)
        if known != one and not self._result.dry_run:
            # Before anything is begun: from then on it is these two, whatever the lists show.
            self._notes.put(known)
        if course.new_id != known.new_id:
            course = self._courses.read(known.new_id)
        return self._deploy(known, found, course)

    def _deploy(self, one: Replacement, of: Twins, course: Course) -> Placing | None:
        """Take the job of one a step further; as `_look_at`."""
        forbidden = reason_not_to_deploy(of.old, of.new, self._time.now())
        if self._result.dry_run:
            return self._in_a_dry_run(one, of, course, forbidden)
        step: Step | None = None
        bound: Plan | None = None
        if not course.is_settled:
            if forbidden is not None and course.record.since is None:
                if forbidden in _MAY_PASS and self._time.now() <= one.since + LONGEST:
                    return placing_of(one, Placed.NOT_DEPLOYED, forbidden)
                bound = self._pairing.bound(one, may_be_gone=False)
                step = Failed(forbidden, None, left(bound.resources))
            else:
                step, course, bound = self._deployer.go_on(one, of, course, forbidden)
            course = self._recorded(course, step)
        if bound is None:
            bound = self._pairing.bound(one, may_be_gone=course.is_begun)
        return self._told(one, of, course, step, bound)

    def _told(self, one: Replacement, of: Twins, course: Course, step: Step | None, bound: Plan) -> Placing | None:
        """Notify of what came of it, and say it; forget it once nothing is left to do."""
        told, course = self._serving.tell(one, of, course, step, bound)
        placing = placing_of(one, told.stage, told.reason, told.job_id, told.resources)
        placing = self._with_bound(placing, one, bound, self._all_right_until(one, course, step))
        now = self._time.now()
        # A failure that was told a moment ago says it all.
        if placing.needs_person and (course.ended is None or course.ended.is_well or now > course.ended.at + LONGEST):
            self._serving.tell_still_bound(one, course, bound)
        shows_all = course.ended is not None and now > course.ended.at + SHOWN_LATE
        if (told.is_over and shows_all and not placing.still_bound) or self._is_history(one, course):
            self._notes.drop(one)
        return placing

    def _all_right_until(self, one: Replacement, course: Course, step: Step | None) -> datetime | None:
        """Return until when nobody need mind that the old one is bound; None if that is over.

        A job needs its time, and what CAS shows as bound can be hours old.
        """
        ended = course.ended
        if isinstance(step, Wait) or ended is None:
            return one.since + LONGEST
        return ended.at + SHOWN_LATE if ended.is_well else None

    def _recorded(self, course: Course, step: Step) -> Course:
        """Write down how it ended; of what may still end well only what is new."""
        ended = course.ended
        is_news = isinstance(step, Failed) and (step.is_final or ended is None or ended.reason != step.reason)
        if isinstance(step, Done) or (isinstance(step, Failed) and is_news):
            return self._courses.ended(course, step, self._time.now())
        return course

    def _in_a_dry_run(self, one: Replacement, of: Twins, course: Course, forbidden: Reason | None) -> Placing:
        """Say what would be done; nothing is written, made or asked."""
        if course.ended is not None and course.ended.is_final:
            stage = Placed.DEPLOYED if course.ended.is_well else Placed.DEPLOY_FAILED
            return placing_of(one, stage, course.ended.reason or None, course.ended.job_id)
        if forbidden is not None and course.record.since is None:
            return placing_of(one, Placed.NOT_DEPLOYED, forbidden)
        step = self._deployer.decide(of, course)
        if isinstance(step, Make):
            self._result.add_note(
                f"certificate {one.new_id} would be deployed to {named(to_be_placed(step.resources))}"
            )
            return placing_of(one, Placed.WOULD_DEPLOY, None, "", to_be_placed(step.resources))
        if isinstance(step, Schedule):
            self._result.add_note(f"deployment job {step.job.id} of certificate {one.new_id} would be started")
            return placing_of(one, Placed.WOULD_DEPLOY, None, step.job.id)
        if isinstance(step, Done):
            return placing_of(one, Placed.DEPLOYED, None, step.job.id if step.job else "")
        stage = Placed.DEPLOY_FAILED if isinstance(step, Failed) else Placed.DEPLOYING
        return placing_of(one, stage, step.reason, step.job.id if step.job else "")

    def _not_found_out(self, one: Replacement, reason: Reason) -> Placing | None:
        """Say that it is not known what replaces what."""
        waits = reason in _MAY_PASS and self._time.now() <= one.since + LONGEST
        if not (waits or self._result.dry_run):
            self._serving.tell_not_found_out(one, reason)
        return self._only_said(one, reason)

    def _only_said(self, one: Replacement, reason: Reason | None) -> Placing | None:
        """Say where the old certificate is still bound, if that can be told; nothing is deployed."""
        try:
            is_gone = reason is Reason.CERTIFICATE_NOT_FOUND
            bound = self._pairing.bound(one, may_be_gone=is_gone) if one.old_id else Plan()
        except CasError:
            if self._settings.deploy_to:
                raise
            return None  # only to say it is worth no failure
        placing = self._with_bound(placing_of(one, Placed.NOT_DEPLOYED, reason), one, bound, None)
        shows_all = self._time.now() > one.since + SHOWN_LATE
        is_all = reason in _SAYS_ALL and not placing.still_bound
        if ((one.old_id and is_all and shows_all) or self._is_history(one)) and not self._result.dry_run:
            self._notes.drop(one)
        return None if is_all else placing

    def _with_bound(self, placing: Placing, one: Replacement, bound: Plan, all_right_until: datetime | None) -> Placing:
        """Say where the old one is bound, and whether somebody must do something about it."""
        now = self._time.now()
        places = tuple(map(place_of, (*bound.resources, *bound.elsewhere)))
        is_near = one.old_ends is not None and one.old_ends - now <= self._settings.stalled_within
        is_late = all_right_until is None or now > all_right_until
        return placing._replace(still_bound=places, needs_person=bool(places) and is_near and is_late)

    def _is_history(self, one: Replacement, course: Course | None = None) -> bool:
        """Tell whether nobody looks any more, whatever there may still be to do."""
        begun = (course.record.since, course.ended and course.ended.at) if course else ()
        last: datetime = max(moment for moment in (one.since, one.old_ends, *begun) if moment)
        return self._time.now() > last + HISTORY


def _in_turn(keys: list[str], now: datetime) -> list[str]:
    """Return the keys in another order in each run, so that none waits for ever for those before it.

    A timer fires at the same time every day, so the time of day alone would bring the same order again.
    """
    seed = now.isoformat()
    return sorted(keys, key=lambda key: sha256(f"{seed} {key}".encode()).digest())


def _advised(failure: Exception) -> str:
    if isinstance(failure, CasMisconfigured):
        return f"{failure}; give the role the permissions that `make policy` prints, or empty DEPLOY_TO"
    return str(failure)
