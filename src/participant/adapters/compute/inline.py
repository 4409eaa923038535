"""Brain jobs run in our own process, at once: for simulations and tests."""

import time
from collections.abc import Callable

from participant.core.market import SECOND
from participant.core.messages import Job, JobResult
from participant.links.frames import DONE, LATE
from participant.links.work import Clock, in_time


class InlineCompute:
    """Runs `handle` on a job's body as it is submitted. Nothing can kill a job here; what comes late does not count.

    `clock` (ns) is what deadlines are taken by: the machine's, or a simulation's own.
    """

    def __init__(self, handle: Callable[[bytes], bytes], clock: Clock = time.monotonic_ns) -> None:
        self._handle, self._clock = handle, clock
        self._ended: dict[str, JobResult] = {}

    def submit(self, job: Job) -> None:
        """Run a job now; one whose result still waits to be fetched is passed over."""
        if job.id in self._ended:
            return
        deadline_ns = self._clock() + round(job.timeout_s * SECOND)
        kind, answer = in_time(self._handle, job.body, deadline_ns, self._clock)
        if kind == DONE:
            self._ended[job.id] = JobResult(job.id, "done", answer)
        elif kind == LATE:
            self._ended[job.id] = JobResult(job.id, "timeout", reason="its time was over")
        else:
            self._ended[job.id] = JobResult(job.id, "error", reason=answer.decode())

    def results(self, wait_s: float) -> list[JobResult]:
        """What ended, one result a job; never waits, as everything submitted has ended."""
        ended = list(self._ended.values())
        self._ended.clear()
        return ended

    def close(self) -> None:
        """Nothing to end; results that nobody fetched are lost."""
        self._ended.clear()
