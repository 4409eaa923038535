"""JSON by a mapping beside bare msgspec with types written by hand: the decoding alone, and from bytes to quotes.

    python -m bench.json_feeds [--rounds N] [--messages N] [--out FILE] [--plot PNG]

docs/json-feeds.md says how it is measured. Time is the thread's own work, the ways take turns in each round.
"""

import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
from msgspec import Struct

from bench.beside import bars, demand, keep, options
from participant.core.market import Tick
from participant.core.scrip import Kind, contract_key
from participant.links.presets import shipped
from participant.wire.json_map.figures import day_of, time_of
from participant.wire.json_map.names import Listed
from participant.wire.json_map.plan import plan_of
from participant.wire.json_map.reader import Reader

AT = 1_764_400_000_000_000_000
OURS, BARE = "ours, by the mapping", "msgspec, types by hand"
GOAL = 1.1
Way = Callable[[bytes], Any]


# --- what a programmer writes by hand for the same two providers ------------------------------------------------------


class Level(Struct, gc=False):
    """A level of Kite's depth."""

    price: float
    quantity: int


class Depth(Struct, gc=False):
    """Kite's depth."""

    buy: list[Level]
    sell: list[Level]


class Quote(Struct, gc=False):
    """What is needed of Kite's quote."""

    instrument_token: int
    timestamp: str
    last_price: float
    depth: Depth


class Quotes(Struct, gc=False):
    """Kite's reply."""

    status: str
    data: dict[str, Quote]


class Side(Struct, gc=False):
    """What is needed of a call or a put of the exchange's chain."""

    underlying: str
    bidprice: float
    bidQty: int  # noqa: N815 - the exchange's name, as one writes it who does not rename
    askPrice: float  # noqa: N815 - the same
    askQty: int  # noqa: N815 - the same
    lastPrice: float  # noqa: N815 - the same


class Strike(Struct, gc=False):
    """A strike of the exchange's chain."""

    expiryDate: str  # noqa: N815 - the same
    strikePrice: float  # noqa: N815 - the same
    CE: Side | None = None
    PE: Side | None = None


class Index(Struct, gc=False):
    """The exchange's index."""

    indexSymbol: str  # noqa: N815 - the same


class Records(Struct, gc=False):
    """The exchange's chain."""

    data: list[Strike]
    timestamp: str
    underlyingValue: float  # noqa: N815 - the same
    index: Index


class Reply(Struct, gc=False):
    """The exchange's reply."""

    records: Records


def price(rupees: float) -> int:
    """Rounded, which ours never does."""
    return round(rupees * 10_000)


def quotes_by_hand(decode: Callable[[bytes], Quotes], names: dict[int, str]) -> Way:
    """Kite's quotes as ticks."""

    def read(data: bytes) -> list[Tick]:
        ticks = []
        for quote in decode(data).data.values():
            best = quote.depth.buy[0], quote.depth.sell[0]
            at = time_of(f'"{quote.timestamp}"'.encode(), "text", "%Y-%m-%d %H:%M:%S", "+05:30")
            sides = price(best[0].price), price(best[1].price), best[0].quantity, best[1].quantity
            ticks.append(Tick(names[quote.instrument_token], *sides, price(quote.last_price), at))
        return ticks

    return read


def chain_by_hand(decode: Callable[[bytes], Reply]) -> Way:
    """The exchange's chain as ticks."""

    def read(data: bytes) -> list[Tick]:
        records = decode(data).records
        at = time_of(f'"{records.timestamp}"'.encode(), "text", "%d-%b-%Y %H:%M:%S", "+05:30")
        ticks = [Tick("NIFTY", 0, 0, 0, 0, price(records.underlyingValue), at)]
        for kind in (Kind.CALL, Kind.PUT):
            for strike in records.data:
                side = strike.CE if kind is Kind.CALL else strike.PE
                if side is not None:
                    day = day_of(strike.expiryDate, "%d-%b-%Y")
                    key = contract_key(side.underlying, day, kind, price(strike.strikePrice))
                    figures = price(side.bidprice), price(side.askPrice), side.bidQty, side.askQty
                    ticks.append(Tick(key, *figures, price(side.lastPrice), at))
        return ticks

    return read


# --- messages ---------------------------------------------------------------------------------------------------------


def quote_message(chance: random.Random) -> bytes:
    """One quote of Kite with ten levels a side, as its documentation shows it: 1.2 KB."""

    def levels(best: int, step: int) -> list[dict[str, Any]]:
        sizes = [(chance.randrange(1, 5_000), chance.randrange(1, 40)) for _ in range(10)]
        return [{"price": (best + step * n) / 100, "quantity": q, "orders": o} for n, (q, o) in enumerate(sizes)]

    bid = chance.randrange(5_000, 20_000)
    row = {
        "instrument_token": 12345678, "timestamp": "2025-11-29 12:36:40", "last_price": bid / 100, "volume": 7360198,
        "oi": 100, "ohlc": {"open": 100.5, "high": 102.0, "low": 99.9, "close": 100.0},
        "depth": {"buy": levels(bid, -5), "sell": levels(bid + 5, 5)},
    }  # fmt: skip
    return json.dumps({"status": "success", "data": {"NFO:NIFTY25DEC26000CE": row}}, separators=(",", ":")).encode()


