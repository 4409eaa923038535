"""The send protocol: what the gateway does next, for every state of every leg."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from participant.core.market import SECOND
from participant.core.order import (
    LIVE,
    OPEN,
    Answer,
    Happening,
    Order,
    OrderStatus,
    Verdict,
    advance,
    answered,
    evidenced,
    may_send_again,
    orders_of,
)
from participant.core.scrip import Side
from participant.core.sending import Act, SendRule, Step, next_step
from tests.core.desk import CALL, FAR_CALL, FUTURE, LOT, NOW, OPENING, decision, leg, sent, shown

S = OrderStatus
RULE = SendRule(rest_max_s=120, poll_every_s=5, absent_after_s=180)
STEPS_MAX = 200


def act(order: Order, waited_s: float = 0.0) -> Act:
    return next_step([order], NOW + int(waited_s * SECOND), RULE).act


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (S.DECIDED, Act.CLAIM),
        (S.CLAIMED, Act.SEND),
        (S.SENDING, Act.DOUBT),
        (S.UNKNOWN, Act.FIND),
        (S.WORKING, Act.FIND),
        (S.PARTIAL, Act.FIND),
        (S.REJECTED, Act.GIVE_UP),
        (S.FILLED, Act.DONE),
        (S.CANCELLED, Act.DONE),
        (S.DENIED, Act.DONE),
        (S.DEAD, Act.DONE),
    ],
)
def test_each_state_has_its_next_act(status: S, expected: Act) -> None:
    assert act(sent(status)) is expected


def test_a_retriable_reject_is_sent_once_more_and_then_given_up() -> None:
    assert act(sent(S.REJECTED, is_retriable=True)) is Act.SEND
    assert act(sent(S.REJECTED, sends=2, is_retriable=True)) is Act.GIVE_UP


@pytest.mark.parametrize("status", [S.WORKING, S.PARTIAL])
def test_a_resting_order_is_cancelled_once_its_time_is_over(status: S) -> None:
    assert act(sent(status), 14.999) is Act.FIND
    assert act(sent(status), 120) is Act.CANCEL
    assert act(sent(status, is_cancelling=True), 120) is Act.FIND


@pytest.mark.parametrize("status", [S.WORKING, S.PARTIAL])
def test_a_resting_order_is_due_to_follow_the_market_once_each_time_of_the_schedule(status: S) -> None:
    for changes, due in enumerate(RULE.reprice_at_s):
        order = sent(status, changes=changes)
        assert (act(order, due - 0.001), act(order, due), act(order, 119.999)) == (Act.FIND, Act.REPRICE, Act.REPRICE)
    assert act(sent(status, changes=len(RULE.reprice_at_s)), 119.999) is Act.FIND
    for over in ({"is_ticketed": True}, {"cancels": 1}):
        assert act(sent(status, **over), 119.999) is Act.FIND


@pytest.mark.parametrize("times", [(0, 5), (5, 5), (30, 15), (15, 120), (200,)])
def test_a_schedule_that_cannot_be_kept_is_refused(times: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="reprice_at_s must ascend"):
        SendRule(reprice_at_s=times)
    assert SendRule(reprice_at_s=()).reprice_at_s == ()


def test_an_unknown_order_becomes_one_ticket_and_is_looked_for_ever_after() -> None:
    assert act(sent(S.UNKNOWN), 179.999) is Act.FIND
    assert act(sent(S.UNKNOWN), 180) is Act.TICKET
    assert act(sent(S.UNKNOWN, is_ticketed=True), 9_999) is Act.FIND


def test_no_legs_need_nothing() -> None:
    assert next_step([], NOW, RULE) == Step(Act.DONE)


# --- several legs ---

THREE = orders_of(decision(leg(CALL, Side.BUY), leg(FUTURE, Side.SELL), leg(FAR_CALL, Side.BUY)))


def test_a_later_leg_moves_only_when_all_before_it_are_filled() -> None:
    for statuses in product(S, repeat=3):
        orders = [replace(o, status=s, sends=1, sent_at=NOW) for o, s in zip(THREE, statuses, strict=True)]
        first = next((o for o in orders if o.status is not S.FILLED), None)
        rest = [o for o in orders if first and o.leg > first.leg and o.status in (S.DECIDED, S.CLAIMED)]
        step = next_step(orders, NOW, RULE)
        if first is None:
            assert step == Step(Act.DONE)
        elif first.status in OPEN:
            assert step.order == first
            assert step.act not in (Act.DONE, Act.DENY_REST)
        else:
            assert step == (Step(Act.DENY_REST, rest[0]) if rest else Step(Act.DONE, first))


# --- every loop ends: a broker that does anything at all against a gateway that does what it is told ---


class Played:
    """Decisions of a broker, one a time it is asked; quiet when there are none left."""

    def __init__(self, answers: list[str]) -> None:
        self.answers = answers

    def next(self) -> str:
        return self.answers.pop(0) if self.answers else "quiet"


def played(order: Order, step: Act, broker: Played, now: int) -> Order:
    """What the gateway makes of an order when it does a step."""
    match step:
        case Act.CLAIM:
            return advance(order, Happening.CLAIM)
        case Act.SEND:
            sending = advance(order, Happening.SEND, sends=order.sends + 1, sent_at=now)
            return placed(sending, broker.next())
        case Act.DOUBT:
            return advance(order, Happening.DOUBT)
        case Act.TICKET:
            return replace(order, is_ticketed=True)
        case Act.GIVE_UP:
            return advance(order, Happening.GIVE_UP)
        case Act.DENY_REST:
            return advance(order, Happening.DENY)
        case Act.CANCEL:
            return replace(found(order, broker.next()), is_cancelling=True)
        case Act.FIND | Act.REPRICE:
            return replace(found(order, broker.next()), changes=order.changes + (step is Act.REPRICE))
    raise AssertionError(step)


def placed(order: Order, said: str) -> Order:
    answers = {
        "reject": Answer(Verdict.REJECTED),
        "retry": Answer(Verdict.REJECTED, is_retriable=True),
        "accept": Answer(Verdict.ACCEPTED, "", "B1"),
        "not sent": Answer(Verdict.NOT_SENT),
        "crash": None,
    }
    answer = answers.get(said, Answer(Verdict.UNKNOWN))
    return answered(order, answer) if answer else order


def found(order: Order, said: str) -> Order:
    filled = {"part": LOT // 3, "fill": LOT, "cancel part": LOT // 3}.get(said, 0)
    status = {"reject": "rejected", "fill": "complete", "cancel": "cancelled", "cancel part": "cancelled"}.get(
        said, "open"
    )
    return order if said in ("quiet", "crash") else evidenced(order, [shown(order, status, filled)])


SAYINGS = ["reject", "retry", "accept", "not sent", "crash", "quiet", "part", "fill", "cancel", "cancel part", "open"]


@given(st.lists(st.sampled_from(SAYINGS), max_size=60), st.sampled_from([1, 7, 60, 400]))
def test_every_decision_comes_to_an_end_or_waits_for_the_broker_alone(sayings: list[str], pause_s: int) -> None:
    orders, broker, now, tickets = list(THREE), Played(sayings), NOW, 0
    for _ in range(STEPS_MAX):
        step = next_step(orders, now, RULE)
        if step.order is None or step.act is Act.DONE:
            break
        i = step.order.leg
        tickets += step.act is Act.TICKET
        if step.act is Act.SEND:
            assert all(o.status is S.FILLED for o in orders[:i])
            assert step.order.sends == 0 or may_send_again(step.order)
        orders[i] = played(step.order, step.act, broker, now)
        now += pause_s * SECOND
        assert sum(o.status in LIVE for o in orders) <= 1
        assert all(o.sends <= 2 for o in orders)
    waiting = [o for o in orders if o.status in OPEN]
    assert tickets <= len(orders)
    if waiting:
        assert waiting[0].status in LIVE
        assert {o.status for o in waiting[1:]} <= {S.DECIDED, S.CLAIMED}
        assert not broker.answers


def test_a_partly_filled_leg_that_ends_denies_the_rest() -> None:
    first, second = orders_of(OPENING)
    ended = replace(first, status=S.CANCELLED, cum_quantity=25)
    assert next_step([ended, replace(second, status=S.CLAIMED)], NOW, RULE).act is Act.DENY_REST
