"""Mapped JSON: what each kind of mapping reads, and every refusal with its reason, its path and its place in bytes."""

import json
import tomllib
import tracemalloc
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from participant.core.board import Board, Fold
from participant.core.market import Tick, Ticks
from participant.links.presets import mapping_of, shipped
from participant.wire.json import Malformed
from participant.wire.json_map.mapping import BadMapping, Mapping, Units, parse_mapping
from participant.wire.json_map.names import Listed, read_listed
from participant.wire.json_map.plan import plan_of
from participant.wire.json_map.reader import Reader
from participant.wire.json_map.stream import Alive, Broken, Ended, Said, Stream
from participant.wire.json_map.tongue import Tongue
from participant.wire.refused import BadMessage
from tests.source import PACKAGE
from tests.wire.provider_payloads import AT, DHAN, GIVEN, LISTED, NSE, PAYLOADS, body, reader, stream

CALL = "NIFTY-20251230-26000CE"
PRESETS = sorted(PAYLOADS)


def made(**changes: Any) -> Mapping:
    """A small mapping of rows in an array."""
    row = {"path": "rows[]", "name": "n", "bid": "b", "bid_size": "bq", "ask": "a", "ask_size": "aq", "at": "t"}
    said = {"source": "a test", "codes": {"name": "(?P<symbol>[A-Z]+)"}, "rows": [row], **changes}
    return parse_mapping("test.toml", "\n".join(f"{key} = {toml(value)}" for key, value in said.items()).encode())


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(inner)}" for key, inner in value.items()) + "}"
    return f"[{', '.join(map(toml, value))}]" if isinstance(value, list) else json.dumps(value)


def said(mapping: Mapping, *rows: dict[str, Any], **other: Any) -> Any:
    return Reader(plan_of(mapping)).read(json.dumps({"rows": rows, **other}).encode(), AT)


