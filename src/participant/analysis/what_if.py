"""What other settings would have decided, one decision after the other, and what that would have made.

The rule, the same for both sides: each scrip by itself goes through its logged market states in order, from the
position that the log had at the first; what is decided fills at once and whole at the prices that the decision saw,
with the charges of the day; what expires ends in cash at the last logged spot of its day; what is left is worth the
middle of its last logged quote. As long as a side holds what the log held, it decides with the log's own position and
money; then with its own position, the scrip's margin being what its legs asked for, all else of the account as logged.
"""

import datetime
from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from participant.analysis.diff import Settings, with_settings
from participant.analysis.logged import Logged
from participant.core.brain import decide
from participant.core.charges import charges
from participant.core.cover import mark
from participant.core.decision import Action, Decision
from participant.core.order import orders_of
from participant.core.position import Expired, Filled, Position, apply, forget_orders, unrealised
from participant.core.rulebook import Rulebook
from participant.core.scrip import PRICE_UNITS_PER_PAISA, Contract, money
from participant.core.session import day_of
from participant.stages.decide import run
from participant.wire.json import decode


class Act(Struct, frozen=True):
    """A decision that asked for orders, and what it said."""

    at: int
    scrip: str
    action: Action
    reason: str


class Outcome(Struct, frozen=True):
    """What one side did with one scrip. Money is paise; `result` is after charges, with what is held at its marks.

    `as_logged` counts the decisions whose action and legs are the log's.
    """

    scrip: str
    decisions: int
    as_logged: int
    result: int
    charges: int
    acts: tuple[Act, ...]
    held: dict[str, int]


class WhatIf(Struct, frozen=True):
    """Both sides of a scrip by the same rule: on the logged settings, and on the others."""

    logged: Outcome
    other: Outcome

    @property
    def difference(self) -> int:
        """What the other settings would have made more (paise)."""
        return self.other.result - self.logged.result


class _Path:
    """One side on its way through the logged states of a scrip."""

    def __init__(self, first: Logged, settings: Settings, rules: Rulebook) -> None:
        info, self.state = first.record.current_position_info, first.record.market_state
        self.settings, self.rules = settings, rules
        self.position = self.began = replace(forget_orders(info.position), working=())
        self.used = info.account.used.get(info.position.scrip, 0)
        self.marks: dict[Contract, int] = {}
        self.acts: list[Act] = []
        self.decisions = self.as_logged = 0
        self.worth_began = unrealised(self.position, self._mark)

    def step(self, one: Logged) -> None:
        """The next logged state: what expired before it ends, then it is decided on, and what is decided fills."""
        state = one.record.market_state
        self._expire(day_of(state.exchange_at))
        if day_of(state.exchange_at) != day_of(self.state.exchange_at):
            self.position = forget_orders(self.position)
        self.state = state
        self.marks |= {h.contract: self._mark(h.contract) for h in self.position.holdings}
        decision = self._decided(one)
        was = one.record.decision_info
        self.decisions += 1
        self.as_logged += (decision.action, decision.legs) == (was.action, was.legs)
        if decision.legs:
            self._fill(decision)

    def ended(self, last: datetime.date) -> Outcome:
        """What it came to by the end of a day."""
        self._expire(last + datetime.timedelta(1))
        now, began = self.position, self.began
        earned = now.realised - began.realised + unrealised(now, self._mark) - self.worth_began
        paid = now.charges - began.charges
        return Outcome(now.scrip, self.decisions, self.as_logged, earned - paid, paid, tuple(self.acts), _held(now))

    def _decided(self, one: Logged) -> Decision:
        """As long as it holds what the log held, with the log's own position and money."""
        info, state = one.record.current_position_info, one.record.market_state
        position, account = info.position, info.account
        follows = _held(position) == _held(self.position) and not position.working
        if follows and not self.settings:
            return decode(run(one.body, self.rules), Decision)
        if not follows:
            position = self.position
            account = replace(account, used={**account.used, state.scrip: self.used}, reserved={})
        return decide(with_settings(one.record.scrip, self.settings), state, position, account, self.rules)

    def _fill(self, decision: Decision) -> None:
        self.acts.append(Act(decision.decided_for, decision.scrip, decision.action, decision.reason))
        day = day_of(decision.decided_for)
        for order in orders_of(decision):
            if order.limit <= 0:
                break  # nobody offers, and later legs wait for this one
            value = money(order.limit, order.quantity)
            cost = charges(self.rules.charge_rates(day), order.contract, order.side, value).total
            figures = (order.quantity, value, cost, order.decided_at, day)
            filled = Filled(f"{order.order_id}-{len(self.acts)}", order.contract, order.side, *figures)
            self.position, _ = apply(self.position, filled)
            self.used += order.margin
        self._freed()

    def _expire(self, day: datetime.date) -> None:
        """End what expired before a day, at the spot that was logged last before it."""
        for contract in [h.contract for h in self.position.holdings if h.contract.expiry < day]:
            self.position, _ = apply(self.position, Expired(contract, self.state.spot, self.state.exchange_at))
        self._freed()

    def _freed(self) -> None:
        if self.position.is_flat:
            self.used = 0

    def _mark(self, contract: Contract) -> int:
        """The middle of the last quote, else the last one known, else what it was taken in at."""
        now = mark(self.state, contract) or self.marks.get(contract)
        held = next((h for h in self.position.holdings if h.contract == contract), None)
        return now or (abs(held.cost * PRICE_UNITS_PER_PAISA // held.quantity) if held else 0)


def _held(position: Position) -> dict[str, int]:
    return {h.contract.key: h.quantity for h in position.holdings}


def what_if(lines: Iterable[Logged], settings: Settings, rules: Rulebook) -> list[WhatIf]:
    """What the logged settings and these come to over some days of a log, a scrip each. Raises BadSide."""
    paths: dict[str, tuple[_Path, _Path]] = {}
    last = datetime.date.min
    for one in lines:
        scrip = one.record.scrip.symbol
        if scrip not in paths:
            paths[scrip] = _Path(one, {}, rules), _Path(one, settings, rules)
        for path in paths[scrip]:
            path.step(one)
        last = day_of(one.record.market_state.exchange_at)
    return [WhatIf(logged.ended(last), other.ended(last)) for _, (logged, other) in sorted(paths.items())]
