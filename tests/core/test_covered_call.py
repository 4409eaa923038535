"""The covered call: every gate both ways, every limit binding, every reason to close, and what becomes of the cover."""

import datetime
from math import isfinite, log
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from participant.core.account import Account
from participant.core.charges import charges
from participant.core.decision import Action, Leg
from participant.core.margin import crash_loss, margin
from participant.core.market import LookBack, MarketState, option
from participant.core.position import Holding, Position, Working
from participant.core.risk_limits import SHIPPED
from participant.core.scrip import PRICE_UNITS, Kind, Scrip, Side, Weights, money, shares_of
from participant.core.session import at_time
from participant.core.strategies.covered_call import covered_call
from participant.core.strategy import Verdict, logged
from tests.core.worlds import (
    CRORE,
    DAY,
    NOON,
    RULES,
    SPOT,
    account,
    call,
    chain_state,
    future,
    holding,
    look_back,
    position,
    with_quote,
)

LOT = 65
OCT_6 = datetime.date(2026, 10, 6)
SEP_29 = datetime.date(2026, 9, 29)
STATE = chain_state()


# Limits of the bet on the market that never bind: test_brain_checks.py is about them.
ANY_BET = replace(SHIPPED, delta_share_max=100.0, portfolio_delta_share_max=100.0)


def decided(
    state: MarketState = STATE,
    held: Position | None = None,
    money_of: Account | None = None,
    **weights: Any,
) -> Verdict:
    scrip = Scrip("NIFTY", weights=Weights(**weights), limits=ANY_BET)
    return covered_call(scrip, state, held or position(), money_of or account(), RULES)


def shut(verdict: Verdict) -> str:
    """The reason of a verdict that leaves everything as it is."""
    assert (verdict.action, verdict.legs) == (Action.MAINTAIN, ())
    return verdict.reason


def summary(legs: tuple[Leg, ...]) -> list[tuple[Side, int, str, int]]:
    return [(leg.side, leg.quantity, leg.contract.key, leg.limit) for leg in legs]


def number(verdict: Verdict, name: str) -> float:
    value = verdict.figures[name]
    assert isinstance(value, int | float)
    return value


# --- opening ----------------------------------------------------------------------------------------------------------


def test_into_rich_volatility_it_buys_the_cover_and_then_sells_the_call() -> None:
    verdict = decided()
    assert verdict.action is Action.OPEN
    cover, sold = verdict.legs
    assert (cover.side, cover.contract.kind, cover.quantity) == (Side.BUY, Kind.FUTURE, LOT)
    assert (sold.side, sold.contract.kind, sold.quantity) == (Side.SELL, Kind.CALL, LOT)
    quotes = STATE.quote(cover.contract.key), STATE.quote(sold.contract.key)
    assert quotes[0] is not None
    assert quotes[1] is not None
    assert (cover.limit, sold.limit) == (quotes[0].ask, quotes[1].bid)


def test_the_sentence_of_an_opening_can_be_read_by_a_trader() -> None:
    assert decided().reason == (
        "buy 65 NIFTY-20261027-FUT at ₹25,169.80, "
        "then sell 65 NIFTY-20261006-25650CE at ₹122.75 (delta 0.25, 20 days); "
        "IV rank 66.7% of 60 sessions, 30-day IV 14.0% is 1.27 times realised, the call's own IV is 14.0%; "
        "net credit ₹7,846 after ₹132.50 of charges; "
        "1 lot, bound by a 10.0% crash: a lot loses ₹154,522 of the ₹200,000 allowed"
    )


def test_the_call_is_the_one_nearest_the_target_delta_in_the_window() -> None:
    for target in (0.15, 0.25, 0.40):
        verdict = decided(target_delta=target)
        assert number(verdict, "call_delta") == pytest.approx(target, abs=0.01)
        assert 5 <= number(verdict, "call_days") <= 35


@pytest.mark.parametrize(
    ("by", "target", "most", "least"),
    [
        ("moneyness", 0.03, 0.002, 0.028),
        ("sigmas", 1.0, 0.1, 0.9),
        ("premium", 100.0, 10.0, 90.0),
        ("yield", 0.10, 0.01, 0.09),
    ],
)
def test_the_call_can_be_chosen_by_moneyness_deviations_premium_or_yield(
    by: str, target: float, most: float, least: float
) -> None:
    verdict = decided(choose_by=by, choose_target=target, choose_error_max=most)
    assert verdict.action is Action.OPEN
    assert least <= number(verdict, "call_measure") <= target + most
    sold, days = verdict.legs[1], number(verdict, "call_days")
    again = {
        "moneyness": sold.contract.strike / number(verdict, "forward") - 1,
        "sigmas": log(sold.contract.strike / number(verdict, "forward"))
        / number(verdict, "atm_iv")
        / (days / 365) ** 0.5,
        "premium": sold.limit / PRICE_UNITS,
        "yield": sold.limit / SPOT * 365 / days,
    }
    assert number(verdict, "call_measure") == pytest.approx(again[by], rel=0.02)


