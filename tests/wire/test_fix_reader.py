"""FIX as JSON and as values: golden messages, every refusal, and the kernel beside its plain twin."""

import importlib
import os
import sys
from itertools import islice
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import participant.wire.fix
from participant.core.kernels import choose
from participant.core.market import Tick
from participant.wire.fix import marketdata, reader, reader_plain
from participant.wire.fix.codec import BODY_MAX, FIELDS_MAX, Header, encode
from participant.wire.fix.dictionary import GROUP_MAX, MESSAGES, OTHER, Scope, reason_of
from participant.wire.fix.reader import Refused, decode, read
from participant.wire.fix.values import (
    Attribute,
    Execution,
    Increment,
    Leg,
    Message,
    SecurityList,
    Snapshot,
    Underlying,
)
from tests.source import ROOT
from tests.twins import is_compiled
from tests.wire.fix_messages import BODIES, HEAD, SEPARATORS, framed, message, mutated

KERNEL = "participant.wire.fix._reader"
COMPILED = [importlib.import_module(KERNEL)] if is_compiled(KERNEL) else []
KERNELS = [reader_plain, *COMPILED]
both = pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.__name__)
SEEDS = int(os.environ.get("PARTICIPANT_SEEDS", "3"))
INPUTS_A_SEED = 400
AT = 1_795_924_800_123_000_000


def whole(body: str) -> bytes:
    return framed(body.encode("latin-1"))


def line(kernel: Any, body: str, **options: Any) -> Any:
    """What the JSON of a message says; a refusal as its reason."""
    found = kernel.Reader(**options).json(whole(body))
    return msgspec.json.decode(found) if isinstance(found, bytes) else reason_of(*found[1:])


# --- what is read -----------------------------------------------------------------------------------------------------


@both
def test_a_snapshot_as_json(kernel: Any) -> None:
    assert kernel.Reader().json(message("snapshot")) == (
        b'{"kind":"snapshot","version":"FIX.4.4","seq":7,"sender":"VENUE","sentAt":1795924800123000000,"target":"DESK",'
        b'"requestId":"1","symbol":"NIFTY-20261229-23700CE","entries":[{"kind":"bid","price":1052500,"size":75,"orders":3,'
        b'"level":1},{"kind":"ask","price":1053500,"size":150,"at":1795924800100000000},{"kind":"openInterest","size":0}],'
        b'"other":[[7777,"x",3]]}'
    )


@both
def test_an_increment_as_values(kernel: Any) -> None:
    found = decode(kernel.Reader(), message("increment", b"FIX.4.2"))
    assert isinstance(found, Increment)
    assert (found.version, found.seq, found.sent_at, found.request_id) == ("FIX.4.2", 7, AT, "1")
    new, change, gone = found.entries
    assert (new.action, new.kind, new.id, new.symbol, new.price, new.size) == ("new", "bid", "9", "A", -500, 75)
    assert (new.date, new.at, new.time) == ("20261129", None, None)
    assert (change.action, change.kind, change.price, change.size) == ("change", "ask", 0, None)
    assert change.time == 4 * 3_600 * 10**9 + 500_000_000
    assert (gone.action, gone.kind, gone.id) == ("delete", "", "8")


@both
def test_open_high_low_settlement_and_volume(kernel: Any) -> None:
    found = decode(kernel.Reader(), message("ohlc"))
    assert isinstance(found, Snapshot)
    assert [(one.kind, one.price, one.size) for one in found.entries] == [
        ("trade", 1_000_000, 75), ("open", 985_000, None), ("high", 1_010_500, None), ("low", 980_000, None),
        ("settlement", 999_999, None), ("volume", None, 120_000),
    ]  # fmt: skip


@both
def test_an_execution_as_values(kernel: Any) -> None:
    found = decode(kernel.Reader(), message("execution"))
    assert isinstance(found, Execution)
    assert (found.exec_type, found.status, found.side, found.symbol) == ("trade", "partiallyFilled", "buy", "NIFTY")
    assert (found.quantity, found.filled_quantity, found.leaves_quantity, found.last_quantity) == (75, 25, 50, 25)
    assert (found.price, found.last_price, found.average_price) == (1_000_000, 1_000_500, "100.0333333")
    assert found.at == 1_795_924_800_123_456_789
    assert found.text == 'caf\xe9 "q" \\ '
    assert found.other == ((354, "3", 0), (355, "a\x01b", 0))


