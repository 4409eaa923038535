"""Amounts and quantities that a broker says, or BrokerDown where they are none: nothing is booked from nonsense."""

from collections.abc import Callable
from decimal import Decimal

from participant.ports import BrokerDown
from participant.wire.rupees import paise

UNITS_DIGITS_MAX = 12


def paise_said(amount: Callable[[], Decimal]) -> int:
    """What an amount of rupees comes to in paise."""
    try:
        return paise(amount())
    except (ValueError, ArithmeticError) as fault:
        raise BrokerDown(f"an amount that is none: {fault}") from fault


def units_said(quantity: Decimal) -> int:
    """A whole number of units."""
    if not quantity.is_finite() or quantity.adjusted() > UNITS_DIGITS_MAX or quantity != int(quantity):
        raise BrokerDown(f"{quantity} is no number of units")
    return int(quantity)
