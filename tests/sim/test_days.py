"""Seeded days with faults in feeds, brain, broker, its line and processes: every invariant holds at every event."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from participant.core.order import OrderStatus
from participant.links.faults import Faults
from tests.sim import world
from tests.sim.desk import QUIET, Sim
from tests.sim.invariants import AGREE_S, Invariants
from tests.sim.line import LATE

DAYS = 60
LATE_MAX_S = 170
FAULTS = (
    "taken, and the answer was a time-out",
    "taken, and the answer was a 400",
    "taken, and the answer was lost with the line",
    f"{LATE} a time-out",
    f"{LATE} a 400",
    "never taken, and the answer was a time-out",
    "never taken, and the answer was a 400",
    "refused",
    "throttled",
    "filled in part",
    "an update told twice",
    "an update out of order",
    "an update that was never told",
    "a book that could not be read",
    "the line went down",
    "the line was down: not sent",
    "the line was down: no end asked for",
    "changed",
    "a change of unknown fate",
    "the line was down: no book",
    "the line was down: an update was lost",
)
# Where the gateway dies now and then on drawn days; tests/sim/test_crash_points.py lets it die everywhere.
DEATHS = ("broker.place", "broker.find", "fills.put", "orders.done", "order sending", "order filled", "row of outbox")
Note = Callable[[str, object], None]


def test_no_invariant_breaks_on_any_seeded_day(seed_block: range, record_property: Note) -> None:
    worst = 0
    for seed in seed_block:
        watcher = Invariants()
        sim = Sim(seed, watcher=watcher).run()
        worst = max(worst, watcher.agreed_after_s(sim))
    record_property("the books agree after s", worst)
    assert worst <= AGREE_S


def test_a_broker_that_accepts_and_times_out_or_accepts_late_never_fills_twice(
    seed_block: range, record_property: Note
) -> None:
    """Half of all requests time out although they are taken, at once or up to 170 s later; every third day all fail."""
    worst = 0
    for seed in seed_block:
        silently, late = (0.5, 0.5) if seed % 3 == 0 else (0.3, 0.3)
        faults = Faults(seed=seed, accept_silently=silently, accept_late=late, partial=0.3, update_drop=0.5)
        plan, watcher = replace(QUIET, faults=faults), Invariants()
        sim = Sim(seed, watcher=watcher, plan=plan).run()
        worst = max(worst, watcher.agreed_after_s(sim))

        for order in sim.orders():
            assert order.cum_quantity <= order.quantity
            assert order.sends <= 1, "nothing was proven, so nothing may be sent again"
    record_property("the books agree after s", worst)
    assert worst <= AGREE_S


def test_the_same_seed_twice_gives_the_same_day_to_the_byte() -> None:
    for seed in (3, 37, 73):
        first, second = Sim(seed).run(), Sim(seed).run()

        assert list(first.archive.read(str(world.DAY))) == list(second.archive.read(str(world.DAY)))
        assert first.raw_books.rows("orders") == second.raw_books.rows("orders")


# --- a simulation in which nothing goes wrong proves nothing ----------------------------------------------------------


def test_the_days_reach_what_they_are_meant_to_reach() -> None:
    """Every state of an order, every fault that is named, a death of the gateway at all that it writes and sends."""
    days = [Sim(seed).run() for seed in range(DAYS)]
    _reach_every_state(days)

    seen = {fault: [sim.line.seen[fault] for sim in days] for fault in FAULTS}
    assert {fault: sum(counts) for fault, counts in seen.items() if sum(counts) < 5} == {}
    assert {fault for fault, counts in seen.items() if sum(count > 0 for count in counts) < 3} == set(), "on some days"

    late = sorted(s for sim in days for s in sim.line.late_s)
    assert late[0] < 30
    assert LATE_MAX_S - 20 < late[-1] <= LATE_MAX_S

    died = [what for sim in days for at in sim.died_at for what in at.what]
    assert set(DEATHS) <= set(died)


def _reach_every_state(days: list[Sim]) -> None:
    orders = [order for sim in days for order in sim.orders()]
    passing = {"sending", "decided", "working", "partial", "rejected", "claimed"}
    assert {s for s in OrderStatus if s.value not in passing} <= {o.status for o in orders}
    assert sum(sim.crashes for sim in days) > 50
    assert sum(len(sim.tickets()) for sim in days) > 10
    assert sum(o.sends == 2 for o in orders) > 5
    assert sum(o.part > 0 and o.sends > 0 for o in orders) > 5
    assert sum(o.status is OrderStatus.FILLED and "the answer was too late" in o.reason for o in orders) > 5
    assert sum(o.status is OrderStatus.FILLED and "answer 400" in o.reason for o in orders) > 5


def test_on_a_quiet_day_nothing_of_it_happens() -> None:
    """So what is counted above is counted where it happens."""
    sim = Sim(0, plan=QUIET).run()

    usual = Counter({"filled in part": 100, "changed": 100})
    assert +sim.line.seen - usual == Counter(), "a display may be small, and a limit follow the market, on any day"
    assert (sim.line.late_s, sim.died_at, sim.crashes) == ([], [], 0)
    assert sum(o.status is OrderStatus.FILLED for o in sim.orders()) > 3, "and it is a day of trading"
