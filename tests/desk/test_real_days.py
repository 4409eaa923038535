"""Whole recorded days through the desk: what nobody here made must end without a break, and twice the same.

Each set is traded twice, so that its decision logs can be compared to the byte.
"""

import datetime
import json
import signal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from participant.adapters.stores.sqlite import SqliteStore
from participant.config import Config
from participant.core.account import Account
from participant.core.order import Order
from participant.core.position import Position
from participant.research.backtest import CoveredCall, backtest
from participant.research.days import Span
from participant.wire.json import decode
from tests.days.parity import differences
from tests.desk.runs import Desk, Ended, decisions_of, log_bytes, log_of, participant, trade
from tests.docs.pages import blocks, text
from tests.history.recorded import DATA, needs_data

pytestmark = needs_data

OFFICIAL = ("--data", DATA / "nse_daily_official")
NEAR = ("--data", DATA / "nse_chain_2018_10_to_2019_04", *OFFICIAL)
MONTH = ("--data", DATA / "nse_chain_multi_expiry_2019_06", "--data", DATA / "nse_stock_chain_2019_06", *OFFICIAL)
REPLIES = ("--data", DATA / "nse_json_chain_2025" / "raw_json", *OFFICIAL)
BARS = ("--data", DATA / "nse_minute_bars", *OFFICIAL)
CONSTITUENTS = ("RELIANCE", "TCS", "HDFC", "KOTAKBANK", "LT", "TECHM", "YESBANK", "GRASIM", "BIOCON", "ESCORTS")
RUPEE = 100


def twice(folder: Path, *options: object) -> Ended:
    """Trade in two homes; both clean, with the same logs. Returns the first."""
    first, second = (trade(folder / name, "--lockstep", *options) for name in ("first", "second"))
    assert_same(folder, [first], [second])
    return first


def assert_same(folder: Path, *runs: list[Ended]) -> None:
    """What the commands of two homes traded is clean and the same to the byte, and the first is decided again alike."""
    for ended in (e for run in runs for e in run):
        assert ended.status == 0, ended.err
        for summary in ended.summaries:
            assert (summary["breaks"], summary["tickets"], summary["unknown"], summary["buried"]) == ([], [], [], {})
    days, again = ([s["day"] for ended in run for s in ended.summaries] for run in runs)
    assert days == again
    for day in days:
        assert log_bytes(folder / "first", day) == log_bytes(folder / "second", day)
        assert log_bytes(folder / "first", day)
    replayed = participant(folder, "replay", "--home", "first", "--json")  # every day that it has logged
    assert (replayed.status, replayed.err) == (0, "")
    found = {one["day"]: one for one in map(json.loads, replayed.out.splitlines())}
    logged = {day: log_of(folder / "first", day) for day in days}
    assert {day: (one["equal"], one["differences"]) for day, one in found.items()} == {
        day: (len(lines), []) for day, lines in logged.items()
    }


def decided(home: Path, day: str, scrip: str) -> list[dict[str, Any]]:
    return [d for d in decisions_of(home, day) if d["scrip"] == scrip]


def holdings(home: Path) -> dict[str, int]:
    store = SqliteStore(home / "books.sqlite", is_durable=True)
    positions = [decode(row.value, Position) for row in store.rows("positions")]
    store.close()
    return {h.contract.key: h.quantity for position in positions for h in position.holdings}


def cash(home: Path) -> int:
    store = SqliteStore(home / "books.sqlite", is_durable=True)
    row = store.get("account", "account")
    store.close()
    assert row is not None
    return decode(row.value, Account).cash


class April(NamedTuple):
    """12 to 22 April 2019, traded in one command and, from the same data, in three with a look at the expiry between.

    `held` and `left` are units before and after the expiry, `moved` is the cash (paise) of that day.
    """

    folder: Path
    once: Ended
    parts: list[Ended]
    held: dict[str, int]
    left: dict[str, int]
    moved: int


@pytest.fixture(scope="module")
def april(tmp_path_factory: pytest.TempPathFactory) -> April:
    folder = tmp_path_factory.mktemp("april")
    first, second = folder / "first", folder / "second"
    once = trade(first, "--lockstep", *NEAR, "--date", "2019-04-12..2019-04-22")
    parts = [trade(second, "--lockstep", *NEAR, "--date", "2019-04-12..2019-04-16")]
    held, had = holdings(second), cash(second)
    parts.append(trade(second, "--lockstep", *NEAR, "--date", "2019-04-18"))
    left, moved = holdings(second), cash(second) - had
    parts.append(trade(second, "--lockstep", *NEAR, "--date", "2019-04-22"))
    return April(folder, once, parts, held, left, moved)


