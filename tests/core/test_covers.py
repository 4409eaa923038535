"""The covered call against shares: bought for it, or declared by a person who holds them; on stocks and on an index."""

import datetime
from typing import Any

import pytest
from msgspec.structs import replace

from participant.core.account import Account
from participant.core.charges import charges
from participant.core.cover import mark, sellable
from participant.core.decision import Action
from participant.core.margin import margin
from participant.core.market import MarketState
from participant.core.position import Declared, Position, apply
from participant.core.scrip import PRICE_UNITS, Contract, Kind, Scrip, Side, Weights, money, shares_of
from participant.core.strategies.covered_call import covered_call
from participant.core.strategy import Verdict
from tests.core import stocks
from tests.core.stocks import DAY, EVE, EXPIRY, FREEZE, FUTURE, LOT, SHARES, held, stock_state
from tests.core.worlds import CRORE, NOON, RULES, SPOT, account, chain_state, future, holding
from tests.core.worlds import call as nifty_call
from tests.core.worlds import position as nifty_position

STATE = stock_state()
FUND = shares_of("NIFTY", 100, 1_800, ratio=101)
OCT_6 = datetime.date(2026, 10, 6)


def decided(
    state: MarketState = STATE, position: Position | None = None, money_of: Account | None = None, **weights: Any
) -> Verdict:
    scrip = Scrip(state.scrip, weights=Weights(**{"cover": "stock", **weights}))
    return covered_call(scrip, state, position or Position(state.scrip), money_of or account(), RULES)


def legs(verdict: Verdict) -> list[tuple[Side, int, str]]:
    return [(leg.side, leg.quantity, leg.contract.key) for leg in verdict.legs]


def figure(verdict: Verdict, name: str) -> float:
    value = verdict.figures[name]
    assert isinstance(value, int | float)
    return value


def shut(verdict: Verdict) -> str:
    assert (verdict.action, verdict.legs) == (Action.MAINTAIN, ())
    return verdict.reason


# --- shares bought for the call --------------------------------------------------------------------------------------


def test_it_buys_the_shares_at_their_own_ask_and_then_sells_the_call() -> None:
    verdict = decided(days_to_expiry_min=1)
    assert verdict.action is Action.OPEN
    bought, sold = verdict.legs
    lots = int(figure(verdict, "lots"))
    assert (bought.side, bought.contract, bought.quantity) == (Side.BUY, SHARES, lots * LOT)
    assert STATE.underlying is not None
    assert bought.limit == STATE.underlying.ask
    assert (sold.side, sold.contract.kind, sold.quantity) == (Side.SELL, Kind.CALL, lots * LOT)
    assert verdict.reason.startswith(
        f"buy {lots * LOT:,} RELIANCE-EQ at ₹1,400.10, then sell {lots * LOT:,} RELIANCE-2026"
    )


def test_the_shares_are_paid_in_full_and_the_call_is_margined_as_if_it_stood_alone() -> None:
    bought, sold = decided(days_to_expiry_min=1).legs
    assert bought.margin == money(bought.limit, bought.quantity)
    rates = RULES.margin_rates("RELIANCE", DAY)
    alone = margin(rates, [(sold.contract, -sold.quantity)], stocks.SPOT, 0.22, STATE.exchange_at)
    assert sold.margin == pytest.approx(alone, rel=0.01)
    both = [(sold.contract, -sold.quantity), (SHARES, bought.quantity)]
    assert margin(rates, both, stocks.SPOT, 0.22, STATE.exchange_at) == alone


@pytest.mark.parametrize("crore_share", [0.10, 0.25])
def test_what_cannot_be_paid_is_not_bought(crore_share: float) -> None:
    free = int(CRORE * crore_share)
    verdict = decided(
        money_of=Account(CRORE, free), days_to_expiry_min=1, margin_share_max=1.0, crash_loss_share_max=1.0
    )
    spent = sum(leg.margin for leg in verdict.legs)
    assert verdict.legs
    one_more = spent * (1 + LOT / verdict.legs[0].quantity)
    assert spent <= free < one_more


def test_an_account_that_cannot_pay_one_lot_opens_nothing() -> None:
    lot = money(stocks.SPOT, LOT)
    reason = shut(decided(money_of=Account(CRORE, lot), days_to_expiry_min=1))
    assert reason.startswith("no lot passes margin: a lot needs ")


