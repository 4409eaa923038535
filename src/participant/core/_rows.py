# cython: language_level=3, cdivision=True, boundscheck=False, wraparound=False
"""The rows of a chain read as numbers, as a compiled kernel; `rows_plain` is its twin. Import `rows`, never this file.

Whole numbers alone are counted here, and floats are made of them by the same operations in the same order. What is too
large for that raises OverflowError, and the twin takes it.
"""

import cython
from cython import Py_ssize_t, bint, cast, cfunc, double, inline, longlong, p_double, p_longlong
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_FromStringAndSize
from msgspec.structs import astuple

IS_COMPILED = bool(cython.compiled)

# Below this a whole number is itself as a double.
EXACT = cython.declare(longlong, 1 << 52)


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
    fields: tuple = astuple(quote)
    bid[0] = _number(fields[0], EXACT)
    ask[0] = _number(fields[1], EXACT)
    return 0 < bid[0] < ask[0] and _number(fields[2], EXACT) > 0 and _number(fields[3], EXACT) > 0


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
    """The calls with a valid quote at strikes over a level: rows, and as doubles their strikes and their middles."""
    found: list = []
    bid: longlong = 0
    ask: longlong = 0
    first: Py_ssize_t = _first_from(rows, over, True)
    most: Py_ssize_t = (len(rows) - first) * cython.sizeof(double)
    strikes: bytes = PyBytes_FromStringAndSize(cython.NULL, most)
    middles: bytes = PyBytes_FromStringAndSize(cython.NULL, most)
    strike: p_double = cast(p_double, PyBytes_AS_STRING(strikes))
    middle: p_double = cast(p_double, PyBytes_AS_STRING(middles))
    i: Py_ssize_t
    end: Py_ssize_t = 0
    for i in range(first, len(rows)):
        row = rows[i]
        if _is_valid(row.call, cython.address(bid), cython.address(ask)):
            strike[end] = cast(double, _number(row.strike, EXACT))
            middle[end] = cast(double, bid + ask) / 2.0
            found.append(row)
            end += 1
    end *= cython.sizeof(double)
    return found, strikes[:end], middles[:end]


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
