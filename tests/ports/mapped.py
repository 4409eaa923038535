"""Providers that speak foreign tongues over real WebSockets: Kite's packets, and Deribit's numbered book."""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec.structs import replace
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from participant.adapters.feeds.mapped_ws import MappedWsFeed
from participant.core.market import SECOND, Tick
from participant.core.scrip import PRICE_UNITS
from participant.history.synthetic import Instant
from participant.links.feed_link import Intake
from participant.links.presets import shipped
from participant.wire.json_map.names import Listed
from participant.wire.json_map.tongue import Tongue

HOST = "127.0.0.1"
PAISE = PRICE_UNITS // 100
INDICES, OPTIONS = 9, 2  # segments: the low byte of a token


class Provider:
    """Greets each client that has asked with what there is, and sends everybody what is new."""

    def __init__(self, greeting: Callable[[str], list[str | bytes]]) -> None:
        self.heard: list[str] = []
        self._greeting = greeting
        self._lock = threading.Lock()
        self._clients: set[ServerConnection] = set()
        self._server: Server = serve(self._talk, HOST, 0, compression=None)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"ws://{HOST}:{self._server.socket.getsockname()[1]}"

    def send(self, *messages: str | bytes) -> None:
        with self._lock:
            self._clients = {client for client in self._clients if _reaches(client, messages)}

    def cut(self) -> None:
        """Lose every link without a word."""
        with self._lock:
            for client in self._clients:
                client.socket.shutdown(socket.SHUT_RDWR)
            self._clients.clear()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        with self._lock:
            clients = list(self._clients)
        for client in clients:
            client.close()

    def _talk(self, client: ServerConnection) -> None:
        try:
            for text in client:
                assert isinstance(text, str)
                self._answer(client, text)
        except (ConnectionClosed, OSError):
            pass  # the client is gone, or was cut off
        finally:
            with self._lock:
                self._clients.discard(client)

    def _answer(self, client: ServerConnection, text: str) -> None:
        with self._lock:
            self.heard.append(text)
            said = self._greeting(text)
            if said and _reaches(client, said):
                self._clients.add(client)


def _reaches(client: ServerConnection, messages: Iterable[str | bytes]) -> bool:
    """Send; False where the client went a moment ago."""
    try:
        for message in messages:
            client.send(message)
    except ConnectionClosed:
        return False
    return True


# --- Kite -------------------------------------------------------------------------------------------------------------


def tokens_of(keys: list[str]) -> dict[str, int]:
    """A token for each contract and underlying, as Kite makes them: the low byte is the segment."""
    return {key: (1_000 + n) << 8 | (OPTIONS if "-" in key else INDICES) for n, key in enumerate(sorted(keys))}


def packet_of(token: int, tick: Tick) -> bytes:
    """A full packet of a tick, with one level a side."""
    last, seconds = tick.last // PAISE, tick.exchange_at // SECOND
    if token & 0xFF == INDICES:
        return struct.pack(">Ii5iI", token, last, 0, 0, 0, 0, 0, seconds)
    body = struct.pack(">Ii IiIII 4i 5I", token, last, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, seconds)
    sides = ((tick.bid, tick.bid_size), (tick.ask, tick.ask_size))
    levels = [(size, price // PAISE) for price, size in sides for price, size in ((price, size), *[(0, 0)] * 4)]
    return body + b"".join(struct.pack(">IiH2x", size, price, int(size > 0)) for size, price in levels)


def frame_of(packets: list[bytes]) -> bytes:
    return struct.pack(">H", len(packets)) + b"".join(struct.pack(">H", len(one)) + one for one in packets)


class KiteProvider(Provider):
    """Shows its book to whoever asks for the full mode."""

    def __init__(self, tokens: Mapping[str, int]) -> None:
        self.tokens = tokens
        self._book: dict[str, Tick] = {}
        super().__init__(self._greet)

    def publish(self, ticks: tuple[Tick, ...]) -> None:
        with self._lock:
            self._book.update({tick.contract: tick for tick in ticks})
        self.send(self._frame(ticks))

    def beat(self) -> None:
        self.send(b"\x00")

    def _greet(self, text: str) -> list[str | bytes]:
        asked = json.loads(text)
        if asked["a"] != "mode":
            return []
        return [self._frame(tuple(self._book.values()))] if self._book else [b"\x00"]

    def _frame(self, ticks: tuple[Tick, ...]) -> bytes:
        return frame_of([packet_of(self.tokens[tick.contract], tick) for tick in ticks])


# --- Deribit ----------------------------------------------------------------------------------------------------------


def book_message(
    name: str, number: int, previous: int | None, bids: list[list[object]], asks: list[list[object]]
) -> str:
    """A book notification: a snapshot where it names no one before."""
    data = {
        "type": "snapshot" if previous is None else "change", "timestamp": 1_764_400_000_000 + number * 1_000,
        "instrument_name": name, "change_id": number, "prev_change_id": previous, "bids": bids, "asks": asks,
    }  # fmt: skip
    params = {"channel": f"book.{name}.100ms", "data": data}
    return json.dumps({"jsonrpc": "2.0", "method": "subscription", "params": params})


class KiteRig:
    """A mapped feed of a provider that speaks Kite's packets."""

    def __init__(self, keys: list[str], clock: Any, last_at: int) -> None:
        self.clock = clock
        tokens = tokens_of(keys)
        self.provider = KiteProvider(tokens)
        listed = [Listed(str(token), key) for key, token in tokens.items()]
        packets = shipped()[
            "kite_packets"
        ]  # the suite's clock may stand while instants a quarter of an hour apart pass
        mapping = replace(packets, stream=replace(packets.stream, ahead_max_s=3_600.0))
        tongue = Tongue(mapping, {}, listed, [row.name for row in listed])
        self.feed = MappedWsFeed("kite", self.provider.url, clock, tongue, Intake(ends_at=last_at))

    def publish(self, instant: Instant) -> None:
        self.provider.publish(instant.ticks)

    def hold(self) -> None:
        self.provider.beat()

    def cut(self) -> None:
        self.provider.cut()

    def close(self) -> None:
        self.feed.close()
        self.provider.close()
