"""The sweep of a halt: what works is cancelled, whoever placed it, and quiet is what the broker's book shows twice."""

import socket
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec.structs import replace

from participant import app
from participant.commands import halt
from participant.config import Config, Desk, Run
from participant.core.breaker import Halt, Level
from participant.core.limits import Limits
from participant.core.market import SECOND
from participant.core.messages import Write
from participant.core.order import Answer, OrderStatus, OrderView, Verdict, orders_of
from participant.core.scrip import Side
from participant.links.faults import Fault, FaultKind, Faults
from participant.links.limits import put_in_force, read_limits, write_own
from participant.links.pace import Pace
from participant.operate.quiet import Reached, sweep
from tests.stages.floor import DAY, Floor, call, future

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


def pace(floor: Floor, **limits: Any) -> Pace:
    """The rate of a sweep that has just begun."""
    return Pace(Limits(**limits), floor.wall)


def passing(floor: Floor) -> Callable[[float], object]:
    """Waiting lets the machine's time pass."""
    return lambda seconds: floor.wall.advance(round(seconds * SECOND))


def test_what_works_is_cancelled_and_two_empty_reads_are_quiet(floor: Floor) -> None:
    resting(floor, 3)
    quiet = sweep(floor.exchange, pace(floor), 30.0, passing(floor))
    assert (quiet.is_quiet, quiet.cancels, quiet.working) == (True, 3, ())
    assert {o.status for o in floor.exchange.state.orders} == {"cancelled"}
    assert floor.exchange.state.reads == 4, "of the first second it is not known what went"


def test_s21_a_resting_order_of_a_person_with_no_position_behind_it_is_cancelled_before_anything_is_called_quiet(
    floor: Floor,
) -> None:
    """S21: an order by hand carries no tag of ours; 'flat' is withheld until the book shows it gone."""
    resting(floor)
    floor.exchange.state.orders[0].request = replace(floor.exchange.state.orders[0].request, tag="")
    floor.exchange.plan(K.REFUSE)
    quiet = sweep(floor.exchange, pace(floor), 30.0, passing(floor))
    assert (quiet.is_quiet, quiet.cancels) == (True, 2), "the first was refused, so it was asked for again"


def test_an_empty_book_is_read_twice_before_it_is_called_quiet(floor: Floor) -> None:
    quiet = sweep(floor.exchange, pace(floor), 30.0, passing(floor))
    assert (quiet.is_quiet, quiet.cancels, floor.exchange.state.reads) == (True, 0, 2)


def test_a_book_that_cannot_be_read_is_never_quiet(floor: Floor) -> None:
    floor.exchange.fail(Faults(books_down=1.0))
    quiet = sweep(floor.exchange, pace(floor), 5.0, passing(floor))
    assert (quiet.is_quiet, quiet.why_not) == (False, "the broker's books cannot be read now")


def test_a_failed_read_between_two_empty_ones_begins_anew(floor: Floor) -> None:
    waits: list[float] = []

    def pause(seconds: float) -> None:
        floor.wall.advance(round(seconds * SECOND))
        waits.append(seconds)
        floor.exchange.fail(Faults(books_down=1.0 if len(waits) == 1 else 0.0))

    assert sweep(floor.exchange, pace(floor), 30.0, pause).is_quiet
    assert floor.exchange.state.reads == 4


def test_what_cannot_be_cancelled_is_named_when_the_time_is_over(floor: Floor) -> None:
    resting(floor)
    floor.exchange.fail(Faults(refuse=1.0))
    quiet = sweep(floor.exchange, pace(floor), 5.0, passing(floor))
    assert (quiet.is_quiet, quiet.why_not) == (False, "still working: 1 order")
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

    quiet = sweep(floor.exchange, pace(floor), 30.0, pause)
    assert (quiet.is_quiet, quiet.cancels) == (True, 1)


