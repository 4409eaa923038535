"""The books as values: what is read from the rows, what one save writes, and what the desk is worth."""

import datetime

import pytest
from msgspec.structs import replace

from participant.adapters.stores.memory import MemoryStore
from participant.core.account import Account
from participant.core.books import OrderReport
from participant.core.breaker import BreakerState, Level
from participant.core.messages import Ticket, Write
from participant.core.order import Order, OrderStatus, orders_of
from participant.core.position import Holding, Position
from participant.core.scrip import Side, money
from participant.links.books import Books, Held, market_state, worth
from participant.wire.json import decode, encode
from tests.core.desk import OPENING, an_order, decision, leg
from tests.stages.floor import CAPITAL, DAY, START, Floor, call, future

S = OrderStatus
TODAY = datetime.date(2025, 11, 30)  # of the orders of tests/core/desk.py
MINE = an_order(decided_at=START, margin=100)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def books(store: MemoryStore) -> Books:
    return Books(store)


def put(store: MemoryStore, *orders: Order) -> list[Held]:
    held = [Held(o, 1) for o in orders]
    assert store.commit([Write("orders", h.key, encode(h.order), 0) for h in held])
    return held


def promised(store: MemoryStore) -> list[tuple[str, OrderReport]]:
    return [(r.key, decode(r.value, OrderReport)) for r in store.rows("outbox")]


# --- reading ---


def test_an_order_stands_under_the_day_it_was_decided_on() -> None:
    assert Held(MINE, 1).key == f"{DAY}/{MINE.order_id}"


def test_orders_are_those_of_their_day_and_prefix(store: MemoryStore, books: Books) -> None:
    other = replace(MINE, order_id="f" * 32)
    old = replace(MINE, order_id="e" * 32, decided_at=START - 86_400 * 10**9)
    put(store, MINE, other, old)
    assert books.orders(DAY) == [Held(MINE, 1), Held(other, 1)]
    assert books.orders(DAY, "ff") == [Held(other, 1)]
    assert books.orders_ever(old.order_id) == [Held(old, 1)]
    assert books.orders_ever("") == []


def test_the_legs_of_a_decision_come_in_their_order(store: MemoryStore, books: Books) -> None:
    first, second = (replace(o, decided_at=START) for o in orders_of(OPENING))
    put(store, second, first, replace(first, order_id="x", decision_id="another"))
    assert [h.order for h in books.legs(DAY, OPENING.decision_id)] == [first, second]


def test_unfinished_decisions_come_by_instant_scrip_and_id(store: MemoryStore, books: Books) -> None:
    def made(name: str, scrip: str, at: int, status: OrderStatus = S.DECIDED) -> Order:
        return replace(MINE, order_id=name, decision_id=f"d-{name}", scrip=scrip, decided_at=at, status=status)

    put(
        store,
        made("later", "A", START + 1),
        made("z", "NIFTY", START),
        made("a", "NIFTY", START),
        made("b", "BANKNIFTY", START, S.UNKNOWN),
        made("over", "A", START, S.FILLED),
        replace(made("second leg", "BANKNIFTY", START), decision_id="d-b"),
    )
    assert books.unfinished(DAY) == ["d-b", "d-a", "d-z", "d-later"]


def test_where_nothing_was_written_there_is_nothing(books: Books) -> None:
    assert books.account() == (Account(0, 0), 0)
    assert books.position("NIFTY") == (Position("NIFTY"), 0)
    assert (books.positions(), books.breaker(), books.decision(MINE), books.ticket("t")) == ([], None, None, (None, 0))


def test_rows_come_with_the_version_that_a_write_must_find(store: MemoryStore, books: Books) -> None:
    ticket, state = Ticket("t", 1, "NIFTY", "title", "detail"), BreakerState(Level.OPEN, ("x",), 1, 2)
    for _ in range(2):
        store.commit([
            Write("account", "account", encode(Account(2, 1))),
            Write("positions", "NIFTY", encode(Position("NIFTY", realised=5))),
            Write("tickets", "t", encode(ticket)),
            Write("breaker", "state", encode(state)),
        ])  # fmt: skip
    assert books.account() == (Account(2, 1), 2)
    assert books.position("NIFTY") == (Position("NIFTY", realised=5), 2)
    assert books.positions() == [Position("NIFTY", realised=5)]
    assert books.ticket("t") == (ticket, 2)
    assert books.breaker() == state


def test_an_order_finds_the_decision_that_was_logged_for_it() -> None:
    floor = Floor()
    made = floor.decide()
    assert Books(floor.books).decision(floor.orders()[0]) == made
    assert Books(floor.books).decision(replace(floor.orders()[0], decision_id="another")) is None


# --- writing ---


def test_what_filled_is_promised_to_the_books_in_the_same_commit(store: MemoryStore, books: Books) -> None:
    (held,) = put(store, replace(MINE, status=S.WORKING))
    after = replace(held.order, status=S.PARTIAL, cum_quantity=30, cum_value=7)
    assert books.save(held, after)
    assert books.orders(DAY) == [Held(after, 2)]
    ((key, told),) = promised(store)
    assert key == f"fills/NIFTY/{MINE.order_id}-30-0"
    assert (told.cum_quantity, told.cum_value, told.is_final) == (30, 7, False)


