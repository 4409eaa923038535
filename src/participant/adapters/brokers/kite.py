"""Zerodha's Kite Connect: orders and books over HTTP, order updates over a WebSocket and, if wanted, as postbacks.

It sends each request once and claims only what is proven. A dead or old token is not knocked with: nothing is sent
before `participant login` has brought another one.
"""

import datetime
from collections.abc import Callable, Sequence
from time import monotonic_ns
from urllib.parse import quote as quoted

from msgspec import Struct

from participant.core.guarantees import tag_fault, unsent
from participant.core.market import Quote
from participant.core.master import Master, Unlisted
from participant.core.messages import BrokerPosition, Funds
from participant.core.order import Answer, Order, OrderView
from participant.links.amounts import paise_said
from participant.links.http_link import HttpLink
from participant.links.kite_link import KiteLink
from participant.links.planes import prove
from participant.links.postbacks import Postbacks
from participant.links.recent import Recent
from participant.links.secrets import Key
from participant.links.seen_book import SeenBook
from participant.links.update_stream import Tongue, UpdateStream
from participant.ports import BrokerDown
from participant.wire import kite
from participant.wire.json import encode
from participant.wire.kite_rows import Basket, KiteOrder, KiteQuote, KiteTrade, Positions, Profile
from participant.wire.kite_rows import Funds as KiteFunds

SILENCE_MAX_S = 10.0  # Kite sends a heartbeat every few seconds, updates or not
INDEX = "NSE:NIFTY 50"  # any quote proves the data plane
BOOK_FOR_S = 0.5  # one reading of the book serves all looks of a gateway's step


class KiteAccount(Struct, frozen=True):
    """Where Kite is, what the desk trades as, and the day it trades. `postback_port` 0: no postbacks are taken."""

    day: datetime.date
    url: str = "https://api.kite.trade"
    updates_url: str = "wss://ws.kite.trade"
    product: str = "NRML"
    postback_port: int = 0
    listed_min: int = 1000
    algo_id: str = ""
    connect_wait_s: float = 0.0


