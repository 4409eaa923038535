"""The FIX session beyond QuickFIX's cases: two of them talk to each other, and what it promises is seen to hold."""

from typing import Any

import pytest
from msgspec.structs import replace

from participant.wire.fix.codec import Header, body, encode
from participant.wire.fix.course import Phase
from participant.wire.fix.events import Filled, Gapped, LoggedOn, Over, Received
from participant.wire.fix.numbers import MemoryNumbers
from participant.wire.fix.profile import NEVER_AGAIN, checked
from participant.wire.fix.session import Session
from tests.wire.fix_pair import (
    DESK,
    NOW,
    UTC,
    VENUE,
    Pair,
    Side,
    frame_of,
    hears,
    kinds,
    news,
    reason,
    texts,
)

# --- the beginning ----------------------------------------------------------------------------------------------------


def test_a_logon_is_answered_and_both_sides_are_active() -> None:
    pair = Pair().connect()
    assert (pair.desk.session.phase, pair.venue.session.phase) == (Phase.ACTIVE, Phase.ACTIVE)
    assert [type(event) for event in pair.desk.told + pair.venue.told] == [LoggedOn, LoggedOn]
    assert (pair.desk.session.next_in, pair.desk.session.next_out) == (2, 2)


def test_nothing_is_sent_before_the_logon() -> None:
    side = Side(VENUE)
    side.session.connect(NOW)
    assert side.session.send(news("early"), NOW) == 0
    assert side.session.take(NOW) == b""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": "FIX.5.0"}, "version"),
        ({"heartbeat_s": 0}, "heartbeat_s"),
        ({"heartbeat_s": 3_601}, "heartbeat_s"),
        ({"sender": ""}, "sender"),
        ({"target": ""}, "target"),
        ({"version": "FIX.4.2", "tells_expected": True}, "tells_expected"),
        ({"kept": frozenset({"X", "D"})}, "orders are never sent again"),
    ],
)
def test_a_profile_that_cannot_be_held_to_says_why(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        checked(replace(DESK, **change))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ([(98, "0"), (108, "0")], "HeartBtInt 0"),
        ([(98, "0"), (108, "3601")], "HeartBtInt 3601"),
        ([(98, "0"), (108, "x")], "Incorrect data format"),
        ([(98, "1"), (108, "30")], "out of range"),
        ([(98, "0")], "Required tag missing"),
    ],
)
def test_a_logon_that_asks_for_what_we_do_not_do_is_refused(fields: list[tuple[int, str]], said: str) -> None:
    side = Side(VENUE)
    side.connect(0)
    hears(side, frame_of(side, 1, body("A", fields)))
    assert said in reason(side)
    assert side.take(0) == []


def test_a_reset_in_the_answer_that_nobody_asked_for_ends_it() -> None:
    side = Side(DESK)
    side.connect(0)
    hears(side, frame_of(side, 1, body("A", [(98, "0"), (108, "2"), (141, "Y")])))
    assert "agree on `resets`" in reason(side)


def test_a_reset_must_come_as_number_1() -> None:
    side = Side(VENUE)
    side.connect(0)
    hears(side, frame_of(side, 3, body("A", [(98, "0"), (108, "2"), (141, "Y")])))
    assert "has number 3, not 1" in reason(side)


def test_a_session_that_resets_begins_at_1_each_time_and_nothing_of_before_comes_again() -> None:
    pair = Pair(replace(DESK, resets=True)).connect()
    pair.say(pair.venue, news("a"))
    pair.cut()
    pair.connect()
    pair.say(pair.venue, news("b"))
    pair.talk()
    assert texts(pair.desk.told) == ["b"]
    assert (pair.desk.session.next_in, pair.venue.session.next_out) == (3, 3)


def test_the_logon_carries_what_the_profile_adds() -> None:
    pair = Pair(replace(DESK, logon=((553, "me"), (554, "secret")))).connect()
    assert pair.desk.said[0].message().get(554) == "secret"
    assert pair.venue.session.phase is Phase.ACTIVE


