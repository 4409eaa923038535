"""`participant explain`: what a decision saw and said, what became of it, and what would have changed it."""

from argparse import Namespace

from msgspec.structs import replace

from participant import app
from participant.analysis.explain import moves
from participant.analysis.market_moves import market_moves
from participant.commands.decide import find
from participant.commands.errors import DONE
from participant.commands.explained import Explained, Worked, lines
from participant.commands.output import say
from participant.commands.people import rules_of, run_of
from participant.core.brain import decide, refuse
from participant.core.brain_checks import judged
from participant.core.decision import Decision, DecisionInput
from participant.core.market import MarketState
from participant.core.order import Order
from participant.core.risk import Refusal
from participant.core.rulebook import OutsideRules, Rulebook
from participant.core.strategies.table import strategy_of
from participant.core.strategy import Case, Verdict, maintain
from participant.core.surface import Surface, surface
from participant.links.ask import Passed
from participant.links.jobs import read_job
from participant.plugins import load_plugins
from participant.ports import Store
from participant.wire.json import decode


def explain(args: Namespace) -> int:
    """Print what a logged decision saw, said and led to, and what would have led to another."""
    load_plugins()
    logged, rules = find(args, "explain"), rules_of(args)
    (given, fault), decision = read_job(logged.found.given), decode(logged.found.logged, Decision)
    orders = _orders(app.books(run_of(args.home)), logged.day, decision) if decision.legs else ()
    found = explained(logged.day, decision, given, rules, fault)
    found = replace(found, orders=orders)
    say(args, "\n".join(lines(found)), found)
    return DONE


def explained(day: str, decision: Decision, given: DecisionInput, rules: Rulebook, fault: str = "") -> Explained:
    """A decision with the rules that it met and what would have changed it, worked out anew from its input.

    With a `fault` its row of the watchlist could not be read: no rule was met, and no figure would have changed it.
    """

    def again(one: DecisionInput) -> Decision:
        info = one.current_position_info
        return decide(one.scrip, one.market_state, info.position, info.account, rules)

    def judge(one: DecisionInput) -> Verdict:
        return judged(strategy_of(one.scrip.strategy), case_of(one))[0]

    def case_of(one: DecisionInput) -> Case:
        info = one.current_position_info
        return Case(one.scrip, one.market_state, info.position, info.account, rules)

    known = _surface(given.market_state, rules)
    if fault:
        return Explained(day, decision, given, (), known, maintain(refuse(case_of(given), fault).reason, {}), (), ())
    return Explained(day, decision, given, (), known, judge(given), moves(given, again), market_moves(given, judge))


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
