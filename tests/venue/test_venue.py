"""The venue as a whole: its time, what it keeps, and its process."""

import datetime
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from participant.adapters.brokers.http import HttpBroker
from participant.adapters.clocks.venue import VenueClock
from participant.core.market import SECOND, LookBack, Provenance
from participant.core.order import Order, Verdict
from participant.core.scrip import Contract, Side, money
from participant.venue.server import FREE, VenueOptions, run_venue
from participant.wire.json import decode
from participant.wire.venue import ClockRow, SessionRow
from tests.source import ROOT
from tests.venue.made import (
    CALL,
    CASH,
    CONTRACTS,
    DAY,
    FUTURE,
    MINUTE,
    OPENS_AT,
    RULES,
    SETTLEMENTS,
    SPOT,
    TODAYS_CALL,
    WAIT_S,
    MadeMarket,
    running,
)

NEXT_DAY = datetime.date(2026, 11, 26)


def order(name: str, contract: Contract = FUTURE, side: Side = Side.BUY, limit: int = 251_010_000) -> Order:
    return Order(name * 16, "decision", "NIFTY", 0, contract, side, 65, limit, 0, 0, 0, sends=1)


def clock(url: str) -> ClockRow:
    return decode(httpx.get(f"{url}/clock").content, ClockRow)


def session(url: str) -> SessionRow:
    return decode(httpx.get(f"{url}/session").content, SessionRow)


def release(url: str, at: int) -> int:
    return httpx.post(f"{url}/release", json={"at": at}).status_code


def until(holds: Callable[[], bool], wait_s: float = WAIT_S) -> bool:
    pause = threading.Event()
    for _ in range(int(wait_s / 0.01)):
        if holds():
            return True
        pause.wait(0.01)
    return False


# --- what is played ---------------------------------------------------------------------------------------------------


def test_the_master_and_the_look_backs_can_be_read() -> None:
    with running(MadeMarket()) as venue:
        assert decode(httpx.get(f"{venue.url}/master").content, tuple[Contract, ...]) == CONTRACTS
        assert decode(httpx.get(f"{venue.url}/lookback/NIFTY").content, LookBack) == LookBack((SPOT,), (0.14,))
        provenance = decode(httpx.get(f"{venue.url}/provenance/NIFTY").content, Provenance)
        assert provenance == Provenance(("made",), (FUTURE.key,))
        assert httpx.get(f"{venue.url}/lookback/NOBODY").status_code == 404
        assert httpx.get(f"{venue.url}/provenance/NOBODY").status_code == 404


def test_the_session_says_what_is_played_and_how() -> None:
    with running(MadeMarket()) as venue:
        said = session(venue.url)

    how = (DAY.isoformat(), "lockstep", 1.0, ("NIFTY",), 1)
    assert said == SessionRow(*how, is_over=False, fix_port=said.fix_port, notes=("made for tests",))
    assert said.fix_port > 0


@pytest.mark.parametrize(("mode", "speed"), [("backwards", 1.0), (FREE, 0.0), (FREE, -1.0)])
def test_a_venue_cannot_play_in_ways_that_do_not_exist(mode: str, speed: float) -> None:
    with pytest.raises(ValueError, match="a venue plays"):
        VenueOptions(mode=mode, speed=speed, cash=CASH)


# --- lockstep ---------------------------------------------------------------------------------------------------------


def test_in_lockstep_time_stands_at_the_first_instant_until_it_is_released() -> None:
    with running(MadeMarket()) as venue:
        assert clock(venue.url) == ClockRow(DAY.isoformat(), OPENS_AT, 0.0, "lockstep")
        assert release(venue.url, OPENS_AT) == 200
        assert clock(venue.url).at == OPENS_AT + MINUTE


def test_releasing_again_does_nothing_and_releasing_ahead_is_refused() -> None:
    with running(MadeMarket()) as venue:
        release(venue.url, OPENS_AT)
        assert release(venue.url, OPENS_AT) == 200
        assert release(venue.url, OPENS_AT + 2 * MINUTE) == 409
        assert httpx.post(f"{venue.url}/release", content=b"what?").status_code == 400
        assert clock(venue.url).at == OPENS_AT + MINUTE


def test_after_the_last_instant_the_day_is_settled() -> None:
    with running(MadeMarket(instants=2)) as venue:
        broker = HttpBroker(venue.url, WAIT_S)
        broker.place(order("a"))
        broker.place(order("b", limit=200_000_000))
        release(venue.url, OPENS_AT)
        assert broker.settlements() is None
        release(venue.url, OPENS_AT + MINUTE)
        assert broker.settlements() == SETTLEMENTS
        assert session(venue.url).is_over
        assert [v.status for v in broker.orders()] == ["complete", "cancelled"]
        assert broker.positions()[0].cost == money(SETTLEMENTS[FUTURE.key], 65)
        assert release(venue.url, OPENS_AT + MINUTE) == 200
        broker.close()


