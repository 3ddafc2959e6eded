"""How a line of the result can come out, and why: each word once.

The words are a contract with whoever reads results, logs, messages and the report: they are added to, never changed.
"""

from enum import Enum


class Word(str, Enum):
    """A word of the contract: equal to its text, hashed like it, and shown as it."""

    __hash__ = str.__hash__

    def __str__(self) -> str:
        """Return the word itself, on every version of Python."""
        return str(self.value)


class Outcome(Word):
    """How one thing came out of a run."""

    RENEWED = "renewed"
    """Purchased by this run, or purchased by an earlier one and published by this one."""
    ALREADY_RENEWED = "already-renewed"
    """Purchased and published earlier; done for ever."""
    APPLIED = "applied"
    """An application for the next certificate of an instance is in, made by this run or an earlier one; the reason says
    what is in its way, if anything is."""
    WOULD_APPLY = "would-apply"
    """Dry run: it would be applied for."""
    WOULD_RENEW = "would-renew"
    """Dry run: it would be purchased."""
    SKIPPED = "skipped"
    """Not to be renewed; the reason says why."""
    DEFERRED = "deferred"
    """Not now; a later run takes it up."""
    REFUSED = "refused"
    """CAS said no, nothing was purchased."""
    UNKNOWN = "unknown"
    """The answer was lost: it may have been purchased. A later run settles it."""
    HELD = "held"
    """It needs a decision: only a person can say whether it was purchased."""
    EXPIRING = "expiring"
    """Watched: it ends soon, or has ended, and nothing will replace it; the reason says why."""


DONE = frozenset({Outcome.RENEWED, Outcome.APPLIED})
"""Outcomes of which a message speaks."""
FAILURES = frozenset({Outcome.REFUSED, Outcome.UNKNOWN, Outcome.HELD})
"""Outcomes after which somebody must be notified."""


class Placed(Word):
    """How far an issued certificate is on its way into the place of the one that it replaces."""

    NOT_DEPLOYED = "not-deployed"
    """The function does not deploy it: no `DEPLOY_TO`, or the reason says why."""
    WOULD_DEPLOY = "would-deploy"
    """Dry run: it would be deployed to these resources."""
    DEPLOYING = "deploying"
    """Its job is about to be made, or under way; the reason says what it waits for."""
    DEPLOYED = "deployed"
    """CAS says that every resource in `DEPLOY_TO` has it."""
    DEPLOY_FAILED = "deploy-failed"
    """It is not on every resource, or not what is served; the reason says why."""


