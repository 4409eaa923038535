"""One client's orders, money and positions as an exchange and its clearing house keep them; nothing goes wrong here.

All it knows between two calls lies in `state`, but for the quotes, which the market says again.
"""

import datetime
from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from participant.core.charges import charges
from participant.core.clearing import Ledger, Unpriced, book, fill_line, settle
from participant.core.margin import margin
from participant.core.market import Chain, Quote, in_chain
from participant.core.matching import Entry, OrderRequest, Taken, match, refusal
from participant.core.order import OrderView
from participant.core.rulebook import Rulebook
from participant.core.scrip import Contract, Kind, Side, money
from participant.core.session import Phase, phase

Chains = Mapping[str, Mapping[datetime.date, Chain]]
NO_CHAINS: Chains = {}
ORDERS_MAX = 10_000
UPDATES_MAX = 10_000
# A clearing house values its scenarios with one volatility a day, published beforehand; a made market has one for good.
VOLATILITY = 0.15


class BrokerOrder(Struct):
    """An order of the day as the broker keeps it; `charges` and `cum_value` in paise, `accept_at` while it is late.

    Before `arrives_at` it is in the broker's book and not yet at the exchange: nothing fills it.
    """

    request: OrderRequest
    quantity: int
    limit: int
    number: int = 0
    broker_order_id: str = ""
    cum_quantity: int = 0
    cum_value: int = 0
    charges: int = 0
    status: str = "open"
    reason: str = ""
    updated_at: int = 0
    accept_at: int = 0
    is_resting: bool = False
    fill_max: int = 0
    arrives_at: int = 0

    @property
    def left(self) -> int:
        """Units that may still fill."""
        return self.quantity - self.cum_quantity if self.status == "open" else 0

    def view(self) -> OrderView:
        """The order as the book shows it."""
        asked = self.request
        head = (asked.tag, self.broker_order_id, asked.contract, asked.side, self.quantity)
        return OrderView(*head, self.cum_quantity, self.cum_value, self.status, self.reason, self.updated_at)


class BrokerState(Struct):
    """All that a broker must not forget. `numbers` gives ids; `requests`, `reads` and `told` number what may fail.

    `unpriced` is what the day's end could not settle.
    """

    day: datetime.date
    ledger: Ledger
    at: int = 0
    is_over: bool = False
    numbers: int = 0
    requests: int = 0
    reads: int = 0
    told: int = 0
    orders: list[BrokerOrder] = []
    late: list[BrokerOrder] = []
    taken: dict[str, Taken] = {}
    settlements: dict[str, int] = {}
    unpriced: tuple[Unpriced, ...] = ()


