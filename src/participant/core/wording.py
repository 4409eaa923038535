"""How figures are written in a sentence for people: rupees, prices, shares and lots."""

from participant.core.scrip import PRICE_UNITS


def rupees(paise: int) -> str:
    """Money: `₹152,340`, with paise below a thousand rupees: `₹812.50`."""
    sign, amount = "-" if paise < 0 else "", abs(paise)
    if amount >= 1000_00:
        return f"{sign}₹{(amount + 50) // 100:,}"
    return f"{sign}₹{amount // 100}.{amount % 100:02d}"


def at_price(price: int) -> str:
    """A price: `₹24,512.35`, further digits only where it has them."""
    whole, part = divmod(abs(price), PRICE_UNITS)
    digits = f"{part:04d}"
    return f"{'-' if price < 0 else ''}₹{whole:,}.{digits[:2]}{digits[2:].rstrip('0')}"


def percent(share: float) -> str:
    """A share: `72.4%`."""
    return f"{share * 100:.1f}%"


def counted(count: int, noun: str) -> str:
    """`1 lot`, `2 lots`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
