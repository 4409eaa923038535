"""What a person at the desk may ask: status, settings."""

import os
from argparse import Namespace
from pathlib import Path

import msgspec
from msgspec.structs import replace

from participant import app
from participant.adapters.clocks.system import SystemClock
from participant.adapters.stores.sqlite import SqliteStore
from participant.commands.errors import DONE, NEEDS_A_PERSON, Refused
from participant.commands.output import say
from participant.config import Run, load_config, load_rules, with_own_events
from participant.core.rulebook import Rulebook
from participant.links.journal import JournalStore
from participant.operate.journal import for_people
from participant.operate.providers import check_feeds
from participant.operate.screen import Screen, Watcher
from participant.wire.json import Malformed, decode, encode


def status(args: Namespace) -> int:
    """The state of everything, as one look."""
    screen = _look(args.home)
    text = [screen.shadow] if screen.shadow else []
    text += [f"day {screen.day}, breaker {screen.breaker.name} {screen.breaker_why}".rstrip()]
    text += [f"{s.symbol}: {s.holds}; {s.said}" for s in screen.scrips]
    text += [f"data of {s.not_quoted}" for s in screen.scrips if s.marks]
    text += [f"ticket {t.ticket_id[:8]}: {t.title}" for t in screen.tickets if not t.is_closed]
    text += [f"quiet channel {name}: {why}" for name, why in screen.quiet.items()]
    say(args, "\n".join(text), screen)
    return NEEDS_A_PERSON if screen.quiet or any(not t.is_closed for t in screen.tickets) else DONE


def check_config(args: Namespace) -> int:
    """Read the configuration as every command would."""
    config = with_own_events(load_config(args.config, os.environ))
    check_feeds(config, tells_left_out=False)
    say(args, msgspec.json.format(encode(config)).decode(), config)
    return DONE


def open_books(home: Path) -> JournalStore:
    """The books, with what a command writes told in the log under the name of who gives it."""
    if not (home / "books.sqlite").exists():
        raise Refused(f"home {home} has no books; `participant trade --home {home}` makes them")
    return for_people(SqliteStore(home / "books.sqlite", is_durable=True), home, SystemClock())


def _look(home: Path) -> Screen:
    books, run = open_books(home), run_of(home)
    return Watcher(books, app.quotes(run), {}, run.day).look()


def rules_of(args: Namespace) -> Rulebook:
    """The rules that the home's last day ran by, unless --config names others."""
    if args.config is None and (args.home / "run.json").exists():
        return load_rules(run_of(args.home).config.desk.span_scans)
    return load_rules(load_config(args.config, os.environ).desk.span_scans)


def run_of(home: Path) -> Run:
    """What the home's last day ran on."""
    run_file = home / "run.json"
    if not run_file.exists():
        raise Refused(f"home {home} has not traded yet; `participant trade --home {home}` begins")
    try:
        return replace(decode(run_file.read_bytes(), Run), home=str(home))  # a home may have been moved or copied
    except Malformed as fault:
        raise Refused(f"{run_file} is broken ({fault}); `participant trade --home {home}` writes it anew") from fault
