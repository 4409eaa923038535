"""hftbacktest's part of bench/replay_peers.py: the same depth and trades, and `Maker` again, compiled by numba."""

import time
from typing import Any

import hftbacktest as hft
import numpy as np
from numba import njit

from bench import replay_made as made
from bench.replay_made import LOT, MS, TICK

EVERY_NS, OUT_NS, BACK_NS = 100 * MS, MS, MS
Found = dict[str, Any]


def events_of(columns: made.Columns) -> Any:
    """The same rows in hftbacktest's format."""
    at, heard, kinds, sides, prices, sizes = (np.asarray(column) for column in columns)
    events = np.zeros(len(at), dtype=hft.types.event_dtype)
    is_trade, is_bid = kinds == made.TRADE, sides == 0
    kind = np.where(is_trade, hft.TRADE_EVENT, np.where(kinds == made.CLEAR, hft.DEPTH_CLEAR_EVENT, hft.DEPTH_EVENT))
    # A trade against the bids is one that a seller began.
    buys = np.where(is_trade, ~is_bid, is_bid)
    side = np.where(kinds == made.CLEAR, 0, np.where(buys, hft.BUY_EVENT, hft.SELL_EVENT))
    events["ev"] = kind | side | hft.EXCH_EVENT | hft.LOCAL_EVENT
    events["exch_ts"], events["local_ts"] = at, heard
    events["px"], events["qty"] = prices / 10_000, np.where(kinds == made.DELETE, 0, sizes)
    return events


@njit
def hft_quote(hbt: Any, side: int, best: int, own: Any) -> None:
    """One side of `Maker`; `own` has by side the order, its price and the order whose end is asked for, and a count."""
    is_wanted = (1 - 2 * side) * hbt.position(0) < 5 * LOT
    if own[side, 0] > 0:
        order = hbt.orders(0).get(own[side, 0])
        if order is None or order.status in (2, 3, 4, 6):
            own[side, 0] = 0
    if own[side, 0] > 0:
        if (own[side, 1] != best or not is_wanted) and own[side, 2] != own[side, 0]:
            hbt.cancel(0, own[side, 0], False)
            own[side, 2] = own[side, 0]
    elif is_wanted:
        hft_send(hbt, side, best, own, 0)
        own[side, 0], own[side, 1] = own[2, 0], best


@njit
def hft_send(hbt: Any, side: int, tick: int, own: Any, in_force: int) -> None:
    own[2, 0] += 1
    price = tick * hbt.depth(0).tick_size
    if side == 0:
        hbt.submit_buy_order(0, own[2, 0], price, float(LOT), in_force, 0, False)
    else:
        hbt.submit_sell_order(0, own[2, 0], price, float(LOT), in_force, 0, False)


@njit
def hft_maker(hbt: Any, every_ns: int) -> int:
    """`Maker` again."""
    wakes, own = 0, np.zeros((3, 3), np.int64)
    while hbt.elapse(every_ns) == 0:
        depth = hbt.depth(0)
        bid, ask = depth.best_bid_tick, depth.best_ask_tick
        bid_qty, ask_qty = depth.bid_qty_at_tick(bid), depth.ask_qty_at_tick(ask)  # its best_bid_qty says the price
        if bid_qty <= 0 or ask_qty <= 0:
            continue
        wakes += 1
        hft_quote(hbt, 0, bid, own)
        hft_quote(hbt, 1, ask, own)
        side = 0 if bid_qty > ask_qty else 1
        if wakes % 64 == 0 and (1 - 2 * side) * hbt.position(0) < 5 * LOT:
            hft_send(hbt, side, ask if side == 0 else bid, own, 3)
        hbt.clear_inactive_orders(0)
    return wakes


def hftbacktest(events: Any, depth: str) -> Found:
    prices = events["px"][events["px"] > 0]
    asset = (
        hft.BacktestAsset().data([events]).linear_asset(1.0).constant_order_latency(OUT_NS, BACK_NS)
        .risk_adverse_queue_model().no_partial_fill_exchange().trading_value_fee_model(0.0, 0.0)
        .tick_size(TICK / 10_000).lot_size(1.0).roi_lb(float(prices.min()) - 1).roi_ub(float(prices.max()) + 1)
    )  # fmt: skip
    hbt = getattr(hft, depth)([asset])
    began = time.process_time()
    hft_maker(hbt, EVERY_NS)
    spent = time.process_time() - began
    state = hbt.state_values(0)
    found = {"s": spent, "fills": int(state.num_trades), "position": int(state.position), "cash": float(state.balance)}
    hbt.close()
    return found
