"""A provider's line: in order, bounded, and its faults drawn the same for the same seed."""

import asyncio

import pytest

from participant.venue.lines import BATCHES_MAX, Batch, Fate, FeedFaults, Line, LineLost, first_of


def drawn(seed: str, faults: FeedFaults, *, is_steady: bool = False) -> list[tuple[int, bytes]]:
    fate = Fate(seed)
    fate.faults = faults
    batch = Batch((b"x" * 40,), is_steady=is_steady)
    return [(fate.copies(batch), fate.spoilt(batch, batch.payloads[0])) for _ in range(200)]


def test_faults_are_the_same_for_the_same_seed_and_fall_as_often_as_asked() -> None:
    faults = FeedFaults(drop=0.25, duplicate=0.5, garble=0.5)
    fates = drawn("1/two", faults)
    assert fates == drawn("1/two", faults)
    assert fates != drawn("2/two", faults)
    copies = [count for count, _ in fates]
    assert 25 <= copies.count(0) <= 75
    assert 50 <= copies.count(2) <= 100
    assert 60 <= sum(data != b"x" * 40 for _, data in fates) <= 140


def test_snapshots_and_beats_are_spared_all_but_silence() -> None:
    everything = FeedFaults(drop=1.0, garble=1.0)
    assert set(drawn("1", everything, is_steady=True)) == {(1, b"x" * 40)}
    assert {count for count, _ in drawn("1", FeedFaults(is_silent=True), is_steady=True)} == {0}


def test_what_is_garbled_is_shorter_in_nothing() -> None:
    for size in (1, 7, 8, 9):
        fate = Fate("1")
        fate.faults = FeedFaults(garble=1.0)
        assert len(fate.spoilt(Batch((b"",)), b"x" * size)) == size


def test_batches_come_in_order_when_they_are_due() -> None:
    async def course() -> tuple[list[int], float]:
        line: Line[bytes] = Line()
        began = asyncio.get_running_loop().time()
        line.put(Batch((b"a",), seq=1), delay_ms=50)
        line.put(Batch((b"b",), seq=2), delay_ms=0)
        taken = [await line.take(1.0), await line.take(1.0)]
        assert await line.take(0.01) is None
        return [batch.seq for batch in taken if batch], asyncio.get_running_loop().time() - began

    seqs, took = asyncio.run(course())
    assert seqs == [1, 2]
    assert took >= 0.05


def test_a_client_that_does_not_read_is_given_up() -> None:
    async def course() -> None:
        line: Line[bytes] = Line()
        for _ in range(BATCHES_MAX + 1):
            line.put(Batch((b"a",)), delay_ms=0)
        await line.take(1.0)

    with pytest.raises(LineLost, match="were not read"):
        asyncio.run(course())


def test_of_two_works_the_first_to_end_ends_the_other_and_its_fault_is_raised() -> None:
    ended: list[str] = []

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("forever")

    async def broken() -> None:
        raise LineLost("so it goes")

    with pytest.raises(LineLost, match="so it goes"):
        asyncio.run(first_of(forever(), broken()))
    assert ended == ["forever"]
