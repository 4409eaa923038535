"""The FIX session: two of them talk to each other, and each rule of the session is seen to hold."""

import pytest
from msgspec.structs import replace

from participant.wire.fix.codec import Body, Message, body, split
from participant.wire.fix.session import SECOND, Phase, Session, Step, begin, end, frame, pass_time, receive, send

NEWS = body("B", [(58, "news")])


def initiator() -> Session:
    return Session("DESK", "VENUE", is_initiator=True, heartbeat_s=2)


def acceptor() -> Session:
    return Session("VENUE", "", is_initiator=False, heartbeat_s=30)


def wired(step: Step) -> list[Message]:
    """What a step sends, by way of the wire."""
    found, rest = split(b"".join(frame(step.session, out, 0) for out in step.send))
    assert rest == b""
    return [item for item in found if isinstance(item, Message)]


def heard(session: Session, *messages: Message, at: int = 0) -> tuple[Session, list[Step]]:
    steps = []
    for message in messages:
        steps.append(receive(session, message, at))
        session = steps[-1].session
    return session, steps


def pair() -> tuple[Session, Session]:
    """A desk and a venue that are logged on."""
    logon = begin(initiator(), 0)
    answer = receive(begin(acceptor(), 0).session, wired(logon)[0], 0)
    desk = receive(logon.session, wired(answer)[0], 0)
    return desk.session, answer.session


def said(session: Session, *contents: Body) -> tuple[Session, list[Message]]:
    messages = []
    for content in contents:
        step = send(session, content, 0)
        session = step.session
        messages += wired(step)
    return session, messages


def kinds(step: Step) -> list[str]:
    return [out.content.msg_type for out in step.send]


def test_a_logon_is_answered_and_both_sides_are_active() -> None:
    desk, venue = pair()
    assert (desk.phase, venue.phase) == (Phase.ACTIVE, Phase.ACTIVE)
    assert (venue.target, venue.heartbeat_s) == ("DESK", 2)
    assert (desk.next_in, desk.next_out, venue.next_in, venue.next_out) == (2, 2, 2, 2)


def test_messages_are_delivered_in_order_and_nothing_is_sent_for_them() -> None:
    desk, venue = pair()
    _, news = said(venue, NEWS, NEWS)
    desk, steps = heard(desk, *news)
    assert [step.deliver for step in steps] == news
    assert [step.send for step in steps] == [(), ()]
    assert desk.next_in == 4


def test_nothing_is_sent_before_the_logon() -> None:
    step = send(acceptor(), NEWS, 0)
    assert (step.send, step.session) == ((), acceptor())


@pytest.mark.parametrize("kind", ["0", "1", "5", "B"])
def test_a_session_that_does_not_begin_with_a_logon_is_over(kind: str) -> None:
    step = receive(acceptor(), Message(kind, 1, ((35, kind), (49, "DESK"), (56, "VENUE"))), 0)
    assert step.session.phase is Phase.CLOSED
    assert "not a Logon" in step.reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [((141, "N"), "ResetSeqNumFlag"), ((108, "0"), "HeartBtInt"), ((108, "x"), "HeartBtInt"), ((56, "ELSE"), "CompID")],
)
def test_a_logon_that_asks_for_what_we_do_not_do_is_refused(change: tuple[int, str], reason: str) -> None:
    (logon,) = wired(begin(initiator(), 0))
    fields = tuple(change if tag == change[0] else (tag, value) for tag, value in logon.fields)
    step = receive(acceptor(), Message("A", 1, fields), 0)
    assert step.session.phase is Phase.CLOSED
    assert reason in step.reason


def test_a_second_logon_ends_the_session() -> None:
    desk, venue = pair()
    _, (logon,) = said(desk, body("A", [(98, "0"), (108, "2"), (141, "Y")]))
    step = receive(venue, logon, 0)
    assert (step.session.phase, kinds(step)) == (Phase.CLOSED, ["5"])


def test_a_gap_is_asked_for_once_and_what_follows_it_is_let_go_until_it_is_filled() -> None:
    desk, venue = pair()
    venue, news = said(venue, NEWS, NEWS, NEWS)
    desk, (first, second) = heard(desk, news[1], news[2])
    assert (first.is_gapped, kinds(first), first.deliver) == (True, ["2"], None)
    assert (second.is_gapped, second.send, second.deliver) == (False, (), None)
    fill = receive(venue, wired(first)[0], 0)
    assert kinds(fill) == ["4"]
    desk, (filled,) = heard(desk, wired(fill)[0])
    assert (desk.next_in, desk.gap_to, filled.deliver) == (5, 0, None)
    _, (more,) = said(fill.session, NEWS)
    assert heard(desk, more)[1][0].deliver == more


