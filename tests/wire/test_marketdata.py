"""FIX market data: what changed is folded onto what was held, and entries that make no sense are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from participant.core.market import Tick
from participant.wire.fix import marketdata
from participant.wire.fix.books import Books
from participant.wire.fix.codec import FIELDS_MAX, Body, Header, Message, body, encode
from participant.wire.fix.frames import Frame, split
from participant.wire.json import Malformed

AT = 1_796_000_000_250_000_000
prices = st.integers(1, 10**10)
sizes = st.integers(1, 10**9)
times = st.sampled_from([AT, AT + 1, AT + 60_000_000_000])
quotes = st.builds(Tick, st.just(""), prices, prices, sizes, sizes, st.just(0), times)
indices = st.builds(lambda last, at: Tick("", 0, 0, 0, 0, last, at), prices, times)
stocks = st.builds(Tick, st.just(""), prices, prices, sizes, sizes, prices, times)
ticks = st.lists(st.one_of(quotes, indices, stocks), min_size=1, max_size=30).map(
    lambda some: tuple(
        Tick(f"C{n}", t.bid, t.ask, t.bid_size, t.ask_size, t.last, t.exchange_at) for n, t in enumerate(some)
    )
)


def wired(content: Body) -> Message:
    (frame,), rest = split(encode(Header("VENUE", "DESK", 1, AT), content))
    assert isinstance(frame, Frame)
    assert rest == b""
    return frame.message()


def changed(*messages: Message, held: tuple[Tick, ...] = (Tick("SOME", 0, 0, 0, 0, 1, AT),)) -> tuple[Tick, ...]:
    """What these 35=X change of a book that holds this."""
    books = Books()
    assert gathered(books, held) == held
    for message in messages:
        books.take(message)
    return books.changed()


def gathered(books: Books, held: tuple[Tick, ...]) -> tuple[Tick, ...]:
    """A snapshot as it is taken."""
    books.ask("1")
    for tick in held:
        books.take(wired(marketdata.full("1", tick)))
    return books.stand()


@given(ticks)
def test_increments_and_snapshots_are_read_exactly(said: tuple[Tick, ...]) -> None:
    assert changed(*map(wired, marketdata.increments(said))) == said
    assert gathered(Books(), said) == said


def test_a_whole_chain_goes_into_few_messages_within_their_bounds() -> None:
    said = tuple(Tick(f"NIFTY-20261229-{n}CE", n, n + 1, 65, 65, 0, AT + n) for n in range(1, 451))
    messages = [wired(content) for content in marketdata.increments(said)]
    assert len(messages) == 8
    assert all(len(m.fields) <= FIELDS_MAX for m in messages)
    stocks = tuple(Tick(f"STOCK{n}", n, n + 1, 65, 65, n, AT + n) for n in range(1, 121))
    assert [len(m.fields) <= FIELDS_MAX for m in map(wired, marketdata.increments(stocks))] == [True, True]
    assert len(changed(*map(wired, marketdata.increments(stocks)))) == 120


def test_a_side_that_is_not_named_stands_and_a_side_that_is_deleted_is_gone() -> None:
    held = (Tick("C", 10_000, 20_000, 65, 130, 0, AT),)
    one = wired(body("X", [(268, "1"), (279, "0"), (269, "0"), (55, "C"), (270, "1.25"), (271, "195")]))
    assert changed(one, held=held) == (Tick("C", 12_500, 20_000, 195, 130, 0, AT),)
    gone = wired(body("X", [(268, "1"), (279, "2"), (269, "1"), (55, "C")]))
    assert changed(gone, held=held) == (Tick("C", 10_000, 0, 65, 0, 0, AT),)


def test_a_quote_with_one_side_is_said_and_read_so() -> None:
    tick = Tick("C", 0, 500, 0, 65, 0, AT)
    assert changed(wired(next(marketdata.increments([tick])))) == (tick,)
    assert gathered(Books(), (tick,)) == (tick,)


def test_a_contract_that_went_dark_is_said_and_read_so() -> None:
    tick = Tick("C", 0, 0, 0, 0, 0, AT)
    assert changed(wired(next(marketdata.increments([tick])))) == (tick,)
    assert gathered(Books(), (tick,)) == (tick,)


def test_a_mark_says_its_instant_and_whether_it_is_the_last() -> None:
    assert marketdata.read_mark(wired(marketdata.mark(AT, True))) == (AT, True)
    assert marketdata.read_mark(wired(marketdata.mark(AT + 1, False))) == (AT + 1, False)
    with pytest.raises(Malformed, match="35=UM"):
        marketdata.read_mark(wired(body("UM", [(60, "now")])))


@pytest.mark.parametrize(
    "fields",
    [
        [(268, "2"), (279, "0"), (269, "0"), (55, "C"), (270, "1.00")],
        [(268, "999999999")],
        [(279, "0"), (269, "0"), (55, "C"), (270, "1.00")],
        [(268, "1"), (279, "0"), (269, "0"), (270, "1.00")],
        [(268, "1"), (279, "0"), (269, "9"), (55, "C"), (270, "1.00")],
        [(268, "1"), (279, "0"), (269, "0"), (55, "C")],
        [(268, "1"), (279, "0"), (55, "C"), (270, "1.00")],
        [(268, "1"), (279, "0"), (269, "0"), (55, "C"), (270, "x")],
        [(268, "1"), (279, "0"), (269, "0"), (55, "C"), (270, "1.00"), (271, "-5")],
        [(268, "1"), (279, "0"), (269, "0"), (55, "C"), (270, "1.00"), (271, "9" * 13)],
        [(268, "1"), (279, "0"), (269, "0"), (55, "C"), (270, "1.00"), (272, "2026"), (273, "x")],
        [(268, "1"), (279, "0"), (269, "0"), (55, "C"), (270, "1.00"), (272, "19691231"), (273, "00:00:00")],
        [(268, "1"), (279, "0"), (269, "0"), (55, "C"), (270, "999999999999.00")],
        [(268, "201"), *[(279, "2"), (269, "0"), (55, "C")] * 201],
    ],
)
def test_entries_that_make_no_sense_are_refused(fields: list[tuple[int, str]]) -> None:
    with pytest.raises(Malformed):
        changed(wired(body("X", fields)))


def test_a_snapshot_of_nobody_is_refused() -> None:
    with pytest.raises(Malformed, match="without Symbol"):
        marketdata.whole(wired(body("W", [(262, "1"), (268, "0")])))


def test_a_request_asks_for_everything_and_its_changes() -> None:
    request = wired(marketdata.request("7"))
    asked = [request.get(tag) for tag in (262, 263, 264, 265, 267, 146, 55)]
    assert asked == ["7", "1", "1", "1", "3", "1", "[N/A]"]
    assert wired(marketdata.request("7", levels_max=20)).get(264) == "20"
