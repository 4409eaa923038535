"""A file of contracts, quotes, orders and official prices (TOML) into the shapes of the core; docs/backtest.md."""

import datetime
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from participant.core import rulerows
from participant.core.charges import ChargeRates, ValueRates
from participant.core.market import Quote
from participant.core.rulebook import Rulebook
from participant.core.scrip import NEVER, PRICE_UNITS, Contract, Kind, Side
from participant.core.session import SECOND, at_time

PAISE = 100
FREEZE_MAX = 10**9  # no exchange's limit on the size of an order holds here but the one that the file gives
NO_RATES = ValueRates(stt_sell=0, exchange=0, sebi=0, stamp_buy=0, ipft=0)
FREE = ChargeRates(
    brokerage_paise_per_order=0, gst_percent=0, futures=NO_RATES, options=NO_RATES, shares=NO_RATES,
    delivery_brokerage=0,
)  # fmt: skip

Units = Annotated[int, Meta(ge=1)]
Size = Annotated[int, Meta(ge=0)]
Amount = Annotated[float, Meta(ge=0.0, le=1e12)]


class _Contract(Struct, forbid_unknown_fields=True, kw_only=True):
    underlying: Annotated[str, Meta(min_length=1)]
    kind: Kind
    expiry: datetime.date = NEVER
    strike: Amount = 0
    lot: Units = 1
    tick: Annotated[float, Meta(gt=0.0, le=1e6)] = 0.05
    freeze: Units = FREEZE_MAX
    is_physical: bool | None = None


class _Quote(Struct, forbid_unknown_fields=True, kw_only=True):
    at: datetime.datetime
    contract: str
    bid: Amount
    ask: Amount
    bid_size: Size
    ask_size: Size


class _Order(Struct, forbid_unknown_fields=True, kw_only=True):
    at: datetime.datetime
    contract: str
    side: Side
    quantity: Units
    limit: Amount
    fee: Amount | None = None


class _Settlement(Struct, forbid_unknown_fields=True, kw_only=True):
    day: datetime.date
    of: str
    price: Amount


class _File(Struct, forbid_unknown_fields=True, kw_only=True):
    capital: Annotated[int, Meta(ge=1)]
    contracts: tuple[_Contract, ...]
    quotes: tuple[_Quote, ...]
    orders: Annotated[tuple[_Order, ...], Meta(min_length=1)]
    settlements: tuple[_Settlement, ...] = ()
    is_free: bool = False


class GivenQuote(Struct, frozen=True):
    """A quote of a contract (by key) at an instant (ns)."""

    at: int
    contract: str
    quote: Quote


class GivenOrder(Struct, frozen=True):
    """Order `number` of the file: `quantity` in units, `limit` a price, `fee` (paise) in the place of dated charges."""

    number: int
    at: int
    contract: str
    side: Side
    quantity: int
    limit: int
    fee: int | None


class Orders(Struct, frozen=True):
    """What a file gives: `capital` in paise, official prices by day and name, and the rules by which it is played."""

    capital: int
    contracts: tuple[Contract, ...]
    quotes: tuple[GivenQuote, ...]
    orders: tuple[GivenOrder, ...]
    settlements: dict[datetime.date, dict[str, int]]
    rules: Rulebook