def test_the_crash_counts_shares_at_what_they_cost() -> None:
    verdict = decided(days_to_expiry_min=1, crash_move=0.10, crash_loss_share_max=1.0, margin_share_max=1.0)
    bought, sold = verdict.legs
    received = money(sold.limit, sold.quantity)
    assert figure(verdict, "crash_loss_paise") == pytest.approx(
        0.1 * money(stocks.SPOT, bought.quantity) - received, rel=0.01
    )


def test_the_charges_of_the_credit_are_those_of_shares() -> None:
    verdict = decided(days_to_expiry_min=1)
    bought, sold = verdict.legs
    rates = RULES.charge_rates(DAY)
    cost = charges(rates, SHARES, Side.BUY, money(bought.limit, bought.quantity)).total
    cost += charges(rates, sold.contract, Side.SELL, money(sold.limit, sold.quantity)).total
    assert figure(verdict, "charges_paise") == cost


def test_an_underlying_without_shares_that_are_quoted_has_no_stock_as_cover() -> None:
    said = "has no shares that are quoted: its cover can be a future, or what is held already"
    assert shut(decided(chain_state())) == f"NIFTY {said}"
    assert shut(decided(replace(STATE, shares=None), days_to_expiry_min=1)) == f"RELIANCE {said}"
    assert shut(decided(replace(STATE, underlying=None), days_to_expiry_min=1)) == f"RELIANCE {said}"


def test_what_the_shares_show_at_the_ask_binds_in_lots_of_the_call() -> None:
    assert STATE.underlying is not None
    thin = replace(STATE, underlying=replace(STATE.underlying, ask_size=2 * LOT - 1))
    verdict = decided(thin, days_to_expiry_min=1, margin_share_max=1.0, crash_loss_share_max=1.0)
    assert [q for _, q, _ in legs(verdict)] == [LOT, LOT]


def test_a_structure_is_closed_call_first_and_then_the_shares() -> None:
    position = held((SHARES, LOT, stocks.SPOT), (stocks.call(), -LOT, 20 * PRICE_UNITS), structure_result=-CRORE)
    verdict = decided(position=position)
    assert verdict.action is Action.CLOSE
    assert legs(verdict) == [(Side.BUY, LOT, stocks.call().key), (Side.SELL, LOT, "RELIANCE-EQ")]
    assert verdict.reason.startswith("buy the call back, then sell the cover: the structure stands at ")


def test_shares_that_stand_alone_are_sold_or_written_against_again() -> None:
    alone = held((SHARES, LOT, stocks.SPOT), cover_alone_since=STATE.exchange_at)
    assert legs(decided(position=alone)) == [(Side.SELL, LOT, "RELIANCE-EQ")]
    again = decided(position=alone, after_call="resell", days_to_expiry_min=1)
    assert [(side, q) for side, q, _ in legs(again)] == [(Side.SELL, LOT)]
    assert again.legs[0].contract.kind is Kind.CALL


def test_shares_that_no_call_stands_against_are_sold() -> None:
    position = held((SHARES, 2 * LOT + 7, stocks.SPOT), (stocks.call(), -LOT, 20 * PRICE_UNITS))
    assert legs(decided(position=position)) == [(Side.SELL, LOT + 7, "RELIANCE-EQ")]


def test_shares_that_nobody_quotes_are_not_traded() -> None:
    position = held((SHARES, LOT, stocks.SPOT), cover_alone_since=STATE.exchange_at)
    assert shut(decided(replace(STATE, underlying=None), position)) == "RELIANCE-EQ is held and has no valid quote"


# --- the last days of calls that end by delivery ---------------------------------------------------------------------


IN, OUT = 1_380, 1_420


