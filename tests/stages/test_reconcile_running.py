"""While the day runs: what the broker's books prove is taken over, everything else ages, and nothing trades.

Scenarios of the catalogue are named S06, S07 and so on.
"""

import pytest
from msgspec.structs import replace

from participant.core.books import EXTERNAL, Fill
from participant.core.breaker import Level, Triggers
from participant.core.breaks import COMPARED, Break, BreakKind, ReconcileRule
from participant.core.clearing import Line, book, fill_line
from participant.core.matching import OrderRequest
from participant.core.messages import Write
from participant.core.order import OrderStatus
from participant.core.scrip import Contract, Side, money
from participant.core.tickets import settled
from participant.links.breaks import looks, mended, standing
from participant.links.broker_side import externals, fills_of, read
from participant.links.faults import FaultKind, Faults
from participant.operate.adopt import adopt, adoptable, at_wake
from participant.operate.breaker import Watch, judge
from participant.stages.reconcile import Reconcile, ReconcilePorts
from participant.wire.json import decode, encode
from tests.core.worlds import RULES
from tests.stages.floor import DAY, REFERENCES, SPOTS, Floor, call, close_ticket, ending, everything, future

K = BreakKind


class Watched(Floor):
    """A floor whose desk compares as the day runs; `pass_time` lets the minutes go by."""

    def __init__(self) -> None:
        super().__init__()
        self.market.commit([Write("reference", r.scrip, encode(r)) for r in REFERENCES])
        self.book = self.desk()
        self.now_s = 0

    def reconcile(self) -> Reconcile:
        """A reconciliation that has just been started."""
        ports = ReconcilePorts(self.books, self.market, self.exchange, self.queues["fills"])
        return Reconcile(ports, ReconcileRule(), RULES)

    def pass_time(self, seconds: int, step_s: int = 30) -> None:
        """So much time passes, and the desk does its work at each step."""
        for _ in range(seconds // step_s):
            self.now_s += step_s
            self.at(self.now_s)
            self.compare()

    def compare(self) -> None:
        """The desk's work at one moment: it books and compares until nothing is left to do."""
        stage = self.reconcile()
        for _ in range(10):
            self.book.step(0.0)
            if not stage.step(self.clock.now()):
                return

    def trade(self, *faults: FaultKind) -> None:
        """A future is bought and a call sold against it."""
        self.decide()
        self.exchange.plan(*faults)
        self.gateway().step(0.0)

    def strange(self, contract: Contract, side: Side, units: int, name: str = "") -> None:
        """Somebody else trades in our account."""
        quote = self.quotes[contract.key]
        limit = quote.ask if side is Side.BUY else quote.bid
        self.exchange.enter(OrderRequest(name, contract.key, side, units, limit))

    def level(self) -> Level:
        """What the breaker says."""
        return judge(Watch(self.books, self.market, self.books, self.wall, Triggers())).level

    def units(self) -> dict[str, int]:
        """What is held of each contract."""
        return {h.contract.key: h.quantity for s in SPOTS for h in self.position(s).holdings}

    def at_broker(self) -> dict[str, int]:
        """What the broker holds of each contract for us."""
        return {k: line.quantity for k, line in self.exchange.state.ledger.lines.items()}

    def breaks(self) -> list[tuple[BreakKind, str, int]]:
        """The breaks that stand, with their age."""
        return [(b.kind, b.key, b.cycles) for b in standing(self.books)]


@pytest.fixture
def floor() -> Watched:
    return Watched()


# --- when ---


def test_orders_are_compared_every_30_s_positions_every_60_and_cash_every_5_minutes(floor: Watched) -> None:
    floor.trade()
    asked = []
    for _ in range(21):
        floor.pass_time(30)
        seen = looks(floor.books, DAY)
        asked.append((seen.orders_at, seen.positions_at, seen.funds_at))
    assert len({orders for orders, _, _ in asked}) == 21
    assert len({positions for _, positions, _ in asked}) == 11
    assert len({funds for _, _, funds in asked}) == 3
    assert (floor.breaks(), mended(floor.books, DAY), floor.tickets()) == ([], [], [])


def test_what_is_not_due_asks_the_broker_nothing(floor: Watched) -> None:
    floor.pass_time(30)
    reads = floor.exchange.state.reads
    floor.compare()
    assert floor.exchange.state.reads == reads


def test_what_has_just_filled_is_no_break_yet(floor: Watched) -> None:
    floor.pass_time(60)
    floor.trade()
    line = fill_line(future(), Side.BUY, 65, money(SPOTS["NIFTY"], 65))
    floor.exchange.state.ledger = book(floor.exchange.state.ledger, line, 0)
    floor.at(62)
    floor.compare()
    assert floor.breaks() == []


def test_nothing_is_compared_after_the_days_last_instant(floor: Watched) -> None:
    floor.books.commit([Write("ended", str(DAY), b"{}")])
    floor.pass_time(60)
    assert looks(floor.books, DAY).compared == 0


# --- what lasts ---


def test_a_break_of_two_cycles_lets_only_reducing_orders_pass_and_one_of_five_nothing(floor: Watched) -> None:
    floor.trade()
    floor.pass_time(60)
    ledger = floor.exchange.state.ledger
    floor.exchange.state.ledger = book(ledger, fill_line(future("BANKNIFTY"), Side.BUY, 30, 0), 0)
    levels, ages = [], []
    for _ in range(6):
        floor.pass_time(60)
        found = [b for b in standing(floor.books) if b.kind is K.POSITION]
        ages.append(found[0].cycles)
        levels.append(floor.level())
    assert ages == [1, 2, 3, 4, 5, 6]
    assert levels == [Level.CLOSED, *[Level.REDUCE_ONLY] * 3, *[Level.OPEN] * 2]
    (ticket,) = [t for t in floor.tickets() if "position" in t.title]
    assert "--adopt BANKNIFTY-20261229-FUT" in ticket.detail

    floor.exchange.state.ledger = ledger
    floor.pass_time(600)
    assert (floor.breaks(), floor.level()) == ([], Level.CLOSED)
    assert [(b.kind, b.cycles, b.how) for b in mended(floor.books, DAY) if b.kind is K.POSITION] == [
        (K.POSITION, 6, "the two sides agree again")
    ]
    assert all(t.is_closed for t in floor.tickets()), "its ticket ends with it"


def test_reconciliation_never_trades(floor: Watched) -> None:
    floor.trade()
    sent = floor.sent()
    floor.exchange.state.ledger = replace(floor.exchange.state.ledger, opening=0, lines={})
    floor.pass_time(1200)
    assert standing(floor.books)
    assert floor.sent() == sent


# --- the scenarios ---


def test_s06_a_fill_that_is_found_before_its_event_arrives_is_booked_once(floor: Watched) -> None:
    """The broker's book is read before the stream tells: then the stream repeats it, and the gateway is new."""
    floor.trade(FaultKind.NONE, FaultKind.ACCEPT_SILENTLY)
    floor.pass_time(30)
    held = floor.units()
    assert held == {future().key: 65, call().key: -65} == floor.at_broker()
    for _ in range(3):
        floor.gateway().step(0.0)
        floor.pass_time(30)
        assert floor.units() == held
    assert len(fills_of(floor.books, DAY)) == 2


def test_s07_restarting_twice_books_nothing_twice(floor: Watched) -> None:
    floor.trade()
    floor.pass_time(60)
    before = everything(floor.books, "positions", "account", "fills", "flows", "tickets", "external")
    for _ in range(2):
        floor.book = floor.desk()
        floor.gateway().step(0.0)
        floor.pass_time(60)
    assert everything(floor.books, "positions", "account", "fills", "flows", "tickets", "external") == before


def test_s08_a_restart_with_a_position_makes_no_phantom_order(floor: Watched) -> None:
    floor.trade()
    floor.pass_time(60)
    orders, sent = floor.orders(), floor.sent()
    floor.book = floor.desk()
    floor.gateway().step(0.0)
    assert at_wake(floor.books, floor.exchange, floor.clock.now()) == []
    floor.pass_time(60)
    assert (floor.orders(), floor.sent(), floor.breaks()) == (orders, sent, [])
    assert externals(floor.books, DAY) == []


def test_s10_a_position_older_than_our_books_is_never_traded_as_flat(floor: Watched) -> None:
    """The day does not begin; only a person's word takes the broker's position over, at the broker's cost."""
    cost = money(SPOTS["NIFTY"], 65)
    ledger = floor.exchange.state.ledger
    floor.exchange.state.ledger = book(ledger, fill_line(future(), Side.BUY, 65, cost), 0)
    (found,) = at_wake(floor.books, floor.exchange, floor.clock.now()) or []
    assert (found.kind, found.key, found.ours, found.theirs) == (K.POSITION, future().key, "0", "65")
    assert floor.units() == {}

    assert adopt(floor.books, floor.market, RULES, found, "bought last month") == ""
    (holding,) = floor.position().holdings
    assert (holding.contract, holding.quantity, holding.cost) == (future(), 65, cost)
    assert floor.account().cash == floor.exchange.funds().cash
    assert at_wake(floor.books, floor.exchange, floor.clock.now()) == []
    assert [b.how for b in mended(floor.books, DAY)] == ["taken over by a person's word: bought last month"]


def test_s10_an_open_break_lets_nothing_raise_the_risk_until_it_is_taken_over(floor: Watched) -> None:
    floor.exchange.state.ledger = book(floor.exchange.state.ledger, fill_line(call(), Side.BUY, 65, 5_000_00), 0)
    floor.pass_time(120)
    assert floor.level() is Level.REDUCE_ONLY
    for key in (call().key, "cash"):
        found = adoptable(standing(floor.books), key)
        assert found is not None
        assert adopt(floor.books, floor.market, RULES, found, "known") == ""
    floor.pass_time(600)
    assert (floor.breaks(), floor.level()) == ([], Level.CLOSED)
    assert floor.units() == floor.at_broker()


def test_what_no_master_knows_is_not_taken_over(floor: Watched) -> None:
    found = Break(K.POSITION, "OLD-20200130-FUT", "0", "75", last_seen=floor.clock.now())
    assert "no master" in adopt(floor.books, floor.market, RULES, found, "so what")
    assert adoptable([found], "NIFTY") is None


def test_a_day_does_not_begin_on_positions_that_cannot_be_read(floor: Watched) -> None:
    floor.exchange.fail(Faults(books_down=1.0))
    assert at_wake(floor.books, floor.exchange, floor.clock.now()) is None


def test_a_break_with_a_persons_reason_ends_as_the_next_day_begins(floor: Watched) -> None:
    floor.exchange.state.ledger = replace(floor.exchange.state.ledger, opening=0)
    floor.pass_time(300 * 6)
    (ticket,) = [t for t in floor.tickets() if "cash" in t.title]
    close_ticket(floor.books, ticket.ticket_id, "the interest of last month")
    assert at_wake(floor.books, floor.exchange, floor.clock.now()) == []
    assert not [b for b in standing(floor.books) if b.kind is K.CASH]
    assert "the interest of last month" in next(b.how for b in mended(floor.books, DAY) if b.kind is K.CASH)


@pytest.mark.parametrize("scenario", ["S11: the link is lost in the middle", "S12: the stream is well and silent"])
def test_s11_s12_fills_that_the_stream_never_told_are_found_within_30_s(floor: Watched, scenario: str) -> None:
    """The gateway stands still; the desk's reading of the book is enough."""
    floor.decide()
    floor.exchange.plan(FaultKind.NONE, FaultKind.ACCEPT_SILENTLY, update_drop=1.0)
    floor.gateway().step(0.0)
    sent = floor.sent()
    floor.pass_time(30)
    assert floor.units() == floor.at_broker(), scenario
    assert floor.statuses() == [OrderStatus.FILLED] * 2
    floor.pass_time(300)
    assert (floor.sent(), floor.breaks(), floor.level()) == (sent, [], Level.CLOSED)


def test_s14_a_fill_under_an_order_that_is_not_in_our_books_is_taken_over_not_dropped(floor: Watched) -> None:
    """A tag of the form of ours, of an order that nobody here knows."""
    floor.strange(future(), Side.BUY, 65, "0123456789abcdef1")
    floor.pass_time(30)
    assert floor.units() == {future().key: 65} == floor.at_broker()
    (fill,) = fills_of(floor.books, DAY)
    assert fill.decision_id == EXTERNAL


def test_s15_a_liquidation_by_the_broker_is_booked_as_external_with_one_ticket_and_reduce_only(floor: Watched) -> None:
    floor.trade()
    floor.pass_time(60)
    floor.strange(call(), Side.BUY, 65)
    floor.strange(future(), Side.SELL, 65)
    floor.pass_time(30)
    assert floor.units() == {}
    assert floor.at_broker() == {}
    strangers = [f for f in fills_of(floor.books, DAY) if f.decision_id == EXTERNAL]
    assert [(f.contract, f.side, f.quantity) for f in strangers] == [(call(), Side.BUY, 65), (future(), Side.SELL, 65)]
    assert floor.account().cash == floor.exchange.funds().cash
    tickets = floor.tickets()
    assert [t.title for t in tickets] == [f"not ours: buy 65 {call().key}", f"not ours: sell 65 {future().key}"]
    assert floor.level() is Level.REDUCE_ONLY

    floor.pass_time(600)
    assert (floor.tickets(), floor.breaks()) == (tickets, []), "one ticket each, and both sides agree"
    for ticket in tickets:
        close_ticket(floor.books, ticket.ticket_id, "the broker's margin desk")
    assert floor.level() is Level.CLOSED


def test_s15_a_strange_order_that_fills_later_is_booked_as_it_fills(floor: Watched) -> None:
    quote = floor.quotes[call().key]
    floor.exchange.enter(OrderRequest("", call().key, Side.BUY, 65, quote.bid))
    floor.pass_time(30)
    (external,) = externals(floor.books, DAY)
    assert (floor.units(), external.view.cum_quantity, floor.level()) == ({}, 0, Level.REDUCE_ONLY)
    floor.reprice(call(), ask=quote.bid, bid=quote.bid - 500)
    floor.pass_time(60)
    assert floor.units() == {call().key: 65} == floor.at_broker()
    assert len(floor.tickets()) == 1


def test_a_strange_order_of_an_unknown_contract_is_a_break(floor: Watched) -> None:
    for table in ("reference",):
        floor.market.commit([Write(table, r.key, None) for r in floor.market.rows(table)])
    floor.strange(future(), Side.BUY, 65)
    floor.pass_time(150)
    found = {b.kind: b.cycles for b in standing(floor.books)}
    assert found[K.FOREIGN] == 5
    assert floor.level() is Level.OPEN
    assert fills_of(floor.books, DAY) == []


def test_a_fill_made_by_hand_for_a_ticket_waits_for_that_person_and_counts_once(floor: Watched) -> None:
    floor.trade(FaultKind.NONE, FaultKind.LOSE)
    lost = floor.orders()[1]
    handed = replace(lost, is_ticketed=True)
    floor.books.commit([Write("orders", f"{DAY}/{lost.order_id}", encode(handed))])
    floor.strange(call(), Side.SELL, 65)
    floor.pass_time(60)
    assert [kind for kind, _, _ in floor.breaks() if kind is K.FOREIGN], "it waits for the ticket"
    assert [f for f in fills_of(floor.books, DAY) if f.decision_id == EXTERNAL] == []

    value = floor.exchange.orders()[-1].cum_value
    fill = Fill(lost.order_id, lost.decision_id, "NIFTY", call(), Side.SELL, 65, value, 0, floor.clock.now())
    floor.books.commit([Write("fills", f"{DAY}/{lost.order_id}", encode(fill))])
    floor.pass_time(30)
    assert not [kind for kind, _, _ in floor.breaks() if kind in (K.FOREIGN, K.QUANTITY, K.MISSING)]


def test_what_may_be_a_lost_order_is_not_booked_as_a_strangers_before_a_person_has_said(floor: Watched) -> None:
    floor.trade(FaultKind.NONE, FaultKind.LOSE)
    floor.strange(call(), Side.SELL, 65)
    floor.pass_time(60)
    assert [kind for kind, _, _ in floor.breaks() if kind is K.FOREIGN]
    assert externals(floor.books, DAY) == []
    held = floor.orders()[1]
    given_up = replace(held, status=OrderStatus.DEAD)
    floor.books.commit([Write("orders", f"{DAY}/{held.order_id}", encode(given_up))])
    floor.pass_time(30)
    assert len(externals(floor.books, DAY)) == 1, "whose fate is known is not it"


def test_s16_an_expired_row_of_zero_units_is_nothing(floor: Watched) -> None:
    ledger = floor.exchange.state.ledger
    gone = Line(replace(ending(), strike=1), 0, 0)
    floor.exchange.state.ledger = replace(ledger, lines={gone.contract.key: gone, "ODD": gone})
    floor.pass_time(120)
    assert floor.breaks() == []
    assert at_wake(floor.books, floor.exchange, floor.clock.now()) == []


def test_s18_a_broker_that_cannot_be_read_is_counted_and_is_no_empty_book(floor: Watched) -> None:
    floor.trade()
    floor.pass_time(60)
    before = everything(floor.books, "positions", "account", "fills", "tickets", "breaks", "orders")
    floor.exchange.fail(Faults(books_down=1.0))
    floor.pass_time(300)
    assert everything(floor.books, "positions", "account", "fills", "tickets", "breaks", "orders") == before
    seen = looks(floor.books, DAY)
    assert seen.failed_in_a_row == 10
    assert seen.failed >= 10
    floor.exchange.fail(Faults())
    floor.pass_time(30)
    assert looks(floor.books, DAY).failed_in_a_row == 0
    assert floor.breaks() == []


def test_s18_one_of_the_books_that_fails_leaves_the_others_compared(floor: Watched) -> None:
    floor.trade()
    floor.pass_time(60)
    half_read = set()
    for seed in range(60):
        floor.exchange.fail(Faults(seed=seed, books_down=0.5))
        shown = read(floor.exchange, COMPARED)
        half_read.add(shown.orders is not None and shown.positions is None)
    assert half_read == {True, False}
    floor.exchange.fail(Faults(seed=3, books_down=0.4))
    floor.pass_time(3000)
    assert looks(floor.books, DAY).failed > 20
    assert (floor.breaks(), mended(floor.books, DAY)) == ([], [])


def test_s27_an_exchange_that_deletes_all_orders_leaves_them_cancelled_and_positions_kept(floor: Watched) -> None:
    floor.decide(floor.leg(future(), Side.BUY))
    floor.move_away(future())
    floor.gateway().step(0.0)
    assert floor.statuses() == [OrderStatus.WORKING]
    floor.exchange.end(floor.sent()[0])
    floor.exchange.updates()
    floor.now_s = 10
    floor.pass_time(30)
    assert floor.statuses() == [OrderStatus.CANCELLED]
    assert (floor.units(), floor.breaks(), floor.tickets()) == ({}, [], [])


def test_an_order_that_the_broker_lost_is_a_break(floor: Watched) -> None:
    floor.trade()
    floor.pass_time(60)
    del floor.exchange.state.orders[0]
    floor.pass_time(60)
    assert [(kind, cycles) for kind, _, cycles in floor.breaks()] == [(K.MISSING, 2)]
    assert decode(floor.books.rows("breaks")[0].value, Break).contract == future().key


def test_a_closed_ticket_of_a_break_is_not_opened_again(floor: Watched) -> None:
    floor.trade()
    floor.pass_time(60)
    del floor.exchange.state.orders[0]
    floor.pass_time(150)
    (ticket,) = floor.tickets()
    floor.books.commit([Write("tickets", ticket.ticket_id, encode(settled(ticket, "seen")))])
    floor.pass_time(150)
    assert [t.is_closed for t in floor.tickets()] == [True]
