"""The signals: what each says at its ends, that what is not known counts as nothing, and that the parts add up."""

from datetime import timedelta
from math import exp, isnan, nan, sqrt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from participant.core import signals
from participant.core.brain import decide
from participant.core.decision import Action
from participant.core.gates import Richness, richness
from participant.core.market import MarketState
from participant.core.scrip import OwnEvent, Scrip, Weights
from participant.core.signals import calm, depth, liquidity, near_the_money, score, trend
from participant.core.strategy import Case, logged
from tests.core.worlds import DAY, RULES, SPOT, account, chain_state, position

STATE = chain_state()
NAMES = list(Weights().signal_weights)


def case(state: MarketState = STATE, **weights: Any) -> Case:
    return Case(Scrip("NIFTY", weights=Weights(**weights)), state, position(), account(), RULES)


def rich(rank: float, ratio: float) -> Richness:
    return Richness(60, 0.14, rank, rank, 0.11, ratio)


def with_sizes(bid: int, ask: int) -> MarketState:
    """The state with so many units bid and asked for every call and future."""
    futures = tuple(replace(f, quote=replace(f.quote, bid_size=bid, ask_size=ask)) for f in STATE.futures)
    chains = tuple(
        replace(
            c, strikes=tuple(replace(r, call=r.call and replace(r.call, bid_size=bid, ask_size=ask)) for r in c.strikes)
        )
        for c in STATE.chains
    )
    return replace(STATE, futures=futures, chains=chains)


@pytest.mark.parametrize(
    ("rank", "ratio", "value"), [(0.0, 1.0, 0.0), (1.0, 1.5, 1.0), (1.0, 9.0, 1.0), (0.6, 1.25, 0.55), (0.4, 0.2, 0.2)]
)
def test_richness_is_the_mean_of_rank_and_of_implied_over_realised(rank: float, ratio: float, value: float) -> None:
    assert signals.richness(rich(rank, ratio)) == pytest.approx(value)


def test_richness_is_unknown_where_either_is() -> None:
    assert isnan(signals.richness(rich(nan, 1.2)))
    assert isnan(signals.richness(rich(0.5, nan)))


@pytest.mark.parametrize(("sigmas", "value"), [(0, 0.5), (-2, 0.0), (2, 1.0), (-5, 0.0), (1, 0.75)])
def test_the_trend_is_the_return_in_deviations(sigmas: float, value: float) -> None:
    realised = 0.16
    before = round(SPOT / exp(sigmas * realised * sqrt(20 / 252)))
    assert trend((before,) * 20, SPOT, realised) == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize(
    ("closes", "spot", "realised"),
    [
        ((SPOT,) * 19, SPOT, 0.1),
        ((SPOT,) * 20, 0, 0.1),
        ((0,) * 20, SPOT, 0.1),
        ((SPOT,) * 20, SPOT, nan),
        ((SPOT,) * 20, SPOT, 0.0),
    ],
)
def test_a_trend_that_cannot_be_known_is_none(closes: tuple[int, ...], spot: int, realised: float) -> None:
    assert isnan(trend(closes, spot, realised))


@pytest.mark.parametrize(("bid", "ask", "value"), [(650, 650, 0.5), (650, 65, 10 / 11), (65, 650, 1 / 11)])
def test_depth_is_how_far_bids_outweigh_offers(bid: int, ask: int, value: float) -> None:
    assert depth(near_the_money(case(with_sizes(bid, ask)), None)) == pytest.approx(value)


def test_a_derived_cover_and_an_invalid_quote_have_no_depth() -> None:
    derived = replace(STATE, futures=tuple(replace(f, is_derived=True) for f in with_sizes(650, 65).futures))
    assert depth(near_the_money(case(derived), None)) == pytest.approx(0.5)
    assert isnan(depth(near_the_money(case(replace(with_sizes(0, 0), futures=())), None)))
    assert isnan(depth(near_the_money(case(replace(STATE, chains=())), None)))


def test_liquidity_is_narrow_spreads_and_many_lots() -> None:
    near = near_the_money(case(), None)
    wide, few = chain_state(spread=0.05), chain_state(lots_shown=5)
    assert liquidity(near, 0.03) == pytest.approx((1 - 0.01 / 0.03 + 1) / 2, abs=0.01)
    assert liquidity(near_the_money(case(wide), None), 0.03) == pytest.approx(0.5)
    assert liquidity(near_the_money(case(few), None), 1e9) == pytest.approx(0.75, abs=0.01)
    assert liquidity(near, 0.0) == pytest.approx(0.5), "no spread is narrow enough"
    assert isnan(liquidity(near_the_money(case(replace(STATE, chains=())), None), 0.03))


