"""What can happen to a position, as book events: nothing else changes what is held."""

import datetime

from msgspec import Struct

from participant.core.scrip import Contract, Side


class Filled(Struct, frozen=True, tag="filled"):
    """How much of one of our orders has filled so far: units, their value and charges (paise), all cumulative.

    A correction takes the place of what was booked before, be it less: the broker's figures of what a person entered.
    """

    order_id: str
    contract: Contract
    side: Side
    quantity: int
    value: int
    charges: int
    at: int
    day: datetime.date
    is_correction: bool = False


class Settled(Struct, frozen=True, tag="settled"):
    """A future was marked to the day's settlement price; the difference is paid in cash."""

    contract: Contract
    price: int
    at: int


class Expired(Struct, frozen=True, tag="expired"):
    """A contract ended at the official settlement price of its underlying."""

    contract: Contract
    price: int
    at: int


class Adjusted(Struct, frozen=True, tag="adjusted"):
    """A person took the broker's figures over: units and cost (paise) of a contract become these; no cash moves."""

    contract: Contract
    quantity: int
    cost: int
    at: int


class Revised(Struct, frozen=True, tag="revised"):
    """The exchange revised a contract: lot, tick or freeze quantity are these from now on. Units and cost stay."""

    contract: Contract
    at: int


class Delivered(Struct, frozen=True, tag="delivered"):
    """A contract ended by delivery: its shares change hands at its strike, a future's at the official price `price`.

    An option that is not in the money at `price` just ends. `charges` (paise) are those of what is delivered.
    """

    contract: Contract
    price: int
    shares: Contract
    at: int
    charges: int = 0


class Declared(Struct, frozen=True, tag="declared"):
    """A person has said how many shares lie in a demat account as cover: `quantity` from now on, in all.

    What comes in is held at `price` a share. No cash moves. `by` and `note` say who and why.
    """

    contract: Contract
    quantity: int
    price: int
    at: int
    by: str
    note: str


BookEvent = Filled | Settled | Expired | Adjusted | Revised | Delivered | Declared
