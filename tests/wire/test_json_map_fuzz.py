"""Any bytes to every mapping that ships: refused with a reason or read in bounds, within time and memory.

PARTICIPANT_SEEDS makes it long: INPUTS_A_SEED inputs a seed for each mapping. Time is that of the thread's own work.
"""

import json
import os
import random
import sys
import time
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from participant.core.ladder import PRICE_MAX, SIZE_MAX
from participant.core.market import Tick
from participant.links.presets import shipped
from participant.wire.json_map.plan import plan_of
from participant.wire.json_map.reader import MEMORY_TIMES, Reader
from participant.wire.json_map.rows import REFUSALS_MAX, Heard
from participant.wire.json_map.stream import Alive, Broken, Ended, Said, Stream
from participant.wire.refused import BadMessage
from tests.ports.mapped import frame_of, packet_of
from tests.wire.provider_payloads import AT, GIVEN, LISTED, PAYLOADS, body

SEEDS = int(os.environ.get("PARTICIPANT_SEEDS", "3"))
INPUTS_A_SEED = 300
HANG_S, TRACED_S = 0.1, 1.0  # where coverage traces each line it is another program that is timed
PRESETS = sorted(PAYLOADS)
EVERY = sorted(shipped())
WORDS = (
    b"null", b"true", b"NaN", b"-Infinity", b"1e999", b"1e-999", b"-1", b"-0", b"0.00000001", b"9" * 40, b"1" * 400,
    b'""', b'"x"', b'"' + b"A" * 80 + b'"', b'"\\ud800"', b'"\\u0000"', b"\xff", b"\xef\xbb\xbf", b"{}", b"[]", b"[[]]",
    b"[1,2,3]", b"[" * 40, b"]" * 40, b"{", b"}", b":", b",", b'"', b"\\", b"{}," * 30, b'{"price":1},',
    b'["new",1,2],',
    b"1.5E+3",    b'"12.50"', b'"-"', b"18446744073709551616",
)  # fmt: skip
FRAME = frame_of([
    packet_of(12345678 >> 8 << 8 | 2, Tick("x", 1_013_000, 1_014_500, 75, 150, 1_013_500, AT)),
    packet_of(256265, Tick("y", 0, 0, 0, 0, 250_000_000, AT)),
])  # fmt: skip


def bodies(preset: str) -> list[bytes]:
    """Sound messages of a provider to begin with."""
    if preset == "kite_packets":
        return [FRAME, b"\x00", b'{"type":"error","data":"expired"}']
    whole = body(preset)
    return [whole, json.dumps(PAYLOADS[preset], indent=1).encode(), *STREAMED.get(preset, ())]


CHANGE = body("deribit_book").replace(b'"snapshot"', b'"change"').replace(b":5,", b":6,").replace(b"null", b"5")
STREAMED = {"deribit_book": (CHANGE, CHANGE.replace(b":6,", b":7,").replace(b"_id:5", b"_id:6"))}


def mutated(preset: str, seed: int) -> Iterator[bytes]:
    """Messages without end: whole ones, bent ones, cut ones, some of them very long."""
    chance = random.Random(f"{preset}/{seed}")
    wholes = bodies(preset)
    while True:
        bent = bytearray(chance.choice(wholes))
        for _ in range(chance.choice((0, 1, 1, 1, 2, 3, 8))):
            _bend(chance, bent)
        yield bytes(bent)


def _bend(chance: random.Random, bent: bytearray) -> None:
    at, how = chance.randrange(len(bent) + 1), chance.random()
    if how < 0.2 and at < len(bent):
        bent[at] = chance.randrange(256)
    elif how < 0.35:
        del bent[at : at + chance.randrange(1, 9)]
    elif how < 0.6:
        bent[at:at] = chance.choice(WORDS)
    elif how < 0.85:
        _swap_a_word(chance, bent)
    elif how < 0.95:
        end = min(len(bent), at + chance.randrange(1, 200))
        bent[at:at] = bytes(bent[at:end]) * chance.choice((1, 1, 3))
    else:
        del bent[at:]


