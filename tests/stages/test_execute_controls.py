"""The gateway's controls at work: what a refusal leaves behind, disabled scrips, limits not in force, the rate."""

import datetime
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from participant.adapters.clocks.virtual import VirtualClock
from participant.core.account import BookRisk
from participant.core.breaker import Level
from participant.core.decision import Action, Decision
from participant.core.ids import digest
from participant.core.limits import Limits, no_limits
from participant.core.market import SECOND
from participant.core.messages import Stamp, Ticket, Write
from participant.core.order import Order, OrderStatus, orders_of
from participant.core.risk import Refusal
from participant.core.scrip import Kind, Side
from participant.core.tickets import claim, work_of
from participant.links.ask import Bans, Gathering, Passed
from participant.links.books import Books, Disabled
from participant.links.faults import FaultKind, Faults
from participant.links.pace import Pace, PacedBroker
from participant.links.risks import Risks
from participant.operate.desk import change, end
from participant.wire.json import decode, encode
from tests.core.worlds import RULES
from tests.stages.floor import DAY, EXPIRY, SPOTS, START, Floor, call, future

S = OrderStatus


@pytest.fixture
def floor() -> Floor:
    return Floor()


def refusals(floor: Floor) -> list[Refusal]:
    return [decode(r.value, Refusal) for r in floor.books.rows("refusals")]


def disabled(floor: Floor) -> list[Disabled]:
    return [decode(r.value, Disabled) for r in floor.books.rows("disabled")]


# --- refusals ---


def test_a_refusal_stands_in_the_books_with_its_control_its_limit_and_its_figures(floor: Floor) -> None:
    floor.decide(floor.leg(future(), Side.BUY, lots=2))
    floor.gateway(limits=Limits(lots_max=1)).step(0.0)
    (order,) = floor.orders()
    assert (order.status, order.denied_by) == (S.DENIED, "PT-09")
    (refusal,) = refusals(floor)
    assert (refusal.control, refusal.check, refusal.limits) == ("PT-09", "size", {"lots_max": 1})
    assert refusal.figures == {"units": 130, "lot": 65}


@pytest.mark.parametrize("row", [("master", "day"), ("reference", "NIFTY")])
def test_without_todays_contract_master_nothing_is_sent(floor: Floor, row: tuple[str, str]) -> None:
    floor.market.commit([Write(*row, None)])
    floor.decide()
    floor.gateway().step(0.0)
    assert [o.denied_by for o in floor.orders()] == ["PT-01", ""]
    assert floor.sent() == []


def test_a_master_of_yesterday_is_none(floor: Floor) -> None:
    floor.market.commit([Write("master", "day", str(DAY - datetime.timedelta(1)).encode())])
    floor.decide()
    floor.gateway().step(0.0)
    assert floor.orders()[0].denied_by == "PT-01"


def test_what_the_market_s_rows_say_of_a_stock_is_gathered(floor: Floor) -> None:
    bought = floor.leg(future(), Side.BUY)
    floor.decide(bought)
    state = replace(floor.states["NIFTY"], underlying=floor.quotes[future().key])
    floor.market.commit([Write("quotes", "NIFTY", encode(state))])
    floor.books.commit([Write("bans", str(DAY), encode(Bans(DAY, ("NIFTY",))))])
    gathering = Gathering(Books(floor.books), floor.market, RULES, frozenset(SPOTS), floor.exchange)
    assert gathering._sessions_left(DAY, EXPIRY) == 10, "not counted beyond"
    assert gathering._sessions_left(DAY, DAY + datetime.timedelta(2)) == 2
    floor.gateway().step(0.0)
    assert floor.orders()[0].denied_by == "PT-19"


def test_beyond_what_the_rules_know_nothing_is_gathered_and_the_controls_deny(floor: Floor) -> None:
    gathering = Gathering(Books(floor.books), floor.market, RULES, frozenset(SPOTS), floor.exchange)
    assert gathering._price_range(datetime.date(2017, 12, 29), Kind.CALL) is None, "before the first row"
    assert gathering._sessions_left(datetime.date(2099, 1, 1), datetime.date(2099, 1, 28)) is None


