"""What is said of a deployment: what its job came to, and what its domains are seen to serve; each fact once."""

from typing import NamedTuple

from handler.deployment.course import Course, Courses
from handler.deployment.job import Put
from handler.deployment.replacement import Replacement
from handler.deployment.served import MOST, Serves, ask_all, looks_again, names_to_ask, trouble
from handler.deployment.step import Deployed, Failed, Step, Wait
from handler.deployment.twins import Twins
from handler.journal.alerts import Alerts
from handler.outbox.deployment_messages import deploy_failed_id, deployed_id
from handler.outbox.publisher import Outbox
from handler.outcomes import Placed, Reason
from handler.result import Place
from handler.run.placings import message_of, places_in, told_of
from handler.run.services import Services


class Told(NamedTuple):
    """How far a deployment is, and whether nothing more is to be told of it."""

    stage: Placed
    reason: str | None = None
    job_id: str = ""
    resources: tuple[Place, ...] = ()
    is_over: bool = False


class Serving:
    """Asks what is served, and notifies, within one run."""

    def __init__(self, services: Services, courses: Courses, outbox: Outbox) -> None:
        """`PROBE` says whether any domain is asked."""
        self._prober = services.prober
        self._time = services.time
        self._probes = services.settings.probe
        self._courses = courses
        self._outbox = outbox
        self._alerts = Alerts(services.store, services.identity.request_id)
        self._asked = 0

    def is_first_failure(self, one: Replacement) -> bool:
        """Tell whether this is the first time that a replacement without certificate ids is told; note that it is.

        Raises JournalUnavailable.
        """
        id_ = f"{one.id}-{one.new.id}-not-deployed"
        if self._alerts.was_sent(id_):
            return False
        self._alerts.sent(id_, self._time.now())
        return True

    def tell(self, one: Replacement, of: Twins, course: Course, step: Step | None) -> Told:
        """Notify of what is new, and return how it stands.

        Raises PublishFailed, JournalUnavailable or JournalConflict.
        """
        job_id = course.attempt.job_id or (step.job.id if isinstance(step, Wait) and step.job else "")
        if course.ended is None:
            return Told(Placed.DEPLOYING, step.reason if isinstance(step, Wait) else None, job_id)
        if course.ended.is_well:
            return self._well(one, of, course)
        # What the job is through with may be more than when it was told.
        resources = step.resources if isinstance(step, Failed) and step.resources else course.ended.resources
        told = told_of(resources, {})
        if deploy_failed_id(one.new_id) not in course.told and self._time.may_write():
            message = message_of(one, course, told)
            self._outbox.alert_deploy_failed(message, course.ended.reason, course.ended.at)
            course = self._courses.told(course, deploy_failed_id(one.new_id), self._time.now())
        is_over = course.ended is not None and course.ended.is_final and deploy_failed_id(one.new_id) in course.told
        reason = course.ended.reason if course.ended else None
        return Told(Placed.DEPLOY_FAILED, reason, job_id, tuple(places_in(told)), is_over)

    def _well(self, one: Replacement, of: Twins, course: Course) -> Told:
        ended = course.ended
        assert ended is not None  # noqa: S101 (asked by `tell`)
        found = self._ask(of, course, ended.resources)
        told = told_of(ended.resources, found)
        message = message_of(one, course, told)
        if deployed_id(one.new_id) not in course.told:
            self._outbox.tell_deployed(message, ended.at)
            course = self._courses.told(course, deployed_id(one.new_id), self._time.now())
        now = self._time.now()
        why = trouble(found.values(), ended.at, now)
        is_told = deploy_failed_id(one.new_id) in course.told
        if why is not None and not course.is_served:
            # One message a certificate: that the job was slow, say, may have been told by it.
            if not is_told:
                self._outbox.alert_deploy_failed(message, why, now)
                course = self._courses.told(course, deploy_failed_id(one.new_id), now)
            course = self._courses.served(course, now)
        elif not course.is_served and self._is_enough(ended.resources, found) and not looks_again(found.values()):
            course = self._courses.served(course, now)
        reason = why or (Reason.OLD_ONE_SERVED if looks_again(found.values()) else None)
        stage = Placed.DEPLOY_FAILED if why is not None else Placed.DEPLOYED
        return Told(stage, reason, ended.job_id, tuple(places_in(told)), course.is_served)

    def _ask(self, of: Twins, course: Course, resources: tuple[Deployed, ...]) -> dict[str, Serves]:
        left = MOST - self._asked
        if not self._probes or course.is_served or left <= 0:
            return {}
        domains = [one.domain for one in resources if one.put is Put.DEPLOYED]
        found = ask_all(self._prober, _first(domains, left), of.old, of.new, self._time)
        self._asked += len(found)
        return found

    def _is_enough(self, resources: tuple[Deployed, ...], found: dict[str, Serves]) -> bool:
        """Tell whether all was asked that can be asked in a run."""
        if not self._probes:
            return True
        names = {name for one in resources if one.put is Put.DEPLOYED for name in names_to_ask(one.domain)}
        return len(found) >= min(len(names), MOST)


def _first(domains: list[str], most: int) -> list[str]:
    """Return the first names in domains, so many."""
    return list(dict.fromkeys(name for domain in domains for name in names_to_ask(domain)))[:most]
