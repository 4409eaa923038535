"""OpenAlgo, a self-hosted bridge to Indian brokers: orders and books over HTTP, order updates over a WebSocket.

Its order book carries no tag of ours. What proves that an order there is ours is its id, said to us in the answer to
our own request and nothing else; the books keep it. An order whose answer was lost cannot be told from another one of
the same contract, side and quantity, so where there is one alike, nothing is claimed and a person must say.
"""

import datetime
from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from participant.core.guarantees import unsent
from participant.core.market import Quote
from participant.core.master import Master, Unlisted
from participant.core.messages import BrokerPosition, Funds
from participant.core.order import Answer, Order, OrderStatus, OrderView, Verdict
from participant.links.amounts import paise_said, units_said
from participant.links.http_link import HttpLink
from participant.links.openalgo_link import OpenAlgoLink
from participant.links.planes import prove
from participant.links.secrets import Key
from participant.links.seen_book import SeenBook
from participant.links.update_stream import Tongue, UpdateStream
from participant.ports import BrokerDown
from participant.wire import openalgo
from participant.wire.json import decode
from participant.wire.openalgo import BookRow, DepthRow, FundsRow, MarginRow, OrderBook, PositionRow, TradeRow, Update

LOST = (OrderStatus.SENDING, OrderStatus.UNKNOWN)


class OpenAlgoAccount(Struct, frozen=True):
    """Where OpenAlgo is, what the desk trades as, its sandbox or not, and the day it trades."""

    day: datetime.date
    is_sandbox: bool
    url: str = "http://127.0.0.1:5000"
    updates_url: str = "ws://127.0.0.1:8765"
    product: str = "NRML"
    listed_min: int = 1000
    connect_wait_s: float = 0.0


