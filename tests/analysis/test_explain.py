"""Why a decision came out as it did: settings that are tried out, and what the command prints of it."""

import json
from datetime import date
from math import nan
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from participant.adapters.archives.jsonl import JsonlArchive
from participant.analysis.explain import STEPS_MAX, moves
from participant.analysis.market_moves import market_moves
from participant.cli import main
from participant.commands.explain import explained
from participant.commands.explained import lines
from participant.core.brain import decide, refuse
from participant.core.brain_checks import judged
from participant.core.decision import Action, Decision, DecisionInput, Figure, PositionInfo
from participant.core.risk_limits import SHIPPED
from participant.core.scrip import OwnEvent, Scrip, Weights
from participant.core.strategies.table import STRATEGIES, strategy_of
from participant.core.strategy import Case, Figures, Gate, Plugin, Verdict, maintain
from participant.core.wording import apart, rupees
from participant.links.parts import pack, split
from tests.core.worlds import DAY, NOON, RULES, account, call, chain_state, future, holding, look_back, position
from tests.desk.runs import trade
from tests.docs.pages import blocks, text

GIVEN = DecisionInput(
    Scrip("NIFTY", weights=Weights(iv_rank_min=0.3)), chain_state(), PositionInfo(position(), account())
)


def again(given: DecisionInput) -> Decision:
    info = given.current_position_info
    return decide(given.scrip, given.market_state, info.position, info.account, RULES)


def with_weights(**changes: Any) -> DecisionInput:
    return replace(GIVEN, scrip=replace(GIVEN.scrip, weights=replace(GIVEN.scrip.weights, **changes)))


def test_the_gate_that_was_shut_is_named_with_the_value_that_opens_it() -> None:
    shut = with_weights(iv_rank_min=0.99)
    assert again(shut).action is Action.MAINTAIN
    (move,) = moves(shut, again)
    assert (move.setting, move.was, move.action) == ("iv_rank_min", 0.99, Action.OPEN)
    assert again(with_weights(iv_rank_min=move.then)).action is Action.OPEN
    assert move.then == pytest.approx(again(GIVEN).figures["iv_rank"])


def test_every_gate_in_the_way_is_named_one_after_the_other() -> None:
    spread = again(GIVEN).figures["spread"]
    assert isinstance(spread, float)
    shut = with_weights(iv_rank_min=0.99, spread_max=spread / 2, net_credit_min=10**9)
    found = moves(shut, again)
    assert {move.setting for move in found} == {"iv_rank_min", "spread_max", "net_credit_min"}
    assert [move.action for move in found] == [Action.MAINTAIN, Action.MAINTAIN, Action.OPEN]
    assert len(found) <= STEPS_MAX


def test_what_would_have_kept_an_opening_away_is_found_as_well() -> None:
    (move, *_) = moves(GIVEN, again)
    assert move.action is not Action.OPEN or move.reason != again(GIVEN).reason


def test_of_an_opening_every_threshold_that_would_have_kept_it_away_is_told_by_itself() -> None:
    found = moves(GIVEN, again)
    assert {move.action for move in found} == {Action.MAINTAIN}
    assert {move.setting for move in found} >= {
        "iv_rank_min", "iv_over_realised_min", "look_back_sessions_min", "spread_max", "score_min", "net_credit_min",
        "margin_share_max", "crash_move", "crash_loss_share_max", "limits.scenario_share_max", "limits.delta_share_max",
        "limits.vega_share_max", "limits.expiry_share_max", "limits.range_share_max", "limits.margin_share_max",
        "limits.portfolio_scenario_share_max", "limits.orders_max", "limits.lots_max",
    }  # fmt: skip
    assert not [move for move in found if "cannot be" in move.reason], "a row that is no row is no answer"
    far = [abs(value(move.then) - value(move.was)) / (abs(value(move.was)) or 1) for move in found if number(move.was)]
    assert far == sorted(far)


def number(figure: float | str) -> bool:
    return not isinstance(figure, str)


def test_where_no_setting_is_to_blame_none_is_named() -> None:
    closed = replace(
        GIVEN, market_state=replace(GIVEN.market_state, exchange_at=GIVEN.market_state.exchange_at - 10**14)
    )
    assert "not open" in again(closed).reason
    assert moves(closed, again) == ()


