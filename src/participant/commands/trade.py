"""`participant trade`: one day or several, from wake to summary."""

import datetime
import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from msgspec.structs import replace

from participant import app
from participant.adapters.archives.jsonl import JsonlArchive
from participant.adapters.clocks.system import SystemClock
from participant.adapters.leases.file import FileLease
from participant.commands.days import Asked, days_asked
from participant.commands.errors import DONE, NEEDS_A_PERSON, Refused
from participant.commands.homes import prepare
from participant.commands.output import say
from participant.commands.process import DESK
from participant.commands.report import write_day
from participant.commands.starting import command, venue_command
from participant.commands.watching import begin_with, check_watched, watching
from participant.config import BrokerLink, Config, Run, config_file, load_config, load_rules
from participant.core.ids import digest
from participant.core.market import Reference
from participant.core.messages import Write
from participant.core.session import Session
from participant.core.wording import counted
from participant.history.recordings import is_wholly_apart
from participant.links.addresses import load_addresses
from participant.links.limits import SignedLimits, put_in_force, read_limits, recorded, verified
from participant.links.secrets import BadSecret
from participant.links.shadow import Seen
from participant.operate.adopt import at_wake
from participant.operate.brokers import refuse_live_keys, session_of
from participant.operate.declare import declared
from participant.operate.journal import seal_ended
from participant.operate.late import book_waiting
from participant.operate.masters import take_in_master
from participant.operate.providers import check_feeds
from participant.operate.recording import begin_recording, check_recording, seal_day, told
from participant.operate.shadow import begin, check_home, claim_home, shadow_of
from participant.operate.summary import Summary, lines
from participant.operate.trade import Day, run_day, start_venue
from participant.operate.wake import (
    Blocked,
    ask_venue,
    call_test,
    open_account,
    open_bans,
    open_day,
    open_tickets,
    take_in_revisions,
)
from participant.ports import Store
from participant.wire.json import decode, encode

PAISE = 100
LEFT_OUT = "left out (a home keeps the rows it has); mend it, then say `participant watchlist import FILE --note WHY`"


def trade(args: Namespace) -> int:
    """Trade the days asked for; the status says whether something is left for a person."""
    apart: list[str] = []
    config = load_config(args.config, os.environ, apart.append)
    sys.stderr.writelines(f"participant: {config_file(args.config, os.environ)}: {row}: {LEFT_OUT}\n" for row in apart)
    _check_broker(config.broker, is_shadow=args.shadow)
    check_feeds(config, tells_left_out=not (args.speed or args.venue or args.quiet))
    home = prepare(args.home)
    lease = FileLease(home, SystemClock())
    holder = lease.take(f"participant trade, process {os.getpid()}")
    if holder:
        raise Refused(f"home {home} is in use by {holder}; stop that desk, or give this one another --home")
    try:
        return _trade(args, config, home, apart)
    finally:
        lease.release()


def _check_broker(link: BrokerLink, *, is_shadow: bool) -> None:
    """Trade goes to the simulated exchange alone, and never where a live key lies about."""
    refuse_live_keys(link)
    if link.name != "venue" and not is_shadow:
        raise Refused(
            f'[broker] name = "{link.name}": `participant trade` cannot trade through it yet. Missing are live feeds '
            "of prices (the market here is simulated or recorded) and the official settlement prices that close a day; "
            "`--shadow` watches its account and sends nothing, `participant login --check` proves the session"
        )


def _check_session(config: Config, day: datetime.date) -> None:
    """A day with the broker of a real account does not begin with a session that is dead on any plane."""
    link = config.broker
    if link.name == "venue":
        return
    try:
        session = session_of(link, day, config.desk.request_timeout_s)
    except BadSecret as fault:
        raise Refused(str(fault)) from fault
    if not session.is_good:
        raise Blocked(
            f"{link.name}, {link.profile}: the session of {day} is not good: {session.why}; {day} does not begin, "
            "`participant login` mends it"
        )


