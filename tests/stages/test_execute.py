"""The gateway: what it sends and what it refuses, in which order, and when it passes an instant on."""

import pytest
from msgspec.structs import replace

from participant.adapters.leases.memory import MemoryLease
from participant.adapters.queues.memory import MemoryQueue
from participant.core.account import reserve
from participant.core.breaker import Level
from participant.core.decision import Action, Decision
from participant.core.market import SECOND
from participant.core.messages import Message, Write
from participant.core.order import Order, OrderStatus, orders_of
from participant.core.risk import Limits
from participant.core.scrip import Side
from participant.core.sending import STEPS_MAX
from participant.core.session import at_time
from participant.links.faults import FaultKind, Faults
from participant.ports import LeaseHeld
from participant.stages.execute import Gateway, GatewayPorts
from participant.wire.json import decode, encode
from tests.stages.floor import CAPITAL, DAY, LAKH, START, Contended, Crash, Floor, call, everything, future, small

S = OrderStatus
DOWN = Faults(books_down=1.0)


@pytest.fixture
def floor() -> Floor:
    return Floor()


def reasons(floor: Floor) -> list[str]:
    return [o.reason for o in floor.orders()]


# --- the straight way ---


def test_a_decision_is_sent_leg_after_leg_and_what_filled_is_told_to_the_books(floor: Floor) -> None:
    decision = floor.decide()
    assert floor.gateway().step(0.0)
    assert floor.statuses() == [S.FILLED, S.FILLED]
    assert floor.sent() == [f"{o.tag_stem}1" for o in orders_of(decision)]
    assert [m.key for m in floor.queues["fills"].take(10, 0.0)] == ["NIFTY", "NIFTY"]
    depth = floor.queues["orders"].depth()
    assert (depth.waiting, depth.taken, depth.buried) == (0, 0, 0)


def test_when_nothing_came_a_step_says_so_and_changes_nothing(floor: Floor) -> None:
    gateway = floor.gateway()
    floor.decide()
    assert gateway.step(0.0)
    assert gateway.step(0.0), "the broker's updates of both orders"
    before = everything(floor.books, "orders", "account", "outbox")
    assert not gateway.step(0.0)
    assert everything(floor.books, "orders", "account", "outbox") == before


def test_an_order_message_that_comes_again_changes_nothing(floor: Floor) -> None:
    decision, gateway = floor.decide(), floor.gateway()
    gateway.step(0.0)
    floor.queues["orders"].put([Message("again", decision.scrip, b"")])
    gateway.step(0.0)
    assert floor.exchange.state.requests == 2


def test_an_order_is_sent_at_the_far_touch_of_the_present_quote(floor: Floor) -> None:
    decision = floor.decide()
    quote = floor.quotes[future().key]
    floor.reprice(future(), ask=quote.ask + 5 * future().tick)
    floor.gateway().step(0.0)
    assert [o.limit for o in floor.orders()] == [decision.legs[0].limit + 5 * future().tick, decision.legs[1].limit]


def test_decisions_are_worked_by_instant_and_then_by_scrip(floor: Floor) -> None:
    floor.at(1)
    floor.decide(floor.leg(future("NIFTY"), Side.BUY))
    floor.decide(floor.leg(future("BANKNIFTY"), Side.BUY))
    floor.at(2)
    floor.decide(floor.leg(call("BANKNIFTY"), Side.BUY))
    floor.gateway().step(0.0)
    assert [o.request.contract for o in floor.exchange.state.orders] == [
        future("BANKNIFTY").key,
        future("NIFTY").key,
        call("BANKNIFTY").key,
    ]


# --- RECOVER ---


def test_nothing_is_sent_or_passed_on_until_the_brokers_book_was_read(floor: Floor) -> None:
    floor.decide()
    floor.mark("orders", START)
    floor.exchange.fail(DOWN)
    gateway = floor.gateway()
    for _ in range(3):
        gateway.step(0.0)
    assert (floor.sent(), floor.statuses()) == ([], [S.DECIDED, S.DECIDED])
    assert floor.queues["fills"].depth().waiting == 0
    floor.exchange.fail(Faults())
    gateway.step(0.0)
    assert floor.statuses() == [S.FILLED, S.FILLED]
    assert [m.key for m in floor.queues["fills"].take(10, 0.0)] == ["NIFTY", "NIFTY", "mark"]