@pytest.mark.parametrize(
    ("by", "said"),
    [
        ("moneyness", "no call within 5-35 days is near moneyness 90.0%: the nearest has "),
        ("sigmas", "no call within 5-35 days is near deviations 0.90: the nearest has "),
        ("premium", "no call within 5-35 days is near premium ₹0.90: the nearest has ₹"),
        ("yield", "no call within 5-35 days is near yield a year 90.0%: the nearest has "),
    ],
)
def test_no_call_is_sold_that_is_too_far_from_its_target(by: str, said: str) -> None:
    assert shut(decided(choose_by=by, choose_target=0.9, choose_error_max=0.0)).startswith(said)


def test_a_quote_that_is_too_old_opens_nothing() -> None:
    sold, cover = decided().legs[1].contract.key, decided().legs[0].contract.key
    for key in (sold, cover):
        old = with_quote(STATE, key, exchange_at=NOON - 61 * 1_000_000_000)
        assert shut(decided(old)) == f"the quote of {key} is 61 s old, over 60 s"
        assert decided(old, quote_age_max_s=61).action is Action.OPEN


def test_a_call_that_hardly_trades_does_not_stand_before_one_that_does() -> None:
    first = decided().legs[1].contract
    wide = with_quote(STATE, first.key, bid=1_000_000, ask=1_500_000)
    verdict = decided(wide)
    assert verdict.action is Action.OPEN
    assert verdict.legs[1].contract != first
    assert number(verdict, "spread") <= 0.03


def test_the_cover_is_the_earliest_future_that_lives_as_long_as_the_call() -> None:
    assert [f.contract.expiry.isoformat() for f in STATE.futures] == ["2026-09-29", "2026-10-27", "2026-11-23"]
    assert decided(days_to_expiry_min=13, days_to_expiry_max=13).legs[0].contract.key == "NIFTY-20260929-FUT"
    assert decided(days_to_expiry_min=14).legs[0].contract.key == "NIFTY-20261027-FUT"


def test_no_call_is_sold_outside_the_window_of_days() -> None:
    assert decided(days_to_expiry_min=13, days_to_expiry_max=13).figures["call_expiry"] == "2026-09-29"
    assert shut(decided(days_to_expiry_min=14, days_to_expiry_max=19)) == "no expiry within 14-19 days is listed"


def test_no_call_is_sold_on_its_expiry_day() -> None:
    state = chain_state(at_time(SEP_29, 12, 0), day=SEP_29)
    assert state.chains[0].expiry == SEP_29
    assert shut(decided(state, days_to_expiry_min=0, days_to_expiry_max=6)) == "no expiry within 1-6 days is listed"


def test_a_call_without_a_future_that_outlives_it_is_not_sold() -> None:
    state = replace(STATE, futures=STATE.futures[:1])
    assert shut(decided(state, days_to_expiry_min=14)) == "no future lives as long as a call within 14-35 days"
    assert decided(state).legs[1].contract.expiry <= SEP_29


def test_a_chain_without_a_call_near_the_target_delta_opens_nothing() -> None:
    high = tuple(replace(c, strikes=tuple(r for r in c.strikes if r.strike < SPOT * 0.99)) for c in STATE.chains)
    reason = shut(decided(replace(STATE, chains=high)))
    assert reason.startswith("no call within 5-35 days is near delta 0.25: the nearest has 0.")


def test_a_chain_without_valid_calls_opens_nothing() -> None:
    bare = tuple(replace(c, strikes=tuple(replace(r, call=None) for r in c.strikes)) for c in STATE.chains)
    assert (
        shut(decided(replace(STATE, chains=bare), iv_rank_min=0.0, iv_over_realised_min=0.0))
        == "no call within 5-35 days has a valid quote"
    )


def test_a_cover_without_a_valid_quote_opens_nothing() -> None:
    state = with_quote(STATE, "NIFTY-20261027-FUT", ask_size=0)
    assert shut(decided(state, days_to_expiry_min=14)) == "the cover NIFTY-20261027-FUT has no valid quote"


def test_a_future_of_another_lot_is_no_cover() -> None:
    futures = tuple(replace(f, contract=replace(f.contract, lot=50)) for f in STATE.futures)
    reason = shut(decided(replace(STATE, futures=futures), days_to_expiry_min=20, days_to_expiry_max=20))
    assert reason == "a lot of NIFTY-20261027-FUT does not cover a lot of NIFTY-20261006-25650CE"


# --- the gates --------------------------------------------------------------------------------------------------------


def with_look_back(history: LookBack) -> MarketState:
    return chain_state(history=history)


@pytest.mark.parametrize(
    ("history", "reason"),
    [
        (look_back(59), "look-back too short (59 of 60 sessions)"),
        (LookBack(), "look-back too short (0 of 60 sessions)"),
        (look_back(low=0.13, high=0.18), "IV rank 20.0% is under 50.0%"),
        (look_back(realised=0.13), "30-day IV 14.0% is 1.08 times realised 13.0%, under 1.10"),
        (look_back(low=0.14, high=0.14), "IV has no rank: it never moved over the look-back"),
        (replace(look_back(), closes=look_back().closes[:20]), "realised volatility is not known from 20 closes"),
        (replace(look_back(), closes=(SPOT,) * 30), "realised volatility is not known from 30 closes"),
    ],
)
def test_it_opens_only_into_rich_volatility(history: LookBack, reason: str) -> None:
    assert shut(decided(with_look_back(history))) == reason


