"""One CSV of NSE's F&O bhavcopies, old format or UDiFF, as a table in the house's units.

What each figure is was established from files:

- contracts traded are lots, open interest is units: value / (strike + price) / contracts is the lot;
- the close of what traded is the average of its last half hour, as the underlying's is; of what did not trade that day
  it is an older day's;
- a future's settlement price is its close, or a theoretical one where it did not trade; on its last day the
  underlying's close. An option's is its underlying's close on its last day (UDiFF), or 0 (old): it is not read;
- UDiFF tells the underlying's close and the lot in each row, the old format neither.
"""

import datetime
import io

from msgspec import Struct

from participant.history import columns
from participant.history.columns import BLANKS, RUPEES_MAX, Array, UnusableValue
from participant.history.pages import BadData

BYTES_MAX = 200_000_000
FIGURES = ("strike", "close", "settlement", "volume", "open_interest", "spot", "lot")


class Format(Struct, frozen=True):
    """Its name for each column, what it calls instruments, and how it writes days (strptime; empty: ISO)."""

    instrument: str
    symbol: str
    expiry: str
    strike: str
    kind: str
    close: str
    settlement: str
    volume: str
    open_interest: str
    day: str
    options: tuple[str, ...]
    futures: tuple[str, ...]
    spot: str = ""
    lot: str = ""
    segment: str = ""
    dates: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is read."""
        texts = (self.instrument, self.symbol, self.expiry, self.kind, self.day, self.segment)
        return tuple(name for name in (*texts, *(getattr(self, figure) for figure in FIGURES)) if name)


OLD = Format(
    "INSTRUMENT", "SYMBOL", "EXPIRY_DT", "STRIKE_PR", "OPTION_TYP", "CLOSE", "SETTLE_PR", "CONTRACTS", "OPEN_INT",
    "TIMESTAMP", ("OPTIDX", "OPTSTK"), ("FUTIDX", "FUTSTK"), dates="%d-%b-%Y",
)  # fmt: skip
UDIFF = Format(
    "FinInstrmTp", "TckrSymb", "XpryDt", "StrkPric", "OptnTp", "ClsPric", "SttlmPric", "TtlTradgVol", "OpnIntrst",
    "TradDt", ("IDO", "STO"), ("IDF", "STF"), spot="UndrlygPric", lot="NewBrdLotQty", segment="Sgmt",
)  # fmt: skip
FORMATS = (OLD, UDIFF)


def is_bhavcopy(names: tuple[str, ...]) -> bool:
    """Whether a table with these columns is a bhavcopy, or one that lacks a few of its columns."""
    return any(len(set(form.columns) & set(names)) * 4 >= 3 * len(form.columns) for form in FORMATS)


def header(body: bytes) -> tuple[str, ...]:
    """The names of a CSV's columns."""
    first = body[:10_000].decode("utf-8-sig", errors="replace").partition("\n")[0]
    return tuple(name.strip().strip('"') for name in first.split(","))


def read_table(where: str, body: bytes) -> Array:
    """One CSV: `at`, `day`, `symbol`, `expiry`, `kind`, `is_future` and the figures, of futures and options alone."""
    import pyarrow as pa
    import pyarrow.csv as reader

    if len(body) > BYTES_MAX:
        raise BadData(f"{where}: over {BYTES_MAX:,} bytes: this cannot be a bhavcopy")
    names = header(body)
    form = max(FORMATS, key=lambda form: len(set(form.columns) & set(names)))
    if lacking := [name for name in form.columns if name not in names]:
        raise BadData(f"{where}: has no column {', '.join(lacking)}, which a bhavcopy has: fetch it again")
    as_text = reader.ConvertOptions(
        include_columns=list(form.columns), column_types=dict.fromkeys(form.columns, pa.string()),
        strings_can_be_null=True, null_values=list(BLANKS),
    )  # fmt: skip
    try:
        table = reader.read_csv(io.BytesIO(body), convert_options=as_text).combine_chunks()
        return _Reading(table, form).table()
    except UnusableValue as wrong:
        raise BadData(f"{where}: {wrong}: fetch it again") from None
    except (pa.ArrowException, UnicodeDecodeError) as broken:
        raise BadData(f"{where}: cut off or damaged ({str(broken).partition(chr(10))[0]}): fetch it again") from None


