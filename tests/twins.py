"""A kernel and its plain twin: the same file, compiled and not."""

import importlib
import importlib.util
from importlib.machinery import EXTENSION_SUFFIXES, SourceFileLoader
from pathlib import Path
from types import ModuleType

from tests.source import SRC


def plain(kernel: str) -> ModuleType:
    """The kernel's source run as plain Python, whether or not it is compiled: the oracle, and what coverage can see."""
    path = Path(SRC, *kernel.split(".")).with_suffix(".py")
    spec = importlib.util.spec_from_loader(kernel, SourceFileLoader(kernel, str(path)))
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    assert spec.loader is not None
    spec.loader.exec_module(module)
    return module


def is_compiled(kernel: str) -> bool:
    file = importlib.import_module(kernel).__file__ or ""
    return file.endswith(tuple(EXTENSION_SUFFIXES))