def test_a_published_index_stands_for_the_scrips_own_volatility() -> None:
    history = replace(look_back(), iv30=(*look_back().iv30, 0.15), published="India VIX of 2026-10-05")
    verdict = decided(with_look_back(history))
    assert verdict.action is Action.OPEN
    assert verdict.figures["iv30"] == 0.15, "not the chain's 14 %"
    assert verdict.figures["iv30_source"] == "India VIX of 2026-10-05"
    assert "IV rank 83.3% of 61 sessions, India VIX of 2026-10-05 15.0% is 1.36 times realised" in verdict.reason
    assert "times realised, the call's own IV is 14.0%; " in verdict.reason, "not the index's"
    low = replace(history, iv30=(*look_back().iv30, 0.11))
    assert shut(decided(with_look_back(low))) == "IV rank 16.7% is under 50.0%"
    assert "India VIX of 2026-10-05 15.0% is 1.07 times realised" in shut(
        decided(with_look_back(replace(look_back(realised=0.14), iv30=history.iv30, published=history.published)))
    )


@pytest.mark.parametrize(
    ("history", "weights"),
    [
        (look_back(59), {"look_back_sessions_min": 59}),
        (look_back(low=0.13, high=0.18), {"iv_rank_min": 0.20}),
        (look_back(realised=0.13), {"iv_over_realised_min": 1.07}),
        (look_back(60), {}),
        (look_back(250), {}),
    ],
)
def test_at_its_thresholds_volatility_is_rich(history: LookBack, weights: dict[str, Any]) -> None:
    assert decided(with_look_back(history), **weights).action is Action.OPEN


def test_without_a_thirty_day_iv_nothing_opens() -> None:
    bare = tuple(replace(c, strikes=()) for c in STATE.chains)
    assert shut(decided(replace(STATE, chains=bare))) == "no 30-day at-the-money IV can be read from the chain"


def test_a_wide_spread_shuts_the_gate() -> None:
    verdict = decided(chain_state(spread=0.05))
    assert shut(verdict).startswith("the spread of NIFTY-")
    assert shut(verdict).endswith("%, over 3.0%")
    assert decided(chain_state(spread=0.05), spread_max=0.06).action is Action.OPEN


def test_a_small_displayed_size_shuts_the_gate() -> None:
    state = chain_state(lots_shown=2)
    assert decided(state, displayed_lots_min=2).action is Action.OPEN
    assert shut(decided(state, displayed_lots_min=3)) == "displayed size: 2 lots at the touch, under 3 lots"


def test_a_net_credit_that_is_not_over_its_least_shuts_the_gate() -> None:
    net = int(number(decided(), "net_credit_paise"))
    assert decided(net_credit_min=net - 1).action is Action.OPEN
    assert shut(decided(net_credit_min=net)) == (
        "net credit ₹7,846 (premium ₹7,979 less charges ₹132.50) is not over ₹7,846"
    )


def test_the_net_credit_counts_the_charges_of_both_legs_and_not_the_basis() -> None:
    verdict = decided()
    cover, sold = verdict.legs
    rates = RULES.charge_rates(DAY)
    paid = sum(charges(rates, leg.contract, leg.side, money(leg.limit, leg.quantity)).total for leg in (cover, sold))
    assert verdict.figures["charges_paise"] == paid
    assert verdict.figures["net_credit_paise"] == money(sold.limit, LOT) - paid
    assert number(verdict, "basis") == pytest.approx(STATE.futures[1].quote.mid - SPOT)
    decay = number(verdict, "basis") * 20.0 / 41.0 * LOT / 100
    assert number(verdict, "basis_decay_paise") == pytest.approx(decay, rel=0.02)


def test_there_is_one_entry_a_session() -> None:
    assert shut(decided(held=position(entered_on=DAY))) == "one entry a session, and today's has been made"
    yesterday = DAY - datetime.timedelta(days=1)
    assert decided(held=position(entered_on=yesterday)).action is Action.OPEN


@pytest.mark.parametrize(
    ("hour", "minute", "phase"), [(9, 14, "pre-open"), (15, 40, "post-close"), (8, 0, "closed"), (20, 0, "closed")]
)
def test_outside_the_session_nothing_is_done(hour: int, minute: int, phase: str) -> None:
    state = chain_state(at_time(DAY, hour, minute))
    assert shut(decided(state)) == f"the market is not open: {phase}"


def test_on_a_holiday_nothing_is_done() -> None:
    assert shut(decided(chain_state(at_time(datetime.date(2026, 9, 14), 12, 0)))) == "the market is not open: closed"


def test_while_orders_work_nothing_is_decided() -> None:
    held = replace(position(), working=(Working(future(STATE), LOT),))
    assert shut(decided(held=held)) == "orders are working: +65 NIFTY-20260929-FUT"


# --- how many lots ----------------------------------------------------------------------------------------------------

