"""Not a sample but all: the gateway dies at each point of a day, before and after each write and each request.

Between the end of one effect and the beginning of the next of the same step nothing happens that outlives the process,
so the two are one moment to die at, and it is tried once.
"""

from dataclasses import replace

import pytest

from participant.links.faults import Faults
from tests.sim.desk import QUIET, Plan, Point, Sim
from tests.sim.invariants import Invariants

INSTANTS = 4
BLOCKS = 4
DAYS = {
    "a broker that answers": (0, QUIET),
    "a broker that times out on half of what it takes": (
        1,
        replace(QUIET, faults=Faults(seed=1, accept_silently=0.3, accept_late=0.2, throttle=0.2, partial=0.5)),
    ),
    "a broker that refuses, and whose line goes down": (
        5,
        replace(QUIET, faults=Faults(seed=5, refuse=0.3, throttle=0.3, partial=0.5, books_down=0.1), line=0.03),
    ),
}
# What the gateway does that outlives it: on disk, on a queue, on the wire.
WRITES = {
    "order claimed", "order denied", "order sending", "order working", "order partial", "order unknown", "order filled",
    "order rejected", "order dead", "order cancelled (end taken)", "order partial (end asked for)",
    "order partial (end taken)", "order partial (change asked for)",
    "row of account", "row of checks", "row of outbox", "no row of outbox",
    "row of refusals", "row of tickets",
}  # fmt: skip
REQUESTS = {"broker.place", "broker.modify", "broker.cancel", "broker.find", "fills.put", "orders.done"}
HEARD = {"after": {"broker.updates"}, "before": set[str]()}  # before it is heard an update is nothing of ours


def day_of(day: str) -> tuple[int, Plan, list[Point]]:
    """A day's seed and plan, and its points."""
    seed, plan = DAYS[day]
    return seed, plan, Sim(seed, INSTANTS, Invariants(), plan).run().points


def moments(points: list[Point]) -> list[int]:
    """The numbers of the points, from 1, less each that is the one before it over again."""
    pairs = zip([None, *points], points, strict=False)
    return [n for n, (last, at) in enumerate(pairs, 1) if not is_same_moment(last, at)]


def is_same_moment(last: Point | None, at: Point) -> bool:
    return last is not None and (last.step, last.when, at.when) == (at.step, "after", "before")


@pytest.mark.parametrize("block", range(BLOCKS))
@pytest.mark.parametrize("day", DAYS)
def test_the_gateway_may_die_at_any_point_of_the_day(day: str, block: int) -> None:
    seed, plan, points = day_of(day)
    assert len(moments(points)) > 50, "a day on which the gateway does nothing proves nothing"
    for point in moments(points)[block::BLOCKS]:
        sim = Sim(seed, INSTANTS, Invariants(), plan, crash_at=point).run()
        assert sim.crashes == len(sim.died_at) == 1, f"point {point} was not reached"
        assert len({order.tag for order, _ in sim.wire}) == len(sim.wire), f"point {point}: one tag on the wire twice"


@pytest.mark.parametrize("when", ["before", "after"])
def test_these_points_are_before_and_after_everything_that_the_gateway_writes_and_asks(when: str) -> None:
    days = [day_of(day)[2] for day in DAYS]
    reached = {what for points in days for point in points if point.when == when for what in point.what}
    wanted = WRITES | REQUESTS | HEARD[when]
    assert reached >= wanted, sorted(wanted - reached)
    for points in days:
        tried = set(moments(points))
        assert all(n in tried or (at.when == "before" and n - 1 in tried) for n, at in enumerate(points, 1))
