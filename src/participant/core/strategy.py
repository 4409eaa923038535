"""What every strategy is given, and what it answers: a `Case` goes in, a `Verdict` comes out.

In `figures` money is paise (`_paise`), prices are 1/10,000 rupee, quantities units; floats have 10 significant digits.
"""

import datetime
from collections.abc import Callable, Generator, Mapping, Sequence
from math import isfinite
from typing import Generic, TypeVar

from msgspec import Struct, ValidationError, convert, to_builtins

from participant.core.account import Account
from participant.core.decision import Action, Figure, Leg
from participant.core.market import MarketState
from participant.core.once import kept
from participant.core.position import Position
from participant.core.pricing import all_rounded
from participant.core.rulebook import Rulebook
from participant.core.scrip import Contract, Kind, Scrip, Setting, Weights
from participant.core.session import day_of

Figures = dict[str, Figure]


class Gate(Struct, frozen=True):
    """A rule as it was asked: what it found, what it compared that with, and why it spoke; empty where it let pass.

    To open, a gate that speaks is shut; of what is held, a rule that speaks acts. One that was never asked is not
    reached: one before it spoke, or it does not apply, for there was nothing to ask. `figures` are what it adds to the
    decision's.
    """

    name: str
    said: str = ""
    value: Figure = None
    limit: Figure = None
    figures: Figures = {}
    is_reached: bool = True
    applies: bool = True


class Verdict(Struct, frozen=True):
    """Open, close or maintain, in a sentence, with the figures behind it and the legs in their order.

    `gates` are the rules in the order in which they were asked: for people, worked out again and never logged.
    """

    action: Action
    reason: str
    figures: Figures
    legs: tuple[Leg, ...] = ()
    gates: tuple[Gate, ...] = ()


Strategy = Callable[[Scrip, MarketState, Position, Account, Rulebook], Verdict]


class Plugin(Struct, frozen=True):
    """A row of the table of strategies: what decides, its version, and what its own settings are.

    A package raises `version` with every change that can change a decision; it enters their ids. 0 is for those that
    ship: their numbers stand in `brain.MODULE_VERSIONS`. A struct of settings may have a property `fault` that says why
    they cannot hold together.
    """

    decide: Strategy
    version: int = 0
    settings: type[Struct] | None = None

    def fault(self, settings: Mapping[str, Setting]) -> str:
        """Why these settings of a row cannot be, or an empty string."""
        if self.settings is None:
            return f"it has no settings of its own, and {min(settings)} is set" if settings else ""
        strange = [name for name, value in settings.items() if isinstance(value, float) and not isfinite(value)]
        if strange:
            return f"{strange[0]} is not a number"
        try:
            return str(getattr(convert(settings, self.settings), "fault", ""))
        except ValidationError as fault:
            return str(fault)

    def whole(self, settings: Mapping[str, Setting]) -> dict[str, Setting]:
        """A row's settings with those that it leaves at their default; they have no fault."""
        made: dict[str, Setting] = to_builtins(convert(settings, self.settings)) if self.settings else {}
        return made

    def judge(
        self, scrip: Scrip, market: MarketState, position: Position, account: Account, rules: Rulebook
    ) -> Verdict:
        """What it decides; on settings that cannot be, to leave everything as it is, and why."""
        fault = self.fault(scrip.settings)
        if fault:
            return maintain(f"nothing is done on settings that cannot be: {fault}", {"spot": market.spot})
        return self.decide(scrip, market, position, account, rules)


Own = TypeVar("Own", bound=Struct)


def own_settings(scrip: Scrip, own: type[Own]) -> Own:
    """A row's `[watchlist.settings]` as the values of its strategy's own kind; they were judged before it is asked."""
    return convert(scrip.settings, own)


class Case(Struct, frozen=True, dict=True):
    """One scrip at one instant: all that its strategy may know."""

    scrip: Scrip
    market: MarketState
    position: Position
    account: Account
    rules: Rulebook

    @property
    def weights(self) -> Weights:
        """The scrip's settings."""
        return self.scrip.weights

    @property
    def at(self) -> int:
        """The instant (ns) that is decided for."""
        return self.market.exchange_at

    @kept
    def day(self) -> datetime.date:
        """The trading day of that instant."""
        return day_of(self.market.exchange_at)

    @property
    def stranger(self) -> str:
        """What there is of another scrip, or an empty string."""
        own, futures = self.scrip.symbol, [f.contract for f in self.market.futures]
        if self.market.scrip != own:
            return f"a market state of {self.market.scrip}"
        if self.position.scrip != own:
            return f"a position of {self.position.scrip}"
        return next((f"a market state with {c.key} in it" for c in futures if c.underlying != own), "")

    def is_over(self, contract: Contract) -> bool:
        """Whether a contract has ended: on its last day it may before the session does."""
        return contract.kind is not Kind.STOCK and self.at >= self.rules.expiry_at(contract.expiry)


def maintain(reason: str, figures: Figures, gates: tuple[Gate, ...] = ()) -> Verdict:
    """The verdict to leave everything as it is."""
    return Verdict(Action.MAINTAIN, reason, figures, (), gates)


def refusing(why: str) -> Strategy:
    """What decides where nothing can: to leave everything as it is, and why."""

    def refuse(_: Scrip, market: MarketState, *known: object) -> Verdict:
        return maintain(why, {"spot": market.spot})

    return refuse


Found = TypeVar("Found")


class Asked(Struct, Generic[Found], frozen=True):
    """What came of asking rules in their order: the rules, why the first that spoke did so, and what they found."""

    gates: tuple[Gate, ...]
    said: str
    figures: Figures
    found: Found | None


def ask(rules: Generator[Gate, None, Found], names: Sequence[str]) -> Asked[Found]:
    """Ask rules one after the other until one speaks; those of `names` after it are not reached."""
    asked: list[Gate] = []
    said, figures, found = "", Figures(), None
    try:
        while not said:
            gate = next(rules)
            asked.append(gate)
            said = gate.said
            figures.update(gate.figures)
    except StopIteration as end:
        found = end.value
    return Asked((*asked, *_left(asked, said, names)), said, figures, found)


def _left(asked: Sequence[Gate], said: str, names: Sequence[str]) -> list[Gate]:
    """One that was left out on the way does not apply; what comes after the one that spoke was not asked."""
    known = {gate.name for gate in asked}
    if known.issuperset(names):
        return []
    ended = next((i for i, name in enumerate(names) if name == asked[-1].name), -1) if said else len(names)
    return [Gate(name, is_reached=False, applies=i > ended) for i, name in enumerate(names) if name not in known]


def logged(figures: Figures) -> Figures:
    """Figures as they are logged: floats at 10 significant digits, and nothing for what is not known."""
    return all_rounded(figures)
