"""Seeded days with faults in feeds, brain, broker and processes: every invariant holds at every event."""

from collections import Counter

from participant.core.order import OrderStatus
from tests.sim.desk import Sim
from tests.sim.invariants import Invariants


def test_no_invariant_breaks_on_any_seeded_day(seed_block: range) -> None:
    for seed in seed_block:
        Sim(seed, watcher=Invariants()).run()


def test_the_same_seed_twice_gives_the_same_day_to_the_byte() -> None:
    for seed in (3, 37, 73):
        first, second = Sim(seed).run(), Sim(seed).run()

        assert first.archive.lines == second.archive.lines
        assert first.raw_books.rows("orders") == second.raw_books.rows("orders")


def test_the_days_reach_what_they_are_meant_to_reach() -> None:
    """A simulation in which nothing goes wrong proves nothing: every state and kind of fault must turn up."""
    states: Counter[str] = Counter()
    crashes = tickets = second_sends = resolved = 0
    for seed in range(60):
        sim = Sim(seed).run()
        crashes += sim.crashes
        tickets += len(sim.tickets())
        for order in sim.orders():
            states[order.status] += 1
            second_sends += order.sends == 2
            resolved += order.status is OrderStatus.FILLED and "timed out" in order.reason

    assert {s for s in OrderStatus if s.value not in ("sending", "decided", "working", "partial", "rejected")} <= {
        *states,
        OrderStatus.CLAIMED,
    }
    assert crashes > 50
    assert tickets > 10
    assert second_sends > 5
    assert resolved > 5
