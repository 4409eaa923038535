"""Cases of a FIX session as scripts, and their player: real bytes into an acceptor, its bytes compared field by field.

A script is a line a step; the peer is PEER, ours is DESK:

    > TYPE NUMBER [tag=value ...]   the peer sends this; `order` stands for the body of an order, `now-121` for a time,
                                    _ for a blank; `-tag` leaves a field of the header out; 9= and 10= are sent as they
                                    stand; `as: ...` sends just these fields, in this order
    raw BYTES                       the peer sends this, | for SOH; {now} is the time
    < TYPE NUMBER [tag=value ...]   what we must have said next; `!tag`: that field must not be there
    wait SECONDS                    time passes; what is said meanwhile is looked for by the `<` that follow
    over                            the session must be over
    connect                         another connection, with what the store remembers

What we say beyond the script fails it. A leading `2` (`2>`, `2 over`) is of a second connection beside the first.
"""

from typing import NamedTuple

from participant.wire.fix.codec import body_of
from participant.wire.fix.course import Phase
from participant.wire.fix.events import LoggedOn, Received
from participant.wire.fix.frames import Frame, split
from participant.wire.fix.grammar import rule
from participant.wire.fix.numbers import MemoryNumbers
from participant.wire.fix.profile import SECOND, Moment, Profile
from participant.wire.fix.session import Session
from participant.wire.fix.time import nanoseconds, timestamp

START = nanoseconds("20261129-10:00:00")
ORDER = "11=ID 21=3 40=1 54=1 55=INTC 60=now"
RULES = {
    "D": rule("11! 21! 40! 54! 55! 60! 38 44 167 126 58", {386: (336,)}),
    "d": rule("320! 322! 323! 55 22 167 336 58", {454: (455, 456)}),
    "B": None,
}


class Case(NamedTuple):
    """What must happen, in words; the script; and why the case is not played as it is defined ("": it is)."""

    says: str
    script: str
    note: str = ""
    versions: tuple[str, ...] = ("FIX.4.4", "FIX.4.2")


class Failed(AssertionError):
    """The session did not do what the script says."""


class _Door:
    """Who is known, and who is in."""

    def __init__(self) -> None:
        self._numbers = {"PEER": MemoryNumbers()}
        self._inside: set[str] = set()

    def claim(self, name: str) -> MemoryNumbers | None:
        if name in self._inside or name not in self._numbers:
            return None
        self._inside.add(name)
        return self._numbers[name]

    def leave(self, session: Session) -> None:
        if session._store:
            self._inside.discard(session.target)
        session.disconnect()


class _Line:
    """One connection, and an application behind it that sends back each message that it has not seen by its id."""

    def __init__(self, session: Session, at: int) -> None:
        self.session = session
        self.said: list[Frame] = []
        self._ids: set[str] = set()
        session.connect(Moment(at, START + at))

    def hear(self, data: bytes, at: int) -> None:
        now = Moment(at, START + at)
        told = self.session.pass_time(now) if not data else self.session.receive(data, now)
        for event in told:
            if isinstance(event, Received) and event.frame.msg_type not in {"3", "j"}:
                self._echo(event.frame, now)
            assert not isinstance(event, LoggedOn) or self.session.phase is not Phase.OPENING
        while sent := self.session.take(now):
            found, rest = split(sent)
            assert rest == b""
            self.said += [item for item in found if isinstance(item, Frame)]

    def _echo(self, frame: Frame, now: Moment) -> None:
        message = frame.message()
        known = message.get(11) in self._ids
        self._ids.add(message.get(11))
        if known and message.get(97) == "Y" and message.get(11):
            return
        fields = [(t, v) for t, v in message.fields if t not in {35, 34, 49, 52, 56, 43, 122}]
        self.session.send(body_of(frame.msg_type, "".join(f"{t}={v}\x01" for t, v in fields)), now)