def _trade(args: Namespace, config: Config, home: Path, apart: Sequence[str]) -> int:
    rules = load_rules(config.desk.span_scans)
    worst = DONE
    books = app.books(Run(str(home), datetime.date.min, "", "", 0, 0.0, config))
    check_home(books, home, config.broker, is_shadow=args.shadow)
    books.close()
    _seal(config, home)  # what a run that was killed at its end left open
    for asked in days_asked(args, config, home, rules):
        summary = _one_day(args, config, home, asked)
        summary = replace(summary, watchlist="; left out: ".join([summary.watchlist, *apart]))
        write_day(home, app.books(Run(str(home), asked.day, "", "", 0, 0.0, config)), asked.day)
        _seal(config, home)
        say(args, "\n".join(lines(summary)), summary)
        is_told = any((_say_apart(args, summary), apart, _lacks_recording(args, config, home, asked.day)))
        worst = max(worst, NEEDS_A_PERSON if summary.needs_a_person or is_told else DONE)
    return worst


def _lacks_recording(args: Namespace, config: Config, home: Path, day: datetime.date) -> bool:
    """Seal what was recorded of a day, if it was; whether something of it is missing, which is said."""
    if args.record is None:
        return False
    with closing(app.books(Run(str(home), day, "", "", 0, 0.0, config))) as books:
        done = seal_day(args.record, day, books)
    if not args.quiet:
        sys.stderr.write(f"participant: recorded {told(done)}\n")
    return bool(done.lost)


def _say_apart(args: Namespace, summary: Summary) -> bool:
    """Say which recorded days were kept apart whole; whether there were any."""
    apart = [note for note in summary.notes if is_wholly_apart(note)]
    if not args.quiet:
        sys.stderr.writelines(f"participant: {summary.day}: {note}\n" for note in apart)
    return bool(apart)


def _seal(config: Config, home: Path) -> None:
    """Sign the log of every day that has ended."""
    books = app.books(Run(str(home), datetime.date.min, "", "", 0, 0.0, config))
    seal_ended(books, home)
    books.close()


def _one_day(args: Namespace, config: Config, home: Path, asked: Asked) -> Summary:
    day, rows = asked.day, config.watchlist
    bare, version = watching(Run(str(home), day, "", "", 0, 0.0, config, args.shadow))
    config = bare.config
    limits = _limits(args, bare)
    _check(bare, args.symbols or (() if args.venue or args.data else config.venue.symbols))
    _check_session(config, day)
    check_recording(args.record, day)
    log = home / "logs" / "venue.log"
    venue = None if args.venue else start_venue(venue_command(args, day, config), config.venue.host, log)
    try:
        url = venue.url if venue else args.venue
        info = ask_venue(url, config.desk.request_timeout_s)
        if info.session.day != str(day):
            raise Refused(f"--venue {url} plays {info.session.day}, not {day}; give that --date or start another venue")
        speed = 0.0 if info.session.mode == "lockstep" else info.session.speed
        run = Run(str(home), day, url, config.venue.host, info.session.fix_port, speed, config, args.shadow)
        run = replace(run, is_own_venue=venue is not None, record=str(args.record.resolve()) if args.record else "")
        revised = _revised(run, info.references)
        _wake(run, info.references, asked.session, limits)
        watched = begin_with(args, run, version, rows)
        is_unplayed = asked.is_recorded and not info.references
        today = replace(_day(args, run, asked.session), is_unplayed=is_unplayed)
        today = replace(today, notes=(*info.session.notes, *revised, *declared(today.books)))
        summary = run_day(today, venue, "" if run.is_lockstep else url)
        return replace(summary, shadow=shadow_of(today.books, day), watchlist=watched)
    except BaseException:
        if venue is not None and venue.process.poll() is None:
            venue.process.kill()
            venue.process.wait()
        raise


def _check(run: Run, symbols: Sequence[str]) -> None:
    """What must be in order before a venue is started: its day is begun with its first instant."""
    books, quotes = app.books(run), app.quotes(run)
    tickets = open_tickets(books)
    quotes.close()
    books.close()
    if tickets:
        raise Refused(
            f"the day is blocked by {counted(len(tickets), 'open ticket')} in {run.home}, "
            f"the first is {tickets[0].ticket_id[:8]} ({tickets[0].title}); "
            "`participant desk list` shows them, `participant desk close ID` ends one"
        )
    load_addresses(run.config.people.secrets, os.environ)  # said now, and not by a desk that cannot start
    check_watched(run.config, symbols)


def _limits(args: Namespace, run: Run) -> SignedLimits:
    """What a day that goes on began with, else what is signed now; what cannot be in force ends it before it begins."""
    books = app.books(run)
    begun = recorded(books, str(run.day))
    books.close()
    if begun is not None:
        verified(begun, run.terms)
        return begun
    return read_limits(config_file(args.config, os.environ).parent, run.terms)


