"""The made market: the same for ever, joined from day to day, quoted as a market is quoted."""

import datetime
from collections import defaultdict
from itertools import pairwise
from math import log
from statistics import median

import pytest

from participant.config import load_rules
from participant.core.board import Board, observe
from participant.core.market import SECOND, Mark, Quote, Reference, Tick, Ticks
from participant.core.scrip import Contract, Kind
from participant.core.snapshot import snapshot
from participant.core.volatility import iv30, rank, realised
from participant.history import paths
from participant.history.quotes import Smile, liquidity_of
from participant.history.synthetic import Instant, SyntheticMarket

RULES = load_rules()
DAY = datetime.date(2026, 11, 30)
EXPIRY_DAY = datetime.date(2026, 12, 8)
RICH, CALM = (5, datetime.date(2026, 11, 26)), (4, datetime.date(2026, 11, 11))


@pytest.fixture(scope="module")
def market() -> SyntheticMarket:
    return SyntheticMarket(7, DAY, RULES, ("NIFTY", "BANKNIFTY"), 900)


@pytest.fixture(scope="module")
def instants(market: SyntheticMarket) -> list[Instant]:
    return list(market.instants())


@pytest.fixture(scope="module")
def expiry_day() -> list[Instant]:
    return list(SyntheticMarket(7, EXPIRY_DAY, RULES, step_s=900).instants())


def books(instants: list[Instant]) -> list[dict[str, Tick]]:
    """The whole book after each instant."""
    book: dict[str, Tick] = {}
    found = []
    for instant in instants:
        book.update({tick.contract: tick for tick in instant.ticks})
        found.append(dict(book))
    return found


def rows(contracts: tuple[Contract, ...], kind: Kind) -> dict[tuple[str, datetime.date], list[Contract]]:
    found = defaultdict(list)
    for contract in contracts:
        if contract.kind is kind:
            found[contract.underlying, contract.expiry].append(contract)
    return found


def test_the_same_seed_makes_the_same_day(market: SyntheticMarket, instants: list[Instant]) -> None:
    again = SyntheticMarket(7, DAY, RULES, ("NIFTY", "BANKNIFTY"), 900)
    assert list(again.instants()) == instants
    assert list(market.instants()) == instants
    assert again.settlements() == market.settlements()


def test_an_underlying_is_the_same_in_any_company_and_another_under_another_seed(instants: list[Instant]) -> None:
    alone = list(SyntheticMarket(7, DAY, RULES, ("NIFTY",), 900).instants())
    assert [[t for t in i.ticks if t.contract.startswith("NIFTY")] for i in instants] == [list(i.ticks) for i in alone]
    assert list(SyntheticMarket(8, DAY, RULES, ("NIFTY",), 900).instants()) != alone


def test_a_day_runs_from_open_to_close_and_its_first_instant_holds_everything(
    market: SyntheticMarket, instants: list[Instant]
) -> None:
    session = RULES.session(DAY)
    assert session is not None
    assert (instants[0].at, instants[-1].at) == (session.open_at, session.close_at)
    assert [i.is_last for i in instants] == [False] * (len(instants) - 1) + [True]
    assert {b.at - a.at for a, b in pairwise(instants[:-1])} == {900 * SECOND}
    everything = {c.key for c in market.contracts()} | {"NIFTY", "BANKNIFTY"}
    assert {t.contract for t in instants[0].ticks} == everything
    assert all(t.exchange_at == i.at for i in instants for t in i.ticks)


def test_an_instant_holds_what_changed_and_nothing_else(instants: list[Instant]) -> None:
    for before, instant in zip(books(instants), instants[1:], strict=False):
        for tick in instant.ticks:
            assert _figures(tick) != _figures(before[tick.contract])


def _figures(tick: Tick) -> tuple[int, ...]:
    return tick.bid, tick.ask, tick.bid_size, tick.ask_size, tick.last


def test_quotes_are_on_ticks_in_lots_and_never_crossed(market: SyntheticMarket, instants: list[Instant]) -> None:
    contracts = {c.key: c for c in market.contracts()}
    for tick in (t for i in instants for t in i.ticks if t.contract in contracts):
        contract = contracts[tick.contract]
        assert tick.bid % contract.tick == tick.ask % contract.tick == 0
        assert tick.bid_size % contract.lot == tick.ask_size % contract.lot == 0
        assert 0 <= tick.bid < tick.ask
        assert (tick.bid_size > 0) == (tick.bid > 0)
        assert tick.ask_size > 0


def test_no_strike_is_an_arbitrage_of_its_neighbours(market: SyntheticMarket, instants: list[Instant]) -> None:
    calls, puts = rows(market.contracts(), Kind.CALL), rows(market.contracts(), Kind.PUT)
    for book in books(instants)[::6]:
        for line in calls.values():
            mids = [book[c.key].bid + book[c.key].ask for c in line]
            assert all(a >= b for a, b in pairwise(mids))
            assert_no_butterfly(line, book)
        for line in puts.values():
            mids = [book[c.key].bid + book[c.key].ask for c in line]
            assert all(a <= b for a, b in pairwise(mids))
            assert_no_butterfly(line, book)


