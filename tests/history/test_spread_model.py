"""Quotes around last prices: how wide, for whom, and that they are no narrower than real ones."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from participant.core.market import SECOND
from participant.core.scrip import Kind
from participant.history import readers
from participant.history.pages import Cell, Page, Tally
from participant.history.spread_model import SIZE_LOTS, SPREADS, TICK, Trading, model, quote, share
from tests.history.recorded import DATA, needs_data

NINE = 1_555_558_200 * SECOND  # 18 April 2019, 09:00 IST
MINUTE = 60 * SECOND
EXPIRY = datetime.date(2019, 4, 25)


def page(minutes: int, *cells: Cell) -> Page:
    return Page(NINE + minutes * MINUTE, "NIFTY", EXPIRY, 0, cells, len(cells), "by hand")


def call(strike: int = 116_000_000, last: int = 1_000_000, volume: int = 0) -> Cell:
    return Cell(Kind.CALL, strike, last=last, volume=volume)


def quoted(trading: Trading, pages: list[Page], lot: int = 75) -> list[list[tuple[int, int]]]:
    return [[(c.bid, c.ask) for c in trading.quoted(page, lot).cells] for page in pages]


# --- how wide -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last", "bid", "ask"),
    [
        (500, 0, 1_000),  # five paise: nobody bids
        (10_000, 9_000, 11_000),  # 20 % of Rs 1
        (1_000_000, 995_000, 1_005_000),  # 1 % of Rs 100
        (1_500_000, 1_491_000, 1_509_000),  # 1.2 %: half way between two levels
        (20_000_000, 19_780_000, 20_220_000),  # 2.2 % beyond the last level
        (1_000_200, 995_000, 1_005_500),  # off the tick: outwards
    ],
)
def test_the_spread_is_the_measured_share_of_the_premium(last: int, bid: int, ask: int) -> None:
    assert quote(last) == (bid, ask)


def test_each_level_has_its_own_share() -> None:
    assert [share(level) for level, _ in SPREADS] == [spread for _, spread in SPREADS]


@given(st.integers(1, 10**9))
def test_a_quote_is_on_ticks_and_a_tick_or_more_on_each_side(last: int) -> None:
    bid, ask = quote(last)
    assert bid % TICK == ask % TICK == 0
    assert ask - last >= TICK
    assert bid == 0 or last - bid >= TICK


def test_sizes_are_a_few_lots_and_none_where_there_is_no_bid() -> None:
    cheap, dear = call(last=500), call(117_000_000)
    (first, second) = model((cheap, dear), {(c.kind, c.strike) for c in (cheap, dear)}, 75)
    assert (first.bid_size, first.ask_size) == (0, SIZE_LOTS * 75)
    assert (second.bid_size, second.ask_size) == (SIZE_LOTS * 75, SIZE_LOTS * 75)


def test_without_a_last_price_there_is_nothing_to_quote_around() -> None:
    cell = call(last=0)
    assert model((cell,), {(cell.kind, cell.strike)}, 75) == (cell,)


# --- for whom -------------------------------------------------------------------------------------------------------


def test_a_snapshot_is_quoted_once_its_volume_was_seen_to_grow() -> None:
    pages = [page(0, call(volume=750)), page(5, call(volume=750)), page(10, call(volume=825))]
    assert quoted(Trading(is_bars=False), pages) == [[(0, 0)], [(0, 0)], [(995_000, 1_005_000)]]


def test_a_snapshot_that_has_not_traded_for_fifteen_minutes_has_no_quote() -> None:
    grown = [page(0, call(volume=1)), page(5, call(volume=2))]
    later = [page(20, call(volume=2)), page(21, call(volume=2)), page(22, call(volume=3))]
    found = quoted(Trading(is_bars=False), grown + later)
    assert [bool(bid) for ((bid, _),) in found] == [False, True, True, False, True]


def test_a_volume_that_begins_anew_is_no_trade() -> None:
    found = quoted(Trading(is_bars=False), [page(0, call(volume=100)), page(5, call(volume=0)), page(10, call())])
    assert found == [[(0, 0)]] * 3


def test_a_bar_with_volume_is_quoted_and_one_filled_up_stays_so_for_fifteen_minutes() -> None:
    bars = [page(0, call(volume=75)), page(15, call()), page(16, call())]
    found = quoted(Trading(is_bars=True), bars)
    assert [bool(bid) for ((bid, _),) in found] == [True, True, False]


def test_bars_sum_up_to_the_volume_of_the_day() -> None:
    trading = Trading(is_bars=True)
    volumes = [trading.quoted(p, 75).cells[0].volume for p in (page(0, call(volume=75)), page(1, call(volume=150)))]
    assert volumes == [75, 225]


def test_a_contract_without_a_bar_stands_while_it_has_traded_lately() -> None:
    other = call(117_000_000, volume=75)
    bars = [page(0, call(volume=75)), page(1, other), page(16, other)]
    trading = Trading(is_bars=True)
    found = [trading.quoted(p, 75) for p in bars]
    assert [[c.strike for c in p.cells] for p in found] == [[116_000_000], [116_000_000, 117_000_000], [117_000_000]]
    assert [p.rows for p in found] == [1, 1, 1]
    assert all(p.is_modelled for p in found)


def test_expiries_and_symbols_trade_by_themselves() -> None:
    trading = Trading(is_bars=True)
    trading.quoted(page(0, call(volume=75)), 75)
    other = Page(NINE, "NIFTY", datetime.date(2019, 5, 2), 0, (call(),), 1, "by hand")
    assert trading.quoted(other, 75).cells == (call(),)


@needs_data
def test_real_quotes_of_june_2019_are_mostly_within_the_modelled_ones() -> None:
    (source,), _ = readers.find([DATA / "nse_chain_multi_expiry_2019_06" / "NIFTY.parquet"])
    day = datetime.date(2019, 6, 13)
    before: dict[tuple[datetime.date, Kind, int], int] = {}
    wider = inside = seen = 0
    for chain in readers.read(source, (day, day), lambda _symbol, _expiry: 75, Tally()):
        for cell in chain.cells:
            key = (chain.expiry, cell.kind, cell.strike)
            if 0 < cell.bid < cell.ask and cell.last and cell.volume > before.get(key, cell.volume):
                bid, ask = quote(cell.last)
                seen += 1
                wider += ask - bid >= cell.ask - cell.bid
                inside += ask >= cell.ask
            before[key] = cell.volume
    assert seen > 1_000
    assert wider / seen > 0.7
    assert inside / seen > 0.7
