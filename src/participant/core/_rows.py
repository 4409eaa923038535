# cython: language_level=3, cdivision=True, boundscheck=False, wraparound=False
# budget: a chain is read in one pass over numbers of C; every function more would hand over half a dozen arrays.
"""The rows of a chain read as numbers, as a compiled kernel; `rows_plain` is its twin. Import `rows`, never this file.

Whole numbers alone are counted here, and floats are made of them by the same operations in the same order. What is too
large for that raises OverflowError, and the twin takes it.
"""

import cython
from cython import Py_ssize_t, bint, cast, ccall, cfunc, double, inline, longlong, p_char, p_longlong
from cython.cimports.cpython.mem import PyMem_Free, PyMem_Malloc
from msgspec.structs import astuple

IS_COMPILED = bool(cython.compiled)

# Below this a whole number is itself as a double; times (ns) are larger, and are never made a double.
EXACT = cython.declare(longlong, 1 << 52)
FAR = cython.declare(longlong, (1 << 62) - 1)
FIELDS = cython.declare(Py_ssize_t, 5)


@cfunc
@inline
@cython.exceptval(-1, check=True)
def _number(value: object, most: longlong) -> longlong:
    number: longlong = value
    if number > most or number < -most:
        raise OverflowError("a number of a quote is beyond all measure")
    return number


@cfunc
@inline
@cython.exceptval(-1, check=True)
def _is_valid(quote: object, bid: p_longlong, ask: p_longlong) -> bint:
    """Whether a quote is there and valid, as `Quote.is_valid` says; its prices."""
    if quote is None:
        return False
    bid[0] = _number(quote.bid, EXACT)
    ask[0] = _number(quote.ask, EXACT)
    return 0 < bid[0] < ask[0] and quote.bid_size > 0 and quote.ask_size > 0


@cfunc
@inline
@cython.exceptval(-1, check=True)
def _first_from(rows: tuple, least: double, is_over: bint) -> Py_ssize_t:
    """Where the strikes begin that are at least, or over, a level."""
    low: Py_ssize_t = 0
    high: Py_ssize_t = len(rows)
    while low < high:
        at: Py_ssize_t = (low + high) // 2
        strike: double = cast(double, _number(rows[at].strike, EXACT))
        if (not least < strike) if is_over else strike < least:
            low = at + 1
        else:
            high = at
    return low


def parities(rows: tuple, spot: object, reach: double, most: Py_ssize_t) -> list:
    """Strike + call - put and its weight at the nearest strikes that show both, nearest spot first."""
    found: list = []
    at: longlong = _number(spot, EXACT)
    count: Py_ssize_t = len(rows)
    above: Py_ssize_t = _first_from(rows, cast(double, at), False)
    below: Py_ssize_t = above - 1
    bid: longlong = 0
    ask: longlong = 0
    put_bid: longlong = 0
    put_ask: longlong = 0
    is_up: bint
    strike: longlong
    while len(found) < most and (below >= 0 or above < count):
        is_up = below < 0
        if below >= 0 and above < count:
            is_up = _number(rows[above].strike, EXACT) - at < at - _number(rows[below].strike, EXACT)
        row = rows[above if is_up else below]
        if is_up:
            above += 1
        else:
            below -= 1
        strike = _number(row.strike, EXACT)
        if cast(double, strike - at if strike > at else at - strike) > reach:
            break
        if _is_valid(row.call, cython.address(bid), cython.address(ask)) and _is_valid(
            row.put, cython.address(put_bid), cython.address(put_ask)
        ):
            level: double = cast(double, strike) + cast(double, bid + ask) / 2.0 - cast(double, put_bid + put_ask) / 2.0
            found.append((level, 1.0 / cast(double, ask - bid + put_ask - put_bid)))
    return found


@cfunc
def _mean_iv(row: object, solved: object) -> object:
    """The strike and the mean of the IVs of its call and its put; None where neither has one."""
    bid: longlong = 0
    ask: longlong = 0
    total: double = 0.0
    iv: double
    known: cython.int = 0
    if _is_valid(row.call, cython.address(bid), cython.address(ask)):
        iv = solved(True, cast(double, bid + ask) / 2.0, row.strike)
        if iv - iv == 0.0:
            total += iv
            known += 1
    if _is_valid(row.put, cython.address(bid), cython.address(ask)):
        iv = solved(False, cast(double, bid + ask) / 2.0, row.strike)
        if iv - iv == 0.0:
            total += iv
            known += 1
    return (row.strike, total / known) if known else None


def at_the_money(rows: tuple, forward: double, reach: double, solved: object) -> tuple:
    """The nearest strike at or under the forward with an IV, and the nearest over it: the mean of call and put."""
    low: object = None
    high: object = None
    count: Py_ssize_t = len(rows)
    middle: Py_ssize_t = _first_from(rows, forward, True)
    i: Py_ssize_t = middle - 1
    while low is None and i >= 0 and _number(rows[i].strike, EXACT) >= forward - reach:
        low = _mean_iv(rows[i], solved)
        i -= 1
    i = middle
    while high is None and i < count and _number(rows[i].strike, EXACT) <= forward + reach:
        high = _mean_iv(rows[i], solved)
        i += 1
    return low, high


