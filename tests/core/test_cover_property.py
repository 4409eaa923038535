"""The call is never uncovered: over random histories in all three variants, whichever working orders fill."""

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from participant.core.books import closing_events
from participant.core.controls.exposure import covered
from participant.core.declaring import refusal
from participant.core.order import Order, OrderStatus
from participant.core.position import Declared, Filled, Position, apply, with_working
from participant.core.position import Working as OnTheWire
from participant.core.scrip import PRICE_UNITS, Contract, Kind, Side, money, shares_of
from tests.core import stocks
from tests.core.desk import asked, leg
from tests.core.desk import decision as decided
from tests.core.worlds import RULES

AT = 1
ORDERS_MAX = 6


def contract(name: str, kind: Kind, strike: int = 0) -> Contract:
    return Contract(name, stocks.EXPIRY, kind, strike * PRICE_UNITS, stocks.LOT, 500, 15_000)


# An index against futures, an index against a fund that is declared, a stock against shares and futures.
FUND = shares_of("NIFTY", 5, 9_999, ratio=101)
WORLDS = {
    "future": (contract("NIFTY", Kind.FUTURE), contract("NIFTY", Kind.CALL, 1_400), FUND),
    "held": (
        contract("NIFTY", Kind.CALL, 1_380),
        contract("NIFTY", Kind.CALL, 1_400),
        FUND,
    ),
    "stock": (stocks.SHARES, contract("RELIANCE", Kind.CALL, 1_400), stocks.SHARES),
    "both": (contract("RELIANCE", Kind.FUTURE), contract("RELIANCE", Kind.CALL, 1_400), stocks.SHARES),
}


class World:
    """A position and its working orders; an order is taken on only where the gateway's control lets it pass."""

    def __init__(self, variant: str) -> None:
        self.cover, self.call, self.shares = WORLDS[variant]
        self.position, self.orders, self.count = Position(self.call.underlying), list[Order](), 0

    def order(self, is_call: bool, side: Side, lots: int) -> None:
        if len(self.orders) == ORDERS_MAX:
            return
        of = self.call if is_call else self.cover
        self.count += 1
        why = decided(replace(leg(of, side), quantity=lots * stocks.LOT), name=f"d{self.count}")
        ask = asked(why)
        order = replace(ask.order, scrip=self.position.scrip, status=OrderStatus.CLAIMED)
        ask = replace(ask, order=order, orders=(*self.orders, order), position=self.position)
        if covered(ask) is None:
            self.orders.append(replace(order, status=OrderStatus.UNKNOWN, sends=1))

    def fill(self, which: int, units: int) -> None:
        if not self.orders:
            return
        order = self.orders.pop(which % len(self.orders))
        quantity = min(order.quantity, order.cum_quantity + units)
        order = replace(order, cum_quantity=quantity, cum_value=money(1_400 * PRICE_UNITS, quantity))
        self.position = self.filled(self.position, order)
        if quantity < order.quantity:
            self.orders.append(order)

    def filled(self, position: Position, order: Order) -> Position:
        figures = (order.contract, order.side, order.cum_quantity, order.cum_value, 0, AT, stocks.DAY)
        return apply(position, Filled(order.order_id, *figures))[0]

    def declare(self, units: int) -> None:
        working = [OnTheWire(o.contract, o.unfilled) for o in self.orders]
        if not refusal(with_working(self.position, working), self.shares, units):
            event = Declared(self.shares, units, 1_400 * PRICE_UNITS, AT, "A. Person", "in the demat account")
            self.position = apply(self.position, event)[0]

    def end(self, rupees: int) -> None:
        """The day of expiry ends: nothing works any more, everything expires in cash or in shares."""
        self.orders = []
        price = rupees * PRICE_UNITS
        for event in closing_events(self.position, {self.position.scrip: price}, RULES, stocks.EXPIRY, AT):
            self.position = apply(self.position, event)[0]

    def check(self) -> None:
        for count in range(len(self.orders) + 1):
            for some in combinations(self.orders, count):
                position = self.position
                for order in some:
                    whole = replace(order, cum_quantity=order.quantity, cum_value=order.quantity)
                    position = self.filled(position, whole)
                assert position.cover >= position.short_calls, (self.position, some)


STEPS = st.one_of(
    st.tuples(st.just("order"), st.booleans(), st.sampled_from(Side), st.integers(1, 3)),
    st.tuples(st.just("fill"), st.integers(0, 5), st.integers(1, 3 * stocks.LOT)),
    st.tuples(st.just("declare"), st.integers(0, 101 * 3 * stocks.LOT)),
    st.tuples(st.just("end"), st.integers(1_350, 1_450)),
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(WORLDS)), st.lists(STEPS, max_size=25))
def test_cover_is_never_less_than_the_calls_sold_whichever_orders_fill(variant: str, steps: list[Any]) -> None:
    world = World(variant)
    for name, *arguments in steps:
        getattr(world, name)(*arguments)
        world.check()


def test_the_property_would_see_a_call_that_is_sold_twice_against_one_cover() -> None:
    world = World("stock")
    world.declare(stocks.LOT)
    world.order(True, Side.SELL, 1)
    assert len(world.orders) == 1
    world.order(True, Side.SELL, 1)
    assert len(world.orders) == 1  # refused: the first may still fill
    world.orders.append(replace(world.orders[0], order_id="another"))
    with pytest.raises(AssertionError):
        world.check()
