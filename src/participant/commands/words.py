"""The words of a command as values; argparse says in one line what is wrong with one."""

import argparse
import datetime
import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from participant.core.scrip import Contract


def days(text: str) -> tuple[datetime.date, datetime.date]:
    """A day or a span of days, both ends included."""
    first, _, last = text.partition("..")
    try:
        span = datetime.date.fromisoformat(first), datetime.date.fromisoformat(last or first)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day; write 2026-11-25 or 2026-11-25..2026-12-01") from None
    if span[1] < span[0]:
        raise argparse.ArgumentTypeError(f"{text!r} ends before it begins")
    return span


def day(text: str) -> datetime.date:
    """One day."""
    first, last = days(text)
    if first != last:
        raise argparse.ArgumentTypeError(f"{text!r} is more than one day")
    return first


def speed(text: str) -> float:
    """How many times real time."""
    return _number(text, float, 0.01, 100_000)


def seconds(text: str) -> float:
    """A wait in seconds."""
    return _number(text, float, 1, 3600)


def count(text: str) -> int:
    """Seconds of market time."""
    return int(_number(text, int, 1, 3600))


def capital(text: str) -> int:
    """What a run begins with, in whole rupees."""
    return int(_number(text, int, 1, 10**13))


def port(text: str) -> int:
    """A port; 0 is any free one."""
    return int(_number(text, int, 0, 65_535))


def address(text: str) -> tuple[str, int]:
    """A host and a port."""
    host, _, number = text.rpartition(":")
    if not host or not number:
        raise argparse.ArgumentTypeError(f"{text!r} is no address; write 127.0.0.1:9001")
    return host, port(number)


def pair(text: str) -> tuple[str, str]:
    """The CompIDs of both sides of a FIX session."""
    ours, _, theirs = text.partition(":")
    if not (ours and theirs and text.isascii() and text.isprintable()):
        raise argparse.ArgumentTypeError(f"{text!r} are no names; write DESK:VENUE, ours first")
    return ours, theirs


def most(text: str) -> int:
    """How many may wait."""
    return int(_number(text, int, 1, 10**9))


def setting(text: str) -> tuple[str, str]:
    """A setting's name and its value as a text."""
    name, is_pair, value = text.partition("=")
    if not (name.strip() and is_pair and value.strip()):
        raise argparse.ArgumentTypeError(f"{text!r} is no setting; write target_delta=0.2")
    return name.strip(), value.strip()


def units(text: str) -> int:
    """Units of a contract."""
    return int(_number(text, int, 1, 10_000_000))


def shares(text: str) -> int:
    """Shares, or units of a fund, held in all; 0 is none."""
    return int(_number(text, int, 0, 1_000_000_000))


def price(text: str) -> int:
    """Rupees as a price in 1/10,000 rupee."""
    found = Decimal(0)
    try:
        found = Decimal(text).scaleb(4)
        is_good = found == found.to_integral_value() and 0 < found <= 10**12
    except (InvalidOperation, ValueError):
        is_good = False
    if not is_good:
        raise argparse.ArgumentTypeError(f"{text!r} is no price; write rupees, like 152.35")
    return int(found)


def word(text: str) -> str:
    """An order id of a broker."""
    if not text.isprintable() or not 1 <= len(text) <= 64 or any(c.isspace() or c == "/" for c in text):
        raise argparse.ArgumentTypeError(f"{text!r} is no order id of a broker")
    return text


def time(text: str) -> datetime.time:
    """A time of day."""
    try:
        return datetime.time.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time of day; write 10:05 or 10:05:30") from None


def _number(text: str, kind: type, least: float, most: float) -> float:
    """A number within bounds."""
    try:
        found: float = kind(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None
    if not least <= found <= most:
        raise argparse.ArgumentTypeError(f"{text} is not within {least:g} and {most:g}")
    return found


LEG = re.compile(r"([A-Z0-9&-]{1,20})-(\d{8})-(?:(FUT)|(\d{1,7}(?:\.\d{1,4})?)(CE|PE))=([+-]?\d{1,8})")


def leg(text: str) -> "tuple[Contract, int]":
    """A contract and its signed units; lot, tick and freeze quantity are one, for margins ask for none of them."""
    from participant.core.scrip import Contract, Kind  # here: until `main` runs, Ctrl-C is nobody's to answer

    found = LEG.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        symbol, day, future, strike, side, units = found.groups()
        expiry = datetime.date.fromisoformat(day)
        level = 0 if future else int(Decimal(strike).scaleb(4))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no leg; write CONTRACT=UNITS, NIFTY-20260630-FUT=65 or NIFTY-20260630-23700CE=-65"
        ) from None
    return Contract(symbol, expiry, Kind(future or side), level, 1, 1, 1), int(units)


def names(text: str) -> tuple[str, ...]:
    """Names, parted by commas, in capitals."""
    found = tuple(name.strip().upper() for name in text.split(",") if name.strip())
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} names nothing; write NIFTY,BANKNIFTY")
    return found
