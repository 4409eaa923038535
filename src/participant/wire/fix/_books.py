# cython: language_level=3, cdivision=True, boundscheck=False, wraparound=False
"""What a provider's FIX market data add up to, as a compiled kernel; `books_plain` is its twin.

Import `books`, never this file. A message is taken whole or not at all: what is not as plain as can be is left to the
plain way (`take`), which then says what is wrong with it.
"""
# budget: what is done for every entry stands in one place: a call for each field would cost as much as the field itself

import sys

import cython
from cython import Py_ssize_t, address, bint, cast, cfunc, longlong, pointer
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cython.cimports.cpython.mem import PyMem_Free, PyMem_Realloc
from cython.cimports.libc.string import memcmp, memcpy, memset
from cython.cimports.participant.core._ladder import Ladder
from cython.cimports.participant.wire.fix._reader import Reader, _moment

from participant.core.market import Tick
from participant.wire.fix.marketdata import INCREMENT, SNAPSHOT, changes, whole

IS_COMPILED = bool(cython.compiled) and sys.byteorder == "little"  # as the reader that it stands on

Bytes = cython.typedef(pointer(cython.const[cython.uchar]))

ENTRIES_MAX = cython.declare(cython.int, 200)
PRICE_MAX = cython.declare(longlong, (1 << 52) - 1)
LEVELS_MAX = cython.declare(longlong, 4096)
DIGITS_MAX = cython.declare(cython.int, 15)
SIZE_DIGITS_MAX = cython.declare(Py_ssize_t, 12)
TEXT_MAX = cython.declare(Py_ssize_t, 32)
TAGS = cython.declare(cython.int, 2_048)
DELETE = cython.declare(longlong, 2)
MISFIT = cython.declare(cython.int, 2)
TRADE = cython.declare(cython.int, 2)
# What an entry may say, by its place in `said`.
SYMBOL = cython.declare(cython.int, 0)
SIDE = cython.declare(cython.int, 1)
CHANGE = cython.declare(cython.int, 2)
PRICE = cython.declare(cython.int, 3)
SIZE = cython.declare(cython.int, 4)
DAY = cython.declare(cython.int, 5)
CLOCK = cython.declare(cython.int, 6)
ORDERS = cython.declare(cython.int, 7)
NOTHING = cython.declare(cython.int, 8)

Held = cython.struct(bid=longlong, ask=longlong, bid_size=longlong, ask_size=longlong, last=longlong, at=longlong,
                     is_changed=longlong)  # fmt: skip
Entry = cython.struct(of=longlong, side=longlong, change=longlong, price=longlong, size=longlong, orders=longlong,
                      at=longlong)  # fmt: skip


@cfunc
@cython.exceptval(check=False)
def _place(tag: cython.int) -> cython.int:
    """Where in `said` a field stands; NOTHING where it says nothing that counts."""
    if 269 <= tag <= 273:
        return SIDE if tag == 269 else PRICE if tag == 270 else SIZE if tag == 271 else DAY if tag == 272 else CLOCK
    if tag == 55:
        return SYMBOL
    if tag == 279:
        return CHANGE
    return ORDERS if tag == 346 else NOTHING


@cfunc
@cython.exceptval(check=False)
def _size(v: Bytes, n: Py_ssize_t) -> longlong:
    """A whole number of at most 12 digits; -1 where it is none."""
    number: longlong = 0
    i: Py_ssize_t
    if not 1 <= n <= SIZE_DIGITS_MAX:
        return -1
    for i in range(n):
        if not 48 <= v[i] <= 57:
            return -1
        number = number * 10 + v[i] - 48
    return number


