"""Dispatch: which state is decided on and when, and what one commit leaves behind."""

from collections.abc import Callable, Sequence

import pytest

from participant.adapters.compute.inline import InlineCompute
from participant.adapters.queues.memory import MemoryQueue
from participant.adapters.stores.memory import MemoryStore
from participant.core.decision import Action, Decision, DecisionInput, Leg
from participant.core.market import SECOND, Mark, MarketState
from participant.core.messages import Job, JobResult, Message, Write
from participant.core.scrip import Scrip, Side
from participant.links.parts import refs
from participant.links.superseded import superseded
from participant.ports import Compute
from participant.stages.dispatch import Dispatch, DispatchPorts, DispatchRule
from participant.wire.json import decode, encode
from tests.stages.floor import DAY, START, Crash, Floor, call, everything, future, logged

TABLES = ("log", "orders", "outbox", "parts", "seen")


class HandCompute:
    """Jobs that end when and as the test says; the promise is that of the port."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.ended: list[JobResult] = []

    def submit(self, job: Job) -> None:
        self.jobs.append(job)

    def results(self, wait_s: float) -> list[JobResult]:
        ended, self.ended = self.ended, []
        return ended

    def close(self) -> None:
        self.jobs = []

    def end(self, outcome: str = "done", number: int = 0) -> None:
        """The oldest job (or another) ends so."""
        job = self.jobs.pop(number)
        body = maintains(job.body) if outcome == "done" else b""
        self.ended.append(JobResult(job.id, outcome, body, "" if outcome == "done" else f"the {outcome}'s reason"))


def verdict(body: bytes, action: Action, *legs: Leg) -> bytes:
    """A decision on these bytes; its id follows from the snapshot, as the brain's does."""
    state = decode(body, DecisionInput).market_state
    name = f"decided-{state.snapshot_id}"
    when = (state.snapshot_id, state.exchange_at, state.exchange_at + 600 * SECOND)
    return encode(Decision(name, state.scrip, action, "because", {}, legs, *when, "rules", "build"))


def maintains(body: bytes) -> bytes:
    return verdict(body, Action.MAINTAIN)


def opens(floor: Floor) -> Callable[[bytes], bytes]:
    """A brain that buys a future and sells a call whatever it is shown."""

    def run(body: bytes) -> bytes:
        symbol = decode(body, DecisionInput).scrip.symbol
        legs = floor.leg(future(symbol), Side.BUY), floor.leg(call(symbol), Side.SELL)
        return verdict(body, Action.OPEN, *legs)

    return run


@pytest.fixture
def floor() -> Floor:
    return Floor()


def dispatch(floor: Floor, compute: Compute, *, is_lockstep: bool = False, **rows: Scrip) -> Dispatch:
    """A dispatcher that has just been started."""
    floor.queues["market"].restart()
    ports = DispatchPorts(floor.queues["market"], floor.queues["orders"], floor.books, compute, floor.clock, floor.park)
    watchlist = {s: Scrip(s) for s in floor.states} | rows
    return Dispatch(ports, watchlist, DispatchRule(600.0, 3, is_lockstep))


def put(floor: Floor, symbol: str = "NIFTY") -> MarketState:
    """The present state of a scrip goes on the queue."""
    state = floor.states[symbol]
    floor.queues["market"].put([Message(state.snapshot_id, symbol, encode(state))])
    return state


def decisions(floor: Floor) -> list[Decision]:
    return [record.decision_info for record in logged(floor.books)]


def on_orders(floor: Floor) -> list[str]:
    return [m.key for m in floor.queues["orders"].take(100, 0.0)]


def waiting(floor: Floor) -> int:
    depth = floor.queues["market"].depth()
    return depth.waiting + depth.taken


# --- what is decided on ---


