"""One look at the day, read from the books alone; and the summary that it ends with."""

import pytest
from msgspec.structs import replace

from participant.core.breaker import Level
from participant.core.breaks import Break, BreakKind
from participant.core.decision import Action
from participant.core.market import SECOND
from participant.core.messages import Message, Ticket, Write
from participant.core.position import Holding, Position
from participant.core.providers import Belief, FeedStatus
from participant.core.scrip import Side, money
from participant.core.tickets import settled
from participant.operate.screen import Screen, Watcher, holds
from participant.operate.summary import Summary, lines, summarise
from participant.stages.reconcile import Closed
from participant.wire.json import encode
from tests.stages.floor import CAPITAL, DAY, SPOTS, START, Floor, call, future

CHANGES = (Belief("one", START, "the session began"), Belief("", START + 1, "no provider is well"))


@pytest.fixture
def floor() -> Floor:
    made = Floor()
    made.books.commit([Write("starts", str(DAY), str(CAPITAL).encode())])
    return made


def watcher(floor: Floor) -> Watcher:
    return Watcher(floor.books, floor.market, dict(floor.queues), DAY)


def look(floor: Floor) -> Screen:
    return watcher(floor).look()


def traded(floor: Floor) -> None:
    """A structure was opened, and it is booked."""
    floor.decide(figures={"iv_rank": 0.75})
    floor.gateway().step(0.0)
    floor.desk().step(0.0)


# --- a look ---


def test_before_anything_happened_there_is_little_to_see() -> None:
    floor = Floor()
    for table in ("breaker", "account"):
        floor.books.commit([Write(table, r.key, None) for r in floor.books.rows(table)])
    floor.market.commit([Write("quotes", s, None) for s in SPOTS])
    seen = look(floor)
    assert (seen.at, seen.scrips, seen.feeds, seen.breaker) == (0, (), None, Level.OPEN)
    assert seen.breaker_why == "not evaluated yet"
    assert (seen.decisions, seen.orders, seen.fills, seen.charges, seen.result, seen.tickets) == ({}, {}, 0, 0, 0, ())


def test_each_scrip_shows_its_spot_and_that_nothing_was_decided_yet(floor: Floor) -> None:
    floor.at(60)
    seen = look(floor)
    assert seen.at == START + 60 * SECOND
    assert {s.symbol: (s.spot, s.iv_rank, s.holds, s.action, s.said, s.decided_for) for s in seen.scrips} == {
        symbol: (spot, None, "flat", "", "no decision yet", 0) for symbol, spot in SPOTS.items()
    }
    assert (seen.breaker, seen.breaker_why) == (Level.CLOSED, "")


def test_a_day_with_a_trade_shows_it(floor: Floor) -> None:
    floor.at(60)
    traded(floor)
    seen = look(floor)
    line = next(s for s in seen.scrips if s.symbol == "NIFTY")
    assert (line.action, line.said, line.iv_rank, line.decided_for) == ("open", "because", 0.75, START + 60 * SECOND)
    assert line.holds == "-65 20261229-25000CE, +65 20261229-FUT"
    assert (seen.decisions, seen.orders, seen.fills) == ({"open": 1}, {"filled": 2}, 2)
    assert seen.charges == floor.position().charges > 0
    ticks = money(future().tick, 65) + money(call().tick, 65)  # each was bought or sold one tick from the middle
    assert seen.result == -seen.charges - ticks


@pytest.mark.parametrize(("figure", "rank"), [(1, 1.0), ("high", None), (None, None)])
def test_a_rank_that_is_no_number_is_not_shown(floor: Floor, figure: float | str | None, rank: float | None) -> None:
    floor.decide(floor.leg(future(), Side.BUY), figures={"iv_rank": figure})
    line = next(s for s in look(floor).scrips if s.symbol == "NIFTY")
    assert line.iv_rank == rank


