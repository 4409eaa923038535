"""The venue that a measurement plays against: the real one with a repeated market, and a journal of when it did what.

    python -m bench.venue --scrips 60 --journal FILE [--data PATH ... --date DAY --symbols A,B]

The journal holds one JSON line an event; `wall` is the machine's monotonic clock in nanoseconds.
"""

import argparse
import asyncio
import datetime
import json
import sys
import time
from pathlib import Path
from typing import Any

from bench.repeated import Pace, RepeatedMarket
from participant.config import load_rules
from participant.core.matching import OrderRequest
from participant.core.order import Answer
from participant.core.rulebook import Rulebook
from participant.history.synthetic import Instant, SyntheticMarket
from participant.venue.exchange import Market
from participant.venue.server import FREE, Venue, VenueOptions

# A made day on whose first instant NIFTY and BANKNIFTY both open by the shipped rules: all orders come at once.
SEED, DAY, SYMBOLS = 5, "2026-11-25", "NIFTY,BANKNIFTY"
CAPITAL_PAISE = 10**14


class JournalVenue(Venue):
    """Writes down when an instant was shown, from when to when each provider told of it, and when orders arrived."""

    def __init__(self, market: Market, rules: Rulebook, options: VenueOptions, journal: Path) -> None:
        super().__init__(market, rules, options)
        self._journal = journal.open("w", encoding="utf-8", buffering=1)
        for name in ("_one", "_two", "_three"):
            provider = getattr(self.providers, name)
            provider.publish = self._timed(name.removeprefix("_"), provider.publish)
        self._enter, self.exchange.broker.enter = self.exchange.broker.enter, self._arrived  # type: ignore[method-assign]

    def note(self, what: str, **more: object) -> None:
        """One line of the journal, at this moment."""
        self._journal.write(json.dumps({"what": what, "wall": time.monotonic_ns(), **more}) + "\n")

    def _timed(self, name: str, publish: Any) -> Any:
        def timed(instant: Instant, book: Any) -> None:
            began = time.monotonic_ns()
            publish(instant, book)
            self.note("published", provider=name, at=instant.at, began=began, zero=self._zero)

        return timed

    @property
    def _zero(self) -> int:
        """The market's time less the machine's."""
        return self.exchange.opens_at - self.exchange.started_at

    def _arrived(self, request: OrderRequest) -> Answer:
        self.note("order", tag=request.tag, contract=request.contract)
        return self._enter(request)


def market_of(args: argparse.Namespace) -> Market:
    """The market that is repeated: recorded days where they are given, else a made one."""
    symbols, day = tuple(args.symbols.split(",")), datetime.date.fromisoformat(args.date)
    if not args.data:
        return SyntheticMarket(args.seed, day, load_rules(), symbols)
    from participant.history.recordings import load_day, open_recordings

    return load_day(open_recordings(args.data), day, load_rules(), symbols)


def main() -> None:
    """Play until told to end."""
    parser = argparse.ArgumentParser(prog="python -m bench.venue")
    parser.add_argument("--scrips", type=int, default=60)
    parser.add_argument("--journal", type=Path, required=True)
    parser.add_argument("--data", type=Path, action="append")
    parser.add_argument("--date", default=DAY)
    parser.add_argument("--symbols", default=SYMBOLS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--lead", type=float, default=15.0)
    parser.add_argument("--every", type=float, default=10.0)
    parser.add_argument("--instants", type=int, default=3)
    args = parser.parse_args()
    market = RepeatedMarket(market_of(args), args.scrips, Pace(args.lead, args.every, args.instants))
    options = VenueOptions(mode=FREE, speed=1.0, cash=CAPITAL_PAISE)
    venue = JournalVenue(market, load_rules(), options, args.journal)

    def ready(port: int, fix_port: int) -> None:
        sys.stdout.write(json.dumps({"http": port, "fix": fix_port, "symbols": list(market.symbols),
                                     "contracts": len(market.contracts())}) + "\n")  # fmt: skip
        sys.stdout.flush()

    asyncio.run(venue.serve(ready))


if __name__ == "__main__":
    main()
