"""A contract note's bytes as rows: CSV or JSON, its columns by our names or by a mapping's. What is odd is refused."""

import csv
import io
import re
import tomllib
from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct

from participant.core.charges import Charges
from participant.core.note import ITEMS, NoteRow

NOTE_BYTES_MAX = 5_000_000
ROWS_MAX = 20_000
NEEDED = ("day", "contract", *(item for item in ITEMS if item != "ipft"))
AMOUNT = re.compile(r"(\d{1,12})(?:\.(\d{1,2})0*)?")


class BadNote(Exception):
    """A note that cannot be used: the line, and what is wrong with it."""


class NoteMapping(Struct, frozen=True, forbid_unknown_fields=True):
    """What a broker calls our columns (our name -> its), and our contracts (its name -> our key)."""

    columns: dict[str, str] = {}
    contracts: dict[str, str] = {}


def parse_mapping(body: bytes) -> NoteMapping:
    """A mapping file; raises BadNote."""
    try:
        mapping = msgspec.convert(tomllib.loads(body.decode("utf-8")), NoteMapping)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as fault:
        raise BadNote(f"the mapping is not usable: {fault}") from fault
    strange = sorted(set(mapping.columns) - {*NEEDED, "ipft", "order"})
    if strange:
        raise BadNote(f"the mapping names {strange[0]}, which is no column of ours: {', '.join(NEEDED)}, ipft, order")
    return mapping


def parse_note(body: bytes, mapping: NoteMapping) -> list[NoteRow]:
    """The rows of a note, CSV or JSON; raises BadNote with the line and the reason."""
    if len(body) > NOTE_BYTES_MAX:
        raise BadNote(f"the file has {len(body)} bytes, of at most {NOTE_BYTES_MAX}")
    try:
        text = body.decode("utf-8-sig").strip()
    except UnicodeDecodeError as fault:
        raise BadNote(f"the file is no text (byte {fault.start}); export it as CSV or JSON") from fault
    if not text:
        raise BadNote("the file is empty")
    if text.startswith("<"):
        raise BadNote("line 1: the file is HTML or XML, perhaps a login page; export the note as CSV or JSON")
    lines = _json_rows(text) if text.startswith(("[", "{")) else _csv_rows(text)
    if not lines:
        raise BadNote("the file has no row")
    rows = [_row(number, given, mapping) for number, given in lines]
    _refuse_twice(rows)
    return rows


def _json_rows(text: str) -> list[tuple[int, Mapping[str, str]]]:
    try:
        rows = msgspec.json.decode(text.encode(), type=list[dict[str, str | int | float]])
    except msgspec.DecodeError as fault:
        raise BadNote(f"the file is no JSON list of rows: {fault}") from fault
    return [(number, {k: str(v) for k, v in row.items()}) for number, row in enumerate(rows[: ROWS_MAX + 1], 1)]


def _csv_rows(text: str) -> list[tuple[int, Mapping[str, str]]]:
    reader = csv.reader(io.StringIO(text), strict=True)
    rows: list[tuple[int, Mapping[str, str]]] = []
    try:
        head = [name.strip() for name in next(reader)]
        for cells in reader:
            if len(cells) != len(head):
                raise BadNote(f"line {reader.line_num}: {len(cells)} cells under {len(head)} columns")
            rows.append((reader.line_num, dict(zip(head, cells, strict=True))))
            if len(rows) > ROWS_MAX:
                raise BadNote(f"line {reader.line_num}: more than {ROWS_MAX} rows")
    except csv.Error as fault:
        raise BadNote(f"line {reader.line_num}: {fault}") from fault
    return rows


def _row(number: int, given: Mapping[str, str], mapping: NoteMapping) -> NoteRow:
    def cell(column: str) -> str:
        return given.get(mapping.columns.get(column, column), "").strip()

    missing = [c for c in NEEDED if mapping.columns.get(c, c) not in given]
    if missing:
        columns = ", ".join(mapping.columns.get(c, c) for c in missing)
        raise BadNote(f"line {number}: no column {columns}; a mapping says what they are called here")
    charges = Charges(**{item: _paise(number, item, cell(item) or _absent(item)) for item in ITEMS})
    name = cell("contract")
    return NoteRow(number, cell("day"), mapping.contracts.get(name, name), cell("order"), charges)


def _absent(item: str) -> str:
    """Only what a note may leave out has a value where nothing stands."""
    return "0" if item == "ipft" else ""


def _paise(number: int, item: str, text: str) -> int:
    matched = AMOUNT.fullmatch(text.replace(",", ""))
    if matched is None:
        raise BadNote(f"line {number}: {item} is {text!r}, which is no amount of rupees with at most two decimals")
    return int(matched[1]) * 100 + int((matched[2] or "0").ljust(2, "0"))


def _refuse_twice(rows: Sequence[NoteRow]) -> None:
    seen: dict[tuple[str, str], int] = {}
    for row in rows:
        key = (row.contract, row.order)
        if key in seen:
            raise BadNote(f"line {row.line}: {row.order or row.contract} stands in line {seen[key]} already")
        seen[key] = row.line
