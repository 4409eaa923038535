"""Seeded days with faults on which every scrip trades a structure of four legs: the same invariants, at every event."""

import random
from collections import Counter
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

import participant.core.risk
import participant.stages.decide
from examples.iron_condor.iron_condor import STRATEGY
from participant.core.brain import decide
from participant.core.decision import Action, Decision
from participant.core.order import OrderStatus
from participant.core.scrip import Kind, Scrip, Setting, Side
from participant.core.strategies.table import STRATEGIES
from tests.sim import world
from tests.sim.desk import Sim
from tests.sim.invariants import Invariants, Violation

DAYS, DAYS_MAX = 24, 60


@pytest.fixture(autouse=True)
def condors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that open at once and close before long, at a gain or a loss, so that a short day holds whole lives."""
    monkeypatch.setitem(STRATEGIES, "iron_condor", STRATEGY)
    drawn = world.watchlist

    def watchlist(rng: random.Random) -> dict[str, Scrip]:
        rows = drawn(rng)
        own: dict[str, Setting] = {
            "short_delta": 0.3, "delta_error_max": 0.25, "wing_share": 0.01, "wing_spread_max": 1.0,
            "credit_share_min": 0.01, "loss_share_max": rng.choice([0.002, 0.02]),
            "profit_share": rng.choice([0.02, 0.5]), "stop_multiple": rng.choice([0.02, 0.2]),
        }  # fmt: skip
        return {symbol: replace(row, strategy="iron_condor", settings=own) for symbol, row in rows.items()}

    monkeypatch.setattr(world, "watchlist", watchlist)


def test_no_invariant_breaks_on_any_day_and_whole_lives_of_structures_are_seen() -> None:
    filled: Counter[tuple[Kind, Side]] = Counter()
    sold_back = lost = 0
    for seed in range(DAYS):
        sim = Sim(seed, watcher=Invariants()).run()
        orders = sim.orders()
        filled.update((o.contract.kind, o.side) for o in orders if o.status is OrderStatus.FILLED)
        sold_back += any(o.side is Side.SELL and o.leg >= 2 and o.quantity == o.cum_quantity for o in orders)
        lost += any(o.status in {OrderStatus.UNKNOWN, OrderStatus.DEAD} for o in orders)
    assert set(filled) == {(kind, side) for kind in (Kind.CALL, Kind.PUT) for side in Side}
    assert min(filled.values()) >= DAYS
    assert sold_back >= DAYS // 2
    assert lost, "some orders are lost on the way"


def wings_are_sold_first(patch: pytest.MonkeyPatch) -> None:
    def wrong(*arguments: object) -> Decision:
        decision = decide(*arguments)  # type: ignore[arg-type] # exactly what the brain is given
        return replace(decision, legs=decision.legs[::-1]) if decision.action is Action.CLOSE else decision

    patch.setattr(participant.stages.decide, "decide", wrong)


def shorts_are_sold_first(patch: pytest.MonkeyPatch) -> None:
    def wrong(*arguments: object) -> Decision:
        decision = decide(*arguments)  # type: ignore[arg-type] # exactly what the brain is given
        return replace(decision, legs=decision.legs[::-1]) if decision.action is Action.OPEN else decision

    patch.setattr(participant.stages.decide, "decide", wrong)


@pytest.mark.parametrize("plant", [wings_are_sold_first, shorts_are_sold_first])
def test_legs_in_the_wrong_order_are_held_back_by_the_gateway_and_caught_without_its_control(
    plant: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(plant)
    plant(monkeypatch)
    for seed in range(4):
        Sim(seed, watcher=Invariants()).run()
    left = [control for control in participant.core.risk.CHECKS if control.rule != "covered"]
    monkeypatch.setattr(participant.core.risk, "CHECKS", left)
    assert any("invariant 1: " in said and "without cover" in said for said in violations())


def violations() -> Iterator[str]:
    for seed in range(DAYS_MAX):
        try:
            Sim(seed, watcher=Invariants()).run()
        except Violation as found:
            yield str(found)