def test_rich_volatility_two_polled_holidays_and_an_expiry_in_april_2019(april: April) -> None:
    assert_same(april.folder, [april.once], april.parts)
    home, days = april.folder / "first", {s["day"]: s for s in april.once.summaries}
    assert list(days) == ["2019-04-12", "2019-04-15", "2019-04-16", "2019-04-18", "2019-04-22"], (
        "17 and 19 are holidays"
    )

    for scrip in ("NIFTY", "BANKNIFTY"):
        (opened,) = [d for d in decided(home, "2019-04-12", scrip) if d["action"] == "open"]
        assert round(opened["figures"]["iv_rank"], 2) == 0.96
        proxy = "" if scrip == "NIFTY" else " (a proxy: NIFTY's)"
        assert opened["figures"]["iv30_source"] == f"India VIX of 2019-04-11{proxy}"
        assert f"India VIX of 2019-04-11{proxy} 21.0% is " in opened["reason"]
        assert f"the call's own IV is {opened['figures']['call_iv'] * 100:.1f}%" in opened["reason"]
        assert opened["figures"]["call_expiry"] == "2019-04-18"
        assert opened["figures"]["call_iv"] > 0
    # BANKNIFTY is closed at the last page of the 18th; the cover that NIFTY's expired call left is sold on the 22nd, at
    # the first instant that quotes it.
    *_, last = decided(home, "2019-04-18", "BANKNIFTY")
    assert (last["action"], [leg["side"] for leg in last["legs"]]) == ("close", ["buy", "sell"])
    first, *_ = decided(home, "2019-04-22", "NIFTY")
    assert (first["action"], first["legs"][0]["side"]) == ("close", "sell")
    assert first["reason"].startswith("sell the cover, ")
    opened = next(d for d in decided(home, "2019-04-12", "NIFTY") if d["action"] == "open")
    assert opened["figures"]["iv_over_realised"] > 2, "realised volatility is less than half of it"
    assert any(n.startswith("rule of low confidence: the holidays") for n in days["2019-04-12"]["notes"])
    assert days["2019-04-18"]["positions"] == {"NIFTY": "+150 20190425-FUT", "BANKNIFTY": "flat"}
    assert days["2019-04-22"]["positions"] == {"NIFTY": "flat", "BANKNIFTY": "flat"}


def test_the_backtest_decides_and_fills_as_the_desk_does(april: April, tmp_path: Path) -> None:
    """To the byte of the log, and to the paisa of the cash."""
    span, data = Span(datetime.date(2019, 4, 12), datetime.date(2019, 4, 22)), [p for p in NEAR if isinstance(p, Path)]
    result = backtest(CoveredCall(("NIFTY", "BANKNIFTY")), data, span, Config().desk.capital, tmp_path / "run")
    assert (result.summary.counts["days"], result.table("fills").num_rows) == (5, 7)
    assert differences(april.folder / "first", result) == []


def test_a_changed_weight_shows_exactly_the_decisions_that_it_changes(april: April) -> None:
    """At a rank of 0.96 nothing but the two openings passed a gate that 0.97 shuts; all else was decided before it."""
    found = participant(april.folder, "decisions", "diff", "--home", "first", "--weights", "iv_rank_min=0.97", "--json")
    assert (found.status, found.err) == (0, "")
    told, days = json.loads(found.out), [s["day"] for s in april.once.summaries]
    opened = {
        (day, d["scrip"], d["snapshotId"])
        for day in days
        for d in decisions_of(april.folder / "first", day)
        if d["action"] == "open"
    }
    assert {(c["day"], c["scrip"], c["snapshot_id"]) for c in told["changed"]} == opened
    assert len(told["changed"]) == len(opened) == 2
    for change in told["changed"]:
        fields = {field["name"]: (field["before"], field["after"]) for field in change["fields"]}
        assert fields["action"] == ("open", "maintain")
        assert fields["legs"][1] == []
    assert told["compared"] == sum(len(decisions_of(april.folder / "first", day)) for day in days)
    same = participant(april.folder, "decisions", "diff", "--home", "first", "--json")
    assert json.loads(same.out)["changed"] == []