def chain_message(chance: random.Random) -> bytes:
    """A reply of the exchange of 700 strikes, with the fields that it has: 580 KB."""

    def side(strike: int, day: str, kind: str) -> dict[str, Any]:
        bid = chance.randrange(5, 200_000)
        return {
            "strikePrice": strike, "expiryDate": day, "underlying": "NIFTY",
            "identifier": f"OPTIDXNIFTY{kind}{strike}", "openInterest": chance.randrange(10**6),
            "changeinOpenInterest": 0, "pchangeinOpenInterest": chance.random(),
            "totalTradedVolume": chance.randrange(10**6), "impliedVolatility": 12.5, "lastPrice": bid / 100,
            "change": -0.19999999999999996, "pChange": chance.random(), "totalBuyQuantity": chance.randrange(10**7),
            "totalSellQuantity": chance.randrange(10**7), "bidQty": 75 * chance.randrange(1, 90), "bidprice": bid / 100,
            "askQty": 75 * chance.randrange(1, 90), "askPrice": (bid + 5) / 100, "underlyingValue": 25980.4,
        }  # fmt: skip

    days = [f"{day:02d}-Dec-2025" for day in (2, 9, 16, 23, 30)]
    pairs = [(strike, day) for day in days for strike in range(22_500, 29_500, 50)]
    rows = [{"strikePrice": k, "expiryDate": d, "CE": side(k, d, "CE"), "PE": side(k, d, "PE")} for k, d in pairs]
    head = {"timestamp": "29-Nov-2025 12:36:40", "underlyingValue": 25980.4, "index": {"indexSymbol": "NIFTY 50"}}
    return json.dumps({"records": {"data": rows, **head}}, separators=(",", ":")).encode()


# --- measuring --------------------------------------------------------------------------------------------------------


def ways() -> dict[str, tuple[bytes, int, dict[str, Way], dict[str, Way]]]:
    """Of each provider: a message, how often it is read a round, the ways to decode it, the ways to ticks."""
    chance = random.Random(5)
    kite = Reader(plan_of(shipped()["kite_quote"]), [Listed("12345678", "X")])
    chain = Reader(plan_of(shipped()["nse_chain"]))
    quotes, replies = msgspec.json.Decoder(Quotes), msgspec.json.Decoder(Reply)
    untyped = msgspec.json.Decoder()
    others: dict[str, Way] = {"msgspec to dict, untyped": untyped.decode, "json of the standard library": json.loads}
    return {
        "a quote with 20 levels": (
            quote_message(chance), 40, {OURS: kite.decode, BARE: quotes.decode, **others},
            {OURS: lambda data: kite.read(data, AT).ticks, BARE: quotes_by_hand(quotes.decode, {12345678: "X"})},
        ),
        "a chain of 1,400 options": (
            chain_message(chance), 1, {OURS: chain.decode, BARE: replies.decode, **others},
            {OURS: lambda data: chain.read(data, AT).ticks, BARE: chain_by_hand(replies.decode)},
        ),
    }  # fmt: skip


def took(way: Way, data: bytes, times: int) -> float:
    """Microseconds a message."""
    began = time.thread_time()
    for _ in range(times):
        way(data)
    return (time.thread_time() - began) / times * 1e6


def measured(rounds: int, messages: int) -> dict[str, Any]:
    """Microseconds of every way, round by round."""
    result: dict[str, Any] = {"msgspec": msgspec.__version__, "us": {}, "bytes": {}}
    for name, (data, often, decoding, reading) in ways().items():
        ticks = [set(way(data)) for way in reading.values()]
        demand(all(found == ticks[0] for found in ticks), name)
        result["bytes"][name] = len(data)
        for kind, group in (("decode", decoding), ("to quotes", reading)):
            result["us"][f"{name}: {kind}"] = in_turn(group, data, rounds, max(1, messages * often // 40))
    return result


def in_turn(group: dict[str, Way], data: bytes, rounds: int, times: int) -> dict[str, list[float]]:
    """Each way once a round."""
    rows: dict[str, list[float]] = {way: [] for way in group}
    for _ in range(rounds):
        for way, call in group.items():
            rows[way].append(took(call, data, times))
    return rows


def ratio(rows: dict[str, list[float]], way: str) -> float:
    """How many times as long as bare msgspec, in the middle of the rounds."""
    return median(ours / bare for ours, bare in zip(rows[way], rows[BARE], strict=True))


def describe(result: dict[str, Any]) -> None:
    """The table of docs/json-feeds.md, and the goal."""
    print(f"msgspec {result['msgspec']}; results equal: yes; bytes a message: {result['bytes']}")
    print("| | µs a message, median | beside bare msgspec |\n|---|---:|---:|")
    for name, rows in result["us"].items():
        for way, times in rows.items():
            print(f"| {name}: {way} | {median(times):,.1f} | {ratio(rows, way):.2f} |")
    for name, rows in result["us"].items():
        goal = f", goal {GOAL}" if name.endswith("decode") else ""
        print(f"{name}: {ratio(rows, OURS):.2f} of bare msgspec's time{goal}")


def draw(result: dict[str, Any], path: Path) -> None:
    """A bar a way, of the decoding alone."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    axes = figure.subplots()
    told = {name.split(":")[0]: rows for name, rows in result["us"].items() if name.endswith("decode")}
    values = {f"{way}: {name}": median(times) for name, rows in told.items() for way, times in rows.items()}
    bars(axes, dict(reversed(values.items())), "%.1f", "µs a message (one core, median)")
    figure.savefig(path, dpi=110)


def main(words: Sequence[str]) -> None:
    """Measure, print, draw."""
    asked = options("json_feeds", rounds=41, messages=200).parse_args(words)
    result = measured(asked.rounds, asked.messages)
    describe(result)
    keep(result, asked, draw)


if __name__ == "__main__":
    main(sys.argv[1:])