# --- numbers ----------------------------------------------------------------------------------------------------------


def test_what_a_cut_took_comes_again_in_order_and_once() -> None:
    pair = Pair().connect()
    pair.say(pair.venue, news("a"), news("b"))
    pair.talk()
    pair.say(pair.venue, news("c"), news("d"))
    pair.cut()
    pair.connect()
    pair.say(pair.venue, news("e"))
    pair.talk()
    assert texts(pair.desk.told) == ["a", "b", "c", "d", "e"]
    assert [frame.get(43) for frame in pair.venue.said if frame.msg_type == "B"] == ["", "", "", "", "Y", "Y", ""]


@pytest.mark.parametrize("kind", sorted(NEVER_AGAIN))
def test_an_order_is_never_sent_again(kind: str) -> None:
    pair = Pair().connect()
    pair.say(pair.desk, news("before"), body(kind, [(11, "1")]), news("after"))
    pair.cut()
    pair.connect()
    again = [frame for frame in pair.desk.said if frame.get(43) == "Y"]
    assert [(frame.msg_type, frame.seq) for frame in again] == [("B", 2), ("4", 3), ("B", 4), ("4", 5)]
    assert kind not in kinds(again)
    assert texts(pair.venue.told) == ["before", "after"]


def test_only_what_the_profile_keeps_is_sent_again() -> None:
    pair = Pair(venue=replace(VENUE, kept=frozenset({"X"}))).connect()
    pair.say(pair.venue, news("a"), body("X", [(268, "0")]))
    pair.cut()
    pair.connect()
    assert [e.frame.msg_type for e in pair.desk.told if isinstance(e, Received)] == ["X"]


def test_both_sides_may_have_a_gap_at_once() -> None:
    pair = Pair().connect()
    pair.passes = lambda _: False
    pair.say(pair.venue, news("v1"))
    pair.say(pair.desk, news("d1"))
    pair.talk()
    pair.passes = lambda _: True
    pair.say(pair.venue, news("v2"))
    pair.say(pair.desk, news("d2"))
    pair.talk()
    assert (texts(pair.desk.told), texts(pair.venue.told)) == (["v1", "v2"], ["d1", "d2"])
    assert pair.desk.session.next_in == pair.venue.session.next_out


def test_what_came_early_and_is_passed_over_by_a_gap_fill_is_not_lost() -> None:
    side = Pair().connect().desk
    assert hears(side, frame_of(side, 4, news("early"))) == [Gapped(2, 3)]
    told = hears(side, frame_of(side, 2, body("4", [(123, "Y"), (36, "9")]), is_possdup=True))
    assert told[0] == Filled(2, 8, is_asked=True)
    assert texts(told) == ["early"]
    assert side.session.next_in == 9
    assert hears(side, frame_of(side, 4, news("early"), is_possdup=True, first_sent_at=UTC)) == []


def test_a_gap_fill_that_nobody_asked_for_is_told_as_such() -> None:
    side = Pair().connect().desk
    assert hears(side, frame_of(side, 2, body("4", [(123, "Y"), (36, "5")]))) == [Filled(2, 4, is_asked=False)]
    assert hears(side, frame_of(side, 0, body("4", [(36, "9")]))) == [Filled(5, 8, is_asked=False)]


def test_a_gap_fill_that_goes_nowhere_is_rejected() -> None:
    side = Pair().connect().desk
    hears(side, frame_of(side, 2, body("4", [(123, "Y"), (36, "2")])))
    side.take(0)
    assert side.said[-1].message().get(371) == "36"
    assert side.session.next_in == 3


@pytest.mark.parametrize(("first", "last"), [("0", "0"), ("9", "0"), ("2", "1")])
def test_a_request_for_what_was_never_sent_is_rejected(first: str, last: str) -> None:
    pair = Pair().connect()
    hears(pair.venue, frame_of(pair.venue, 2, body("2", [(7, first), (16, last)])))
    pair.venue.take(0)
    assert pair.venue.said[-1].message().get(373) == "5"
    assert pair.venue.session.phase is Phase.ACTIVE


