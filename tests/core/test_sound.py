"""A verdict that cannot be is refused with what is wrong with it, whatever action its strategy gives it."""

from datetime import date
from math import nan
from typing import Any

import pytest
from msgspec.structs import replace
from numpy import float64

from participant.core.account import Account, BookRisk
from participant.core.brain import decide
from participant.core.brain_checks import judged
from participant.core.decision import Action, Decision, Leg
from participant.core.market import SECOND
from participant.core.position import Position, Working, with_working
from participant.core.scrip import PRICE_UNITS, Contract, Kind, Scrip, Side
from participant.core.strategies.covered_call import covered_call
from participant.core.strategies.table import STRATEGIES
from participant.core.strategy import Case, Plugin, Verdict
from participant.wire.json import decode, encode
from tests.core.worlds import RULES, SPOT, account, chain_state, future, holding, position

STATE = chain_state()
NIFTY = Scrip("NIFTY")
FUTURE = future(STATE)
CALL = Contract("NIFTY", STATE.chains[1].expiry, Kind.CALL, 25_500 * PRICE_UNITS, 65, 500, 1800)
SELL_CALL = Leg(CALL, Side.SELL, 65, 100 * PRICE_UNITS)
SELL_FUTURE = Leg(FUTURE, Side.SELL, 65, SPOT)
BUY_AT = STATE.futures[0].quote.ask
COVERED = position(holding(FUTURE, 65, SPOT), holding(CALL, -65, 100 * PRICE_UNITS))


def said(action: Action, *legs: Leg, held: Position | None = None) -> Verdict:
    def strategy(*_: Any) -> Verdict:
        return Verdict(action, "as I say", {}, legs)

    return judged(strategy, Case(NIFTY, STATE, held or position(), account(), RULES))[0]


@pytest.mark.parametrize(
    ("action", "leg", "reason"),
    [
        (Action.MAINTAIN, replace(SELL_FUTURE, side=Side.BUY), "it maintains, and yet has legs"),
        (Action.CLOSE, SELL_CALL, "it closes, and 65 units of options sold would have no cover where 0 have none now"),
        (Action.OPEN, replace(SELL_CALL, quantity=-65), "has -65 units where a lot has 65"),
        (Action.OPEN, replace(SELL_CALL, quantity=66), "has 66 units where a lot has 65"),
        (Action.CLOSE, replace(SELL_CALL, quantity=0), "has 0 units where a lot has 65"),
        (
            Action.OPEN,
            replace(SELL_CALL, contract=replace(CALL, expiry=date(2026, 9, 15))),
            "has expired on 2026-09-15",
        ),
        (Action.OPEN, replace(SELL_CALL, limit=0), "has limit 0 and margin 0"),
        (Action.OPEN, replace(SELL_CALL, margin=-1), "has limit 1000000 and margin -1"),
        (Action.OPEN, replace(SELL_CALL, contract=replace(CALL, underlying="SBIN")), "the underlying SBIN, not NIFTY"),
        (Action.OPEN, replace(SELL_CALL, contract=replace(CALL, freeze=30)), "of which no order can be made"),
        (Action.OPEN, replace(SELL_CALL, contract=replace(CALL, lot=0)), "of which no order can be made"),
        (Action.OPEN, replace(SELL_CALL, contract=replace(CALL, tick=0)), "of which no order can be made"),
        (
            Action.OPEN,
            replace(SELL_CALL, contract=replace(CALL, lot=1), quantity=7),
            "which are not those that the market",
        ),
        (Action.OPEN, replace(SELL_CALL, contract=replace(CALL, freeze=10**9)), "which are not those that the market"),
        (Action.OPEN, replace(SELL_CALL, limit=nan), "one of its legs has the number nan, no whole one"),
        (Action.OPEN, replace(SELL_CALL, margin=nan), "one of its legs has the number nan, no whole one"),
        (Action.OPEN, replace(SELL_CALL, quantity=65.0), "has the number 65.0, no whole one"),
        (Action.OPEN, replace(SELL_CALL, quantity=2**64 * 65), "has the number 1199038364791120855040, no whole one"),
        (Action.OPEN, replace(SELL_CALL, side="sell"), "one of its legs has the side 'sell', no Side"),
        (Action.CLOSE, replace(SELL_CALL, side="sell"), "one of its legs has the side 'sell', no Side"),
        (Action.OPEN, replace(SELL_CALL, contract=CALL.key), "no Contract"),
        (Action.OPEN, replace(SELL_CALL, contract=replace(CALL, kind="CE")), "has a contract that cannot be: "),
        (Action.OPEN, replace(SELL_CALL, contract=replace(CALL, expiry="2026-12-29")), "a contract that cannot be: "),
        (Action.OPEN, CALL, "its legs are (Contract("),
        ("open", SELL_CALL, "its action is 'open', no Action"),
        ("close", SELL_CALL, "its action is 'close', no Action"),
    ],
)
def test_legs_that_cannot_be_are_refused_with_what_is_wrong(action: Action, leg: Leg, reason: str) -> None:
    verdict = said(action, leg)
    assert (verdict.action, verdict.legs) == (Action.MAINTAIN, ())
    assert verdict.reason.startswith("nothing is done on a verdict that cannot be: ")
    assert reason in verdict.reason