def test_a_state_becomes_a_decision_its_orders_and_a_message_to_the_gateway(floor: Floor) -> None:
    state = put(floor)
    stage = dispatch(floor, InlineCompute(opens(floor)))
    assert stage.step(0.0)
    (row,) = floor.books.rows("log")
    (record,) = logged(floor.books)
    assert row.key == f"{DAY}/decided-{state.snapshot_id}"
    assert (record.market_state, record.scrip) == (state, Scrip("NIFTY"))
    assert record.current_position_info.account == floor.account()
    assert [o.leg for o in floor.orders()] == [0, 1]
    (message,) = floor.queues["orders"].take(10, 0.0)
    assert (message.id, message.key) == (record.decision_info.decision_id, "NIFTY")
    assert floor.books.rows("outbox") == []
    assert waiting(floor) == 0
    assert not stage.step(0.0)


def test_decision_log_orders_and_outbox_stand_in_one_commit() -> None:
    class Noting(MemoryStore):
        def commit(self, writes: Sequence[Write]) -> bool:
            commits.append([w.table for w in writes])
            return super().commit(writes)

    commits: list[list[str]] = []
    floor = Floor(Noting())
    put(floor)
    commits.clear()
    dispatch(floor, InlineCompute(opens(floor))).step(0.0)
    (row,) = floor.books.rows("log")
    parts = ["parts"] * len(refs(row.value))
    assert commits == [[*parts, "log", "orders", "orders", "seen", "risks", "outbox"], ["outbox"]]


def test_maintain_is_logged_and_tells_the_gateway_nothing(floor: Floor) -> None:
    put(floor)
    dispatch(floor, InlineCompute(maintains)).step(0.0)
    assert [d.action for d in decisions(floor)] == [Action.MAINTAIN]
    assert on_orders(floor) == []


def test_what_is_not_due_is_done_with_without_a_job(floor: Floor) -> None:
    compute = HandCompute()
    stage = dispatch(floor, compute, NIFTY=Scrip("NIFTY", decide_every_s=60))
    put(floor)
    stage.step(0.0)
    compute.end()
    stage.step(0.0)
    floor.at(59)
    put(floor)
    stage.step(0.0)
    assert (compute.jobs, waiting(floor), len(decisions(floor))) == ([], 0, 1)
    floor.at(60)
    put(floor)
    stage.step(0.0)
    assert len(compute.jobs) == 1


def test_a_scrip_that_is_switched_off_is_never_decided_on(floor: Floor) -> None:
    compute = HandCompute()
    put(floor)
    dispatch(floor, compute, NIFTY=Scrip("NIFTY", is_enabled=False)).step(0.0)
    assert (compute.jobs, waiting(floor)) == ([], 0)


def test_a_job_is_given_the_position_with_what_is_filled_and_not_booked_yet(floor: Floor) -> None:
    floor.decide()
    floor.gateway().step(0.0)
    floor.at(60)
    put(floor)
    compute = HandCompute()
    dispatch(floor, compute).step(0.0)
    info = decode(compute.jobs[0].body, DecisionInput).current_position_info
    assert floor.position().is_flat
    assert (info.position.cover, info.position.short_calls) == (65, 65)


def test_one_job_a_scrip_at_a_time(floor: Floor) -> None:
    compute = HandCompute()
    stage = dispatch(floor, compute)
    put(floor)
    put(floor, "BANKNIFTY")
    stage.step(0.0)
    floor.at(60)
    put(floor)
    put(floor, "BANKNIFTY")
    stage.step(0.0)
    assert [decode(j.body, DecisionInput).scrip.symbol for j in compute.jobs] == ["BANKNIFTY", "NIFTY"]
    compute.end()
    stage.step(0.0)
    stage.step(0.0)
    scrips = [decode(j.body, DecisionInput) for j in compute.jobs]
    assert [(j.scrip.symbol, j.market_state.exchange_at) for j in scrips] == [
        ("NIFTY", START),
        ("BANKNIFTY", START + 60 * SECOND),
    ]


