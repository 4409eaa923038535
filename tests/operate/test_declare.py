"""Cover that a person declares: what counts, what is refused, and that no day gains or loses by it."""

import datetime

import pytest
from msgspec.structs import replace

from participant.adapters.stores.memory import MemoryStore
from participant.config import Config, Run
from participant.core.attribution import Flow
from participant.core.books import held_units
from participant.core.breaker import Level
from participant.core.market import Reference
from participant.core.messages import Stamp, Write
from participant.core.order import OrderStatus
from participant.core.position import Position
from participant.core.scrip import PRICE_UNITS, Contract, Kind, Side, money
from participant.links.books import Books, worth
from participant.links.brought import since
from participant.links.ledger import EventRow
from participant.links.risks import Risks
from participant.operate.declare import Cover, Desk, declare, declared
from participant.operate.desk import No
from participant.operate.wake import open_day
from participant.stages.reconcile import Closed, ReconcilePorts, settle_day
from participant.wire.json import decode, encode
from tests.core import stocks
from tests.core.worlds import RULES
from tests.stages.floor import CAPITAL, DAY, SPOTS, Floor, call, future

ASHA = Stamp("Asha", 99)
RATIO = 101
VALUE = SPOTS["NIFTY"] // RATIO
LOT_UNITS = 65 * RATIO
NEXT = datetime.date(2026, 11, 26)


@pytest.fixture
def floor() -> Floor:
    """A day that runs."""
    floor = Floor()
    floor.books.commit([Write("starts", str(DAY), str(CAPITAL).encode())])
    return floor


def desk(floor: Floor) -> Desk:
    return Desk(Run("home", DAY, "", "", 0, 0.0, Config()), floor.books, floor.market, floor.books, RULES)


def fund(units: int, ratio: int = RATIO) -> Cover:
    return Cover("NIFTY", "NIFTYBEES", units, ratio, "free in demat")


def position(floor: Floor) -> Position:
    return Books(floor.books).position("NIFTY")[0]


def start(floor: Floor, day: datetime.date = DAY) -> int:
    row = floor.books.get("starts", str(day))
    assert row is not None
    return int(row.value)


def sold(floor: Floor, lots: int = 1) -> None:
    """Calls sold against the cover, filled and booked."""
    floor.decide(floor.leg(call(), Side.SELL, lots))
    gateway, book = floor.gateway(), floor.desk()
    gateway.step(0.0)
    book.step(0.0)
    assert position(floor).short_calls == lots * 65


def close(floor: Floor, day: datetime.date, worth_then: int) -> None:
    floor.books.commit([Write("days", str(day), encode(Closed(str(day), 1, (), (), {}, worth_then)))])


def test_what_is_declared_counts_as_cover_and_says_who_and_why(floor: Floor) -> None:
    after = declare(desk(floor), fund(2 * LOT_UNITS), ASHA)
    assert (after.cover, after.adopted) == (130, 2 * LOT_UNITS)
    assert position(floor) == after
    (row,) = [decode(r.value, EventRow) for r in floor.books.rows("events")]
    assert (row.kind, row.contract.key, row.quantity, row.price, row.cash) == (
        "declared",
        "NIFTY-EQ",
        2 * LOT_UNITS,
        VALUE,
        0,
    )
    assert row.note == "Asha: NIFTYBEES, 101 to a unit: free in demat"
    assert declared(floor.books) == [
        "NIFTY: 13,130 NIFTY-EQ (101 to a unit) count as cover by your word: see that the demat account still holds "
        "them free"
    ]


def test_it_moves_no_cash_and_is_no_position_at_the_broker(floor: Floor) -> None:
    cash = floor.account().cash
    declare(desk(floor), fund(LOT_UNITS), ASHA)
    assert floor.account().cash == cash
    assert floor.account().committed == 0
    assert held_units([position(floor)]) == {}


def test_the_gateway_lets_calls_pass_up_to_the_cover_and_none_beyond_it(floor: Floor) -> None:
    declare(desk(floor), fund(LOT_UNITS), ASHA)
    sold(floor)
    floor.at(60)
    floor.decide(floor.leg(call(), Side.SELL))
    floor.gateway().step(0.0)
    second = floor.orders()[-1]
    assert second.status is OrderStatus.DENIED
    assert "130 units of calls would stand against 65 of cover" in second.reason