class Word(str):
    """A text of a kind that no log knows."""


def odd(*parts: Any) -> Verdict:
    """A verdict of a package whose author checked no types."""
    return Verdict(*parts)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "it is None, no Verdict"),
        ("open", "it is 'open', no Verdict"),
        (odd(Action.MAINTAIN, None, {}), "its reason is None"),
        (odd(Action.MAINTAIN, "no", None), "its figures are None"),
        (odd(Action.MAINTAIN, "no", {"strikes": [1, 2]}), "its figure 'strikes' is [1, 2]"),
        (odd(Action.MAINTAIN, "no", {"is_open": True, "deep": {}}), "its figure 'is_open' is True"),
        (Verdict(Action.MAINTAIN, "no", {"size": 2**64}), "its figure 'size' is 18446744073709551616"),
        (odd(Action.MAINTAIN, "no", {1: 2}), "its figures are {1: 2}, not all of them by name"),
        (odd(Action.MAINTAIN, Word("no"), {}), "its reason is 'no'"),
        (Verdict(Action.MAINTAIN, "half a letter: \ud83d", {}), "its reason is 'half a letter: \\ud83d'"),
        (Verdict(Action.MAINTAIN, "no", {"why": "\ud83d"}), "its figure 'why' is '\\ud83d'"),
        (Verdict(Action.MAINTAIN, "no", {"\ud83d": 1}), "its figures are {'\\ud83d': 1}, not all of them by name"),
        (Verdict(Action.OPEN, "yes", {}), "it is to open, and has no legs"),
        (Verdict(Action.CLOSE, "yes", {}), "it is to close, and has no legs"),
        (odd(Action.OPEN, "yes", {}, None), "its legs are None"),
        (odd(Action.OPEN, "yes", {}, (SELL_CALL,), ("rank",)), "its gates are ('rank',)"),
    ],
)
def test_what_is_no_verdict_is_a_refusal_in_the_log_and_no_job_that_fails(answer: Any, reason: str) -> None:
    """The decision of it can be written and read back, so it stands in the log with its reason."""

    def strategy(*_: Any) -> Any:
        return answer

    verdict, _ = judged(strategy, Case(NIFTY, STATE, position(), account(), RULES))
    assert (verdict.action, verdict.legs) == (Action.MAINTAIN, ())
    assert verdict.reason.startswith("nothing is done on a verdict that cannot be: ")
    assert reason in verdict.reason
    STRATEGIES["strange"] = Plugin(strategy, version=1)
    try:
        decision = decide(replace(NIFTY, strategy="strange"), STATE, position(), account(), RULES)
    finally:
        del STRATEGIES["strange"]
    assert decode(encode(decision), Decision) == decision
    assert reason in decision.reason


