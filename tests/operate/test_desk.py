"""What a person does with a ticket: one commit a change, clear refusals, and nothing half-written."""

import pytest
from msgspec.structs import replace

from participant.adapters.stores.memory import MemoryStore
from participant.core.messages import Stamp, Ticket, Write
from participant.core.order import OrderStatus, OrderView
from participant.core.scrip import Side
from participant.core.tickets import HandRule, acknowledge, claim, is_expired, settled
from participant.links.books import Books
from participant.links.evidence import Evidence
from participant.links.faults import FaultKind
from participant.operate.desk import Hand, No, change, end, fill, find, market_now
from participant.operate.wake import open_tickets
from participant.wire.json import decode, encode
from tests.stages.floor import DAY, Contended, Floor, call, everything, future

ASHA, BEN = Stamp("asha", 10), Stamp("ben", 20)
RULE = HandRule(10_000_000_00, 0.25, 0.05)


@pytest.fixture
def books() -> MemoryStore:
    return MemoryStore()


def put(books: MemoryStore, *names: str) -> None:
    for name in names:
        books.commit([Write("tickets", name, encode(Ticket(name, 1, "NIFTY", "a title", "a detail")))])


def lost(lots: int = 1, store: MemoryStore | None = None) -> tuple[Floor, Ticket]:
    """The gateway sent an order whose fate nobody knows; its ticket is open."""
    floor = Floor(store)
    floor.exchange.plan(FaultKind.LOSE)
    floor.decide(floor.leg(future(), Side.BUY, lots), floor.leg(call(), Side.SELL, lots))
    gateway, desk = floor.gateway(), floor.desk()
    for second in (0, 180):
        floor.at(second)
        gateway.step(0.0)
        desk.step(0.0)
    (ticket,) = open_tickets(floor.books)
    return floor, ticket


def claimed(lots: int = 1, store: MemoryStore | None = None) -> tuple[Floor, Ticket]:
    floor, ticket = lost(lots, store)
    return floor, change(floor.books, ticket.ticket_id, lambda t: claim(t, ASHA))


def hand(floor: Floor, lots: int = 1, name: str = "H1", ticks: int = 0) -> Hand:
    order = floor.orders()[0]
    return Hand(name, lots * order.contract.lot, order.limit + ticks * order.contract.tick, floor.clock.now())


def book(floor: Floor) -> None:
    """The gateway passes on what filled, and the desk books it."""
    floor.gateway().step(0.0)
    floor.desk().step(0.0)


def shows(floor: Floor, name: str, units: int, paise: int, status: str = "complete") -> list[OrderView]:
    key = future().key
    return [OrderView("", name, key, Side.BUY, units, units, paise, status, updated_at=floor.clock.now())]


# --- its life ---


def test_a_ticket_has_everything_that_is_needed_to_do_it_by_hand() -> None:
    _, ticket = lost()
    work = ticket.work
    assert work is not None
    assert (work.contract, work.side, work.quantity, work.why) == (future(), Side.BUY, 65, "because")
    assert (work.is_doubtful, work.evidence.sends, work.evidence.shown) == (True, 1, {})
    assert (is_expired(ticket, work.deadline - 1), is_expired(ticket, work.deadline)) == (False, True)


def test_a_ticket_is_found_by_the_beginning_of_its_name(books: MemoryStore) -> None:
    put(books, "abc", "abd")
    assert find(books, "abc")[0].ticket_id == "abc"
    for name, said in (("ab", "2 tickets begin with 'ab'"), ("x", "no ticket begins with 'x'"), ("", "no ticket")):
        with pytest.raises(No, match=said):
            find(books, name)


def test_who_acknowledges_second_changes_nothing(books: MemoryStore) -> None:
    put(books, "abc")
    change(books, "abc", lambda t: acknowledge(t, ASHA))
    again = change(books, "abc", lambda t: acknowledge(t, BEN))
    assert (again.acknowledged, again.state) == (ASHA, "acknowledged")


def test_two_people_cannot_both_claim(books: MemoryStore) -> None:
    put(books, "abc")
    assert change(books, "abc", lambda t: claim(t, ASHA)).claimed == ASHA
    before = everything(books, "tickets")
    with pytest.raises(No, match="it is claimed by asha"):
        change(books, "abc", lambda t: claim(t, BEN))
    assert everything(books, "tickets") == before
    assert change(books, "abc", lambda t: claim(t, replace(ASHA, at=30))).claimed == ASHA


def test_of_two_who_claim_in_the_same_moment_one_is_told_no() -> None:
    books = Contended("tickets")
    put(books, "abc")
    books.others = [lambda: change(books, "abc", lambda t: claim(t, BEN))]
    with pytest.raises(No, match="it has just changed"):
        change(books, "abc", lambda t: claim(t, ASHA))
    assert find(books, "abc")[0].claimed == BEN


