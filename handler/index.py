"""The door: what Function Compute calls. It puts the services together, and is the only one that knows the cloud.

event (bytes) → triggers → command → run → result (str), or RunFailed
"""

import os
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from hashlib import sha256
from pathlib import Path

from handler.runtime.lean_imports import lean_imports

with lean_imports():  # leaves out what the SDKs import and the function never uses
    from handler.cloud.cas_certificates import CasCertificates
    from handler.cloud.cas_client import Cas, CasClient
    from handler.cloud.cas_deployments import CasDeployments
    from handler.cloud.cas_instances import CasInstances
    from handler.cloud.cas_orders import CasOrders
    from handler.cloud.credentials import Credentials, credentials_from
    from handler.cloud.edge_store import EdgeStore
    from handler.cloud.meter import Meter
    from handler.cloud.smq import Smq
    from handler.command import Check, Command
    from handler.deployment.served import Prober
    from handler.errors import EventRefused, RunFailed, SettingsError
    from handler.journal.folder_store import FileStore
    from handler.journal.store import Store
    from handler.outbox.queue import Queue
    from handler.probe.prober import TlsProber
    from handler.result import RunResult
    from handler.run.run import run
    from handler.run.self_check import check_line
    from handler.run.services import Identity, Services
    from handler.runtime.clock import Clock, SystemClock
    from handler.runtime.context import Context
    from handler.runtime.countdown import Countdown
    from handler.runtime.log import Log, printable
    from handler.runtime.quiet import silence_libraries
    from handler.runtime.settings import Settings, settings_from
    from handler.triggers.events import command_in


class Connections:
    """How the services are put together for one invocation.

    What has an effect outside of the journal is made in `cas` and in `queue` alone: whoever is to do less than the
    deployed function overrides these, and then nothing in the process could do more, whatever service comes to be.
    """

    def cas(self, endpoint: str, credentials: Credentials, time: Countdown, meter: Meter) -> Cas:
        """Return the client of CAS, one for all services, since so is the rate limit."""
        return CasClient(endpoint, credentials, time, meter)

    def queue(self, endpoint: str, credentials: Credentials, meter: Meter) -> AbstractContextManager[Queue]:
        """Return the queue, which is closed at the end."""
        return closing(Smq(endpoint, credentials, meter))

    def prober(self) -> Prober:
        """Return what asks deployed domains for their certificates; it sends nothing but a handshake."""
        return TlsProber()

    @contextmanager
    def opened(
        self, context: Context, settings: Settings, credentials: Credentials, log: Log, time: Countdown, meter: Meter
    ) -> Iterator[Services]:
        """Put the services together."""
        store = EdgeStore(_store(settings, context, credentials), credentials.redact, meter)
        cas = self.cas(settings.cas_endpoint, credentials, time, meter)
        with self.queue(settings.smq_endpoint, credentials, meter) as queue:
            yield Services(
                identity=Identity(context.request_id, str(context.account_id), context.region),
                settings=settings,
                time=time,
                log=log,
                orders=CasOrders(cas, time),
                instances=CasInstances(cas),
                certificates=CasCertificates(cas),
                deployments=CasDeployments(cas),
                prober=self.prober(),
                queue=queue,
                store=store,
            )


DEPLOYED = Connections()


def initialize(_context: Context) -> None:
    """Nothing to do: all that an instance can keep are the modules, and importing this one has loaded them."""


def handler(event: bytes, context: Context) -> str:
    """Handle one event: renew what it asks for and put every new order on the queue.

    Returns the result as JSON (see `RunResult.to_json`). Raises SettingsError or EventRefused before anything is
    bought, and RunFailed, whose text is the result, when somebody must look: only an uncaught exception makes
    the platform retry and alarm.
    """
    return invoke(event, context, os.environ, SystemClock())