def assert_no_butterfly(line: list[Contract], book: dict[str, Tick]) -> None:
    """The middle of three strikes is never worth more than its neighbours' weighted mean, but for half a tick each."""
    for low, middle, high in zip(line, line[1:], line[2:], strict=False):
        share = (high.strike - middle.strike) / (high.strike - low.strike)
        a, b, c = ((book[x.key].bid + book[x.key].ask) / 2 for x in (low, middle, high))
        assert b <= share * a + (1 - share) * c + middle.tick


def test_calls_puts_and_futures_agree(market: SyntheticMarket, instants: list[Instant]) -> None:
    book = books(instants)[5]
    calls, puts = rows(market.contracts(), Kind.CALL), rows(market.contracts(), Kind.PUT)
    for (symbol, expiry), (future,) in rows(market.contracts(), Kind.FUTURE).items():
        for call, put in zip(calls[symbol, expiry], puts[symbol, expiry], strict=True):
            parity = call.strike + _mid(book[call.key]) - _mid(book[put.key])
            assert abs(parity - _mid(book[future.key])) <= 2 * call.tick + future.tick


def _mid(tick: Tick) -> float:
    return Quote(tick.bid, tick.ask, tick.bid_size, tick.ask_size, tick.exchange_at).mid


def test_spreads_grow_towards_the_wings(market: SyntheticMarket, instants: list[Instant]) -> None:
    book = books(instants)[0]
    (line,) = (line for (s, e), line in rows(market.contracts(), Kind.CALL).items() if (s, e) == ("NIFTY", EXPIRY_DAY))
    spot = book["NIFTY"].last
    shares = {c.strike / spot: (t.ask - t.bid) / (t.ask + t.bid) * 2 for c in line if (t := book[c.key]).bid}
    near = [share for moneyness, share in shares.items() if abs(moneyness - 1) < 0.005]
    far = [share for moneyness, share in shares.items() if moneyness > 1.03]
    assert 0.001 < max(near) < 0.01
    assert median(far) > 2 * median(near)
    assert min(far) > max(near)


@pytest.mark.parametrize("days", [(0.5, 2.0), (2.0, 7.0), (7.0, 30.0), (30.0, 45.0)])
@pytest.mark.parametrize("volatility", [0.06, 0.14, 0.45])
def test_a_later_expiry_is_never_worth_less_at_any_strike(days: tuple[float, float], volatility: float) -> None:
    near, far = (Smile(volatility * volatility * d / 365) for d in days)
    for percent in range(60, 141):
        k = log(percent / 100)
        assert far.total(k) >= near.total(k)


def test_the_skew_is_steeper_the_more_variance_is_left() -> None:
    week, month = (0.14 * 0.14 * days / 365 for days in (7, 30))
    slopes = [_relative(variance, -1.0) - _relative(variance, 1.0) for variance in (week, month)]
    assert 0.05 < slopes[0] < slopes[1] < 0.25


def _relative(variance: float, deviations: float) -> float:
    """Volatility over that at the money, so many deviations away."""
    return float((Smile(variance).total(deviations * variance**0.5) / variance) ** 0.5)


def test_far_weeklies_are_quoted_wider_and_thinner_than_monthlies() -> None:
    weekly, monthly = liquidity_of(20.0, is_monthly=False), liquidity_of(20.0, is_monthly=True)
    assert weekly.thinness > 2 * monthly.thinness
    assert weekly.lots < monthly.lots
    assert liquidity_of(6.0, is_monthly=False) == liquidity_of(6.0, is_monthly=True)
    assert liquidity_of(0.0, is_monthly=False).lots == liquidity_of(1.0, is_monthly=False).lots


def test_what_is_listed_once_stays_listed_until_it_expires() -> None:
    day, before = DAY, dict[str, Contract]()
    for _ in range(8):
        now = {c.key: c for c in SyntheticMarket(5, day, RULES, ("NIFTY", "BANKNIFTY")).contracts()}
        gone = [key for key, contract in before.items() if key not in now and contract.expiry >= day]
        assert gone == []
        day, before = RULES.next_session(day), now


def test_the_master_follows_the_rulebook(market: SyntheticMarket) -> None:
    contracts = market.contracts()
    assert len({c.key for c in contracts}) == len(contracts)
    assert {c.expiry for c in contracts if c.kind is Kind.FUTURE} == set(RULES.future_expiries("NIFTY", DAY))
    lines = rows(contracts, Kind.CALL)
    listed = RULES.expiries("NIFTY", DAY)
    assert all(expiry in listed for symbol, expiry in lines if symbol == "NIFTY")
    for (symbol, expiry), line in lines.items():
        assert 20 <= len(line) <= 120
        assert {(c.lot, c.freeze) for c in line} == {(RULES.lot(symbol, expiry), RULES.freeze(symbol, DAY))}
        assert all(c.strike % RULES.strike_step(symbol, DAY) == 0 for c in line)
    for symbol in market.symbols:
        assert max((expiry - DAY).days for s, expiry in lines if s == symbol) >= 30


