# cython: language_level=3, cdivision=True, boundscheck=False, wraparound=False
"""What a provider's FIX market data add up to, as a compiled kernel; `books_plain` is its twin.

Import `books`, never this file. A message is taken whole or not at all: what is not as plain as can be is left to the
plain way (`take`), which then says what is wrong with it.
"""
# budget: what is done for every entry stands in one place: a call for each field would cost as much as the field itself

import sys

import cython
from cython import Py_ssize_t, address, bint, cast, cfunc, inline, longlong, pointer, ulonglong
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cython.cimports.cpython.mem import PyMem_Free, PyMem_Realloc
from cython.cimports.cpython.ref import Py_INCREF
from cython.cimports.cpython.tuple import PyTuple_New, PyTuple_SET_ITEM
from cython.cimports.libc.string import memcmp, memcpy, memset
from cython.cimports.participant.core._ladder import Ladder
from cython.cimports.participant.wire.fix._reader import ONES, TOPS, Reader, _moment, trailing_zeros

from participant.core.market import Tick
from participant.wire.fix.marketdata import INCREMENT, SNAPSHOT, changes, whole

IS_COMPILED = bool(cython.compiled) and sys.byteorder == "little"  # as the reader that it stands on

Bytes = cython.typedef(pointer(cython.const[cython.uchar]))

PRICE_MAX = cython.declare(longlong, (1 << 52) - 1)

Held = cython.struct(bid=longlong, ask=longlong, bid_size=longlong, ask_size=longlong, last=longlong, at=longlong,
                     is_changed=longlong)  # fmt: skip
Entry = cython.struct(of=longlong, side=longlong, change=longlong, price=longlong, size=longlong, orders=longlong,
                      at=longlong)  # fmt: skip


@cfunc
@inline
@cython.exceptval(check=False)
def _eight(v: Bytes, n: Py_ssize_t) -> ulonglong:
    """One to eight bytes as one number, the last the highest, with 0 as a digit in front.

    Behind any field stands the CheckSum, so that eight bytes can be read.
    """
    eight: ulonglong
    memcpy(address(eight), v, 8)
    return eight << (64 - 8 * n) | ONES * 48 >> (8 * n - 8) >> 8


@cfunc
@inline
@cython.exceptval(check=False)
def _spot(v: Bytes, n: Py_ssize_t) -> Py_ssize_t:
    """Which of the SPOTS a name has, by its beginning, its middle and its end. Behind it are eight bytes at least."""
    first: ulonglong
    middle: ulonglong = 0
    last: ulonglong = 0
    if n < 8:
        first = _eight(v, n)
    else:
        memcpy(address(first), v, 8)
        memcpy(address(middle), v + (n >> 1) - 4, 8)
        memcpy(address(last), v + n - 8, 8)
    return cast(Py_ssize_t, (((first * MIXER) ^ middle) * MIXER ^ last) * MIXER >> SPOT_SHIFT)


@cfunc
@inline
@cython.exceptval(check=False)
def _digits(eight: ulonglong) -> longlong:
    """The number that eight digits are; -1 where one is none."""
    eight ^= ONES * 48
    if (eight | (eight + ONES * 6)) & (ONES * 0xF0):
        return -1
    eight = (eight * 10 + (eight >> 8)) & PAIRS
    eight = (eight * 100 + (eight >> 16)) & FOURS
    return cast(cython.uint, eight * 10_000 + (eight >> 32))


@cfunc
@inline
@cython.exceptval(check=False)
def _size(v: Bytes, n: Py_ssize_t) -> longlong:
    """A whole number of at most 12 digits; -1 where it is none."""
    number: longlong = 0
    i: Py_ssize_t
    if 1 <= n <= 8:
        return _digits(_eight(v, n))
    if not 1 <= n <= SIZE_DIGITS_MAX:
        return -1
    for i in range(n):
        if not 48 <= v[i] <= 57:
            return -1
        number = number * 10 + v[i] - 48
    return number