@pytest.mark.parametrize("of", ["reason", "names", "texts", "many"])
def test_a_verdict_of_more_text_than_the_log_takes_is_refused(of: str) -> None:
    def told(letters: int) -> Verdict:
        figures: dict[str, dict[str, Any]] = {
            "names": {"n" * letters: 1.0},
            "texts": {"": "t" * letters},
            "many": {f"{i:04}": 0 for i in range(letters // 4)},
        }
        verdict = Verdict(Action.MAINTAIN, "r" * letters if of == "reason" else "", figures.get(of, {}))
        return judged(lambda *_: verdict, Case(NIFTY, STATE, position(), account(), RULES))[0]

    assert told(10_000).reason == ("r" * 10_000 if of == "reason" else "")
    refused = "nothing is done on a verdict that cannot be: its reason and its figures have 10,004 letters, over 10,000"
    assert told(10_004) == Verdict(Action.MAINTAIN, refused, {"spot": SPOT})


def test_a_verdict_of_more_legs_than_the_log_takes_is_refused() -> None:
    held = position(holding(FUTURE, 65 * 501, SPOT))
    assert said(Action.CLOSE, *[SELL_FUTURE] * 500, held=held).action is Action.CLOSE
    refused = "nothing is done on a verdict that cannot be: it has 501 legs, over 500"
    assert said(Action.CLOSE, *[SELL_FUTURE] * 501, held=held).reason == refused


def test_figures_of_numpy_and_words_of_enums_are_figures_as_they_are_logged() -> None:
    verdict = Verdict(Action.MAINTAIN, "no", {"iv": float64(0.1), "kind": Kind.CALL, "none": None, "size": -5})
    assert judged(lambda *_: verdict, Case(NIFTY, STATE, position(), account(), RULES))[0] == verdict


def test_a_quantity_without_end_is_refused_and_never_cut_into_orders() -> None:
    verdict = said(Action.OPEN, replace(SELL_FUTURE, side=Side.BUY, quantity=65 * 10**15))
    assert verdict.reason.startswith("refused by slicing: it takes ")


def test_the_orders_of_a_leg_are_counted_as_they_are_cut() -> None:
    for lots in range(1, 100):
        for freeze in (30, 65, 100, 1800):
            leg = replace(SELL_CALL, quantity=65 * lots, contract=replace(CALL, freeze=freeze))
            assert leg.order_count == len(leg.slices)


def test_a_strategy_that_empties_the_account_it_is_given_is_judged_by_the_whole_one() -> None:
    def strategy(_: Any, __: Any, ___: Any, given: Account, ____: Any) -> Verdict:
        for margins in (given.used, given.reserved, given.others.short):
            margins.clear()
        return Verdict(Action.OPEN, "as I say", {}, (replace(SELL_FUTURE, side=Side.BUY, limit=BUY_AT),))

    full = replace(account(), used={"SBIN": account().capital // 5}, reserved={"an order": account().capital // 5})
    full = replace(full, others=replace(full.others, short={"2026-09-29": 1}))
    verdict, _ = judged(strategy, Case(NIFTY, STATE, position(), full, RULES))
    assert verdict.reason.startswith("refused by margin: ")
    assert (len(full.used), len(full.reserved), len(full.others.short)) == (1, 1, 1)


def test_a_close_buys_the_call_back_before_it_sells_the_cover() -> None:
    buy = replace(SELL_CALL, side=Side.BUY)
    assert said(Action.CLOSE, buy, SELL_FUTURE, held=COVERED).legs == (buy, SELL_FUTURE)
    assert "would have no cover" in said(Action.CLOSE, SELL_FUTURE, buy, held=COVERED).reason


@pytest.mark.parametrize(
    ("legs", "reason"),
    [
        ((replace(SELL_FUTURE, side=Side.BUY),), "it closes, and buys 65 {future} where +65 are held"),
        ((replace(SELL_CALL, side=Side.BUY, quantity=130),), "it closes, and buys 130 {call} where -65 are held"),
        ((replace(SELL_CALL, side=Side.BUY),) * 2, "it closes, and buys 65 {call} where +0 are held"),
    ],
)
def test_a_close_that_would_open_is_none(legs: tuple[Leg, ...], reason: str) -> None:
    told = said(Action.CLOSE, *legs, held=COVERED)
    assert told.action is Action.MAINTAIN
    assert told.reason.endswith(reason.format(future=FUTURE.key, call=CALL.key))


def test_a_close_beside_one_that_works_is_none() -> None:
    buy = replace(SELL_CALL, side=Side.BUY)
    for units, action in ((65, Action.MAINTAIN), (-65, Action.CLOSE)):
        told = said(Action.CLOSE, buy, held=with_working(COVERED, [Working(CALL, units)]))
        assert told.action is action
        assert units < 0 or told.reason.endswith("where +0 are left once what works has filled")


def test_what_an_exchange_has_left_of_a_lot_can_be_closed() -> None:
    odd = position(holding(FUTURE, 50, SPOT))
    assert said(Action.CLOSE, replace(SELL_FUTURE, quantity=50), held=odd).action is Action.CLOSE


def test_a_market_state_of_another_scrip_is_not_decided_on() -> None:
    for held, risk in ((position(), None), (COVERED, BookRisk(unknown="FOO"))):
        verdict, found = judged(covered_call, Case(Scrip("FOO"), STATE, held, account(), RULES))
        assert found == risk
        assert verdict.reason == "nothing is done for FOO on a market state of NIFTY"


def test_a_position_of_another_scrip_is_not_decided_on() -> None:
    for held, risk in ((position(), None), (COVERED, BookRisk(unknown="NIFTY"))):
        strange = replace(held, scrip="BANKNIFTY")
        verdict, found = judged(covered_call, Case(NIFTY, STATE, strange, account(), RULES))
        assert found == risk
        assert verdict.reason == "nothing is done for NIFTY on a position of BANKNIFTY"


@pytest.mark.parametrize("spot", [0, -1])
@pytest.mark.parametrize(("held", "risk"), [(position(), None), (COVERED, BookRisk(unknown="NIFTY"))])
def test_without_a_price_of_the_underlying_nothing_is_done(spot: int, held: Position, risk: BookRisk | None) -> None:
    case = Case(NIFTY, replace(STATE, spot=spot), held, account(), RULES)
    verdict, found = judged(covered_call, case)
    assert (verdict.action, verdict.reason, found) == (Action.MAINTAIN, "the underlying has no price", risk)


def test_quotes_from_the_future_are_as_bad_as_old_ones() -> None:
    def late(quote: Any) -> Any:
        return quote and replace(quote, exchange_at=STATE.exchange_at + 3600 * SECOND)

    chains = tuple(
        replace(chain, strikes=tuple(replace(s, call=late(s.call), put=late(s.put)) for s in chain.strikes))
        for chain in STATE.chains
    )
    case = Case(NIFTY, replace(STATE, chains=chains), position(), account(), RULES)
    verdict, _ = judged(covered_call, case)
    assert verdict.action is Action.MAINTAIN
    assert "is dated 3,600 s after the market state" in verdict.reason
