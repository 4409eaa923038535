"""How a decision is explained to a person: what it saw, its signals, the rules it met, what would have changed it."""

import textwrap
from collections.abc import Iterator
from math import isfinite

from msgspec import Struct

from participant.analysis.explain import Move
from participant.analysis.market_moves import MarketMove
from participant.commands.volatilities import volatilities
from participant.core.brain_checks import BRAIN_CHECKS
from participant.core.decision import Decision, DecisionInput, Figure
from participant.core.market import SECOND, MarketState
from participant.core.order import Order
from participant.core.risk import Refusal
from participant.core.scrip import PRICE_UNITS_PER_PAISA
from participant.core.strategy import Gate, Verdict
from participant.core.surface import Surface
from participant.core.wording import apart, at_price, counted, percent, rupees
from participant.links.ask import Passed
from participant.operate.view import clock

WIDTH = 110
BAR = 24
PRICES = frozenset({"spot", "forward", "basis", "square_off_level"})
PRICED = ("_bid", "_ask", "_strike", "_price")  # how names of figures end that are prices
SHARES = frozenset({"iv30", "iv_rank", "iv_percentile", "realised", "realised_parkinson", "realised_yang_zhang"})
SHARES |= {"call_iv", "atm_iv", "spread", "held_profit", "held_in_the_money"}
ASIDE = {"delivery": "it ends in cash", "sector_delta": "the scrip has no sector"}
SHOWN = ("signal_", "weight_", "part_", "check_", "score")  # figures that stand in the tables
# What the rules compare: money and prices; the other whole numbers are counts, and fractions shares, but for these.
MONEY, AT_PRICES = frozenset({"margin", "credit", "stop", "expiry day"}), frozenset({"square-off"})
MOST = frozenset({"quote age", "spread", "margin", "expiry day"})
AGES = frozenset({"quote age", "freshness"})  # in seconds
PLAIN = AGES | {"over realised", "score"}


class Worked(Struct, frozen=True):
    """An order of the decision as it stands, and the first control that refused it or its last change."""

    order: Order
    refusal: Refusal | None
    passed: Passed | None


class Explained(Struct, frozen=True):
    """A decision, its input, its orders in the books, the volatilities, the verdict of today, what would change it.

    Without a rule for the day there is no surface, as there was no decision.
    """

    day: str
    decision: Decision
    given: DecisionInput
    orders: tuple[Worked, ...]
    surface: Surface | None
    verdict: Verdict
    moves: tuple[Move, ...]
    market: tuple[MarketMove, ...]


def lines(found: Explained) -> Iterator[str]:
    """The explanation, line by line."""
    decision, given = found.decision, found.given
    yield f"{decision.scrip}, {found.day} {clock(decision.decided_for)} IST: {decision.action} ({decision.outcome})"
    yield from _wrapped("", decision.reason)
    yield from _wrapped("saw", _saw(given.market_state))
    yield from _wrapped("held", _held(given))
    yield from _signals(decision)
    yield from _rules(found)
    figures = (
        f"{name.removesuffix('_paise')} {_figure(name, f)}"
        for name, f in decision.figures.items()
        if not name.startswith(SHOWN)
    )
    yield from _wrapped("figures", ", ".join(figures))
    for name, said in volatilities(found.surface) if found.surface else ():
        yield from _wrapped(name, said)
    for worked in found.orders:
        yield from _wrapped("order", _order(worked))
    yield ""
    yield from _otherwise(found)
    yield f"  decision  {decision.decision_id}, snapshot {decision.snapshot_id[:12]}, strategy {given.scrip.strategy}"


def _wrapped(name: str, text: str) -> Iterator[str]:
    yield from textwrap.wrap(text, WIDTH, initial_indent=f"  {name:10}", subsequent_indent=" " * 12)


# --- signals ----------------------------------------------------------------------------------------------------------


def _signals(decision: Decision) -> Iterator[str]:
    """A table of the signals, the largest part first, with a bar for each; nothing where the decision has none."""
    figures = decision.figures
    names = [name.removeprefix("part_") for name in figures if name.startswith("part_")]
    if not names:
        return
    yield ""
    yield f"  signals   {'':12}{'value':>8}{'weight':>8}{'part':>8}"
    for name in sorted(names, key=lambda one: (-_number(figures[f"part_{one}"]), one)):
        value, weight, part = (figures.get(f"{kind}_{name}") for kind in ("signal", "weight", "part"))
        told = "unknown" if value is None else f"{_number(value):.2f}"
        row = f"{name:12}{told:>8}{_number(weight):>8.2f}{_number(part):>8.2f}"
        yield f"            {row}  {_bar(_number(part))}".rstrip()
    score = _number(figures.get("score"))
    yield f"            {'score':12}{'':8}{'':8}{score:>8.2f}  {_bar(score)}".rstrip()


