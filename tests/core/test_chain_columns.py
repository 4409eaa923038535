"""A chain in columns: the compiled kernel and its plain twin write the same bytes, and what they write is right."""

import datetime
import importlib
import pickle
import sys
from array import array
from copy import deepcopy
from types import ModuleType
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import participant.core
from participant.core import chain_columns, chain_columns_plain
from participant.core.ids import canonical
from participant.core.kernels import choose
from participant.core.market import Chain, Quote, Strike, levels
from participant.core.scrip import Contract, Kind
from participant.wire.json import encode
from tests.core.made_chains import NOON, SMALL, chains, wide_chains
from tests.twins import is_compiled

EXPIRY = datetime.date(2026, 12, 29)
KERNEL = "participant.core._chain_columns"
COMPILED = [importlib.import_module(KERNEL)] if is_compiled(KERNEL) else []
KERNELS = [chain_columns_plain, *COMPILED]


@pytest.mark.skipif(not COMPILED, reason="no kernel is compiled: its twin writes")
@given(chains)
def test_the_kernel_and_its_twin_write_the_same(chain: tuple[Strike, ...]) -> None:
    (kernel,) = COMPILED
    assert kernel.columns(chain) == chain_columns_plain.columns(chain)


@given(wide_chains)
def test_numbers_beyond_all_measure_are_written_as_the_twin_writes_them(chain: tuple[Strike, ...]) -> None:
    assert chain_columns.columns(Chain(EXPIRY, 65, 500, 1_755, chain)) == chain_columns_plain.columns(chain)


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.__name__)
def test_a_chain_in_columns_counts_units_that_divide_it(kernel: ModuleType) -> None:
    newest, units, steps, calls, puts = kernel.columns(SMALL)
    assert (newest, units, steps) == (NOON, (500_000, 500, 65, 3 * 10**9), b"[2,1,2]")
    assert calls == (b"[2,2,null]", b"[1,1,null]", b"[1,1,null]", b"[2,2,null]", b"[0,0,null]")
    assert puts == (b"[null,4,4]", b"[null,1,1]", b"[null,3,3]", b"[null,1,1]", b"[null,1,1]")
    assert kernel.columns(()) == (0, (1, 1, 1, 1), b"[]", (b"[]",) * 5, (b"[]",) * 5)


def test_the_compiled_kernel_is_used_where_it_was_built() -> None:
    assert (chain_columns._kernel is chain_columns_plain) == (not is_compiled(KERNEL))


def test_without_a_kernel_that_can_be_imported_its_twin_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(participant.core, "_chain_columns", raising=False)
    monkeypatch.setitem(sys.modules, KERNEL, None)  # importing it now fails
    assert choose(chain_columns._load, chain_columns_plain) is chain_columns_plain


# --- from pages -------------------------------------------------------------------------------------------------------

STRIKES = (250_000_000, 250_500_000, 252_000_000)
OPTIONS = [Contract("NIFTY", EXPIRY, kind, k, 65, 500, 1_755) for k in STRIKES for kind in (Kind.CALL, Kind.PUT)]
prices, sizes = st.sampled_from((0, 500, 12_345_000)), st.integers(0, 10**6)
cells = st.tuples(st.sampled_from([(c.strike, c.kind is Kind.CALL) for c in OPTIONS]), prices, prices, sizes, sizes)
pages = st.lists(cells, max_size=8)


def shown_by(listed: chain_columns.Listed, page: list[tuple[tuple[int, bool], int, int, int, int]], at: int) -> Chain:
    options, *figures = zip(*page, strict=True) if page else ((), (), (), (), ())
    columns = chain_columns.Figures(*(array("q", [7, *of]) for of in figures))
    return listed.shown(tuple(options), columns, 1, at)


def folded(
    board: dict[tuple[int, bool], Quote], page: list[tuple[tuple[int, bool], int, int, int, int]], at: int
) -> tuple[Strike, ...]:
    """What a desk makes of the page, quote by quote."""
    news = {option: Quote(of[0], of[1], of[2], of[3], at) for option, of in ((cell[0], cell[1:]) for cell in page)}
    for option, quote in news.items():
        if quote.bid or quote.ask or option in board:
            board[option] = quote
    board |= {option: Quote(0, 0, 0, 0, at) for option in board.keys() - news.keys()}
    rows = ((k, board.get((k, True)), board.get((k, False))) for k in STRIKES)
    return tuple(Strike(*row) for row in rows if row[1:] != (None, None))


