"""What the feeds said on a day, as Parquet in a folder of its own; docs/recording.md describes its columns.

    DIR/DAY/day.json                  what is known of the day beside the feeds
    DIR/DAY/quotes-000001.parquet...  what the providers said, in order of arrival, while it is being recorded
    DIR/DAY/frames-000001.parquet...  the messages as they came
    DIR/DAY/quotes.parquet, frames.parquet   the same once the day is sealed, in the place of the parts

A file is written whole or not at all: whoever dies while writing leaves the parts before.
"""

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import astuple, replace

from participant.core.market import Down, FeedEvent, Held, Mark, Reference, Tick, Ticks
from participant.core.providers import Belief
from participant.history.heard_parts import UNFINISHED, merge, named, parts_of, put_whole, write_part
from participant.history.pages import BadData
from participant.history.recorder_lock import holding
from participant.wire.json import Malformed, decode, encode

if TYPE_CHECKING:
    import pyarrow as pa

DAY, QUOTES, FRAMES = "day.json", "quotes", "frames"
BOOK, TICKS, MORE, MARK, LAST, HELD, DOWN, LOST = "book", "ticks", "more", "mark", "last", "held", "down", "lost"
NUMBERS = ("bid", "ask", "bid_size", "ask_size", "last", "exchange_at")
NOTHING = (0,) * (len(NUMBERS) - 1)
BATCH_ROWS = 65_536
NOT_ENDED = "the last recorder did not end: what came since its last part is missing"
Row = tuple[Any, ...]  # provider, received at (ns), kind, name, and the NUMBERS
Frame = tuple[str, int, bytes]  # provider, received at (ns), the message


class HeardDay(Struct, frozen=True):
    """What is known of a recorded day beside what the feeds said: its scrips, whom the desk believed, how it settled.

    `settlements` are official prices by underlying and by future's key. What is sealed is never written again.
    """

    day: datetime.date
    references: tuple[Reference, ...]
    believed: tuple[Belief, ...] = ()
    settlements: Mapping[str, int] = {}
    is_sealed: bool = False


def days(folder: Path) -> list[datetime.date]:
    """The days recorded in a folder, oldest first; none where it holds no recordings. BadData where one is no day."""
    found = [file.parent for file in folder.glob(f"????-??-??/{DAY}")]
    try:
        return sorted(datetime.date.fromisoformat(place.name) for place in found)
    except ValueError as fault:
        raise BadData(f"{folder} holds a recording of no day: {fault}; name its folder YYYY-MM-DD") from None


def known(folder: Path, day: datetime.date) -> HeardDay:
    """What is known of a recorded day; BadData where that cannot be read."""
    file = folder / str(day) / DAY
    try:
        return decode(file.read_bytes(), HeardDay)
    except OSError as fault:
        raise BadData(f"{file} cannot be read: {fault.strerror}") from fault
    except Malformed as fault:
        raise BadData(f"{file} is no recorded day: {fault}; take its folder away") from fault


def begin(folder: Path, day: datetime.date, references: Sequence[Reference]) -> Path:
    """Begin to record a day, or go on with it; where its parts go. BadData where it is sealed, or was of other scrips,
    or another records it. What a recorder that was killed left half written is taken away.
    """
    place = folder / str(day)
    if day in days(folder):
        there = known(folder, day)
        if there.is_sealed:
            raise BadData(f"{place} is sealed: a day is recorded once; name another folder")
        if there.references != tuple(references):
            raise BadData(f"{place} was begun with other contracts or look-backs: name another folder")
    try:
        place.mkdir(parents=True, exist_ok=True)
        with holding(place):
            for half in place.glob(f"*{UNFINISHED}"):
                half.unlink()
            _put_known(place, HeardDay(day, tuple(references)))
    except OSError as fault:
        raise BadData(f"{place} cannot be written: {fault.strerror}; name a folder that can") from fault
    return place


def seal(folder: Path, day: datetime.date, believed: Sequence[Belief], settlements: Mapping[str, int]) -> None:
    """Put a day's parts into one file each, once. Sealing again changes nothing; OSError, BadData where it cannot be.

    Until the last step all parts are there, so whoever dies here can seal again. What a recorder that did not end
    left out is counted. BadData while it is being recorded.
    """
    place, there = folder / str(day), known(folder, day)
    with holding(place) as hold:
        if not there.is_sealed and (hold.was_left or not parts_of(place, QUOTES)):
            write_part(place, QUOTES, quotes_of((), {NOT_ENDED: 1} if hold.was_left else {}))
            hold.ended()
        parts = {kind: parts_of(place, kind) for kind in (QUOTES, FRAMES)}
        if not there.is_sealed:
            for kind, of in parts.items():
                merge(of, place / f"{kind}.parquet")
            sealed = replace(there, believed=tuple(believed), settlements=settlements, is_sealed=True)
            _put_known(place, sealed)
        for part in (part for of in parts.values() for part in of):
            part.unlink()
        hold.take_away()


# --- events as rows ---------------------------------------------------------------------------------------------------


