"""What a person does with a ticket: one commit a change, clear refusals, and nothing half-written."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from participant.adapters.stores.memory import MemoryStore
from participant.core.books import External, external_id
from participant.core.breaker import Halt, Level
from participant.core.messages import Stamp, Ticket, Write
from participant.core.order import Order, OrderStatus, OrderView
from participant.core.scrip import Side
from participant.core.sighting import LiveBook
from participant.core.tickets import HandRule, acknowledge, claim, is_expired, settled
from participant.links.books import Books
from participant.links.evidence import Evidence
from participant.links.faults import FaultKind, Faults
from participant.operate.desk import (
    Hand,
    Look,
    No,
    book_fill,
    change,
    end,
    find,
    found,
    look_again,
    market_now,
    prepare,
    pull,
    take,
)
from participant.operate.wake import open_tickets
from participant.ports import BrokerDown, Store
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


def fill(store: Store, name: str, hand: Hand, stamp: Stamp, rule: HandRule) -> Ticket:
    """Enter a fill where the broker's book shows nothing of its order."""
    filling = prepare(store, name, hand, stamp, rule)
    return book_fill(store, filling, look_again(store, filling, showing()))


def showing(*views: OrderView, has_tags: bool = True) -> Look:
    return lambda _: LiveBook(views, has_tags)


def live(floor: Floor, *, has_tags: bool = True) -> Look:
    """The floor's own broker, asked as a command asks it."""

    def look(_: Order) -> LiveBook:
        views = floor.exchange.orders()
        return LiveBook(tuple(v if has_tags else replace(v, tag="") for v in views), has_tags)

    return look


def down(_: Order) -> LiveBook:
    raise BrokerDown("the broker is not there")


def appears(floor: Floor) -> OrderView:
    """The lost order is in the broker's book after all."""
    floor.exchange.fail(Faults())
    floor.exchange.place(floor.orders()[0])
    return floor.exchange.orders()[-1]


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


# --- the broker's book is asked again before anything is done by hand -------------------------------------------------


def test_a_ticket_is_claimed_once_the_brokers_book_does_not_show_its_order() -> None:
    floor, ticket = lost()
    after = take(floor.books, ticket.ticket_id, ASHA, live(floor))
    assert (after.claimed, [(k.said, k.is_checked) for k in after.looks]) == (
        ASHA,
        [("the broker's book does not show its order", True)],
    )
    with pytest.raises(No, match="claimed by asha"):
        take(floor.books, ticket.ticket_id, BEN, down)


@pytest.mark.parametrize("is_unchecked", [False, True])
def test_what_the_book_shows_live_or_filled_is_claimed_by_nobody_and_nothing_is_written(is_unchecked: bool) -> None:
    floor, ticket = lost()
    shown = appears(floor)
    before = everything(floor.books, "tickets", "orders", "outbox")
    with pytest.raises(No, match=f"{shown.broker_order_id} .* is complete, 65 units filled. DO NOT EXECUTE"):
        take(floor.books, ticket.ticket_id, ASHA, live(floor), is_unchecked=is_unchecked)
    assert everything(floor.books, "tickets", "orders", "outbox") == before, "evidence is the gateway's to take in"
    floor.gateway().step(0.0)
    assert floor.statuses()[0] is OrderStatus.FILLED
    assert floor.tickets()[0].closed is not None


def test_a_book_that_cannot_be_read_is_no_leave_to_claim_but_by_an_explicit_word_that_is_kept() -> None:
    floor, ticket = lost()
    before = everything(floor.books, "tickets")
    with pytest.raises(No, match=r"could not be read \(the broker is not there\).* only with --unchecked"):
        take(floor.books, ticket.ticket_id, ASHA, down)
    assert everything(floor.books, "tickets") == before
    (look,) = take(floor.books, ticket.ticket_id, ASHA, down, is_unchecked=True).looks
    assert (look.stamp, look.is_checked) == (ASHA, False)
    assert find(floor.books, ticket.ticket_id)[0].looks == (look,)


def test_a_ticket_of_no_order_is_claimed_without_asking_the_broker(books: MemoryStore) -> None:
    put(books, "abc")
    assert take(books, "abc", ASHA, down).claimed == ASHA


