"""The `Prober` of the deployed function: a name is looked up once, and exactly the address that was found is asked."""

import socket
import threading
import warnings
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue

from handler.certificates.domains import canonical
from handler.deployment.served import Served, Unreachable
from handler.probe.addresses import may_be_asked
from handler.probe.handshake import Deadline, served_certificate

PORT = 443
MOST_ADDRESSES = 3
"""So many addresses of a name at most are asked."""
MOST_LOOK_UPS = 50
"""So many look-ups at most are under way in this process, those that were left behind by earlier runs included."""

_looking_up = threading.BoundedSemaphore(MOST_LOOK_UPS)
_reading = threading.Lock()

Resolver = Callable[[str], Sequence[str]]
"""Returns the addresses of a name; raises OSError or UnicodeError if it has none."""


def system_resolver(name: str) -> Sequence[str]:
    """Ask the resolver of the system."""
    found = socket.getaddrinfo(name, PORT, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class TlsProber:
    """Asks domains which certificate they serve; several threads may ask at once."""

    def __init__(self, resolver: Resolver = system_resolver, *, port: int = PORT, loopback: bool = False) -> None:
        """`port` and `loopback`, which lets addresses of the machine itself in, are of tests alone."""
        self._resolver = resolver
        self._port = port
        self._loopback = loopback

    def ask(self, domain: str, seconds: float) -> Served | Unreachable:
        """Ask a domain; it takes no longer than `seconds`, looking its address up included, and nothing is raised."""
        try:
            deadline = Deadline(seconds)
            found = self._resolved(domain, deadline)
            public = [one for one in dict.fromkeys(found) if may_be_asked(one, loopback=self._loopback)]
            if not public:
                return Unreachable("it has no public address" if found else "it has no address")
            # Those of IPv4 first: many networks have no way to the others, and some swallow what is sent there.
            public.sort(key=lambda one: ":" in one)
            return self._first_answer(public[:MOST_ADDRESSES], domain, deadline)
        except Exception as error:  # noqa: BLE001 (a name, a resolver and a server are other people's: no run fails for one)
            return _unreachable(error)

    def _first_answer(self, addresses: Sequence[str], domain: str, deadline: Deadline) -> Served | Unreachable:
        """Ask the addresses in turn, until one answers; what an answer says is no reason to ask another.

        One that swallows what is sent to it leaves the others their share of the time.
        """
        failed = Unreachable("it has no address")
        for before, address in enumerate(addresses):
            try:
                share = deadline.share(len(addresses) - before)
                return _read(served_certificate(address, self._port, domain, share))
            except (OSError, ValueError) as error:  # of which TimeoutError, ssl.SSLError and UnicodeError are some
                failed = _unreachable(error)
        return failed

    def _resolved(self, name: str, deadline: Deadline) -> Sequence[str]:
        """Look a name up, in a thread that is left behind when it takes too long: nothing can stop a look-up.

        Raises TimeoutError, RuntimeError if there are no more threads to be had, or what the resolver raises.
        """
        answers: SimpleQueue[Sequence[str] | Exception] = SimpleQueue()

        def look_up() -> None:
            try:
                answers.put(self._resolver(name))
            except Exception as error:  # noqa: BLE001 (raised again where it is waited for)
                answers.put(error)
            finally:
                _looking_up.release()

        if not _looking_up.acquire(timeout=deadline.left()):
            raise TimeoutError
        try:
            threading.Thread(target=look_up, daemon=True, name=f"look up {name}").start()
        except RuntimeError:
            _looking_up.release()
            raise
        try:
            answer = answers.get(timeout=deadline.left())
        except Empty:
            raise TimeoutError from None
        if isinstance(answer, Exception):
            raise answer
        return answer


def _read(der: bytes) -> Served:
    """Read a certificate. Raises ValueError for any that cannot be read: a server can send what it likes."""
    # Imported here: only a run that probes needs it, and a cold start should not pay for the others.
    from cryptography import x509  # noqa: PLC0415

    try:
        # What becomes of warnings is settled for the whole process, not for a thread: so one at a time.
        with _reading, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of numbers that no standard allows; here they are only compared
            certificate = x509.load_der_x509_certificate(der)
            try:
                found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
                names = found.value.get_values_for_type(x509.DNSName)
            except (x509.ExtensionNotFound, ValueError):
                names = []  # the number says more than they do
            return Served(certificate.serial_number, certificate.not_valid_after_utc, frozenset(map(canonical, names)))
    except Exception as error:  # noqa: BLE001
        raise ValueError(type(error).__name__) from None


def _unreachable(error: Exception) -> Unreachable:
    return Unreachable("it took too long" if isinstance(error, TimeoutError) else type(error).__name__)
