"""How prices are written on foreign wires: rupees as decimal digits, exactly, never by way of a float."""

from decimal import ROUND_HALF_UP, Decimal
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


def price_of_number(number: Decimal) -> int:
    """The price of a JSON number of rupees, kept as its digits; ValueError where `price_of` raises it."""
    return price_of(format(number, "f"))


def paise(amount: Decimal) -> int:
    """An amount of rupees in paise, halves away from zero; ValueError where it is none."""
    if not amount.is_finite() or amount.adjusted() > DIGITS_MAX // 2:
        raise ValueError(f"{amount} is no amount")
    return int((amount * 100).quantize(Decimal(1), ROUND_HALF_UP))
