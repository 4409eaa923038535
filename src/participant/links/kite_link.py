"""Signed requests to Kite. A token that is dead or not of today is not knocked with: nothing goes out under it."""

import datetime
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlencode

from participant.core.guarantees import unsent
from participant.core.order import Answer
from participant.links.http_link import Asked, HttpLink
from participant.links.secrets import BadSecret, Key
from participant.ports import BrokerDown
from participant.wire import kite

T = TypeVar("T")

FORM = (("content-type", "application/x-www-form-urlencoded"),)
JSON = (("content-type", "application/json"),)


class KiteLink:
    """One day's session over `http`; `read_key` gives the key as it stands now, so a new login is seen at once."""

    def __init__(self, http: HttpLink, read_key: Callable[[], Key], day: datetime.date) -> None:
        self.http, self._read_key, self._day = http, read_key, day
        self._dead = ""

    def key(self) -> Key:
        """The key with a token of today that Kite has not refused; raises BrokerDown."""
        try:
            key = self._read_key()
        except BadSecret as fault:
            raise BrokerDown(str(fault)) from fault
        if not key.access_token:
            raise BrokerDown("Kite's access token is missing: participant login")
        if key.issued != str(self._day):
            raise BrokerDown(f"Kite's access token is of {key.issued}, not of {self._day}: participant login")
        if key.access_token == self._dead:
            raise BrokerDown("Kite has refused this access token: participant login")
        return key

    def order(self, method: str, path: str, form: dict[str, str]) -> Answer:
        """Send a request about an order once, and say what its answer proves."""
        try:
            key = self.key()
        except BrokerDown as why:
            return unsent(why)

        def read(status: int, body: bytes) -> Answer:
            self._watch(key, status, body)
            return kite.classify(status, body)

        return self.http.order(Asked(method, path, urlencode(form).encode(), _signed(key) + FORM), read)

    def ask(self, method: str, path: str, kind: type[T], body: bytes = b"") -> T:
        """The data of an answer; raises BrokerDown for whatever is not a whole, good one."""
        key = self.key()
        asked = Asked(method, path, body, _signed(key) + JSON)
        status, reply = self.http.ask(asked)
        self._watch(key, status, reply)
        try:
            return kite.data_of(status, reply, kind)
        except ValueError as fault:
            raise self.http.down(asked, fault) from fault

    def text(self, path: str) -> str:
        """A list of the day as plain text; raises BrokerDown."""
        asked = Asked("GET", path, headers=_signed(self.key()), is_list=True)
        status, body = self.http.ask(asked)
        try:
            if status == 200:
                return body.decode()
        except UnicodeDecodeError as fault:
            raise self.http.down(asked, fault) from fault
        raise self.http.down(asked, f"answered {status}")

    def address(self, url: str) -> str:
        """Where the updates are, with the key; empty while there is none to go there with."""
        try:
            key = self.key()
        except BrokerDown:
            return ""
        return f"{url}?{urlencode({'api_key': key.api_key, 'access_token': key.access_token})}"

    def _watch(self, key: Key, status: int, body: bytes) -> None:
        """Remember a token that Kite says is over."""
        if kite.is_token_dead(status, body):
            self._dead = key.access_token


def _signed(key: Key) -> tuple[tuple[str, str], ...]:
    return ("x-kite-version", "3"), ("authorization", f"token {key.api_key}:{key.access_token}")