TICK = Tick("ABC", 10_500, 11_000, 10, 20, 0, AT)
ROW: dict[str, Any] = {"n": "ABC", "b": 1.05, "bq": 10, "a": "1.10", "aq": 20, "t": AT // 10**6}


# --- what is read -----------------------------------------------------------------------------------------------------


def test_a_row_is_read_to_the_last_digit() -> None:
    assert said(made(), ROW).ticks == [TICK]


def test_dhans_example_is_read() -> None:
    heard = reader("dhan_chain").read(json.dumps(DHAN).encode(), AT)
    index, call = heard.ticks
    assert index == Tick("NIFTY", 0, 0, 0, 0, 256_428_000, AT)
    assert call == Tick("NIFTY-20251230-25650CE", 1_335_500, 1_340_000, 1_625, 1_365, 1_340_000, AT)


def test_a_quote_of_kite_is_named_by_the_list_and_its_best_levels_count() -> None:
    assert reader("kite_quote").read(body("kite_quote"), AT).ticks == [
        Tick(CALL, 1_013_000, 1_014_500, 75, 150, 1_013_500, 1_764_400_000 * 10**9)
    ]


def test_an_option_in_coins_is_counted_in_tenths_and_its_index_is_the_underlyings() -> None:
    option, index = reader("deribit_ticker").read(body("deribit_ticker"), AT).ticks
    at = 1_733_000_000_000 * 10**6
    assert option == Tick("BTC-20241227-100000CE", 635, 640, 125, 1, 639, at)
    assert index == Tick("BTC", 0, 0, 0, 0, 922_635_500, at)


def test_sizes_in_lots_need_the_lot_of_the_contract() -> None:
    mapping = replace(shipped()["kite_quote"], units=Units(size="lots"))
    heard = Reader(plan_of(mapping), LISTED).read(body("kite_quote"), AT)
    assert (heard.ticks[0].bid_size, heard.ticks[0].ask_size) == (75 * 75, 150 * 75)
    unsized = [Listed("12345678", CALL)]
    heard = Reader(plan_of(mapping), unsized).read(body("kite_quote"), AT)
    assert "no lot of " in heard.refused[0].reason


@pytest.mark.parametrize(
    ("clock", "written", "at"),
    [
        ({"unit": "s"}, 1_764_400_000, 1_764_400_000 * 10**9),
        ({"unit": "us"}, "1764400000123456", 1_764_400_000_123_456_000),
        ({"unit": "ns"}, 1_764_400_000_123_456_789, 1_764_400_000_123_456_789),
        ({"unit": "text"}, "2025-11-29T12:36:40+05:30", 1_764_400_000 * 10**9),
        ({"unit": "text"}, "2025-11-29T07:06:40Z", 1_764_400_000 * 10**9),
        ({"unit": "text", "zone": "+05:30"}, "2025-11-29 12:36:40", 1_764_400_000 * 10**9),
        ({"unit": "text", "zone": "-01:00", "format": "%d/%m/%Y %H.%M"}, "29/11/2025 06.06", 1_764_399_960 * 10**9),
    ],
)
def test_clocks(clock: dict[str, str], written: object, at: int) -> None:
    assert said(made(clock=clock), {**ROW, "t": written}).ticks[0].exchange_at == at


def test_rows_of_nested_arrays_take_what_stands_above_them() -> None:
    row = {"path": "days[].calls[].quote", "underlying": "/u", "expiry": "=2025-12-30", "strike": "../k", "kind": "=C",
           "last": "p", "at": "/t"}  # fmt: skip
    mapping = made(rows=[row], codes={"kinds": {"C": "CE"}})
    data = {"u": "X", "t": AT // 10**6, "days": [{"calls": [{"k": 5, "quote": {"p": 1}}, {"k": 6}]}, {"calls": []}]}
    assert Reader(plan_of(mapping)).read(json.dumps(data).encode(), AT).ticks == [
        Tick("X-20251230-5CE", 0, 0, 0, 0, 10_000, AT)
    ]


def test_an_array_by_positions() -> None:
    row = {"path": "[]", "name": "0", "last": "2", "at": "1"}
    mapping = made(rows=[row])
    data = f'[["ABC",{AT // 10**6},7.5,"more"],["DEF",{AT // 10**6},8]]'.encode()
    assert [t.last for t in Reader(plan_of(mapping)).read(data, AT).ticks] == [75_000, 80_000]


# --- what is refused --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bad:
    """A word that no row may have, where, and what is said of it."""

    field: str
    word: str
    reason: str


BAD = [
    Bad("b", '"x"', "x is no number"),
    Bad("b", "1e999", "1e999 is out of range"),
    Bad("b", "-1", "-1 is negative"),
    Bad("b", "0.00001", "finer than 1/10,000"),
    Bad("b", "9" * 40, "has 40 characters, of at most 32"),
    Bad("b", "999999999999999", "out of range"),
    Bad("b", "[1]", "no number"),
    Bad("b", '{"a":1}', "no number"),
    Bad("b", "true", "no number"),
    Bad("b", '"NaN"', "NaN is no number"),
    Bad("b", '"-Infinity"', "no number"),
    Bad("b", '"１"', "no number"),
    Bad("bq", "-5", "-5 is negative"),
    Bad("bq", "1.5", "finer than 1/1 of its unit"),
    Bad("bq", "1e30", "out of range"),
    Bad("t", "1764400000", "in the year 1970"),
    Bad("t", '"today"', "no number"),
    Bad("t", "null", "no number"),
    Bad("n", '"' + "A" * 65 + '"', "65 characters, of at most 64"),
]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: f"{bad.field}={bad.word[:20]}")
def test_a_word_that_cannot_be_spoils_its_row_alone(bad: Bad) -> None:
    words = {name: json.dumps(value) for name, value in ROW.items()}
    row = ",".join(f'"{name}":{bad.word if name == bad.field else word}' for name, word in words.items())
    data = f'{{"rows":[{{{row}}},{json.dumps({**ROW, "n": "DEF"})}]}}'.encode()
    heard = Reader(plan_of(made())).read(data, AT)
    assert [tick.contract for tick in heard.ticks] == ["DEF"]
    (refusal,) = heard.refused
    assert bad.reason in refusal.reason
    assert refusal.path == f"$.rows[].{bad.field}"
    assert refusal.offset == data.index(bad.word.encode())
    assert heard.voids == ([] if bad.field == "n" else ["ABC"])


@pytest.mark.parametrize(
    ("data", "reason", "path", "place"),
    [
        (b"", "no JSON", "$", None),
        (b"\xef\xbb\xbf{}", "no JSON", "$", 0),
        (b'{"rows":[NaN]}', "no JSON", "$", 9),
        (b'{"rows":[{"b":NaN}]}', "no JSON", "$", 14),
        (b'{"rows":[{"b":1', "no JSON", "$", None),
        (b'{"rows":[{"b":01}]}', "no JSON", "$", 15),
        (b'{"rows":{}}', "Expected `array | null`", "$.rows", 8),
        (b'{"x":[1,{}],"rows":[{"b":1},7]}', "Expected `object`", "$.rows[1]", 28),
        (b"[]", "Expected `object`", "$", 0),
        (b"null", "Expected `object`", "$", 0),
        (b'{"rows":' + b"[" * 2_000 + b"]" * 2_000 + b"}", "Expected `object`", "$.rows[0]", 9),
        (b'{"x":' + b"[" * 3_000 + b"]" * 3_000 + b"}", "too deep", "$", None),
        (b'{"x":"' + b" " * 2**20 + b'"}', "a message of 1048584 bytes, of at most 1048576", "$", 2**20),
        (b'{"rows":[' + b"{}," * 99_999 + b"{}]}", "100001 rows and levels in 300010 bytes", "$", None),
        (b'{"rows":[' + b"{ " + b"},{" * 300 + b"}]}", "over 300 rows at rows[]", "", None),
    ],
)  # fmt: skip
def test_a_message_that_cannot_be_is_refused_as_a_whole(data: bytes, reason: str, path: str, place: int | None) -> None:
    with pytest.raises(BadMessage, match=r"[a-z]") as caught:
        Reader(plan_of(made(rows_max=300, bytes_max=2**20))).read(data, AT)
    assert reason in caught.value.reason
    assert (caught.value.path, caught.value.offset) == (path, place)


@pytest.mark.parametrize(("piece", "share"), [(b"a", 1), (b"\\n", 0.79), (b"a\\n", 0.79)])
def test_a_text_as_long_as_a_message_may_be_is_refused_in_its_own_memory(piece: bytes, share: float) -> None:
    """What told its place took 150 bytes for each of it, and two seconds."""
    most = shipped()["kite_quote"].bytes_max
    data = b'"%b"' % (piece * (int(share * most - 2) // len(piece)))
    tracemalloc.start()
    try:
        with pytest.raises(BadMessage) as refused:
            reader("kite_quote").read(data, AT)
        assert tracemalloc.get_traced_memory()[1] <= 2 * most
    finally:
        tracemalloc.stop()
    assert refused.value.offset == 0


def test_a_row_without_any_price_is_not_taken_for_an_empty_book() -> None:
    heard = said(made(), {"n": "ABC", "t": ROW["t"], "bidPrice": 1.05})
    assert heard.ticks == []
    assert "are they called otherwise now" in heard.refused[0].reason
    assert heard.voids == ["ABC"]


def test_a_side_that_is_null_or_absent_is_empty() -> None:
    heard = said(made(), {**ROW, "b": None, "bq": None}, {"n": "DEF", "t": ROW["t"], "a": 1, "aq": 2})
    assert [(t.bid, t.bid_size, t.ask) for t in heard.ticks] == [(0, 0, 11_000), (0, 0, 10_000)]


NAMED = {"path": "rows[]", "underlying": "u", "expiry": "e", "strike": "k", "kind": "c", "last": "p", "at": "t"}
WHOLE = {"u": "X", "e": "2025-12-30", "k": 5, "c": "C", "p": 1, "t": ROW["t"]}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"c": "Z"}, "'Z' is no kind of contract that codes.kinds names"),
        ({"k": 0}, "an option without a strike"),
        ({"e": "30-12-2025"}, "'30-12-2025' is no day"),
        ({"u": None}, "does not say which contract"),
        ({"t": None}, "null is no number"),
        ({"p": "1.00001"}, "finer than 1/10,000"),
    ],
)
def test_a_contract_by_its_parts_is_read_or_refused(changes: dict[str, Any], reason: str) -> None:
    mapping = made(rows=[NAMED], codes={"kinds": {"C": "CE"}})
    assert [tick.contract for tick in said(mapping, WHOLE).ticks] == ["X-20251230-5CE"]
    heard = said(mapping, {**WHOLE, **changes})
    assert heard.ticks == []
    assert reason in heard.refused[0].reason


