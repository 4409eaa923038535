"""Telling people: the ladder in virtual time, deliveries that fail, a desk that dies, decisions that are relayed."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from participant.adapters.clocks.virtual import VirtualClock
from participant.adapters.notifiers.memory import MemoryNotifier
from participant.adapters.stores.memory import MemoryStore
from participant.config import Config, Run
from participant.core.breaker import Level, Triggers
from participant.core.decision import Action, Decision
from participant.core.escalation import LADDER, LOST, Attempt, Patience, Rung, quiet, wake_test
from participant.core.market import SECOND
from participant.core.messages import Stamp, Ticket, Write
from participant.core.notices import Notice
from participant.core.tickets import acknowledge, claim, close, settled
from participant.operate.breaker import Watch, judge
from participant.operate.people import RELAY_TO, people_rule
from participant.stages.escalate import Escalate, PeoplePorts, PeopleRule
from participant.wire.json import decode, encode
from tests.stages.floor import DAY, Floor

START = 1_795_405_500 * SECOND
NAMES = [("console", "all"), ("push", "all"), ("slack", "all"), ("sms", "all"), ("email", "all"),
         ("voice", "primary"), ("voice", "secondary")]  # fmt: skip


class Dies(BaseException):
    """The process dies here."""


class Mortal(MemoryNotifier):
    """A channel in which the desk dies: before a message leaves, or after."""

    dies = ""

    def send(self, notice: Notice) -> None:
        if self.dies != "before":
            super().send(notice)
        if self.dies:
            raise Dies


class People:
    """A desk's people: every channel in memory, a clock on the wall, a breaker that looks on."""

    def __init__(self, rule: PeopleRule | None = None) -> None:
        self.books, self.quotes, self.wall = MemoryStore(), MemoryStore(), VirtualClock(START)
        self.rule = rule or people_rule(Run("", DAY, "", "", 0, 0.0, Config()))
        self.channels = {name: Mortal() for name in NAMES}
        self.said: list[tuple[int, str]] = []
        self.restart()

    def restart(self) -> None:
        self.stage = Escalate(PeoplePorts(self.books, dict(self.channels), self.wall), self.rule)

    def open(self, name: str = "a") -> Ticket:
        ticket = Ticket(name * 32, 1, "NIFTY", "a title", "a detail")
        self.put(ticket)
        return ticket

    def put(self, ticket: Ticket) -> None:
        self.books.commit([Write("tickets", ticket.ticket_id, encode(ticket))])

    def run(self, seconds: int) -> None:
        """So much time passes, a step a second."""
        for _ in range(seconds):
            self.step()
            self.wall.set(self.wall.now() + SECOND)

    def step(self) -> bool:
        before = {name: len(n.notices) for name, n in self.channels.items()}
        done = self.stage.step()
        at = (self.wall.now() - START) // SECOND
        for (channel, to), notifier in self.channels.items():
            name = channel if to == "all" else f"{channel} {to}"
            self.said += [(at, name)] * (len(notifier.notices) - before[channel, to])
        return done

    def breaker(self) -> Level:
        return judge(
            Watch(self.books, self.quotes, self.books, self.wall, Triggers(providers_silent_s=(1e9, 1e9)))
        ).level

    def attempts(self, channel: str) -> list[Attempt]:
        rows = [decode(r.value, Attempt) for r in self.books.rows("attempts")]
        return sorted((a for a in rows if a.channel == channel), key=lambda a: a.number)


WHOLE_LADDER = [(0, "console"), (0, "push"), (0, "slack"), (120, "sms"), (120, "email"), (240, "voice primary"),
                (420, "voice secondary")]  # fmt: skip


# --- the ladder, end to end -------------------------------------------------------------------------------------------


def test_a_ticket_that_nobody_answers_climbs_the_whole_ladder_and_then_reduces_what_is_traded() -> None:
    people = People()
    people.open()
    people.run(599)
    assert (people.said, people.breaker()) == (WHOLE_LADDER, Level.CLOSED)
    people.run(1)
    assert people.breaker() is Level.REDUCE_ONLY
    people.run(3600)
    assert people.said == WHOLE_LADDER, "each is told once"


