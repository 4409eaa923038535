"""A FIX 4.4 session as a state machine, for both sides: values in, values out, no socket and no clock.

Every connection starts both sequences at 1 (ResetSeqNumFlag), and what is missed is never sent again but gap-filled:
market data ages faster than it can be repeated, so the reader asks for a new snapshot instead. `at` is ns of any clock
that never goes back.
"""

from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from participant.wire.fix.codec import Body, Header, Message, body, encode

SECOND = 1_000_000_000
HEARTBEAT_MAX_S = 3_600


class Phase(StrEnum):
    """Before the counterpart's Logon, after it, after our Logout, and over."""

    OPENING = "opening"
    ACTIVE = "active"
    CLOSING = "closing"
    CLOSED = "closed"


class Session(Struct, frozen=True):
    """Where a session stands. `gap_to` is the highest number seen beyond a gap that is being filled, else 0."""

    sender: str
    target: str
    is_initiator: bool
    heartbeat_s: int
    phase: Phase = Phase.OPENING
    next_out: int = 1
    next_in: int = 1
    sent_at: int = 0
    heard_at: int = 0
    tested_at: int = 0
    gap_to: int = 0
    gap_at: int = 0


class Outgoing(Struct, frozen=True):
    """A message to be sent now, under this number."""

    seq: int
    content: Body
    is_possdup: bool = False


class Step(Struct, frozen=True):
    """What an event leads to. `is_gapped`: messages before `deliver` are lost; `reason`: why the session is over."""

    session: Session
    send: tuple[Outgoing, ...] = ()
    deliver: Message | None = None
    is_gapped: bool = False
    reason: str = ""


def frame(session: Session, outgoing: Outgoing, sent_at: int) -> bytes:
    """The bytes of a message to be sent; `sent_at` is ns UTC."""
    header = Header(session.sender, session.target, outgoing.seq, sent_at, outgoing.is_possdup)
    return encode(header, outgoing.content)


# --- what we do -------------------------------------------------------------------------------------------------------


def begin(session: Session, at: int) -> Step:
    """The connection stands: an initiator sends its Logon, an acceptor waits for one."""
    session = replace(session, sent_at=at, heard_at=at)
    return _say(session, at, _logon(session)) if session.is_initiator else Step(session)


def send(session: Session, content: Body, at: int) -> Step:
    """Send an application message; nothing is sent unless the session is active."""
    return _say(session, at, content) if session.phase is Phase.ACTIVE else Step(session)


def end(session: Session, text: str, at: int) -> Step:
    """Ask for the session's end."""
    if session.phase is not Phase.ACTIVE:
        return Step(replace(session, phase=Phase.CLOSED), reason=text)
    step = _say(session, at, body("5", [(58, text)]))
    return Step(replace(step.session, phase=Phase.CLOSING), step.send)


def pass_time(session: Session, at: int) -> Step:
    """Heartbeat when we were quiet for the interval; test the counterpart, then give it up, when it was quiet."""
    beat = session.heartbeat_s * SECOND
    quiet = at - session.heard_at
    if session.phase is Phase.CLOSED:
        return Step(session)
    if session.gap_to and at - session.gap_at > 2 * beat:
        return _over(session, f"messages from {session.next_in} on were not filled in {2 * session.heartbeat_s} s")
    if session.phase is not Phase.ACTIVE or session.tested_at:
        since = at - (session.tested_at or session.heard_at)
        return _over(session, f"nothing heard for {quiet // SECOND} s") if since > beat + beat // 2 else Step(session)
    if quiet > beat + beat // 2:
        step = _say(session, at, body("1", [(112, f"TEST-{session.next_out}")]))
        return Step(replace(step.session, tested_at=at), step.send)
    if at - session.sent_at >= beat:
        return _say(session, at, body("0"))
    return Step(session)


def _say(session: Session, at: int, content: Body) -> Step:
    out = Outgoing(session.next_out, content)
    return Step(replace(session, next_out=session.next_out + 1, sent_at=at), (out,))


def _logon(session: Session) -> Body:
    return body("A", [(98, "0"), (108, str(session.heartbeat_s)), (141, "Y")])


def _over(session: Session, reason: str, *, is_told: bool = False) -> Step:
    """The end, here and now; the counterpart is told why where it may listen."""
    said = _say(session, session.heard_at, body("5", [(58, reason)])) if is_told else Step(session)
    return Step(replace(said.session, phase=Phase.CLOSED), said.send, reason=reason)


# --- what the counterpart does ----------------------------------------------------------------------------------------


def receive(session: Session, message: Message, at: int) -> Step:
    """One whole message of the counterpart. (A garbled one never comes here and uses up no number.)"""
    session = replace(session, heard_at=at, tested_at=0)
    if session.phase is not Phase.OPENING:
        problem = _problem(session, message)
        if problem:
            return _over(session, problem, is_told=True)
        if message.seq < session.next_in and not _is_reset(message):
            return Step(session)  # a possible duplicate, already had
        if message.seq > session.next_in and not _is_reset(message):
            return _gap(session, message)
        if not _is_reset(message):
            session = _counted(session, message.seq + 1)
    return _act(session, message)


