"""`participant process`: one process of a running desk."""

import signal
import sys
from argparse import Namespace
from collections.abc import Callable
from time import sleep

from participant import app
from participant.adapters.clocks.system import SystemClock
from participant.commands.errors import DONE, Refused
from participant.config import Run
from participant.links.books import Books
from participant.links.doorbell import Doorbell
from participant.links.parent import end_with
from participant.operate.breaker import Watch, judge
from participant.wire.json import decode

STEP_MAX_S = 1.0
LOOK_EVERY_S = 0.2


def process(args: Namespace) -> int:
    """Be that process until its desk ends."""
    file = args.home / "run.json"
    if not file.exists():
        raise Refused(f"home {args.home} has no run; `participant trade` starts the processes by itself")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if args.parent is not None:
        end_with(args.parent)
    run = decode(file.read_bytes(), Run)
    is_cut = _is_severed(run) if args.name in SPEAK_TO_THE_BROKER else lambda: False
    while is_cut():
        sleep(LOOK_EVERY_S)  # not so much as a connection, until a person resumes
    step = PROCESSES[args.name](run)
    while not is_cut():
        step(STEP_MAX_S)
    return DONE


def _is_severed(run: Run) -> Callable[[], bool]:
    """Asks whether a person has taken the broker away."""
    halts = Books(app.halts(run))
    return lambda: halts.halt().is_severed


def breaker(run: Run) -> app.Step:
    """The evaluator: at least once a second, and at once when the market moves."""
    stores = app.books(run, "breaker"), app.quotes(run), app.halts(run)
    watch = Watch(*stores, SystemClock(), run.config.triggers, run.is_lockstep)
    bell, gateway_bell = Doorbell(run.path, "breaker"), Doorbell(run.path, "orders")

    def step(wait_s: float) -> None:
        judge(watch)
        gateway_bell.ring()
        bell.wait(min(wait_s, 1.0))

    return step


SPEAK_TO_THE_BROKER = ("gateway", "desk")
DESK = ("ingest", "dispatch", "gateway", "desk", "breaker")
PROCESSES: dict[str, Callable[[Run], app.Step]] = {
    "ingest": app.ingest,
    "dispatch": app.dispatch,
    "gateway": app.gateway,
    "desk": app.desk,
    "breaker": breaker,
}
