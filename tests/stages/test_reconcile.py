"""After hours: the day's settlement, our books against the broker's, and each difference as one ticket."""

import pytest
from msgspec.structs import replace

from participant.core.breaks import BreakKind
from participant.core.clearing import book, fill_line
from participant.core.decision import Action
from participant.core.market import SECOND
from participant.core.messages import Write
from participant.core.order import OrderStatus
from participant.core.scrip import PRICE_UNITS, Contract, Side, money
from participant.links.faults import FaultKind, Faults
from participant.links.look_backs import Closing
from participant.stages.reconcile import Closed, ReconcilePorts, close_day
from participant.wire.json import decode, encode
from tests.core.worlds import RULES
from tests.stages.floor import DAY, SPOTS, START, Floor, call, ending, everything, future

FINAL = {
    "NIFTY": SPOTS["NIFTY"] + 1_200 * PRICE_UNITS,
    future().key: SPOTS["NIFTY"] + 1_300 * PRICE_UNITS,
    "BANKNIFTY": SPOTS["BANKNIFTY"],
    future("BANKNIFTY").key: SPOTS["BANKNIFTY"],
}
TABLES = ("positions", "account", "fills", "events", "flows", "tickets", "days")


@pytest.fixture
def floor() -> Floor:
    """A desk that holds a future with a call sold against it, at the end of the day's last instant."""
    made = Floor()
    traded(made, call())
    return made


def traded(floor: Floor, sold: Contract, fault: FaultKind = FaultKind.NONE) -> None:
    """A day from its decision to the last mark."""
    floor.decide(floor.leg(future(), Side.BUY), floor.leg(sold, Side.SELL))
    floor.exchange.plan(FaultKind.NONE, fault)
    gateway, desk = floor.gateway(), floor.desk()
    for second, is_last in ((0, False), (300, False), (360, True)):
        floor.at(second)
        floor.mark("orders", START + second * SECOND, is_last=is_last)
        gateway.step(0.0)
        desk.step(0.0)


def close(floor: Floor) -> Closed | None:
    return close_day(ReconcilePorts(floor.books, floor.market, floor.exchange, floor.queues["fills"]), RULES, DAY)


def closed(floor: Floor) -> Closed:
    """The exchange publishes its prices, and the day is closed."""
    floor.exchange.close_day(floor.clock.now(), FINAL)
    done = close(floor)
    assert done is not None
    return done


# --- when ---


def test_a_day_is_not_closed_before_its_last_instant(floor: Floor) -> None:
    floor.exchange.close_day(floor.clock.now(), FINAL)
    floor.books.commit([Write("ended", str(DAY), None)])
    before = everything(floor.books, *TABLES)
    assert close(floor) is None
    assert everything(floor.books, *TABLES) == before


def test_a_day_is_not_closed_while_no_official_prices_are_out(floor: Floor) -> None:
    before = everything(floor.books, *TABLES)
    assert close(floor) is None
    assert everything(floor.books, *TABLES) == before


def test_a_failed_read_is_no_empty_book(floor: Floor) -> None:
    floor.exchange.close_day(floor.clock.now(), FINAL)
    floor.exchange.fail(Faults(books_down=1.0))
    assert close(floor) is None
    assert (floor.tickets(), floor.books.rows("days")) == ([], [])
    floor.exchange.fail(Faults())
    done = close(floor)
    assert done is not None
    assert done.breaks == ()


def test_a_broker_that_fails_in_the_middle_is_asked_again_and_nothing_is_settled_twice(floor: Floor) -> None:
    """Each of the four books may be the one that cannot be read; what was settled by then settles at nothing."""
    other = Floor()
    traded(other, call())
    expected = closed(other)
    floor.exchange.close_day(floor.clock.now(), FINAL)
    refusals = 0
    for seed in range(200):
        floor.exchange.fail(Faults(seed=seed, books_down=0.4))
        done = close(floor)
        if done is not None:
            break
        refusals += 1
    else:
        raise AssertionError("it never got through")
    assert refusals > 3
    assert done == expected
    assert everything(floor.books, *TABLES) == everything(other.books, *TABLES)


