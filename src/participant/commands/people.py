"""What a person at the desk may ask and order: status, halt, resume."""

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
from participant.operate.breaker import Halt
from participant.operate.screen import Screen, Watcher
from participant.wire.json import Malformed, decode, encode


def halt(args: Namespace) -> int:
    """Pull the breaker: nothing is sent any more (or, with --reduce-only, nothing that raises the risk)."""
    level = Level.REDUCE_ONLY if args.reduce_only else Level.OPEN
    return _ask_breaker(args, Halt(level, args.reason, SystemClock().now()))


def resume(args: Namespace) -> int:
    """Let orders pass again, as far as no trigger says otherwise."""
    return _ask_breaker(args, Halt(Level.CLOSED, args.reason, SystemClock().now()))


def _ask_breaker(args: Namespace, asked: Halt) -> int:
    store = open_books(args.home)
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
    text += [f"quiet channel {name}: {why}" for name, why in screen.quiet.items()]
    say(args, "\n".join(text), screen)
    return NEEDS_A_PERSON if screen.quiet or any(not t.is_closed for t in screen.tickets) else DONE


def check_config(args: Namespace) -> int:
    """Read the configuration as every command would."""
    config = load_config(args.config, os.environ)
    say(args, msgspec.json.format(encode(config)).decode(), config)
    return DONE


def open_books(home: Path) -> SqliteStore:
    """The books of a home that has some."""
    if not (home / "books.sqlite").exists():
        raise Refused(f"home {home} has no books; `participant trade --home {home}` makes them")
    return SqliteStore(home / "books.sqlite", is_durable=True)


def _look(home: Path) -> Screen:
    books, run = open_books(home), run_of(home)
    return Watcher(books, app.quotes(run), {}, run.day).look()


def run_of(home: Path) -> Run:
    """What the home's last day ran on."""
    run_file = home / "run.json"
    if not run_file.exists():
        raise Refused(f"home {home} has not traded yet; `participant trade --home {home}` begins")
    try:
        return decode(run_file.read_bytes(), Run)
    except Malformed as fault:
        raise Refused(f"{run_file} is broken ({fault}); `participant trade --home {home}` writes it anew") from fault
