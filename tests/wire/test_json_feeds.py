"""The two JSON shapes: what a provider writes a reader reads, exactly; what cannot be read is refused with a reason."""

import datetime
from collections.abc import Callable, Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from participant.core.market import Tick
from participant.core.scrip import Contract, Kind
from participant.wire.json import Malformed
from participant.wire.json_feeds import INSTRUMENTS_A_MESSAGE, MESSAGE_MAX, Reader, Says, Word, Writer, portions, whole
from participant.wire.json_three import ThreeReader, ThreeWriter, iso, key_of, name_of, time_of
from participant.wire.json_two import TwoReader, TwoWriter
from participant.wire.rupees import price_of, rupees

EXPIRY = datetime.date(2026, 12, 29)
AT = 1_796_000_000_250_000_000
FUTURE = Contract("NIFTY", EXPIRY, Kind.FUTURE, 0, 65, 1_000, 1_800)
CALL = Contract("NIFTY", EXPIRY, Kind.CALL, 250_000_000, 65, 500, 1_800)
PUT = Contract("NIFTY", EXPIRY, Kind.PUT, 250_025_000, 65, 500, 1_800)
CONTRACTS = (FUTURE, CALL, PUT)

Shape = tuple[Callable[[Sequence[Contract]], Writer], Callable[[], Reader]]
SHAPES: list[Shape] = [(TwoWriter, TwoReader), (ThreeWriter, ThreeReader)]
shapes = pytest.mark.parametrize("shape", SHAPES, ids=["two", "three"])

prices = st.integers(0, 10**10)
sizes = st.integers(0, 10**9)
ticks = st.one_of(
    st.builds(Tick, st.sampled_from([c.key for c in CONTRACTS]), prices, prices, sizes, sizes, prices, st.just(AT)),
    st.builds(lambda last: Tick("NIFTY", 0, 0, 0, 0, last, AT), prices),
)
words = st.one_of(
    st.builds(Word, st.just(Says.DIFF), sizes, st.lists(ticks, max_size=5).map(tuple)),
    st.builds(
        lambda seq, said, is_last: Word(Says.SNAPSHOT, seq, said, AT, is_last, 2, 3),
        sizes,
        st.lists(ticks, max_size=5).map(tuple),
        st.booleans(),
    ),
    st.builds(lambda seq, is_last: Word(Says.MARK, seq, (), AT, is_last), sizes, st.booleans()),
    st.builds(Word, st.sampled_from([Says.HELD, Says.BEAT]), sizes),
)


def spoken(shape: Shape) -> tuple[Writer, Reader]:
    """A provider and a reader who has heard its master."""
    writer, reader = shape[0](CONTRACTS), shape[1]()
    for message in writer.master():
        assert reader.read(message).says is Says.MASTER
    return writer, reader


@shapes
@given(word=words)
def test_what_a_provider_writes_is_read_exactly(shape: Shape, word: Word) -> None:
    writer, reader = spoken(shape)
    data = writer.write(word)
    assert reader.read(data) == word
    assert reader.read(data.decode()) == word


@given(st.integers(0, 10**13))
def test_rupees_say_a_price_exactly(price: int) -> None:
    assert price_of(rupees(price)) == price
    assert Decimal(rupees(price)) * 10_000 == price


@pytest.mark.parametrize(
    ("text", "price"), [("101.05", 1_010_500), ("7", 70_000), ("0.0001", 1), ("1.50000000", 15_000)]
)
def test_rupees_are_read_as_people_write_them(text: str, price: int) -> None:
    assert price_of(text) == price


@pytest.mark.parametrize(
    "text", ["", ".", "-1.00", "+1", "1e5", "1.00001", "nan", "1,000.00", " 1", "१.00", "1.0.0", "9" * 40]
)
def test_what_is_no_price_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a price"):
        price_of(text)


@pytest.mark.parametrize("number", ["1e400", "-1", "0.00001", "0.1000000000000000055511151231257827", '"NaN"', "1e-7"])
def test_a_number_that_is_no_price_is_refused_and_never_rounded(number: str) -> None:
    _, reader = spoken(SHAPES[0])
    with pytest.raises(Malformed, match="rupees"):
        reader.read(f'{{"type":"diff","seq":1,"data":[{{"token":1001,"ts":1,"last_price":{number}}}]}}')


def test_a_token_that_no_master_named_is_counted_and_left_out() -> None:
    _, reader = spoken(SHAPES[0])
    said = '{"type":"diff","seq":1,"data":[{"token":7,"ts":1,"bid":1.0},{"token":1001,"ts":1,"last_price":24000.05}]}'
    word = reader.read(said)
    assert (word.unknown, [(t.contract, t.last) for t in word.ticks]) == (1, [("NIFTY", 240_000_500)])


