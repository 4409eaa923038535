"""The breaker's evaluator: what it reads, what it writes, what latches, and how a person halts and resumes."""

import pytest
from msgspec.structs import replace

from participant.core.breaker import BreakerState, Halt, Level, Triggers
from participant.core.market import SECOND, LookBack, MarketState, Quote
from participant.core.messages import Write
from participant.core.order import Order, OrderStatus
from participant.core.position import Holding, Position
from participant.core.providers import Belief, FeedStatus
from participant.core.scrip import Side, money
from participant.operate.breaker import Watch, judge
from participant.wire.json import decode, encode
from tests.stages.floor import CAPITAL, DAY, SPOTS, START, Floor, future


@pytest.fixture
def floor() -> Floor:
    made = Floor()
    made.books.commit([Write("breaker", "state", None), Write("starts", str(DAY), str(CAPITAL).encode())])
    return made


def judged(floor: Floor) -> BreakerState:
    """One evaluation, and that it was written down as it was told."""
    state = judge(Watch(floor.books, floor.market, floor.books, floor.wall, Triggers()))
    row = floor.books.get("breaker", "state")
    assert row is not None
    assert decode(row.value, BreakerState) == state
    return state


def found(floor: Floor) -> tuple[Level, tuple[str, ...]]:
    state = judged(floor)
    return state.level, state.reasons


def halt(floor: Floor, level: Level, why: str = "") -> None:
    """A person asks, a little later."""
    floor.wall.advance(SECOND)
    floor.books.commit([Write("breaker", "halt", encode(Halt(level, why, floor.wall.now())))])
    floor.wall.advance(SECOND)


def feeds(floor: Floor, at: int, silent_since: int = 0, well: tuple[str, ...] = ("one",)) -> None:
    belief = Belief("" if silent_since else "one", START, "")
    floor.market.commit([Write("feeds", "status", encode(FeedStatus(at, belief, well, silent_since, (belief,))))])


def order(floor: Floor, name: str, **changes: object) -> None:
    made = Order(name, "d", "NIFTY", 0, future(), Side.BUY, 65, 1_000, 0, START, START)
    floor.books.commit([Write("orders", f"{DAY}/{name}", encode(replace(made, **changes)))])


def test_a_quiet_market_leaves_it_closed_as_of_the_newest_state(floor: Floor) -> None:
    floor.at(60)
    floor.wall.advance(7)
    state = judged(floor)
    assert (state.level, state.reasons, state.latched) == (Level.CLOSED, (), ())
    assert (state.at, state.checked_at) == (START + 60 * SECOND, START + 7)


def test_on_an_empty_home_there_is_nothing_to_trip_it() -> None:
    floor = Floor()
    for table in ("quotes", "feeds"):
        floor.market.commit([Write(table, r.key, None) for r in floor.market.rows(table)])
    assert judged(floor).at == 0


def test_before_the_first_state_the_feeds_tell_the_time(floor: Floor) -> None:
    floor.market.commit([Write("quotes", s, None) for s in SPOTS])
    feeds(floor, START + 5)
    assert judged(floor).at == START + 5


# --- triggers ---


@pytest.mark.parametrize(("share", "level"), [(1.03, Level.CLOSED), (0.955, Level.REDUCE_ONLY), (1.08, Level.OPEN)])
def test_a_move_of_an_underlying_since_the_last_close_trips_it(floor: Floor, share: float, level: Level) -> None:
    row = floor.market.get("quotes", "BANKNIFTY")
    assert row is not None
    state = decode(row.value, MarketState)
    moved = replace(state, look_back=LookBack((1, round(state.spot / share)), (0.1, 0.1)))
    floor.market.commit([Write("quotes", "BANKNIFTY", encode(moved))])
    assert judged(floor).level is level


def test_one_stock_that_falls_is_no_index_move(floor: Floor) -> None:
    row = floor.market.get("quotes", "BANKNIFTY")
    assert row is not None
    state = decode(row.value, MarketState)
    own = Quote(state.spot - 500, state.spot + 500, 65, 65, START)
    fallen = replace(state, look_back=LookBack((1, round(state.spot / 0.88)), (0.1, 0.1)), underlying=own)
    floor.market.commit([Write("quotes", "BANKNIFTY", encode(fallen))])
    assert judged(floor).level is Level.CLOSED


def test_an_underlying_without_a_look_back_moves_nothing(floor: Floor) -> None:
    for symbol, state in floor.states.items():
        floor.market.commit([Write("quotes", symbol, encode(replace(state, look_back=LookBack())))])
    assert judged(floor).level is Level.CLOSED


@pytest.mark.parametrize(("silence", "level"), [(9, Level.CLOSED), (10, Level.REDUCE_ONLY), (60, Level.OPEN)])
def test_silence_of_all_providers_trips_it_for_as_long_as_it_lasts(floor: Floor, silence: int, level: Level) -> None:
    feeds(floor, START + silence * SECOND, silent_since=START, well=())
    assert judged(floor).level is level
    feeds(floor, START + 61 * SECOND)
    assert judged(floor).level is Level.CLOSED


