"""Seeded days with faults in feeds, brain, broker and processes: every invariant holds at every event."""

from collections import Counter
from dataclasses import replace

from participant.core.order import OrderStatus
from participant.links.faults import Faults
from tests.sim import world
from tests.sim.desk import QUIET, Sim
from tests.sim.invariants import Invariants


def test_no_invariant_breaks_on_any_seeded_day(seed_block: range) -> None:
    for seed in seed_block:
        Sim(seed, watcher=Invariants()).run()


def test_a_broker_that_accepts_and_times_out_or_accepts_late_never_fills_twice(seed_block: range) -> None:
    """Half of all requests time out although they are taken, at once or up to 170 s later; every third day all fail."""
    for seed in seed_block:
        silently, late = (0.5, 0.5) if seed % 3 == 0 else (0.3, 0.3)
        faults = Faults(seed=seed, accept_silently=silently, accept_late=late, partial=0.3, update_drop=0.5)
        plan = replace(QUIET, faults=faults)
        sim = Sim(seed, watcher=Invariants(), plan=plan).run()

        for order in sim.orders():
            assert order.cum_quantity <= order.quantity
            assert order.sends <= 1, "nothing was proven, so nothing may be sent again"


def test_the_same_seed_twice_gives_the_same_day_to_the_byte() -> None:
    for seed in (3, 37, 73):
        first, second = Sim(seed).run(), Sim(seed).run()

        assert list(first.archive.read(str(world.DAY))) == list(second.archive.read(str(world.DAY)))
        assert first.raw_books.rows("orders") == second.raw_books.rows("orders")


def test_the_days_reach_what_they_are_meant_to_reach() -> None:
    """A simulation in which nothing goes wrong proves nothing: every state and kind of fault must turn up."""
    states: Counter[str] = Counter()
    crashes = tickets = second_sends = resolved = sliced = 0
    for seed in range(60):
        sim = Sim(seed).run()
        crashes += sim.crashes
        tickets += len(sim.tickets())
        for order in sim.orders():
            states[order.status] += 1
            second_sends += order.sends == 2
            sliced += order.part > 0 and order.sends > 0
            resolved += order.status is OrderStatus.FILLED and "timed out" in order.reason

    assert {s for s in OrderStatus if s.value not in ("sending", "decided", "working", "partial", "rejected")} <= {
        *states,
        OrderStatus.CLAIMED,
    }
    assert crashes > 50
    assert tickets > 10
    assert second_sends > 5
    assert sliced > 5
    assert resolved > 5
