"""The books: what filled becomes position, cash and tradebook, however it is told; the day's log is written once."""

from itertools import permutations

import pytest
from msgspec.structs import replace

from participant.adapters.archives.memory import MemoryArchive
from participant.adapters.clocks.virtual import VirtualClock
from participant.core.account import Account, reserve
from participant.core.books import Fill, OrderReport
from participant.core.charges import charges
from participant.core.decision import Action
from participant.core.market import SECOND, Mark
from participant.core.messages import Message, Write
from participant.core.position import forget_orders
from participant.core.scrip import Contract, Side, money
from participant.ports import StoreBroken
from participant.stages.book import Book
from participant.wire.json import decode, encode
from tests.core.worlds import RULES
from tests.stages.floor import CAPITAL, DAY, LAKH, START, Contended, Crash, Floor, call, everything, future, records

TABLES = ("fills", "positions", "account")


@pytest.fixture
def floor() -> Floor:
    return Floor()


@pytest.fixture
def archive() -> MemoryArchive:
    return MemoryArchive()


def told(filled: int, *, lots: int = 2, is_final: bool | None = None, contract: Contract | None = None) -> OrderReport:
    """What the gateway says of an order to buy a future (or sell a call) after so many lots filled, tick by tick."""
    what = contract or future()
    units, side = filled * what.lot, Side.BUY if what == future() else Side.SELL
    price = (24_000 if side is Side.BUY else 150) * 10_000 + what.tick * filled
    whole = lots * what.lot
    over = units == whole if is_final is None else is_final
    name = f"order of {what.key}"
    who = (name, "d1", "NIFTY", what, side, whole, 4 * LAKH)
    return OrderReport(*who, units, money(price, units), START, START + filled * SECOND, over)


def put(floor: Floor, *reports: OrderReport) -> None:
    ids = [f"{r.order_id}-{r.cum_quantity}-{int(r.is_final)}" for r in reports]
    bodies = [Message(i, r.scrip, encode(r)) for i, r in zip(ids, reports, strict=True)]
    floor.queues["fills"].put(bodies)


def hold(floor: Floor, *reports: OrderReport) -> None:
    """Margin is reserved for these orders."""
    account = reserve(floor.account(), {r.order_id: r.margin for r in reports})
    floor.books.commit([Write("account", "account", encode(account))])


def tradebook(floor: Floor) -> list[Fill]:
    return [decode(r.value, Fill) for r in floor.books.rows("fills")]


def cost(report: OrderReport) -> int:
    return charges(RULES.charge_rates(DAY), report.contract, report.side, report.cum_value).total


# --- fills ---


def test_a_fill_becomes_position_cash_and_a_row_of_the_tradebook(floor: Floor) -> None:
    report = told(2)
    put(floor, report)
    assert floor.desk().step(0.0)
    (holding,) = floor.position().holdings
    assert (holding.contract, holding.quantity, holding.cost) == (future(), 130, report.cum_value)
    assert floor.account().cash == CAPITAL - cost(report), "a future is not paid for, its charges are"
    (fill,) = tradebook(floor)
    assert (fill.order_id, fill.quantity, fill.value) == (report.order_id, 130, report.cum_value)
    assert (fill.charges, fill.at) == (cost(report), report.at)
    assert floor.account().used["NIFTY"] > LAKH


def test_a_sold_call_brings_its_premium(floor: Floor) -> None:
    report = told(2, contract=call())
    put(floor, report)
    floor.desk().step(0.0)
    assert floor.account().cash == CAPITAL + report.cum_value - cost(report)
    assert floor.position().short_calls == 130


REPORTS = (told(0), told(1), told(2), told(1), told(2))


@pytest.mark.parametrize("reports", sorted(set(permutations(REPORTS)), key=str))
def test_reports_come_to_the_same_in_any_order_and_however_often(reports: tuple[OrderReport, ...]) -> None:
    floor, expected = Floor(), Floor()
    for stage in (floor, expected):
        hold(stage, told(0))
    put(expected, told(2))
    for number, report in enumerate(reports):
        floor.queues["fills"].put([Message(str(number), report.scrip, encode(report))])
    expected.desk().step(0.0)
    floor.desk().step(0.0)
    assert floor.account() == expected.account()
    since = {START + SECOND, START + 2 * SECOND}  # only since when the cover stands alone depends on what came first
    assert floor.position().cover_alone_since in since
    assert replace(floor.position(), cover_alone_since=0) == replace(expected.position(), cover_alone_since=0)
    assert [f.quantity for f in tradebook(floor)] == [130]
    assert tradebook(floor) == tradebook(expected)


def test_a_report_that_comes_again_changes_nothing(floor: Floor) -> None:
    stage = floor.desk()
    put(floor, told(1))
    stage.step(0.0)
    before = everything(floor.books, *TABLES)
    floor.queues["fills"].put([Message("again", "NIFTY", encode(told(1)))])
    stage.step(0.0)
    assert everything(floor.books, *TABLES) == before


def test_a_report_taken_twice_after_a_crash_is_booked_once(floor: Floor) -> None:
    class Dying(Book):
        def _close(self, mark: Mark) -> None:
            raise Crash

    put(floor, told(2))
    floor.mark("fills", START)
    dying = floor.desk()
    with pytest.raises(Crash):
        Dying(dying.ports, RULES).step(0.0)
    before = everything(floor.books, *TABLES)
    assert floor.desk().step(0.0)
    assert everything(floor.books, *TABLES) == before
    assert floor.clock.released == [START]


# --- the reservation ---