def test_levels_may_be_texts_and_the_best_of_them_counts() -> None:
    row = {"path": "rows[]", "name": "n", "bids": "b[]", "asks": "a[]", "at": "t"}
    mapping = made(rows=[row], levels={"price": "0", "size": "1"})
    sides = {"b": [["9.5", "5"], ["10.0", "7"], ["11", "0"]], "a": [["10.5", "8"]]}
    assert said(mapping, {**ROW, **sides}).ticks == [Tick("ABC", 100_000, 105_000, 7, 8, 0, AT)]
    heard = said(mapping, {**ROW, "b": [["9.5", "x"], ["10", "1"]], "a": []})
    assert (heard.ticks, heard.refused[0].reason, heard.refused[0].path) == ([], "x is no number", "$.rows[].b[].1")


def test_a_message_of_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(BadMessage, match="x is no number"):
        said(made(stream={"seq": "n"}), ROW, n="x")


def test_a_text_that_is_no_time_is_refused() -> None:
    heard = said(made(clock={"unit": "text", "format": "%d-%b-%Y", "zone": "+05:30"}), {**ROW, "t": "2025-11-29"})
    assert heard.refused[0].reason.endswith("is no time of the form %d-%b-%Y")
    assert "says no zone" in said(made(clock={"unit": "text"}), {**ROW, "t": "2025-11-29"}).refused[0].reason