def test_where_the_book_bears_no_tags_what_is_like_the_order_is_a_persons_to_judge() -> None:
    floor, ticket = lost()
    shown = appears(floor)
    with pytest.raises(No, match="and may be it: if it is, say `participant desk found`"):
        take(floor.books, ticket.ticket_id, ASHA, live(floor, has_tags=False))
    (look,) = take(floor.books, ticket.ticket_id, ASHA, live(floor, has_tags=False), is_unchecked=True).looks
    assert look.ruled_out == (shown.broker_order_id,)
    filling = prepare(floor.books, ticket.ticket_id, hand(floor), ASHA, RULE)
    assert not look_again(floor.books, filling, live(floor, has_tags=False)).is_double, "it was ruled out by a person"


def test_an_order_of_ours_that_appears_before_a_fill_is_entered_opens_the_breaker_and_the_fill_is_booked() -> None:
    floor, ticket = claimed()
    shown = appears(floor)
    filling = prepare(floor.books, ticket.ticket_id, hand(floor), ASHA, RULE)
    looked = look_again(floor.books, filling, live(floor))
    assert looked.is_double
    told = pull(floor.books, filling, looked)
    after = book_fill(floor.books, filling, looked, told)
    halt = Books(floor.books).halt()
    assert (halt.level, shown.broker_order_id in halt.why) == (Level.OPEN, True)
    assert decode(floor.books.rows("halts")[0].value, Halt) == halt
    assert (after.is_closed, after.entries[0].quantity) == (False, 65), "a person must see to it"
    order = floor.orders()[0]
    assert (order.status, order.cum_quantity, order.unfilled) == (OrderStatus.UNKNOWN, 65, 65), "it still may fill"
    book(floor)
    order = floor.orders()[0]
    assert (order.status, order.cum_quantity) == (OrderStatus.FILLED, 130)
    assert floor.position().cover == 130


def test_of_two_that_may_be_filled_the_gateway_takes_ours_in_and_cancels_what_still_works() -> None:
    floor, ticket = claimed()
    floor.move_away(future())
    shown = appears(floor)
    assert shown.status == "open"
    filling = prepare(floor.books, ticket.ticket_id, hand(floor), ASHA, RULE)
    looked = look_again(floor.books, filling, live(floor))
    book_fill(floor.books, filling, looked, pull(floor.books, filling, looked))
    book(floor)
    order = floor.orders()[0]
    assert (order.status, order.cum_quantity, order.cancels) == (OrderStatus.CANCELLED, 65, 1)
    assert [o.status for o in floor.exchange.state.orders] == ["cancelled"]
    (settled_by_the_desk,) = floor.tickets()
    assert settled_by_the_desk.is_closed


def test_a_reason_that_holds_the_breaker_open_is_kept_beside_the_new_one() -> None:
    floor, ticket = claimed()
    appears(floor)
    floor.halt(Level.OPEN)
    filling = prepare(floor.books, ticket.ticket_id, hand(floor), ASHA, RULE)
    pull(floor.books, filling, look_again(floor.books, filling, live(floor)))
    assert Books(floor.books).halt().why.startswith(f"a person asked for it; ticket {ticket.ticket_id[:8]}: BOTH")


def test_a_book_that_cannot_be_read_stands_in_no_fills_way_and_is_noted() -> None:
    floor, ticket = claimed()
    filling = prepare(floor.books, ticket.ticket_id, hand(floor), ASHA, RULE)
    after = book_fill(floor.books, filling, look_again(floor.books, filling, down))
    assert (after.state, after.looks[-1].is_checked) == ("closed", False)


def test_our_own_send_is_not_entered_as_done_by_hand() -> None:
    floor, ticket = claimed()
    shown = appears(floor)
    filling = prepare(floor.books, ticket.ticket_id, hand(floor, name=shown.broker_order_id), ASHA, RULE)
    with pytest.raises(No, match="is our own send, and is counted by itself"):
        look_again(floor.books, filling, live(floor))


# --- a person says which of the broker's orders is ours ---------------------------------------------------------------


def test_the_brokers_order_that_a_person_names_is_taken_in_and_settles_the_ticket() -> None:
    floor, ticket = claimed()
    shown = appears(floor)
    after = found(floor.books, ticket.ticket_id[:8], shown.broker_order_id, ASHA, live(floor, has_tags=False))
    assert after.closed is not None
    assert (after.closed.how, after.closed.by) == ("found", "asha")
    assert after.closed.reason == f"the broker's order {shown.broker_order_id} is it, and is filled"
    (order, _) = floor.orders()
    assert (order.status, order.broker_order_id, order.cum_value) == ("filled", shown.broker_order_id, shown.cum_value)
    book(floor)
    assert floor.position().cover == 65


