"""The outbox: puts each message on its queue, then records in the journal that it is there."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from handler.certificates.renewable import Renewable
from handler.errors import JournalConflict, JournalNotAppendable, JournalUnavailable, PublishFailed
from handler.journal.alerts import Alerts
from handler.journal.entries import Notified, Published
from handler.journal.journal import Journal
from handler.journal.lines import line_of
from handler.journal.renewal import Renewal
from handler.outbox.cloud_event import Replaced
from handler.outbox.deployment_messages import (
    Deployment,
    Trouble,
    deploy_failed_id,
    deploy_failed_message,
    deployed_id,
    deployed_message,
)
from handler.outbox.instance_messages import (
    Records,
    Review,
    applied_id,
    applied_message,
    instance_issued_id,
    instance_issued_message,
    instance_stalled_id,
    instance_stalled_message,
    validation_id,
    validation_message,
)
from handler.outbox.messages import (
    failed_id,
    failed_message,
    is_recordable,
    issued_id,
    issued_message,
    renewed_id,
    renewed_message,
    stalled_id,
    stalled_message,
    unrecordable_id,
)
from handler.outbox.queue import Queue
from handler.outbox.watch_messages import Expiring, expiring_message
from handler.outcomes import Outcome, Reason
from handler.result import Line
from handler.runtime.countdown import Countdown
from handler.runtime.log import Log


class Addresses(NamedTuple):
    """From whom messages come, and where they go."""

    account_id: str
    queue: str
    alert_queue: str
    """For the messages that ask for a person; it may be the same queue."""


class Outbox:
    """Sends, then records. A message that is sent and not recorded is sent again, with the same id."""

    def __init__(
        self, queue: Queue, addresses: Addresses, journal: Journal, alerts: Alerts, time: Countdown, log: Log
    ) -> None:
        """`alerts`: where it is noted that a message is on the queue which a journal cannot record."""
        self._queue = queue
        self._to = addresses
        self._journal = journal
        self._alerts = alerts
        self._time = time
        self._log = log

    def publish(self, renewal: Renewal) -> tuple[Line, Renewal]:
        """Publish the successor of a RENEWED renewal; return its line, and the renewal as it then is.

        A renewal with `trouble` could not be recorded, so this is not recorded either: the run that finds the successor
        in the order book does both.
        """
        message_id = renewed_id(renewal)
        try:
            smq_message_id = self._queue.send(self._to.queue, renewed_message(renewal, self._to.account_id))
        except PublishFailed as failure:
            self._log.problem("publish-failed", order_id=renewal.id, code=failure.code, message=failure.message)
            if renewal.trouble:
                return line_of(renewal, Outcome.RENEWED, Reason.JOURNAL_UNAVAILABLE, failed=True), renewal
            stops = failure.misconfigured
            return line_of(renewal, Outcome.RENEWED, failure.code, failed=True, stops_run=stops), renewal
        line = line_of(renewal, Outcome.RENEWED, message_id=message_id)
        if renewal.trouble:
            return line._replace(reason=Reason.JOURNAL_UNAVAILABLE, failed=True), renewal
        try:
            return line, self._journal.record(renewal, Published(message_id, smq_message_id), self._time.now())
        except JournalConflict:
            self._log.info("published-elsewhere-too", order_id=renewal.id)
            return line, renewal
        except JournalUnavailable as failure:
            # It will be sent once more, with the same id.
            self._log.problem("journal-unavailable", order_id=renewal.id, message=str(failure))
            return line._replace(reason=failure.reason, failed=True), renewal

    def notify_issued(self, renewal: Renewal, new: Renewable, replaced: Replaced, *, is_news: bool) -> Renewal:
        """Notify that the successor's certificate is there, unless that is known to be done.

        If it is no news, it may be on the queue already, and the journal cannot say so. Raises PublishFailed or
        JournalUnavailable.
        """
        if not is_news and self._alerts.was_sent(issued_id(renewal)):
            return renewal
        message = issued_message(renewal, new, self._to.account_id, replaced)
        try:
            return self._notify(renewal, self._to.queue, issued_id(renewal), message)
        except JournalNotAppendable:
            self._alerts.sent(issued_id(renewal), self._time.now())
            raise

    def alert_stalled(self, renewal: Renewal) -> Renewal:
        """Alert that a successor does not get on, unless that is done today.

        Raises PublishFailed or JournalUnavailable.
        """
        now = self._time.now()
        id_ = stalled_id(renewal, now)
        if id_ in renewal.notified:
            return renewal
        return self._notify(renewal, self._to.alert_queue, id_, stalled_message(renewal, now, self._to.account_id))

    def alert_failed(self, renewal: Renewal, shown: Renewable | None, deferred: int = 0) -> Renewal:
        """Alert that a renewal was refused or needs a decision, unless that is done; return it as it then is.

        `shown`: what CAS shows of it. `deferred`: how many others wait for the same thing. Never raises: the run fails
        for such a renewal anyway, and what could not be sent now is sent by the next run.
        """
        now = self._time.now()
        id_ = failed_id(renewal) if is_recordable(renewal) else unrecordable_id(renewal, now)
        if id_ in renewal.notified or not self._time.may_write():
            return renewal
        try:
            if is_recordable(renewal):
                message = failed_message(renewal, shown, now, self._to.account_id, deferred)
                return self._notify(renewal, self._to.alert_queue, id_, message)
            if not self._alerts.was_sent(id_):
                self._queue.send(self._to.alert_queue, failed_message(renewal, shown, now, self._to.account_id))
                self._log.info("told", order_id=renewal.id, message_id=id_, state=renewal.state.value)
                self._alerts.sent(id_, now)
        except (PublishFailed, JournalUnavailable) as failure:
            self._log.problem("not-told", order_id=renewal.id, message=str(failure))
        return renewal

    def notify_applied(self, renewal: Renewal) -> tuple[Line, Renewal]:
        """Notify that an application is in; return its line, and the renewal as it then is.

        As with a purchase, what could not be recorded (`trouble`) is sent all the same, and again once it is found.
        """
        try:
            message = applied_message(renewal, self._to.account_id)
            if renewal.trouble:
                self._queue.send(self._to.queue, message)
                self._log.info("told", order_id=renewal.id, message_id=applied_id(renewal), state=renewal.state.value)
                failed = Reason.JOURNAL_UNAVAILABLE
                return line_of(renewal, Outcome.APPLIED, failed, message_id=applied_id(renewal), failed=True), renewal
            renewal = self._notify(renewal, self._to.queue, applied_id(renewal), message)
        except PublishFailed as failure:
            self._log.problem("publish-failed", order_id=renewal.id, code=failure.code, message=failure.message)
            stops = failure.misconfigured
            return line_of(renewal, Outcome.APPLIED, failure.code, failed=True, stops_run=stops), renewal
        except JournalUnavailable as failure:
            # It will be sent once more, with the same id.
            self._log.problem("journal-unavailable", order_id=renewal.id, message=str(failure))
            return line_of(renewal, Outcome.APPLIED, failure.reason, failed=True), renewal
        return line_of(renewal, Outcome.APPLIED, message_id=applied_id(renewal)), renewal

    def alert_validation(self, renewal: Renewal, records: Records) -> Renewal:
        """Alert that somebody must add records, unless that is done. Raises PublishFailed or JournalUnavailable."""
        id_ = validation_id(renewal, records)
        if id_ in renewal.notified:
            return renewal
        message = validation_message(renewal, records, self._time.now(), self._to.account_id)
        return self._notify(renewal, self._to.alert_queue, id_, message)

    def notify_instance_issued(self, renewal: Renewal, new: Renewable, replaced: Replaced) -> Renewal:
        """Notify that the next certificate of an instance is there. Raises PublishFailed or JournalUnavailable."""
        message = instance_issued_message(renewal, new, self._to.account_id, replaced)
        return self._notify(renewal, self._to.queue, instance_issued_id(renewal), message)

    def alert_instance_stalled(self, renewal: Renewal, on: datetime, review: Callable[[], Review]) -> Renewal:
        """Alert that the next certificate of an instance does not come, unless that is done for the day `on`.

        `review` is asked only if there is something to send. Raises PublishFailed or JournalUnavailable.
        """
        id_ = instance_stalled_id(renewal, on)
        if id_ in renewal.notified:
            return renewal
        message = instance_stalled_message(renewal, review(), on, self._time.now(), self._to.account_id)
        return self._notify(renewal, self._to.alert_queue, id_, message)

    def alert_expiring(self, expiring: Expiring) -> None:
        """Alert that nothing will replace a certificate, and note that. Raises PublishFailed or JournalUnavailable."""
        now = self._time.now()
        self._queue.send(self._to.alert_queue, expiring_message(expiring, now, self._to.account_id))
        self._log.info("told", order_id=expiring.renewable.id, message_id=expiring.id, state="expiring")
        self._alerts.sent(expiring.noted_as, now)

    def tell_deployed(self, deployment: Deployment, at: datetime) -> None:
        """Notify that a certificate is deployed; whoever calls records that. Raises PublishFailed."""
        self._queue.send(self._to.queue, deployed_message(deployment, at, self._to.account_id))
        self._log.info("told", order_id=deployment.new.id, message_id=deployed_id(deployment.certificate_id))

    def alert_deploy_failed(self, deployment: Deployment, trouble: Trouble, at: datetime) -> None:
        """Alert that it is not; as `tell_deployed`. Raises PublishFailed."""
        self._queue.send(self._to.alert_queue, deploy_failed_message(deployment, trouble, at, self._to.account_id))
        message_id = deploy_failed_id(deployment.subject, trouble)
        self._log.info("told", order_id=deployment.new.id, message_id=message_id)

    def _notify(self, renewal: Renewal, queue: str, id_: str, message: str) -> Renewal:
        self._queue.send(queue, message)
        self._log.info("told", order_id=renewal.id, message_id=id_, state=renewal.state.value)
        try:
            return self._journal.record(renewal, Notified(id_), self._time.now())
        except JournalConflict:
            return renewal
