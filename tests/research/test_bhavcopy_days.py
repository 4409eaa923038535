"""Years of free end-of-day chains through the desk: made bhavcopies, imported, traded and settled."""

import datetime
from math import sin
from pathlib import Path

import pytest

from participant.cli import main
from participant.config import load_rules
from participant.core.messages import Write
from participant.core.position import Holding, Position
from participant.core.scrip import Contract, Kind
from participant.history.recorded import CLOSES
from participant.history.recordings import open_recordings
from participant.research.backtest import CoveredCall
from participant.research.days import Days, Span
from participant.research.result import Result, load
from participant.wire.json import encode
from tests.days.__main__ import EAGER
from tests.history.bhavcopies import chain, udiff, udiff_name, zipped

RULES = load_rules()
FIRST, LAST = datetime.date(2025, 10, 6), datetime.date(2025, 11, 4)
EXPIRIES = tuple(datetime.date(2025, *day) for day in ((10, 14), (10, 20), (10, 28), (11, 4), (11, 25)))


def sessions(since: datetime.date, until: datetime.date) -> list[datetime.date]:
    days = (since + datetime.timedelta(i) for i in range((until - since).days + 1))
    return [day for day in days if (s := RULES.session(day)) is not None and s.close_at - s.open_at > 5 * 3_600 * 10**9]


def spot_of(day: datetime.date) -> float:
    return round(25_000 + 60 * sin(day.toordinal()), 2)


def close_of(future: str, day: datetime.date) -> float:
    """What the day's made file says of a future, as a price."""
    rows = chain(day, "NIFTY", spot_of(day), EXPIRIES, ())
    return next(row.close for row in rows if f"NIFTY-{row.expiry:%Y%m%d}-FUT" == future) * 10_000


def index_file(folder: Path, day: datetime.date) -> None:
    spot = spot_of(day)
    (folder / f"ind_close_all_{day:%d%m%Y}.csv").write_text(
        "Index Name,Index Date,Open Index Value,High Index Value,Low Index Value,Closing Index Value,Points Change\n"
        f"Nifty 50,{day:%d-%m-%Y},{spot},{spot + 20},{spot - 20},{spot},1\n"
        f"India VIX,{day:%d-%m-%Y},14,15,13,{15 + sin(day.toordinal() / 3):.2f},0\n"
    )


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bhavcopy of every day, and the index and India VIX of those days and of sixty before."""
    folder = tmp_path_factory.mktemp("files")
    for day in sessions(FIRST - datetime.timedelta(60), LAST):
        index_file(folder, day)
        if day >= FIRST:
            listed = [expiry for expiry in EXPIRIES if expiry >= day]
            rows = chain(day, "NIFTY", spot_of(day), listed, range(24_000, 26_050, 50))
            zipped(folder, udiff_name(day), udiff(day, rows))
    return folder


def played(*arguments: str, data: Path, out: Path) -> Result:
    span = ["--from", str(FIRST), "--to", str(LAST), "--capital", "10000000", "--out", str(out), "--quiet"]
    shares = ("iv_rank_min", "iv_over_realised_min", "square_off_share", "square_off_ticks")  # nothing is bought back
    weights = [*(f"{name}=0" for name in shares), "look_back_sessions_min=2", "spread_max=0.2"]
    status = main(["backtest", "covered-call", "--underlying", "NIFTY", "--data", str(data), *span, *arguments,
                   "--weights", *weights])  # fmt: skip
    assert status == 0
    return load(out)


def test_bhavcopies_are_imported_traded_and_settled_at_official_prices(files: Path, tmp_path: Path) -> None:
    catalogue = tmp_path / "catalogue"
    assert main(["catalogue", "import", str(files), "--into", str(catalogue), "--quiet"]) == 0
    result = played(data=catalogue, out=tmp_path / "run")
    days = sessions(FIRST, LAST)
    assert [row["day"] for row in result.rows("equity") if not row["scrip"]] == [str(day) for day in days]
    fills = list(result.rows("fills"))
    sold = [row for row in fills if row["contract"].endswith("CE") and row["side"] == "sell"]
    bought = {row["day"] for row in fills if row["contract"].endswith("FUT") and row["side"] == "buy"}
    assert sold
    assert {row["day"] for row in sold} <= bought, "the call is sold on the page on which its cover is bought"
    assert all(row["is_modelled"] for row in fills)
    ended = [row for row in result.rows("events") if row["kind"] == "expired" and row["contract"].endswith("CE")]
    assert ended, "a call was held to its expiry"
    for row in ended:
        assert row["price"] == round(spot_of(datetime.date.fromisoformat(row["day"])) * 10_000)
    said = [note.note for note in result.summary.data.notes if note.day == str(FIRST)]
    assert f"NIFTY: {CLOSES}" in said
    assert any("quotes modelled" in note for note in said)
    assert f"NIFTY-{EXPIRIES[2]:%Y%m%d}-FUT quoted around its own close" in {n.note for n in result.summary.data.notes}
    for row in (row for row in fills if row["contract"].endswith("FUT")):
        told = close_of(row["contract"], datetime.date.fromisoformat(row["day"]))
        assert abs(row["price"] / told - 1) < 1e-4, "a cover trades at its own close, not at one by parity"


def test_read_directly_they_give_the_same_run(files: Path, tmp_path: Path) -> None:
    catalogue = tmp_path / "catalogue"
    main(["catalogue", "import", str(files), "--into", str(catalogue), "--symbols", "NIFTY", "--quiet"])
    one, two = (played(data=data, out=tmp_path / name) for data, name in ((catalogue, "a"), (files, "b")))
    for table in ("fills", "equity", "decisions", "events"):
        assert list(one.rows(table)) == list(two.rows(table)), table
    assert list(one.rows("fills"))


def test_a_run_ends_before_a_day_on_which_a_corporate_action_changes_what_is_held(tmp_path: Path) -> None:
    before, after = datetime.date(2019, 6, 12), datetime.date(2019, 6, 13)
    expiry = datetime.date(2019, 6, 27)
    for day, spot, strikes in ((before, 1_310.0, range(1_200, 1_420, 20)), (after, 655.0, range(600, 710, 10))):
        rows = [row._replace(lot=500) for row in chain(day, "RELIANCE", spot, (expiry,), strikes)]
        zipped(tmp_path, udiff_name(day), udiff(day, rows, is_stock=True))
    days = Days(open_recordings([tmp_path]), ("RELIANCE",), Span(before, after))
    desk = CoveredCall(("RELIANCE",), EAGER).desk(RULES, 10_000_000 * 100)
    assert not days.look(desk, after).ends, "nothing is held"
    call = Contract("RELIANCE", expiry, Kind.CALL, 14_000_000, 500, 500, 50_000)
    held = Position("RELIANCE", (Holding(call, -500, -1_000_000),))
    desk.books.commit([Write("positions", "RELIANCE", encode(held), 0)])
    ahead = days.look(desk, after)
    assert ahead.ends
    assert ahead.why == f"a corporate action has changed {call.key}: into what is not known"