@pytest.mark.parametrize(
    ("changes", "status", "is_closed"),
    [
        ({"status": "open", "cum_quantity": 0, "cum_value": 0}, OrderStatus.WORKING, True),
        ({"status": "cancelled", "cum_quantity": 0, "cum_value": 0}, OrderStatus.CANCELLED, True),
        ({"status": "rejected", "cum_quantity": 0, "cum_value": 0}, OrderStatus.REJECTED, False),
        ({"status": "after market", "cum_quantity": 0, "cum_value": 0}, OrderStatus.UNKNOWN, False),
    ],
)
def test_whatever_the_named_order_shows_is_taken_in_as_all_evidence_is(
    changes: dict[str, object], status: OrderStatus, is_closed: bool
) -> None:
    floor, ticket = lost()
    (view,) = shows(floor, "B7", 65, 1_561_000_00)
    look = showing(replace(view, **changes), has_tags=False)
    assert found(floor.books, ticket.ticket_id, "B7", ASHA, look).is_closed is is_closed
    assert (floor.statuses()[0], floor.orders()[0].broker_order_id) == (status, "B7")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"contract": "another"}, "its contract is another, not NIFTY"),
        ({"side": Side.SELL}, "its side is sell, not buy"),
        ({"quantity": 130}, "its quantity is 130, not 65"),
        ({"tag": "0123456789abcdef1"}, "is another order's"),
        ({"broker_order_id": "B8"}, "has no order B7"),
    ],
)
def test_an_order_that_cannot_be_ours_is_not_claimed(changes: dict[str, object], said: str) -> None:
    floor, ticket = lost()
    (view,) = shows(floor, "B7", 65, 1_561_000_00)
    before = everything(floor.books, "tickets", "orders", "outbox")
    with pytest.raises(No, match=said):
        found(floor.books, ticket.ticket_id, "B7", ASHA, showing(replace(view, **changes), has_tags=False))
    assert everything(floor.books, "tickets", "orders", "outbox") == before


def owned_by_another(floor: Floor) -> None:
    held = Books(floor.books).orders_ever(floor.orders()[1].order_id)[0]
    assert Books(floor.books).save(held, replace(held.order, broker_order_id="B7"))


def entered_by_hand(floor: Floor) -> None:
    held = Books(floor.books).orders_ever(floor.orders()[0].order_id)[0]
    assert Books(floor.books).save(held, replace(held.order, entered={"B7": (65, 1)}))


def booked_as_external(floor: Floor) -> None:
    row = External(external_id("B7"), shows(floor, "B7", 65, 1)[0], 1)
    floor.books.commit([Write("external", f"{DAY}/{row.order_id}", encode(row))])


def of_known_fate(floor: Floor) -> None:
    held = Books(floor.books).orders_ever(floor.orders()[0].order_id)[0]
    assert Books(floor.books).save(held, replace(held.order, status=OrderStatus.DEAD))


def claimed_by_ben(floor: Floor) -> None:
    change(floor.books, open_tickets(floor.books)[0].ticket_id, lambda t: claim(t, BEN))


def closed_already(floor: Floor) -> None:
    end(floor.books, open_tickets(floor.books)[0].ticket_id, "closed", BEN, "seen")


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (owned_by_another, "belongs to order"),
        (entered_by_hand, "was entered as done by hand"),
        (booked_as_external, "is booked as EXTERNAL already"),
        (of_known_fate, "its order is dead: only one of unknown fate"),
        (claimed_by_ben, "it is claimed by ben"),
        (closed_already, "it is closed: seen"),
    ],
)
def test_what_is_settled_otherwise_is_not_found(before: Callable[[Floor], None], said: str) -> None:
    floor, ticket = lost()
    before(floor)
    look = showing(*shows(floor, "B7", 65, 1_561_000_00), has_tags=False)
    with pytest.raises(No, match=said):
        found(floor.books, ticket.ticket_id, "B7", ASHA, look)


def test_a_persons_word_is_not_asked_for_where_the_book_bears_tags_or_cannot_be_read(books: MemoryStore) -> None:
    floor, ticket = lost()
    with pytest.raises(No, match="bears our tags"):
        found(floor.books, ticket.ticket_id, "B7", ASHA, live(floor))
    with pytest.raises(No, match="cannot be read now, so nothing is claimed: the broker is not there"):
        found(floor.books, ticket.ticket_id, "B7", ASHA, down)
    put(books, "abc")
    with pytest.raises(No, match="its order is none of ours"):
        found(books, "abc", "B7", ASHA, down)
