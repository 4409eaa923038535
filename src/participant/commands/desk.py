"""`participant desk`: the tickets, from the first look to the end."""

import datetime
import getpass
from argparse import Namespace

from msgspec.structs import replace

from participant import app
from participant.adapters.clocks.system import SystemClock
from participant.commands.errors import DONE, NEEDS_A_PERSON, Refused
from participant.commands.output import say
from participant.commands.people import open_books, run_of
from participant.config import load_rules
from participant.core.escalation import Call
from participant.core.guarantees import Finding
from participant.core.messages import Stamp, Ticket
from participant.core.notices import KOLKATA, whole
from participant.core.order import Order
from participant.core.session import SECOND, at_time, day_of
from participant.core.sighting import LiveBook
from participant.core.tickets import DO_NOT_EXECUTE, HandRule, acknowledge, is_expired, work_of
from participant.core.wording import at_price
from participant.links.books import Books
from participant.links.limits import in_force
from participant.operate import desk
from participant.operate.declare import Cover, Desk, declare
from participant.operate.late import book_late
from participant.operate.wake import open_tickets
from participant.ports import BrokerDown, Store
from participant.wire.json import decode

LETTERS_MAX = 200


def list_tickets(args: Namespace) -> int:
    """Every open ticket, with everything needed to act by hand."""
    tickets = open_tickets(open_books(args.home))
    text = [f"{t.ticket_id[:8]}  {t.state:<12}  {t.scrip}  {t.title}\n          {t.detail}" for t in tickets]
    say(args, "\n".join(text) or "no open tickets", tickets)
    return NEEDS_A_PERSON if tickets else DONE


def show(args: Namespace) -> int:
    """One ticket whole, with what the broker's book has shown of its order until now."""
    store = open_books(args.home)
    ticket = desk.find(store, args.ticket)[0]
    say(args, "\n".join(_shown(args, store, ticket)), ticket)
    return DONE if ticket.is_closed else NEEDS_A_PERSON


def ack(args: Namespace) -> int:
    """Say that a person has it: nobody else is called about it."""
    store, stamp = open_books(args.home), _stamp(args)
    ticket = desk.change(store, args.ticket, lambda t: acknowledge(t, stamp))
    say(args, f"acknowledged {ticket.ticket_id[:8]} {ticket.title}", ticket)
    return DONE


def take(args: Namespace) -> int:
    """Say who is going to do it by hand, once the broker's book does not show it live; show what is known of it."""
    store, stamp = open_books(args.home), _stamp(args)
    ticket = desk.take(store, args.ticket, stamp, _look(args), is_unchecked=args.unchecked)
    say(args, "\n".join([f"claimed by {stamp.by}", *_shown(args, store, ticket)]), ticket)
    return DONE


def found(args: Namespace) -> int:
    """Say which of the broker's orders is the lost one, where its book bears no tags of ours."""
    store, stamp = open_books(args.home), _stamp(args)
    ticket = desk.found(store, args.ticket, args.broker_order_id, stamp, _look(args))
    book_late(run_of(args.home), store)
    done = f"taken in: the broker's order {args.broker_order_id} is ours"
    say(args, "\n".join([done, *_shown(args, store, ticket)]), ticket)
    return DONE if ticket.is_closed else NEEDS_A_PERSON


def fill(args: Namespace) -> int:
    """Enter what was filled by hand; it is booked as any fill is. Should ours be live as well, the breaker opens."""
    store, stamp = open_books(args.home), _stamp(args)
    run = run_of(args.home)
    people, limits = run.config.people, in_force(store, str(run.day), run.terms)
    rule = HandRule(limits.order_value_max, people.fill_collar_max, people.fill_collar_future_max)
    before = desk.find(store, args.ticket)[0]
    hand = desk.Hand(args.broker_order_id, args.quantity, args.price, _filled_at(args, before))
    filling = desk.prepare(store, args.ticket, hand, stamp, rule)
    looked = desk.look_again(store, filling, _look(args))
    # The breaker first: should we die in between, nothing more is sent, and the fill is entered again.
    more = [desk.pull(app.halts(run), filling, looked)] if looked.is_double else []
    ticket = desk.book_fill(store, filling, looked, *more)
    book_late(run, store)
    done = f"entered {args.quantity} at {at_price(args.price)} as the broker's order {args.broker_order_id}"
    loud = [f"{looked.said}.", "THE BREAKER IS OPEN. Square off what is too much, then `participant resume`."]
    say(args, "\n".join([*(loud if looked.is_double else []), done, *_shown(args, store, ticket)]), ticket)
    return DONE if ticket.is_closed else NEEDS_A_PERSON


def reject(args: Namespace) -> int:
    """Say that it is not going to be done, and why."""
    return _end(args, "rejected")


def close(args: Namespace) -> int:
    """End one ticket, with the reason that goes into the books."""
    return _end(args, "closed")


