"""`participant watchlist`: what is decided on and how, in versions that begin with a session."""

import datetime
import getpass
import os
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from importlib import resources
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from participant.adapters.clocks.system import SystemClock
from participant.adapters.stores.sqlite import SqliteStore
from participant.commands.desk import words
from participant.commands.errors import DONE, Refused
from participant.commands.homes import prepare
from participant.commands.output import say
from participant.commands.watching import not_taken
from participant.config import Config, load_config, load_rules
from participant.core.ids import digest
from participant.core.notices import KOLKATA
from participant.core.rulebook import OutsideRules, Rulebook
from participant.core.scrip import Scrip
from participant.core.session import SECOND
from participant.core.watched import faults
from participant.core.watchlist import (
    BadSetting,
    Version,
    beyond_default,
    changed,
    constituents,
    differences,
    settings_of,
)
from participant.links.watchlist import add, first, newest_day, versions
from participant.operate.journal import for_people
from participant.ports import Store
from participant.wire.watchlist import BadWatchlist, parse_constituent, parse_value, parse_watchlist, watchlist_text

Rows = tuple[Scrip, ...]


class Listed(Struct, frozen=True):
    """The newest version, every version's head, and how the configuration's rows differ from those last taken over."""

    version: Version
    versions: tuple[str, ...]
    not_taken: tuple[str, ...]


class Shown(Struct, frozen=True):
    """A row with every setting, and the versions in which it changed."""

    scrip: Scrip
    history: tuple[str, ...]


class Changed(Struct, frozen=True):
    """A version that was put down, and what it changes; without one nothing changed."""

    changes: tuple[str, ...]
    version: Version | None = None


def show_list(args: Namespace) -> int:
    """The newest version row by row, and the heads of all."""
    known, config = _known(args)
    newest = known[-1]
    found = Listed(newest, tuple(map(_head, known)), tuple(not_taken(config.watchlist, known[-1])))
    say(args, "\n".join(_lines(found)), found)
    return DONE


def _lines(found: Listed) -> Iterator[str]:
    yield from found.versions
    yield "of the last of these:"
    for row in found.version.scrips:
        own = ", ".join(f"{name} {value}" for name, value in beyond_default(row).items())
        yield f"  {row.symbol:<12} {row.strategy:<14} {own or 'defaults'}"
    if found.not_taken:
        yield f"the configuration has changed and was not taken over: {'; '.join(found.not_taken)}"
        yield "  `participant watchlist import participant.toml --note WHY` takes its rows from the next session on"


def show(args: Namespace) -> int:
    """A row of the newest version, setting by setting, and the versions in which it changed."""
    known, _ = _known(args)
    row = _row(known[-1].scrips, args.symbol.upper())
    default, history = settings_of(Scrip(row.symbol)), tuple(_history(known, row.symbol))
    lines = [f"{name:<24} {value}{_default(default.get(name), value)}" for name, value in settings_of(row).items()]
    say(args, "\n".join([*lines, *history]), Shown(row, history))
    return DONE


def _default(default: object, value: object) -> str:
    return "" if value == default else f"  (default {default})"


def _history(known: Sequence[Version], symbol: str) -> Iterator[str]:
    before: Rows = ()
    for version in known:
        mine = tuple(row for row in version.scrips if row.symbol == symbol)
        if mine != before:
            yield f"{_head(version)}: {differences(before, mine)[0]}"
        before = mine


def change(args: Namespace) -> int:
    """Change settings of a row, or with --add put a new one down, from a session on."""
    symbol, given = args.symbol.upper(), {name: parse_value(value) for name, value in args.settings}

    def rows(before: Rows, rules: Rulebook, since: datetime.date) -> Rows:
        try:
            if args.add:
                if any(row.symbol == symbol for row in before):
                    raise Refused(f"watchlist: {symbol} stands on it already; leave --add out")
                return (*before, changed(_new(symbol, rules, since), given))
            one = changed(_row(before, symbol), given)
        except BadSetting as fault:
            raise Refused(f"watchlist: {symbol}: {fault}") from fault
        return tuple(one if row.symbol == symbol else row for row in before)

    return _put_down(args, rows, "set")


def bring_in(args: Namespace) -> int:
    """Take the rows of a file, or those that ship, in the place of all, from a session on."""
    if args.shipped == (args.file is not None):
        raise Refused("watchlist import: name a FILE, or say --shipped for the list that ships")
    if args.shipped:
        return _put_down(args, _shipped, "the list that ships")

    def rows(before: Rows, rules: Rulebook, since: datetime.date) -> Rows:
        try:
            found = parse_watchlist(args.file.read_bytes())
        except OSError as fault:
            raise Refused(f"watchlist: {args.file} cannot be read: {fault.strerror}") from fault
        except BadWatchlist as fault:
            raise Refused(f"watchlist: {args.file}: {fault}") from fault
        known = {row.symbol for row in before}
        for row in found:
            if row.symbol not in known:
                _new(row.symbol, rules, since)
        return found

    return _put_down(args, rows, f"import {args.file.name}")


def _shipped(_: Rows, rules: Rulebook, since: datetime.date) -> Rows:
    body = (resources.files("participant") / "watchlists" / "shipped.toml").read_bytes()
    try:
        return constituents(parse_watchlist(body), parse_constituent(body), rules, since)
    except OutsideRules as fault:
        raise Refused(f"watchlist: the list that ships has no members on {since}: {fault}") from fault


