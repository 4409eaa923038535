"""A decision may not change with what comes after it: the desk's do not, and three planted leaks are caught."""

import datetime
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec.structs import replace

from participant.core.market import Chain, LookBack, Quote, Strike
from participant.core.rulebook import Rulebook
from participant.history.derived import look_back
from participant.history.pages import BadData
from participant.history.recorded import RecordedMarket
from participant.history.recordings import Recordings, load_day
from participant.history.synthetic import Instant
from participant.research.backtest import CoveredCall, backtest
from participant.research.days import Span
from participant.research.lookahead import check_lookahead
from tests.days.__main__ import EAGER, OFFICIAL
from tests.history.recorded import DATA, needs_data

DATA_OF_APRIL = [DATA / "nse_chain_2018_10_to_2019_04", DATA / OFFICIAL]
SPAN = Span(datetime.date(2019, 4, 11), datetime.date(2019, 4, 12))
STRATEGY = CoveredCall(("NIFTY", "BANKNIFTY"), EAGER)


class _SeesTheNextQuotes(RecordedMarket):
    """Shows at each instant the quotes of the next one."""

    def sheets(self) -> Iterator[Instant]:
        shown = list(super().sheets())
        for now, following in pairwise(shown):
            ticks = tuple(replace(tick, exchange_at=now.at) for tick in following.ticks)
            chains = {s: {e: _told_at(c, now.at) for e, c in of.items()} for s, of in following.chains.items()}
            yield replace(now, ticks=ticks, chains=chains)
        yield shown[-1]


def _told_at(chain: Chain, at: int) -> Chain:
    """The chain as if its exchange had told it at an instant."""
    rows = tuple(Strike(row.strike, _quoted_at(row.call, at), _quoted_at(row.put, at)) for row in chain.strikes)
    return replace(chain, strikes=rows)


def _quoted_at(quote: Quote | None, at: int) -> Quote | None:
    return replace(quote, exchange_at=at) if quote is not None else None


class _KnowsTonightsVolatility(RecordedMarket):
    """Counts the day itself among the sessions before it."""

    def look_back(self, symbol: str) -> LookBack:
        return look_back(self._official, symbol, self.day + datetime.timedelta(days=1))


class _LeavesOutWhatEndsHigher(RecordedMarket):
    """Plays the instants at which the index stands above tonight's close, as a list made afterwards would."""

    def sheets(self) -> Iterator[Instant]:
        close = self._official.close("NIFTY", self.day) or 0
        *most, last = super().sheets()
        for instant in most:
            spot = next((t.last for t in instant.ticks if t.contract == "NIFTY"), 0)
            if spot > close:
                yield instant
        yield last


def leaky(kind: type[RecordedMarket]) -> Callable[[Recordings, datetime.date, Rulebook, Sequence[str]], RecordedMarket]:
    """Loads a day as one that leaks."""

    def load(recordings: Recordings, day: datetime.date, rules: Rulebook, symbols: Sequence[str]) -> RecordedMarket:
        good = load_day(recordings, day, rules, symbols)
        return kind(day, good._recording, recordings.official, rules)

    return load


@needs_data
def test_no_decision_of_the_desk_changes_with_its_future() -> None:
    found = check_lookahead(STRATEGY, DATA_OF_APRIL, SPAN, 10_000_000)
    assert found.leaks == ()
    assert (found.days, found.cuts) == (2, 4)
    assert found.decisions > 20
    assert str(found).startswith("look-ahead: none; ")


@needs_data
@pytest.mark.parametrize("kind", [_SeesTheNextQuotes, _KnowsTonightsVolatility, _LeavesOutWhatEndsHigher])
def test_a_planted_leak_is_caught(kind: type[RecordedMarket]) -> None:
    found = check_lookahead(STRATEGY, DATA_OF_APRIL, SPAN, 10_000_000, leaky(kind))
    assert found.leaks
    assert all(leak.decided_for <= leak.cut for leak in found.leaks)
    assert "knew what came after" in str(found)


@needs_data
def test_the_days_looked_at_are_those_of_the_run_also_one_that_only_settles(tmp_path: Path) -> None:
    """The pages of the 15th are gone: what the 12th bought is marked on it at the official prices."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    days = [datetime.datetime.fromisoformat(f"2019-04-{day} 00:00+05:30") for day in (12, 13, 16, 17)]
    spans = [[("ts_ist", ">=", since), ("ts_ist", "<", until)] for since, until in (days[:2], days[2:])]
    pages = DATA_OF_APRIL[0] / "BANKNIFTY_near_expiry.parquet"
    pq.write_table(pa.concat_tables([pq.read_table(pages, filters=span) for span in spans]), tmp_path / "two.parquet")
    data, span = [tmp_path / "two.parquet", DATA_OF_APRIL[1]], Span(days[0].date(), days[2].date())
    strategy = CoveredCall(("BANKNIFTY",), EAGER)
    run = backtest(strategy, data, span, 10_000_000, tmp_path / "run")
    found = check_lookahead(strategy, data, span, 10_000_000)
    assert (found.days, found.cuts, found.leaks) == (run.summary.counts["days"], 4, ()) == (3, 4, ())


@needs_data
def test_a_span_without_a_playable_day_is_refused() -> None:
    with pytest.raises(BadData, match="nothing to look at"):
        check_lookahead(STRATEGY, DATA_OF_APRIL, Span(datetime.date(2019, 4, 17), datetime.date(2019, 4, 17)), 1_000)