@pytest.mark.parametrize("answered_s", [1, 119, 121, 239, 241, 419, 421, 599])
@pytest.mark.parametrize("how", ["acknowledge", "claim", "close"])
def test_the_ladder_stops_where_it_is_answered(answered_s: int, how: str) -> None:
    people = People()
    ticket = people.open()
    people.run(answered_s)
    stamp = Stamp("asha", people.wall.now())
    after = {"acknowledge": acknowledge, "claim": claim}[how](ticket, stamp) if how != "close" else None
    after = close(ticket, "closed", stamp, "seen") if after is None else after
    assert isinstance(after, Ticket)
    people.put(after)
    people.run(1_200)
    assert people.said == [step for step in WHOLE_LADDER if step[0] < answered_s]
    assert people.breaker() is Level.CLOSED


def test_each_ticket_climbs_a_ladder_of_its_own() -> None:
    people = People()
    people.open("a")
    people.run(60)
    people.open("b")
    people.run(700)
    second = [(at + 60, name) for at, name in WHOLE_LADDER]
    assert sorted(people.said) == sorted(WHOLE_LADDER + second)


def test_an_alert_goes_out_with_the_first_step_after_its_cause() -> None:
    people = People()
    people.run(3)
    people.open()
    people.run(1)
    assert {at for at, _ in people.said} == {3}


def test_in_lockstep_the_market_waits_and_no_ticket_ages() -> None:
    people = People()
    people.open()
    people.run(700)
    watch = Watch(
        people.books,
        people.quotes,
        people.books,
        people.wall,
        Triggers(providers_silent_s=(1e9, 1e9)),
        is_lockstep=True,
    )
    assert judge(watch).level is Level.CLOSED


def test_a_ticket_that_was_closed_before_it_was_told_is_not_told() -> None:
    people = People()
    people.put(settled(Ticket("a" * 32, 1, "NIFTY", "a title", "a detail"), "it was found"))
    assert not people.step()
    assert people.said == []


@pytest.mark.parametrize("by", ["", "asha"])
def test_a_ticket_whose_order_the_book_shows_is_called_off_whoever_found_it(by: str) -> None:
    people = People()
    ticket = people.open()
    people.run(10)
    why = "the broker's order 7 is it"
    found = close(ticket, "found", Stamp(by, 1), why) if by else settled(ticket, why)
    assert isinstance(found, Ticket)
    people.put(found)
    people.run(300)
    assert people.said[3:] == [(10, "push"), (10, "slack")]
    notice = people.channels["push", "all"].notices[-1]
    assert "DO NOT EXECUTE" in notice.body
    assert "the broker's order 7 is it" in notice.body


# --- deliveries that fail ---------------------------------------------------------------------------------------------


