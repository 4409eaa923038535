"""The brain's checks of the market: spot against its future, halts, operating ranges, position limits."""

from datetime import date
from math import inf
from typing import Any

import pytest
from msgspec.structs import replace

from participant.core.brain import decide
from participant.core.brain_checks import judged
from participant.core.decision import Action, Leg
from participant.core.market import SECOND, MarketState
from participant.core.market_checks import basis, halt, operating_range, position_limit
from participant.core.plan import Check, Found, Plan, refusal
from participant.core.position import Position, Working
from participant.core.rulebook import Rulebook
from participant.core.scrip import PRICE_UNITS, Contract, Kind, Scrip, Side, Weights
from participant.core.session import at_time
from participant.core.strategies.covered_call import covered_call
from participant.core.strategy import Case, Verdict
from tests.core.worlds import DAY, RULES, SPOT, account, chain_state, holding, position

STATE = chain_state()
NIFTY = Scrip("NIFTY")
OPENING = covered_call(NIFTY, STATE, position(), account(), RULES)
CALL, FUTURE = OPENING.legs[1].contract, OPENING.legs[0].contract


def plan(verdict: Verdict = OPENING, held: Position | None = None, rules: Rulebook = RULES, **changes: Any) -> Plan:
    market: MarketState = replace(STATE, **changes)
    return Plan(Case(NIFTY, market, held or position(), account(), rules), verdict)


def moved(by: float, at: int = STATE.exchange_at) -> dict[str, Any]:
    """The state's close before, so that spot stands so far from it now."""
    return {"look_back": replace(STATE.look_back, closes=(round(SPOT / (1 + by)),)), "exchange_at": at}


def found_by(check: Any, of: Plan) -> Found:
    found = check(of)
    assert isinstance(found, Found)
    return found


# --- spot and forward -------------------------------------------------------------------------------------------------


def test_a_spot_eight_percent_away_from_its_future_opens_nothing() -> None:
    off = replace(STATE, spot=round(SPOT * 0.92))
    verdict = judged(lambda *_: OPENING, Case(NIFTY, off, position(), account(), RULES))[0]
    assert verdict.action is Action.MAINTAIN
    assert verdict.reason.startswith("refused by basis: spot at ₹23,000.00 lies 9.")
    assert verdict.reason.endswith(", over the limit of 3.0%")
    easy = replace(NIFTY, weights=Weights(basis_max=0.2, iv_rank_min=0.3))
    wide = decide(easy, off, position(), account(), RULES)
    assert "basis" not in wide.reason


def test_what_has_no_figure_is_not_said_to_be_over_a_limit() -> None:
    """A limit of 0.9 is a share of a price range: without a quote there is no range to take a share of."""
    chains = tuple(replace(chain, strikes=()) for chain in STATE.chains)
    verdict = judged(lambda *_: OPENING, Case(NIFTY, replace(STATE, chains=chains), position(), account(), RULES))[0]
    assert verdict.action is Action.MAINTAIN
    assert verdict.reason == (
        f"refused by price_range: {CALL.key} has no valid quote, so the limit of 90.0% cannot be checked"
    )


@pytest.mark.parametrize(
    ("after_s", "told"),
    [
        (60, ""),
        (-60, ""),
        (61, "is 61 s old, over the limit of 60"),
        (-61, "is dated 61 s ahead, over the limit of 60"),
    ],
)
def test_whatever_its_strategy_looks_at_nothing_opens_on_quotes_of_another_minute(after_s: int, told: str) -> None:
    later = replace(STATE, exchange_at=STATE.exchange_at + after_s * SECOND)
    verdict = judged(lambda *_: OPENING, Case(NIFTY, later, position(), account(), RULES))[0]
    assert verdict.action is (Action.MAINTAIN if told else Action.OPEN)
    assert not told or verdict.reason == f"refused by freshness: the quote of {FUTURE.key} {told}"
    assert verdict.figures["check_freshness"] == abs(after_s)


def test_a_share_of_something_else_is_never_said_to_be_one_of_the_capital() -> None:
    for check, of in (
        (basis, plan(spot=round(SPOT * 0.92))),
        (halt, plan(**moved(-0.1234))),
        (operating_range, plan(**moved(-0.1234))),
    ):
        close = found_by(check, of)
        told = refusal(Check(check), replace(close, limit=close.value - 1e-6))  # so near that more digits are needed
        assert "of spot)" in told or "of that close)" in told


def test_the_forward_of_an_option_stands_against_spot_where_no_future_is_traded() -> None:
    sale = Verdict(Action.OPEN, "sell", {}, (OPENING.legs[1],))
    off = found_by(basis, plan(sale, futures=(), spot=round(SPOT * 1.04)))
    assert off.value == pytest.approx(0.035, abs=0.005)
    assert " by parity" in off.reason()
    assert not off.is_ok
    assert found_by(basis, plan(sale)).is_ok