def test_a_newer_state_supersedes_an_older_one_that_waits(floor: Floor) -> None:
    compute = HandCompute()
    stage = dispatch(floor, compute)
    put(floor)
    stage.step(0.0)
    for second in (60, 120, 180):
        floor.at(second)
        put(floor)
    compute.end()
    stage.step(0.0)
    stage.step(0.0)
    (job,) = compute.jobs
    assert decode(job.body, DecisionInput).market_state.exchange_at == START + 180 * SECOND
    assert waiting(floor) == 1
    assert len(decisions(floor)) == 1


def test_a_newer_state_supersedes_one_that_was_taken_before_it(floor: Floor) -> None:
    """A queue may hand a state out again, with newer ones of its scrip, once its time to be hidden is over."""
    floor.queues["market"] = MemoryQueue(lambda: floor.wall.now() / SECOND, visibility_s=0.0, receives_max=100)
    compute = HandCompute()
    stage = dispatch(floor, compute)
    put(floor)
    stage.step(0.0)
    for second in (60, 120):
        floor.at(second)
        put(floor)
        stage.step(0.0)
    compute.end()
    stage.step(0.0)
    stage.step(0.0)
    assert [decode(j.body, DecisionInput).market_state.exchange_at for j in compute.jobs] == [START + 120 * SECOND]
    assert [d.decided_for for d in decisions(floor)] == [START]


# --- what goes wrong ---


def test_a_job_that_failed_is_tried_three_times_and_then_parked(floor: Floor) -> None:
    compute = HandCompute()
    stage = dispatch(floor, compute)
    state = put(floor)
    bodies = []
    for _ in range(3):
        stage.step(0.0)
        bodies.append(compute.jobs[0].body)
        compute.end("error")
    stage.step(0.0)
    assert (len(set(bodies)), compute.jobs) == (1, [])
    (decision,) = decisions(floor)
    assert (decision.outcome, decision.action, decision.snapshot_id) == ("parked", Action.MAINTAIN, state.snapshot_id)
    said = "No decision: the job parked (the error's reason)."
    assert decision.reason == f"{said} It is parked as {decision.decision_id}."
    assert floor.parked == {decision.decision_id: bodies[0]}
    assert [(m.id, why) for m, why in floor.queues["market"].dead_letters()] == [(state.snapshot_id, decision.reason)]
    assert waiting(floor) == 0


def test_a_job_that_failed_once_may_still_decide(floor: Floor) -> None:
    compute = HandCompute()
    stage = dispatch(floor, compute)
    put(floor)
    stage.step(0.0)
    compute.end("error")
    stage.step(0.0)
    compute.end()
    stage.step(0.0)
    assert [d.outcome for d in decisions(floor)] == ["decided"]
    assert floor.queues["market"].dead_letters() == []


def test_a_job_that_timed_out_is_logged_and_not_tried_again(floor: Floor) -> None:
    compute = HandCompute()
    stage = dispatch(floor, compute)
    put(floor)
    stage.step(0.0)
    assert compute.jobs[0].timeout_s == 600.0
    compute.end("timeout")
    stage.step(0.0)
    assert (compute.jobs, waiting(floor)) == ([], 0)
    assert [(d.outcome, d.legs) for d in decisions(floor)] == [("timed out", ())]
    assert floor.queues["market"].dead_letters() == []
    floor.at(60)
    put(floor)
    stage.step(0.0)
    assert len(compute.jobs) == 1, "the next state is decided on as ever"


def test_a_brain_that_raises_is_parked_with_what_it_raised(floor: Floor) -> None:
    def broken(body: bytes) -> bytes:
        raise ArithmeticError("the strategy is broken")

    put(floor)
    stage = dispatch(floor, InlineCompute(broken))
    for _ in range(4):
        stage.step(0.0)
    (decision,) = decisions(floor)
    assert decision.outcome == "parked"
    assert "the strategy is broken" in decision.reason


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"not even JSON", "its answer: no Decision"),
        (b'{"decisionId": 5}', "its answer: no Decision"),
        (b"", "its answer: no Decision"),
        (encode(Decision("d", "BANKNIFTY", Action.OPEN, "b", {}, (), "s", 0, 0, "r", "b")), "a decision on BANKNIFTY"),
    ],
)
def test_an_answer_that_is_no_decision_on_the_snapshot_is_an_error_and_no_end_of_ours(
    answer: bytes, said: str, floor: Floor
) -> None:
    put(floor)
    stage = dispatch(floor, InlineCompute(lambda _: answer))
    for _ in range(4):
        stage.step(0.0)
    (decision,) = decisions(floor)
    assert (decision.outcome, decision.legs) == ("parked", ())
    assert said in decision.reason
    assert on_orders(floor) == []


