"""What can go wrong: an exception for each kind of failure that asks something else of the caller."""

from collections.abc import Sequence

from handler.outcomes import Reason


class SettingsError(ValueError):
    """Environment variables are missing or wrong. Lists all of them; nothing was called."""

    def __init__(self, problems: Sequence[str]) -> None:
        """`problems` has a line per variable: its name, its value, what is allowed."""
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


class EventRefused(ValueError):
    """The event cannot be understood or asks for something that is not allowed. Nothing was bought."""

    def __init__(self, where: str, what: str) -> None:
        """`where` is a path into the event such as `order_ids[1]`; `what` says what is wrong and what is allowed."""
        super().__init__(f"event refused at {where}: {what}")
        self.where = where


class CasError(Exception):
    """CAS did not do what it was asked. `code` is its error code, or a `Reason` or `ListFault` where it gave none."""

    def __init__(self, code: str, message: str, request_id: str | None = None) -> None:
        """`message` is for a person; it may hold what CAS said, which is redacted before it is shown."""
        super().__init__(f"CAS: {code}: {message}")
        self.code = code
        self.message = message
        self.request_id = request_id


class CasBusy(CasError):
    """Refused before anything happened; the same call may succeed later."""


class CasThrottled(CasBusy):
    """Refused because there were too many calls: the same call succeeds a little later."""

    retry_after: float | None = None
    """Seconds that CAS asks to wait, where it says so."""


class CasRefused(CasError):
    """Refused; the same call would be refused again until somebody changes something. Nothing was bought."""


class CasMisconfigured(CasError):
    """Refused for the credentials or permissions of the function: no other call can succeed either."""


class CasOutcomeUnknown(CasError):
    """The answer was lost or means nothing: the call may or may not have taken effect."""


class JournalConflict(Exception):
    """Somebody else appended at this position first."""


class JournalUnavailable(Exception):
    """The journal cannot be read or written. `reason` goes into the result."""

    reason: Reason = Reason.JOURNAL_UNAVAILABLE


class JournalUnreadable(JournalUnavailable):
    """The journal of one order holds what this version does not understand. The others are as good as ever."""

    reason = Reason.JOURNAL_UNREADABLE


class JournalNotAppendable(JournalUnreadable):
    """The journal of one order can be read, and no entry added: somebody restored it as an ordinary object."""

    reason = Reason.JOURNAL_NOT_APPENDABLE


class PublishFailed(Exception):
    """The message is not known to be on the queue."""

    def __init__(self, code: str, message: str, *, misconfigured: bool) -> None:
        """`misconfigured`: the queue, the credentials or the permissions are wrong, so no other message can be sent."""
        super().__init__(f"SMQ: {code}: {message}")
        self.code = code
        self.message = message
        self.misconfigured = misconfigured


class RunFailed(Exception):
    """Somebody must look. Its text is the result of the run as JSON, so that the platform shows, retries and alarms."""
