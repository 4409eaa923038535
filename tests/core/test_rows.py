"""The rows of a chain as numbers: the compiled kernel and its plain twin read the same, and what they read is right."""

import importlib
import sys
from math import inf, nan
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

import participant.core
from participant.core import rows, rows_plain
from participant.core.market import Quote, Strike
from tests.twins import is_compiled

KERNEL = "participant.core._rows"
COMPILED = [importlib.import_module(KERNEL)] if is_compiled(KERNEL) else []
KERNELS = [rows_plain, *COMPILED]
NOON = 1_760_000_000_000_000_000

prices = st.integers(0, 40).map(lambda ticks: 500 * ticks)
sizes = st.integers(0, 5).map(lambda lots: 65 * lots)
quotes = st.none() | st.builds(Quote, prices, prices, sizes, sizes, st.integers(0, 9).map(lambda s: NOON - s * 10**9))
strikes = st.integers(1, 60).map(lambda step: 500_000 * step)
chains = st.lists(st.builds(Strike, strikes, quotes, quotes), max_size=25, unique_by=lambda row: row.strike).map(
    lambda found: tuple(sorted(found, key=lambda row: row.strike))
)
spots = st.integers(1, 31_000_000)
reaches = st.floats(0.0, 4e7)
wide = st.integers(-(2**70), 2**70) | st.integers(-(2**53), 2**53) | st.integers(-100, 100)
wide_quotes = st.none() | st.builds(Quote, wide, wide, wide, wide, wide)
wide_chains = st.lists(
    st.builds(Strike, wide, wide_quotes, wide_quotes), max_size=4, unique_by=lambda row: row.strike
).map(lambda found: tuple(sorted(found, key=lambda row: row.strike)))


def solved(is_call: bool, price: float, strike: int) -> float:
    """Stands for an implied volatility: of every third price there is none."""
    return nan if price % 3 == 0 else price - strike + is_call


CALL, PUT = Quote(1_000, 1_500, 65, 130, NOON), Quote(2_000, 2_500, 195, 65, NOON - 3 * 10**9)
SMALL = (Strike(1_000_000, CALL, None), Strike(1_500_000, CALL, PUT), Strike(2_500_000, None, PUT))


@pytest.mark.skipif(not COMPILED, reason="no kernel is compiled: its twin reads")
@given(chains, spots, reaches, st.integers(0, 9))
def test_the_kernel_and_its_twin_read_the_same(chain: rows.Rows, spot: int, reach: float, most: int) -> None:
    (kernel,) = COMPILED
    assert kernel.parities(chain, spot, reach, most) == rows_plain.parities(chain, spot, reach, most)
    for level in (float(spot), spot + 0.5):
        assert kernel.at_the_money(chain, level, reach, solved) == rows_plain.at_the_money(chain, level, reach, solved)
    assert kernel.calls_near(chain, spot, reach) == rows_plain.calls_near(chain, spot, reach)
    for over in (-inf, float(spot), reach, inf):
        assert kernel.valid_calls(chain, over) == rows_plain.valid_calls(chain, over)
    assert kernel.columns(chain) == rows_plain.columns(chain)


@given(wide_chains, st.integers(1, 2**70), st.floats(0.0, 1e25))
def test_numbers_beyond_all_measure_are_read_as_the_twin_reads_them(chain: rows.Rows, spot: int, reach: float) -> None:
    assert rows.parities(chain, spot, reach, 8) == rows_plain.parities(chain, spot, reach, 8)
    assert rows.at_the_money(chain, reach, reach, solved) == rows_plain.at_the_money(chain, reach, reach, solved)
    assert rows.calls_near(chain, spot, reach) == rows_plain.calls_near(chain, spot, reach)
    assert rows.valid_calls(chain, reach) == rows_plain.valid_calls(chain, reach)
    assert rows.columns(chain) == rows_plain.columns(chain)


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.__name__)
def test_a_chain_in_columns_counts_units_that_divide_it(kernel: ModuleType) -> None:
    newest, units, steps, calls, puts = kernel.columns(SMALL)
    assert (newest, units, steps) == (NOON, (500_000, 500, 65, 3 * 10**9), b"[2,1,2]")
    assert calls == (b"[2,2,null]", b"[1,1,null]", b"[1,1,null]", b"[2,2,null]", b"[0,0,null]")
    assert puts == (b"[null,4,4]", b"[null,1,1]", b"[null,3,3]", b"[null,1,1]", b"[null,1,1]")
    assert kernel.columns(()) == (0, (1, 1, 1, 1), b"[]", (b"[]",) * 5, (b"[]",) * 5)


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.__name__)
def test_parity_and_calls_are_read_nearest_first_and_within_reach(kernel: ModuleType) -> None:
    assert kernel.parities(SMALL, 1_400_000, 1e6, 8) == [(1_500_000 + 1_250.0 - 2_250.0, 1 / 1_000)]
    assert kernel.parities(SMALL, 1_400_000, 99_999.0, 8) == []
    assert kernel.calls_near(SMALL, 1_400_000, 100_000.0) == (CALL,)
    assert kernel.valid_calls(SMALL, 1_000_000.0) == ([1_500_000], [1_250.0], [CALL])


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.__name__)
def test_at_the_money_the_nearest_strikes_with_an_iv_count(kernel: ModuleType) -> None:
    below, above = kernel.at_the_money(SMALL, 1_500_000.0, 1e6, solved)
    assert below == (1_500_000, 1_250.0 - 1_500_000 + 1), "the call's alone: the put's 2,250 has none"
    assert above is None, "of 2,500,000 no call is quoted, and the put has none"
    assert kernel.at_the_money(SMALL, 1_400_000.0, 99_999.0, solved) == (None, None)


def test_the_compiled_kernel_is_used_where_it_was_built() -> None:
    assert (rows._kernel is rows_plain) == (not is_compiled(KERNEL))


def test_without_a_kernel_that_can_be_imported_its_twin_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(participant.core, "_rows", raising=False)
    monkeypatch.setitem(sys.modules, KERNEL, None)  # importing it now fails
    assert rows._choose() is rows_plain