def test_a_report_that_comes_after_the_day_was_closed_books_no_unit_twice(floor: Floor) -> None:
    put(floor, told(1))
    floor.desk().step(0.0)
    row = floor.books.get("positions", "NIFTY")
    assert row is not None
    floor.books.commit([Write("positions", "NIFTY", encode(forget_orders(floor.position())))])

    put(floor, told(1, is_final=True), told(2))
    floor.desk().step(0.0)

    assert floor.position().cover == 130
    assert [f.quantity for f in tradebook(floor)] == [130]
    assert floor.account().cash == CAPITAL - cost(told(2))


def test_a_reservation_is_released_in_parts_as_it_fills(floor: Floor) -> None:
    stage = floor.desk()
    hold(floor, told(0, lots=4))
    left = []
    for filled in (0, 1, 3, 4):
        put(floor, told(filled, lots=4))
        stage.step(0.0)
        left.append(floor.account().reserved.get(told(0).order_id))
    assert left == [4 * LAKH, 3 * LAKH, 1 * LAKH, None]


def test_an_order_that_ends_unfilled_gives_its_reservation_back(floor: Floor) -> None:
    stage = floor.desk()
    hold(floor, told(0), replace(told(0), order_id="another"))
    put(floor, told(0, is_final=True))
    stage.step(0.0)
    assert floor.account().reserved == {"another": 4 * LAKH}
    assert (floor.account().cash, tradebook(floor)) == (CAPITAL, [])
    assert floor.position().is_flat


def test_an_old_report_gives_no_reservation_back_to_life(floor: Floor) -> None:
    stage = floor.desk()
    hold(floor, told(0))
    put(floor, told(2), told(1))
    stage.step(0.0)
    assert floor.account().reserved == {}


# --- several writers ---


def test_what_the_gateway_reserves_meanwhile_is_kept() -> None:
    books = Contended("positions")
    floor = Floor(books)
    claim = replace(told(0), order_id="claimed meanwhile")
    books.others = [lambda: hold(floor, claim)]
    put(floor, told(2))
    floor.desk().step(0.0)
    assert floor.account().reserved == {"claimed meanwhile": 4 * LAKH}
    assert floor.position().cover == 130


def test_a_store_that_is_always_written_by_another_is_given_up_with_a_sentence() -> None:
    books = Contended("positions")
    floor = Floor(books)
    books.others = [lambda: books.commit([Write("account", "account", encode(Account(1, 1)))])] * 100
    put(floor, told(2))
    with pytest.raises(StoreBroken, match="books: NIFTY could not be booked in 20 tries; another process writes it"):
        floor.desk().step(0.0)
    assert floor.position().is_flat


# --- the log and the end of an instant ---


def decided(floor: Floor, *seconds: int) -> None:
    """Decisions are logged at these times."""
    for second in seconds:
        floor.at(second)
        floor.decide(floor.leg(future(), Side.BUY), action=Action.MAINTAIN)


def test_at_a_mark_the_days_decisions_are_in_the_log_and_the_instant_is_released(
    floor: Floor, archive: MemoryArchive
) -> None:
    decided(floor, 60, 120)
    put(floor, told(2))
    floor.mark("fills", START + 120 * SECOND)
    stage = floor.desk(archive)
    assert stage.step(0.0)
    at = [record.decision_info.decided_for for record in records(archive)]
    assert at == [START + 60 * SECOND, START + 120 * SECOND]
    assert floor.clock.released == [START + 120 * SECOND]
    assert not stage.step(0.0)


def test_an_instant_is_released_only_after_its_fills_were_booked(floor: Floor) -> None:
    class Looking(Book):
        def _close(self, mark: Mark) -> None:
            covers.append(floor.position().cover)
            super()._close(mark)

    covers: list[int] = []
    put(floor, told(2))
    floor.mark("fills", START)
    Looking(floor.desk().ports, RULES).step(0.0)
    assert (covers, floor.clock.released) == ([130], [START])


def test_each_decision_is_written_once_also_after_a_restart(floor: Floor, archive: MemoryArchive) -> None:
    decided(floor, 60)
    floor.mark("fills", START + 60 * SECOND)
    first = floor.desk(archive)
    first.step(0.0)
    decided(floor, 120)
    floor.mark("fills", START + 120 * SECOND)
    first.step(0.0)
    decided(floor, 180)
    floor.mark("fills", START + 180 * SECOND)
    floor.desk(archive).step(0.0)
    assert [line for line, _ in archive.read(str(DAY))] == [r.value for r in floor.books.rows("log")]
    assert len(records(archive)) == 3


def test_a_restart_between_writing_the_log_and_being_done_writes_nothing_twice(
    floor: Floor, archive: MemoryArchive
) -> None:
    class Dying(VirtualClock):
        def release(self, at: int) -> None:
            raise Crash

    decided(floor, 60)
    floor.mark("fills", START + 60 * SECOND)
    stage = floor.desk(archive)
    with pytest.raises(Crash):
        Book(replace(stage.ports, clock=Dying(START)), RULES).step(0.0)
    assert archive.count(str(DAY)) == 1
    floor.desk(archive).step(0.0)
    assert archive.count(str(DAY)) == 1
    assert floor.clock.released == [START + 60 * SECOND]


def test_the_last_mark_ends_the_day(floor: Floor) -> None:
    stage = floor.desk()
    floor.mark("fills", START)
    stage.step(0.0)
    assert floor.books.get("ended", str(DAY)) is None
    floor.mark("fills", START + 60 * SECOND, is_last=True)
    stage.step(0.0)
    row = floor.books.get("ended", str(DAY))
    assert row is not None
    assert decode(row.value, Mark).at == START + 60 * SECOND
