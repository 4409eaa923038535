"""Requests to OpenAlgo under its key, and the watch over its mode: it can be switched to live under our feet.

Rule: a paper desk sends only what OpenAlgo's sandbox answers, a live one only what the broker does; one answer in the
wrong mode, and nothing more is sent.
"""

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlencode

from msgspec.structs import replace
from websockets.sync.client import ClientConnection

from participant.core.guarantees import unsent
from participant.core.order import Answer, Verdict
from participant.links.http_link import Asked, HttpLink
from participant.links.secrets import BadSecret, Key
from participant.links.update_stream import Refused, bytes_of
from participant.ports import BrokerDown
from participant.wire import openalgo
from participant.wire.json import Malformed, decode, encode

T = TypeVar("T")

API = "/api/v1"
GREETING_FRAMES_MAX = 20
GREETING_MAX_S = 5.0


class OpenAlgoLink:
    """OpenAlgo over `http`, in its sandbox or not. `read_key` gives the key as it stands now."""

    def __init__(self, http: HttpLink, read_key: Callable[[], Key], *, is_sandbox: bool) -> None:
        self.http, self._read_key, self._is_sandbox = http, read_key, is_sandbox
        self._wrong = ""
        self._is_proven = False

    def order(self, path: str, fields: dict[str, Any]) -> Answer:
        """Send a request about an order once, in the right mode, and say what its answer proves."""
        try:
            self.prove_mode()
            body = self._body(fields)
        except BrokerDown as why:
            return unsent(why)
        return self.http.order(Asked("POST", f"{API}/{path}", body), self._read)

    def ask(self, path: str, kind: type[T], fields: dict[str, Any] | None = None) -> T:
        """The data of an answer; raises BrokerDown for whatever is not a whole, good one."""
        return self._whole(Asked("POST", f"{API}/{path}", self._body(fields or {})), kind)

    def listed(self) -> list[openalgo.ListRow]:
        """The list of contracts; raises BrokerDown."""
        query = urlencode({"apikey": self.key().api_key, "exchange": openalgo.EXCHANGE, "format": "json"})
        return self._whole(Asked("GET", f"{API}/instruments?{query}", is_list=True), list[openalgo.ListRow])

    def prove_mode(self) -> None:
        """Ask once whether OpenAlgo is in the mode that this desk is for; raises BrokerDown where it is not."""
        if self._wrong:
            raise BrokerDown(self._wrong)
        if not self._is_proven:
            is_sandbox = self.ask("analyzer", openalgo.ModeRow).analyze_mode
            if is_sandbox != self._is_sandbox:
                raise BrokerDown(self._mode_fault(is_sandbox))
            self._is_proven = True

    def key(self) -> Key:
        """The key as it stands now; raises BrokerDown."""
        try:
            return self._read_key()
        except BadSecret as fault:
            raise BrokerDown(str(fault)) from fault

    def greet(self, link: ClientConnection) -> None:
        """Sign in to the stream and ask for order updates."""
        try:
            key = self._read_key().api_key
        except BadSecret as fault:
            raise Refused(str(fault)) from fault
        for asked, told in (
            ({"action": "authenticate", "api_key": key}, "auth"),
            ({"action": "subscribe_orders"}, "subscribe_orders"),
        ):
            link.send(encode(asked).decode())
            if _answer_of(link, told).status != "success":
                raise Refused(f"OpenAlgo refused {told}")

    def _read(self, status: int, body: bytes) -> Answer:
        answer, is_sandbox = openalgo.classify(status, body)
        if answer.verdict is not Verdict.ACCEPTED or is_sandbox == self._is_sandbox:
            return answer
        self._wrong = self._mode_fault(is_sandbox)
        # A real order of a paper desk is there, and must be known; a sandbox's order of a live desk is nowhere.
        return answer if is_sandbox is False else replace(answer, verdict=Verdict.UNKNOWN, reason=self._wrong)

    def _mode_fault(self, is_sandbox: bool) -> str:
        is_now, wanted = ("analyze", "live") if is_sandbox else ("live", "analyze")
        return f"OpenAlgo is in {is_now} mode and this desk is for {wanted}: nothing is sent; mend it and start again"

    def _whole(self, asked: Asked, kind: type[T]) -> T:
        status, reply = self.http.ask(asked)
        try:
            return openalgo.data_of(status, reply, kind)
        except ValueError as fault:
            raise self.http.down(asked, fault) from fault

    def _body(self, fields: dict[str, Any]) -> bytes:
        return encode({"apikey": self.key().api_key, **fields})


def _answer_of(link: ClientConnection, kind: str) -> openalgo.Update:
    for _ in range(GREETING_FRAMES_MAX):
        frame = decode(bytes_of(link.recv(timeout=GREETING_MAX_S)), openalgo.Update)
        if frame.type == kind:
            return frame
    raise Malformed(f"the stream does not answer {kind}")