def test_books_restored_from_before_a_send_send_nothing_that_the_broker_has_already(floor: Floor) -> None:
    decision = floor.decide()
    before = [Write("orders", r.key, r.value) for r in floor.books.rows("orders")]
    floor.gateway().step(0.0)
    floor.books.commit(before)
    floor.gateway().step(0.0)
    assert len(floor.sent()) == 2
    assert [(o.status, o.cum_quantity) for o in floor.orders(decision)] == [(S.DENIED, 65), (S.DENIED, 65)]


def test_what_filled_while_the_gateway_was_away_is_adopted(floor: Floor) -> None:
    floor.move_away(future())
    floor.decide()
    floor.gateway().step(0.0)
    assert floor.statuses() == [S.WORKING, S.CLAIMED]
    floor.at(10)
    floor.exchange.updates()  # told to nobody
    floor.gateway().step(0.0)
    assert floor.statuses() == [S.FILLED, S.FILLED]


# --- written down before it is sent ---


def test_the_intent_stands_in_the_store_before_the_wire(floor: Floor) -> None:
    seen: list[tuple[OrderStatus, int, int]] = []

    def look(order: Order) -> None:
        row = floor.books.get("orders", f"{DAY}/{order.order_id}")
        assert row is not None
        stored = decode(row.value, Order)
        seen.append((stored.status, stored.sends, stored.sent_at))

    floor.exchange.before_place = look
    floor.exchange.plan(FaultKind.THROTTLE)
    floor.decide()
    floor.gateway().step(0.0)
    assert seen == [(S.SENDING, 1, START), (S.SENDING, 2, START), (S.SENDING, 1, START)]


def test_margin_is_reserved_for_every_leg_before_the_first_is_sent(floor: Floor) -> None:
    seen: list[int] = []
    floor.exchange.before_place = lambda _: seen.append(floor.account().committed)
    floor.decide()
    floor.gateway().step(0.0)
    assert seen == [4 * LAKH, 4 * LAKH]


def test_an_order_that_another_changed_meanwhile_is_not_sent() -> None:
    books = Contended("orders")
    floor = Floor(books)
    decision = floor.decide(floor.leg(future(), Side.BUY))
    key = f"{DAY}/{orders_of(decision)[0].order_id}"

    def deny() -> None:
        order = replace(floor.orders()[0], status=S.DENIED, reason="another was first")
        books.commit([Write("orders", key, encode(order))])

    books.others = [lambda: None, deny]  # the claim goes through, the send comes too late
    floor.gateway().step(0.0)
    assert (floor.sent(), reasons(floor)) == ([], ["another was first"])


def test_what_filled_is_told_after_a_crash_before_it_was_told(floor: Floor) -> None:
    class Dying(MemoryQueue):
        def put(self, messages: object) -> int:
            raise Crash

    sound = floor.queues["fills"]
    floor.queues["fills"] = Dying(lambda: 0.0)
    floor.decide(floor.leg(future(), Side.BUY))
    with pytest.raises(Crash):
        floor.gateway().step(0.0)
    floor.queues["fills"] = sound
    floor.gateway().step(0.0)
    floor.gateway().step(0.0)
    assert len(sound.take(10, 0.0)) == 1
    assert floor.exchange.state.requests == 1


# --- one leg after the other ---


def test_a_leg_waits_until_the_one_before_is_filled(floor: Floor) -> None:
    floor.reprice(future(), ask_size=65)
    floor.decide(floor.leg(future(), Side.BUY, lots=2), floor.leg(call(), Side.SELL, lots=2))
    gateway = floor.gateway()
    gateway.step(0.0)
    assert floor.statuses() == [S.PARTIAL, S.CLAIMED]
    floor.at(10)
    floor.reprice(future(), ask_size=130)
    gateway.step(0.0)
    assert floor.statuses() == [S.FILLED, S.FILLED]
    assert len(floor.sent()) == 2


