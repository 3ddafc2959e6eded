"""Invoke the deployed function, and show what came of it: there a renewal costs money.

    make invoke NAME=cas-certificate-renewer EVENT=events/check.json
    make invoke NAME=SERVICE/FUNCTION EVENT=events/check.json

The first is for Function Compute 3.0, the second for 2.0. Before anything is sent it says whether the event can spend
money, and asks if it can. `make run` is the same on the local stand-in of the cloud, where nothing is asked.
"""

from __future__ import annotations

import argparse
import os
import sys
import textwrap
from collections.abc import Sequence

from deploy import fc2, fc3
from deploy.asking import agreed
from deploy.call import Call, Place
from deploy.chain import credentials_in_force, silent_sdks
from deploy.event import add_event, read_event
from deploy.given import require_no_dry_run_here
from deploy.problem import Problem
from deploy.reader import at_terminal
from deploy.reply import report
from deploy.spending import verdict
from handler.cloud.credentials import Credentials

MAX_CHARS = 400
"""Of what a server says."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns 0, 1 if the function failed, or 2 if it could not be invoked."""
    parser = command_line()
    options = parser.parse_args(arguments)
    call = Call(
        name=options.name,
        event=read_event(parser, options),
        asynchronous=options.asynchronous,
        qualifier=options.qualifier,
        seconds=options.timeout,
    )
    return run(call, Place(options.endpoint, options.region, options.account), yes=options.yes)


def command_line() -> argparse.ArgumentParser:
    """What `make invoke NAME=… EVENT=… ARGS=…` takes."""
    parser = argparse.ArgumentParser(
        prog="make invoke",
        usage="make invoke NAME=... EVENT=... [ARGS='--async --yes ...']",
        description="Call the deployed function with an event.",
        epilog="Credentials: the default chain of Alibaba Cloud.",
        allow_abbrev=False,
    )
    parser.add_argument("name", metavar="NAME", help="of the function; SERVICE/FUNCTION on Function Compute 2.0")
    add_event(parser)
    parser.add_argument("--async", action="store_true", dest="asynchronous", help="do not wait for the result")
    parser.add_argument("--qualifier", help="a version or an alias (default: LATEST)")
    parser.add_argument("--region", help="default: the one in s.mine.yaml")
    parser.add_argument("--account", help="the account's id; default: the one in s.mine.yaml")
    parser.add_argument("--endpoint", metavar="URL", help="instead of https://ACCOUNT.REGION.fc.aliyuncs.com")
    parser.add_argument("--yes", action="store_true", help="send an event that can spend money without asking")
    return parser


def run(call: Call, place: Place, *, yes: bool = False) -> int:
    """Invoke and print what came of it; returns 0, 1 if the function failed, or 2 if it was not invoked.

    `yes`: nobody is asked before an event is sent that can spend money.
    """
    credentials = Credentials("", "", "")
    try:
        call.require_names()
        url = place.url()
        print(f"{call.name} at {url}{', asynchronously' if call.asynchronous else ''}")
        can_spend, why = verdict(call.event)
        print(f"This event CAN SPEND MONEY: {why}." if can_spend else f"This event buys nothing: {why}.", flush=True)
        if can_spend:
            require_no_dry_run_here(os.environ)
        if can_spend and not agreed("Send it?", yes=yes):
            print("Nothing was sent.", file=sys.stderr)
            return 2
        chain, credentials = credentials_in_force()
        print(flush=True)
        with silent_sdks():
            reply = fc2.invoke(call, url, credentials) if "/" in call.name else fc3.invoke(call, url, chain)
    except Problem as problem:
        # What a server says of a wrong signature quotes what was signed, token included.
        what = textwrap.shorten(credentials.redact(str(problem)), MAX_CHARS, placeholder=" ...")
        print(f"{what}. To do: {problem.todo}.", file=sys.stderr)
        return 2
    if call.asynchronous:
        print(f"Accepted: request {reply.request_id}. The result will be in the function's log:")
        print(f"  s logs -t s.mine.yaml --request-id {reply.request_id}")
        return 0
    return report(reply, credentials.redact)


if __name__ == "__main__":
    sys.exit(at_terminal(main))
