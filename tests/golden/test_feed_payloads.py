"""What the three providers send, byte for byte as it was when it was agreed: these files change only with a reason."""

import datetime
from pathlib import Path

import pytest

from participant.core.market import Tick
from participant.core.scrip import Contract, Kind
from participant.wire.fix import marketdata
from participant.wire.fix.books import Books
from participant.wire.fix.codec import Header, encode
from participant.wire.fix.frames import Frame, split
from participant.wire.json_feeds import Reader, Says, Word, Writer, whole
from participant.wire.json_three import ThreeReader, ThreeWriter
from participant.wire.json_two import TwoReader, TwoWriter

FEEDS = Path(__file__).parent / "feeds"
EXPIRY = datetime.date(2026, 12, 29)
AT = 1_798_515_900_000_000_000
NEXT = AT + 60_000_000_000
FUTURE = Contract("NIFTY", EXPIRY, Kind.FUTURE, 0, 65, 1_000, 1_800)
CALL = Contract("NIFTY", EXPIRY, Kind.CALL, 250_000_000, 65, 500, 1_800)
BOOK = (
    Tick("NIFTY", 0, 0, 0, 0, 250_123_500, AT),
    Tick("NIFTY-20261229-FUT", 250_900_000, 250_915_000, 650, 130, 0, AT),
    Tick("NIFTY-20261229-25000CE", 1_010_500, 1_015_000, 1_950, 65, 0, AT),
)
CHANGED = (
    Tick("NIFTY", 0, 0, 0, 0, 250_087_000, NEXT),
    Tick("NIFTY-20261229-25000CE", 0, 990_000, 0, 260, 0, NEXT),
)
WORDS = (
    *whole(41, BOOK, AT, is_last=False),
    Word(Says.BEAT, 41),
    Word(Says.DIFF, 42, CHANGED),
    Word(Says.MARK, 43, (), NEXT, is_last=True),
    Word(Says.HELD, 44),
)
SHAPES = [("two", TwoWriter((FUTURE, CALL)), TwoReader()), ("three", ThreeWriter((FUTURE, CALL)), ThreeReader())]


def frames() -> list[bytes]:
    """The FIX frames, SOH shown as a bar."""
    return [line.replace(b"|", b"\x01") for line in (FEEDS / "one.fix").read_bytes().splitlines()]


def test_the_fix_provider_is_read() -> None:
    found, rest = split(b"".join(frames()))
    messages = [item.message() for item in found if isinstance(item, Frame)]
    assert (len(messages), rest) == (len(found), b"")
    assert [m.msg_type for m in messages] == ["V", "W", "W", "W", "UM", "X", "UM", "UH"]
    books = Books()
    books.ask("1")
    for message in messages[1:4]:
        books.take(message)
    assert books.stand() == BOOK
    assert marketdata.read_mark(messages[4]) == (AT, False)
    books.take(messages[5])
    assert books.changed() == CHANGED
    assert marketdata.read_mark(messages[6]) == (NEXT, True)


def test_the_fix_provider_is_written() -> None:
    said = [*(marketdata.full("1", tick) for tick in BOOK), marketdata.mark(AT, is_last=False)]
    said += [*marketdata.increments(CHANGED), marketdata.mark(NEXT, is_last=True), marketdata.held()]
    written = [encode(Header("VENUE", "DESK", seq, AT), content) for seq, content in enumerate(said, start=2)]
    assert [encode(Header("DESK", "VENUE", 2, AT), marketdata.request("1")), *written] == frames()


@pytest.mark.parametrize(("name", "writer", "reader"), SHAPES, ids=[name for name, _, _ in SHAPES])
def test_a_json_provider_is_read_and_written(name: str, writer: Writer, reader: Reader) -> None:
    lines = (FEEDS / f"{name}.jsonl").read_bytes().splitlines()
    assert [*writer.master(), *(writer.write(word) for word in WORDS)] == lines
    words = [word for line in lines if (word := reader.read(line)).says is not Says.MASTER]
    assert tuple(words) == WORDS
