"""Servers on loopback that a probe may meet: with certificates of their own, and in all kinds of bad shape."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from tests.examples import ec_key

NOW = datetime.now(timezone.utc).replace(microsecond=0)
"""The handshake itself goes by the machine's own clock."""


def certificate(*names: str, serial: int, ends: datetime = NOW + timedelta(days=90)) -> x509.Certificate:
    """A certificate that nobody trusts."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
    alternatives = x509.SubjectAlternativeName([x509.DNSName(one) for one in names])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(ec_key().public_key())
    builder = builder.serial_number(serial).not_valid_before(ends - timedelta(days=199)).not_valid_after(ends)
    return builder.add_extension(alternatives, critical=False).sign(ec_key(), hashes.SHA256())


def context(folder: Path, of: x509.Certificate) -> ssl.SSLContext:
    """What serves a certificate."""
    pem = folder / f"{of.serial_number}.pem"
    pem.write_bytes(
        of.public_bytes(serialization.Encoding.PEM)
        + ec_key().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(pem)
    return made


class Server:
    """A server at an address of loopback; what it does with a connection is up to whoever makes it."""

    def __init__(self, serve: Callable[[Server, socket.socket], None], address: str, port: int) -> None:
        self._serve = serve
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._socket = socket.create_server((address, port), family=family)
        self.port: int = self._socket.getsockname()[1]
        self.connections = 0
        self.names: list[str | None] = []
        """Under which names it was asked."""
        self.received: list[bytes] = []
        """What came after each handshake."""
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def _accept(self) -> None:
        while not self.over.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            with connection, contextlib.suppress(OSError):
                connection.settimeout(5)
                self._serve(self, connection)

    def close(self) -> None:
        """Stop, and wait for it."""
        self.over.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self.thread.join(5)


@contextlib.contextmanager
def serving(
    serve: Callable[[Server, socket.socket], None], address: str = "127.0.0.1", port: int = 0
) -> Iterator[Server]:
    """A server, as long as the block lasts."""
    server = Server(serve, address, port)
    try:
        yield server
    finally:
        server.close()


def tls(
    default: ssl.SSLContext, by_name: Mapping[str, ssl.SSLContext] | None = None
) -> Callable[[Server, socket.socket], None]:
    """Serve TLS: the certificate of the name that is asked for, else a default one."""

    def serve(server: Server, connection: socket.socket) -> None:
        def chosen(asked: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
            server.names.append(name)
            asked.context = (by_name or {}).get(name or "", default)

        default.sni_callback = chosen
        with default.wrap_socket(connection, server_side=True) as secure:
            server.received.append(secure.recv(1000))

    return serve


def hanging(server: Server, _: socket.socket) -> None:
    """Take the connection, and never say anything."""
    server.over.wait(5)


def dripping(server: Server, connection: socket.socket) -> None:
    """Send the beginning of a handshake, a byte at a time, for ever: never long without a byte, and never done."""
    connection.sendall(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03")
    while not server.over.wait(0.02):
        connection.sendall(b"\x00")


def closing(_: Server, connection: socket.socket) -> None:
    """Close the connection, whatever is said."""
    connection.recv(1000)


def plain_http(_: Server, connection: socket.socket) -> None:
    """Answer as a web server without TLS does."""
    connection.recv(1000)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
