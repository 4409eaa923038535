"""Brain jobs run in our own process, at once: for simulations and tests."""

from collections.abc import Callable

from participant.core.messages import Job, JobResult
from participant.links.frames import DONE, attempt


class InlineCompute:
    """Runs `handle` on a job's body as it is submitted. Nothing can kill a job here, so its time is not watched."""

    def __init__(self, handle: Callable[[bytes], bytes]) -> None:
        self._handle = handle
        self._ended: dict[str, JobResult] = {}

    def submit(self, job: Job) -> None:
        """Run a job now; one whose result still waits to be fetched is passed over."""
        if job.id in self._ended:
            return
        kind, answer = attempt(self._handle, job.body)
        if kind == DONE:
            self._ended[job.id] = JobResult(job.id, "done", answer)
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
