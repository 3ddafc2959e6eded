"""The real handler on the real account, as a dry run of a scan: what it would do, shown for a person."""

import contextlib
import json
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from deploy.reader import reader_may_leave
from deploy.table import show
from handler import index
from handler.errors import RunFailed
from handler.outcomes import Outcome
from handler.runtime.clock import Clock
from look.account import CHINA, INTERNATIONAL, Account, said_of, todo
from look.read_only import ReadOnly

SCAN = b'{"scan": true}'
REPORTS = ("report.html", "report.json")


def journal_in(folder: Path) -> Path:
    """Return where the journal of a look is: its own, since only the deployed function's own tells what it bought."""
    return folder / "journal"


def look(account: Account, about: Iterable[str], folder: Path, clock: Clock) -> bool:
    """Run the handler and print what came of it; the report and the log go into `folder`.

    `about`: whose account it is and where the settings are from, in sentences. Returns whether all that is watched
    could be looked at.
    """
    _begin_anew(folder)
    with reader_may_leave():
        print(f"Looking at {account.settings.cas_endpoint}; from here nothing can be bought or sent.")
        print(*about, "", sep="\n")
    result = _scanned(account, folder, clock)
    errors = said_of(result.get("errors", ()))
    if errors and not result["orders"] and not (folder / REPORTS[0]).exists():
        # The run broke off before it had read what it is about: a table of nothing would say that nothing is due.
        with reader_may_leave():
            print(f"Could not look at anything: {errors}.")
            print(f"The handler's log: {_shown(folder / 'handler.log')}")
        print(todo(), file=sys.stderr)
        return False
    with reader_may_leave():
        show(json.dumps(result))
        for line in (*_foresight(result), *_what_it_means(account, result), *_where(folder)):
            print(line)
    if errors:
        print(f"Could not look at everything: {errors}. {todo()}", file=sys.stderr)
    return not errors


def _begin_anew(folder: Path) -> None:
    """Remove what an earlier look left: it may have been of another account, and must not pass for today's."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(journal_in(folder), ignore_errors=True)
    for name in (*REPORTS, "handler.log"):
        (folder / name).unlink(missing_ok=True)


def _scanned(account: Account, folder: Path, clock: Clock) -> dict[str, Any]:
    with (folder / "handler.log").open("w", encoding="utf-8") as log, contextlib.redirect_stdout(log):
        try:
            text = index.invoke(SCAN, account.context, account.environ, clock, ReadOnly())
        except RunFailed as failed:
            text = str(failed)
    for name in REPORTS:
        with contextlib.suppress(FileNotFoundError):
            (journal_in(folder) / name).replace(folder / name)
    result: dict[str, Any] = json.loads(text)
    return result


def _foresight(result: dict[str, Any]) -> Iterator[str]:
    """Yield how many would be renewed in which run, if any."""
    bought = [line for line in result["orders"] if line["outcome"] == Outcome.WOULD_RENEW]
    runs = Counter(line["in_run"] for line in bought if line.get("in_run") is not None)
    if runs:
        listed = ", ".join(f"{count} in run {run}" for run, count in sorted(runs.items()))
        yield f"\nWould be renewed, at a run a day: {listed}. Each is a purchase."


def _what_it_means(account: Account, result: dict[str, Any]) -> Iterator[str]:
    given = f" ({', '.join(account.overlaid)} from the environment)" if account.overlaid else ""
    yield f"\nUnder these settings{given}; to try another: make look NAME=VALUE\n  {account.shown_settings()}"
    if not result["orders"] and not result.get("errors"):
        host = urlsplit(account.settings.cas_endpoint).hostname
        other = {CHINA: INTERNATIONAL, INTERNATIONAL: CHINA}.get(host or "")
        also = f" An account of the other site: make look CAS_ENDPOINT={other}" if other else ""
        yield f"\nNothing ends within the window, or the account has nothing at {host}.{also}"


def _where(folder: Path) -> Iterator[str]:
    report = folder / "report.html"
    if report.exists():
        yield f"\nThe report, to be opened in a browser: {report.absolute().as_uri()}"
    yield f"The handler's log: {_shown(folder / 'handler.log')}"
    yield "\nWhat this account tells that the documentation leaves open, without names and ids: make look ARGS=--facts"


def _shown(path: Path) -> str:
    absolute, here = path.absolute(), Path.cwd()
    return str(absolute.relative_to(here) if absolute.is_relative_to(here) else absolute)