# --- settlement ---


def test_a_future_is_settled_in_cash_at_the_official_price(floor: Floor) -> None:
    cash, cost = floor.account().cash, next(h.cost for h in floor.position().holdings if h.contract == future())
    done = closed(floor)
    worth = money(FINAL[future().key], 65)
    assert floor.account().cash == cash + worth - cost
    assert next(h.cost for h in floor.position().holdings if h.contract == future()) == worth
    assert (done.day, done.at, done.settlements) == (str(DAY), START + 360 * SECOND, FINAL)
    assert (done.breaks, done.unknown) == ((), ())


def test_what_expires_ends_at_the_official_price_of_its_underlying() -> None:
    floor = Floor()
    traded(floor, ending())
    assert floor.statuses() == [OrderStatus.FILLED, OrderStatus.FILLED]
    cash, cost = floor.account().cash, next(h.cost for h in floor.position().holdings if h.contract == future())
    assert closed(floor).breaks == ()
    assert [h.contract for h in floor.position().holdings] == [future()]
    paid_out = money(FINAL["NIFTY"] - ending().strike, 65)
    assert floor.account().cash == cash - paid_out + money(FINAL[future().key], 65) - cost


def test_the_day_keeps_what_the_desk_is_worth_and_forgets_its_orders(floor: Floor) -> None:
    assert floor.position().booked
    done = closed(floor)
    premium = money(floor.quotes[call().key].mid, -65)
    gained = money(floor.quotes[future().key].mid, 65) - money(FINAL[future().key], 65)
    assert done.worth == floor.account().cash + premium + gained
    assert floor.position().booked == {}


def test_the_day_keeps_the_close_of_each_scrip_for_a_look_back_of_the_desks_own(floor: Floor) -> None:
    closed(floor)
    rows = {row.key: decode(row.value, Closing) for row in floor.books.rows("closings")}
    assert {key: row.close for key, row in rows.items()} == {f"{symbol}/{DAY}": FINAL[symbol] for symbol in SPOTS}


def test_what_has_no_quote_at_the_close_is_worth_its_cost(floor: Floor) -> None:
    sold = next(h for h in floor.position().holdings if h.contract == call())
    floor.reprice(call(), bid=0, bid_size=0)
    gained = money(floor.quotes[future().key].mid, 65) - money(FINAL[future().key], 65)
    assert closed(floor).worth == floor.account().cash + sold.cost + gained


def test_closing_again_changes_nothing(floor: Floor) -> None:
    closed(floor)
    before = everything(floor.books, *TABLES)
    assert close(floor) is None
    assert everything(floor.books, *TABLES) == before


def test_a_crash_before_the_day_was_recorded_settles_nothing_twice(floor: Floor) -> None:
    first = closed(floor)
    before = everything(floor.books, *TABLES)
    floor.books.commit([Write("days", str(DAY), None)])
    assert close(floor) == first
    assert everything(floor.books, *TABLES) == before


# --- comparison ---


def test_every_difference_is_a_break_and_one_ticket(floor: Floor) -> None:
    """The broker has a trade of ours that we know nothing of, and has lost one that we have."""
    state, strange = floor.exchange.state, future("BANKNIFTY")
    line = fill_line(strange, Side.BUY, 30, money(SPOTS["BANKNIFTY"], 30))
    state.ledger = book(state.ledger, line, charges=500_00)
    state.orders[0].cum_quantity = 0
    state.orders[0].status = "cancelled"
    done = closed(floor)
    stem = floor.sent()[0][:-1]
    assert [(b.kind, b.key) for b in done.breaks] == [
        (BreakKind.CASH, "cash"),
        (BreakKind.QUANTITY, stem),
        (BreakKind.MARGIN, "margin"),
        (BreakKind.POSITION, strange.key),
    ]
    cash, units, _, position = done.breaks
    assert int(cash.ours) - int(cash.theirs) == 500_00
    assert (units.ours, units.theirs, position.ours, position.theirs) == ("65", "0", "0", "30")
    assert all(b.repair and b.cycles == 1 and b.first_seen == done.at for b in done.breaks)
    assert [(t.title, t.detail) for t in floor.tickets()] == [
        (f"break: {b.kind} {b.key}", f"ours {b.ours}, the broker's {b.theirs}; {b.repair}") for b in done.breaks
    ]
    assert not any(t.is_closed for t in floor.tickets())


