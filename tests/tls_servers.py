"""Servers on loopback that a probe may meet: with certificates of their own, and in all kinds of bad shape."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from tests.examples import ec_key

Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey

NOW = datetime.now(timezone.utc).replace(microsecond=0)
"""The handshake itself goes by the machine's own clock."""


def certificate(
    *names: str,
    serial: int,
    ends: datetime = NOW + timedelta(days=90),
    key: Key | None = None,
    tells_names: bool = True,
) -> x509.Certificate:
    """A certificate that nobody trusts."""
    key = key or ec_key()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
    alternatives = x509.SubjectAlternativeName([x509.DNSName(one) for one in names])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(serial).not_valid_before(ends - timedelta(days=199)).not_valid_after(ends)
    if tells_names:
        builder = builder.add_extension(alternatives, critical=False)
    return builder.sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())


def der(of: x509.Certificate) -> bytes:
    """A certificate as servers send it."""
    return of.public_bytes(serialization.Encoding.DER)


def context(folder: Path, of: x509.Certificate | bytes, key: Key | None = None) -> ssl.SSLContext:
    """What serves a certificate. In DER it may be one that no builder makes."""
    sent = of if isinstance(of, bytes) else der(of)
    private = (key or ec_key()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem = folder / f"{sha256(sent).hexdigest()}.pem"
    pem.write_bytes(ssl.DER_cert_to_PEM_cert(sent).encode() + private)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.set_ciphers("DEFAULT:@SECLEVEL=0")
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
        """What came after each handshake, as it was on the wire."""
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
        arriving, leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        secure = default.wrap_bio(arriving, leaving, server_side=True)
        while True:
            try:
                secure.do_handshake()
                break
            except ssl.SSLWantReadError:
                connection.sendall(leaving.read())
            except ssl.SSLError:
                connection.sendall(leaving.read())  # it says why
                raise
            arriving.write(_received(connection))
        after = arriving.read()
        with contextlib.suppress(OSError):
            connection.sendall(leaving.read())
            while data := connection.recv(1000):
                after += data
        server.received.append(after)

    return serve


def _received(connection: socket.socket) -> bytes:
    data = connection.recv(16 * 1024)
    if not data:
        raise ConnectionAbortedError
    return data


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


# --- servers that speak TLS by hand, and badly ------------------------------------------------------------------------

HANDSHAKE, ALERT = 0x16, 0x15
WARNING, FAILURE = b"\x01\x70", b"\x02\x28"
"""The name is not known, which ends nothing; and no handshake is possible."""
HELLO_REQUEST = b"\x00\x00\x00\x00"
"""A client forgets it while it shakes hands."""
TLS_1_0, TLS_1_2 = b"\x03\x01", b"\x03\x03"


def record(kind: int, content: bytes) -> bytes:
    """One record, or as many as the content needs."""
    parts = [content[at : at + 0x4000] for at in range(0, len(content), 0x4000)]
    return b"".join(bytes([kind]) + TLS_1_2 + len(part).to_bytes(2, "big") + part for part in parts)


def server_hello(version: bytes = TLS_1_2) -> bytes:
    """The first message of a server, of TLS 1.2 and before."""
    return _message(2, version + bytes(32) + b"\x00\xc0\x2b\x00" + b"\x00\x05\xff\x01\x00\x01\x00")


def certificates(*chain: bytes) -> bytes:
    """The message in which a server of TLS 1.2 shows its certificate, or what it takes for one."""
    return _message(11, _sized(b"".join(map(_sized, chain))))


def saying(*records: bytes, again: bytes = b"") -> Callable[[Server, socket.socket], None]:
    """Answer with these records, and then with the same one for ever."""

    def serve(server: Server, connection: socket.socket) -> None:
        connection.recv(16 * 1024)
        connection.sendall(b"".join(records))
        while again and not server.over.is_set():
            connection.sendall(again * 100)
        connection.recv(1000)

    return serve


def _message(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + _sized(body)


def _sized(body: bytes) -> bytes:
    return len(body).to_bytes(3, "big") + body
