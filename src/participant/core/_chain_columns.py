# cython: language_level=3, cdivision=True, boundscheck=False, wraparound=False
# budget: all of it reads one block of numbers, by functions that are inlined where they stand in one file.
"""A chain in columns, as the log has it, and of a page, as a compiled kernel; `chain_columns_plain` is its twin.

Import `chain_columns`, never this file. What is too large for the numbers of C raises OverflowError, and the twin takes
it.
"""

import cython
from cython import (
    Py_ssize_t,
    bint,
    cast,
    ccall,
    cfunc,
    double,
    inline,
    longlong,
    p_char,
    p_double,
    p_longlong,
    p_uchar,
    ulonglong,
)
from cython.cimports.cpython.buffer import PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cython.cimports.cpython.bytearray import PyByteArray_AS_STRING
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cython.cimports.cpython.mem import PyMem_Free, PyMem_Malloc
from cython.cimports.libc.string import memcpy
from cython.cimports.participant.core._fields import field, number, number_at, place_of

from participant.core.market import Quote, Strike

IS_COMPILED = bool(cython.compiled)

# No difference of two numbers leaves 64 bits: prices and sizes lie below the one, times (ns) below the other.
EXACT = cython.declare(longlong, 1 << 52)
NAN = cython.declare(double, float("nan"))
FAR = cython.declare(longlong, (1 << 62) - 1)
FIELDS = cython.declare(Py_ssize_t, 5)
# Of each strike: the call's five, the put's five, whether each is there, the strike.
A_STRIKE = cython.declare(Py_ssize_t, 13)
QUOTE = cython.declare(object, Quote)
BID = cython.declare(Py_ssize_t, place_of(Quote, "bid"))
ASK = cython.declare(Py_ssize_t, place_of(Quote, "ask"))
BID_SIZE = cython.declare(Py_ssize_t, place_of(Quote, "bid_size"))
ASK_SIZE = cython.declare(Py_ssize_t, place_of(Quote, "ask_size"))
EXCHANGE_AT = cython.declare(Py_ssize_t, place_of(Quote, "exchange_at"))
ROW = cython.declare(object, Strike)
STRIKE = cython.declare(Py_ssize_t, place_of(Strike, "strike"))
CALL = cython.declare(Py_ssize_t, place_of(Strike, "call"))
PUT = cython.declare(Py_ssize_t, place_of(Strike, "put"))


@cfunc
@inline
@cython.exceptval(check=False)
def _divisor(known: longlong, number: longlong) -> longlong:
    """The greatest common divisor of what is known and one number more."""
    number = number if number >= 0 else -number
    if not known:
        return number
    # Mostly it divides the next number too, and one division, of doubles as that is quicker, says so.
    if number == known * cast(longlong, cast(double, number) / cast(double, known)):
        return known
    number %= known
    while number:
        known, number = number, known % number
    return known


@cfunc
@cython.exceptval(-1, check=True)
def _read(quote: object, into: p_longlong) -> bint:
    if quote is None:
        return False
    if type(quote) is not QUOTE:
        raise TypeError("a side of a strike is no quote")
    into[0] = number_at(quote, BID, EXACT)
    into[1] = number_at(quote, ASK, EXACT)
    into[2] = number_at(quote, BID_SIZE, EXACT)
    into[3] = number_at(quote, ASK_SIZE, EXACT)
    into[4] = number_at(quote, EXCHANGE_AT, FAR)
    return True


@cfunc
@inline
@cython.exceptval(check=False)
def _length(number: ulonglong) -> Py_ssize_t:
    """How many digits a number has."""
    more: Py_ssize_t = 0
    while number >= 10_000:
        number //= 10_000
        more += 4
    if number >= 100:
        return more + (4 if number >= 1_000 else 3)
    return more + (2 if number >= 10 else 1)


