"""Build the package and deploy it: `make deploy`.

Serverless Devs does the deploying (`s deploy`). Before that its `s preview` has to show what this program has read from
the same files, so that what was asked about, set up and checked is what gets deployed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any, cast

from deploy import deployment as files
from deploy.asking import agreed
from deploy.deployment import Deployment, read_deployment
from deploy.given import require_no_dry_run_here
from deploy.package import BUILT_FOR
from deploy.problem import Problem, warn
from deploy.reader import at_terminal
from deploy.runtimes import known
from deploy.summary import summary
from handler.errors import SettingsError
from handler.runtime.context import Context
from handler.runtime.settings import Settings, settings_from

INSTALL = "install Serverless Devs with `npm i -g @serverless-devs/s`, then `s config add`"
LOOK = "compare s.mine.yaml with s.mine.example.yaml"
CODE = "./dist/code"
MOST_BYTES = 4096
"""Of all environment variables of a function together, by the platform."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns 0, or 2 if nothing was deployed or `s deploy` failed."""
    parser = argparse.ArgumentParser(
        prog="make deploy", description="Build the package, preview and deploy it.", allow_abbrev=False
    )
    parser.add_argument("--yes", "-y", action="store_true", help="ask nothing, and let `s deploy` ask nothing")
    options = parser.parse_args(arguments)
    try:
        deployment = read_deployment()
        warn("deploy", deployment.warnings)
        deployment.require_choices()
        settings = checked_settings(deployment)
        require_room(deployment)
        if not settings.dry_run:
            require_no_dry_run_here(os.environ)
        program, make = shutil.which("s"), shutil.which("make")
        if program is None or make is None:
            raise Problem(f"there is no `{'make' if program else 's'}` on PATH", INSTALL)
        preview = [program, "preview", "-t", deployment.template]
        compare(deployment, previewed([*preview, "-o", "json"]))
        build = [make, "package", f"RUNTIME={deployment.runtime}"]
        if subprocess.run(build, cwd=files.ROOT, check=False).returncode:
            raise Problem("the package could not be built, and nothing was deployed", "see above what it says of it")
        require_package(deployment)
        sys.stdout.flush()
        subprocess.run(preview, cwd=files.ROOT, check=False)  # for the person
        print(summary(deployment, settings), flush=True)
        if not settings.dry_run and not agreed("Deploy it?", yes=options.yes):
            print("Nothing was deployed.", file=sys.stderr)
            return 2
        command = [program, "deploy", "-t", deployment.template, *(["-y"] if options.yes else [])]
        return 2 if subprocess.run(command, cwd=files.ROOT, check=False).returncode else 0
    except Problem as problem:
        print(f"deploy: {problem.line}", file=sys.stderr)
        return 2


def checked_settings(deployment: Deployment) -> Settings:
    """Return the settings as the function will read them. Raises Problem for what it would refuse there."""
    try:
        known(deployment.runtime)
    except ValueError as error:
        raise Problem(str(error), f"correct runtime in {deployment.template}") from None
    place = SimpleNamespace(region=deployment.region, account_id=deployment.account)
    try:
        return settings_from(deployment.environment, cast(Context, place))
    except SettingsError as error:
        raise Problem(str(error), f"correct environmentVariables in {deployment.template}") from None


def require_room(deployment: Deployment) -> None:
    """Raise Problem if the environment variables are more than the platform takes."""
    sizes = {name: len(f"{name}{value}".encode()) for name, value in deployment.environment.items()}
    if (size := sum(sizes.values())) > MOST_BYTES:
        longest = max(sizes, key=lambda name: sizes[name])
        said = f"environmentVariables come to {size} bytes, and the platform takes {MOST_BYTES}"
        raise Problem(said, f"shorten {longest}, which has {sizes[longest]} of them, in {deployment.template}")


def require_package(deployment: Deployment) -> None:
    """Raise Problem unless what was built is what would be deployed, and for the runtime that would run it."""
    if deployment.code != CODE:
        said = f"code in {deployment.template} is {deployment.code!r}, and what was built is {CODE!r}"
        raise Problem(said, "leave code as s.yaml has it")
    try:
        built = (files.ROOT / "dist" / BUILT_FOR).read_text("utf-8").strip()
    except OSError:
        built = "nothing"
    if built != deployment.runtime:
        said = f"the package in dist is for {built}, and runtime in {deployment.template} is {deployment.runtime}"
        raise Problem(said, f"look at what `make package RUNTIME={deployment.runtime}` says; nothing was deployed")


def previewed(command: Sequence[str]) -> Any:
    """Return what `s preview` shows, as a document. Raises Problem if it shows none."""
    result = subprocess.run(command, cwd=files.ROOT, capture_output=True, text=True, check=False)
    _, brace, text = result.stdout.partition("{\n")  # warnings come before, on the same stream
    try:
        document = json.loads(brace + text)
    except ValueError:
        document = None
    if result.returncode or document is None:
        print(result.stdout + result.stderr, file=sys.stderr)
        raise Problem("`s preview` does not understand the deployment", "see above what it says of it")
    return document


def compare(deployment: Deployment, shown: Any) -> None:
    """Raise Problem if Serverless Devs has read something else from the same files than this program."""
    props = _at(shown, "resources", "renewer", "props")
    environment = _at(props, "environmentVariables")
    pairs: Mapping[str, tuple[object, object]] = {
        "functionName": (deployment.function, props.get("functionName")),
        "region": (deployment.region, props.get("region")),
        "role": (f"acs:ram::{deployment.account}:role/{deployment.role}", props.get("role")),
        "runtime": (deployment.runtime, props.get("runtime")),
        **{name: (deployment.environment.get(name), environment.get(name)) for name in deployment.environment},
        **{name: (deployment.environment.get(name), environment[name]) for name in environment},
    }
    for name, (ours, theirs) in pairs.items():
        if ours != theirs:
            raise Problem(f"{name} is {theirs!r} for `s preview`, and {ours!r} as this program reads it", LOOK)


def _at(document: Any, *keys: str) -> dict[str, Any]:
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document if isinstance(document, dict) else {}


if __name__ == "__main__":
    sys.exit(at_terminal(main))
