"""A chain in columns: the compiled kernel and its plain twin write the same bytes, and what they write is right."""

import importlib
import sys
from types import ModuleType

import pytest
from hypothesis import given

import participant.core
from participant.core import chain_columns, chain_columns_plain
from participant.core.kernels import choose
from participant.core.market import Strike
from tests.core.made_chains import NOON, SMALL, chains, wide_chains
from tests.twins import is_compiled

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
    assert chain_columns.columns(chain) == chain_columns_plain.columns(chain)


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
