"""From the bytes of market data to ladders and ticks: what becomes of a message, and the kernel beside its twin."""

import importlib
import os
import random
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import participant.wire.fix
from participant.core.kernels import choose
from participant.core.market import Tick
from participant.wire.fix import books, books_plain, marketdata, runs, runs_plain
from participant.wire.fix.codec import Body, Header, body, encode
from participant.wire.fix.frames import Frame, framed
from participant.wire.json import Malformed
from tests.twins import is_compiled
from tests.wire import fix_messages

SEEDS = int(os.environ.get("PARTICIPANT_SEEDS", "3"))
INPUTS_A_SEED = 400
AT = 1_796_000_000_250_000_000
DIGITS = "0123456789"
NAMES = {"books": (books, books_plain), "runs": (runs, runs_plain)}


def kernels(name: str) -> list[Any]:
    kernel = f"participant.wire.fix._{name}"
    return [NAMES[name][1], *([importlib.import_module(kernel)] if is_compiled(kernel) else [])]


both = pytest.mark.parametrize("kernel", kernels("books"), ids=lambda kernel: kernel.__name__)


def wired(*bodies: Body) -> bytes:
    return b"".join(encode(Header("VENUE", "DESK", seq, AT), one) for seq, one in enumerate(bodies, start=2))


def entries(kind: str, *rows: str, request: str = "1") -> Body:
    """A message from its entries as text."""
    fields = [("262", request), ("55", "A")] if kind == "W" else []
    split = [tuple(field.split("=")) for row in rows for field in row.split("|")]
    return body(kind, [(int(tag), value) for tag, value in [*fields, ("268", str(len(rows))), *split]])


def standing(kernel: Any, levels_max: int = 0, *rows: str) -> Any:
    """Books of one instrument, A, whose snapshot has come."""
    made = kernel.Books(levels_max)
    made.ask("1")
    whole = wired(entries("W", *(rows or ("269=0|270=1.00|271=5", "269=1|270=2.00|271=6"))))
    assert made.fold(whole, 0) == len(whole)
    made.stand()
    return made


def frame_at(data: bytes, at: int) -> Frame:
    frame, _ = framed(data, at)
    assert isinstance(frame, Frame)
    return frame


# --- the best of each side --------------------------------------------------------------------------------------------


@both
def test_a_snapshot_counts_under_the_id_that_was_asked_for_and_changes_count_once_it_stands(kernel: Any) -> None:
    made = kernel.Books()
    made.ask("2")
    early = wired(entries("X", "279=0|269=0|55=A|270=9.00"), entries("W", "269=0|270=8.00", request="1"))
    assert made.fold(early, 0) == len(early)
    assert (made.stand(), made.changed(), made.is_gathering, len(made)) == ((), (), True, 0)
    made.fold(wired(entries("W", "269=0|270=1.00|271=5", request="2")), 0)
    assert made.changed() == ()
    assert made.stand() == (Tick("A", 10_000, 0, 5, 0, 0, 0),)
    made.fold(wired(entries("W", "269=0|270=7.00"), entries("X", "279=1|269=1|55=A|270=1.05|271=7")), 0)
    assert made.changed() == (Tick("A", 10_000, 10_500, 5, 7, 0, 0),)
    assert made.changed() == ()


@both
def test_an_instrument_that_is_told_whole_again_under_the_same_id_is_replaced(kernel: Any) -> None:
    made = standing(kernel)
    made.fold(wired(entries("W", "269=0|270=7.00|271=1"), entries("W", "269=1|270=8.00", request="2")), 0)
    assert made.changed() == (Tick("A", 70_000, 0, 1, 0, 0, 0),)


@both
def test_a_trade_of_before_does_not_make_the_quote_beside_it_older(kernel: Any) -> None:
    made = standing(kernel)
    rows = [f"279=0|269={side}|55=A|270=1.50|272=20261130|273=10:00:0{second}" for side, second in ((0, 3), (2, 1))]
    made.fold(wired(*(entries("X", row) for row in rows)), 0)
    assert [tick.exchange_at for tick in made.changed()] == [1_796_032_803_000_000_000]


@both
def test_what_one_reading_brings_of_an_instrument_is_one_tick_in_the_order_of_first_news(kernel: Any) -> None:
    made = standing(kernel)
    rows = ["279=0|269=2|55=B|270=3.00|272=20261130|273=10:00:00", "279=0|269=0|55=A|270=1.10", "279=0|269=0|270=1.15"]
    made.fold(wired(entries("X", *rows), entries("X", "279=2|269=1|55=B")), 0)
    at = 1_796_032_800_000_000_000
    assert made.changed() == (Tick("B", 0, 0, 0, 0, 30_000, at), Tick("A", 11_500, 20_000, 0, 6, 0, at))


