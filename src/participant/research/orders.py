"""Orders that a file gives, through the desk's own matching, books, charges and settlement: no brain, no control.

What somebody would have earned by orders of their own, and how the engine's arithmetic is held against worked examples
of elsewhere. The money is kept twice, as our books keep it and as a broker does; a difference is said.
"""

import datetime
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from participant.core.account import Account
from participant.core.books import closing_events, equity
from participant.core.charges import charges
from participant.core.clearing import Ledger, book, fill_line, settle
from participant.core.events import BookEvent, Delivered, Filled
from participant.core.market import Quote
from participant.core.matching import Entry, OrderRequest, Taken, match, refusal
from participant.core.position import Holding, Position, apply
from participant.core.rulebook import OutsideRules, Rulebook
from participant.core.scrip import PRICE_UNITS_PER_PAISA, Contract, Kind, money
from participant.core.session import at_time, day_of
from participant.history.pages import BadData
from participant.wire.orders_file import GivenOrder, GivenQuote, Orders, parse_orders


class Line(Struct, frozen=True):
    """Something that moved the books: a fill, or what the end of a day did. `cash` in paise after `charges`."""

    day: str
    kind: str
    contract: str
    quantity: int
    price: int
    cash: int
    charges: int = 0


class Outcome(Struct, frozen=True):
    """How it ended, money in paise. `worth` counts what is held at the last quote's middle, or else as `notes` say."""

    capital: int
    worth: int
    cash: int
    charges: int
    held: dict[str, int]
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()


def play_orders(file: Path | str, rules: Rulebook) -> Outcome:
    """Play the orders of a file (docs/backtest.md). Raises BadData, which says where the file is wrong."""
    path = Path(file)
    try:
        given = parse_orders(path.read_bytes(), rules)
    except OSError as why:
        raise BadData(f"{path}: cannot be read: {why.strerror}") from why
    except ValueError as why:
        raise BadData(f"{path}: {why}") from why
    try:
        return _Run(given).play()
    except (BadData, OutsideRules) as why:
        raise BadData(f"{path}: {why}") from why


class _Working(Struct):
    """An order of the day that is not done."""

    order: GivenOrder
    contract: Contract
    left: int
    value: int = 0
    charged: int = 0
    is_resting: bool = False