def test_decisions_are_counted_by_kind_or_by_what_became_of_them(floor: Floor) -> None:
    for second, outcome, action in (
        (1, "decided", Action.OPEN),
        (2, "decided", Action.MAINTAIN),
        (3, "timed out", Action.MAINTAIN),
        (4, "parked", Action.MAINTAIN),
        (5, "decided", Action.MAINTAIN),
    ):
        floor.at(second)
        floor.decide(floor.leg(future(), Side.BUY), action=action, outcome=outcome)
    assert look(floor).decisions == {"open": 1, "maintain": 2, "timed out": 1, "parked": 1}


def test_a_look_tells_what_is_new_since_the_last_one(floor: Floor) -> None:
    view = watcher(floor)
    floor.decide(floor.leg(future(), Side.BUY))
    view.look()
    assert [d.scrip for d in view.news] == ["NIFTY"]
    assert view.look().decisions == {"open": 1}
    assert view.news == []
    floor.decide(floor.leg(future("BANKNIFTY"), Side.BUY))
    assert view.look().decisions == {"open": 2}
    assert [d.scrip for d in view.news] == ["BANKNIFTY"]
    assert {s.symbol: s.action for s in view.look().scrips} == {"NIFTY": "open", "BANKNIFTY": "open"}


def test_another_days_rows_are_not_this_days(floor: Floor) -> None:
    traded(floor)
    seen = Watcher(floor.books, floor.market, {}, DAY.replace(day=26)).look()
    assert (seen.decisions, seen.orders, seen.fills, seen.charges, seen.result) == ({}, {}, 0, 0, 0)


def test_queues_feeds_tickets_and_the_breakers_reasons_are_shown(floor: Floor) -> None:
    floor.breaker(Level.REDUCE_ONLY)
    floor.queues["market"].put([Message("a", "NIFTY", b""), Message("b", "NIFTY", b"")])
    floor.queues["orders"].put([Message("a", "NIFTY", b"")])
    floor.queues["orders"].take(1, 0.0)
    status = FeedStatus(START, CHANGES[0], ("one",), 0, CHANGES[:1])
    ticket = Ticket("t", START, "NIFTY", "a title", "a detail")
    floor.market.commit([Write("feeds", "status", encode(status))])
    floor.books.commit([Write("tickets", "t", encode(ticket))])
    seen = look(floor)
    assert seen.queues == {"market": 2, "orders": 0, "fills": 0}
    assert (seen.feeds, seen.tickets) == (status, (ticket,))
    assert (seen.breaker, seen.breaker_why) == (Level.REDUCE_ONLY, "a test asked for it")


def test_what_has_no_quote_counts_at_its_cost(floor: Floor) -> None:
    held = Holding(call(), -65, money(100 * 10_000, -65))
    floor.books.commit([Write("positions", "NIFTY", encode(Position("NIFTY", (held,))))])
    floor.reprice(call(), bid=0, bid_size=0)
    assert look(floor).result == held.cost


def test_what_is_held_is_told_in_a_few_words() -> None:
    assert holds(Position("NIFTY")) == "flat"
    assert holds(Position("NIFTY", (Holding(future(), 65, 1), Holding(call(), -130, -1)))) == (
        "+65 20261229-FUT, -130 20261229-25000CE"
    )


def test_what_no_exchange_quoted_is_on_the_screen(floor: Floor) -> None:
    marked = replace(floor.states["NIFTY"], marks=("recorded", "covers derived"))
    floor.market.commit([Write("quotes", "NIFTY", encode(marked))])
    found = {s.symbol: s.not_quoted for s in look(floor).scrips}
    assert found == {"NIFTY": "NIFTY: recorded, covers derived", "BANKNIFTY": ""}


# --- the summary ---


def ended(seen: Screen, **changes: object) -> Summary:
    closed = Closed(str(DAY), START, (), (), {}, 1)
    return summarise(
        seen, replace(closed, **changes), {"gateway": 2, "desk": 0}, ("home", "home/log.parquet"), ("made",)
    )


