"""The brain's own checks: each refuses with its figure over its limit, and their worst case is the worst."""

import datetime
from itertools import chain, combinations
from math import inf
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from participant.core.account import Account, BookRisk, Portfolio, together
from participant.core.book_risk import SCENARIOS, Fills, book_risk, bounds, short_values
from participant.core.brain import decide
from participant.core.brain_checks import BRAIN_CHECKS, delivery, judged
from participant.core.decision import Action, Decision, Leg
from participant.core.plan import Plan, naked_units, worst
from participant.core.position import Position, Working
from participant.core.risk_limits import SHIPPED, RiskLimits
from participant.core.rulebook import OutsideRules
from participant.core.rulerows import Confidence
from participant.core.scrip import PRICE_UNITS, Contract, Kind, Scrip, Side, Weights
from participant.core.strategies.covered_call import covered_call
from participant.core.strategy import Case, Verdict
from tests.core.worlds import CRORE, NOON, RULES, SPOT, account, chain_state, future, holding, position, with_quote

STATE = chain_state()
NIFTY = Scrip("NIFTY")
IN_SHARES = replace(RULES, deliveries=tuple(replace(row, is_physical=True) for row in RULES.deliveries))
EXPIRY = STATE.chains[1].expiry
CALL = Contract("NIFTY", EXPIRY, Kind.CALL, 25_500 * PRICE_UNITS, 65, 500, 1800)
PUT = Contract("NIFTY", EXPIRY, Kind.PUT, 24_500 * PRICE_UNITS, 65, 500, 1800)
FUTURE = future(STATE)


def case(held: Position | None = None, money: Account | None = None, scrip: Scrip = NIFTY) -> Case:
    return Case(scrip, STATE, held or position(), money or account(), RULES)


def vetted(of: Case, verdict: Verdict) -> Verdict:
    """What becomes of a verdict."""
    return judged(lambda *_: verdict, of)[0]


def limited(**changes: Any) -> Scrip:
    return replace(NIFTY, limits=replace(SHIPPED, **changes))


def decided(scrip: Scrip = NIFTY, money: Account | None = None, held: Position | None = None) -> Decision:
    return decide(scrip, STATE, held or position(), money or account(), RULES)


OPEN = decided()


# --- each check with its figure and its limit ---


def test_a_decision_that_opens_tells_every_check_with_its_figure_and_its_limit() -> None:
    assert OPEN.action is Action.OPEN
    told = [name.removeprefix("check_") for name in OPEN.figures if name.startswith("check_")]
    names = [check.name for check in BRAIN_CHECKS if check.name not in {"delivery", "sector_delta"}]
    assert told == list(chain.from_iterable((name, f"{name}_limit") for name in names))


def test_a_decision_that_opens_counts_the_rules_of_low_confidence_that_it_rests_on() -> None:
    assert OPEN.figures["rules_low"] == 0
    low = [replace(row, confidence=Confidence.LOW) for row in RULES.charges]
    doubtful = replace(RULES, charges=tuple(low))
    there = decide(NIFTY, STATE, position(), account(), doubtful)
    assert (there.action, there.figures["rules_low"]) == (Action.OPEN, 1)
    assert replace(there, figures={**there.figures, "rules_low": 0}).figures == OPEN.figures
    tight = decide(replace(NIFTY, weights=Weights(iv_rank_min=1.0)), STATE, position(), account(), doubtful)
    assert "rules_low" not in tight.figures


