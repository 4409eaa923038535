"""Quotes around last prices: how wide, for whom, and that they are no narrower than real ones."""

import datetime
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from participant.core.market import SECOND
from participant.core.scrip import Kind
from participant.history import readers
from participant.history.pages import Cell, Page, Tally
from participant.history.spread_model import FAR_INDEX, NEAR_INDEX, STOCK, TICK, Trading, Width, quote, width
from tests.history.recorded import DATA, needs_data

NINE = 1_555_558_200 * SECOND  # 18 April 2019, 09:00 IST
MINUTE = 60 * SECOND
EXPIRY = datetime.date(2019, 4, 25)
WIDTHS = (NEAR_INDEX, FAR_INDEX, STOCK)


def page(minutes: int, *cells: Cell, symbol: str = "NIFTY") -> Page:
    return Page(NINE + minutes * MINUTE, symbol, EXPIRY, 0, cells, len(cells), "by hand")


def call(strike: int = 116_000_000, last: int = 1_000_000, volume: int = 0) -> Cell:
    return Cell(Kind.CALL, strike, last=last, volume=volume)


def quoted(trading: Trading, pages: list[Page], lot: int = 75) -> list[list[tuple[int, int]]]:
    return [[(c.bid, c.ask) for c in trading.quoted(page, lot).cells] for page in pages]


# --- how wide -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last", "other", "of", "bid", "ask"),
    [
        (500, 1_000, NEAR_INDEX, 0, 1_000),  # five paise: nobody bids
        (10_000, 3_000_000, NEAR_INDEX, 9_500, 10_500),  # a tick on either side is more than half of 9.45 paise
        (1_000_000, 1_000_000, NEAR_INDEX, 997_000, 1_003_000),  # Rs 0.09 and 0.45 % of Rs 100: 0.27 each side
        (3_000_000, 1_000_000, NEAR_INDEX, 2_979_500, 3_020_500),  # and 1.3 % of the Rs 200 it is in the money
        (1_000_000, 0, NEAR_INDEX, 990_500, 1_009_500),  # without a partner all of it counts
        (100_000, 900_000, FAR_INDEX, 96_500, 103_500),  # Rs 0.43 and 1.9 % of Rs 10: 0.31 each side
        (3_000_000, 0, FAR_INDEX, 2_969_000, 3_031_000),  # in the money or not
        (500_000, 100_000, STOCK, 488_000, 512_000),  # Rs 0.18, 0.8 % of Rs 50 and 4.5 % of Rs 40: 1.19
        (1_000_200, 1_000_200, NEAR_INDEX, 997_000, 1_003_000),  # off the tick: outwards
    ],
)
def test_the_spread_grows_with_the_premium_and_what_is_in_the_money(
    last: int, other: int, of: Width, bid: int, ask: int
) -> None:
    assert quote(last, other, of) == (bid, ask)


@given(st.integers(1, 10**9), st.integers(0, 10**9), st.sampled_from(WIDTHS))
def test_a_quote_is_on_ticks_and_a_tick_or_more_on_each_side(last: int, other: int, of: Width) -> None:
    bid, ask = quote(last, other, of)
    assert bid % TICK == ask % TICK == 0
    assert ask - last >= TICK
    assert bid == 0 or last - bid >= TICK


def test_stocks_and_an_index_before_and_after_eight_days_have_their_own_widths() -> None:
    assert [width("BANKNIFTY", days) for days in (0, 7, 8)] == [NEAR_INDEX, NEAR_INDEX, FAR_INDEX]
    assert width("RELIANCE", 3) == STOCK


def test_what_a_contract_is_in_the_money_is_told_by_the_other_option_of_its_strike() -> None:
    cells = (call(last=3_000_000, volume=75), Cell(Kind.PUT, 116_000_000, last=1_000_000, volume=75))
    found = Trading(is_bars=True).quoted(page(0, *cells), 75).cells
    assert [(c.bid, c.ask) for c in found] == [(2_979_500, 3_020_500), (997_000, 1_003_000)]