# --- what of the market would have changed it -------------------------------------------------------------------------


def judge(one: DecisionInput) -> Verdict:
    info = one.current_position_info
    case = Case(one.scrip, one.market_state, info.position, info.account, RULES)
    return judged(strategy_of("covered_call"), case)[0]


def value(figure: Figure) -> float:
    assert isinstance(figure, int | float)
    return float(figure)


@pytest.mark.parametrize(
    ("weights", "rule", "limit"),
    [({"iv_rank_min": 0.9}, "rank", 0.9), ({"iv_over_realised_min": 2.0}, "over realised", 2.0)],
)
def test_the_quantity_that_opens_a_shut_gate_is_its_limit(weights: dict[str, float], rule: str, limit: float) -> None:
    (move,) = market_moves(with_weights(**weights), judge)
    assert (move.rule, move.action) == (rule, Action.OPEN)
    assert value(move.was) < limit <= value(move.then)
    assert value(move.then) == pytest.approx(limit, rel=2e-3)


def test_the_quantities_of_gates_in_a_row_are_found_one_after_the_other() -> None:
    shut = with_weights(iv_rank_min=0.9, iv_over_realised_min=2.0)
    found = market_moves(shut, judge)
    assert [(move.rule, move.action) for move in found] == [
        ("rank", Action.MAINTAIN),
        ("over realised", Action.OPEN),
    ]


def test_sizes_and_spreads_are_moved_as_well() -> None:
    few = replace(GIVEN, market_state=chain_state(lots_shown=1))
    (sizes,) = market_moves(
        replace(few, scrip=replace(few.scrip, weights=replace(few.scrip.weights, displayed_lots_min=3))), judge
    )
    assert (sizes.rule, sizes.was, sizes.then, sizes.action) == ("displayed", 1, 3, Action.OPEN)
    wide = replace(GIVEN, market_state=chain_state(spread=0.05))
    (spread,) = market_moves(wide, judge)
    assert (spread.rule, spread.action) == ("spread", Action.OPEN)
    assert value(spread.then) == pytest.approx(0.03, rel=0.02)


def test_of_an_opening_each_quantity_that_would_have_kept_it_away_is_told_by_itself() -> None:
    found = market_moves(GIVEN, judge)
    assert [move.rule for move in found] == ["rank", "over realised", "spread", "displayed"]
    assert {move.action for move in found} == {Action.MAINTAIN}


def test_of_a_structure_that_is_held_the_spot_that_stops_it_is_told() -> None:
    given = structure(251_500_000)
    state = given.market_state
    stop, off = market_moves(given, judge)
    assert (stop.rule, stop.action, stop.was) == ("stop", Action.CLOSE, state.spot)
    assert "its stop is -₹150,000" in stop.reason
    assert 0.85 < value(stop.then) / state.spot < 0.95
    assert (off.rule, off.action) == ("square-off", Action.CLOSE)
    assert value(off.then) == pytest.approx(65_000, rel=0.02)


def test_where_the_market_moves_nothing_nothing_is_told() -> None:
    closed = replace(
        GIVEN, market_state=replace(GIVEN.market_state, exchange_at=GIVEN.market_state.exchange_at - 10**14)
    )
    assert market_moves(closed, judge) == ()


def test_a_published_indexs_own_close_is_not_moved_with_its_past() -> None:
    back = replace(GIVEN.market_state.look_back, published="India VIX", iv30=(*look_back().iv30, 0.15))
    given = replace(GIVEN, market_state=replace(GIVEN.market_state, look_back=back))
    given = replace(given, scrip=replace(given.scrip, weights=replace(given.scrip.weights, iv_rank_min=0.95)))
    (move,) = market_moves(given, judge)
    assert (move.rule, move.action) == ("rank", Action.OPEN)
    assert value(move.then) >= 0.95


# --- words and limits among the settings ------------------------------------------------------------------------------


def test_a_limit_of_the_brains_own_checks_is_named_as_one() -> None:
    tight = replace(GIVEN, scrip=replace(GIVEN.scrip, limits=replace(SHIPPED, scenario_share_max=0.01)))
    assert again(tight).reason.startswith("refused by scenario")
    (move,) = moves(tight, again)
    assert (move.setting, move.was, move.action) == ("limits.scenario_share_max", 0.01, Action.OPEN)


