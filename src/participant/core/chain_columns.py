"""A chain in columns, as the decision log has it: by the compiled kernel, or by its plain twin (`kernels`)."""

from typing import Any

from participant.core import chain_columns_plain, kernels
from participant.core.chain_columns_plain import Columns
from participant.core.market import Strike


def _load() -> Any:
    from participant.core import _chain_columns

    return _chain_columns


_kernel = kernels.choose(_load, chain_columns_plain)


def columns(rows: tuple[Strike, ...]) -> Columns:
    """A chain in columns, counted in units that divide all their numbers (`chain_columns_plain.columns`)."""
    found: Columns = kernels.call(_kernel, chain_columns_plain, "columns", rows)
    return found
