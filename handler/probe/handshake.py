"""One TLS handshake, as far as the server's certificate, within a time that holds whatever the server does."""

import socket
import ssl
import time
from collections.abc import Callable

_CHUNK = 16 * 1024


class Deadline:
    """A moment after which nothing is waited for. Real time, since sockets know no other."""

    def __init__(self, seconds: float) -> None:
        """`seconds` from now."""
        self._at = time.monotonic() + seconds

    def left(self) -> float:
        """Return how many seconds are left. Raises TimeoutError if none are."""
        left = self._at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def share(self, parts: int) -> "Deadline":
        """Return the end of the first of so many equal parts of what is left. Raises TimeoutError if nothing is."""
        return Deadline(self.left() / parts)


def served_certificate(address: str, port: int, name: str, deadline: Deadline) -> bytes:
    """Return the certificate (DER) that the server at an address serves under a name; nothing is verified.

    Raises OSError, of which TimeoutError and ssl.SSLError are two, or ValueError if there is none to be had: so it is
    with a server that speaks nothing newer than TLS 1.1, as no browser does either, and with one that refuses a client
    without a certificate while the handshake lasts. What is sent are the messages of the handshake and nothing else.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.settimeout(deadline.left())
        connection.connect((address, port))
        return _shake_hands(connection, name, deadline)


def _shake_hands(connection: socket.socket, name: str, deadline: Deadline) -> bytes:
    """Do the handshake in memory, and move its bytes by hand: so each wait is for what is left of the whole time."""
    arriving, leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = _context().wrap_bio(arriving, leaving, server_hostname=name)
    while True:
        done = _tried(tls.do_handshake)
        if leaving.pending:
            connection.settimeout(deadline.left())
            connection.sendall(leaving.read())
        if done:
            break
        connection.settimeout(deadline.left())
        data = connection.recv(_CHUNK)
        if data:
            arriving.write(data)
        else:
            arriving.write_eof()
    certificate = tls.getpeercert(binary_form=True)
    if not certificate:
        raise ValueError("the server has no certificate")
    return certificate


def _tried(do_handshake: Callable[[], None]) -> bool:
    try:
        do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # an expired certificate, or another's, is what is looked for
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Nothing is entrusted to the connection, and browsers still take weaker keys and ciphers than Python does.
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context