def test_where_a_leg_is_refused_by_the_broker_the_rest_is_denied_and_a_person_told(floor: Floor) -> None:
    floor.exchange.plan(FaultKind.REFUSE)
    floor.decide()
    floor.gateway().step(0.0)
    assert floor.statuses() == [S.DEAD, S.DENIED]
    assert reasons(floor) == ["refused by the broker", "an earlier leg did not fill"]
    assert [t.order_id for t in floor.tickets()] == [floor.orders()[0].order_id]


def test_a_decision_of_many_legs_is_worked_over_several_steps_and_no_leg_twice(floor: Floor) -> None:
    for name in ("bid_size", "ask_size"):
        floor.reprice(future(), **{name: 100 * 65})
    sides = [Side.BUY, Side.SELL] * 30
    floor.decide(*(floor.leg(future(), side, margin=0) for side in sides))
    gateway = floor.gateway()
    gateway.step(0.0)
    assert S.CLAIMED in floor.statuses(), "one step does not hold up the world"
    gateway.step(0.0)
    assert set(floor.statuses()) == {S.FILLED}
    assert len(floor.sent()) == len(set(floor.sent())) == 60


# --- slices ---


def large(floor: Floor) -> Decision:
    """Five lots of a future of which one order may have two, and a call sold against each."""
    return floor.decide(
        floor.leg(small(), Side.BUY, 5, margin=10 * LAKH), floor.leg(call(), Side.SELL, 5, margin=10 * LAKH)
    )


def test_a_leg_above_the_freeze_quantity_goes_in_slices_before_the_next_leg(floor: Floor) -> None:
    large(floor)
    floor.gateway().step(0.0)
    asked = [(o.request.contract, o.request.quantity) for o in floor.exchange.state.orders]
    assert asked == [(small().key, 130), (small().key, 130), (small().key, 65), (call().key, 325)]
    assert set(floor.statuses()) == {S.FILLED}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", [1, 2, 3, 4])
def test_a_gateway_that_dies_at_any_slice_sends_none_twice_and_none_too_many(floor: Floor, nth: int, when: str) -> None:
    sends: list[str] = []

    def die(order: Order) -> None:
        sends.append(order.tag)
        if len(sends) == nth:
            raise Crash

    setattr(floor.exchange, f"{when}_place", die)
    decision, first = large(floor), floor.gateway()
    with pytest.raises(Crash):
        first.step(0.0)
    for second in (0, 30, 60, 400):
        floor.at(second)
        floor.gateway().step(0.0)
    bought = sum(o.request.quantity for o in floor.exchange.state.orders if o.request.contract == small().key)
    assert bought <= decision.legs[0].quantity
    assert len(floor.sent()) == len(set(floor.sent())), "no tag twice"
    if when == "after":
        assert set(floor.statuses()) == {S.FILLED}, "the book showed what became of it"
    else:
        assert floor.statuses()[nth - 1 :] == [S.UNKNOWN, *[S.DENIED] * (4 - nth)], "in doubt: a person's, and no more"
        assert [t.order_id for t in floor.tickets()] == [floor.orders()[nth - 1].order_id]


# --- one gateway, and a person's halt ---


def test_s24_a_second_gateway_on_the_same_books_is_refused_with_who_holds_them_and_the_first_sends_on(
    floor: Floor,
) -> None:
    """S24: a second instance that was not meant to run reaches nobody."""
    first = floor.gateway()
    floor.decide()
    with pytest.raises(LeaseHeld, match="the gateway works on these books already; one sends, so this one ends"):
        Gateway(replace(first.ports, lease=MemoryLease(floor.leases)), first.rule)
    first.step(0.0)
    assert floor.statuses() == [S.FILLED, S.FILLED]
    assert len(floor.sent()) == 2


