"""Kite's ticker: binary packets of one contract each, big-endian, in frames of many.

A frame is a count (2 bytes), then each packet's length (2 bytes) and the packet. A frame of one byte is a heartbeat.
The packet's length says its mode: 8 ltp, 28 and 32 quote and full of an index, 44 quote, 184 full with five levels a
side. Layout: https://kite.trade/docs/connect/v3/websocket/. The token's low byte is the segment, which says in what
prices are counted.
"""

from collections.abc import Iterator
from struct import Struct as Layout

from msgspec import Struct

from participant.core.market import SECOND
from participant.wire.refused import BadMessage, Refusal

CURRENCY, BSE_CURRENCY, COMMODITY = 3, 6, 12  # segments whose prices have more than two digits after the point
SCALES = {CURRENCY: 10**7, BSE_CURRENCY: 10**4, COMMODITY: 10**4}
PAISE, OUR_SCALE = 100, 10**4
LTP, INDEX_QUOTE, INDEX_FULL, QUOTE, FULL = 8, 28, 32, 44, 184
MODES = {LTP: "ltp", INDEX_QUOTE: "quote", INDEX_FULL: "full", QUOTE: "quote", FULL: "full"}
PACKETS_MAX = 3_000  # what one connection may subscribe to
LEVELS = 5

_COUNT, _HEAD = Layout(">H"), Layout(">Ii")
_INDEX, _INDEX_TIME = Layout(">4i"), Layout(">I")  # high, low, open, close
_TRADED, _TIMES, _LEVEL = Layout(">IiIII4i"), Layout(">5I"), Layout(">IiH2x")


class PacketLevel(Struct, frozen=True, gc=False):
    """A level of the depth: a price (1/10,000), a size in units, a count of orders."""

    price: int
    size: int
    orders: int


class Packet(Struct, frozen=True, gc=False):
    """What a packet says. Prices are 1/10,000, sizes units, times ns, 0 what it does not say.

    `ohlc` are open, high, low and close.
    """

    token: int
    mode: str
    last: int
    last_size: int = 0
    average: int = 0
    volume: int = 0
    buy_size: int = 0
    sell_size: int = 0
    ohlc: tuple[int, int, int, int] = (0, 0, 0, 0)
    last_trade_at: int = 0
    open_interest: int = 0
    open_interest_high: int = 0
    open_interest_low: int = 0
    at: int = 0
    bids: tuple[PacketLevel, ...] = ()
    asks: tuple[PacketLevel, ...] = ()


def packets(frame: bytes, rows_max: int = PACKETS_MAX) -> Iterator[Packet | Refusal]:
    """The packets of a frame, or why one is refused; none of a heartbeat. Raises BadMessage of a frame cut short."""
    if len(frame) == 1:
        return
    if len(frame) < _COUNT.size:
        raise BadMessage("an empty frame", "packets", 0)
    (count,), at = _COUNT.unpack_from(frame), _COUNT.size
    if count > rows_max:
        raise BadMessage(f"{count} packets, of at most {rows_max}", "packets", 0)
    for number in range(count):
        length = _COUNT.unpack_from(frame, at)[0] if at + _COUNT.size <= len(frame) else -1
        begin = at + _COUNT.size
        if length < 0 or begin + length > len(frame):
            raise BadMessage(f"packet {number + 1} of {count} is cut short", f"packets[{number}]", at)
        try:
            yield packet(frame[begin : begin + length])
        except ValueError as wrong:
            name = str(int.from_bytes(frame[begin : begin + 4])) if length >= LTP else ""
            yield Refusal(str(wrong), f"packets[{number}]", begin, name)
        at = begin + length
    if at != len(frame):
        raise BadMessage(f"{len(frame) - at} bytes after the last packet", "packets", at)


def packet(body: bytes) -> Packet:
    """One packet without its length; raises ValueError."""
    mode = MODES.get(len(body))
    if mode is None:
        raise ValueError(f"a packet of {len(body)} bytes, not one of {', '.join(map(str, MODES))}")
    token, last = _HEAD.unpack_from(body)
    scale = SCALES.get(token & 0xFF, PAISE)
    if len(body) in {INDEX_QUOTE, INDEX_FULL}:
        return _index(body, token, mode, scale)
    return Packet(token, mode, _price(last, scale)) if len(body) == LTP else _traded(body, token, mode, scale)


def _index(body: bytes, token: int, mode: str, scale: int) -> Packet:
    last = _HEAD.unpack_from(body)[1]
    high, low, first, close = (_price(value, scale) for value in _INDEX.unpack_from(body, _HEAD.size))
    at = _INDEX_TIME.unpack_from(body, INDEX_QUOTE)[0] if len(body) == INDEX_FULL else 0
    return Packet(token, mode, _price(last, scale), ohlc=(first, high, low, close), at=at * SECOND)


def _traded(body: bytes, token: int, mode: str, scale: int) -> Packet:
    last = _price(_HEAD.unpack_from(body)[1], scale)
    last_size, average, volume, buy, sell, *prices = _TRADED.unpack_from(body, _HEAD.size)
    first, high, low, close = (_price(value, scale) for value in prices)
    said = (token, mode, last, last_size, _price(average, scale), volume, buy, sell, (first, high, low, close))
    if mode == "quote":
        return Packet(*said)
    traded_at, interest, most, least, at = _TIMES.unpack_from(body, QUOTE)
    levels = [_level(body, QUOTE + _TIMES.size + n * _LEVEL.size, scale) for n in range(2 * LEVELS)]
    times = (traded_at * SECOND, interest, most, least, at * SECOND)
    return Packet(*said, *times, tuple(levels[:LEVELS]), tuple(levels[LEVELS:]))


def _level(body: bytes, at: int, scale: int) -> PacketLevel:
    size, price, orders = _LEVEL.unpack_from(body, at)
    return PacketLevel(_price(price, scale), size, orders)


def _price(value: int, scale: int) -> int:
    """A price in 1/10,000. ValueError where it is negative or finer than that."""
    price, rest = divmod(value * OUR_SCALE, scale)
    if value < 0 or rest:
        raise ValueError(f"{value} by {scale} is {'negative' if value < 0 else 'finer than 1/10,000'}")
    return price
