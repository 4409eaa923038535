"""The measurement of the backtest: its made year, the same by both paths, and that a difference is told."""

from pathlib import Path

import pytest

from bench.backtest import differences, in_our_words, ours
from bench.chain_strategy import Calls, Spread, chosen, is_to_close
from bench.made_year import made_days, make, sessions
from participant.config import load_rules
from participant.history import catalogue

STEP_S, DAYS = 3_600, 4


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("year")
    make(folder, DAYS, STEP_S)
    return folder


def test_a_made_year_is_a_catalogue_of_its_first_sessions_and_is_not_made_twice(year: Path) -> None:
    days = sessions(load_rules())[:DAYS]
    assert [file.stem for file in made_days(year, DAYS)] == [str(day) for day in days]
    assert catalogue.days(year) == [("NIFTY", day) for day in days]
    made = [file.stat().st_mtime_ns for file in made_days(year, DAYS)]
    rows = make(year, DAYS, STEP_S)
    assert [file.stat().st_mtime_ns for file in made_days(year, DAYS)] == made
    assert rows == sum(len(page.cells) for day in days for page in catalogue.read_day(year, "NIFTY", day))


def test_ours_does_the_same_whether_chains_come_whole_or_quote_by_quote(year: Path) -> None:
    fast, plain = ours(year, DAYS), ours(year, DAYS, "plain")
    assert fast["fills"]
    assert fast["decisions"] == DAYS * 8
    assert differences(fast, plain) == []


def test_fills_settlements_and_cash_of_another_engine_are_compared_to_the_paisa() -> None:
    fills = [["2026-01-02", "A", "buy", 65, 290_500], ["2026-01-02", "B", "sell", 65, 930_000]]
    said = {"fills": fills, "ended": [["2026-01-06", "A", 0, 65], ["2026-01-06", "B", 1_000_000, -65]]}
    told = in_our_words(said)
    assert told["ended"] == [["2026-01-06", "A", 0], ["2026-01-06", "B", -650_000]]
    assert told["cash"] == 65 * (9_300 - 2_905) - 650_000
    mine = {"fills": fills, "ended": told["ended"], "cash": told["cash"], "other": []}
    assert differences(mine, told) == []
    assert differences(mine | {"cash": 1}, told) == [f"cash before charges: 1 | {told['cash']}"]
    assert len(differences(mine | {"fills": fills[:1], "ended": [], "other": ["delivered"]}, told)) == 3


def test_the_strategy_sells_by_delta_and_closes_past_its_stop() -> None:
    today, near = sessions(load_rules())[:2]
    later = sessions(load_rules())[5]
    strikes, deltas = (100, 110, 120, 130), (0.6, 0.3, 0.2, 0.12)
    chain = [Calls(near, strikes, deltas), Calls(later, strikes, deltas)]
    assert chosen(today, [Calls(today, strikes, deltas)]) is None
    assert chosen(today, chain) == Spread(near, 130, 110)
    nan = float("nan")
    assert chosen(today, [Calls(near, strikes, (0.6, nan, nan, nan))]) is None
    assert not is_to_close(Spread(later, 130, 110), chain)
    assert is_to_close(Spread(later, 130, 100), chain)
    assert not is_to_close(Spread(later, 130, 105), chain)