class KiteBroker:
    """Implements Broker and BrokerBooks. `read_key` gives the key as it stands now.

    `timeout_s` (wall) bounds each request, `connect_wait_s` how long a broker that is not there is knocked at; `steady`
    (ns) says how old a reading of the book is.
    """

    guarantees = kite.KITE

    def __init__(
        self,
        account: KiteAccount,
        read_key: Callable[[], Key],
        timeout_s: float,
        steady: Callable[[], int] = monotonic_ns,
    ) -> None:
        self._account = account
        self._kite = KiteLink(HttpLink(account.url, timeout_s, account.connect_wait_s), read_key, account.day)
        self._master: Master | None = None
        self._seen, self._book = SeenBook(), Recent(self.orders, BOOK_FOR_S, steady)
        tongue = Tongue(lambda: self._kite.address(account.updates_url), kite.order_in, silence_max_s=SILENCE_MAX_S)
        self._stream = UpdateStream(tongue, timeout_s)
        port = account.postback_port
        self._postbacks = Postbacks(port, lambda b: kite.postback(b, read_key().api_secret)) if port else None

    # --- Broker ---

    def place(self, order: Order) -> Answer:
        """Send the order once: limit, day, under its tag."""
        fault = tag_fault(kite.KITE, order)
        if fault or order.quantity > order.contract.freeze:
            return unsent(fault or f"{order.quantity} is above the freeze quantity {order.contract.freeze}")
        try:
            form = kite.order_form(order, self._list().symbol(order.contract), self._account.product)
        except (Unlisted, BrokerDown) as why:
            return unsent(why)
        form |= {"algo_id": self._account.algo_id} if self._account.algo_id else {}
        self._book.drop()
        return self._kite.order("POST", "/orders/regular", form)

    def modify(self, order: Order) -> Answer:
        """Ask once for the order's present limit."""
        return self._of_order("PUT", order, kite.change_form(order))

    def cancel(self, order: Order | OrderView) -> Answer:
        """Ask once for the order's end."""
        return self._of_order("DELETE", order, {})

    def find(self, tag_stem: str) -> list[OrderView]:
        """The orders of the day whose tag begins so, of the whole book as it was read within this step."""
        return [view for view in self._book.get() if view.tag.startswith(tag_stem)]

    def updates(self) -> list[OrderView]:
        """What the stream and the postbacks brought since the last call. A step begins so: the book is read anew."""
        self._book.drop()
        rows = [*self._stream.take(), *(self._postbacks.take() if self._postbacks else ())]
        try:
            return self._views(rows) if rows else []
        except BrokerDown:
            return []  # an update may be missed: the book is read as well

    def margin(self, orders: Sequence[Order]) -> int:
        """What these orders need (paise) beside the positions held."""
        try:
            symbols = [self._list().symbol(order.contract) for order in orders]
        except Unlisted as why:
            raise BrokerDown(str(why)) from why
        rows = [kite.basket_row(o, s, self._account.product) for o, s in zip(orders, symbols, strict=True)]
        basket = self._kite.ask("POST", "/margins/basket?consider_positions=true", Basket, encode(rows))
        return max(0, paise_said(lambda: basket.final.total))

    # --- BrokerBooks ---

    def login(self) -> None:
        """Prove on all three planes that the token is good and of today: orders, quotes, updates."""
        prove(
            session=lambda: self._kite.ask("GET", "/user/profile", Profile),
            contracts=self._list,
            orders=self.orders,
            quotes=lambda: self._kite.ask("GET", f"/quote?i={quoted(INDEX)}", dict[str, object]),
            updates=lambda: self._stream.prove(self._account.updates_url),
        )

    def orders(self) -> list[OrderView]:
        """All orders of the day; a book that lacks one which it had shown was not read in full."""
        rows = self._kite.ask("GET", "/orders", list[KiteOrder])
        lacking = self._seen.lacks(row.order_id for row in rows)
        if lacking:
            raise BrokerDown(lacking)
        return self._views(rows)

    def positions(self) -> list[BrokerPosition]:
        """All open positions, those of several products added up."""
        held: dict[str, tuple[int, int]] = {}
        for row in self._kite.ask("GET", "/portfolio/positions", Positions).net:
            units, cost = held.get(key := self._key(row.exchange, row.tradingsymbol), (0, 0))
            held[key] = units + row.quantity, cost + paise_said(row.cost)
        return [BrokerPosition(key, units, cost) for key, (units, cost) in sorted(held.items()) if units]

    def funds(self) -> Funds:
        """Cash, and what is blocked."""
        segment = self._kite.ask("GET", "/user/margins", KiteFunds).equity
        return Funds(paise_said(lambda: segment.available.cash), paise_said(lambda: segment.utilised.debits))

    def quote(self, contract: str) -> Quote | None:
        """Best bid and ask of the full depth; None for what Kite does not list."""
        symbol = self._list().symbol_of(contract)
        name = f"{kite.EXCHANGE}:{symbol}"
        found = self._kite.ask("GET", f"/quote?i={quoted(name)}", dict[str, KiteQuote]).get(name) if symbol else None
        try:
            return kite.quote_of(found) if found else None
        except ValueError as fault:
            raise BrokerDown(f"the quote of {name}: {fault}") from fault

    def settlements(self) -> dict[str, int] | None:
        """None: Kite publishes no official settlement prices; they come from the exchange's own files."""
        return None

    def close(self) -> None:
        """End the connections and their threads."""
        self._stream.close()
        if self._postbacks is not None:
            self._postbacks.close()
        self._kite.http.close()

    # --- the list of contracts, and orders by it ---

    def _list(self) -> Master:
        """Today's contracts, read once and checked; raises BrokerDown."""
        if self._master is None:
            path = f"/instruments/{kite.EXCHANGE}"
            try:
                self._master = Master(kite.listings(self._kite.text(path)), self._account.day, self._account.listed_min)
            except (Unlisted, ValueError) as fault:
                raise BrokerDown(f"Kite's list of contracts: {fault}") from fault
        return self._master

    def _key(self, exchange: str, symbol: str) -> str:
        known = self._list().key_of(symbol) if exchange == kite.EXCHANGE else None
        return known or f"{exchange}:{symbol}"

    def _views(self, rows: Sequence[KiteOrder]) -> list[OrderView]:
        """Orders with what filled to the paisa; raises BrokerDown where that is not known."""
        try:
            values = self._values(rows)
            return [kite.view_of(r, self._key(r.exchange, r.tradingsymbol), values.get(r.order_id)) for r in rows]
        except (ValueError, ArithmeticError) as fault:
            raise BrokerDown(f"the order book holds what is no order: {fault}") from fault

    def _values(self, rows: Sequence[KiteOrder]) -> dict[str, int]:
        """What filled of the orders whose average may have been rounded, by the trade book (paise)."""
        listed, values = self._list(), dict[str, int]()
        rounded = [row for row in rows if not kite.is_exact(row, listed.tick_of(row.tradingsymbol))]
        traded = kite.traded(self._kite.ask("GET", "/trades", list[KiteTrade])) if rounded else {}
        for row in rounded:
            units, values[row.order_id] = traded.get(row.order_id, (0, 0))
            if units != row.filled_quantity:
                raise BrokerDown(f"order {row.order_id}: {row.filled_quantity} filled, {units} in the trade book")
        return values

    def _of_order(self, method: str, order: Order | OrderView, form: dict[str, str]) -> Answer:
        if not order.broker_order_id:
            return unsent("Kite knows orders by its own id, and this one's is not known: find it first")
        self._book.drop()
        return self._kite.order(method, f"/orders/regular/{quoted(order.broker_order_id, safe='')}", form)