def test_of_many_refusals_the_first_are_kept_and_all_are_counted() -> None:
    heard = said(made(), *[{**ROW, "b": -1}] * 100)
    assert (len(heard.refused), heard.refused_count) == (20, 100)


@pytest.mark.parametrize("preset", PRESETS)
def test_each_preset_reads_its_payload_and_refuses_it_cut_short(preset: str) -> None:
    data = body(preset)
    heard = reader(preset).read(data, AT)
    assert heard.ticks or heard.books
    assert not heard.refused
    for end in range(len(data)):
        with pytest.raises(BadMessage):
            reader(preset).read(data[:end], AT)


# --- streams ----------------------------------------------------------------------------------------------------------

NUMBERED = {"kind": "rows", "seq": "n"}


def numbered(*numbers: int, **words: str) -> list[Any]:
    """What a stream makes of messages with these numbers."""
    one = Stream(plan_of(made(stream={**NUMBERED, **words})))
    heard = [out for n in numbers for out in one.hear(json.dumps({"n": n, "p": n - 1, "rows": [ROW]}), AT)]
    return [*[type(out).__name__ if not isinstance(out, Said) else out.is_snapshot for out in heard], dict(one.counts)]


def test_the_first_rows_are_a_snapshot_and_an_instant_ends_once() -> None:
    counts = {"refused row": 0, "unknown instrument": 0}
    assert numbered(5, 6, 7) == [True, "Ended", False, False, counts]


def test_a_repeated_number_is_dropped_and_a_missing_one_breaks_the_link() -> None:
    assert numbered(5, 5)[:-1] == [True, "Ended"]
    assert numbered(5, 5)[-1]["duplicate"] == 1
    assert numbered(5, 7)[2] == "Broken"
    assert numbered(5, 7, previous="p")[2] == "Broken"
    assert numbered(5, 6, previous="p")[2] is False


@pytest.mark.parametrize(
    "between", [{"rows": []}, {"rows": [{**ROW, "n": "a word of 70 letters" * 4}]}, {"beat": 1}, {}]
)
def test_a_message_that_shows_nothing_of_ours_has_its_number_all_the_same(between: dict[str, Any]) -> None:
    one = Stream(plan_of(made(stream=NUMBERED, beats=[{"when": {"beat": "1"}, "answer": "pong"}])))
    messages = ({"n": 5, "rows": [ROW]}, {"n": 6, **between}, {"n": 7, "rows": [ROW]})
    heard = [[type(out) for out in one.hear(json.dumps(message), AT)] for message in messages]
    assert heard[-1] == [Said]
    assert [type(out) for out in one.hear(json.dumps({"n": 7, "beat": 1}), AT)] == [Alive]  # the last number again
    assert [type(out) for out in one.hear(json.dumps({"n": 9, "beat": 1}), AT)] == [Broken]


