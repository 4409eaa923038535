"""The repeated market of the measurements keeps what the market says, under other names and at another pace."""

import datetime

import pytest

from bench.repeated import Pace, RepeatedMarket
from participant.config import load_rules
from participant.core.board import Board, observe
from participant.core.market import SECOND, MarketState, Reference, Ticks
from participant.core.snapshot import snapshot
from participant.history.synthetic import SyntheticMarket

DAY = datetime.date(2026, 11, 25)


@pytest.fixture(scope="module")
def made() -> SyntheticMarket:
    return SyntheticMarket(5, DAY, load_rules(), ("NIFTY", "BANKNIFTY"), step_s=3600)


def state_of(market: RepeatedMarket | SyntheticMarket, symbol: str, upto: int = 1) -> MarketState | None:
    """What the desk would make of a scrip after so many instants."""
    board = Board("one")
    for instant, _ in zip(market.instants(), range(upto), strict=False):
        board = observe(board, Ticks("one", instant.at, instant.ticks, is_snapshot=board.received_at == 0))
    mine = tuple(c for c in market.contracts() if c.underlying == symbol)
    return snapshot(board, Reference(symbol, mine, market.look_back(symbol), market.provenance(symbol)))


def test_scrips_come_in_turn_under_numbered_names(made: SyntheticMarket) -> None:
    market = RepeatedMarket(made, 5)
    assert market.symbols == ("NIFTY01", "BANKNIFTY01", "NIFTY02", "BANKNIFTY02", "NIFTY03")
    assert {c.underlying for c in market.contracts()} == set(market.symbols)
    assert len({c.key for c in market.contracts()}) == len(market.contracts())


def test_a_copy_is_quoted_as_the_scrip_that_it_repeats(made: SyntheticMarket) -> None:
    market = RepeatedMarket(made, 4)
    origin, copy = state_of(made, "BANKNIFTY"), state_of(market, "BANKNIFTY02")
    assert origin is not None
    assert copy is not None
    assert (copy.spot, copy.chains, copy.look_back) == (origin.spot, origin.chains, origin.look_back)
    assert [f.quote for f in copy.futures] == [f.quote for f in origin.futures]
    assert copy.marks == (*origin.marks, "repeats BANKNIFTY")


def test_every_copy_has_its_official_prices(made: SyntheticMarket) -> None:
    market = RepeatedMarket(made, 4)
    prices, origin = market.settlements(), made.settlements()
    assert prices["NIFTY02"] == origin["NIFTY"]
    assert len(prices) == 2 * len(origin)
    keys = {c.key for c in market.contracts()} | set(market.symbols)
    assert prices.keys() <= keys


def test_the_quiet_beginning_shows_a_book_and_no_scrip(made: SyntheticMarket) -> None:
    market = RepeatedMarket(made, 2, Pace(lead_s=15, every_s=10, instants=2))
    quiet, burst, last = market.instants()
    first = next(made.instants()).at
    assert [quiet.at, burst.at, last.at] == [first - 15 * SECOND, first, first + 10 * SECOND]
    assert [i.is_last for i in (quiet, burst, last)] == [False, False, True]
    assert quiet.ticks
    assert state_of(market, "NIFTY01", upto=1) is None
    assert state_of(market, "NIFTY01", upto=2) is not None


def test_ticks_move_in_time_with_their_instant(made: SyntheticMarket) -> None:
    *_, last = RepeatedMarket(made, 2, Pace(every_s=10, instants=2)).instants()
    assert {t.exchange_at for t in last.ticks} == {last.at}


def test_without_a_pace_the_day_keeps_its_own_times(made: SyntheticMarket) -> None:
    assert [i.at for i in RepeatedMarket(made, 1).instants()] == [i.at for i in made.instants()]
