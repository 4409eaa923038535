"""What a person at the desk may ask and order: status, halt, resume, tickets."""

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
from participant.core.breaker import Level
from participant.core.messages import Write
from participant.links.books import Disabled, Enabled
from participant.links.journal import JournalStore
from participant.operate.breaker import Halt
from participant.operate.journal import for_people
from participant.operate.screen import Screen, Watcher
from participant.operate.wake import close_ticket, open_tickets
from participant.wire.json import Malformed, decode, encode


def halt(args: Namespace) -> int:
    """Pull the breaker: nothing is sent any more (or, with --reduce-only, nothing that raises the risk)."""
    level = Level.REDUCE_ONLY if args.reduce_only else Level.OPEN
    return _ask_breaker(args, Halt(level, args.reason, SystemClock().now()))


def resume(args: Namespace) -> int:
    """Let orders pass again, as far as no trigger says otherwise; or enable one scrip that a control has disabled."""
    if args.scrip:
        return _enable(args)
    return _ask_breaker(args, Halt(Level.CLOSED, args.reason, SystemClock().now()))


def _enable(args: Namespace) -> int:
    store = _books(args.home)
    row = store.get("disabled", args.scrip)
    if row is None:
        raise Refused(f"--scrip {args.scrip}: no control has disabled it; the breaker is `participant resume`'s alone")
    enabled = Enabled(args.scrip, args.reason, SystemClock().now())
    store.commit([Write("disabled", args.scrip, None, row.version), Write("enabled", args.scrip, encode(enabled))])
    store.close()
    say(args, f"{args.scrip} is enabled again ({args.reason}); it was {decode(row.value, Disabled).why}", enabled)
    return DONE


def _ask_breaker(args: Namespace, asked: Halt) -> int:
    store = _books(args.home)
    store.commit([Write("breaker", "halt", encode(asked))])
    store.close()
    say(args, f"breaker: {asked.level.name} asked for ({asked.why}); it holds within a second", asked)
    return DONE


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
    tickets = open_tickets(_books(args.home))
    text = [f"{t.ticket_id[:8]}  {t.scrip}  {t.title}\n          {t.detail}" for t in tickets]
    say(args, "\n".join(text) or "no open tickets", tickets)
    return NEEDS_A_PERSON if tickets else DONE


def close(args: Namespace) -> int:
    """End one ticket, with the reason that goes into the books."""
    ticket = close_ticket(_books(args.home), args.ticket, args.reason)
    if ticket is None:
        raise Refused(f"desk: no one open ticket begins with {args.ticket}; `participant desk list` shows them")
    say(args, f"closed {ticket.ticket_id[:8]} {ticket.title}", ticket)
    return DONE


def check_config(args: Namespace) -> int:
    """Read the configuration as every command would."""
    config = load_config(args.config, os.environ)
    say(args, msgspec.json.format(encode(config)).decode(), config)
    return DONE


def _books(home: Path) -> JournalStore:
    """The books, with what a command writes told in the log under the name of who gives it."""
    if not (home / "books.sqlite").exists():
        raise Refused(f"home {home} has no books; `participant trade --home {home}` makes them")
    return for_people(SqliteStore(home / "books.sqlite", is_durable=True), home, SystemClock())


def _look(home: Path) -> Screen:
    books = _books(home)
    run_file = home / "run.json"
    if not run_file.exists():
        raise Refused(f"home {home} has not traded yet; `participant trade --home {home}` begins")
    try:
        run = decode(run_file.read_bytes(), Run)
    except Malformed as fault:
        raise Refused(f"{run_file} is broken ({fault}); `participant trade --home {home}` writes it anew") from fault
    day: datetime.date = run.day
    return Watcher(books, app.quotes(run), {}, day).look()
