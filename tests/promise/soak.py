"""The demonstration at length: random histories, and real processes that are killed.

    python -m tests.promise.soak --minutes 10 [--seed 7]

The seed is printed; the same seed makes the same histories. The processes of every other seed keep their journal in a
folder. At least 50 are killed, however short the time, unless told otherwise.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import secrets
import sys
import time
from collections.abc import Sequence

from tests.promise import deploying_scenes
from tests.promise.deploying_points import every_point
from tests.promise.killing import kill_and_recover
from tests.promise.mutants import histories

BATCH, DEPLOYMENTS = 100, 40
"""So many histories, of renewals and applications and of deployments, make a batch."""
SMALL_BATCH, FEW_DEPLOYMENTS = 30, 4
"""That of no minutes, which shows that the command works: as many as the tests have run before."""
KILLS_AT_LEAST = 50


def main(arguments: Sequence[str] | None = None) -> int:
    """Run for as long as told; an exception is a broken promise, and says which seed broke it."""
    parser = argparse.ArgumentParser(prog="make soak", allow_abbrev=False)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--kills", type=int, default=KILLS_AT_LEAST, help="processes to kill at least")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    options = parser.parse_args(arguments)
    end = time.monotonic() + options.minutes * 60
    print(f"seed {options.seed}", flush=True)
    number, examined, killed = options.seed, 0, 0
    batch, deployments = (BATCH, DEPLOYMENTS) if options.minutes else (SMALL_BATCH, FEW_DEPLOYMENTS)
    if options.minutes:
        with contextlib.redirect_stdout(io.StringIO()):
            every_point()
    while killed < options.kills or time.monotonic() < end:
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                histories(batch, number)
                deploying_scenes.histories(deployments, number)
            killed += kill_and_recover(number, journal="file" if number % 2 else "oss")
        except BaseException:
            print(f"broken by seed {number}", flush=True)
            raise
        examined += batch + deployments
        number += 1
        print(f"{examined} histories, {killed} processes killed: every promise held", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