def test_an_expiry_leaves_nothing_that_has_expired_and_moves_the_cash_of_the_official_prices(april: April) -> None:
    calls = {key: units for key, units in april.held.items() if "CE" in key}
    assert calls == {"NIFTY-20190418-11750CE": -150, "BANKNIFTY-20190418-30300CE": -60}
    assert april.left == {"NIFTY-20190425-FUT": 150}
    # NIFTY settled at 11,752.80: the call of 11,750 was worth 2.80; the seller pays no STT on exercise.
    call = -150 * 280
    # NIFTY's April future from 11,824.45 (the close of the 16th) to 11,771.10.
    future = 150 * (1_177_110 - 1_182_445)
    # BANKNIFTY was closed at the last page: its call bought at 0.50, its future sold at 30,297.70 after 30,605.55.
    closed = -60 * 50 + 60 * (3_029_770 - 3_060_555)
    charges = 23_62 + 284_65
    assert (call, future, closed) == (-420_00, -8_002_50, -18_501_00)
    assert april.moved == call + future + closed - charges


def test_a_monthly_expiry_in_january_2019(tmp_path: Path) -> None:
    ended = twice(tmp_path, *NEAR, "--symbols", "NIFTY", "--date", "2019-01-21..2019-01-31")
    assert len(ended.summaries) == 9
    home = tmp_path / "first"
    assert {round(d["figures"]["iv_rank"], 2) for d in decided(home, "2019-01-21", "NIFTY")} == {0.5}
    assert {d["action"] for d in decided(home, "2019-01-21", "NIFTY")} == {"maintain"}
    (opened,) = [d for d in decided(home, "2019-01-22", "NIFTY") if d["action"] == "open"]
    assert round(opened["figures"]["iv_rank"], 2) == 0.66
    assert opened["figures"]["cover"] == "NIFTY-20190131-FUT"
    assert ended.summaries[-1]["positions"] == {"NIFTY": "flat"}, "call and future settled on the 31st"
    assert holdings(home) == {}


def test_two_indices_and_ten_constituents_side_by_side_in_june_2019(tmp_path: Path) -> None:
    config = tmp_path / "twelve.toml"
    (shown,) = [block for block in blocks(text("docs/catalogue.md"), "toml") if "[[watchlist]]" in block]
    config.write_text(shown)
    ended = twice(tmp_path, *MONTH, "--date", "2019-06-13", "--config", config)
    assert set(ended.summary["positions"]) == {"NIFTY", "BANKNIFTY", *CONSTITUENTS}
    assert ended.summary["decisions"].keys() == {"maintain"}, "volatility is poor, and constituents have no history"
    reasons = {d["reason"] for s in CONSTITUENTS for d in decided(tmp_path / "first", "2019-06-13", s)}
    assert all(r.startswith("look-back too short") or "not open" in r for r in reasons), reasons
    assert any("NIFTY-20190627-FUT derived by parity" in note for note in ended.summary["notes"])

    day, data = datetime.date(2019, 6, 13), [p for p in MONTH if isinstance(p, Path)]
    scrips = CoveredCall(("NIFTY", "BANKNIFTY", *CONSTITUENTS))
    result = backtest(scrips, data, Span(day, day), Config().desk.capital, tmp_path / "run")
    assert differences(tmp_path / "first", result) == [], "the backtest decides as the desk does"


def test_the_exchanges_own_replies_of_a_monthly_expiry_in_2025(tmp_path: Path) -> None:
    ended = twice(tmp_path, *REPLIES, "--date", "2025-10-28")
    assert ended.summary["decisions"] == {"maintain": 13}
    reasons = {d["reason"] for d in decided(tmp_path / "first", "2025-10-28", "NIFTY")}
    assert reasons == {"realised volatility is not known from 17 closes", "the market is not open: post-close"}


def test_minute_bars_with_the_index_each_second_in_2022(tmp_path: Path) -> None:
    ended = twice(tmp_path, *BARS, "--date", "2022-11-03")
    assert ended.summary["decisions"]["maintain"] > 300
    reasons = {d["reason"] for d in decided(tmp_path / "first", "2022-11-03", "NIFTY")}
    assert reasons == {"IV rank 10.5% is under 50.0%", "the market is not open: post-close"}
    assert any("quotes modelled" in note for note in ended.summary["notes"])


