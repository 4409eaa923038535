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


DIGITS_MAX = 9  # what is compared has ten


def apart(one: float, other: float, digits: int = 1, *, is_share: bool = True) -> tuple[str, str]:
    """Two figures that were compared, with as many digits as tell them apart: `49.98%` and `50.00%`, else `digits`."""
    scale, sign = (100.0, "%") if is_share else (1.0, "")
    told = "", ""
    for shown in range(digits, DIGITS_MAX):
        told = f"{one * scale:,.{shown}f}{sign}", f"{other * scale:,.{shown}f}{sign}"
        if told[0] != told[1]:
            return told
    return f"{one * scale:,.{digits}f}{sign}", f"{other * scale:,.{digits}f}{sign}"


def counted(count: int, noun: str) -> str:
    """`1 lot`, `2 lots`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