def write_out(args: Namespace) -> int:
    """Write the newest version as TOML, every setting of each row."""
    known, _ = _known(args)
    text = watchlist_text(known[-1].scrips)
    if args.file is None:
        say(args, text, known[-1].scrips)
        return DONE
    try:
        with args.file.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise Refused(f"watchlist: {args.file} is there already; choose another name") from None
    except OSError as fault:
        raise Refused(f"watchlist: {args.file} cannot be written: {fault.strerror}") from fault
    say(args, f"wrote {args.file}, {_head(known[-1])}", known[-1].scrips)
    return DONE


# --- putting a version down -------------------------------------------------------------------------------------------


def _put_down(args: Namespace, rows: Callable[[Rows, Rulebook, datetime.date], Rows], origin: str) -> int:
    config = load_config(args.config, os.environ)
    rules, books = load_rules(config.desk.span_scans), _books(args.home)
    by, note = words("--by", args.by or getpass.getuser()), words("--note", args.note)
    now = SystemClock().now()
    known = versions(books) or [first(config.watchlist, by, now)]
    since = _since(args, rules, books)
    if origin == "set" and since and known[-1].since and since < known[-1].since:
        raise Refused(
            f"watchlist: version {known[-1].number} begins on {known[-1].since} already: change it from then on with "
            f"--from {known[-1].since}, or import a whole list, which takes its place"
        )
    after = rows(known[-1].scrips, rules, since or datetime.date.fromisoformat(config.venue.day))
    for part, fault in faults(after, config.broker.name):
        if fault:
            raise Refused(f"watchlist: {part} {fault}")
    told = tuple(differences(known[-1].scrips, after))
    is_the_file = digest(after) == digest(config.watchlist)
    file_hash = digest(config.watchlist) if is_the_file else known[-1].file_hash
    version = Version(known[-1].number + 1, since, now, by, note, origin, file_hash, after)
    return _commit(args, books, known, version, told)


def _commit(args: Namespace, books: Store, known: list[Version], version: Version, told: tuple[str, ...]) -> int:
    is_same = version.scrips == known[-1].scrips and version.file_hash == known[-1].file_hash
    if is_same:
        say(args, f"nothing changes: version {known[-1].number} has it so", Changed(()))
        return DONE
    if not versions(books):
        add(books, [], known[0])
    if not add(books, known, version):
        raise Refused("watchlist: another version was put down, or a day has begun, meanwhile; look and say it again")
    say(args, "\n".join([_head(version), *(f"  {one}" for one in told)]), Changed(told, version))
    return DONE


def _since(args: Namespace, rules: Rulebook, books: Store) -> datetime.date | None:
    """The session from which a change holds: the one asked for, else the next; None where no day has begun here."""
    newest = newest_day(books)
    asked: datetime.date | None = args.since
    try:
        earliest = rules.next_session(newest) if newest else None
        if asked is None:
            return earliest
        if rules.session(asked) is None:
            raise Refused(f"--from {asked} is no trading day; the next one is {rules.next_session(asked)}")
    except OutsideRules as fault:
        raise Refused(f"watchlist: {fault}") from fault
    if earliest and asked < earliest:
        raise Refused(f"--from {asked}: {newest} has begun or is over; the first session that can change is {earliest}")
    return asked


def _new(symbol: str, rules: Rulebook, since: datetime.date) -> Scrip:
    """A row for an underlying that the rules know. Raises Refused for any other."""
    if not rules.class_of(symbol):
        raise Refused(f"watchlist: no underlying {symbol!r} is known to the rules; `participant rules show` asks them")
    try:
        rules.expiries(symbol, since)
    except OutsideRules as fault:
        raise Refused(f"watchlist: {symbol} cannot be traded: {fault}") from fault
    return Scrip(symbol)


# --- reading ----------------------------------------------------------------------------------------------------------


def _known(args: Namespace) -> tuple[list[Version], Config]:
    """Every version, the configuration's rows where none has been put down yet."""
    config = load_config(args.config, os.environ)
    books = _books(args.home) if (args.home / "books.sqlite").exists() else None
    known = versions(books) if books else []
    return known or [replace(first(config.watchlist, "", 0), note="")], config


def _books(home: Path) -> Store:
    """The books of a home; a new home's are begun, for a list may be put down before its first day."""
    prepare(home)
    return for_people(SqliteStore(home / "books.sqlite", is_durable=True), home, SystemClock())


def _row(rows: Rows, symbol: str) -> Scrip:
    for row in rows:
        if row.symbol == symbol:
            return row
    raise Refused(
        f"watchlist: {symbol} is not on it; "
        f"`participant watchlist set {symbol} --add KEY=VALUE --note WHY` puts it there"
    )


def _head(version: Version) -> str:
    when = f"{datetime.datetime.fromtimestamp(version.at / SECOND, KOLKATA):%Y-%m-%d %H:%M}"
    by = f" by {version.by} on {when}" if version.by else ""
    note = f": {version.note}" if version.note else ""
    return f"version {version.number}, {version.span} ({version.origin}{by}){note}"
