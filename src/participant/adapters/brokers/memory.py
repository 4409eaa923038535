"""An exchange and its broker in memory: orders meet quotes, and what goes wrong is planned or drawn from a seed.

The seeded simulation uses it as it is; the venue puts it behind sockets. It takes every order that it is sent:
two sends under one tag are two orders.
"""

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence

from participant.core.clearing import Ledger
from participant.core.market import SECOND, Quote
from participant.core.matching import OrderRequest, request_of
from participant.core.messages import BrokerPosition, Funds
from participant.core.order import Answer, Order, OrderView, Verdict
from participant.core.rulebook import Rulebook
from participant.core.scrip import Contract
from participant.links.broker_book import NO_CHAINS, BrokerBook, BrokerOrder, BrokerState, Chains
from participant.links.faults import Fault, FaultKind, Faults, draw, fault_of
from participant.ports import BrokerDown
from participant.wire.broker import VENUE

TIMED_OUT = Answer(Verdict.UNKNOWN, "timed out, check the order book")
THROTTLED = Answer(Verdict.REJECTED, "too many requests", is_retriable=True)


class MemoryBroker:
    """Implements Broker and BrokerBooks for one client who brought `cash` paise. `on_quotes` is its only clock."""

    guarantees = VENUE

    def __init__(self, contracts: Sequence[Contract], rules: Rulebook, day: datetime.date, cash: int) -> None:
        self._book = BrokerBook(contracts, rules, BrokerState(day, Ledger(cash)))
        self.faults = Faults()
        self.latency_s = 0.0  # how long an order that is taken is on its way to the exchange

    # --- the exchange's side ---

    @property
    def state(self) -> BrokerState:
        """What must be kept to go on after a restart."""
        return self._book.state

    def restore(self, state: BrokerState) -> None:
        """Go on from a kept state: within its day with everything, on a later day with money and positions alone."""
        day = self.state.day
        self._book.state = state if state.day == day else BrokerState(day, state.ledger)

    def fail(self, faults: Faults) -> None:
        """Let these things go wrong from the next request on; the plan counts from it."""
        self.faults = faults
        self.state.requests = 0

    def on_quotes(self, at: int, quotes: Mapping[str, Quote], chains: Chains = NO_CHAINS) -> None:
        """Move to instant `at` (ns): late orders arrive, resting ones meet the quotes. No quotes: only time passes.

        An underlying's own value comes under its symbol, as a quote whose bid and ask are both that value; options
        may come as whole chains, by underlying and expiry.
        """
        self.state.at = max(at, self.state.at)
        self._book.meet(quotes, chains)
        late, self.state.late = self.state.late, []
        for order in late:
            if order.accept_at <= self.state.at:
                self._book.accept(order, self._book.refusal(order.request))
            else:
                self.state.late.append(order)

    def arrival_before(self, until: int) -> int:
        """When (ns) the next order that is on its way reaches the exchange, if that is before `until`; else 0."""
        ways = [o.arrives_at for o in self.state.orders if o.left and self.state.at < o.arrives_at < until]
        return min(ways, default=0)

    def see(self, quotes: Mapping[str, Quote]) -> None:
        """Know these quotes again after a restart; what rests has met them already."""
        self._book.quotes.update(quotes)

    def close_day(self, at: int, settlements: Mapping[str, int]) -> None:
        """End the day at the official prices, by underlying and by future's key; `state.unpriced` is what lacks one."""
        self.state.at = max(at, self.state.at)
        self._book.close(settlements)

    # --- Broker ---

    def place(self, order: Order) -> Answer:
        """Take the order, or do to it what the faults say."""
        return self.enter(request_of(order))

    def enter(self, request: OrderRequest) -> Answer:
        """Take a request to place an order, or do to it what the faults say."""
        fault = self._next_fault()
        if fault.kind is FaultKind.THROTTLE:
            return THROTTLED
        if fault.kind is FaultKind.LOSE:
            return TIMED_OUT
        order = BrokerOrder(request, request.quantity, request.limit)
        order.arrives_at = self.state.at + round(self.latency_s * SECOND) if self.latency_s else 0
        contract = self._book.contracts.get(request.contract)
        order.fill_max = fault.fill_lots_max * contract.lot if contract else 0
        if fault.kind is FaultKind.ACCEPT_LATE:
            order.accept_at = self.state.at + fault.late_s * SECOND
            self.state.late.append(order)
            return TIMED_OUT
        why_not = "refused by the broker" if fault.kind is FaultKind.REFUSE else self._book.refusal(request)
        self._book.accept(order, why_not)
        if fault.kind is FaultKind.ACCEPT_SILENTLY:
            return TIMED_OUT
        return Answer(Verdict.REJECTED if why_not else Verdict.ACCEPTED, why_not, order.broker_order_id)

    def modify(self, order: Order) -> Answer:
        """Change the limit of an open order; it loses its place in time."""
        return self.change(order.broker_order_id or order.tag, order.quantity, order.limit)

    def change(self, name: str, quantity: int, limit: int) -> Answer:
        """Change the open order with this broker's id, or else with this tag."""
        return self._amend(name, lambda order: self._book.change(order, quantity, limit))

    def cancel(self, order: Order | OrderView) -> Answer:
        """End an open order."""
        return self.end(order.broker_order_id or order.tag)

    def end(self, name: str) -> Answer:
        """End the open order with this broker's id, or else with this tag."""

        def do(order: BrokerOrder) -> str:
            self._book.end(order, "cancelled", "cancelled by the client")
            return ""

        return self._amend(name, do)

    def find(self, tag_stem: str) -> list[OrderView]:
        """The orders of the day whose tag begins so; one that is still on its way is not among them."""
        return [o for o in self.orders() if o.tag.startswith(tag_stem)]

    def updates(self) -> list[OrderView]:
        """What was told of orders since the last call, as the faults let it through."""
        heard: list[OrderView] = []
        while self._book.told:
            view = self._book.told.popleft()
            self.state.told += 1
            if self._draw("drop") < self.faults.update_drop:
                continue
            copies = 2 if self._draw("duplicate") < self.faults.update_duplicate else 1
            place = 0 if self._draw("reorder") < self.faults.update_reorder else len(heard)
            heard[place:place] = [view] * copies
        return heard

    def margin(self, orders: Sequence[Order]) -> int:
        """What these orders need (paise) on top of positions and open orders."""
        return self.need(request_of(o) for o in orders)

    def need(self, requests: Iterable[OrderRequest]) -> int:
        """What these requests need (paise) on top of positions and open orders; never below 0."""
        self._read()
        requests = list(requests)
        strange = [r.contract for r in requests if r.contract not in self._book.contracts]
        if strange:
            raise BrokerDown(f"no margin for unknown contracts: {', '.join(strange)}")
        return max(0, self._book.margin(requests) - self._book.margin())

    # --- BrokerBooks ---

    def login(self) -> None:
        """Sign in: there is no secret here, only the faults can stand against it."""
        self._read()

    def orders(self) -> list[OrderView]:
        """All orders of the day, oldest first."""
        self._read()
        return [o.view() for o in self.state.orders]

    def positions(self) -> list[BrokerPosition]:
        """What is held, from earlier days too."""
        self._read()
        lines = self.state.ledger.lines
        return [BrokerPosition(key, lines[key].quantity, lines[key].cost) for key in sorted(lines)]

    def funds(self) -> Funds:
        """Cash, and the margin of positions and open orders."""
        self._read()
        return Funds(self.state.ledger.cash, self._book.margin())

    def quote(self, contract: str) -> Quote | None:
        """The last quote that the exchange saw."""
        self._read()
        return self._book.quote(contract)

    def settlements(self) -> dict[str, int] | None:
        """The official prices, once the day is closed; there may be none that day."""
        self._read()
        return dict(self.state.settlements) if self.state.is_over else None

    # --- faults ---

    def _next_fault(self) -> Fault:
        self.state.requests += 1
        return fault_of(self.faults, self.state.requests)

    def _draw(self, what: str) -> float:
        return draw(self.faults, what, self.state.told)

    def _read(self) -> None:
        self.state.reads += 1
        if self.faults.books_down and draw(self.faults, "books", self.state.reads) < self.faults.books_down:
            raise BrokerDown("the broker's books cannot be read now")

    def _amend(self, name: str, do: Callable[[BrokerOrder], str]) -> Answer:
        """Do something to open orders, under the faults; `do` returns why it could not."""
        fault = self._next_fault()
        if fault.kind is FaultKind.THROTTLE:
            return THROTTLED
        if fault.kind is FaultKind.LOSE:
            return TIMED_OUT
        found = [o for o in self.state.orders if o.left and name in (o.broker_order_id, o.request.tag)]
        why_not = "" if found else "no such open order"
        if fault.kind is FaultKind.REFUSE:
            found, why_not = [], "refused by the broker"
        for order in found:
            why_not = do(order) or why_not
        if fault.kind in (FaultKind.ACCEPT_SILENTLY, FaultKind.ACCEPT_LATE):
            return TIMED_OUT
        broker_order_id = found[0].broker_order_id if found else ""
        return Answer(Verdict.REJECTED if why_not else Verdict.ACCEPTED, why_not, broker_order_id)