def _bar(share: float) -> str:
    """A bar of up to BAR signs, in eighths."""
    eighths = round(max(0.0, min(1.0, share)) * BAR * 8)
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()


def _number(figure: Figure) -> float:
    return float(figure) if isinstance(figure, int | float) else 0.0


# --- rules ------------------------------------------------------------------------------------------------------------


def _rules(found: Explained) -> Iterator[str]:
    """The rules in the order in which they were asked, each with what it found and what it compared that with."""
    gates = found.verdict.gates
    if not gates:
        return
    yield ""
    yield f"  rules     {'':20}{'found':>26}{'limit':>14}"
    is_check = False
    for gate in (gate for gate in gates if gate.is_reached):
        is_check = is_check or gate.name == BRAIN_CHECKS[0].name
        head = "  checks    " if gate.name == BRAIN_CHECKS[0].name else " " * 12
        found_as, limit_as = _pair(gate)
        limit = f"{_than(gate.name, is_check)}{limit_as}" if gate.limit is not None else ""
        row = f"{gate.name.replace('_', ' '):18}{found_as:>26}{limit:>14}"
        yield f"{head}{'✗' if gate.said else '✓'} {row}".rstrip()
        if gate.said:
            yield from textwrap.wrap(gate.said, WIDTH, initial_indent=" " * 16, subsequent_indent=" " * 16)
    yield from _unreached(gates)
    if found.verdict.reason != found.decision.reason:
        yield from _wrapped("", "(these rules are today's: this version decides otherwise than the log says)")
    yield ""


def _unreached(gates: tuple[Gate, ...]) -> Iterator[str]:
    """The rules that were not asked: since there was nothing to ask, and since one before them had spoken."""
    aside, is_reducing = [], any(not gate.applies and gate.name == "lots" for gate in gates)
    for gate in (gate for gate in gates if not gate.applies):
        why = "nothing is added to the risk" if is_reducing else ASIDE.get(gate.name, "there was nothing to ask")
        aside.append(f"{gate.name.replace('_', ' ')} ({why})")
    left = [gate.name.replace("_", " ") for gate in gates if not gate.is_reached and gate.applies]
    spoke = next((gate.name.replace("_", " ") for gate in gates if gate.said), "")
    for head, names in (("does not apply", aside), (f"not asked, since {spoke} spoke before", left)):
        if names:
            told = f"· {head}: {', '.join(names)}"
            yield from textwrap.wrap(told, WIDTH, initial_indent=" " * 12, subsequent_indent=" " * 14)


def _than(name: str, is_check: bool) -> str:
    """How a rule compares: a check of the brain with a limit, a gate mostly with a least."""
    if is_check:
        return "≥ " if name in {"delivery"} else "≤ "
    return {"stop": "at ", "square-off": "at ", "excess cover": "≤ ", "credit": "> "}.get(
        name, "≤ " if name in MOST else "≥ "
    )


def _pair(gate: Gate) -> tuple[str, str]:
    """What a rule found and compared that with, with as many digits as tell them apart."""
    value, limit = gate.value, gate.limit
    if isinstance(value, float) and isinstance(limit, int | float) and isfinite(value):
        return apart(
            value, limit, 0 if gate.name in AGES else 1 + (gate.name in PLAIN), is_share=gate.name not in PLAIN
        )
    return _compared(gate, value), _compared(gate, limit)


def _unit(gate: Gate) -> str:
    """The name of the figure that a rule's value is, by which a strategy says its unit; empty where it is none."""
    return next((name for name, figure in gate.figures.items() if figure == gate.value and type(figure) is int), "")


