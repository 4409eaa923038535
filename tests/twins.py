"""Whether a kernel is compiled here, or its plain twin prices."""

import importlib
from importlib.machinery import EXTENSION_SUFFIXES


def is_compiled(kernel: str) -> bool:
    file = importlib.import_module(kernel).__file__ or ""
    return file.endswith(tuple(EXTENSION_SUFFIXES))
