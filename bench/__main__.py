"""Measure, compare with the targets, print and write: `python -m bench`.

Every figure is of fresh processes that talk to the stubs over loopback; the stubs run in a process of their own. The
three that are compared take turns, so that a busy moment of the machine meets all of them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from bench import folders
from bench.cloud import Account, CloudProcess, Report
from deploy import proof

CHILD = Path(__file__).with_name("child.py")
TIMER = json.dumps({"triggerTime": "2026-11-21T03:00:00Z", "triggerName": "daily", "payload": ""})
ORDERS, QPS, LATENCY_MS = 10_000, 10, 100
PAGES = 200
INSTANCES = UPLOADS = 5_000
PAGES_OF_ALL = PAGES + 50 + 200
"""Those of the orders, of the instances, and of the certificates, among which are those of both."""
SHORT_LATENCY_MS = 50
"""So short that the limit alone says how fast it can be: the stub takes some time for its long lists, too."""
RENEWALS = 200


class BenchError(Exception):
    """A measured process did not do what it was measured for."""


@dataclass(frozen=True)
class Run:
    """One process, from its start to its last line."""

    seconds: float
    cpu: float
    peak: int
    calls: int
    report: Report
    said: dict[str, Any]


@dataclass
class Table:
    """The figures: what `bench.json` holds."""

    about: dict[str, Any] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    targets: list[dict[str, Any]] = field(default_factory=list)

    def row(self, name: str, unit: str, **values: float | None) -> None:
        """Add a row of figures: for `floor`, `naive` and `ours`, as far as there is one."""
        self.rows.append({"name": name, "unit": unit, **values})

    def target(self, name: str, value: float, most: float, unit: str = "") -> None:
        """Add a target: at most that much."""
        self.targets.append({"name": name, "value": value, "at_most": most, "unit": unit, "met": value <= most})


class Bench:
    """The three that are compared, and the cloud that they talk to."""

    def __init__(self, work: Path, source: Path, cloud: CloudProcess) -> None:
        self.python = folders.find_python()
        self.ours = folders.ours(work, source)
        self.naive = folders.naive(work, self.python)
        self._cloud = cloud

    def function(self, code: folders.Package, account: Account, *what: str, **settings: str) -> Run:
        """Run a function once, in an account of its own."""
        return self._run(["function", str(code.folder), TIMER, *what], account, settings)

    def floor(self, account: Account, like: Run) -> Run:
        """Make the calls that a run made, and nothing else."""
        run = self._run(["floor", str(self.ours.folder), json.dumps(like.report.calls)], account, {})
        if run.report.calls != like.report.calls:
            raise BenchError(f"the floor made {run.report.calls}, not {like.report.calls}")
        return run

    def _run(self, arguments: Sequence[str], account: Account, settings: dict[str, str]) -> Run:
        environ = self._cloud.open(account) | settings
        # -B: who may write everywhere (root, in a container) must not write into a read-only folder either.
        command = [self.python, "-I", "-S", "-B", str(CHILD), *arguments]
        with tempfile.TemporaryFile("w+") as log:  # not a pipe, which nobody would empty
            started = time.perf_counter()
            with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=log, text=True) as process:
                assert process.stdout  # noqa: S101
                line = process.stdout.readline()
                seconds = time.perf_counter() - started
            if process.returncode:
                log.seek(0)
                raise BenchError(f"{' '.join(arguments)} failed:\n{log.read()}")
        report, said = self._cloud.report(), json.loads(line)
        return Run(seconds, said["cpu"], said["peak"], report.all_calls, report, said)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns 1 if a target is missed, unless it was only a first look."""
    parser = argparse.ArgumentParser(prog="make bench", description="Measure start and run times.", allow_abbrev=False)
    parser.add_argument("--quick", action="store_true", help="fewer runs: a first look, not a result")
    parser.add_argument("--source", type=Path, default=Path("handler"), help="the function's package")
    parser.add_argument("--output", type=Path, default=Path("bench.json"), help="where the figures go")
    options = parser.parse_args(arguments)
    runs, long_runs = (5, 1) if options.quick else (15, 3)
    work = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        with closing(CloudProcess()) as cloud:
            table = measure(Bench(work, options.source, cloud), runs, long_runs)
    finally:
        proof.set_writable(work, allowed=True)
        shutil.rmtree(work)
    options.output.write_text(json.dumps(vars(table), indent=1) + "\n", encoding="utf-8")
    show(table)
    print(f"\nwritten to {options.output}")
    return int(not options.quick and not all(target["met"] for target in table.targets))


