"""The entry ladder: tranches over time or over richer volatility, and never more of them than the whole allows."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from participant.core.account import Account
from participant.core.brain import decide
from participant.core.decision import Action, Decision
from participant.core.market import MarketState
from participant.core.position import Filled, Position, apply
from participant.core.risk_limits import SHIPPED
from participant.core.scrip import Kind, Scrip, Side, Weights, money
from tests.core.worlds import CRORE, DAY, NOON, RULES, account, chain_state, look_back, position

LOT, SECOND, HOUR_S = 65, 10**9, 3600
STATE = chain_state()
LADDER: dict[str, Any] = {
    "crash_loss_share_max": 0.08,
    "margin_share_max": 1.0,
    "tranches_max": 3,
    "tranche_share": 0.4,
}
# The brain's own checks are not what is tried here.
WIDE = replace(SHIPPED, scenario_share_max=1.0, portfolio_scenario_share_max=1.0, delta_share_max=1.0)
RICH = Account(2 * CRORE, 2 * CRORE)


def decided(held: Position, state: MarketState = STATE, money_of: Account = RICH, **weights: Any) -> Decision:
    every = {"tranche_every_s": HOUR_S, **LADDER, **weights}
    return decide(Scrip("NIFTY", weights=Weights(**every), limits=WIDE), state, held, money_of, RULES)


def filled(held: Position, decision: Decision, at: int = NOON, legs: int = 2, part: float = 1.0) -> Position:
    """The position when so many of a decision's legs have filled, the last of them in part."""
    for i, leg in enumerate(decision.legs[:legs]):
        lots = leg.quantity // LOT
        units = (int(lots * part) if i == legs - 1 else lots) * LOT
        order, value = f"{decision.decision_id}/{at}/{i}", money(leg.limit, units)
        if units:
            held, _ = apply(held, Filled(order, leg.contract, leg.side, units, value, 0, at, DAY))
    return held


def later(seconds: int, **changes: Any) -> MarketState:
    return chain_state(NOON + seconds * SECOND, **changes)


def test_by_default_a_structure_is_opened_at_once_and_never_added_to() -> None:
    first = decided(position(), tranches_max=1, tranche_share=1.0)
    assert "tranches_made" not in first.figures
    held = filled(position(), first)
    for seconds in (60, HOUR_S, 3 * HOUR_S):
        assert decided(held, later(seconds), tranches_max=1, tranche_share=1.0).action is Action.MAINTAIN