def test_s25_a_gateway_cannot_be_made_without_a_lease() -> None:
    """S25: a lock that exists and is not wired guards nothing."""
    assert "lease" in GatewayPorts.__struct_fields__
    assert GatewayPorts.__struct_defaults__ == (), "whoever builds one must give it all"


def test_a_gateway_whose_lease_was_lost_touches_nothing(floor: Floor) -> None:
    gateway = floor.gateway()
    floor.decide()
    floor.leases.clear()
    before = everything(floor.books, "orders", "account", "outbox")
    with pytest.raises(LeaseHeld, match="the lease was lost"):
        gateway.step(0.0)
    assert everything(floor.books, "orders", "account", "outbox") == before


def test_a_lease_lost_between_the_intent_and_the_wire_sends_nothing_and_leaves_the_order_in_doubt(floor: Floor) -> None:
    class LostOnIntent(MemoryLease):
        def is_held(self) -> bool:
            return super().is_held() and S.SENDING not in floor.statuses()

    gateway = floor.gateway()
    floor.leases.clear()
    floor.decide()
    paused = Gateway(replace(gateway.ports, lease=LostOnIntent(floor.leases)), gateway.rule)
    with pytest.raises(LeaseHeld):
        paused.step(0.0)
    assert (floor.statuses(), floor.sent()) == ([S.SENDING, S.CLAIMED], [])
    floor.gateway().step(0.0)
    assert (floor.statuses()[0], floor.sent()) == (S.UNKNOWN, []), "the next one never assumes that it was not sent"


def test_a_halt_holds_at_the_next_order_though_the_evaluator_has_not_seen_it(floor: Floor) -> None:
    floor.decide()
    floor.halt(Level.OPEN)
    floor.gateway().step(0.0)
    assert (floor.statuses(), floor.sent()) == ([S.DENIED, S.DENIED], [])
    assert reasons(floor)[0] == "breaker: the breaker is OPEN: halted: a person asked for it"


def test_s22_a_halt_between_two_legs_stops_the_second(floor: Floor) -> None:
    """S22: pulled in the middle of the loop over the orders, the breaker holds at the next one."""
    floor.exchange.after_place = lambda _: floor.halt(Level.OPEN)
    floor.decide()
    floor.gateway().step(0.0)
    assert floor.statuses() == [S.FILLED, S.DENIED]
    assert len(floor.sent()) == 1


def test_a_halt_cancels_what_rests_at_once_and_reduce_only_does_not(floor: Floor) -> None:
    floor.move_away(future())
    floor.decide(floor.leg(future(), Side.BUY))
    gateway = floor.gateway()
    gateway.step(0.0)
    floor.halt(Level.REDUCE_ONLY)
    floor.wall.advance(SECOND)
    floor.clock.advance(6 * SECOND)
    gateway.step(0.0)
    assert floor.statuses() == [S.WORKING]
    floor.halt(Level.OPEN)
    floor.clock.advance(6 * SECOND)
    gateway.step(0.0)
    assert floor.statuses() == [S.CANCELLED]


# --- what the checks refuse ---


def test_a_decision_that_the_account_cannot_carry_is_denied_whole(floor: Floor) -> None:
    floor.decide(floor.leg(future(), Side.BUY, margin=100 * LAKH), floor.leg(call(), Side.SELL, margin=21 * LAKH))
    floor.gateway().step(0.0)
    assert floor.statuses() == [S.DENIED, S.DENIED]
    assert reasons(floor)[0].startswith("margin: 1210000000 paise of margin are needed, 1200000000 are free")
    assert (floor.sent(), floor.account().reserved) == ([], {})


def test_two_scrips_do_not_spend_the_same_rupee(floor: Floor) -> None:
    for symbol in ("NIFTY", "BANKNIFTY"):
        floor.decide(floor.leg(future(symbol), Side.BUY, margin=70 * LAKH))
    floor.gateway().step(0.0)
    assert floor.statuses() == [S.FILLED, S.DENIED], "BANKNIFTY is first by name"
    assert reasons(floor)[1].startswith("margin: ")


