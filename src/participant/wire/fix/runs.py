"""Runs of messages in which nothing is to be thought of, by the compiled kernel or by its plain twin (`kernels`).

A session hands them on unlooked at. What the kernel is not sure of is in no run, and goes the session's plain way.
"""

from typing import TYPE_CHECKING, Any

from participant.core import kernels
from participant.wire.fix import runs_plain

__all__ = ["Runs"]


def _load() -> Any:
    from participant.wire.fix import _runs

    return _runs


_kernel = kernels.choose(_load, runs_plain)

if TYPE_CHECKING:
    Runs = runs_plain.Runs
else:
    Runs = _kernel.Runs
