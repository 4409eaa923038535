"""Rolling: each rule at its limit, the legs in a safe order, what becomes of a call that cannot be rolled."""

from datetime import date, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from participant.core.brain import decide
from participant.core.decision import Action, Decision
from participant.core.market import SECOND, MarketState
from participant.core.position import Position
from participant.core.scrip import PRICE_UNITS, Kind, Scrip, Side, Weights
from participant.core.session import at_time
from tests.core.worlds import DAY, RULES, account, call, chain_state, future, holding, look_back, position, with_quote

LOT = 65
OCT_6 = date(2026, 10, 6)
STATE = chain_state()
COVER, CALL = future(STATE, 1), call(STATE, OCT_6, 256_500_000)
SOLD_AT = 1_300_000


def structure(lots: int = 1, sold_at: int = SOLD_AT, cover: Any = COVER, sold: Any = CALL) -> Position:
    return position(holding(cover, lots * LOT, 251_500_000), holding(sold, -lots * LOT, sold_at), entered_on=DAY)


def decided(held: Position, state: MarketState = STATE, **weights: Any) -> Decision:
    return decide(Scrip("NIFTY", weights=Weights(**weights)), state, held, account(), RULES)


def legs(decision: Decision) -> list[tuple[Side, int, Kind, str]]:
    return [(leg.side, leg.quantity, leg.contract.kind, leg.contract.key) for leg in decision.legs]


def test_by_default_nothing_is_rolled() -> None:
    risen = chain_state(spot=30_000 * PRICE_UNITS)
    assert decided(structure(), risen).action is Action.MAINTAIN


def test_what_the_rules_go_by_is_in_the_figures() -> None:
    figures = decided(structure()).figures
    assert figures["held_days"] == 20
    assert figures["held_profit"] == pytest.approx(1 - 1_240_500 / SOLD_AT)
    assert figures["held_delta"] == pytest.approx(0.25, abs=0.01)
    assert figures["held_in_the_money"] == pytest.approx(25_000 / 25_650 - 1)


# Of each rule: a market or a call of which it speaks, its setting at which it does and the next at which it does not.
RISEN = chain_state(spot=26_000 * PRICE_UNITS)
AT_LIMIT = [
    ("roll_at_days", 13, 12, STATE, call(STATE, date(2026, 9, 29), 256_500_000), {"days_to_expiry_min": 14}),
    ("roll_at_profit", 1 - 1_240_500 / 2_481_000, 0.501, STATE, CALL, {"target_delta": 0.35}),
    ("roll_at_delta", 0.6, 0.75, RISEN, CALL, {}),
    ("roll_in_the_money", 0.0136, 0.0137, RISEN, CALL, {}),
]


@pytest.mark.parametrize(("rule", "at", "beyond", "state", "sold", "weights"), AT_LIMIT)
def test_a_call_is_rolled_at_the_limit_and_not_before(
    rule: str, at: float, beyond: float, state: MarketState, sold: Any, weights: dict[str, Any]
) -> None:
    held = structure(sold_at=2_481_000, sold=sold)
    decision = decided(held, state, **{rule: at}, **weights)
    assert decision.action is Action.OPEN, decision.reason
    (buy, back, _, key), (sale, units, kind, new) = legs(decision)
    assert (buy, back, key) == (Side.BUY, LOT, sold.key)
    assert (sale, units, kind) == (Side.SELL, LOT, Kind.CALL)
    assert new != sold.key
    assert decision.reason.startswith(f"roll {sold.key}: ")
    assert decision.figures["rolled"] == sold.key
    kept = decided(held, state, **{rule: beyond}, **weights)
    assert (kept.action, kept.legs) == (Action.MAINTAIN, ())


def test_the_sentence_of_a_roll_can_be_read_by_a_trader() -> None:
    decision = decided(structure(), RISEN, roll_at_delta=0.6)
    assert decision.reason.startswith(
        "roll NIFTY-20261006-25650CE: its delta is 0.70, at or over 0.60; buy 65 back at ₹"
    )
    assert ", then sell 65 NIFTY-2026" in decision.reason
    assert " against the cover held; IV rank " in decision.reason