def _act(session: Session, message: Message) -> Step:
    kind = message.msg_type if message.msg_type in ADMIN else "*"
    return TABLE.get((session.phase, kind), _ignore)(session, message)


def _problem(session: Session, message: Message) -> str:
    if (message.get(49), message.get(56)) != (session.target, session.sender):
        return "CompID problem"
    if not message.seq:
        return "MsgSeqNum missing"
    is_low = message.seq < session.next_in and message.get(43) != "Y" and not _is_reset(message)
    return f"MsgSeqNum too low, expecting {session.next_in} but received {message.seq}" if is_low else ""


def _is_reset(message: Message) -> bool:
    """A SequenceReset that is no gap fill counts whatever its own number."""
    return message.msg_type == "4" and message.get(123) != "Y"


def _counted(session: Session, next_in: int) -> Session:
    is_filled = next_in > session.gap_to
    return replace(session, next_in=next_in, gap_to=0 if is_filled else session.gap_to)


def _gap(session: Session, message: Message) -> Step:
    """Numbers are missing: ask for them once, let the message go; but answer those that must not wait."""
    step = _act(session, message) if message.msg_type in {"2", "5"} else Step(session)
    if step.session.phase is not Phase.ACTIVE:
        return step
    asked = bool(session.gap_to)
    session = replace(step.session, gap_to=max(session.gap_to, message.seq))
    if asked:
        return Step(session, step.send)
    request = _say(session, session.heard_at, body("2", [(7, str(session.next_in)), (16, "0")]))
    return Step(replace(request.session, gap_at=session.heard_at), step.send + request.send, is_gapped=True)


def _on_logon(session: Session, message: Message) -> Step:
    if session.is_initiator and message.get(49) != session.target:
        return _over(session, "CompID problem")
    if message.seq != 1 or message.get(141) != "Y":
        return _over(session, "a session must begin with ResetSeqNumFlag at 1")
    beat = message.get(108)
    if len(beat) > 4 or not beat.isdecimal() or not 0 < int(beat) <= HEARTBEAT_MAX_S:
        return _over(session, f"HeartBtInt {beat[:8]!r} is not within 1..{HEARTBEAT_MAX_S} s")
    session = replace(session, phase=Phase.ACTIVE, next_in=2)
    if session.is_initiator:
        return Step(session, deliver=message)
    if message.get(56) != session.sender:
        return _over(session, "CompID problem")
    session = replace(session, target=message.get(49), heartbeat_s=int(beat))
    step = _say(session, session.heard_at, _logon(session))
    return Step(step.session, step.send, deliver=message)


def _on_test(session: Session, message: Message) -> Step:
    return _say(session, session.heard_at, body("0", [(112, message.get(112) or "TEST")]))


def _on_resend(session: Session, message: Message) -> Step:
    """Nothing is kept to be sent again: one gap fill leads up to the present number."""
    start = message.get(7)
    if len(start) > 9 or not start.isdecimal() or not 0 < int(start) < session.next_out:
        return _over(session, f"BeginSeqNo {start[:16]!r} was never sent", is_told=True)
    fill = body("4", [(123, "Y"), (36, str(session.next_out))])
    return Step(session, (Outgoing(int(start), fill, is_possdup=True),))


def _on_reset(session: Session, message: Message) -> Step:
    new = message.get(36)
    if len(new) > 9 or not new.isdecimal() or int(new) < session.next_in:
        return _over(session, f"NewSeqNo {new[:16]!r} would go back", is_told=True)
    is_gapped = int(new) > session.next_in and not session.gap_to
    return Step(_counted(session, int(new)), is_gapped=is_gapped)


def _on_logout(session: Session, message: Message) -> Step:
    step = _over(session, message.get(58) or "the counterpart logged out")
    if session.phase is Phase.CLOSING:
        return step
    answer = _say(session, session.heard_at, body("5"))
    return Step(replace(answer.session, phase=Phase.CLOSED), answer.send, reason=step.reason)


def _on_early(session: Session, message: Message) -> Step:
    return _over(session, f"the first message was {message.msg_type[:4]!r}, not a Logon")


def _on_late_logon(session: Session, message: Message) -> Step:
    return _over(session, f"a second Logon, number {message.seq}", is_told=True)


def _deliver(session: Session, message: Message) -> Step:
    return Step(session, deliver=message)


def _ignore(session: Session, _: Message) -> Step:
    return Step(session)


ADMIN = ("A", "0", "1", "2", "3", "4", "5")
TABLE: dict[tuple[Phase, str], Callable[[Session, Message], Step]] = {
    **{(Phase.OPENING, kind): _on_early for kind in (*ADMIN, "*")},
    (Phase.OPENING, "A"): _on_logon,
    (Phase.ACTIVE, "A"): _on_late_logon,
    (Phase.ACTIVE, "1"): _on_test,
    (Phase.ACTIVE, "2"): _on_resend,
    (Phase.ACTIVE, "4"): _on_reset,
    (Phase.ACTIVE, "5"): _on_logout,
    (Phase.ACTIVE, "*"): _deliver,
    (Phase.CLOSING, "2"): _on_resend,
    (Phase.CLOSING, "5"): _on_logout,
}
