"""The limits of a FIX session: all that it waits for, holds or answers has an end; and how it says no."""

import pytest
from msgspec.structs import replace

from participant.wire.fix.codec import body
from participant.wire.fix.course import Phase
from participant.wire.fix.events import Over, Received
from participant.wire.fix.frames import FAULTS_MAX, Garbled, split
from participant.wire.fix.grammar import Fault, Problem
from participant.wire.fix.numbers import MemoryNumbers
from participant.wire.fix.profile import NUMBER_MAX, SECOND, Moment
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
    with_limits,
)

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


def test_a_session_that_ends_amid_what_came_early_leaves_the_rest_to_the_next_connection() -> None:
    pair = Pair(with_limits(DESK, unsent_bytes_max=150)).connect()
    side = pair.desk
    tests = [frame_of(side, seq, body("1", [(112, "x" * 200)])) for seq in (4, 5)]
    hears(side, *tests, frame_of(side, 6, news("early")))
    side.take(0)
    told = hears(side, frame_of(side, 2, body("4", [(123, "Y"), (36, "7")]), is_possdup=True))
    assert side.session.phase is Phase.CLOSED
    assert texts(told) == []
    assert side.session.next_in == 6


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
    hears(side, rubbish * 400, frame_of(side, 3, news("good")), rubbish * 400)
    assert "of one reading could not be read" in reason(side)
    side = Pair().connect().desk
    for _ in range(FAULTS_MAX):
        hears(side, rubbish)
    hears(side, rubbish)
    assert "in a row could not be read" in reason(side)


def test_what_finds_no_room_to_wait_is_asked_for_again() -> None:
    pair = Pair(with_limits(DESK, waiting_max=3)).connect()
    pair.passes = lambda raw: b"148=0\x01" not in raw or b"43=Y" in raw
    pair.say(pair.venue, *(news(str(n)) for n in range(20)))
    pair.talk()
    assert texts(pair.desk.told) == [str(n) for n in range(20)]


def test_it_is_asked_for_as_soon_as_what_had_room_is_taken() -> None:
    pair = Pair(with_limits(DESK, waiting_max=2)).connect()
    side = pair.desk
    hears(side, *(frame_of(side, seq, news(str(seq))) for seq in (5, 6, 7, 8)))
    side.take(0)
    assert side.said[-1].message().get(7) == "2"
    told = hears(side, *(frame_of(side, seq, news(str(seq)), is_possdup=True) for seq in (2, 3, 4)))
    assert texts(told) == ["2", "3", "4", "5", "6"]
    side.take(0)
    assert (len(side.said), side.said[-1].message().get(7)) == (3, "7")


def test_bytes_that_wait_are_bounded_too() -> None:
    pair = Pair(with_limits(DESK, waiting_bytes_max=300)).connect()
    pair.passes = lambda raw: b"148=0\x01" not in raw or b"43=Y" in raw
    pair.say(pair.venue, *(news(str(n)) for n in range(20)))
    pair.talk()
    assert texts(pair.desk.told) == [str(n) for n in range(20)]


def test_many_are_sent_again_a_portion_at_a_time() -> None:
    pair = Pair(venue=with_limits(VENUE, portion=10)).connect()
    pair.say(pair.venue, *(news(str(n)) for n in range(95)))
    pair.cut()
    pair.desk.connect(0)
    pair.venue.connect(0)
    now = Moment(0, UTC)
    pair.venue.session.receive(pair.desk.session.take(now), now)
    pair.desk.session.receive(pair.venue.session.take(now), now)
    pair.venue.session.receive(pair.desk.session.take(now), now)
    sizes = []
    while data := pair.venue.session.take(now):
        sizes.append(len(split(data)[0]))
        pair.desk.told += pair.desk.session.receive(data, now)
    assert max(sizes) <= 11
    assert texts(pair.desk.told) == [str(n) for n in range(95)]