def test_a_word_that_would_have_changed_it_is_named() -> None:
    soon = OwnEvent(DAY, "results")
    shut = replace(GIVEN, scrip=replace(GIVEN.scrip, events=(soon,)))
    assert "is near: nothing is opened" in again(shut).reason
    (move,) = moves(shut, again)
    assert (move.setting, move.was, move.then, move.action) == ("blackout", "maintain", "off", Action.OPEN)


# --- what is printed --------------------------------------------------------------------------------------------------


def structure(cost_of_cover: int) -> DecisionInput:
    """A future bought at this price, and a call sold against it at 130 rupees."""
    state = chain_state()
    sold = call(state, date(2026, 10, 6), 256_500_000)
    held = position(holding(future(state, 1), 65, cost_of_cover), holding(sold, -65, 1_300_000))
    return replace(GIVEN, current_position_info=PositionInfo(held, account()))


@pytest.mark.parametrize(
    ("nth", "given"),
    [(0, with_weights(iv_rank_min=0.7)), (1, structure(251_500_000)), (2, structure(280_500_000))],
    ids=["a shut gate", "held", "the stop"],
)
def test_the_page_shows_what_the_command_prints(nth: int, given: DecisionInput) -> None:
    found = explained("2026-09-16", again(given), given, RULES)
    printed = "\n".join(line for line in lines(found) if not line.startswith("  decision"))
    assert blocks(text("docs/explain.md"), "text")[nth].rstrip("\n") == printed.rstrip("\n")


def test_what_a_rule_compares_is_told_as_it_compares_it() -> None:
    """The net credit must be over its limit, the IV rank at it or over it."""
    found = explained("2026-09-16", again(GIVEN), GIVEN, RULES)
    table = {line[14:32].strip(): line.split()[-2:] for line in lines(found) if "✓" in line}
    assert table["credit"] == [">", "₹0.00"]
    assert table["rank"] == ["≥", "30.0%"]
    net = again(GIVEN).figures["net_credit_paise"]
    assert isinstance(net, int)
    assert again(with_weights(net_credit_min=net)).reason.endswith(f"is not over {rupees(net)}")
    assert again(with_weights(net_credit_min=net - 1)).action is Action.OPEN


def printed(given: DecisionInput) -> str:
    return " ".join("\n".join(lines(explained("2026-09-16", again(given), given, RULES))).split())


def test_what_was_compared_is_told_with_as_many_digits_as_tell_it_apart() -> None:
    rank = again(GIVEN).figures["iv_rank"]
    shut = with_weights(iv_rank_min=value(rank) + 1e-5)
    assert again(shut).reason == "IV rank 66.669% is under 66.670%"
    assert "rank 66.669% ≥ 66.670%" in printed(shut)
    assert apart(0.5, 0.5) == ("50.0%", "50.0%")
    assert apart(61.2, 60, 0, is_share=False) == ("61", "60")
    assert apart(60.2, 60, 0, is_share=False) == ("60.2", "60.0")


def test_a_check_that_does_not_apply_is_told_apart_from_one_that_was_not_asked() -> None:
    assert "· does not apply: delivery (it ends in cash), sector delta (the scrip has no sector) figures" in printed(
        GIVEN
    )
    tight = replace(GIVEN, scrip=replace(GIVEN.scrip, limits=replace(SHIPPED, vega_share_max=0.0)))
    text = printed(tight)
    assert "· does not apply: delivery (it ends in cash) ·" in text
    assert "· not asked, since vega spoke before: scenario, portfolio delta, sector delta, portfolio scenario" in text


def test_figures_are_told_in_their_units() -> None:
    text = printed(GIVEN)
    assert "price range 1.3% ≤ 90.0%" in text
    assert "freshness 0 ≤ 60 " in text
    assert "net_credit ₹7,846, margin ₹225,906" in text
    assert "net_credit_min = 784625 (₹7,846) (is 0)" in text
    assert "call_strike ₹25,650.00" in text
    one = replace(GIVEN.market_state, chains=GIVEN.market_state.chains[:1], futures=GIVEN.market_state.futures[:1])
    assert "1 future, 1 expiry, 202 quoted options" in printed(replace(GIVEN, market_state=one))


