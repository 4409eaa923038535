"""The session beside the plain one of the walking desk, its oracle: they log on, talk, lose messages and part."""

from collections.abc import Callable
from typing import Protocol

import pytest
from msgspec.structs import replace

from participant.wire.fix.codec import Body, Message
from participant.wire.fix.course import Phase
from participant.wire.fix.events import Gapped, Received
from participant.wire.fix.frames import Frame, split
from participant.wire.fix.numbers import MemoryNumbers
from participant.wire.fix.profile import Moment, Profile
from participant.wire.fix.session import Session
from tests.wire import plain_frames, plain_session
from tests.wire.fix_pair import DESK, UTC, VENUE, news
from tests.wire.test_fix_codec import message as codec_message

NEVER_KEPT = frozenset[str]()


class End(Protocol):
    """One of the two implementations, as far as this comparison looks."""

    got: list[str]
    gaps: int

    def begin(self) -> bytes: ...
    def hear(self, data: bytes) -> bytes: ...
    def say(self, content: Body) -> bytes: ...
    def part(self) -> bytes: ...
    def is_over(self) -> bool: ...


class Ours:
    def __init__(self, profile: Profile) -> None:
        self.got: list[str] = []
        self.gaps = 0
        self.session = Session(replace(profile, kept=NEVER_KEPT, resets=True, heartbeat_s=2), lambda _: MemoryNumbers())

    def begin(self) -> bytes:
        self.session.connect(Moment(0, UTC))
        return self._said()

    def hear(self, data: bytes) -> bytes:
        for event in self.session.receive(data, Moment(0, UTC)):
            self.gaps += isinstance(event, Gapped)
            self.got += [event.frame.message().get(148)] if isinstance(event, Received) else []
        return self._said()

    def say(self, content: Body) -> bytes:
        self.session.send(content, Moment(0, UTC))
        return self._said()

    def part(self) -> bytes:
        self.session.log_out("done", Moment(0, UTC))
        return self._said()

    def is_over(self) -> bool:
        return self.session.phase is Phase.CLOSED

    def _said(self) -> bytes:
        said = b""
        while data := self.session.take(Moment(0, UTC)):
            said += data
        return said


class Plain:
    def __init__(self, sender: str, target: str, is_initiator: bool) -> None:
        self.got: list[str] = []
        self.gaps = 0
        self.session = plain_session.Session(sender, target, is_initiator=is_initiator, heartbeat_s=2)

    def begin(self) -> bytes:
        return self._step(plain_session.begin(self.session, 0))

    def hear(self, data: bytes) -> bytes:
        found, rest = plain_frames.split(data)
        assert rest == b""
        said = [self._step(plain_session.receive(self.session, item, 0)) for item in found if isinstance(item, Message)]
        return b"".join(said)

    def say(self, content: Body) -> bytes:
        return self._step(plain_session.send(self.session, content, 0))

    def part(self) -> bytes:
        return self._step(plain_session.end(self.session, "done", 0))

    def is_over(self) -> bool:
        return self.session.phase is plain_session.Phase.CLOSED

    def _step(self, step: plain_session.Step) -> bytes:
        self.session = step.session
        self.gaps += step.is_gapped
        if step.deliver and step.deliver.msg_type == "B":
            self.got.append(step.deliver.get(148))
        return b"".join(plain_session.frame(step.session, out, UTC) for out in step.send)


def talk(one: End, other: End, said: bytes) -> None:
    """Hand over what is said until nothing is."""
    while said:
        one, other, said = other, one, other.hear(said)


ROLES: dict[str, Callable[[], tuple[End, End]]] = {
    "ours begins": lambda: (Ours(DESK), Plain("VENUE", "", False)),
    "ours is begun with": lambda: (Plain("DESK", "VENUE", True), Ours(replace(VENUE, target=""))),
    "plain with plain": lambda: (Plain("DESK", "VENUE", True), Plain("VENUE", "", False)),
    "ours with ours": lambda: (Ours(DESK), Ours(VENUE)),
}


@pytest.mark.parametrize("roles", ROLES)
def test_a_day_of_two_sessions_is_the_same_whoever_plays_it(roles: str) -> None:
    desk, venue = ROLES[roles]()
    venue.begin()
    talk(desk, venue, desk.begin())
    talk(venue, desk, venue.say(news("a")))
    talk(desk, venue, desk.say(news("b")))
    talk(venue, desk, venue.say(news("c")) + venue.say(news("d")))
    venue.say(news("lost"))
    talk(venue, desk, venue.say(news("after")))
    talk(venue, desk, venue.say(news("more")))
    desk.say(news("lost"))
    talk(desk, venue, desk.say(news("after")))
    assert (desk.gaps, venue.gaps) == (1, 1)
    assert ([text for text in desk.got if text != "after"], venue.got[:1]) == (["a", "c", "d", "more"], ["b"])
    talk(desk, venue, desk.part())
    assert desk.is_over()
    assert venue.is_over()


def test_frames_are_found_as_the_plain_ones_find_them() -> None:
    stream = b"".join(codec_message(number) for number in range(1, 6))
    for cut in range(0, len(stream), 3):
        bent = stream[:cut] + b"x" + stream[cut + 1 :]
        ours = [item.seq for item in split(bent)[0] if isinstance(item, Frame)]
        plain = [item.seq for item in plain_frames.split(bent)[0] if isinstance(item, Message)]
        assert set(plain) <= set(ours), cut
