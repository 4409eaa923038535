"""The columns of a table in the house's units, by a layout; each text is looked at once, the rest is Arrow's.

`normalised` gives `at` (ns UTC: when what the row shows is known), `day` (IST, of the row's label), `symbol`, `expiry`,
`kind` (0 call, 1 put; null where the row is no option; absent where a row holds both), `strike`, `spot` (prices) and,
for each side of the row, its figures as `0_bid`, `0_ask`, ...: prices and what is counted in units as integers, what is
counted in lots as it stands. What a row lacks is null, or 0 for a figure.
"""

import datetime
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from participant.core.scrip import PRICE_UNITS
from participant.core.session import IST_S, SECOND
from participant.history.layouts import ExpiryColumn, Layout, OptionColumns, TickerColumn

Array = Any  # of Arrow, which ships no types

PRICES = ("bid", "ask", "last")
SIGNED = ("bid", "ask", "bid_size", "ask_size")  # what is below 0 is kept as it is, for the checks to say so
UNIT_OF = {"bid_size": "sizes", "ask_size": "sizes", "volume": "volume", "open_interest": "open_interest"}
RUPEES_MAX = 1e8  # what claims to cost more is no price
AMOUNT_MAX = 1e15
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
NUMBER = r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?"
MICROSECOND = datetime.timedelta(microseconds=1)
BLANKS = ("", "-", "--", "NA", "N/A", "nan", "NaN", "null", "None")


class UnusableValue(ValueError):
    """A value of a column that is not what the layout says."""


def normalised(batch: Array, layout: Layout) -> Array:
    """A piece of a table as described above."""
    import pyarrow as pa
    import pyarrow.compute as pc

    seen = labels(batch, layout)
    nothing = pa.nulls(batch.num_rows, pa.int64()).fill_null(0)
    made = {
        "at": pc.add(seen, layout.bar_s * SECOND),
        "day": days(seen),
        "symbol": symbols(batch, layout),
        **_options(batch, layout),
        "spot": prices(_numbers(batch, layout.spot)) if layout.spot else nothing,
    }
    for i, side in enumerate(layout.sides):
        for field in OptionColumns.__struct_fields__:
            name = getattr(side, field)
            made[f"{i}_{field}"] = figures(_numbers(batch, name), layout, field) if name else nothing
    return pa.table(made)


def figures(numbers: Array, layout: Layout, field: str) -> Array:
    """Numbers of a source as that field's prices, units or lots."""
    is_signed = field in SIGNED
    if field in PRICES:
        return prices(numbers, is_signed=is_signed)
    return amounts(numbers, is_units=getattr(layout.units, UNIT_OF[field]) == "units", is_signed=is_signed)


def strikes(rupees: Array) -> Array:
    """Strikes as prices; null where there is none."""
    import pyarrow.compute as pc

    found = prices(rupees)
    return pc.if_else(pc.greater(found, 0), found, None)


def prices(rupees: Array, *, is_signed: bool = False) -> Array:
    """Rupees as prices, halves up; what is no number is 0, and so is what is below 0 unless `is_signed`."""
    import pyarrow.compute as pc

    # A float of 16 digits times 10,000 may miss a half by its last digit: rounding to 3 digits first mends that.
    scaled = pc.round(pc.multiply(rupees, float(PRICE_UNITS)), ndigits=3)
    return _whole(_usable(scaled, RUPEES_MAX * PRICE_UNITS, is_signed=is_signed))


def amounts(numbers: Array, *, is_units: bool, is_signed: bool = False) -> Array:
    """Sizes, volumes and open interest: integers where they are units, as they are where they are lots."""
    usable = _usable(numbers, AMOUNT_MAX, is_signed=is_signed)
    return _whole(usable) if is_units else usable


def _usable(numbers: Array, most: float, *, is_signed: bool) -> Array:
    """The numbers below `most`, and 0 for all else."""
    import pyarrow.compute as pc

    # Nothing compares with NaN, so it becomes 0 with the rest.
    is_usable = pc.and_(pc.greater(numbers, -most if is_signed else 0.0), pc.less(numbers, most))
    return pc.if_else(pc.fill_null(is_usable, fill_value=False), numbers, 0.0)


def _whole(numbers: Array) -> Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.floor(pc.add(numbers, 0.5)).cast(pa.int64())


def _numbers(batch: Array, name: str) -> Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    column = _plain(batch.column(name))
    if not pa.types.is_string(column.type):
        return column.cast(pa.float64())
    # The exchange writes 1,234.50, and a dash for nothing.
    text = pc.replace_substring(pc.utf8_trim_whitespace(column), ",", "")
    text = pc.if_else(pc.is_in(text, pa.array(BLANKS)), None, text)
    try:
        return text.cast(pa.float64())
    except pa.ArrowInvalid:
        wrong = next(t for t in text.to_pylist() if t is not None and not re.fullmatch(NUMBER, t))
        raise UnusableValue(f"column {name!r} holds {wrong[:40]!r}, which is no number: mend the file") from None


def _plain(column: Array) -> Array:
    """A column of texts as plain texts, whatever their encoding."""
    import pyarrow as pa

    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    return column.cast(pa.string()) if pa.types.is_string(kind) or pa.types.is_large_string(kind) else column.cast(kind)


