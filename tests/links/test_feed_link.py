"""The life of a provider's link: whatever ends it is said once, and it is begun again until it is closed."""

import threading
from collections.abc import Callable, Iterator

import pytest

from participant.adapters.clocks.virtual import VirtualClock
from participant.core.market import Down, FeedEvent, Held, Mark, Tick, Ticks
from participant.links import feed_link
from participant.links.feed_link import FeedLink, Intake, LinkLost
from participant.ports import Clock

TICK = Tick("NIFTY", 0, 0, 0, 0, 1, 1)
Talk = Callable[[FeedLink], None]


class DeadClock(VirtualClock):
    """A clock whose venue is away."""

    def now(self) -> int:
        raise ConnectionError("the venue does not answer")


@pytest.fixture
def begin() -> Iterator[Callable[..., FeedLink]]:
    made: list[FeedLink] = []

    def start(talk: Talk, clock: Clock | None = None, events_max: int = 100) -> FeedLink:
        made.append(FeedLink("one", clock or VirtualClock(7), talk, Intake(events_max)))
        made[-1].start()
        return made[-1]

    yield start
    for link in made:
        link.close()


def heard(link: FeedLink, count: int) -> list[FeedEvent]:
    """The next events, at least so many."""
    events: list[FeedEvent] = []
    for _ in range(100):
        events += link.poll(0.1)
        if len(events) >= count:
            return events
    raise AssertionError(f"only {events} came")


def waits(link: FeedLink) -> None:
    """Stay until the feed is closed."""
    wait = threading.Event()
    while link.is_open:
        wait.wait(0.005)


def test_what_is_said_bears_the_time_of_its_stamp(begin: Callable[..., FeedLink]) -> None:
    def talk(link: FeedLink) -> None:
        link.stamp()
        link.say([TICK], is_snapshot=True)
        link.mark(5, is_last=True)
        link.hold()
        waits(link)

    assert heard(begin(talk), 3) == [Ticks("one", 7, (TICK,), True), Mark("one", 7, 5, True), Held("one", 7)]


def once_ended(fault: Exception | None) -> Callable[[FeedLink], None]:
    """A talk that ends at once, by the fault or without one, and from the second time on stands."""
    talks: list[int] = []

    def talk(link: FeedLink) -> None:
        talks.append(1)
        if len(talks) > 1:
            link.say([TICK], is_snapshot=True)
            waits(link)
        elif fault is not None:
            raise fault

    return talk


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (LinkLost("a gap"), "a gap"),
        (ConnectionResetError("cut off"), "cut off"),
        (OSError(), "OSError"),
        (None, "the provider ended the link"),
    ],
)
def test_a_link_that_ends_is_down_for_its_reason_and_begins_again(
    begin: Callable[..., FeedLink], fault: Exception | None, reason: str
) -> None:
    link = begin(once_ended(fault))
    assert heard(link, 2) == [Down("one", 7, reason), Ticks("one", 7, (TICK,), True)]


def test_while_it_cannot_begin_it_is_said_to_be_down_only_once(begin: Callable[..., FeedLink]) -> None:
    talks = threading.Semaphore(0)

    def talk(link: FeedLink) -> None:
        talks.release()
        raise LinkLost("nobody there")

    link = begin(talk)
    for _ in range(3):
        assert talks.acquire(timeout=10.0)
    assert heard(link, 1) == [Down("one", 7, "nobody there")]
    assert link.poll(0.0) == []


def test_a_clock_that_cannot_be_read_stands_still_and_ends_nothing(begin: Callable[..., FeedLink]) -> None:
    def talk(link: FeedLink) -> None:
        link.stamp()
        link.say([TICK], is_snapshot=True)
        waits(link)

    link = begin(talk, DeadClock(7))
    assert heard(link, 1) == [Ticks("one", 0, (TICK,), True)]
    assert link.counts["clock unread"] == 1


def test_where_nobody_polls_the_link_is_let_go_and_all_that_waits_with_it(begin: Callable[..., FeedLink]) -> None:
    over = threading.Event()

    def talk(link: FeedLink) -> None:
        if over.is_set():
            waits(link)
            return
        try:
            for _ in range(10):
                link.hold()
        finally:
            over.set()

    link = begin(talk, None, 3)
    assert over.wait(10.0)
    assert heard(link, 1) == [Down("one", 0, "3 events waited to be read")]
    assert link.counts["overflow"] == 1


def test_a_link_that_is_lost_while_the_inbox_is_just_full_begins_again(begin: Callable[..., FeedLink]) -> None:
    talks = threading.Semaphore(0)

    def talk(link: FeedLink) -> None:
        talks.release()
        for _ in range(3):
            link.hold()
        raise ConnectionResetError("cut off")

    link = begin(talk, None, 3)
    for _ in range(2):
        assert talks.acquire(timeout=10.0)
    assert heard(link, 1)[0] == Down("one", 7, "3 events waited to be read")


def test_a_fault_of_our_own_is_shown_and_ends_the_link_as_any_loss_does(
    begin: Callable[..., FeedLink], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: shown.append(repr(args.exc_value)))
    link = begin(once_ended(KeyError("a key of the address")))
    assert heard(link, 2) == [Down("one", 7, "a fault of our own: KeyError"), Ticks("one", 7, (TICK,), True)]
    assert (link.counts["fault of our own"], shown) == (1, ["KeyError('a key of the address')"])


def test_a_link_that_has_nothing_but_faults_of_our_own_stays_down(
    begin: Callable[..., FeedLink], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    monkeypatch.setattr(feed_link, "BACKOFF_MAX_S", 0.0)
    monkeypatch.setattr(feed_link, "FAULTS_MAX", 3)
    ended = threading.Semaphore(0)

    def talk(_: FeedLink) -> None:
        ended.release()
        raise RuntimeError

    link = begin(talk)
    assert all(ended.acquire(timeout=10.0) for _ in range(3))
    assert not ended.acquire(timeout=0.2)
    assert heard(link, 1) == [Down("one", 7, "a fault of our own: RuntimeError")]


def test_a_closed_link_ends_its_conversation_and_says_no_more(begin: Callable[..., FeedLink]) -> None:
    link = begin(waits)
    link.close()
    assert not link.is_open
    assert link.poll(0.0) == []