def test_a_name_that_says_nothing_is_counted_and_left_out() -> None:
    writer, reader = spoken(SHAPES[1])
    data = writer.write(Word(Says.DIFF, 1, (Tick(CALL.key, 1, 2, 3, 4, 0, AT), Tick("NIFTY", 0, 0, 0, 0, 5, AT))))
    word = reader.read(data.replace(b"29DEC26", b"31FEB26"))
    assert (word.unknown, [t.contract for t in word.ticks]) == (1, ["NIFTY"])


@shapes
@pytest.mark.parametrize(
    "data",
    [
        "",
        "\ufeff{}",
        "[]",
        "null",
        "{",
        '{"type":"else","seq":1}',
        '{"k":"Z","n":1}',
        '{"type":"diff","seq":-1,"k":"D","n":-1}',
        '{"type":"diff","seq":1e30,"k":"D","n":1e30}',
        '{"type":"diff","seq":1,"data":[{"token":1001,"ts":1,"bid":"x"}],"k":"D","sym":["NIFTY"]}',
        '{"type":"mark","seq":"1","k":"M","n":"1"}',
        '{"type":"diff","seq":1,"data":[{"token":1001}],"k":"M","n":1,"tm":"2026-12-29T09:15:00"}',
        '{"type":"diff","seq":true,"k":"M","n":1,"tm":"yesterday"}',
        '{"type":' + "[" * 5_000 + "]" * 5_000 + "}",
        "{" + " " * MESSAGE_MAX + "}",
    ],
)
def test_what_cannot_be_read_is_refused(shape: Shape, data: str) -> None:
    _, reader = spoken(shape)
    with pytest.raises(Malformed):
        reader.read(data)


@shapes
@given(data=st.binary(max_size=200))
def test_noise_is_refused_and_nothing_else(shape: Shape, data: bytes) -> None:
    _, reader = spoken(shape)
    with pytest.raises(Malformed):
        reader.read(data)


def test_columns_of_different_lengths_are_refused() -> None:
    writer, reader = spoken(SHAPES[1])
    data = writer.write(Word(Says.DIFF, 1, (Tick("NIFTY", 0, 0, 0, 0, 5, AT),)))
    with pytest.raises(Malformed, match="kind D"):
        reader.read(data.replace(b'"bq":[0]', b'"bq":[0,0]'))


def test_a_master_with_a_contract_without_expiry_is_refused() -> None:
    with pytest.raises(Malformed, match="without an expiry"):
        TwoReader().read('{"type":"instruments","data":[{"token":1,"name":"NIFTY","kind":"CE","strike":25000}]}')


@shapes
def test_a_snapshot_comes_in_pages_that_fit_into_a_message(shape: Shape) -> None:
    writer, reader = spoken(shape)
    many = tuple(Tick(CALL.key, 10**12 + n, 10**12 + n, 10**9, 10**9, 0, AT) for n in range(INSTRUMENTS_A_MESSAGE + 1))
    pages = [writer.write(word) for word in whole(9, many, AT, is_last=True)]
    assert all(len(page) <= MESSAGE_MAX for page in pages)
    read = [reader.read(page) for page in pages]
    assert [(word.part, word.parts, word.seq, word.at, word.is_last) for word in read] == [
        (1, 2, 9, AT, True),
        (2, 2, 9, AT, True),
    ]
    assert tuple(tick for word in read for tick in word.ticks) == many


def test_nothing_is_one_empty_portion() -> None:
    assert portions(()) == [()]


def test_the_names_of_provider_three_say_which_contract() -> None:
    assert [name_of(c) for c in CONTRACTS] == [
        "NIFTY 29DEC26 FUT",
        "NIFTY 29DEC26 25000.00 CE",
        "NIFTY 29DEC26 25002.50 PE",
    ]
    assert [key_of(name_of(c)) for c in CONTRACTS] == [c.key for c in CONTRACTS]
    assert [key_of(name) for name in ("BANKNIFTY", "nifty", "NIFTY 29XXX26 FUT", "NIFTY 29DEC26", "")] == [
        "BANKNIFTY",
        "",
        "",
        "",
        "",
    ]


@given(st.integers(0, 4_000_000_000_000_000))
def test_an_iso_time_says_every_microsecond(micros: int) -> None:
    assert time_of(iso(micros * 1_000)) == micros * 1_000


def test_a_time_without_its_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="no offset"):
        time_of("2026-12-29T09:15:00")