def test_a_claim_that_another_process_overtakes_is_made_anew_against_what_is_left() -> None:
    books = Contended("account")
    floor = Floor(books)

    def overtake() -> None:
        books.commit([Write("account", "account", encode(reserve(floor.account(), {"another": 70 * LAKH})))])

    floor.decide(floor.leg(future(), Side.BUY, margin=70 * LAKH))
    books.others = [overtake]
    floor.gateway().step(0.0)
    assert floor.statuses() == [S.DENIED]
    assert floor.account().reserved == {"another": 70 * LAKH}


def test_a_claim_that_others_always_overtake_waits_for_the_next_step() -> None:
    books = Contended("account")
    floor = Floor(books)
    floor.decide(floor.leg(future(), Side.BUY, margin=70 * LAKH))
    books.others = [lambda: books.commit([Write("account", "account", encode(floor.account()))])] * STEPS_MAX
    gateway = floor.gateway()
    gateway.step(0.0)
    assert (floor.statuses(), floor.sent()) == ([S.DECIDED], [])
    gateway.step(0.0)
    assert floor.statuses() == [S.FILLED]


def test_a_claim_that_is_overtaken_succeeds_where_enough_is_left() -> None:
    books = Contended("account")
    floor = Floor(books)

    def overtake() -> None:
        books.commit([Write("account", "account", encode(reserve(floor.account(), {"another": 30 * LAKH})))])

    floor.decide(floor.leg(future(), Side.BUY, margin=70 * LAKH))
    books.others = [overtake]
    floor.gateway().step(0.0)
    assert floor.statuses() == [S.FILLED]
    assert floor.account().committed == 100 * LAKH


def test_an_order_without_a_logged_decision_is_denied(floor: Floor) -> None:
    floor.decide()
    floor.books.commit([Write("log", r.key, None) for r in floor.books.rows("log")])
    floor.gateway().step(0.0)
    assert floor.statuses() == [S.DENIED, S.DENIED]
    assert reasons(floor)[0] == "provenance: no logged decision asks for it"


def test_without_a_market_state_nothing_is_sent(floor: Floor) -> None:
    floor.decide()
    floor.market.commit([Write("quotes", "NIFTY", None)])
    floor.gateway().step(0.0)
    assert reasons(floor)[0] == "freshness: there is no valid quote"
    assert floor.sent() == []


@pytest.mark.parametrize(
    ("until", "reason"),
    [
        (START + 61 * SECOND, "freshness: the quote is 61.0 s old"),
        (START + 600 * SECOND, "deadline: its deadline passed 0.0 s ago"),
        (at_time(DAY, 16, 0), "session: the market is closed"),
    ],
)
def test_an_order_that_comes_late_is_denied(floor: Floor, until: int, reason: str) -> None:
    floor.decide()
    floor.clock.set(until)
    floor.gateway().step(0.0)
    assert floor.statuses() == [S.DENIED, S.DENIED]
    assert reasons(floor)[0] == reason


def test_an_order_beyond_the_desks_own_limits_is_denied(floor: Floor) -> None:
    floor.decide(floor.leg(future(), Side.BUY, lots=2))
    floor.gateway(limits=Limits(lots_max=1)).step(0.0)
    assert reasons(floor) == ["size: 130 units of FUT exceed 1 lots of 65"]


# --- the breaker ---


@pytest.mark.parametrize("level", [Level.OPEN, Level.REDUCE_ONLY])
def test_nothing_opens_while_the_breaker_is_not_closed(floor: Floor, level: Level) -> None:
    floor.breaker(level)
    floor.decide()
    floor.gateway().step(0.0)
    assert floor.statuses() == [S.DENIED, S.DENIED]
    assert reasons(floor)[0] == f"breaker: the breaker is {level.name}: a test asked for it"


def test_a_gateway_that_starts_waits_until_the_breaker_was_evaluated_anew(floor: Floor) -> None:
    floor.decide()
    floor.wall.advance(SECOND)
    gateway = floor.gateway()
    gateway.step(0.0)
    assert floor.statuses() == [S.DECIDED, S.DECIDED], "an old evaluation is no reason to deny, and none to send"

    floor.breaker(Level.CLOSED)
    gateway.step(0.0)
    assert floor.statuses()[0] is S.FILLED


