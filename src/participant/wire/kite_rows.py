"""The rows of Kite Connect's answers: what the desk needs of them; whatever else they hold is passed over.

Amounts are JSON numbers of rupees, kept as their digits. Times are local times of India without a zone.
"""

from decimal import Decimal
from typing import Literal

from msgspec import Raw, Struct


class Reply(Struct, frozen=True):
    """The envelope of every answer."""

    status: str
    data: Raw = Raw(b"null")
    error_type: str | None = None
    message: str | None = None


class Placed(Struct, frozen=True):
    """The order that an answer is about."""

    order_id: str


class KiteOrder(Struct, frozen=True):
    """An order of the book, of the update stream, or of a postback: what the desk needs of it. Times are IST."""

    order_id: str
    status: str
    exchange: str
    tradingsymbol: str
    transaction_type: Literal["BUY", "SELL"]
    quantity: int
    filled_quantity: int = 0
    average_price: Decimal = Decimal(0)
    status_message: str | None = None
    order_timestamp: str | None = None
    exchange_timestamp: str | None = None
    exchange_update_timestamp: str | None = None
    tag: str | None = None
    tags: tuple[str, ...] | None = None
    checksum: str | None = None

    @property
    def updated(self) -> str:
        """When it last changed, as far as it says."""
        return self.exchange_update_timestamp or self.exchange_timestamp or self.order_timestamp or ""


class Frame(Struct, frozen=True):
    """A text frame of the stream: an order, or something that is told to people."""

    type: str
    data: Raw = Raw(b"null")


class KiteTrade(Struct, frozen=True):
    """One execution."""

    order_id: str
    quantity: int
    average_price: Decimal


class KitePosition(Struct, frozen=True):
    """A line of the position book."""

    exchange: str
    tradingsymbol: str
    quantity: int
    average_price: Decimal
    multiplier: Decimal = Decimal(1)

    def cost(self) -> Decimal:
        """What it was bought for, in rupees; what is sold has a negative one."""
        return self.average_price * self.quantity * self.multiplier


class Positions(Struct, frozen=True):
    """Both position books; `net` is what is held."""

    net: tuple[KitePosition, ...]


class Available(Struct, frozen=True):
    """Money that is there."""

    cash: Decimal


class Utilised(Struct, frozen=True):
    """Money that is blocked."""

    debits: Decimal


class Segment(Struct, frozen=True):
    """The funds of one segment."""

    available: Available
    utilised: Utilised


class Funds(Struct, frozen=True):
    """The funds; futures and options are in the equity segment."""

    equity: Segment


class Total(Struct, frozen=True):
    """A margin."""

    total: Decimal


class Basket(Struct, frozen=True):
    """What a basket needs: `final` with the benefit of hedges and of the positions held."""

    final: Total


class Level(Struct, frozen=True):
    """One level of the depth."""

    price: Decimal
    quantity: int


class Depth(Struct, frozen=True):
    """Five levels a side, the best first."""

    buy: tuple[Level, ...]
    sell: tuple[Level, ...]


class KiteQuote(Struct, frozen=True):
    """A full quote."""

    depth: Depth
    timestamp: str | None = None


class Profile(Struct, frozen=True):
    """Whose session it is."""

    user_id: str


class Token(Struct, frozen=True):
    """What a login gives."""

    user_id: str
    access_token: str
    login_time: str
