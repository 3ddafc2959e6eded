"""Issued is not installed: one job for each new certificate, made, started and followed over the runs.

Look, decide (`handler.deployment.step`), write down, act: what a run that died has left open the next one takes up.
"""

from handler.deployment.course import Course, Courses
from handler.deployment.job import Job, job_name
from handler.deployment.look import Choices, look
from handler.deployment.plan import Plan
from handler.deployment.record import Call
from handler.deployment.replacement import Replacement
from handler.deployment.step import Failed, Make, Picture, Schedule, Step, Wait, next_step, told_if_late
from handler.deployment.twins import Twins
from handler.errors import CasBusy, CasError, CasMisconfigured, CasOutcomeUnknown, CasRefused
from handler.outcomes import Reason
from handler.run.services import Services
from handler.runtime.countdown import RESERVE_SECONDS

MOST_STEPS = 4
"""A run makes a job, starts it and looks; more is for the next one."""
_BEGUN_MEANWHILE = "StatusNotSupport"
"""In the code of a start that is refused for the state of the job: what was read of it is no longer so."""


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
        return self._next(self._look(of, course), course)

    def go_on(self, one: Replacement, of: Twins, course: Course, forbidden: Reason | None) -> tuple[Step, Course, Plan]:
        """Look, decide and act until there is nothing to do but to wait; return how it stands, and what is bound then.

        `forbidden`: why the new certificate may not take the place of the old one; then nothing is made or started.
        Raises CasError, JournalUnavailable or JournalConflict; what was begun is in the log.
        """
        picture = self._look(of, course)
        for _ in range(MOST_STEPS):
            course = self._seen(picture.job, course)
            step = self._next(picture, course)
            if not isinstance(step, Make | Schedule):
                return step, course, picture.plan
            if forbidden is not None:
                return Failed(forbidden, picture.job, picture.left), course, picture.plan
            if not self._time.may_purchase():
                break
            if isinstance(step, Make):
                course, is_known = self._make(one, step, course)
            else:
                course, is_known = self._start(step, course)
            picture = self._look(of, course)
            if not is_known:
                step, course = self._next(picture, course), self._seen(picture.job, course)
                # What is to be done then is for the next run.
                if isinstance(step, Make | Schedule):
                    step = Wait(Reason.SETTLING, picture.job)
                return step, course, picture.plan
        waits = told_if_late(Wait(Reason.NO_TIME_LEFT, picture.job), picture, course.record, self._time.now())
        return waits, course, picture.plan

    def _look(self, of: Twins, course: Course) -> Picture:
        return look(self._service, of.old.id, of.new.id, self._choices, course.record)

    def _next(self, picture: Picture, course: Course) -> Step:
        return next_step(picture, course.record, self._time.now(), self._settle)

    def _seen(self, job: Job | None, course: Course) -> Course:
        """Write down of a job that may be ours that it has begun, whoever began it: it is never started again."""
        record, now = course.record, self._time.now()
        if job is None or job.is_waiting or record.since is None or record.started_at is not None:
            return course
        if record.job_id != job.id:
            course = self._courses.job(course, job.id, now)
        return self._courses.started(course, now)

    def _make(self, one: Replacement, step: Make, course: Course) -> tuple[Course, bool]:
        """Make a job; return whether it is known what came of it."""
        ids = [resource.id for resource in step.resources]
        course = self._courses.deploying(course, one.old_id, ids, self._time.deadline, self._time.now())
        if not self._time.may_purchase():  # writing it down may have taken long
            return self._courses.refused(course, Call.MAKE, Reason.NO_TIME_LEFT, self._time.now(), waits=False), False
        try:
            job_id = self._service.create(job_name(one.new_id), one.new_id, ids, step.contact, self._seconds())
        except CasOutcomeUnknown as lost:
            self._log.problem("deployment-unknown", order_id=one.id, code=lost.code, message=lost.message)
            return self._courses.unknown(course, Call.MAKE, lost.code, self._time.now()), False
        except (CasBusy, CasRefused, CasMisconfigured) as refused:
            self._log.problem("deployment-refused", order_id=one.id, code=refused.code, message=refused.message)
            waits = isinstance(refused, CasRefused)
            course = self._courses.refused(course, Call.MAKE, refused.code, self._time.now(), waits=waits)
            if waits:
                return course, False
            raise
        self._log.info("deployment-made", order_id=one.id, job_id=job_id)
        return self._courses.job(course, job_id, self._time.now()), True

    def _start(self, step: Schedule, course: Course) -> tuple[Course, bool]:
        """Start a job, which is written down first; return whether it is known to be started."""
        job_id, new_id = step.job.id, course.new_id
        if course.record.job_id != job_id:
            course = self._courses.job(course, job_id, self._time.now())
        course = self._courses.starting(course, self._time.deadline, self._time.now())
        if not self._time.may_purchase():
            return self._courses.refused(course, Call.START, Reason.NO_TIME_LEFT, self._time.now(), waits=False), False
        try:
            self._service.schedule(job_id, self._seconds())
        except CasError as failure:
            self._log.problem("deployment-not-started", order_id=new_id, code=failure.code, message=failure.message)
            now = self._time.now()
            if isinstance(failure, CasOutcomeUnknown) or _BEGUN_MEANWHILE in failure.code:
                return self._courses.unknown(course, Call.START, failure.code, now), False
            waits = isinstance(failure, CasRefused)
            course = self._courses.refused(course, Call.START, failure.code, now, waits=waits)
            if waits:
                return course, False
            raise
        self._log.info("deployment-started", order_id=new_id, job_id=job_id)
        return self._courses.started(course, self._time.now()), True

    def _seconds(self) -> float:
        return self._time.seconds_left() - RESERVE_SECONDS