# --- NextExpectedMsgSeqNum --------------------------------------------------------------------------------------------


def test_logons_that_tell_what_is_expected_spare_the_asking() -> None:
    pair = Pair(replace(DESK, tells_expected=True), replace(VENUE, tells_expected=True)).connect()
    pair.say(pair.venue, news("v"))
    pair.say(pair.desk, news("d"), body("D", [(11, "1")]))
    pair.cut()
    pair.connect()
    assert (texts(pair.desk.told), texts(pair.venue.told)) == (["v"], ["d"])
    assert "2" not in kinds(pair.desk.said + pair.venue.said)
    assert pair.desk.session.next_in == pair.venue.session.next_out
    assert pair.venue.session.next_in == pair.desk.session.next_out


def test_one_who_expects_what_was_never_sent_is_told_so() -> None:
    side = Side(replace(VENUE, tells_expected=True))
    side.connect(0)
    hears(side, frame_of(side, 1, body("A", [(98, "0"), (108, "2"), (789, "7")])))
    assert reason(side) == "NextExpectedMsgSeqNum 7, but 1 comes next"
    side.take(0)
    assert kinds(side.said) == ["5"]


# --- what is written down ---------------------------------------------------------------------------------------------


class Diary(MemoryNumbers):
    """Writes down what it is told, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def sent(self, seq: int, kept: Any) -> None:
        super().sent(seq, kept)
        self.lines.append(f"sent {seq}")


def test_a_number_is_written_down_before_its_bytes_can_leave() -> None:
    diary = Diary()
    pair = Pair(memory=diary).connect()
    diary.lines.clear()
    pair.say(pair.desk, news("a"))
    assert diary.lines == ["sent 2"]
    assert b"148=a" in pair.desk.session.take(NOW)


def test_what_was_told_and_not_dealt_with_comes_again_after_a_crash() -> None:
    pair = Pair().connect()
    pair.say(pair.venue, news("a"))
    pair.talk()
    assert texts(pair.desk.told) == ["a"]
    pair.desk.session.disconnect()  # the owner died on it
    pair.venue.session.disconnect()
    pair.connect()
    assert texts(pair.desk.told) == ["a", "a"]
    pair.desk.session.settle()
    pair.cut()
    pair.connect()
    assert texts(pair.desk.told) == ["a", "a"]


def test_what_comes_after_our_logout_is_not_taken_and_comes_again() -> None:
    pair = Pair().connect()
    pair.say(pair.venue, news("a"), body("2", [(7, "1"), (16, "0")]))
    pair.desk.session.log_out("done", NOW)
    pair.talk()
    assert texts(pair.desk.told) == []
    pair.cut()
    pair.connect()
    assert texts(pair.desk.told) == ["a"]


def test_nobody_elses_request_is_answered_after_our_logout() -> None:
    side = Pair().connect().venue
    ask = frame_of(side, 2, body("2", [(7, "1"), (16, "0")]))
    hears(side, encode(Header("ELSE", "VENUE", 2, UTC), body("2", [(7, "1"), (16, "0")])))
    side.take(0)
    assert kinds(side.said)[-2:] == ["3", "5"]
    hears(side, encode(Header("ELSE", "VENUE", 3, UTC), body("2", [(7, "1"), (16, "0")])))
    assert side.take(0) == []
    hears(side, ask)
    assert len(side.take(0)) == 1


def test_a_counterpart_who_is_not_known_or_is_in_already_gets_no_word() -> None:
    session = Session(VENUE, lambda _: None)
    session.connect(NOW)
    told = session.receive(frame_of(Side(VENUE), 1, body("A", [(98, "0"), (108, "2")])), NOW)
    assert told == [Over("the counterpart is unknown, or has a session already")]
    assert session.take(NOW) == b""
    assert Session(DESK, lambda _: None).connect(NOW) == told
