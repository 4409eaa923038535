"""An acceptor over real sockets on a thread of its own, which sends back each application message, or one answer."""

import socket
import threading
from collections.abc import Callable
from typing import Any

from participant.links.feed_link import LinkLost
from participant.links.fix_link import FixLink, accepted
from participant.links.tls import Tls
from participant.wire.fix.codec import Body, body_of
from participant.wire.fix.events import LoggedOn, Over, Received
from participant.wire.fix.frames import Frame
from participant.wire.fix.numbers import MemoryNumbers
from participant.wire.fix.profile import Profile
from tests.links.certificates import Authority

VENUE = Profile("VENUE", "", is_initiator=False)
UTC = 1_796_000_000_000_000_000
LIMIT_S = 20.0


def utc() -> int:
    return UTC


def server(authority: Authority, *, asks_client: bool = False) -> Tls:
    """The TLS of a server that this authority has signed for."""
    certificate, key = authority.sign("venue")
    return Tls(authorities=authority.path, certificate=certificate, key=key, asks_client=asks_client)


class EchoVenue:
    """Serves one connection after another until it is left; `faults` tells how those ended that were lost.

    `logons` are the Logons that were taken.
    """

    def __init__(
        self, tls: Tls | None = None, claim: Callable[[str], Any] | None = None, answer: Body | None = None
    ) -> None:
        memory = MemoryNumbers()
        self._answer = answer
        self._tls, self._claim = tls, claim or (lambda _: memory)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.2)
        self.port = int(self._listener.getsockname()[1])
        self.faults: list[str] = []
        self.logons: list[Frame] = []
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> "EchoVenue":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join(LIMIT_S)
        self._listener.close()

    def _serve(self) -> None:
        while not self._is_over.is_set():
            try:
                with accepted(self._listener, VENUE, self._claim, utc, self._tls) as link:
                    self._echo(link)
            except TimeoutError:
                pass
            except (OSError, LinkLost) as error:
                self.faults.append(str(error))

    def _echo(self, link: FixLink) -> None:
        while not self._is_over.is_set():
            for event in (told := link.read()):
                if isinstance(event, LoggedOn):
                    self.logons.append(event.frame)
            self._answer_all(link, [event.frame for event in told if isinstance(event, Received)])
            if any(isinstance(event, Over) for event in told):
                return

    def _answer_all(self, link: FixLink, frames: list[Frame]) -> None:
        """Answer each message once though the connection falls: what has a number is kept, and comes again."""
        fault = None
        for message in (frame.message() for frame in frames):
            fields = [f"{t}={v}\x01" for t, v in message.fields if t not in {35, 34, 49, 52, 56, 43, 122}]
            try:
                link.send(self._answer or body_of(message.msg_type, "".join(fields)))
            except OSError as error:
                fault = error
        if fault is not None:
            link.session.settle()
            raise fault