def adopt_cover(args: Namespace) -> int:
    """Say how much of a cover is held in a demat account, in all: more than before, less, or none any more."""
    run, store, stamp = run_of(args.home), open_books(args.home), _stamp(args)
    if run.is_shadow:
        raise Refused(f"desk adopt-cover: home {args.home} is a shadow's: its books follow the account")
    if args.scrip not in {scrip.symbol for scrip in run.config.watchlist}:
        raise Refused(f"desk adopt-cover: scrip {args.scrip} is not on the watchlist of {args.home}")
    book_late(run, store)
    cover = Cover(args.scrip, words("--name", args.name), args.units, args.ratio, words("--note", args.note))
    its = Desk(run, store, app.quotes(run), app.halts(run), load_rules(run.config.desk.span_scans))
    position = declare(its, cover, stamp)
    lots = f"{position.cover:,} units of {args.scrip} can be written against, {position.short_calls:,} are"
    say(args, f"declared: {args.units:,} of {cover.name}, {args.ratio} to a unit; {lots}", position)
    return DONE


def _end(args: Namespace, how: str) -> int:
    store, stamp = open_books(args.home), _stamp(args)
    reason = words("--reason", args.reason)
    desk.look_before_end(store, args.ticket, stamp, _look(args))
    ticket = desk.end(store, args.ticket, how, stamp, reason)
    book_late(run_of(args.home), store)
    say(args, f"{how} {ticket.ticket_id[:8]} {ticket.title}", ticket)
    return DONE


def _look(args: Namespace) -> desk.Look:
    """How the broker's book is asked, live; it has today's orders alone."""
    run = run_of(args.home)

    def look(order: Order) -> LiveBook:
        if day_of(order.decided_at) != run.day:
            raise BrokerDown(f"it shows the orders of {run.day}, and this one is of {day_of(order.decided_at)}")
        broker = app.broker(run)
        try:
            return LiveBook(tuple(broker.orders()), broker.guarantees.found_by is Finding.TAG)
        finally:
            broker.close()

    return look


def _stamp(args: Namespace) -> Stamp:
    """Who does it, by the machine's clock; the login's name where none is given."""
    return Stamp(words("--by", args.by or getpass.getuser()), SystemClock().now())


def words(option: str, text: str) -> str:
    """What a person says in an option, on one line."""
    text = text.strip()
    if not text or len(text) > LETTERS_MAX or not text.isprintable():
        raise Refused(f"{option} takes 1 to {LETTERS_MAX} plain letters on one line")
    return text


def _filled_at(args: Namespace, ticket: Ticket) -> int:
    """When it filled: the time of day given, on the ticket's day, else the market's newest instant."""
    newest = desk.market_now(app.quotes(run_of(args.home)))
    if args.at is None:
        return max(newest, ticket.at)
    at = at_time(day_of(ticket.at), args.at.hour, args.at.minute, args.at.second)
    if at > max(newest, SystemClock().now()):
        raise Refused(f"--at {args.at:%H:%M:%S} lies in the future")
    return at


def _shown(args: Namespace, store: Store, ticket: Ticket) -> list[str]:
    """The ticket as it stands, its work and its evidence as of this moment."""
    held = desk.order_of(Books(store), ticket)
    lines = [f"ticket {ticket.ticket_id[:8]}, {ticket.state}"]
    if not ticket.is_closed and _is_late(args, store, ticket):
        lines.append(DO_NOT_EXECUTE)
    if ticket.work is not None and held is not None:
        ticket = replace(ticket, work=work_of(held.order, ticket.work.why))
        lines.append(f"our books: the order is {held.order.status}, {held.order.cum_quantity} units filled")
    lines += whole(ticket)
    for name, stamp in (("acknowledged", ticket.acknowledged), ("claimed", ticket.claimed)):
        lines += [f"{name}: by {stamp.by}, {_wall(stamp.at)}"] if stamp else []
    lines += [
        f"entered: {e.quantity} at {at_price(e.price)} as {e.broker_order_id}, by {e.stamp.by}" for e in ticket.entries
    ]
    for look in ticket.looks:
        lines.append(
            f"{'' if look.is_checked else 'NOT PROVEN: '}{look.said} ({look.stamp.by}, {_wall(look.stamp.at)})"
        )
    end = ticket.closed
    return lines + ([f"closed: {end.how} by {end.by or 'the desk itself'}: {end.reason}"] if end else [])


def _is_late(args: Namespace, store: Store, ticket: Ticket) -> bool:
    """Whether its decision has expired by the market's clock, its day is over, or as much time went by on the wall.

    Where the market's clock stands, since the desk has stopped, the wall's says it: late is the safe answer.
    """
    row = store.get("calls", ticket.ticket_id)
    waited = SystemClock().now() - decode(row.value, Call).since if row else 0
    is_over = store.get("ended", str(day_of(ticket.at))) is not None
    now = max(desk.market_now(app.quotes(run_of(args.home))), ticket.at + waited)
    return is_over or is_expired(ticket, now)


def _wall(at: int) -> str:
    return f"{datetime.datetime.fromtimestamp(at // SECOND, KOLKATA):%d %b %H:%M:%S %Z}"
