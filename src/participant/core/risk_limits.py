"""The limits that the brain's own checks compare with: a table of each watchlist row, beside its weights."""

from typing import Annotated

from msgspec import Meta, Struct

Share = Annotated[float, Meta(ge=0.0, le=1e6)]  # of any capital still a number of paise
Count = Annotated[int, Meta(ge=0)]


class RiskLimits(Struct, frozen=True, forbid_unknown_fields=True):
    """`_share_max` are shares of the account's capital (0.6 is 60 %); values are of the underlying, losses as losses.

    A limit that is not set refuses what it would have limited: whoever writes a `[watchlist.limits]` writes them all.
    """

    lots_max: Count | None = None
    orders_max: Count | None = None
    range_share_max: Share | None = None
    delivery_sessions_min: Count | None = None
    expiry_share_max: Share | None = None
    margin_share_max: Share | None = None
    drawdown_share_max: Share | None = None
    delta_share_max: Share | None = None
    vega_share_max: Share | None = None
    scenario_share_max: Share | None = None
    portfolio_delta_share_max: Share | None = None
    sector_delta_share_max: Share | None = None
    portfolio_scenario_share_max: Share | None = None


# What a row has that says nothing of limits. One lot of an index is worth more than a small account: there nothing
# passes, rather than too much.
SHIPPED = RiskLimits(
    lots_max=10,
    orders_max=10,
    range_share_max=0.9,
    delivery_sessions_min=4,
    expiry_share_max=1.5,
    margin_share_max=0.3,
    drawdown_share_max=0.1,
    delta_share_max=0.6,
    vega_share_max=0.002,
    scenario_share_max=0.05,
    portfolio_delta_share_max=1.0,
    sector_delta_share_max=0.6,
    portfolio_scenario_share_max=0.12,
)