def test_no_day_gains_or_loses_by_a_declaration(floor: Floor) -> None:
    its = desk(floor)

    def result() -> int:
        now = worth(floor.books, floor.market)
        assert now is not None
        return now - start(floor)

    assert result() == 0
    declare(its, fund(LOT_UNITS), ASHA)
    assert result() == 0
    sold(floor)
    before, then = result(), SPOTS["NIFTY"]
    SPOTS["NIFTY"] = then + 100 * PRICE_UNITS
    try:
        floor.at(60)
        gained = money((then + 100 * PRICE_UNITS) // RATIO - VALUE, LOT_UNITS)
        assert result() == before + gained  # what moves after the declaration is the day's
        declare(its, fund(3 * LOT_UNITS), Stamp("Asha", 100))
        assert result() == before + gained
    finally:
        SPOTS["NIFTY"] = then
    flows = [decode(r.value, Flow) for r in floor.books.rows("flows") if "/declared-" in r.key]
    assert [f.quantity for f in flows] == [LOT_UNITS, 2 * LOT_UNITS]


def test_less_is_refused_while_calls_need_it(floor: Floor) -> None:
    its = desk(floor)
    declare(its, fund(2 * LOT_UNITS), ASHA)
    sold(floor)
    floor.halt(Level.OPEN)
    with pytest.raises(No, match=r"65 units of calls are written or ordered, and 6,564 of NIFTY-EQ would leave 64"):
        declare(its, fund(LOT_UNITS - 1), ASHA)
    assert declare(its, fund(LOT_UNITS), ASHA).cover == 65


def test_less_is_refused_while_something_could_just_be_sold_against_it(floor: Floor) -> None:
    its = desk(floor)
    declare(its, fund(2 * LOT_UNITS), ASHA)
    with pytest.raises(No, match="only while nothing can be sold against it"):
        declare(its, fund(LOT_UNITS), ASHA)
    floor.decide(floor.leg(call(), Side.SELL))
    floor.halt(Level.OPEN)
    with pytest.raises(No, match="only while nothing can be sold against it"):
        declare(its, fund(LOT_UNITS), ASHA)
    close(floor, DAY, CAPITAL)
    assert declare(its, fund(LOT_UNITS), ASHA).adopted == LOT_UNITS


def test_it_can_be_gone_and_its_gain_with_it(floor: Floor) -> None:
    its = desk(floor)
    declare(its, fund(LOT_UNITS), ASHA)
    floor.halt(Level.OPEN)
    after = declare(its, fund(0), ASHA)
    assert (after.is_flat, after.cover, after.adopted) == (True, 0, 0)
    assert start(floor) == CAPITAL
    assert declared(floor.books) == []


def test_what_the_desk_has_bought_itself_is_no_declared_cover(floor: Floor) -> None:
    shares = Contract("NIFTY", datetime.date.max, Kind.STOCK, 0, 1, 100, 1_000)
    bought = replace(position(floor), holdings=(stocks.held((shares, 10, 5)).holdings[0],))
    floor.books.commit([Write("positions", "NIFTY", encode(bought))])
    with pytest.raises(No, match="the desk holds 10 shares that it has bought itself"):
        declare(desk(floor), fund(LOT_UNITS), ASHA)


def test_a_scrip_that_was_never_quoted_has_no_value_to_declare_at(floor: Floor) -> None:
    floor.market.commit([Write("quotes", "NIFTY", None)])
    with pytest.raises(No, match="NIFTY has no value in this home yet"):
        declare(desk(floor), fund(LOT_UNITS), ASHA)


def test_a_share_of_a_stock_covers_one_and_goes_by_its_own_contract(floor: Floor) -> None:
    state = stocks.stock_state()
    known = Reference("RELIANCE", (stocks.SHARES,), state.look_back)
    floor.market.commit([Write("quotes", "RELIANCE", encode(state)), Write("reference", "RELIANCE", encode(known))])
    cover = Cover("RELIANCE", "RELIANCE", 500, 1, "held")
    with pytest.raises(No, match="a share of a stock covers one share: leave --ratio out"):
        declare(desk(floor), replace(cover, ratio=2), ASHA)
    assert [h.contract for h in declare(desk(floor), cover, ASHA).holdings] == [stocks.SHARES]


def test_what_is_declared_in_the_evening_begins_with_the_next_day_and_is_no_result_of_it(floor: Floor) -> None:
    close(floor, DAY, CAPITAL + 5)
    declare(desk(floor), fund(LOT_UNITS), ASHA)
    assert start(floor) == CAPITAL  # of the day that is over
    for _ in range(2):
        open_day(floor.books, MemoryStore(), NEXT, ())
        assert start(floor, NEXT) == CAPITAL + 5
        flows = [decode(r.value, Flow) for r in floor.books.rows("flows", prefix=f"{NEXT}/")]
        assert [(f.quantity, f.value) for f in flows] == [(LOT_UNITS, money(VALUE, LOT_UNITS))]


def test_a_gain_that_leaves_with_its_cover_is_no_drawdown(floor: Floor) -> None:
    its, then = desk(floor), SPOTS["NIFTY"]
    declare(its, fund(LOT_UNITS), ASHA)
    SPOTS["NIFTY"] = then + 1_000 * PRICE_UNITS
    try:
        floor.at(60)
        gain = money(SPOTS["NIFTY"] // RATIO - VALUE, LOT_UNITS)
        close(floor, DAY, CAPITAL + gain)
        assert Risks(Books(floor.books))._peak == CAPITAL + gain
        declare(its, fund(0), ASHA)
    finally:
        SPOTS["NIFTY"] = then
    assert since(floor.books, str(DAY)) == -gain
    assert Risks(Books(floor.books))._peak == CAPITAL
    open_day(floor.books, MemoryStore(), NEXT, ())
    assert start(floor, NEXT) == CAPITAL


def test_shares_of_a_person_that_are_delivered_bring_cash_and_no_gain() -> None:
    floor, strike = Floor(), 1_380 * PRICE_UNITS
    day = stocks.EXPIRY
    floor.books.commit([Write("starts", str(day), str(CAPITAL).encode())])
    held = stocks.held(
        (stocks.SHARES, 500, 1_400 * PRICE_UNITS), (stocks.call(1_380), -500, 40 * PRICE_UNITS), adopted=500
    )
    floor.books.commit([Write("positions", "RELIANCE", encode(held))])
    ports = ReconcilePorts(floor.books, floor.market, floor.exchange, floor.queues["fills"])
    cash = floor.account().cash
    assert settle_day(ports, RULES, {"RELIANCE": 1_400 * PRICE_UNITS}, (day, 1)) == []
    assert Books(floor.books).position("RELIANCE")[0].is_flat
    paid = floor.account().cash - cash
    assert paid == money(strike, 500) - 2_725_50  # 690,000 at the strike: STT 690, brokerage 1,725, GST 310.50
    assert start(floor, day) == CAPITAL + money(1_400 * PRICE_UNITS, 500)
    rows = {r.key.split("-", 3)[3]: decode(r.value, EventRow) for r in floor.books.rows("events")}
    assert {(row.kind, row.quantity, row.price) for row in rows.values()} == {
        ("delivered", -500, 1_400 * PRICE_UNITS),
        ("shares", -500, strike),
    }


def test_a_call_that_is_assigned_without_its_shares_is_a_break_and_stops_nothing() -> None:
    floor = Floor()
    held = stocks.held((stocks.call(1_380), -500, 40 * PRICE_UNITS))
    floor.books.commit([Write("positions", "RELIANCE", encode(held))])
    ports = ReconcilePorts(floor.books, floor.market, floor.exchange, floor.queues["fills"])
    (short,) = settle_day(ports, RULES, {"RELIANCE": 1_400 * PRICE_UNITS}, (stocks.EXPIRY, 1))
    assert (short.kind, short.key, short.ours) == ("short delivery", "RELIANCE-EQ", "-500")
    assert "reconcile --adopt RELIANCE-EQ" in short.repair


def test_futures_cover_beside_what_is_declared(floor: Floor) -> None:
    floor.decide(floor.leg(future(), Side.BUY), floor.leg(call(), Side.SELL))
    gateway, book = floor.gateway(), floor.desk()
    gateway.step(0.0)
    book.step(0.0)
    its = desk(floor)
    declare(its, fund(LOT_UNITS), ASHA)
    floor.halt(Level.OPEN)
    assert declare(its, fund(0), ASHA).cover == 65