def test_orders_that_stay_unknown_trip_it(floor: Floor) -> None:
    order(floor, "a", status=OrderStatus.UNKNOWN, sent_at=START)
    floor.at(200)
    assert judged(floor).level is Level.CLOSED, "one may happen"
    order(floor, "b", status=OrderStatus.UNKNOWN, sent_at=START + 100 * SECOND)
    assert found(floor) == (Level.OPEN, ("2 orders unknown for 200 s",))
    order(floor, "b", status=OrderStatus.FILLED)
    assert judged(floor).level is Level.CLOSED


def test_unknown_orders_of_another_day_do_not_count(floor: Floor) -> None:
    floor.at(200)
    for name in ("a", "b"):
        made = Order(name, "d", "NIFTY", 0, future(), Side.BUY, 65, 1_000, 0, START, START, 0, OrderStatus.UNKNOWN)
        floor.books.commit([Write("orders", f"2026-11-24/{name}", encode(made))])
    assert judged(floor).level is Level.CLOSED


def test_an_order_filled_beyond_its_quantity_opens_it_until_a_person_resumes(floor: Floor) -> None:
    order(floor, "a", cum_quantity=66)
    assert found(floor) == (Level.OPEN, ("order a filled beyond its quantity",))
    order(floor, "a", cum_quantity=65)
    assert judged(floor).level is Level.OPEN
    halt(floor, Level.CLOSED)
    assert found(floor) == (Level.CLOSED, ())
    assert judged(floor).level is Level.CLOSED


# --- the loss of the day ---


def lose(floor: Floor, share: float) -> None:
    """A future is held that has lost so much of the capital since it was bought."""
    worth = money(floor.quotes[future().key].mid, 65)
    held = Holding(future(), 65, worth + int(CAPITAL * share))
    floor.books.commit([Write("positions", "NIFTY", encode(Position("NIFTY", (held,))))])


@pytest.mark.parametrize(("share", "level"), [(0.019, Level.CLOSED), (0.021, Level.REDUCE_ONLY), (0.031, Level.OPEN)])
def test_a_loss_of_the_day_trips_it(floor: Floor, share: float, level: Level) -> None:
    lose(floor, share)
    assert judged(floor).level is level


def test_a_gain_never_trips_it(floor: Floor) -> None:
    lose(floor, -0.5)
    assert judged(floor).level is Level.CLOSED


def test_a_loss_latches_until_a_person_resumes(floor: Floor) -> None:
    lose(floor, 0.05)
    assert judged(floor).level is Level.OPEN
    lose(floor, 0.0)
    assert found(floor) == (Level.OPEN, ("loss of the day at least 0.03",))
    halt(floor, Level.CLOSED, "I looked at it")
    assert found(floor) == (Level.CLOSED, ())


def test_a_loss_that_goes_on_trips_it_again_after_a_resume(floor: Floor) -> None:
    lose(floor, 0.05)
    judged(floor)
    halt(floor, Level.CLOSED)
    assert judged(floor).level is Level.OPEN


@pytest.mark.parametrize("missing", ["starts", "account", "quote"])
def test_a_loss_that_cannot_be_told_trips_nothing(floor: Floor, missing: str) -> None:
    lose(floor, 0.5)
    if missing == "quote":
        floor.market.commit([Write("quotes", "NIFTY", None)])
    else:
        floor.books.commit([Write(missing, r.key, None) for r in floor.books.rows(missing)])
    assert judged(floor).level is Level.CLOSED


# --- people ---


@pytest.mark.parametrize("level", [Level.REDUCE_ONLY, Level.OPEN])
def test_what_a_person_halted_stays_so_until_they_resume(floor: Floor, level: Level) -> None:
    judged(floor)
    halt(floor, level, "a rumour")
    for _ in range(3):
        assert found(floor) == (level, ("halted: a rumour",))
        floor.wall.advance(60 * SECOND)
    halt(floor, Level.CLOSED)
    assert found(floor) == (Level.CLOSED, ())


def test_a_halt_from_before_the_first_evaluation_holds(floor: Floor) -> None:
    halt(floor, Level.OPEN, "not today")
    assert found(floor) == (Level.OPEN, ("halted: not today",))


def test_an_old_resume_does_not_clear_what_latched_after_it(floor: Floor) -> None:
    halt(floor, Level.CLOSED)
    judged(floor)
    lose(floor, 0.05)
    floor.wall.advance(SECOND)
    judged(floor)
    lose(floor, 0.0)
    floor.wall.advance(SECOND)
    assert judged(floor).level is Level.OPEN


def test_what_a_person_asked_for_is_taken_into_the_log_once_where_their_command_could_not(floor: Floor) -> None:
    halt(floor, Level.OPEN, "a drill")
    judged(floor)
    judged(floor)
    (row,) = floor.books.rows("halts")
    assert (decode(row.value, Halt).why, row.version) == ("a drill", 1)
