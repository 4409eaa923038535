"""`participant halt` and `resume`: the breaker in a person's hand. It needs no other process of the desk to live."""

import os
import signal
import sys
from argparse import Namespace
from contextlib import suppress
from pathlib import Path
from socket import create_connection
from time import sleep
from urllib.parse import urlsplit

from participant import app
from participant.adapters.clocks.steady import SteadyClock
from participant.adapters.clocks.system import SystemClock
from participant.adapters.leases.file import FileLease
from participant.adapters.stores.sqlite import SqliteStore
from participant.commands.errors import DONE, NEEDS_A_PERSON, Refused
from participant.commands.output import say
from participant.commands.people import open_books, run_of
from participant.commands.process import SPEAK_TO_THE_BROKER
from participant.config import Run
from participant.core.breaker import Halt, Level
from participant.core.limits import Limits, no_limits
from participant.core.messages import Write
from participant.core.order import OrderStatus
from participant.core.wording import counted
from participant.links.books import Books, Disabled, Enabled
from participant.links.limits import in_force
from participant.links.pace import Pace
from participant.operate.quiet import Quiet, sweep
from participant.ports import StoreBroken
from participant.wire.json import Malformed, decode, encode

SHADOWED = "a shadow has no order at the broker: nothing is cancelled there, and what works is the account's own"

# Sent, and no proof of what became of it: such an order may show in the book at any time.
UNPROVEN = (OrderStatus.SENDING, OrderStatus.UNKNOWN)


def halt(args: Namespace) -> int:
    """Pull the breaker: nothing is sent any more, what works is cancelled, and the broker's book proves it.

    With `--reduce-only` what lowers the risk still passes and nothing is cancelled; `--sever` ends every connection of
    the desk to the broker and keeps it ended.
    """
    level = Level.REDUCE_ONLY if args.reduce_only else Level.OPEN
    asked = Halt(level, args.reason, SystemClock().now(), is_severed=args.sever)
    _ask(args, asked)
    status = _carry_out(args, level)
    _note(args.home, asked)
    return status


def _carry_out(args: Namespace, level: Level) -> int:
    """What a halt does besides holding: sever, sweep, report."""
    if args.sever:
        ended = _sever(args.home)
        sys.stderr.write(f"participant: severed: {', '.join(ended) or 'no process of the desk held a connection'}\n")
    if level is Level.REDUCE_ONLY or not (args.home / "run.json").exists():
        return DONE
    if run_of(args.home).is_shadow:
        say(args, SHADOWED, Quiet(is_quiet=True, cancels=0))
        return DONE
    return _report(args, _sweep(args))


def resume(args: Namespace) -> int:
    """Let orders pass again, as far as no trigger says otherwise; or enable one scrip that a control has disabled."""
    if args.scrip:
        return _enable(args)
    asked = Halt(Level.CLOSED, args.reason, SystemClock().now())
    _ask(args, asked)
    _note(args.home, asked)
    return DONE


def _enable(args: Namespace) -> int:
    store = open_books(args.home)
    row = store.get("disabled", args.scrip)
    if row is None:
        raise Refused(f"--scrip {args.scrip}: no control has disabled it; the breaker is `participant resume`'s alone")
    enabled = Enabled(args.scrip, args.reason, SystemClock().now())
    store.commit([Write("disabled", args.scrip, None, row.version), Write("enabled", args.scrip, encode(enabled))])
    store.close()
    say(args, f"{args.scrip} is enabled again ({args.reason}); it was {decode(row.value, Disabled).why}", enabled)
    return DONE


def _ask(args: Namespace, asked: Halt) -> None:
    # The books are not so much as opened: neither a process that holds them nor damage stands in the way of a halt.
    if not (args.home / "books.sqlite").exists():
        raise Refused(f"home {args.home} has no books; `participant trade --home {args.home}` makes them")
    halts = SqliteStore(args.home / "halt.sqlite", is_durable=True)
    halts.commit([Write("breaker", "halt", encode(asked))])
    halts.close()
    say(args, f"breaker: {asked.level.name} asked for ({asked.why}); it holds within a second", asked)


