"""The watchlist in versions: which rules a day, what may be set, and what differs, in words."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from participant.config import load_rules
from participant.core.risk_limits import SHIPPED
from participant.core.scrip import OwnEvent, Scrip, Weights
from participant.core.watchlist import (
    BadSetting,
    Version,
    beyond_default,
    changed,
    constituents,
    differences,
    in_force,
    settings_of,
    sound_rows,
)
from participant.wire.watchlist import BadWatchlist, parse_value, parse_watchlist, watchlist_text

RULES = load_rules()
NIFTY, BANK = Scrip("NIFTY"), Scrip("BANKNIFTY")


def version(number: int, since: date | None, *rows: Scrip) -> Version:
    return Version(number, since, 0, "ann", "a reason", "set", "", rows or (NIFTY,))


# --- in force ---------------------------------------------------------------------------------------------------------


def test_the_newest_version_that_has_begun_rules_a_day() -> None:
    known = [version(1, None), version(2, date(2026, 12, 1)), version(3, date(2026, 12, 4))]
    ruled = {day: in_force(known, date(2026, 12, day)) for day in (1, 2, 3, 4, 5)}
    assert {day: found.number for day, found in ruled.items() if found} == {1: 2, 2: 2, 3: 2, 4: 3, 5: 3}
    first = in_force(known, date(2026, 11, 30))
    assert first is not None
    assert first.number == 1


def test_a_later_version_that_begins_earlier_takes_the_place_of_one_that_waits() -> None:
    known = [version(1, None), version(2, date(2026, 12, 10)), version(3, date(2026, 12, 1))]
    for day in (1, 10, 20):
        found = in_force(known, date(2026, 12, day))
        assert found is not None
        assert found.number == 3


def test_before_the_first_version_nothing_rules() -> None:
    assert in_force([], date(2026, 12, 1)) is None
    assert in_force([version(1, date(2026, 12, 2))], date(2026, 12, 1)) is None


# --- settings ---------------------------------------------------------------------------------------------------------


def test_settings_of_the_row_and_of_its_weights_are_set_by_their_plain_names() -> None:
    row = changed(NIFTY, {"target_delta": 0.2, "decide_every_s": 30, "after_call": "resell", "limits.lots_max": 2})
    weights, limits = Weights(target_delta=0.2, after_call="resell"), replace(SHIPPED, lots_max=2)
    assert row == Scrip("NIFTY", decide_every_s=30, weights=weights, limits=limits)
    assert beyond_default(row) == {
        "decide_every_s": 30, "target_delta": 0.2, "after_call": "resell", "limits.lots_max": 2,
    }  # fmt: skip
    assert set(settings_of(row)) >= {"symbol", "strategy", "is_enabled", "target_delta", "cover_alone_max_s"}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("delta", 0.2, "no setting 'delta' of a scrip"),
        ("symbol", "TCS", "no setting 'symbol' of a scrip that could be set"),
        ("weights", {}, "no setting 'weights' of a scrip"),
        ("target_delta", float("nan"), "target_delta = nan is not a number: write one"),
        ("limits", {}, "no setting 'limits' of a scrip"),
        ("limits.lots_max", -1, "limits.lots_max: Expected `int` >= 0"),
        ("target_delta", 1.0, "target_delta: Expected `float` < 1.0"),
        ("margin_share_max", float("inf"), "margin_share_max = inf is not a finite number"),
        ("target_delta", "much", "target_delta: Expected `float`, got `str`"),
        ("decide_every_s", 0, "decide_every_s: Expected `int` >= 1"),
        ("after_call", "hope", "after_call: Invalid enum value 'hope'"),
    ],
)
def test_what_a_setting_cannot_be_is_refused_by_its_name(name: str, value: object, said: str) -> None:
    with pytest.raises(BadSetting) as caught:
        changed(NIFTY, {name: value})
    assert str(caught.value).startswith(said)


def test_differences_name_each_scrip_and_each_setting_once() -> None:
    after = (changed(NIFTY, {"target_delta": 0.2, "is_enabled": False}), Scrip("TCS"))
    assert differences((NIFTY, BANK), after) == [
        "BANKNIFTY left out",
        "NIFTY is_enabled True -> False, target_delta 0.25 -> 0.2",
        "TCS added",
    ]
    assert differences(after, after) == []


def test_the_row_of_a_constituent_stands_once_for_each_stock_of_the_indices_of_the_day() -> None:
    row = Scrip("*stock", is_enabled=False)
    day = date(2026, 11, 26)
    rows = constituents((NIFTY, BANK), row, RULES, day)
    stocks = {*RULES.members("NIFTY", day), *RULES.members("BANKNIFTY", day)}
    assert [one.symbol for one in rows] == ["NIFTY", "BANKNIFTY", *sorted(stocks)]
    (infosys,) = [one for one in rows if one.symbol == "INFY"]
    assert infosys == Scrip("INFY", is_enabled=False, sector="Information Technology", beta=1.0)
    assert constituents((Scrip("TCS"),), row, RULES, day) == (Scrip("TCS"),)


# --- as TOML ----------------------------------------------------------------------------------------------------------


def test_a_list_that_was_written_is_read_as_it_was() -> None:
    rows = (changed(NIFTY, {"target_delta": 0.2, "is_enabled": False, "after_call": "resell"}), BANK, Scrip("M&M"))
    assert parse_watchlist(watchlist_text(rows).encode()) == rows
    own = (OwnEvent(date(2026, 11, 26), 'the "results"'), OwnEvent(date(2026, 12, 1), "a vote", "the ministry"))
    assert parse_watchlist(watchlist_text([replace(NIFTY, events=own)]).encode()) == (replace(NIFTY, events=own),)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x7f"), min_size=1), st.floats(1e-9, 0.999))
def test_any_name_and_any_figure_is_read_as_it_was_written(symbol: str, delta: float) -> None:
    rows = (changed(Scrip(symbol), {"target_delta": delta}),)
    assert parse_watchlist(watchlist_text(rows).encode()) == rows


def test_other_tables_of_a_file_are_not_looked_at() -> None:
    assert parse_watchlist(b"[desk]\ncapital = 5\n[[watchlist]]\nsymbol = 'NIFTY'\n") == (NIFTY,)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"[[watchlist]\n", "it is not TOML"),
        (b"\xff", "it is not TOML"),
        (b"capital = 5\n", "it has no [[watchlist]] row"),
        (b"watchlist = []\n", "it has no [[watchlist]] row"),
        (b"watchlist = 5\n", "it has no [[watchlist]] row"),
        (b"watchlist = [5]\n", "[[watchlist]] row 1: Expected `object`, got `int`"),
        (
            b"[[watchlist]]\nsymbol = 'A'\n[[watchlist]]\n",
            "[[watchlist]] row 2: Object missing required field `symbol`",
        ),
        (
            b"[[watchlist]]\nsymbol = 'A'\nweights.target_delta = nan\n",
            "[[watchlist]] row 1: target_delta = nan is not",
        ),
        (b"[[watchlist]]\nsymbol = 'A'\ngamma = 1\n", "[[watchlist]] row 1: Object contains unknown field `gamma`"),
    ],
)
def test_a_fault_of_a_list_is_named_by_its_row(body: bytes, said: str) -> None:
    with pytest.raises(BadWatchlist) as caught:
        parse_watchlist(body)
    assert str(caught.value).startswith(said)


def test_a_value_is_as_in_toml_and_else_a_word() -> None:
    assert [parse_value(text) for text in ("0.2", "30", "false", '"resell"', "resell")] == [
        0.2, 30, False, "resell", "resell",
    ]  # fmt: skip


GOOD = {"symbol": "NIFTY"}
BAD = {"symbol": "BANKNIFTY", "weights": {"iv_rank_min": "high"}}


@pytest.mark.parametrize(
    ("rows", "kept", "says"),
    [
        ([GOOD, BAD], [GOOD, {"symbol": "BANKNIFTY", "is_enabled": False}], "row 2: BANKNIFTY: iv_rank_min"),
        ([BAD, GOOD], [{"symbol": "BANKNIFTY", "is_enabled": False}, GOOD], "row 1: BANKNIFTY: iv_rank_min"),
        ([GOOD, "BANKNIFTY"], [GOOD], "row 2: 'BANKNIFTY'"),
        ([GOOD, {"weights": {"iv_rank_min": "high"}}], [GOOD], "row 2: no symbol: iv_rank_min"),
        ([GOOD, GOOD], [GOOD], "row 2: "),
    ],
)
def test_a_row_that_cannot_be_does_not_trade_and_the_others_do(
    rows: list[object], kept: list[object], says: str
) -> None:
    told = list[str]()
    settings = {"watchlist": rows, "capital": 1}
    assert sound_rows(settings, told.append) == {"watchlist": kept, "capital": 1}
    (line,) = told
    assert line.startswith(f"[[watchlist]] {says}")


@pytest.mark.parametrize(
    "settings", [{}, {"watchlist": [BAD]}, {"watchlist": "NIFTY"}, {"watchlist": [GOOD | {"is_enabled": False}, BAD]}]
)
def test_where_no_row_would_trade_the_file_stays_as_it_is_and_is_refused_whole(settings: dict[str, object]) -> None:
    told = list[str]()
    assert sound_rows(settings, told.append) is settings
    assert not told
