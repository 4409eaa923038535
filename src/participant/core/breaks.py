"""Breaks: where our books and the broker's differ, as typed values that age until they are mended.

Rule 1: what was not read is not compared: a failed query is not an empty book (`None` is no book, an empty one is).
Rule 2: both sides count: the union of what either knows, never only ours.
Rule 3: nothing here mends anything by trading; a repair is a proposal to a person.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from participant.core.scrip import Side


class BreakKind(StrEnum):
    """What differs."""

    MISSING = "order missing"
    FOREIGN = "foreign order"
    QUANTITY = "fill quantity"
    VALUE = "fill value"
    ALIVE = "open though over"
    POSITION = "position"
    CASH = "cash"
    MARGIN = "margin"
    CHARGES = "charges"
    EXPIRED = "expired position"
    DELIVERY = "short delivery"


_K = BreakKind
ORDERS = frozenset({_K.MISSING, _K.FOREIGN, _K.QUANTITY, _K.VALUE, _K.ALIVE})
POSITIONS = frozenset({_K.POSITION})
FUNDS = frozenset({_K.CASH, _K.MARGIN})
# What a comparison of the running day finds; charges come from a contract note, expiries from the day's end.
COMPARED = ORDERS | POSITIONS | FUNDS
CASH_KEY = "cash"

REPAIRS = {
    _K.MISSING: "look for it in the broker's order book by its tag and ask the broker; nothing is sent again for it",
    _K.FOREIGN: "find out whose it is; if it was done by hand for a ticket, enter it there",
    _K.QUANTITY: "compare with the broker's tradebook; the broker's figure is adopted by itself where it is higher",
    _K.VALUE: "compare with the broker's tradebook or the contract note",
    _K.ALIVE: "it is over here and open there: the gateway asks for its end; see that it ends, and what was done twice",
    _K.POSITION: "compare with the broker's position; `participant reconcile --adopt {key}` takes the broker's over",
    _K.CASH: "compare with the broker's ledger; `participant reconcile --adopt cash` takes the broker's figure over",
    _K.MARGIN: "the broker blocks more than we reckon: bring in cash or reduce",
    _K.CHARGES: "ask the broker for a corrected note, or correct the dated rates (rules/charges.toml)",
    _K.EXPIRED: "the official price of its underlying is missing: settle it with the broker's statement",
    _K.DELIVERY: "a call was assigned and the shares were not there: the exchange buys them in by auction; settle it "
    "by the broker's statement, then `participant reconcile --adopt {key}`",
}


class Break(Struct, frozen=True):
    """One difference. `first_seen`, `last_seen`, `ended_at` in ns; `cycles` counts the comparisons that found it.

    `contract` says what it blocks (empty: everything). `cost` is the broker's cost (paise) where a position differs.
    """

    kind: BreakKind
    key: str
    ours: str
    theirs: str
    contract: str = ""
    cost: int = 0
    repair: str = ""
    first_seen: int = 0
    last_seen: int = 0
    cycles: int = 0
    ended_at: int = 0
    how: str = ""

    @property
    def name(self) -> str:
        """The row that it stands in: one thing breaks once at a time."""
        return f"{self.kind}/{self.key}"


class ReconcileRule(Struct, frozen=True, forbid_unknown_fields=True):
    """How often what is compared (`_s` of the market's time), and what is no difference yet."""

    orders_every_s: int = 30
    positions_every_s: int = 60
    funds_every_s: int = 300
    recent_s: int = 5
    value_tolerance_paise: int = 100
    cash_tolerance_paise: int = 100
    margin_tolerance_share: float = 0.5
    ticket_after_cycles: int = 5


class Line(Struct, frozen=True):
    """An order on one side of the comparison: units filled and their value in paise, whether it works or is over.

    `is_handed` marks one of ours that was given to a person, or whose fate is not known: its fill may stand at the
    broker under no tag of ours.
    """

    contract: str
    side: Side
    quantity: int
    value: int
    is_open: bool = False
    is_over: bool = False
    is_handed: bool = False
    wanted: int = 0


class Book(Struct, frozen=True):
    """One side of a reconciliation; `None` is what could not be read. Money in paise.

    Orders by what both sides call them, net units by contract; `costs` is the broker's cost of them.
    """

    orders: Mapping[str, Line] | None = None
    positions: Mapping[str, int] | None = None
    cash: int | None = None
    margin: int | None = None
    costs: Mapping[str, int] = {}


def compare(ours: Book, theirs: Book, rule: ReconcileRule | None = None) -> list[Break]:
    """Every difference, over the union of what either side knows; what one side could not read is passed over."""
    rule = rule or ReconcileRule()
    found: list[Break] = []
    if ours.orders is not None and theirs.orders is not None:
        mine, shown = by_hand(ours.orders, theirs.orders)
        found += _orders(mine, shown, rule.value_tolerance_paise)
    if ours.positions is not None and theirs.positions is not None:
        found += _positions(ours.positions, theirs)
    if ours.cash is not None and theirs.cash is not None and abs(ours.cash - theirs.cash) > rule.cash_tolerance_paise:
        found.append(_made(_K.CASH, CASH_KEY, str(ours.cash), str(theirs.cash)))
    if ours.margin is not None and theirs.margin is not None:
        # One-sided: the broker's figure rules, and less than we reckon with blocks nothing.
        most = round(ours.margin * (1 + rule.margin_tolerance_share)) + rule.cash_tolerance_paise
        if theirs.margin > most:
            found.append(_made(_K.MARGIN, "margin", str(ours.margin), str(theirs.margin)))
    return found


def by_hand(ours: Mapping[str, Line], theirs: Mapping[str, Line]) -> tuple[dict[str, Line], dict[str, Line]]:
    """Both sides with fills made by hand for a ticket under the order that they were made for.

    A person executes without our tag. Such a fill stands at the broker under a name of its own, and here under the
    order of the ticket: same contract, same side. So it is neither foreign nor counted twice.
    """
    shown = dict(theirs)
    for name, order in sorted(ours.items()):
        if not order.is_handed:
            continue
        for other in sorted(set(shown) - set(ours)):
            present = shown.get(name, replace(order, quantity=0, value=0))
            line, want = shown[other], order.quantity - present.quantity
            if (line.contract, line.side) == (order.contract, order.side) and 0 < line.quantity <= want:
                quantity, value = present.quantity + line.quantity, present.value + line.value
                shown[name] = replace(present, quantity=quantity, value=value)
                del shown[other]
    return dict(ours), shown


def awaits_a_person(line: Line, ours: Iterable[Line]) -> bool:
    """Whether this order of the broker's may be the hand-made execution of one that a person was given."""
    return any(
        o.is_handed and (o.contract, o.side) == (line.contract, line.side) and o.quantity < o.wanted for o in ours
    )


def _orders(ours: Mapping[str, Line], theirs: Mapping[str, Line], tolerance: int) -> list[Break]:
    found = [_order(name, ours.get(name), theirs.get(name), tolerance) for name in sorted({*ours, *theirs})]
    return [b for b in found if b is not None]


def _order(name: str, ours: Line | None, theirs: Line | None, tolerance: int) -> Break | None:
    if ours is None:
        assert theirs is not None  # the name came from one of the two sides
        is_alive = bool(theirs.quantity) or theirs.is_open
        return _made(_K.FOREIGN, name, "0", _said(theirs), theirs.contract) if is_alive else None
    if theirs is None:
        is_there = bool(ours.quantity) or ours.is_open
        return _made(_K.MISSING, name, _said(ours), "0", ours.contract) if is_there else None
    if ours.is_over and theirs.is_open:
        return _made(_K.ALIVE, name, f"over, {ours.quantity} filled", _said(theirs), ours.contract)
    if ours.quantity != theirs.quantity:
        return _made(_K.QUANTITY, name, str(ours.quantity), str(theirs.quantity), ours.contract)
    if abs(ours.value - theirs.value) > tolerance:
        return _made(_K.VALUE, name, str(ours.value), str(theirs.value), ours.contract)
    return None


def _said(line: Line) -> str:
    return f"{line.side} {line.quantity} {line.contract}{' and still open' if line.is_open else ''}"


def _positions(ours: Mapping[str, int], theirs: Book) -> list[Break]:
    held = theirs.positions or {}
    return [
        replace(
            _made(_K.POSITION, key, str(ours.get(key, 0)), str(held.get(key, 0)), key), cost=theirs.costs.get(key, 0)
        )
        for key in sorted({*ours, *held})
        if ours.get(key, 0) != held.get(key, 0)
    ]


def _made(kind: BreakKind, key: str, ours: str, theirs: str, contract: str = "") -> Break:
    return Break(kind, key, ours, theirs, contract, repair=REPAIRS[kind].format(key=key))


def made(kind: BreakKind, key: str, ours: str, theirs: str, at: int) -> Break:
    """A break that no comparison of the running day finds: of a contract note, or of an expiry."""
    return replace(_made(kind, key, ours, theirs), first_seen=at, last_seen=at, cycles=1)


class Aged(Struct, frozen=True):
    """The breaks after a comparison: those that stand, and those that ended with it."""

    standing: tuple[Break, ...]
    ended: tuple[Break, ...]


def age(before: Iterable[Break], found: Iterable[Break], looked_at: Iterable[BreakKind], at: int) -> Aged:
    """The breaks after a comparison of these kinds at `at`; of other kinds nothing is known and nothing changes."""
    known, seen, kinds = {b.name: b for b in before}, {b.name: b for b in found}, frozenset(looked_at)
    standing = [b for b in known.values() if b.kind not in kinds]
    for name, new in seen.items():
        old = known.get(name)
        first, cycles = (old.first_seen, old.cycles) if old else (at, 0)
        standing.append(replace(new, first_seen=first, last_seen=at, cycles=cycles + 1))
    gone = [b for name, b in known.items() if b.kind in kinds and name not in seen]
    ended = tuple(replace(b, ended_at=at, how=b.how or "the two sides agree again") for b in gone)
    return Aged(tuple(sorted(standing, key=lambda b: b.name)), ended)


def not_recent(found: Iterable[Break], before: Iterable[Break], busy: frozenset[str]) -> list[Break]:
    """What was found, without what a contract in motion shows; a break that stood on one before goes on standing."""
    kept = {b.name: b for b in before if b.contract in busy}
    return [b for b in found if b.contract not in busy or b.name in kept]


def oldest_cycles(breaks: Iterable[Break]) -> int:
    """How many comparisons in a row have found the oldest break of the running day; what lives though over, thrice."""
    return max((b.cycles * (3 if b.kind is _K.ALIVE else 1) for b in breaks if b.kind in COMPARED), default=0)
