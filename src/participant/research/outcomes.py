"""Where a run's gain came from, to the paisa: each option by how it ended, the cover by index and basis, charges.

Taken from the fills and the expiries of a saved result alone. An option's units leave at their average cost; what a
part does not bring in whole paise stays with the units that are left, so that nothing is lost in rounding.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from participant.core.scrip import PRICE_UNITS, PRICE_UNITS_PER_PAISA, Kind

ENDINGS = ("expired", "delivered", "bought back", "rolled")
MOVES = frozenset(("expired", "delivered", "shares"))  # events that change what is held; shares come and go by delivery
Row = Mapping[str, Any]


class Written(Struct):
    """One option contract of a run (money in paise): what was received, what it cost to end it, and how it ended.

    `units` is what is held now, short below 0; `cash` what these units have brought (received is positive).
    `made` is the realised result by ending; `since` and `until` are the first sale and the last ending (days).
    """

    contract: str
    scrip: str
    since: str
    until: str = ""
    units: int = 0
    cash: int = 0
    received: int = 0
    sold: int = 0
    paid_back: int = 0
    given_up: int = 0
    made: dict[str, int] = {}

    def move(self, units: int, cash: int, ending: str, day: str) -> None:
        """Units that came in (below 0: went out) and what that brought; those against what is held end it."""
        if self.units * units >= 0:
            self.units, self.cash = self.units + units, self.cash + cash
            self.received, self.sold = self.received + max(0, cash), self.sold + max(0, -units)
            return
        ended = min(abs(units), abs(self.units))
        share, brought = self.cash * ended // abs(self.units), cash * ended // abs(units)
        self.cash -= share
        self.units += ended if units > 0 else -ended
        self.made = self.made | {ending: self.made.get(ending, 0) + share + brought}
        self.paid_back += max(0, -brought)
        self.given_up += max(0, -brought) if ending in {"expired", "delivered"} else 0
        self.until = day
        if ended < abs(units):
            self.move(units + ended if units < 0 else units - ended, cash - brought, ending, day)

    @property
    def ending(self) -> str:
        """How the last of it ended, `held` while anything is left."""
        return "held" if self.units else next(reversed(self.made), "held")


def kind_of(contract: str) -> Kind:
    """A contract's kind, by the end of its name."""
    return next((kind for kind in Kind if contract.endswith(kind.value)), Kind.STOCK)


def expiry_of(contract: str) -> str:
    """A contract's day of expiry, as 2019-04-12."""
    day = contract.split("-")[-2]
    return f"{day[:4]}-{day[4:6]}-{day[6:]}"


def strike_of(contract: str) -> float:
    """An option's strike in rupees."""
    return float(contract.rpartition("-")[2][:-2])


def written(fills: Iterable[Row], events: Iterable[Row], rolls: frozenset[str]) -> list[Written]:
    """Every option contract of a run, in the order of its first fill; `rolls` are the decisions that rolled a call."""
    found = dict[str, Written]()
    for row in in_time(fills, events):
        name = row["contract"]
        if kind_of(name) not in {Kind.CALL, Kind.PUT}:
            continue
        one = found.setdefault(name, Written(name, row["scrip"], row["day"]))
        if "side" in row:
            ending = "rolled" if row["decision_id"] in rolls else "bought back"
            sign = 1 if row["side"] == "buy" else -1
            one.move(sign * row["quantity"], -sign * row["value"], ending, row["day"])
        elif one.units:
            # What is delivered goes at the strike: the option has then cost what it was worth, as in the books.
            cash = row["amount"] if row["kind"] == "expired" else one.units * _intrinsic(name, row["price"])
            one.move(-one.units, cash, row["kind"], row["day"])
    return list(found.values())


def _intrinsic(option: str, price: int) -> int:
    """What a unit of it is worth at an official price (paise)."""
    above = price - round(strike_of(option) * PRICE_UNITS)
    return max(0, above if kind_of(option) is Kind.CALL else -above) // PRICE_UNITS_PER_PAISA


def in_time(fills: Iterable[Row], events: Iterable[Row]) -> list[Row]:
    """Fills, expiries and deliveries as they came: within a day these follow every fill."""
    ends = [row for row in events if row["kind"] in MOVES]
    return sorted([*fills, *ends], key=lambda row: (row["day"], "side" not in row))


def index_part(fills: Iterable[Row], events: Iterable[Row], spots: Mapping[tuple[str, str], int]) -> int:
    """What the cover would have made had it cost its underlying at every moment (paise): the rest is basis and spread.

    `spots` gives the price of the underlying by decision and scrip for a fill, by day and scrip for an expiry and, with
    the day empty, at the last close for what is held still.
    """
    units, paise = dict[tuple[str, str], int](), 0
    for row in in_time(fills, events):
        name, scrip = row["contract"], row["scrip"]
        if kind_of(name) in {Kind.CALL, Kind.PUT}:
            continue
        held = units.get((name, scrip), 0)
        if "side" in row:
            moved, at = row["quantity"] * (1 if row["side"] == "buy" else -1), spots[row["decision_id"], scrip]
        else:
            moved, at = row["quantity"] if row["kind"] == "shares" else -held, spots[row["day"], scrip]
        units[name, scrip] = held + moved
        paise -= moved * at
    paise += sum(held * spots["", scrip] for (_, scrip), held in units.items() if held)
    return round(paise / PRICE_UNITS_PER_PAISA)


def covers_held(fills: Iterable[Row], events: Iterable[Row], days: Iterable[str]) -> dict[str, dict[str, int]]:
    """The units of cover by scrip at the end of each day."""
    moves = [row for row in in_time(fills, events) if kind_of(row["contract"]) not in {Kind.CALL, Kind.PUT}]
    units, found, i = dict[tuple[str, str], int](), dict[str, dict[str, int]](), 0
    for day in days:
        while i < len(moves) and moves[i]["day"] <= day:
            row, i = moves[i], i + 1
            name = row["contract"], row["scrip"]
            sign = {"buy": 1, "sell": -1, "shares": 1}.get(row.get("side", row.get("kind", "")))
            units[name] = units.get(name, 0) + sign * row["quantity"] if sign else 0
        found[day] = {}
        for (_, scrip), held in units.items():
            found[day][scrip] = found[day].get(scrip, 0) + held
    return found
