"""The last day of a call that is held: its figures, its margin, and what a shortfall leads to."""

from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from participant.core.account import Account
from participant.core.brain import decide
from participant.core.decision import Action, Decision
from participant.core.market import MarketState
from participant.core.rulebook import Rulebook
from participant.core.scrip import PRICE_UNITS, Kind, Scrip, Side, Weights, money
from participant.core.session import at_time
from tests.core.worlds import CRORE, RULES, SPOT, account, call, chain_state, future, holding, position

LOT = 65
OCT_6 = date(2026, 10, 6)
STRIKE = 25_600 * PRICE_UNITS
NOON_OF_EXPIRY = at_time(OCT_6, 12, 0)
STATE = chain_state(NOON_OF_EXPIRY, day=OCT_6)
HELD = position(holding(future(STATE, 0), LOT, SPOT), holding(call(STATE, OCT_6, STRIKE), -LOT, 1_000_000))


def decided(
    state: MarketState = STATE, money_of: Account | None = None, rules: Rulebook = RULES, **weights: Any
) -> Decision:
    scrip = Scrip("NIFTY", weights=Weights(structure_loss_share_max=1.0, **weights))
    return decide(scrip, state, HELD, money_of or account(), rules)


def test_the_last_day_is_named_with_its_settlement_and_its_margin() -> None:
    decision = decided()
    assert decision.action is Action.MAINTAIN
    figures = decision.figures
    assert figures["expires_today"] == f"NIFTY-20261006-{STRIKE // PRICE_UNITS}CE"
    assert figures["settlement"] == RULES.settlement_method(OCT_6)
    rates = RULES.margin_rates("NIFTY", OCT_6)
    elm = rates.expiry_day_short_exposure * LOT * STATE.futures[0].quote.mid / 100
    assert figures["expiry_elm_paise"] == pytest.approx(elm, rel=0.02)
    needed, step = figures["expiry_margin_paise"], figures["expiry_margin_step_paise"]
    assert isinstance(needed, int)
    assert isinstance(step, int)
    assert needed > step > elm, "the set-off against the later future is gone as well"
    assert (figures["expiry_shortfall_paise"], figures["to_deliver_paise"]) == (0, 0)


def test_the_day_before_has_no_such_figures() -> None:
    day = date(2026, 10, 5)
    state = chain_state(at_time(day, 12, 0), day=day)
    assert "expires_today" not in decided(state).figures


def poor(short_by: int) -> Account:
    """An account that lacks so many paise of the day's margin; what the scrip uses is its own."""
    needed = decided().figures["expiry_margin_paise"]
    assert isinstance(needed, int)
    used = needed // 2
    return Account(CRORE, needed - short_by, {"NIFTY": used})


def test_what_the_scrip_uses_already_is_there_for_its_last_day() -> None:
    assert decided(money_of=poor(0)).figures["expiry_shortfall_paise"] == 0
    assert decided(money_of=poor(1)).figures["expiry_shortfall_paise"] == 1


def test_a_shortfall_is_said_until_time_has_come_to_close_for_it() -> None:
    held = decided(money_of=poor(500_000_00))
    assert (held.action, held.legs) == (Action.MAINTAIN, ())
    assert held.reason.endswith("; ₹500,000 of margin are missing")


def late(left_s: int) -> MarketState:
    return chain_state(RULES.expiry_at(OCT_6) - left_s * 10**9, day=OCT_6)


def test_in_the_last_hour_a_shortfall_closes_the_structure() -> None:
    account_of = poor(500_000_00)
    assert decided(late(3601), account_of).action is Action.MAINTAIN
    decision = decided(late(3600), account_of)
    assert decision.action is Action.CLOSE
    assert [(leg.side, leg.contract.kind) for leg in decision.legs] == [
        (Side.BUY, Kind.CALL),
        (Side.SELL, Kind.FUTURE),
    ]
    assert "expires today, its day asks for ₹" in decision.reason
    assert decision.reason.endswith("are there; 3,600 s are left")
    assert decided(late(3600), account_of, expiry_shortfall_close_s=0).action is Action.MAINTAIN
    assert decided(late(3600), account()).action is Action.MAINTAIN, "nothing is missing"


def test_a_call_that_ends_in_shares_says_what_they_would_bring() -> None:
    rows = tuple(replace(row, is_physical=True) if "*index" in row.symbols else row for row in RULES.deliveries)
    shares = replace(RULES, deliveries=rows)
    above = chain_state(NOON_OF_EXPIRY, day=OCT_6, spot=26_000 * PRICE_UNITS)
    figures = decided(above, rules=shares).figures
    assert (figures["settlement"], figures["to_deliver_paise"]) == ("delivery of shares", money(STRIKE, LOT))
    assert decided(STATE, rules=shares).figures["to_deliver_paise"] == 0, "out of the money nobody asks for them"


def test_without_an_iv_the_last_days_margin_is_not_known_and_nothing_is_closed_for_it() -> None:
    bare = tuple(
        replace(c, strikes=tuple(r for r in c.strikes if r.strike == STRIKE)) if c.expiry == OCT_6 else c
        for c in STATE.chains
    )
    decision = decided(replace(STATE, chains=bare), poor(500_000_00))
    assert decision.action is Action.MAINTAIN
    assert "expires_today" not in decision.figures