@both
def test_a_security_list_with_groups_within_groups(kernel: Any) -> None:
    found = decode(kernel.Reader(), message("securityList"))
    assert isinstance(found, SecurityList)
    assert (found.total, found.is_last) == (2, True)
    first, second = found.instruments
    assert (first.symbol, first.strike) == ("A", 237_000_000)
    assert first.underlyings == (Underlying(symbol="N", security_id="q"),)
    assert first.attributes == (Attribute(4, "0.05"), Attribute(5, "x"))
    assert (second.symbol, second.currency, second.alternative_ids[0].id) == ("B", "INR", "b")
    one = decode(kernel.Reader(), message("definition"))
    assert getattr(one, "legs", ()) == (
        Leg(symbol="l", ratio="1", side="buy"),
        Leg(symbol="m", ratio="2", side="sell"),
    )


@both
@pytest.mark.parametrize("kind", BODIES)
def test_every_kind_is_a_value_of_its_name_that_says_the_same(kernel: Any, kind: str) -> None:
    text, value = kernel.Reader().json(message(kind)), decode(kernel.Reader(), message(kind))
    assert not isinstance(value, Refused)
    said = msgspec.json.decode(text)
    assert said["kind"] == {"ohlc": "snapshot"}.get(kind, kind)
    again = msgspec.to_builtins(value)
    missing = {name for name in said if name not in again}  # what has its default is not said again
    assert {name: said[name] for name in said if name not in missing} == msgspec.json.decode(msgspec.json.encode(again))
    assert all(said[name] in (0, False, "", []) for name in missing)


def test_every_name_of_the_dictionary_is_a_field_of_its_value() -> None:
    for scope in (OTHER, *MESSAGES.values()):
        kinds = {kind.__struct_config__.tag: kind for kind in Message.__args__}
        names = set(msgspec.structs.fields(kinds[scope.name]) and kinds[scope.name].__struct_encode_fields__)
        assert {field.name for field in _own(scope)} <= names
        for field in _own(scope):
            assert len(f'"{field.name}":') <= 32
            assert all(len(f'"{word}",') <= 31 for word in field.words.values())


def test_the_page_names_every_field_with_its_tag() -> None:
    page = (ROOT / "docs" / "fix.md").read_text(encoding="utf-8")
    for scope in MESSAGES.values():
        for field in (*_own(scope), *(own for group in _own(scope) if group.group for own in _own(group.group))):
            assert f"`{field.name}` {field.tag}" in page


def _own(scope: Scope) -> list[Any]:
    return [field for field in scope.fields.values() if field.name]


@both
def test_unknown_fields_are_kept_in_their_order_or_dropped_as_asked(kernel: Any) -> None:
    body = f"35=W|{HEAD}9001=a|268=2|269=0|270=1|9002=b|269=1|270=2|9002=c|9003=d|"
    assert line(kernel, body)["other"] == [[9001, "a", 0], [9002, "b", 1], [9002, "c", 2], [9003, "d", 2]]
    assert "other" not in line(kernel, body, keeps_other=False)


@both
def test_raw_data_holds_what_it_wants(kernel: Any) -> None:
    for length, data in ((95, 96), (212, 213), (354, 355)):
        body = b"35=B\x0134=1\x01%d=13\x01%d=a\x018=FIX.4.4\x01\xff\x0158=x\x01" % (length, data)
        found = msgspec.json.decode(kernel.Reader().json(framed(body)))
        assert found["other"] == [[length, "13", 0], [data, "a\x018=FIX.4.4\x01\xff", 0], [58, "x", 0]]


@both
def test_what_our_own_codec_writes_is_read_equally(kernel: Any) -> None:
    tick = Tick("NIFTY-20261229-23700CE", 1_052_500, 1_053_000, 750, 375, 1_052_600, AT)
    snapshot = decode(kernel.Reader(), encode(Header("VENUE", "DESK", 3, AT), marketdata.full("9", tick)))
    assert isinstance(snapshot, Snapshot)
    assert (snapshot.request_id, snapshot.symbol, snapshot.seq, snapshot.sent_at) == ("9", tick.contract, 3, AT)
    assert [(one.kind, one.price, one.size, one.at) for one in snapshot.entries] == [
        ("trade", tick.last, 0, AT), ("bid", tick.bid, 750, AT), ("ask", tick.ask, 375, AT),
    ]  # fmt: skip


