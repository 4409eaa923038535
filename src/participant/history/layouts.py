"""Which column of a table says what, and in which unit: a layout, shipped or a user's own mapping file.

A layout is a TOML file. `shape` says how a row names its option: `wide` (a call and a put in each row, tables `call`
and `put`), `long` (a column with the kind, tables `kind` and `option`), `ticker` (one text that holds symbol, expiry,
strike and kind, tables `ticker` and `option`), or `index` (no option: time and `spot` alone).
"""

import re
from collections.abc import Collection, Iterator
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from participant.history.pages import BadData

Unit = Literal["units", "lots"]
TICKER_PARTS = ("symbol", "expiry", "strike", "kind")
DAY_S = 86_400


class TimeColumns(Struct, frozen=True, forbid_unknown_fields=True):
    """When a row was seen: one column, or a date and a time. Texts are ISO, or as `format` (strptime) says.

    `utc_offset` is that of times that name none.
    """

    column: str = ""
    date: str = ""
    time: str = ""
    format: str = ""
    utc_offset: Annotated[str, Meta(pattern=r"^[+-]\d{2}:[0-5]\d$")] = "+05:30"

    @property
    def offset_s(self) -> int:
        """Seconds that these wall times are ahead of UTC."""
        hours, minutes = self.utc_offset.split(":")
        return int(hours) * 3_600 + int(hours[0] + minutes) * 60

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that say it."""
        return (self.column,) if self.column else (self.date, self.time)


class SymbolColumn(Struct, frozen=True, forbid_unknown_fields=True):
    """The underlying: a column or one name for all rows; `rename` turns a source's names into the house's."""

    column: str = ""
    constant: str = ""
    rename: dict[str, str] = {}


class ExpiryColumn(Struct, frozen=True, forbid_unknown_fields=True):
    """The last day: an ISO text or a date, or a text as `format` (strptime) says.

    Where the source infers it and says how sure it is: rows whose `doubt_column` holds `doubtful` have none.
    """

    column: str
    format: str = ""
    doubt_column: str = ""
    doubtful: str = ""


class KindColumn(Struct, frozen=True, forbid_unknown_fields=True):
    """Call or put, and what the source writes for them."""

    column: str
    call: str = "CE"
    put: str = "PE"


class TickerColumn(Struct, frozen=True, forbid_unknown_fields=True):
    """One text for the whole contract: a regular expression with the groups symbol, expiry, strike and kind."""

    column: str
    pattern: str
    format: str = ""
    call: str = "CE"
    put: str = "PE"


class OptionColumns(Struct, frozen=True, forbid_unknown_fields=True):
    """The columns of one option's figures; an empty name is a figure that the source lacks."""

    bid: str = ""
    ask: str = ""
    bid_size: str = ""
    ask_size: str = ""
    last: str = ""
    volume: str = ""
    open_interest: str = ""

    @property
    def named(self) -> tuple[str, ...]:
        """Those that are there."""
        return tuple(name for field in self.__struct_fields__ if (name := getattr(self, field)))


class Units(Struct, frozen=True, forbid_unknown_fields=True):
    """In what a source counts: units, or lots (the exchange's word: contracts)."""

    sizes: Unit = "units"
    volume: Unit = "units"
    open_interest: Unit = "units"


