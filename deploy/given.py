"""What was given to `make` on its command line, and that the target has no use for: it would be ignored in silence.

    make run MAX_PER_RUN=1
    make invoke NAME=cas-certificate-renewer EVENT=events/timer.json DRY_RUN=true

The second would buy. The Makefile calls this before the target does anything, with the names that it does not know.
"""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Mapping, Sequence

from deploy.problem import Problem
from deploy.reader import at_terminal
from handler.runtime.variables import VARIABLES

SETTINGS = tuple(variable.name for variable in VARIABLES)
TAKES_SETTINGS = frozenset({"run", "look"})
"""Targets that hand their environment, in which make puts what it is given, to the function on this machine."""
TAKES = {
    "run": ("EVENT", "ARGS", *SETTINGS),
    "look": ("ARGS", *SETTINGS),
    "package": ("RUNTIME",),
    "policy": ("region", "account", "queue", "alert_queue", "bucket", "prefix", "deploy_to"),
    "setup": ("ARGS",),
    "deploy": ("ARGS",),
    "invoke": ("NAME", "EVENT", "ARGS"),
    "lock": ("UPGRADE",),
}
"""What each target takes; the Makefile says it of the first ones, too, and of PYTHON and VENV."""
IN_VARS = {"DRY_RUN": "dry_run", "RENEW_DOMAINS": "domains", "SMQ_QUEUE": "queue", "ALERT_QUEUE": "alert_queue"}
"""Settings that are chosen under `vars` in s.mine.yaml, and how they are called there."""
OF_OTHERS = re.compile(
    r"ALIBABA_CLOUD_\w+|(?i:(https?|no|all)_proxy)|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|(PYTHON|PYENV|PIP|UV)_?[A-Z_]+"
    r"|SHELL|HOME|PATH|TMPDIR|LANG|LC_[A-Z]+|TZ|DEBUG|BROWSER_BIN"
)
"""What is neither a setting nor for a target, and has its effect in the environment."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Say of the first name that it has no effect; returns 0 if there is none, else 2."""
    target, *names = sys.argv[1:] if arguments is None else arguments
    try:
        for name in names:
            require_effect(target, name)
    except Problem as problem:
        print(f"make {target}: {problem.line}", file=sys.stderr)
        return 2
    return 0


def chosen(setting: str) -> str:
    """Return how an operator chooses a setting of the deployed function."""
    if setting in IN_VARS:
        return f"choose {IN_VARS[setting]} under vars in s.mine.yaml"
    return f"put {setting} under environmentVariables in s.mine.yaml"


def require_no_dry_run_here(environ: Mapping[str, str]) -> None:
    """Raise Problem for a DRY_RUN in the environment of this machine: the deployed function never sees it."""
    if "DRY_RUN" in environ:
        said = f"DRY_RUN is {environ['DRY_RUN']!r} in the environment here, which the deployed function never sees"
        raise Problem(said, f"unset DRY_RUN, then {chosen('DRY_RUN')} and `make deploy`")


def require_effect(target: str, name: str) -> None:
    """Raise Problem for a name that a target does not take."""
    takes = TAKES[target]
    if name in takes or OF_OTHERS.fullmatch(name):
        return
    near = difflib.get_close_matches(name.upper(), [one.upper() for one in takes], 1, 0.65)
    meant = next((one for one in takes if near and one.upper() == near[0]), None)
    what = f"{name} has no effect here, and nothing was done"
    setting = difflib.get_close_matches(name.upper(), SETTINGS, 1, 0.65)
    if meant is not None:
        raise Problem(what, f"write {meant}=... if that is meant")
    if target == "invoke" and setting:
        raise Problem(
            f"{what}: the deployed function has its settings, and is sent the event alone",
            f"{chosen(setting[0])} and `make deploy`; for one dry run, send EVENT=events/manual-scan-dry-run.json",
        )
    if setting:
        raise Problem(what, chosen(setting[0]))
    also = " and the settings of the function, such as RENEW_DOMAINS" if target in TAKES_SETTINGS else ""
    own = ", ".join(one for one in takes if target not in TAKES_SETTINGS or one not in SETTINGS)
    raise Problem(what, f"give what make {target} takes: {own}{also}")


if __name__ == "__main__":
    sys.exit(at_terminal(main))