def test_a_part_is_weight_times_value_over_the_sum_of_the_weights_and_the_score_their_sum() -> None:
    one = case(weight_richness=3.0, weight_trend=1.0, weight_depth=0.0, weight_liquidity=0.0, weight_event=0.0)
    found = score(one, richness(one))
    by = {signal.name: signal for signal in found.signals}
    assert by["richness"].part == pytest.approx(3 / 4 * by["richness"].value)
    assert by["trend"].part == pytest.approx(1 / 4 * by["trend"].value)
    assert found.value == pytest.approx(by["richness"].part + by["trend"].part)
    assert found.figures["score"] == found.value


def test_what_is_not_known_counts_as_nothing_and_is_named() -> None:
    blind = case(replace(STATE, chains=()))
    figures = logged(score(blind, richness(blind)).figures)
    assert figures["signals_unknown"] == "richness, depth, liquidity"
    assert (figures["signal_depth"], figures["part_depth"]) == (None, 0.0)
    assert "signals_unknown" not in score(case(), richness(case())).figures


def test_what_the_call_that_was_chosen_makes_known_is_not_said_to_be_unknown() -> None:
    """Without a quote near the money nothing is known of liquidity before there is a call; with one it is."""
    chains = tuple(
        replace(
            c, strikes=tuple(replace(r, call=None if abs(r.strike - SPOT) <= SPOT // 50 else r.call) for r in c.strikes)
        )
        for c in STATE.chains
    )
    bare = replace(STATE, chains=chains)
    assert score(case(bare), richness(case(bare))).figures["signals_unknown"] == "liquidity"
    weights = Weights(target_delta=0.15, delta_error_max=0.15)
    figures = decide(Scrip("NIFTY", weights=weights), bare, position(), account(), RULES).figures
    assert figures["call"]
    assert figures["signal_liquidity"] is not None
    assert "signals_unknown" not in figures


def test_the_score_shuts_the_gate_with_its_parts_in_the_sentence() -> None:
    opened = decide(Scrip("NIFTY"), STATE, position(), account(), RULES)
    value = opened.figures["score"]
    assert isinstance(value, float)
    at = Scrip("NIFTY", weights=Weights(score_min=value))
    assert decide(at, STATE, position(), account(), RULES).action is Action.OPEN
    above = Scrip("NIFTY", weights=Weights(score_min=min(1.0, value + 1e-6)))
    shut = decide(above, STATE, position(), account(), RULES)
    assert (shut.action, shut.legs) == (Action.MAINTAIN, ())
    told, under = shut.reason.removeprefix("the score ").partition(": richness 0.")[0].split(" is under ")
    assert value == pytest.approx(float(told), abs=1e-6)
    assert float(told) < float(under), "as many digits as tell them apart"


def test_every_decision_logs_each_signal_with_its_weight_and_part() -> None:
    wanted = {f"{kind}_{name}" for kind in ("signal", "weight", "part") for name in NAMES} | {"score"}
    for weights in (Weights(), Weights(iv_rank_min=1.0)):
        figures = decide(Scrip("NIFTY", weights=weights), STATE, position(), account(), RULES).figures
        assert wanted <= figures.keys()


@given(
    st.dictionaries(st.sampled_from([f"weight_{name}" for name in NAMES]), st.floats(0, 100)),
    st.integers(0, 5000),
    st.integers(0, 5000),
)
def test_whatever_the_weights_and_sizes_parts_and_score_lie_between_0_and_1(
    weights: dict[str, float], bid: int, ask: int
) -> None:
    one = case(with_sizes(bid, ask), **weights)
    if one.weights.fault:
        return
    found = score(one, richness(one))
    assert 0 <= found.value <= 1
    assert all(0 <= signal.part <= 1 for signal in found.signals)
    assert found.value == pytest.approx(sum(signal.part for signal in found.signals))


def test_the_calendar_speaks_for_selling_the_farther_the_next_event_is() -> None:
    soon = OwnEvent(DAY + timedelta(days=7), "results")
    scrip = Scrip("NIFTY", weights=Weights(days_to_expiry_max=35), events=(soon,))
    assert calm(Case(scrip, STATE, position(), account(), RULES)) == pytest.approx(7 / 35)
    assert calm(Case(replace(scrip, events=(replace(soon, day=DAY),)), STATE, position(), account(), RULES)) == 0.0
    assert calm(case()) == 1.0, "the next known one is the Budget"
    assert isnan(calm(Case(Scrip("NIFTY"), STATE, position(), account(), replace(RULES, event_days=()))))