@cfunc
@cython.exceptval(check=False)
def _price(v: Bytes, n: Py_ssize_t) -> longlong:
    """Rupees as 1/10,000; -1 where it is no price, or one with more digits than a plain one has."""
    number: longlong = 0
    places: cython.int = -1  # behind the point, once there is one
    digits: cython.int = 0
    i: Py_ssize_t
    if not 1 <= n <= TEXT_MAX or not 48 <= v[0] <= 57:
        return -1
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
        if digits > DIGITS_MAX:
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
    symbols: list
    ladders: list
    held: pointer(Held)
    changes: pointer(longlong)  # numbers of the instruments that have changed
    changed_count: Py_ssize_t
    room: Py_ssize_t
    last_name: bytes  # the instrument that was named last, and its number
    last: longlong
    entries: Entry[200]
    said: cython.int[9]  # fields of the entry at hand, 0 where there is none: 0 is MsgType

    def __init__(self, levels_max: longlong = 0):
        if not 0 <= levels_max <= LEVELS_MAX:
            raise ValueError(
                f"levels_max is {levels_max}: a ladder keeps 1 to {LEVELS_MAX} levels a side, 0 is the top"
            )
        self.levels_max = levels_max
        self.reader = Reader()
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
        self.names, self.symbols, self.ladders = {}, [], []
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
        found: list = []
        for i in range(self.changed_count):
            of: longlong = self.changes[i]
            one: pointer(Held) = self.held + of
            one.is_changed = False
            found.append(Tick(self.symbols[of], one.bid, one.ask, one.bid_size, one.ask_size, one.last, one.at))
        self.changed_count = 0
        return tuple(found)

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
            self.put(Entry(of, side, change, price, size, orders, at))

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
        if not self.is_read(v, len(data) - at) or reader.sizes[0] != 2 or memcmp(v + reader.starts[0], b"UM", 2) != 0:
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
        if not self.is_read(v, left) or self.reader.sizes[0] != 1:
            return 0
        kind: cython.uchar = v[self.reader.starts[0]]
        if kind != 87 and kind != 88:  # W, X
            return 0
        is_whole: bint = kind == 87
        if not is_whole and self.is_gathering:
            return 1
        count: cython.int = self.counted(v, is_whole)
        if count < 0:
            return 0
        if is_whole:
            return self.whole(v, count)
        return self.read(v, count, -1)

    @cfunc
    @cython.exceptval(check=False)
    def is_read(self, v: Bytes, left: Py_ssize_t) -> bint:
        """Whether the message that begins here has its right frame, a number, and no raw data in its fields."""
        reader: Reader = self.reader
        i: cython.int
        if left < 16 or memcmp(v, b"8=FIX.4.", 8) != 0 or v[9] != 1 or v[10] != 57 or v[11] != 61:
            return False
        if reader.frame(v, left) != 1 or not reader.tokenise():
            return False
        for i in range(1, reader.count):
            if reader.tags[i] < TAGS and reader.parts[reader.tags[i]]:
                return False
            if reader.tags[i] == 34 and (reader.sizes[i] > 9 or _size(v + reader.starts[i], reader.sizes[i]) < 0):
                return False
        return True

    @cfunc
    @cython.exceptval(check=False)
    def counted(self, v: Bytes, is_whole: bint) -> cython.int:
        """The field that says how many entries there are; -1 where there is none, or two."""
        found: cython.int = -1
        i: cython.int
        for i in range(1, self.reader.count):
            if self.reader.tags[i] == 268:
                if found >= 0:
                    return -1
                found = i
        if found < 0:
            return -1
        first: Bytes = v + self.reader.starts[found]
        n: Py_ssize_t = self.reader.sizes[found]
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
            self.put(self.entries[i])
        return 1

    @cfunc
    @cython.exceptval(-1)
    def read(self, v: Bytes, count: cython.int, of: longlong) -> cython.int:
        """What changed."""
        i: cython.int
        entries: cython.int = self.parsed(v, count, of)
        for i in range(entries):
            self.put(self.entries[i])
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
            place: cython.int = _place(tag)
            if tag == first:
                if entries == wanted or (entries and not self.entry(v, last, of, at, is_whole)):
                    return -1
                if entries:
                    of = last.of
                    at = 0 if is_whole else last.at
                last = address(self.entries[entries])
                memset(self.said, 0, 9 * cython.sizeof(cython.int))
                entries += 1
            elif place == NOTHING:
                continue
            elif not entries or self.said[place] or (is_whole and place in (SYMBOL, CHANGE)):
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
        """The number of the instrument of this name, which as a rule is the one named last."""
        if self.last >= 0 and n == len(self.last_name) and memcmp(v, PyBytes_AS_STRING(self.last_name), n) == 0:
            return self.last
        return self.named(PyBytes_FromStringAndSize(cast(pointer(cython.char), v), n))

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
    def put(self, one: Entry) -> cython.void:
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
            n: Py_ssize_t = ladder.halves[0].count
            held.bid = ladder.halves[0].keys[n - 1] if n else 0
            held.bid_size = ladder.halves[0].sizes[n - 1] if n else 0
            n = ladder.halves[1].count
            held.ask = -ladder.halves[1].keys[n - 1] if n else 0
            held.ask_size = ladder.halves[1].sizes[n - 1] if n else 0
        elif one.side:
            held.ask = one.price
            held.ask_size = one.size
        else:
            held.bid = one.price
            held.bid_size = one.size
