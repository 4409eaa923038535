"""What can be traded: a scrip is an underlying on the watchlist, a contract one tradable option, future or share of it.

Prices are `int` in 1/10,000 of the currency, money is `int` paise, quantities are `int` units (a multiple of the lot).
"""

import datetime
from enum import StrEnum
from functools import lru_cache
from math import isfinite
from typing import Annotated, Literal

from msgspec import Meta, Struct

from participant.core.risk_limits import SHIPPED, RiskLimits

PRICE_UNITS = 10_000
PRICE_UNITS_PER_PAISA = 100


def money(price: int, quantity: int) -> int:
    """Price x quantity in paise, halves rounded away from zero: the one rule by which prices become money."""
    value = price * quantity
    paise = (abs(value) + PRICE_UNITS_PER_PAISA // 2) // PRICE_UNITS_PER_PAISA
    return paise if value >= 0 else -paise


class Kind(StrEnum):
    """A future, a call, a put, or shares (units of a fund count as shares), as the exchange abbreviates them.

    `is_option` says whether it is a call or a put.
    """

    FUTURE = "FUT"
    CALL = "CE"
    PUT = "PE"
    STOCK = "EQ"

    def __init__(self, word: str) -> None:
        self.is_option = word in ("CE", "PE")  # as a property it would look up both members each time


class Side(StrEnum):
    """Buy or sell; `sign` is +1 for a buy, -1 for a sell."""

    BUY = "buy"
    SELL = "sell"

    def __init__(self, word: str) -> None:
        self.sign = 1 if word == "buy" else -1


class Contract(Struct, frozen=True, order=True, forbid_unknown_fields=True):
    """One tradable option, future or share. `strike` and `tick` are prices; `lot` and `freeze` are units.

    Shares never expire and have no strike; their `lot` is how many of them make one unit of the underlying, the hedge
    ratio: 1 for the scrip's own shares, and for a fund that follows an index as many as its value was declared with.
    """

    underlying: str
    expiry: datetime.date
    kind: Kind
    strike: int
    lot: int
    tick: int
    freeze: int

    @property
    def key(self) -> str:
        """Its name in queues, books and feeds: `NIFTY-20261229-25000CE`, `NIFTY-20261229-FUT`, `RELIANCE-EQ`."""
        return contract_key(self.underlying, self.expiry, self.kind, self.strike)

    def covers(self, quantity: int) -> int:
        """Units of the underlying that so much of it stands for as cover: whole ones; none of an option."""
        if self.kind is Kind.FUTURE:
            return quantity
        return quantity // self.lot if self.kind is Kind.STOCK else 0


@lru_cache(maxsize=100_000)  # asked for by the thousand at each instant, and always of the same contracts
def contract_key(underlying: str, expiry: datetime.date, kind: Kind, strike: int = 0) -> str:
    """The key of a contract from its parts; a strike is written in rupees without trailing zeros."""
    if kind is Kind.STOCK:
        return f"{underlying}-{kind}"
    whole, part = divmod(strike, PRICE_UNITS)
    digits = f"{whole}.{part:04d}".rstrip("0").rstrip(".") if kind is not Kind.FUTURE else ""
    return f"{underlying}-{expiry:%Y%m%d}-{digits}{kind}"


NEVER = datetime.date.max  # when shares expire


def shares_of(underlying: str, tick: int, freeze: int, ratio: int = 1) -> Contract:
    """The shares of an underlying, or units of a fund of which `ratio` make one unit of it."""
    return Contract(underlying, NEVER, Kind.STOCK, 0, ratio, tick, freeze)


Count = Annotated[int, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]  # bounds refuse what is not a number as well
Part = Annotated[float, Meta(gt=0.0, le=1.0)]
Figure = Annotated[float, Meta(ge=0.0, le=100.0)]
Sessions = Annotated[int, Meta(ge=0, le=20)]
NotNegative = Annotated[float, Meta(ge=0.0, le=1e6)]


class Weights(Struct, frozen=True, forbid_unknown_fields=True):
    """What a person tunes for one scrip: when the strategy opens, how much, when it closes.

    Shares and rates are fractions (0.4 is 40 %); `_s` is seconds, `_days` calendar days, `_bp` basis points.
    """

    target_delta: Annotated[float, Meta(gt=0.0, lt=1.0)] = 0.25
    delta_error_max: Share = 0.10
    days_to_expiry_min: Count = 5
    days_to_expiry_max: Count = 35
    iv_rank_min: Share = 0.50
    iv_over_realised_min: Figure = 1.10
    look_back_sessions_min: Count = 60
    spread_max: Figure = 0.03
    displayed_lots_min: Count = 1
    displayed_share_max: Part = 1.0
    derived_cover_lots: Count = 20
    net_credit_min: Count = 0
    margin_share_max: Part = 0.40
    crash_move: Part = 0.10
    crash_loss_share_max: Part = 0.02
    square_off_ticks: Count = 2
    square_off_share: Share = 0.05
    carry_cost_rate: Share = 0.07
    structure_loss_share_max: Part = 0.015
    after_call: Literal["flatten", "resell"] = "flatten"
    cover_alone_max_s: Count = 1800
    choose_by: Literal["delta", "moneyness", "sigmas", "premium", "yield"] = "delta"
    choose_target: NotNegative = 0.0
    choose_error_max: NotNegative = 0.0
    quote_age_max_s: Count = 60
    basis_max: Share = 0.03
    weight_richness: Figure = 0.40
    weight_depth: Figure = 0.10
    weight_liquidity: Figure = 0.20
    weight_trend: Figure = 0.15
    weight_event: Figure = 0.15
    score_min: Share = 0.0
    blackout: Literal["off", "maintain", "close"] = "maintain"
    blackout_sessions_before: Sessions = 1
    blackout_sessions_after: Sessions = 0
    tranches_max: Annotated[int, Meta(ge=1, le=100)] = 1
    tranche_share: Part = 1.0
    tranche_every_s: Count = 0
    tranche_rank_step: Share = 0.0
    roll_at_days: Count = 0
    roll_at_profit: Share = 0.0
    roll_at_delta: Share = 0.0
    roll_in_the_money: Share = 0.0
    expiry_shortfall_close_s: Count = 3600
    cover: Literal["future", "stock", "held"] = "future"
    deliver: bool = False

    @property
    def signal_weights(self) -> dict[str, float]:
        """The weight of each signal by the signal's name."""
        return {signal: getattr(self, name) for signal, name in SIGNALS.items()}

    @property
    def fault(self) -> str:
        """Why these cannot hold together, or an empty string; bounds of each alone are kept where they are read."""
        return _fault_of(self)


SIGNALS = {name.removeprefix("weight_"): name for name in Weights.__struct_fields__ if name.startswith("weight_")}


@lru_cache(maxsize=1_024)  # asked at each decision, and mostly of the same weights
def _fault_of(weights: Weights) -> str:
    numbers = [(name, v) for name in weights.__struct_fields__ if isinstance(v := getattr(weights, name), int | float)]
    for name, value in numbers:
        if not isfinite(value):
            return f"{name} is not a number"
        if value < 0:
            return f"{name} = {value:g} is negative"
    if not sum(weights.signal_weights.values()) > 0:
        named = ", ".join(SIGNALS.values())
        return f"{named} sum to zero: give one of them a weight"
    if weights.tranches_max > 1 and not (weights.tranche_every_s or weights.tranche_rank_step):
        return f"tranches_max = {weights.tranches_max} needs a step: tranche_every_s or tranche_rank_step above 0"
    if weights.choose_by != "delta" and not weights.choose_target > 0:
        return f'choose_by = "{weights.choose_by}" needs a choose_target above 0'
    if weights.days_to_expiry_min > weights.days_to_expiry_max:
        least, most = weights.days_to_expiry_min, weights.days_to_expiry_max
        return f"days_to_expiry_min = {least} is over days_to_expiry_max = {most}"
    return ""


Setting = bool | int | float | str


class OwnEvent(Struct, frozen=True, forbid_unknown_fields=True):
    """A day that may move one scrip, as its user has named it: results of a company, a meeting."""

    day: datetime.date
    name: Annotated[str, Meta(min_length=1)]
    source: Annotated[str, Meta(min_length=1)] = "your own"


class Scrip(Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """A row of the watchlist: an underlying, how often it is decided on, its weights, its limits and its own events.

    `beta` is how many percent it moves where the market moves one; scrips of one `sector` are limited together.
    `settings` are those that a strategy of another package has of its own.
    """

    symbol: Annotated[str, Meta(min_length=1)]
    strategy: str = "covered_call"
    is_enabled: bool = True
    decide_every_s: Annotated[int, Meta(ge=1)] = 60
    spot_move_bp: Count = 10
    straddle_move_bp: Count = 150
    depth_move_share: Annotated[float, Meta(ge=0.0)] = 0.5
    beta: Annotated[float, Meta(ge=0.0, le=10.0)] = 1.0
    sector: str = ""
    weights: Weights = Weights()
    limits: RiskLimits = SHIPPED
    events: tuple[OwnEvent, ...] = ()
    settings: dict[str, Setting] = {}