def test_a_clean_day_needs_nobody(floor: Floor) -> None:
    traded(floor)
    summary = ended(look(floor))
    assert not summary.needs_a_person
    assert (summary.day, summary.fills, summary.orders) == (str(DAY), 2, {"filled": 2})
    assert summary.positions == {"NIFTY": "-65 20261229-25000CE, +65 20261229-FUT", "BANKNIFTY": "flat"}
    assert (summary.providers, summary.restarts) == ((), {"gateway": 2})


def test_breaks_unknown_orders_and_open_tickets_need_a_person(floor: Floor) -> None:
    seen = look(floor)
    ticket = Ticket("t" * 32, START, "NIFTY", "a title", "a detail")
    old = replace(ticket, ticket_id="o" * 32, at=START - 86_400 * SECOND)
    assert ended(seen, breaks=(Break(BreakKind.CASH, "cash", "1", "2"),)).needs_a_person
    assert ended(seen, unknown=("o",)).needs_a_person
    assert ended(replace(seen, tickets=(ticket,))).needs_a_person
    assert ended(replace(seen, tickets=(old,))).tickets == (old,), "an old one that is open still matters"
    assert not ended(replace(seen, tickets=(settled(ticket, "done"),))).needs_a_person
    assert ended(replace(seen, tickets=(settled(old, "done"),))).tickets == ()


def test_a_recorded_day_of_which_nothing_could_be_played_needs_a_person(floor: Floor) -> None:
    unplayed = replace(ended(look(floor)), is_unplayed=True)
    assert unplayed.needs_a_person
    assert lines(unplayed)[1].split()[:2] == ["not", "played"]
    assert not any("not played" in line for line in lines(ended(look(floor))))


def test_the_summary_as_text_says_it_all(floor: Floor) -> None:
    traded(floor)
    floor.market.commit([Write("feeds", "status", encode(FeedStatus(START, CHANGES[1], (), START, CHANGES)))])
    ticket = Ticket("0123456789abcdef", START, "NIFTY", "buy 65", "a detail")
    floor.books.commit([Write("superseded", f"{DAY}/NIFTY", b"3")])
    seen = replace(look(floor), tickets=(ticket,), buried={"market": 2, "fills": 0}, charges=132_65, result=-1_500_00)
    text = lines(ended(seen, breaks=(Break(BreakKind.POSITION, "X", "1", "2"),), unknown=("o1", "o2")))
    assert text == [
        f"Summary of {DAY}",
        "  decisions               1 open",
        "  states passed over      3 NIFTY",
        "  orders                  2 filled",
        "  fills                   2, charges ₹132.65",
        "  result of the day       -₹1,500 after charges",
        "  positions               NIFTY -65 20261229-25000CE, +65 20261229-FUT; BANKNIFTY flat",
        "  providers               one: the session began -> nobody: no provider is well",
        "  breaks with the broker  position X: ours 1, theirs 2",
        "  orders of unknown fate  o1, o2",
        "  tickets                 01234567 buy 65",
        "  dead letters            2 in market",
        "  processes restarted     2 gateway",
        f"  decision log            home/decisions/{DAY}.jsonl, sealed as home/log.parquet",
        "  other logs              home/logs/",
        "  of the data             made",
    ]


def test_the_summary_of_an_empty_day_says_none(floor: Floor) -> None:
    text = "\n".join(lines(summarise(look(floor), Closed(str(DAY), 0, (), (), {}, 1), {}, ("h", "s"))))
    for word in (
        "decisions",
        "states passed over",
        "orders",
        "breaks with the broker",
        "orders of unknown fate",
        "dead letters",
    ):
        assert f"  {word:<22}  none" in text
    assert "none was believed" in text


def test_a_buried_message_needs_a_person(floor: Floor) -> None:
    traded(floor)
    assert ended(replace(look(floor), buried={"orders": 1})).needs_a_person


def test_of_very_many_changes_of_provider_the_first_and_the_last_are_shown(floor: Floor) -> None:
    traded(floor)
    summary = replace(ended(look(floor)), providers=tuple(f"change {i}" for i in range(300)))
    (line,) = [text for text in lines(summary) if "change 0" in text]
    assert "change 299" in line
    assert "292 more" in line
    assert len(line) < 200