def _swap_a_word(chance: random.Random, bent: bytearray) -> None:
    """Put another word in the place of a value, so that what comes after the decoder is reached."""
    colons = [n for n, byte in enumerate(bent) if byte in b":["]
    if not colons:
        return
    begin = chance.choice(colons) + 1
    end = begin
    while end < len(bent) and bent[end] not in b",}]":
        end += 1
    bent[begin:end] = chance.choice(WORDS)


def check(heard: Heard) -> None:
    """What was read lies within what the desk can hold."""
    for tick in heard.ticks:
        assert tick.contract
        assert all(0 <= price <= PRICE_MAX for price in (tick.bid, tick.ask, tick.last))
        assert all(0 <= size <= SIZE_MAX for size in (tick.bid_size, tick.ask_size))
        assert tick.exchange_at > 0
    for refusal in heard.refused:
        assert refusal.reason


def hang_s() -> float:
    """From how long on a message has hung."""
    return TRACED_S if sys.gettrace() else HANG_S


def took(reader: Stream, data: bytes) -> float:
    """Seconds of the thread's own work on one message; whatever it makes is one of what a stream can say."""
    began = time.thread_time()
    outcomes = list(reader.hear(data, AT))
    spent = time.thread_time() - began
    assert all(isinstance(outcome, Said | Ended | Alive | Broken) for outcome in outcomes)
    return spent


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("preset", EVERY)
def test_whatever_comes_is_read_or_refused_and_nothing_hangs(preset: str, seed: int) -> None:
    plan = plan_of(shipped()[preset], GIVEN)
    reader, stream, inputs = Reader(plan, LISTED), Stream(plan, LISTED), mutated(preset, seed)
    for _ in range(INPUTS_A_SEED):
        data = next(inputs)
        spent = took(stream, data)
        assert (
            spent < hang_s() or took(Stream(plan, LISTED), data) < hang_s()
        )  # twice: a pause of the machine is none of it
        heard = hear(reader, data)
        if heard is not None:
            check(heard)
    assert stream.counts["malformed"] > 0
    assert len(stream.refused) <= REFUSALS_MAX
    for refusal in stream.refused:
        assert refusal.reason
        assert refusal.offset is None or refusal.offset >= 0


# --- bombs ------------------------------------------------------------------------------------------------------------