def _note(home: Path, asked: Halt) -> None:
    """Tell the log what a person asked for: last of all, for whoever holds the books must not hold up a halt."""
    try:
        store = open_books(home)
        store.commit([Write("halts", str(asked.at), encode(asked))])
        store.close()
    except StoreBroken as fault:
        sys.stderr.write(f"participant: it holds, but could not be logged: {fault}\n")


def _is_running(home: Path) -> bool:
    """Whether a desk runs at this home."""
    lease = FileLease(home, SystemClock())
    is_free = lease.take("a look whether a desk runs") == ""
    lease.release()
    return not is_free


def _sweep(args: Namespace) -> Quiet:
    run = decode((args.home / "run.json").read_bytes(), Run)
    if not _is_running(args.home) and _is_gone(run):
        return Quiet(is_quiet=False, cancels=0, why_not=f"{run.venue_url}: connection refused", is_unheard=True)
    broker = app.broker(run)
    try:
        pace = Pace(_limits(args.home, run), SteadyClock())
        return sweep(broker, pace, args.wait_s, sleep, lambda: in_doubt(args.home, run))
    finally:
        broker.close()


def _is_gone(run: Run) -> bool:
    """Whether the simulated broker has ended with the `trade` that started it, and what rested there with it."""
    if not run.is_own_venue or run.config.broker.name != "venue":
        return False
    at = urlsplit(run.venue_url)
    try:
        create_connection((at.hostname or "", at.port or 0), run.config.desk.request_timeout_s).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False


def in_doubt(home: Path, run: Run) -> list[str]:
    """Our orders of the day that may be at the broker without its book showing them; none where no book can be read."""
    try:
        store = open_books(home)
        orders = [held.order for held in Books(store).orders(run.day)]
        store.close()
    except (StoreBroken, Malformed):
        return []
    return [f"our order {o.tag} {o.contract.key} is {o.status} and may be live" for o in orders if o.status in UNPROVEN]


def _limits(home: Path, run: Run) -> Limits:
    """The day's limits, for the rate of messages; where the books cannot be read, the rate of the paper limits."""
    try:
        store = open_books(home)
        found = in_force(store, str(run.day), run.terms)
        store.close()
    except StoreBroken as fault:
        return no_limits(str(fault))
    return found


def _report(args: Namespace, quiet: Quiet) -> int:
    if quiet.is_quiet:
        asked = counted(quiet.cancels, "cancel")
        say(args, f"QUIET: two reads of the broker's book in a row show no working order ({asked} asked for)", quiet)
        return DONE
    if quiet.is_unheard:
        say(
            args,
            f"no desk runs here and its broker does not answer ({quiet.why_not}): it holds for the next day",
            quiet,
        )
        return DONE  # the simulated broker has ended with its desk, and what rested there with it
    left = ", ".join(f"{v.tag or v.broker_order_id} {v.contract} {v.status}" for v in quiet.working)
    say(
        args, f"NOT QUIET after {args.wait_s:g} s: {quiet.why_not}. {left}\nCancel at the broker's own terminal.", quiet
    )
    return NEEDS_A_PERSON


def _sever(home: Path) -> list[str]:
    """Kill what may hold a connection to the broker; the supervisor starts it again, and it waits for `resume`."""
    noted = home / "pids.json"
    pids: dict[str, int] = decode(noted.read_bytes(), dict[str, int]) if noted.exists() else {}
    ended = []
    for name in SPEAK_TO_THE_BROKER:
        pid = pids.get(name, 0)
        if pid and _is_ours(pid, name, home):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                ended.append(name)
    return ended


def _is_ours(pid: int, name: str, home: Path) -> bool:
    """Whether that process is this home's; an id may have been given to another since."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return name.encode() in words and str(home.resolve()).encode() in words