# The value that each check finds for the open of this world, taken from the decision: a hair less refuses it.
@pytest.mark.parametrize(
    ("check", "limit"),
    [
        ("slicing", "orders_max"),
        ("price_range", "range_share_max"),
        ("lots", "lots_max"),
        ("expiry", "expiry_share_max"),
        ("concentration", "margin_share_max"),
        ("delta", "delta_share_max"),
        ("vega", "vega_share_max"),
        ("scenario", "scenario_share_max"),
        ("portfolio_delta", "portfolio_delta_share_max"),
        ("portfolio_scenario", "portfolio_scenario_share_max"),
    ],
)
def test_a_figure_over_its_limit_opens_nothing_and_says_which(check: str, limit: str) -> None:
    value = OPEN.figures[f"check_{check}"]
    assert isinstance(value, int | float)
    # The sizing would keep within the two deltas: judge the same verdict, not a smaller one.
    verdict = covered_call(NIFTY, STATE, position(), account(), RULES)
    at, under = (value, value) if isinstance(value, float) else (value, value - 1)
    assert vetted(case(scrip=limited(**{limit: at})), verdict).action is Action.OPEN
    below = under if isinstance(value, int) else value * (1 - 1e-9)
    refused = vetted(case(scrip=limited(**{limit: below})), verdict)
    assert (refused.action, refused.legs) == (Action.MAINTAIN, ())
    assert refused.reason.startswith(f"refused by {check}: ")
    assert refused.figures[f"check_{check}"] == value
    assert refused.figures[f"check_{check}_limit"] == below


@pytest.mark.parametrize("name", [n for n in RiskLimits.__struct_fields__ if n != "delivery_sessions_min"])
def test_a_limit_that_is_not_set_refuses_whatever_it_limits(name: str) -> None:
    scrip = replace(limited(**{name: None}), sector="Banks")
    verdict = covered_call(NIFTY, STATE, position(), account(), RULES)
    refused = vetted(case(scrip=scrip), verdict)
    assert refused.action is Action.MAINTAIN
    assert "limit is not set" in refused.reason


def test_a_row_that_says_nothing_of_limits_has_those_that_ship_and_a_table_has_none_but_its_own() -> None:
    assert Scrip("NIFTY").limits == SHIPPED
    assert RiskLimits(lots_max=3).delta_share_max is None


def test_an_account_that_is_down_opens_nothing() -> None:
    down = replace(account(), peak=CRORE + 20_00_000_00)
    refused = decided(money=down)
    assert refused.action is Action.MAINTAIN
    assert refused.reason == (
        "refused by drawdown: the account is ₹2,000,000 below its best close (20.0% of the capital), over the limit of "
        "10.0%"
    )
    assert refused.figures["check_drawdown"] == 0.2


@pytest.mark.parametrize(
    ("money", "reason"),
    [
        (replace(account(), used={"BANKNIFTY": -1}), "the margin used by BANKNIFTY is -1 paise"),
        (replace(account(), reserved={"order-1": -50_000_00}), "the margin reserved by order-1 is -5,000,000 paise"),
        (replace(account(), peak=-1), "its best close is -1 paise"),
    ],
)
def test_an_account_that_cannot_be_opens_nothing_and_still_closes(money: Account, reason: str) -> None:
    """A margin below nothing would be room that is not there."""
    assert OPEN.action is Action.OPEN
    refused = decided(money=money)
    assert (refused.action, refused.legs) == (Action.MAINTAIN, ())
    assert refused.reason == f"nothing is opened on an account that cannot be: {reason}"
    alone = replace(position(holding(future(STATE), 65, SPOT)), cover_alone_since=NOON)
    assert decided(money=money, held=alone).action is Action.CLOSE


def test_the_other_books_leave_no_room_for_one_more_bet_on_the_market() -> None:
    taken = replace(account(), others=Portfolio(delta=int(0.99 * CRORE)))
    assert decided(money=taken).reason.startswith("no lot passes the bet on the market: a lot is ₹1,625,000 of the ")
    some = replace(account(), others=Portfolio(delta=int(0.8 * CRORE)))
    assert decided(money=some).figures["lots_by_delta"] == 1


def test_the_beta_of_a_scrip_weighs_its_bet() -> None:
    verdict = covered_call(NIFTY, STATE, position(), account(), RULES)
    calm, wild = (vetted(case(scrip=replace(NIFTY, beta=beta)), verdict) for beta in (0.5, 1.5))
    one = OPEN.figures["check_portfolio_delta"]
    assert isinstance(one, float)
    assert calm.figures["check_portfolio_delta"] == pytest.approx(one * 0.5)
    assert wild.figures["check_portfolio_delta"] == pytest.approx(one * 1.5)