@cfunc
@inline
@cython.exceptval(check=False)
def _short_price(v: Bytes, n: Py_ssize_t) -> longlong:
    """Rupees as 1/10,000, in one to eight bytes that begin with a digit; below 0 where it wants a closer look."""
    eight: ulonglong = _eight(v, n)
    point: ulonglong = eight ^ (ONES * 46)
    point = (point - ONES) & ~point & TOPS  # the top bit of every byte that is one; right up to the first
    if not point:
        return _digits(eight) * 10_000
    bits: cython.int = trailing_zeros(point) - 7  # in front of it
    front: ulonglong = eight & ((cast(ulonglong, 1) << bits) - 1)
    number: longlong = _digits((eight >> bits >> 8 << bits << 8) | (front << 8) | 48)
    if number < 0:
        return -1
    if bits == 40:  # two decimals, as nearly all have
        return number * 100
    return number * 10_000 if bits == 56 else number * 1_000 if bits == 48 else number * 10 if bits == 32 else -1


@cfunc
@cython.exceptval(check=False)
def _price(v: Bytes, n: Py_ssize_t) -> longlong:
    """Rupees as 1/10,000; -1 where it is no price, or one with more digits than a plain one has."""
    number: longlong = 0
    places: cython.int = -1  # behind the point, once there is one
    digits: cython.int = 0
    i: Py_ssize_t
    if not 1 <= n <= PRICE_TEXT_MAX or not 48 <= v[0] <= 57:
        return -1
    if n <= 8:
        number = _short_price(v, n)
        if number >= 0:
            return number
        number = 0
    for i in range(n):
        if v[i] == 46 and places < 0:
            places = 0
            continue
        if not 48 <= v[i] <= 57:
            return -1
        if places >= 4:
            if v[i] != 48:
                return -1
            continue
        number = number * 10 + v[i] - 48
        digits += number > 0
        if digits > PRICE_DIGITS_MAX:
            return -1
        if places >= 0:
            places += 1
    places = max(places, 0)
    while places < 4:
        if number > PRICE_MAX:
            return -1
        number *= 10
        places += 1
    return number if number <= PRICE_MAX else -1