def test_a_provider_that_begins_to_count_anew_breaks_the_link() -> None:
    heard = numbered(500, *range(1, 101))
    assert heard[:2] == [True, "Ended"]
    assert heard[2:-1] == ["Broken"]
    assert numbered(500, *range(1, 100), 501, *range(1, 100))[2:-1] == [False]


UNNUMBERED = json.dumps({"rows": [ROW]})


@pytest.mark.parametrize("before", [(), ({"n": 100, "rows": [ROW]},)])
def test_rows_without_their_number_break_a_numbered_link(before: tuple[dict[str, Any], ...]) -> None:
    """They were believed: 100, none, none, 101 hid whatever was lost between."""
    one = Stream(plan_of(made(stream=NUMBERED, beats=[{"when": {"beat": "1"}}])))
    for message in before:
        assert isinstance(next(iter(one.hear(json.dumps(message), AT))), Said)
    assert [type(out) for out in one.hear('{"beat":1}', AT)] == [Alive]
    assert list(one.hear('{"subscribed":true}', AT)) == []  # it shows nothing that could be believed
    (broken,) = one.hear(UNNUMBERED, AT)
    assert isinstance(broken, Broken)
    assert "without its number" in broken.reason


def test_a_snapshot_that_a_mapping_tells_of_may_lack_its_number() -> None:
    one = Stream(plan_of(made(stream={**NUMBERED, "snapshot": {"all": "1"}})))
    messages = ({"all": 1, "rows": [ROW]}, {"n": 7, "rows": [ROW]}, {"n": 8, "rows": [ROW]}, {"rows": [ROW]})
    heard = [type(out) for message in messages for out in one.hear(json.dumps(message), AT)]
    assert heard == [Said, Ended, Said, Said, Broken]


def test_whole_messages_replace_each_other() -> None:
    one = stream("nse_chain")
    kinds = [out.is_snapshot for _ in range(2) for out in one.hear(body("nse_chain"), AT) if isinstance(out, Said)]
    assert kinds == [True, True]


def test_a_spoilt_row_voids_its_contract_and_the_stream_goes_on() -> None:
    one = stream("nse_chain")
    bad = json.dumps(NSE).replace('"bidprice": 101.3', '"bidprice": -1', 1)
    first = next(iter(one.hear(bad, AT)))
    assert isinstance(first, Said)
    assert [tick for tick in first.ticks if tick.contract == CALL] == [
        Tick(CALL, 0, 0, 0, 0, 0, first.ticks[0].exchange_at)
    ]
    assert one.counts["refused row"] == 1
    assert list(one.hear(b"{", AT)) == []
    assert (one.counts["malformed"], len(one.refused)) == (1, 2)
    assert any(isinstance(out, Said) for out in one.hear(body("nse_chain"), AT))


def test_a_void_is_of_its_contracts_own_time_so_that_the_next_right_row_counts() -> None:
    """It was of the newest time of all: what came next was late, and after a minute the provider's clock at fault."""
    one, t, held = Stream(plan_of(made())), ROW["t"], Fold(Board("one"))
    bad = {**ROW, "b": -1}
    shown = (
        [ROW, {**ROW, "n": "DEF", "t": t + 90_000}], [bad], [{**ROW, "t": t - 5}], [bad],
        [{**ROW, "n": "GHI", "b": -1}], [{**ROW, "n": "GHI"}], [{**ROW, "t": t + 1_000}],
    )  # fmt: skip
    said = [out for rows in shown for out in one.hear(json.dumps({"rows": rows}), AT + 90 * 10**9)]
    told = [out for out in said if isinstance(out, Said)]
    assert [out.ticks for out in told if out.ticks and not out.ticks[0].bid] == [
        (replace(TICK, bid=0, ask=0, bid_size=0, ask_size=0),)
    ] * 2
    held.take([Ticks("one", AT + 90 * 10**9, out.ticks, out.is_snapshot) for out in told])
    tally = held.board().tally
    assert (tally.late, tally.backwards) == (1, 0)  # the row that is older than the one before the void
    assert (held.ticks["ABC"].bid, held.ticks["GHI"].bid) == (10_500, 10_500)


