"""Rows of an answer for people (a table), for programs (--json: an object a line) and for sheets (--csv)."""

import csv
import os
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec

SHOWN_MAX = 1_000  # rows of a table for people; the other forms have no end
WIDE_MAX = 120  # characters of a value in a table
Row = Sequence[Any]
ENCODER = msgspec.json.Encoder(decimal_format="number", enc_hook=str)
NESTED = {list, dict, tuple}  # values that are written as JSON
BITS_MAX = 63  # a longer number is written as a word: hardly a reader of JSON has more


def write_rows(args: Namespace, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Write an answer as the options ask for it; nothing with --quiet. A reader who leaves is no fault."""
    lines: Iterator[str]
    if args.json:
        lines = (_json(dict(zip(columns, row, strict=True))) + "\n" for row in rows)
    elif args.csv:
        lines = _separated(columns, rows)
    elif args.quiet:
        return
    else:
        lines = _table(columns, rows)
    try:
        sys.stdout.writelines(lines)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains as it ends


def _separated(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    class Line:
        write = staticmethod(str)

    writer = csv.writer(Line, lineterminator="\n")
    yield writer.writerow(columns)
    for row in rows:
        yield writer.writerow(row if NESTED.isdisjoint(map(type, row)) else [_plain(value) for value in row])


def _plain(value: Any) -> Any:
    return ENCODER.encode(value).decode() if type(value) in NESTED else value


def _json(row: dict[str, Any]) -> str:
    long = {name: str(v) for name, v in row.items() if isinstance(v, int) and v.bit_length() > BITS_MAX}
    return ENCODER.encode(row | long).decode()


def _table(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    found = iter(rows)
    shown = [[_text(value) for value in row] for row in islice(found, SHOWN_MAX)]
    widths = [max([len(name), *(len(row[i]) for row in shown)]) for i, name in enumerate(columns)]
    right = [all(_is_number(row[i]) for row in shown) and bool(shown) for i in range(len(columns))]
    yield _line(columns, widths, right)
    yield _line(["-" * width for width in widths], widths, right)
    for row in shown:
        yield _line(row, widths, right)
    if not shown:
        yield "(nothing)\n"
    if next(found, None) is not None:
        yield f"... and more than the {SHOWN_MAX:,} rows shown: --csv and --json have them all\n"


def _line(texts: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    cells = (t.rjust(w) if r else t.ljust(w) for t, w, r in zip(texts, widths, right, strict=True))
    return "  ".join(cells).rstrip() + "\n"


def _text(value: Any) -> str:
    if value is None:
        return ""
    text = f"{value:.6g}" if isinstance(value, float) else str(_plain(value))
    text = " ".join(text.split()) if not text.isprintable() else text
    return text if len(text) <= WIDE_MAX else f"{text[: WIDE_MAX - 3]}..."


def _is_number(text: str) -> bool:
    return not text or text.lstrip("-").replace(".", "").replace(",", "").replace("e+", "").replace("e-", "").isdigit()
