"""What each scrip's book can do to the account, by its last decision: kept in the books, handed to every other scrip.

A row keeps the last decision and the one before it, so that all decisions of one instant see the account alike,
in whatever order they are committed.
"""

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from participant.core.account import Account, BookRisk, together
from participant.core.decision import Decision
from participant.core.messages import Row, Write
from participant.core.scrip import Scrip
from participant.links.books import Books
from participant.links.brought import since
from participant.ports import Store
from participant.wire.json import decode, encode

TABLE = "risks"


class _Judged(Struct, frozen=True, array_like=True):
    """A scrip's risk as decided for an instant, None of a book with nothing in it."""

    at: int
    risk: BookRisk | None


class _Row(Struct, frozen=True, array_like=True):
    last: _Judged
    before: _Judged | None = None


class _Ended(Struct, frozen=True):
    """What is read here of a day that was closed: what the desk was worth (paise)."""

    worth: int = 0


class Risks:
    """Reads and writes the risk of every scrip's book. What was read stays read: only what changed is read again."""

    def __init__(self, books: Books) -> None:
        """The best close of the days before is read once, for a day's processes end with it."""
        self.books = books
        self._rows: dict[str, _Row] = {}
        self._read_to = 0
        starts, days = books.store.rows("starts"), books.store.rows("days")
        # A desk began with something before its first close, and a shadow with another account than the settings'.
        first = [int(min(starts, key=lambda row: row.key).value) + since(books.store, "")] if starts else []
        self._peak = max([*first, *(_worth_now(books, row) for row in days)], default=0)

    def account(self, scrip: Scrip, at: int) -> Account:
        """The account as a decision on this scrip at an instant (ns) may see it: with all that was decided before."""
        self._read()
        seen = ((symbol, _seen(row, at)) for symbol, row in self._rows.items() if symbol != scrip.symbol)
        risks = {symbol: risk for symbol, risk in seen if risk is not None}
        account = self.books.account()[0]
        others = together(risks, scrip.sector, (s for s in account.used if s != scrip.symbol))
        return replace(account, peak=self._peak, others=others)

    def row(self, decision: Decision) -> list[Write]:
        """What a decision leaves here, for its own commit; nothing of a job that gave none."""
        if decision.outcome != "decided":
            return []
        self._read()
        known, now = self._rows.get(decision.scrip), _Judged(decision.decided_for, decision.risk)
        before = None if known is None else known.before if known.last.at == now.at else known.last
        return [Write(TABLE, decision.scrip, encode(_Row(now, before)))]

    def _read(self) -> None:
        for row in self.books.store.rows(TABLE, since=self._read_to):
            self._rows[row.key], self._read_to = decode(row.value, _Row), row.seq


class Bet:
    """All books as one bet on the market, as decisions are claimed one after the other.

    A book counts as its last decision would leave it, but where that still waits to be claimed as it was before.
    """

    def __init__(self, store: Store, waiting: Iterable[Decision]) -> None:
        """`waiting` are the decisions that are about to be claimed."""
        pending = {decision.scrip: decision.decided_for for decision in waiting}
        rows = {row.key: decode(row.value, _Row) for row in store.rows(TABLE)}
        kept = {scrip: row.before if row.last.at == pending.get(scrip) else row.last for scrip, row in rows.items()}
        self._deltas = {s: judged.risk.beta_delta for s, judged in kept.items() if judged and judged.risk}

    def with_(self, decision: Decision) -> int:
        """The bet (paise) with a decision's book in the place of what its scrip had."""
        others = sum(delta for scrip, delta in self._deltas.items() if scrip != decision.scrip)
        return others + (decision.risk.beta_delta if decision.risk else 0)

    def take(self, decision: Decision) -> None:
        """Count a decision that was claimed."""
        self._deltas[decision.scrip] = decision.risk.beta_delta if decision.risk else 0


def _worth_now(books: Books, row: Row) -> int:
    """What the desk was worth at a close, with all that a person has brought in since."""
    return decode(row.value, _Ended).worth + since(books.store, row.key)


def _seen(row: _Row, at: int) -> BookRisk | None:
    return next((known.risk for known in (row.last, row.before) if known is not None and known.at < at), None)
