"""The same logged inputs decided by two sides: which decisions come out otherwise, and in which fields.

Each input is decided as it was logged, with the position and the money that the desk really had then: a side that
would have opened earlier is not followed further (`what_if` does that).
"""

import os
import struct
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from participant.analysis.logged import Field, Logged, changed_fields
from participant.core.decision import DecisionInput
from participant.core.rulebook import Rulebook
from participant.core.scrip import Scrip
from participant.core.strategies.table import fault_of, must_be_there
from participant.core.watchlist import BadSetting, changed
from participant.stages.decide import run
from participant.wire.json import encode

Settings = Mapping[str, object]
Side = Callable[[Logged], bytes]
LENGTH = struct.Struct(">I")
FAILED = 0xFFFFFFFF  # in the place of a length: the text of an error follows, with its own
# What another version runs. It stands on that version's own code alone, as far back as there are brain jobs.
SERVE = """
import struct, sys
from participant.config import load_rules
from participant.stages.decide import run
try:
    from participant.plugins import load_plugins
except ImportError:
    pass
else:
    load_plugins()
rules = load_rules(sys.argv[1]) if load_rules.__code__.co_argcount else load_rules()
source, sink = sys.stdin.buffer, sys.stdout.buffer
while head := source.read(4):
    try:
        answer = run(source.read(*struct.unpack(">I", head)), rules)
    except Exception as fault:
        answer = f"{type(fault).__name__}: {fault}".encode()
        sink.write(struct.pack(">I", 0xFFFFFFFF))
    sink.write(struct.pack(">I", len(answer)) + answer)
    sink.flush()
"""


class BadSide(Exception):
    """A side that cannot decide: which, why, and how to mend it."""


class Change(Struct, frozen=True):
    """A decision that comes out otherwise: where it stands in the log, and every field that differs."""

    day: str
    line: int
    scrip: str
    decided_for: int
    snapshot_id: str
    fields: tuple[Field, ...]


class Compared(Struct, frozen=True):
    """What became of one logged input: nothing where both sides say the same."""

    is_decided: bool
    change: Change | None = None


def compare(day: str, lines: Iterable[Logged], before: Side, after: Side) -> Iterator[Compared]:
    """Each decision of a day's log on both sides; an outcome without a decision is not decided again."""
    for one in lines:
        was = one.record.decision_info
        if was.outcome != "decided":
            yield Compared(is_decided=False)
            continue
        fields = changed_fields(before(one), after(one))
        where = (day, one.line, was.scrip, was.decided_for, was.snapshot_id)
        yield Compared(True, Change(*where, fields) if fields else None)


def as_logged(one: Logged) -> bytes:
    """The side that is the log itself."""
    return one.decision


def with_settings(scrip: Scrip, settings: Settings) -> Scrip:
    """A row of the watchlist with these settings laid over it. Raises BadSide."""
    try:
        row = changed(scrip, settings) if settings else scrip
    except BadSetting as strange:
        raise BadSide(str(strange)) from None
    fault = fault_of(row) or row.weights.fault
    if settings and fault:
        raise BadSide(fault)
    return row


def here(rules: Rulebook, settings: Settings) -> Side:
    """This build, under these rules, with settings laid over the logged ones. It may raise UnknownStrategy, BadSide."""

    def decided(one: Logged) -> bytes:
        if "strategy" not in settings:
            must_be_there(one.record.scrip, one.record.decision_info.reason)
        return run(_input(one, settings), rules)

    return decided


class Brain:
    """Another version: the code in a folder (a checkout, or what holds `participant`), in a process of its own."""

    def __init__(self, folder: Path, span_scans: str, settings: Settings) -> None:
        source = next((f for f in (folder / "src", folder) if (f / "participant" / "__init__.py").exists()), None)
        if source is None:
            raise BadSide(f"{folder} holds no participant: name a checkout of it, or the folder that the package is in")
        self.folder, self.settings = folder, settings
        environment = {**os.environ, "PYTHONPATH": str(source.absolute())}
        self._process = subprocess.Popen(
            [sys.executable, "-c", SERVE, span_scans], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )

    def __call__(self, one: Logged) -> bytes:
        """Its decision. Raises BadSide where it gives none."""
        asked, answer = self._process.stdin, self._process.stdout
        assert asked is not None
        assert answer is not None
        body = _input(one, self.settings)
        try:
            asked.write(LENGTH.pack(len(body)) + body)
            asked.flush()
            (size,) = LENGTH.unpack(answer.read(LENGTH.size))
            if size == FAILED:
                (size,) = LENGTH.unpack(answer.read(LENGTH.size))
                raise BadSide(f"{self.folder}: its brain cannot decide line {one.line}: {answer.read(size).decode()}")
        except (OSError, struct.error):
            raise BadSide(f"{self.folder}: its brain has ended; what it said stands above") from None
        return answer.read(size)

    def close(self) -> None:
        """End its process."""
        self._process.communicate()


def _input(one: Logged, settings: Settings) -> bytes:
    if not settings:
        return one.body  # as it was logged, also where its row cannot be
    given: DecisionInput = one.given
    return encode(replace(given, scrip=with_settings(given.scrip, settings)))
