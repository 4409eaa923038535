"""Payloads of foreign providers in small, each shaped after its cited source, and the tongues that read them."""

import json
from typing import Any

from participant.links.presets import shipped
from participant.wire.json_map.names import Listed
from participant.wire.json_map.plan import plan_of
from participant.wire.json_map.reader import Reader
from participant.wire.json_map.stream import Stream

GIVEN = {"underlying": "NIFTY", "expiry": "2025-12-30"}
LISTED = [Listed("408065", "INFY"), Listed("256265", "NIFTY"), Listed("12345678", "NIFTY-20251230-26000CE", 75)]
AT = 1_764_400_000_000_000_000


def side(**other: Any) -> dict[str, Any]:
    said = {
        "strikePrice": 26000, "expiryDate": "30-Dec-2025", "underlying": "NIFTY", "openInterest": 34.5, "change": -0.2,
        "lastPrice": 101.35, "bidQty": 75, "bidprice": 101.3, "askQty": 150, "askPrice": 101.45,
    }  # fmt: skip
    return {**said, **other}


# After nse_json_chain_2025/raw_json: the exchange's reply.
NSE = {
    "records": {
        "data": [{"strikePrice": 26000, "expiryDate": "30-Dec-2025", "CE": side(), "PE": side(lastPrice=0)}],
        "timestamp": "28-Oct-2025 09:29:14",
        "underlyingValue": 25980.4,
        "index": {"indexSymbol": "NIFTY 50"},
    },
    "filtered": {"data": []},
}
# After kiteconnect_mocks/quote.json.
KITE = {
    "status": "success",
    "data": {
        "NFO:NIFTY25DEC26000CE": {
            "instrument_token": 12345678, "timestamp": "2025-11-29 12:36:40", "last_price": 101.35, "oi": 5,
            "depth": {
                "buy": [{"price": 101.3, "quantity": 75, "orders": 2}, {"price": 101.2, "quantity": 750, "orders": 1}],
                "sell": [{"price": 101.45, "quantity": 150, "orders": 1}, {"price": 0, "quantity": 0, "orders": 0}],
            },
        }
    },
}  # fmt: skip
# The figures of the documentation's example (https://dhanhq.co/docs/v2/option-chain/, read 29 November 2026).
DHAN = {
    "data": {
        "last_price": 25642.8,
        "oc": {
            "25650.000000": {
                "ce": {
                    "average_price": 146.99, "greeks": {"delta": 0.53871, "theta": -15.1539}, "last_price": 134,
                    "oi": 3786445, "security_id": 42528, "top_ask_price": 134, "top_ask_quantity": 1365,
                    "top_bid_price": 133.55, "top_bid_quantity": 1625, "volume": 117567970,
                }
            }
        },
    },
    "status": "success",
}  # fmt: skip


def deribit(channel: str, **data: Any) -> dict[str, Any]:
    """After deribit/ws_*.json: a notification."""
    return {"jsonrpc": "2.0", "method": "subscription", "params": {"channel": channel, "data": data}}


TICKER = deribit(
    "ticker.BTC-27DEC24-100000-C.100ms", timestamp=1_733_000_000_000, instrument_name="BTC-27DEC24-100000-C",
    index_price=92263.55, last_price=0.0639, best_bid_price=0.0635, best_bid_amount=12.5, best_ask_price=0.064,
    best_ask_amount=0.1, state="open",
)  # fmt: skip
BOOK = deribit(
    "book.BTC-PERPETUAL.100ms", type="snapshot", instrument_name="BTC-PERPETUAL", timestamp=1_699_999_999_000,
    change_id=5, prev_change_id=None, bids=[["new", 42500.0, 1000.0]], asks=[["new", 42501.0, 800.0]],
)  # fmt: skip
DEPTH = deribit(
    "book.BTC-PERPETUAL.none.10.100ms", instrument_name="BTC-PERPETUAL", timestamp=1_699_999_999_000, change_id=5,
    bids=[[42500.0, 1000.0], [42499.5, 10.0]], asks=[[42501.0, 800.0]],
)  # fmt: skip
PAYLOADS = {
    "nse_chain": NSE, "kite_quote": KITE, "dhan_chain": DHAN, "deribit_ticker": TICKER, "deribit_book": BOOK,
    "deribit_depth": DEPTH,
}  # fmt: skip


def body(preset: str) -> bytes:
    return json.dumps(PAYLOADS[preset], separators=(",", ":")).encode()


def reader(preset: str) -> Reader:
    return Reader(plan_of(shipped()[preset], GIVEN), LISTED)


def stream(preset: str) -> Stream:
    return Stream(plan_of(shipped()[preset], GIVEN), LISTED)