def test_what_an_order_passed_on_is_written_down_with_its_intent(floor: Floor) -> None:
    floor.decide(floor.leg(future(), Side.BUY))
    floor.gateway().step(0.0)
    (row,) = floor.books.rows("checks")
    (order,) = floor.orders()
    seen = decode(row.value, Passed)
    assert row.key == f"{DAY}/{order.order_id}/1"
    assert (seen.limit, seen.spot, seen.level) == (order.limit, SPOTS["NIFTY"], "CLOSED")
    assert (seen.bid < seen.ask, seen.limits, seen.is_reducing) == (True, digest(Limits()), False)


# --- a person is at it ---


def test_once_a_person_has_claimed_a_ticket_its_contract_is_left_to_people_until_the_day_ends(floor: Floor) -> None:
    floor.exchange.plan(FaultKind.LOSE)
    floor.decide(floor.leg(future(), Side.BUY))
    gateway = floor.gateway()
    for second in (0, 180):
        floor.at(second)
        gateway.step(0.0)
    (ticket,) = floor.tickets()
    asha = Stamp("asha", 1)
    change(floor.books, ticket.ticket_id, lambda t: claim(t, asha))
    end(floor.books, ticket.ticket_id, "closed", asha, "it never arrived")
    floor.at(240)
    again, other = floor.decide(floor.leg(future(), Side.BUY)), floor.decide(floor.leg(future("BANKNIFTY"), Side.BUY))
    gateway.step(0.0)
    assert [(o.status, o.denied_by) for o in floor.orders(again)] == [(S.DENIED, "PT-17")]
    assert floor.statuses(other) == [S.FILLED], "another contract goes on"
    gathering = Gathering(Books(floor.books), floor.market, RULES, frozenset(SPOTS), floor.exchange)
    assert [gathering._by_hand(day, future()) for day in (DAY, DAY + datetime.timedelta(1))] == ["asha", ""]


def test_a_ticket_that_nobody_has_claimed_holds_nothing_back(floor: Floor) -> None:
    work = work_of(orders_of(floor.decide(floor.leg(future(), Side.BUY)))[0], "because")
    ticket = Ticket(
        "a" * 32, floor.clock.now(), "NIFTY", "a title", "a detail", work=work, acknowledged=Stamp("asha", 1)
    )
    floor.books.commit([Write("tickets", ticket.ticket_id, encode(ticket))])
    floor.gateway().step(0.0)
    assert floor.statuses() == [S.FILLED]


# --- the broker's own figure of the margin ---


def said(floor: Floor) -> list[tuple[int | None, str]]:
    """What the broker said of the margin, by what each order passed on, in the order in which they were sent."""
    seen = [decode(r.value, Passed) for r in floor.books.rows("checks")]
    return [(one.broker_need, one.broker_why) for one in seen]


def test_the_broker_is_asked_once_for_the_whole_decision_and_what_it_said_is_written_down(floor: Floor) -> None:
    asked: list[list[Side]] = []
    margin = floor.exchange.margin

    def noted(orders: Sequence[Order]) -> int:
        asked.append([o.side for o in orders])
        return margin(orders)

    floor.exchange.margin = noted  # type: ignore[method-assign]  # it looks on, and asks the same
    decided = floor.decide()
    need = margin(floor.orders(decided))
    floor.gateway().step(0.0)
    assert (floor.statuses(decided), asked) == ([S.FILLED, S.FILLED], [[Side.BUY, Side.SELL]])
    assert need > 0
    assert said(floor) == [(need, ""), (None, "")]


def test_what_needs_more_by_the_brokers_figure_than_may_be_committed_is_refused_with_both(floor: Floor) -> None:
    floor.decide(floor.leg(future(), Side.BUY, margin=1))
    need = floor.exchange.margin(floor.orders())
    share = (need - 1) / floor.account().capital
    floor.gateway(limits=Limits(margin_share_max=share)).step(0.0)
    (refusal,) = refusals(floor)
    assert (refusal.control, refusal.check, refusal.figures["broker_need"]) == ("PT-10", "broker_margin", need)
    assert floor.sent() == []


@pytest.mark.parametrize("by_broker", [False, True])
def test_a_broker_that_cannot_say_is_gone_on_without_or_waited_for_as_the_limits_have_it(
    floor: Floor, by_broker: bool
) -> None:
    floor.decide(floor.leg(future(), Side.BUY))
    gateway = floor.gateway(limits=Limits(margin_by_broker=by_broker))
    gateway.is_recovered = True
    floor.exchange.fail(Faults(books_down=1.0))
    gateway.step(0.0)
    why = "the broker's books cannot be read now"
    assert said(floor) == ([] if by_broker else [(None, why)])
    assert [r.reason for r in refusals(floor)] == [f"the broker does not say what margin it needs: {why}"] * by_broker


