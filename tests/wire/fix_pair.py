"""Two FIX sessions and the wire between them, which a test may cut, thin out and look at."""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from participant.wire.fix.codec import Body, Header, body, encode
from participant.wire.fix.events import Event, Over, Received
from participant.wire.fix.frames import Frame, split
from participant.wire.fix.numbers import MemoryNumbers, SessionStore
from participant.wire.fix.profile import SECOND, Moment, Profile
from participant.wire.fix.session import Session

DESK = Profile("DESK", "VENUE", is_initiator=True, heartbeat_s=2)
VENUE = Profile("VENUE", "DESK", is_initiator=False)
UTC = 1_796_000_000_000_000_000
NOW = Moment(0, UTC)


def news(text: str) -> Body:
    return body("B", [(148, text)])


def texts(events: list[Event]) -> list[str]:
    """The headlines of what was received."""
    return [e.frame.message().get(148) for e in events if isinstance(e, Received)]


class Side:
    """One side: its memory outlives its connections; `told` is all that it was told, `said` all that it has sent."""

    def __init__(self, profile: Profile, store: SessionStore | None = None) -> None:
        self.profile = profile
        self.store: SessionStore = store or MemoryNumbers()
        self.told: list[Event] = []
        self.said: list[Frame] = []
        self.session = Session(profile, lambda _: self.store)

    def connect(self, at: int) -> None:
        self.session = Session(self.profile, lambda _: self.store)
        self.told += self.session.connect(Moment(at, UTC + at))

    def take(self, at: int) -> list[bytes]:
        """The frames that it sends now."""
        frames: list[bytes] = []
        while data := self.session.take(Moment(at, UTC + at)):
            found, rest = split(data)
            assert rest == b""
            self.said += [item for item in found if isinstance(item, Frame)]
            frames += [item.raw for item in found if isinstance(item, Frame)]
        return frames


class Pair:
    """A desk (with this memory) that begins, a venue that answers. `passes` decides which frames get through (all)."""

    def __init__(self, desk: Profile = DESK, venue: Profile = VENUE, memory: SessionStore | None = None) -> None:
        self.at = 0
        self.desk, self.venue = Side(desk, memory), Side(venue)
        self.passes: Callable[[bytes], bool] = lambda _: True

    def connect(self) -> "Pair":
        """A new connection; both talk until they have nothing to say."""
        self.desk.connect(self.at)
        self.venue.connect(self.at)
        self.talk()
        return self

    def cut(self) -> None:
        """The connection is gone, with all that was on its way."""
        for side in (self.desk, self.venue):
            side.take(self.at)
            side.session.settle()
            side.session.disconnect()

    def talk(self, turns: int = 100) -> None:
        for _ in range(turns):
            moved = [self._carry(self.desk, self.venue), self._carry(self.venue, self.desk)]
            if not any(moved):
                return
        raise AssertionError(f"they still talk after {turns} turns")

    def _carry(self, one: Side, other: Side) -> bool:
        frames = one.take(self.at)
        for raw in frames:
            if self.passes(raw):
                other.told += other.session.receive(raw, Moment(self.at, UTC + self.at))
        return bool(frames)

    def say(self, side: Side, *contents: Body) -> list[int]:
        return [side.session.send(content, Moment(self.at, UTC + self.at)) for content in contents]

    def wait(self, seconds: float, *sides: Side) -> None:
        """Time passes for these sides (both), half a second at a time, and they talk."""
        for _ in range(int(seconds * 2)):
            self.at += SECOND // 2
            for side in sides or (self.desk, self.venue):
                side.told += side.session.pass_time(Moment(self.at, UTC + self.at))
            self.talk()


def with_limits(profile: Profile, **limits: int) -> Profile:
    return replace(profile, limits=replace(profile.limits, **limits))


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
