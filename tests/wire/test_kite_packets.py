"""Kite's binary packets: each mode, each segment's prices, and what is refused with its place."""

import struct
from typing import Any

import pytest

from participant.core.market import SECOND, Tick
from participant.wire.json_map.stream import Alive, Ended, Said
from participant.wire.kite_packets import Packet, packet, packets
from participant.wire.refused import BadMessage, Refusal
from tests.ports.mapped import frame_of, packet_of
from tests.wire.provider_payloads import AT, stream

CALL = "NIFTY-20251230-26000CE"
INFY, NIFTY, OPTION = 408_065, 256_265, 12_345_678
TICK = Tick(CALL, 1_013_000, 1_014_500, 75, 150, 1_013_500, AT)


def ltp(token: int, last: int) -> bytes:
    return struct.pack(">Ii", token, last)


def test_a_full_packet_gives_back_what_was_packed() -> None:
    found = packet(packet_of(OPTION, TICK))
    assert (found.token, found.mode, found.last, found.at) == (OPTION, "full", TICK.last, AT)
    assert [(level.price, level.size) for level in found.bids] == [(TICK.bid, 75), *[(0, 0)] * 4]
    assert [(level.price, level.size) for level in found.asks] == [(TICK.ask, 150), *[(0, 0)] * 4]


@pytest.mark.parametrize(
    ("body", "mode", "at"),
    [(struct.pack(">Ii5i", NIFTY, 2_598_040, 3, 1, 2, 4, -7), "quote", 0),
     (struct.pack(">Ii5iI", NIFTY, 2_598_040, 3, 1, 2, 4, -7, AT // SECOND), "full", AT)],
)  # fmt: skip
def test_an_index_has_no_depth(body: bytes, mode: str, at: int) -> None:
    found = packet(body)
    assert found == Packet(NIFTY, mode, 259_804_000, ohlc=(200, 300, 100, 400), at=at)


@pytest.mark.parametrize(("segment", "said", "price"), [(2, 10_135, 1_013_500), (3, 833_525_000, 833_525), (6, 7, 7)])
def test_the_segment_says_in_what_prices_are_counted(segment: int, said: int, price: int) -> None:
    assert packet(ltp(7 << 8 | segment, said)).last == price


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (ltp(OPTION, -5), "-5 by 100 is negative"),
        (ltp(7 << 8 | 3, 833_525_001), "is finer than 1/10,000"),
        (b"123456789", "a packet of 9 bytes, not one of 8, 28, 32, 44, 184"),
        (b"", "a packet of 0 bytes"),
    ],
)
def test_a_packet_that_cannot_be_is_refused_alone(body: bytes, reason: str) -> None:
    refused, found = packets(frame_of([body, ltp(INFY, 100)]))
    assert isinstance(refused, Refusal)
    assert reason in refused.reason
    assert (refused.path, refused.offset) == ("packets[0]", 4)
    assert found == Packet(INFY, "ltp", 10_000)


@pytest.mark.parametrize(
    ("frame", "reason", "offset"),
    [
        (b"", "an empty frame", 0),
        (b"\x00\x01", "packet 1 of 1 is cut short", 2),
        (frame_of([ltp(INFY, 1), ltp(INFY, 2)])[:-1], "packet 2 of 2 is cut short", 12),
        (frame_of([ltp(INFY, 1)]) + b"more", "4 bytes after the last packet", 12),
        (b"\xff\xff" + b"\x00" * 60, "65535 packets, of at most 3000", 0),
        (b"\x00\x01\xff\xff1234", "packet 1 of 1 is cut short", 2),
    ],
)
def test_a_frame_that_cannot_be_is_refused_with_its_place(frame: bytes, reason: str, offset: int) -> None:
    with pytest.raises(BadMessage) as caught:
        list(packets(frame))
    assert (caught.value.reason, caught.value.offset) == (reason, offset)


def heard(one: Any, *bodies: bytes) -> list[Any]:
    return list(one.hear(frame_of(list(bodies)), AT))


def test_packets_become_ticks_and_a_spoilt_one_voids_its_contract() -> None:
    one = stream("kite_packets")
    assert list(one.hear(b"\x00", AT)) == [Alive("")]
    assert heard(one, packet_of(OPTION, TICK), ltp(999, 1)) == [Said((TICK,), True), Ended(AT)]
    assert one.counts["unknown instrument"] == 1
    assert heard(one, ltp(OPTION, -1), ltp(INFY, 100)) == [
        Said((Tick("INFY", 0, 0, 0, 0, 10_000, AT), Tick(CALL, 0, 0, 0, 0, 0, AT)), False)
    ]
    assert heard(one, b"12") == []
    assert (one.counts["refused row"], one.counts["malformed"]) == (2, 0)
    assert list(one.hear(b"\x00\x09", AT)) == []
    assert list(one.hear(b"\x00" * 1_048_577, AT)) == []
    assert one.counts["malformed"] == 2
    assert [refusal.offset for refusal in one.refused] == [4, 4, 2, 0]
