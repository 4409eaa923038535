# cython: language_level=3, cdivision=True, boundscheck=False, wraparound=False
"""A chain in columns, as the log has it, as a compiled kernel; `chain_columns_plain` is its twin.

Import `chain_columns`, never this file. What is too large for the numbers of C raises OverflowError, and the twin takes
it.
"""

import cython
from cython import Py_ssize_t, bint, cast, ccall, cfunc, inline, longlong, p_char, p_longlong
from cython.cimports.cpython.mem import PyMem_Free, PyMem_Malloc
from msgspec.structs import astuple

IS_COMPILED = bool(cython.compiled)

# No difference of two numbers leaves 64 bits: prices and sizes lie below the one, times (ns) below the other.
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
