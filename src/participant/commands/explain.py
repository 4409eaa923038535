"""`participant explain`: what a decision saw and said, what became of it, and what would have changed it."""

import textwrap
from argparse import Namespace
from collections.abc import Iterator

from msgspec import Struct

from participant import app
from participant.analysis.explain import Move, moves
from participant.commands.decide import find
from participant.commands.errors import DONE
from participant.commands.output import say
from participant.commands.people import rules_of, run_of
from participant.commands.volatilities import volatilities
from participant.core.brain import decide
from participant.core.decision import Decision, DecisionInput, Figure
from participant.core.market import SECOND, MarketState
from participant.core.order import Order
from participant.core.risk import Refusal
from participant.core.rulebook import OutsideRules, Rulebook
from participant.core.surface import Surface, surface
from participant.core.wording import at_price, counted, rupees
from participant.links.ask import Passed
from participant.operate.view import clock
from participant.plugins import load_plugins
from participant.ports import Store
from participant.wire.json import decode

WIDTH = 110
PRICES = frozenset({"spot", "forward", "basis", "square_off_level", "call_strike"})


class Worked(Struct, frozen=True):
    """An order of the decision as it stands, and the first control that refused it or its last change."""

    order: Order
    refusal: Refusal | None
    passed: Passed | None


class Explained(Struct, frozen=True):
    """A decision, its input, its orders in the books, the settings that would have changed it, and the volatilities.

    Without a rule for the day there is no surface, as there was no decision.
    """

    day: str
    decision: Decision
    given: DecisionInput
    orders: tuple[Worked, ...]
    moves: tuple[Move, ...]
    surface: Surface | None


def explain(args: Namespace) -> int:
    """Print what a logged decision saw, said and led to, and which settings would have led to another."""
    load_plugins()
    logged, rules = find(args, "explain"), rules_of(args)
    given, decision = decode(logged.found.given, DecisionInput), decode(logged.found.logged, Decision)

    def again(one: DecisionInput) -> Decision:
        info = one.current_position_info
        return decide(one.scrip, one.market_state, info.position, info.account, rules)

    orders = _orders(app.books(run_of(args.home)), logged.day, decision) if decision.legs else ()
    found = Explained(logged.day, decision, given, orders, moves(given, again), _surface(given.market_state, rules))
    say(args, "\n".join(_lines(found)), found)
    return DONE


def _surface(state: MarketState, rules: Rulebook) -> Surface | None:
    try:
        return surface(state, rules)
    except OutsideRules:
        return None


def _orders(store: Store, day: str, decision: Decision) -> tuple[Worked, ...]:
    orders = [decode(row.value, Order) for row in store.rows("orders", prefix=f"{day}/")]
    mine = sorted((o for o in orders if o.decision_id == decision.decision_id), key=lambda o: (o.leg, o.part))
    return tuple(_worked(store, day, order) for order in mine)


def _worked(store: Store, day: str, order: Order) -> Worked:
    key = f"{day}/{order.order_id}"
    refusals, checks = store.rows("refusals", prefix=key), store.rows("checks", prefix=key)
    refusal = decode(refusals[-1].value, Refusal) if refusals else None
    return Worked(order, refusal, decode(checks[-1].value, Passed) if checks else None)


def _lines(found: Explained) -> Iterator[str]:
    decision, given = found.decision, found.given
    yield f"{decision.scrip}, {found.day} {clock(decision.decided_for)} IST: {decision.action} ({decision.outcome})"
    yield from _wrapped("", decision.reason)
    yield from _wrapped("saw", _saw(given.market_state))
    yield from _wrapped("held", _held(given))
    yield from _wrapped("figures", ", ".join(f"{name} {_figure(name, f)}" for name, f in decision.figures.items()))
    for name, text in volatilities(found.surface) if found.surface else ():
        yield from _wrapped(name, text)
    for worked in found.orders:
        yield from _wrapped("order", _order(worked))
    for move in found.moves:
        yield from _wrapped("else", f"{move.setting} = {move.then:.6g} (is {move.was:g}): {move.action}, {move.reason}")
    if not found.moves:
        yield from _wrapped("else", "no single setting, moved to one of these figures, would have changed it")
    yield f"  decision  {decision.decision_id}, snapshot {decision.snapshot_id[:12]}, strategy {given.scrip.strategy}"


def _wrapped(name: str, text: str) -> Iterator[str]:
    yield from textwrap.wrap(text, WIDTH, initial_indent=f"  {name:10}", subsequent_indent=" " * 12)


def _saw(state: MarketState) -> str:
    options = list(state.options())
    times = [q.exchange_at for _, q in options] + [f.quote.exchange_at for f in state.futures]
    age = f"quotes up to {(state.exchange_at - min(times)) / SECOND:.1f} s old" if times else "no quotes"
    return (
        f"spot {at_price(state.spot)}; {counted(len(state.futures), 'future')}, {len(state.chains)} expiries, "
        f"{counted(len(options), 'quoted option')}; {age}; from provider {state.provider}; "
        f"{counted(len(state.look_back.closes), 'session')} of look-back{'; ' if state.marks else ''}"
        f"{', '.join(state.marks)}"
    )


def _held(given: DecisionInput) -> str:
    position, account = given.current_position_info.position, given.current_position_info.account
    held = [f"{h.quantity:+,} {h.contract.key}" for h in position.holdings]
    works = [f"{w.quantity:+,} {w.contract.key} working" for w in position.working]
    money = f"cash {rupees(account.cash)}, {rupees(account.committed)} of it as margin"
    return f"{', '.join([*held, *works]) or 'nothing'}; {money}"


def _figure(name: str, figure: Figure) -> str:
    if name.endswith("_paise") and isinstance(figure, int | float):
        return rupees(round(figure))
    is_price = name in PRICES or name.endswith(("_bid", "_ask"))
    if is_price and isinstance(figure, int | float):
        return at_price(round(figure))
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
