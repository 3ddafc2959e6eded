"""The cloud as a process of its own: `python -m tests.stubs --state DIR --print-environ`.

It serves on loopback HTTP, on the real clock, until its standard input closes. Then it keeps its state in DIR.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tests.stubs.clock import SystemClock
from tests.stubs.cloud import Cloud, serve
from tests.stubs.misbehaviour import RandomFaults, RateLimit
from tests.stubs.wire import NotStubbed


def main(arguments: list[str] | None = None) -> int:
    """Serve until standard input closes. Returns 1 if a client asked for something that the stubs lack."""
    options = _parser().parse_args(arguments)
    cloud = Cloud(SystemClock())
    if options.state:
        cloud.load(options.state)
    if options.cas_qps:
        cloud.cas.fault_sources.append(RateLimit(options.cas_qps))
    if options.misbehave:
        for name, backend in cloud.backends.items():
            backend.fault_sources.append(RandomFaults(f"{options.seed}-{name}"))
    try:
        with serve(cloud, latency_seconds=options.latency_ms / 1000):
            if options.print_environ:
                print(json.dumps(cloud.environ()), flush=True)
            sys.stdin.read()
    except NotStubbed as lack:
        print(f"not stubbed: {lack}", file=sys.stderr)
        return 1
    finally:
        if options.state:
            cloud.save(options.state)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.stubs", description=__doc__, allow_abbrev=False)
    parser.add_argument("--state", type=Path, help="folder to load the state from and to keep it in")
    parser.add_argument("--print-environ", action="store_true", help="print the function's environment, one JSON line")
    parser.add_argument("--misbehave", action="store_true", help="draw faults by chance, on every service")
    parser.add_argument("--seed", type=int, default=0, help="of --misbehave")
    parser.add_argument("--latency-ms", type=float, default=0, help="that each answer takes")
    parser.add_argument("--cas-qps", type=int, help="calls per second of one CAS action; what is above is throttled")
    return parser


if __name__ == "__main__":
    sys.exit(main())