class _Reading:
    """A table of texts being read; UnusableValue names the line and the column of what cannot be."""

    def __init__(self, texts: Array, form: Format) -> None:
        self.texts, self.form = texts, form

    def table(self) -> Array:
        """Its futures and options in the house's units."""
        import pyarrow as pa
        import pyarrow.compute as pc

        form, texts = self.form, self.texts
        what = texts[form.instrument]
        is_option, is_future = (pc.is_in(what, pa.array(names)) for names in (form.options, form.futures))
        if form.segment:
            is_here = pc.equal(texts[form.segment], "FO")
            is_option, is_future = (
                pc.fill_null(pc.and_(of, is_here), fill_value=False) for of in (is_option, is_future)
            )
        kinds = pc.if_else(pc.equal(texts[form.kind], "CE"), 0, pc.if_else(pc.equal(texts[form.kind], "PE"), 1, None))
        figures = {name: self._figure(name, is_option) for name in FIGURES}
        made = {
            "symbol": self._named(form.symbol, pc.or_(is_option, is_future)),
            "day": self._dates(form.day),
            "expiry": self._dates(form.expiry),
            "kind": pc.if_else(is_option, kinds, None).cast(pa.int8()),
            "is_future": is_future,
            **figures,
        }
        return pa.table(made).filter(pc.or_(is_option, is_future)).combine_chunks()

    def _figure(self, name: str, is_option: Array) -> Array:
        """A column of figures: prices as such, amounts as they are; below 0 or too large is a fault of the file."""
        import pyarrow as pa
        import pyarrow.compute as pc

        column = getattr(self.form, name)
        if not column:
            return pa.nulls(self.texts.num_rows, pa.int64()).fill_null(0)
        numbers = pc.fill_null(self._numbers(column), 0.0)
        is_amount = name in {"volume", "open_interest", "lot"}
        wrong = pc.less(numbers, 0.0)
        if not is_amount:
            wrong = pc.or_(wrong, pc.greater(numbers, RUPEES_MAX))
        if name in {"strike", "close"}:
            wrong = pc.and_(is_option, pc.or_(wrong, pc.equal(numbers, 0.0)) if name == "strike" else wrong)
        self._refuse(column, wrong, "is no " + ("amount" if is_amount else "price"))
        return columns.amounts(numbers, is_units=True) if is_amount else columns.prices(numbers)

    def _numbers(self, column: str) -> Array:
        import pyarrow as pa
        import pyarrow.compute as pc

        text = pc.utf8_trim_whitespace(self.texts[column])
        try:
            return text.cast(pa.float64())
        except pa.ArrowInvalid:
            self._refuse(column, pc.invert(pc.match_substring_regex(text, f"^{columns.NUMBER}$")), "is no number")
            raise

    def _dates(self, column: str) -> Array:
        """A column of days; each text is looked at once."""
        import pyarrow as pa
        import pyarrow.compute as pc

        coded = self.texts[column].combine_chunks().dictionary_encode()
        found: list[datetime.date | None] = []
        wrong: list[str] = []
        for text in coded.dictionary.to_pylist():
            try:
                found.append(columns.date(text.strip(), self.form.dates, column))
            except UnusableValue:
                found.append(None)
                wrong.append(text)
        self._refuse(
            column,
            pc.or_(pc.is_null(self.texts[column]), pc.is_in(self.texts[column], pa.array(wrong, pa.string()))),
            "is no day",
        )
        return pa.array(found, pa.date32()).take(coded.indices)

    def _named(self, column: str, is_read: Array) -> Array:
        import pyarrow.compute as pc

        self._refuse(column, pc.and_(is_read, pc.is_null(self.texts[column])), "names nothing")
        return pc.utf8_trim_whitespace(self.texts[column])

    def _refuse(self, column: str, wrong: Array, why: str) -> None:
        """Say the first value of a column that is marked as wrong, and its line."""
        import pyarrow.compute as pc

        place = pc.index(pc.fill_null(wrong, fill_value=False), value=True).as_py()
        if place >= 0:
            said = str(self.texts[column][place].as_py())[:40]
            raise UnusableValue(f"line {place + 2}: column {column!r} holds {said!r}, which {why}")
