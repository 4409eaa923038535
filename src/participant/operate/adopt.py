"""What a person may take over from the broker by word, and what a day may begin with: positions that agree."""

from msgspec.structs import replace

from participant.core.books import Fill, is_news, report
from participant.core.breaks import CASH_KEY, POSITIONS, Break, BreakKind, age, compare
from participant.core.cover import declared_cost
from participant.core.messages import Write
from participant.core.order import Order
from participant.core.position import Adjusted
from participant.core.rulebook import Rulebook
from participant.core.scrip import Contract, Kind
from participant.core.session import day_of
from participant.links.books import Books, market_state
from participant.links.breaks import ended_rows, reason_given, rows_of, standing
from participant.links.broker_side import contracts_of, read, sides
from participant.links.ledger import CONFLICTS_MAX, Entry, enter
from participant.links.marks import adopted
from participant.ports import BrokerBooks, Store, StoreBroken
from participant.wire.json import decode, encode

READS_MAX = 5
NO_TICKET = 1_000_000  # cycles: the refusal to begin the day is the call for a person


def at_wake(books: Store, broker: BrokerBooks, at: int) -> list[Break] | None:
    """The positions that differ as a day begins; None where the broker's could not be read.

    Breaks that a person has given a reason for are ended with it first: what still differs is found anew.
    """
    for known in standing(books):
        reason = reason_given(books, known)
        if reason:
            books.commit(ended_rows(books, replace(known, ended_at=at, how=f"a person: {reason}")))
    for _ in range(READS_MAX):
        shown = read(broker, POSITIONS)
        if not shown.failed:
            break
    else:
        return None
    found = [b for b in compare(*sides(Books(books), day_of(at), shown)) if b.kind in POSITIONS]
    aged = age(standing(books), found, POSITIONS, at)
    books.commit(rows_of(books, aged, NO_TICKET))
    return [b for b in aged.standing if b.kind in POSITIONS]


def adopt(books: Store, quotes: Store, rules: Rulebook, found: Break, reason: str) -> str:
    """Take the broker's figure over by a person's word; returns why not, or an empty string."""
    late = [key for key in unbooked(books) if found.kind is BreakKind.CASH or key == found.key]
    if late:
        return f"a fill of {late[0]} waits to be booked, and would count twice; ask again once a desk has booked it"
    gone = replace(found, ended_at=found.last_seen, how=f"taken over by a person's word: {reason}")
    if found.kind is BreakKind.CASH:
        return _adopt_cash(books, gone)
    day = day_of(found.last_seen)
    contract = contracts_of(books, quotes, day).get(found.key) or _ordered(books, found.key)
    if contract is None:
        return f"{found.key} is in no master that we know: its lot and expiry are not known"
    position = Books(books).position(contract.underlying)[0]
    before = next((h for h in position.holdings if h.contract == contract), None)
    quantity, cost = int(found.theirs), found.cost if int(found.theirs) else 0
    if contract.kind is Kind.STOCK:  # what a person has declared is not the broker's to show
        quantity, cost = quantity + position.adopted, cost + declared_cost(position)
    flow = adopted(before, contract, quantity, cost)
    rows = [*ended_rows(books, gone), Write("flows", f"{day}/adopted-{found.key}/{gone.ended_at}", encode(flow))]
    event = Adjusted(contract, quantity, cost, gone.ended_at)
    market = market_state(quotes, contract.underlying)
    enter(books, rules, market, Entry(contract.underlying, gone.ended_at, [event], rows))
    return ""


def _ordered(books: Store, key: str) -> Contract | None:
    """A contract that an order of ours was ever of: today's master may not list it any more."""
    orders = (decode(r.value, Order) for r in books.rows("orders"))
    return next((o.contract for o in orders if o.contract.key == key), None)


def unbooked(books: Store) -> list[str]:
    """The contracts of which our orders know a fill, or a figure, that the tradebook does not have yet."""
    booked = {r.key: decode(r.value, Fill) for r in books.rows("fills")}
    orders = {r.key: decode(r.value, Order) for r in books.rows("orders")}
    return sorted({o.contract.key for name, o in orders.items() if is_news(report(o), booked.get(name))})


def _adopt_cash(books: Store, gone: Break) -> str:
    for _ in range(CONFLICTS_MAX):
        account, version = Books(books).account()
        moved = replace(account, cash=account.cash + int(gone.theirs) - int(gone.ours))
        if books.commit([Write("account", "account", encode(moved), version), *ended_rows(books, gone)]):
            return ""
    raise StoreBroken(f"books: cash could not be taken over in {CONFLICTS_MAX} tries; another process writes it")


def adoptable(breaks: list[Break], key: str) -> Break | None:
    """The break that a person names: a contract's position, or the cash."""
    wanted = BreakKind.CASH if key == CASH_KEY else BreakKind.POSITION
    return next((b for b in breaks if b.kind is wanted and b.key == key), None)