@cfunc
@inline
@cython.exceptval(check=False)
def _write(number: longlong, into: p_char, at: Py_ssize_t) -> Py_ssize_t:
    """The decimal digits of a number and a comma behind them, and where they end."""
    if number < 0:
        into[at] = 45
        at += 1
        number = -number
    left: ulonglong = cast(ulonglong, number)
    at += _length(left)
    end: Py_ssize_t = at
    while left >= 100:  # two digits at a time: the one division does not wait for the other
        rest: ulonglong = left // 100
        pair: ulonglong = left - 100 * rest
        at -= 2
        into[at] = cast(cython.char, 48 + pair // 10)
        into[at + 1] = cast(cython.char, 48 + pair % 10)
        left = rest
    if left >= 10:
        into[at - 2] = cast(cython.char, 48 + left // 10)
    into[at - 1] = cast(cython.char, 48 + left % 10)
    into[end] = 44
    return end + 1


@cfunc
def _column(text: p_char, end: Py_ssize_t) -> bytes:
    """What was written from 1 on, as a JSON array."""
    text[0] = 91
    if end == 1:
        end = 2
    text[end - 1] = 93
    return text[:end]


@cfunc
def _null(into: p_char, at: Py_ssize_t) -> Py_ssize_t:
    into[at] = 110
    into[at + 1] = 117
    into[at + 2] = into[at + 3] = 108
    into[at + 4] = 44
    return at + 5


@cfunc
def _side(numbers: p_longlong, is_there: p_longlong, count: Py_ssize_t, units: p_longlong, text: p_char) -> tuple:
    """The columns of one side; `units` are those of strikes, prices, sizes and ages, and the newest time."""
    found: list = []
    field: cython.int
    i: Py_ssize_t
    at: Py_ssize_t
    number: longlong
    for field in range(5):
        unit: double = cast(double, units[1 if field < 2 else 2])
        at = 1
        for i in range(count):
            if not is_there[i]:
                at = _null(text, at)
                continue
            number = numbers[FIELDS * i + field]
            if field == 1:
                number -= numbers[FIELDS * i]
            if field < 4:  # a multiple of its unit and below 2 ** 53: as doubles these divide without a rest
                number = cast(longlong, cast(double, number) / unit)
            else:
                number = units[4] - number
                number = number // units[3] if number else 0
            at = _write(number, text, at)
        found.append(_column(text, at))
    return tuple(found)


@cfunc
def _columns(numbers: p_longlong, count: Py_ssize_t, text: p_char) -> tuple:
    units: longlong[5]
    is_there: p_longlong = numbers + 2 * FIELDS * count
    strikes: p_longlong = is_there + 2 * count
    i: Py_ssize_t
    any_time: bint = False
    units[0] = units[1] = units[2] = units[3] = units[4] = 0
    for i in range(count):
        units[0] = _divisor(units[0], strikes[i])
    for i in range(2 * count):
        if is_there[i]:
            at: p_longlong = numbers + FIELDS * i
            units[1] = _divisor(_divisor(units[1], at[0]), at[1])
            units[2] = _divisor(_divisor(units[2], at[2]), at[3])
            if at[4] > units[4] or not any_time:
                units[4] = at[4]
            any_time = True
    for i in range(2 * count):
        if is_there[i]:
            units[3] = _divisor(units[3], units[4] - numbers[FIELDS * i + 4])
    for i in range(4):
        units[i] = units[i] or 1
    end: Py_ssize_t = 1
    for i in range(count):
        end = _write(strikes[i] // units[0] - (strikes[i - 1] // units[0] if i else 0), text, end)
    steps: bytes = _column(text, end)
    calls = _side(numbers, is_there, count, units, text)
    puts = _side(numbers + FIELDS * count, is_there + count, count, units, text)
    return units[4], (units[0], units[1], units[2], units[3]), steps, calls, puts


@ccall
def numbers_of(rows: tuple) -> bytes:
    """The numbers of a chain, side after side: what the other functions read."""
    count: Py_ssize_t = len(rows)
    found: bytes = PyBytes_FromStringAndSize(cython.NULL, A_STRIKE * count * cython.sizeof(longlong))
    numbers: p_longlong = cast(p_longlong, PyBytes_AS_STRING(found))
    is_there: p_longlong = numbers + 2 * FIELDS * count
    i: Py_ssize_t
    for i in range(count):
        row = rows[i]
        if type(row) is not ROW:
            raise TypeError("a row of a chain is no strike")
        is_there[2 * count + i] = number_at(row, STRIKE, EXACT)
        is_there[i] = _read(field(row, CALL), numbers + FIELDS * i)
        is_there[count + i] = _read(field(row, PUT), numbers + FIELDS * (count + i))
    return found


@ccall
def columns(rows: tuple) -> tuple:
    """A chain in columns (`chain_columns_plain.columns`)."""
    return columns_of(numbers_of(rows))


@ccall
def columns_of(numbers: bytes) -> tuple:
    """The same of its numbers.

    A number of 64 bits has 20 characters and a comma at most: with three numbers' room a row the text fits.
    """
    count: Py_ssize_t = len(numbers) // (A_STRIKE * cython.sizeof(longlong))
    text: p_char = cast(p_char, PyMem_Malloc((3 * count + 1) * cython.sizeof(longlong)))
    if not text:
        raise MemoryError
    try:
        return _columns(cast(p_longlong, PyBytes_AS_STRING(numbers)), count, text)
    finally:
        PyMem_Free(text)


# --- from a page ------------------------------------------------------------------------------------------------------


@cfunc
@inline
@cython.exceptval(check=False)
def _quote(fields: p_longlong, time: p_char, text: p_char, end: Py_ssize_t) -> Py_ssize_t:
    """A quote as JSON, a comma behind it, and where that ends; `time` is that of the quote as text, 24 bytes."""
    text[end] = 91
    end = _write(fields[0], text, end + 1)
    end = _write(fields[1], text, end)
    end = _write(fields[2], text, end)
    end = _write(fields[3], text, end)
    memcpy(text + end, time + 1, 24)
    end += time[0]
    text[end - 1] = 93
    text[end] = 44
    return end + 1


@cfunc
def _text(numbers: p_longlong, count: Py_ssize_t, at: longlong, text: p_char) -> bytes:
    """The strikes of a chain whose quotes are all of one time as JSON; `text` has 256 bytes a strike."""
    time: cython.char[32]
    is_there: p_longlong = numbers + 2 * FIELDS * count
    end: Py_ssize_t = 1
    i: Py_ssize_t
    side: cython.int
    time[0] = cast(cython.char, _write(at, time, 1) - 1)  # its length, and then it: what comes behind is not said
    for i in range(count):
        text[end] = 91
        end = _write(is_there[2 * count + i], text, end + 1)
        for side in range(2):
            if is_there[side * count + i]:
                end = _quote(numbers + FIELDS * (side * count + i), time, text, end)
            else:
                end = _null(text, end)
        text[end - 1] = 93
        text[end] = 44
        end += 1
    return _column(text, end)


@cfunc
def _quote_of(numbers: p_longlong, count: Py_ssize_t, place: Py_ssize_t) -> object:
    of: p_longlong = numbers + FIELDS * place
    return Quote(of[0], of[1], of[2], of[3], of[4]) if numbers[2 * FIELDS * count + place] else None


@ccall
def row_of(numbers: bytes, i: Py_ssize_t) -> object:
    """The strike at a place of a chain of these numbers; IndexError where it has none."""
    count: Py_ssize_t = len(numbers) // (A_STRIKE * cython.sizeof(longlong))
    of: p_longlong = cast(p_longlong, PyBytes_AS_STRING(numbers))
    if not 0 <= i < count:
        raise IndexError("a chain has no strike at this place")
    return Strike(of[A_STRIKE * count - count + i], _quote_of(of, count, i), _quote_of(of, count, count + i))


@ccall
def rows_of(numbers: bytes) -> tuple:
    """The strikes of a chain of these numbers."""
    return tuple([row_of(numbers, i) for i in range(len(numbers) // (A_STRIKE * cython.sizeof(longlong)))])


@ccall
def shown(strikes: object, seen: bytearray, page: object, begin: Py_ssize_t, at: object) -> tuple:
    """A page as a chain (`chain_columns_plain.shown`): its strikes as JSON, and the numbers for `rows_of`."""
    view: Py_buffer[6]
    held: cython.int = 0
    full: p_longlong = cython.NULL
    try:
        for column in (strikes, *page):
            PyObject_GetBuffer(column, cython.address(view[held]), PyBUF_SIMPLE)
            held += 1
        every: Py_ssize_t = view[0].len // cython.sizeof(longlong)
        room: Py_ssize_t = 8 * every * cython.sizeof(longlong)
        full = cast(p_longlong, PyMem_Malloc(room + 256 * every + 8))
        if not full:
            raise MemoryError
        _scatter(view, begin, full, 2 * every)
        found: bytes = _compact(full, cast(p_longlong, view[0].buf), every, seen, number(at, FAR))
        numbers: p_longlong = cast(p_longlong, PyBytes_AS_STRING(found))
        count: Py_ssize_t = len(found) // (A_STRIKE * cython.sizeof(longlong))
        return None, _text(numbers, count, number(at, FAR), cast(p_char, full) + room), found
    finally:
        PyMem_Free(full)
        while held > 0:
            held -= 1
            PyBuffer_Release(cython.address(view[held]))


@cfunc
@cython.exceptval(-1, check=True)
def _scatter(view: cython.pointer(Py_buffer), begin: Py_ssize_t, full: p_longlong, every: Py_ssize_t) -> cython.int:
    """The cells of a page at their places; IndexError where a column or a place is not there."""
    places: p_longlong = cast(p_longlong, view[1].buf)
    count: Py_ssize_t = view[1].len // cython.sizeof(longlong)
    i: Py_ssize_t
    field: cython.int
    for i in range(4 * every):
        full[i] = 0
    for field in range(4):
        figures: p_longlong = cast(p_longlong, view[2 + field].buf)
        if begin < 0 or (begin + count) * cython.sizeof(longlong) > view[2 + field].len:
            raise IndexError("a page is longer than its columns")
        for i in range(count):
            if not 0 <= places[i] < every:
                raise IndexError("a cell has no place in its expiry")
            number: longlong = figures[begin + i]
            if number > EXACT or number < -EXACT:
                raise OverflowError("a number of a quote is beyond all measure")
            full[4 * places[i] + field] = number
    return 0


@cfunc
def _compact(full: p_longlong, strikes: p_longlong, every: Py_ssize_t, seen: bytearray, at: longlong) -> bytes:
    """The numbers of the strikes that were seen; `seen` is kept up."""
    is_seen: p_uchar = cast(p_uchar, PyByteArray_AS_STRING(seen))
    count: Py_ssize_t = 0
    i: Py_ssize_t
    j: Py_ssize_t = 0
    if len(seen) != 2 * every:
        raise IndexError("it was seen of other strikes")
    for i in range(2 * every):
        if full[4 * i] or full[4 * i + 1]:
            is_seen[i] = 1
    for i in range(every):
        count += is_seen[i] or is_seen[every + i]
    found: bytes = PyBytes_FromStringAndSize(cython.NULL, A_STRIKE * count * cython.sizeof(longlong))
    numbers: p_longlong = cast(p_longlong, PyBytes_AS_STRING(found))
    is_there: p_longlong = numbers + 2 * FIELDS * count
    for i in range(every):
        if is_seen[i] or is_seen[every + i]:
            is_there[2 * count + j] = number(strikes[i], EXACT)
            is_there[j] = is_seen[i]
            is_there[count + j] = is_seen[every + i]
            _place(full + 4 * i, at, numbers + FIELDS * j)
            _place(full + 4 * (every + i), at, numbers + FIELDS * (count + j))
            j += 1
    return found


@cfunc
@inline
@cython.exceptval(check=False)
def _place(cell: p_longlong, at: longlong, into: p_longlong) -> cython.void:
    into[0] = cell[0]
    into[1] = cell[1]
    into[2] = cell[2]
    into[3] = cell[3]
    into[4] = at


@ccall
def middles(rows: tuple) -> tuple:
    """The middles of a chain and its strikes (`chain_columns_plain.middles`)."""
    return middles_of(numbers_of(rows))


@ccall
def middles_of(numbers: bytes) -> tuple:
    """The same of its numbers."""
    count: Py_ssize_t = len(numbers) // (A_STRIKE * cython.sizeof(longlong))
    of: p_longlong = cast(p_longlong, PyBytes_AS_STRING(numbers))
    found: bytes = PyBytes_FromStringAndSize(cython.NULL, 2 * count * cython.sizeof(double))
    strikes: bytes = PyBytes_FromStringAndSize(cython.NULL, 2 * count * cython.sizeof(double))
    into: p_double = cast(p_double, PyBytes_AS_STRING(found))
    strike: p_double = cast(p_double, PyBytes_AS_STRING(strikes))
    i: Py_ssize_t
    for i in range(2 * count):
        quote: p_longlong = of + FIELDS * i
        into[i] = cast(double, quote[0] + quote[1]) / 2.0 if _is_valid(of, count, i) else NAN
        strike[i] = cast(double, of[A_STRIKE * count - count + i % count])
    return found, strikes


@ccall
def parities_of(numbers: bytes, spot: object, reach: double, most: Py_ssize_t) -> list:
    """What `rows.parities` says of a chain of these numbers."""
    found: list = []
    count: Py_ssize_t = len(numbers) // (A_STRIKE * cython.sizeof(longlong))
    calls: p_longlong = cast(p_longlong, PyBytes_AS_STRING(numbers))
    strikes: p_longlong = calls + A_STRIKE * count - count
    at: longlong = number(spot, EXACT)
    above: Py_ssize_t = 0
    is_up: bint
    while above < count and strikes[above] < at:
        above += 1
    below: Py_ssize_t = above - 1
    while len(found) < most and (below >= 0 or above < count):
        is_up = below < 0 or (above < count and strikes[above] - at < at - strikes[below])
        place: Py_ssize_t = above if is_up else below
        if is_up:
            above += 1
        else:
            below -= 1
        strike: longlong = strikes[place]
        if cast(double, strike - at if strike > at else at - strike) > reach:
            break
        if _is_valid(calls, count, place) and _is_valid(calls, count, count + place):
            call: p_longlong = calls + FIELDS * place
            put: p_longlong = call + FIELDS * count
            level: double = cast(double, strike) + cast(double, call[0] + call[1]) / 2.0
            level -= cast(double, put[0] + put[1]) / 2.0
            found.append((level, 1.0 / cast(double, call[1] - call[0] + put[1] - put[0])))
    return found


@cfunc
@inline
@cython.exceptval(check=False)
def _is_valid(numbers: p_longlong, count: Py_ssize_t, place: Py_ssize_t) -> bint:
    quote: p_longlong = numbers + FIELDS * place
    return numbers[2 * FIELDS * count + place] and 0 < quote[0] < quote[1] and quote[2] > 0 and quote[3] > 0