def _compared(gate: Gate, figure: Figure) -> str:
    if figure is None:
        return ""
    if isinstance(figure, str):
        return figure
    if isinstance(figure, int):
        if gate.name in AT_PRICES:
            return at_price(figure // PRICE_UNITS_PER_PAISA * PRICE_UNITS_PER_PAISA)
        return rupees(figure) if gate.name in MONEY else _figure(_unit(gate), figure)
    return f"{figure:,.4g}" if gate.name in PLAIN else percent(figure)


# --- otherwise --------------------------------------------------------------------------------------------------------

QUANTITIES = {
    "rank": "the IV rank",
    "tranche": "the IV rank",
    "over realised": "IV over realised",
    "spread": "the spread of the calls",
    "displayed": "the lots displayed",
    "square-off": "the ask of the call",
    "stop": "spot",
}


def _otherwise(found: Explained) -> Iterator[str]:
    """What of the market and of the settings would have led to something else, each tried out."""
    for at in found.market:
        gate = Gate(
            "square-off" if at.rule == "stop" else at.rule, value=at.was, limit=at.then
        )  # told as a price: spot
        was, then = _pair(gate)
        yield from _wrapped("market", f"{QUANTITIES[at.rule]} at {then} (was {was}): {at.action}, {at.reason}")
    for move in found.moves:
        yield from _wrapped(
            "setting", f"{move.setting} = {_set(move, move.then)} (is {_set(move, move.was)}): {_then(move)}"
        )
    if not found.moves:
        yield from _wrapped("setting", "no single one, moved to one of these figures, would have changed it")


def _set(move: Move, value: float | str) -> str:
    """A setting's value as it is written in a row; money, which is written in paise, in rupees besides."""
    if isinstance(value, str):
        return f'"{value}"'
    written = f"{value}" if isinstance(value, int) else f"{value:.6g}"
    return f"{written} ({rupees(round(value))})" if move.setting == "net_credit_min" and value else written


def _then(move: Move) -> str:
    return f"{move.action}, {move.reason}"


# --- the rest ---------------------------------------------------------------------------------------------------------


def _saw(state: MarketState) -> str:
    options = list(state.options())
    times = [q.exchange_at for _, q in options] + [f.quote.exchange_at for f in state.futures]
    ages = sorted((state.exchange_at - at) / SECOND for at in times)
    half = f"half of the quotes up to {_long(ages[len(ages) // 2])} old" if ages else ""
    age = f"{half}, the oldest {_long(ages[-1])}" if ages else "no quotes"
    return (
        f"spot {at_price(state.spot)}; {counted(len(state.futures), 'future')}, {_expiries(len(state.chains))}, "
        f"{counted(len(options), 'quoted option')}; {age}; from provider {state.provider}; "
        f"{counted(len(state.look_back.closes), 'session')} of look-back{'; ' if state.marks else ''}"
        f"{', '.join(state.marks)}"
    )


def _long(seconds: float) -> str:
    """A time in its own size: seconds, minutes from two on, hours from two on."""
    if abs(seconds) < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if abs(seconds) < 7200 else f"{seconds / 3600:.1f} h"


def _expiries(count: int) -> str:
    return f"{count:,} expir{'y' if count == 1 else 'ies'}"


def _held(given: DecisionInput) -> str:
    position, account = given.current_position_info.position, given.current_position_info.account
    held = [f"{h.quantity:+,} {h.contract.key}" for h in position.holdings]
    works = [f"{w.quantity:+,} {w.contract.key} working" for w in position.working]
    money = f"cash {rupees(account.cash)}, {rupees(account.committed)} of it as margin"
    return f"{', '.join([*held, *works]) or 'nothing'}; {money}"


def _figure(name: str, figure: Figure) -> str:
    if name.endswith("_paise") and isinstance(figure, int | float):
        return rupees(round(figure))
    if (name in PRICES or name.endswith(PRICED)) and isinstance(figure, int | float):
        return at_price(round(figure))
    if (name in SHARES or name.endswith("_share")) and isinstance(figure, float):
        return percent(figure)
    if isinstance(figure, int):
        return f"{figure:,}"
    return f"{figure:.4g}" if isinstance(figure, float) else "unknown" if figure is None else f"{figure}"


def _order(worked: Worked) -> str:
    order = worked.order
    what = f"{order.side} {order.quantity:,} {order.contract.key} at {at_price(order.limit)}: {order.status}"
    filled = f", {order.cum_quantity:,} filled" if order.cum_quantity else ""
    changed = f", limit changed {counted(order.changes, 'time')}" if order.changes else ""
    passed = worked.passed
    seen = f"; passed every control at bid {at_price(passed.bid)}, ask {at_price(passed.ask)}" if passed else ""
    refused = f"; refused by {worked.refusal.control} {worked.refusal.said}" if worked.refusal else ""
    return what + filled + changed + seen + refused