def test_a_ticket_is_closed_with_its_reason_and_once(books: MemoryStore) -> None:
    put(books, "abc", "abd")
    done = end(books, "abc", "closed", ASHA, "it never arrived")
    assert done.closed is not None
    assert (done.closed.by, done.closed.reason, done.state) == ("asha", "it never arrived", "closed")
    before = everything(books, "tickets")
    with pytest.raises(No, match="it is closed: it never arrived"):
        end(books, "abc", "closed", ASHA, "x")
    with pytest.raises(No, match="it is closed: it never arrived"):
        change(books, "abc", lambda t: claim(t, ASHA))
    with pytest.raises(No, match="it is closed: it never arrived"):
        change(books, "abc", lambda t: acknowledge(t, ASHA))
    assert everything(books, "tickets") == before
    assert [t.ticket_id for t in open_tickets(books)] == ["abd"]
    assert find(books, "ab")[0].ticket_id == "abd", "an open one goes before a closed one"


def test_what_another_has_claimed_can_be_closed_but_not_rejected(books: MemoryStore) -> None:
    put(books, "abc")
    change(books, "abc", lambda t: claim(t, ASHA))
    with pytest.raises(No, match="claimed by asha"):
        end(books, "abc", "rejected", BEN, "no")
    assert end(books, "abc", "closed", BEN, "asha is away").is_closed


def test_what_the_machine_settles_stays_as_a_person_closed_it(books: MemoryStore) -> None:
    put(books, "abc")
    closed = end(books, "abc", "closed", ASHA, "seen")
    assert settled(closed, "found") == closed


def test_with_its_ticket_an_order_of_unknown_fate_is_given_up_and_its_margin_comes_free() -> None:
    floor, ticket = lost()
    assert len(floor.account().reserved) == 1
    end(floor.books, ticket.ticket_id[:8], "closed", ASHA, "the broker says that it never came")
    assert floor.statuses() == [OrderStatus.DEAD, OrderStatus.DENIED]
    assert floor.orders()[0].reason == "the broker says that it never came"
    book(floor)
    assert floor.account().reserved == {}


def test_a_ticket_of_an_order_that_is_over_leaves_the_order_alone() -> None:
    floor = Floor()
    floor.exchange.plan(FaultKind.REFUSE)
    floor.decide(floor.leg(future(), Side.BUY))
    floor.gateway().step(0.0)
    (ticket,) = open_tickets(floor.books)
    assert ticket.work is not None
    assert not ticket.work.is_doubtful, "a proven reject leaves no doubt"
    before = everything(floor.books, "orders", "outbox")
    end(floor.books, ticket.ticket_id, "closed", ASHA, "seen")
    assert everything(floor.books, "orders", "outbox") == before


# --- fills made by hand ---


def test_a_fill_made_by_hand_is_booked_and_ends_its_ticket() -> None:
    floor, ticket = claimed()
    after = fill(floor.books, ticket.ticket_id, hand(floor, ticks=1), ASHA, RULE)
    assert (after.state, [e.broker_order_id for e in after.entries]) == ("closed", ["H1"])
    assert floor.statuses()[0] is OrderStatus.DEAD
    book(floor)
    assert [(h.contract, h.quantity) for h in floor.position().holdings] == [(future(), 65)]
    assert [r.key.partition("/")[0] for r in floor.books.rows("fills")] == [str(DAY)]


def test_a_part_leaves_the_ticket_open_for_the_rest() -> None:
    floor, ticket = claimed(lots=2)
    assert fill(floor.books, ticket.ticket_id, hand(floor), ASHA, RULE).state == "claimed"
    assert floor.statuses()[0] is OrderStatus.UNKNOWN
    assert fill(floor.books, ticket.ticket_id, hand(floor, name="H2"), ASHA, RULE).state == "closed"
    book(floor)
    assert floor.position().cover == 130


def test_the_brokers_later_report_is_counted_once_and_its_figures_stand() -> None:
    floor, ticket = claimed()
    fill(floor.books, ticket.ticket_id, hand(floor), ASHA, RULE)
    book(floor)
    books, cash = Books(floor.books), floor.account().cash
    evidence = Evidence(books, floor.exchange, 5)
    for view in shows(floor, "H1", 65, 1_561_000_00) * 2:
        for held in evidence.owners(DAY, view):
            evidence.take_in(held, [view])
    book(floor)
    (order, _), (holding,) = floor.orders(), floor.position().holdings
    assert (order.status, order.cum_quantity, order.cum_value) == (OrderStatus.FILLED, 65, 1_561_000_00)
    assert (holding.quantity, holding.cost) == (65, 1_561_000_00)
    assert abs(floor.account().cash - cash) < 1_000_00, "a future's value is not paid; its charges may differ"


