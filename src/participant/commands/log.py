"""`participant log`: the hash-chained log of all that happened, verified from the first entry to the signature."""

from argparse import Namespace
from pathlib import Path

from participant.adapters.stores.sqlite import SqliteStore
from participant.commands.errors import DONE, NEEDS_A_PERSON, Refused
from participant.commands.output import say
from participant.operate.journal import PUBLIC, Verdict, days_to_verify, verify


def verify_log(args: Namespace) -> int:
    """Recompute every chain, root and signature of a day, or of all days; the first bad entry is named."""
    if not (args.home / "books.sqlite").exists():
        raise Refused(f"home {args.home} has no books; `participant trade --home {args.home}` makes them")
    books = SqliteStore(args.home / "books.sqlite", is_durable=True)
    days = [str(args.day)] if args.day else days_to_verify(books)
    if not days:
        raise Refused(f"home {args.home} has closed no day yet: there is nothing signed to verify")
    key = _public_key(args.key or args.home / PUBLIC)
    verdicts = [verify(books, day, args.home, key) for day in days]
    books.close()
    say(args, "\n".join(map(_line, verdicts)), verdicts)
    return NEEDS_A_PERSON if any(v.fault for v in verdicts) else DONE


def _public_key(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""  # then no signature is trusted, and the verdict says so
    except (OSError, UnicodeDecodeError) as fault:
        raise Refused(f"key {path} cannot be read: {fault}; name the public key with --key FILE") from fault


def _line(verdict: Verdict) -> str:
    counted = f"{verdict.day}: {verdict.entries} entries in {verdict.chains} chains"
    if verdict.fault is None:
        return f"{counted}, all as signed; root {verdict.root}"
    where = f"{verdict.fault.writer} entry {verdict.fault.number}: " if verdict.fault.writer else ""
    return f"{counted}, NOT as signed: {where}{verdict.fault.what}"
