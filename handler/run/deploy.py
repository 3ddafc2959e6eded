"""Issued is not installed: one job for each new certificate, made, started and followed over the runs.

Look, decide (`handler.deployment.step`), write down, act: what a run that died has left open the next one takes up.
"""

from handler.deployment.course import Course, Courses
from handler.deployment.job import job_name
from handler.deployment.look import Choices, look
from handler.deployment.replacement import Replacement
from handler.deployment.step import Failed, Make, Schedule, Step, Wait, next_step
from handler.deployment.twins import Twins
from handler.errors import CasBusy, CasError, CasMisconfigured, CasOutcomeUnknown, CasRefused
from handler.outcomes import Reason
from handler.run.services import Services
from handler.runtime.clock import SKEW
from handler.runtime.countdown import RESERVE_SECONDS

MOST_STEPS = 4
"""A run makes a job, starts it and looks; more is for the next one."""


class Deployer:
    """Takes one new certificate at a time as far as it gets in this run."""

    def __init__(self, services: Services, courses: Courses) -> None:
        """`courses`: the logs of the new certificates."""
        self._service = services.deployments
        self._time = services.time
        self._log = services.log
        self._settle = services.settings.settle
        self._choices = Choices(services.settings.deploy_to, services.settings.deploy_contact)
        self._courses = courses

    def decide(self, of: Twins, course: Course) -> Step:
        """Look and decide; nothing is written. Raises CasError. The log was read before."""
        picture = look(self._service, of.old.id, of.new.id, self._choices, course.attempt)
        return next_step(picture, course.attempt, self._time.now(), self._settle)

    def go_on(self, one: Replacement, of: Twins, course: Course, forbidden: Reason | None) -> tuple[Step, Course]:
        """Look, decide and act until there is nothing to do but to wait; return how it stands.

        `forbidden`: why the new certificate may not take the place of the old one; then nothing is made or started.
        Raises CasError, JournalUnavailable or JournalConflict; what was begun is in the log.
        """
        step: Step = Wait(Reason.NO_TIME_LEFT)
        for _ in range(MOST_STEPS):
            step = self.decide(of, course)
            if not isinstance(step, Make | Schedule):
                return step, course
            if forbidden is not None:
                return Failed(forbidden), course
            if not self._time.may_purchase():
                return Wait(Reason.NO_TIME_LEFT), course
            if isinstance(step, Make):
                course, is_known = self._make(one, step, course)
            else:
                if course.starting_until is not None and self._time.now() <= course.starting_until + SKEW:
                    return Wait(Reason.IN_PROGRESS, step.job), course
                course, is_known = self._start(step, course)
            if not is_known:
                after = self.decide(of, course)
                # What is to be done then is for the next run.
                return (Wait(Reason.SETTLING) if isinstance(after, Make | Schedule) else after), course
        return step, course

    def _make(self, one: Replacement, step: Make, course: Course) -> tuple[Course, bool]:
        """Make a job; return whether it is known what came of it."""
        ids = [resource.id for resource in step.resources]
        course = self._courses.deploying(course, one.old_id, ids, self._time.deadline, self._time.now())
        if not self._time.may_purchase():  # writing it down may have taken long
            return self._courses.refused(course, Reason.NO_TIME_LEFT, self._time.now(), waits=False), False
        try:
            job_id = self._service.create(job_name(one.new_id), one.new_id, ids, step.contact, self._seconds())
        except CasOutcomeUnknown as lost:
            self._log.problem("deployment-unknown", order_id=one.id, code=lost.code, message=lost.message)
            return self._courses.unknown(course, lost.code, self._time.now()), False
        except (CasBusy, CasRefused, CasMisconfigured) as refused:
            self._log.problem("deployment-refused", order_id=one.id, code=refused.code, message=refused.message)
            waits = isinstance(refused, CasRefused)
            course = self._courses.refused(course, refused.code, self._time.now(), waits=waits)
            if waits:
                return course, False
            raise
        self._log.info("deployment-made", order_id=one.id, job_id=job_id)
        return self._courses.job(course, job_id, self._time.now()), True

    def _start(self, step: Schedule, course: Course) -> tuple[Course, bool]:
        """Start a job, which is written down first; return whether it is known to be started."""
        now = self._time.now()
        if course.attempt.job_id != step.job.id:
            course = self._courses.job(course, step.job.id, now)
        course = self._courses.starting(course, self._time.deadline, now)
        if not self._time.may_purchase():
            return course, False
        try:
            self._service.schedule(step.job.id, self._seconds())
        except CasError as failure:
            self._log.problem("deployment-not-started", order_id=course.new_id, code=failure.code)
            if isinstance(failure, CasMisconfigured):
                raise
            return course, False
        self._log.info("deployment-started", order_id=course.new_id, job_id=step.job.id)
        return course, True

    def _seconds(self) -> float:
        return self._time.seconds_left() - RESERVE_SECONDS