def measure(bench: Bench, runs: int, long_runs: int) -> Table:
    """Measure everything."""
    table = Table()
    version = subprocess.run([bench.python, "-V"], capture_output=True, text=True, check=True).stdout.strip()
    table.about = {
        "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "python": version,
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
        "runs": runs,
        "long_runs": long_runs,
    }
    _cold(bench, runs, table)
    _sizes(bench, table)
    _dry_scan(bench, runs, table)
    _journal(bench, runs, table)
    _many_renewals(bench, long_runs, table)
    _large_account(bench, long_runs, table)
    if long_runs > 1:  # most of a minute a run, which a first look does not wait for
        _account_of_all_kinds(bench, long_runs, table)
    return table


def _cold(bench: Bench, runs: int, table: Table) -> None:
    account = Account(expiring=1)
    floor, naive, ours = _side_by_side(bench, account, runs)
    for run in (*naive, *ours):
        if (run.report.purchases, run.report.messages) != (1, 1):
            raise BenchError(f"one order was to be renewed and published, but: {run.said['result']}")
    seconds = _three(floor, naive, ours, lambda run: run.seconds)
    peak = _three(floor, naive, ours, lambda run: run.peak)
    table.row("cold start to one order renewed and published", "s", **seconds)
    table.row("peak RSS of that", "MB", **{name: value / 1e6 for name, value in peak.items()})
    table.row("processor time of that", "ms", **_three(floor, naive, ours, lambda run: run.cpu * 1000))
    table.row("HTTP calls of that", "", **_three(floor, naive, ours, lambda run: run.calls))
    table.target("cold renewal, of naive", seconds["ours"] / seconds["naive"], 0.45)
    table.target("cold renewal, of floor", seconds["ours"] / seconds["floor"], 2.0)
    table.target("peak RSS", peak["ours"] / 2**20, 64, "MiB")
    table.target("peak RSS, of naive", peak["ours"] / peak["naive"], 0.9)


def _sizes(bench: Bench, table: Table) -> None:
    naive, ours = bench.naive, bench.ours
    table.row("zip", "MB", naive=naive.zip_bytes / 1e6, ours=ours.zip_bytes / 1e6)
    table.row("folder", "MB", naive=naive.folder_bytes / 1e6, ours=ours.folder_bytes / 1e6)
    table.target("zip, of naive", ours.zip_bytes / naive.zip_bytes, 0.5)


def _dry_scan(bench: Bench, runs: int, table: Table) -> None:
    floor, naive, ours = _side_by_side(bench, Account(), runs, DRY_RUN="true")
    table.row("dry scan, nothing expiring", "s", **_three(floor, naive, ours, lambda run: run.seconds))
    table.row("HTTP calls of that", "", **_three(floor, naive, ours, lambda run: run.calls))


def _journal(bench: Bench, runs: int, table: Table) -> None:
    watched = [bench.function(bench.ours, Account(expiring=1), "journal") for _ in range(runs)]
    calls, of_all = _median(watched, lambda run: run.report.calls["oss"]), _median(watched, lambda run: run.calls)
    table.row("the journal in that renewal: HTTP calls, of all", "%", ours=100 * calls / of_all)
    in_calls = _median(watched, lambda run: run.said["journal_calls"] / run.seconds)
    table.row("the journal in that renewal: waiting for its calls", "% of time", ours=100 * in_calls)
    loading = _median(watched, lambda run: run.said["journal_import"] / run.seconds)
    table.row("the journal in that renewal: loading its SDK", "% of time", ours=100 * loading)


def _many_renewals(bench: Bench, runs: int, table: Table) -> None:
    account, most = Account(orders=RENEWALS + 40, expiring=RENEWALS), str(1000)
    fuses = {"MAX_RENEWALS_PER_RUN": most, "MAX_RENEWALS_PER_DAY": most}
    real, dry = [], []
    for _ in range(runs):
        dry.append(bench.function(bench.ours, account, DRY_RUN="true", **fuses))
        real.append(bench.function(bench.ours, account, **fuses))
    for run in real:
        if (run.report.purchases, run.report.messages) != (RENEWALS, RENEWALS):
            raise BenchError(f"{RENEWALS} orders were to be renewed, but: {run.report}")
    calls = (_median(real, lambda run: run.calls) - _median(dry, lambda run: run.calls)) / RENEWALS
    cpu = (_median(real, lambda run: run.cpu) - _median(dry, lambda run: run.cpu)) / RENEWALS
    table.row(f"{RENEWALS} renewals in one run", "s", ours=_median(real, lambda run: run.seconds))
    table.row("peak RSS of that", "MB", ours=_median(real, lambda run: run.peak) / 1e6)
    table.row("processor time of a renewal, beyond the scan", "ms", ours=cpu * 1000)
    table.row("HTTP calls of a renewal, beyond the scan", "", ours=calls)
    table.target("HTTP calls of a renewal, beyond the scan", calls, 6)


