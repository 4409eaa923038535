"""The third provider's shape: columns of strings, symbol names that say it all, times in ISO 8601 of Kolkata.

    {"k":"S","n":41,"page":[1,1],"tm":"2026-12-29T09:15:00+05:30","fin":false,
     "sym":["NIFTY","NIFTY 29DEC26 25000.00 CE"],"bp":["0.00","101.05"],"bq":[0,650],"ap":["0.00","101.50"],
     "aq":[0,130],"ltp":["25012.35","0.00"],"at":["2026-12-29T09:15:00+05:30","2026-12-29T09:15:00+05:30"]}
    {"k":"D","n":42, columns}    {"k":"M","n":43,"tm":"...","fin":false}    {"k":"H","n":44}    {"k":"B","n":44}

S is a snapshot (page i of n), D a diff, M a mark, H a held, B a beat.
"""

import datetime
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import msgspec
from msgspec import Struct

from participant.core.market import Tick
from participant.core.scrip import Contract, Kind, contract_key
from participant.wire.json import Malformed
from participant.wire.json_feeds import Count, Says, Word, unpack
from participant.wire.rupees import price_of, rupees

KOLKATA = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
MICROSECOND = 1_000
TEXT_MAX = 64

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_NAME = re.compile(r"([A-Z0-9&-]{1,20})(?: (\d\d)([A-Z]{3})(\d\d)(?: FUT| (\d{1,9}\.\d{2,4}) (CE|PE)))?")
_LETTERS: dict[Says, Literal["S", "D", "M", "H", "B"]] = {
    Says.SNAPSHOT: "S",
    Says.DIFF: "D",
    Says.MARK: "M",
    Says.HELD: "H",
    Says.BEAT: "B",
}
_SAYS = {letter: says for says, letter in _LETTERS.items()}


class _Columns(Struct, omit_defaults=True):
    k: Literal["S", "D", "M", "H", "B"]
    n: Count = 0
    page: tuple[Count, Count] = (1, 1)
    tm: str = ""
    fin: bool = False
    sym: tuple[str, ...] = ()
    bp: tuple[str, ...] = ()
    bq: tuple[Count, ...] = ()
    ap: tuple[str, ...] = ()
    aq: tuple[Count, ...] = ()
    ltp: tuple[str, ...] = ()
    at: tuple[str, ...] = ()


_encoder = msgspec.json.Encoder()
_columns = msgspec.json.Decoder(_Columns)


class ThreeWriter:
    """The provider's side."""

    def __init__(self, contracts: Sequence[Contract]) -> None:
        self._names = {c.key: name_of(c) for c in contracts}

    def master(self) -> list[bytes]:
        """Nothing: the names say it all."""
        return []

    def write(self, word: Word) -> bytes:
        """The message that says a word."""
        ticks = word.ticks
        return _encoder.encode(
            _Columns(
                k=_LETTERS[word.says],
                n=word.seq,
                page=(word.part, word.parts),
                tm=iso(word.at) if word.at else "",
                fin=word.is_last,
                sym=tuple([self._names.get(t.contract, t.contract) for t in ticks]),
                bp=tuple([rupees(t.bid) for t in ticks]),
                bq=tuple([t.bid_size for t in ticks]),
                ap=tuple([rupees(t.ask) for t in ticks]),
                aq=tuple([t.ask_size for t in ticks]),
                ltp=tuple([rupees(t.last) for t in ticks]),
                at=tuple([iso(t.exchange_at) for t in ticks]),
            )
        )


class ThreeReader:
    """A reader's side."""

    request = '{"op":"resync"}'

    def read(self, data: str | bytes) -> Word:
        """The word that a message says; rows of names that say nothing are counted and left out."""
        said = unpack(_columns, data)
        try:
            ticks = _ticks(said)
            at = time_of(said.tm) if said.tm else 0
        except ValueError as error:
            raise Malformed(f"a message of kind {said.k}: {error}") from error
        part, parts = said.page
        return Word(_SAYS[said.k], said.n, ticks, at, said.fin, part, parts, len(said.sym) - len(ticks))


def _ticks(said: _Columns) -> tuple[Tick, ...]:
    """The rows of the columns (all of one length, or ValueError) whose names are known."""
    rows = zip(said.sym, said.bp, said.ap, said.bq, said.aq, said.ltp, said.at, strict=True)
    return tuple(
        [
            Tick(key, price_of(bid), price_of(ask), bid_size, ask_size, price_of(last), time_of(at))
            for name, bid, ask, bid_size, ask_size, last, at in rows
            if (key := key_of(name))
        ]
    )


def name_of(contract: Contract) -> str:
    """A contract's name at this provider: `NIFTY 29DEC26 25000.00 CE`, `NIFTY 29DEC26 FUT`."""
    day = contract.expiry
    head = f"{contract.underlying} {day.day:02d}{MONTHS[day.month - 1]}{day.year % 100:02d}"
    return f"{head} FUT" if contract.kind is Kind.FUTURE else f"{head} {rupees(contract.strike)} {contract.kind}"


@lru_cache(maxsize=65_536)
def key_of(name: str) -> str:
    """The contract's key (or the index's symbol) that a name stands for, empty where it stands for none."""
    found = _NAME.fullmatch(name)
    if found is None:
        return ""
    symbol, day, month, year, strike, kind = found.groups()
    if day is None:
        return symbol
    try:
        expiry = datetime.date(2000 + int(year), MONTHS.index(month) + 1, int(day))
    except ValueError:
        return ""
    return contract_key(symbol, expiry, Kind(kind or Kind.FUTURE), price_of(strike) if strike else 0)


@lru_cache(maxsize=1_024)
def iso(at: int) -> str:
    """A time (ns UTC) in Kolkata, to the microsecond: `2026-12-29T09:15:00+05:30`."""
    return (_EPOCH + datetime.timedelta(microseconds=at // MICROSECOND)).astimezone(KOLKATA).isoformat()


@lru_cache(maxsize=1_024)
def time_of(text: str) -> int:
    """The time (ns UTC) that an ISO text with its offset says; ValueError where it says none."""
    moment = datetime.datetime.fromisoformat(text[:TEXT_MAX])
    if moment.tzinfo is None:
        raise ValueError(f"{text[:TEXT_MAX]!r} has no offset from UTC")
    return (moment - _EPOCH) // datetime.timedelta(microseconds=1) * MICROSECOND
