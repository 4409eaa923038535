"""A small saved result, made by hand: three days of one scrip, two calls, one cover that stays."""

import json
from pathlib import Path
from typing import Any

from participant.core.scrip import Weights
from participant.research.result import Data, Note, Result, ResultWriter, Summary

RUPEE = 100  # paise
FUTURE, FIRST, SECOND = "NIFTY-20190425-FUT", "NIFTY-20190411-11600CE", "NIFTY-20190418-11700CE"
DAYS = ("2019-04-10", "2019-04-11", "2019-04-12")
# Spot at the decisions and at the closes, rupees.
SPOTS = {"a": 11_500, "b": 11_640, "c": 11_610}
CLOSES = dict(zip(DAYS, (11_550, 11_650, 11_620), strict=True))
CAPITAL = 1_000_000 * RUPEE


def decision(name: str, day: str, action: str, **figures: Any) -> dict[str, Any]:
    of = {"figures": {"spot": SPOTS[name] * 10_000, **figures}}
    row = {"decision_id": name, "at": 1_554_870_000 * 10**9, "day": day, "scrip": "NIFTY", "action": action}
    said = dict.fromkeys(("scripRow", "marketState", "currentPositionInfo"), "{}")
    more = {"reason": f"{action} <{name}>", "score": None, "strike": None, "expiry": None, "premium": None}
    return row | more | said | {"decisionInfo": json.dumps(of)}


def fill(name: str, day: str, contract: str, units: int, price: float, **more: Any) -> dict[str, Any]:
    of = {"order_id": f"{name}{contract}", "decision_id": name, "at": 0, "day": day, "scrip": "NIFTY"}
    value = round(price * abs(units) * RUPEE)
    traded = {"side": "buy" if units > 0 else "sell", "quantity": abs(units), "price": round(price * 10_000)}
    return of | {"contract": contract, **traded, "value": value, "charges": 50, "is_modelled": False} | more


# 75 futures at 11,520 (spot 11,500), a call at 40 that ends at 50 in the money, the next at 30, half bought back at 20.
FILLS = (
    fill("a", DAYS[0], FUTURE, 75, 11_520, is_modelled=True),
    fill("a", DAYS[0], FIRST, -75, 40),
    fill("b", DAYS[1], SECOND, -75, 30),
    fill("c", DAYS[2], SECOND, 25, 20),
)
EVENTS = (
    {"kind": "expired", "contract": FIRST, "quantity": -75, "price": 11_650 * 10_000, "amount": -75 * 50 * RUPEE,
     "day": DAYS[1], "scrip": "NIFTY", "text": "-75 of it"},
    {"kind": "refusal", "contract": "", "quantity": 0, "price": 0, "amount": 0, "day": DAYS[2], "scrip": "NIFTY",
     "text": "PT-16"},
)  # fmt: skip
# At the last close the future is at 11,630 and the call at 25 (50 units short).
PREMIUM = (40 - 50) * 75 * RUPEE + (30 * 75 - 20 * 25 - 25 * 50) * RUPEE
COVER = (11_630 - 11_520) * 75 * RUPEE
CHARGES = -50 * len(FILLS)
WORTHS = (CAPITAL + 1_000 * RUPEE, CAPITAL + 5_000 * RUPEE, CAPITAL + PREMIUM + COVER + CHARGES)


def saved(folder: Path, *, overwrite: bool = True) -> Result:
    """The result, with the overwrite beside it or without."""
    writer = ResultWriter(folder)
    for i, day in enumerate(DAYS):
        greeks = dict.fromkeys(("delta", "gamma", "vega", "theta"), None if i == 1 else 100 * RUPEE)
        of = {"day": day, "cash": 0, "free": 0, "drawdown": 0, "margin": 100_000 * RUPEE, **greeks}
        beside = {"cover_alone": CAPITAL + i * 10_000 * RUPEE, "overwrite": CAPITAL if overwrite or not i else None}
        whole = of | beside | {"scrip": "", "worth": WORTHS[i], "spot": 0}
        writer.add("equity", [whole, whole | {"scrip": "NIFTY", "worth": 0, "spot": CLOSES[day] * 10_000}])
    writer.add("decisions", [
        decision("a", DAYS[0], "open"), decision("b", DAYS[1], "open"), decision("c", DAYS[2], "close", rolled=SECOND),
    ])  # fmt: skip
    writer.add("fills", FILLS)
    writer.add("events", EVENTS)
    notes = (
        Note(DAYS[0], "NIFTY", f"{FUTURE} derived by parity: -4.0 basis points from the official close at the end"),
        Note(DAYS[2], "NIFTY", f"{FUTURE} derived by parity: +6.0 basis points from the official close at the end"),
        Note(DAYS[0], "NIFTY", "NIFTY: 12 of 14 rows <taken>"),
        Note(DAYS[1], "NIFTY", "NIFTY: 11 of 14 rows <taken>"),
        Note("2019-04-15", "", "not played: it stands in two files"),
    )
    weights: dict[str, Any] = {name: getattr(Weights(), name) for name in Weights.__struct_fields__}
    totals = {"premium": PREMIUM, "cover": COVER, "charges": CHARGES}
    counts = {"days": 3, "decisions": 3, "fills": 4, "days not played": 1}
    return writer.finish(
        Summary("covered_call", ("NIFTY",), DAYS[0], "2019-04-15", CAPITAL, WORTHS[-1],
                {"NIFTY": weights | {"iv_rank_min": 0.0}}, "rules", "build", Data(("chains",), notes), totals, counts,
                "partly")
    )  # fmt: skip