ANY_CRASH: dict[str, Any] = {"crash_loss_share_max": 1.0}


def structure_margin(verdict: Verdict, lots: int) -> int:
    """The most margin that the structure needs on the way, reckoned anew."""
    cover, sold = (leg.contract for leg in verdict.legs)
    rates, level, iv = RULES.margin_rates("NIFTY", DAY), STATE.futures[1].quote.mid, number(verdict, "atm_iv")
    both = margin(rates, [(cover, lots * LOT), (sold, -lots * LOT)], level, iv, NOON)
    return max(margin(rates, [(cover, lots * LOT)], level, iv, NOON), both)


def test_at_a_crore_one_lot_passes_with_the_default_weights() -> None:
    for spot in (24_000, 25_000, 26_000):
        verdict = decided(chain_state(spot=spot * PRICE_UNITS))
        assert (verdict.action, verdict.figures["lots"]) == (Action.OPEN, 1)


def test_the_crash_limit_binds_by_default() -> None:
    verdict = decided()
    assert verdict.figures["lots_by_crash"] == 1
    cover, sold = verdict.legs
    legs = [(cover.contract, LOT, cover.limit), (sold.contract, -LOT, sold.limit)]
    loss = crash_loss(legs, SPOT, 0.10, number(verdict, "atm_iv"), NOON)
    assert verdict.figures["crash_loss_paise"] == loss
    assert loss <= 0.02 * CRORE < 2 * loss


def test_no_lot_passes_where_one_loses_too_much_in_a_crash() -> None:
    reason = shut(decided(crash_loss_share_max=0.015))
    assert reason == "no lot passes a 10.0% crash: a lot loses ₹154,522 of the ₹150,000 allowed"


def test_the_margin_limit_binds_at_its_share_of_capital() -> None:
    first = decided(**ANY_CRASH)
    assert number(first, "lots_by_margin") == 17
    needed = structure_margin(first, 3)
    capital = account()
    at_limit = replace(capital, used={"BANKNIFTY": int(0.40 * CRORE) - needed})
    assert decided(money_of=at_limit, **ANY_CRASH).figures["lots"] == 3
    beyond = replace(capital, used={"BANKNIFTY": int(0.40 * CRORE) - needed + 1})
    assert decided(money_of=beyond, **ANY_CRASH).figures["lots"] == 2


def test_margin_reserved_by_orders_counts_as_committed() -> None:
    busy = replace(account(), reserved={"an order": int(0.40 * CRORE) - 100_000_00})
    assert shut(decided(money_of=busy)).startswith("no lot passes margin: a lot needs ₹225,")
    assert shut(decided(money_of=busy)).endswith(" of the ₹100,000 left")


def test_the_margin_limit_binds_at_the_free_cash() -> None:
    poor = Account(CRORE, 300_000_00)
    verdict = decided(money_of=poor, **ANY_CRASH)
    assert verdict.figures["lots"] == 1
    assert "bound by margin: a lot needs ₹225," in verdict.reason


def test_the_displayed_size_of_the_call_binds() -> None:
    sold = decided().legs[1].contract.key
    verdict = decided(with_quote(STATE, sold, bid_size=4 * LOT + 64), **ANY_CRASH)
    assert (verdict.figures["lots"], verdict.legs[1].quantity) == (4, 4 * LOT)
    assert verdict.reason.endswith("4 lots, bound by displayed size: 4 lots at the touch")


def test_the_displayed_size_of_the_cover_binds() -> None:
    cover = decided().legs[0].contract.key
    assert decided(with_quote(STATE, cover, ask_size=3 * LOT), **ANY_CRASH).figures["lots"] == 3


def test_only_the_permitted_share_of_the_displayed_size_is_taken() -> None:
    state = chain_state(lots_shown=10)
    assert decided(state, displayed_share_max=0.5, **ANY_CRASH).figures["lots"] == 5


def test_a_derived_cover_has_the_size_that_is_set_for_it() -> None:
    futures = tuple(replace(f, is_derived=True, quote=replace(f.quote, ask_size=LOT)) for f in STATE.futures)
    verdict = decided(replace(STATE, futures=futures), derived_cover_lots=6, **ANY_CRASH)
    assert verdict.figures["lots"] == 6


def test_the_quantity_that_one_order_may_have_does_not_bind_a_decision() -> None:
    chains = tuple(replace(c, freeze=2 * LOT + 10) for c in STATE.chains)
    bound, free = (decided(s, **ANY_CRASH).figures["lots"] for s in (replace(STATE, chains=chains), STATE))
    assert bound == free
    assert isinstance(bound, int)
    assert bound > 2, "or it would prove nothing"


def test_the_legs_carry_the_margin_that_each_adds() -> None:
    cover, sold = (leg.margin for leg in decided().legs)
    assert cover > 0
    assert sold >= 0
    assert cover + sold == structure_margin(decided(), 1) == decided().figures["margin_paise"]


# --- holding ----------------------------------------------------------------------------------------------------------

STRIKE = 256_500_000
SOLD_AT = 1_300_000
COVER, CALL = future(STATE, 1), call(STATE, OCT_6, STRIKE)
PAID = 251_500_000