def test_nobody_is_asked_where_nothing_may_be_sent(floor: Floor) -> None:
    floor.breaker(Level.OPEN)
    floor.decide(floor.leg(future(), Side.BUY))
    reads = floor.exchange.state.reads
    gateway = floor.gateway()
    gateway.is_recovered = True
    gateway.step(0.0)
    assert (floor.statuses(), floor.exchange.state.reads) == ([S.DENIED], reads)


# --- disabling ---


def test_a_loop_disables_its_scrip_and_only_its_scrip_until_a_person_enables_it(floor: Floor) -> None:
    limits = Limits(entries_max=0)
    first, other = floor.decide(), floor.decide(floor.leg(future("BANKNIFTY"), Side.BUY))
    gateway = floor.gateway(limits=limits)
    gateway.step(0.0)
    assert {d.scrip for d in disabled(floor)} == {"NIFTY", "BANKNIFTY"}
    assert floor.statuses(first)[0] is floor.statuses(other)[0] is S.DENIED
    floor.books.commit([Write("disabled", "BANKNIFTY", None)])
    floor.at(60)
    again = floor.decide(floor.leg(future(), Side.BUY)), floor.decide(floor.leg(future("BANKNIFTY"), Side.BUY))
    floor.gateway().step(0.0)
    assert [floor.statuses(one) for one in again] == [[S.DENIED], [S.FILLED]]
    assert floor.orders(again[0])[0].reason.startswith("enabled: NIFTY is disabled: PT-12 loop: ")


# --- limits that are not in force ---


def test_without_limits_in_force_everything_is_denied_before_it_is_claimed(floor: Floor) -> None:
    floor.decide()
    floor.gateway(limits=no_limits("limits.toml is not signed")).step(0.0)
    assert [o.denied_by for o in floor.orders()] == ["PT-22", ""]
    assert floor.orders()[0].reason == "integrity: no limits are in force: limits.toml is not signed"
    assert (floor.sent(), floor.account().reserved) == ([], {})


# --- the rate ---

SLOW = Limits(messages_second_max=2, messages_kept_for_cancels=1)


def test_an_order_that_finds_no_room_waits_claimed_and_goes_when_there_is(floor: Floor) -> None:
    floor.steady = VirtualClock(0)
    floor.decide()
    gateway = floor.gateway(limits=SLOW)
    gateway.step(0.0)
    assert floor.statuses() == [S.CLAIMED, S.CLAIMED], "a gateway that starts begins empty-handed"
    floor.steady.advance(SECOND)
    gateway.step(0.0)
    assert floor.statuses() == [S.FILLED, S.CLAIMED]
    floor.steady.advance(SECOND)
    gateway.step(0.0)
    assert floor.statuses() == [S.FILLED, S.FILLED]


def test_in_lockstep_the_instant_is_held_while_an_order_waits_for_its_turn(floor: Floor) -> None:
    floor.steady = VirtualClock(0)
    floor.decide()
    floor.mark("orders", START)
    gateway = floor.gateway(is_lockstep=True, limits=SLOW)
    for _ in range(3):
        gateway.step(0.0)
    assert [m.key for m in floor.queues["fills"].take(9, 0.0)] == []
    for _ in range(2):
        floor.steady.advance(SECOND)
        gateway.step(0.0)
    assert floor.statuses() == [S.FILLED, S.FILLED]
    assert [m.key for m in floor.queues["fills"].take(9, 0.0)][-1] == "mark"


def test_an_order_that_waits_beyond_its_deadline_is_denied(floor: Floor) -> None:
    floor.steady = VirtualClock(0)
    floor.decide()
    gateway = floor.gateway(limits=SLOW)
    gateway.step(0.0)
    floor.clock.set(START + 600 * SECOND)
    gateway.step(0.0)
    assert floor.orders()[0].denied_by == "PT-16"
    assert floor.sent() == []


def test_a_used_up_day_holds_no_instant(floor: Floor) -> None:
    floor.steady = VirtualClock(0)
    floor.decide()
    floor.mark("orders", START)
    gateway = floor.gateway(is_lockstep=True, limits=Limits(messages_day_max=1))
    gateway.step(0.0)
    assert floor.statuses() == [S.CLAIMED, S.CLAIMED]
    assert [m.key for m in floor.queues["fills"].take(9, 0.0)] == ["mark"]