def test_both_sides_may_have_a_gap_at_once() -> None:
    desk, venue = pair()
    desk, lost_by_desk = said(desk, NEWS, NEWS)
    venue, lost_by_venue = said(venue, NEWS, NEWS)
    at_desk, at_venue = receive(desk, lost_by_venue[1], 0), receive(venue, lost_by_desk[1], 0)
    fill_desk, fill_venue = (
        receive(at_venue.session, wired(at_desk)[0], 0),
        receive(at_desk.session, wired(at_venue)[0], 0),
    )
    desk, _ = heard(fill_venue.session, *wired(fill_desk))
    venue, _ = heard(fill_desk.session, *wired(fill_venue))
    assert (desk.gap_to, venue.gap_to) == (0, 0)
    assert (desk.next_in, venue.next_in) == (venue.next_out, desk.next_out)


def test_a_gap_that_nobody_fills_ends_the_session() -> None:
    desk, venue = pair()
    _, news = said(venue, NEWS, NEWS)
    desk, _ = heard(desk, news[1])
    assert pass_time(replace(desk, heard_at=5 * SECOND), 4 * SECOND + 1).session.phase is Phase.CLOSED


def test_a_low_number_ends_the_session_unless_it_is_a_possible_duplicate() -> None:
    desk, venue = pair()
    _, (news,) = said(venue, NEWS)
    desk, _ = heard(desk, news)
    duplicate = Message("B", news.seq, (*news.fields, (43, "Y")))
    passed = receive(desk, duplicate, 0)
    assert (passed.session.phase, passed.deliver, passed.session.next_in) == (Phase.ACTIVE, None, desk.next_in)
    step = receive(desk, news, 0)
    assert (step.session.phase, kinds(step)) == (Phase.CLOSED, ["5"])
    assert step.reason == "MsgSeqNum too low, expecting 3 but received 2"


def test_a_message_without_a_number_or_from_somebody_else_ends_the_session() -> None:
    desk, _ = pair()
    nameless = receive(desk, Message("B", 2, ((35, "B"), (49, "ELSE"), (56, "DESK"))), 0)
    unnumbered = receive(desk, Message("B", 0, ((35, "B"), (49, "VENUE"), (56, "DESK"))), 0)
    assert (nameless.reason, unnumbered.reason) == ("CompID problem", "MsgSeqNum missing")


def test_a_reset_sets_the_number_whatever_its_own_and_never_goes_back() -> None:
    desk, venue = pair()
    _, (reset,) = said(venue, body("4", [(36, "10")]))
    forward = receive(desk, replace(reset, seq=7), 0)
    assert (forward.session.next_in, forward.is_gapped) == (10, True)
    back = receive(forward.session, _with(reset, 36, "9"), 0)
    assert "NewSeqNo '9' would go back" in back.reason


def _with(message: Message, tag: int, value: str) -> Message:
    return replace(message, fields=tuple((t, value if t == tag else v) for t, v in message.fields))


def test_a_resend_request_for_what_was_never_sent_ends_the_session() -> None:
    desk, venue = pair()
    _, (request,) = said(desk, body("2", [(7, "99"), (16, "0")]))
    assert "was never sent" in receive(venue, request, 0).reason


def test_quiet_brings_a_heartbeat_then_a_test_then_the_end() -> None:
    desk, _ = pair()
    assert kinds(pass_time(desk, SECOND)) == []
    beat = pass_time(desk, 2 * SECOND)
    assert kinds(beat) == ["0"]
    tested = pass_time(beat.session, 4 * SECOND)
    assert kinds(tested) == ["1"]
    over = pass_time(tested.session, 8 * SECOND)
    assert over.session.phase is Phase.CLOSED
    assert over.reason == "nothing heard for 8 s"


def test_a_test_request_is_answered_with_its_own_words_and_the_answer_is_enough() -> None:
    desk, venue = pair()
    tested = pass_time(desk, 4 * SECOND)
    (test,) = wired(tested)
    answer = receive(venue, test, 0)
    (beat,) = wired(answer)
    assert (beat.msg_type, beat.get(112)) == ("0", test.get(112))
    well = receive(tested.session, beat, 5 * SECOND)
    assert pass_time(well.session, 6 * SECOND).session.phase is Phase.ACTIVE


def test_a_logout_is_answered_and_both_sides_are_over() -> None:
    desk, venue = pair()
    asked = end(desk, "done", 0)
    answered = receive(venue, wired(asked)[0], 0)
    closed = receive(asked.session, wired(answered)[0], 0)
    assert (asked.session.phase, answered.session.phase, closed.session.phase) == (
        Phase.CLOSING,
        Phase.CLOSED,
        Phase.CLOSED,
    )
    assert answered.reason == "done"
    assert pass_time(closed.session, 100 * SECOND).send == ()


def test_an_initiator_whose_logon_nobody_answers_gives_up() -> None:
    step = begin(initiator(), 0)
    assert pass_time(step.session, 3 * SECOND).session.phase is Phase.OPENING
    assert pass_time(step.session, 4 * SECOND).session.phase is Phase.CLOSED
