"""When a scrip's next decision is due: its market has moved past a threshold, or its time is over."""

from bisect import bisect_left

from msgspec import Struct

from participant.core.market import SECOND, Chain, MarketState, Strike, levels
from participant.core.scrip import Scrip


class Seen(Struct, frozen=True):
    """What the last decision on a scrip saw; the next is due when the market has moved away from it."""

    at: int
    spot: int
    straddle: int
    depth: int


def seen(state: MarketState) -> Seen:
    """The figures of a state that `due` compares: spot, the nearest straddle's mid, and its displayed size."""
    for chain in state.chains:
        row = _nearest(chain, state.spot)
        if row is not None:
            assert row.call is not None
            assert row.put is not None
            depth = row.call.bid_size + row.call.ask_size + row.put.bid_size + row.put.ask_size
            return Seen(state.exchange_at, state.spot, row.call.mid + row.put.mid, depth)
    return Seen(state.exchange_at, state.spot, 0, 0)


def _nearest(chain: Chain, spot: int) -> Strike | None:
    """The strike nearest spot of those that quote both, the lower of two; looked for outwards from spot."""
    known = levels(chain)
    above = bisect_left(known, spot)
    below = above - 1
    while below >= 0 or above < len(known):
        is_up = below < 0 or (above < len(known) and known[above] - spot < spot - known[below])
        row = chain.strikes[above if is_up else below]
        if row.call is not None and row.put is not None:
            return row
        above, below = above + is_up, below - (not is_up)
    return None


def due(scrip: Scrip, last: Seen | None, now: Seen) -> str:
    """Why a decision is due, or an empty string while the last one still stands."""
    if last is None:
        return "first"
    if now.at - last.at >= scrip.decide_every_s * SECOND:
        return "time"
    if abs(now.spot - last.spot) * 10_000 >= scrip.spot_move_bp * last.spot:
        return "spot"
    if last.straddle and abs(now.straddle - last.straddle) * 10_000 >= scrip.straddle_move_bp * last.straddle:
        return "volatility"
    if last.depth and abs(now.depth - last.depth) >= scrip.depth_move_share * last.depth:
        return "depth"
    return ""
