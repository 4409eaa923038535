"""What the gateway gathers before each order: the world as the books and the market's rows tell it now."""

import datetime

from msgspec import Struct
from msgspec.structs import replace

from participant.core.ask import Ask
from participant.core.books import view
from participant.core.breaker import Level
from participant.core.ids import digest
from participant.core.limits import Limits
from participant.core.market import Quote, Reference, quoted
from participant.core.messages import Ticket, Write
from participant.core.order import RESTING, Order
from participant.core.risk import CHECKS, reprice
from participant.core.rulebook import OutsideRules, Rulebook
from participant.core.rulerows import PriceRange
from participant.core.scrip import Contract, Kind
from participant.core.session import day_of, phase
from participant.links.books import Books, Disabled, market_state
from participant.ports import Broker, BrokerDown, Store
from participant.wire.json import decode, encode

SESSIONS_LOOKED_AHEAD = 10


class Bans(Struct, frozen=True):
    """The underlyings in a ban period on a day."""

    day: datetime.date
    scrips: tuple[str, ...]


class Passed(Struct, frozen=True):
    """What an order passed every control on: hashes of the controls and limits, and the world that they looked at.

    `broker_need` is the broker's own figure of the margin (paise); where it was asked in vain, `broker_why` says why.
    """

    controls: str
    limits: str
    limit: int
    bid: int
    ask: int
    quoted_at: int
    spot: int
    level: str
    committed: int
    free: int
    is_reducing: bool
    broker_need: int | None = None
    broker_why: str = ""


class Now(Struct, frozen=True):
    """The moment of an order: the market's time, and how the breaker stands."""

    at: int
    level: Level
    why: str


class Gathering:
    """Puts Asks together. The day's contract master and rules are looked up once a day and scrip."""

    def __init__(self, books: Books, quotes: Store, rules: Rulebook, watched: frozenset[str], broker: Broker) -> None:
        self.books, self.quotes, self.rules, self.watched, self.broker = books, quotes, rules, watched, broker
        self._may_send = books.shadowed is None
        self._masters: dict[tuple[datetime.date, str], frozenset[Contract]] = {}
        self._left: dict[tuple[datetime.date, datetime.date], int | None] = {}
        self._ranges: dict[tuple[datetime.date, Kind], PriceRange | None] = {}
        self._claims: dict[tuple[datetime.date, Contract], str] = {}
        self._tickets_to = 0

    def ask(self, order: Order, limits: Limits, now: Now) -> Ask:
        """All that the controls may look at, with the order at the far touch of its present quote."""
        day, books, contract = day_of(now.at), self.books, order.contract
        market = market_state(self.quotes, order.scrip)
        quote = quoted(market, contract) if market else None
        orders = tuple(h.order for h in books.orders(day))
        is_stock = market is not None and market.underlying is not None
        master = self._master(day, order.scrip)
        ask = Ask(
            order=reprice(order, quote),
            orders=orders,
            decision=books.decision(order),
            position=view(books.position(order.scrip)[0], orders, day),
            account=books.account()[0],
            quote=quote,
            spot=market.spot if market else 0,
            level=now.level,
            level_why=now.why,
            phase=phase(self.rules, now.at),
            now=now.at,
            limits=limits,
            market=market,
            session=self.rules.session(day),
            master_day=day if master else None,
            may_send=self._may_send,
            is_listed=contract in master,
            is_watched=order.scrip in self.watched,
            disabled=self._disabled(order.scrip),
            by_hand=self._by_hand(day, contract),
            price_range=self._price_range(day, contract.kind),
            is_stock=is_stock,
            bans=self._bans(day) if is_stock else None,
            sessions_left=self._sessions_left(day, contract.expiry) if is_stock else None,
        )
        # Under an open breaker nothing is sent, so nothing need be asked.
        return self._with_need(ask) if ask.is_for_broker and ask.level is not Level.OPEN else ask

    def _with_need(self, ask: Ask) -> Ask:
        """With the margin that the broker says the whole decision needs, or why it does not say."""
        try:
            return replace(ask, broker_need=self.broker.margin(ask.siblings))
        except BrokerDown as fault:
            return replace(ask, broker_why=str(fault))

    def passed(self, key: str, ask: Ask) -> Write:
        """The row that tells of an order or a change which passed, for the commit before it is sent."""
        quote, account = ask.quote or Quote(0, 0, 0, 0, 0), ask.account
        seen = (ask.order.limit, quote.bid, quote.ask, quote.exchange_at, ask.spot, ask.level.name)
        rules = digest([(one.id, one.rule, one.limits) for one in CHECKS])
        money = (account.committed, account.free, ask.is_reducing, ask.broker_need, ask.broker_why)
        after = Passed(rules, digest(ask.limits), *seen, *money)
        is_change = ask.order.status in RESTING
        name = f"{ask.order.sends}.{ask.order.changes + 1}" if is_change else f"{ask.order.sends + 1}"
        return Write("checks", f"{key}/{name}", encode(after))

    def _master(self, day: datetime.date, scrip: str) -> frozenset[Contract]:
        """The scrip's contracts of today; nothing where the master is missing or another day's."""
        if (day, scrip) not in self._masters:
            of, row = self.quotes.get("master", "day"), self.quotes.get("reference", scrip)
            if of is None or row is None or of.value != str(day).encode():
                return frozenset()
            self._masters = {k: v for k, v in self._masters.items() if k[0] == day}
            self._masters[day, scrip] = frozenset(decode(row.value, Reference).contracts)
        return self._masters[day, scrip]

    def _disabled(self, scrip: str) -> str:
        row = self.books.store.get("disabled", scrip)
        return decode(row.value, Disabled).why if row else ""

    def _by_hand(self, day: datetime.date, contract: Contract) -> str:
        """Who has claimed a ticket of this contract on the day; a claim is never taken back."""
        for row in self.books.store.rows("tickets", since=self._tickets_to):
            ticket, self._tickets_to = decode(row.value, Ticket), row.seq
            if ticket.claimed is not None and ticket.work is not None:
                self._claims[day_of(ticket.at), ticket.work.contract] = ticket.claimed.by
        return self._claims.get((day, contract), "")

    def _bans(self, day: datetime.date) -> frozenset[str] | None:
        row = self.books.store.get("bans", str(day))
        return frozenset(decode(row.value, Bans).scrips) if row else None

    def _price_range(self, day: datetime.date, kind: Kind) -> PriceRange | None:
        if (day, kind) not in self._ranges:
            try:
                self._ranges[day, kind] = self.rules.price_range(kind, day)
            except OutsideRules:
                self._ranges[day, kind] = None
        return self._ranges[day, kind]

    def _sessions_left(self, day: datetime.date, expiry: datetime.date) -> int | None:
        """The sessions from today to the expiry, today not counted; None where the calendar does not reach so far."""
        if (day, expiry) not in self._left:
            count, at = 0, day
            try:
                while at < expiry and count < SESSIONS_LOOKED_AHEAD:
                    at = self.rules.next_session(at)
                    count += 1
                self._left[day, expiry] = count
            except OutsideRules:
                self._left[day, expiry] = None
        return self._left[day, expiry]