def structure(lots: int = 1, sold_at: int = SOLD_AT, paid: int = PAID) -> Position:
    return position(holding(COVER, lots * LOT, paid), holding(CALL, -lots * LOT, sold_at), entered_on=DAY)


def test_a_structure_is_held_in_a_sentence_with_its_figures() -> None:
    verdict = decided(held=structure())
    assert shut(verdict) == (
        "hold 1 lot of NIFTY-20261006-25650CE: 20 days to expiry; structure at ₹1,661; "
        "the call is asked ₹124.05, square-off at ₹6.50"
    )
    gain = money(251_696_000 - PAID, LOT) + money(SOLD_AT - 1_240_500, LOT)
    assert verdict.figures["structure_result_paise"] == gain == 166_075


def nominal(ask: int) -> MarketState:
    """The market with the call nearly worthless: asked at `ask`."""
    return with_quote(STATE, CALL.key, bid=ask - 500, ask=ask)


def test_a_nominal_call_is_bought_back_first_and_then_the_cover_is_sold() -> None:
    verdict = decided(nominal(65_000), structure())
    assert verdict.action is Action.CLOSE
    cover = STATE.futures[1].quote
    assert summary(verdict.legs) == [(Side.BUY, LOT, CALL.key, 65_000), (Side.SELL, LOT, COVER.key, cover.bid)]
    assert [leg.margin for leg in verdict.legs] == [0, 0]
    assert verdict.reason.startswith(
        "buy the call back, then sell the cover: the call is asked ₹6.50, at or under ₹6.50; "
        "buying it back costs ₹446.29, "
        "carrying it to expiry is expected to cost ₹"
    )


def test_a_tick_above_the_square_off_level_the_call_is_kept() -> None:
    assert shut(decided(nominal(65_500), structure())).endswith("the call is asked ₹6.55, square-off at ₹6.50")


def test_two_ticks_are_nominal_whatever_the_premium_was() -> None:
    cheap = structure(sold_at=5_000)
    assert decided(nominal(1_000), cheap).action is Action.CLOSE
    assert shut(decided(nominal(1_500), cheap)).endswith("the call is asked ₹0.15, square-off at ₹0.10")


def late_state(ask: int, minutes_left: int = 60) -> MarketState:
    """The call's expiry day, an hour before the end, the call far from the money and asked at `ask`."""
    at = RULES.expiry_at(OCT_6) - minutes_left * 60 * 1_000_000_000
    state = chain_state(at, day=OCT_6, history=look_back())
    return with_quote(state, CALL.key, bid=ask - 500, ask=ask, bid_size=LOT, ask_size=LOT)


def test_a_nominal_call_is_carried_where_buying_it_back_costs_more() -> None:
    verdict = decided(late_state(1_000), structure())
    assert shut(verdict).endswith(
        "the call is asked ₹0.10, nominal, but buying it back costs ₹30.10, carrying it ₹2.86"
    )
    assert number(verdict, "carry_paise") < number(verdict, "buy_back_paise")


def test_on_expiry_day_the_call_is_carried_to_its_end_and_settled() -> None:
    assert "expires today: carried to expiry and settled" in shut(decided(late_state(1_000), structure()))


def test_carrying_is_the_models_value_and_interest_on_the_margin() -> None:
    free = decided(nominal(65_000), structure(), carry_cost_rate=0.0)
    charged = decided(nominal(65_000), structure(), carry_cost_rate=0.10)
    tied = margin(
        RULES.margin_rates("NIFTY", DAY),
        [(COVER, LOT), (CALL, -LOT)],
        int(number(decided(), "forward")),
        number(decided(), "atm_iv"),
        NOON,
    )
    years = (RULES.expiry_at(OCT_6) - NOON) / (365 * 86_400 * 10**9)
    interest = number(charged, "carry_paise") - number(free, "carry_paise")
    assert interest == pytest.approx(tied * 0.10 * years, rel=1e-3)
    assert number(free, "carry_paise") == pytest.approx(123.4 * LOT * 100, rel=0.01)


def test_without_an_iv_to_judge_by_the_call_is_carried() -> None:
    state = nominal(65_000)
    chains = tuple(
        replace(c, strikes=tuple(r for r in c.strikes if r.strike == STRIKE)) if c.expiry == OCT_6 else c
        for c in state.chains
    )
    verdict = decided(replace(state, chains=chains), structure())
    assert shut(verdict).endswith("nominal, but without an IV in its chain carrying it cannot be priced")
    assert not isfinite(number(verdict, "carry_paise"))


def test_the_stop_is_on_the_structure() -> None:
    stop = -int(0.015 * CRORE)
    held = structure()
    now = int(number(decided(held=held), "structure_result_paise"))
    at_stop = replace(held, structure_result=stop - now)
    verdict = decided(held=at_stop)
    assert verdict.action is Action.CLOSE
    assert verdict.reason == (
        "buy the call back, then sell the cover: the structure stands at -₹150,000, its stop is -₹150,000"
    )
    assert [leg.side for leg in verdict.legs] == [Side.BUY, Side.SELL]
    assert decided(held=replace(held, structure_result=stop - now + 1)).action is Action.MAINTAIN


