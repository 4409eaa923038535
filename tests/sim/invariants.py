"""What must hold (design §5), looked at whenever something is written down or reaches the broker."""

from collections import Counter

from msgspec import Raw, Struct

from participant.core.account import Account
from participant.core.books import Fill
from participant.core.decision import Action, Decision, DecisionRecord
from participant.core.messages import Write
from participant.core.order import OPEN, Order, OrderStatus
from participant.core.position import Position
from participant.core.scrip import Contract, Kind, Side
from participant.core.sending import SendRule
from participant.links.breaks import looks
from participant.links.parts import unpack, whole
from participant.wire.json import decode
from tests.sim import world
from tests.sim.desk import LOOK_S, SECOND, Sim

AGREE_S = 60
UNKNOWN_S = SendRule().absent_after_s


class Violation(AssertionError):
    """An invariant does not hold; the seed reproduces it."""


class Logged(Struct, rename="camel"):
    """What was decided, of a row of the log."""

    decision_info: Decision


class Invariants:
    """Watches one simulated day. The numbers are those of design §5."""

    def __init__(self) -> None:
        self.sent: Counter[str] = Counter()
        self.before: dict[str, Order] = {}
        self.proven: set[str] = set()
        self.asked: dict[str, int] = {}
        self.differed_at = 0
        self.decided: dict[tuple[str, int], int] = {}

    # --- before a byte reaches the broker ---

    def sending(self, sim: Sim, order: Order) -> None:
        """1, 2, 3, 5: one logged decision, its quantity, its deadline, the breaker, the session, two sends at most."""
        row = sim.raw_books.get("log", f"{world.DAY}/{order.decision_id}")
        require(row is not None, sim, 1, f"order {order.order_id} without a logged decision")
        assert row is not None
        decision = decode(row.value, Logged).decision_info
        leg = decision.legs[order.leg]
        self.decided[order.decision_id, order.leg] = leg.quantity
        self.sent[order.order_id] += 1
        attempts = self.sent[order.order_id]
        require(attempts <= 2, sim, 5, f"sent {attempts} times")
        stored = next(o for o in sim.orders() if o.order_id == order.order_id)
        require(
            stored.sends >= attempts and stored.status is OrderStatus.SENDING,
            sim,
            5,
            "the send was not written down first",
        )
        if attempts == 2:
            require(order.tag_stem in self.proven, sim, 5, "a second send without a proven reject")
        require(order.quantity <= leg.quantity and order.contract == leg.contract, sim, 1, "not what was decided")
        require(sim.clock.at < decision.deadline, sim, 3, "sent after the deadline")
        held = sim.account().reserved.get(order.order_id, 0)
        require(order.margin <= 0 or held > 0, sim, 12, "sent without its margin reserved")
        level = sim.breaker_level()
        require(level < 2, sim, 3, "sent while the breaker is open")
        # An option sold against cover that is held may lower the worst loss, and complete what was begun.
        is_sold = order.side is Side.SELL and order.contract.kind is not Kind.FUTURE
        lowers = decision.action is Action.CLOSE or is_sold
        require(level < 1 or lowers, sim, 3, "an order that raises the risk in REDUCE_ONLY")
        if decision.action is Action.CLOSE and order.side is Side.SELL:
            self._cover_sold_last(sim, order)
        quoted_at = sim.quoted_at(order.scrip, order.contract.key)
        require(sim.clock.at - quoted_at <= 90 * 10**9, sim, 3, "sent against a stale quote")

    def changing(self, sim: Sim, order: Order) -> None:
        """3, 5: a change of the limit: written down first, few of them, each nearer, in time, on a fresh quote."""
        stored = next(o for o in sim.orders() if o.order_id == order.order_id)
        require(stored.changes == order.changes, sim, 5, "the change was not written down first")
        require(order.changes <= len(SendRule().reprice_at_s), sim, 5, f"changed {order.changes} times")
        before = self.asked.get(order.order_id, 0)
        is_nearer = not before or order.side.sign * (order.limit - before) > 0
        require(
            is_nearer or order.tag_stem in sim.line.unchanged, sim, 5, "what may have been changed is asked for again"
        )
        self.asked[order.order_id] = order.limit
        require(sim.clock.at < order.deadline, sim, 3, "changed after the deadline")
        require(sim.breaker_level() < 2, sim, 3, "changed while the breaker is open")
        age = sim.clock.at - sim.quoted_at(order.scrip, order.contract.key)
        require(age <= 90 * 10**9, sim, 3, "changed against a stale quote")

    def _cover_sold_last(self, sim: Sim, order: Order) -> None:
        """1, 3: what is sold stays covered after any subset of what may still fill at the broker."""
        bare = naked(sim, order.contract.underlying, order)
        require(not bare, sim, 1, f"selling {order.quantity} {order.contract.key} leaves {bare} units without cover")

    # --- after a commit ---

    def committed(self, sim: Sim, writes: list[Write]) -> None:
        """2, 4, 7, 8, 12 on what was just written."""
        for write in writes:
            if write.value is None:
                continue
            if write.table == "orders":
                self._order(sim, decode(write.value, Order))
            elif write.table == "positions":
                self._position(sim, decode(write.value, Position))
            elif write.table == "account":
                self._account(sim, decode(write.value, Account))

    def _order(self, sim: Sim, order: Order) -> None:
        before = self.before.get(order.order_id)
        self.before[order.order_id] = order
        if before is None:
            require(order.status is OrderStatus.DECIDED, sim, 2, "an order that begins in the middle")
            others = [o for o in self.before.values() if o.scrip == order.scrip and o.decision_id != order.decision_id]
            require(not any(o.unfilled for o in others), sim, 8, "decided again while orders of the scrip still work")
            return
        require(
            before.status in OPEN or order.status in (before.status, OrderStatus.FILLED),
            sim,
            4,
            "a final state went back",
        )
        require(order.cum_quantity >= before.cum_quantity, sim, 7, "a fill was forgotten")
        require(order.cum_quantity <= order.quantity, sim, 7, "filled beyond its quantity")
        if before.status is OrderStatus.UNKNOWN and order.status is not OrderStatus.UNKNOWN:
            shown = [o for o in sim.exchange.state.orders if o.request.tag.startswith(order.tag_stem)]
            require(bool(shown), sim, 4, f"UNKNOWN became {order.status} with nothing in the broker's book")

    def _position(self, sim: Sim, position: Position) -> None:
        """7, 8: the position is the fold of the fills; calls stay covered and within the limit."""
        if any(r.table == "ended" for r in sim.raw_books.rows("ended")):
            return
        net: Counter[str] = Counter()
        for row in sim.raw_books.rows("fills"):
            fill = decode(row.value, Fill)
            if fill.scrip == position.scrip:
                net[fill.contract.key] += fill.side.sign * fill.quantity
        held = {h.contract.key: h.quantity for h in position.holdings}
        require(
            held == {k: q for k, q in net.items() if q}, sim, 7, f"{position.scrip}: {held} is not the fold {dict(net)}"
        )
        require(position.short_calls <= 10 * world.SYMBOLS[position.scrip][1], sim, 8, "more calls than the limit")

    def _account(self, sim: Sim, account: Account) -> None:
        """12: what is reserved belongs to an order of ours, and all of it together stays within the limit."""
        orders = {o.order_id: o for o in sim.orders()}
        require(account.reserved.keys() <= orders.keys(), sim, 12, "a reservation without an order")
        grown = {
            k: v for k, v in account.reserved.items() if orders[k].status in (OrderStatus.CLAIMED, OrderStatus.DECIDED)
        }
        if grown:
            require(account.committed <= 0.9 * account.capital, sim, 12, "scrips spend the same rupee")

    # --- after the broker did something ---

    def exchanged(self, sim: Sim) -> None:
        """1, 2: what the broker holds of each order is at most what was decided, and no option stands uncovered."""
        units, parents = Counter[str](), Counter[tuple[str, int]]()
        for order in [*sim.exchange.state.orders, *sim.exchange.state.late]:
            stem = order.request.tag[:-1]
            if order.status == "rejected":
                self.proven.add(stem)
            else:
                units[stem] += order.quantity if order.status == "open" else order.cum_quantity
        for stem, total in units.items():
            ours = next((o for o in self.before.values() if o.tag_stem == stem), None)
            require(ours is not None, sim, 1, "the broker holds an order that we do not know")
            assert ours is not None
            require(total <= ours.quantity, sim, 2, f"{total} units at the broker, {ours.quantity} decided")
            parents[ours.decision_id, ours.leg] += total
        for parent, total in parents.items():
            most = self.decided[parent]
            require(total <= most, sim, 1, f"the slices of {parent} have {total} units at the broker, {most} decided")
        for symbol in world.SYMBOLS:
            bare = naked(sim, symbol)
            require(not bare, sim, 1, f"{symbol}: {bare} units of options sold without cover")

    # --- when faults have ended ---

    def looked(self, sim: Sim) -> None:
        """6, 10: whether both sides show the same now; what is unknown for its time has its one ticket."""
        if booked(sim) != shown(sim):
            self.differed_at = sim.clock.at
        tickets = Counter(t.order_id for t in sim.tickets() if t.order_id)
        for order in sim.orders():
            is_due = order.status is OrderStatus.UNKNOWN and sim.clock.at - order.sent_at > UNKNOWN_S * SECOND
            is_given = order.status is OrderStatus.DEAD or is_due
            count = tickets[order.order_id]
            require(not is_given or count == 1, sim, 6, f"{count} tickets for an order that is {order.status}")

    def agreed_after_s(self, sim: Sim) -> int:
        """How long after the last fault both sides showed the same, and did from then on; in steps of a look."""
        return max(0, (self.differed_at - sim.faults_ended_at) // SECOND + LOOK_S) if self.differed_at else 0

    # --- at the end of the day ---

    def ended(self, sim: Sim) -> None:
        """6, 7 and the log: one ticket for each order that stayed unresolved, books equal, each decision once."""
        took = self.agreed_after_s(sim)
        require(took <= AGREE_S, sim, 10, f"the books were the same only {took} s after the last fault")
        assert sim.closed is not None
        require(not sim.closed.breaks, sim, 10, f"breaks {sim.closed.breaks}")
        false_alarms = [r.value for table in ("breaks", "mended") for r in sim.raw_books.rows(table)]
        require(not false_alarms, sim, 10, f"a false alarm: {false_alarms}")
        require(looks(sim.raw_books, world.DAY).compared > 0, sim, 10, "the books were never compared")
        tickets = Counter(t.order_id for t in sim.tickets() if t.order_id)
        for order in sim.orders():
            lost = order.status in (OrderStatus.UNKNOWN, OrderStatus.DEAD)
            require(order.status not in OPEN or lost, sim, 4, f"{order.status} after the close")
            is_kept = order.order_id in sim.account().reserved
            require(not is_kept or order.status is OrderStatus.UNKNOWN, sim, 12, f"reserved for a {order.status} order")
            require(
                not lost or tickets[order.order_id] == 1, sim, 6, f"{tickets[order.order_id]} tickets for one order"
            )
            require(tickets[order.order_id] <= 1, sim, 6, "more than one ticket for an order")
        untold = [t for t in sim.tickets() if not t.is_closed and t.ticket_id not in sim.notifier.told]
        require(not untold, sim, 6, "an open ticket that nobody was told of")
        ids, parts = [], dict[str, Raw]()
        for line, pack in sim.archive.read(str(world.DAY)):
            parts |= {part.id: part.part for part in unpack(pack)}
            ids.append(decode(whole(line, parts), DecisionRecord).decision_info.decision_id)
        require(len(ids) == len(set(ids)), sim, 2, "a decision logged twice")
        require(len(ids) == len(sim.raw_books.rows("log")), sim, 2, "a decision that is not in the log")


Shown = tuple[dict[str, tuple[int, int]], dict[str, int], int]


def booked(sim: Sim) -> Shown:
    """Our side: units and paise filled of each order, units held of each contract, the cash."""
    rows = [decode(row.value, Fill) for row in sim.raw_books.rows("fills")]
    held = [h for row in sim.raw_books.rows("positions") for h in decode(row.value, Position).holdings]
    fills = {f.order_id[:16]: (f.quantity, f.value) for f in rows if f.quantity}
    return fills, {h.contract.key: h.quantity for h in held}, sim.account().cash


def shown(sim: Sim) -> Shown:
    """The broker's side of the same."""
    units, paise = Counter[str](), Counter[str]()
    for order in sim.exchange.state.orders:
        units[order.request.tag[:-1]] += order.cum_quantity
        paise[order.request.tag[:-1]] += order.cum_value
    ledger = sim.exchange.state.ledger
    fills = {stem: (count, paise[stem]) for stem, count in units.items() if count}
    return fills, {key: line.quantity for key, line in ledger.lines.items()}, ledger.cash


def naked(sim: Sim, symbol: str, and_this: Order | None = None) -> int:
    """The most units of options sold that the broker's book can leave without cover, whichever open orders fill.

    Calls are covered by futures and calls held, puts by puts held, by none that ends before what it covers. `and_this`
    is an order that is about to be sent.
    """
    units = Counter[Contract]()
    for key, line in sim.exchange.state.ledger.lines.items():
        units[world.BY_KEY[key]] += line.quantity
    for order in [*sim.exchange.state.orders, *sim.exchange.state.late]:
        if order.request.side is Side.SELL:
            units[world.BY_KEY[order.request.contract]] -= order.left
    if and_this is not None:
        units[and_this.contract] -= and_this.quantity
    mine = [(c, q) for c, q in units.items() if c.underlying == symbol]
    sides = [[one for one in mine if (one[0].kind is Kind.PUT) is is_put] for is_put in (False, True)]
    ends = (-sum(q for c, q in side if c.expiry >= last) for side in sides for last in {c.expiry for c, _ in side})
    return max(0, *ends, 0)


def require(holds: bool, sim: Sim, number: int, what: str) -> None:
    """Raise a Violation that names the seed, the instant and the invariant."""
    if not holds:
        raise Violation(f"seed {sim.seed}, {sim.clock.at}: invariant {number}: {what}")
