"""Which code does the work that is done thousands of times a second: a compiled kernel, or its plain twin.

Both give equal values; the twin also takes what is too large for the kernel's numbers.
"""

from collections.abc import Callable
from typing import Any


def choose(load: Callable[[], Any], twin: Any) -> Any:
    """The kernel that `load` imports, if it is compiled here; else its twin."""
    try:
        kernel = load()
    except (ImportError, AttributeError):  # uncompiled: Cython's own stand-in for C's modules raises either
        return twin
    return kernel if kernel.IS_COMPILED else twin


def call(kernel: Any, twin: Any, name: str, *given: Any) -> Any:
    """What the kernel's function of this name says; the twin's, where a number is beyond the kernel."""
    try:
        return getattr(kernel, name)(*given)
    except OverflowError:
        return getattr(twin, name)(*given)
