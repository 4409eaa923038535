"""[[watchlist]] rows as TOML: read from a file of one's own or from a participant.toml, and written."""

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from participant.core.scrip import Scrip
from participant.core.universe import STOCK
from participant.core.watchlist import BadSetting, converted

TABLE = "watchlist"


class BadWatchlist(ValueError):
    """Rows that cannot be used: which, and why."""


def parse_watchlist(body: bytes) -> tuple[Scrip, ...]:
    """The rows of a file; its other tables are not looked at. Raises BadWatchlist."""
    rows = _tables(body).get(TABLE)
    if not isinstance(rows, list) or not rows:
        raise BadWatchlist("it has no [[watchlist]] row; `participant watchlist export` writes such a file")
    return tuple(_row(f"[[watchlist]] row {i}", row) for i, row in enumerate(rows, 1))


def parse_constituent(body: bytes) -> Scrip:
    """The row that each constituent has, under the name of their class. Raises BadWatchlist."""
    return _row("[constituent]", {"symbol": STOCK, **_tables(body).get("constituent", {})})


def _tables(body: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(body.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise BadWatchlist(f"it is not TOML: {fault}") from fault


def _row(which: str, row: object) -> Scrip:
    try:
        return converted(row)
    except BadSetting as fault:
        raise BadWatchlist(f"{which}: {fault}") from None


def parse_value(text: str) -> object:
    """A setting's value as TOML has it; what is no TOML value is a word."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def watchlist_text(rows: Iterable[Scrip]) -> str:
    """The rows as TOML, every setting of each; read again they are the same."""
    tables = [_table(f"[[{TABLE}]]", TABLE, msgspec.to_builtins(row)) for row in rows]
    return "\n".join(line for table in tables for line in table)


def _table(head: str, name: str, table: Mapping[str, Any]) -> Iterator[str]:
    yield head
    yield from (f"{key} = {_value(v)}" for key, v in table.items() if v is not None and not isinstance(v, dict))
    yield ""
    for key, inner in table.items():
        if isinstance(inner, dict):
            yield from _table(f"[{name}.{key}]", f"{name}.{key}", inner)


def _value(value: object) -> str:
    """A scalar as JSON writes it, which TOML reads the same; a list, and a table in one, in a line."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {_value(one)}' for key, one in value.items())} }}"
    return json.dumps(value, ensure_ascii=False)
