"""The margin of a verdict's legs is the brain's own: what a strategy says of it is taken only where it is more."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from participant.core.account import Account
from participant.core.brain import decide
from participant.core.brain_checks import judged
from participant.core.decision import Action, Leg
from participant.core.leg_margins import with_own_margins
from participant.core.margin import margin
from participant.core.position import Position
from participant.core.pricing import rounded
from participant.core.risk_limits import SHIPPED
from participant.core.scrip import PRICE_UNITS, Contract, Kind, Scrip, Side, Weights, money, shares_of
from participant.core.selection import Candidate, choose
from participant.core.sizing import costs_of
from participant.core.strategies.covered_call import covered_call
from participant.core.strategy import Case, Verdict
from participant.core.volatility import atm_iv, forward_to, strike_iv, years_left
from tests.core.worlds import CRORE, DAY, RULES, SPOT, account, chain_state, future, holding, position, with_quote

STATE = chain_state()
NIFTY = Scrip("NIFTY")
FUTURE = future(STATE)
CHAIN = STATE.chains[1]
CALL = Contract("NIFTY", CHAIN.expiry, Kind.CALL, 25_500 * PRICE_UNITS, 65, 500, 1800)
ASK, LEVEL = STATE.futures[0].quote.ask, STATE.futures[0].quote.mid
BUY = Leg(FUTURE, Side.BUY, 65, ASK)
RATES = RULES.margin_rates("NIFTY", DAY)


def bid() -> int:
    quote = STATE.quote(CALL.key)
    assert quote is not None
    return quote.bid


SELL = Leg(CALL, Side.SELL, 65, bid())
YEARS = years_left(STATE, CHAIN, RULES)
IV = atm_iv(CHAIN, forward_to(STATE, CHAIN, YEARS).level, YEARS)


def needed(*legs: tuple[Contract, int]) -> int:
    return margin(RATES, legs, LEVEL, IV, STATE.exchange_at)


def case(money: Account | None = None, held: Position | None = None, **changes: Any) -> Case:
    return Case(NIFTY, replace(STATE, **changes), held or position(), money or account(), RULES)


def said(of: Case, *legs: Leg) -> Verdict:
    return judged(lambda *_: Verdict(Action.OPEN, "as I say", {}, legs), of)[0]


def test_a_strategy_that_says_a_margin_of_0_is_held_to_what_its_book_needs() -> None:
    """A future of 65 at 25,000 rupees takes 9.3 % and 2 %: 1.8 lakh rupees, over 40 % of four lakh."""
    poor = said(case(Account(4_00_000_00, 4_00_000_00)), BUY)
    assert poor.action is Action.MAINTAIN
    share = needed((FUTURE, 65)) / 4_00_000_00
    assert poor.reason == (
        f"refused by margin: ₹{needed((FUTURE, 65)) / 100:,.0f} of margin would be committed "
        f"({share:.1%} of the capital), over the limit of 40.0%"
    )
    assert poor.figures["check_margin"] == pytest.approx(share)
    rich = said(case(), BUY)
    assert [leg.margin for leg in rich.legs] == [needed((FUTURE, 65))]


def test_the_scrips_own_limit_goes_by_the_brains_figure_as_well() -> None:
    beside = case(Account(CRORE, CRORE, {"NIFTY": int(0.29 * CRORE)}))
    assert said(beside, BUY).reason.startswith("refused by concentration: ₹3,0")


def test_what_is_needed_on_the_way_counts_and_the_book_is_one_portfolio() -> None:
    """Two calls, the cover bought after the first: what the first alone asks is needed, and never given back."""
    wing = replace(CALL, strike=26_000 * PRICE_UNITS)
    legs = with_own_margins(case(), (replace(SELL, margin=5), Leg(wing, Side.BUY, 65, 1)))
    assert legs is not None
    alone, together = needed((CALL, -65)), needed((CALL, -65), (wing, 65))
    assert together < alone
    assert [leg.margin for leg in legs] == [alone, 0]
    held = position(holding(FUTURE, 65, ASK))
    sold = with_own_margins(case(held=held), (SELL,))
    assert sold is not None
    assert sold[0].margin == max(0, needed((FUTURE, 65), (CALL, -65)) - needed((FUTURE, 65)))


def test_a_dearer_expiry_that_is_only_held_raises_the_volatility_of_the_whole_book() -> None:
    storm = chain_state(sigma=0.35).chains[0]
    near = Contract("NIFTY", storm.expiry, Kind.CALL, CALL.strike, 65, 500, 1800)
    held = position(holding(FUTURE, 130, ASK), holding(near, -65, 100 * PRICE_UNITS))
    of = case(held=held, chains=(storm, *STATE.chains[1:]))
    sold = with_own_margins(of, (SELL,))
    assert sold is not None
    years = years_left(STATE, storm, RULES)
    dear = rounded(atm_iv(storm, forward_to(STATE, storm, years).level, years))
    assert dear > 2 * IV

    def at(sigma: float) -> int:
        book = [(FUTURE, 130), (near, -65)]
        return margin(RATES, [*book, (CALL, -65)], LEVEL, sigma, STATE.exchange_at) - margin(
            RATES, book, LEVEL, sigma, STATE.exchange_at
        )

    assert sold[0].margin == at(dear) > at(IV)
    chosen = choose(of, STATE.futures)
    assert isinstance(chosen, Candidate)
    alone, beside = (costs_of(of, chosen, book).margins(1).peak for book in ((), held.holdings))
    assert beside > alone, "sizing goes by the same"


def test_what_is_paid_for_an_option_is_room_that_nobody_else_can_have_but_not_where_it_buys_one_back() -> None:
    """An account of one lakh rupees in cash bought for 1.4 lakh, and its margins had to do without the rest."""
    deep = replace(CALL, strike=24_000 * PRICE_UNITS)
    quote = STATE.quote(deep.key)
    assert quote is not None
    bought = Leg(deep, Side.BUY, 130, quote.ask)
    paid = money(quote.ask, 130)
    legs = with_own_margins(case(), (bought,))
    assert legs is not None
    assert [leg.margin for leg in legs] == [paid]
    lakh = 1_00_000_00
    assert paid > lakh
    poor = said(case(Account(lakh, lakh)), bought)
    assert poor.reason.startswith("refused by margin: ₹")
    covered = case(held=position(holding(FUTURE, 130, ASK), holding(deep, -65, quote.bid)))
    back = with_own_margins(covered, (replace(bought, quantity=65),))
    assert back is not None
    before = needed((FUTURE, 130), (deep, -65))
    assert back[0].margin == max(0, needed((FUTURE, 130)) - before)
    turned = with_own_margins(covered, (bought,))
    assert turned is not None
    assert turned[0].margin == money(quote.ask, 65) + needed((FUTURE, 130), (deep, 65)) - before > 0


def test_a_figure_of_the_strategy_that_is_higher_stands() -> None:
    legs = with_own_margins(case(), (replace(BUY, margin=CRORE),))
    assert legs is not None
    assert legs[0].margin == CRORE
    after = with_own_margins(case(), (replace(BUY, margin=CRORE), SELL))
    assert after is not None
    assert after[1].margin == 0, "what the first leg has given too much is there for the second"


def test_shares_are_paid_for_in_full() -> None:
    shares = shares_of("NIFTY", 1, 100_000, 1)
    legs = with_own_margins(case(), (Leg(shares, Side.BUY, 10, 1_000 * PRICE_UNITS), SELL))
    assert legs is not None
    assert legs[0].margin == 10 * 1_000_00
    chain_level = round(forward_to(STATE, CHAIN, YEARS).level)
    assert legs[1].margin == margin(RATES, [(CALL, -65)], chain_level, IV, STATE.exchange_at)


def test_the_covered_call_says_what_the_brain_reckons() -> None:
    whole = replace(NIFTY, weights=Weights(margin_share_max=0.2))
    verdict = covered_call(whole, STATE, position(), account(), RULES)
    assert verdict.action is Action.OPEN
    assert with_own_margins(Case(whole, STATE, position(), account(), RULES), verdict.legs) == verdict.legs


@settings(max_examples=25)
@given(st.floats(0.02, 0.4), st.floats(0.10, 0.30), st.integers(-60, 60))
def test_what_the_sizing_lets_through_by_margin_the_check_does_not_refuse(share: float, iv: float, steps: int) -> None:
    """From a flat book both reckon the same, to the paisa, however tight the room is."""
    market = chain_state(spot=SPOT + steps * 123_456, sigma=iv)
    weights = Weights(margin_share_max=share, iv_rank_min=0, iv_over_realised_min=0, crash_loss_share_max=1)
    limits = replace(SHIPPED, margin_share_max=1.0, delta_share_max=9.0, portfolio_delta_share_max=9.0)
    decision = decide(replace(NIFTY, weights=weights, limits=limits), market, position(), account(), RULES)
    assert not decision.reason.startswith("refused by margin")
    if decision.action is Action.OPEN:
        assert sum(leg.margin for leg in decision.legs) == decision.figures["margin_paise"]


def test_what_a_book_asks_for_since_it_was_reckoned_counts_before_anything_is_added() -> None:
    """Ten lots, margined in a calm: in the storm they alone ask for more than may be committed."""
    held = position(holding(FUTURE, 650, SPOT), holding(CALL, -650, 100 * PRICE_UNITS))
    calm = needed((FUTURE, 650), (CALL, -650))
    storm = chain_state(sigma=0.35)
    room = replace(SHIPPED, margin_share_max=1.0, lots_max=99, delta_share_max=9.0, portfolio_delta_share_max=9.0)
    wide = replace(room, scenario_share_max=9.0, portfolio_scenario_share_max=9.0, expiry_share_max=9.0)
    scrip = replace(NIFTY, weights=Weights(margin_share_max=0.3), limits=wide)
    leg = replace(BUY, limit=storm.futures[0].quote.ask)

    def after(used: int) -> Verdict:
        of = Case(scrip, storm, held, Account(CRORE, CRORE, {"NIFTY": used}), RULES)
        return judged(lambda *_: Verdict(Action.OPEN, "as I say", {}, (leg,)), of)[0]

    stale, known = after(calm), after(CRORE // 2)
    assert calm < 0.25 * CRORE
    assert stale.reason.startswith("refused by margin: ")
    # It is what the whole book asks for at the prices of now, whatever was in use for it.
    level = storm.futures[0].quote.mid
    iv = atm_iv(storm.chains[1], forward_to(storm, storm.chains[1], YEARS).level, YEARS)
    whole = margin(RATES, [(FUTURE, 715), (CALL, -650)], level, iv, storm.exchange_at)
    assert stale.figures["check_margin"] == pytest.approx(whole / CRORE, rel=1e-6)
    added = whole - margin(RATES, [(FUTURE, 650), (CALL, -650)], level, iv, storm.exchange_at)
    more = (CRORE // 2 + added) / CRORE
    assert known.figures["check_margin"] == pytest.approx(more, rel=1e-6), "what is in use never counts for less"


def test_a_tranche_is_sized_by_what_the_book_asks_for_now() -> None:
    """What a storm has taken is not there for the next tranche: sizing says so, before any check has to."""
    held = position(holding(FUTURE, 650, SPOT), holding(CALL, -650, 100 * PRICE_UNITS), entered_on=DAY)
    weights = Weights(
        tranches_max=9,
        tranche_rank_step=0.01,
        margin_share_max=0.3,
        structure_loss_share_max=1.0,
        crash_loss_share_max=1.0,
    )
    limits = replace(SHIPPED, delta_share_max=9.0, portfolio_delta_share_max=9.0)
    money = Account(CRORE, CRORE, {"NIFTY": needed((FUTURE, 650), (CALL, -650))})
    decision = decide(replace(NIFTY, weights=weights, limits=limits), chain_state(sigma=0.35), held, money, RULES)
    assert decision.action is Action.MAINTAIN
    assert "no lot passes margin: a lot needs" in decision.reason


def test_sizing_asks_of_a_tranche_in_another_expiry_what_the_check_of_margin_asks() -> None:
    """Beside a call of another expiry a lot asks for more than alone: a size must not pass one and fail the other."""
    candidate = choose(case(), STATE.futures)
    assert isinstance(candidate, Candidate)
    cover = candidate.cover.contract
    other = next(c for c in STATE.chains if c.expiry not in (candidate.call.expiry, cover.expiry))
    sold = replace(candidate.call, expiry=other.expiry)
    held = position(holding(cover, 650, SPOT), holding(sold, -650, 100 * PRICE_UNITS))
    beside, alone = costs_of(case(held=held), candidate, held.holdings), costs_of(case(held=held), candidate)
    for lots in (1, 2, 7):
        units = 65 * lots
        legs = (Leg(cover, Side.BUY, units, ASK), Leg(candidate.call, Side.SELL, units, candidate.quote.bid))
        own = with_own_margins(case(held=held), legs)
        assert own is not None
        assert beside.margins(lots).peak == sum(leg.margin for leg in own)
    assert beside.margins(7).peak != alone.margins(7).peak


def test_without_a_chain_the_last_volatility_serves_and_without_any_nothing_opens() -> None:
    last = STATE.look_back.iv30[-1]
    blind = with_own_margins(case(chains=()), (BUY,))
    assert blind is not None
    assert blind[0].margin == margin(RATES, [(FUTURE, 65)], LEVEL, last, STATE.exchange_at)
    nothing = case(chains=(), look_back=replace(STATE.look_back, iv30=()))
    assert with_own_margins(nothing, (BUY,)) is None
    assert said(nothing, BUY).reason == (
        "refused by margin: its margin cannot be reckoned without a price and a volatility, so the limit of "
        "40.0% cannot be checked"
    )
    assert with_own_margins(replace(case(), market=replace(STATE, spot=0, futures=(), chains=())), (BUY,)) is None


def test_an_option_whose_chain_shows_none_at_the_money_goes_by_its_own_or_by_the_last() -> None:
    row = next(row for row in CHAIN.strikes if row.strike == 27_000 * PRICE_UNITS)
    thin = replace(STATE, chains=(replace(CHAIN, strikes=(row,)),))
    far = replace(CALL, strike=row.strike)
    forward = forward_to(thin, thin.chains[0], YEARS).level
    own = strike_iv(True, row.call, forward, row.strike, YEARS)
    for market, sigma in ((thin, own), (with_quote(thin, far.key, gone=1), STATE.look_back.iv30[-1])):
        legs = with_own_margins(replace(case(), market=market), (replace(SELL, contract=far),))
        assert legs is not None
        assert legs[0].margin == margin(RATES, [(far, -65)], round(forward), rounded(sigma), STATE.exchange_at)
