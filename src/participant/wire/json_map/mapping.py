"""A mapping: where a provider's JSON says what, in which units, by which clock and in which words (a TOML file).

A path names a place in a message: `params.data.best_bid_price`; `[]` each element of an array, `{}` each value of an
object, a number a position in an array. A row's own fields are relative to it; `/` begins at the message, `../` at what
holds the row. Instead of a path: `@key` is the row's key in its object, `=CE` a constant, `=$expiry` what the
configuration gives.
"""

import datetime
import re
from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

SHOWN = "docs/json-feeds.md shows a mapping"
BYTES_MOST = 8_388_608
FIELDS = ("name", "underlying", "expiry", "strike", "kind", "bid", "ask", "bid_size", "ask_size", "last", "at")
FIGURES = ("bid", "ask", "bid_size", "ask_size", "last")
ZONE = r"^([+-]\d{2}:[0-5]\d)?$"

When = dict[str, str]
Bytes = Annotated[int, Meta(ge=256, le=BYTES_MOST)]
Scale = Annotated[int, Meta(ge=1, le=1_000_000)]
Millis = Annotated[int, Meta(ge=1, le=3_600_000)]
Seconds = Annotated[float, Meta(gt=0, le=3_600)]
NamesMax = Annotated[int, Meta(ge=1, le=10_000)]


class BadMapping(ValueError):
    """A mapping that cannot be used: which key, and why."""


class Units(Struct, frozen=True, forbid_unknown_fields=True):
    """What a price and a size count. One of the provider's sizes is `size_scale` of our units."""

    price: Literal["rupees", "paise", "coin"] = "rupees"
    size: Literal["units", "lots"] = "units"
    size_scale: Scale = 1


class ClockWords(Struct, frozen=True, forbid_unknown_fields=True):
    """How a time is said: a number since 1970, a text (`format` is strptime's, else ISO 8601), or not at all.

    `zone` is that of texts that name none; without it these are refused.
    """

    unit: Literal["s", "ms", "us", "ns", "text", "received"] = "ms"
    format: str = ""
    zone: Annotated[str, Meta(pattern=ZONE)] = ""


class Codes(Struct, frozen=True, forbid_unknown_fields=True):
    """The provider's words for contracts.

    A row's `name` is read by the pattern `name` (groups underlying, expiry, strike, kind; or symbol, the whole of it),
    or looked up in the column `lookup` of the list of instruments. `expiry` is strptime's format, else ISO 8601.
    """

    name: str = ""
    lookup: str = ""
    expiry: str = ""
    kinds: dict[str, Literal["FUT", "CE", "PE"]] = {}
    underlyings: dict[str, str] = {}


