"""The Clock port's promise, held by every adapter; then what moves the virtual one.

A further clock is one more row: a function that makes it for a test and takes it away again.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import httpx
import pytest

from participant.adapters.clocks.steady import SteadyClock
from participant.adapters.clocks.system import SystemClock
from participant.adapters.clocks.venue import VenueClock
from participant.adapters.clocks.virtual import VirtualClock
from participant.ports import Clock
from participant.venue.server import FREE, LOCKSTEP
from tests.venue.made import MadeMarket, running

YEAR = 365 * 24 * 3600 * 1_000_000_000
START = 1_795_405_500_000_000_000  # 23 Nov 2026 09:15 in India


@contextmanager
def of_a_venue(mode: str) -> Iterator[Clock]:
    with running(MadeMarket(), mode, speed=60.0) as venue:
        httpx.post(f"{venue.url}/start")
        clock = VenueClock(venue.url)
        yield clock
        clock.close()


ADAPTERS: dict[str, Callable[[], AbstractContextManager[Clock]]] = {
    "virtual": lambda: nullcontext(VirtualClock(START)),
    "system": lambda: nullcontext(SystemClock()),
    "steady": lambda: nullcontext(SteadyClock()),
    "venue in lockstep": lambda: of_a_venue(LOCKSTEP),
    "venue by itself": lambda: of_a_venue(FREE),
}


@pytest.fixture(params=ADAPTERS)
def clock(request: pytest.FixtureRequest) -> Iterator[Clock]:
    with ADAPTERS[request.param]() as made:
        yield made


# --- every clock ------------------------------------------------------------------------------------------------------


def test_now_is_in_nanoseconds_since_the_epoch(clock: Clock) -> None:
    assert isinstance(clock.now(), int)
    assert 30 * YEAR < clock.now() < 130 * YEAR


def test_now_does_not_go_back(clock: Clock) -> None:
    readings = [clock.now() for _ in range(20)]
    assert readings == sorted(readings)


def test_an_instant_may_be_released_again_and_time_does_not_go_back(clock: Clock) -> None:
    before = clock.now()
    clock.release(before)
    clock.release(before)
    assert clock.now() >= before


# --- virtual ----------------------------------------------------------------------------------------------------------


def test_a_virtual_clock_stands_until_it_is_moved() -> None:
    clock = VirtualClock(START)
    assert (clock.now(), clock.now()) == (START, START)
    clock.advance(5)
    assert clock.now() == START + 5
    clock.set(START + 9)
    clock.set(START + 9)
    assert clock.now() == START + 9


def test_a_virtual_clock_refuses_to_go_back() -> None:
    clock = VirtualClock(START)
    with pytest.raises(ValueError, match="does not go back"):
        clock.set(START - 1)
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(-1)
    assert clock.now() == START


def test_a_virtual_clock_keeps_what_was_released_and_is_not_moved_by_it() -> None:
    clock = VirtualClock(START)
    clock.release(START)
    clock.release(START + 60)
    assert clock.released == [START, START + 60]
    assert clock.now() == START


# --- the venue's (tests/venue holds it against the venue's own time) --------------------------------------------------


def test_the_clock_of_a_venue_that_stays_away_says_so_within_its_patience() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    clock = VenueClock(url, timeout_s=0.2, patience_s=0.2)
    for ask in (clock.now, lambda: clock.release(START)):
        with pytest.raises(ConnectionError, match="is it running"):
            ask()
    clock.close()
