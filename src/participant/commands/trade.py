"""`participant trade`: one day or several, from wake to summary."""

import datetime
import os
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec.structs import replace

from participant import app
from participant.adapters.archives.jsonl import JsonlArchive
from participant.adapters.brokers.http import HttpBroker
from participant.adapters.clocks.system import SystemClock
from participant.adapters.leases.file import FileLease
from participant.adapters.stores.sqlite import SqliteStore
from participant.commands.errors import DONE, NEEDS_A_PERSON, Refused
from participant.commands.output import say
from participant.commands.process import DESK
from participant.commands.report import write_day
from participant.config import Config, Run, load_config, load_rules
from participant.core.market import Reference
from participant.core.messages import Write
from participant.core.rulebook import OutsideRules, Rulebook
from participant.core.session import Session
from participant.history.pages import BadData
from participant.history.recordings import days_in, days_settled, open_recordings
from participant.operate.adopt import at_wake
from participant.operate.summary import Summary, lines
from participant.operate.trade import Day, run_day, start_venue
from participant.operate.wake import Blocked, ask_venue, last_closed, open_account, open_day, open_tickets, unfinished
from participant.wire.json import encode

PAISE = 100

DaySession = tuple[datetime.date, Session]


def trade(args: Namespace) -> int:
    """Trade the days asked for; the status says whether something is left for a person."""
    config = load_config(args.config, os.environ)
    home = prepare(args.home)
    lease = FileLease(home, SystemClock())
    holder = lease.take(f"participant trade, process {os.getpid()}")
    if holder:
        raise Refused(f"home {home} is in use by {holder}; stop that desk, or give this one another --home")
    try:
        return _trade(args, config, home)
    finally:
        lease.release()


def prepare(home: Path) -> Path:
    """The home folder, made if need be and proven writable."""
    try:
        for folder in (home, home / "decisions", home / "logs"):
            folder.mkdir(parents=True, exist_ok=True)
            probe = folder / ".probe"
            probe.write_bytes(b"")
            probe.unlink()
    except OSError as fault:
        raise Refused(f"home {home} cannot be written: {fault.strerror}; choose another with --home") from fault
    return home.resolve()


def _trade(args: Namespace, config: Config, home: Path) -> int:
    rules = load_rules()
    worst = DONE
    for day, session in _days(args, config, home, rules):
        summary = _one_day(args, config, home, (day, session))
        write_day(home, app.books(Run(str(home), day, "", "", 0, 0.0, config)), day)
        say(args, "\n".join(lines(summary)), summary)
        worst = max(worst, NEEDS_A_PERSON if summary.needs_a_person else DONE)
    return worst


def _days(args: Namespace, config: Config, home: Path, rules: Rulebook) -> Iterator[DaySession]:
    """The sessions asked for and, of recorded days, there; without --date the one after the last that was closed."""
    store = app.books(Run(str(home), datetime.date.min, "", "", 0, 0.0, config))
    closed, begun = last_closed(store), unfinished(store)
    store.close()
    if args.mapping and not args.data:
        raise Refused(f"--mapping {args.mapping} says what the columns of --data mean: give that too")
    try:
        if args.date:
            first, last = args.date
        else:
            first = last = rules.next_session(closed) if closed else datetime.date.fromisoformat(config.venue.day)
        if begun and first > begun:
            raise Refused(
                f"--date {first}: home {home} has begun {begun} and not closed it; go on with --date {begun} first"
            )
        if closed and first <= closed:
            raise Refused(
                f"--date {first}: home {home} has closed {closed} already; go on after it or use another --home"
            )
        found = [
            (d, s) for i in range((last - first).days + 1) if (s := rules.session(d := first + datetime.timedelta(i)))
        ]
    except OutsideRules as fault:
        raise Refused(str(fault)) from fault
    if not found:
        raise Refused(f"--date {first}..{last}: no trading day; the next one is {rules.next_session(last)}")
    yield from _recorded(args, found) if args.data else found


def _recorded(args: Namespace, sessions: list[DaySession]) -> Iterator[DaySession]:
    """Those sessions of which something is recorded, or on which what is held can settle; the rest is said."""
    if args.seed is not None or args.step is not None or args.venue:
        raise Refused("--data plays recorded days: leave out --seed, --step and --venue, which are of other markets")
    try:
        recordings = open_recordings(args.data, args.mapping)
        days, settled = days_in(recordings), days_settled(recordings)
    except BadData as fault:
        raise Refused(str(fault)) from fault
    if not any(day in days for day, _ in sessions):
        what = f"they hold {min(days)} to {max(days)}" if days else "they hold no day at all"
        raise Refused(f"--date {sessions[0][0]}..{sessions[-1][0]}: --data has none of these days; {what}")
    for day, session in sessions:
        if day not in days and not args.quiet:
            what = "only settled" if day in settled else "skipped"
            sys.stderr.write(f"participant: {day} is {what}: it is a trading day, but no chain of it is in --data\n")
        if day in days | settled:
            yield day, session