def _large_account(bench: Bench, runs: int, table: Table) -> None:
    account = Account(orders=ORDERS, latency_ms=LATENCY_MS, qps=QPS)
    # The orders alone: their certificates would be read, too, and that is measured with all kinds.
    scans = [bench.function(bench.ours, account, DRY_RUN="true", WATCH="orders") for _ in range(runs)]
    for run in scans:
        if run.report.calls["cas"] < PAGES:
            raise BenchError(f"{PAGES} pages were to be read, but: {run.report}")
    seconds, allowed = _median(scans, lambda run: run.seconds), PAGES / QPS
    table.row(f"scan of {ORDERS} orders, {PAGES} pages, {LATENCY_MS} ms an answer", "s", ours=seconds)
    table.row(f"what {QPS} calls a second allow for that", "s", floor=allowed)
    table.row("peak RSS of that", "MB", ours=_median(scans, lambda run: run.peak) / 1e6)
    table.target(f"scan of {ORDERS} orders, of what the rate limit allows", seconds / allowed, 1.15)


def _account_of_all_kinds(bench: Bench, runs: int, table: Table) -> None:
    account = Account(orders=ORDERS, instances=INSTANCES, uploads=UPLOADS, latency_ms=SHORT_LATENCY_MS, qps=QPS)
    scans = [bench.function(bench.ours, account, "own") for _ in range(runs)]
    for run in scans:
        if run.report.calls["cas"] < PAGES_OF_ALL or run.report.messages:
            raise BenchError(f"{PAGES_OF_ALL} pages were to be read, and nothing told, but: {run.report}")
    seconds, allowed = _median(scans, lambda run: run.seconds), PAGES_OF_ALL / QPS
    own = _median(scans, lambda run: run.cpu - run.said["start_cpu"] - run.said["sdk_cpu"])
    peak = _median(scans, lambda run: run.peak)
    calls = _median(scans, lambda run: run.report.calls["cas"])
    table.row(f"all kinds: {ORDERS} orders, {INSTANCES} instances, {UPLOADS} uploads", "s", ours=seconds)
    table.row(f"what {QPS} calls a second allow for their {PAGES_OF_ALL} pages", "s", floor=allowed)
    table.row("HTTP calls of CAS of that", "", ours=calls)
    table.row("peak RSS of that", "MB", ours=peak / 1e6)
    table.row("processor time of that", "s", ours=_median(scans, lambda run: run.cpu))
    table.row("processor time of that, in the function's own code", "s", ours=own)
    table.target("all kinds, of what the rate limit allows", seconds / allowed, 1.15)
    table.target("all kinds: calls, of the pages there are", calls / PAGES_OF_ALL, 1.01)
    table.target("all kinds: peak RSS", peak / 2**20, 128, "MiB")
    table.target("all kinds: processor time of the function's own code", own, 3, "s")


def _side_by_side(bench: Bench, account: Account, runs: int, **settings: str) -> tuple[list[Run], list[Run], list[Run]]:
    floor, naive, ours = [], [], []
    for _ in range(runs):
        ours.append(bench.function(bench.ours, account, **settings))
        floor.append(bench.floor(account, ours[-1]))
        naive.append(bench.function(bench.naive, account, **settings))
    return floor, naive, ours


def _three(
    floor: Sequence[Run], naive: Sequence[Run], ours: Sequence[Run], figure: Callable[[Run], float]
) -> dict[str, float]:
    return {"floor": _median(floor, figure), "naive": _median(naive, figure), "ours": _median(ours, figure)}


def _median(runs: Sequence[Run], figure: Callable[[Run], float]) -> float:
    return statistics.median(map(figure, runs))


def show(table: Table) -> None:
    """Print the figures and the targets."""
    print(", ".join(f"{name}: {value}" for name, value in table.about.items()))
    print(f"\n{'':<58}{'floor':>9}{'naive':>9}{'ours':>9}")
    for row in table.rows:
        cells = "".join(f"{_cell(row.get(name)):>9}" for name in ("floor", "naive", "ours"))
        print(f"{row['name']:<58}{cells}  {row['unit']}".rstrip())
    print(f"\n{'target':<58}{'at most':>9}{'is':>9}")
    for target in table.targets:
        met = "met" if target["met"] else "MISSED"
        print(f"{target['name']:<58}{_cell(target['at_most']):>9}{_cell(target['value']):>9}  {target['unit']:<4}{met}")


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}" if value < 100 else f"{value:.0f}"  # noqa: PLR2004


if __name__ == "__main__":
    sys.exit(main())
