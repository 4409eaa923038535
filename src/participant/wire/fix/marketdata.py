"""FIX market data of the desk: 35=V asks, 35=W holds one instrument whole, 35=X what changed of many.

Bid, offer and trade are MDEntryType 0, 1 and 2; an index has a trade alone, its value, a stock may have all three. An
entry of 35=X that names no Symbol (or no time) has that of the entry before it. A side that is gone is a deletion
(MDUpdateAction 2).

Two user-defined messages, which real providers lack: `UM` ends an instant (60 its time, 893=Y when it is the session's
last) and `UH` says that the whole book stands as it is. A snapshot is one 35=W an instrument, each with the request's
MDReqID, and ends with the `UM` of the instant that it shows.
"""

from collections.abc import Iterator, Mapping, Sequence

from participant.core.market import Tick
from participant.wire.fix.codec import SOH, Body, Message, body, body_of
from participant.wire.fix.grammar import rule
from participant.wire.fix.time import nanoseconds, timestamp
from participant.wire.json import Malformed
from participant.wire.rupees import price_of, rupees

REQUEST, SNAPSHOT, INCREMENT, MARK, HELD = "V", "W", "X", "UM", "UH"
EVERYTHING = "[N/A]"  # FIX's Symbol for "none in particular": all that the provider has
REQUEST_RULE = rule("262! 263! 264! 265 266 267! 146!", {267: (269,), 146: (55, 48, 22, 167, 200, 205, 201, 202, 207)})
GROUP_MAX = 200
INSTRUMENTS_A_MESSAGE = 60  # of at most 3 entries each: within GROUP_MAX
SIZE_DIGITS_MAX = 12
_BID, _OFFER, _TRADE = "0", "1", "2"
_DELETE = "2"


def request(request_id: str) -> Body:
    """Ask for everything: a snapshot, then what changes, top of book."""
    types = [(269, kind) for kind in (_BID, _OFFER, _TRADE)]
    head = [(262, request_id), (263, "1"), (264, "1"), (265, "1"), (267, str(len(types)))]
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


def read_full(message: Message) -> Tick:
    """The instrument of a 35=W; Malformed where it cannot be read."""
    held = [0, 0, 0, 0, 0, 0]
    for entry in _entries(message, 269):
        _fold(held, entry, _time(entry))
    return _tick(_symbol(message.get(55)), held)


def read_increment(message: Message, book: Mapping[str, Tick]) -> tuple[Tick, ...]:
    """The instruments that a 35=X changed, folded onto what `book` holds; Malformed where it cannot be read."""
    changed: dict[str, list[int]] = {}
    symbol, at = "", 0
    for entry in _entries(message, 279):
        symbol = entry.get(55, symbol)
        at = _time(entry) or at
        held = changed.get(symbol)
        if held is None:
            tick = book.get(_symbol(symbol))
            held = list(_figures(tick)) if tick else [0, 0, 0, 0, 0, 0]
            changed[symbol] = held
        _fold(held, entry, at)
    return tuple(_tick(name, figures) for name, figures in changed.items())


def read_mark(message: Message) -> tuple[int, bool]:
    """The instant (ns UTC) that an `UM` ends, and whether it is the last; Malformed where it cannot be read."""
    try:
        return nanoseconds(message.get(60)), message.get(893) == "Y"
    except ValueError as error:
        raise Malformed(f"35=UM: {error}") from error


def _figures(tick: Tick) -> tuple[int, int, int, int, int, int]:
    return (tick.bid, tick.ask, tick.bid_size, tick.ask_size, tick.last, tick.exchange_at)


def _tick(symbol: str, held: list[int]) -> Tick:
    bid, ask, bid_size, ask_size, last, at = held
    return Tick(symbol, bid, ask, bid_size, ask_size, last, at)


def _fold(held: list[int], entry: Mapping[int, str], at: int) -> None:
    """Put one entry into [bid, ask, bid size, ask size, last, exchange time]."""
    try:
        is_gone = entry.get(279) == _DELETE
        price = 0 if is_gone else price_of(entry[270])
        size = 0 if is_gone else _size(entry.get(271, "0"))
        side = (_BID, _OFFER, _TRADE).index(entry[269])
    except (KeyError, ValueError) as error:
        raise Malformed(f"a market data entry: {error}") from error
    if side == 2:
        held[4] = price
    else:
        held[side], held[2 + side] = price, size
    held[5] = at or held[5]


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
        return nanoseconds(f"{entry[272]}-{entry[273]}")
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