def test_a_provider_that_names_contracts_without_end_is_begun_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("participant.wire.json_map.stream.CONTRACTS_MAX", 2)
    one = Stream(plan_of(made()))
    heard = [out for name in ("A", "B", "C") for out in one.hear(json.dumps({"rows": [{**ROW, "n": name}]}), AT)]
    assert [type(out) for out in heard] == [Said, Ended, Said, Said, Broken]


def test_a_quote_from_the_future_is_void_and_ends_no_instant() -> None:
    one = Stream(plan_of(made()))
    late, ahead = (json.dumps({"rows": [{**ROW, "t": ROW["t"] + ms}, {**ROW, "n": "DEF"}]}) for ms in (10_000, 10_001))
    said, ended = one.hear(late, AT)
    assert (said, ended) == (
        Said((replace(TICK, exchange_at=AT + 10 * 10**9), replace(TICK, contract="DEF")), True),
        Ended(AT + 10 * 10**9),
    )
    assert list(one.hear(ahead, AT)) == [
        Said((replace(TICK, contract="DEF"), Tick("ABC", 0, 0, 0, 0, 0, AT + 10 * 10**9)), False)
    ]
    assert one.counts["ahead of our clock"] == 1


def test_a_book_without_its_snapshot_waits_and_one_that_misses_a_level_breaks() -> None:
    change = body("deribit_book").replace(b'"snapshot"', b'"change"').replace(b":5,", b":6,").replace(b"null", b"5")
    one = stream("deribit_book")
    assert list(one.hear(change, AT)) == []
    assert one.counts["before the snapshot"] == 1
    assert [type(out) for out in one.hear(body("deribit_book"), AT)] == [Said, Ended]
    assert [type(out) for out in one.hear(change, AT)] == [Said]
    assert list(one.hear(change, AT)) == []
    assert one.counts["duplicate"] == 1
    gone = change.replace(b":6,", b":7,").replace(b'_id":5,', b'_id":6,').replace(b'"new",42500', b'"delete",42400')
    (broken,) = one.hear(gone, AT)
    assert isinstance(broken, Broken)
    assert "something was missed" in broken.reason


def test_a_change_without_its_number_breaks_the_book_and_so_do_old_ones_alone() -> None:
    change = body("deribit_book").replace(b'"snapshot"', b'"change"').replace(b"null", b"5")
    one = stream("deribit_book")
    list(one.hear(body("deribit_book"), AT))
    assert [type(out) for _ in range(100) for out in one.hear(change, AT)] == [Broken]
    assert one.counts["duplicate"] == 100
    one = stream("deribit_book")
    list(one.hear(body("deribit_book"), AT))
    (broken,) = one.hear(change.replace(b"change_id", b"change_no", 1), AT)
    assert isinstance(broken, Broken)
    assert "without its number" in broken.reason


def test_a_change_that_is_refused_breaks_the_book() -> None:
    one = stream("deribit_book")
    (broken,) = one.hear(body("deribit_book").replace(b"1000.0", b'"x"'), AT)
    assert isinstance(broken, Broken)
    assert "x is no number" in broken.reason


def test_heartbeats_are_answered_and_a_refusal_ends_the_link() -> None:
    one = stream("deribit_ticker")
    (alive,) = one.hear('{"method":"heartbeat","params":{"type":"test_request"}}', AT)
    assert isinstance(alive, Alive)
    assert json.loads(alive.answer)["method"] == "public/test"
    assert list(one.hear('{"method":"heartbeat","params":{"type":"heartbeat"}}', AT)) == [Alive("")]
    assert list(one.hear('{"error":{"code":13009,"message":"unauthorized"}}', AT)) == [
        Broken("the provider refuses: unauthorized")
    ]


