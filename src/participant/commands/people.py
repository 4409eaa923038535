"""What a person at the desk may ask: status, settings, tickets."""

import datetime
import os
from argparse import Namespace
from pathlib import Path

import msgspec

from participant import app
from participant.adapters.clocks.system import SystemClock
from participant.adapters.stores.sqlite import SqliteStore
from participant.commands.errors import DONE, NEEDS_A_PERSON, Refused
from participant.commands.output import say
from participant.config import Run, load_config
from participant.links.journal import JournalStore
from participant.operate.journal import for_people
from participant.operate.screen import Screen, Watcher
from participant.operate.wake import close_ticket, open_tickets
from participant.wire.json import Malformed, decode, encode


def status(args: Namespace) -> int:
    """The state of everything, as one look."""
    screen = _look(args.home)
    text = [f"day {screen.day}, breaker {screen.breaker.name} {screen.breaker_why}".rstrip()]
    text += [f"{s.symbol}: {s.holds}; {s.said}" for s in screen.scrips]
    text += [f"data of {s.not_quoted}" for s in screen.scrips if s.marks]
    text += [f"ticket {t.ticket_id[:8]}: {t.title}" for t in screen.tickets if not t.is_closed]
    say(args, "\n".join(text), screen)
    return NEEDS_A_PERSON if any(not t.is_closed for t in screen.tickets) else DONE


def list_tickets(args: Namespace) -> int:
    """Every open ticket, with everything needed to act by hand."""
    tickets = open_tickets(open_books(args.home))
    text = [f"{t.ticket_id[:8]}  {t.scrip}  {t.title}\n          {t.detail}" for t in tickets]
    say(args, "\n".join(text) or "no open tickets", tickets)
    return NEEDS_A_PERSON if tickets else DONE


def close(args: Namespace) -> int:
    """End one ticket, with the reason that goes into the books."""
    ticket = close_ticket(open_books(args.home), args.ticket, args.reason)
    if ticket is None:
        raise Refused(f"desk: no one open ticket begins with {args.ticket}; `participant desk list` shows them")
    say(args, f"closed {ticket.ticket_id[:8]} {ticket.title}", ticket)
    return DONE


def check_config(args: Namespace) -> int:
    """Read the configuration as every command would."""
    config = load_config(args.config, os.environ)
    say(args, msgspec.json.format(encode(config)).decode(), config)
    return DONE


def open_books(home: Path) -> JournalStore:
    """The books, with what a command writes told in the log under the name of who gives it."""
    if not (home / "books.sqlite").exists():
        raise Refused(f"home {home} has no books; `participant trade --home {home}` makes them")
    return for_people(SqliteStore(home / "books.sqlite", is_durable=True), home, SystemClock())


def _look(home: Path) -> Screen:
    books = open_books(home)
    run_file = home / "run.json"
    if not run_file.exists():
        raise Refused(f"home {home} has not traded yet; `participant trade --home {home}` begins")
    try:
        run = decode(run_file.read_bytes(), Run)
    except Malformed as fault:
        raise Refused(f"{run_file} is broken ({fault}); `participant trade --home {home}` writes it anew") from fault
    day: datetime.date = run.day
    return Watcher(books, app.quotes(run), {}, day).look()