def _compare(run: Run, books: Store, session: Session, references: tuple[Reference, ...]) -> None:
    """A new day begins only with the positions that the broker has; on a day that goes on the desk compares."""
    if books.get("starts", str(run.day)) is not None:
        return
    with closing(app.broker(run)) as broker:
        found = at_wake(books, broker, session.open_at)
    if found != []:  # `reconcile --adopt` reads these
        (run.path / "run.json").write_bytes(encode(run))
        app.quotes(run).commit([Write("reference", r.scrip, encode(r)) for r in references])
    if found is None:
        raise Blocked(f"the broker at {run.venue_url} does not show its positions: {run.day} does not begin blind")
    if found:
        said = "; ".join(f"{b.key}: ours {b.ours}, the broker's {b.theirs}" for b in found)
        raise Blocked(
            f"{run.day} does not begin with {counted(len(found), 'position')} unlike the broker's: {said}; "
            f"mend that there or take the broker's over with `participant reconcile --home {run.home} --adopt CONTRACT`"
        )


def _revised(run: Run, references: tuple[Reference, ...]) -> tuple[str, ...]:
    with closing(app.books(run)) as books, closing(app.quotes(run)) as quotes:
        return take_in_master(books, quotes, run.day, references)


def _revise(run: Run, books: Store, session: Session, references: tuple[Reference, ...]) -> None:
    """An odd lot after a revision is a person's: the day does not begin before its ticket is closed."""
    quotes = app.quotes(run)
    tickets = take_in_revisions(books, quotes, load_rules(run.config.desk.span_scans), references, session.open_at)
    quotes.close()
    if tickets:
        raise Blocked(
            f"{tickets[0].title}, {run.day} does not begin: settle it with the broker or let it expire, then say "
            f"`participant desk close {tickets[0].ticket_id[:8]} --home {run.home} --reason ...`"
        )


def _watch(run: Run, books: Store, session: Session, references: tuple[Reference, ...]) -> int | None:
    """A shadow day begins with what the account holds and has; what that is worth."""
    quotes, broker = app.quotes(run), app.broker(run)
    quotes.commit([Write("reference", r.scrip, encode(r)) for r in references])
    try:
        return begin(Seen(books, quotes, load_rules(run.config.desk.span_scans), broker), run.day, session.open_at)
    finally:
        broker.close()
        quotes.close()


def _wake(run: Run, references: tuple[Reference, ...], session: Session, limits: SignedLimits) -> None:
    """Put down what the day begins with, and what the processes are to read."""
    check_watched(run.config, [r.scrip for r in references])
    books = app.books(run)
    if run.is_shadow:
        claim_home(books, run.config.broker)
    open_account(books, run.config.desk.capital * PAISE)
    put_in_force(books, str(run.day), limits)
    open_bans(books, run.path, run.day)
    # Settings may name what is secret, so the log tells by their hash which were in force; run.json has their text.
    books.commit([Write("settings", str(run.day), encode(digest(run.config)))])
    book_waiting(run, books)  # before anything compares or decides without it
    if run.is_shadow:
        start = _watch(run, books, session, references)
    else:
        start = None
        _compare(run, books, session, references)
        _revise(run, books, session, references)
    open_day(books, app.quotes(run), run.day, references, start)
    call_test(books, run.day, SystemClock().now())
    begin_recording(run, [decode(r.value, Reference) for r in app.quotes(run).rows("reference")])
    (run.path / "run.json").write_bytes(encode(run))


def _day(args: Namespace, run: Run, session: Session) -> Day:
    desk = run.config.desk
    return Day(
        day=run.day,
        home=run.path,
        session=session,
        books=app.books(run),
        quotes=app.quotes(run),
        queues={name: app.queue(run, name, "view") for name in ("market", "orders", "fills")},
        archive=JsonlArchive(run.path / "decisions"),
        commands={name: command("process", name, "--home", run.home, "--parent", str(os.getpid())) for name in DESK},
        restarts_max=desk.restarts_max,
        stall_max_s=desk.stall_max_s if run.is_lockstep else max(desk.stall_max_s, 3.0 * desk.job_timeout_s),
        is_quiet=args.quiet or args.json,
    )
