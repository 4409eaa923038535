"""Where brain jobs run: in warm workers, or each in a process of its own; both ends of the pipe as a run says."""

import sys
from collections.abc import Callable

from participant.adapters.compute.process import ProcessCompute
from participant.adapters.compute.zygote import ZygoteCompute
from participant.config import Run, load_rules
from participant.links.forks import serve_forking
from participant.links.pool import PoolRule
from participant.links.work import Handle, serve_stdio
from participant.plugins import load_plugins
from participant.ports import Compute
from participant.stages import decide

COMPUTES: dict[str, type[ProcessCompute | ZygoteCompute]] = {"workers": ProcessCompute, "zygote": ZygoteCompute}
SERVES: dict[str, Callable[[Handle, int], None]] = {"workers": serve_stdio, "zygote": serve_forking}


def compute(run: Run) -> Compute:
    """The dispatcher's end: the processes are started, as many and for as long as the settings say."""
    desk = run.config.desk
    command = [sys.executable, "-m", "participant", "brain", "--home", run.home]
    return COMPUTES[desk.compute](command, PoolRule(desk.workers, desk.worker_jobs_max))


def brain(run: Run) -> None:
    """The other end, for the life of the process: jobs in, decisions out, nothing kept between them."""
    desk = run.config.desk
    load_plugins()
    rules = load_rules(desk.span_scans)
    assert rules.content_hash  # made once, before anything is forked
    SERVES[desk.compute](lambda body: decide.run(body, rules), desk.job_memory_mb)
