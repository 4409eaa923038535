"""What is asked of everybody who trades: halts, position limits, orders by program, margins near expiry."""

import datetime
from typing import Annotated, Literal

from msgspec import Meta

from participant.core.once import once
from participant.core.outside import OutsideRules, row_on
from participant.core.rulerows import Count, Dated, NotNegative, Text
from participant.core.scrip import Kind
from participant.core.universe import Universe

FILE = "conduct.toml"
PAISE_A_CRORE = 1_000_000_000

Symbols = Annotated[tuple[Text, ...], Meta(min_length=1)]
Share = Annotated[float, Meta(gt=0.0, le=1.0)]


class Halt(Dated, frozen=True, kw_only=True):
    """What a move of an index (a share) at a time of day (IST) does: None for the rest of the day, 0 for nothing."""

    indices: Symbols
    move: Annotated[float, Meta(gt=0.0, lt=1.0)]
    begins: datetime.time
    ends: datetime.time | None = None
    halt_minutes: NotNegative | None = None
    auction_minutes: NotNegative = 0

    def is_at(self, at: datetime.time) -> bool:
        """Whether a time lies within the row's."""
        return self.begins <= at and (self.ends is None or at < self.ends)


class PositionLimit(Dated, frozen=True, kw_only=True):
    """The most that an entity may hold in one underlying, as futures equivalents, net and gross on each side."""

    symbols: Symbols
    kinds: tuple[Kind, ...]
    moment: Literal["intraday", "close"]
    net_crore: Count
    gross_crore: Count

    @property
    def net(self) -> int:
        """The net limit in paise."""
        return self.net_crore * PAISE_A_CRORE

    @property
    def gross(self) -> int:
        """The gross limit of each side in paise."""
        return self.gross_crore * PAISE_A_CRORE


class AlgoRule(Dated, frozen=True, kw_only=True):
    """What is asked of orders that a program of one's own places."""

    orders_per_second_max: Count
    is_static_ip_required: bool
    is_tag_required: bool
    is_logged_out_daily: bool
    log_years: Count


class CalendarSpread(Dated, frozen=True, kw_only=True):
    """Whether expiries offset each other in the margin on the day on which one of them expires."""

    symbols: Symbols
    is_offset_on_expiry_day: bool


class DeliveryMargin(Dated, frozen=True):
    """Shares of VaR + ELM in the last sessions before expiry, the furthest first."""

    shares: Annotated[tuple[Share, ...], Meta(min_length=1)]

    def share(self, sessions_left: int) -> float:
        """That of so many sessions before expiry: 0 earlier than the first, all of it on the last day."""
        if sessions_left == 0:
            return 1.0
        return self.shares[-sessions_left] if sessions_left <= len(self.shares) else 0.0


class OperatingRange(Dated, frozen=True):
    """How far from its close before (a share) a kind of contract may be traded on a day."""

    kinds: tuple[Kind, ...]
    share: Share


class Conduct(Universe, frozen=True, forbid_unknown_fields=True, kw_only=True, dict=True, omit_defaults=True):
    """The rules of conduct, by day."""

    halts: tuple[Halt, ...]
    position_limits: tuple[PositionLimit, ...]
    algo_rules: tuple[AlgoRule, ...]
    calendar_spreads: tuple[CalendarSpread, ...]
    delivery_margins: tuple[DeliveryMargin, ...]
    operating_ranges: tuple[OperatingRange, ...]

    def halt_level(self, symbol: str, at: datetime.time, on: datetime.date) -> float | None:
        """The least move of an index (a share of its close before) that halts the market at a time (IST).

        None of what halts nothing then. Raises OutsideRules.
        """
        row_on(self.halts, on, "market-wide halts", FILE)
        rows = (row for row in self.halts if row.holds(on) and symbol in row.indices and row.is_at(at))
        return min((row.move for row in rows if row.halt_minutes != 0), default=None)

    @once
    def position_limit(
        self, symbol: str, kind: Kind, moment: Literal["intraday", "close"], on: datetime.date
    ) -> PositionLimit:
        """The most that one entity may hold, while a day runs or at its close. Raises OutsideRules."""
        rows = [r for r in self.naming(self.position_limits, symbol) if kind in r.kinds and r.moment == moment]
        return row_on(rows, on, f"the position limit of {symbol} {kind} ({moment})", FILE)

    def calendar_offset(self, symbol: str, on: datetime.date) -> bool:
        """Whether what expires on a day still offsets later expiries in that day's margin. Raises OutsideRules."""
        rows = self.naming(self.calendar_spreads, symbol)
        return row_on(rows, on, f"calendar spreads of {symbol}", FILE).is_offset_on_expiry_day

    def delivery_margin(self, symbol: str, sessions_left: int, expiry: datetime.date) -> float:
        """The share of VaR + ELM that a long option in the money asks, so many sessions before it expires into shares.

        0 where it ends in cash, and earlier than that; on expiry day itself all of it. Raises OutsideRules.
        """
        if not self.physical(symbol, expiry):
            return 0.0
        if sessions_left < 0:
            raise OutsideRules(f"{symbol} has expired on {expiry}: there is no margin any more")
        return row_on(self.delivery_margins, expiry, "delivery margins", FILE).share(sessions_left)

    def operating_range(self, kind: Kind, on: datetime.date) -> float:
        """How far from its close before (a share) a kind of contract may be traded on a day. Raises OutsideRules."""
        rows = [row for row in self.operating_ranges if kind in row.kinds]
        return row_on(rows, on, f"the operating range of {kind}", FILE).share
