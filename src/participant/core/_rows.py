# cython: language_level=3, cdivision=True, boundscheck=False, wraparound=False
"""The rows of a chain read as numbers, as a compiled kernel; `rows_plain` is its twin. Import `rows`, never this file.

Whole numbers alone are counted here, and floats are made of them by the same operations in the same order. What is too
large for that raises OverflowError, and the twin takes it.
"""

import cython
from cython import Py_ssize_t, bint, cast, cfunc, double, inline, longlong, p_double, p_longlong
from cython.cimports.cpython.buffer import Py_buffer, PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cython.cimports.participant.core._fields import field, number, number_at, place_of

from participant.core.market import Quote, Strike

IS_COMPILED = bool(cython.compiled)

# Below this a whole number is itself as a double.
EXACT = cython.declare(longlong, 1 << 52)

QUOTE = cython.declare(object, Quote)
BID = cython.declare(Py_ssize_t, place_of(Quote, "bid"))
ASK = cython.declare(Py_ssize_t, place_of(Quote, "ask"))
BID_SIZE = cython.declare(Py_ssize_t, place_of(Quote, "bid_size"))
ASK_SIZE = cython.declare(Py_ssize_t, place_of(Quote, "ask_size"))
ROW = cython.declare(object, Strike)
STRIKE = cython.declare(Py_ssize_t, place_of(Strike, "strike"))
CALL = cython.declare(Py_ssize_t, place_of(Strike, "call"))
PUT = cython.declare(Py_ssize_t, place_of(Strike, "put"))


@cfunc
@inline
@cython.exceptval(-1, check=True)
def _is_valid(row: object, side: Py_ssize_t, bid: p_longlong, ask: p_longlong) -> bint:
    """Whether a quote is there and valid, as `Quote.is_valid` says; its prices."""
    quote = field(row, side)
    if quote is None:
        return False
    if type(quote) is not QUOTE:
        raise TypeError("a side of a strike is no quote")
    bid[0] = number_at(quote, BID, EXACT)
    ask[0] = number_at(quote, ASK, EXACT)
    if not 0 < bid[0] < ask[0]:
        return False
    return number_at(quote, BID_SIZE, EXACT) > 0 and number_at(quote, ASK_SIZE, EXACT) > 0


@cfunc
@inline
@cython.exceptval(-1, check=True)
def _strike(rows: tuple, at: Py_ssize_t) -> longlong:
    """The strike of a row, which is seen to be one."""
    row = rows[at]
    if type(row) is not ROW:
        raise TypeError("a row of a chain is no strike")
    return number_at(row, STRIKE, EXACT)


@cfunc
@inline
@cython.exceptval(-1, check=True)
def _first_from(rows: tuple, least: double, is_over: bint) -> Py_ssize_t:
    """Where the strikes begin that are at least, or over, a level."""
    low: Py_ssize_t = 0
    high: Py_ssize_t = len(rows)
    while low < high:
        at: Py_ssize_t = (low + high) // 2
        strike: double = cast(double, _strike(rows, at))
        if (not least < strike) if is_over else strike < least:
            low = at + 1
        else:
            high = at
    return low


def parities(rows: tuple, spot: object, reach: double, most: Py_ssize_t) -> list:
    """Strike + call - put and its weight at the nearest strikes that show both, nearest spot first."""
    found: list = []
    at: longlong = number(spot, EXACT)
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
            is_up = _strike(rows, above) - at < at - _strike(rows, below)
        place: Py_ssize_t = above if is_up else below
        if is_up:
            above += 1
        else:
            below -= 1
        strike = _strike(rows, place)
        row = rows[place]
        if cast(double, strike - at if strike > at else at - strike) > reach:
            break
        if _is_valid(row, CALL, cython.address(bid), cython.address(ask)) and _is_valid(
            row, PUT, cython.address(put_bid), cython.address(put_ask)
        ):
            level: double = cast(double, strike) + cast(double, bid + ask) / 2.0 - cast(double, put_bid + put_ask) / 2.0
            found.append((level, 1.0 / cast(double, ask - bid + put_ask - put_bid)))
    return found


@cfunc
def _mean_iv(row: object, forward: object, years: object, solved: object) -> object:
    """The strike and the mean of the IVs of its call and its put; None where neither has one."""
    bid: longlong = 0
    ask: longlong = 0
    total: double = 0.0
    iv: double
    known: cython.int = 0
    strike = field(row, STRIKE)
    if _is_valid(row, CALL, cython.address(bid), cython.address(ask)):
        iv = solved(True, cast(double, bid + ask) / 2.0, forward, strike, years)
        if iv - iv == 0.0:
            total += iv
            known += 1
    if _is_valid(row, PUT, cython.address(bid), cython.address(ask)):
        iv = solved(False, cast(double, bid + ask) / 2.0, forward, strike, years)
        if iv - iv == 0.0:
            total += iv
            known += 1
    return (strike, total / known) if known else None


def at_the_money(rows: tuple, level: object, reach: double, years: object, solved: object) -> tuple:
    """The nearest strike at or under the forward with an IV, and the nearest over it: the mean of call and put."""
    low: object = None
    high: object = None
    forward: double = level
    count: Py_ssize_t = len(rows)
    middle: Py_ssize_t = _first_from(rows, forward, True)
    i: Py_ssize_t = middle - 1
    while low is None and i >= 0 and _strike(rows, i) >= forward - reach:
        low = _mean_iv(rows[i], level, years, solved)
        i -= 1
    i = middle
    while high is None and i < count and _strike(rows, i) <= forward + reach:
        high = _mean_iv(rows[i], level, years, solved)
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
        strike[end] = cast(double, _strike(rows, i))
        row = rows[i]
        if _is_valid(row, CALL, cython.address(bid), cython.address(ask)):
            middle[end] = cast(double, bid + ask) / 2.0
            found.append(row)
            end += 1
    end *= cython.sizeof(double)
    return found, strikes[:end], middles[:end]


def closest(measures: object, target: double, reach: double) -> list:
    """The places of the numbers within reach of a target, the nearest first."""
    view: Py_buffer
    found: list = []
    off: double
    i: Py_ssize_t
    PyObject_GetBuffer(measures, cython.address(view), PyBUF_SIMPLE)
    try:
        one: p_double = cast(p_double, view.buf)
        for i in range(view.len // cython.sizeof(double)):
            off = one[i] - target
            off = off if off >= 0.0 else -off
            if off <= reach:
                found.append((off, i))
    finally:
        PyBuffer_Release(cython.address(view))
    found.sort()
    return [place for _, place in found]


def calls_near(rows: tuple, spot: object, reach: double) -> tuple:
    """The valid quotes of the calls whose strikes are no further from spot."""
    quotes: list = []
    at: longlong = number(spot, EXACT)
    bid: longlong = 0
    ask: longlong = 0
    i: Py_ssize_t
    strike: longlong
    for i in range(_first_from(rows, cast(double, at) - reach - 1.0, False), len(rows)):
        strike = _strike(rows, i)
        row = rows[i]
        if cast(double, strike - at) > reach:
            break
        is_near: bint = cast(double, at - strike) <= reach
        if is_near and _is_valid(row, CALL, cython.address(bid), cython.address(ask)):
            quotes.append(field(row, CALL))
    return tuple(quotes)