def test_a_breaker_that_was_not_evaluated_of_late_counts_as_open(floor: Floor) -> None:
    gateway = floor.gateway()
    gateway.step(0.0)
    floor.decide()
    floor.wall.advance(6 * SECOND)
    gateway.step(0.0)
    assert reasons(floor)[0] == "breaker: the breaker is OPEN: the breaker was not evaluated for 5 s"
    assert floor.sent() == []


@pytest.mark.parametrize(("level", "status"), [(Level.OPEN, S.DENIED), (Level.REDUCE_ONLY, S.FILLED)])
def test_what_only_reduces_passes_a_breaker_that_allows_it(floor: Floor, level: Level, status: OrderStatus) -> None:
    gateway = floor.gateway()
    floor.decide()
    gateway.step(0.0)
    floor.at(60)
    floor.breaker(level)
    legs = floor.leg(call(), Side.BUY), floor.leg(future(), Side.SELL)
    closing = floor.decide(*legs, action=Action.CLOSE)
    gateway.step(0.0)
    assert floor.statuses(closing) == [status, status]


def test_a_close_is_never_refused_for_money(floor: Floor) -> None:
    gateway = floor.gateway()
    floor.decide()
    gateway.step(0.0)
    floor.at(60)
    floor.books.commit([Write("account", "account", encode(reserve(floor.account(), {"all": CAPITAL})))])
    closing = floor.decide(floor.leg(call(), Side.BUY), floor.leg(future(), Side.SELL), action=Action.CLOSE)
    gateway.step(0.0)
    assert floor.statuses(closing) == [S.FILLED, S.FILLED]


# --- instants ---


def test_in_lockstep_an_instant_waits_for_the_breakers_judgement(floor: Floor) -> None:
    floor.at(60)
    floor.decide()
    floor.mark("orders", START + 60 * SECOND)
    gateway = floor.gateway(is_lockstep=True)
    for _ in range(3):
        gateway.step(0.0)
    assert (floor.sent(), floor.queues["fills"].depth().waiting) == ([], 0)
    floor.breaker(Level.CLOSED, at=START + 60 * SECOND)
    gateway.step(0.0)
    assert len(floor.sent()) == 2
    assert [m.key for m in floor.queues["fills"].take(10, 0.0)] == ["NIFTY", "NIFTY", "mark"]


def test_in_lockstep_nothing_is_sent_before_the_breaker_was_ever_evaluated(floor: Floor) -> None:
    floor.books.commit([Write("breaker", "state", None)])
    floor.decide()
    gateway = floor.gateway(is_lockstep=True)
    gateway.step(0.0)
    assert floor.statuses() == [S.DECIDED, S.DECIDED]


def test_a_mark_is_passed_on_only_after_all_orders_were_worked(floor: Floor) -> None:
    floor.decide()
    floor.mark("orders", START)

    def die(order: Order) -> None:
        raise Crash

    floor.exchange.after_place = die
    with pytest.raises(Crash):
        floor.gateway().step(0.0)
    assert floor.queues["fills"].take(10, 0.0) == []
    floor.exchange.after_place = None
    floor.gateway().step(0.0)
    assert [m.key for m in floor.queues["fills"].take(10, 0.0)] == ["NIFTY", "NIFTY", "mark"]
    assert floor.statuses() == [S.FILLED, S.FILLED]


def test_of_several_marks_the_newest_is_passed_on_and_all_are_done_with(floor: Floor) -> None:
    gateway = floor.gateway()
    for second in (1, 2, 3):
        floor.mark("orders", START + second * SECOND)
    gateway.step(0.0)
    assert [m.id for m in floor.queues["fills"].take(10, 0.0)] == [f"mark-{START + 3 * SECOND}"]
    depth = floor.queues["orders"].depth()
    assert (depth.waiting, depth.taken) == (0, 0)