def test_the_tranches_come_one_after_the_other_until_all_are_made() -> None:
    held, at, lots = position(), 0, []
    for number in (1, 2, 3):
        decision = decided(held, later(at))
        assert decision.action is Action.OPEN, decision.reason
        assert f"tranche {number} of at most 3" in decision.reason
        assert decision.figures["tranches_made"] == number - 1
        assert [leg.side for leg in decision.legs] == [Side.BUY, Side.SELL]
        lots.append(decision.legs[0].quantity // LOT)
        held = filled(held, decision, NOON + at * SECOND)
        assert held.cover == held.short_calls
        wait = decided(held, later(at + HOUR_S - 1))
        assert wait.action is Action.MAINTAIN
        assert wait.reason.endswith(f"the next tranche waits, {HOUR_S - 1:,} of {HOUR_S:,} s")
        at += HOUR_S
    full = decided(held, later(at))
    assert full.action is Action.MAINTAIN
    assert full.reason.startswith("hold ")
    assert "no lot passes a 10.0% crash: a lot loses ₹" in full.reason
    whole = decided(position(), tranche_share=1.0).legs[0].quantity // LOT
    assert sum(lots) <= whole
    assert lots[0] == lots[1] == -(-whole * 4 // 10)


def test_a_structure_that_may_have_no_more_tranches_says_so() -> None:
    first = decided(position(), tranche_share=0.2, tranches_max=1)
    held = filled(position(), first)
    second = decided(held, later(HOUR_S), tranche_share=0.2, tranches_max=2)
    assert second.action is Action.OPEN
    full = decided(filled(held, second, NOON + HOUR_S * SECOND), later(2 * HOUR_S), tranche_share=0.2, tranches_max=2)
    assert full.action is Action.MAINTAIN
    assert full.reason.endswith("all 2 tranches are made")


def test_a_tranche_that_filled_in_part_counts_and_its_later_fills_do_not_count_again() -> None:
    first = decided(position(), tranche_share=1.0)
    cover = first.legs[0]
    held, lots = position(), cover.quantity // LOT
    for done in (1, 2, lots):
        value = money(cover.limit, done * LOT)
        held, _ = apply(held, Filled("one", cover.contract, Side.BUY, done * LOT, value, 0, NOON, DAY))
        assert held.tranches == 1
    held = filled(held, first, legs=2, part=0.5)
    held, _ = apply(held, Filled("two", cover.contract, Side.BUY, LOT, money(cover.limit, LOT), 0, NOON, DAY))
    assert held.tranches == 1, "there is cover without a call: it is no new entry"


def test_what_was_taken_over_counts_as_one_tranche() -> None:
    held = replace(filled(position(), decided(position())), tranches=0, sold_at=0)
    assert decided(held, later(60)).figures["tranches_made"] == 1


def test_a_structure_begins_to_count_anew_when_the_book_was_flat() -> None:
    first = decided(position())
    held = filled(position(), first)
    closed = replace(held, holdings=())
    assert filled(closed, first, NOON + SECOND).tranches == 1


def test_richer_levels_let_the_next_tranche_in() -> None:
    ladder: dict[str, Any] = {"tranche_every_s": 0, "tranche_rank_step": 0.2, "iv_rank_min": 0.5}
    held = filled(position(), decided(position(), **ladder))
    shut = decided(held, later(60), **ladder)
    assert shut.action is Action.MAINTAIN
    assert shut.reason.endswith("tranche 2 needs an IV rank of 70.0%, it is 66.7%")
    richer = later(60, history=look_back(low=0.10, high=0.155))
    assert decided(held, richer, **ladder).action is Action.OPEN


def test_the_crash_limit_counts_what_is_held() -> None:
    one = decided(position(), tranche_share=1.0, tranches_max=2)
    held = filled(position(), one)
    decision = decided(held, later(HOUR_S), tranche_share=1.0, tranches_max=2)
    assert decision.action is Action.MAINTAIN
    assert "no lot passes a 10.0% crash: a lot loses ₹" in decision.reason


def test_the_bet_on_the_market_is_limited_whole() -> None:
    every = Weights(**{"tranche_every_s": HOUR_S, **LADDER})
    scrip = Scrip("NIFTY", weights=every, limits=replace(WIDE, delta_share_max=0.1))
    one = decide(scrip, STATE, position(), RICH, RULES)
    assert one.legs[0].quantity == LOT
    more = decide(scrip, later(HOUR_S), filled(position(), one), RICH, RULES)
    assert more.action is Action.MAINTAIN
    assert more.reason.endswith("what is held is all that margin, crash and the bet on the market allow")


def test_a_ladder_without_a_step_is_refused() -> None:
    reason = decided(position(), tranche_every_s=0).reason
    assert reason.endswith("tranches_max = 3 needs a step: tranche_every_s or tranche_rank_step above 0")


def test_when_a_call_was_last_sold_is_kept_over_days_and_by_no_other_fill() -> None:
    decision = decided(position())
    cover_alone = filled(position(), decision, legs=1)
    assert cover_alone.sold_at == 0
    both = filled(position(), decision)
    assert both.sold_at == NOON
    (call,) = (h for h in both.holdings if h.contract.kind is Kind.CALL)
    back = Filled("b", call.contract, Side.BUY, LOT, 1, 0, NOON + 9, DAY)
    assert apply(both, back)[0].sold_at == NOON


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 2), st.floats(0, 1), st.integers(60, 2 * HOUR_S)), max_size=6),
    st.integers(1, 4),
    st.sampled_from([0.2, 0.5, 1.0]),
)
def test_over_any_history_of_fills_there_are_never_more_calls_than_cover(
    history: list[tuple[int, float, int]], tranches: int, share: float
) -> None:
    held, at = position(), 0
    for legs, part, seconds in history:
        decision = decided(held, later(at), tranches_max=tranches, tranche_share=share)
        held = filled(held, decision, NOON + at * SECOND, legs, part)
        assert 0 <= held.short_calls <= held.cover
        at = min(at + seconds, 3 * HOUR_S)
    assert replace(held, holdings=()).is_flat


def test_a_poor_account_makes_no_tranche() -> None:
    poor = decided(position(), money_of=account(100_000_00))
    assert poor.action is Action.MAINTAIN


@pytest.mark.parametrize("seconds", [HOUR_S])
def test_a_tranche_is_bought_on_the_cover_that_is_held(seconds: int) -> None:
    held = filled(position(), decided(position()))
    decision = decided(held, later(seconds))
    (cover,) = (h.contract for h in held.holdings if h.contract.kind is Kind.FUTURE)
    assert decision.legs[0].contract == cover