class BrokerBook:
    """The book of one day, with the money and positions that the days before left."""

    def __init__(self, contracts: Sequence[Contract], rules: Rulebook, state: BrokerState) -> None:
        self.contracts = {c.key: c for c in contracts}
        self._risks: dict[str, tuple[object, int]] = {}
        self._futures: dict[str, list[str]] = {}
        for contract in (c for c in contracts if c.kind is Kind.FUTURE):
            self._futures.setdefault(contract.underlying, []).append(contract.key)
        self.quotes: dict[str, Quote] = {}
        self.chains: dict[str, dict[datetime.date, Chain]] = {}
        self.told: deque[OrderView] = deque(maxlen=UPDATES_MAX)
        self.state = state
        self._rules = rules

    def refusal(self, request: OrderRequest) -> str:
        """Why the exchange or the broker does not take this order now, or an empty string."""
        if not self._is_open():
            return "the session is closed"
        if len(self.state.orders) >= ORDERS_MAX:
            return f"more than {ORDERS_MAX} orders in a day"
        why_not = refusal(self.contracts.get(request.contract), request)
        if why_not:
            return why_not
        contract = self.contracts[request.contract]
        if not self._spot(contract.underlying):
            return "the underlying has no price yet"
        if contract.kind is Kind.STOCK and request.side is Side.SELL and self._unsold(contract.key) < request.quantity:
            return f"there are no {request.quantity} shares to sell"
        cash, before, after = self.state.ledger.cash, self.margin(), self.margin([request])
        # An order that lowers the need is taken whatever the cash: nobody is kept in a position.
        if after > max(cash, before):
            return f"insufficient margin: {after} paise needed, {cash} there"
        return ""

    def accept(self, order: BrokerOrder, why_not: str) -> None:
        """Take an order into the book and match it; with a reason why not, it stands there as rejected."""
        order.number = self._next_number()
        order.broker_order_id = f"{self.state.day:%y%m%d}{order.number:06d}"
        self.state.orders.append(order)
        if why_not:
            self.end(order, "rejected", why_not)
        else:
            self._tell(order)
            self._match(order.request.contract)

    def change(self, order: BrokerOrder, quantity: int, limit: int) -> str:
        """Give an open order a new quantity and limit and a new place in time; returns why not, or an empty string."""
        asked = order.request
        wanted = OrderRequest(asked.tag, asked.contract, asked.side, quantity, limit)
        why_not = refusal(self.contracts.get(asked.contract), wanted)
        if why_not or quantity <= order.cum_quantity:
            return why_not or "the quantity is not above what is filled"
        order.quantity, order.limit, order.is_resting = quantity, limit, False
        order.number = self._next_number()
        self._tell(order)
        self._match(asked.contract)
        return ""

    def end(self, order: BrokerOrder, status: str, reason: str) -> None:
        """End an order: cancelled or rejected."""
        order.status, order.reason = status, reason
        self._tell(order)

    def meet(self, quotes: Mapping[str, Quote], chains: Chains = NO_CHAINS) -> None:
        """Match the resting orders of these contracts."""
        self.quotes.update(quotes)
        for underlying, mine in chains.items():
            self.chains.setdefault(underlying, {}).update(mine)
        for key in sorted({o.request.contract for o in self.state.orders if o.left}):
            if self._quoted_as(key) in quotes or self._is_among(key, chains) or self._has_arrived(key):
                self._match(key)

    def close(self, settlements: Mapping[str, int]) -> None:
        """End the day: open orders are cancelled, futures marked, what expires is paid, at the official prices.

        What has no such price stays as it is: `state.unpriced` names it.
        """
        self.state.is_over = True
        self.state.late = []
        for order in self.state.orders:
            if order.left:
                self.end(order, "cancelled", "the day is over")
        self.state.ledger, self.state.unpriced = settle(self.state.ledger, self.state.day, settlements, self._rules)
        self.state.settlements = dict(settlements)

    def margin(self, requests: Iterable[OrderRequest] = ()) -> int:
        """Paise that positions, open orders and these requests need together, with the premiums they would pay."""
        legs = {line.contract: line.quantity for line in self.state.ledger.lines.values()}
        asked = [(o.request.contract, o.request.side, o.left, o.limit) for o in self.state.orders if o.left]
        asked += [(r.contract, r.side, r.quantity, r.limit) for r in requests]
        premium = 0
        for key, side, quantity, limit in asked:
            contract = self.contracts[key]
            legs[contract] = legs.get(contract, 0) + side.sign * quantity
            if contract.kind is not Kind.FUTURE and side is Side.BUY:
                premium += money(limit, quantity)
        by_underlying: dict[str, list[tuple[Contract, int]]] = {}
        for contract, quantity in legs.items():
            if quantity:
                by_underlying.setdefault(contract.underlying, []).append((contract, quantity))
        return premium + sum(self._risk(name, tuple(sorted(mine))) for name, mine in by_underlying.items())

    def _risk(self, underlying: str, legs: tuple[tuple[Contract, int], ...]) -> int:
        """The margin of one underlying's legs; 0 before its first price of the day. One order changes only one."""
        asked = (legs, self._spot(underlying), self.state.at)
        known = self._risks.get(underlying)
        if known is None or known[0] != asked:
            rates = self._rules.margin_rates(underlying, self.state.day)
            known = asked, margin(rates, legs, asked[1], VOLATILITY, asked[2]) if asked[1] else 0
            self._risks[underlying] = known
        return known[1]

    def _is_open(self) -> bool:
        return bool(self.state.at) and not self.state.is_over and phase(self._rules, self.state.at) is Phase.OPEN

    def _spot(self, underlying: str) -> int:
        """The value of an underlying; where nobody says it, that of a future of it."""
        names = [underlying, *self._futures.get(underlying, ())]
        return next((self.quotes[name].mid for name in names if name in self.quotes), 0)

    def _quoted_as(self, key: str) -> str:
        """The name under which a contract is quoted: shares are quoted as their underlying."""
        contract = self.contracts.get(key)
        return contract.underlying if contract is not None and contract.kind is Kind.STOCK else key

    def quote(self, key: str) -> Quote | None:
        """The last quote of a contract."""
        return self.quotes.get(self._quoted_as(key)) or self._in_chain(key, self.chains)

    def _in_chain(self, key: str, chains: Chains) -> Quote | None:
        contract = self.contracts.get(key)
        chain = chains.get(contract.underlying, {}).get(contract.expiry) if contract is not None else None
        return in_chain(chain, contract.kind, contract.strike) if contract is not None and chain is not None else None

    def _is_among(self, key: str, chains: Chains) -> bool:
        return self._in_chain(key, chains) is not None

    def _unsold(self, key: str) -> int:
        """Shares held that no open order sells."""
        line = self.state.ledger.lines.get(key)
        selling = sum(o.left for o in self.state.orders if o.request.contract == key and o.request.side is Side.SELL)
        return (line.quantity if line else 0) - selling

    def _match(self, key: str) -> None:
        quote = self.quote(key)
        if quote is None or not self._is_open():
            return
        there = (o for o in self.state.orders if o.left and o.arrives_at <= self.state.at)
        standing = {o.number: o for o in there if o.request.contract == key}
        entries = [Entry(n, o.request.side, o.limit, o.left, o.is_resting, o.fill_max) for n, o in standing.items()]
        executions, taken = match(entries, quote, self.state.taken.get(key))
        self.state.taken[key] = taken
        for execution in executions:
            self._fill(standing[execution.number], execution.quantity, execution.price)
        for order in standing.values():
            order.is_resting = True

    def _has_arrived(self, key: str) -> bool:
        """Whether an order of this contract has just reached the exchange."""
        mine = (o for o in self.state.orders if o.left and o.arrives_at and o.request.contract == key)
        return any(not o.is_resting and o.arrives_at <= self.state.at for o in mine)

    def _fill(self, order: BrokerOrder, quantity: int, price: int) -> None:
        contract, side = self.contracts[order.request.contract], order.request.side
        value, before = money(price, quantity), order.charges
        order.cum_quantity += quantity
        order.cum_value += value
        order.charges = charges(self._rules.charge_rates(self.state.day), contract, side, order.cum_value).total
        line = fill_line(contract, side, quantity, value)
        self.state.ledger = book(self.state.ledger, line, order.charges - before)
        if order.cum_quantity == order.quantity:
            order.status = "complete"
        self._tell(order)

    def _next_number(self) -> int:
        self.state.numbers += 1
        return self.state.numbers

    def _tell(self, order: BrokerOrder) -> None:
        order.updated_at = self.state.at
        self.told.append(order.view())
