"""Not a sample but all: the gateway dies at each point of a day, before and after each write and each request."""

from dataclasses import replace

import pytest

from participant.links.faults import Faults
from tests.sim.desk import QUIET, Sim
from tests.sim.invariants import Invariants

INSTANTS = 4
BLOCKS = 4
DAYS = {
    "a broker that answers": (0, QUIET),
    "a broker that times out on half of what it takes": (
        1,
        replace(QUIET, faults=Faults(seed=1, accept_silently=0.3, accept_late=0.2, throttle=0.2, partial=0.5)),
    ),
}


@pytest.mark.parametrize("block", range(BLOCKS))
@pytest.mark.parametrize("day", DAYS)
def test_the_gateway_may_die_at_any_point_of_the_day(day: str, block: int) -> None:
    seed, plan = DAYS[day]
    count = Sim(seed, INSTANTS, Invariants(), plan).run().points
    assert count > 50, "a day on which the gateway does nothing proves nothing"
    for point in range(1 + block, count + 1, BLOCKS):
        sim = Sim(seed, INSTANTS, Invariants(), plan, crash_at=point).run()
        assert sim.crashes == 1, f"point {point} was not reached"
        assert len({order.tag for order, _ in sim.wire}) == len(sim.wire), f"point {point}: one tag on the wire twice"