def test_sizes_are_two_lots_and_none_where_there_is_no_bid() -> None:
    pages = page(0, call(last=500, volume=75), call(117_000_000, volume=75))
    (first, second) = Trading(is_bars=True).quoted(pages, 75).cells
    assert (first.bid_size, first.ask_size) == (0, 150)
    assert (second.bid_size, second.ask_size) == (150, 150)


def test_without_a_last_price_there_is_nothing_to_quote_around() -> None:
    cell = call(last=0, volume=75)
    assert Trading(is_bars=True).quoted(page(0, cell), 75).cells == (cell,)


# --- for whom -------------------------------------------------------------------------------------------------------


def test_a_snapshot_is_quoted_once_its_volume_was_seen_to_grow() -> None:
    pages = [page(0, call(volume=750)), page(5, call(volume=750)), page(10, call(volume=825))]
    assert quoted(Trading(is_bars=False), pages) == [[(0, 0)], [(0, 0)], [(990_500, 1_009_500)]]


@pytest.mark.parametrize(("symbol", "minutes"), [("NIFTY", 4), ("RELIANCE", 15)])
def test_a_snapshot_that_has_not_traded_for_some_minutes_has_no_quote(symbol: str, minutes: int) -> None:
    volumes = {0: 1, 5: 2, 5 + minutes: 2, 6 + minutes: 2, 7 + minutes: 3}
    pages = [page(at, call(volume=volume), symbol=symbol) for at, volume in volumes.items()]
    found = quoted(Trading(is_bars=False), pages)
    assert [bool(bid) for ((bid, _),) in found] == [False, True, True, False, True]


def test_a_volume_that_begins_anew_is_no_trade() -> None:
    found = quoted(Trading(is_bars=False), [page(0, call(volume=100)), page(5, call(volume=0)), page(10, call())])
    assert found == [[(0, 0)]] * 3


def test_a_bar_with_volume_is_quoted_and_one_filled_up_stays_so_for_four_minutes() -> None:
    bars = [page(0, call(volume=75)), page(4, call()), page(5, call())]
    found = quoted(Trading(is_bars=True), bars)
    assert [bool(bid) for ((bid, _),) in found] == [True, True, False]


def test_bars_sum_up_to_the_volume_of_the_day() -> None:
    trading = Trading(is_bars=True)
    volumes = [trading.quoted(p, 75).cells[0].volume for p in (page(0, call(volume=75)), page(1, call(volume=150)))]
    assert volumes == [75, 225]


def test_a_contract_without_a_bar_stands_while_it_has_traded_lately() -> None:
    other = call(117_000_000, volume=75)
    bars = [page(0, call(volume=75)), page(1, other), page(5, other)]
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
@pytest.mark.parametrize("folder", ["nse_chain_multi_expiry_2019_06", "nse_stock_chain_2019_06"])
def test_of_the_real_spreads_of_a_day_about_three_in_four_are_no_wider(folder: str) -> None:
    on = datetime.date(2019, 6, 13)
    before: dict[tuple[str, datetime.date, Kind, int], int] = {}
    found: dict[Width, list[bool]] = {}
    sources, _ = readers.find([DATA / folder])
    read = (readers.read(source, (on, on), lambda _symbol, _expiry: 75, Tally()) for source in sources)
    for chain in itertools.chain.from_iterable(read):
        lasts = {(cell.kind, cell.strike): cell.last for cell in chain.cells}
        of = width(chain.symbol, (chain.expiry - on).days)
        for cell in chain.cells:
            key = (chain.symbol, chain.expiry, cell.kind, cell.strike)
            if 0 < cell.bid < cell.ask and cell.last and cell.volume > before.get(key, cell.volume):
                other = lasts.get((Kind.PUT if cell.kind is Kind.CALL else Kind.CALL, cell.strike), 0)
                bid, ask = quote(cell.last, other, of)
                found.setdefault(of, []).append(ask - bid >= cell.ask - cell.bid)
            before[key] = cell.volume
    assert set(found) == ({STOCK} if "stock" in folder else {NEAR_INDEX, FAR_INDEX})
    for no_wider in found.values():
        assert len(no_wider) > 1_000
        assert 0.65 < sum(no_wider) / len(no_wider) < 0.85