class LevelWords(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a level of the depth has its price, its size and, in a book of changes, what is done to it."""

    price: str
    size: str
    action: str = ""
    actions: dict[str, Literal["new", "change", "delete"]] = {}


class RowWords(Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of row: where rows are, when a message has them, and where each field is. `last` alone is an index."""

    path: str
    when: When = {}
    is_underlying: bool = False
    name: str = ""
    underlying: str = ""
    expiry: str = ""
    strike: str = ""
    kind: str = ""
    bid: str = ""
    ask: str = ""
    bid_size: str = ""
    ask_size: str = ""
    bids: str = ""
    asks: str = ""
    last: str = ""
    at: str = ""


class StreamWords(Struct, frozen=True, forbid_unknown_fields=True):
    """What a message does to what was said before.

    `rows`: each row is a contract as it stands now. `whole`: each message is all there is. `book`: changes to levels,
    after a snapshot (`snapshot` says which messages are one). `seq` is a message's number, `previous` the number of
    the one before; without it they count up by one. A book is numbered by the contract, others by the connection. An
    instant ends at most once in `instant_ms` of exchange time. A quote whose time is more than `ahead_max_s` ahead of
    our clock is void.
    """

    kind: Literal["rows", "whole", "book"] = "rows"
    seq: str = ""
    previous: str = ""
    snapshot: When = {}
    instant_ms: Millis = 1_000
    silence_max_s: Seconds = 6.0
    ahead_max_s: Seconds = 10.0


class Subscribe(Struct, frozen=True, forbid_unknown_fields=True):
    """What is said first on a connection; `{names}` stands for up to `names_max` names, each made by `name`."""

    messages: tuple[str, ...] = ()
    name: str = "{name}"
    is_number: bool = False
    names_max: NamesMax = 500


class Beat(Struct, frozen=True, forbid_unknown_fields=True):
    """A message that only says that the link lives, and what is answered to it."""

    when: When
    answer: str = ""


class Refuses(Struct, frozen=True, forbid_unknown_fields=True):
    """A message by which the provider refuses us, and where it says why."""

    when: When
    text: str


class Mapping(Struct, frozen=True, forbid_unknown_fields=True):
    """A provider's tongue. `encoding` is `kite` for binary packets, of which `rows` say nothing."""

    source: Annotated[str, Meta(min_length=1)]
    encoding: Literal["json", "kite"] = "json"
    bytes_max: Bytes = 65_536
    rows_max: Annotated[int, Meta(ge=1, le=20_000)] = 1_000
    units: Units = Units()
    clock: ClockWords = ClockWords()
    codes: Codes = Codes()
    levels: LevelWords | None = None
    rows: tuple[RowWords, ...] = ()
    stream: StreamWords = StreamWords()
    subscribe: Subscribe = Subscribe()
    beats: tuple[Beat, ...] = ()
    refuses: tuple[Refuses, ...] = ()


def parse_mapping(file: str, body: bytes) -> Mapping:
    """The mapping in a TOML file of this name; raises BadMapping with the key that cannot be used."""
    try:
        mapping = msgspec.toml.decode(body, type=Mapping)
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        what, _, where = str(fault).partition(" - at `")
        place = where.removeprefix("$.").removesuffix("`")
        place = f"{place}: " if place not in {"", "$"} else ""
        raise BadMapping(f"{file}: {place}{re.sub(r'[Oo]bject', 'table', what)}: {SHOWN}") from None
    for wrong in faults(mapping):
        raise BadMapping(f"{file}: {wrong}: {SHOWN}")
    return mapping


def faults(mapping: Mapping) -> Iterator[str]:
    """What a mapping lacks, or says that cannot be."""
    if mapping.encoding == "json" and not mapping.rows:
        yield "rows: none, so no message could say anything"
    if mapping.encoding == "kite" and (mapping.rows or not mapping.codes.lookup):
        yield "rows: binary packets have none, and name their contracts by codes.lookup"
    if mapping.encoding == "kite" and mapping.stream.seq:
        yield "stream.seq: binary packets have no numbers"
    for number, row in enumerate(mapping.rows, start=1):
        yield from (f"rows {number}: {wrong}" for wrong in _row_faults(mapping, row))
    is_book = mapping.stream.kind == "book"
    if is_book and not (mapping.stream.seq and mapping.stream.snapshot and mapping.levels and mapping.levels.action):
        yield "stream: a book needs seq, snapshot and levels.action"
    if mapping.levels is not None and is_book and not mapping.levels.actions:
        yield "levels.actions: none, so no change could be told from another"
    if mapping.stream.previous and not mapping.stream.seq:
        yield "stream.previous: without seq there is nothing to compare it with"
    yield from _bad_texts(mapping)


def _row_faults(mapping: Mapping, row: RowWords) -> Iterator[str]:
    if bool(row.name) == bool(row.underlying):
        yield "name or underlying: name the contract by one of them"
    if row.name and not (mapping.codes.name or mapping.codes.lookup):
        yield "name: neither codes.name nor codes.lookup says what it means"
    if row.underlying and not row.is_underlying and not (row.expiry and row.kind):
        yield "expiry and kind: both are needed beside underlying, for a row that is no underlying's"
    if bool(row.at) == (mapping.clock.unit == "received"):
        yield "at: a row needs its time, unless clock.unit is 'received'"
    yield from _figure_faults(mapping, row)


def _figure_faults(mapping: Mapping, row: RowWords) -> Iterator[str]:
    named = [name for name in (*FIGURES, "bids", "asks") if getattr(row, name)]
    if not named:
        yield "no field is named that has a price"
    if constant := [name for name in (*named, "at") if getattr(row, name).startswith(("=", "@"))]:
        yield f"{constant[0]}: a figure is read from the row, it is no constant"
    for side, size in (("bid", "bid_size"), ("ask", "ask_size")):
        if (side in named) != (size in named):
            yield f"{side} and {size}: name both or none"
    if ("bids" in named) != ("asks" in named) or ("bids" in named and ("bid" in named or mapping.levels is None)):
        yield "bids and asks: name both, with [levels], and no bid or ask beside them"
    if mapping.stream.kind == "book" and "bids" not in named:
        yield "bids and asks: a book is made of them"


def _bad_texts(mapping: Mapping) -> Iterator[str]:
    """Patterns, formats and codes that cannot be used."""
    codes = mapping.codes
    if codes.name:
        try:
            groups = set(re.compile(codes.name).groupindex)
        except re.error as fault:
            yield f"codes.name: {fault}"
            return
        if not groups & {"symbol", "underlying"} or groups - {"symbol", "underlying", "expiry", "strike", "kind"}:
            yield "codes.name: its groups are symbol, or underlying with expiry, strike and kind"
    if codes.name and codes.lookup:
        yield "codes: name a pattern or a lookup, not both"
    for key, text in (("clock.format", mapping.clock.format), ("codes.expiry", codes.expiry)):
        if text and not _is_format(text):
            yield f"{key}: {text!r} is no format of a date such as '%d-%b-%Y'"
    if mapping.clock.format and not mapping.clock.zone and "%z" not in mapping.clock.format:
        yield "clock.zone: times of this format say no zone, so name it"


def _is_format(text: str) -> bool:
    day = datetime.datetime(2026, 11, 26, 9, 15, tzinfo=datetime.UTC)
    try:
        return "%" in text and datetime.datetime.strptime(day.strftime(text), text).day in {1, 26}  # noqa: DTZ007 - only the format is tried
    except ValueError:
        return False
