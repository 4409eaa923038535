"""Start of day: what must be there and in order before anything trades."""

import datetime
from pathlib import Path
from typing import TypeVar

import httpx
from msgspec import Struct

from participant.core.account import Account
from participant.core.escalation import Attempt, wake_test
from participant.core.market import LookBack, Provenance, Reference
from participant.core.messages import Ticket, Write
from participant.core.position import Holding, revisions
from participant.core.rulebook import Rulebook
from participant.core.scrip import Contract
from participant.core.tickets import ticket_id
from participant.links.ask import Bans
from participant.links.books import Books, market_state
from participant.links.brought import since, waiting
from participant.links.ledger import Entry, enter
from participant.links.look_backs import with_kept
from participant.ports import Store
from participant.stages.reconcile import Closed
from participant.wire.bans import BadBans, parse_bans
from participant.wire.json import Malformed, decode, encode
from participant.wire.venue import SessionRow

T = TypeVar("T")


class NotReady(Exception):
    """The day cannot begin: what is wrong, and how to mend it."""


class Blocked(Exception):
    """The day may not begin before a person has settled something: what, and how."""


class VenueInfo(Struct, frozen=True):
    """What a venue says of the day that it plays, and what is known of its scrips beforehand."""

    session: SessionRow
    references: tuple[Reference, ...]


def ask_venue(url: str, timeout_s: float) -> VenueInfo:
    """The day, the contracts and the look-backs of the venue at `url`; raises NotReady where it does not answer."""
    try:
        with httpx.Client(base_url=url, timeout=timeout_s, trust_env=False) as client:
            session = _ask(client, "/session", SessionRow)
            contracts = _ask(client, "/master", tuple[Contract, ...])
            known = {
                s: (_ask(client, f"/lookback/{s}", LookBack), _ask(client, f"/provenance/{s}", Provenance))
                for s in session.symbols
            }
    except (httpx.HTTPError, httpx.InvalidURL, Malformed) as fault:
        raise NotReady(
            f"venue: {url} does not answer as a venue ({fault}); start it with `participant venue`"
        ) from fault
    of = {s: tuple(c for c in contracts if c.underlying == s) for s in session.symbols}
    return VenueInfo(session, tuple(Reference(s, of[s], *known[s]) for s in session.symbols))


def _ask(client: httpx.Client, path: str, kind: type[T]) -> T:
    return decode(client.get(path).raise_for_status().content, kind)


def open_day(
    books: Store, quotes: Store, day: datetime.date, references: tuple[Reference, ...], start: int | None = None
) -> None:
    """Put the day's reference data down, and what the desk is worth as the day begins: `start` paise, where given.

    A scrip whose data bring no look-back gets the one that the desk has kept.
    """
    if books.get("starts", str(day)) is None:
        # Another day's market is no market; a day that goes on after a stop keeps what it had.
        old = [Write(t, r.key, None) for t in ("quotes", "reference") for r in quotes.rows(t)]
        quotes.commit([*old, Write("feeds", "status", None)])
    master = [Write("reference", r.scrip, encode(r)) for r in with_kept(books, references, day)]
    quotes.commit([*master, Write("master", "day", str(day).encode())])
    days = [decode(r.value, Closed) for r in books.rows("days")]
    account, _ = Books(books).account()
    if start is None:
        last = max(days, key=lambda d: d.day, default=None)
        start = last.worth + since(books, last.day) if last is not None else account.cash + since(books, "")
    books.commit([Write("starts", str(day), str(start).encode(), 0), *waiting(books, day)])


def take_in_revisions(
    books: Store, quotes: Store, rules: Rulebook, references: tuple[Reference, ...], at: int
) -> list[Ticket]:
    """Hold what is held on the terms of today's master (lot, tick, freeze quantity); one ticket for each odd lot left.

    Returns the tickets that are new: the exchange takes no order for less than a lot, so a person must settle it.
    """
    made = []
    for known in references:
        events = revisions(Books(books).position(known.scrip)[0], known.contracts, at)
        if events:
            enter(books, rules, market_state(quotes, known.scrip), Entry(known.scrip, at, events))
        tickets = [_odd_ticket(h, at) for h in Books(books).position(known.scrip)[0].odd_lots]
        made += [t for t in tickets if books.commit([Write("tickets", t.ticket_id, encode(t), 0)])]
    return made


def _odd_ticket(held: Holding, at: int) -> Ticket:
    contract = held.contract
    name = ticket_id("odd lot", contract.key, str(contract.lot), str(held.quantity))
    title = f"an odd lot: {held.quantity:+,} {contract.key} are no whole lots of {contract.lot}"
    left = abs(held.quantity) % contract.lot
    detail = (
        f"the exchange has revised the lot and takes no order for the rest of {left} units: "
        f"nothing of {contract.underlying} is traded while it is held; settle it with the broker, or let it expire"
    )
    return Ticket(name, at, contract.underlying, title, detail)


def open_bans(books: Store, home: Path, day: datetime.date) -> None:
    """Take in the day's list of stocks in a ban period from DIR/bans/DAY.csv, where there is one."""
    file = home / "bans" / f"{day}.csv"
    try:
        scrips = parse_bans(file.read_bytes())
    except FileNotFoundError:
        return
    except (OSError, BadBans) as fault:
        raise NotReady(f"ban list {file} cannot be used: {fault}; mend it, or take it away") from fault
    books.commit([Write("bans", str(day), encode(Bans(day, scrips)))])


def call_test(books: Store, day: datetime.date, now: int) -> None:
    """Have every channel tested, once for the day; `now` is the machine's time."""
    call = wake_test(str(day), now)
    books.commit([Write("calls", call.call_id, encode(call), 0)])


def is_told(books: Store) -> bool:
    """Whether people have been told of every open ticket, as far as the channels have answered by now."""
    attempts = [decode(r.value, Attempt) for r in books.rows("attempts")]
    told = {a.call_id for a in attempts}
    return all(t.ticket_id in told for t in open_tickets(books)) and all(a.failure is not None for a in attempts)


def open_account(books: Store, capital: int) -> None:
    """Give a new home its capital (paise); one that has an account keeps it."""
    books.commit([Write("account", "account", encode(Account(capital, capital)), 0)])


def open_tickets(books: Store) -> list[Ticket]:
    """The tickets that nobody has closed: any of them blocks the day."""
    return [t for r in books.rows("tickets") if not (t := decode(r.value, Ticket)).is_closed]


def closed_days(books: Store) -> list[datetime.date]:
    """The days that this home has closed, oldest first."""
    return sorted(datetime.date.fromisoformat(row.key) for row in books.rows("days"))


def unfinished(books: Store) -> datetime.date | None:
    """The first day that this home has begun and not closed."""
    closed = {r.key for r in books.rows("days")}
    begun = sorted(r.key for r in books.rows("starts") if r.key not in closed)
    return datetime.date.fromisoformat(begun[0]) if begun else None
