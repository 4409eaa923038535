"""`participant positions`, `tradebook`, `reconcile`: what the books say, and whether the broker says the same."""

from argparse import Namespace

from msgspec import Struct

from participant import app
from participant.adapters.brokers.http import HttpBroker
from participant.adapters.clocks.venue import VenueClock
from participant.commands.errors import DONE, NEEDS_A_PERSON, Refused
from participant.commands.output import say
from participant.commands.people import open_books, run_of
from participant.config import Run, load_rules
from participant.core.books import Fill
from participant.core.breaks import COMPARED, Break
from participant.core.cover import mark
from participant.core.scrip import PRICE_UNITS_PER_PAISA, money
from participant.core.session import day_of
from participant.core.wording import at_price, rupees
from participant.links.books import Books, market_state
from participant.links.breaks import Looks, looks, standing
from participant.links.broker_side import fills_of, read
from participant.links.ledger import EventRow
from participant.operate.adopt import adopt, adoptable
from participant.operate.late import book_late
from participant.operate.view import clock
from participant.ports import Store
from participant.stages.reconcile import Reconcile, ReconcilePorts, readable
from participant.wire.json import decode

ASK_WITHIN_S = 5.0


class PositionLine(Struct, frozen=True):
    """What is held of one contract: prices in 1/10,000 rupee, money in paise; `mark` is None without a quote."""

    scrip: str
    contract: str
    quantity: int
    price: int
    mark: int | None
    unrealised: int | None
    has_break: bool


class Tradebook(Struct, frozen=True):
    """A day's fills, and the book events that are none."""

    day: str
    fills: tuple[Fill, ...]
    events: tuple[EventRow, ...]


class Reconciled(Struct, frozen=True):
    """What stands between our books and the broker's; `is_fresh` says whether the broker answered just now."""

    is_fresh: bool
    breaks: tuple[Break, ...]
    looks: Looks
    adopted: str = ""


def positions(args: Namespace) -> int:
    """What is held, at the newest marks."""
    run, store = run_of(args.home), open_books(args.home)
    book_late(run, store)
    lines = _positions(store, app.quotes(run))
    say(args, "\n".join(_position(line) for line in lines) or "nothing is held", lines)
    return NEEDS_A_PERSON if any(line.has_break for line in lines) else DONE


def _positions(store: Store, quotes: Store) -> list[PositionLine]:
    broken = {b.contract for b in standing(store)}
    lines = []
    for holding in (h for p in Books(store).positions() for h in p.holdings):
        contract = holding.contract
        now = mark(market_state(quotes, contract.underlying), contract)
        gain = money(now, holding.quantity) - holding.cost if now is not None else None
        entry = abs(holding.cost * PRICE_UNITS_PER_PAISA // holding.quantity)
        head = (contract.underlying, contract.key, holding.quantity, entry, now, gain)
        lines.append(PositionLine(*head, contract.key in broken))
    return lines


def _position(line: PositionLine) -> str:
    mark = at_price(line.mark) if line.mark is not None else "no quote"
    gain = rupees(line.unrealised) if line.unrealised is not None else "?"
    broken = "  BREAK: the broker says otherwise" if line.has_break else ""
    return f"{line.quantity:>+8} {line.contract:<28} at {at_price(line.price):>12}, now {mark:>12}, {gain:>12}{broken}"


def tradebook(args: Namespace) -> int:
    """A day's fills and book events."""
    run, store = run_of(args.home), open_books(args.home)
    book_late(run, store)
    day = args.day or run.day
    events = tuple(decode(r.value, EventRow) for r in store.rows("events", prefix=f"{day}/"))
    book = Tradebook(str(day), tuple(sorted(fills_of(store, day), key=lambda f: (f.at, f.order_id))), events)
    text = [_fill(f) for f in book.fills] + [_event(e) for e in book.events]
    say(args, "\n".join(text) or f"nothing was booked on {day}", book)
    return DONE


def _fill(fill: Fill) -> str:
    price = at_price(fill.value * PRICE_UNITS_PER_PAISA // fill.quantity)
    who = fill.decision_id if fill.decision_id.isupper() else fill.decision_id[:8]
    return (
        f"{clock(fill.at)} {fill.side:<4} {fill.quantity:>6} {fill.contract.key:<28} at {price:>12}, "
        f"charges {rupees(fill.charges)}, decision {who}"
    )


def _event(event: EventRow) -> str:
    price = f" at {at_price(event.price)}" if event.price else ""
    return f"{clock(event.at)} {event.kind} {event.quantity:+d} {event.contract.key}{price}, cash {rupees(event.cash)}"


def reconcile(args: Namespace) -> int:
    """Ask the broker and compare now; with --adopt a person's word takes one of its figures over."""
    run = run_of(args.home)
    store = open_books(args.home)
    if run.is_shadow:
        raise Refused(f"reconcile: home {args.home} is a shadow's: its books follow the account, so nothing can differ")
    book_late(run, store)
    fresh = _ask(run, store)
    breaks = fresh if fresh is not None else standing(store)
    taken = _adopt(args, run, store, breaks) if args.adopt else ""
    breaks = [b for b in breaks if b.key != taken]
    seen = looks(store, run.day)
    result = Reconciled(fresh is not None, tuple(breaks), seen, taken)
    say(args, "\n".join(_lines(run, result)), result)
    return NEEDS_A_PERSON if breaks or (fresh is None and not taken) else DONE


def _ask(run: Run, store: Store) -> list[Break] | None:
    """The breaks as of this moment, written nowhere: the desk ages them. None where the broker does not answer."""
    broker = HttpBroker(run.venue_url, ASK_WITHIN_S)
    venue_clock = VenueClock(run.venue_url, ASK_WITHIN_S, patience_s=0.0)
    try:
        shown = read(broker, COMPARED)
        if shown.orders is None:
            return None
        ports = ReconcilePorts(store, app.quotes(run), broker, app.queue(run, "fills", "command"))
        now = venue_clock.now()
        reconcile = Reconcile(ports, run.reconcile, load_rules(run.config.desk.span_scans))
        return list(reconcile.aged(day_of(now), shown, readable(COMPARED, shown), now).standing)
    except ConnectionError:
        return None
    finally:
        venue_clock.close()
        broker.close()


def _adopt(args: Namespace, run: Run, store: Store, breaks: list[Break]) -> str:
    found = adoptable(breaks, args.adopt)
    if found is None:
        named = ", ".join(b.key for b in breaks) or "none"
        raise Refused(f"reconcile: {args.adopt} has no break to take over; breaks: {named}")
    why_not = adopt(store, app.quotes(run), load_rules(run.config.desk.span_scans), found, args.reason)
    if why_not:
        raise Refused(f"reconcile: {why_not}")
    return found.key


def _lines(run: Run, result: Reconciled) -> list[str]:
    seen = result.looks
    text = [f"taken over from the broker: {result.adopted}"] if result.adopted else []
    if not result.is_fresh:
        when = f"last compared at {clock(seen.orders_at)}" if seen.orders_at else "not compared on this day"
        text.append(f"the broker at {run.venue_url} does not answer; {when} on {run.day}, as the books have it:")
    text += [break_line(b) for b in result.breaks] or ["no breaks"]
    return text


def break_line(found: Break) -> str:
    """A break in one line: what, both figures, its age, and what to do."""
    age = f"since {clock(found.first_seen)}, found {found.cycles} times" if found.first_seen else "found now"
    return f"{found.kind} {found.key}: ours {found.ours}, the broker's {found.theirs} ({age}); {found.repair}"
