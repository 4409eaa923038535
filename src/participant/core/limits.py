"""The desk's own limits, as one value: what the controls of the gateway compare every order with.

They come from `limits.toml`, signed; a limit that is not set is a limit of nothing, so a file must set them all.
"""

from typing import Annotated

from msgspec import Meta, Struct

NotNegative = Annotated[int, Meta(ge=0)]
Count = Annotated[int, Meta(ge=1)]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Seconds = Annotated[float, Meta(ge=0.0)]


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """Shares are fractions, values paise, prices 1/10,000 rupee, `_s` seconds of market time.

    The figures here are those of the paper limits that ship. `fault` stands in no file: it says why no limits are in
    force, and while it does nothing is sent.
    """

    lots_max: NotNegative = 10
    order_lots_max: NotNegative = 10
    order_value_max: NotNegative = 10_000_000_00
    order_notional_max: NotNegative = 15_000_000_00
    premium_max: NotNegative = 500_000_00
    open_value_max: NotNegative = 100_000_000_00
    open_value_scrip_max: NotNegative = 20_000_000_00
    open_lots_max: NotNegative = 20
    short_lots_max: NotNegative = 10
    delta_value_max: NotNegative = 25_000_000_00
    vega_max: NotNegative = 50_000_00
    portfolio_delta_share_max: Annotated[float, Meta(ge=0.0)] = 1.2
    scenario_loss_max: NotNegative = 5_000_000_00
    margin_share_max: Share = 0.40
    margin_expiry_share_max: Share = 0.35
    margin_by_broker: bool = False
    quote_age_max_s: Seconds = 60.0
    drift_max: Share = 0.05
    drift_future_max: Share = 0.01
    collar_share_max: Share = 0.10
    collar_min: NotNegative = 10_000
    collar_future_share_max: Share = 0.01
    price_range_share_max: Share = 0.90
    collar_refusals_max: NotNegative = 3
    collar_window_s: Seconds = 300.0
    open_margin_s: Seconds = 0.0
    close_margin_s: Seconds = 0.0
    duplicate_s: Seconds = 30.0
    entries_max: NotNegative = 3
    entries_window_s: Seconds = 600.0
    reversals_max: NotNegative = 2
    reversals_window_s: Seconds = 900.0
    orders_day_max: NotNegative = 60
    messages_second_max: Count = 8
    messages_minute_max: Count = 120
    messages_day_max: Count = 2_000
    messages_kept_for_cancels: NotNegative = 2
    tag_length_max: Count = 17
    ban_list_required: bool = False
    physical_sessions_min: NotNegative = 4
    fault: str = ""


# Below so many orders a second to an exchange the broker marks them with a generic id; from there on an algo must be
# registered (SEBI's rules for retail algos, in force since 1 April 2026).
REGISTERED_FROM = 10


class Terms(Struct, frozen=True):
    """By what limits may be in force: `required` signatures by different keys (hex digits) of these, and where.

    `algo_id` is the exchange's for this desk; without one, orders that reach an exchange stay below its threshold.
    """

    keys: tuple[str, ...] = ()
    required: int = 1
    is_paper: bool = True
    algo_id: str = ""

    def fault(self, limits: Limits) -> str:
        """Why limits cannot be in force here whoever has signed them, or an empty string."""
        if self.is_paper or self.algo_id or limits.messages_second_max < REGISTERED_FROM:
            return ""
        return (
            f"messages_second_max = {limits.messages_second_max}: an algo that may send {REGISTERED_FROM} a second "
            'is registered with the exchange (PT-14); stay below, or set its id as [broker] algo_id = "..."'
        )


def no_limits(fault: str) -> Limits:
    """What is in force where no limits are: nothing may be sent, and why."""
    return Limits(fault=fault)
