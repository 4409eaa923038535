"""The money that all scrips share, as one value: cash, margin in use, margin reserved by orders."""

from msgspec import Struct
from msgspec.structs import replace


class Account(Struct, frozen=True, rename="camel"):
    """Paise. `used` is margin by scrip, `reserved` margin by order that is claimed and not yet filled."""

    capital: int
    cash: int
    used: dict[str, int] = {}
    reserved: dict[str, int] = {}

    @property
    def committed(self) -> int:
        """Margin in use and reserved."""
        return sum(self.used.values()) + sum(self.reserved.values())

    @property
    def free(self) -> int:
        """Cash that no position and no order has a claim on."""
        return self.cash - self.committed


def reserve(account: Account, margins: dict[str, int]) -> Account:
    """The account with margin set aside for these orders (order id -> paise)."""
    return replace(account, reserved={**account.reserved, **{k: v for k, v in margins.items() if v > 0}})


def release(account: Account, order_id: str, margin_left: int = 0) -> Account:
    """The account with an order's reservation cut to `margin_left`; at 0 it is gone."""
    reserved = {k: v for k, v in account.reserved.items() if k != order_id}
    if margin_left > 0 and order_id in account.reserved:
        reserved[order_id] = min(margin_left, account.reserved[order_id])
    return replace(account, reserved=reserved)


def post(account: Account, scrip: str, cash: int, used: int) -> Account:
    """The account after a book event: cash moved, and the scrip's margin in use as it now is."""
    margins = {k: v for k, v in account.used.items() if k != scrip}
    if used > 0:
        margins[scrip] = used
    return replace(account, cash=account.cash + cash, used=margins)
