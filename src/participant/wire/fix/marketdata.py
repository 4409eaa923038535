"""FIX market data of the desk: 35=V asks, 35=W holds one instrument whole, 35=X what changed of many.

Bid, offer and trade are MDEntryType 0, 1 and 2; an index has a trade alone, its value, a stock may have all three. An
entry of 35=X that names no Symbol (or no time) has that of the entry before it. A side that is gone is a deletion
(MDUpdateAction 2).

Two user-defined messages, which real providers lack: `UM` ends an instant (60 its time, 893=Y when it is the session's
last) and `UH` says that the whole book stands as it is. A snapshot is one 35=W an instrument, each with the request's
MDReqID, and ends with the `UM` of the instant that it shows.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from participant.core.ladder import PRICE_MAX, Change
from participant.core.market import Tick
from participant.wire.fix.codec import SOH, Body, Message, body, body_of
from participant.wire.fix.grammar import rule
from participant.wire.fix.time import moment, timestamp
from participant.wire.json import Malformed
from participant.wire.rupees import price_of, rupees

REQUEST, SNAPSHOT, INCREMENT, MARK, HELD = "V", "W", "X", "UM", "UH"
KINDS = frozenset({SNAPSHOT, INCREMENT, MARK, HELD})
EVERYTHING = "[N/A]"  # FIX's Symbol for "none in particular": all that the provider has
REQUEST_RULE = rule("262! 263! 264! 265 266 267! 146!", {267: (269,), 146: (55, 48, 22, 167, 200, 205, 201, 202, 207)})
GROUP_MAX = 200
INSTRUMENTS_A_MESSAGE = 60  # of at most 3 entries each: within GROUP_MAX
SIZE_DIGITS_MAX = 12
_SIDES = _BID, _OFFER, _TRADE = "0", "1", "2"
_DELETE = "2"
TRADE = 2
NEW, DELETE = int(Change.NEW), int(Change.DELETE)


def request(request_id: str, levels_max: int = 0) -> Body:
    """Ask for everything: a snapshot, then what changes; of each side so many levels (0: the best alone)."""
    types = [(269, kind) for kind in _SIDES]
    head = [(262, request_id), (263, "1"), (264, str(levels_max or 1)), (265, "1"), (267, str(len(types)))]
    return body(REQUEST, [*head, *types, (146, "1"), (55, EVERYTHING)])


def mark(at: int, is_last: bool) -> Body:
    """All that belongs to instant `at` (ns UTC) has been said."""
    return body(MARK, [(60, timestamp(at)), (893, "Y" if is_last else "N")])


def held() -> Body:
    """The whole book stands: nothing new, nothing stale."""
    return body(HELD)


def full(request_id: str, tick: Tick) -> Body:
    """One instrument whole, in answer to a request: the sides that are there, or both at 0 to say that it is dark."""
    day, _, time = timestamp(tick.exchange_at).partition("-")
    entries = [
        f"269={kind}{SOH}270={rupees(price)}{SOH}271={size}{SOH}272={day}{SOH}273={time}{SOH}"
        for kind, price, size in [side for side in _sides(tick) if side[1]] or _sides(tick)
    ]
    return body_of(SNAPSHOT, f"262={request_id}{SOH}55={tick.contract}{SOH}268={len(entries)}{SOH}{''.join(entries)}")


def increments(ticks: Sequence[Tick]) -> Iterator[Body]:
    """What changed, as few messages as their bounds allow."""
    for start in range(0, len(ticks), INSTRUMENTS_A_MESSAGE):
        yield _increment(ticks[start : start + INSTRUMENTS_A_MESSAGE])


def _increment(ticks: Sequence[Tick]) -> Body:
    entries = []
    at = -1
    for tick in ticks:
        symbol, time = f"55={tick.contract}{SOH}", ""
        if tick.exchange_at != at:
            at = tick.exchange_at
            day, _, clock = timestamp(at).partition("-")
            time = f"272={day}{SOH}273={clock}{SOH}"
        for kind, price, size in _sides(tick):
            if price:
                said = f"270={rupees(price)}{SOH}271={size}{SOH}"
                entries.append(f"279=0{SOH}269={kind}{SOH}{symbol}{said}{time}")
            else:
                entries.append(f"279={_DELETE}{SOH}269={kind}{SOH}{symbol}{time}")
            symbol = time = ""
    return body_of(INCREMENT, f"268={len(entries)}{SOH}{''.join(entries)}")


def _sides(tick: Tick) -> tuple[tuple[str, int, int], ...]:
    sides = (_BID, tick.bid, tick.bid_size), (_OFFER, tick.ask, tick.ask_size)
    if tick.last:
        return ((_TRADE, tick.last, 0), *(sides if tick.bid or tick.ask else ()))
    return sides


# --- reading ----------------------------------------------------------------------------------------------------------


class Entry(NamedTuple):
    """What an entry says of an instrument: a `side` (0 bid, 1 offer, 2 trade), a Change (0 new, 1 change, 2 delete).

    A side or level that is gone has no size; `orders` is read where levels count, `at` (ns UTC) is 0 where none is
    said.
    """

    symbol: str
    side: int
    change: int
    price: int
    size: int
    orders: int
    at: int


def whole(message: Message, is_deep: bool = False) -> tuple[str, list[Entry]]:
    """The instrument of a 35=W and its entries; Malformed where it cannot be read. `is_deep`: of each side levels."""
    symbol = message.get(55)
    entries = [_entry(said, (symbol, _time(said)), is_deep) for said in _entries(message, 269)]
    return _symbol(symbol), entries


def changes(message: Message, is_deep: bool = False) -> list[Entry]:
    """The entries of a 35=X; Malformed where it cannot be read. `is_deep`: of each side levels."""
    found: list[Entry] = []
    symbol, at = "", 0
    for said in _entries(message, 279):
        symbol, at = _symbol(said.get(55, symbol)), _time(said) or at
        found.append(_entry(said, (symbol, at), is_deep))
    return found


def read_mark(message: Message) -> tuple[int, bool]:
    """The instant (ns UTC) that an `UM` ends, and whether it is the last; Malformed where it cannot be read."""
    try:
        return moment(message.get(60)), message.get(893) == "Y"
    except ValueError as error:
        raise Malformed(f"35=UM: {error}") from error


def _entry(said: Mapping[int, str], of: tuple[str, int], is_deep: bool) -> Entry:
    symbol, at = of
    try:
        side = _SIDES.index(said[269])
        change = _change(said.get(279, "0"), is_deep)
        is_level = is_deep and side != TRADE
        price = _price(said[270], is_level) if is_level or change != DELETE else 0
        size = _size(said.get(271, "0")) if change != DELETE else 0
        orders = _size(said.get(346, "0")) if is_level else 0
    except (KeyError, ValueError) as error:
        raise Malformed(f"a market data entry: {error}") from error
    return Entry(symbol, side, change, price, size, orders, at)


def _change(action: str, is_deep: bool) -> int:
    """A top of book is there or gone; a level changes as FIX says, as far as a ladder knows it."""
    if not is_deep:
        return DELETE if action == _DELETE else NEW
    return ("0", "1", _DELETE).index(action)


def _price(text: str, is_level: bool) -> int:
    price = price_of(text)
    if price > PRICE_MAX or (is_level and not price):
        raise ValueError(f"{text[:SIZE_DIGITS_MAX]!r} is not a price")
    return price


def _size(text: str) -> int:
    if len(text) > SIZE_DIGITS_MAX or not text.isdecimal():
        raise ValueError(f"{text[:SIZE_DIGITS_MAX]!r} is not a size")
    return int(text)


def _symbol(text: str) -> str:
    if not text:
        raise Malformed("market data without Symbol")
    return text


def _time(entry: Mapping[int, str]) -> int:
    """The time (ns UTC) of an entry, 0 where it says none."""
    if 272 not in entry or 273 not in entry:
        return 0
    try:
        return moment(f"{entry[272]}-{entry[273]}")
    except ValueError as error:
        raise Malformed(f"a market data entry: {error}") from error


def _entries(message: Message, first: int) -> list[dict[int, str]]:
    """The entries of NoMDEntries (268), each beginning with tag `first`."""
    entries: list[dict[int, str]] = []
    count = ""
    for tag, value in message.fields:
        if tag == 268:
            count = value
        elif tag == first and count:
            entries.append({tag: value})
        elif entries:
            entries[-1][tag] = value
    if len(entries) > GROUP_MAX or count != str(len(entries)):
        raise Malformed(f"NoMDEntries says {count[:8]!r}, there are {len(entries)} of at most {GROUP_MAX}")
    return entries