def test_a_job_that_timed_out_is_not_parked(floor: Floor) -> None:
    compute = HandCompute()
    stage = dispatch(floor, compute)
    put(floor)
    stage.step(0.0)
    compute.end("timeout")
    stage.step(0.0)
    assert floor.parked == {}


def test_states_that_a_newer_one_took_the_place_of_are_counted_by_day_and_scrip(floor: Floor) -> None:
    compute = HandCompute()
    for rounds in (1, 2):  # another dispatcher goes on counting where the first one stood
        stage = dispatch(floor, compute)
        for second in (0, 60, 120, 180):
            floor.at(1_000 * rounds + second)
            put(floor)
            stage.step(0.0)
        compute.end()
        stage.step(0.0)
        assert superseded(floor.books, DAY) == ({"NIFTY": 2} if rounds > 1 else {})
        stage.step(0.0)
        compute.end()
        stage.step(0.0)
        assert superseded(floor.books, DAY) == {"NIFTY": 2 * rounds}


def test_a_jobs_time_began_with_its_snapshot(floor: Floor) -> None:
    compute = HandCompute()
    put(floor)
    floor.clock.advance(150 * SECOND)
    stage = dispatch(floor, compute)
    stage.step(0.0)
    assert compute.jobs[0].timeout_s == 450.0
    floor.clock.advance(500 * SECOND)
    compute.end("error")
    stage.step(0.0)
    assert compute.jobs[0].timeout_s == 0.0, "what is over is over, for another try too"


# --- again ---


def test_a_state_that_comes_again_changes_nothing(floor: Floor) -> None:
    state = put(floor)
    dispatch(floor, InlineCompute(opens(floor))).step(0.0)
    before = everything(floor.books, *TABLES)
    again = Message("again", "NIFTY", encode(state))
    floor.queues["market"].put([again])
    dispatch(floor, InlineCompute(opens(floor))).step(0.0)
    assert everything(floor.books, *TABLES) == before
    assert on_orders(floor) == ["NIFTY"]


def test_a_decision_that_is_made_again_is_not_committed_again(floor: Floor) -> None:
    """Whatever `seen` has forgotten: the row of the log alone keeps a snapshot from being decided twice."""
    state = put(floor)
    dispatch(floor, InlineCompute(opens(floor))).step(0.0)
    floor.gateway().step(0.0)
    floor.books.commit([Write("seen", "NIFTY", None)])
    before = everything(floor.books, "log", "orders", "outbox", "parts")
    floor.queues["market"].put([Message("again", "NIFTY", encode(state))])
    dispatch(floor, InlineCompute(opens(floor))).step(0.0)
    assert everything(floor.books, "log", "orders", "outbox", "parts") == before
    assert waiting(floor) == 0


def test_what_was_logged_of_a_snapshot_stays_as_it_was_logged(floor: Floor) -> None:
    """Another account or another mood of the brain changes nothing that was decided already."""
    state = put(floor)
    dispatch(floor, InlineCompute(maintains)).step(0.0)
    floor.books.commit([Write("seen", "NIFTY", None)])
    before = everything(floor.books, "log", "orders", "outbox", "parts")
    floor.queues["market"].put([Message("again", "NIFTY", encode(state))])
    dispatch(floor, InlineCompute(opens(floor))).step(0.0)
    assert everything(floor.books, "log", "orders", "outbox", "parts") == before


