"""The books of a shadow home: they follow the account of the broker, and nothing else ever moves them."""

import datetime

from msgspec import Struct
from msgspec.structs import replace

from participant.core.attribution import Flow
from participant.core.books import equity
from participant.core.breaks import COMPARED
from participant.core.messages import BrokerPosition, Write
from participant.core.order import OrderView
from participant.core.position import Adjusted, Holding
from participant.core.rulebook import Rulebook
from participant.core.scrip import PRICE_UNITS_PER_PAISA, Contract
from participant.core.session import day_of
from participant.links.books import Books, market_state
from participant.links.broker_side import contracts_of, read
from participant.links.ledger import CONFLICTS_MAX, Entry, enter
from participant.links.marks import DayMarks
from participant.ports import BrokerBooks, Store, StoreBroken
from participant.wire.json import decode, encode


class Seen(Struct, frozen=True):
    """What a shadow day works on: the home's stores and the broker of the account, which is only read."""

    books: Store
    quotes: Store
    rules: Rulebook
    broker: BrokerBooks


def follow(seen: Seen, at: int) -> bool:
    """Take the account's positions, cash and orders over as they are at `at` (ns); False where one could not be read.

    What is held in a contract that the watched market does not have stands in the table `outside`, by its key.
    """
    shown = read(seen.broker, COMPARED)
    if shown.orders is None or shown.positions is None or shown.funds is None:
        return False
    theirs = {p.contract: p for p in shown.positions if p.quantity}
    known = contracts_of(seen.books, seen.quotes, day_of(at))
    outside = {key: p.quantity for key, p in theirs.items() if key not in known}
    ours = {h.contract.key: h for p in Books(seen.books).positions() for h in p.holdings}
    for key in sorted({*ours, *theirs} & known.keys()):
        _hold(seen, known[key], ours.get(key), theirs.get(key, BrokerPosition(key, 0, 0)), at)
    _have(seen.books, shown.funds.cash)
    seen.books.commit([Write("outside", str(day_of(at)), encode(outside)), *_news(seen.books, shown.orders, at)])
    return True


def _hold(seen: Seen, contract: Contract, held: Holding | None, shown: BrokerPosition, at: int) -> None:
    """Make one position that of the account; no cash moves with it, for the account's cash is taken over whole."""
    before = held or Holding(contract, 0, 0)
    if (before.quantity, before.cost) == (shown.quantity, shown.cost):
        return
    rows, units = [], shown.quantity - before.quantity
    if units:
        flow = Flow(contract, units, shown.cost - before.cost)
        rows.append(Write("flows", f"{day_of(at)}/account-{contract.key}/{at}", encode(flow)))
    event = Adjusted(contract, shown.quantity, shown.cost, at)
    market = market_state(seen.quotes, contract.underlying)
    enter(seen.books, seen.rules, market, Entry(contract.underlying, at, [event], rows))


def _have(store: Store, cash: int) -> None:
    for _ in range(CONFLICTS_MAX):
        account, version = Books(store).account()
        if account.cash == cash or store.commit(
            [Write("account", "account", encode(replace(account, cash=cash)), version)]
        ):
            return
    raise StoreBroken(f"books: cash could not be taken over in {CONFLICTS_MAX} tries; another process writes it")


def _news(store: Store, views: list[OrderView], at: int) -> list[Write]:
    """The account's orders as far as they are new or have changed."""
    day = day_of(at)
    known = {r.key: r.value for r in store.rows("account_orders", prefix=f"{day}/")}
    rows = {f"{day}/{v.broker_order_id}": encode(v) for v in views}
    return [Write("account_orders", key, body) for key, body in rows.items() if known.get(key) != body]


def account_orders(store: Store, day: datetime.date) -> list[OrderView]:
    """The account's orders of a day as they were last shown, oldest first."""
    views = [decode(r.value, OrderView) for r in store.rows("account_orders", prefix=f"{day}/")]
    return sorted(views, key=lambda v: (v.updated_at, v.broker_order_id))


def outside(store: Store, day: datetime.date) -> dict[str, int]:
    """What the account held, in units, of contracts that the watched market does not have."""
    row = store.get("outside", str(day))
    return decode(row.value, dict[str, int]) if row else {}


def worth_at_wake(store: Store) -> int:
    """What the account is worth (paise) as a day begins: what is held stands at its last mark, else at its cost."""
    rows = {r.key: decode(r.value, DayMarks) for r in store.rows("day_marks")}
    last = rows[max(rows)].held if rows else ()
    marks = {held.contract: held.mark.price for held in last}
    books = Books(store)
    for holding in (h for p in books.positions() for h in p.holdings):
        marks.setdefault(holding.contract, abs(holding.cost * PRICE_UNITS_PER_PAISA // holding.quantity))
    return equity(books.account()[0], books.positions(), marks.__getitem__)
