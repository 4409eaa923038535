"""A day as whole chains, and quote by quote as a desk hears it: decided, filled and settled alike to the byte."""

import datetime
from copy import deepcopy
from pathlib import Path

import pytest
from msgspec.structs import replace

from participant.config import load_rules
from participant.core.account import Account
from participant.core.board import Board, observe
from participant.core.decision import DecisionInput, PositionInfo
from participant.core.market import MarketState, Quote, Reference, Sheets, Ticks
from participant.core.position import Position
from participant.core.scrip import Kind, Scrip
from participant.core.snapshot import snapshot
from participant.history import catalogue
from participant.history.cells import Cells
from participant.history.official import Official
from participant.history.pages import Cell
from participant.history.recorded import RecordedMarket, Recording
from participant.history.recordings import load_day, open_recordings
from participant.research.backtest import CoveredCall, backtest
from participant.research.days import Span
from participant.research.result import TABLES
from participant.wire.json import decode, encode
from participant.wire.told import tell_job, tell_state, told_job
from tests.days.__main__ import EAGER, OFFICIAL
from tests.days.plain import Plain
from tests.history.recorded import DATA, needs_data
from tests.history.test_recorded import DAY, MINUTE, MONTHLY, NINE, SPOT, WEEKLY, cells, market, page

EXPIRY = datetime.date(2019, 6, 13)
CHAINS = [DATA / "nse_chain_multi_expiry_2019_06", DATA / OFFICIAL]


def states(played: RecordedMarket, symbol: str, *, is_plain: bool) -> list[MarketState]:
    """What a desk knows of a scrip after each instant of a day."""
    known = Reference(symbol, played.contracts(), played.look_back(symbol), played.provenance(symbol))
    board, found = Board("one"), []
    for i, instant in enumerate(played.instants() if is_plain else played.sheets()):
        said = ("one", instant.at, instant.ticks, i == 0)
        board = observe(board, Ticks(*said) if is_plain else Sheets(*said, chains=instant.chains))
        state = snapshot(board, known)
        assert state is not None
        found.append(state)
    return found


def assert_alike(played: RecordedMarket, symbol: str) -> None:
    plain, fast = (states(played, symbol, is_plain=way) for way in (True, False))
    assert [encode(state) for state in fast] == [encode(state) for state in plain]
    assert [tell_state(state) for state in fast] == [encode(state) for state in plain]


@needs_data
@pytest.mark.parametrize("symbol", ["NIFTY", "BANKNIFTY"])
def test_every_state_of_a_recorded_day_is_the_same_to_the_byte(symbol: str) -> None:
    assert_alike(load_day(open_recordings(CHAINS), EXPIRY, load_rules(), [symbol]), symbol)


@needs_data
def test_a_run_played_quote_by_quote_leaves_the_same_tables(tmp_path: Path) -> None:
    """Two days, on the second of which what was opened expires."""
    span, names = Span(EXPIRY - datetime.timedelta(days=1), EXPIRY), ("NIFTY", "BANKNIFTY")
    runs = [kind(names, EAGER) for kind in (CoveredCall, Plain)]
    fast, plain = (backtest(run, CHAINS, span, 10_000_000, tmp_path / type(run).__name__) for run in runs)
    assert fast.summary == plain.summary
    assert fast.summary.counts["fills"] > 0
    for name in TABLES:
        assert fast.table(name).equals(plain.table(name)), name


@needs_data
def test_a_day_of_a_catalogue_is_the_same_from_its_columns_as_from_its_cells(tmp_path: Path) -> None:
    """Imported and read again, a day's pages lie in columns; as values each is equal to what was imported."""
    played = load_day(open_recordings(CHAINS), EXPIRY, load_rules(), ["NIFTY"])
    pages = list(played.pages("NIFTY"))
    done = catalogue.Import("NIFTY", EXPIRY, "recorded", len(pages), sum(p.rows for p in pages), {}, {})
    catalogue.write_day(tmp_path, done, pages, ())
    read = catalogue.read_day(tmp_path, "NIFTY", EXPIRY)
    assert all(isinstance(one.cells, Cells) for one in read)
    assert read == pages
    assert [replace(one, cells=tuple(one.cells)) for one in read] == pages
    back = Recording({"NIFTY": read}, {"NIFTY": played.look_back("NIFTY")})
    again = RecordedMarket(EXPIRY, back, played._official, load_rules())
    assert again.contracts() == played.contracts()
    assert again.seed == played.seed
    assert list(again.instants()) == list(played.instants())
    assert_alike(again, "NIFTY")


def test_strikes_that_come_go_dark_and_come_again_are_the_same_to_the_byte() -> None:
    """A strike before its first quote, one that its page lacks, one that is said without a price, two expiries."""
    near, far, unsaid = cells(), cells(SPOT + 500_000), (Cell(Kind.CALL, SPOT + 1_000_000), Cell(Kind.PUT, SPOT))
    played = market(
        page(cells=near),
        page(NINE + 5 * MINUTE, cells=(*far, *near)),
        page(NINE + 6 * MINUTE, MONTHLY, cells=far),
        page(NINE + 15 * MINUTE, cells=(near[0], *unsaid)),
        page(NINE + 25 * MINUTE, cells=(*near, *far)),
    )
    assert_alike(played, "NIFTY")
    dark = states(played, "NIFTY", is_plain=False)[2].chains[0].strikes
    assert [row.strike for row in dark] == [SPOT, SPOT + 500_000]
    assert (dark[1].call, dark[0].put) == (Quote(0, 0, 0, 0, NINE + 15 * MINUTE),) * 2


def test_an_expiry_that_could_not_be_settled_shows_no_chain() -> None:
    """What expires today without an official close is not in the master."""
    played = market(page(expiry=DAY), page(NINE + 5 * MINUTE), official=Official())
    assert_alike(played, "NIFTY")
    assert [chain.expiry for chain in states(played, "NIFTY", is_plain=False)[-1].chains] == [WEEKLY]


def test_what_was_told_is_read_back_without_its_bytes_and_remembered_by_nothing_else() -> None:
    (state,) = states(market(page()), "NIFTY", is_plain=False)
    told = tell_state(state)
    assert decode(told, MarketState) is state
    assert decode(bytes(told), MarketState) == state
    assert deepcopy(told) is told
    job = tell_job(DecisionInput(Scrip("NIFTY"), state, PositionInfo(Position("NIFTY"), Account(0, 0))), told)
    assert job == encode(decode(bytes(job), DecisionInput))
    assert told_job(job) == told_job(bytes(job))
    assert told_job(job).market_state is state
