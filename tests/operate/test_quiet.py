"""The sweep of a halt: what works is cancelled, whoever placed it, and quiet is what the broker's book shows twice."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from participant.core.market import SECOND
from participant.core.order import orders_of
from participant.core.scrip import Side
from participant.links.faults import FaultKind, Faults
from participant.operate.quiet import CANCELS_A_LOOK, sweep
from tests.stages.floor import Floor, call, future

K = FaultKind


@pytest.fixture
def floor() -> Floor:
    return Floor()


def resting(floor: Floor, count: int = 1) -> None:
    """So many orders rest at the broker, of which our books know nothing."""
    floor.move_away(future())
    (order,) = orders_of(floor.decide(floor.leg(future(), Side.BUY)))
    for number in range(count):
        floor.exchange.place(replace(order, order_id=f"{number:032x}", sends=1))


def passing(floor: Floor) -> Callable[[float], object]:
    """Waiting lets the machine's time pass."""
    return lambda seconds: floor.wall.advance(round(seconds * SECOND))


def test_what_works_is_cancelled_and_two_empty_reads_are_quiet(floor: Floor) -> None:
    resting(floor, 3)
    quiet = sweep(floor.exchange, floor.wall, 30.0, passing(floor))
    assert (quiet.is_quiet, quiet.cancels, quiet.working) == (True, 3, ())
    assert {o.status for o in floor.exchange.state.orders} == {"cancelled"}
    assert floor.exchange.state.reads == 3


def test_s21_a_resting_order_of_a_person_with_no_position_behind_it_is_cancelled_before_anything_is_called_quiet(
    floor: Floor,
) -> None:
    """S21: an order by hand carries no tag of ours; 'flat' is withheld until the book shows it gone."""
    resting(floor)
    floor.exchange.state.orders[0].request = replace(floor.exchange.state.orders[0].request, tag="")
    floor.exchange.plan(K.REFUSE)
    quiet = sweep(floor.exchange, floor.wall, 30.0, passing(floor))
    assert (quiet.is_quiet, quiet.cancels) == (True, 2), "the first was refused, so it was asked for again"


def test_an_empty_book_is_read_twice_before_it_is_called_quiet(floor: Floor) -> None:
    quiet = sweep(floor.exchange, floor.wall, 30.0, passing(floor))
    assert (quiet.is_quiet, quiet.cancels, floor.exchange.state.reads) == (True, 0, 2)


def test_a_book_that_cannot_be_read_is_never_quiet(floor: Floor) -> None:
    floor.exchange.fail(Faults(books_down=1.0))
    quiet = sweep(floor.exchange, floor.wall, 5.0, passing(floor))
    assert (quiet.is_quiet, quiet.why_not) == (False, "the broker's books cannot be read now")


def test_a_failed_read_between_two_empty_ones_begins_anew(floor: Floor) -> None:
    waits: list[float] = []

    def pause(seconds: float) -> None:
        floor.wall.advance(round(seconds * SECOND))
        waits.append(seconds)
        floor.exchange.fail(Faults(books_down=1.0 if len(waits) == 1 else 0.0))

    assert sweep(floor.exchange, floor.wall, 30.0, pause).is_quiet
    assert floor.exchange.state.reads == 4


def test_what_cannot_be_cancelled_is_named_when_the_time_is_over(floor: Floor) -> None:
    resting(floor)
    floor.exchange.fail(Faults(refuse=1.0))
    quiet = sweep(floor.exchange, floor.wall, 5.0, passing(floor))
    assert (quiet.is_quiet, quiet.why_not) == (False, "1 orders still work")
    assert [v.contract for v in quiet.working] == [future().key]


def test_an_order_that_shows_late_is_cancelled_too(floor: Floor) -> None:
    order = orders_of(floor.decide(floor.leg(call(), Side.SELL)))[0]
    floor.move_away(call())
    floor.exchange.plan(K.ACCEPT_LATE)
    floor.exchange.fail(replace(floor.exchange.faults, plan={1: replace(floor.exchange.faults.plan[1], late_s=1)}))
    floor.exchange.place(replace(order, sends=1))

    def pause(seconds: float) -> None:
        floor.wall.advance(round(seconds * SECOND))
        floor.clock.advance(round(seconds * SECOND))
        floor.exchange.on_quotes(floor.clock.now(), {})

    quiet = sweep(floor.exchange, floor.wall, 30.0, pause)
    assert (quiet.is_quiet, quiet.cancels) == (True, 1)


def test_no_more_cancels_leave_between_two_looks_than_the_broker_allows(floor: Floor) -> None:
    resting(floor, 2 * CANCELS_A_LOOK)
    at: list[int] = []
    floor.exchange.before_cancel = lambda: at.append(floor.wall.now())
    assert sweep(floor.exchange, floor.wall, 30.0, passing(floor)).is_quiet
    assert [at.count(moment) for moment in dict.fromkeys(at)] == [CANCELS_A_LOOK, CANCELS_A_LOOK]
