"""Foreign words to values: numbers by their digits, exactly; times; both with bounds. BadWord says why one is none."""

import datetime
import re
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Raw

from participant.core.ladder import PRICE_MAX, SIZE_MAX

WORD_MAX = 64
LONG_MAX = 12 * WORD_MAX + 2  # bytes that a word may be written with: a character is twelve as two escapes
DIGITS_MAX = 32
PRICE_DIGITS = {"rupees": 4, "coin": 4, "paise": 2}
TICKS_A_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
FIRST_YEAR, LAST_YEAR = 2000, 2100
NOTHING = (b"null", b'""', b'"-"')

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_NUMBER = re.compile(rb"-?\d+(\.\d+)?([eE][+-]?\d{1,3})?")
_SIMPLE = re.compile(rb"(\d{1,15})(?:\.(\d{1,15}?)0*)?")
_SECOND = 10**9


class BadWord(ValueError):
    """Something that is not what should stand there, and why."""


def shown(word: bytes) -> str:
    """The beginning of a word, for a reason that people read."""
    return repr(word[:DIGITS_MAX].decode("utf-8", "replace"))[1:-1] + ("..." if len(word) > DIGITS_MAX else "")


def _plain(word: bytes) -> bytes:
    return word[1:-1] if word[:1] == b'"' else word


def _exact(word: bytes) -> Fraction:
    """The number that these digits are, in or without quotes."""
    digits = _plain(word)
    if len(digits) > DIGITS_MAX:
        raise BadWord(f"{shown(digits)} has {len(digits)} characters, of at most {DIGITS_MAX}")
    if not _NUMBER.fullmatch(digits):
        raise BadWord(f"{shown(digits)} is no number")
    value = Decimal(digits.decode())
    if value and not -DIGITS_MAX <= value.adjusted() <= DIGITS_MAX:
        raise BadWord(f"{shown(digits)} is out of range")
    if value < 0:
        raise BadWord(f"{shown(digits)} is negative")
    return Fraction(value)


def _whole(word: bytes, times: int, most: int, unit: str) -> int:
    if word in NOTHING:
        return 0
    value = _exact(word) * times
    if value.denominator != 1:
        raise BadWord(f"{shown(_plain(word))} is finer than {unit}")
    if value > most:
        raise BadWord(f"{shown(_plain(word))} is out of range")
    return int(value)


@lru_cache(maxsize=16_384)
def price_of(word: bytes, digits: int) -> int:
    """A price whose unit is `digits` places above ours (rupees 4, paise 2); nothing said is 0. Raises BadWord."""
    simple = _SIMPLE.fullmatch(word)
    if simple and len(part := simple[2] or b"") <= digits:
        price = int(simple[1] + part.ljust(digits, b"0"))
        if price <= PRICE_MAX:
            return price
    return _whole(word, 10**digits, PRICE_MAX, "1/10,000")


@lru_cache(maxsize=16_384)
def size_of(word: bytes, scale: int) -> int:
    """A size in our units, `scale` of them for each of the provider's; nothing said is 0. Raises BadWord."""
    if word.isdigit() and len(word) < 14 and (size := int(word) * scale) <= SIZE_MAX:
        return size
    return _whole(word, scale, SIZE_MAX, f"1/{scale} of its unit")


def written(value: Any) -> bytes:
    """A value as JSON has it: bytes as they are, a number with the digits that it was read from, of up to 15.

    BadWord where it is longer than a word can be: it may be a whole message, which is not copied again.
    """
    if isinstance(value, float | int):
        return repr(value).encode()
    size = memoryview(value).nbytes if isinstance(value, Raw) else len(value or "")
    if size > LONG_MAX:
        begin = bytes(memoryview(value)[:LONG_MAX]) if isinstance(value, Raw) else value[:LONG_MAX].encode()
        raise BadWord(f"{shown(_plain(begin))} has {size} characters, of at most {WORD_MAX}")
    return bytes(value) if isinstance(value, Raw) else msgspec.json.encode(value)


@lru_cache(maxsize=16_384)
def price(value: float | str | None, digits: int) -> int:
    """`price_of` a value that was read as a number or a text."""
    return price_of(written(value), digits)


@lru_cache(maxsize=16_384)
def size(value: float | str | None, scale: int) -> int:
    """`size_of` a value that was read as a number or a text."""
    return size_of(written(value), scale)


@lru_cache(maxsize=4_096)
def number_of(word: bytes) -> int:
    """A number that counts messages. Raises BadWord."""
    if word in NOTHING:
        raise BadWord("there is no number")
    return _whole(word, 1, 2**63 - 1, "1")


def text_of(value: Any) -> str:
    """A value as a text: without its quotes, a number as it is written. Raises BadWord."""
    if isinstance(value, str):
        if len(value) > WORD_MAX:
            raise BadWord(f"{value[:DIGITS_MAX]}... has {len(value)} characters, of at most {WORD_MAX}")
        return value
    word = written(value)
    try:
        return text_of(msgspec.json.decode(word, type=str) if word[:1] == b'"' else word.decode())
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadWord(f"{shown(word)} is no text") from None


@lru_cache(maxsize=4_096)
def time_of(value: Any, unit: str, form: str, zone: str) -> int:
    """A time (ns UTC) as [clock] says it is written; `value` is a number, a text, or the bytes of either. BadWord."""
    word = value if isinstance(value, bytes) else written(value)
    if unit != "text":
        return _sane(int(_exact(word) * _SECOND / TICKS_A_SECOND[unit]), word)
    text = text_of(Raw(word))
    try:
        moment = datetime.datetime.strptime(text, form) if form else datetime.datetime.fromisoformat(text)  # noqa: DTZ007 - its zone is put in below, or it is refused
    except ValueError:
        raise BadWord(f"{shown(word)} is no time" + (f" of the form {form}" if form else "")) from None
    if moment.tzinfo is None:
        if not zone:
            raise BadWord(f"{shown(word)} says no zone, and clock.zone names none")
        moment = moment.replace(tzinfo=datetime.timezone(_offset(zone)))
    return _sane((moment - _EPOCH) // datetime.timedelta(microseconds=1) * 1_000, word)


def _offset(zone: str) -> datetime.timedelta:
    away = datetime.timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
    return -away if zone[0] == "-" else away


def _sane(at: int, word: bytes) -> int:
    """Seconds that were read as milliseconds lie in 1970, the other way round in far years."""
    year = 1970 + at // (365_2425 * 86_400 * _SECOND // 10_000)
    if not FIRST_YEAR <= year < LAST_YEAR:
        raise BadWord(f"{shown(_plain(word))} is in the year {year}: is clock.unit right?")
    return at


@lru_cache(maxsize=4_096)
def day_of(text: str, form: str) -> datetime.date:
    """A day as [codes] expiry says it is written. Raises BadWord."""
    try:
        return datetime.datetime.strptime(text, form).date() if form else datetime.date.fromisoformat(text)  # noqa: DTZ007 - a day has no zone
    except ValueError:
        raise BadWord(f"{text[:DIGITS_MAX]!r} is no day" + (f" of the form {form}" if form else "")) from None