LEVELS = {"price": "1", "size": "2"}
BOOK_ROW = {"path": "r[]", "name": "n", "bids": "b[]", "asks": "a[]", "at": "t"}
NUMBERED_BOOK = {"kind": "book", "seq": "n", "snapshot": {"s": "1"}}

# --- mappings that cannot be ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sourse": "x"}, "sourse"),
        ({"rows": []}, "rows: none"),
        ({"bytes_max": 10}, "bytes_max"),
        ({"clock": {"unit": "minutes"}}, "clock.unit"),
        ({"clock": {"unit": "text", "format": "%d-%b", "zone": "+05:30"}}, None),
        ({"clock": {"unit": "text", "format": "today", "zone": "+05:30"}}, "clock.format"),
        ({"clock": {"unit": "text", "format": "%d-%b-%Y"}}, "clock.zone"),
        ({"clock": {"unit": "received"}}, "rows 1: at"),
        ({"codes": {}}, "rows 1: name"),
        ({"codes": {"name": "("}}, "codes.name"),
        ({"codes": {"name": "(?P<what>.*)"}}, "codes.name"),
        ({"codes": {"name": "(?P<symbol>.*)", "lookup": "token"}}, "not both"),
        ({"codes": {"name": "(?P<symbol>.*)", "kinds": {"C": "CALL"}}}, "codes.kinds"),
        ({"stream": {"kind": "book"}}, "a book is made of them"),
        ({"stream": {"kind": "book"}, "levels": LEVELS, "rows": [BOOK_ROW]}, "a book needs seq"),
        ({"stream": NUMBERED_BOOK, "levels": {**LEVELS, "action": "0"}, "rows": [BOOK_ROW]}, "levels.actions"),
        ({"stream": {"previous": "p"}}, "stream.previous"),
        ({"encoding": "kite"}, "binary packets"),
        ({"encoding": "kite", "rows": [], "codes": {"lookup": "n"}, "stream": {"seq": "n"}}, "packets have no numbers"),
        ({"rows": [{"path": "r[]", "name": "n", "at": "t"}]}, "no field is named that has a price"),
        ({"rows": [{"path": "r[]", "name": "n", "at": "t", "bid": "b"}]}, "bid and bid_size"),
        ({"rows": [{"path": "r[]", "name": "n", "at": "t", "bids": "b[]", "asks": "a[]"}]}, "[levels]"),
        ({"rows": [{"path": "r[]", "underlying": "u", "at": "t", "last": "l"}]}, "expiry and kind"),
        ({"rows": [{"path": "r[]", "name": "n", "underlying": "u", "at": "t", "last": "l"}]}, "name or underlying"),
        ({"rows": [{"path": "r[]", "name": "n", "at": "t", "last": "=5"}]}, "no constant"),
    ],
)  # fmt: skip
def test_a_mapping_that_cannot_be_is_refused_with_its_key(changes: dict[str, Any], reason: str | None) -> None:
    if reason is None:
        made(**changes)
        return
    with pytest.raises(BadMapping) as caught:
        made(**changes)
    assert str(caught.value).startswith("test.toml: ")
    assert reason in str(caught.value)
    assert str(caught.value).endswith("docs/json-feeds.md shows a mapping")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"path": "a..b[]"}, "is no path"),
        ({"path": "a[", "name": "n"}, "is no path"),
        ({"path": ".".join("abcdefghijk")}, "1 to 10 parts"),
        ({"path": "rows[]", "last": "n.x"}, "as a value and as a table"),
        ({"path": "rows[]", "last": "../x"}, "something above it"),
        ({"path": "rows[]", "last": "/other[].x"}, "other rows than those"),
        ({"path": "rows[]", "when": {"/rows.x": "1"}}, "named as"),
        ({"path": "rows[]", "name": "0"}, "beside positions"),
        ({"path": "rows[]", "name": "=$who"}, "gives no who"),
    ],
)
def test_a_path_that_leads_nowhere_is_refused(row: dict[str, Any], reason: str) -> None:
    whole = {"name": "n", "last": "l", "at": "t", **row}
    with pytest.raises(BadMapping, match=r"[a-z]") as caught:
        plan_of(made(rows=[whole]))
    assert reason in str(caught.value)