def bombs(preset: str, most: int) -> Iterator[tuple[str, bytes]]:
    """The worst that fits into the longest message, and what is longer."""
    whole = body(preset)
    holes = {mark: whole.index(mark) + len(mark) for mark in (b"[", b"{") if mark in whole}
    yield "too long", b" " * (most + 1)
    yield "deep", b'{"x":' + b"[" * 2_000 + b"]" * 2_000 + b"}"
    yield "only brackets", b"[" * most
    yield "only braces", b'{"a":' * (most // 5)
    for mark, at in holes.items():
        for name, piece in (
            ("objects", b"{},"),
            ("arrays", b"[],"),
            ("numbers", b"1,"),
            ("texts", b'"a",'),
            ("keys", b'"a":1,'),
        ):
            room = max(0, most - len(whole)) // len(piece)
            yield f"{name} in {mark.decode()}", whole[:at] + piece * room + whole[at:]
    yield from texts(whole, most)
    yield "rows", rows_of(preset, most // 2)


def texts(whole: bytes, most: int) -> Iterator[tuple[str, bytes]]:
    """A text as long as fits, in a field and alone, and the longest that may still be read where it is wide."""
    at = whole.index(b':"') + 2
    wide = "\U0001f600".encode()
    for name, front, piece in (
        ("letters", b"", b"a"), ("digits", b"", b"1"), ("escapes", b"", b"\\n"), ("codes", b"", b"\\u20b9"),
        ("letters behind an escape", b"\\n", b"a"), ("letters behind a code", b"\\ud83d\\ude00", b"a"),
        ("letters behind a wide one", wide, b"a"), ("wide ones", b"", wide),
    ):  # fmt: skip
        for share in (1, 2.05, 2.55, 3.3):  # all of a text is as wide as its widest character
            text = front + piece * int(((most - len(whole)) / share - len(front)) // len(piece))
            yield f"1/{share} of {name} in a field", whole[:at] + text + whole[at:]
        text = front + piece * ((most - 2 - len(front)) // len(piece))
        yield f"{name} alone", b'"%b"' % text
        yield f"{name} without end", b'"%b' % text


def rows_of(preset: str, most: int) -> bytes:
    """As many whole rows as fit, each with all its fields, and of another contract or level."""
    said: dict[str, Any] = json.loads(body(preset))
    if preset == "nse_chain":
        (row,) = said["records"]["data"]
        many = [{**row, "CE": {**row["CE"], "strikePrice": n, "bidprice": n}} for n in range(1, 2_000)]
        said["records"]["data"] = many[: most // (len(json.dumps(row)) + 4)]
    elif preset in {"kite_quote", "dhan_chain"}:
        table = said["data"] if preset == "kite_quote" else said["data"]["oc"]
        (row,) = table.values()
        table.update({str(n): row for n in range(1, min(900, most // (len(json.dumps(row)) + 9)))})
    elif "bids" in said["params"]["data"]:
        count = most // 60
        levels = [[*said["params"]["data"]["bids"][0][:-2], n + 1, 5] for n in range(count)]
        said["params"]["data"]["bids"] = levels
    return json.dumps(said, separators=(",", ":")).encode()


@pytest.mark.parametrize("preset", PRESETS)
def test_a_bomb_takes_no_more_memory_than_twice_the_longest_message_and_no_time(preset: str) -> None:
    most = shipped()[preset].bytes_max
    reader = Reader(plan_of(shipped()[preset], GIVEN), LISTED)
    for name, data in bombs(preset, most):
        hear(reader, data)  # once before, so that what is remembered of its words is not counted
        tracemalloc.start()
        hear(reader, data)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak <= MEMORY_TIMES * most, f"{name}: {peak} bytes of {most}"
        assert min(took(Stream(plan_of(shipped()[preset], GIVEN), LISTED), data) for _ in range(2)) < hang_s(), name


def hear(reader: Reader, data: bytes) -> Heard | None:
    try:
        return reader.read(data, AT)
    except BadMessage:
        return None


@pytest.mark.parametrize(
    ("preset", "size", "rows"),
    [("nse_chain", 1_700_000, 1_900), ("kite_quote", 200_000, 500), ("dhan_chain", 200_000, 250),
     ("deribit_book", 300_000, 1), ("deribit_depth", 4_000, 1), ("deribit_ticker", 4_000, 2)],
)  # fmt: skip
def test_what_providers_say_at_most_is_within_the_bound_of_memory(preset: str, size: int, rows: int) -> None:
    heard = hear(Reader(plan_of(shipped()[preset], GIVEN), LISTED), rows_of(preset, size))
    assert heard is not None
    assert len(heard.ticks) + len(heard.books) + heard.unknown >= rows
    assert not heard.refused


# --- structure --------------------------------------------------------------------------------------------------------

leaves = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**20), 10**20), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8), st.sampled_from(["26000", "30-Dec-2025", "CE", "NIFTY", "new", "101.35", "BTC-PERPETUAL"]),
)  # fmt: skip


def bent(value: Any) -> st.SearchStrategy[Any]:
    """A value of the payload's shape, in which any part may be another."""
    if isinstance(value, dict):
        whole: st.SearchStrategy[Any] = st.fixed_dictionaries({}, optional={k: bent(v) for k, v in value.items()})
    elif isinstance(value, list):
        whole = st.lists(st.one_of([bent(one) for one in value]), max_size=4) if value else st.just([])
    else:
        whole = st.just(value)
    return st.one_of(whole, whole, whole, leaves)


@pytest.mark.parametrize("preset", PRESETS)
@settings(deadline=None)
@given(data=st.data())
def test_any_shape_is_read_or_refused(preset: str, data: st.DataObject) -> None:
    said = json.dumps(data.draw(bent(PAYLOADS[preset]))).encode()
    reader = Reader(plan_of(shipped()[preset], GIVEN), LISTED)
    heard = hear(reader, said)
    if heard is not None:
        check(heard)


@pytest.mark.parametrize("preset", EVERY)
@given(data=st.binary(max_size=200))
def test_noise_is_refused(preset: str, data: bytes) -> None:
    stream = Stream(plan_of(shipped()[preset], GIVEN), LISTED)
    took(stream, data)