@both
@pytest.mark.parametrize(
    "row",
    [
        "279=0|269=0|55=A|270=1e9", "279=0|269=0|55=A|270=-1", "279=0|269=9|55=A|270=1", "279=0|269=0|270=1",
        "279=0|269=0|55=A|270=1|271=1.5", "279=0|269=0|55=A|270=0.00001", "279=0|55=A|270=1", "279=0|269=0|55=A",
        "279=0|269=0|55=A|270=1|272=20260230|273=10:00:00", "279=0|269=0|55=A|270=999999999999",
    ],
)  # fmt: skip
def test_a_message_that_makes_no_sense_is_left_to_be_taken_singly_which_says_why(kernel: Any, row: str) -> None:
    made = standing(kernel)
    good = wired(entries("X", "279=0|269=0|55=A|270=1.25"))
    data = good + wired(entries("X", row)) + good
    assert made.fold(data, 0) == len(good)
    bad = frame_at(data, len(good))
    with pytest.raises(Malformed):
        made.take(bad.message())
    assert made.fold(data, len(good + bad.raw)) == len(data)


@both
def test_a_mark_is_read_where_it_stands(kernel: Any) -> None:
    made = kernel.Books()
    data = wired(marketdata.mark(AT, False), marketdata.mark(AT + 1, True), marketdata.held())
    at, is_last, end = made.mark(data, 0)
    assert (at, is_last) == (AT, False)
    assert made.mark(data, end)[:2] == (AT + 1, True)
    assert made.mark(data, made.mark(data, end)[2]) is None
    for odd in (body("UM", [(60, "now")]), body("UM"), body("UM", [(60, "20261130")]), entries("X"), body("U")):
        assert made.mark(wired(odd), 0) is None
    assert made.mark(wired(marketdata.mark(AT, False))[:-1], 0) is None


@both
def test_other_messages_are_left(kernel: Any) -> None:
    made = standing(kernel)
    data = wired(marketdata.mark(AT, False), marketdata.held(), body("B", [(148, "news")]))
    assert made.fold(data, 0) == 0
    made.take(frame_at(data, 0).message())
    assert made.changed() == ()


@both
def test_thousands_of_instruments_are_told_apart_whatever_their_names(kernel: Any) -> None:
    names = [name for n in range(1_500) for name in (f"{n}", f"NIFTY-20261229-{n}CE", f"{'A' * 10}{n:04}{'B' * 26}")]
    chance = random.Random(1)
    made = standing(kernel)
    for _ in range(2):
        chance.shuffle(names)
        rows = [f"279=0|269=0|55={name}|270={n}.25|271={n}" for n, name in enumerate(names, start=1)]
        for start in range(0, len(rows), 150):
            data = wired(entries("X", *rows[start : start + 150]))
            assert made.fold(data, 0) == len(data)
        told = {tick.contract: (tick.bid, tick.bid_size) for tick in made.changed()}
        assert told == {name: (n * 10_000 + 2_500, n) for n, name in enumerate(names, start=1)}


@both
@pytest.mark.parametrize(
    ("astray", "is_taken"), [("34=x", True), ("34=7", True), ("268=1", True), ("268=2", False), ("268=x", False)]
)
def test_a_number_or_a_count_among_the_entries_is_as_harmless_as_it_looks(
    kernel: Any, astray: str, is_taken: bool
) -> None:
    made = standing(kernel)
    for kind, first in (("X", "279=0|269=0|55=A"), ("W", "269=0")):
        said = told(made, wired(entries(kind, f"{first}|270=1.25|271=7|{astray}")))
        assert isinstance(said, tuple) is is_taken, said
        assert isinstance(said, str) or [tick.bid for tick in said] == [12_500]


# --- ladders ----------------------------------------------------------------------------------------------------------


