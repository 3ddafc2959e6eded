"""What is said of a deployment: what its job came to, and what its domains are seen to serve; each fact once."""

from typing import NamedTuple

from handler.deployment.became import Deployed, left
from handler.deployment.course import Course, Courses, Ended
from handler.deployment.job import Put
from handler.deployment.plan import Plan
from handler.deployment.replacement import Replacement
from handler.deployment.served import MOST, TOO_LONG, Serves, ask_all, looks_again, names_to_ask, trouble
from handler.deployment.step import Failed, Step, Wait
from handler.deployment.twins import Twins
from handler.journal.alerts import Alerts
from handler.outbox.deployment_messages import DeployedResource, Trouble, deploy_failed_id, deployed_id
from handler.outbox.publisher import Outbox
from handler.outcomes import Placed, Reason
from handler.result import Place
from handler.run.placings import message_of, places_in, told_of
from handler.run.services import Services

_STILL_BOUND = Trouble(Reason.STILL_BOUND, is_final=False)


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

    def tell_not_found_out(self, one: Replacement, reason: Reason) -> None:
        """Alert that it is not known what replaces what, once for each reason.

        Raises PublishFailed or JournalUnavailable.
        """
        why = Trouble(reason, is_final=False)
        message = message_of(one, Course(one.new_id), ())
        id_ = deploy_failed_id(message.subject, why)
        if self._time.may_write() and not self._alerts.was_sent(id_):
            self._outbox.alert_deploy_failed(message, why, self._time.now())
            self._alerts.sent(id_, self._time.now())

    def tell(self, one: Replacement, of: Twins, course: Course, step: Step | None, bound: Plan) -> tuple[Told, Course]:
        """Notify of what is new, and return how it stands. `bound`: what is bound to the old one.

        Raises PublishFailed, JournalUnavailable or JournalConflict.
        """
        ended = course.ended
        if isinstance(step, Wait) or ended is None:
            job_id = course.record.job_id or (step.job.id if isinstance(step, Wait) and step.job else "")
            return Told(Placed.DEPLOYING, step.reason if isinstance(step, Wait) else None, job_id), course
        if ended.is_well:
            return self._well(one, of, course, ended, bound)
        # What the job is through with may be more than when it was told.
        resources = step.resources if isinstance(step, Failed) and step.resources else ended.resources
        why = Trouble(ended.reason, ended.is_final)
        told = told_of(resources, {})
        course = self._alert(one, course, why, told, bound)
        is_over = ended.is_final and deploy_failed_id(one.new_id, why) in course.told
        job_id = ended.job_id or course.record.job_id
        return Told(Placed.DEPLOY_FAILED, ended.reason, job_id, tuple(places_in(told)), is_over), course

    def tell_still_bound(self, one: Replacement, course: Course, bound: Plan) -> None:
        """Alert that the old one ends soon and is bound all the same, once. Raises as `tell` does."""
        resources = told_of(left((*bound.resources, *bound.elsewhere)), {})
        self._alert(one, course, _STILL_BOUND, resources, bound)

    def _alert(
        self, one: Replacement, course: Course, why: Trouble, resources: list[DeployedResource], bound: Plan
    ) -> Course:
        id_ = deploy_failed_id(one.new_id, why)
        if id_ in course.told or not self._time.may_write():
            return course
        at = course.ended.at if course.ended and course.ended.reason == why.reason else self._time.now()
        self._outbox.alert_deploy_failed(message_of(one, course, resources, bound), why, at)
        return self._courses.told(course, id_, self._time.now())

    def _well(self, one: Replacement, of: Twins, course: Course, ended: Ended, bound: Plan) -> tuple[Told, Course]:
        course = self._asked_now(of, course, ended.resources)
        told = told_of(ended.resources, course.served)
        message = message_of(one, course, told, bound)
        if deployed_id(one.new_id) not in course.told:
            self._outbox.tell_deployed(message, ended.at)
            course = self._courses.told(course, deployed_id(one.new_id), self._time.now())
        now = self._time.now()
        is_old = looks_again(course.served.values())
        why = trouble(course.served.values(), ended.at, now) if self._probes or course.is_served else None
        if why is not None:
            course = self._alert(one, course, Trouble(why), told, bound)
        to_ask = self._to_ask(course, ended.resources)
        is_long_ago = now >= ended.at + TOO_LONG and all(name in course.served for name in to_ask)
        if not course.is_served and (not to_ask or is_long_ago):
            course = self._courses.served(course, now)
        stage = Placed.DEPLOY_FAILED if why is not None else Placed.DEPLOYED
        reason = why or (Reason.OLD_ONE_SERVED if is_old else None)
        return Told(stage, reason, ended.job_id, tuple(places_in(told)), course.is_served), course

    def _asked_now(self, of: Twins, course: Course, resources: tuple[Deployed, ...]) -> Course:
        """Ask what was not asked yet, or served the old one; write down what is new."""
        names = self._to_ask(course, resources)[: max(0, MOST - self._asked)]
        if course.is_served or not names:
            return course
        found = ask_all(self._prober, names, of.old, of.new, self._time)
        self._asked += len(found)
        if all(course.served.get(name) is word for name, word in found.items()):
            return course
        return self._courses.asked(course, found, self._time.now())

    def _to_ask(self, course: Course, resources: tuple[Deployed, ...]) -> list[str]:
        """Return the names that are to be asked, those first that nobody has asked yet.

        What served the old one, or did not answer, is asked again: it may have been a bad moment.
        """
        if not self._probes:
            return []
        deployed = [one.domain for one in resources if one.put is Put.DEPLOYED]
        names = dict.fromkeys(name for domain in deployed for name in names_to_ask(domain))
        unsettled = [name for name in names if course.served.get(name) not in {Serves.NEW, Serves.OTHER}]
        return sorted(unsettled, key=lambda name: name in course.served)