def test_a_structure_that_is_held_is_told_with_the_ages_of_its_quotes() -> None:
    state = chain_state()
    early = replace(state.futures[2], quote=replace(state.futures[2].quote, exchange_at=NOON - 6 * 3600 * 10**9))
    sold = call(state, date(2026, 10, 6), 256_500_000)
    held = position(holding(future(state, 1), 65, 251_500_000), holding(sold, -65, 667_000))
    old = replace(state, futures=(*state.futures[:2], early))
    text = printed(replace(GIVEN, market_state=old, current_position_info=PositionInfo(held, account())))
    assert "half of the quotes up to 0.0 s old, the oldest 6.0 h" in text
    assert "held_in_the_money -2.5%" in text


def test_the_figures_of_another_packages_strategy_are_told_in_the_units_that_their_names_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def own(*known: object) -> Verdict:
        figures: Figures = {"width_price": 2_000_000, "worth_paise": 150_000, "used_share": 0.25, "seen": 12_000}
        gates = (Gate("wings", "", 2_000_000, 1_000_000, {"width_price": 2_000_000}), Gate("seen", "", 12_000, 5))
        return maintain("it waits", figures, gates)

    monkeypatch.setitem(STRATEGIES, "own", Plugin(own, version=1))
    text = printed(replace(GIVEN, scrip=Scrip("NIFTY", strategy="own")))
    assert "figures width_price ₹200.00, worth ₹1,500, used_share 25.0%, seen 12,000" in text
    assert "✓ wings ₹200.00 ≥ ₹100.00 ✓ seen 12,000 ≥ 5" in text


def test_rules_that_are_not_those_of_the_log_say_so() -> None:
    found = explained("2026-09-16", replace(again(GIVEN), reason="otherwise"), GIVEN, RULES)
    assert any("this version decides otherwise" in line for line in lines(found))
    undecided = replace(again(GIVEN), figures={}, reason="No decision: the job timed out")
    plain = "\n".join(lines(explained("2026-09-16", undecided, GIVEN, RULES)))
    assert "signals" not in plain


def test_a_row_that_could_not_be_read_is_explained_by_that_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    apart = split(with_weights(spread_max=nan))
    info = GIVEN.current_position_info
    known = Case(GIVEN.scrip, GIVEN.market_state, info.position, info.account, RULES)
    decision = refuse(known, "spread_max is not a number (JSON writes that as null)")
    (tmp_path / "decisions").mkdir()
    JsonlArchive(tmp_path / "decisions").append("2026-09-16", [(apart.line(decision), pack(apart.parts))])
    assert main(["explain", decision.decision_id[:8], "--home", str(tmp_path)]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "maintain (decided) nothing is done on a row of the watchlist that cannot be: spread_max is not a" in out
    assert "decides otherwise" not in out
    assert main(["replay", "2026-09-16", "--home", str(tmp_path)]) == 0
    assert "1 decisions equal to the byte, 0 not" in capsys.readouterr().out


def test_the_command_prints_what_it_saw_its_orders_and_what_would_have_changed_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trade(tmp_path, "--step", "3600", "--symbols", "NIFTY")
    (file,) = (tmp_path / "decisions").glob("*-??.jsonl")
    infos = [json.loads(line)["decisionInfo"] for line in file.read_text().splitlines()]
    opened = next(info for info in infos if info["action"] == "open")
    assert main(["explain", opened["decisionId"], "--home", str(tmp_path)]) == 0
    text = " ".join(capsys.readouterr().out.split())
    for said in (
        ": open (decided)",
        "quoted options",
        "passed every control at bid",
        "filled",
        "market",
        "setting",
        "✓ rank",
        "30-day IV",
        "index from the chain",
        "of its future, IV",
        "in business time",
        "smile over",
    ):
        assert said in text
    kept = next(info for info in infos if info["action"] == "maintain")
    assert main(["explain", kept["decisionId"], "--home", str(tmp_path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["decision"]["decisionId"], told["orders"]) == (kept["decisionId"], [])
    assert main(["explain", "zzz", "--home", str(tmp_path)]) == 2
    assert "no decision of" in capsys.readouterr().err