def test_the_clock_of_a_lockstep_venue_follows_its_releases() -> None:
    with running(MadeMarket()) as venue:
        theirs = VenueClock(venue.url, WAIT_S)
        assert theirs.now() == OPENS_AT
        theirs.release(OPENS_AT)
        assert theirs.now() == OPENS_AT + MINUTE
        with pytest.raises(ValueError, match="not been shown"):
            theirs.release(OPENS_AT + 3 * MINUTE)
        theirs.close()


# --- running by itself ------------------------------------------------------------------------------------------------


def test_a_free_venue_waits_for_its_start_and_then_plays_the_day_by_itself() -> None:
    with running(MadeMarket(), FREE, speed=600.0) as venue:
        theirs = VenueClock(venue.url, WAIT_S)
        assert [theirs.now(), theirs.now()] == [OPENS_AT, OPENS_AT]
        assert venue.venue.exchange.instant_at == 0
        httpx.post(f"{venue.url}/start")
        assert until(lambda: session(venue.url).is_over)
        assert venue.venue.exchange.instant_at == OPENS_AT + 3 * MINUTE
        assert theirs.now() >= OPENS_AT + 4 * MINUTE
        theirs.close()


def test_the_clock_of_a_free_venue_runs_on_with_its_speed_and_never_back() -> None:
    with running(MadeMarket(), FREE, speed=60.0) as venue:
        httpx.post(f"{venue.url}/start")
        theirs = VenueClock(venue.url, WAIT_S)
        earlier = theirs.now()
        assert until(lambda: theirs.now() >= earlier + 10 * SECOND)
        before = clock(venue.url).at
        now = theirs.now()
        after = clock(venue.url).at
        # Asked once, it may be off by half of that question's way: a twentieth of a second is three of the venue's.
        assert before - 3 * SECOND <= now <= after + 3 * SECOND
        theirs.release(now)
        theirs.close()


def test_an_order_accepted_late_arrives_between_two_instants() -> None:
    with running(MadeMarket(), FREE, speed=60.0) as venue:
        httpx.post(f"{venue.url}/start")
        broker = HttpBroker(venue.url, WAIT_S)
        assert until(lambda: venue.venue.exchange.instant_at == OPENS_AT)
        faults = {"broker": {"plan": {"1": {"kind": "accept late", "late_s": 10}}}}
        assert httpx.post(f"{venue.url}/faults", json=faults).status_code == 200
        assert broker.place(order("a")).verdict is Verdict.UNKNOWN
        assert until(lambda: bool(broker.find("a")))
        assert OPENS_AT + 10 * SECOND <= broker.find("a")[0].updated_at < OPENS_AT + MINUTE
        broker.close()


def test_each_provider_has_faults_of_its_own_and_unknown_ones_are_refused() -> None:
    with running(MadeMarket()) as venue:
        assert httpx.post(f"{venue.url}/faults", json={"providers": {"two": {"is_silent": True}}}).status_code == 200
        assert [f.is_silent for f in venue.venue.providers.faults.values()] == [False, True, False]
        assert httpx.post(f"{venue.url}/faults", json={"providers": {"four": {}}}).status_code == 400
        assert httpx.post(f"{venue.url}/faults", json={"broker": {"explode": 1}}).status_code == 400


# --- what outlives a venue --------------------------------------------------------------------------------------------


def test_a_venue_that_comes_back_goes_on_where_it_was(tmp_path: Path) -> None:
    state = tmp_path / "venue.json"
    with running(MadeMarket(), state_path=state) as venue:
        broker = HttpBroker(venue.url, WAIT_S)
        release(venue.url, OPENS_AT)
        broker.place(order("a", limit=251_020_000))
        broker.place(order("b", CALL, Side.SELL, 3_030_000))
        before = broker.orders(), broker.positions(), broker.funds()
        broker.close()
    with running(MadeMarket(), state_path=state) as venue:
        broker = HttpBroker(venue.url, WAIT_S)
        assert (broker.orders(), broker.positions(), broker.funds()) == before
        assert clock(venue.url).at == OPENS_AT + MINUTE
        for minute in (1, 2):
            release(venue.url, OPENS_AT + minute * MINUTE)
        assert broker.find("b")[0].status == "complete"
        assert len({v.broker_order_id for v in broker.orders()}) == 2
        broker.close()


def test_what_was_taken_of_a_quote_is_not_there_again_after_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "venue.json"
    filled = []
    for name in ("a", "b"):
        with running(MadeMarket(), state_path=state) as venue:
            broker = HttpBroker(venue.url, WAIT_S)
            for i in range(6):
                broker.place(order(name + str(i), CALL, limit=3_010_000))
            filled.append(sum(v.cum_quantity for v in broker.find(name)))
            broker.close()
    assert filled == [390, 260]


def test_money_and_positions_are_carried_to_the_next_day(tmp_path: Path) -> None:
    state = tmp_path / "venue.json"
    with running(MadeMarket(instants=1), state_path=state) as venue:
        broker = HttpBroker(venue.url, WAIT_S)
        broker.place(order("a"))
        release(venue.url, OPENS_AT)
        positions, cash = broker.positions(), broker.funds().cash
        broker.close()
    with running(MadeMarket(day=NEXT_DAY), state_path=state) as venue:
        broker = HttpBroker(venue.url, WAIT_S)
        assert (broker.positions(), broker.funds().cash) == (positions, cash)
        assert (broker.orders(), broker.settlements()) == ([], None)
        assert not session(venue.url).is_over
        broker.close()