def test_a_loss_of_the_call_that_the_cover_gains_is_no_stop() -> None:
    risen = chain_state(spot=28_000 * PRICE_UNITS)
    verdict = decided(risen, structure())
    assert number(verdict, "call_ask") > 10 * SOLD_AT
    assert verdict.action is Action.MAINTAIN


@pytest.mark.parametrize(("key", "side"), [(COVER.key, "bid"), (CALL.key, "ask")])
def test_without_a_quote_to_close_what_is_held_at_nothing_is_done(key: str, side: str) -> None:
    state = with_quote(STATE, key, **{side: 0})
    assert shut(decided(state, structure())) == f"{key} is held and has no valid quote"


def test_a_call_that_nobody_bids_for_can_still_be_bought_back() -> None:
    state = with_quote(STATE, CALL.key, bid=0, ask=CALL.tick, bid_size=0)
    verdict = decided(state, structure())
    assert verdict.action is Action.CLOSE
    assert verdict.legs[0].limit == CALL.tick


def test_cover_that_no_call_stands_against_is_sold() -> None:
    held = position(holding(COVER, 3 * LOT, PAID), holding(CALL, -LOT, SOLD_AT))
    verdict = decided(held=held)
    assert verdict.action is Action.CLOSE
    assert verdict.reason == "sell 130 units of cover that no call stands against"
    assert summary(verdict.legs) == [(Side.SELL, 2 * LOT, COVER.key, STATE.futures[1].quote.bid)]


def test_of_two_covers_the_one_that_expires_first_is_sold_first() -> None:
    earlier = future(STATE)
    held = position(holding(earlier, LOT, PAID), holding(COVER, LOT, PAID), holding(CALL, -LOT, SOLD_AT))
    assert [leg.contract for leg in decided(held=held).legs] == [earlier]


def test_calls_without_full_cover_are_bought_back_before_anything_else() -> None:
    held = position(holding(COVER, LOT, PAID), holding(CALL, -3 * LOT, SOLD_AT))
    verdict = decided(held=held)
    assert verdict.action is Action.CLOSE
    assert verdict.reason == "buy back 130 units of calls that have no cover"
    assert summary(verdict.legs) == [(Side.BUY, 2 * LOT, CALL.key, 1_240_500)]
    blind = decided(with_quote(STATE, CALL.key, ask_size=0), held)
    assert shut(blind) == f"130 units of calls have no cover, and {CALL.key} is held and has no valid quote"


def test_of_calls_without_cover_those_that_can_be_bought_back_are() -> None:
    other = option("NIFTY", next(c for c in STATE.chains if c.expiry == CALL.expiry), Kind.CALL, CALL.strike + 500_000)
    held = position(holding(COVER, LOT, PAID), holding(CALL, -2 * LOT, SOLD_AT), holding(other, -LOT, SOLD_AT))
    verdict = decided(with_quote(STATE, other.key, ask_size=0), held)
    assert [(leg.contract, leg.quantity) for leg in verdict.legs] == [(CALL, 2 * LOT)]
    less = replace(held, holdings=(held.holdings[0], holding(CALL, -LOT, SOLD_AT), holding(other, -2 * LOT, SOLD_AT)))
    verdict = decided(with_quote(STATE, other.key, ask_size=0), less)
    assert [(leg.contract, leg.quantity) for leg in verdict.legs] == [(CALL, LOT)]
    left = f"{other.key} is held and has no valid quote"
    assert verdict.reason == f"buy back 65 units of calls: 130 of them have no cover, and {left}"


