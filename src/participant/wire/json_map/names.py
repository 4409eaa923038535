"""Which contract a provider's words name: by a pattern, by their parts, or by the list of instruments."""

import csv
import io
import re
from collections.abc import Collection, Mapping
from typing import Any

from msgspec import Raw, Struct

from participant.core.scrip import Kind, contract_key
from participant.wire.json import Malformed
from participant.wire.json_map.figures import BadWord, day_of, price_of, text_of
from participant.wire.json_map.mapping import Codes

KEPT_MAX = 65_536
LISTED_MAX = 1_000_000
KITE = ("tradingsymbol", "name", "expiry", "strike", "instrument_type", "exchange")
EXCHANGES = {"NSE", "NFO"}

Words = tuple[Any, ...]


class Listed(Struct, frozen=True):
    """A line of a list of instruments: what the provider calls it, our key, and its lot (units; 0: not said)."""

    name: str
    key: str
    lot: int = 0


class Namer:
    """Words to keys, remembered. An empty key is of something that the mapping has no name for."""

    def __init__(self, codes: Codes, listed: Collection[Listed] = ()) -> None:
        self._codes = codes
        self._pattern = re.compile(codes.name) if codes.name else None
        self._listed = {row.name: row.key for row in listed}
        self._known: dict[tuple[bool, Words], str] = {}

    def key(self, words: Words, *, is_underlying: bool) -> str:
        """The key of a row's words: its name alone, or underlying, expiry, strike, kind. Raises BadWord."""
        known = self._known.get((is_underlying, words))
        if known is None:
            if len(self._known) >= KEPT_MAX:
                self._known.clear()
            known = self._known[is_underlying, words] = self._read(
                [text_of(_whole(word)) for word in words], is_underlying
            )
        return known

    def _read(self, texts: list[str], is_underlying: bool) -> str:
        if len(texts) > 1:
            return self._parts(texts, is_underlying)
        if self._pattern is None:
            return self._listed.get(texts[0], "")
        found = self._pattern.fullmatch(texts[0])
        if found is None:
            return ""
        said = {name: text or "" for name, text in found.groupdict().items()}
        if said.get("symbol"):
            return "" if is_underlying else said["symbol"]
        return self._parts([said.get(part, "") for part in ("underlying", "expiry", "strike", "kind")], is_underlying)

    def _parts(self, texts: list[str], is_underlying: bool) -> str:
        underlying, expiry, strike, word = texts
        symbol = self._codes.underlyings.get(underlying, underlying)
        if is_underlying or not expiry:
            return symbol
        if word and word not in self._codes.kinds:
            raise BadWord(f"{word[:16]!r} is no kind of contract that codes.kinds names")
        kind = Kind(self._codes.kinds[word]) if word else Kind.FUTURE
        price = price_of(strike.encode(), 4) if kind.is_option else 0
        if kind.is_option and not price:
            raise BadWord("an option without a strike")
        return contract_key(symbol, day_of(expiry, self._codes.expiry), kind, price)


def _whole(word: Any) -> Any:
    return Raw(word) if isinstance(word, bytes) else word


def read_listed(text: str, codes: Codes) -> list[Listed]:
    """A list of instruments (CSV): the provider's word in the column `lookup` (else `name`), ours in `key`.

    A list without `key` is read as Kite publishes it: by name, expiry, strike and instrument_type. Raises Malformed.
    """
    rows = csv.DictReader(io.StringIO(text))
    column, fields = codes.lookup or "name", set(rows.fieldnames or ())
    wanted = {column, *(("key",) if "key" in fields else KITE)}
    if missing := wanted - fields:
        raise Malformed(f"the list of instruments has no column {', '.join(sorted(missing))}; it begins {text[:60]!r}")
    found = []
    for number, row in enumerate(rows, start=2):
        if number > LISTED_MAX:
            raise Malformed(f"the list of instruments has more than {LISTED_MAX} lines")
        try:
            key = row["key"] if "key" in fields else _kite_key(row, codes)
            if key and row[column]:
                found.append(Listed(row[column], key, int(row.get("lot_size") or 0)))
        except (ValueError, TypeError) as fault:
            raise Malformed(f"line {number} of the list of instruments: {fault}") from fault
    return found


def _kite_key(row: Mapping[str, str], codes: Codes) -> str:
    kind, name = row["instrument_type"], row["name"]
    if row["exchange"] not in EXCHANGES:
        return ""
    if kind == "EQ":  # of indices as well
        symbol = row["tradingsymbol"]
        return codes.underlyings.get(symbol, symbol)
    if kind not in {"FUT", "CE", "PE"} or not name:
        return ""
    strike = price_of(row["strike"].encode(), 4) if kind != "FUT" else 0
    return contract_key(name, day_of(row["expiry"], ""), Kind(kind), strike)