# --- what is refused --------------------------------------------------------------------------------------------------

REFUSED = {
    f"35=W|{HEAD}268=1|269=0|270=ten|": "tag 270 is no plain number of at most 15 digits",
    f"35=W|{HEAD}268=1|269=0|270=1e999|": "tag 270 is no plain number of at most 15 digits",
    f"35=W|{HEAD}268=1|269=0|270=NaN|": "tag 270 is no plain number of at most 15 digits",
    f"35=W|{HEAD}268=1|269=0|270=-|": "tag 270 is no plain number of at most 15 digits",
    f"35=W|{HEAD}268=1|269=0|270=.5|": "tag 270 is no plain number of at most 15 digits",
    f"35=W|{HEAD}268=1|269=0|270=+5|": "tag 270 is no plain number of at most 15 digits",
    f"35=W|{HEAD}268=1|269=0|270=123456789012|": "tag 270 is no plain number of at most 15 digits",
    f"35=W|{HEAD}268=1|269=0|270={'0' * 40}|": "tag 270 is no plain number of at most 15 digits",
    f"35=W|{HEAD}268=1|269=0|270=1.00001|": "tag 270 is finer than the unit of prices",
    f"35=W|{HEAD}268=1|269=0|271=-75|": "tag 271 is negative",
    f"35=W|{HEAD}268=1|269=0|271=7.5|": "tag 271 is not whole",
    f"35=W|{HEAD}268=1|269=0|346=1.0|": "tag 346 is no plain number of at most 15 digits",
    f"35=W|{HEAD}268=2|269=0|270=1|": "tag 268 counts more entries than there are",
    f"35=W|{HEAD}268=1|269=0|269=1|": "tag 268 there are more entries than were counted",
    f"35=W|{HEAD}268=1|270=1|269=0|": "tag 270 begins no entry of its group",
    f"35=W|{HEAD}269=0|": "tag 269 stands outside its group",
    f"35=W|{HEAD}268=1|269=0|262=1|270=5|": "tag 270 stands outside its group",
    f"35=W|{HEAD}268=201|269=0|": "tag 268 is no count of at most 200",
    f"35=W|{HEAD}268=999999999|269=0|": "tag 268 is no count of at most 200",
    f"35=W|{HEAD}268=1|269=0|270=1|270=2|": "tag 270 stands twice",
    f"35=W|{HEAD}268=1|269=0|272=20260230|": "tag 272 is no UTC time of the years 1971 to 2261",
    f"35=W|{HEAD}268=1|269=0|273=24:00:00|": "tag 273 is no UTC time of the years 1971 to 2261",
    f"35=y|{HEAD}146=2|55=A|711=2|311=x|55=B|": "tag 711 counts more entries than there are",
    "35=8|34=1|60=19691231-23:59:59|": "tag 60 is no UTC time of the years 1971 to 2261",
    "35=8|34=1|55=A|55=A|": "tag 55 stands twice",
    "35=8|34=1|43=y|": "tag 43 is neither Y nor N",
    "35=8|34=-1|": "tag 34 is negative",
    "35=8|58=|": "tag 58 has no value",
    "35=8|058=x|": "a field does not begin with a tag of 1 to 99999 and =",
    "35=8|nonsense|": "a field does not begin with a tag of 1 to 99999 and =",
    "35=8|123456=x|": "a field does not begin with a tag of 1 to 99999 and =",
    "34=1|35=8|": "its first field after BodyLength is not MsgType (35)",
    "35=8|96=x|": "tag 96 raw data and its length do not stand side by side",
    "35=8|95=1|58=x|": "tag 95 raw data and its length do not stand side by side",
    "35=8|95=999999999|96=x|": "tag 95 is no length of raw data that ends within the message",
    "35=8|95=5|96=x|": "tag 95 is no length of raw data that ends within the message",
    "35=8|" + "9001=x|" * FIELDS_MAX: "it has more than 1000 fields",
}


@both
@pytest.mark.parametrize("body", REFUSED, ids=lambda body: body[:70])
def test_what_cannot_be_read_is_refused_with_its_reason(kernel: Any, body: str) -> None:
    assert line(kernel, body) == REFUSED[body]
    between = read(kernel.Reader(), message("reject") + whole(body) + message("other"), is_last=True)
    assert between.messages == 2  # the stream goes on
    assert [(one.reason, one.offset) for one in between.refused] == [(REFUSED[body], len(message("reject")))]