def test_a_person_who_entered_too_much_is_put_right_in_the_books() -> None:
    floor, ticket = claimed(lots=2)
    fill(floor.books, ticket.ticket_id, hand(floor, lots=2), ASHA, RULE)
    book(floor)
    assert floor.position().cover == 130
    books = Books(floor.books)
    evidence = Evidence(books, floor.exchange, 5)
    (view,) = shows(floor, "H1", 65, 1_561_000_00)
    evidence.take_in(evidence.owners(DAY, view)[0], [view])
    book(floor)
    assert floor.position().cover == 65


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"quantity": 64}, "no whole lots of 65"),
        ({"quantity": 0}, "no whole lots of 65"),
        ({"quantity": 65 * 21}, "above the freeze quantity 1300"),
        ({"quantity": 130}, "more than the 65 that are left to buy"),
        ({"price": 240_000_001}, "no whole number of ticks"),
        ({"price": 0}, "no whole number of ticks"),
        ({"price": 260_000_000}, "is not within"),
        ({"price": 650_000, "quantity": 65}, "is not within"),  # rupees and lots mixed up: there is no way around
        ({"filled_at": 1}, "before it was decided"),
    ],
)
def test_wrong_figures_are_refused_with_what_is_wrong_and_nothing_is_written(wrong: dict[str, int], said: str) -> None:
    floor, ticket = claimed()
    before = everything(floor.books, "tickets", "orders", "outbox")
    with pytest.raises(No, match=said):
        fill(floor.books, ticket.ticket_id, replace(hand(floor), **wrong), ASHA, RULE)
    assert everything(floor.books, "tickets", "orders", "outbox") == before


def test_the_value_of_one_order_is_a_hard_limit() -> None:
    """S30: a fat finger in a ticket by hand (rupees taken for lots) is refused, and nothing overrides it."""
    floor, ticket = claimed()
    with pytest.raises(No, match="exceeds the ₹1,000,000 of one order"):
        fill(floor.books, ticket.ticket_id, hand(floor), ASHA, replace(RULE, order_value_max=1_000_000_00))


def test_only_who_has_claimed_it_enters_its_fill() -> None:
    floor, ticket = lost()
    with pytest.raises(No, match="nobody has claimed it"):
        fill(floor.books, ticket.ticket_id, hand(floor), ASHA, RULE)
    change(floor.books, ticket.ticket_id, lambda t: claim(t, ASHA))
    with pytest.raises(No, match="it is claimed by asha"):
        fill(floor.books, ticket.ticket_id, hand(floor), BEN, RULE)
    fill(floor.books, ticket.ticket_id, hand(floor), ASHA, RULE)
    with pytest.raises(No, match="it is closed: filled by hand as H1"):
        fill(floor.books, ticket.ticket_id, hand(floor, name="H2"), ASHA, RULE)


def test_one_of_the_brokers_orders_fills_one_of_ours() -> None:
    floor, ticket = claimed(lots=2)
    other = replace(floor.orders()[1], shown={"B5": (65, 1)})
    held = Books(floor.books).orders_ever(other.order_id)[0]
    assert Books(floor.books).save(held, other)
    with pytest.raises(No, match="belongs to order"):
        fill(floor.books, ticket.ticket_id, hand(floor, name="B5"), ASHA, RULE)
    held = Books(floor.books).orders_ever(ticket.order_id)[0]
    assert Books(floor.books).save(held, replace(held.order, shown={"B7": (0, 0)}))
    with pytest.raises(No, match="is our own send, and counted already"):
        fill(floor.books, ticket.ticket_id, hand(floor, name="B7"), ASHA, RULE)


def test_a_ticket_of_no_order_takes_no_fill(books: MemoryStore) -> None:
    put(books, "abc")
    with pytest.raises(No, match="it is of no order"):
        fill(books, "abc", Hand("H1", 65, 1, 1), ASHA, RULE)


def test_where_the_order_moves_in_the_same_moment_nothing_is_entered() -> None:
    store = Contended("tickets")
    floor, ticket = claimed(store=store)
    held = Books(store).orders_ever(ticket.order_id)[0]
    store.others = [lambda: Books(store).save(held, replace(held.order, reason="another's word"))]
    with pytest.raises(No, match="it has just changed"):
        fill(store, ticket.ticket_id, hand(floor), ASHA, RULE)
    row = store.get("tickets", ticket.ticket_id)
    assert row is not None
    assert decode(row.value, Ticket).entries == ()


def test_the_markets_time_is_that_of_its_newest_instant() -> None:
    floor = Floor()
    assert market_now(floor.market) == floor.clock.now()
    assert market_now(MemoryStore()) == 0