def test_every_mapping_that_ships_can_be_used_and_names_its_source() -> None:
    files = sorted(file.stem for file in (PACKAGE / "providers").glob("*.toml"))
    assert list(shipped()) == files
    for name in files:
        plan_of(shipped()[name], GIVEN)
        assert "/" in tomllib.loads((PACKAGE / "providers" / f"{name}.toml").read_text())["source"]


def test_a_mapping_of_ones_own_is_named_by_its_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_bytes((PACKAGE / "providers" / "kite_quote.toml").read_bytes())
    assert mapping_of(str(file)) == shipped()["kite_quote"] == mapping_of("kite_quote")
    for name, reason in (("kit_quote", "no mapping 'kit_quote' ships"), (str(tmp_path / "no.toml"), "No such file")):
        with pytest.raises(BadMapping, match=reason):
            mapping_of(name)
    file.write_bytes(b"#" * 1_000_001)
    with pytest.raises(BadMapping, match="so no mapping"):
        mapping_of(str(file))


# --- the list of instruments, and what is asked for -------------------------------------------------------------------

KITE_LIST = """instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,lot_size,\
instrument_type,segment,exchange
256265,1001,NIFTY 50,NIFTY 50,0,,0,0,0,EQ,INDICES,NSE
408065,1594,INFY,INFOSYS,0,,0,0.05,1,EQ,NSE,NSE
128053508,500209,INFY,INFOSYS,0,,0,0.05,1,EQ,BSE,BSE
12345678,48225,NIFTY25DEC26000CE,NIFTY,0,2025-12-30,26000,0.05,75,CE,NFO-OPT,NFO
12345679,48226,NIFTY25DECFUT,NIFTY,0,2025-12-30,0,0.05,75,FUT,NFO-FUT,NFO
"""


def test_the_list_that_kite_publishes_names_contracts_by_token() -> None:
    assert read_listed(KITE_LIST, shipped()["kite_packets"].codes) == [
        Listed("256265", "NIFTY", 0),
        Listed("408065", "INFY", 1),
        Listed("12345678", CALL, 75),
        Listed("12345679", "NIFTY-20251230-FUT", 75),
    ]


def test_a_list_of_ones_own_has_a_name_and_a_key() -> None:
    assert read_listed("name,key\nA,B\n", made().codes) == [Listed("A", "B")]


@pytest.mark.parametrize(
    ("text", "reason"),
    [("a,b\n1,2\n", "no column"), ("", "no column"), (KITE_LIST.replace("2025-12-30,26000", "soon,26000"), "line 5")],
)
def test_a_list_that_cannot_be_read_is_refused(text: str, reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        read_listed(text, shipped()["kite_packets"].codes)


def test_instruments_are_asked_for_in_portions() -> None:
    whole = shipped()["kite_packets"]
    mapping = replace(whole, subscribe=replace(whole.subscribe, names_max=2))
    tongue = Tongue(mapping, {}, LISTED, ["1", "2", "3"])
    assert [json.loads(text) for text in tongue.greeting] == [
        {"a": "subscribe", "v": [1, 2]}, {"a": "subscribe", "v": [3]},
        {"a": "mode", "v": ["full", [1, 2]]}, {"a": "mode", "v": ["full", [3]]},
    ]  # fmt: skip
    ticker = Tongue(shipped()["deribit_ticker"], names=["BTC-PERPETUAL"])
    assert json.loads(ticker.greeting[1])["params"] == {"channels": ["ticker.BTC-PERPETUAL.100ms"]}


@pytest.mark.parametrize(
    ("preset", "listed", "names", "reason"),
    [
        ("kite_packets", [], ["1"], "list of instruments"),
        ("kite_packets", LISTED, [], "none is named"),
        ("kite_packets", LISTED, ["INFY"], "'INFY' is none"),
        ("deribit_book", [], [], "none is named"),
    ],
)
def test_a_tongue_without_what_it_needs_is_refused(
    preset: str, listed: list[Listed], names: list[str], reason: str
) -> None:
    with pytest.raises(BadMapping, match=reason):
        Tongue(shipped()[preset], {}, listed, names)
