"""Two storms for FIX sessions, each from a seed: a counterpart that says anything at all, and a wire that spoils.

python -m tests.wire.fix_storm SEEDS     both, so many seeds; how much was heard, the slowest call, the most memory
"""

import random
import resource
import sys
import time
from typing import NamedTuple

from msgspec.structs import replace

from participant.wire.fix.codec import Header, body, body_of, encode
from participant.wire.fix.course import Phase
from participant.wire.fix.events import Event, Received
from participant.wire.fix.frames import FRAME_MAX
from participant.wire.fix.grammar import rule
from participant.wire.fix.numbers import MemoryNumbers
from participant.wire.fix.profile import SECOND, Moment
from participant.wire.fix.session import Session
from tests.wire.fix_pair import DESK, UTC, VENUE, Pair, Side, news, texts, with_limits

INPUTS = 150
TYPES = [*"0123412424BBBBBBDDVV0A58j3*", "UM", "", "AB"]
TAGS = [7, 16, 36, 123, 141, 112, 45, 371, 372, 98, 108, 789, 58, 148, 11, 262, 267, 269, 146, 55, 95, 96, 43, 122, 115,
        128, 34, 49, 52, 56, 8, 10, 9, 35, 0, -1, 999, 5000, 99999]  # fmt: skip
VALUES = ["", "Y", "N", "0", "1", "2", "3", "5", "9", "30", "-1", "1e9", "999999999", "9999999999", "x" * 300, "\xff",
          "=", "20261130-00:53:20.000", "DESK", "VENUE", "8=FIX.4.4", "10=000"]  # fmt: skip
LIMITS = {"waiting_max": 20, "waiting_bytes_max": 5_000, "portion": 5, "requests_max": 3, "unsent_bytes_max": 100_000}
RULES = {"B": None, "V": rule("262! 263 264", {267: (269,), 146: (55,)}), "D": rule("11! 55 58")}


class Counts(NamedTuple):
    """How many inputs a storm had, how many messages came through it, and the most work (s) that one step was."""

    inputs: int
    received: int
    slowest_s: float


class Watch:
    """What must hold of a session, looked at after every input. After a reset the numbers begin anew."""

    def __init__(self) -> None:
        self.received = 0
        self._resets = 0
        self._last = 0
        self._stood = (1, 1)

    def look(self, session: Session, told: list[Event], resets: int) -> None:
        numbers = [event.frame.seq for event in told if isinstance(event, Received)]
        self.received += len(numbers)
        if resets != self._resets:  # what came before it and after cannot be told apart in one reading
            self._resets, self._last, self._stood, numbers = resets, max(numbers, default=0), (1, 1), []
        assert numbers == sorted(set(numbers)), numbers
        assert not numbers or numbers[0] > self._last, (numbers, self._last)
        self._last = numbers[-1] if numbers else self._last
        stands = (session.next_in, session.next_out) if session._store else self._stood
        assert stands[0] >= self._stood[0], (self._stood, stands)
        assert stands[1] >= self._stood[1], (self._stood, stands)
        self._stood = stands
        assert len(session._buffer) < FRAME_MAX
        assert len(session._waiting) <= LIMITS["waiting_max"]
        assert session._waiting._bytes <= LIMITS["waiting_bytes_max"]


class Memory(MemoryNumbers):
    """Counts its resets."""

    resets = 0

    def reset(self) -> None:
        super().reset()
        self.resets += 1


# --- a counterpart that says anything ---------------------------------------------------------------------------------


def said(chance: random.Random, session: Session) -> bytes:
    """Bytes of a counterpart who means no good, or knows no better."""
    seq = max(0, session.next_in + chance.choice([0] * 12 + [1, 2, 7, -1, -3, 40]))
    text = "".join(f"{chance.choice(TAGS)}={chance.choice(VALUES)}\x01" for _ in range(chance.randrange(6)))
    kind = chance.choice(TYPES)
    if chance.random() < 0.7:
        text = common(chance, kind, session) + (text if chance.random() < 0.2 else "")
    ours = chance.random() < 0.99
    names = ("VENUE", "DESK") if session.profile.sender == "DESK" else ("DESK", "VENUE")
    header = Header(*(names if ours else names[::-1]), seq, UTC + chance.choice([0] * 50 + [10**12]))
    if chance.random() < 0.3:
        header = replace(header, is_possdup=True, first_sent_at=UTC - chance.choice([0, 1, -(10**10)]))
    data = text.encode("latin-1")
    whole = encode(header, replace(body_of(kind, ""), data=data, total=sum(data)))
    return bent(chance, whole) if chance.random() < 0.15 else whole


def common(chance: random.Random, kind: str, session: Session) -> str:
    """The fields that make a message of this type one that is acted on."""
    number = str(max(0, session.next_in + chance.choice([-2, -1, 0, 1, 2, 5, 30])))
    first = str(max(0, session.next_out - chance.choice([-1, 1, 2, 5, 50])))
    fields = {
        "A": f"98=0\x01108=30\x01{chance.choice(['', '', '141=Y|', '789=3|'])}".replace("|", "\x01"),
        "1": "112=TEST\x01",
        "2": f"7={first}\x0116={chance.choice(['0', '0', first, number])}\x01",
        "4": f"{chance.choice(['123=Y', '123=Y', '123=N'])}\x0136={number}\x01",
        "B": "148=news\x01",
        "D": "11=1\x0155=A\x01",
        "V": "262=1\x01267=1\x01269=0\x01146=1\x0155=A\x01",
        "3": "45=1\x01",
    }
    return fields.get(kind, "")