def test_a_break_that_is_found_again_makes_no_second_ticket(floor: Floor) -> None:
    floor.exchange.state.orders[0].cum_quantity = 0
    closed(floor)
    before = floor.tickets()
    floor.books.commit([Write("days", str(DAY), None)])
    assert close(floor) is not None
    assert floor.tickets() == before
    assert len(before) == 1


def test_an_order_of_unknown_fate_is_named_in_how_the_day_ended() -> None:
    floor = Floor()
    traded(floor, call(), FaultKind.LOSE)
    lost = floor.orders()[1]
    assert lost.status is OrderStatus.UNKNOWN
    done = closed(floor)
    assert (done.unknown, done.breaks) == ((lost.order_id,), ())
    assert [t.order_id for t in floor.tickets()] == [lost.order_id]


def test_a_day_without_a_trade_closes_clean() -> None:
    floor = Floor()
    floor.mark("fills", START, is_last=True)
    floor.desk().step(0.0)
    done = closed(floor)
    assert (done.breaks, done.unknown, done.worth) == ((), (), floor.account().cash)
    row = floor.books.get("days", str(DAY))
    assert row is not None
    assert decode(row.value, Closed) == done


def test_a_structure_that_was_opened_and_closed_reconciles(floor: Floor) -> None:
    floor.at(420)
    floor.decide(floor.leg(call(), Side.BUY), floor.leg(future(), Side.SELL), action=Action.CLOSE)
    floor.gateway().step(0.0)
    floor.mark("fills", START + 420 * SECOND, is_last=True)
    floor.desk().step(0.0)
    done = closed(floor)
    assert done.breaks == ()
    assert floor.position().is_flat
    assert done.worth == floor.account().cash
    assert encode(done.unknown) == b"[]"


# --- orders that are not over ---


@pytest.mark.parametrize(
    ("status", "ends", "tickets"),
    [
        (OrderStatus.DECIDED, OrderStatus.DENIED, 0),
        (OrderStatus.CLAIMED, OrderStatus.DENIED, 0),
        (OrderStatus.REJECTED, OrderStatus.DEAD, 1),
        (OrderStatus.SENDING, OrderStatus.UNKNOWN, 1),
        (OrderStatus.UNKNOWN, OrderStatus.UNKNOWN, 1),
        (OrderStatus.WORKING, OrderStatus.WORKING, 1),
    ],
)
def test_nothing_works_after_the_close(floor: Floor, status: OrderStatus, ends: OrderStatus, tickets: int) -> None:
    """An order that the broker's final book does not show is denied if it was never sent, else a person's."""
    floor.decide(floor.leg(future("BANKNIFTY"), Side.BUY))
    (order,) = [o for o in floor.orders() if o.scrip == "BANKNIFTY"]
    name = f"{DAY}/{order.order_id}"
    floor.books.commit([Write("orders", name, encode(replace(order, status=status, sends=1)))])
    floor.exchange.close_day(floor.clock.now(), FINAL)

    for _ in range(5):
        close(floor)
        floor.desk().step(0.0)

    row = floor.books.get("days", str(DAY))
    assert row is not None
    (after,) = [o for o in floor.orders() if o.scrip == "BANKNIFTY"]
    assert after.status is ends
    assert len(floor.books.rows("tickets")) == tickets
    still_open = (OrderStatus.UNKNOWN, OrderStatus.WORKING)
    assert decode(row.value, Closed).unknown == ((order.order_id,) if ends in still_open else ())
