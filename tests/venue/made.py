"""A small made market for tests, and a venue that plays it on loopback in a thread of its own."""

import asyncio
import datetime
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from participant.config import load_rules
from participant.core.market import SECOND, LookBack, Provenance, Quote, Tick
from participant.core.scrip import Contract, Kind
from participant.core.session import at_time
from participant.history.synthetic import Instant
from participant.venue.exchange import Market
from participant.venue.server import LOCKSTEP, Venue, VenueOptions, run_venue

RULES = load_rules()
DAY = datetime.date(2026, 11, 25)
OPENS_AT = at_time(DAY, 9, 15)
MINUTE = 60 * SECOND
EXPIRY = datetime.date(2026, 12, 29)
FUTURE = Contract("NIFTY", EXPIRY, Kind.FUTURE, 0, 65, 1000, 1755)
CALL = Contract("NIFTY", EXPIRY, Kind.CALL, 260_000_000, 65, 500, 1755)
TODAYS_CALL = Contract("NIFTY", DAY, Kind.CALL, 249_000_000, 65, 500, 1755)
CONTRACTS = (FUTURE, CALL, TODAYS_CALL)
SPOT = 250_000_000
CASH = 30_00_000_00
WAIT_S = 10.0

T = TypeVar("T")


def quotes(at: int, move: int = 0, size: int = 650) -> dict[str, Quote]:
    """The market at an instant, moved by so many ticks of a rupee."""
    by = move * 10_000
    return {
        "NIFTY": Quote(SPOT + by, SPOT + by, 0, 0, at),
        FUTURE.key: Quote(251_000_000 + by, 251_010_000 + by, size, size, at),
        CALL.key: Quote(3_000_000 + by, 3_010_000 + by, size, size, at),
        TODAYS_CALL.key: Quote(1_000_000 + by, 1_010_000 + by, size, size, at),
    }


SETTLEMENTS = {"NIFTY": SPOT, FUTURE.key: 251_500_000}


class MadeMarket:
    """A few minutes of `day`, in which every quote climbs by a rupee a minute."""

    def __init__(self, instants: int = 4, day: datetime.date = DAY) -> None:
        self.day = day
        self.seed = 1
        self.step_s = 60
        self.symbols = ("NIFTY",)
        self._count = instants

    def contracts(self) -> tuple[Contract, ...]:
        return CONTRACTS

    def look_back(self, symbol: str) -> LookBack:
        return LookBack((SPOT,), (0.14,))

    def provenance(self, symbol: str) -> Provenance:
        return Provenance(("made",), (FUTURE.key,))

    def notes(self) -> tuple[str, ...]:
        return ("made for tests",)

    def instants(self) -> Iterator[Instant]:
        opens_at = at_time(self.day, 9, 15)
        for i in range(self._count):
            at = opens_at + i * MINUTE
            ticks = [
                Tick(key, 0, 0, 0, 0, q.bid, at)
                if key == "NIFTY"
                else Tick(key, q.bid, q.ask, q.bid_size, q.ask_size, 0, at)
                for key, q in quotes(at, i).items()
            ]
            yield Instant(at, tuple(ticks), i == self._count - 1)

    def settlements(self) -> Mapping[str, int]:
        return SETTLEMENTS


class Running:
    """A venue that answers; `do` runs something inside it, as its own code would."""

    def __init__(self, venue: Venue, loop: asyncio.AbstractEventLoop, fix_port: int) -> None:
        self.venue = venue
        self.fix_port = fix_port
        self.url = f"http://127.0.0.1:{venue.port}"
        self._loop = loop

    def do(self, action: Callable[[], T]) -> T:
        async def inside() -> T:
            result = action()
            self.venue.api.tell()
            return result

        return asyncio.run_coroutine_threadsafe(inside(), self._loop).result(WAIT_S)


@contextmanager
def running(
    market: Market, mode: str = LOCKSTEP, speed: float = 1.0, state_path: Path | None = None
) -> Iterator[Running]:
    """A venue on free ports of loopback, ended when the block ends."""
    options = VenueOptions(mode=mode, speed=speed, state_path=state_path, cash=CASH)
    ready = threading.Event()
    found: list[Running] = []

    async def play() -> None:
        venue = Venue(market, RULES, options)
        loop = asyncio.get_running_loop()

        def on_ready(_: int, fix_port: int) -> None:
            found.append(Running(venue, loop, fix_port))
            ready.set()

        await venue.serve(on_ready)

    thread = threading.Thread(target=lambda: asyncio.run(play()), name="venue")
    thread.start()
    try:
        assert ready.wait(WAIT_S), "the venue did not come up"
        yield found[0]
    finally:
        if found:
            found[0].venue.stop()
        thread.join(WAIT_S)
        assert not thread.is_alive()


if __name__ == "__main__":  # a venue as a process: the path of its state, its HTTP port
    sys.exit(
        run_venue(MadeMarket(), RULES, VenueOptions(state_path=Path(sys.argv[1]), port=int(sys.argv[2]), cash=CASH))
    )