GOOD = message("reject")
BROKEN = {
    GOOD.replace(b"FIX.4.4", b"FIX.5.0"): ("its version is neither FIX.4.2 nor FIX.4.4", 2),
    GOOD.replace(b"FIX.4.4", b"FIXT.1.1"): ("its version is neither FIX.4.2 nor FIX.4.4", 2),
    GOOD.replace(b"9=", b"9=x", 1): ("its BodyLength is no number from 1 to 65536", 12),
    GOOD.replace(b"9=", b"9=9999999", 1): ("its BodyLength is no number from 1 to 65536", 12),
    GOOD.replace(b"9=", b"9=5", 1): ("it ends before its BodyLength does", 0),
    GOOD[:-7]: ("no CheckSum (10=) stands where its BodyLength ends", len(GOOD) - 7),
    GOOD[:-7] + b"58=no sum\x01": ("no CheckSum (10=) stands where its BodyLength ends", len(GOOD) - 7),
    GOOD[:-4] + b"999\x01": ("its CheckSum is wrong", len(GOOD) - 7),
    GOOD.replace(b"58=m", b"58=n"): ("its CheckSum is wrong", len(GOOD) - 7),
}


@both
@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: BROKEN[broken][0])
def test_a_broken_frame_is_refused_and_what_follows_is_read(kernel: Any, broken: bytes) -> None:
    found = read(kernel.Reader(), message("other") + broken + b"\n" + message("other") * 2, is_last=True)
    (refused,) = found.refused
    assert (refused.reason, refused.offset) == (BROKEN[broken][0], len(message("other")))
    assert refused.byte == BROKEN[broken][1]
    assert found.messages == 3


@both
def test_one_message_is_asked_for_whole(kernel: Any) -> None:
    for wrong in (b"", b"8", b"nonsense at all", GOOD + b"x", b" " + GOOD):
        found = decode(kernel.Reader(), wrong)
        assert isinstance(found, Refused)
        assert found.reason == "it is not one whole message from 8=FIX to its CheckSum"
    with pytest.raises(ValueError, match="decimals is 9: prices have 0 to 8"):
        kernel.Reader(decimals=9)


@both
def test_prices_in_a_finer_unit(kernel: Any) -> None:
    assert line(kernel, "35=8|44=1.07791|", decimals=5)["price"] == 107_791
    assert line(kernel, "35=8|44=7|", decimals=0)["price"] == 7


# --- logs and streams -------------------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("separator", SEPARATORS, ids=["SOH", "bar", "^A"])
def test_a_log_with_prefixes_reads_as_the_messages_do(kernel: Any, separator: bytes) -> None:
    kinds = [kind for kind in BODIES if kind not in ("execution", "other")] * 2  # raw data may hold what a log cannot
    log = b"".join(b"2026/11/29 04:00:00.8 -> IN: %b\n" % message(kind).replace(b"\x01", separator) for kind in kinds)
    found = read(kernel.Reader(), log, is_last=True)
    assert found.refused == ()
    assert found.lines.splitlines() == [kernel.Reader().json(message(kind)) for kind in kinds]
    assert found.skipped == len(kinds) * len(b"2026/11/29 04:00:00.8 -> IN: \n")
    bare = message("reject").replace(b"\x01", separator).removesuffix(separator)
    assert read(kernel.Reader(), bare + b"\n", is_last=True).messages == (0 if separator == b"\x01" else 1)


@both
@given(seed=st.integers(0, 1_000), sizes=st.lists(st.integers(1, 200), min_size=1, max_size=30))
def test_portions_make_no_difference(kernel: Any, seed: int, sizes: list[int]) -> None:
    data = b"".join(islice(mutated(seed), 4)).replace(b"^", b"x")  # a log's ^A cut in two is tried below
    at_once = read(kernel.Reader(), data, is_last=True)
    one, held, lines, refused = kernel.Reader(), b"", b"", []
    begun = 0
    for size in [*sizes, len(data)]:
        more, data = data[:size], data[size:]
        portion = read(one, held + more, is_last=not data)
        lines += portion.lines
        refused += [(begun + each.offset, each.reason) for each in portion.refused]
        held = (held + more)[portion.used :]
        begun += portion.used
    assert held == b""
    assert lines == at_once.lines
    assert [offset for offset, _ in refused] == [each.offset for each in at_once.refused]