def test_requests_that_nobody_lets_us_answer_have_an_end() -> None:
    pair = Pair(venue=with_limits(VENUE, requests_max=3)).connect()
    pair.say(pair.venue, *(news(str(n)) for n in range(9)))
    asks = [frame_of(pair.venue, 2 + n, body("2", [(7, str(1 + n)), (16, "0")])) for n in range(4)]
    hears(pair.venue, *asks)
    assert reason(pair.venue) == "3 requests to resend are not answered yet"


# --- rejects ----------------------------------------------------------------------------------------------------------


def test_a_reject_is_never_rejected_nor_a_business_reject_declined() -> None:
    pair = Pair(venue=replace(VENUE, rules={})).connect()
    hears(pair.venue, frame_of(pair.venue, 2, body("3", [(45, "x")])), frame_of(pair.venue, 3, body("j", [(380, "9")])))
    assert pair.venue.take(0) == []
    assert pair.venue.session.next_in == 4


def test_a_field_after_the_trailer_is_out_of_order() -> None:
    side = Pair().connect().venue
    hears(side, frame_of(side, 2, body("0", [(93, "1"), (89, "x"), (112, "a")])))
    side.take(0)
    assert (side.said[-1].message().get(371), side.said[-1].message().get(373)) == ("112", "14")


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


def bad(seq: int, kind: bytes, content: bytes = b"") -> bytes:
    """A message of the desk's with a field that is none."""
    text = b"35=%b\x0134=%d\x0149=DESK\x0152=20261130-00:53:20.000\x0156=VENUE\x01%bnonsense\x01" % (kind, seq, content)
    front = b"8=FIX.4.4\x019=%d\x01" % len(text) + text
    return front + b"10=%03d\x01" % (sum(front) & 255)


@pytest.mark.parametrize(("seq", "kind"), [(2, b"1"), (2, b"4"), (2, b"A"), (2, b"2"), (9, b"2"), (1, b"2")])
def test_a_message_whose_fields_cannot_be_told_apart_is_garbled_and_uses_up_no_number(seq: int, kind: bytes) -> None:
    side = Pair().connect().venue
    (told,) = hears(side, bad(seq, kind))
    assert isinstance(told, Garbled)
    assert (side.session.next_in, side.take(0)) == (2, [])


def test_a_logon_that_cannot_be_read_ends_it_and_a_logout_ends_it_however_it_reads() -> None:
    side = Side(VENUE)
    side.connect(0)
    hears(side, bad(1, b"A", b"98=0\x01108=30\x01"))
    assert "a field is not tag=value" in reason(side)
    side = Pair().connect().venue
    hears(side, bad(2, b"5"))
    assert reason(side) == "the counterpart logged out"


def test_an_application_message_without_its_names_is_rejected() -> None:
    side = Pair().connect().venue
    text = b"35=B\x0134=2\x0149=\x0152=20261130-00:53:20.000\x01148=a\x01"
    front = b"8=FIX.4.4\x019=%d\x01" % len(text) + text
    hears(side, front + b"10=%03d\x01" % (sum(front) & 255))
    side.take(0)
    assert (side.said[-1].message().get(371), side.said[-1].message().get(373)) == ("49", "4")
    assert side.session.next_in == 3


def test_a_logon_with_a_number_that_was_had_is_told_so() -> None:
    pair = Pair().connect()
    pair.wait(4)
    pair.cut()
    pair.venue.connect(0)
    hears(pair.venue, frame_of(pair.venue, 1, body("A", [(98, "0"), (108, "2")])))
    pair.venue.take(0)
    assert pair.venue.said[-1].message().get(58).startswith("MsgSeqNum too low, expecting")
    assert pair.venue.session.phase is Phase.CLOSED


def test_one_who_parts_before_a_logon_says_nothing() -> None:
    side = Side(VENUE)
    side.connect(0)
    side.session.log_out("never mind", NOW)
    assert side.session.pass_time(NOW) == [Over("never mind")]
    assert side.take(0) == []


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
