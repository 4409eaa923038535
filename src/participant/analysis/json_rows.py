"""JSON rows as a table of DuckDB's own: taken apart there, many at once, without a value of Python's between."""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

import msgspec

from participant.core.scrip import PRICE_UNITS
from participant.links.log_table import FIGURES, SIGNS

AT_ONCE = 16_384  # rows: eight of the pieces that DuckDB works on


def fill(database: Any, table: str, shape: Mapping[str, object], columns: str, rows: Iterable[str]) -> None:
    """Make a table of `columns`, SQL over what a row has by `shape`: names and the kinds that their values become."""
    taken = f"unnest(from_json(row, '{msgspec.json.encode(shape).decode()}'))"
    made = f"SELECT {columns} FROM (SELECT {taken} FROM (SELECT unnest($1::VARCHAR[]) AS row))"  # noqa: S608  # no text of a person
    database.execute(f"CREATE TABLE {table} AS {made}", [[]])
    left = iter(rows)
    while some := list(islice(left, AT_ONCE)):
        database.execute(f"INSERT INTO {table} {made}", [some])


def time_of(column: str) -> str:
    """The time of a column of nanoseconds UTC."""
    return f"timezone('UTC', make_timestamp_ns({column}))"


def said_of(column: str) -> str:
    """What `said` makes of a column's sentences."""
    told = f"regexp_replace({column}, '{FIGURES.pattern}', '#', 'g')"
    for figure, sign in SIGNS:
        told = f"replace({told}, '{figure}', '{sign}')"
    return told


def key_of(contract: str) -> str:
    """The key of a column's contracts, as `contract_key` makes it."""
    rupees = f"printf('%d.%04d', {contract}.strike // {PRICE_UNITS}, {contract}.strike % {PRICE_UNITS})"
    digits = f"CASE {contract}.kind WHEN 'FUT' THEN '' ELSE rtrim(rtrim({rupees}, '0'), '.') END"
    dated = f"strftime({contract}.expiry, '%Y%m%d-') || {digits}"
    dated = f"CASE {contract}.kind WHEN 'EQ' THEN '' ELSE {dated} END"
    return f"{contract}.underlying || '-' || {dated} || {contract}.kind"