@given(st.lists(pages, max_size=4))
def test_pages_become_the_chains_that_their_quotes_one_by_one_would_have_made(day: list[Any]) -> None:
    listed, board = chain_columns.Listed(OPTIONS), dict[tuple[int, bool], Quote]()
    for i, page in enumerate(day):
        chain, rows = shown_by(listed, page, NOON + i), folded(board, page, NOON + i)
        plain = Chain(EXPIRY, 65, 500, 1_755, rows)
        assert chain == plain
        assert chain.__dict__.get("json", canonical(plain)) == canonical(plain)
        assert chain_columns.columns(chain) == chain_columns_plain.columns(rows)
        both = [[of.tolist() for of in chain_columns.middles(one)] for one in (chain, plain)]
        assert repr(both[0]) == repr(both[1])  # where nothing is quoted there is nan, which equals nothing
        near = [chain_columns.parities(one, 250_400_000, 10**8, 8) for one in (chain, plain)]
        assert near[0] == near[1]
        assert [*levels(chain)] == [*levels(plain)]


@given(pages)
def test_strikes_that_are_made_when_they_are_asked_for_are_a_tuple_to_all_who_read_them(page: list[Any]) -> None:
    def strikes() -> tuple[Strike, ...]:
        return shown_by(chain_columns.Listed(OPTIONS), page, NOON).strikes

    rows = folded({}, page, NOON)
    assert [strikes()[i] for i in range(-len(rows), len(rows))] == [*rows, *rows]
    assert (len(strikes()), strikes(), repr(strikes()), hash(strikes())) == (len(rows), rows, repr(rows), hash(rows))
    assert (strikes()[1:], [*strikes()], bool(strikes())) == (rows[1:], [*rows], bool(rows))
    assert strikes() == strikes() != (*rows, None)
    assert canonical(strikes()) == canonical(rows) == encode(strikes())
    assert [pickle.loads(pickle.dumps(strikes())), deepcopy(strikes())] == [rows, rows]
    for beyond in (len(rows), -len(rows) - 1):
        with pytest.raises(IndexError):
            strikes()[beyond]


@pytest.mark.skipif(not COMPILED, reason="no kernel is compiled: its twin shows")
@given(st.lists(pages, max_size=4))
def test_the_kernel_and_its_twin_show_the_same_of_a_page(day: list[Any]) -> None:
    (kernel,) = COMPILED
    place = {(k, is_call): i + (0 if is_call else 3) for i, k in enumerate(STRIKES) for is_call in (True, False)}
    ours, twins = bytearray(6), bytearray(6)
    for page in day:
        options, *figures = zip(*page, strict=True) if page else ((), (), (), (), ())
        given = (array("q", [place[option] for option in options]), *(array("q", of) for of in figures))
        _, text, numbers = kernel.shown(array("q", STRIKES), ours, given, 0, NOON)
        rows = kernel.rows_of(numbers)
        assert (rows, text) == chain_columns_plain.shown(STRIKES, twins, given, 0, NOON)[:2]
        assert ours == twins


@pytest.mark.skipif(not COMPILED, reason="no kernel is compiled")
def test_the_kernel_refuses_columns_that_are_too_short_for_a_page_and_places_that_are_not_there() -> None:
    (kernel,) = COMPILED
    column, strikes = array("q", [500]), array("q", STRIKES)
    with pytest.raises(IndexError, match="longer than its columns"):
        kernel.shown(strikes, bytearray(6), (array("q", [0, 1]), *(column,) * 4), 0, NOON)
    with pytest.raises(IndexError, match="no place"):
        kernel.shown(strikes, bytearray(6), (array("q", [6]), *(column,) * 4), 0, NOON)
    with pytest.raises(IndexError, match="other strikes"):
        kernel.shown(strikes, bytearray(4), (array("q", [0]), *(column,) * 4), 0, NOON)


def test_a_price_beyond_all_measure_on_a_page_is_shown_as_the_twin_shows_it() -> None:
    page = [((STRIKES[0], True), 2**60, 2**61, 65, 65)]
    assert shown_by(chain_columns.Listed(OPTIONS), page, NOON).strikes == folded({}, page, NOON)


def test_a_chain_has_the_terms_of_the_last_option_that_was_seen() -> None:
    """A broker's master may know some contracts of an expiry and not others."""
    terms = [msgspec.structs.replace(c, freeze=1_800 + i) for i, c in enumerate(OPTIONS)]
    listed = chain_columns.Listed(terms)
    assert shown_by(listed, [((STRIKES[0], True), 500, 1_000, 65, 65)], NOON).freeze == 1_800
    assert shown_by(listed, [((STRIKES[1], False), 500, 1_000, 65, 65)], NOON).freeze == 1_803
    assert shown_by(listed, [], NOON).freeze == 1_803