def _one_day(args: Namespace, config: Config, home: Path, when: DaySession) -> Summary:
    day, session = when
    _check(
        Run(str(home), day, "", "", 0, 0.0, config),
        args.symbols or (() if args.venue or args.data else config.venue.symbols),
    )
    log = home / "logs" / "venue.log"
    venue = None if args.venue else start_venue(_venue_command(args, day), config.venue.host, log)
    try:
        url = venue.url if venue else args.venue
        info = ask_venue(url, config.desk.request_timeout_s)
        if info.session.day != str(day):
            raise Refused(f"--venue {url} plays {info.session.day}, not {day}; give that --date or start another venue")
        speed = 0.0 if info.session.mode == "lockstep" else info.session.speed
        run = Run(str(home), day, url, config.venue.host, info.session.fix_port, speed, config)
        _wake(run, info.references, session)
        return run_day(
            replace(_day(args, run, session), notes=info.session.notes), venue, "" if run.is_lockstep else url
        )
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
            f"{len(tickets)} open tickets in {run.home} block the day, the first is {tickets[0].ticket_id[:8]} "
            f"({tickets[0].title}); `participant desk list` shows them, `participant desk close ID` ends one"
        )
    _check_watched(run.config, symbols)


def _check_watched(config: Config, symbols: Sequence[str]) -> None:
    unwatched = [s for s in symbols if s not in {scrip.symbol for scrip in config.watchlist}]
    if unwatched:
        raise Refused(f"scrip {unwatched[0]} is not on the watchlist; add it to participant.toml as [[watchlist]]")


def _compare(run: Run, books: SqliteStore, session: Session, references: tuple[Reference, ...]) -> None:
    """A new day begins only with the positions that the broker has; on a day that goes on the desk compares."""
    if books.get("starts", str(run.day)) is not None:
        return
    broker = HttpBroker(run.venue_url, run.request_timeout_s)
    try:
        found = at_wake(books, broker, session.open_at)
    finally:
        broker.close()
    if found != []:  # `reconcile --adopt` reads these
        (run.path / "run.json").write_bytes(encode(run))
        app.quotes(run).commit([Write("reference", r.scrip, encode(r)) for r in references])
    if found is None:
        raise Blocked(f"the broker at {run.venue_url} does not show its positions: {run.day} does not begin blind")
    if found:
        said = "; ".join(f"{b.key}: ours {b.ours}, the broker's {b.theirs}" for b in found)
        raise Blocked(
            f"{len(found)} positions differ from the broker's, {run.day} does not begin: {said}; mend them there "
            f"or take the broker's over with `participant reconcile --home {run.home} --adopt CONTRACT`"
        )


def _wake(run: Run, references: tuple[Reference, ...], session: Session) -> None:
    """Put down what the day begins with, and what the processes are to read."""
    _check_watched(run.config, [r.scrip for r in references])
    books = app.books(run)
    open_account(books, run.config.desk.capital * PAISE)
    _compare(run, books, session, references)
    open_day(books, app.quotes(run), run.day, references)
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
        commands={name: _command("process", name, "--home", run.home, "--parent", str(os.getpid())) for name in DESK},
        restarts_max=desk.restarts_max,
        stall_max_s=desk.stall_max_s if run.is_lockstep else max(desk.stall_max_s, 3.0 * desk.job_timeout_s),
        is_quiet=args.quiet or args.json,
    )


def _venue_command(args: Namespace, day: datetime.date) -> list[str]:
    options = ["--home", str(args.home), "--date", str(day), "--parent", str(os.getpid())]
    options += [word for path in args.data or () for word in ("--data", str(path))]
    for name in ("config", "seed", "symbols", "step", "faults", "mapping"):
        value = getattr(args, name)
        if value is not None:
            options += [f"--{name}", ",".join(value) if isinstance(value, tuple) else str(value)]
    options += ["--speed", str(args.speed)] if args.speed else ["--lockstep"]
    return _command("venue", *options)


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "participant", *words]
