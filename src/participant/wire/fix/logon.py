"""What a session asks of a Logon and of every header, as plain judgements without state."""

from msgspec import Struct

from participant.wire.fix.codec import Message
from participant.wire.fix.frames import Frame
from participant.wire.fix.grammar import ADMIN, TEXT, Fault, Problem, check, is_time
from participant.wire.fix.profile import HEARTBEAT_MAX_S, SECOND, Moment, Profile
from participant.wire.fix.time import nanoseconds


class Offer(Struct, frozen=True):
    """What a Logon asks for. `expected` is the number that its sender expects next (789), 0 where it does not say."""

    heartbeat_s: int
    is_reset: bool
    expected: int


def offered(message: Message) -> Offer:
    """The offer of a Logon that `check` found to be well formed."""
    return Offer(int(message.get(108)), message.get(141) == "Y", int(message.get(789) or 0))


def logon_fault(frame: Frame, message: Message, profile: Profile, now: Moment) -> str:
    """Why a first message is no Logon for us; empty where it is one."""
    if frame.msg_type != "A":
        return f"the first message was {frame.msg_type[:4]!r}, not a Logon"
    problem = check(message, ADMIN["A"], profile.version)
    if problem:
        return f"a Logon: {TEXT[problem.fault]}" + (f" ({problem.tag})" if problem.tag is not None else "")
    target = profile.target or frame.get(49)
    problem = header_problem(frame, profile, target, now)
    if problem:
        return TEXT[problem.fault]
    offer = offered(message)
    if not 0 < offer.heartbeat_s <= HEARTBEAT_MAX_S:
        return f"HeartBtInt {offer.heartbeat_s} is not within 1..{HEARTBEAT_MAX_S} s"
    if offer.is_reset and frame.seq != 1:
        return f"a Logon that resets the numbers has number {frame.seq}, not 1"
    if offer.is_reset and profile.is_initiator and not profile.resets:
        return "the counterpart resets the numbers, which was not asked for: agree on `resets`"
    return ""


def header_problem(frame: Frame, profile: Profile, target: str, now: Moment) -> Problem | None:
    """What of a header ends the session: names that are not ours, a SendingTime that is far from now."""
    theirs, ours, sent = frame.get(49), frame.get(56), frame.get(52)
    if (theirs and theirs != target) or (ours and ours != profile.sender):
        return Problem(Fault.COMP_ID)
    bound = profile.limits.sending_time_s
    if bound and is_time(sent) and abs(nanoseconds(sent) - now.utc) > bound * SECOND:
        return Problem(Fault.TIME)
    return None


def low_problem(frame: Frame) -> Problem | None:
    """What is wrong with a possible duplicate: it must say when it was sent first, and that was not later."""
    if frame.msg_type == "4":
        return None
    first, sent = frame.get(122), frame.get(52)
    if not is_time(first):
        return Problem(Fault.FORMAT if first else Fault.MISSING, 122)
    return Problem(Fault.TIME) if is_time(sent) and nanoseconds(first) > nanoseconds(sent) else None
