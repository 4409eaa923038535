"""A record apart and together again: the same bytes, each part named by what it holds."""

import datetime
import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace

from participant.core.brain import decide
from participant.core.decision import DecisionInput, DecisionRecord, PositionInfo
from participant.core.market import Chain, LookBack, MarketState, Quote, Strike
from participant.core.scrip import Scrip
from participant.links.parts import PartMissing, Split, pack, refs, split, unpack, whole
from participant.wire.json import Malformed, decode, encode
from tests.core.worlds import RULES, account, chain_state, position

STATE = replace(chain_state(), marks=("covers derived",), underlying=Quote(1, 2, 3, 4, 5))
INPUT = DecisionInput(Scrip("NIFTY", decide_every_s=30), STATE, PositionInfo(position(), account()))
DECISION = decide(INPUT.scrip, STATE, position(), account(), RULES)
RECORD = DecisionRecord(INPUT.scrip, STATE, INPUT.current_position_info, DECISION)
DAY = datetime.date(2026, 12, 29)


def by_id(apart: Split) -> dict[str, Raw]:
    return {part.id: part.part for part in apart.parts}


def with_chains(*chains: Chain) -> DecisionInput:
    return replace(INPUT, market_state=replace(STATE, chains=chains))


def columns(quotes: list[tuple[Quote | None, Quote | None]], strikes: list[int] | None = None) -> Any:
    """The part that a chain of these calls and puts becomes."""
    rows = tuple(Strike(k, *row) for k, row in zip(strikes or range(100, 100 + len(quotes)), quotes, strict=True))
    (part,) = (p for p in split(with_chains(Chain(DAY, 65, 500, 1800, rows))).parts if p.kind == "chain")
    return json.loads(bytes(part.part))


# --- apart and together ---


def test_a_record_comes_back_to_the_byte() -> None:
    apart = split(INPUT)
    assert whole(apart.line(DECISION), by_id(apart)) == encode(RECORD)


def test_a_line_keeps_the_four_objects_and_says_what_people_look_for() -> None:
    line = json.loads(split(INPUT).line(DECISION))
    record = json.loads(encode(RECORD))
    assert list(line) == list(record)
    assert line["decisionInfo"] == record["decisionInfo"]
    assert line["scrip"]["symbol"] == "NIFTY"
    assert list(line["marketState"]) == list(record["marketState"])
    bulky = {"futures", "chains", "lookBack"}
    assert {k: v for k, v in line["marketState"].items() if k not in bulky} == {
        k: v for k, v in record["marketState"].items() if k not in bulky
    }
    assert [c["expiry"] for c in line["marketState"]["chains"]] == [str(c.expiry) for c in STATE.chains]


def test_every_part_is_referred_to_in_order_and_named_by_its_content() -> None:
    apart, other = split(INPUT), split(replace(INPUT, market_state=replace(STATE, look_back=LookBack((1,)))))
    names = [part.id for part in apart.parts]
    assert refs(apart.line(DECISION)) == names
    assert [p.kind for p in apart.parts] == ["scrip", "futures", *["chain"] * len(STATE.chains), "lookBack",
                                             "position", "account"]  # fmt: skip
    changed = [part.kind for part, was in zip(other.parts, names, strict=True) if part.id != was]
    assert changed == ["lookBack"]


def test_a_part_that_is_not_at_hand_is_named() -> None:
    apart = split(INPUT)
    for name in refs(apart.line(DECISION)):
        with pytest.raises(PartMissing, match=f"^its part {name}$"):
            whole(apart.line(DECISION), {k: v for k, v in by_id(apart).items() if k != name})


@pytest.mark.parametrize("line", [b"{}", b"[", encode(RECORD)])
def test_what_is_no_line_of_the_log_is_refused(line: bytes) -> None:
    with pytest.raises(Malformed):
        whole(line, {})
    with pytest.raises(Malformed):
        refs(line)


prices = st.integers(0, 10**10)
quotes = st.none() | st.builds(
    Quote, prices, prices, st.integers(0, 10**7), st.integers(0, 10**7), st.integers(0, 2**62)
)
rows = st.lists(st.tuples(st.integers(0, 10**10), quotes, quotes), max_size=6)


@given(st.lists(rows, max_size=3))
def test_any_chain_comes_back_to_the_byte(chains: list[list[tuple[int, Quote | None, Quote | None]]]) -> None:
    made_from = with_chains(*(Chain(DAY, 65, 500, 1800, tuple(Strike(*row) for row in chain)) for chain in chains))
    apart = split(made_from)
    state = decode(whole(apart.line(DECISION), by_id(apart)), DecisionRecord).market_state
    assert encode(state) == encode(made_from.market_state)


# --- a chain in columns ---


def test_a_chain_stands_in_columns_counted_in_ticks_lots_and_steps() -> None:
    now = 1_795_664_700_000_000_000
    call, put = Quote(1_000, 2_500, 65, 130, now), Quote(500, 1_000, 195, 65, now - 60_000_000_000)
    assert columns([(call, put), (None, call)], [250_000_000, 251_000_000]) == {
        "expiry": "2026-12-29", "lot": 65, "tick": 500, "freeze": 1800, "newest": now,
        "units": {"strike": 1_000_000, "price": 500, "size": 65, "age": 60_000_000_000},
        "strikes": [250, 1],
        "call": {"bid": [2, None], "spread": [3, None], "bidSize": [1, None], "askSize": [2, None], "age": [0, None]},
        "put": {"bid": [1, 2], "spread": [1, 3], "bidSize": [3, 1], "askSize": [1, 2], "age": [1, 0]},
    }  # fmt: skip


def test_an_ask_that_is_not_there_is_a_spread_below_zero() -> None:
    assert columns([(Quote(500, 0, 65, 0, 1), None)])["call"]["spread"] == [-1]


def test_a_chain_without_quotes_and_one_without_strikes_have_columns_as_well() -> None:
    assert columns([(None, None)])["call"]["bid"] == [None]
    assert columns([])["strikes"] == []


# --- packs ---


def test_packs_that_follow_one_another_read_as_one_file_of_lines() -> None:
    parts = split(INPUT).parts
    file = pack(parts[:3]) + pack([]) + pack(parts[3:])
    lines = [json.loads(line) for line in gzip.decompress(file).splitlines()]
    assert [(line["id"], line["kind"]) for line in lines] == [(part.id, part.kind) for part in parts]
    assert unpack(pack(parts)) == list(parts)


def test_a_pack_holds_no_time_and_no_name() -> None:
    assert pack(split(INPUT).parts) == pack(split(INPUT).parts)
    assert pack([])[:10] == bytes([31, 139, 8, 0, 0, 0, 0, 0, 0, 3])


def test_a_state_with_a_field_that_lines_do_not_know_would_be_refused_not_cut() -> None:
    known = set(json.loads(split(INPUT).line(DECISION))["marketState"])
    assert known == set(MarketState.__struct_encode_fields__)