class Player:
    """Plays a script against an acceptor of this version."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.at = 0
        self._door = _Door()
        self._lines: dict[str, _Line] = {}

    def play(self, script: str) -> None:
        """Failed where the session does otherwise."""
        self._connect("1")
        for number, line in enumerate((part.strip() for part in script.strip().splitlines()), start=1):
            try:
                self._step("2" if line.startswith("2") else "1", line.removeprefix("2").strip())
            except Failed as failed:
                raise Failed(f"line {number}, {line}: {failed}") from failed
        self._quiet()

    def _step(self, which: str, line: str) -> None:
        verb, _, rest = line.partition(" ")
        if verb == "<":
            self._expect(self._lines[which], rest.split())
            return
        self._quiet()
        if verb == "connect":
            self._connect(which)
        elif verb == "over":
            if self._lines[which].session.phase is not Phase.CLOSED:
                raise Failed(f"it is {self._lines[which].session.phase}")
        elif verb == "wait":
            for _ in range(int(rest) * 2):
                self.at += SECOND // 2
                self._lines[which].hear(b"", self.at)
        elif verb in {">", "raw"}:
            data = self._framed(rest.split()) if verb == ">" else self._bytes(rest)
            self._lines[which].hear(data, self.at)
        else:
            raise Failed("no such step")

    def _connect(self, which: str) -> None:
        if which in self._lines:
            self._door.leave(self._lines[which].session)
        self._lines[which] = _Line(
            Session(Profile("DESK", "", is_initiator=False, version=self.version, rules=RULES), self._door.claim),
            self.at,
        )

    def _quiet(self) -> None:
        for line in self._lines.values():
            if line.said:
                raise Failed(f"it said more: {line.said[0].raw!r}")

    def _expect(self, line: _Line, words: list[str]) -> None:
        if not line.said:
            raise Failed("it said nothing")
        frame = line.said.pop(0)
        message = frame.message()
        if (frame.msg_type, str(frame.seq)) != (words[0], words[1]) or (frame.get(49), frame.get(56)) != (
            "DESK",
            "PEER",
        ):
            raise Failed(f"it said {frame.raw!r}")
        for word in words[2:]:
            tag, _, value = word.partition("=")
            held = message.get(int(tag.lstrip("!")))
            if (held != "") if word.startswith("!") else (held != value.replace("_", " ")):
                raise Failed(f"tag {tag} is {held!r}: {frame.raw!r}")

    # --- the peer's bytes -----------------------------------------------------------------------------------------

    def _framed(self, words: list[str]) -> bytes:
        kind, seq, *more = " ".join(words).replace("order", ORDER).split()
        given = {"8": self.version, "9": "", "10": ""}
        fields = [["35", kind], ["34", seq], ["49", "PEER"], ["52", "now"], ["56", "DESK"]]
        if "as:" in more:
            fields, more = [["35", kind]], more[more.index("as:") + 1 :]
        for word in more:
            tag, _, value = word.partition("=")
            own = next((field for field in fields if field[0] == tag and tag in {"49", "52", "56"}), None)
            if word.startswith("-") and "=" not in word:
                fields = [field for field in fields if field[0] != word[1:]]
            elif tag in given:
                given[tag] = value
            elif own:
                own[1] = value
            else:
                fields.append([tag, value])
        text = "".join(f"{tag}={self._value(value)}\x01" for tag, value in fields).encode()
        front = f"8={given['8']}\x019={given['9'] or len(text)}\x01".encode() + text
        return front + (f"10={given['10']}\x01".encode() if given["10"] else b"10=%03d\x01" % (sum(front) & 255))

    def _value(self, value: str) -> str:
        if value.startswith("now"):
            return timestamp(START + self.at + int(value[3:] or 0) * SECOND)
        return value.replace("_", " ")

    def _bytes(self, text: str) -> bytes:
        return text.replace("{now}", self._value("now")).replace("{v}", self.version).replace("|", "\x01").encode()
