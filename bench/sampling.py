"""Where processor time goes: looked at a thousand times a second, which part of the project is at work."""

import signal
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Self

EVERY_S = 0.001
# The innermost of these at work has the time; a function's name where a file has several parts.
PARTS = {
    "core/selection": "selection",
    "core/volatility": "volatility",
    "core/gates": "volatility",
    "core/signals": "signals",
    "core/sizing": "sizing",
    "core/margin": "margin",
    "core/charges": "charges",
    "core/brain_checks": "risk checks",
    "core/book_risk": "risk checks",
    "core/account_checks": "risk checks",
    "core/ids": "digests",
    "links/parts": "log",
    "links/decision_log": "log",
    "links/journal": "log",
    "adapters/stores/sqlite": "log",
    "core/brain": "the rest of the brain",
    "core/strategies/covered_call": "the rest of the brain",
    "core/strategy": "the rest of the brain",
}
CODEC = {"decode": "decode", "encode": "encode"}


@cache
def _module(file: str) -> str:
    """A file of the project by its place in the package, of anything else by its name."""
    parts = "/".join(Path(file).with_suffix("").parts)
    return parts.partition("/src/participant/")[2] or Path(parts).name


class Sampler:
    """Samples the main thread while it is entered; `found` counts by part."""

    def __init__(self, parts: Mapping[str, str] = PARTS) -> None:
        self.found, self.parts = Counter[str](), parts

    @property
    def shares(self) -> dict[str, float]:
        """The share of each part."""
        return {name: count / self.found.total() for name, count in self.found.items()}

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)
        return self

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, self._before)

    def _look(self, _: int, frame: FrameType | None) -> None:
        codec = ""
        while frame is not None:
            file, name = frame.f_code.co_filename, frame.f_code.co_name
            where = _module(file)
            if where == "wire/json":
                codec = CODEC.get(name, "")
            if where in self.parts:
                self.found[self.parts[where]] += 1
                return
            frame = frame.f_back
        self.found[codec or "the rest"] += 1