class _Run:
    def __init__(self, given: Orders) -> None:
        self.given, self.rules = given, given.rules
        self.contracts = {c.key: c for c in given.contracts}
        self.positions = {c.underlying: Position(c.underlying) for c in given.contracts}
        self.account, self.ledger = Account(given.capital, given.capital), Ledger(given.capital)
        self.quotes, self.taken = dict[str, Quote](), dict[str, Taken]()
        self.working = list[_Working]()
        self.lines, self.notes = list[Line](), list[str]()

    def play(self) -> Outcome:
        """Every day of the file, in order."""
        days: dict[datetime.date, list[GivenQuote | GivenOrder]] = {day: [] for day in self.given.settlements}
        for event in _in_order(self.given):
            days.setdefault(day_of(event.at), []).append(event)
        for day, events in sorted(days.items(), key=lambda item: item[0]):
            for event in events:
                if isinstance(event, GivenQuote):
                    self._quoted(event)
                else:
                    self._ordered(event)
            self._close(day, events[-1].at if events else at_time(day, 12, 0))
        return self._outcome()

    def _quoted(self, given: GivenQuote) -> None:
        self.quotes[given.contract] = given.quote
        self._match(given.contract, given.at)

    def _ordered(self, order: GivenOrder) -> None:
        contract, name = self.contracts[order.contract], str(order.number)
        why = refusal(contract, OrderRequest(name, order.contract, order.side, order.quantity, order.limit))
        if why:
            raise BadData(f"orders[{order.number - 1}], {order.contract}: {why}")
        self.working.append(_Working(order, contract, order.quantity))
        self._match(order.contract, order.at)

    def _match(self, key: str, at: int) -> None:
        quote, standing = self.quotes.get(key), [w for w in self.working if w.order.contract == key]
        if quote is None or not standing:
            return
        entries = [Entry(w.order.number, w.order.side, w.order.limit, w.left, w.is_resting) for w in standing]
        executions, self.taken[key] = match(entries, quote, self.taken.get(key))
        by_number = {w.order.number: w for w in standing}
        for one in executions:
            self._fill(by_number[one.number], one.quantity, one.price, at)
        for each in standing:
            each.is_resting = True
        self.working = [w for w in self.working if w.left]

    def _fill(self, working: _Working, quantity: int, price: int, at: int) -> None:
        order, contract, day, before = working.order, working.contract, day_of(at), working.charged
        value = money(price, quantity)
        working.left, working.value = working.left - quantity, working.value + value
        if order.fee is None:
            working.charged = charges(self.rules.charge_rates(day), contract, order.side, working.value).total
        else:
            working.charged = order.fee
        figures = (order.quantity - working.left, working.value, working.charged)
        self._apply(Filled(str(order.number), contract, order.side, *figures, at, day), price)
        self.ledger = book(
            self.ledger, fill_line(contract, order.side, quantity, value), working.charged - before
        )  # what one order is charged counts once, however often it fills

    def _apply(self, event: BookEvent, price: int) -> None:
        scrip = event.contract.underlying
        before, paid = self.positions[scrip], self.positions[scrip].charges
        self.positions[scrip], cash = apply(before, event)
        after = self.positions[scrip]
        self.account = replace(self.account, cash=self.account.cash + cash)
        moved = _units(after, event.contract) - _units(before, event.contract)
        kind = type(event).__name__.lower()
        said = Line(str(day_of(event.at)), kind, event.contract.key, moved, price, cash, after.charges - paid)
        self.lines.append(said)
        if isinstance(event, Delivered):
            units = _units(after, event.shares) - _units(before, event.shares)
            self.lines.append(Line(said.day, "shares", event.shares.key, units, event.contract.strike or price, 0))

    def _close(self, day: datetime.date, at: int) -> None:
        """Day orders end, futures are marked, what expires ends: at the official prices that the file gives."""
        self.notes += [f"{day}: {w.left} of {w.order.quantity} {w.contract.key} were not filled" for w in self.working]
        self.working.clear()
        self.taken.clear()
        prices = self.given.settlements.get(day, {})
        for position in list(self.positions.values()):
            for event in closing_events(position, prices, self.rules, day, at):
                self._apply(event, prices[_named(event.contract, day)])
        self.ledger, unpriced = settle(self.ledger, day, prices, self.rules)
        self.notes += [f"{day}: {one.said}" for one in unpriced]
        if self.ledger.cash != self.account.cash:
            self.notes.append(f"{day}: our cash {self.account.cash}, the broker's {self.ledger.cash}")

    def _outcome(self) -> Outcome:
        held = [h for p in self.positions.values() for h in p.holdings]
        worth = equity(self.account, self.positions.values(), {h.contract: self._mark(h) for h in held}.__getitem__)
        return Outcome(
            self.given.capital,
            worth,
            self.account.cash,
            sum(p.charges for p in self.positions.values()),
            {h.contract.key: h.quantity for h in held},
            tuple(self.lines),
            tuple(self.notes),
        )

    def _mark(self, holding: Holding) -> int:
        key = holding.contract.key
        settled = [(d, p[key]) for d, p in self.given.settlements.items() if key in p]
        if holding.contract.kind is Kind.FUTURE and settled:
            return max(settled)[1]
        if key in self.quotes:
            return self.quotes[key].mid
        self.notes.append(f"{key} has no quote: it stands in the worth at its cost")
        return abs(holding.cost * PRICE_UNITS_PER_PAISA // holding.quantity)


def _in_order(given: Orders) -> list[GivenQuote | GivenOrder]:
    """What happens, in time; at one instant the quotes come before the orders."""
    return sorted((*given.quotes, *given.orders), key=lambda e: (e.at, isinstance(e, GivenOrder)))


def _named(contract: Contract, day: datetime.date) -> str:
    """The name of the official price that a contract meets at the end of a day."""
    return contract.underlying if contract.expiry <= day else contract.key


def _units(position: Position, contract: Contract) -> int:
    return sum(h.quantity for h in position.holdings if h.contract.key == contract.key)


def held_in_words(held: Mapping[str, int]) -> str:
    """What is held in one line."""
    return ", ".join(f"{quantity:+,} {key}" for key, quantity in held.items()) or "flat"