def test_scrips_of_one_sector_are_limited_together() -> None:
    scrip = replace(limited(sector_delta_share_max=0.5), sector="Banks")
    verdict = covered_call(NIFTY, STATE, position(), account(), RULES)
    alone = vetted(case(scrip=scrip), verdict)
    assert alone.action is Action.OPEN
    beside = vetted(case(scrip=scrip, money=replace(account(), others=Portfolio(sector_delta=CRORE // 2))), verdict)
    assert beside.reason.startswith("refused by sector_delta: the books of Banks together would be worth ")


def test_a_book_that_cannot_be_valued_keeps_every_scrip_from_opening() -> None:
    refused = decided(money=replace(account(), others=Portfolio(unknown="BANKNIFTY")))
    assert refused.reason == "refused by known: the risk of BANKNIFTY is not known, over the limit of 0"


def test_what_ends_in_shares_is_not_opened_in_its_last_sessions() -> None:
    """From Wednesday 16 to Tuesday 29 September 2026 there are nine sessions; the index is settled in cash."""
    sold = replace(CALL, underlying="RELIANCE", expiry=datetime.date(2026, 9, 29))
    verdict = Verdict(Action.OPEN, "sell", {}, (Leg(sold, Side.SELL, 65, 1),))
    told = [delivery(Plan(case(scrip=limited(delivery_sessions_min=least)), verdict)) for least in (9, 10, None)]
    assert [found is not None and (found.value, found.is_ok) for found in told] == [(9, True), (9, False), (9, False)]
    index = replace(verdict, legs=(Leg(CALL, Side.SELL, 65, 1),))
    assert delivery(Plan(case(), index)) is None


def test_a_leg_without_a_valid_quote_or_with_a_limit_far_from_it_is_refused() -> None:
    verdict = covered_call(NIFTY, STATE, position(), account(), RULES)
    call = verdict.legs[1].contract
    blind = replace(case(), market=with_quote(STATE, call.key, bid=0))
    assert vetted(blind, verdict).figures["check_price_range"] == inf
    far = replace(verdict, legs=(verdict.legs[0], replace(verdict.legs[1], limit=verdict.legs[1].limit * 3)))
    assert vetted(case(), far).reason.startswith("refused by price_range: a limit lies ")


def test_a_close_is_never_refused_and_what_reduces_passes_though_every_exposure_is_over_its_limit() -> None:
    nothing = RiskLimits(orders_max=10, range_share_max=0.9)
    held = position(holding(FUTURE, 65, SPOT))
    sale = Verdict(Action.OPEN, "sell", {}, (Leg(CALL, Side.SELL, 65, _bid(CALL)),))
    assert vetted(case(held, scrip=replace(NIFTY, limits=nothing)), sale).action is Action.OPEN
    close = Verdict(Action.CLOSE, "sell", {}, (Leg(FUTURE, Side.SELL, 65, STATE.futures[0].quote.bid),))
    assert vetted(case(held, scrip=replace(NIFTY, limits=RiskLimits())), close) == close


def test_what_reduces_by_the_hundred_is_held_to_the_lots_all_the_same() -> None:
    held = position(holding(FUTURE, 65, SPOT))
    wing = replace(PUT, strike=23_000 * PRICE_UNITS)
    quote = STATE.quote(wing.key)
    assert quote is not None
    for lots, action in ((10, Action.OPEN), (11, Action.MAINTAIN), (260, Action.MAINTAIN)):
        verdict = Verdict(Action.OPEN, "buy", {}, (Leg(wing, Side.BUY, 65 * lots, quote.ask),))
        assert Plan(case(held), verdict).is_reducing
        told = vetted(case(held, scrip=limited(orders_max=100)), verdict)
        assert told.action is action
        assert lots <= 10 or told.reason == f"refused by lots: {lots} lots would be held, over the limit of 10"


def _bid(contract: Contract) -> int:
    quote = STATE.quote(contract.key)
    assert quote is not None
    return quote.bid


def test_a_call_without_cover_is_refused_whatever_its_strategy_says() -> None:
    naked = Verdict(Action.OPEN, "sell", {}, (Leg(CALL, Side.SELL, 65, _bid(CALL)),))
    refused = vetted(case(), naked)
    assert refused.reason == ("refused by covered: 65 units of options sold would have no cover, over the limit of 0")


def test_where_no_rule_covers_the_day_nothing_is_done_and_a_book_that_is_held_is_of_unknown_risk() -> None:
    def lost(*_: Any) -> Verdict:
        raise OutsideRules("no rule for the day")

    assert judged(lost, case())[1] is None
    verdict, risk = judged(lost, case(position(holding(FUTURE, 65, SPOT))))
    assert (verdict.action, risk) == (Action.MAINTAIN, BookRisk(unknown="NIFTY"))
    with_faulty_weights = replace(NIFTY, weights=Weights(days_to_expiry_min=9, days_to_expiry_max=3))
    verdict, risk = judged(covered_call, case(position(holding(FUTURE, 65, SPOT)), scrip=with_faulty_weights))
    assert verdict.action is Action.MAINTAIN
    assert risk is not None
    assert risk.delta == 65 * SPOT // 100


# --- what a book can do ---


def test_the_risk_of_a_future_is_its_value_and_its_share_of_each_move() -> None:
    risk = book_risk(case(position(holding(FUTURE, 65, SPOT))))
    assert risk is not None
    value = 65 * SPOT // 100
    assert (risk.delta, risk.gamma, risk.vega, risk.theta) == (value, 0, 0, 0)
    assert risk.scenarios == tuple(round(move * value) for move, _ in SCENARIOS)
    assert risk.worth == (STATE.futures[0].quote.mid * 65 - SPOT * 65) // 100
    assert worst(risk.scenarios) == value // 10


def test_a_covered_call_has_the_greeks_of_both_and_loses_nothing_when_spot_rises() -> None:
    both = book_risk(case(position(holding(FUTURE, 65, SPOT), holding(CALL, -65, _bid(CALL)))))
    assert both is not None
    assert 0 < both.delta < 65 * SPOT // 100
    assert both.gamma < 0 < both.theta
    assert both.vega < 0
    assert min(both.scenarios[-3:]) > 0
    assert both.short == {EXPIRY.isoformat(): 25_500_00 * 65}
    assert both.unknown == ""


def test_an_option_without_any_volatility_counts_whole_and_is_named() -> None:
    blind = replace(STATE, chains=(), look_back=replace(STATE.look_back, iv30=()))
    risk = book_risk(Case(NIFTY, blind, position(holding(CALL, -65, 1)), account(), RULES))
    assert risk is not None
    assert (risk.delta, risk.unknown) == (-65 * SPOT // 100, CALL.key)
    assert worst(risk.scenarios) == (27_500 - 25_500) * 100 * 65
    assert risk.worth == -65 * 1 // 100 or risk.worth == -1


def test_a_contract_that_is_over_is_worth_its_intrinsic_value() -> None:
    late = replace(STATE, exchange_at=RULES.expiry_at(EXPIRY) + 1)
    deep = replace(CALL, strike=24_000 * PRICE_UNITS)
    risk = book_risk(Case(NIFTY, late, position(holding(deep, -65, 1)), account(), RULES))
    assert risk is not None
    assert (risk.gamma, risk.vega, risk.theta) == (0, 0, 0)


def test_an_empty_book_has_no_risk() -> None:
    assert book_risk(case()) is None


CONTRACTS = st.sampled_from([FUTURE, CALL, replace(CALL, strike=26_000 * PRICE_UNITS), PUT, future(STATE, 1)])
UNITS = st.integers(-3, 3).filter(bool).map(lambda lots: 65 * lots)
PARTS = st.lists(st.tuples(CONTRACTS, UNITS), max_size=4)


@st.composite
def every_way(draw: st.DrawFn) -> Fills:
    return Fills(draw(PARTS), draw(st.lists(st.tuples(CONTRACTS, UNITS), max_size=10)), draw(PARTS))


def ways(fills: Fills) -> Any:
    """Every book that it can lead to: any set of the working orders, and the legs up to any one of them."""
    sets = chain.from_iterable(combinations(fills.working, n) for n in range(len(fills.working) + 1))
    for filled in sets:
        for far in range(len(fills.legs) + 1):
            yield [*fills.held, *filled, *fills.legs[:far]]


@settings(max_examples=40)
@given(every_way())
def test_the_bounds_are_the_least_and_the_most_over_every_subset_of_fills(fills: Fills) -> None:
    rng = {c: tuple(float(ord(c.key[-1]) * 7 + i * 13 - 600 - c.strike // 10**6) for i in range(4 + len(SCENARIOS)))
           for c in fills.contracts}  # fmt: skip
    low, high = bounds(fills, rng)
    books = list(ways(fills))
    for i in range(4 + len(SCENARIOS)):
        sums = [sum(q * rng[c][i] for c, q in book) for book in books]
        assert (low[i], high[i]) == pytest.approx((min(sums), max(sums)))


@settings(max_examples=60)
@given(every_way())
def test_no_subset_of_fills_leaves_more_options_without_cover_than_the_check_says(fills: Fills) -> None:
    for kind, covers in ((Kind.CALL, (Kind.CALL, Kind.FUTURE)), (Kind.PUT, (Kind.PUT,))):
        most = 0
        for book in ways(fills):
            for last in {c.expiry for c, _ in book}:
                net = sum(q for c, q in book if c.kind in covers and c.expiry >= last)
                most = max(most, -net)
        assert naked_units(fills, kind) == most


@settings(max_examples=40)
@given(every_way())
def test_no_subset_of_fills_sells_more_strike_value_for_a_day_than_is_said(fills: Fills) -> None:
    said = short_values(fills)
    for book in ways(fills):
        units: dict[Contract, int] = {}
        for contract, quantity in book:
            units[contract] = units.get(contract, 0) + quantity
        sold: dict[str, int] = {}
        for contract, net in units.items():
            if net < 0 and contract.strike:
                day = contract.expiry.isoformat()
                sold[day] = sold.get(day, 0) - net * contract.strike // 100
        assert all(value <= said.get(day, 0) for day, value in sold.items())


def test_working_and_unknown_orders_count_against_an_opening() -> None:
    working = replace(position(), working=(Working(CALL, -65),))
    plan = Plan(case(working), Verdict(Action.OPEN, "", {}, ()))
    assert worst(plan.after.scenarios) > 0
    assert naked_units(plan.fills, Kind.CALL) == 65


# --- what all scrips share ---


def test_books_add_up_by_beta_sector_day_and_scenario() -> None:
    banks = BookRisk(100, 1, 2, 3, 40, (-5, 5), {"2026-12-29": 7}, beta=1.5, sector="Banks")
    energy = BookRisk(200, 1, 2, 3, -10, (-1, -2), {"2026-12-29": 3}, sector="Energy")
    both = together({"HDFCBANK": banks, "RELIANCE": energy}, "Banks", ["HDFCBANK", "RELIANCE"])
    assert both == Portfolio(350, 100, 2, 4, 6, 30, (-6, 3), {"2026-12-29": 10})
    assert together({"HDFCBANK": banks}, "", ["HDFCBANK", "TCS"]).unknown == "TCS"
    assert together({"HDFCBANK": replace(banks, unknown="x")}, "", []).unknown == "HDFCBANK"


def test_the_drawdown_counts_from_the_best_close_and_from_the_capital_before_there_was_one() -> None:
    assert account().drawdown(0) == 0
    assert Account(100, 90).drawdown(4) == 6
    assert Account(100, 90, peak=120, others=Portfolio(worth=5)).drawdown(0) == 25


def test_without_capital_every_share_is_beyond_any_limit() -> None:
    plan = Plan(case(money=Account(0, 0)), Verdict(Action.OPEN, "", {}, ()))
    assert plan.share(1) == inf


def test_the_risk_of_a_decision_is_that_of_its_book_once_it_is_carried_out() -> None:
    assert OPEN.risk == book_risk(case(), OPEN.legs)
    assert OPEN.risk is not None
    assert OPEN.risk.delta > 0
    assert decided(held=position(entered_on=STATE.chains[0].expiry), money=Account(0, 0)).risk is None
    assert STATE.exchange_at == NOON
