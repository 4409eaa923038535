"""The rows that a rulebook is made of: each says from when until when it holds, and where that is known from."""

import datetime
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from participant.core.charges import ChargeRates
from participant.core.margin import MarginRates
from participant.core.scrip import Kind

# What of a row says what it is about, beside the scrip and the kinds of contract.
ABOUT = ("above", "traded_until", "index", "move", "begins", "moment")
LISTED_MAX = 12  # as many weeks or months ahead as a listing may reach

Text = Annotated[str, Meta(min_length=1)]
Count = Annotated[int, Meta(ge=1)]
NotNegative = Annotated[int, Meta(ge=0)]


class Confidence(StrEnum):
    """High: the original or our own check. Second-hand: a summary of it, or the press. Low: may well be otherwise."""

    HIGH = "high"
    SECOND_HAND = "second-hand"
    LOW = "low"


class Dated(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A row: it holds from `since` to `until`, both included."""

    since: datetime.date
    until: datetime.date | None = None
    source: Text
    confidence: Confidence

    def holds(self, day: datetime.date) -> bool:
        """Whether the row is in force on a day."""
        return self.since <= day and (self.until is None or day <= self.until)


class Holidays(Dated, frozen=True):
    """The weekdays on which the market stays shut, complete for the row's span."""

    days: tuple[datetime.date, ...]


class EventDays(Dated, frozen=True, kw_only=True):
    """Days known before that may move the market, all that there are in the span; of one scrip, or of all."""

    name: Text
    days: tuple[datetime.date, ...]
    symbol: str = ""


class Event(Struct, frozen=True):
    """A day that may move a scrip, and where that is known from."""

    day: datetime.date
    name: Text
    source: Text
    confidence: Confidence


class Hours(Dated, frozen=True, kw_only=True):
    """IST wall times of equity derivatives; contracts on their last day stop at `expiring_close`.

    Without `pre_open` there is no call auction before the open.
    """

    pre_open: datetime.time | None = None
    open: datetime.time
    close: datetime.time
    expiring_close: datetime.time
    post_close_until: datetime.time


class Settlement(Dated, frozen=True):
    """How the final settlement price of index contracts is found, by day of expiry."""

    method: Text


class Underlyings(Dated, frozen=True):
    """Underlyings of one class, by the exchange's symbols."""

    symbols: Annotated[tuple[Text, ...], Meta(min_length=1)]


class Delivery(Dated, frozen=True):
    """Whether contracts of these underlyings end in delivery of shares (or else in cash), by day of expiry."""

    symbols: Annotated[tuple[Text, ...], Meta(min_length=1)]
    is_physical: bool


class Members(Dated, frozen=True, kw_only=True):
    """Stocks that an index is made of, beside those of its other rows."""

    index: Text
    symbols: Annotated[tuple[Text, ...], Meta(min_length=1)]


class Sector(Dated, frozen=True):
    """The sector of these stocks."""

    sector: Text
    symbols: Annotated[tuple[Text, ...], Meta(min_length=1)]


class Beta(Dated, frozen=True):
    """How many percent these underlyings move where NIFTY moves one."""

    symbols: Annotated[tuple[Text, ...], Meta(min_length=1)]
    beta: Annotated[float, Meta(ge=0.0, le=10.0)]


class Expiry(Dated, frozen=True, kw_only=True):
    """When an underlying's contracts expire (ISO weekday, 2 is Tuesday), and how many weeks and months are listed.

    The weekdays go by the day of expiry, the counts by the day of listing. Where the month's contract has a weekday of
    its own, it takes the place of that week's. `long_dated` names what is listed beyond these and not traded here.
    """

    symbol: Text
    weekday: Annotated[int, Meta(ge=1, le=5)]
    monthly_weekday: Annotated[int, Meta(ge=1, le=5)] | None = None
    weeklies: Annotated[int, Meta(ge=0, le=LISTED_MAX)]
    monthlies: Annotated[int, Meta(ge=1, le=LISTED_MAX)]
    long_dated: Text | None = None


class Lot(Dated, frozen=True, kw_only=True):
    """Units in a lot; the span is of days of expiry.

    A row with `traded_until` says what those contracts' lot was up to that trading day, before it changed in mid-life.
    """

    symbol: Text
    units: Count
    traded_until: datetime.date | None = None


class Freeze(Dated, frozen=True):
    """The most units that one order may have."""

    symbol: Text
    units: Count


class StrikeStep(Dated, frozen=True):
    """The distance between strikes near the money (price)."""

    symbol: Text
    step: Count


class TickSize(Dated, frozen=True):
    """The price step of these kinds of contract where the price lies above `above` (prices)."""

    symbol: Text
    kinds: tuple[Kind, ...]
    above: NotNegative
    tick: Count


class PriceRange(Dated, frozen=True, kw_only=True):
    """How far from its reference the exchange lets the limit of these kinds of contract lie.

    Up to a reference of `cheap_until` it is `cheap_width` (prices), above it `share` of the reference.
    """

    kinds: tuple[Kind, ...]
    cheap_until: NotNegative
    cheap_width: NotNegative
    share: Annotated[float, Meta(gt=0.0, le=1.0)]

    def room(self, reference: int) -> int:
        """The distance (price) allowed from a reference."""
        return self.cheap_width if reference <= self.cheap_until else int(reference * self.share)


class ChargeRow(Dated, frozen=True):
    """The rates of charges over a span."""

    rates: ChargeRates


class MarginRow(Dated, frozen=True, kw_only=True):
    """The parameters of margins over a span: of one underlying or one class, else of all others."""

    symbol: str = ""
    rates: MarginRates


class ScanRow(Dated, frozen=True, kw_only=True):
    """What the clearing corporation published for an underlying's day, in the place of a worked out scan range.

    `price_scan` is a share of the future's price, `volatility_scan` a volatility (0.04 is four points a year).
    """

    symbol: Text
    price_scan: Annotated[float, Meta(gt=0.0, lt=1.0)]
    volatility_scan: Annotated[float, Meta(gt=0.0, lt=1.0)]

    def over(self, rates: MarginRates) -> MarginRates:
        """The parameters of the day: these with the published ranges, whatever the volatility is."""
        return replace(
            rates,
            price_scan_sigmas=0.0,
            price_scan_min=self.price_scan,
            volatility_scan_share=0.0,
            volatility_scan_min=self.volatility_scan,
        )


def subjects(row: Dated) -> set[tuple[object, ...]]:
    """What a row is about: a tick row about several kinds in one band of prices, a lot up to a day of trading.

    Days of events are about what they are of.

    Of two rows about one thing no two may hold on a day. The first part is the scrip's symbol, "" where it is of all.
    """
    symbols: Iterable[str] = getattr(row, "symbols", (getattr(row, "symbol", ""),))
    kinds: Iterable[object] = getattr(row, "kinds", (getattr(row, "name", ""),))
    rest = tuple(getattr(row, name, None) for name in ABOUT)
    return {(symbol, kind, *rest) for symbol in symbols for kind in kinds}