@pytest.mark.parametrize(
    ("day", "strike", "deliver", "closes"),
    [
        (EVE, IN, False, False),
        (EXPIRY, OUT, False, False),
        (EXPIRY, IN, False, True),
        (EXPIRY, IN, True, False),
    ],
)
def test_calls_with_their_shares_are_delivered_only_where_the_weight_says_so(
    day: datetime.date, strike: int, deliver: bool, closes: bool
) -> None:
    position = held((SHARES, LOT, stocks.SPOT), (stocks.call(strike), -LOT, 40 * PRICE_UNITS))
    verdict = decided(stock_state(day), position, deliver=deliver, square_off_share=0.0, square_off_ticks=0)
    assert verdict.action is (Action.CLOSE if closes else Action.MAINTAIN), verdict.reason
    if closes:
        assert "is in the money on its last day, and its shares are not to be delivered" in verdict.reason


@pytest.mark.parametrize(
    ("day", "strike", "closes"), [(EVE, IN, True), (EVE, OUT, False), (EXPIRY, IN, True), (EXPIRY, OUT, True)]
)
def test_calls_without_shares_to_deliver_are_closed_in_time(day: datetime.date, strike: int, closes: bool) -> None:
    position = held((FUTURE, LOT, stocks.SPOT), (stocks.call(strike), -LOT, 40 * PRICE_UNITS))
    verdict = decided(
        stock_state(day), position, cover="future", deliver=True, square_off_share=0.0, square_off_ticks=0
    )
    assert verdict.action is (Action.CLOSE if closes else Action.MAINTAIN), verdict.reason
    if closes:
        assert f"{stocks.call(strike).key} ends by delivery of 500 shares, and 0 are held" in verdict.reason


def test_a_stock_future_that_stands_alone_on_its_last_day_is_sold_and_never_taken_delivery_of() -> None:
    alone = held((FUTURE, LOT, stocks.SPOT), cover_alone_since=stock_state(EXPIRY).exchange_at)
    verdict = decided(stock_state(EXPIRY), alone, cover="future", after_call="resell")
    assert legs(verdict) == [(Side.SELL, LOT, FUTURE.key)]


def test_a_call_of_which_no_rule_says_how_it_ends_counts_as_ending_by_delivery() -> None:
    rules = replace(RULES, deliveries=tuple(row for row in RULES.deliveries if not row.holds(EXPIRY)))
    position = held((FUTURE, LOT, stocks.SPOT), (stocks.call(IN), -LOT, 40 * PRICE_UNITS))
    scrip = Scrip("RELIANCE", weights=Weights(square_off_ticks=0, square_off_share=0.0))
    verdict = covered_call(scrip, stock_state(EXPIRY), position, account(), rules)
    assert verdict.action is Action.CLOSE
    assert "ends by delivery" in verdict.reason


# --- a cover that a person holds -------------------------------------------------------------------------------------


NIFTY = chain_state()