@cython.final
@cython.cclass
class Books:
    """The books of one provider's instruments: what each method does, `books_plain` says."""

    levels_max = cython.declare(longlong, visibility="readonly")
    misfits = cython.declare(longlong, visibility="readonly")
    is_gathering = cython.declare(bint, visibility="readonly")
    broken = cython.declare(str, visibility="readonly")
    reader: Reader
    request: bytes
    names: dict  # of an instrument, as its bytes -> its number
    keys: list  # the names by number, as bytes
    symbols: list
    ladders: list
    held: pointer(Held)
    changes: pointer(longlong)  # numbers of the instruments that have changed
    changed_count: Py_ssize_t
    room: Py_ssize_t
    last_name: bytes  # the instrument that was named last, and its number
    last: longlong
    spots: cython.int[4_096]  # one behind the number of the instrument that was last found there, 0: none was
    entries: Entry[200]
    said: cython.int[8]  # fields of the entry at hand, 0 where there is none: 0 is MsgType
    places: cython.uchar[512]  # where in `said` a field stands

    def __init__(self, levels_max: longlong = 0):
        if not 0 <= levels_max <= LEVELS_MAX:
            raise ValueError(
                f"levels_max is {levels_max}: a ladder keeps 1 to {LEVELS_MAX} levels a side, 0 is the top"
            )
        self.levels_max = levels_max
        self.reader = Reader()
        memset(self.places, NOTHING, KNOWN_TAGS)
        for place, tag in enumerate((55, 269, 279, 270, 271, 272, 273, 346)):  # SYMBOL to ORDERS
            self.places[cast(cython.int, tag)] = place
        self.places[34] = self.places[268] = ASTRAY
        self.ask("")

    def __dealloc__(self):
        PyMem_Free(self.held)
        PyMem_Free(self.changes)

    def __len__(self):
        return len(self.symbols)

    def ask(self, request_id: str):
        self.request = request_id.encode("latin-1")
        self.is_gathering = True
        self.broken = ""
        self.names, self.keys, self.symbols, self.ladders = {}, [], [], []
        memset(self.spots, 0, SPOTS * cython.sizeof(cython.int))
        self.changed_count = 0
        self.last_name, self.last = b"", -1

    def stand(self):
        of: Py_ssize_t
        count: Py_ssize_t = len(self.symbols)
        if self.is_gathering:
            if not count:
                return ()
            self.is_gathering = False
        for of in range(count):
            self.changes[of] = of
        self.changed_count = count
        return self.changed()

    def changed(self):
        i: Py_ssize_t
        if self.is_gathering or not self.changed_count:
            return ()
        found: tuple = PyTuple_New(self.changed_count)
        at: longlong = -1
        for i in range(self.changed_count):
            of: longlong = self.changes[i]
            one: pointer(Held) = self.held + of
            one.is_changed = False
            if self.levels_max:
                self.look(one, self.ladders[of])
            if one.at != at:
                at = one.at
                said_at: object = at  # one number for all that were spoken of at once
            tick: object = Tick(self.symbols[of], one.bid, one.ask, one.bid_size, one.ask_size, one.last, said_at)
            Py_INCREF(tick)  # the tuple keeps it
            PyTuple_SET_ITEM(found, i, tick)
        self.changed_count = 0
        return found

    def ladder(self, symbol: str):
        of = self.names.get(symbol.encode("latin-1"))
        return None if of is None or not self.levels_max else self.ladders[of]

    def take(self, message):
        kind = message.msg_type
        of: longlong
        if kind == SNAPSHOT and message.get(262).encode("latin-1") == self.request:
            symbol, entries = whole(message, self.levels_max > 0)
            of = self.named(symbol.encode("latin-1"))
            self.blank(of)
        elif kind == INCREMENT and not self.is_gathering:
            entries = changes(message, self.levels_max > 0)
        else:
            return
        for symbol, side, change, price, size, orders, at in entries:
            of = self.named(symbol.encode("latin-1"))
            entry: Entry = Entry(of, side, change, price, size, orders, at)
            self.put(address(entry))

    def fold(self, data: bytes, at: Py_ssize_t):
        v: Bytes = cast(Bytes, PyBytes_AS_STRING(data))
        size: Py_ssize_t = len(data)
        while at < size and not self.broken and self.folded(v + at, size - at):
            at += self.reader.end
        return at

    def mark(self, data: bytes, at: Py_ssize_t):
        v: Bytes = cast(Bytes, PyBytes_AS_STRING(data)) + at
        reader: Reader = self.reader
        instant: longlong = -1
        last: cython.int = 0
        i: cython.int
        if not self.is_framed(v, len(data) - at) or not self.is_numbered(v):
            return None
        if reader.sizes[0] != 2 or memcmp(v + reader.starts[0], b"UM", 2) != 0:
            return None
        for i in range(1, reader.count):
            if reader.tags[i] == 60:
                if instant >= 0:
                    return None
                instant = _moment(v + reader.starts[i], reader.sizes[i])
            elif reader.tags[i] == 893 and not last:  # the first counts
                last = i
        if instant < 0:
            return None
        is_last: bint = last and reader.sizes[last] == 1 and v[reader.starts[last]] == 89
        return (instant, is_last, at + reader.end)

    # --- a message ----------------------------------------------------------------------------------------------------

    @cfunc
    @cython.exceptval(-1)
    def folded(self, v: Bytes, left: Py_ssize_t) -> cython.int:
        """Whether the message that begins here was taken."""
        if not self.is_framed(v, left) or self.reader.sizes[0] != 1:
            return 0
        kind: cython.uchar = v[self.reader.starts[0]]
        if kind != 87 and kind != 88:  # W, X
            return 0
        is_whole: bint = kind == 87
        if not is_whole and self.is_gathering:
            return self.is_numbered(v)
        count: cython.int = self.counted(v)
        if count < 0:
            return 0
        if is_whole:
            return self.whole(v, count)
        return self.read(v, count, -1)

    @cfunc
    @cython.exceptval(check=False)
    def is_framed(self, v: Bytes, left: Py_ssize_t) -> bint:
        """Whether the message that begins here has its right frame, and no raw data in its fields."""
        if left < 16 or memcmp(v, b"8=FIX.4.", 8) != 0 or v[9] != 1 or v[10] != 57 or v[11] != 61:
            return False
        return self.reader.frame(v, left) == 1 and self.reader.tokenise() and not self.reader.is_raw

    @cfunc
    @inline
    @cython.exceptval(check=False)
    def is_number(self, v: Bytes, i: cython.int) -> bint:
        """Whether a MsgSeqNum is one."""
        return self.reader.sizes[i] <= 9 and _size(v + self.reader.starts[i], self.reader.sizes[i]) >= 0

    @cfunc
    @cython.exceptval(check=False)
    def is_numbered(self, v: Bytes) -> bint:
        """Whether each MsgSeqNum of the message is one."""
        i: cython.int
        for i in range(1, self.reader.count):
            if self.reader.tags[i] == 34 and not self.is_number(v, i):
                return False
        return True

    @cfunc
    @cython.exceptval(check=False)
    def counted(self, v: Bytes) -> cython.int:
        """The field that says how many entries there are; -1 where there is none, or no number."""
        reader: Reader = self.reader
        found: cython.int = 1
        while found < reader.count and reader.tags[found] != 268:
            if reader.tags[found] == 34 and not self.is_number(v, found):
                return -1
            found += 1
        if found >= reader.count:
            return -1
        first: Bytes = v + reader.starts[found]
        n: Py_ssize_t = reader.sizes[found]
        if not 1 <= n <= 3 or (first[0] == 48 and n > 1) or not 0 <= _size(first, n) <= ENTRIES_MAX:
            return -1
        return found

    @cfunc
    @cython.exceptval(-1)
    def whole(self, v: Bytes, count: cython.int) -> cython.int:
        """A snapshot of an instrument, where it is one that was asked for."""
        reader: Reader = self.reader
        name: cython.int = 0
        request: cython.int = 0
        i: cython.int
        for i in range(1, reader.count):
            if i > count and (reader.tags[i] == 34 or reader.tags[i] == 268):
                return 0
            if reader.tags[i] == 55 or reader.tags[i] == 262:
                if i > count or (name if reader.tags[i] == 55 else request):
                    return 0
                if reader.tags[i] == 55:
                    name = i
                else:
                    request = i
        wanted: Py_ssize_t = len(self.request)
        if not name or not request:
            return 0
        if reader.sizes[request] != wanted:
            return 1
        if memcmp(v + reader.starts[request], PyBytes_AS_STRING(self.request), wanted) != 0:
            return 1
        of: longlong = self.number(v + reader.starts[name], reader.sizes[name])
        entries: cython.int = self.parsed(v, count, of)
        if entries < 0:
            return 0
        self.blank(of)
        for i in range(entries):
            self.put(address(self.entries[i]))
        return 1

    @cfunc
    @cython.exceptval(-1)
    def read(self, v: Bytes, count: cython.int, of: longlong) -> cython.int:
        """What changed."""
        i: cython.int
        entries: cython.int = self.parsed(v, count, of)
        for i in range(entries):
            self.put(address(self.entries[i]))
        return entries >= 0

    @cfunc
    @cython.exceptval(-2)
    def parsed(self, v: Bytes, count: cython.int, of: longlong) -> cython.int:
        """Read the entries behind their count, of one instrument (`of`) or of many (-1): how many, -1: not plain."""
        reader: Reader = self.reader
        first: cython.int = 269 if of >= 0 else 279
        wanted: longlong = _size(v + reader.starts[count], reader.sizes[count])
        at: longlong = 0
        entries: cython.int = 0
        is_whole: bint = of >= 0
        last: pointer(Entry) = self.entries
        i: cython.int
        for i in range(count + 1, reader.count):
            tag: cython.int = reader.tags[i]
            place: cython.int = self.places[tag] if tag < KNOWN_TAGS else NOTHING
            if tag == first:
                if entries == wanted or (entries and not self.entry(v, last, of, at, is_whole)):
                    return -1
                if entries:
                    of = last.of
                    at = 0 if is_whole else last.at
                last = address(self.entries[entries])
                memset(self.said, 0, PLACES * cython.sizeof(cython.int))
                entries += 1
            elif place == NOTHING:
                continue
            elif not entries or place == ASTRAY or self.said[place] or (is_whole and place in (SYMBOL, CHANGE)):
                return -1
            self.said[place] = i
        if entries != wanted:
            return -1
        if entries and not self.entry(v, last, of, at, is_whole):
            return -1
        return entries

    @cfunc
    @cython.exceptval(-1)
    def entry(self, v: Bytes, one: pointer(Entry), of: longlong, at: longlong, is_whole: bint) -> cython.int:
        """Read the entry at hand; 0 where it is not plain. `of` and `at` are those of the entry before it."""
        starts: pointer(cython.int) = self.reader.starts
        sizes: pointer(cython.int) = self.reader.sizes
        said: pointer(cython.int) = self.said
        is_deep: bint = self.levels_max > 0
        if said[SYMBOL]:
            of = self.number(v + starts[said[SYMBOL]], sizes[said[SYMBOL]])
        if of < 0 or not said[SIDE] or sizes[said[SIDE]] != 1 or not 48 <= v[starts[said[SIDE]]] <= 50:
            return 0
        one.of = of
        one.side = v[starts[said[SIDE]]] - 48
        one.change = 0
        if said[CHANGE]:
            letter: cython.uchar = v[starts[said[CHANGE]]] if sizes[said[CHANGE]] == 1 else 0
            if is_deep and not 48 <= letter <= 50:
                return 0
            one.change = letter - 48 if is_deep else DELETE if letter == 50 else 0
        is_level: bint = is_deep and one.side != TRADE
        one.price = 0
        if is_level or one.change != DELETE:
            one.price = _price(v + starts[said[PRICE]], sizes[said[PRICE]]) if said[PRICE] else -1
            if one.price < is_level:
                return 0
        one.size = 0
        if said[SIZE] and one.change != DELETE:
            one.size = _size(v + starts[said[SIZE]], sizes[said[SIZE]])
        one.orders = 0
        if said[ORDERS] and is_level:
            one.orders = _size(v + starts[said[ORDERS]], sizes[said[ORDERS]])
        one.at = at
        if said[DAY] and said[CLOCK]:
            one.at = self.moment(v)
        return one.size >= 0 and one.orders >= 0 and one.at >= 0

    @cfunc
    @cython.exceptval(check=False)
    def moment(self, v: Bytes) -> longlong:
        """The time of the entry at hand, which stands in two fields; -1 where it is none."""
        text: cython.uchar[32]
        clock: Bytes = v + self.reader.starts[self.said[CLOCK]]
        n: Py_ssize_t = self.reader.sizes[self.said[CLOCK]]
        if self.reader.sizes[self.said[DAY]] != 8 or not 8 <= n <= 18:
            return -1
        memcpy(text, v + self.reader.starts[self.said[DAY]], 8)
        text[8] = 45
        memcpy(address(text[9]), clock, n)
        return _moment(text, 9 + n)

    # --- an instrument ------------------------------------------------------------------------------------------------

    @cfunc
    @cython.exceptval(-1)
    def number(self, v: Bytes, n: Py_ssize_t) -> longlong:
        """The number of the instrument of this name, which as a rule is the one named last, or stands on its spot."""
        if self.last >= 0 and n == len(self.last_name) and memcmp(v, PyBytes_AS_STRING(self.last_name), n) == 0:
            return self.last
        spot: pointer(cython.int) = self.spots + _spot(v, n)
        if spot[0]:
            name: bytes = self.keys[spot[0] - 1]
            if n == len(name) and memcmp(v, PyBytes_AS_STRING(name), n) == 0:
                self.last_name, self.last = name, spot[0] - 1
                return self.last
        of: longlong = self.named(PyBytes_FromStringAndSize(cast(pointer(cython.char), v), n))
        spot[0] = of + 1
        return of

    @cfunc
    @cython.exceptval(-1)
    def named(self, name: bytes) -> longlong:
        """The number of an instrument; one that was not named yet gets the next."""
        found = self.names.get(name)
        of: longlong = len(self.symbols) if found is None else found
        if found is None:
            self.reserve(of + 1)
            memset(self.held + of, 0, cython.sizeof(Held))
            self.names[name] = of
            self.keys.append(name)
            self.symbols.append(name.decode("latin-1"))
            if self.levels_max:
                ladder: Ladder = Ladder(self.levels_max)
                ladder.empty(True)
                self.ladders.append(ladder)
        self.last_name, self.last = name, of
        return of

    @cfunc
    @cython.exceptval(-1)
    def reserve(self, wanted: Py_ssize_t) -> cython.int:
        if wanted <= self.room:
            return 0
        room: Py_ssize_t = 2 * wanted + 62
        held: pointer(Held) = cast(pointer(Held), PyMem_Realloc(self.held, room * cython.sizeof(Held)))
        if not held:
            raise MemoryError
        self.held = held
        numbers: pointer(longlong) = cast(
            pointer(longlong), PyMem_Realloc(self.changes, room * cython.sizeof(longlong))
        )
        if not numbers:
            raise MemoryError
        self.changes = numbers
        self.room = room
        return 0

    @cfunc
    def blank(self, of: longlong) -> cython.void:
        """Nothing is known of an instrument but its name, and when it was spoken of last."""
        at: longlong = self.held[of].at
        is_changed: longlong = self.held[of].is_changed
        memset(self.held + of, 0, cython.sizeof(Held))
        self.held[of].is_changed = is_changed
        self.held[of].at = at
        self.touch(of)
        if self.levels_max:
            cast(Ladder, self.ladders[of]).empty(True)

    @cfunc
    @cython.exceptval(check=False)
    def touch(self, of: longlong) -> cython.void:
        if not self.held[of].is_changed:
            self.held[of].is_changed = True
            self.changes[self.changed_count] = of
            self.changed_count += 1

    @cfunc
    def put(self, one: pointer(Entry)) -> cython.void:
        """What an entry says, put where it belongs."""
        held: pointer(Held) = self.held + one.of
        self.touch(one.of)
        held.at = max(held.at, one.at)
        if one.side == TRADE:
            held.last = one.price
        elif self.levels_max:
            ladder: Ladder = self.ladders[one.of]
            if ladder.put(one.side, one.change, one.price, one.size, one.orders) == MISFIT:
                self.misfits += 1
            if not ladder.is_valid and not self.broken:
                self.broken = self.symbols[one.of]
        elif one.side:
            held.ask = one.price
            held.ask_size = one.size
        else:
            held.bid = one.price
            held.bid_size = one.size

    @cfunc
    @cython.exceptval(check=False)
    def look(self, held: pointer(Held), ladder: Ladder) -> cython.void:
        """The top of a ladder."""
        n: Py_ssize_t = ladder.halves[0].count
        held.bid = ladder.halves[0].keys[n - 1] if n else 0
        held.bid_size = ladder.halves[0].sizes[n - 1] if n else 0
        n = ladder.halves[1].count
        held.ask = -ladder.halves[1].keys[n - 1] if n else 0
        held.ask_size = ladder.halves[1].sizes[n - 1] if n else 0