def bent(chance: random.Random, whole: bytes) -> bytes:
    """A message with some bytes changed, gone, doubled or put in."""
    data = bytearray(whole)
    for _ in range(chance.choice([1, 1, 2, 4])):
        at = chance.randrange(len(data) or 1)
        what = chance.randrange(4)
        if what == 0 and data:
            data[at] ^= 1 << chance.randrange(8)
        elif what == 1:
            del data[at : at + chance.randrange(30)]
        elif what == 2:
            data[at:at] = data[at : at + 20]
        else:
            data[at:at] = chance.choice([b"\x01", b"=", b"8=FIX.4.4\x019=", b"9=99999\x01", b"10=123\x01", b"\x00" * 9])
    return bytes(data)


def hostile(seed: int) -> Counts:
    """One session, either role, against a counterpart that says anything; connections come and go."""
    return hostile_by(random.Random(seed), seed, INPUTS)


def hostile_by(chance: random.Random, seed: int, inputs: int) -> Counts:
    """So many inputs, by these chances; `seed` chooses the session's role and rules."""
    profile = with_limits(DESK if seed % 2 else VENUE, **LIMITS)
    profile = replace(profile, tells_expected=seed % 3 == 0, rules=RULES if seed % 5 else None)
    memory, watch, at, slowest = Memory(), Watch(), 0, 0.0
    session = Session(profile, lambda _: memory)
    session.connect(Moment(0, UTC))
    for _ in range(inputs):
        at += chance.choice([0, 0, SECOND // 10, SECOND, 5 * SECOND])
        data = said(chance, session)
        if session.phase is Phase.OPENING and chance.random() < 0.9:
            names = ("VENUE", "DESK") if profile.is_initiator else ("DESK", "VENUE")
            logon = body("A", [(98, "0"), (108, "30")])
            data = encode(Header(*names, memory.numbers().next_in, UTC), logon) + data
        cut = chance.randrange(len(data) + 1)
        begun = time.thread_time()
        told = session.receive(data[:cut], Moment(at, UTC))
        told += session.receive(data[cut:], Moment(at, UTC)) + session.pass_time(Moment(at, UTC))
        session.send(news("ours"), Moment(at, UTC))
        for _ in range(chance.choice([0, 1, 50])):
            session.take(Moment(at, UTC))
        slowest = max(slowest, time.thread_time() - begun)
        watch.look(session, told, memory.resets)
        if session.phase is Phase.CLOSED or chance.random() < 0.01:
            session.settle()
            session.disconnect()
            session = Session(profile, lambda _: memory)
            session.connect(Moment(at, UTC))
    return Counts(inputs, watch.received, slowest)


# --- a wire that spoils -----------------------------------------------------------------------------------------------


def spoilt(seed: int) -> Counts:
    """Two sessions whose wire loses, damages and is cut: in the end each has all of the other's, in order and once."""
    chance = random.Random(seed)
    tells = seed % 3 == 0
    pair = Pair(
        with_limits(replace(DESK, tells_expected=tells, heartbeat_s=30), **LIMITS),
        with_limits(replace(VENUE, tells_expected=tells), **LIMITS),
    ).connect()
    pair.passes = lambda raw: chance.random() > 0.1
    sent: dict[str, list[str]] = {"DESK": [], "VENUE": []}
    for number in range(INPUTS):
        side = chance.choice([pair.desk, pair.venue])
        if pair.say(side, news(str(number)))[0]:
            sent[side.profile.sender].append(str(number))
        pair.say(side, body("D", [(11, str(number))]))
        act = chance.random()
        if act < 0.5:
            pair.talk(turns=1_000)
        elif act < 0.7:
            damaged(chance, pair, side)
        is_over = Phase.ACTIVE not in {pair.desk.session.phase} & {pair.venue.session.phase}
        if is_over or act > 0.95:
            pair.cut()
            pair.connect()
    pair.passes = lambda _: True
    for _ in range(2):
        pair.cut()
        pair.connect()
    for one, other in ((pair.desk, pair.venue), (pair.venue, pair.desk)):
        got = [text for text in texts(other.told) if text]
        assert got == sent[one.profile.sender], (one.profile.sender, got, sent[one.profile.sender])
        orders = [e.frame.message().get(11) for e in other.told if isinstance(e, Received) and e.frame.msg_type == "D"]
        assert orders == sorted(set(orders), key=int), orders
        again = [frame for frame in one.said if frame.get(43) == "Y"]
        assert "D" not in {frame.msg_type for frame in again}
    return Counts(INPUTS, sum(len(texts) for texts in sent.values()), 0.0)


def damaged(chance: random.Random, pair: Pair, side: Side) -> None:
    """One byte of what this side sends now is changed on the way."""
    other = pair.venue if side is pair.desk else pair.desk
    for raw in side.take(pair.at):
        data = bytearray(raw)
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(7)
        other.told += other.session.receive(bytes(data), Moment(pair.at, UTC + pair.at))


def main(seeds: int) -> None:
    """Both storms, and what they came to."""
    for storm in (hostile, spoilt):
        counts = [storm(seed) for seed in range(seeds)]
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        sys.stdout.write(
            f"{storm.__name__}: {sum(c.inputs for c in counts):,} inputs, {sum(c.received for c in counts):,} messages "
            f"came through, the slowest step {max(c.slowest_s for c in counts) * 1000:.1f} ms, {memory} MB at most\n"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]))