class Layout(Struct, frozen=True, forbid_unknown_fields=True):
    """What a table's columns say.

    With `bar_s` a row is a bar that is known that many seconds after its label, and its volume is the bar's; without,
    a row is a snapshot and its volume the day's.
    """

    name: str
    shape: Literal["wide", "long", "ticker", "index"]
    time: TimeColumns
    symbol: SymbolColumn = SymbolColumn()
    expiry: ExpiryColumn | None = None
    strike: str = ""
    spot: str = ""
    kind: KindColumn | None = None
    ticker: TickerColumn | None = None
    call: OptionColumns | None = None
    put: OptionColumns | None = None
    option: OptionColumns | None = None
    units: Units = Units()
    bar_s: Annotated[int, Meta(ge=0, le=DAY_S)] = 0

    @property
    def sides(self) -> tuple[OptionColumns, ...]:
        """The options of a row: the call and the put, or the one."""
        return tuple(side for side in (self.call, self.put, self.option) if side is not None)

    @property
    def is_modelled(self) -> bool:
        """Whether the source has no bids and asks, so that a model's stand in."""
        return not any(side.bid or side.ask for side in self.sides)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that it names, each once."""
        names = [*self.time.columns, self.symbol.column, self.strike, self.spot]
        names += [part.column for part in (self.expiry, self.kind, self.ticker) if part is not None]
        names += [self.expiry.doubt_column] if self.expiry is not None else []
        names += [name for side in self.sides for name in side.named]
        return tuple(dict.fromkeys(name for name in names if name))

    def missing(self, columns: Collection[str]) -> tuple[str, ...]:
        """Those of its columns that a table lacks; a source need not doubt itself."""
        doubt = self.expiry.doubt_column if self.expiry is not None else ""
        return tuple(name for name in self.columns if name not in columns and name != doubt)


def read_layout(file: Path) -> Layout:
    """A mapping file; BadData names the file and the key that cannot be used."""
    try:
        body = file.read_bytes()
    except OSError as fault:
        raise BadData(f"{file}: {fault.strerror}: name a mapping file that can be read") from None
    return parse(str(file), body)


@lru_cache(maxsize=1)
def shipped() -> dict[str, Layout]:
    """The layouts that come with the package, by name."""
    folder = resources.files("participant") / "layouts"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    found = [parse(f"layouts/{file.name}", file.read_bytes()) for file in files]
    return {layout.name: layout for layout in found}


def fitting(columns: Collection[str]) -> Layout | None:
    """The shipped layout whose columns are all there, the one with the most; none where none fits.

    An index has no other columns than its own: more of them may be anything.
    """
    fits = [
        layout for layout in shipped().values()
        if not layout.missing(columns) and (layout.shape != "index" or len(columns) == len(layout.columns))
    ]  # fmt: skip
    return max(fits, key=lambda layout: (len(layout.columns), layout.name), default=None)


def nearest(columns: Collection[str]) -> Layout | None:
    """The shipped layout that lacks the smallest share of its columns; none where it lacks half of them."""
    lacks = {name: len(layout.missing(columns)) / len(layout.columns) for name, layout in shipped().items()}
    name = min(lacks, key=lambda name: (lacks[name], name))
    return shipped()[name] if lacks[name] < 0.5 else None


def parse(name: str, body: bytes) -> Layout:
    """A layout from the bytes of a file of this name. Raises BadData."""
    try:
        layout = msgspec.toml.decode(body, type=Layout)
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        what, _, where = str(fault).partition(" - at `")
        place = where.removeprefix("$.").removesuffix("`")
        place = f"{place}: " if place not in {"", "$"} else ""
        what = re.sub(r"\b[Oo]bject\b", "table", what)
        raise BadData(f"{name}: {place}{what}: docs/catalogue.md shows a mapping file") from None
    for wrong in _faults(layout):
        raise BadData(f"{name}: {wrong}: docs/catalogue.md shows a mapping file")
    return layout


def _faults(layout: Layout) -> Iterator[str]:
    """What a layout of its shape lacks, or has too much."""
    tables = {"wide": {"expiry", "call", "put"}, "long": {"expiry", "kind", "option"}, "ticker": {"ticker", "option"}}
    wanted = tables.get(layout.shape, set())
    for table in ("expiry", "kind", "ticker", "call", "put", "option"):
        if (getattr(layout, table) is not None) != (table in wanted):
            yield f"{table}: a layout of shape '{layout.shape}' {'needs' if table in wanted else 'has no'} such table"
    if layout.shape in {"wide", "long"} and not layout.strike:
        yield "strike: the column of the strikes is not named"
    if layout.shape not in {"wide", "long"} and layout.strike:
        yield f"strike: a column for shapes 'wide' and 'long' alone, not for '{layout.shape}'"
    if layout.shape == "index" and not layout.spot:
        yield "spot: the column of the index is not named"
    if layout.shape in {"wide", "long"} and bool(layout.symbol.column) == bool(layout.symbol.constant):
        yield "symbol: name either a column or a constant"
    if bool(layout.time.column) == bool(layout.time.date and layout.time.time):
        yield "time: name either a column, or date and time"
    yield from _bad_texts(layout)


def _bad_texts(layout: Layout) -> Iterator[str]:
    """A pattern or a format that cannot be used."""
    if layout.ticker is not None:
        try:
            groups = set(re.compile(layout.ticker.pattern).groupindex)
        except re.error as fault:
            yield f"ticker.pattern: {fault}"
            return
        if lacking := [part for part in TICKER_PARTS if part not in groups]:
            yield f"ticker.pattern: no group named {', '.join(lacking)}"
    for part in (layout.time, layout.expiry, layout.ticker):
        if part is not None and part.format and not re.search(r"%[a-zA-Z]", part.format):
            yield f"format: {part.format!r} names no part of a date, such as '%d-%b-%Y'"