def declared(units: int, *holdings: Holding) -> Position:
    """What is held beside a fund of which 100 make a unit of the index, declared as cover."""
    fund = shares_of("NIFTY", 5, 9_999, ratio=100)
    return replace(position(*holdings, holding(fund, units, SPOT // 100)), adopted=units)


def test_a_call_of_which_a_part_has_no_cover_is_bought_back_in_whole_lots() -> None:
    verdict = decided(held=declared(6_499, holding(CALL, -2 * LOT, SOLD_AT)), cover="held")
    assert verdict.action is Action.CLOSE
    assert verdict.reason == "buy back 130 units of calls: 66 of them have no cover"
    assert summary(verdict.legs) == [(Side.BUY, 2 * LOT, CALL.key, 1_240_500)]


@pytest.mark.parametrize(
    ("terms", "said"),
    [({"lot": 75}, "its lot has changed from 75 to 65 units"), ({"freeze": 3_900}, "its tick or freeze quantity has")],
)
def test_a_call_on_terms_of_before_is_not_ordered_in_lots_and_slices_of_before(
    terms: dict[str, int], said: str
) -> None:
    before = replace(CALL, **terms)
    naked = position(holding(before, -50 * before.lot, SOLD_AT))
    assert f"{CALL.key} is held and {said}" in shut(decided(held=naked))
    nominal = declared(500_000, holding(before, -50 * before.lot, 20 * SOLD_AT))
    assert f"{CALL.key} is held and {said}" in shut(decided(held=nominal, cover="held", square_off_share=0.9))


def test_cover_that_no_call_stands_against_is_sold_in_whole_lots() -> None:
    call_sold = holding(CALL, -LOT, SOLD_AT)
    verdict = decided(held=declared(199, holding(COVER, 2 * LOT, PAID), call_sold), cover="held")
    assert verdict.reason == "sell 65 units of cover that no call stands against"
    assert summary(verdict.legs) == [(Side.SELL, LOT, COVER.key, STATE.futures[1].quote.bid)]
    alone = decided(held=declared(199, holding(COVER, LOT, PAID), call_sold), cover="held")
    assert shut(alone).startswith("hold 1 lot")


@pytest.mark.parametrize(
    "stray",
    [holding(COVER, -LOT, PAID), holding(CALL, LOT, SOLD_AT), holding(replace(CALL, kind=Kind.PUT), -LOT, SOLD_AT)],
)
def test_what_is_no_covered_call_is_left_to_a_person(stray: object) -> None:
    held = replace(position(), holdings=(stray,))
    assert shut(decided(held=held)) == "what is held is no covered call: a person must look at it"
    sold = holding(call(STATE, SEP_29, STRIKE), -LOT, SOLD_AT)
    beside = replace(position(), holdings=(stray, holding(future(STATE, 2), 4 * LOT, PAID), sold))
    assert shut(decided(held=beside)) == "what is held is no covered call: a person must look at it"


def test_a_cover_is_not_sold_from_under_its_call_where_a_long_call_hides_that_it_is_sold() -> None:
    far = call(STATE, OCT_6, 28_000 * PRICE_UNITS)
    held = position(holding(COVER, LOT, PAID), holding(CALL, -LOT, SOLD_AT), holding(far, LOT, 1), alone_since=NOON)
    assert held.short_calls == 0
    assert shut(decided(held=held)) == "what is held is no covered call: a person must look at it"


# --- the cover alone --------------------------------------------------------------------------------------------------

MINUTE = 60 * 1_000_000_000


def alone(minutes: int = 10, lots: int = 1) -> Position:
    return position(holding(COVER, lots * LOT, PAID), entered_on=DAY, alone_since=NOON - minutes * MINUTE)


def test_a_cover_alone_is_sold_at_once_when_flattened() -> None:
    verdict = decided(held=alone(0))
    assert verdict.action is Action.CLOSE
    assert verdict.reason == "sell the cover, 65 units: no call stands against it"
    assert summary(verdict.legs) == [(Side.SELL, LOT, COVER.key, STATE.futures[1].quote.bid)]


def test_after_its_call_expired_the_cover_is_sold_from_the_next_open() -> None:
    expired = position(holding(COVER, LOT, PAID), alone_since=RULES.expiry_at(OCT_6))
    after_hours = chain_state(at_time(OCT_6, 15, 45), day=OCT_6)
    assert shut(decided(after_hours, expired)) == "the market is not open: post-close"
    next_open = at_time(OCT_6 + datetime.timedelta(days=1), 9, 25)
    opening = chain_state(next_open, day=OCT_6 + datetime.timedelta(days=1))
    verdict = decided(opening, expired)
    assert (verdict.action, verdict.legs[0].contract) == (Action.CLOSE, COVER)
    assert verdict.figures["cover_alone_s"] == 600  # ten minutes of the session; the night does not count


def test_without_closes_of_the_published_index_the_chain_does_not_stand_in_for_it() -> None:
    verdict = decided(with_look_back(replace(look_back(), iv30=(), published="India VIX")), look_back_sessions_min=1)
    assert shut(verdict) == ("IV rank and IV over realised are unknown: no close of India VIX before the day is known")
    figures = logged(verdict.figures)
    assert (figures["iv30"], figures["iv_rank"], figures["iv_over_realised"]) == (None, None, None)


def test_with_resell_a_new_call_is_sold_against_the_cover() -> None:
    verdict = decided(held=alone(), after_call="resell")
    assert verdict.action is Action.OPEN
    assert summary(verdict.legs) == [(Side.SELL, LOT, CALL.key, 1_227_500)]
    assert verdict.reason.startswith(
        "sell 65 NIFTY-20261006-25650CE at ₹122.75 (delta 0.25, 20 days) against the cover held; IV rank 66.7% of 60 "
        "sessions, 30-day IV 14.0% is 1.27 times realised, the call's own IV is 14.0%; net credit ₹7,9"
    )
    paid = charges(RULES.charge_rates(DAY), CALL, Side.SELL, money(1_227_500, LOT)).total
    assert verdict.figures["charges_paise"] == paid


def test_a_resold_call_never_outlives_its_cover() -> None:
    september = position(holding(future(STATE), LOT, PAID), alone_since=NOON)
    verdict = decided(held=september, after_call="resell")
    assert verdict.legs[0].contract.expiry == SEP_29


@pytest.mark.parametrize(
    ("state", "money_of", "weights", "reason"),
    [
        (chain_state(history=look_back(10)), account(), {}, "look-back too short (10 of 60 sessions)"),
        (
            STATE,
            account(),
            {"days_to_expiry_min": 14, "days_to_expiry_max": 19},
            "no expiry within 14-19 days is listed",
        ),
        (STATE, Account(CRORE, 10_000_00), {}, "the call needs ₹"),
        (chain_state(lots_shown=1), account(), {}, "displayed size: 1 lot of NIFTY-20261006-25650CE at the bid"),
        (STATE, account(), {"net_credit_min": CRORE}, "net credit ₹"),
        (chain_state(spread=0.05), account(), {}, "the spread of NIFTY-"),
    ],
)
def test_with_resell_the_cover_waits_while_a_gate_is_shut(
    state: MarketState, money_of: Account, weights: dict[str, Any], reason: str
) -> None:
    verdict = decided(state, alone(30, lots=2), money_of, after_call="resell", **weights)
    assert shut(verdict).startswith(f"the cover waits for a call, 1,800 of 1,800 s: {reason}")


def test_with_resell_a_cover_that_stood_alone_too_long_is_sold() -> None:
    state = chain_state(history=look_back(10))
    verdict = decided(state, alone(31), after_call="resell")
    assert verdict.action is Action.CLOSE
    assert verdict.reason == (
        "sell the cover, 65 units: it stood alone for 1,860 s, over 1,800 s; look-back too short (10 of 60 sessions)"
    )


def test_with_resell_a_stopped_structure_is_not_written_against_again() -> None:
    stopped = replace(alone(), structure_result=-10_000_000_00)
    verdict = decided(held=stopped, after_call="resell")
    assert verdict.action is Action.CLOSE
    assert [leg.side for leg in verdict.legs] == [Side.SELL]
    assert "its stop is" in verdict.reason


@pytest.mark.parametrize("after_call", ["flatten", "resell"])
def test_a_cover_alone_without_a_valid_quote_waits(after_call: str) -> None:
    state = with_quote(STATE, COVER.key, bid_size=0)
    assert shut(decided(state, alone(), after_call=after_call)) == f"{COVER.key} is held and has no valid quote"


# --- always -----------------------------------------------------------------------------------------------------------


@settings(max_examples=150)
@given(
    lots=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    ask=st.sampled_from([1_000, 65_000, 1_240_500]),
    result=st.sampled_from([0, -160_000_00]),
    after_call=st.sampled_from(["flatten", "resell"]),
    stop=st.tuples(st.integers(0, 2), st.floats(0, 1)),
)
def test_no_prefix_of_fills_leaves_calls_uncovered(
    lots: tuple[int, int], ask: int, result: int, after_call: str, stop: tuple[int, float]
) -> None:
    """Legs fill one after the other; where the desk stops in between, calls never exceed cover by more than before.

    `lots` are those of cover and calls held, `stop` the legs that are done and how much of the next one.
    """
    (cover_lots, call_lots), (done, part) = lots, stop
    holdings = [holding(COVER, cover_lots * LOT, PAID), holding(CALL, -call_lots * LOT, SOLD_AT)]
    held = replace(position(*(h for h in holdings if h.quantity), alone_since=NOON), structure_result=result)
    verdict = decided(nominal(ask), held, after_call=after_call)
    bare = max(0, held.short_calls - held.cover)
    cover, calls = held.cover, held.short_calls
    for i, leg in enumerate(verdict.legs):
        filled = leg.quantity if i < done else int(part * leg.quantity) if i == done else 0
        cover += leg.side.sign * filled * (leg.contract.kind is Kind.FUTURE)
        calls -= leg.side.sign * filled * (leg.contract.kind is Kind.CALL)
        assert calls <= cover + bare
        assert min(calls, cover) >= 0
    if call_lots > cover_lots and done >= len(verdict.legs):
        assert calls == cover


@pytest.mark.parametrize("held", [position(), structure(), alone()])
def test_every_verdict_has_a_sentence_and_the_markets_figures(held: Position) -> None:
    verdict = decided(held=held)
    assert verdict.reason
    assert {"spot", "iv30", "iv_rank", "realised", "iv_over_realised", "sessions"} <= verdict.figures.keys()


# --- an odd lot -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cover", "calls", "result"),
    [(75, 0, 0), (75, 65, 0), (65, 75, 0), (140, 65, 0), (75, 75, -10 * CRORE), (75, 0, -10 * CRORE)],
    ids=["alone", "odd cover", "odd call, uncovered", "excess", "both, stopped", "alone, stopped"],
)
def test_s28_an_odd_lot_is_left_to_a_person_whatever_speaks_for_trading(cover: int, calls: int, result: int) -> None:
    """S28: after a revision 75 units are one lot of 65 and ten that no order can close."""
    sold = call(STATE, OCT_6, 25_500 * PRICE_UNITS)
    holdings = [holding(COVER, cover, PAID), holding(sold, -calls, 100 * PRICE_UNITS)]
    held = position(*(h for h in holdings if h.quantity), alone_since=NOON - 120 * MINUTE)
    said = shut(decided(held=replace(held, structure_result=result)))
    assert "are no whole lots of 65" in said
    assert said.endswith("a person must look at it")
