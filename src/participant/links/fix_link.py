"""A FIX session on a connection: what arrives is read into events, what the session says goes out. For one thread."""

import contextlib
import socket
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from msgspec import Struct

from participant.links.feed_link import LinkLost
from participant.links.tls import Tls, secured_client, secured_server
from participant.wire.fix.codec import Body
from participant.wire.fix.course import Phase
from participant.wire.fix.events import Event, Over
from participant.wire.fix.numbers import Claim
from participant.wire.fix.profile import Moment, Profile
from participant.wire.fix.session import Session

CONNECT_MAX_S = 2.0
SEND_MAX_S = 5.0
PASS_TIME_S = 0.2
READ_BYTES = 262_144


class Address(Struct, frozen=True):
    """Where a counterpart listens, and how it is spoken to: in the clear unless `tls` is given."""

    host: str
    port: int
    tls: Tls | None = None


class FixLink:
    """One connection. Reads, sends and closes raise LinkLost or OSError once it is gone; `utc` says ns UTC.

    What `read` told counts as dealt with at the next `read`, and at `close`; left by an exception, it does not.
    """

    def __init__(self, sock: socket.socket, profile: Profile, claim: Claim, utc: Callable[[], int]) -> None:
        self.session = Session(profile, claim)
        self._sock, self._utc = sock, utc
        self._passed_at = 0.0
        self._early = self.session.connect(self._now())
        try:
            self._flush()
        except BaseException:
            self.drop()  # or nobody could take up the session again
            raise

    def read(self, wait_s: float = PASS_TIME_S) -> list[Event]:
        """What arrived, and what became of it; waits up to `wait_s` for the first. After Over there is no more."""
        self.session.settle()  # before anything can fail: whoever reads again has dealt with what was read before
        told, self._early = self._early, []
        if not any(isinstance(event, Over) for event in told):
            told += self.session.receive(self._arrived(0 if told else wait_s), self._now())
        if time.monotonic() - self._passed_at > PASS_TIME_S:
            self._passed_at = time.monotonic()
            told += self.session.pass_time(self._now())
        self._flush()
        return told

    def send(self, content: Body) -> int:
        """Send an application message; its number, or 0 where the session is not active: then it is not sent."""
        seq = self.session.send(content, self._now())
        self._flush()
        return seq

    def close(self, text: str = "the link is closed") -> None:
        """Log out, wait for the answer (a little), and end the connection."""
        with contextlib.suppress(OSError, LinkLost):
            self.session.settle()
            self.session.log_out(text, self._now())
            self._flush()
            while self.session.phase is Phase.CLOSING:
                self.read()
            self.session.settle()
        self.drop()

    def drop(self) -> None:
        """End the connection here and now."""
        self.session.disconnect()
        self._sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None:
            self.close()
        else:
            self.drop()

    def _now(self) -> Moment:
        return Moment(time.monotonic_ns(), self._utc())

    def _arrived(self, wait_s: float) -> bytes:
        self._sock.settimeout(max(wait_s, 0.001))  # 0 would mean not to block at all, which TLS cannot
        try:
            data = self._sock.recv(READ_BYTES)
        except TimeoutError:
            return b""
        if not data:
            raise LinkLost("the counterpart ended the connection")
        return data

    def _flush(self) -> None:
        self._sock.settimeout(SEND_MAX_S)
        while data := self.session.take(self._now()):
            self._sock.sendall(data)


def connected(address: Address, profile: Profile, claim: Claim, utc: Callable[[], int]) -> FixLink:
    """A link to whoever is there; OSError where nobody is, or somebody whom the address's `tls` does not believe."""
    sock = socket.create_connection((address.host, address.port), timeout=CONNECT_MAX_S)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if address.tls:
            sock = secured_client(sock, address.tls, address.host)
        return FixLink(sock, profile, claim, utc)
    except BaseException:
        sock.close()
        raise


def accepted(
    listener: socket.socket, profile: Profile, claim: Claim, utc: Callable[[], int], tls: Tls | None = None
) -> FixLink:
    """A link to whoever connects next; OSError where nobody does in the listener's time, or not as `tls` asks."""
    sock, _ = listener.accept()
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            sock = secured_server(sock, tls)
        return FixLink(sock, profile, claim, utc)
    except BaseException:
        sock.close()
        raise