@both
def test_noise_without_end_is_let_go(kernel: Any) -> None:
    one = kernel.Reader()
    for noise in (b"8" * 300_000, b"8=FIX.4.4|9=" * 20_000, b"\x00" * 300_000, b"8=FIX" + b"." * 200_000):
        found = read(one, noise)
        assert found.messages == 0
        assert len(noise) - found.used < BODY_MAX + 100


@both
def test_in_a_log_a_beginning_ends_the_message_before_it(kernel: Any) -> None:
    for separator in (b"|", b"^A"):
        cut, good = (one.replace(b"\x01", separator) for one in (message("reject")[:40], GOOD))
        found = read(kernel.Reader(), cut + good)
        assert found.messages == 1
        assert [(one.reason, one.offset) for one in found.refused] == [("it ends before its BodyLength does", 0)]


@both
def test_the_largest_message_is_read_and_one_byte_more_is_not(kernel: Any) -> None:
    text = "x" * (BODY_MAX - len("35=B|58=|"))
    found = kernel.Reader().json(whole(f"35=B|58={text}|"))
    assert len(msgspec.json.decode(found)["other"][0][1]) == len(text)
    assert line(kernel, f"35=B|58={text}x|") == "its BodyLength is no number from 1 to 65536"
    quotes = kernel.Reader().json(whole(f"35=B|58={chr(2) * len(text)}|"))
    assert len(quotes) < 6 * BODY_MAX + 200
    entries = "269=0|270=1|" * GROUP_MAX
    assert len(line(kernel, f"35=W|268={GROUP_MAX}|{entries}")["entries"]) == GROUP_MAX


# --- the kernel and its twin ------------------------------------------------------------------------------------------


@pytest.mark.skipif(not COMPILED, reason="no kernel is compiled: its twin is used")
@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_kernel_and_its_twin_say_the_same_of_every_log(seed: int) -> None:
    ours, twin = (kernel.Reader(seed % 9, seed % 2 == 0) for kernel in KERNELS)
    for data in islice(mutated(seed), INPUTS_A_SEED):
        for is_last in (True, False):
            assert ours.lines(data, is_last) == twin.lines(data, is_last), data


texts = st.text(st.characters(max_codepoint=255), min_size=1, max_size=40)
bodies = st.lists(st.tuples(st.integers(1, 1100) | st.sampled_from([268, 269, 279, 270, 271, 55]), texts), max_size=12)


@pytest.mark.skipif(not COMPILED, reason="no kernel is compiled: its twin is used")
@given(st.sampled_from("WX893jYdyA"), bodies)
def test_the_kernel_and_its_twin_say_the_same_of_any_fields(kind: str, pairs: list[tuple[int, str]]) -> None:
    body = f"35={kind}|{HEAD}" + "".join(f"{tag}={value}|" for tag, value in pairs)
    ours, twin = (kernel.Reader().json(whole(body)) for kernel in KERNELS)
    assert ours == twin


numbers = st.from_regex(r"-?[0-9]{0,17}(\.[0-9]{0,7})?", fullmatch=True)
moments = st.from_regex(
    r"(19[67]|20[02]|226)[0-9][01][0-9][0-3][0-9]-[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{0,10})?", fullmatch=True
)


@pytest.mark.skipif(not COMPILED, reason="no kernel is compiled: its twin is used")
@given(numbers, numbers, moments, st.integers(0, 8))
def test_the_kernel_and_its_twin_read_the_same_numbers_and_times(one: str, two: str, at: str, decimals: int) -> None:
    for body in (f"35=8|44={one}|38={two}|34={two}|", f"35=8|6={one}|", f"35=8|60={at}|", f"35=8|34={two}|"):
        ours, twin = (kernel.Reader(decimals).json(whole(body)) for kernel in KERNELS)
        assert ours == twin, body


def test_the_compiled_reader_is_used_where_it_was_built() -> None:
    assert (reader.Reader is reader_plain.Reader) == (not is_compiled(KERNEL))


def test_without_a_kernel_that_can_be_imported_its_twin_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(participant.wire.fix, "_reader", raising=False)
    monkeypatch.setitem(sys.modules, KERNEL, None)  # importing it now fails
    assert choose(reader._load, reader_plain) is reader_plain
