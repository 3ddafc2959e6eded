"""Invoke the deployed function, and show what came of it: there a renewal costs money.

    python -m deploy.invoke NAME events/check.json
    python -m deploy.invoke SERVICE/FUNCTION events/check.json

The first is for Function Compute 3.0, the second for 2.0. `python -m tests.invoke` is the same on the local stand-in of
the cloud.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import sys
import textwrap
from collections.abc import Iterator, Sequence

from alibabacloud_credentials.client import Client as CredentialsChain
from alibabacloud_credentials.exceptions import CredentialException

from deploy import fc2, fc3
from deploy.call import Call, Place, check_name
from deploy.event import add_event, read_event
from deploy.not_invoked import NotInvoked
from deploy.reply import report
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
    return run(call, Place(options.endpoint, options.region, options.account))


def command_line() -> argparse.ArgumentParser:
    """What `python -m deploy.invoke` takes."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.invoke",
        description="Call the deployed function with an event.",
        epilog="Credentials: the default chain of Alibaba Cloud.",
    )
    parser.add_argument("name", metavar="NAME", help="of the function; SERVICE/FUNCTION on Function Compute 2.0")
    add_event(parser)
    parser.add_argument("--async", action="store_true", dest="asynchronous", help="do not wait for the result")
    parser.add_argument("--qualifier", help="a version or an alias (default: LATEST)")
    parser.add_argument("--region", help="default: ALIBABA_CLOUD_REGION_ID, else vars in s.yaml")
    parser.add_argument("--account", help="the account's id; default: ALIBABA_CLOUD_ACCOUNT_ID, else vars in s.yaml")
    parser.add_argument("--endpoint", metavar="URL", help="instead of https://ACCOUNT.REGION.fc.aliyuncs.com")
    return parser


def run(call: Call, place: Place) -> int:
    """Invoke and print what came of it; returns 0, 1 if the function failed, or 2 if it could not be invoked."""
    credentials = Credentials("", "", "")
    try:
        url = place.url()
        chain = CredentialsChain()
        credentials = _credentials(chain)
        check_name(call.qualifier or "LATEST", r"[\w-]+", "--qualifier NAME")
        print(f"{call.name} at {url}{', asynchronously' if call.asynchronous else ''}\n", flush=True)
        with _silent_sdks():
            reply = fc2.invoke(call, url, credentials) if "/" in call.name else fc3.invoke(call, url, chain)
    except NotInvoked as problem:
        # What a server says of a wrong signature quotes what was signed, token included.
        what = textwrap.shorten(credentials.redact(str(problem)), MAX_CHARS, placeholder=" ...")
        print(f"{what}. To do: {problem.todo}.", file=sys.stderr)
        return 2
    if call.asynchronous:
        print(f"Accepted: request {reply.request_id}. The result will be in the function's log:")
        print(f"  s logs --request-id {reply.request_id}")
        return 0
    return report(reply, credentials.redact)


def _credentials(chain: CredentialsChain) -> Credentials:
    try:
        found = chain.get_credential()
    except CredentialException:
        raise NotInvoked(
            "no credentials were found in the environment, the configuration of the aliyun CLI or anywhere else",
            "run `aliyun configure`, or set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET",
        ) from None
    return Credentials(found.access_key_id, found.access_key_secret, found.security_token or "")


@contextlib.contextmanager
def _silent_sdks() -> Iterator[None]:
    """Let no library log: fc2 logs the headers of a failed request, the others do if DEBUG=sdk; a token is in them."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


if __name__ == "__main__":
    sys.exit(main())
