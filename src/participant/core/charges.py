"""What an order costs beside its price: brokerage, taxes and fees, by the rates in force on its day.

Rates are whole paise per crore of rupees of value, which is parts in 10^9. All arithmetic is exact.
The rounding rule: the items are added up exactly in the order of `Charges`, the running sum is rounded to the paisa
(halves up) after each item, and an item is what the rounded sum grew by. So the total is the exact total rounded once,
and every item is within one paisa of its own. The exchange's fees are published without a rule for the paisa of one
order; this one meets the worked examples that brokers' pages give (tests/core/test_worked_examples.py). A broker's
contract note may differ by more: it rounds STT and stamp duty to whole rupees a day. The short side pays nothing on
exercise and assignment in cash: that STT is the buyer's, and nothing here books it, for nothing here holds options
bought. What ends by delivery is a trade in shares: STT and stamp duty as on shares, a brokerage of its own, no fee of
the exchange (`delivery_charges`).
"""

from itertools import accumulate, pairwise
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from participant.core.scrip import Contract, Kind, Side

CRORE_IN_PAISE = 1_000_000_000
PERCENT = 100
EXACT = CRORE_IN_PAISE * PERCENT  # one paisa in the unit of the exact sums

NotNegative = Annotated[int, Meta(ge=0)]


class ValueRates(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Rates on an order's value, in paise per crore: of the premium for options, of price x quantity for futures."""

    stt_sell: NotNegative
    exchange: NotNegative
    sebi: NotNegative
    stamp_buy: NotNegative
    ipft: NotNegative
    stamp_sell: NotNegative = 0  # until June 2020 the states took it from both sides
    stt_buy: NotNegative = 0  # shares bear it on both sides


class ChargeRates(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All rates in force on a day. GST is on brokerage, exchange and SEBI fees. `shares` are those of delivery trades.

    Where a contract ends by delivery the broker takes `delivery_brokerage` (paise per crore of what is delivered).
    """

    brokerage_paise_per_order: NotNegative
    gst_percent: NotNegative
    futures: ValueRates
    options: ValueRates
    shares: ValueRates
    delivery_brokerage: NotNegative


class Charges(Struct, frozen=True):
    """The charges of one order, in paise."""

    brokerage: int = 0
    stt: int = 0
    exchange: int = 0
    sebi: int = 0
    stamp: int = 0
    gst: int = 0
    ipft: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.brokerage + self.stt + self.exchange + self.sebi + self.stamp + self.gst + self.ipft


def charges(rates: ChargeRates, contract: Contract, side: Side, value: int) -> Charges:
    """The charges (paise) of one whole order of which `value` paise have filled; none while nothing has."""
    by_kind = {Kind.FUTURE: rates.futures, Kind.STOCK: rates.shares}
    by_value = by_kind.get(contract.kind, rates.options)
    return _items(rates, by_value, rates.brokerage_paise_per_order * CRORE_IN_PAISE, (side, value))


def delivery_charges(rates: ChargeRates, side: Side, value: int) -> Charges:
    """The charges (paise) of shares of `value` paise that are delivered (sell) or taken (buy) as a contract ends."""
    no_fees = replace(rates.shares, exchange=0, sebi=0, ipft=0)
    return _items(rates, no_fees, value * rates.delivery_brokerage, (side, value))


def _items(rates: ChargeRates, by_value: ValueRates, brokerage: int, traded: tuple[Side, int]) -> Charges:
    """The items of a trade; `brokerage` in parts of 10^9 paise."""
    side, value = traded
    if value <= 0:
        return Charges()
    stt = value * (by_value.stt_buy if side is Side.BUY else by_value.stt_sell)
    exchange, sebi = value * by_value.exchange, value * by_value.sebi
    stamp = value * (by_value.stamp_buy if side is Side.BUY else by_value.stamp_sell)
    taxed = brokerage + exchange + sebi
    per_crore = (brokerage, stt, exchange, sebi, stamp)
    exact = [*(PERCENT * item for item in per_crore), taxed * rates.gst_percent, PERCENT * value * by_value.ipft]
    paise = [(total + EXACT // 2) // EXACT for total in accumulate(exact, initial=0)]
    return Charges(*(after - before for before, after in pairwise(paise)))
