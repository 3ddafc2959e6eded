"""Set up the account: `make setup`, or `make setup ARGS=--plan` to only look.

It says what is there and what it is about to do, and asks before it does it. It can be run any number of times: what is
there is not made again, and what is there and differs is shown, not repaired; see `plan`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from deploy.asking import agreed
from deploy.chain import credentials_in_force, silent_sdks
from deploy.deployment import read_deployment
from deploy.problem import Problem, warn
from deploy.reader import at_terminal
from deploy.setup import plan
from deploy.setup.found import Found
from deploy.setup.oss import Buckets
from deploy.setup.plan import Act, Item, acts_of
from deploy.setup.ram import Ram, identity
from deploy.setup.services import Endpoints
from deploy.setup.smq import Queues
from deploy.setup.wanted import Wanted, wanted_for


def main(arguments: Sequence[str] | None = None, endpoints: Endpoints | None = None) -> int:
    """Run the command; returns 0, 1 if something is left for a person, or 2 if it could not go on.

    `endpoints`: where the services are, if not in the region of the deployment.
    """
    parser = argparse.ArgumentParser(
        prog="make setup", description="Make role, policy, queues and bucket.", allow_abbrev=False
    )
    parser.add_argument("--plan", action="store_true", help="print what is there and what would be done; do nothing")
    parser.add_argument("--yes", action="store_true", help="do it without asking")
    options = parser.parse_args(arguments)
    redact: Callable[[str], str] = str
    try:
        deployment = read_deployment()
        warn("setup", deployment.warnings)
        deployment.require_choices()
        wanted = wanted_for(deployment)
        chain, credentials = credentials_in_force()
        redact = credentials.redact
        where = endpoints or Endpoints.of(wanted.region)
        ram, queues = Ram(where.ram, chain), Queues(where.smq, chain)
        account = Account(wanted, ram, queues, Buckets(where.oss, wanted.region, credentials))
        with silent_sdks():
            found = account.look(*identity(where.sts, chain))
            items = plan.plan(wanted, found)
            _show(found, wanted, items)
            return _carry_out(account, items, plan_only=options.plan, yes=options.yes)
    except Problem as problem:
        print(redact(problem.line), file=sys.stderr)
        return 2


class Account:
    """The services of the account, together."""

    def __init__(self, wanted: Wanted, ram: Ram, queues: Queues, buckets: Buckets) -> None:
        self._wanted = wanted
        self._ram = ram
        self._queues = queues
        self._buckets = buckets

    def look(self, account: str, caller: str) -> Found:
        """Read everything, before anything is decided. Raises Problem, above all for another account's credentials."""
        if account != self._wanted.account:
            raise Problem(
                f"these credentials are of account {account}, and s.mine.yaml says {self._wanted.account}",
                "use those of the other account, or correct s.mine.yaml; nothing was changed",
            )
        return Found(
            account=account,
            caller=caller,
            role=self._ram.role(self._wanted.role),
            policy=self._ram.policy(self._wanted.role),
            queues={name: self._queues.queue(name) for name in self._wanted.queues},
            bucket=self._buckets.bucket(self._wanted.bucket),
        )

    def do(self, act: Act) -> None:
        """Carry out one step. Raises Problem."""
        match act:
            case plan.CreateRole(name, trust):
                self._ram.create_role(name, trust)
            case plan.CreatePolicy(name, document):
                self._ram.create_policy(name, document)
            case plan.ReplacePolicy(name, document, seen):
                self._ram.replace_policy(name, document, seen)
            case plan.AttachPolicy(policy, role):
                self._ram.attach(policy, role)
            case plan.CreateQueue(name, seconds):
                self._queues.create(name, seconds)
            case plan.CreateBucket(name):
                self._buckets.create(name)
            case plan.EnableVersioning(name):
                self._buckets.enable_versioning(name)


def _show(found: Found, wanted: Wanted, items: Sequence[Item]) -> None:
    print(f"Account {found.account}, region {wanted.region}, as {found.caller}\n")
    for item in items:
        print(f"{_word(item):<8} {item.what}")
        for line in item.lines:
            print(f"           {line}")
        for line in item.left:
            print(f"  LOOK     {line}.")


def _word(item: Item) -> str:
    if not item.acts:
        return "is there"
    makes = isinstance(item.acts[0], plan.CreateRole | plan.CreatePolicy | plan.CreateQueue | plan.CreateBucket)
    return "make" if makes else "CHANGE"


def _carry_out(account: Account, items: Sequence[Item], *, plan_only: bool, yes: bool) -> int:
    acts = acts_of(items)
    left = any(item.left for item in items)
    if acts:
        print("\nTo do:")
        for act in acts:
            print(f"  {act}")
    print()
    if plan_only:
        print("Only looked: nothing was changed." if acts else "There is nothing to do.")
        return 0
    if acts and not agreed("Do all of this?", yes=yes):
        print("Nothing was changed.", file=sys.stderr)
        return 2
    for act in acts:
        account.do(act)
        print(f"Done: {act}", flush=True)
    if left:
        print("What LOOK says was left as it is: somebody must decide about it.")
        return 1
    print("Everything that the function needs is there.")
    return 0


if __name__ == "__main__":
    sys.exit(at_terminal(main))
