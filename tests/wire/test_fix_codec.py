"""The FIX codec: what is written is read again, in any portions; what is broken costs exactly itself."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from participant.wire.fix.codec import BODY_MAX, FIELDS_MAX, Header, body, encode
from participant.wire.fix.frames import FRAME_MAX, Frame, Garbled, split
from participant.wire.fix.time import nanoseconds, timestamp
from participant.wire.json import Malformed

AT = 1_796_000_000_123_000_000
values = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=20)
fields = st.lists(st.tuples(st.integers(100, 99_999), values), max_size=20)


def message(seq: int, text: str = "hello") -> bytes:
    return encode(Header("VENUE", "DESK", seq, AT), body("B", [(58, text)]))


def framed(content: bytes, length: bytes | None = None) -> bytes:
    front = b"8=FIX.4.4\x019=" + (b"%d" % len(content) if length is None else length) + b"\x01" + content
    return front + b"10=%03d\x01" % (sum(front) & 255)


def seqs(found: list[Frame | Garbled]) -> list[int]:
    return [item.seq for item in found if isinstance(item, Frame)]


def faults(found: list[Frame | Garbled]) -> list[str]:
    return [item.reason for item in found if isinstance(item, Garbled)]


@given(fields, st.integers(1, 10**6))
def test_what_is_written_is_read_again(pairs: list[tuple[int, str]], seq: int) -> None:
    found, rest = split(encode(Header("A", "B", seq, AT, is_possdup=True), body("X", pairs)))
    assert rest == b""
    (read,) = found
    assert isinstance(read, Frame)
    assert (read.msg_type, read.seq, read.get(49), read.get(56), read.get(43)) == ("X", seq, "A", "B", "Y")
    assert read.get(52) == "20261130-00:53:20.123"
    assert list(read.message().fields[6:]) == pairs


@given(st.lists(st.integers(1, 40), min_size=1, max_size=40))
def test_portions_make_no_difference(sizes: list[int]) -> None:
    stream, rest, found = b"".join(message(n) for n in range(1, 6)), b"", list[Frame | Garbled]()
    while stream:
        size = sizes.pop() if sizes else len(stream)
        items, rest = split(rest + stream[:size])
        found += items
        stream = stream[size:]
    assert (seqs(found), faults(found), rest) == ([1, 2, 3, 4, 5], [], b"")


@given(st.integers(0, 10_000), st.integers(1, 255))
@example(at=len(message(2)) - 1, change=7)  # the last SOH, right before the next frame
@example(at=12, change=1)  # the BodyLength
def test_a_damaged_byte_costs_its_own_frame_and_no_other(at: int, change: int) -> None:
    damaged = bytearray(message(2))
    damaged[at % len(damaged)] ^= change
    found, rest = split(message(1) + bytes(damaged) + message(3))
    assert seqs(found) == [1, 3]
    assert faults(found)
    assert rest == b""


@given(st.binary(max_size=300))
def test_noise_ends_is_bounded_and_does_not_hide_what_follows(noise: bytes) -> None:
    found, rest = split(noise)
    assert len(found) <= len(noise)
    assert len(rest) <= len(noise)
    found, rest = split(noise + message(7) + message(8))
    assert 8 in seqs(found)


def test_an_unfinished_frame_is_waited_for_and_is_no_fault() -> None:
    whole = message(1)
    for size in range(len(whole)):
        assert split(whole[:size]) == ([], whole[:size])


@pytest.mark.parametrize("length", [b"", b"x", b"-1", b"0", b"999999999", b"65537"])
def test_a_body_length_out_of_bounds_is_no_reason_to_wait(length: bytes) -> None:
    found, rest = split(framed(b"35=0\x01", length) + message(2))
    assert (seqs(found), len(faults(found)), rest) == ([2], 1, b"")


def test_a_length_that_overruns_the_next_message_does_not_swallow_it() -> None:
    found, rest = split(framed(b"35=0\x0134=1\x01", b"5000") + message(2))
    assert (seqs(found), rest) == ([2], b"")
    assert faults(found) == ["its BodyLength overruns the next message"]


def test_a_checksum_within_the_text_does_not_end_a_message() -> None:
    found, rest = split(message(1, "10=123") + message(2, "x10=000"))
    assert (seqs(found), faults(found), rest) == ([1, 2], [], b"")


def test_a_count_of_a_billion_is_a_field_like_any_other() -> None:
    found, _ = split(framed(b"35=B\x0134=1\x01212=999999999\x01213=x\x01"))
    assert seqs(found) == [1]


HEAD = b"34=1\x0149=A\x0152=x\x0156=B\x01"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"34=1\x0135=0\x01", "its third field is not MsgType"),
        (b"35=0\x01nonsense\x01", "a field is not tag=value: b'nonsense\\x01'"),
        (b"35=0\x0134=-1\x01", "its MsgSeqNum is no number in bounds"),
        (b"35=0\x0134=1234567890\x01", "its MsgSeqNum is no number in bounds"),
    ],
)
def test_a_frame_that_is_whole_but_unreadable_says_why(content: bytes, reason: str) -> None:
    found, rest = split(framed(content) + message(2))
    assert (faults(found), seqs(found), rest) == ([reason], [2], b"")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"nonsense\x01", "a field is not tag=value: b'nonsense\\x01'"),
        (b"4garbled9=x\x01", "a field is not tag=value: b'4garbled9=x\\x01'"),
        (b"58=x\x01" * FIELDS_MAX, f"it has more than {FIELDS_MAX} fields"),
        (b"95=3\x0196=a\x01bcd\x01", "tag 96 does not end where its length says"),
    ],
)
def test_fields_that_cannot_be_told_apart_are_noticed_when_they_are_asked_for(content: bytes, reason: str) -> None:
    (frame,), _ = split(framed(b"35=0\x01" + HEAD + content))
    assert isinstance(frame, Frame)
    with pytest.raises(Malformed) as raised:
        frame.message()
    assert str(raised.value) == reason


def test_an_empty_field_and_a_tag_that_there_is_not_are_the_sessions_to_judge() -> None:
    (frame,), _ = split(framed(b"35=0\x01" + HEAD + b"58=\x01-1=HI\x01"))
    assert isinstance(frame, Frame)
    assert frame.message().fields[-2:] == ((58, ""), (-1, "HI"))


def test_raw_data_go_by_their_length_and_may_hold_a_whole_message() -> None:
    inner = message(9)
    content = b"35=B\x01" + HEAD + b"95=%d\x0196=%b\x0158=x\x01" % (len(inner), inner)
    for cut in range(1, len(framed(content))):
        assert split(framed(content)[:cut]) == ([], framed(content)[:cut])
    (frame,), rest = split(framed(content))
    assert isinstance(frame, Frame)
    assert frame.message().fields[-2:] == ((96, inner.decode()), (58, "x"))
    assert rest == b""


def test_a_message_of_another_version_is_framed_so_that_it_can_be_refused() -> None:
    (frame,), _ = split(encode(Header("A", "B", 3, AT, version="FIX.4.1"), body("0")))
    assert isinstance(frame, Frame)
    assert (frame.version, frame.seq) == ("FIX.4.1", 3)


def test_a_message_without_a_number_has_number_minus_1() -> None:
    assert seqs(split(framed(b"35=0\x0149=A\x01"))[0]) == [-1]


def test_an_endless_frame_is_given_up_within_its_bound() -> None:
    found, rest = split(b"8=FIX.4.4\x019=65000\x01" + b"58=x\x01" * (BODY_MAX // 4))
    assert faults(found)
    assert len(rest) <= FRAME_MAX


@pytest.mark.parametrize("value", ["", "a\x01b"])
def test_a_value_that_would_break_the_frame_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="tag 58"):
        body("B", [(58, value)])


@given(st.integers(0, 4_000_000_000_000_000_000))
def test_a_timestamp_says_every_nanosecond(at: int) -> None:
    assert nanoseconds(timestamp(at)) == at


@pytest.mark.parametrize("text", ["", "2026-12-29", "20261329-00:00:00", "20261229-25:00:00.000", "20261229-00:00:00."])
def test_what_is_no_timestamp_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"UTCTimestamp|does not match|unconverted"):
        nanoseconds(text)
