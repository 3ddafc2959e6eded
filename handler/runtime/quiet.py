"""Keeps the libraries from talking: only `handler.runtime.log` writes the log, and it redacts."""

import http.client
import logging


def silence_libraries() -> None:
    """Let nothing but this program write to the log, whatever the environment and the platform have set.

    With DEBUG=sdk in the environment the core of the CAS SDK logs the headers of each call, token included, and adds
    a handler of its own for it; urllib3 logs the URL of each call on the level DEBUG, and of each repetition on the
    level WARNING, with the CSR in its query. http.client prints headers if anybody has raised its debug level. The OSS
    and SMQ SDKs log only through these. No setting of one logger covers them all, and those that are yet to be made.
    """
    logging.disable(logging.CRITICAL)
    http.client.HTTPConnection.debuglevel = 0
