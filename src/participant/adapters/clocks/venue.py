"""The clock of a venue: asked once and extrapolated while the venue runs by itself, asked each time in lockstep."""

import threading
import time

import httpx

from participant.wire.json import Malformed, decode, encode
from participant.wire.venue import ClockRow, Release

LOCKSTEP = "lockstep"


class VenueClock:
    """Implements Clock for the venue at `url`.

    Each request may take `timeout_s`; while the venue is away (it may be coming back after a crash) it is asked again
    until `patience_s` are over, then ConnectionError is raised. All in seconds of wall time.
    """

    def __init__(self, url: str, timeout_s: float = 5.0, patience_s: float = 30.0) -> None:
        self._url = url.rstrip("/")
        self._patience_s = patience_s
        self._client = httpx.Client(timeout=timeout_s, trust_env=False)
        self._answer = (ClockRow("", 0, 0.0, LOCKSTEP), 0)  # what the venue said, and when by our own clock
        self._latest = 0
        self._lock = threading.Lock()

    def now(self) -> int:
        """The venue's time (ns); never earlier than it was. Threads may share the clock."""
        row, asked_at = self._answer
        if row.mode == LOCKSTEP or not row.speed:
            row, asked_at = self._answer = self._ask()
        passed = time.monotonic_ns() - asked_at
        with self._lock:
            self._latest = max(self._latest, row.at + round(passed * row.speed))
            return self._latest

    def release(self, at: int) -> None:
        """Tell a venue in lockstep that instant `at` is closed; one that runs by itself takes no notice."""
        if self._answer[0].mode == LOCKSTEP:
            self._request("POST", "/release", encode(Release(at)))

    def close(self) -> None:
        """End the connection."""
        self._client.close()

    def _ask(self) -> tuple[ClockRow, int]:
        """The venue's clock, and when it was true by ours: about half-way between asking and hearing the answer."""
        before = time.monotonic_ns()
        row = self._request("GET", "/clock", b"")
        return row, (before + time.monotonic_ns()) // 2

    def _request(self, method: str, path: str, body: bytes) -> ClockRow:
        """The venue's clock after this request; asking twice does no harm."""
        until = time.monotonic() + self._patience_s
        while True:
            try:
                reply = self._client.request(method, self._url + path, content=body)
                if reply.is_client_error:
                    raise ValueError(f"the venue at {self._url}{path} refuses: {reply.text[:200]}")
                if reply.is_success:
                    return decode(reply.content, ClockRow)
                fault = f"answered {reply.status_code}"
            except (httpx.HTTPError, Malformed) as error:
                fault = f"{type(error).__name__}: {error}"
            if time.monotonic() > until:
                raise ConnectionError(f"the venue at {self._url}{path} {fault}; is it running?")
            time.sleep(0.1)
