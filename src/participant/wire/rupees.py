"""How prices are written on foreign wires: rupees as decimal digits, exactly, never by way of a float."""

from functools import lru_cache

from participant.core.scrip import PRICE_UNITS

DIGITS_MAX = 32
DECIMALS = 4


def rupees(price: int) -> str:
    """A price (1/10,000 rupee, not negative) as rupees: paise where they say it all, else four decimals."""
    whole, part = divmod(price, PRICE_UNITS)
    return f"{whole}.{part:04d}" if part % 100 else f"{whole}.{part // 100:02d}"


@lru_cache(maxsize=65_536)
def price_of(text: str) -> int:
    """The price that rupees say; ValueError where they are no plain decimal or finer than 1/10,000 rupee."""
    whole, _, part = text.partition(".")
    part = part.rstrip("0")
    digits = whole + part
    if len(text) > DIGITS_MAX or len(part) > DECIMALS or not (whole and digits.isascii() and digits.isdecimal()):
        raise ValueError(f"{text[:DIGITS_MAX]!r} is not a price")
    return int(whole) * PRICE_UNITS + int(part.ljust(DECIMALS, "0"))
