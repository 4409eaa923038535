"""The rows of a chain as numbers: the compiled kernel and its plain twin read the same, and what they read is right."""

import importlib
import sys
from array import array
from math import inf, nan
from struct import pack
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

import participant.core
from participant.core import rows, rows_plain
from participant.core.kernels import choose
from tests.core.made_chains import CALL, SMALL, chains, wide_chains
from tests.twins import is_compiled

KERNEL = "participant.core._rows"
COMPILED = [importlib.import_module(KERNEL)] if is_compiled(KERNEL) else []
KERNELS = [rows_plain, *COMPILED]

spots = st.integers(1, 31_000_000)
reaches = st.floats(0.0, 4e7)


def solved(is_call: bool, price: float, forward: float, strike: int, years: float) -> float:
    """Stands for an implied volatility: of every third price there is none."""
    return nan if price % 3 == 0 else price - strike + is_call + 0 * forward + years


@pytest.mark.skipif(not COMPILED, reason="no kernel is compiled: its twin reads")
@given(chains, spots, reaches, st.integers(0, 9))
def test_the_kernel_and_its_twin_read_the_same(chain: rows.Rows, spot: int, reach: float, most: int) -> None:
    (kernel,) = COMPILED
    assert kernel.parities(chain, spot, reach, most) == rows_plain.parities(chain, spot, reach, most)
    for level in (float(spot), spot + 0.5):
        given = chain, level, reach, 0.5, solved
        assert kernel.at_the_money(*given) == rows_plain.at_the_money(*given)
    assert kernel.calls_near(chain, spot, reach) == rows_plain.calls_near(chain, spot, reach)
    for over in (-inf, float(spot), reach, inf):
        assert kernel.valid_calls(chain, over) == rows_plain.valid_calls(chain, over)


@given(wide_chains, st.integers(1, 2**70), st.floats(0.0, 1e25))
def test_numbers_beyond_all_measure_are_read_as_the_twin_reads_them(chain: rows.Rows, spot: int, reach: float) -> None:
    assert rows.parities(chain, spot, reach, 8) == rows_plain.parities(chain, spot, reach, 8)
    near = reach, reach, 0.5, solved
    assert rows.at_the_money(chain, *near) == rows_plain.at_the_money(chain, *near)
    assert rows.calls_near(chain, spot, reach) == rows_plain.calls_near(chain, spot, reach)
    assert rows.valid_calls(chain, reach) == rows_plain.valid_calls(chain, reach)


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.__name__)
def test_parity_and_calls_are_read_nearest_first_and_within_reach(kernel: ModuleType) -> None:
    assert kernel.parities(SMALL, 1_400_000, 1e6, 8) == [(1_500_000 + 1_250.0 - 2_250.0, 1 / 1_000)]
    assert kernel.parities(SMALL, 1_400_000, 99_999.0, 8) == []
    assert kernel.calls_near(SMALL, 1_400_000, 100_000.0) == (CALL,)
    assert kernel.valid_calls(SMALL, 1_000_000.0) == ([SMALL[1]], pack("d", 1_500_000), pack("d", 1_250.0))


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.__name__)
@given(st.lists(st.floats(-4.0, 4.0) | st.sampled_from([nan, inf, -inf, 1.0])), st.floats(-4.0, 4.0), reaches)
def test_the_closest_are_those_within_reach_nearest_first(
    kernel: ModuleType, measures: list[float], target: float, reach: float
) -> None:
    for within in (reach, 0.5, inf):
        found = kernel.closest(array("d", measures), target, within)
        assert set(found) == {i for i, one in enumerate(measures) if abs(one - target) <= within}
        assert found == sorted(found, key=lambda i: (abs(measures[i] - target), i))


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.__name__)
def test_at_the_money_the_nearest_strikes_with_an_iv_count(kernel: ModuleType) -> None:
    below, above = kernel.at_the_money(SMALL, 1_500_000.0, 1e6, 0.0, solved)
    assert below == (1_500_000, 1_250.0 - 1_500_000 + 1), "the call's alone: the put's 2,250 has none"
    assert above is None, "of 2,500,000 no call is quoted, and the put has none"
    assert kernel.at_the_money(SMALL, 1_400_000.0, 99_999.0, 0.0, solved) == (None, None)


def test_the_compiled_kernel_is_used_where_it_was_built() -> None:
    assert (rows._kernel is rows_plain) == (not is_compiled(KERNEL))


def test_without_a_kernel_that_can_be_imported_its_twin_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(participant.core, "_rows", raising=False)
    monkeypatch.setitem(sys.modules, KERNEL, None)  # importing it now fails
    assert choose(rows._load, rows_plain) is rows_plain
