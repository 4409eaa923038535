"""Requests to a broker over HTTP: each is sent once, bounded in time and size; what failed is said, never guessed."""

import logging
from collections.abc import Callable
from contextlib import closing
from time import monotonic, sleep

import httpx
from msgspec import Struct

from participant.core.order import Answer, Verdict
from participant.ports import BrokerDown

BODY_MAX_BYTES = 16 * 1024 * 1024
LIST_MAX_BYTES = 64 * 1024 * 1024  # a day's list of contracts
KNOCK_EVERY_S = 0.1
SAID_MAX = 200


# It would log every address, and behind its `?` an address may carry a key.
logging.getLogger("httpx").setLevel(logging.WARNING)


class Asked(Struct, frozen=True):
    """One request. The path may carry a secret behind its `?`, and headers may: neither is ever told of."""

    method: str
    path: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = (("content-type", "application/json"),)
    is_list: bool = False


class HttpLink:
    """Requests to `url`. `timeout_s` (wall) bounds each from its start to its end.

    A broker that cannot be connected to is knocked at for `connect_wait_s` before an order counts as not sent: no byte
    of it has left until a connection stands, so this is no second send.
    """

    def __init__(self, url: str, timeout_s: float, connect_wait_s: float = 0.0) -> None:
        self.url = url.rstrip("/")
        self.timeout_s = timeout_s
        self._connect_wait_s = connect_wait_s
        # The bare transport: no proxy, redirect, cookie or packed answer, and above all no second try.
        self._transport = httpx.HTTPTransport(retries=0, trust_env=False)
        self._bounds = {"timeout": httpx.Timeout(timeout_s).as_dict()}

    def order(self, asked: Asked, read: Callable[[int, bytes], Answer]) -> Answer:
        """Send a request about an order once; `read` says what status and body of the answer prove."""
        until = monotonic() + self._connect_wait_s
        while True:
            try:
                return read(*self._send(asked))
            except (httpx.ConnectError, httpx.ConnectTimeout) as fault:
                if monotonic() >= until:
                    return Answer(Verdict.NOT_SENT, f"no connection to {self.url}: {fault}")
                sleep(KNOCK_EVERY_S)
            except (httpx.HTTPError, TimeoutError) as fault:
                return Answer(Verdict.UNKNOWN, f"{type(fault).__name__}: {fault}")

    def ask(self, asked: Asked) -> tuple[int, bytes]:
        """Status and body of a whole answer; raises BrokerDown where there is none."""
        try:
            return self._send(asked)
        except (httpx.HTTPError, TimeoutError) as fault:
            raise self.down(asked, f"{type(fault).__name__}: {fault}") from fault

    def down(self, asked: Asked, why: object) -> BrokerDown:
        """What to raise where an answer is not whole and good."""
        return BrokerDown(f"{self.url}{asked.path.partition('?')[0]}: {why}"[: 2 * SAID_MAX])

    def close(self) -> None:
        """End the connections."""
        self._transport.close()

    def _send(self, asked: Asked) -> tuple[int, bytes]:
        until = monotonic() + self.timeout_s
        chunks, size, most = list[bytes](), 0, LIST_MAX_BYTES if asked.is_list else BODY_MAX_BYTES
        request = httpx.Request(
            asked.method, self.url + asked.path, content=asked.body, headers=asked.headers, extensions=self._bounds
        )
        with closing(self._transport.handle_request(request)) as reply:
            for chunk in reply.iter_raw():
                chunks.append(chunk)
                size += len(chunk)
                if size > most or monotonic() > until:
                    raise TimeoutError(f"the answer was too long: {size} bytes in {self.timeout_s} s")
            return reply.status_code, b"".join(chunks)
