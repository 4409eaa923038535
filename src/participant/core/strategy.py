"""What every strategy is given, and what it answers: a `Case` goes in, a `Verdict` comes out.

In `figures` money is paise (`_paise`), prices are 1/10,000 rupee, quantities units; floats have 10 significant digits.
"""

import datetime
from collections.abc import Callable
from math import isfinite

from msgspec import Struct

from participant.core.account import Account
from participant.core.decision import Action, Figure, Leg
from participant.core.market import MarketState
from participant.core.position import Position
from participant.core.pricing import rounded
from participant.core.rulebook import Rulebook
from participant.core.scrip import Scrip, Weights
from participant.core.session import day_of

Figures = dict[str, Figure]


class Verdict(Struct, frozen=True):
    """Open, close or maintain, in a sentence, with the figures behind it and the legs in their order."""

    action: Action
    reason: str
    figures: Figures
    legs: tuple[Leg, ...] = ()


Strategy = Callable[[Scrip, MarketState, Position, Account, Rulebook], Verdict]


class Case(Struct, frozen=True):
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

    @property
    def day(self) -> datetime.date:
        """The trading day of that instant."""
        return day_of(self.market.exchange_at)


def maintain(reason: str, figures: Figures) -> Verdict:
    """The verdict to leave everything as it is."""
    return Verdict(Action.MAINTAIN, reason, figures)


def logged(figures: Figures) -> Figures:
    """Figures as they are logged: floats at 10 significant digits, and nothing for what is not known."""
    return {name: _logged(figure) for name, figure in figures.items()}


def _logged(figure: Figure) -> Figure:
    if not isinstance(figure, float):
        return figure
    return rounded(figure) if isfinite(figure) else None
