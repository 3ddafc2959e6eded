"""A Python of its own for a piece of code, for tests of what is imported and when."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any


def run_alone(code: str, *arguments: str, environ: dict[str, str] | None = None) -> Any:
    """Run some code in a fresh interpreter, which finds nothing of this project by itself; return its JSON."""
    command = [sys.executable, "-W", "ignore", "-I", "-c", code, *arguments]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
