"""A bell between processes of one machine: a local datagram that says 'look again'. It is a hint and carries nothing.

A ring that nobody hears is lost, and that is well: who waits looks first, and never waits without a limit.
"""

import select
import socket
import time
from contextlib import suppress
from pathlib import Path

from participant.core.ids import digest

POLL_S = 0.05
RINGS_MAX = 256


class Doorbell:
    """The bell of this name at this home. Any process may ring it; one process hears it. It may ring others along."""

    def __init__(self, home: Path, name: str, *others: str) -> None:
        # An abstract address: it has no file to clean up and is gone with the process that holds it.
        self._address, *self._others = ("\0participant-" + digest(str(home.resolve()), n) for n in (name, *others))
        self._mouth = _datagram_socket()
        self._ear: socket.socket | None = None

    def ring(self) -> None:
        """Wake who waits; where nobody hears or too many rings wait already, nothing is lost."""
        for address in (self._address, *self._others):
            with suppress(OSError):
                self._mouth.sendto(b"!", address)

    def listen(self) -> bool:
        """Hear rings from now on; False where another process does already (or the system has no such sockets)."""
        if self._ear is not None:
            return True
        ear = _datagram_socket()
        try:
            ear.bind(self._address)
        except OSError:
            ear.close()
            return False
        self._ear = ear
        return True

    def wait(self, timeout_s: float) -> bool:
        """Wait for a ring, at most `timeout_s`; True where it rang, and all rings until now count as one."""
        if not self.listen() or self._ear is None:
            time.sleep(min(max(timeout_s, 0.0), POLL_S))
            return False
        if not select.select([self._ear], [], [], max(timeout_s, 0.0))[0]:
            return False
        for _ in range(RINGS_MAX):
            try:
                self._ear.recv(1)
            except BlockingIOError:
                break
        return True

    def close(self) -> None:
        """Let go of the bell."""
        self._mouth.close()
        if self._ear is not None:
            self._ear.close()
            self._ear = None


def _datagram_socket() -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.setblocking(False)
    return made
