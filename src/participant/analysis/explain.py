"""Why a decision came out as it did, and what of the settings would have changed it: tried out, not guessed.

A setting is moved to the figures of the decision, one at a time, and decided again. Of those that lead to another
action, or past what stood in the way, the one that is moved least is kept, and the search goes on from there: so all
that stood in the way is found, in its order.
"""

import re
from collections.abc import Callable, Iterator
from functools import partial
from math import isfinite
from typing import get_args, get_type_hints

from msgspec import Struct, to_builtins
from msgspec.structs import replace

from participant.core.decision import Action, Decision, DecisionInput
from participant.core.scrip import Scrip, Weights
from participant.core.strategies.table import STRATEGIES, fault_of
from participant.core.watchlist import OWN

STEPS_MAX = 8
ALONE_MAX = 24
FROM_ZERO = frozenset({"score_min", "net_credit_min"})  # off by default, and yet what a gate compares with
MOVE_MAX = 5  # a share of 5 % that would have to be 146 % explains nothing
BESIDE = 1e-4  # so far beside a figure that a sentence tells the two apart
LIMITS = "limits."
DIGITS = re.compile(r"[\d.,]+")
Decide = Callable[[DecisionInput], Decision]


class Move(Struct, frozen=True):
    """A setting, what it is and what it would have to be, and what the verdict would have been then.

    `limits.` before its name says that it is one of the scrip's limits, not of its weights.
    """

    setting: str
    was: float | str
    then: float | str
    action: Action
    reason: str


def moves(given: DecisionInput, decide: Decide) -> tuple[Move, ...]:
    """The settings that would have had to be otherwise for another action.

    Of a maintain one after the other, as one gate is shut behind the other; what opens or closes would have been kept
    away by each by itself, the nearest first. Empty where no single setting changes what is said; the last one need not
    lead to another action.
    """
    first = now = decide(given)
    if first.action is not Action.MAINTAIN:
        alone = (pair for pair in _nearest(given, now, decide) if pair[0].action is not first.action)
        return tuple(move for move, _ in sorted(alone, key=_distance)[:ALONE_MAX])
    found: list[Move] = []
    for _ in range(STEPS_MAX):
        moved = {move.setting for move in found}
        candidates = (pair for pair in _nearest(given, now, decide) if pair[0].setting not in moved)
        best = min(candidates, key=_distance, default=None)
        if best is None:
            break
        move, decision = best
        found.append(move)
        given = _with(given, move.setting, move.then)
        now = decision
        if now.action is not first.action:
            break
    return tuple(found)


def _nearest(given: DecisionInput, now: Decision, decide: Decide) -> Iterator[tuple[Move, Decision]]:
    """For each setting the nearest value that changes what is said."""
    yield from _words(given, now, decide)
    for setting, was in _numbers(given.scrip):
        for then in sorted(_candidates(setting, was, now), key=lambda value: abs(value - was)):
            moved = _with(given, setting, then)
            if fault_of(moved.scrip) or moved.scrip.weights.fault:
                continue
            decision = decide(moved)
            far = max(abs(then - was), abs(then) / 2) * (1 if then > was else -1)  # enough to show in a sentence
            further = _with(given, setting, round(then + far) if type(was) is int else then + far)
            if _leads_on(now, decision, partial(decide, further)):
                yield Move(setting, was, then, decision.action, decision.reason), decision
                break


def _leads_on(now: Decision, after: Decision, further: Callable[[], Decision]) -> bool:
    """Whether a move leads to another action, or past what stood in the way.

    Where the sentence alone goes by how far the setting is moved, a gate was shut by it, not opened.
    """
    if after.action is not now.action or now.action is not Action.MAINTAIN:
        return after.action is not now.action
    if _form(after.reason) == _form(now.reason) or len(after.figures) < len(now.figures):
        return False  # an earlier gate knows less
    beyond = further()
    return beyond.reason == after.reason or beyond.figures != after.figures


def _numbers(scrip: Scrip) -> Iterator[tuple[str, float]]:
    """The weights, the limits, and the own settings of a strategy of another package, those at their default too."""
    whole = {} if fault_of(scrip) else STRATEGIES[scrip.strategy].whole(scrip.settings)
    own = {OWN + name: value for name, value in whole.items()}
    limits = {LIMITS + name: value for name, value in to_builtins(scrip.limits).items()}
    for name, value in (*to_builtins(scrip.weights).items(), *limits.items(), *own.items()):
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield name, value


def _words(given: DecisionInput, now: Decision, decide: Decide) -> Iterator[tuple[Move, Decision]]:
    """For each setting that is a word the other words that change what is said, where the weights can be so."""
    hints = get_type_hints(Weights)
    for setting, words in ((name, get_args(hints[name])) for name in Weights.__struct_fields__):
        was = getattr(given.scrip.weights, setting)
        for then in (word for word in words if isinstance(was, str) and word != was):
            changed = _with(given, setting, then)
            decision = decide(changed) if not changed.scrip.weights.fault else now
            if decision.action is not now.action or (
                _form(decision.reason) != _form(now.reason) and len(decision.figures) >= len(now.figures)
            ):
                yield Move(setting, was, then, decision.action, decision.reason), decision
                break


def _candidates(setting: str, was: int | float, now: Decision) -> set[float]:
    """The decision's own figures of the setting's kind, and what lies just beside them, within MOVE_MAX times it."""
    values: set[float]
    if isinstance(was, int):
        values = {f + beside for f in now.figures.values() if isinstance(f, int) for beside in (-1, 0, 1)}
    else:
        figures = [f for f in now.figures.values() if isinstance(f, float) and isfinite(f)]
        values = {v for f in figures for v in (f, f * (1 + BESIDE), f * (1 - BESIDE))}
    is_free = setting in FROM_ZERO and not was
    return {value for value in values if value != was and value >= 0 and (is_free or abs(value) <= MOVE_MAX * abs(was))}


def _with(given: DecisionInput, setting: str, value: float | str) -> DecisionInput:
    scrip = given.scrip
    if setting.startswith(OWN):
        scrip = replace(scrip, settings={**scrip.settings, setting.removeprefix(OWN): value})
    elif setting.startswith(LIMITS):
        scrip = replace(scrip, limits=replace(scrip.limits, **{setting.removeprefix(LIMITS): value}))
    else:
        scrip = replace(scrip, weights=replace(scrip.weights, **{setting: value}))
    return replace(given, scrip=scrip)


def _form(reason: str) -> str:
    """A sentence without its figures: two of the same form say the same thing."""
    return DIGITS.sub("", reason)


def _distance(found: tuple[Move, Decision]) -> tuple[float, str]:
    """How far a setting is moved, for its size; the smaller is the likelier cause."""
    move = found[0]
    if isinstance(move.then, str) or isinstance(move.was, str):
        return 1.0, move.setting
    return abs(move.then - move.was) / (abs(move.was) or 1.0), move.setting