def _mapped(column: Array, kind: Array, value: Callable[[str], object]) -> Array:
    """What each text of a column says; null stays null. Each different text is looked at once."""
    import pyarrow as pa

    coded = column.cast(pa.string()).dictionary_encode()
    values = [value(text.strip()) if text is not None and text.strip() not in BLANKS else None
              for text in coded.dictionary.to_pylist()]  # fmt: skip
    return pa.array(values, kind).take(coded.indices)


def labels(batch: Array, layout: Layout) -> Array:
    """The instants (ns UTC) that rows are labelled with."""
    import pyarrow as pa
    import pyarrow.compute as pc

    time = layout.time
    columns = [_plain(batch.column(name)) for name in time.columns]
    if len(columns) == 1 and pa.types.is_timestamp(columns[0].type):
        kind = columns[0].type
        instants = columns[0].cast(pa.timestamp("ns", kind.tz)).cast(pa.int64())
        return instants if kind.tz else pc.subtract(instants, time.offset_s * SECOND)
    texts = pc.binary_join_element_wise(*(column.cast(pa.string()) for column in columns), " ")
    where = " and ".join(time.columns)
    return _mapped(texts, pa.int64(), lambda text: instant(text, time.format, time.offset_s, where))


def days(instants: Array) -> Array:
    """The IST days of instants (ns UTC)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    # Integers are divided towards zero, which is down for every instant since 1970.
    return pc.divide(pc.add(instants, IST_S * SECOND), 86_400 * SECOND).cast(pa.int32()).cast(pa.date32())


def symbols(batch: Array, layout: Layout) -> Array:
    """The underlyings, by the house's names."""
    import pyarrow as pa

    rename = layout.symbol.rename
    if layout.ticker is not None:
        texts = _ticker(batch, layout.ticker, "symbol")
    elif layout.symbol.column:
        texts = batch.column(layout.symbol.column)
    else:
        return pa.repeat(pa.scalar(layout.symbol.constant, pa.string()), batch.num_rows)
    return _mapped(texts, pa.string(), lambda text: rename.get(text, text))


# --- which option ----------------------------------------------------------------------------------------------------


def _options(batch: Array, layout: Layout) -> dict[str, Array]:
    """Expiry and strike of each row, and its kind where it holds one option alone; nothing of an index."""
    import pyarrow as pa

    if layout.shape == "index":
        return {}
    if layout.ticker is not None:
        mark, where = layout.ticker, layout.ticker.column
        expiry, form = _ticker(batch, mark, "expiry"), mark.format
        rupees = _mapped(_ticker(batch, mark, "strike"), pa.float64(), float)
        kinds = _mapped(_ticker(batch, mark, "kind"), pa.int8(), {mark.call: 0, mark.put: 1}.get)
    else:
        assert layout.expiry is not None, "a layout that is not checked"
        where, form = layout.expiry.column, layout.expiry.format
        expiry, rupees, kinds = _sure(batch, layout.expiry), _numbers(batch, layout.strike), None
        if (kind := layout.kind) is not None:
            kinds = _mapped(batch.column(kind.column), pa.int8(), {kind.call: 0, kind.put: 1}.get)
    made = {
        "expiry": _mapped(expiry, pa.date32(), lambda text: date(text, form, where)),
        "strike": strikes(rupees),
    }
    return made if kinds is None else made | {"kind": kinds}


def _sure(batch: Array, expiry: ExpiryColumn) -> Array:
    """The column of expiries, null where its source doubts it."""
    import pyarrow.compute as pc

    column = _plain(batch.column(expiry.column))
    if expiry.doubt_column not in batch.schema.names:
        return column
    return pc.if_else(pc.equal(_plain(batch.column(expiry.doubt_column)), expiry.doubtful), None, column)


def _ticker(batch: Array, mark: TickerColumn, part: str) -> Array:
    """One part of each ticker; null where it is not an option's."""
    import pyarrow as pa

    def value(text: str) -> str | None:
        found = re.fullmatch(mark.pattern, text)
        return found[part] if found else None

    return _mapped(batch.column(mark.column), pa.string(), value)


@lru_cache(maxsize=65_536)
def instant(text: str, form: str, offset_s: int, where: str) -> int:
    """The instant (ns UTC) that a text says, as ISO or as `form` says; UnusableValue naming the column otherwise."""
    zone = datetime.timezone(datetime.timedelta(seconds=offset_s))
    try:
        seen = (
            datetime.datetime.strptime(text, form)  # noqa: DTZ007 - its zone is added below where the text names none
            if form
            else datetime.datetime.fromisoformat(text)
        )
    except ValueError:
        raise UnusableValue(_unlike("time", where, text, form)) from None
    seen = seen if seen.tzinfo else seen.replace(tzinfo=zone)
    return (seen - EPOCH) // MICROSECOND * 1_000


@lru_cache(maxsize=16_384)
def date(text: str, form: str, where: str) -> datetime.date:
    """The date that a text says, as ISO (a time of day may follow) or as `form` says; UnusableValue otherwise."""
    try:
        if form:
            return datetime.datetime.strptime(text, form).date()  # noqa: DTZ007 - a date has no zone
        return datetime.date.fromisoformat(text[:10])
    except ValueError:
        raise UnusableValue(_unlike("date", where, text, form)) from None


def _unlike(what: str, where: str, text: str, form: str) -> str:
    wanted = f"a {what} like {form}" if form else f"an ISO {what}"
    return f"column {where!r} holds {text[:40]!r}, not {wanted}: mend the layout's format or the file"