def valid_calls(rows: tuple, over: double) -> tuple:
    """The calls with a valid quote at strikes over a level: their strikes, their middles, their quotes."""
    strikes: list = []
    middles: list = []
    quotes: list = []
    bid: longlong = 0
    ask: longlong = 0
    i: Py_ssize_t
    for i in range(_first_from(rows, over, True), len(rows)):
        row = rows[i]
        quote = row.call
        if _is_valid(quote, cython.address(bid), cython.address(ask)):
            strikes.append(row.strike)
            middles.append(cast(double, bid + ask) / 2.0)
            quotes.append(quote)
    return strikes, middles, quotes


def calls_near(rows: tuple, spot: object, reach: double) -> tuple:
    """The valid quotes of the calls whose strikes are no further from spot."""
    quotes: list = []
    at: longlong = _number(spot, EXACT)
    bid: longlong = 0
    ask: longlong = 0
    i: Py_ssize_t
    strike: longlong
    for i in range(_first_from(rows, cast(double, at) - reach - 1.0, False), len(rows)):
        row = rows[i]
        strike = _number(row.strike, EXACT)
        if cast(double, strike - at) > reach:
            break
        if cast(double, at - strike) <= reach:
            quote = row.call
            if _is_valid(quote, cython.address(bid), cython.address(ask)):
                quotes.append(quote)
    return tuple(quotes)


# --- a chain in columns -----------------------------------------------------------------------------------------------


@cfunc
@inline
@cython.exceptval(check=False)
def _divisor(known: longlong, number: longlong) -> longlong:
    """The greatest common divisor of what is known and one number more."""
    number = number if number >= 0 else -number
    if not known:
        return number
    number %= known  # mostly it divides the next number too, and one division says so
    while number:
        known, number = number, known % number
    return known


@cfunc
def _read(quote: object, into: p_longlong) -> bint:
    if quote is None:
        return False
    fields: tuple = astuple(quote)
    into[0] = _number(fields[0], EXACT)
    into[1] = _number(fields[1], EXACT)
    into[2] = _number(fields[2], EXACT)
    into[3] = _number(fields[3], EXACT)
    into[4] = _number(fields[4], FAR)
    return True


@cfunc
@inline
@cython.exceptval(check=False)
def _write(number: longlong, into: p_char, at: Py_ssize_t) -> Py_ssize_t:
    """The decimal digits of a number and a comma behind them, and where they end."""
    digits: cython.char[24]
    count: Py_ssize_t = 0
    if number < 0:
        into[at] = 45
        at += 1
        number = -number
    while True:
        digits[count] = cast(cython.char, 48 + number % 10)
        count += 1
        number //= 10
        if not number:
            break
    while count:
        count -= 1
        into[at] = digits[count]
        at += 1
    into[at] = 44
    return at + 1


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
        at = 1
        for i in range(count):
            if not is_there[i]:
                at = _null(text, at)
                continue
            number = numbers[FIELDS * i + field]
            if field == 1:
                number -= numbers[FIELDS * i]
            if field == 4:
                number = units[4] - number
            at = _write(number // units[1 if field < 2 else 2 if field < 4 else 3], text, at)
        found.append(_column(text, at))
    return tuple(found)


@cfunc
def _columns(rows: tuple, numbers: p_longlong, count: Py_ssize_t) -> tuple:
    """`numbers` has room for 16 a row: the call's five, the put's five, whether each is there, the strike, a text."""
    units: longlong[5]
    is_there: p_longlong = numbers + 2 * FIELDS * count
    strikes: p_longlong = is_there + 2 * count
    text: p_char = cast(p_char, strikes + count)
    i: Py_ssize_t
    any_time: bint = False
    units[0] = units[1] = units[2] = units[3] = units[4] = 0
    for i in range(count):
        row = rows[i]
        strikes[i] = _number(row.strike, EXACT)
        units[0] = _divisor(units[0], strikes[i])
        is_there[i] = _read(row.call, numbers + FIELDS * i)
        is_there[count + i] = _read(row.put, numbers + FIELDS * (count + i))
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
def columns(rows: tuple) -> tuple:
    """A chain in columns: its newest time, its units, the steps of its strikes, the columns of its calls and puts.

    A number of 64 bits has 20 characters and a comma at most: with three numbers' room a row the text fits.
    """
    count: Py_ssize_t = len(rows)
    numbers: p_longlong = cast(p_longlong, PyMem_Malloc((16 * count + 1) * cython.sizeof(longlong)))
    if not numbers:
        raise MemoryError
    try:
        return _columns(rows, numbers, count)
    finally:
        PyMem_Free(numbers)
