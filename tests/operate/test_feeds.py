"""A day's feeds as values, as lines and as a plot."""

import pytest
from msgspec.structs import replace

from participant.core.board import Tally
from participant.core.breaker import Level, Triggers
from participant.core.feed_report import FeedReport, Span, feed_report
from participant.core.market import SECOND
from participant.core.messages import Write
from participant.core.providers import Belief, FeedStatus, Provider, Standing, State
from participant.operate.breaker import Watch, judge
from participant.operate.feed_page import feeds_section, timeline
from participant.operate.feeds import feeds_of, lines
from participant.wire.json import decode, encode
from tests.stages.floor import DAY, START, Floor

FELL = "one stood still: <NIFTY> for 2 s while another moved"


def at(second: float) -> int:
    return START + int(second * SECOND)


def status() -> FeedStatus:
    """A day of a hundred seconds: one was believed, then two, then nobody, then two again."""
    changes = (
        Belief(),
        Belief("one", at(0), "the session began"),
        Belief("two", at(40), FELL),
        Belief("", at(70), "no provider is well"),
        Belief("two", at(80), "two is well again"),
    )
    events = (
        Standing("one"),
        Standing("one", State.ACTIVE, at(0), "the session began"),
        Standing("two", State.WARM, at(0), "stands by"),
        Standing("one", State.QUARANTINED, at(40), "stood still: <NIFTY> for 2 s while another moved"),
        Standing("one", State.DOWN, at(50), "cut"),
        Standing("two", State.ACTIVE, at(40), FELL),
    )
    latency = (0,) * 40 + (9, 1)
    spent = {"one": {"active": 40 * SECOND, "quarantined": 10 * SECOND, "down": 50 * SECOND}, "two": {"warm": 99}}
    tallies = {"one": Tally(ticks=1_200, marks=10, late=3), "two": Tally(ticks=2_000)}
    last = {"one": events[4], "two": events[5]}
    dropped = {"one": {"malformed": 1_000, "garbled": 2}, "two": dict[str, int]()}
    providers = tuple(Provider(last[name], tallies[name], latency, spent[name], dropped[name]) for name in last)
    return FeedStatus(at(100), changes[-1], ("two",), 0, changes, providers, events, 0, {"NIFTY": 4}, 7)


def test_the_report_adds_up_what_was_counted() -> None:
    report = feed_report(status())
    one, two = report.providers
    assert (report.begin, report.end, report.switches, report.nobody_s) == (at(0), at(100), 1, 10.0)
    assert (one.coverage, one.active_s, one.quarantined_s, one.down_s) == (0.5, 40.0, 10.0, 50.0)
    assert (one.quarantines, one.still, one.outvoted, two.quarantines) == (1, 1, 0, 0)
    assert two.coverage == 1.0
    assert (one.dropped, two.dropped) == ({"malformed": 1_000, "garbled": 2}, {})
    assert one.latency_ms[0] < one.latency_ms[1] == one.latency_ms[2]
    assert [(s.what, s.end - s.begin) for s in report.believed] == [
        ("one", 40 * SECOND), ("two", 30 * SECOND), ("nobody", 10 * SECOND), ("two", 20 * SECOND),
    ]  # fmt: skip
    assert [s.what for s in one.states] == ["active", "quarantined", "down"]


def test_a_day_of_which_nothing_was_heard_has_an_empty_report() -> None:
    report = feed_report(FeedStatus(at(1), Belief(), (), at(1), ()))
    assert (report.providers, report.believed, report.begin, report.end) == ((), (), at(1), at(1))
    assert "<svg" in timeline(report)


def test_the_lines_tell_each_provider_and_who_was_believed_when() -> None:
    text = lines(feed_report(status()))
    assert "1 switches, nobody believed for 10 s, 4 states kept back, 7 quotes left out" in text[0]
    assert "coverage 50.0%" in text[1]
    assert "late 3" in text[1]
    assert "gaps" not in text[1]
    assert "dropped unread 1,002 (malformed 1,000 · garbled 2)" in text[1]
    assert "dropped" not in text[2]
    assert text[-1].endswith("two: two is well again")


def test_the_plot_has_a_lane_a_provider_and_a_line_a_change_and_no_markup_of_others() -> None:
    report = feed_report(status())
    page = feeds_section(report)
    assert page.count("stroke-dasharray") == 3
    assert page.count("<rect") == len(report.believed) + sum(len(one.states) for one in report.providers)
    assert "<NIFTY>" not in page
    assert "&lt;NIFTY&gt;" in page


@pytest.fixture
def told() -> tuple[Floor, Watch]:
    floor = Floor()
    floor.market.commit([Write("feeds", "status", encode(status()))])
    return floor, Watch(floor.books, floor.market, floor.books, floor.wall, Triggers())


def test_each_change_of_a_provider_is_taken_into_the_books_once(told: tuple[Floor, Watch]) -> None:
    floor, watch = told
    judge(watch)
    kept = [decode(r.value, Standing) for r in floor.books.rows("feed_events", prefix="1")]
    assert sorted((s.since, s.provider) for s in kept) == sorted(
        (e.since, e.provider) for e in status().events if e.since
    )
    before = len(floor.books.rows("feed_events"))
    judge(watch)
    later = Standing("three", State.DOWN, at(99), "cut")
    floor.market.commit([Write("feeds", "status", encode(replace(status(), events=(*status().events, later))))])
    judge(watch)
    assert len(floor.books.rows("feed_events")) == before + 1


def test_providers_that_differ_with_too_few_for_a_vote_let_only_what_reduces_pass(told: tuple[Floor, Watch]) -> None:
    floor, watch = told
    assert judge(watch).level is Level.CLOSED
    floor.market.commit([Write("feeds", "status", encode(replace(status(), disputed_since=at(90))))])
    state = judge(watch)
    assert (state.level, state.reasons) == (Level.REDUCE_ONLY, ("providers differ, and too few are left for a vote",))


def test_a_closed_day_has_its_feeds_in_the_books() -> None:
    floor = Floor()
    assert feeds_of(floor.books, DAY) is None
    floor.books.commit([Write("feeds", str(DAY), encode(status()))])
    found = feeds_of(floor.books, DAY)
    assert isinstance(found, FeedReport)
    assert found.believed[0] == Span(at(0), at(40), "one", "the session began")