def test_days_join(market: SyntheticMarket) -> None:
    tomorrow = SyntheticMarket(7, RULES.next_session(DAY), RULES, ("NIFTY", "BANKNIFTY"))
    for symbol in market.symbols:
        today_back, back = market.look_back(symbol), tomorrow.look_back(symbol)
        assert back.closes[-1] == market.settlements()[symbol]
        assert back.closes[:-1] == today_back.closes[1:]
        assert back.iv30[:-1] == today_back.iv30[1:]
        assert len(back.closes) == len(back.iv30) == paths.LOOK_BACK


def test_the_course_of_a_day_does_not_move_its_close(market: SyntheticMarket, instants: list[Instant]) -> None:
    slow = SyntheticMarket(7, DAY, RULES, ("NIFTY", "BANKNIFTY"), 3_600)
    assert slow.settlements() == market.settlements()
    assert books(list(slow.instants()))[-1]["NIFTY"].last == books(instants)[-1]["NIFTY"].last


def test_the_official_close_is_an_average_near_the_last_value(market: SyntheticMarket, instants: list[Instant]) -> None:
    official, last = market.settlements()["NIFTY"], books(instants)[-1]["NIFTY"].last
    assert official != last
    assert abs(official / last - 1) < 0.01


def test_what_expires_settles_at_the_official_close_and_a_future_that_lives_on_at_its_own() -> None:
    day = RULES.future_expiries("NIFTY", DAY)[0]
    prices = SyntheticMarket(7, day, RULES, step_s=3_600).settlements()
    keys = [key for key in prices if key != "NIFTY"]
    assert prices[keys[0]] == prices["NIFTY"]
    assert all(prices[key] > prices["NIFTY"] for key in keys[1:])


def test_what_expires_trades_until_its_own_close_and_then_goes_dark(expiry_day: list[Instant]) -> None:
    stop = RULES.expiry_at(EXPIRY_DAY)
    for instant, book in zip(expiry_day, books(expiry_day), strict=True):
        expiring = [t for key, t in book.items() if f"-{EXPIRY_DAY:%Y%m%d}-" in key]
        assert expiring
        assert all((t.ask > 0) == (instant.at <= stop) for t in expiring)
    assert expiry_day[-1].at > stop


def test_time_and_volatility_leave_an_option_that_expires(expiry_day: list[Instant]) -> None:
    first, at_stop = (
        books(expiry_day)[0],
        next(b for i, b in zip(expiry_day, books(expiry_day), strict=True) if i.at == RULES.expiry_at(EXPIRY_DAY)),
    )
    outside = [
        k for k in at_stop if f"-{EXPIRY_DAY:%Y%m%d}-" in k and k.endswith("CE") and _strike(k) > at_stop["NIFTY"].last
    ]
    assert sum(first[k].ask for k in outside) > sum(at_stop[k].ask for k in outside)
    assert all(at_stop[k].ask == 500 for k in outside)


def _strike(key: str) -> int:
    return int(key.rsplit("-", 1)[1][:-2]) * 10_000


@pytest.mark.parametrize("seed_day", [RICH, CALM], ids=["rich", "calm"])
def test_the_brain_reads_rich_and_calm_days_as_such(seed_day: tuple[int, datetime.date]) -> None:
    seed, day = seed_day
    market = SyntheticMarket(seed, day, RULES)
    first = next(market.instants())
    board = observe(Board("one"), Ticks("one", first.at, first.ticks, is_snapshot=True))
    board = observe(board, Mark("one", first.at, first.at))
    state = snapshot(board, Reference("NIFTY", market.contracts(), market.look_back("NIFTY")))
    assert state is not None
    now, back = iv30(state, RULES), state.look_back
    assert now == pytest.approx(back.iv30[-1], rel=0.25)
    if seed_day == RICH:
        assert rank(back.iv30, now) > 0.5
        assert now / realised(back.closes) > 1.2
    else:
        assert rank(back.iv30, now) < 0.3


@pytest.mark.parametrize(
    ("day", "symbols", "why"),
    [
        (datetime.date(2026, 12, 25), ("NIFTY",), "no trading day"),
        (datetime.date(2025, 12, 31), ("NIFTY",), "made days begin on 2026-01-01"),
        (DAY, ("TULIP",), "no made market has TULIP"),
    ],
)
def test_a_day_that_cannot_be_made_says_why(day: datetime.date, symbols: tuple[str, ...], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        SyntheticMarket(1, day, RULES, symbols)


def test_a_look_back_is_of_its_own_symbols_only(market: SyntheticMarket) -> None:
    with pytest.raises(ValueError, match="TULIP is not among NIFTY, BANKNIFTY"):
        market.look_back("TULIP")