def test_a_delivery_that_fails_is_tried_again_ever_later_and_holds_up_no_other() -> None:
    people = People()
    people.channels["push", "all"].failures = ["no answer"] * 6
    people.open()
    people.run(300)
    tried = [(a.at - START) // SECOND for a in people.attempts("push")]
    assert tried == [0, 5, 15, 35, 75, 135, 195]
    assert [a.failure for a in people.attempts("push")] == ["no answer"] * 6 + [""]
    assert [s for s in people.said if s[1] != "push"] == [s for s in WHOLE_LADDER if s[1] != "push" and s[0] < 300]


def test_it_is_tried_a_bounded_number_of_times() -> None:
    people = People(PeopleRule((Rung(0.0, "push"),), patience=Patience(tries_max=3, retry_after_s=1.0)))
    people.channels["push", "all"].failures = ["no answer"] * 100
    people.open()
    people.run(600)
    assert [a.number for a in people.attempts("push")] == [1, 2, 3]


def test_a_channel_that_never_answers_counts_as_failed_after_its_time() -> None:
    people = People()
    people.channels["push", "all"].failures = [None]
    people.open()
    people.run(60)
    first, second = people.attempts("push")
    assert (first.failure, (first.ended_at - START) // SECOND) == ("no answer within 30 s", 30)
    assert (second.failure, (second.at - START) // SECOND) == ("", 35)


def test_an_answer_that_comes_too_late_counts_all_the_same() -> None:
    people = People()
    push = people.channels["push", "all"]
    push.failures = [None]
    people.open()
    people.run(32)
    push.send(replace(people.channels["slack", "all"].notices[0], notice_id=people.attempts("push")[0].key))
    people.run(60)
    assert [a.failure for a in people.attempts("push")] == [""]


# --- a desk that dies -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["before", "after"])
def test_a_crash_repeats_at_most_one_message_and_loses_none(place: str) -> None:
    people = People()
    people.open()
    push = people.channels["push", "all"]
    push.dies = place
    with pytest.raises(Dies):
        people.step()
    push.dies = ""
    push.delivered()
    people.restart()
    people.run(100)
    assert [a.failure for a in people.attempts("push")] == [LOST, ""]
    assert len(push.notices) == 1 + (place == "after")
    assert [len(people.channels[n].notices) for n in NAMES[:3] if n[0] != "push"] == [1, 1]


def test_after_a_restart_nothing_is_told_again() -> None:
    people = People()
    people.open()
    people.run(10)
    people.restart()
    people.run(10)
    assert people.said == WHOLE_LADDER[:3]


# --- the test at wake -------------------------------------------------------------------------------------------------


def test_each_channel_gets_one_test_and_a_quiet_one_is_named() -> None:
    people = People()
    people.channels["voice", "primary"].failures = ["the service answered with error 429"] * 100
    call = wake_test("2026-11-25", START)
    people.books.commit([Write("calls", call.call_id, encode(call), 0)])
    people.run(120)
    assert sorted(name for _, name in people.said) == ["email", "push", "slack", "sms", "voice secondary"]
    rows = [decode(r.value, Attempt) for r in people.books.rows("attempts", prefix=f"{call.call_id}/")]
    assert quiet(rows) == {"voice to primary": "the service answered with error 429"}
    assert len(people.attempts("voice")) == 3 + 1


# --- relayed decisions ------------------------------------------------------------------------------------------------


def decide(floor: Floor, people: People, count: int = 1, action: Action = Action.OPEN) -> list[Decision]:
    """So many decisions in the log that people look at."""
    made = []
    for _ in range(count):
        floor.at((floor.clock.now() - Floor().clock.now()) / SECOND + 1)
        made.append(floor.decide(action=action))
    return made


@pytest.fixture
def relayed() -> Callable[[str], tuple[Floor, People]]:
    def make(level: Any) -> tuple[Floor, People]:
        people = People(PeopleRule(LADDER, RELAY_TO, relay=level))
        floor = Floor(people.books)
        return floor, people

    return make


def test_decisions_are_told_by_push_and_slack(relayed: Callable[[str], tuple[Floor, People]]) -> None:
    floor, people = relayed("orders")
    decide(floor, people)
    people.run(2)
    assert people.said == [(0, "push"), (0, "slack")]
    assert people.channels["push", "all"].notices[0].body == "10:00:01 IST NIFTY open: because"


@pytest.mark.parametrize(("level", "told"), [("none", []), ("orders", []), ("all", [(0, "push"), (0, "slack")])])
def test_what_changes_nothing_is_told_at_the_highest_level_alone(
    relayed: Callable[[str], tuple[Floor, People]], level: str, told: list[tuple[int, str]]
) -> None:
    floor, people = relayed(level)
    decide(floor, people, action=Action.MAINTAIN)
    people.run(60)
    assert people.said == told


def test_what_waits_is_told_together_and_not_as_a_flood(relayed: Callable[[str], tuple[Floor, People]]) -> None:
    floor, people = relayed("orders")
    decide(floor, people)
    people.run(1)
    decide(floor, people, 40)
    people.run(90)
    assert people.said == [(0, "push"), (0, "slack"), (30, "push"), (30, "slack")]
    lines = people.channels["push", "all"].notices[1].body.splitlines()
    assert (len(lines), lines[-1]) == (10, "and 31 more")


def test_decisions_are_told_once_whatever_restarts(relayed: Callable[[str], tuple[Floor, People]]) -> None:
    floor, people = relayed("orders")
    decide(floor, people)
    people.run(1)
    people.restart()
    people.run(120)
    assert len(people.said) == 2


def test_while_a_channel_is_down_decisions_gather_into_one(relayed: Callable[[str], tuple[Floor, People]]) -> None:
    floor, people = relayed("orders")
    people.channels["push", "all"].failures = [None] * 2
    for _ in range(8):
        decide(floor, people)
        people.run(10)
    people.run(40)
    slack = [n.body.count("open:") for n in people.channels["slack", "all"].notices]
    assert (len(slack), sum(slack)) == (2, 8)