def test_what_was_sent_before_a_restart_counts_for_the_day(floor: Floor) -> None:
    floor.decide(floor.leg(future(), Side.BUY))
    floor.gateway().step(0.0)
    gateway = floor.gateway()
    gateway.step(0.0)
    assert gateway.pace.bucket.today == 1


def test_place_modify_and_cancel_are_counted_and_reading_is_not(floor: Floor) -> None:
    floor.decide(floor.leg(call(), Side.BUY))
    order: Order = replace(floor.orders()[0], sends=1)
    pace = Pace(Limits(), VirtualClock(0))
    broker = PacedBroker(floor.exchange, pace)
    broker.place(order)
    broker.modify(order)
    broker.cancel(order)
    assert (broker.find(""), broker.updates(), broker.margin([order])) is not None
    assert pace.bucket.today == 3


# --- all books as one bet on the market ---


def bets(floor: Floor, symbol: str, delta: int) -> Decision:
    """An opening of this scrip whose book would be such a bet (paise), committed with its risk as dispatch does."""
    decision = floor.decide(floor.leg(future(symbol), Side.BUY), risk=BookRisk(delta=delta))
    floor.books.commit(Risks(Books(floor.books)).row(decision))
    return decision


def test_two_decisions_of_one_instant_cannot_both_take_the_last_of_the_bet(floor: Floor) -> None:
    room = int(Limits().portfolio_delta_share_max * floor.account().capital)
    bets(floor, "BANKNIFTY", room // 2 + 1)
    bets(floor, "NIFTY", room // 2)
    floor.gateway().step(0.0)
    first, second = floor.orders()
    assert (first.status, second.status) == (OrderStatus.FILLED, OrderStatus.DENIED)
    assert (
        second.reason
        == f"one_bet: all books would be a bet of {2 * (room // 2) + 1} paise on the market, {room} may be"
    )
    (row,) = floor.books.rows("orders", prefix=f"{DAY}/{second.order_id}")
    assert decode(row.value, Order).denied_by == "PT-09"
    assert [f"{r.check}: {r.reason}" for r in refusals(floor)] == [second.reason], "as every other control leaves it"


def test_one_that_was_denied_leaves_its_part_of_the_bet_to_the_next(floor: Floor) -> None:
    room = int(Limits().portfolio_delta_share_max * floor.account().capital)
    bets(floor, "BANKNIFTY", room + 1)
    bets(floor, "NIFTY", room)
    floor.gateway().step(0.0)
    assert [o.status for o in floor.orders()] == [OrderStatus.DENIED, OrderStatus.FILLED]


def test_a_book_that_stands_counts_by_its_last_decision_and_a_close_is_never_refused_for_the_bet(floor: Floor) -> None:
    room = int(Limits().portfolio_delta_share_max * floor.account().capital)
    gateway = floor.gateway()
    bets(floor, "BANKNIFTY", room)
    gateway.step(0.0)
    floor.at(60)
    bets(floor, "NIFTY", 1)
    gateway.step(0.0)
    assert [o.status for o in floor.orders()] == [OrderStatus.FILLED, OrderStatus.DENIED]
    floor.at(120)
    close = floor.decide(floor.leg(future("BANKNIFTY"), Side.SELL), action=Action.CLOSE, risk=None)
    floor.books.commit(Risks(Books(floor.books)).row(close))
    gateway.step(0.0)
    assert floor.statuses(close) == [OrderStatus.FILLED]


def test_under_a_tightened_limit_what_makes_the_bet_smaller_passes_and_nothing_else(floor: Floor) -> None:
    tight = replace(Limits(), portfolio_delta_share_max=0.01)
    bet = 2 * int(tight.portfolio_delta_share_max * floor.account().capital)
    bets(floor, "NIFTY", bet)
    floor.gateway().step(0.0)
    floor.at(60)
    sold = floor.decide(floor.leg(call(), Side.SELL), risk=BookRisk(delta=bet))
    floor.books.commit(Risks(Books(floor.books)).row(sold))
    floor.gateway(limits=tight).step(0.0)
    assert floor.statuses(sold) == [OrderStatus.FILLED], floor.orders()[-1].reason
    floor.at(120)
    back = floor.decide(floor.leg(call(), Side.BUY), risk=BookRisk(delta=bet))
    floor.books.commit(Risks(Books(floor.books)).row(back))
    floor.gateway(limits=tight).step(0.0)
    assert floor.statuses(back) == [OrderStatus.DENIED]