class Reason(Word):
    """Why; where the service itself gave an error code, that code stands in the place of a reason."""

    # Skipped: what the policy says.
    ROW_UNREADABLE = "row-unreadable"
    """CAS shows something that makes no sense, such as a text for a date, or a row without an id."""
    DOMAIN_UNKNOWN = "domain-unknown"
    """CAS shows no domain, or something that is none, so no list of domains can speak of it."""
    DOMAIN_NOT_ALLOWED = "domain-not-allowed"
    """`RENEW_DOMAINS` or `RENEW_DOMAINS_EXCEPT` forbids the domain."""
    UPLOADED = "uploaded"
    """The certificate was bought elsewhere and uploaded."""
    FREE_CERTIFICATE = "free-certificate"
    """CAS renews no free or test certificates."""
    MULTI_DOMAIN = "multi-domain"
    """CAS renews no multi-domain or hybrid-domain certificates."""
    HOSTED = "hosted"
    """The platform renews it by itself."""
    EXPIRED = "expired"
    """An expired certificate cannot be renewed; for that of an instance it is too late once it ended 30 days ago."""
    NOT_EXPIRING = "not-expiring"
    """Its status is not in `RENEW_STATUSES`, or nothing tells how long the certificate lasts."""
    OUTSIDE_WINDOW = "outside-window"
    """It ends later than `RENEW_WITHIN_DAYS` from now, or has not reached half of its lifetime."""
    SUPERSEDED = "superseded"
    """A newer order for the same product and domain already stands in for it."""
    COVERED = "covered"
    """The certificate of a V2 instance has exactly its names, and for longer."""
    NOT_FOUND = "not-found"
    """CAS shows nothing for what the event named."""
    RELEASED = "released"
    """The answer to a `release` event."""

    # Of instances and certificates: why nothing replaces them, or who does.
    TEST_INSTANCE = "test-instance"
    """A free instance gets no second certificate."""
    NO_CERTIFICATE = "no-certificate"
    """Nobody has ever applied with the instance."""
    REVOKED = "revoked"
    """Its newest certificate was revoked."""
    CLOSED = "closed"
    """The instance's subscription has expired, or was refunded or closed."""
    IN_REVIEW = "in-review"
    """Somebody has applied for the next certificate."""
    SUBSCRIPTION_ENDS = "subscription-ends"
    """The instance's subscription ends with its certificate: that needs a person, and money."""
    NOT_DV = "not-dv"
    """An OV or EV certificate: persons validate the organisation."""
    UPGRADING = "upgrading"
    """An upgrade of the instance is paid for and not carried out."""
    OWN_CSR = "own-csr"
    """The instance's key is somebody's own, and so is the request."""
    NEEDS_DATA = "needs-data"
    """The instance lacks a contact, a domain or a way to validate it."""
    WATCHED = "watched"
    """The function only watches instances (`INSTANCES=watch`)."""
    NAMES_CHANGED = "names-changed"
    """Its instance, or the order that renews its order, has a newer certificate, and that is for other names; or its
    instance is configured for other names, so that the next certificate would not replace it."""
    UNKNOWN_ORIGIN = "unknown-origin"
    """CAS shows neither an order nor an instance behind the certificate."""

    # Of deployments: why a certificate does not take the place of another, or not yet.
    CERTIFICATE_NOT_FOUND = "certificate-not-found"
    """CAS shows no certificate in force for the old order, or for the new one."""
    SEVERAL_CERTIFICATES = "several-certificates"
    """CAS shows more than one certificate in force for the old order, or for the new one."""
    ENDS_NO_LATER = "ends-no-later"
    """The new certificate ends no later than the one that it would replace."""
    NO_CONTACT = "no-contact"
    """The account has no contact, and a deployment job must have one."""
    DEPLOYING = "deploying"
    """The deployment job is under way."""
    NO_JOB_ID = "no-job-id"
    """CAS accepted the deployment job and named none."""
    FOREIGN_JOB = "foreign-job"
    """Somebody else's job has the name of the function's, and would do something else."""
    RESOURCE_REBOUND = "resource-rebound"
    """A resource of the job, which waits, is no longer bound to the old certificate."""
    JOB_GONE = "job-gone"
    """CAS no longer knows the job."""
    JOB_STOPPED = "job-stopped"
    """The job was started, and waits again: somebody has put it back."""
    JOB_TOO_SLOW = "job-too-slow"
    """The job has not ended within a day."""
    RESOURCES_LEFT = "resources-left"
    """The job has ended, and some resources have not got the new certificate."""
    OLD_ONE_SERVED = "old-one-served"
    """The job ended well, and after three days a domain still serves the old certificate."""
    STILL_BOUND = "still-bound"
    """The old certificate ends soon, and is bound somewhere all the same."""

    # Applied for, and something is in the way.
    NEEDS_RECORDS = "needs-records"
    """The authority waits for records that somebody must add."""
    SUBMISSION_FAILED = "submission-failed"
    """CAS says that the application was not submitted."""
    AUTHORITY_SAYS = "authority-says"
    """The authority has said something of the application, such as that it is turned down."""
    REVIEW_TOO_LONG = "review-too-long"
    """The application has been in review for more than a day."""
    NOT_ISSUED = "not-issued"
    """The application is no longer in review, and there is no new certificate: it was turned down or withdrawn."""

    # Deferred: a later run takes it up.
    RUN_LIMIT = "run-limit"
    """`MAX_RENEWALS_PER_RUN` is reached."""
    DAY_LIMIT = "day-limit"
    """`MAX_RENEWALS_PER_DAY` is reached."""
    RUN_STOPPED = "run-stopped"
    """An earlier line of the run showed that nothing can succeed, or the list could not be read again."""
    LIST_TOO_SLOW = "list-too-slow"
    """Reading the list takes longer than `SETTLE_SECONDS`."""
    LIST_INCOMPLETE = "list-incomplete"
    """A lost answer, and the list lacks what must be there."""
    NO_TIME_LEFT = "no-time-left"
    """It could not have been finished before the function's timeout."""
    IN_PROGRESS = "in-progress"
    """Another run has claimed it."""
    SETTLING = "settling"
    """A lost answer that is too fresh, or another order for the same product and domain waits for one."""
    NOTHING_BOUGHT = "nothing-bought"
    """A lost answer was settled: nothing was purchased, and this run does not purchase it either."""
    NOT_PUBLISHED = "not-published"
    """Dry run: a message waits to be sent."""
    JOURNAL_UNAVAILABLE = "journal-unavailable"
    """The journal cannot be read or written."""

    # Refused, unknown or renewed, where the service gave no code of its own.
    NO_CONNECTION = "no-connection"
    """CAS could not be reached; nothing was sent."""
    NO_ANSWER = "no-answer"
    """The connection broke off."""
    MESSAGE_TOO_LARGE = "message-too-large"
    """The message is above the limit of SMQ and was not sent."""
    NO_CODE = "no-code"
    """CAS answered with an error that has no code."""
    NO_ORDER_ID = "no-order-id"
    """CAS accepted the renewal and named no new order."""
    ANSWER_NAMES_OLD_ORDER = "answer-names-old-order"
    """CAS accepted the renewal and named the very order that was to be renewed."""

    # Held: it needs a decision.
    JOURNAL_UNREADABLE = "journal-unreadable"
    """The journal holds what the function does not understand."""
    JOURNAL_NOT_APPENDABLE = "journal-not-appendable"
    """The journal can be read, and no entry added."""
    SEVERAL_CANDIDATES = "several-candidates"
    """Several new orders could be the successor."""
    SHARED_CANDIDATES = "shared-candidates"
    """A new order could be the successor of this one or of another held one."""
    UNEXPLAINED_ORDERS = "unexplained-orders"
    """No new order fits, but there are new ones that are nobody's successor."""
    PICTURE_LOST = "picture-lost"
    """The note with what existed before the call is gone."""
    CLAIM_FROM_THE_FUTURE = "claim-from-the-future"
    """The run that claimed it has an end more than a day ahead: a clock was far wrong."""
    ANSWERS_LOST = "answers-lost"
    """Three attempts ended without an answer and without a trace."""


class ListFault(Word):
    """Why an answer to a reading call is none: it makes a text in `errors`, never the reason of a line."""

    LIST_CHANGING = "list-changing"
    """The list changed in every reading."""
    LIST_NOT_PAGED = "list-not-paged"
    """A page came twice, and the total says that there is more."""
    NO_LIST = "no-list"
    """An answer without a list or a total."""
    EMPTY_ANSWER = "empty-answer"
    """An answer without a body."""
