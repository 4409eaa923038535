"""An order's life: the table of transitions, the second-send rule, and what the broker's book proves."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from participant.core.ids import digest
from participant.core.order import (
    LIVE,
    OPEN,
    SENDS_MAX,
    TRANSITIONS,
    Answer,
    Happening,
    IllegalTransition,
    Order,
    OrderStatus,
    OrderView,
    Verdict,
    advance,
    answered,
    evidenced,
    may_send_again,
    orders_of,
    working,
)
from participant.core.scrip import Side
from tests.core.desk import CALL, CLOSING, FUTURE, LOT, NOW, OPENING, an_order, decision, leg, sent, shown

S, H = OrderStatus, Happening
FINAL = (S.FILLED, S.CANCELLED, S.DENIED, S.DEAD)
EVIDENCE = (H.ACCEPT, H.REJECT, H.PART_FILL, H.FILL, H.CANCEL)

PAIRS = [(status, happening) for status in S for happening in H]
LEGAL = [(status, happening) for status, happening in PAIRS if happening in TRANSITIONS[status]]
ILLEGAL = [pair for pair in PAIRS if pair not in LEGAL]


# --- the table ---


@pytest.mark.parametrize(("status", "happening"), LEGAL)
def test_what_the_table_allows_leads_where_it_says(status: OrderStatus, happening: Happening) -> None:
    after = advance(an_order(status=status), happening, reason="so")
    assert after == an_order(status=TRANSITIONS[status][happening], reason="so")


@pytest.mark.parametrize(("status", "happening"), ILLEGAL)
def test_what_the_table_does_not_allow_raises_and_changes_nothing(status: OrderStatus, happening: Happening) -> None:
    order = an_order(status=status)
    with pytest.raises(IllegalTransition, match=f"{order.order_id} is {status}: cannot {happening}"):
        advance(order, happening, reason="so")
    assert order == an_order(status=status)


def test_every_status_has_its_row() -> None:
    assert set(TRANSITIONS) == set(S)


@pytest.mark.parametrize("status", FINAL)
def test_a_final_state_never_goes_back(status: OrderStatus) -> None:
    reached = {status}
    for _ in S:
        reached |= {after for one in reached for after in TRANSITIONS[one].values()}
    assert reached <= {status, S.FILLED}


def test_final_states_and_open_ones_are_all_there_are() -> None:
    assert set(S) - OPEN == set(FINAL)
    assert LIVE < OPEN


def test_only_a_claimed_order_or_a_rejected_one_can_be_sent() -> None:
    assert {status for status, happening in LEGAL if happening is H.SEND} == {S.CLAIMED, S.REJECTED}


def test_an_unknown_order_leaves_only_by_evidence_or_through_a_person() -> None:
    assert set(TRANSITIONS[S.UNKNOWN]) == {*EVIDENCE, H.GIVE_UP}


# --- orders of a decision ---


def test_a_decision_asks_for_one_order_a_leg_with_ids_that_follow_from_its_own() -> None:
    first, second = orders_of(OPENING)
    assert (first.contract, first.side, second.contract, second.side) == (FUTURE, Side.BUY, CALL, Side.SELL)
    assert [first.order_id, second.order_id] == [digest("d1", 0), digest("d1", 1)]
    assert (second.quantity, second.limit, second.deadline) == (LOT, OPENING.legs[1].limit, OPENING.deadline)
    assert orders_of(OPENING) == orders_of(OPENING)
    assert {o.status for o in orders_of(CLOSING)} == {S.DECIDED}


@given(lots=st.integers(1, 200), freeze=st.integers(0, 30 * LOT), margin=st.integers(0, 10**12))
def test_a_leg_above_the_freeze_quantity_is_sliced_into_whole_lots_that_share_its_margin(
    lots: int, freeze: int, margin: int
) -> None:
    made = replace(leg(replace(FUTURE, freeze=freeze), Side.BUY, lots), margin=margin)
    slices = orders_of(decision(made))
    most = freeze // LOT * LOT
    assert sum(o.quantity for o in slices) == made.quantity
    assert sum(o.margin for o in slices) == margin
    assert len(slices) == (-(-made.quantity // most) if 0 < most < made.quantity else 1)
    assert all(o.quantity % LOT == 0 for o in slices)
    assert [o.part for o in slices] == list(range(len(slices)))
    assert slices[0].order_id == digest("d1", 0), "the first is what an order for the whole leg would be called"
    assert len({o.order_id for o in slices}) == len({o.tag_stem for o in slices}) == len(slices)


def test_a_tag_has_17_characters_and_counts_the_sends() -> None:
    tags = [an_order(sends=n).tag for n in (1, 2)]
    assert [len(t) for t in tags] == [17, 17]
    assert [t[-1] for t in tags] == ["1", "2"]
    assert {t[:-1] for t in tags} == {an_order().tag_stem}


def test_what_may_still_fill_counts_in_full_until_it_is_proven_over() -> None:
    part = sent(S.UNKNOWN, cum_quantity=25)
    bought = replace(orders_of(OPENING)[0], status=S.WORKING)
    assert [w.quantity for w in working([part, bought])] == [-50, 75]
    assert working([sent(status) for status in FINAL]) == []


# --- answers and the second send ---


def test_an_answer_that_accepts_makes_it_work() -> None:
    after = answered(sent(), Answer(Verdict.ACCEPTED, "", "B7"))
    assert (after.status, after.broker_order_id) == (S.WORKING, "B7")


def test_an_answer_that_proves_nothing_leaves_it_unknown() -> None:
    after = answered(sent(), Answer(Verdict.UNKNOWN, "timed out", is_retriable=True))
    assert (after.status, after.reason) == (S.UNKNOWN, "timed out")
    assert not may_send_again(after)


@pytest.mark.parametrize(
    ("verdict", "is_retriable", "again"),
    [
        (Verdict.REJECTED, False, False),
        (Verdict.REJECTED, True, True),
        (Verdict.NOT_SENT, False, True),
        (Verdict.NOT_SENT, True, True),
    ],
)
def test_a_second_send_follows_a_retriable_reject_or_a_byte_that_never_left(
    verdict: Verdict, is_retriable: bool, again: bool
) -> None:
    after = answered(sent(), Answer(verdict, "no", is_retriable=is_retriable))
    assert after.status is S.REJECTED
    assert may_send_again(after) is again
    assert not may_send_again(answered(sent(sends=2), Answer(verdict, "no", is_retriable=is_retriable)))


@pytest.mark.parametrize("status", S)
@pytest.mark.parametrize("is_retriable", [True, False])
@pytest.mark.parametrize("sends", range(4))
@pytest.mark.parametrize("cum_quantity", [0, 1])
def test_the_second_send_rule_by_its_truth_table(
    status: OrderStatus, is_retriable: bool, sends: int, cum_quantity: int
) -> None:
    order = an_order(status=status, is_retriable=is_retriable, sends=sends, cum_quantity=cum_quantity)
    allowed = status is S.REJECTED and is_retriable and sends < SENDS_MAX and not cum_quantity
    assert may_send_again(order) is allowed


@pytest.mark.parametrize("status", [s for s in S if s is not S.SENDING])
def test_only_an_order_being_sent_can_be_answered(status: OrderStatus) -> None:
    with pytest.raises(IllegalTransition):
        answered(an_order(status=status), Answer(Verdict.UNKNOWN))


# --- what the book proves ---


@pytest.mark.parametrize("status", S)
def test_showing_nothing_proves_nothing(status: OrderStatus) -> None:
    order = sent(status, cum_quantity=5, reason="before")
    assert evidenced(order, []) == order


@pytest.mark.parametrize("status", sorted(LIVE))
@pytest.mark.parametrize(
    ("said", "filled", "after"),
    [
        ("open", 25, S.PARTIAL),
        ("open", LOT, S.FILLED),
        ("complete", LOT, S.FILLED),
        ("cancelled", 0, S.CANCELLED),
        ("cancelled", 25, S.CANCELLED),
        ("cancelled", LOT, S.FILLED),
        ("rejected", 25, S.CANCELLED),
        ("complete", 25, S.PARTIAL),
    ],
)
def test_the_book_says_how_a_live_order_stands(status: OrderStatus, said: str, filled: int, after: OrderStatus) -> None:
    order = sent(status)
    result = evidenced(order, [shown(order, said, filled)])
    assert (result.status, result.cum_quantity, result.broker_order_id) == (after, filled, "B1")


@pytest.mark.parametrize("status", [S.SENDING, S.UNKNOWN, S.WORKING, S.REJECTED])
def test_an_unfilled_order_is_working_or_rejected_as_the_book_says(status: OrderStatus) -> None:
    order = sent(status)
    assert evidenced(order, [shown(order, "open")]).status is S.WORKING
    rejected = evidenced(order, [shown(order, "rejected", reason="RMS")])
    assert (rejected.status, rejected.reason) == (S.REJECTED, "RMS")


@pytest.mark.parametrize("status", sorted(LIVE))
def test_a_status_that_nobody_knows_proves_nothing(status: OrderStatus) -> None:
    order = sent(status)
    assert evidenced(order, [shown(order, "put order req received")]).status is status


def test_a_rejection_that_only_the_book_shows_allows_no_second_send() -> None:
    order = sent(S.UNKNOWN, is_retriable=True)
    assert not may_send_again(evidenced(order, [shown(order, "rejected")]))


def test_a_rejected_order_that_the_book_shows_alive_is_not_sent_again() -> None:
    order = sent(S.REJECTED, is_retriable=True)
    alive = evidenced(order, [shown(order, "open")])
    assert alive.status is S.WORKING
    assert not may_send_again(evidenced(alive, [shown(order, "rejected")]))


def test_a_retriable_rejection_that_the_book_confirms_stays_retriable() -> None:
    order = sent(S.REJECTED, is_retriable=True)
    assert may_send_again(evidenced(order, [shown(order, "rejected")]))


@pytest.mark.parametrize("status", FINAL)
@pytest.mark.parametrize("said", ["open", "cancelled", "rejected", "complete"])
def test_a_late_fill_counts_after_the_end_too_and_opens_nothing_again(status: OrderStatus, said: str) -> None:
    order = sent(status)
    after = evidenced(order, [shown(order, said, 25)])
    assert (after.status, after.cum_quantity) == (status, 25)


@pytest.mark.parametrize("status", [s for s in S if s not in (S.DECIDED, S.CLAIMED, S.DENIED)])
def test_whatever_was_sent_is_filled_when_all_of_it_is_shown_filled(status: OrderStatus) -> None:
    order = sent(status)
    assert evidenced(order, [shown(order, "complete", LOT)]).status is S.FILLED


@pytest.mark.parametrize("status", [S.DECIDED, S.CLAIMED, S.DENIED])
def test_a_fill_of_what_we_never_sent_is_counted_and_moves_nothing(status: OrderStatus) -> None:
    order = an_order(status=status)
    after = evidenced(order, [shown(order, "complete", LOT, attempt=1)])
    assert (after.status, after.cum_quantity) == (status, LOT)


@pytest.mark.parametrize("status", [S.SENDING, S.UNKNOWN, S.WORKING, S.PARTIAL, S.REJECTED, *FINAL])
@pytest.mark.parametrize("said", ["open", "cancelled", "rejected", "complete"])
@pytest.mark.parametrize("filled", [0, 25])
def test_an_old_attempt_never_decides_how_the_present_one_stands(status: OrderStatus, said: str, filled: int) -> None:
    order = sent(status, sends=2, reason="present")
    after = evidenced(order, [shown(order, said, filled, attempt=1, reason="old")])
    assert (after.status, after.cum_quantity, after.reason) == (status, filled, "present")


def test_what_filled_of_both_attempts_is_added_up_even_when_they_are_shown_one_by_one() -> None:
    order = sent(S.UNKNOWN, sends=2)
    old, new = shown(order, "cancelled", 25, attempt=1), shown(order, "open", 30)
    for views in ([[old, new]], [[old], [new]], [[new], [old]]):
        after = order
        for some in views:
            after = evidenced(after, some)
        assert (after.status, after.cum_quantity) == (S.PARTIAL, 55)


def test_more_than_was_ordered_is_seen_as_such() -> None:
    order = sent(S.FILLED, sends=2, cum_quantity=LOT, shown={"B2": (LOT, 7)})
    after = evidenced(order, [shown(order, "complete", LOT, attempt=1)])
    assert (after.status, after.cum_quantity) == (S.FILLED, 2 * LOT)


def test_the_same_order_shown_twice_in_one_answer_counts_once() -> None:
    order = sent(S.WORKING)
    view = shown(order, "open", 50)
    assert evidenced(order, [view, view]).cum_quantity == 50


def test_the_time_of_the_last_fill_is_kept() -> None:
    order = sent(S.WORKING)
    part = evidenced(order, [shown(order, "open", 25, updated_at=NOW + 5)])
    again = evidenced(part, [shown(order, "open", 25, updated_at=NOW + 9)])
    assert (part.filled_at, again.filled_at) == (NOW + 5, NOW + 5)


# --- properties: any book, in any order, as often as it likes ---

ORDER = sent(S.UNKNOWN, sends=2)


@st.composite
def books(draw: st.DrawFn) -> list[OrderView]:
    """Views of both attempts as a broker may show them over time: fills of an attempt only rise."""
    views = []
    for attempt in (1, 2):
        for filled in sorted(draw(st.lists(st.integers(0, LOT), max_size=4))):
            status = (
                "complete" if filled == LOT else draw(st.sampled_from(["open", "cancelled", "rejected", "strange"]))
            )
            views.append(shown(ORDER, status, filled, attempt=attempt))
    return views


def replay(order: Order, batches: Sequence[Sequence[OrderView]]) -> Order:
    for views in batches:
        before, order = order, evidenced(order, views)
        assert order.cum_quantity >= before.cum_quantity
        assert order.cum_value >= before.cum_value
    return order


@given(st.data(), books(), st.sampled_from(sorted(S)))
def test_order_repetition_and_batches_of_views_do_not_change_what_filled(
    data: st.DataObject, views: list[OrderView], status: OrderStatus
) -> None:
    order = replace(ORDER, status=status)
    told = data.draw(
        st.permutations(views + data.draw(st.lists(st.sampled_from(views), max_size=4) if views else st.just([])))
    )
    cut = data.draw(st.integers(0, len(told)))
    at_once, piecemeal = evidenced(order, views), replay(order, [told[:cut], told[cut:]])
    one_by_one = replay(order, [[view] for view in told])
    figures = [(o.cum_quantity, o.cum_value, o.shown) for o in (at_once, piecemeal, one_by_one)]
    assert figures[0] == figures[1] == figures[2]
    most = [max((v.cum_quantity for v in views if v.tag[-1] == n), default=0) for n in "12"]
    assert at_once.cum_quantity == sum(most)


@given(books(), st.sampled_from(sorted(S)))
def test_evidence_moves_an_order_only_along_the_table(views: list[OrderView], status: OrderStatus) -> None:
    before = replace(ORDER, status=status)
    for view in views:
        after = evidenced(before, [view])
        assert after.status in {before.status, *(TRANSITIONS[before.status].get(h) for h in EVIDENCE)}
        before = after


@given(books())
def test_an_unknown_order_stays_unknown_until_its_own_attempt_is_shown_or_it_is_full(views: list[OrderView]) -> None:
    after = evidenced(ORDER, views)
    is_shown = any(v.tag == ORDER.tag and (v.status != "strange" or v.cum_quantity) for v in views)
    assert (after.status is not S.UNKNOWN) == (is_shown or after.cum_quantity >= LOT)


@given(books(), st.sampled_from(FINAL))
def test_no_view_takes_a_final_state_back(views: list[OrderView], status: OrderStatus) -> None:
    assert replay(replace(ORDER, status=status), [[v] for v in views]).status in (status, S.FILLED)
