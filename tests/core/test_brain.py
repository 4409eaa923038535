"""The brain: one pure function, whose decisions have ids that follow from what they were made of."""

from math import inf, nan

import msgspec
import pytest
from msgspec.structs import replace

from participant.core.book_risk import book_risk
from participant.core.brain import BUILD_ID, MODULE_VERSIONS, decide
from participant.core.decision import Action, Decision, DecisionRecord, PositionInfo
from participant.core.ids import canonical, digest
from participant.core.pricing import KERNEL
from participant.core.scrip import Scrip
from participant.core.strategies import table
from participant.core.strategy import Case, Plugin, Verdict, logged
from participant.core.wording import at_price, counted, percent, rupees
from tests.core.worlds import NOON, RULES, account, chain_state, future, holding, position

NIFTY = Scrip("NIFTY")
STATE = chain_state()


def test_the_same_input_gives_the_same_bytes() -> None:
    decisions = [decide(NIFTY, chain_state(), position(), account(), RULES) for _ in range(2)]
    assert canonical(decisions[0]) == canonical(decisions[1])


def test_a_decision_recomputes_from_its_own_log_record_byte_for_byte() -> None:
    decision = decide(NIFTY, STATE, position(), account(), RULES)
    line = canonical(DecisionRecord(NIFTY, STATE, PositionInfo(position(), account()), decision))
    record = msgspec.json.decode(line, type=DecisionRecord)
    info = record.current_position_info
    again = decide(record.scrip, record.market_state, info.position, info.account, RULES)
    assert canonical(again) == canonical(record.decision_info) == canonical(decision)


def test_a_redelivered_snapshot_has_the_same_decision_id_whatever_was_done_meanwhile() -> None:
    first = decide(NIFTY, STATE, position(), account(), RULES)
    later = decide(NIFTY, STATE, position(entered_on=None, alone_since=NOON), account(1), RULES)
    assert first.decision_id == later.decision_id == digest("NIFTY", STATE.snapshot_id, BUILD_ID, RULES.content_hash)


def test_another_snapshot_scrip_or_rulebook_has_another_decision_id() -> None:
    ids = {
        decide(scrip, state, position(), account(), rules).decision_id
        for scrip, state, rules in (
            (NIFTY, STATE, RULES),
            (NIFTY, chain_state(NOON + 1), RULES),
            (Scrip("BANKNIFTY"), STATE, RULES),
            (NIFTY, STATE, replace(RULES, freezes=RULES.freezes[:1])),
        )
    }
    assert len(ids) == 4


def test_a_decision_says_what_it_was_made_for_and_from() -> None:
    decision = decide(NIFTY, STATE, position(), account(), RULES)
    assert decision.action is Action.OPEN
    assert (decision.scrip, decision.snapshot_id, decision.decided_for) == ("NIFTY", STATE.snapshot_id, NOON)
    assert decision.deadline == NOON + 600 * 1_000_000_000
    assert (decision.rules_hash, decision.build_id) == (RULES.content_hash, BUILD_ID)


def test_the_build_id_covers_the_modules_versions_and_the_kernel() -> None:
    assert digest(MODULE_VERSIONS, KERNEL) == BUILD_ID
    assert digest({**MODULE_VERSIONS, "brain": 0}, KERNEL) != BUILD_ID


def test_every_logged_float_has_ten_significant_digits() -> None:
    decision = decide(NIFTY, STATE, position(), account(), RULES)
    floats = [f for f in decision.figures.values() if isinstance(f, float)]
    assert floats
    assert all(f == float(f"{f:.10g}") for f in floats)


def test_what_is_not_known_is_logged_as_nothing() -> None:
    assert logged({"a": nan, "b": inf, "c": 1 / 3, "d": 7, "e": "x", "f": None}) == {
        "a": None, "b": None, "c": 0.3333333333, "d": 7, "e": "x", "f": None,
    }  # fmt: skip
    blind = replace(STATE, chains=())
    assert decide(NIFTY, blind, position(), account(), RULES).figures["iv30"] is None


def test_by_a_strategy_that_nobody_provides_nothing_is_done_and_its_book_counts_as_ever() -> None:
    fly = Scrip("NIFTY", strategy="iron_fly")
    decision = decide(fly, STATE, position(), account(), RULES)
    assert (decision.action, decision.legs, decision.build_id) == (Action.MAINTAIN, (), BUILD_ID)
    assert decision.reason == (
        "nothing is done by a strategy that nobody provides: no strategy 'iron_fly'; known: covered_call; name one of "
        "these, or install the package that offers it"
    )
    held = position(holding(future(STATE), 65, 250_000_000), alone_since=NOON)
    assert decide(fly, STATE, held, account(), RULES).risk == book_risk(Case(fly, STATE, held, account(), RULES))


def test_a_strategy_is_found_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def idle(*known: object) -> Verdict:
        case = Case(*known)  # type: ignore[arg-type] # a strategy is given exactly the parts of a case
        return Verdict(Action.MAINTAIN, f"{case.scrip.symbol} is left alone", {"third": 1 / 3})

    monkeypatch.setitem(table.STRATEGIES, "idle", Plugin(idle))
    decision: Decision = decide(Scrip("NIFTY", strategy="idle"), STATE, position(), account(), RULES)
    assert (decision.reason, decision.figures) == ("NIFTY is left alone", {"third": 0.3333333333})


def test_rupees_prices_shares_and_counts_are_written_for_people() -> None:
    assert [rupees(p) for p in (0, 5, 99_999, 100_000, -15_452_165)] == [
        "₹0.00",
        "₹0.05",
        "₹999.99",
        "₹1,000",
        "-₹154,522",
    ]
    assert [at_price(p) for p in (500, 251_698_000, 1_227_525, -10_000)] == [
        "₹0.05",
        "₹25,169.80",
        "₹122.7525",
        "-₹1.00",
    ]
    assert percent(0.7244) == "72.4%"
    assert [counted(n, "lot") for n in (0, 1, 1_200)] == ["0 lots", "1 lot", "1,200 lots"]
