"""Made days as a catalogue."""

import datetime
from pathlib import Path

import pytest

from participant.config import load_rules
from participant.core.scrip import Kind
from participant.history import catalogue
from participant.history.making import Making, make_days
from participant.history.official_files import read_official
from participant.history.pages import BadData
from participant.history.synthetic import SyntheticMarket

RULES = load_rules()
DAYS = (datetime.date(2026, 6, 1), datetime.date(2026, 6, 2))
MAKING = Making(3, ("NIFTY",), *DAYS, 7_200)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "days"
    assert list(make_days(folder, MAKING, RULES)) == list(DAYS)
    return folder


def test_its_pages_are_the_synthetic_markets_quotes_at_every_instant(made: Path) -> None:
    market = SyntheticMarket(3, DAYS[1], RULES, ("NIFTY",), 7_200)
    board: dict[str, tuple[int, int, int, int]] = {}
    options = {c.key: c for c in market.contracts() if c.kind is not Kind.FUTURE}
    pages = catalogue.read_day(made, "NIFTY", DAYS[1])
    assert all(page.is_modelled and page.source == "made from seed 3" for page in pages)
    for instant in market.instants():
        board |= {t.contract: (t.bid, t.ask, t.bid_size, t.ask_size) for t in instant.ticks}
        shown = {
            (page.expiry, cell.strike, cell.kind): (cell.bid, cell.ask, cell.bid_size, cell.ask_size)
            for page in pages
            if page.at == instant.at
            for cell in page.cells
        }
        alive = {(c.expiry, c.strike, c.kind): board[key] for key, c in options.items() if any(board[key][:2])}
        assert shown == alive
        assert {page.spot for page in pages if page.at == instant.at} == {board_spot(market, instant.at)}


def board_spot(market: SyntheticMarket, at: int) -> int:
    """The underlying's last value at an instant."""
    values = [t.last for i in market.instants() if i.at <= at for t in i.ticks if t.contract == "NIFTY"]
    return values[-1]


def test_the_official_series_are_what_each_day_looks_back_on_and_settles_at(made: Path) -> None:
    official = read_official([made])
    for day in DAYS:
        market = SyntheticMarket(3, day, RULES, ("NIFTY",), 7_200)
        back, settled = market.look_back("NIFTY"), market.settlements()
        assert official.close("NIFTY", day) == settled["NIFTY"]
        assert official.closes_before("NIFTY", day, 250) == back.closes[-250:]
        known = [level for _, level in official.volatility_before(day, 250)]
        assert known == pytest.approx(back.iv30[-250:], abs=1e-6)
        futures = {c.expiry: settled[c.key] for c in market.contracts() if c.kind is Kind.FUTURE}
        assert official.futures("NIFTY", day) == futures
        assert set(official.listed("NIFTY", day)) <= set(futures)
        assert official.listed("NIFTY", day), "the futures of the day are known from the session before"


def test_the_same_words_make_the_same_bytes(made: Path, tmp_path: Path) -> None:
    list(make_days(tmp_path / "again", MAKING, RULES))
    first, again = ({f.relative_to(of): f.read_bytes() for f in of.rglob("*") if f.is_file()}
                    for of in (made, tmp_path / "again"))  # fmt: skip
    assert first == again


@pytest.mark.parametrize(
    ("making", "says"),
    [
        (Making(1, ("NIFTY",), datetime.date(2026, 6, 6), datetime.date(2026, 6, 7), 900), "no trading day"),
        (Making(1, ("NIFTY",), datetime.date(2025, 6, 2), datetime.date(2025, 6, 2), 900), "made days begin"),
        (Making(1, ("TCS",), *DAYS, 900), "TCS"),
    ],
)
def test_what_cannot_be_made_is_said_and_leaves_nothing(making: Making, says: str, tmp_path: Path) -> None:
    with pytest.raises(BadData, match=says):
        list(make_days(tmp_path / "made", making, RULES))
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_there_is_left_as_it_is(made: Path) -> None:
    before = {f: f.read_bytes() for f in made.rglob("*") if f.is_file()}
    with pytest.raises(BadData, match="is there already"):
        list(make_days(made, MAKING, RULES))
    assert {f: f.read_bytes() for f in made.rglob("*") if f.is_file()} == before


def test_one_that_is_broken_off_leaves_nothing(tmp_path: Path) -> None:
    days = make_days(tmp_path / "made", MAKING, RULES)
    next(days)
    days.close()
    assert not list(tmp_path.iterdir())