@pytest.mark.parametrize(
    ("before", "after", "names"),
    [
        ({"status": S.DECIDED}, {"status": S.CLAIMED}, []),
        ({"status": S.SENDING}, {"status": S.UNKNOWN}, []),
        ({"status": S.CLAIMED}, {"status": S.DENIED}, ["0-1"]),
        ({"status": S.PARTIAL, "cum_quantity": 30}, {"status": S.CANCELLED, "cum_quantity": 30}, ["30-1"]),
        ({"status": S.PARTIAL, "cum_quantity": 30}, {"status": S.FILLED, "cum_quantity": 75}, ["75-1"]),
        ({"status": S.CANCELLED, "cum_quantity": 30}, {"status": S.CANCELLED, "cum_quantity": 45}, ["45-1"]),
        ({"status": S.CANCELLED, "cum_quantity": 30}, {"status": S.CANCELLED, "cum_quantity": 30, "reason": "x"}, []),
    ],
)
def test_the_books_are_told_of_new_fills_and_of_the_end_and_of_nothing_else(
    store: MemoryStore, books: Books, before: dict[str, object], after: dict[str, object], names: list[str]
) -> None:
    (held,) = put(store, replace(MINE, **before))
    assert books.save(held, replace(held.order, **after))
    assert [key for key, _ in promised(store)] == [f"fills/NIFTY/{MINE.order_id}-{name}" for name in names]


def test_where_another_was_first_nothing_at_all_is_written(store: MemoryStore, books: Books) -> None:
    (held,) = put(store, replace(MINE, status=S.PARTIAL))
    assert books.save(held, replace(held.order, reason="the other's word"))
    extra = Write("tickets", "t", b"")
    assert not books.save(held, replace(held.order, status=S.FILLED, cum_quantity=75), [extra])
    assert [h.order.reason for h in books.orders(DAY)] == ["the other's word"]
    assert (promised(store), store.rows("tickets")) == ([], [])


def test_a_denial_says_why(store: MemoryStore, books: Books) -> None:
    (held,) = put(store, MINE)
    assert books.deny(held, "because")
    assert [(h.order.status, h.order.reason) for h in books.orders(DAY)] == [(S.DENIED, "because")]


def test_an_order_is_handed_over_with_one_ticket_however_often(store: MemoryStore, books: Books) -> None:
    (held,) = put(store, replace(MINE, status=S.UNKNOWN))
    assert books.hand_over(held, held.order, 5)
    (again,) = books.orders(DAY)
    assert again.order.is_ticketed
    assert books.hand_over(again, again.order, 6)
    (row,) = store.rows("tickets")
    assert (decode(row.value, Ticket).at, row.version) == (5, 1)
    assert not books.hand_over(held, held.order, 7), "what another has changed meanwhile is looked at anew"


# --- what the desk is worth ---


def desk(*holdings: Holding) -> Floor:
    floor = Floor()
    floor.books.commit([Write("positions", "NIFTY", encode(Position("NIFTY", holdings)))])
    return floor


def test_a_desk_that_holds_nothing_is_worth_its_cash() -> None:
    assert worth(desk().books, desk().market) == CAPITAL


def test_options_count_at_their_middle_and_futures_by_what_they_gained() -> None:
    floor = desk(Holding(future(), 65, money(floor_price(), 65)), Holding(call(), -65, -1))
    premium = money(floor.quotes[call().key].mid, -65)
    gained = money(floor.quotes[future().key].mid, 65) - money(floor_price(), 65)
    assert worth(floor.books, floor.market) == CAPITAL + premium + gained


def floor_price() -> int:
    return 23_900 * 10_000


def test_without_a_valid_quote_our_worth_is_unknown_or_counted_at_cost() -> None:
    cost = money(100 * 10_000, -65)
    floor = desk(Holding(call(), -65, cost))
    floor.reprice(call(), bid=0, bid_size=0)
    assert worth(floor.books, floor.market) is None
    assert worth(floor.books, floor.market, at_cost=True) == CAPITAL + cost


def test_without_a_market_state_our_worth_is_unknown_or_counted_at_cost() -> None:
    floor = desk(Holding(future(), 65, money(floor_price(), 65)))
    floor.market.commit([Write("quotes", "NIFTY", None)])
    assert market_state(floor.market, "NIFTY") is None
    assert worth(floor.books, floor.market) is None
    assert worth(floor.books, floor.market, at_cost=True) == CAPITAL


def test_what_is_unfinished_of_another_day_is_not_of_this_one(store: MemoryStore, books: Books) -> None:
    made = decision(leg(future(), Side.BUY))
    put(store, *orders_of(made))
    assert books.unfinished(TODAY) == [made.decision_id]
    assert books.unfinished(DAY) == []
