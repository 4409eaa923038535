"""When the next decision is due, and why."""

import datetime

import pytest
from msgspec.structs import replace

from participant.core.due import Seen, due, seen
from participant.core.market import SECOND, Chain, LookBack, MarketState, Quote, Strike
from participant.core.scrip import PRICE_UNITS, Scrip

SCRIP = Scrip("NIFTY", decide_every_s=60, spot_move_bp=10, straddle_move_bp=150, depth_move_share=0.5)
LAST = Seen(at=1_000 * SECOND, spot=1_000_000, straddle=10_000, depth=1_000)


def test_the_first_decision_is_always_due() -> None:
    assert due(SCRIP, None, LAST) == "first"


def test_nothing_is_due_while_nothing_moves() -> None:
    assert due(SCRIP, LAST, LAST) == ""


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"at": 1_060 * SECOND}, "time"),
        ({"at": 1_060 * SECOND - 1}, ""),
        ({"spot": 1_001_000}, "spot"),
        ({"spot": 999_000}, "spot"),
        ({"spot": 1_000_999}, ""),
        ({"spot": 999_001}, ""),
        ({"straddle": 10_150}, "volatility"),
        ({"straddle": 9_850}, "volatility"),
        ({"straddle": 10_149}, ""),
        ({"depth": 1_500}, "depth"),
        ({"depth": 500}, "depth"),
        ({"depth": 1_499}, ""),
        ({"at": 1_060 * SECOND, "spot": 2_000_000}, "time"),
    ],
)
def test_a_decision_is_due_from_each_threshold_on(changes: dict[str, int], reason: str) -> None:
    assert due(SCRIP, LAST, replace(LAST, **changes)) == reason


def test_a_straddle_or_depth_that_was_not_seen_is_not_compared() -> None:
    blind = replace(LAST, straddle=0, depth=0)
    assert due(SCRIP, blind, replace(LAST, straddle=99_999, depth=99_999)) == ""


def quote(mid: int, size: int = 10) -> Quote:
    return Quote(mid - 5, mid + 5, size, size, 1)


def state(*chains: Chain) -> MarketState:
    return MarketState("s", "NIFTY", 7, 8, "one", 100 * PRICE_UNITS, (), chains, LookBack())


def test_what_is_seen_is_the_straddle_nearest_to_the_spot() -> None:
    rows = (
        Strike(90 * PRICE_UNITS, quote(1_000), quote(100)),
        Strike(99 * PRICE_UNITS, quote(500), None),
        Strike(105 * PRICE_UNITS, quote(300, 20), quote(700)),
    )
    chain = Chain(datetime.date(2026, 12, 29), 75, 5, 1_800, rows)
    assert seen(state(chain)) == Seen(7, 100 * PRICE_UNITS, 1_000, 60)


def test_an_expiry_without_a_whole_straddle_is_passed_over() -> None:
    first = Chain(datetime.date(2026, 12, 1), 75, 5, 1_800, (Strike(100 * PRICE_UNITS, quote(500), None),))
    second = Chain(datetime.date(2026, 12, 8), 75, 5, 1_800, (Strike(100 * PRICE_UNITS, quote(500), quote(400)),))
    assert seen(state(first, second)).straddle == 900


def test_without_any_straddle_only_spot_and_time_count() -> None:
    assert seen(state()) == Seen(7, 100 * PRICE_UNITS, 0, 0)
