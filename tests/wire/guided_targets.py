"""What is fuzzed, and what must hold of each input: a log, market data, a FIX session, each mapping of JSON that ships.

An input is any bytes. Where a message must have the right length and sum to get anywhere, they are put on here.
"""

import gc
import random
import time
from collections.abc import Callable, Iterator
from itertools import pairwise

from participant.links.presets import shipped
from participant.wire.fix import books_plain, reader_plain, runs_plain
from participant.wire.fix.books import Books
from participant.wire.fix.reader import Reader
from participant.wire.fix.runs import Runs
from participant.wire.json_map.plan import plan_of
from participant.wire.json_map.reader import Reader as Mapped
from participant.wire.json_map.stream import Stream
from tests.wire import fix_storm
from tests.wire.fix_messages import BODIES, SEPARATORS, body_of, framed, message
from tests.wire.provider_payloads import GIVEN, LISTED
from tests.wire.test_fix_books import AT, made_messages, singly, together
from tests.wire.test_json_map_fuzz import bodies, check, hear, took

HANG_S = 0.1  # of the thread's own work
TRACED_TIMES = 10  # as slow is code whose branches are counted
STEPS = 12  # of a session, an input
MESSAGES_MAX = 30
Target = Callable[[bytes], None]


class Drawn(random.Random):
    """Chances that an input decides: its bytes in turn, and then noughts without end."""

    def __init__(self, data: bytes) -> None:
        super().__init__(0)
        self._data, self._at = data, 0

    def getrandbits(self, k: int, /) -> int:
        taken = self._data[self._at : self._at + (k + 7) // 8]
        self._at += len(taken)
        return int.from_bytes(taken, "little") & (1 << k) - 1

    def random(self) -> float:
        return self.getrandbits(16) / 65_536


def log(data: bytes) -> None:
    """The kernel and its twin say the same of a log. The first byte says how its messages are framed and read."""
    if not data:
        return
    how, rest = data[0], data[1:]
    whole = framed(rest) if how & 1 and rest else rest
    whole = whole.replace(b"\x01", SEPARATORS[how // 2 % 3])
    ours, twin = (kind(how // 6 % 9, how >= 128) for kind in (Reader, reader_plain.Reader))
    for is_last in (True, False):
        begun = time.thread_time()
        found = ours.lines(whole, is_last)
        assert time.thread_time() - begun < HANG_S
        assert found == twin.lines(whole, is_last)


def market_data(data: bytes) -> None:
    """Books of kernel and twin add up to the same, and find the same runs. A nought ends a message of the input."""
    how, streams = data[:1] or b"\x00", data[1:].split(b"\x00")[:MESSAGES_MAX]
    stream = b"".join(framed(one) for one in streams if one)
    levels_max = (0, 1, 5)[how[0] % 3]
    for tell in (singly, together):
        assert tell(Books(levels_max), stream) == tell(books_plain.Books(levels_max), stream)
    asked = ("FIX.4.4", ("VENUE", "DESK"), {"X", "W", "UM", "UH"}, how[0] // 3 * 10**9)
    found = [kind(*asked).find(stream, 0, 2, AT) for kind in (Runs, runs_plain.Runs)]
    assert found[0] == found[1]


def session(data: bytes) -> None:
    """A session stands against a counterpart that says what the input decides; its first byte chooses the role."""
    count = fix_storm.hostile_by(Drawn(data[1:]), data[0] if data else 0, STEPS)
    assert count.slowest_s < HANG_S * TRACED_TIMES


def mapping(preset: str) -> Target:
    """Two messages, cut where the input has a nought, are read or refused by this mapping, and so as a stream."""
    plan = plan_of(shipped()[preset], GIVEN)

    def read(data: bytes) -> None:
        stream = Stream(plan, LISTED)
        for said in data.split(b"\x00", 1) if preset != "kite_packets" else [data]:
            assert took(stream, said) < HANG_S * TRACED_TIMES
            heard = hear(Mapped(plan, LISTED), said)
            if heard is not None:
                check(heard)

    return read


def targets() -> dict[str, Target]:
    """By name."""
    return {
        "log": log,
        "market data": market_data,
        "session": session,
        **{f"mapping {name}": mapping(name) for name in sorted(shipped())},
    }


def sound(target: str) -> Iterator[bytes]:
    """What to begin with."""
    chance = random.Random(1)
    if target == "log":
        for kind in BODIES:
            yield b"\x00" + message(kind)
            yield b"\x01" + message(kind).split(b"\x01", 2)[2][:-7]
        yield b"\x02" + b"\n".join(message(kind) for kind in ("snapshot", "increment"))
    elif target == "market data":
        made = made_messages(chance)
        for how in range(60):
            yield bytes((how,)) + b"\x00".join(body_of(next(made)) for _ in range(how % 6))
    elif target == "session":
        yield from (chance.randbytes(600) for _ in range(64))
    else:
        wholes = bodies(target.removeprefix("mapping "))
        yield from wholes
        yield from (one + b"\x00" + two for one, two in pairwise(wholes))


def begin(target: Target) -> Target:
    """The target, ready; what the collector does for other objects is no work of its inputs."""
    gc.disable()
    count = 0

    def one(data: bytes) -> None:
        nonlocal count
        target(data)
        count += 1
        if count % 1_000 == 0:
            gc.collect()

    return one