class OpenAlgoBroker:
    """Implements Broker and BrokerBooks. `ours` gives the day's orders as the books have them, ids included.

    `now` (ns) dates what OpenAlgo does not date: a fill must be of a time.
    """

    guarantees = openalgo.OPENALGO

    def __init__(
        self,
        account: OpenAlgoAccount,
        read_key: Callable[[], Key],
        ours: Callable[[], Iterable[Order]],
        now: Callable[[], int],
        timeout_s: float,
    ) -> None:
        self._account, self._ours, self._now = account, ours, now
        http = HttpLink(account.url, timeout_s, account.connect_wait_s)
        self._link = OpenAlgoLink(http, read_key, is_sandbox=account.is_sandbox)
        self._master: Master | None = None
        self._seen = SeenBook()
        self._tags: dict[str, str] = {}
        self._lost: dict[str, tuple[Order, frozenset[str]]] = {}
        tongue = Tongue(lambda: account.updates_url, lambda body: decode(body, Update), self._link.greet)
        self._stream = UpdateStream(tongue, timeout_s)

    # --- Broker ---

    def place(self, order: Order) -> Answer:
        """Send the order once: limit, day. Its tag goes as the strategy, where a person can read it in OpenAlgo."""
        fields = self._terms(order)
        if isinstance(fields, Answer):
            return fields
        self._lost[order.tag] = order, self._seen.ids
        answer = self._link.order("placeorder", {"strategy": order.tag, **fields})
        if answer.verdict is not Verdict.UNKNOWN:
            del self._lost[order.tag]
        if answer.broker_order_id and answer.verdict is Verdict.ACCEPTED:
            self._tags[answer.broker_order_id] = order.tag
        return answer

    def modify(self, order: Order) -> Answer:
        """Refuse, nothing is sent: a change must name a quantity; brokers differ in whether that counts what filled."""
        return unsent(f"the limit of {order.tag} stays: OpenAlgo cannot change it without naming a quantity")

    def cancel(self, order: Order | OrderView) -> Answer:
        """Ask once for the order's end."""
        return self._of_order("cancelorder", order, {})

    def find(self, tag_stem: str) -> list[OrderView]:
        """The orders of the day that are known to be of such a tag.

        Raises BrokerDown, too, where one whose answer was lost has its like in the book: whose that is, nobody can say.
        """
        views = self.orders()
        for tag, (order, before) in self._unanswered().items():
            alike = [v for v in views if v.broker_order_id not in before and openalgo.is_alike(v, order)]
            if tag_stem and tag.startswith(tag_stem) and alike:
                names = ", ".join(v.broker_order_id for v in alike)
                raise BrokerDown(f"{names} may be order {tag}: OpenAlgo's book bears no tag, a person must say")
        return [view for view in views if view.tag.startswith(tag_stem)]

    def updates(self) -> list[OrderView]:
        """What the stream brought since the last call, where it is known to the paisa; the rest the book will tell."""
        rows = [row for row in self._stream.take() if row.type == "order_update"]
        if not rows:
            return []
        try:
            listed, tags = self._list(), self._known()
            exact = [row for row in rows if openalgo.is_exact(row, listed.tick_of(row.symbol))]
            names = [openalgo.named(row.orderid) for row in exact]
            views = [
                openalgo.heard(row, self._key(row.exchange, row.symbol), tags.get(name, ""))
                for row, name in zip(exact, names, strict=True)
            ]
            return [self._dated(view) for view in views]
        except (BrokerDown, ValueError, ArithmeticError):
            return []  # an update may be missed: the book is read as well

    def margin(self, orders: Sequence[Order]) -> int:
        """What these orders need (paise), as far as the broker behind OpenAlgo counts what is held."""
        rows = [self._terms(order) for order in orders]
        bad = [row.reason for row in rows if isinstance(row, Answer)]
        if bad:
            raise BrokerDown(bad[0])
        need = self._link.ask("margin", MarginRow, {"positions": rows}).total_margin_required
        return max(0, paise_said(lambda: need))

    # --- BrokerBooks ---

    def login(self) -> None:
        """Prove the key on all planes and the mode: the broker's session, orders, quotes, updates."""
        prove(
            mode=self._link.prove_mode,
            session=lambda: self._link.ask("ping", dict[str, object]),
            contracts=self._list,
            orders=self.orders,
            quotes=lambda: self._link.ask("quotes", dict[str, object], {"symbol": "NIFTY", "exchange": "NSE_INDEX"}),
            updates=lambda: self._stream.prove(self._account.updates_url),
        )

    def orders(self) -> list[OrderView]:
        """All orders of the day, with the tags of those known to be ours. A book that lost an order is not whole."""
        rows = self._link.ask("orderbook", OrderBook).orders
        lacking = self._seen.lacks(openalgo.named(row.orderid) for row in rows)
        if lacking:
            raise BrokerDown(lacking)
        try:
            filled = openalgo.traded(self._link.ask("tradebook", list[TradeRow]))
            tags = self._known()
            return [self._view(row, filled, tags) for row in rows]
        except (ValueError, ArithmeticError) as fault:
            raise BrokerDown(f"the order book holds what is no order: {fault}") from fault

    def positions(self) -> list[BrokerPosition]:
        """All open positions, those of several products added up."""
        held: dict[str, tuple[int, int]] = {}
        for row in self._link.ask("positionbook", list[PositionRow]):
            units, cost = held.get(key := self._key(row.exchange, row.symbol), (0, 0))
            held[key] = units + units_said(row.quantity), cost + paise_said(row.cost)
        return [BrokerPosition(key, units, cost) for key, (units, cost) in sorted(held.items()) if units]

    def funds(self) -> Funds:
        """Cash, free and blocked, and what is blocked."""
        row = self._link.ask("funds", FundsRow)
        free, blocked = paise_said(lambda: row.availablecash), paise_said(lambda: row.utiliseddebits)
        return Funds(free + blocked, blocked)

    def quote(self, contract: str) -> Quote | None:
        """Best bid and ask, of a time that OpenAlgo does not say (0); None for what it does not list."""
        symbol = self._list().symbol_of(contract)
        if symbol is None:
            return None
        depth = self._link.ask("depth", DepthRow, {"symbol": symbol, "exchange": openalgo.EXCHANGE})
        try:
            return openalgo.quote_of(depth)
        except (ValueError, ArithmeticError) as fault:
            raise BrokerDown(f"the quote of {symbol}: {fault}") from fault

    def settlements(self) -> dict[str, int] | None:
        """None: OpenAlgo publishes no official settlement prices; they come from the exchange's own files."""
        return None

    def close(self) -> None:
        """End the connections and the thread of the update stream."""
        self._stream.close()
        self._link.http.close()

    # --- whose is what ---

    def _known(self) -> dict[str, str]:
        """The tags of the orders that are ours, by the id that we were told when we sent them."""
        tags: dict[str, str] = {}
        for order in self._ours():
            tags |= dict.fromkeys(order.shown, f"{order.tag_stem}0")  # of an attempt before: it can only fill
            if order.broker_order_id:
                tags[order.broker_order_id] = order.tag
        return tags | self._tags

    def _unanswered(self) -> dict[str, tuple[Order, frozenset[str]]]:
        """The orders that were sent and whose id we were never told, each with the ids seen before it was sent."""
        kept = {o.tag: (o, frozenset[str]()) for o in self._ours() if o.status in LOST and not o.broker_order_id}
        told = set(self._known().values())
        return {tag: lost for tag, lost in (kept | self._lost).items() if tag not in told}

    def _of_order(self, path: str, order: Order | OrderView, fields: dict[str, str]) -> Answer:
        if not order.broker_order_id:
            return unsent("OpenAlgo knows orders by the broker's id, and this one's is not known")
        return self._link.order(path, {"orderid": order.broker_order_id, "strategy": order.tag, **fields})

    # --- contracts and orders ---

    def _list(self) -> Master:
        """Today's contracts, read once and checked; raises BrokerDown."""
        if self._master is None:
            rows = self._link.listed()
            try:
                self._master = Master(openalgo.listings(rows), self._account.day, self._account.listed_min)
            except (Unlisted, ValueError) as fault:
                raise BrokerDown(f"OpenAlgo's list of contracts: {fault}") from fault
        return self._master

    def _terms(self, order: Order) -> dict[str, str] | Answer:
        """The order in OpenAlgo's words, or why it is not sent."""
        if order.quantity > order.contract.freeze:
            return unsent(f"{order.quantity} is above the freeze quantity {order.contract.freeze}")
        try:
            return openalgo.terms(order, self._list().symbol(order.contract), self._account.product)
        except (Unlisted, BrokerDown) as why:
            return unsent(why)

    def _key(self, exchange: str, symbol: str) -> str:
        return (self._list().key_of(symbol) if exchange == openalgo.EXCHANGE else None) or f"{exchange}:{symbol}"

    def _view(self, row: BookRow, filled: dict[str, tuple[int, int]], tags: dict[str, str]) -> OrderView:
        name = openalgo.named(row.orderid)
        tag, done = tags.get(name, ""), filled.get(name, (0, 0))
        if tag and row.order_status.lower() == "complete" and done[0] != row.quantity:
            raise BrokerDown(f"order {name}: complete with {row.quantity}, {done[0]} in the trade book")
        return self._dated(openalgo.view_of(row, self._key(row.exchange, row.symbol), tag, done))

    def _dated(self, view: OrderView) -> OrderView:
        return view if view.updated_at else replace(view, updated_at=self._now())
