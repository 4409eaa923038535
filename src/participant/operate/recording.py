"""Recording what the feeds say: a day's folder is begun, written beside the desk, and sealed once."""

import atexit
import datetime
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from participant.adapters.feeds.recorded import RecordedFeed
from participant.config import Run
from participant.core.market import FeedEvent, Mark, Reference
from participant.core.providers import Belief, FeedStatus
from participant.history import heard
from participant.history.pages import BadData
from participant.history.recorder import Recorder
from participant.links.feed_link import INTAKE, Intake
from participant.operate.wake import NotReady
from participant.ports import Feed, Store
from participant.stages.reconcile import Closed
from participant.wire.json import decode

LAST_WITHIN_S = 5.0  # how long the others may take to end the day after the first has


class Recorded(Struct, frozen=True):
    """A day's recording as a person is told of it; `rows` are quotes and what else was said."""

    day: datetime.date
    place: str
    rows: int
    bytes_a_row: float
    lost: int
    is_sealed: bool


def check_recording(folder: Path | None, day: datetime.date) -> None:
    """Raise NotReady where a day is recorded and sealed in a folder already."""
    try:
        if folder is not None and day in heard.days(folder) and heard.known(folder, day).is_sealed:
            raise NotReady(f"--record {folder}: {day} is recorded there and sealed; name another folder")
    except BadData as fault:
        raise NotReady(str(fault)) from fault


def begin_recording(run: Run, references: Sequence[Reference]) -> None:
    """Make the day's folder, before a feed speaks; raises NotReady."""
    try:
        if run.record:
            heard.begin(Path(run.record), run.day, references)
    except BadData as fault:
        raise NotReady(f"--record: {fault}") from fault


def recorder_of(run: Run) -> Recorder | None:
    """What writes the day's recording until this process ends; None where none is asked for. Raises NotReady."""
    if not run.record:
        return None
    try:
        recorder = Recorder(Path(run.record) / str(run.day))
    except BadData as fault:
        raise NotReady(f"--record: {fault}") from fault
    atexit.register(recorder.close)
    return recorder


def intake_of(recorder: Recorder | None) -> Intake:
    """How feeds take in what they hear: each message goes to the recorder too."""
    return Intake(frames=recorder.frame) if recorder is not None else INTAKE


def kept(feeds: dict[str, Feed], recorder: Recorder | None) -> dict[str, Feed]:
    """The feeds, each heard by the recorder too."""
    return {name: RecordedFeed(feed, recorder.hear) for name, feed in feeds.items()} if recorder is not None else feeds


def seal_day(folder: Path, day: datetime.date, books: Store) -> Recorded:
    """Seal the recording of a day that the desk has closed; raises NotReady where it cannot be."""
    fed, closed = books.get("feeds", str(day)), books.get("days", str(day))
    believed = decode(fed.value, FeedStatus).changes if fed is not None else ()
    return seal(folder, day, believed, decode(closed.value, Closed).settlements if closed is not None else {})


def seal(folder: Path, day: datetime.date, believed: Sequence[Belief], settlements: Mapping[str, int]) -> Recorded:
    """Seal a day's recording; raises NotReady where it cannot be."""
    try:
        heard.seal(folder, day, believed, settlements)
        return recorded(folder, day)
    except (OSError, BadData) as fault:
        raise NotReady(f"the recording of {day} in {folder} is not sealed: {fault}") from fault


def recorded(folder: Path, day: datetime.date) -> Recorded:
    """How much of a day is recorded; raises NotReady where it cannot be read."""
    try:
        rows, size = heard.size(folder, day)
        lost, is_sealed = heard.lost(folder, day), heard.known(folder, day).is_sealed
    except BadData as fault:
        raise NotReady(str(fault)) from fault
    return Recorded(day, str(folder / str(day)), rows, round(size / rows, 2) if rows else 0.0, lost, is_sealed)


def told(done: Recorded) -> str:
    """A recording in one line."""
    state = "sealed" if done.is_sealed else "not sealed: the same again goes on with it"
    missing = f", at least {done.lost:,} rows or frames are missing" if done.lost else ""
    return f"{done.place}: {done.rows:,} rows of {done.bytes_a_row:g} bytes{missing}; {state}"


def listen(feeds: Mapping[str, Feed], is_stopped: Callable[[], object], silence_max_s: float) -> bool:
    """Poll the feeds until all that ended an instant have ended the day, or one has and LAST_WITHIN_S are over.

    False where it was stopped before. TimeoutError where nothing at all is heard for `silence_max_s`.
    """
    heard_at, ended_at = time.monotonic(), 0.0
    spoke, ended = set[str](), set[str]()
    while not is_stopped():
        told = {name: events for name, feed in feeds.items() if (events := feed.poll(0.02))}
        spoke |= {name for name, events in told.items() if _marks(events)}
        ended |= {name for name, events in told.items() if any(mark.is_last for mark in _marks(events))}
        now = time.monotonic()
        heard_at, ended_at = now if told else heard_at, ended_at or (now if ended else 0.0)
        if ended and (ended == spoke or now - ended_at > LAST_WITHIN_S):
            return True
        if now - heard_at > silence_max_s:
            raise TimeoutError(f"no feed has said anything for {silence_max_s:g} s; say the same again to go on")
    return False


def _marks(events: Sequence[FeedEvent]) -> list[Mark]:
    return [event for event in events if isinstance(event, Mark)]