def invoke(
    event: bytes,
    context: Context,
    environ: Mapping[str, str],
    clock: Clock,
    connections: Connections = DEPLOYED,
) -> str:
    """Handle one event in a given environment, at a given time; see `handler`."""
    started = clock.now()
    silence_libraries()
    credentials, wrong = _credentials(environ, context)
    log = Log(sys.stdout, clock, context.request_id, credentials.redact)
    try:
        settings = settings_from(environ, context)
    except SettingsError as error:
        wrong["settings"] = error
    if wrong:
        return _not_ready(event, context, wrong, log, credentials, clock)
    result = RunResult(context.request_id, "unknown", settings.dry_run)
    try:
        command = command_in(event, settings.expiry_events)
        meter, time = Meter(clock), Countdown(clock, started, int(context.function.timeout))
        with connections.opened(context, settings, credentials, log, time, meter) as services:
            identity = services.identity._replace(event=_known_by(event, command))
            run(command, services._replace(identity=identity), result)
        result.metrics["services"] = meter.to_dict()
    except EventRefused as refused:
        log.problem("event-refused", message=str(refused))
        refused.args = (_fit_to_leave(str(refused), credentials),)
        raise refused from None
    except Exception as bug:  # noqa: BLE001 (raised again below, as RunFailed, without what it may quote)
        log.problem("internal-error", traceback=traceback.format_exc())
        result.errors.append(f"internal error: {type(bug).__name__}: {bug}")
    return _concluded(result, log, credentials, clock)


def _credentials(environ: Mapping[str, str], context: Context) -> tuple[Credentials, dict[str, SettingsError]]:
    try:
        return credentials_from(environ, context), {}
    except SettingsError as error:
        return Credentials("", "", ""), {"credentials": error}


def _not_ready(
    event: bytes, context: Context, wrong: Mapping[str, SettingsError], log: Log, credentials: Credentials, clock: Clock
) -> str:
    """Answer a self-check with what is wrong; raise it as SettingsError for any other event."""
    problems = [problem for error in wrong.values() for problem in error.problems]
    log.problem("settings-wrong", problems=problems)
    if not _is_check(event):
        raise SettingsError([_fit_to_leave(problem, credentials) for problem in problems])
    checks = [check_line(name, str(error), ok=False) for name, error in wrong.items()]
    return _fit_to_leave(RunResult(context.request_id, "manual", checks=checks).to_json(clock.now()), credentials)


def _is_check(event: bytes) -> bool:
    try:
        return isinstance(command_in(event, ()).what, Check)
    except EventRefused:
        return False


def _known_by(event: bytes, command: Command) -> str:
    """Return by what a repetition is known: the platform repeats the very bytes, which have a time or an id in them."""
    return "" if command.trigger == "manual" else sha256(event).hexdigest()[:16]


def _store(settings: Settings, context: Context, credentials: Credentials) -> Store:
    if isinstance(settings.journal, Path):
        return FileStore(settings.journal)
    # Imported here: a journal in a folder has no use for the SDK.
    with lean_imports():
        from handler.cloud.oss_store import OssStore  # noqa: PLC0415

    return OssStore(settings.journal, settings.oss_endpoint, context.region, credentials)


def _concluded(result: RunResult, log: Log, credentials: Credentials, clock: Clock) -> str:
    now = clock.now()
    for line in result.lines.values():
        (log.problem if line.needs_attention else log.info)("order", **line.to_dict(now))
    for error in result.errors:
        log.problem("run-error", message=error)
    log.info("metrics", trigger=result.trigger, dry_run=result.dry_run, counts=result.counts(), **result.metrics)
    text = _fit_to_leave(result.to_json(now), credentials)
    if result.dry_run:
        log.info("dry-run", message="DRY RUN: nothing was bought and nothing was published")
    if result.needs_attention:
        raise RunFailed(text)
    return text


def _fit_to_leave(text: str, credentials: Credentials) -> str:
    """Return what the platform and the caller may see of a text, in characters that harm neither."""
    return credentials.redact(printable(text))
