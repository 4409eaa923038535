"""Book events into the books: one commit, started anew when another was first, and the margin that a holding needs."""

import datetime

import pytest
from msgspec.structs import replace

from participant.core.account import Account, reserve
from participant.core.delivery import delivery_margin
from participant.core.margin import margin
from participant.core.market import LookBack
from participant.core.messages import Write
from participant.core.position import Booked, Expired, Filled, Holding, Position, Settled
from participant.core.scrip import PRICE_UNITS, Contract, Kind, Side, money
from participant.core.session import at_time
from participant.links.ledger import CONFLICTS_MAX, Entry, enter, margin_used
from participant.ports import StoreBroken
from participant.wire.json import encode
from tests.core.worlds import RULES
from tests.stages.floor import CAPITAL, DAY, SPOTS, START, Contended, Floor, call, everything, future

COST = money(SPOTS["NIFTY"], 65)
BOUGHT = Filled("o", future(), Side.BUY, 65, COST, 1_000, START, DAY)


@pytest.fixture
def floor() -> Floor:
    return Floor()


def book(floor: Floor, entry: Entry) -> None:
    enter(floor.books, RULES, floor.states[entry.scrip], entry)


def test_position_cash_margin_and_the_rows_that_go_with_them_stand_in_one_commit(floor: Floor) -> None:
    row = Write("fills", "f", b"fill", 0)
    book(floor, Entry("NIFTY", START, [BOUGHT], [row]))
    assert floor.position().holdings == (Holding(future(), 65, COST),)
    assert floor.account().cash == CAPITAL - 1_000
    assert floor.account().used == {"NIFTY": margin_used(RULES, floor.states["NIFTY"], floor.position(), START)}
    assert [r.value for r in floor.books.rows("fills")] == [b"fill"]


def test_where_a_row_was_written_already_nothing_is_booked(floor: Floor) -> None:
    floor.books.commit([Write("fills", "f", b"there before")])
    before = everything(floor.books, "positions", "account", "fills")
    with pytest.raises(StoreBroken, match=f"NIFTY could not be booked in {CONFLICTS_MAX} tries"):
        book(floor, Entry("NIFTY", START, [BOUGHT], [Write("fills", "f", b"fill", 0)]))
    assert everything(floor.books, "positions", "account", "fills") == before


def test_a_commit_in_between_makes_it_start_anew() -> None:
    books = Contended("positions")
    floor = Floor(books)

    def other() -> None:
        books.commit([Write("account", "account", encode(reserve(floor.account(), {"a": 7})))])

    books.others = [other] * (CONFLICTS_MAX - 1)
    book(floor, Entry("NIFTY", START, [BOUGHT]))
    assert floor.position().cover == 65
    assert floor.account().reserved == {"a": 7}
    assert floor.account().cash == CAPITAL - 1_000


def test_several_events_move_the_cash_together(floor: Floor) -> None:
    settled = Settled(future(), SPOTS["NIFTY"] + 10_000, START)
    book(floor, Entry("NIFTY", START, [BOUGHT, settled]))
    assert floor.account().cash == CAPITAL - 1_000 + money(10_000, 65)


def test_an_entry_without_an_order_leaves_reservations_alone(floor: Floor) -> None:
    floor.books.commit([Write("account", "account", encode(Account(CAPITAL, CAPITAL, reserved={"o": 5})))])
    book(floor, Entry("NIFTY", START, [BOUGHT]))
    assert floor.account().reserved == {"o": 5}
    book(floor, Entry("NIFTY", START, [], order_id="o", margin_left=3))
    assert floor.account().reserved == {"o": 3}
    book(floor, Entry("NIFTY", START, [], order_id="o"))
    assert floor.account().reserved == {}


def test_only_the_end_of_a_day_forgets_what_was_booked_of_its_orders(floor: Floor) -> None:
    book(floor, Entry("NIFTY", START, [BOUGHT]))
    assert floor.position().booked == {"o": Booked(65, COST, 1_000)}
    book(floor, Entry("NIFTY", START, [], ends_day=True))
    assert floor.position().booked == {}


def test_what_is_gone_needs_no_margin(floor: Floor) -> None:
    book(floor, Entry("NIFTY", START, [BOUGHT]))
    book(floor, Entry("NIFTY", START, [Expired(future(), SPOTS["NIFTY"], START)]))
    assert floor.account().used == {}


# --- margin ---

HELD = Position("NIFTY", (Holding(future(), 65, COST), Holding(call(), -65, -900)))
LEGS = [(future(), 65), (call(), -65)]


def test_margin_is_that_of_the_legs_at_the_last_volatility_of_the_look_back(floor: Floor) -> None:
    state = replace(floor.states["NIFTY"], look_back=LookBack((1,), (0.10, 0.30)))
    assert margin_used(RULES, state, HELD, START) == margin(
        RULES.margin_rates("NIFTY", DAY), LEGS, state.spot, 0.30, START
    )


def test_without_a_look_back_a_middling_volatility_stands_in(floor: Floor) -> None:
    state = replace(floor.states["NIFTY"], look_back=LookBack())
    assert margin_used(RULES, state, HELD, START) == margin(
        RULES.margin_rates("NIFTY", DAY), LEGS, state.spot, 0.15, START
    )


def test_a_long_option_that_is_to_be_delivered_needs_the_margin_of_its_delivery(floor: Floor) -> None:
    last = datetime.date(2026, 12, 29)
    bought = Contract("INFY", last, Kind.CALL, 1_500 * PRICE_UNITS, 400, 500, 40_000)
    state = replace(floor.states["NIFTY"], scrip="INFY", spot=1_600 * PRICE_UNITS)
    held, at = Position("INFY", (Holding(bought, 400, 4_000_000),)), at_time(last, 11, 0)
    due = delivery_margin(RULES, [(bought, 400)], state.spot, last)
    assert margin_used(RULES, state, held, at) == due > 0


def test_without_a_market_the_price_that_a_future_was_settled_at_stands_in_for_the_spot() -> None:
    """So that a day of official prices alone does not ask for the whole worth of the cover."""
    expected = margin(RULES.margin_rates("NIFTY", DAY), LEGS, SPOTS["NIFTY"], 0.15, START)
    assert 0 < margin_used(RULES, None, HELD, START) == expected < COST // 4


def test_without_a_market_and_a_price_of_a_future_what_the_holdings_cost_stands_in_for_their_margin() -> None:
    assert margin_used(RULES, None, replace(HELD, holdings=(Holding(call(), -65, -900),)), START) == 900
    priceless = replace(HELD, holdings=(Holding(future(), 65, 0), Holding(call(), -65, -900)))
    assert margin_used(RULES, None, priceless, START) == 900


def test_nothing_held_needs_nothing(floor: Floor) -> None:
    assert margin_used(RULES, floor.states["NIFTY"], Position("NIFTY"), START) == 0
