"""A broker's order updates over a WebSocket, read by one thread that connects again by itself.

A lost, silent or garbled stream costs time, never knowledge: the book is read as well.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Generic, TypeVar

from msgspec import Struct
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

from participant.ports import BrokerDown
from participant.wire.json import Malformed

UPDATE_MAX_BYTES = 64 * 1024
UPDATES_MAX = 10_000
RECONNECT_WAIT_S = (0.1, 2.0)
REFUSED_WAIT_S = 60.0
REFUSALS = (401, 403)

T = TypeVar("T")

# What it tells of a handshake while it is debugged holds the address, and with it the key.
logging.getLogger("websockets.client").setLevel(logging.INFO)


class Refused(Exception):
    """The other side knows us and lets us not in: asking again with the same key is no use."""


def no_greeting(_: ClientConnection) -> None:
    """Nothing is to be said before updates come."""


class Tongue(Struct, Generic[T], frozen=True):
    """How one broker's stream is spoken: where it is, how to begin, and what a frame holds.

    `address` is asked before each connection; it carries the key, so it is never told of. `greet` raises Refused,
    TimeoutError or Malformed. `read` gives None for a frame that is no update, and raises Malformed. A link that
    brought nothing, not even a heartbeat, for `silence_max_s` (0: no limit) is given up for another.
    """

    address: Callable[[], str]
    read: Callable[[bytes], T | None]
    greet: Callable[[ClientConnection], None] = no_greeting
    silence_max_s: float = 0.0


class UpdateStream(Generic[T]):
    """The updates since they were last taken; when too many wait, the oldest go."""

    def __init__(self, tongue: Tongue[T], timeout_s: float) -> None:
        self._tongue = tongue
        self._timeout_s = timeout_s
        self._heard: deque[T] = deque(maxlen=UPDATES_MAX)
        self._is_closed = threading.Event()
        self._is_up = threading.Event()
        self._link: ClientConnection | None = None
        self._refused, self._refused_at = "", 0.0
        self._thread = threading.Thread(target=self._run, name="order updates", daemon=True)
        self._thread.start()

    def take(self) -> list[T]:
        """What has come since the last call."""
        return [self._heard.popleft() for _ in range(len(self._heard))]

    def is_up(self, wait_s: float) -> bool:
        """Whether the stream is connected, or becomes so within `wait_s`."""
        return self._is_up.wait(wait_s)

    def prove(self, where: str) -> None:
        """Wait until the stream is connected, within its timeout; raises BrokerDown that says `where` it is not."""
        if not self.is_up(self._timeout_s):
            raise BrokerDown(f"the update stream of {where} does not let us in")

    def close(self) -> None:
        """End the thread."""
        self._is_closed.set()
        if self._link is not None:
            self._link.close()
        self._thread.join(self._timeout_s + RECONNECT_WAIT_S[1] + 1)

    def _run(self) -> None:
        wait_s = RECONNECT_WAIT_S[0]
        while not self._is_closed.is_set():
            address = self._tongue.address()
            # Whoever was refused does not go on knocking; another key may.
            is_barred = address == self._refused and monotonic() - self._refused_at < REFUSED_WAIT_S
            if address and not is_barred and self._converse(address):
                wait_s = RECONNECT_WAIT_S[0]
            self._is_closed.wait(wait_s)
            wait_s = min(2 * wait_s, RECONNECT_WAIT_S[1])

    def _converse(self, address: str) -> bool:
        """Listen until the link is over; whether it ever stood."""
        try:
            with connect(
                address, open_timeout=self._timeout_s, close_timeout=0.2, max_size=UPDATE_MAX_BYTES, proxy=None
            ) as link:
                self._link = link
                self._tongue.greet(link)
                self._is_up.set()
                self._listen(link)
        except InvalidStatus as fault:
            self._refused = address if fault.response.status_code in REFUSALS else ""
        except Refused:
            self._refused = address
        except (OSError, WebSocketException, Malformed):
            pass  # another link may do better
        self._refused_at = monotonic()
        has_stood = self._is_up.is_set()
        self._is_up.clear()
        return has_stood

    def _listen(self, link: ClientConnection) -> None:
        heard_at = monotonic()
        while not self._is_closed.is_set():
            try:
                update = self._tongue.read(bytes_of(link.recv(timeout=0.2)))
            except TimeoutError:
                if 0 < self._tongue.silence_max_s < monotonic() - heard_at:
                    raise
                continue
            heard_at = monotonic()
            if update is not None:
                self._heard.append(update)


def bytes_of(message: str | bytes) -> bytes:
    """A frame as bytes, whether it came as text or not."""
    return message.encode() if isinstance(message, str) else message