@pytest.mark.parametrize("most", [8, 3])
def test_the_cancels_of_a_sweep_keep_the_rate_whatever_the_gateway_has_just_sent(floor: Floor, most: int) -> None:
    resting(floor, 2 * most)
    at: list[int] = []
    floor.exchange.before_cancel = lambda: at.append(floor.wall.now())
    begun = floor.wall.now()
    limited = pace(floor, messages_second_max=most)
    assert sweep(floor.exchange, limited, 30.0, lambda _: floor.wall.advance(SECOND // 4)).is_quiet
    assert at == [begun + SECOND] * most + [begun + 2 * SECOND] * most, "the last second before it counts as full"


def test_the_days_count_and_what_is_kept_for_cancels_hold_no_sweep_back(floor: Floor) -> None:
    resting(floor, 8)
    limited = pace(floor, messages_day_max=1, messages_kept_for_cancels=7)
    assert sweep(floor.exchange, limited, 1.0, passing(floor)).cancels == 8


def test_an_order_that_cannot_be_cancelled_keeps_none_of_the_others_waiting(floor: Floor) -> None:
    resting(floor, 4)
    floor.exchange.plan(K.REFUSE, K.REFUSE, K.REFUSE)
    quiet = sweep(floor.exchange, pace(floor, messages_second_max=3), 2.0, passing(floor))
    assert (quiet.is_quiet, quiet.cancels) == (False, 6)
    assert [o.status for o in floor.exchange.state.orders] == ["cancelled", "cancelled", "open", "cancelled"]


def test_the_rate_is_that_of_the_days_limits_and_of_the_paper_ones_where_the_books_cannot_be_read(
    tmp_path: Path,
) -> None:
    desk = Desk(signed_by=write_own(tmp_path, messages_second_max=5))
    run = Run(str(tmp_path), DAY, "http://127.0.0.1:9", "127.0.0.1", 0, 0.0, Config(desk=desk))
    books = app.books(run)
    put_in_force(books, str(DAY), read_limits(tmp_path, run.config.terms))
    books.close()
    assert halt._limits(tmp_path, run).messages_second_max == 5
    for name in ("books.sqlite-wal", "books.sqlite-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / "books.sqlite").write_bytes(b"no database" * 1_000)
    assert halt._limits(tmp_path, run).messages_second_max == 8


def test_an_order_of_a_status_that_we_do_not_know_works_until_the_book_says_that_it_has_ended(floor: Floor) -> None:
    resting(floor)
    (view,) = floor.exchange.orders()
    cancelled: list[str] = []

    class Strange:
        """The exchange, whose book shows its order under a word of its own."""

        def orders(self) -> list[OrderView]:
            return [replace(view, status="modify amo req received")]

        def cancel(self, asked: OrderView) -> Answer:
            cancelled.append(asked.broker_order_id)
            return Answer(Verdict.ACCEPTED)

        def __getattr__(self, name: str) -> Any:
            return getattr(floor.exchange, name)

    quiet = sweep(cast(Reached, Strange()), pace(floor), 3.0, passing(floor))
    assert (quiet.is_quiet, quiet.why_not) == (False, "still working: 1 order")
    assert set(cancelled) == {view.broker_order_id}


def booked(home: Path, floor: Floor) -> Run:
    """A home whose books have the floor's orders."""
    run = Run(str(home), DAY, "http://127.0.0.1:9", "127.0.0.1", 0, 0.0, Config())
    books = app.books(run)
    books.commit([Write("orders", row.key, row.value) for row in floor.books.rows("orders")])
    books.close()
    return run


def test_while_our_books_hold_an_order_in_doubt_nothing_is_called_quiet(floor: Floor, tmp_path: Path) -> None:
    floor.decide()
    floor.exchange.fail(Faults(plan={1: Fault(K.ACCEPT_LATE, late_s=100)}))
    floor.gateway().step(0.0)
    (order,) = [o for o in floor.orders() if o.status is OrderStatus.UNKNOWN]
    run = booked(tmp_path, floor)
    doubt = f"our order {order.tag} {order.contract.key} is unknown and may be live"
    quiet = sweep(floor.exchange, pace(floor), 5.0, passing(floor), lambda: halt.in_doubt(tmp_path, run))
    assert (quiet.is_quiet, quiet.why_not) == (False, doubt)


def test_an_order_that_is_settled_while_the_sweep_waits_is_in_doubt_no_longer(floor: Floor) -> None:
    left = iter([["our order is sending"], []])
    assert sweep(floor.exchange, pace(floor), 30.0, passing(floor), lambda: next(left)).is_quiet
    assert floor.exchange.state.reads == 3


def test_books_that_cannot_be_read_hold_up_no_sweep(tmp_path: Path, floor: Floor) -> None:
    run = booked(tmp_path, floor)
    for name in ("books.sqlite-wal", "books.sqlite-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / "books.sqlite").write_bytes(b"no database" * 1_000)
    assert halt.in_doubt(tmp_path, run) == []


@pytest.mark.parametrize(
    ("is_own", "host", "is_gone"),
    [(True, "127.0.0.1", True), (False, "127.0.0.1", False), (True, "not a host", False)],
    ids=["refused", "not ours", "cannot be asked"],
)
def test_a_broker_is_gone_only_where_it_was_started_by_trade_and_its_port_refuses(
    tmp_path: Path, host: str, *, is_own: bool, is_gone: bool
) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: it refuses, and nobody else can take it
        url = f"http://{host}:{taken.getsockname()[1]}"
        run = Run(str(tmp_path), DAY, url, "127.0.0.1", 0, 0.0, Config(), is_own_venue=is_own)
        assert halt._is_gone(run) is is_gone
        taken.listen()
        assert not halt._is_gone(run), "it answers"


def test_a_halt_that_cannot_be_logged_holds_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "books.sqlite").write_bytes(b"no database" * 1_000)
    halt._note(tmp_path, Halt(Level.OPEN, "a drill", 1))
    assert capsys.readouterr().err.startswith("participant: it holds, but could not be logged: database")


def test_a_process_that_has_ended_is_none_of_ours_to_sever(tmp_path: Path) -> None:
    assert not halt._is_ours(2**30, "gateway", tmp_path), "no process has such an id"
