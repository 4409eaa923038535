"""Ingest: whom it believes, what it publishes and when, free-running and in lockstep."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from participant.adapters.clocks.virtual import VirtualClock
from participant.adapters.feeds.memory import MemoryFeed
from participant.adapters.queues.memory import MemoryQueue
from participant.adapters.stores.memory import MemoryStore
from participant.core.feed_rules import Arbitration
from participant.core.market import SECOND, Down, FeedEvent, Held, Mark, MarketState, Reference, Tick, Ticks
from participant.core.messages import Message
from participant.core.providers import FeedStatus
from participant.core.snapshot import snapshot
from participant.history.synthetic import Instant
from participant.stages.ingest import Ingest, IngestPorts
from participant.wire.json import decode
from tests.stages.floor import CONTRACTS, REFERENCES, SPOTS, START, Crash, quoted

NAMES = ("one", "two", "three")
RULE = Arbitration(silence_max_s=3.0, well_before_return_s=20.0, return_apart_s=0.0)
HALF = 0.5


def instant(second: float, up: int = 0, *, is_last: bool = False) -> Instant:
    """Everything anew at this second, the spots moved up by so many price units."""
    at = START + int(second * SECOND)
    ticks = [Tick(s, 0, 0, 0, 0, spot + up, at) for s, spot in SPOTS.items()]
    for contract in (c for of in CONTRACTS.values() for c in of):
        quote = quoted(contract)
        ticks.append(Tick(contract.key, quote.bid, quote.ask, quote.bid_size, quote.ask_size, 0, at))
    return Instant(at, tuple(ticks), is_last)


class Providers:
    """Three providers of one market, and all that ingest needs besides."""

    def __init__(self, names: Sequence[str] = NAMES) -> None:
        self.clock = VirtualClock(START)
        self.feeds = {n: MemoryFeed(n, self.clock) for n in names}
        self.queue = MemoryQueue(lambda: 0.0, visibility_s=0.0, receives_max=1000)
        self.quotes = MemoryStore()
        self.told: set[str] = set()

    def ingest(self, wait_s: float = 0.0, references: Sequence[Reference] = REFERENCES, every_ms: int = 0) -> Ingest:
        """An ingest that has just been started; `wait_s` > 0 puts it in lockstep."""
        ports = IngestPorts(dict(self.feeds), self.queue, self.quotes, self.clock)
        return Ingest(ports, references, replace(RULE, snapshot_every_ms=every_ms), wait_s)

    def at(self, second: float) -> None:
        self.clock.set(START + int(second * SECOND))

    def publish(self, made: Instant, *names: str) -> None:
        """These providers (all by default) say an instant."""
        for name in names or self.feeds:
            self.feeds[name].publish(made)

    def news(self) -> list[Message]:
        """What came on the queue since the last look."""
        found = [m for m in self.queue.take(1000, 0.0) if m.id not in self.told]
        self.told |= {m.id for m in found}
        return found

    def states(self) -> list[MarketState]:
        """The states among the news."""
        return [decode(m.body, MarketState) for m in self.news() if m.key != "mark"]

    def status(self) -> FeedStatus:
        row = self.quotes.get("feeds", "status")
        assert row is not None
        return decode(row.value, FeedStatus)


@pytest.fixture
def world() -> Providers:
    return Providers()


# --- what is published ---


def test_an_instant_becomes_a_state_a_scrip_a_row_for_the_gateway_and_a_mark(world: Providers) -> None:
    world.publish(instant(0))
    assert world.ingest().step(0.0)
    messages = world.news()
    assert [m.key for m in messages] == ["NIFTY", "BANKNIFTY", "mark"]
    states = [decode(m.body, MarketState) for m in messages[:2]]
    assert [m.id for m in messages] == [*(s.snapshot_id for s in states), f"mark-{START}"]
    assert decode(messages[2].body, Mark) == Mark("one", START, START)
    for state in states:
        row = world.quotes.get("quotes", state.scrip)
        assert row is not None
        assert decode(row.value, MarketState) == state
        assert (state.provider, state.exchange_at, state.spot) == ("one", START, SPOTS[state.scrip])
    assert len(states[0].futures) == 2


def test_an_instant_is_published_once_however_many_providers_tell_it(world: Providers) -> None:
    stage = world.ingest()
    for name in NAMES:
        world.publish(instant(0), name)
        stage.step(0.0)
    assert [m.key for m in world.news()] == ["NIFTY", "BANKNIFTY", "mark"]
    assert not stage.step(0.0)


def test_nothing_is_published_before_its_end_was_told(world: Providers) -> None:
    stage = world.ingest()
    world.feeds["one"].say(Ticks("one", START, instant(0).ticks, is_snapshot=True))
    stage.step(0.0)
    assert world.news() == []
    world.feeds["one"].say(Mark("one", START, START))
    stage.step(0.0)
    assert len(world.states()) == 2


def test_a_scrip_without_a_price_yet_is_left_out(world: Providers) -> None:
    made = instant(0)
    world.publish(replace(made, ticks=tuple(t for t in made.ticks if t.contract != "BANKNIFTY")))
    world.ingest().step(0.0)
    assert [m.key for m in world.news()] == ["NIFTY", "mark"]


def test_a_book_that_never_began_with_a_snapshot_is_not_believed(world: Providers) -> None:
    stage = world.ingest()
    world.feeds["one"].say(Ticks("one", START, instant(0).ticks))
    world.feeds["one"].say(Mark("one", START, START))
    stage.step(0.0)
    assert (world.news(), stage.arbiter.believed) == ([], "")
    world.publish(instant(0), "two")
    stage.step(0.0)
    assert {s.provider for s in world.states()} == {"two"}


@pytest.mark.parametrize("is_at_once", [False, True])
@pytest.mark.parametrize("every_ms", [0, 1_000])
def test_the_days_last_instant_waits_for_nothing_for_its_provider_may_leave(every_ms: int, is_at_once: bool) -> None:
    world = Providers(("one",))
    stage = world.ingest(every_ms=every_ms)
    world.publish(instant(0))
    stage.step(0.0)
    world.at(0.05)
    world.publish(instant(0.05, is_last=True))
    if not is_at_once:
        stage.step(0.0)
    world.feeds["one"].say(Down("one", START + SECOND // 20, "logged out"))
    stage.step(0.0)
    marks = [decode(message.body, Mark) for message in world.news() if message.key == "mark"]
    assert [mark.is_last for mark in marks] == [False, True]


def test_instants_that_come_too_soon_give_way_to_the_newest_which_is_published_when_it_is_due(world: Providers) -> None:
    stage = world.ingest(every_ms=1_000)
    for tenths in range(9):
        world.at(tenths / 10)
        world.publish(instant(tenths / 10, up=tenths))
        stage.step(0.0)
    assert {s.exchange_at - START for s in world.states()} == {0}
    assert stage.arbiter.patience_s(5.0) == pytest.approx(0.2)
    world.at(0.99)
    assert not stage.step(0.0)
    assert world.states() == []
    world.at(1.0)
    stage.step(0.0)
    found = world.states()
    assert [(s.scrip, s.exchange_at - START) for s in found] == [(s.scrip, 8 * SECOND // 10) for s in REFERENCES]
    assert [s.spot for s in found] == [SPOTS[s.scrip] + 8 for s in REFERENCES]
    world.at(1.5)
    world.publish(instant(1.5))
    stage.step(0.0)
    assert world.states() == []
    world.at(2.0)
    stage.step(0.0)
    assert len(world.states()) == 2


def test_in_lockstep_every_instant_is_published_however_soon_it_comes(world: Providers) -> None:
    stage = world.ingest(wait_s=1.0, every_ms=10_000)
    for tenths in range(3):
        world.publish(instant(tenths / 10))
        stage.step(0.0)
    assert len(world.states()) == 6


def test_a_chain_of_which_nothing_has_changed_is_not_made_anew(world: Providers) -> None:
    stage = world.ingest()
    world.publish(instant(0))
    stage.step(0.0)
    board = stage.arbiter.boards["one"]
    before = snapshot(board, REFERENCES[0])
    moved = next(c.key for c in REFERENCES[0].contracts if c.kind.is_option)
    tick = replace(board.ticks[moved], ask_size=1)
    after = snapshot(replace(board, ticks={**board.ticks, moved: tick}), REFERENCES[0])
    assert before is not None
    assert after is not None
    same = [a is b for a, b in zip(before.chains, after.chains, strict=True)]
    assert same.count(False) == 1
    afresh = snapshot(replace(board, ticks={**board.ticks, moved: tick}), replace(REFERENCES[0]))
    assert after == afresh
    assert snapshot(board, REFERENCES[0]) == before


def test_the_last_instant_says_so(world: Providers) -> None:
    world.publish(instant(0, is_last=True))
    world.ingest().step(0.0)
    assert decode(world.news()[-1].body, Mark).is_last


def test_an_instant_is_not_the_last_because_another_provider_is_further_on(world: Providers) -> None:
    stage = world.ingest()
    world.at(59)
    world.publish(instant(0), "one")
    world.publish(instant(60, is_last=True), "two")
    stage.step(0.0)
    world.publish(instant(60, is_last=True), "one")
    stage.step(0.0)
    marks = [decode(m.body, Mark) for m in world.news() if m.key == "mark"]
    assert [(m.at, m.is_last) for m in marks] == [(START, False), (START + 60 * SECOND, True)]


# --- whom it believes ---


def test_the_first_provider_is_believed_while_it_is_well(world: Providers) -> None:
    stage = world.ingest()
    for second in (0, 1, 2):
        world.at(second)
        world.publish(instant(second, up=100), "one")
        world.publish(instant(second, up=-100), "two", "three")
        stage.step(0.0)
    states = world.states()
    assert len(states) == 6
    assert all(s.provider == "one" and s.spot == SPOTS[s.scrip] + 100 for s in states)
    assert world.status().well == NAMES


def run(world: Providers, stage: Ingest, seconds: range, silent: dict[str, range]) -> dict[int, str]:
    """Whom the states of each second came from; a provider says nothing within its range of silence."""
    said = {}
    for second in seconds:
        world.at(second)
        for name in (n for n in NAMES if second not in silent.get(n, ())):
            world.publish(instant(second), name)
        stage.step(0.0)
        found = {s.provider for s in world.states()}
        said[second] = found.pop() if found else ""
    return said


def test_where_the_first_falls_silent_the_second_is_believed_within_five_seconds(world: Providers) -> None:
    stage = world.ingest()
    said = run(world, stage, range(60), {"one": range(10, 30)})
    switched = next(second for second, name in said.items() if name == "two")
    assert 10 <= switched <= 15
    back = next(second for second in range(switched, 60) if said[second] == "one")
    assert 50 <= back <= 51, "it has to be well for twenty seconds first"
    assert all(said[second] for second in range(switched, 60)), "no instant was lost after the switch"
    assert [c.reason for c in world.status().changes] == ["the session began", "one fell silent", "one is well again"]


def test_the_third_is_believed_where_the_first_two_are_silent(world: Providers) -> None:
    said = run(world, world.ingest(), range(20), {"one": range(5, 20), "two": range(5, 20)})
    assert said[19] == "three"


def test_with_all_of_them_silent_nothing_is_published_and_people_are_shown_since_when(world: Providers) -> None:
    stage = world.ingest()
    silent = dict.fromkeys(NAMES, range(5, 12))
    said = run(world, stage, range(12), silent)
    assert [said[second] for second in range(5, 12)] == [""] * 7
    assert (world.status().well, world.status().belief.provider) == ((), "")
    assert world.status().silent_since == START + 8 * SECOND
    assert run(world, stage, range(12, 14), {})[12] == "one"


def test_a_lost_link_is_left_at_once(world: Providers) -> None:
    stage = world.ingest()
    world.publish(instant(0))
    stage.step(0.0)
    world.at(1)
    world.feeds["one"].cut("the line went dead")
    world.publish(instant(1), "two", "three")
    world.news()
    stage.step(0.0)
    assert {s.provider for s in world.states()} == {"two"}


def test_feeds_are_shown_once_a_second_and_at_every_change(world: Providers) -> None:
    stage = world.ingest()
    world.publish(instant(0))
    stage.step(0.0)
    for second, version in ((0.4, 1), (0.9, 1), (1.0, 2), (1.5, 2), (2.0, 3)):
        world.at(second)
        for name in NAMES:
            world.feeds[name].say(Held(name, world.clock.now()))
        stage.step(0.0)
        row = world.quotes.get("feeds", "status")
        assert row is not None
        assert row.version == version
    world.feeds["one"].cut("the line went dead")
    stage.step(0.0)
    assert world.status().belief.provider == "two"


# --- whose word it waits for ---


class Noting(MemoryFeed):
    """Notes for how long it was waited for."""

    def poll(self, wait_s: float) -> list[FeedEvent]:
        if wait_s:
            waited.append((self._name, wait_s))
        return super().poll(wait_s)


waited: list[tuple[str, float]] = []


def test_it_waits_for_the_believed_provider_and_in_lockstep_for_the_slowest() -> None:
    for wait_s, name in ((0.0, "one"), (2.0, "three")):
        world = Providers()
        world.feeds = {n: Noting(n, world.clock) for n in NAMES}
        stage = world.ingest(wait_s)
        world.publish(instant(0))
        stage.step(HALF)
        world.publish(instant(1), "one", "two")
        stage.step(HALF)
        waited.clear()
        stage.step(HALF)
        assert waited == [(name, HALF)]


def test_where_something_came_nobody_is_waited_for() -> None:
    world = Providers()
    world.feeds = {n: Noting(n, world.clock) for n in NAMES}
    stage = world.ingest()
    waited.clear()
    world.publish(instant(0))
    stage.step(HALF)
    assert waited == []


# --- restarts ---


def test_a_restart_publishes_the_present_again_without_a_second_copy(world: Providers) -> None:
    world.publish(instant(0))
    world.ingest().step(0.0)
    assert len(world.news()) == 3
    for feed in world.feeds.values():
        feed.cut("ingest ended")
        feed.poll(0.0)
    world.publish(instant(0))
    stage = world.ingest()
    assert stage.step(0.0)
    assert world.news() == []
    world.at(1)
    world.publish(instant(1))
    stage.step(0.0)
    assert len(world.news()) == 3


def test_a_restart_is_no_end_of_a_silence(world: Providers) -> None:
    run(world, world.ingest(), range(12), dict.fromkeys(NAMES, range(5, 12)))
    assert world.status().silent_since == START + 8 * SECOND
    for feed in world.feeds.values():
        feed.cut("ingest ended")
    stage = world.ingest()
    for second in (20, 21):
        world.at(second)
        stage.step(0.0)
    assert world.status().silent_since == START + 8 * SECOND
    assert run(world, stage, range(22, 24), {})[22] == "one"
    assert world.status().silent_since == 0


def test_the_next_morning_knows_no_silence_of_the_night(world: Providers) -> None:
    run(world, world.ingest(), range(3), {})
    for feed in world.feeds.values():
        feed.cut("the day ended")
    morning = 86_400
    stage = world.ingest()
    for second in (morning, morning + 1):
        world.at(second)
        stage.step(0.0)
    assert world.status().silent_since >= START + morning * SECOND


def test_a_restart_is_no_pardon_for_whom_stood_still(world: Providers) -> None:
    stage = world.ingest()
    for second in range(8):
        world.at(second)
        if second:
            world.feeds["one"].hold()
        else:
            world.publish(instant(0), "one")
        world.publish(instant(second, up=second * 10_000), "two", "three")
        stage.step(0.0)
    assert world.status().belief.provider == "two"
    world.news()
    world.at(8)
    for feed in world.feeds.values():
        feed.cut("ingest ended")
        feed.poll(0.0)
    stage = world.ingest()
    said = run(world, stage, range(8, 12), {})
    assert set(said.values()) == {"two"}
    assert len(world.status().changes) == 1


def test_an_instant_that_was_not_on_the_queue_when_we_died_is_published_by_the_next(world: Providers) -> None:
    class Dying(MemoryQueue):
        def put(self, messages: Sequence[Message]) -> int:
            raise Crash

    sound, world.queue = world.queue, Dying(lambda: 0.0)
    world.publish(instant(0))
    with pytest.raises(Crash):
        world.ingest().step(0.0)
    world.queue = sound
    for feed in world.feeds.values():
        feed.cut("ingest ended")
        feed.poll(0.0)
    world.publish(instant(0))
    world.ingest().step(0.0)
    assert [m.key for m in world.news()] == ["NIFTY", "BANKNIFTY", "mark"]


# --- lockstep ---


def test_in_lockstep_an_instant_waits_for_every_provider(world: Providers) -> None:
    stage = world.ingest(wait_s=2.0)
    for name in NAMES[:2]:
        world.publish(instant(0), name)
        stage.step(HALF)
        assert world.news() == []
    world.publish(instant(0), "three")
    stage.step(HALF)
    assert len(world.states()) == 2


def test_in_lockstep_an_instant_at_which_all_are_at_fault_ends_without_a_state(world: Providers) -> None:
    stage = world.ingest(10.0)
    world.publish(instant(0))
    stage.step(0.0)
    world.news()
    for second in (1, 2):
        world.at(second)
        for n, name in enumerate(NAMES):
            own = instant(second)
            crossed = [
                replace(t, bid=t.ask, ask=t.bid) if i == 2 + n and second == 1 else t for i, t in enumerate(own.ticks)
            ]
            world.publish(replace(own, ticks=tuple(crossed)), name)
        stage.step(0.0)
        news = world.news()
        assert [m.key for m in news] == (["mark"] if second == 1 else [*SPOTS, "mark"])
    assert world.status().belief.provider == "one"


def test_in_lockstep_the_silent_are_given_up_after_their_time(world: Providers) -> None:
    stage = world.ingest(wait_s=2.0)
    world.publish(instant(0))
    stage.step(HALF)
    world.publish(instant(60, up=1), "two", "three")
    stage.step(HALF)
    world.news()
    for _ in range(4):
        assert not stage.step(HALF)
        assert world.news() == []
    stage.step(HALF)
    states = world.states()
    assert [(s.provider, s.exchange_at) for s in states] == [("two", START + 60 * SECOND)] * 2
    world.publish(instant(120), "two", "three")
    stage.step(HALF)
    assert {s.provider for s in world.states()} == {"two"}, "from then on nobody waits for it"


def test_in_lockstep_one_that_was_given_up_is_waited_for_again_once_its_book_stands(world: Providers) -> None:
    stage = world.ingest(wait_s=2.0)
    world.publish(instant(0))
    stage.step(HALF)
    world.publish(instant(60), "two", "three")
    for _ in range(6):
        stage.step(HALF)
    world.feeds["one"].cut("the line went dead")
    world.publish(instant(120))
    stage.step(HALF)
    world.news()
    world.publish(instant(180), "two", "three")
    stage.step(HALF)
    assert world.news() == []
    world.publish(instant(180), "one")
    stage.step(HALF)
    assert {s.provider for s in world.states()} == {"one"}


def test_in_lockstep_a_state_bears_the_time_of_its_instant_and_not_of_its_arrival(world: Providers) -> None:
    world.at(7)
    world.publish(instant(0))
    world.ingest(wait_s=2.0).step(HALF)
    assert [(s.received_at, s.exchange_at) for s in world.states()] == [(START, START)] * 2


def test_in_lockstep_the_same_day_gives_the_same_states_whatever_comes_first() -> None:
    bodies = []
    for order in (NAMES, NAMES[::-1]):
        world = Providers()
        stage = world.ingest(wait_s=2.0)
        for second in range(0, 300, 60):
            world.at(second + (1 if order == NAMES else 2))
            for name in order:
                world.publish(instant(second, up=second), name)
                stage.step(HALF)
        bodies.append([(m.id, m.body) for m in world.news()])
    assert bodies[0] == bodies[1]
    assert len(bodies[0]) == 15


def test_in_lockstep_before_the_first_instant_nobody_is_given_up(world: Providers) -> None:
    stage = world.ingest(wait_s=2.0)
    for _ in range(10):
        stage.step(HALF)
    world.publish(instant(0), "two", "three")
    stage.step(HALF)
    assert world.news() == []
    world.publish(instant(0), "one")
    stage.step(HALF)
    assert {s.provider for s in world.states()} == {"one"}


def test_in_lockstep_links_that_are_all_lost_at_once_leave_the_instant_to_the_next_whole_books(
    world: Providers,
) -> None:
    stage = world.ingest(wait_s=2.0)
    world.publish(instant(0))
    for feed in world.feeds.values():
        feed.cut("the venue was killed")
    stage.step(HALF)
    assert world.news() == []
    world.publish(instant(0))
    stage.step(HALF)
    assert [m.key for m in world.news()] == ["NIFTY", "BANKNIFTY", "mark"]


def test_in_lockstep_a_link_that_is_lost_as_its_instant_ended_has_to_end_it_again(world: Providers) -> None:
    """Whoever reads a moment sooner or later believes the same provider: the day is the same to the byte."""
    stage = world.ingest(wait_s=2.0)
    world.publish(instant(0))
    world.feeds["one"].cut("the line went dead")
    stage.step(HALF)
    assert world.news() == []
    world.publish(instant(0), "one")
    stage.step(HALF)
    assert {s.provider for s in world.states()} == {"one"}


def test_in_lockstep_a_link_that_is_lost_and_stays_away_is_given_up(world: Providers) -> None:
    stage = world.ingest(wait_s=2.0)
    world.publish(instant(0))
    world.feeds["one"].cut("the line went dead")
    for _ in range(6):
        stage.step(HALF)
    assert {s.provider for s in world.states()} == {"two"}
