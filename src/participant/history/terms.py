"""The terms of a day's contracts as brokers' masters tell them, kept in a catalogue: lot, tick and freeze quantity.

`DIR/terms/DAY-BROKER.csv` has a row a contract: its symbol, expiry, kind and strike, lot and freeze in units (0: not
told), strike and tick in rupees. On that day they go before the rulebook's.
"""

import csv
import datetime
import io
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from participant.core.master import Listing
from participant.core.scrip import Kind, contract_key
from participant.history.pages import BadData
from participant.wire.masters import MasterFile
from participant.wire.rupees import price_of, rupees

FOLDER = "terms"
COLUMNS = ("symbol", "expiry", "kind", "strike", "lot", "tick", "freeze")


class Term(Struct, frozen=True):
    """A contract's lot (units) and tick (a price) on a day, and who says so."""

    lot: int
    tick: int
    broker: str


class DayTerms(Struct, frozen=True):
    """What masters tell of a day: terms by the contract's key, freeze quantities (units) by underlying."""

    of: Mapping[str, Term] = {}
    freezes: Mapping[str, int] = {}


NO_TERMS = DayTerms()


def keep_terms(folder: Path, day: datetime.date, master: MasterFile) -> bool:
    """Put a master down as that day's terms, whole or not at all; False where exactly this lies there already.

    BadData where it contradicts another master of the day, or differs from what this broker's was.
    """
    target = folder / FOLDER / f"{day}-{master.broker.lower().replace(' ', '-')}.csv"
    body = _written(master)
    if target.exists():
        if target.read_bytes() == body:
            return False
        raise BadData(f"{target} is there with other contents: remove it, or import into another folder")
    there = read_terms(folder, day)
    for one in master.listings:
        said = there.of.get(one.key)
        if said is not None and (said.lot, said.tick) != (one.lot, one.tick):
            ours, theirs = (
                f"lot {lot}, tick {rupees(tick)}" for lot, tick in ((one.lot, one.tick), (said.lot, said.tick))
            )
            raise BadData(
                f"{one.key} on {day}: {ours} by {master.broker}, {theirs} by {said.broker}: one is not of that day"
            )
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_suffix(".unfinished")
    beside.write_bytes(body)
    os.replace(beside, target)
    return True


def read_terms(folder: Path, day: datetime.date) -> DayTerms:
    """All that the masters in a catalogue tell of a day; BadData where one of them cannot be read."""
    of: dict[str, Term] = {}
    freezes: dict[str, int] = {}
    for file in sorted((folder / FOLDER).glob(f"{day}-*.csv")):
        broker = file.stem.removeprefix(f"{day}-")
        for key, symbol, term, freeze in _rows(file, broker):
            of[key] = term
            if freeze:
                freezes[symbol] = freeze
    return DayTerms(of, freezes)


def _rows(file: Path, broker: str) -> Iterator[tuple[str, str, Term, int]]:
    with file.open(encoding="utf-8", newline="") as opened:
        reader = csv.DictReader(opened)
        try:
            for row in reader:
                expiry, kind = datetime.date.fromisoformat(row["expiry"]), Kind(row["kind"])
                key = contract_key(row["symbol"], expiry, kind, price_of(row["strike"]))
                term = Term(int(row["lot"]), price_of(row["tick"]), broker)
                yield key, row["symbol"], term, int(row["freeze"])
        except (KeyError, TypeError, ValueError) as wrong:
            raise BadData(f"{file}: line {reader.line_num}: {wrong}: remove it, and import it again") from None


def _written(master: MasterFile) -> bytes:
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n")
    write.writerow(COLUMNS)
    for one in sorted(master.listings, key=_place):
        freeze = master.freezes.get(one.underlying, 0)
        name = (one.underlying, one.expiry, one.kind.value, rupees(one.strike))
        write.writerow([*name, one.lot, rupees(one.tick), freeze])
    return out.getvalue().encode()


def _place(one: Listing) -> tuple[str, datetime.date, Kind, int]:
    return one.underlying, one.expiry, one.kind, one.strike