def test_a_crash_after_the_commit_loses_no_order_and_doubles_none(floor: Floor) -> None:
    class Dying(MemoryQueue):
        def put(self, messages: object) -> int:
            raise Crash

    sound = floor.queues["orders"]
    floor.queues["orders"] = Dying(lambda: 0.0)
    put(floor)
    with pytest.raises(Crash):
        dispatch(floor, InlineCompute(opens(floor))).step(0.0)
    floor.queues["orders"] = sound
    dispatch(floor, InlineCompute(opens(floor))).step(0.0)
    assert on_orders(floor) == ["NIFTY"]
    assert (len(decisions(floor)), len(floor.orders())) == (1, 2)


def test_what_ran_when_we_died_comes_again_from_the_queue(floor: Floor) -> None:
    compute = HandCompute()
    state = put(floor)
    dispatch(floor, compute).step(0.0)
    again = HandCompute()
    dispatch(floor, again).step(0.0)
    assert [j.id for j in again.jobs] == [state.snapshot_id]


# --- marks ---


def test_free_running_a_mark_does_not_wait_for_jobs(floor: Floor) -> None:
    compute = HandCompute()
    put(floor)
    floor.mark("market", START)
    dispatch(floor, compute).step(0.0)
    assert on_orders(floor) == ["mark"]
    assert waiting(floor) == 1


def test_the_last_mark_waits_for_every_job(floor: Floor) -> None:
    compute = HandCompute()
    stage = dispatch(floor, compute)
    put(floor)
    floor.mark("market", START, is_last=True)
    for _ in range(3):
        stage.step(0.0)
    assert on_orders(floor) == []
    compute.end()
    stage.step(0.0)
    (message,) = floor.queues["orders"].take(10, 0.0)
    assert decode(message.body, Mark).is_last
    assert waiting(floor) == 0


def test_in_lockstep_an_instant_is_committed_as_a_whole_in_the_order_of_the_scrips(floor: Floor) -> None:
    compute = HandCompute()
    stage = dispatch(floor, compute, is_lockstep=True)
    put(floor)
    put(floor, "BANKNIFTY")
    floor.mark("market", START)
    stage.step(0.0)
    compute.end(number=1)  # NIFTY ends first
    stage.step(0.0)
    assert (decisions(floor), on_orders(floor)) == ([], [])
    compute.end("error")
    stage.step(0.0)
    assert (decisions(floor), on_orders(floor)) == ([], []), "a job that is tried again is waited for as well"
    compute.end()
    stage.step(0.0)
    assert [d.scrip for d in decisions(floor)] == ["BANKNIFTY", "NIFTY"]
    assert on_orders(floor) == ["mark"]


def test_in_lockstep_a_mark_comes_after_the_orders_of_its_instant(floor: Floor) -> None:
    put(floor)
    put(floor, "BANKNIFTY")
    floor.mark("market", START)
    dispatch(floor, InlineCompute(opens(floor)), is_lockstep=True).step(0.0)
    assert on_orders(floor) == ["BANKNIFTY", "NIFTY", "mark"]


def test_of_several_marks_the_newest_is_handed_on(floor: Floor) -> None:
    for second in (0, 60, 120):
        floor.mark("market", START + second * SECOND)
    dispatch(floor, HandCompute()).step(0.0)
    (message,) = floor.queues["orders"].take(10, 0.0)
    assert (message.id, waiting(floor)) == (f"mark-{START + 120 * SECOND}", 0)


def test_a_step_says_whether_anything_came_or_ended(floor: Floor) -> None:
    compute = HandCompute()
    stage = dispatch(floor, compute)
    put(floor)
    assert stage.step(0.0), "a state came"
    assert not stage.step(0.0)
    compute.end()
    assert stage.step(0.0), "a job ended"
    assert not stage.step(0.0)
    floor.mark("market", START)
    assert stage.step(0.0), "a mark came"
    assert (stage.step(0.0), stage.marks) == (False, [])