def test_the_new_call_is_sold_only_when_the_old_one_is_back() -> None:
    # The gateway sends a leg when all before it are filled; so no prefix of fills has more calls than cover.
    decision = decided(structure(lots=2), RISEN, roll_at_delta=0.6)
    cover, calls = 2 * LOT, 2 * LOT
    for leg in decision.legs:
        calls -= leg.side.sign * leg.quantity
        assert 0 <= calls <= cover
    assert calls == cover


SHUT: dict[str, Any] = {"iv_rank_min": 1.0}


def test_where_no_gate_lets_pass_the_structure_is_flattened() -> None:
    decision = decided(structure(), RISEN, roll_at_delta=0.6, **SHUT)
    assert decision.action is Action.CLOSE
    assert [(side, kind) for side, _, kind, _ in legs(decision)] == [(Side.BUY, Kind.CALL), (Side.SELL, Kind.FUTURE)]
    assert "it cannot be rolled: IV rank 66.7% is under 100.0%" in decision.reason


def test_with_resell_the_call_is_bought_back_and_the_cover_waits() -> None:
    decision = decided(structure(), RISEN, roll_at_delta=0.6, after_call="resell", **SHUT)
    assert decision.action is Action.CLOSE
    assert [(side, kind) for side, _, kind, _ in legs(decision)] == [(Side.BUY, Kind.CALL)]
    assert decision.reason.startswith("buy the call back, the cover waits: its delta is 0.70")


@pytest.mark.parametrize("after_call", ["flatten", "resell"])
def test_a_cover_that_ends_before_the_next_call_is_sold_with_it(after_call: str) -> None:
    """The honest way to roll a cover: closed, and opened anew by every gate of opening."""
    held = structure(cover=future(STATE, 0), sold=call(STATE, date(2026, 9, 29), 256_500_000))
    decision = decided(held, roll_at_days=13, days_to_expiry_min=14, after_call=after_call)
    assert decision.action is Action.CLOSE
    assert [(side, kind) for side, _, kind, _ in legs(decision)] == [(Side.BUY, Kind.CALL), (Side.SELL, Kind.FUTURE)]
    assert "the cover expires before every call that could be sold next" in decision.reason


def test_a_call_that_outlives_its_cover_is_bought_back_on_the_covers_last_day() -> None:
    """Such a one was taken over; the night after it would be without cover."""
    last = date(2026, 9, 29)
    eve, state = (chain_state(at_time(day, 12, 0), day=day) for day in (last - timedelta(days=1), last))
    held = structure(cover=future(state, 0), sold=call(state, OCT_6, 256_500_000))
    assert decided(held, eve).action is Action.MAINTAIN
    decision = decided(held, state)
    assert decision.action is Action.CLOSE
    assert decision.reason.endswith(f"{future(state, 0).key} ends today, and {LOT} units of calls outlive their cover")
    assert [(side, kind) for side, _, kind, _ in legs(decision)] == [(Side.BUY, Kind.CALL), (Side.SELL, Kind.FUTURE)]
    whole = structure(cover=future(state, 1), sold=call(state, OCT_6, 256_500_000))
    assert decided(whole, state).action is Action.MAINTAIN


def test_a_call_that_would_be_sold_again_is_not_rolled_into_itself() -> None:
    decision = decided(structure(sold_at=2_481_000), roll_at_profit=0.4)
    assert decision.action is Action.CLOSE
    assert "the call that would be sold is the one that is held" in decision.reason


@pytest.mark.parametrize(
    ("after_s", "said"), [(-61, "61 s old, over 60 s"), (600, "dated 600 s after the market state, over 60 s")]
)
def test_a_call_is_not_rolled_on_a_quote_of_long_ago_or_of_a_time_to_come(after_s: int, said: str) -> None:
    odd = with_quote(RISEN, CALL.key, exchange_at=RISEN.exchange_at + after_s * SECOND)
    decision = decided(structure(), odd, roll_at_delta=0.6)
    assert decision.action is Action.MAINTAIN
    assert decision.reason == f"{CALL.key} is held and its quote is {said}"


def test_a_call_that_would_be_rolled_at_once_is_not_sold() -> None:
    for rule, said in (
        ({"roll_at_days": 20, "days_to_expiry_max": 20, "days_to_expiry_min": 14}, "20 days to expiry, at or under 20"),
        ({"roll_at_delta": 0.2}, "its delta is 0.25, at or over 0.20"),
    ):
        decision = decided(position(), **rule)
        assert (decision.action, decision.legs) == (Action.MAINTAIN, ())
        assert decision.reason.endswith(f"would be rolled at once: {said}")


