"""A session that tells runs beside one that tells each message: the same bytes in, the same events and bytes out."""

import os
import random
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from participant.wire.fix import marketdata
from participant.wire.fix.books import Books
from participant.wire.fix.codec import Body, Header, body, encode
from participant.wire.fix.events import Event, Received, Run
from participant.wire.fix.frames import Frame, split
from participant.wire.fix.numbers import MemoryNumbers
from participant.wire.fix.profile import SECOND, Moment, Profile, checked
from participant.wire.fix.session import Session
from tests.wire.fix_pair import DESK, UTC, news, with_limits
from tests.wire.fix_storm import LIMITS, bent

SEEDS = int(os.environ.get("PARTICIPANT_SEEDS", "40"))
BLOCK = 20
PLAIN = with_limits(replace(DESK, rules={**dict.fromkeys(marketdata.KINDS), "B": None}), **LIMITS)
RUNS = replace(PLAIN, runs=marketdata.KINDS)
NOW = Moment(0, UTC)


def told(events: list[Event]) -> Iterator[Event]:
    """The events, a run as what it stands for."""
    for event in events:
        if not isinstance(event, Run):
            yield event
            continue
        frames, rest = split(event.data)
        assert rest == b""
        assert [frame.seq for frame in frames if isinstance(frame, Frame)] == [
            event.first + n for n in range(event.count)
        ]
        yield from (Received(frame) for frame in frames if isinstance(frame, Frame))


def begun(profile: Profile) -> Session:
    session = Session(profile, lambda _: MemoryNumbers())
    session.connect(NOW)
    session.receive(wired(1, body("A", [(98, "0"), (108, "30")])), NOW)
    return session


def wired(seq: int, content: Body, at: int = UTC) -> bytes:
    return encode(Header("VENUE", "DESK", seq, at), content)


def test_market_data_in_a_row_are_one_run_and_what_stands_between_them_is_told_as_ever() -> None:
    session = begun(RUNS)
    x = marketdata.held()
    data = [wired(2, x), wired(3, x), wired(4, news("stop")), wired(5, x), wired(7, x), wired(6, x), wired(8, x)]
    first, between, second, gapped, *rest = session.receive(b"".join(data), NOW)
    assert (first, second) == (Run(b"".join(data[:2]), 2, 2), Run(data[3], 5, 1))
    assert isinstance(between, Received)
    assert [type(event).__name__ for event in (gapped, *rest)] == ["Gapped", "Received", "Received", "Run"]
    assert session.next_in == 9


def test_a_run_keeps_the_session_alive() -> None:
    session = begun(RUNS)
    session.receive(wired(2, marketdata.held()), Moment(100 * SECOND, UTC))
    session.pass_time(Moment(101 * SECOND, UTC))
    assert b"\x0135=1\x01" not in session.take(Moment(101 * SECOND, UTC))


@pytest.mark.parametrize("kinds", [{"A"}, {"X", "0"}, {"V"}, {"nonsense"}, {"?"}])
def test_what_the_session_judges_itself_is_in_no_run(kinds: set[str]) -> None:
    profile = replace(RUNS, runs=frozenset(kinds), rules={"V": marketdata.REQUEST_RULE, "X": None})
    with pytest.raises(ValueError, match="runs holds"):
        checked(profile)


def said(chance: random.Random, session: Session) -> bytes:
    """Mostly market data in their turn; seldom something else, or out of turn, or bent."""
    whole = b""
    for seq in range(session.next_in, session.next_in + chance.randrange(1, 12)):
        tick_like = body("X", [(268, "1"), (279, "0"), (269, "0"), (55, "A"), (270, "1.05")])
        content = chance.choice(
            [tick_like] * 9 + [marketdata.held(), marketdata.mark(UTC, False), news("n"), body("0")]
        )
        late = chance.choice([0] * 60 + [10**12])
        one = wired(seq + chance.choice([0] * 40 + [1, 3, -1]), content, UTC - late)
        whole += bent(chance, one) if chance.random() < 0.03 else one
    return whole


@pytest.mark.parametrize("first", range(0, SEEDS, BLOCK))
def test_the_same_bytes_say_the_same(first: int) -> None:
    runs = 0
    for seed in range(first, min(first + BLOCK, SEEDS)):
        chance = random.Random(seed)
        both = [begun(PLAIN), begun(RUNS)]
        for step in range(60):
            data = said(chance, both[0])
            cut, now = chance.randrange(len(data) + 1), Moment(step * SECOND, UTC)
            for part in (data[:cut], data[cut:]):
                plain, mine = (session.receive(part, now) + session.pass_time(now) for session in both)
                runs += sum(isinstance(event, Run) for event in mine)
                assert plain == list(told(mine)), seed
            assert both[0].take(now) == both[1].take(now)
            stands = [(s.phase, s.next_in, s.next_out, s._buffer) for s in both]
            assert stands[0] == stands[1], seed
    assert runs > 0


def test_ticks_are_the_same_by_runs_and_singly() -> None:
    chance, books = random.Random(7), (Books(), Books())
    both = [begun(PLAIN), begun(RUNS)]
    for made in books:
        made.ask("1")
    contents = [body("W", [(262, "1"), (55, f"C{n}"), (268, "1"), (269, "0"), (270, "2.05")]) for n in range(9)]
    contents.append(marketdata.mark(UTC, False))
    for _ in range(500):
        name, price = f"C{chance.randrange(12)}", f"{chance.randrange(1, 99)}.05"
        contents.append(body("X", [(268, "1"), (279, "0"), (269, chance.choice("012")), (55, name), (270, price)]))
    stream = b"".join(wired(seq, content) for seq, content in enumerate(contents, start=2))
    for at in range(0, len(stream), 1_000):
        for session, made in zip(both, books, strict=True):
            take(made, session.receive(stream[at : at + 1_000], NOW))
        assert books[0].changed() == books[1].changed()


def take(made: Books, events: list[Event]) -> None:
    for event in events:
        data = event.data if isinstance(event, Run) else b""
        at = made.fold(data, 0)
        left, _ = split(data[at:])
        frames = [event.frame] if isinstance(event, Received) else [f for f in left if isinstance(f, Frame)]
        for frame in frames:  # of a run what is behind the mark that ends the snapshot comes singly here
            made.take(frame.message())
            if frame.msg_type == marketdata.MARK:
                assert len(made.stand()) == 9
