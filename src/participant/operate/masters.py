"""Today's contract master beside that of the last day: what the exchange has revised, said and kept in the books."""

import datetime
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from participant.core.market import Reference
from participant.core.messages import Write
from participant.core.scrip import Contract
from participant.core.wording import at_price, counted
from participant.ports import Store
from participant.wire.json import decode, encode

TABLE = "revised"
TERMS = ("lot", "tick", "freeze")


def take_in_master(books: Store, quotes: Store, day: datetime.date, references: Sequence[Reference]) -> tuple[str, ...]:
    """What of the last day's master is on other terms today, in words; a day that goes on says what it began with."""
    known = books.get(TABLE, str(day))
    if known is not None:
        return decode(known.value, tuple[str, ...])
    before = [contract for row in quotes.rows("reference") for contract in decode(row.value, Reference).contracts]
    found = tuple(revised(before, [contract for known in references for contract in known.contracts]))
    books.commit([Write(TABLE, str(day), encode(found), expect=0)])
    return found


def revised(before: Iterable[Contract], now: Iterable[Contract]) -> Iterator[str]:
    """Every change of a term once for each underlying and kind of contract, with how many contracts it concerns."""
    old = {contract.key: contract for contract in before}
    changes: Counter[tuple[str, str, str, int, int]] = Counter()
    for contract in now:
        was = old.get(contract.key)
        for term in TERMS if was is not None else ():
            pair = getattr(was, term), getattr(contract, term)
            if pair[0] != pair[1]:
                changes[contract.underlying, str(contract.kind), term, *pair] += 1
    for (underlying, kind, term, one, other), count in sorted(changes.items()):
        said = f"{at_price(one)} -> {at_price(other)}" if term == "tick" else f"{one:,} -> {other:,}"
        yield f"the master has revised the {term} of {underlying} {kind}: {said} ({counted(count, 'contract')})"
