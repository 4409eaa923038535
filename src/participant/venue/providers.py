"""The venue's three providers of market data: the same market, told in three ways, each with faults of its own."""

import asyncio
from collections.abc import Mapping, Sequence

from starlette.websockets import WebSocket

from participant.core.market import Tick
from participant.core.scrip import Contract
from participant.history.synthetic import Instant
from participant.venue.fix_provider import FixProvider
from participant.venue.json_provider import JsonProvider
from participant.venue.lines import FeedFaults
from participant.wire.json_three import ThreeReader, ThreeWriter
from participant.wire.json_two import TwoReader, TwoWriter


class Providers:
    """One (FIX), two and three (JSON over WebSocket). All methods belong to the thread of the event loop."""

    def __init__(self, contracts: Sequence[Contract], seed: int = 0, underlyings: Sequence[str] = ()) -> None:
        self._one = FixProvider(f"{seed}/one")
        self._two = JsonProvider(TwoWriter(contracts, underlyings), TwoReader.request, f"{seed}/two")
        self._three = JsonProvider(ThreeWriter(contracts), ThreeReader.request, f"{seed}/three")
        self._fates = {"one": self._one.fate, "two": self._two.fate, "three": self._three.fate}
        self._book: dict[str, Tick] = {}

    @property
    def faults(self) -> Mapping[str, FeedFaults]:
        """The faults in force, by provider."""
        return {name: fate.faults for name, fate in self._fates.items()}

    def fail(self, name: str, faults: FeedFaults) -> None:
        """Put faults in force at a provider (one, two or three); FeedFaults() lifts them. KeyError for another name."""
        self._fates[name].faults = faults

    def publish(self, instant: Instant) -> None:
        """Show an instant: what is new, then its mark. Who subscribes later is given the whole book and this mark."""
        self._book.update({tick.contract: tick for tick in instant.ticks})
        book = tuple(self._book.values())
        for provider in (self._one, self._two, self._three):
            provider.publish(instant, book)

    def hold(self) -> None:
        """Say once a second of venue time that the book stands as it is."""
        for provider in (self._one, self._two, self._three):
            provider.hold()

    async def serve_fix(self, host: str, port: int) -> asyncio.Server:
        """Accept FIX sessions of provider one (port 0 takes a free one); the caller closes the server returned."""
        return await self._one.serve(host, port)

    async def socket_two(self, websocket: WebSocket) -> None:
        """The WebSocket endpoint of provider two."""
        await self._two.serve(websocket)

    async def socket_three(self, websocket: WebSocket) -> None:
        """The WebSocket endpoint of provider three."""
        await self._three.serve(websocket)