def test_a_spot_of_nothing_is_beyond_any_limit() -> None:
    assert found_by(basis, plan(spot=0)).value == inf


# --- halts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "hour", "is_halted"),
    [(-0.0999, 11, False), (-0.1001, 11, True), (0.1001, 11, True), (-0.149, 15, False), (-0.151, 15, True)],
)
def test_nothing_opens_while_the_index_stands_where_the_market_is_halted(by: float, hour: int, is_halted: bool) -> None:
    found = found_by(halt, plan(**moved(by, at_time(DAY, hour, 0))))
    assert found.is_ok is not is_halted
    if is_halted:
        assert "stands" in refusal(Check(halt), found)
        assert "at or over the limit of" in refusal(Check(halt), found)


def test_the_very_level_of_a_halt_is_one() -> None:
    found = found_by(halt, plan(spot=11 * 10**8, look_back=replace(STATE.look_back, closes=(10 * 10**8,))))
    assert (found.value, found.limit, found.is_ok) == (0.1, 0.1, False)


def test_of_a_scrip_that_halts_nothing_and_without_a_close_before_nothing_is_asked() -> None:
    bank = replace(NIFTY, symbol="BANKNIFTY")
    assert halt(Plan(replace(plan(**moved(-0.2)).case, scrip=bank), OPENING)) is None
    assert halt(plan(look_back=replace(STATE.look_back, closes=()))) is None


# --- the operating range ----------------------------------------------------------------------------------------------


def test_the_limit_of_a_future_lies_within_a_tenth_of_its_close_before() -> None:
    near, far = (found_by(operating_range, plan(**moved(by))) for by in (0.09, 0.11))
    assert near.is_ok
    assert not far.is_ok
    assert far.reason().startswith("a limit lies 11.0% from the future's close before")
    assert far.limit == 0.10
    assert far.value == pytest.approx(0.11, abs=1e-4)


def test_without_a_future_or_a_close_before_there_is_no_operating_range() -> None:
    sale = Verdict(Action.OPEN, "sell", {}, (OPENING.legs[1],))
    assert operating_range(plan(sale)) is None
    assert operating_range(plan(look_back=replace(STATE.look_back, closes=()))) is None


# --- position limits --------------------------------------------------------------------------------------------------

CRORE = 1_000_000_000  # in paise


def sold(lots: int, kind: Kind = Kind.CALL) -> Verdict:
    contract = Contract("NIFTY", CALL.expiry, kind, CALL.strike, 65, 500, 1800)
    return Verdict(Action.OPEN, "sell", {}, (Leg(contract, Side.SELL, 65 * lots, 1),))


def test_options_are_held_to_the_exchanges_limit_as_futures_equivalents() -> None:
    """Some 9,230 lots of 65 at 25,000 rupees are 1,500 crore; by a delta of a quarter four times as many are."""
    one = found_by(position_limit, plan(sold(1)))
    assert one.value == pytest.approx(65 * 25_000_00 / (1_500 * CRORE))
    assert found_by(position_limit, plan(sold(9_230))).value == pytest.approx(1, abs=1e-3)
    by_delta = found_by(position_limit, plan(sold(9_300)))
    assert by_delta.value == pytest.approx(0.25, rel=0.2)
    most = int(9_300 / by_delta.value)
    assert found_by(position_limit, plan(sold(most))).is_ok
    over = found_by(position_limit, plan(sold(most + 2)))
    assert not over.is_ok
    assert over.reason().startswith("options would stand for futures of ₹15,00")
    assert over.reason().endswith(" net, 100.0% of the limit of the day's close")


def test_what_offsets_itself_is_held_to_the_gross_limit_of_a_side_and_one_contract_is_no_two() -> None:
    units = 65 * 700_000
    other = replace(CALL, strike=CALL.strike + 50 * PRICE_UNITS)
    spread = position(holding(CALL, units, 1), holding(other, -units, 1))
    found = found_by(position_limit, plan(sold(1), spread))
    assert " gross, " in found.reason()
    assert not found.is_ok
    bought = replace(position(), working=(Working(CALL, units), Working(CALL, -units)))
    assert found_by(position_limit, plan(sold(1), bought)).value > 10, "either may fill without the other"


def test_where_no_row_has_a_limit_none_is_asked_for() -> None:
    earlier = at_time(date(2025, 6, 16), 12, 0)
    assert position_limit(plan(sold(1), exchange_at=earlier)) is None
    assert position_limit(plan(Verdict(Action.OPEN, "buy", {}, (Leg(FUTURE, Side.BUY, 65, 1),)))) is None


def test_a_decision_that_opens_tells_what_these_checks_found() -> None:
    opened = decide(NIFTY, STATE, position(), account(), RULES)
    assert opened.action is Action.OPEN
    assert opened.figures["check_halt_limit"] == 0.10
    assert opened.figures["check_basis_limit"] == 0.03
    assert opened.figures["check_operating_range_limit"] == 0.10
    assert opened.figures["check_position_limit_limit"] == 1.0