def quotes_of(events: Iterable[FeedEvent], lost: Mapping[str, int]) -> "pa.Table":
    """What was said as rows, in order; `lost` are rows and frames that could not be kept, by reason."""
    import pyarrow as pa

    rows = [row for event in events for row in _rows(event)]
    at = rows[-1][1] if rows else 0
    rows += [("", at, LOST, reason, count, *NOTHING) for reason, count in lost.items()]
    text, whole = pa.string(), pa.int64()
    head = [("provider", text), ("received_at", whole), ("kind", text), ("name", text)]
    schema = pa.schema([*head, *((name, whole) for name in NUMBERS)])
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    return pa.table([pa.array(column, f.type) for column, f in zip(columns, schema, strict=True)], schema)


def frames_of(frames: Sequence[Frame]) -> "pa.Table":
    """Messages as they came, as rows."""
    import pyarrow as pa

    schema = pa.schema([("provider", pa.string()), ("received_at", pa.int64()), ("frame", pa.binary())])
    columns = zip(*frames, strict=True)
    return pa.table([pa.array(column, f.type) for column, f in zip(columns, schema, strict=True)], schema)


def _rows(event: FeedEvent) -> Iterator[Row]:
    of, at = event.provider, event.received_at
    if isinstance(event, Ticks):
        kind = BOOK if event.is_snapshot else TICKS
        for tick in event.ticks:
            yield (of, at, kind, *astuple(tick))
            kind = MORE
        if not event.ticks:
            yield (of, at, kind, None, 0, *NOTHING)
    elif isinstance(event, Mark):
        yield (of, at, LAST if event.is_last else MARK, None, *NOTHING, event.at)
    else:
        yield (of, at, *((DOWN, event.reason) if isinstance(event, Down) else (HELD, None)), 0, *NOTHING)


def events(folder: Path, day: datetime.date) -> Iterator[FeedEvent]:
    """All that was said on a day, in order of arrival; BadData where a file of it cannot be read."""
    said: list[Row] = []
    for row in _read(folder / str(day)):
        if row[2] == LOST:
            continue
        if said and row[2] != MORE:
            yield _event(said)
            said = []
        said.append(row)
    if said:
        yield _event(said)


def marks(folder: Path, day: datetime.date) -> list[Mark]:
    """The ends of instants that were said on a day, in order of arrival; BadData as `events`."""
    only = (MARK, LAST)
    return [Mark(row[0], row[1], row[-1], row[2] == LAST) for row in _read(folder / str(day), only)]


def lost(folder: Path, day: datetime.date) -> int:
    """How many rows and frames of a day could not be kept; BadData as `events`."""
    return sum(row[4] for row in _read(folder / str(day), (LOST,)))


def size(folder: Path, day: datetime.date) -> tuple[int, int]:
    """How many rows of what was said a day has, and their bytes; BadData as `events`."""
    import pyarrow.parquet as pq

    rows = taken = 0
    for file in quote_files(folder, day):
        with named(file):
            rows, taken = rows + pq.read_metadata(file).num_rows, taken + file.stat().st_size
    return rows, taken


def _event(said: Sequence[Row]) -> FeedEvent:
    of, at, kind, name, *_, when = said[0]
    if kind in (BOOK, TICKS):
        ticks = tuple(Tick(row[3], *row[4:]) for row in said if row[3] is not None)
        return Ticks(of, at, ticks, is_snapshot=kind == BOOK)
    if kind in (MARK, LAST):
        return Mark(of, at, when, is_last=kind == LAST)
    return Down(of, at, name or "") if kind == DOWN else Held(of, at)


def _read(place: Path, kinds: Sequence[str] = ()) -> Iterator[Row]:
    """The rows of a day, or those of some kinds."""
    for file in quote_files(place.parent, datetime.date.fromisoformat(place.name)):
        with named(file):
            yield from _read_file(file, kinds)


def _read_file(file: Path, kinds: Sequence[str]) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    with pq.ParquetFile(file) as opened:
        for whole in opened.iter_batches(BATCH_ROWS):
            batch = whole.filter(pc.is_in(whole["kind"], pa.array(kinds))) if kinds else whole
            yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


# --- files ------------------------------------------------------------------------------------------------------------


def has_parts(place: Path) -> bool:
    """Whether something of a day is written down already."""
    return bool(parts_of(place, QUOTES) or parts_of(place, FRAMES))


def quote_files(folder: Path, day: datetime.date) -> list[Path]:
    """Where a day's quotes stand: one file once it is sealed, its parts until then. BadData where that file is gone."""
    whole = folder / str(day) / f"{QUOTES}.parquet"
    if not known(folder, day).is_sealed:
        return parts_of(whole.parent, QUOTES)
    if not whole.exists():
        raise BadData(f"{whole} is gone, of a day that is sealed: put it back, or take the day's folder away")
    return [whole]


def _put_known(place: Path, what: HeardDay) -> None:
    put_whole(place / DAY, lambda beside: beside.write_bytes(encode(what)))