def fund(units: int, short: int = 0, price: int = SPOT // 101, **more: Any) -> Position:
    """So many units of the fund declared, and so many units of a call sold."""
    calls = [holding(nifty_call(NIFTY, OCT_6, 25_500 * PRICE_UNITS), -short, 100 * PRICE_UNITS)] if short else []
    position = nifty_position(*calls, holding(FUND, units, price))
    return replace(position, adopted=units, **more)


def test_a_fund_covers_by_its_hedge_ratio_and_its_units_are_no_odd_lots() -> None:
    assert fund(10_000).cover == 99
    assert fund(10_000).odd_lots == ()
    assert sellable(fund(10_000)) == 0


def test_calls_are_written_against_what_is_declared_and_no_more_than_it_covers() -> None:
    verdict = decided(NIFTY, fund(101 * 65 * 2 + 50), cover="held", margin_share_max=1.0)
    assert verdict.action is Action.OPEN
    (sold,) = verdict.legs
    assert (sold.side, sold.contract.kind, sold.quantity) == (Side.SELL, Kind.CALL, 2 * 65)
    assert "against the cover held" in verdict.reason
    assert (figure(verdict, "lots"), figure(verdict, "lots_by_cover")) == (2, 2)
    rates = RULES.margin_rates("NIFTY", NIFTY_DAY)
    forward = float(figure(verdict, "forward"))
    assert sold.margin == margin(rates, [(sold.contract, -130)], round(forward), figure(verdict, "atm_iv"), NOON)
    assert figure(verdict, "margin_cover_paise") == 0


NIFTY_DAY = datetime.date(2026, 9, 16)


def test_the_margin_of_a_call_alone_binds_where_the_account_is_small() -> None:
    verdict = decided(NIFTY, fund(101 * 65 * 50), account(15_00_000_00), cover="held", margin_share_max=0.40)
    assert figure(verdict, "lots") == 4 < figure(verdict, "lots_by_cover")
    poor = decided(NIFTY, fund(101 * 65 * 50), account(2_00_000_00), cover="held", margin_share_max=0.40)
    assert shut(poor).startswith("no lot passes margin: a lot needs ")


def test_less_than_a_lot_of_cover_writes_nothing() -> None:
    assert shut(decided(NIFTY, fund(101 * 65 - 1), cover="held")) == "no lot passes the cover, 0 lots"


def test_nothing_is_written_without_a_cover_declared() -> None:
    reason = "no cover is declared: `participant desk adopt-cover NIFTY` says what is held"
    assert shut(decided(NIFTY, cover="held")) == reason


def test_a_declared_cover_with_another_weight_is_left_alone() -> None:
    reason = shut(decided(NIFTY, fund(101 * 65), cover="future"))
    assert reason == 'cover is declared, and the weight says cover = "future", not "held": a person must look at it'


def test_only_the_call_is_closed_and_never_what_a_person_holds() -> None:
    stopped = fund(101 * 65, 65, structure_result=-CRORE)
    verdict = decided(NIFTY, stopped, cover="held")
    assert (verdict.action, [side for side, _, _ in legs(verdict)]) == (Action.CLOSE, [Side.BUY])
    assert verdict.reason.startswith("buy the call back: the structure stands at ")
    assert shut(decided(NIFTY, fund(101 * 65 * 9, 65), cover="held")).startswith("hold 1 lot of NIFTY-2026")


def test_call_and_cover_are_judged_together_at_the_underlyings_value() -> None:
    units = 101 * 65
    verdict = decided(NIFTY, fund(units, 65, price=SPOT // 101 - 10_000), cover="held")
    ask = verdict.figures["call_ask"]
    assert isinstance(ask, int)
    gain = money(10_000, units) + money(100 * PRICE_UNITS, 65) - money(ask, 65)
    assert figure(verdict, "structure_result_paise") == gain


def test_after_the_stop_nothing_is_written_before_the_cover_is_declared_anew() -> None:
    stopped = fund(101 * 65, structure_result=-CRORE)
    reason = shut(decided(NIFTY, stopped, cover="held"))
    assert reason.endswith("no call is written before the cover is declared anew")
    again, moved = apply(stopped, Declared(FUND, 101 * 65, SPOT // 101, NOON, "A. Person", "looked"))
    assert (moved, again.structure_result) == (0, 0)
    assert decided(NIFTY, again, cover="held").action is Action.OPEN


def test_one_entry_a_session_holds_for_a_declared_cover_too() -> None:
    reason = shut(decided(NIFTY, fund(101 * 65, entered_on=NIFTY_DAY), cover="held"))
    assert reason == "one entry a session, and today's has been made"


def test_cover_that_was_bought_is_sold_before_calls_are_written_against_what_is_held() -> None:
    both = fund(101 * 65)
    both = replace(both, holdings=(*both.holdings, holding(future(NIFTY), 65, SPOT)), cover_alone_since=NOON)
    verdict = decided(NIFTY, both, cover="held")
    assert legs(verdict) == [(Side.SELL, 65, future(NIFTY).key)]


def test_poor_volatility_and_a_wide_spread_shut_a_declared_cover_as_well() -> None:
    assert "IV rank" in shut(decided(chain_state(sigma=0.101), fund(101 * 65), cover="held"))
    assert shut(decided(chain_state(spread=0.5), fund(101 * 65), cover="held")).startswith("the spread of NIFTY-2026")


def test_what_nobody_quotes_is_worth_its_part_of_the_underlying() -> None:
    assert mark(NIFTY, FUND) == SPOT // 101
    assert mark(STATE, SHARES) == stocks.SPOT
    assert mark(replace(STATE, underlying=None), SHARES) == stocks.SPOT
    assert mark(None, SHARES) is None
    gone = Contract("NIFTY", OCT_6, Kind.CALL, 1, 65, 500, FREEZE)
    assert mark(NIFTY, gone) is None
