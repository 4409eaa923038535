"""The limits of a FIX session: all that it waits for, holds or answers has an end; and how it says no."""

from typing import Any

from msgspec.structs import replace

from participant.wire.fix.codec import Body, Header, body, encode
from participant.wire.fix.course import Phase
from participant.wire.fix.events import Event, Over, Received
from participant.wire.fix.frames import FAULTS_MAX, Frame, Garbled
from participant.wire.fix.grammar import Fault, Problem
from participant.wire.fix.numbers import MemoryNumbers
from participant.wire.fix.profile import NUMBER_MAX, SECOND, Moment
from tests.wire.fix_pair import DESK, UTC, VENUE, Pair, Side, news, texts, with_limits

NOW = Moment(0, UTC)


def kinds(frames: list[Frame]) -> list[str]:
    return [frame.msg_type for frame in frames]


def reason(side: Side) -> str:
    return next((event.reason for event in side.told if isinstance(event, Over)), "")


def frame_of(side: Side, seq: int, content: Body, **header: Any) -> bytes:
    """A frame as the side's counterpart would send it."""
    target = "VENUE" if side.profile.sender == "DESK" else "DESK"
    return encode(Header(target, side.profile.sender, seq, UTC, **header), content)


def hears(side: Side, *frames: bytes) -> list[Event]:
    told = side.session.receive(b"".join(frames), NOW)
    side.told += told
    return told


# --- limits and time --------------------------------------------------------------------------------------------------


def test_quiet_brings_a_heartbeat_then_a_test_then_the_end() -> None:
    pair = Pair().connect()
    pair.passes = lambda _: False
    pair.wait(10, pair.desk)
    assert kinds(pair.desk.said)[1:4] == ["0", "1", "0"]
    assert reason(pair.desk) == "nothing heard for 7 s"


def test_a_logon_that_nobody_answers_and_a_client_that_says_nothing_are_given_up() -> None:
    pair = Pair()
    pair.desk.connect(0)
    pair.venue.connect(0)
    pair.passes = lambda _: False
    pair.wait(11)
    assert (reason(pair.desk), reason(pair.venue)) == ("no Logon within 10 s", "no Logon within 10 s")


def test_bytes_that_never_become_a_message_do_not_hold_a_connection() -> None:
    side = Side(VENUE)
    side.connect(0)
    for at in range(12):
        side.told += side.session.receive(b"8=FIX.4.4\x019=100\x01"[at : at + 1], Moment(at * SECOND, UTC))
        side.told += side.session.pass_time(Moment(at * SECOND, UTC))
    assert reason(side) == "no Logon within 10 s"


def test_a_gap_that_nobody_fills_ends_the_session() -> None:
    pair = Pair().connect()
    pair.passes = lambda raw: b"148=lost" not in raw and b"35=2" not in raw
    pair.say(pair.venue, news("lost"), news("seen"))
    pair.talk()
    pair.wait(31)
    assert reason(pair.desk) == "messages from 2 on were not filled in 30 s"


def test_a_logout_is_answered_and_one_that_is_not_has_an_end() -> None:
    pair = Pair().connect()
    pair.desk.session.log_out("done", NOW)
    pair.talk()
    assert (reason(pair.venue), reason(pair.desk)) == ("done", "done")
    pair = Pair().connect()
    pair.passes = lambda _: False
    pair.desk.session.log_out("done", NOW)
    pair.wait(3, pair.desk)
    assert reason(pair.desk) == "done: no Logout within 2 s of ours"


def test_what_nobody_takes_ends_the_session_and_is_not_sent() -> None:
    pair = Pair(with_limits(DESK, unsent_bytes_max=100)).connect()
    assert pair.say(pair.desk, news("a"), news("b"), news("c")) == [2, 3, 0]
    assert pair.desk.session.next_out == 4
    assert pair.desk.session.phase is Phase.CLOSED


def test_numbers_have_an_end() -> None:
    store = MemoryNumbers()
    store.sent(NUMBER_MAX - 1, None)
    side = Side(replace(DESK, tells_expected=False), store)
    side.connect(0)
    assert side.session.next_out == NUMBER_MAX + 1
    hears(side, frame_of(side, 1, body("A", [(98, "0"), (108, "2")])))
    assert side.session.send(news("a"), NOW) == 0


def test_rubbish_before_a_logon_ends_it_and_afterwards_has_a_limit() -> None:
    side = Side(VENUE)
    side.connect(0)
    told = hears(side, b"GET / HTTP/1.1\r\n")
    assert [type(event) for event in told] == [Garbled, Over]
    side = Pair().connect().desk
    rubbish = b"8=FIX.4.4\x019=x\x01"
    hears(side, rubbish * (FAULTS_MAX - 1) + frame_of(side, 2, news("good")))
    assert texts(side.told) == ["good"]
    hears(side, rubbish * (FAULTS_MAX + 1))
    assert "could not be read" in reason(side)


# --- rejects ----------------------------------------------------------------------------------------------------------


def test_a_reject_is_never_rejected_nor_a_business_reject_declined() -> None:
    pair = Pair(venue=replace(VENUE, rules={})).connect()
    hears(pair.venue, frame_of(pair.venue, 2, body("3", [(45, "x")])), frame_of(pair.venue, 3, body("j", [(380, "9")])))
    assert pair.venue.take(0) == []
    assert pair.venue.session.next_in == 4


def test_an_application_may_reject_and_decline() -> None:
    pair = Pair().connect()
    pair.say(pair.venue, news("a"))
    pair.talk()
    received = next(event for event in pair.desk.told if isinstance(event, Received))
    pair.desk.session.reject(received.frame, Problem(Fault.VALUE, 148), NOW)
    pair.desk.session.decline(received.frame, 4, "später", NOW)
    pair.talk()
    rejected, declined = [event.frame.message() for event in pair.venue.told if isinstance(event, Received)]
    assert (rejected.msg_type, rejected.get(45), rejected.get(371), rejected.get(373)) == ("3", "2", "148", "5")
    assert (declined.msg_type, declined.get(380), declined.get(58)) == ("j", "4", "sp?ter")


def test_a_second_logon_ends_the_session() -> None:
    pair = Pair().connect()
    hears(pair.venue, frame_of(pair.venue, 2, body("A", [(98, "0"), (108, "2")])))
    pair.talk()
    assert reason(pair.venue) == reason(pair.desk) == "a second Logon"


def test_a_message_without_a_number_ends_the_session() -> None:
    pair = Pair().connect()
    text = b"35=B\x0149=DESK\x0156=VENUE\x0152=20261130-00:53:20.000\x01148=a\x01"
    front = b"8=FIX.4.4\x019=%d\x01" % len(text) + text
    hears(pair.venue, front + b"10=%03d\x01" % (sum(front) & 255))
    pair.talk()
    assert reason(pair.venue) == "MsgSeqNum missing"


def test_a_fix_42_session_speaks_fix_42() -> None:
    pair = Pair(replace(DESK, version="FIX.4.2"), replace(VENUE, version="FIX.4.2")).connect()
    pair.say(pair.venue, news("a"))
    pair.talk()
    assert {frame.version for frame in pair.desk.said + pair.venue.said} == {"FIX.4.2"}
    assert texts(pair.desk.told) == ["a"]