def first_hour(target: Path) -> Path:
    """The pages of 12 April 2019 up to five past ten: three instants, 40 s at sixty times real time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    since, until = (datetime.datetime.fromisoformat(f"2019-04-12 {at}+05:30") for at in ("09:00", "10:05"))
    files = sorted((DATA / "nse_chain_2018_10_to_2019_04").glob("*.parquet"))
    span = [("ts_ist", ">=", since), ("ts_ist", "<", until)]
    pq.write_table(pa.concat_tables([pq.read_table(file, filters=span) for file in files]), target)
    return target


def test_at_speed_nothing_stale_is_sent_and_every_decision_can_be_made_again(tmp_path: Path) -> None:
    chains = first_hour(tmp_path / "hour.parquet")
    ended = trade(tmp_path / "home", "--speed", 60, "--data", chains, *OFFICIAL, "--date", "2019-04-12")
    assert (ended.status, ended.summary["breaks"]) == (0, [])
    store = SqliteStore(tmp_path / "home" / "books.sqlite", is_durable=True)
    orders = [decode(row.value, Order) for row in store.rows("orders")]
    store.close()
    assert "open" in ended.summary["decisions"]
    assert [o for o in orders if o.sends], "what was not sent cannot have been stale"
    late = [o for o in orders if o.sends and not 0 <= o.sent_at - o.decided_at <= 60 * 1_000_000_000]
    assert late == [], "an order leaves within the minute for which its quote may be used"
    again = participant(tmp_path, "replay", "--home", "home", "2019-04-12")
    assert again.status == 0
    assert ", 0 not," in again.out


def test_a_day_without_official_prices_ends_and_opens_nothing(tmp_path: Path) -> None:
    chains = ("--data", DATA / "nse_chain_2018_10_to_2019_04")
    ended = trade(tmp_path / "home", "--lockstep", *chains, "--date", "2019-04-12")
    assert (ended.status, ended.summary["decisions"]) == (0, {"maintain": 28})
    assert any("no official close on 2019-04-12" in note for note in ended.summary["notes"])
    assert any("no cover" in note for note in ended.summary["notes"])
    reasons = {d["reason"] for d in decided(tmp_path / "home", "2019-04-12", "NIFTY")}
    assert reasons == {"IV rank and IV over realised are unknown: no close of India VIX before the day is known"}


def test_india_vix_is_used_where_it_alone_is_published_and_no_last_snapshot_is_a_close(tmp_path: Path) -> None:
    official = [path for name in ("index_futures_bhav", "india_vix_daily") for path in OFFICIAL[1].glob(f"{name}*")]
    assert len(official) == 2
    paths = [word for path in (DATA / "nse_chain_2018_10_to_2019_04", *official) for word in ("--data", path)]
    ended = trade(tmp_path / "home", "--lockstep", *paths, "--date", "2019-03-22", "--symbols", "NIFTY")
    assert (ended.status, ended.summary["decisions"].keys()) == (0, {"maintain"})
    first, *_ = decided(tmp_path / "home", "2019-03-22", "NIFTY")
    assert first["reason"] == "realised volatility is not known from 0 closes"
    assert first["figures"]["iv30_source"] == "India VIX of 2019-03-20"


def test_an_expiry_that_was_not_recorded_is_settled_at_the_official_price(tmp_path: Path) -> None:
    for day in ("2019-04-12", "2019-04-22"):
        imported = participant(tmp_path, "catalogue", "import", *NEAR[1::2], "--date", day, "--into", "few", "--quiet")
        assert (imported.status, imported.err) == (0, "")
    ended = trade(tmp_path / "home", "--lockstep", "--data", tmp_path / "few", "--date", "2019-04-12..2019-04-22")
    assert ended.status == 0, ended.err
    assert "2019-04-18 is only settled" in ended.err
    days = {s["day"]: s for s in ended.summaries}
    assert days["2019-04-18"]["decisions"] == {}
    assert days["2019-04-22"]["positions"] == {"NIFTY": "flat", "BANKNIFTY": "flat"}
    assert all(s["breaks"] == [] for s in days.values())


def test_a_day_that_was_begun_is_neither_jumped_over_nor_gone_on_with_other_data(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with Desk(home, "--lockstep", *NEAR, "--date", "2019-04-12") as desk:
        desk.until("the log has begun", lambda: len(log_of(home, "2019-04-12")) >= 6 or None)
        desk.process.send_signal(signal.SIGINT)
        assert desk.ended().status == 1
    jumped = trade(home, "--lockstep", *NEAR, "--date", "2019-04-15")
    assert jumped.status == 2
    assert "has begun 2019-04-12 and not closed it" in jumped.err
    other = trade(home, "--lockstep", *NEAR[:2], "--date", "2019-04-12")
    assert other.status == 2
    assert "holds 2019-04-12 of seed" in other.err
    assert trade(home, "--lockstep", *NEAR, "--date", "2019-04-12").status == 0


def test_a_scrip_that_is_asked_for_and_wholly_kept_apart_is_named(tmp_path: Path) -> None:
    ended = trade(tmp_path / "home", "--lockstep", *BARS, "--date", "2022-10-19", "--symbols", "NIFTY")
    assert ended.status == 2
    assert "nothing of it can be traded on 2022-10-19 (NIFTY: 0 of " in ended.err
    assert "rows no spot" in ended.err