def parse_orders(body: bytes, rules: Rulebook) -> Orders:
    """The file's content over these rules. Raises ValueError, which says where it is wrong."""
    try:
        file = msgspec.toml.decode(body, type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise ValueError(str(fault)) from fault
    contracts = tuple(_contract(c) for c in file.contracts)
    known, prices = {c.key for c in contracts}, dict[datetime.date, dict[str, int]]()
    named = known | {c.underlying for c in contracts}
    _check("quotes", "contract", [q.contract for q in file.quotes], known)
    _check("orders", "contract", [o.contract for o in file.orders], known)
    _check("settlements", "of", [s.of for s in file.settlements], named)
    _check_alive("quotes", file.quotes, contracts)
    _check_alive("orders", file.orders, contracts)
    for i, row in enumerate(file.settlements):
        if row.of in prices.setdefault(row.day, {}):
            raise ValueError(f"settlements[{i}]: {row.of} has a price on {row.day} already")
        prices[row.day][row.of] = _price(row.price)
    return Orders(
        file.capital * PAISE,
        contracts,
        tuple(_quote(q) for q in file.quotes),
        tuple(_order(n, o) for n, o in enumerate(file.orders, 1)),
        prices,
        _rules(file, rules),
    )


def _check(table: str, field: str, names: Sequence[str], known: set[str]) -> None:
    """Every name in a table is one of what is known."""
    for i, name in enumerate(names):
        if name not in known:
            raise ValueError(f"{table}[{i}].{field}: {name} is none of {', '.join(sorted(known))}")


def _check_alive(table: str, rows: Sequence[_Quote | _Order], contracts: Sequence[Contract]) -> None:
    """Nothing is quoted or asked for after its contract has ended."""
    ends = {contract.key: contract.expiry for contract in contracts}
    for i, row in enumerate(rows):
        if row.at.date() > ends[row.contract]:
            raise ValueError(f"{table}[{i}].at: {row.contract} ended on {ends[row.contract]}, before {row.at.date()}")


def _rules(file: _File, rules: Rulebook) -> Rulebook:
    """The rules that ship; of what the file itself says how it ends or that it is free, what the file says."""
    row = {"since": datetime.date.min, "source": "the file of orders", "confidence": "high"}
    said = {c.underlying: c.is_physical for c in file.contracts if c.is_physical is not None}
    if file.is_free:
        rules = replace(rules, charges=(msgspec.convert(row | {"rates": FREE}, rulerows.ChargeRow),))
    if not said:
        return rules
    listed = msgspec.convert(row | {"symbols": tuple(said)}, rulerows.Underlyings)
    ends = msgspec.convert(
        [row | {"symbols": (name,), "is_physical": is_physical} for name, is_physical in said.items()],
        tuple[rulerows.Delivery, ...],
    )
    return replace(rules, indices=(*rules.indices, listed), deliveries=(*ends, *rules.deliveries))


def _contract(row: _Contract) -> Contract:
    strike, tick = _price(row.strike), _price(row.tick)
    if (row.kind.is_option) != (strike > 0):
        raise ValueError(f"contracts: {row.underlying} {row.kind}: an option has a strike, nothing else has one")
    if (row.expiry == NEVER) != (row.kind is Kind.STOCK):
        raise ValueError(f"contracts: {row.underlying} {row.kind}: it needs an expiry, shares have none")
    return Contract(row.underlying, row.expiry, row.kind, strike, row.lot, tick, row.freeze)


def _quote(row: _Quote) -> GivenQuote:
    at = _instant(row.at)
    return GivenQuote(at, row.contract, Quote(_price(row.bid), _price(row.ask), row.bid_size, row.ask_size, at))


def _order(number: int, row: _Order) -> GivenOrder:
    fee = None if row.fee is None else _exact(row.fee, PAISE)
    return GivenOrder(number, _instant(row.at), row.contract, row.side, row.quantity, _price(row.limit), fee)


def _instant(at: datetime.datetime) -> int:
    """Market time without a zone; in ns as if it were IST, so that its day is the file's."""
    if at.tzinfo is not None:
        raise ValueError(f"{at}: times are the market's own, without a zone")
    return at_time(at.date(), at.hour, at.minute, at.second) + at.microsecond * (SECOND // 1_000_000)


def _price(value: float) -> int:
    return _exact(value, PRICE_UNITS)


def _exact(value: float, unit: int) -> int:
    """The figure in whole units, never rounded."""
    found = Decimal(str(value)) * unit
    if found != int(found):
        raise ValueError(f"{value}: finer than 1/{unit:,}")
    return int(found)