def test_only_the_call_that_is_due_is_rolled_and_the_others_stay() -> None:
    other = call(STATE, OCT_6, 270_000_000)
    held = position(holding(COVER, 2 * LOT, 251_500_000), holding(CALL, -LOT, SOLD_AT), holding(other, -LOT, 300_000))
    decision = decided(held, RISEN, roll_at_delta=0.6)
    assert decision.action is Action.OPEN
    assert [(side, units) for side, units, *_ in legs(decision)] == [(Side.BUY, LOT), (Side.SELL, LOT)]
    flat = decided(held, RISEN, roll_at_delta=0.6, **SHUT)
    assert [(side, units, kind) for side, units, kind, _ in legs(flat)] == [
        (Side.BUY, LOT, Kind.CALL),
        (Side.SELL, LOT, Kind.FUTURE),
    ]


def test_the_stop_goes_before_a_roll_and_a_roll_before_the_square_off() -> None:
    weights = {"roll_at_profit": 0.9, "target_delta": 0.3}
    nominal = with_quote(STATE, CALL.key, bid=64_500, ask=65_000)
    assert decided(structure(), nominal).reason.startswith("buy the call back, then sell the cover: the call is asked")
    rolled = decided(structure(), nominal, **weights)
    assert rolled.reason.startswith("roll NIFTY-20261006-25650CE: 95.0% of the premium is captured")
    stopped = decided(replace(structure(), structure_result=-(10**9)), nominal, **weights)
    assert stopped.action is Action.CLOSE
    assert "its stop is" in stopped.reason


def test_a_call_that_nobody_bids_for_is_closed_and_not_rolled() -> None:
    bare = with_quote(STATE, CALL.key, bid=0, bid_size=0, ask=65_000)
    decision = decided(structure(), bare, roll_at_profit=0.9, target_delta=0.3)
    assert decision.action is Action.CLOSE
    assert "cannot be rolled: NIFTY-20261006-25650CE is asked and not bid" in decision.reason


def test_a_call_is_never_rolled_into_one_that_expires_earlier() -> None:
    for state, weights in ((RISEN, {"roll_at_delta": 0.6}), (STATE, {"roll_at_profit": 0.04, "target_delta": 0.3})):
        decision = decided(structure(), state, **weights)
        assert decision.action is Action.OPEN
        assert decision.legs[1].contract.expiry >= CALL.expiry


def test_without_a_roll_that_is_due_the_call_is_still_carried_to_its_expiry() -> None:
    at = at_time(OCT_6, 14, 30)
    state = chain_state(at, day=OCT_6, history=look_back())
    decision = decided(structure(), state, roll_at_delta=0.9, roll_in_the_money=0.1, roll_at_profit=1.0)
    assert decision.action is Action.MAINTAIN
    assert "expires today: carried to expiry and settled" in decision.reason


def test_on_its_last_day_a_call_can_still_be_rolled_into_the_next() -> None:
    spot = 25_600 * PRICE_UNITS
    state = chain_state(at_time(OCT_6, 12, 0), day=OCT_6, spot=spot, history=look_back())
    decision = decided(structure(), state, roll_at_days=1, blackout="off")
    assert decision.action is Action.OPEN, decision.reason
    assert decision.legs[1].contract.expiry >= OCT_6 + timedelta(days=5)


def test_what_was_sold_for_nothing_has_no_profit_to_go_by() -> None:
    decision = decided(structure(sold_at=0), roll_at_profit=0.5)
    assert (decision.action, decision.figures["held_profit"]) == (Action.MAINTAIN, None)


def test_a_call_whose_chain_shows_no_iv_has_no_delta_to_go_by() -> None:
    chains = tuple(
        replace(c, strikes=tuple(r for r in c.strikes if r.strike == CALL.strike)) if c.expiry == OCT_6 else c
        for c in STATE.chains
    )
    state = with_quote(replace(STATE, chains=chains), CALL.key, bid=0, bid_size=0)
    decision = decided(structure(), state, roll_at_delta=0.01)
    assert (decision.action, decision.figures["held_delta"]) == (Action.MAINTAIN, None)