class Tomorrow(MadeMarket):
    """The day after, on which the official prices lack one."""

    lacks = FUTURE.key

    def settlements(self) -> dict[str, int]:
        return {name: price for name, price in SETTLEMENTS.items() if name != self.lacks}


@pytest.mark.parametrize(
    ("market", "contract", "why"),
    [
        (Tomorrow(day=NEXT_DAY), FUTURE, f"{FUTURE.key} is held and has no official price on {NEXT_DAY}"),
        (MadeMarket(day=NEXT_DAY), TODAYS_CALL, f"{TODAYS_CALL.key} is held and expired on {DAY}"),
    ],
)
def test_a_day_on_which_something_held_could_not_be_settled_is_not_begun(
    market: MadeMarket, contract: Contract, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "venue.json"
    with running(MadeMarket(instants=1), state_path=state) as venue:
        broker = HttpBroker(venue.url, WAIT_S)
        broker.place(order("a", contract))
        broker.close()
    assert run_venue(market, RULES, VenueOptions(state_path=state, cash=CASH)) == 2
    assert f"venue: {why}" in capsys.readouterr().err


def test_a_day_whose_official_prices_lack_one_ends_and_says_what_stays_unsettled(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What was bought on the day itself was not there to be asked about when the day began."""
    with running(Tomorrow(instants=1)) as venue:
        broker = HttpBroker(venue.url, WAIT_S)
        broker.place(order("a"))
        cost = broker.positions()[0].cost
        assert release(venue.url, OPENS_AT) == 200
        assert session(venue.url).is_over
        assert (broker.settlements(), broker.positions()[0].cost) == ({"NIFTY": SPOT}, cost)
        broker.close()
    said = f"venue: {FUTURE.key} is held and stays unsettled: there is no official price of {FUTURE.key}"
    assert said in capsys.readouterr().err


def test_a_free_venues_time_goes_on_while_it_is_away(tmp_path: Path) -> None:
    state = tmp_path / "venue.json"
    with running(MadeMarket(), FREE, 60.0, state) as venue:
        httpx.post(f"{venue.url}/start")
        assert until(lambda: venue.venue.exchange.instant_at == OPENS_AT)
        theirs = VenueClock(venue.url, WAIT_S)
        theirs.now()
    with running(MadeMarket(), FREE, 60.0, state) as venue:
        assert abs(clock(venue.url).at - theirs.now()) < 3 * SECOND
        assert until(lambda: venue.venue.exchange.instant_at > OPENS_AT)
        theirs.close()


# --- the process ------------------------------------------------------------------------------------------------------


@contextmanager
def process(state: Path, port: int = 0) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT), *sys.path])}
    command = [sys.executable, "-m", "tests.venue.made", str(state), str(port)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, cwd=ROOT, stdout=pipe, stderr=pipe, text=True) as child:
        try:
            yield child
        finally:
            child.kill()


def ready(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return f"http://127.0.0.1:{json.loads(child.stdout.readline())['http']}"


def test_a_killed_venue_forgets_nothing_that_it_had_answered(tmp_path: Path) -> None:
    state = tmp_path / "venue.json"
    with process(state) as child:
        url = ready(child)
        broker = HttpBroker(url, WAIT_S)
        release(url, OPENS_AT)
        assert broker.place(order("a", limit=251_020_000)).verdict is Verdict.ACCEPTED
        before = broker.orders(), broker.positions(), broker.funds()
        child.send_signal(signal.SIGKILL)
        child.wait(WAIT_S)
        assert broker.place(order("b")).verdict in {Verdict.NOT_SENT, Verdict.UNKNOWN}
        broker.close()
    with process(state) as child:
        url = ready(child)
        broker = HttpBroker(url, WAIT_S)
        assert (broker.orders(), broker.positions(), broker.funds()) == before
        assert clock(url).at == OPENS_AT + MINUTE
        broker.close()
        child.terminate()
        assert child.wait(WAIT_S) == 0


def test_a_port_in_use_is_one_clear_line_and_status_2(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with process(tmp_path / "venue.json", port) as child:
            out, err = child.communicate(timeout=WAIT_S)
    assert (child.returncode, out) == (2, "")
    assert err.count("\n") == 1
    assert f"127.0.0.1:{port}" in err
    assert "choose free ports" in err


@pytest.mark.parametrize("content", [b"{", b'{"broker": 1}'])
def test_a_broken_state_is_one_clear_line_and_status_2(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "venue.json"
    state.write_bytes(content)
    assert run_venue(MadeMarket(), RULES, VenueOptions(state_path=state, cash=CASH)) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert str(state) in error
    assert state.read_bytes() == content


def test_a_place_that_cannot_be_written_is_one_clear_line_and_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "nowhere" / "venue.json"
    assert run_venue(MadeMarket(), RULES, VenueOptions(state_path=state, cash=CASH)) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "nowhere" in error