@both
def test_levels_make_a_ladder_whose_top_is_told(kernel: Any) -> None:
    made = standing(kernel, 10, "269=0|270=1.00|271=5|346=2", "269=0|270=0.95|271=9", "269=1|270=1.05|271=6")
    (level, below), _ = (made.ladder("A").levels(side, 5) for side in (0, 1))
    assert (level, below) == ((10_000, 5, 2), (9_500, 9, 0))
    made.fold(wired(entries("X", "279=2|269=0|55=A|270=1.00", "279=0|269=1|270=1.02|271=1", "279=0|269=2|270=1.0")), 0)
    assert made.changed() == (Tick("A", 9_500, 10_200, 9, 1, 10_000, 0),)
    made.fold(wired(entries("X", "279=1|269=0|55=A|270=0.50|271=1"), entries("X", "279=2|269=1|55=A|270=9.99")), 0)
    assert made.misfits == 2
    assert made.ladder("B") is None


@both
def test_a_ladder_that_runs_out_of_what_was_kept_is_told_as_broken(kernel: Any) -> None:
    made = standing(kernel, 1, "269=0|270=1.00|271=5", "269=0|270=0.95|271=9")
    first = wired(entries("X", "279=2|269=0|55=A|270=1.00"))
    assert made.fold(first + wired(entries("X", "279=0|269=0|55=A|270=1.00|271=1")), 0) == len(first)
    assert made.broken == "A"
    made.ask("2")
    assert (made.broken, len(made)) == ("", 0)


@both
@pytest.mark.parametrize("row", ["279=3|269=0|55=A|270=1", "279=0|269=0|55=A|270=0", "279=2|269=0|55=A"])
def test_a_level_must_have_a_price_and_a_change_that_a_ladder_knows(kernel: Any, row: str) -> None:
    made = standing(kernel, 5)
    data = wired(entries("X", row))
    assert made.fold(data, 0) == 0
    with pytest.raises(Malformed):
        made.take(frame_at(data, 0).message())


@both
@pytest.mark.parametrize("levels_max", [-1, 4_097])
def test_more_levels_than_a_ladder_keeps_are_refused(kernel: Any, levels_max: int) -> None:
    with pytest.raises(ValueError, match="levels_max"):
        kernel.Books(levels_max)


# --- kernel and twin --------------------------------------------------------------------------------------------------


def made_messages(chance: random.Random) -> Iterator[bytes]:
    """Market data without end, some of it bent."""
    while True:
        kind = chance.choice("WXXX")
        rows = [row(chance, kind) for _ in range(chance.choice((0, 1, 2, 2, 3, 9)))]
        count = len(rows) + (chance.random() < 0.03)
        head = f"262={chance.choice('1112')}|55={chance.choice('AAB')}|" if kind == "W" else ""
        text = f"35={kind}|49=VENUE|56=DESK|34=2|52=20261130-00:53:20|{head}268={count}|{''.join(rows)}"
        whole = bytearray(text.encode("latin-1"))
        if chance.random() < 0.2:
            fix_messages._bend(chance, whole)
        yield fix_messages.framed(bytes(whole).replace(b"\x01", b"|"))


def row(chance: random.Random, kind: str) -> str:
    price = f"{chance.randrange(4)}{chance.choice(('', '.', '.5', '.05', '.0500', '.00001'))}"
    fields = [f"269={chance.choice('000111223')}", f"270={price}", f"271={chance.choice(('5', '0', '75', '1.5', 'x'))}"]
    if chance.random() < 0.1:
        fields.pop(chance.randrange(3))
    if kind == "X":
        fields += [f"55={chance.choice('ABCD')}"] if chance.random() < 0.8 else []
    if chance.random() < 0.3:
        fields += ["272=20261130", f"273=10:00:{chance.choice(('00', '01.5', '60', '2'))}"]
    fields += ["346=3"] if chance.random() < 0.2 else []
    chance.shuffle(fields[1 if kind == "W" else 0 :])
    first = [f"279={chance.choice('000112223')}"] if kind == "X" else []
    return "".join(f"{field}|" for field in (*first, *fields))


@pytest.mark.skipif(not is_compiled("participant.wire.fix._books"), reason="it is not compiled here")
@pytest.mark.parametrize("seed", range(SEEDS))
def test_kernel_and_twin_make_the_same_of_any_market_data(seed: int) -> None:
    chance = random.Random(seed)
    made = made_messages(chance)
    mark = wired(marketdata.mark(AT, False))
    plain, compiled = kernels("books")
    for _ in range(INPUTS_A_SEED // 4):
        data = b"".join(next(made) if chance.random() < 0.9 else mark for _ in range(chance.randrange(1, 30)))
        levels_max = chance.choice((0, 0, 1, 5))
        for tell in (singly, together):
            assert tell(plain.Books(levels_max), data) == tell(compiled.Books(levels_max), data)


@pytest.mark.skipif(not is_compiled("participant.wire.fix._books"), reason="it is not compiled here")
@pytest.mark.parametrize("seed", range(SEEDS))
def test_kernel_and_twin_read_the_same_prices_and_sizes_from_any_digits(seed: int) -> None:
    chance = random.Random(seed)
    pair = [standing(kernel) for kernel in kernels("books")]
    for _ in range(5 * INPUTS_A_SEED):
        price, size = ("".join(chance.choices(signs, k=chance.randrange(1, 12))) for signs in (f"{DIGITS}.", DIGITS))
        odd = chance.choice(("", "", "", "", "/", ":", "-", "~", "."))
        data = wired(entries("X", f"279=0|269=0|55=A|270={price}{odd}|271={size}{odd}"))
        data = rightly_framed(bytearray(data.replace(b"~", b"\xff")))
        plain, compiled = (told(made, data) for made in pair)
        assert plain == compiled, data


def told(made: Any, data: bytes) -> tuple[Tick, ...] | str:
    """What has changed after a message, or what is wrong with it."""
    if made.fold(data, 0) < len(data):
        try:
            made.take(frame_at(data, 0).message())
        except Malformed as error:
            return str(error)
    return tuple(made.changed())


def singly(made: Any, data: bytes) -> list[object]:
    """All that can be seen after each message."""
    made.ask("1")
    said: list[object] = []
    at = 0
    while at < len(data):
        item, end = framed(data, at)
        if made.fold(data[at:end], 0) < end - at and isinstance(item, Frame):
            said += taken(made, item)
        said += [made.changed(), len(made), made.misfits, made.broken, made.is_gathering]
        at = end
        if made.broken:
            made.ask("1")
    return said


def together(made: Any, data: bytes) -> list[object]:
    """What is told at marks and faults, and at last, where as much as can be is taken at once."""
    made.ask("1")
    said: list[object] = []
    at = 0
    while at < len(data) or made.broken:
        at = made.fold(data, at)
        item, end = framed(data, at) if at < len(data) else (None, at)
        if made.broken:
            said.append(made.broken)
            made.ask("1")
        elif isinstance(item, Frame):
            said += taken(made, item)
            at = end
        else:
            at = end
    return [*said, made.changed()]


def taken(made: Any, item: Frame) -> list[object]:
    """What comes of a message that is taken singly: a mark ends a snapshot."""
    try:
        made.take(item.message())
    except Malformed as error:
        made.ask("1")
        return [str(error)]
    return [made.stand()] if item.msg_type == "UM" and made.is_gathering else []


@pytest.mark.skipif(not is_compiled("participant.wire.fix._runs"), reason="it is not compiled here")
@pytest.mark.parametrize("seed", range(SEEDS))
def test_kernel_and_twin_find_the_same_runs(seed: int) -> None:
    chance = random.Random(seed)
    some = fix_messages.mutated(seed)
    for _ in range(INPUTS_A_SEED):
        contents = [(marketdata.held(), marketdata.mark(AT, True), entries("X"))[chance.randrange(3)] for _ in "four"]
        good = wired(*contents)
        bent = bytearray(good)
        if chance.random() < 0.8:
            fix_messages._bend(chance, bent)
        data = chance.choice((bytes(bent), rightly_framed(bent), good + next(some)))
        apart_ns = chance.choice((0, 10**9, 120 * 10**9))
        asked = (("FIX.4.4", ("VENUE", "DESK"), {"X", "UM", "UH", "W"}, apart_ns), (data, 0, 2, AT + apart_ns))
        plain, compiled = (kernel.Runs(*asked[0]).find(*asked[1]) for kernel in kernels("runs"))
        assert plain == compiled, data


def rightly_framed(bent: bytearray) -> bytes:
    """The first message, bent, with its length and its sum right again."""
    content = bytes(bent[bent.find(b"35=") :]).partition(b"10=")[0]
    front = b"8=FIX.4.4\x019=%d\x01%b" % (len(content), content)
    return front + b"10=%03d\x01" % (sum(front) & 255)


@pytest.mark.parametrize("name", NAMES)
def test_without_a_kernel_that_can_be_imported_its_twin_is_used(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    chooser, twin = NAMES[name]
    monkeypatch.delattr(participant.wire.fix, f"_{name}", raising=False)
    monkeypatch.setitem(sys.modules, f"participant.wire.fix._{name}", None)
    assert choose(chooser._load, twin) is twin
