"""Brain jobs in warm worker processes of this machine, one job a process at a time, killed hard at the deadline."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from participant.core.messages import Job, JobResult
from participant.links.frames import DONE, JOB, FrameBroken, cut, frame

CHUNK_BYTES = 1 << 20
NOTHING = memoryview(b"")
WAITING_MAX = 10_000
END_TIMEOUT_S = 5.0
# What a Python worker needs to start; everything else, secrets above all, stays with us.
INHERITED = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "LC_CTYPE")


@dataclass(eq=False, slots=True)
class _Worker:
    """A process, the job that it works on, what is still to be written to it, and what it has answered so far."""

    process: subprocess.Popen[bytes]
    reads: int
    writes: int
    job_id: str = ""
    outgoing: memoryview = NOTHING
    incoming: bytearray = field(default_factory=bytearray)


class ProcessCompute:
    """Keeps `workers` processes of `command` warm; each serves frames on stdin and stdout (links/frames.py).

    `env` is the whole environment of the workers; None gives them a search path and a language and nothing more.
    """

    def __init__(self, command: Sequence[str], workers: int, env: Mapping[str, str] | None = None) -> None:
        self._command = list(command)
        self._env = dict(env) if env is not None else {k: os.environ[k] for k in INHERITED if k in os.environ}
        self._deadlines: dict[str, float] = {}  # of every job that has not ended, monotonic seconds
        self._waiting: dict[str, bytes] = {}
        self._ended: dict[str, JobResult] = {}
        self._workers = [self._start() for _ in range(workers)]

    def submit(self, job: Job) -> None:
        """Hand over a job; it may wait for a free worker, and its time runs. One not yet fetched is passed over."""
        if job.id in self._deadlines or job.id in self._ended:
            return
        self._deadlines[job.id] = time.monotonic() + job.timeout_s
        if len(self._waiting) >= WAITING_MAX:
            self._end(JobResult(job.id, "error", reason=f"{WAITING_MAX} jobs wait already"))
            return
        self._waiting[job.id] = job.body
        self._assign()

    def results(self, wait_s: float) -> list[JobResult]:
        """What ended, one result a job; waits up to `wait_s` for the first."""
        until = time.monotonic() + wait_s
        self._turn(0.0)
        while not self._ended and self._deadlines and (left_s := until - time.monotonic()) > 0:
            self._turn(left_s)
        ended = list(self._ended.values())
        self._ended.clear()
        return ended

    def close(self) -> None:
        """End all workers; jobs that run are lost."""
        for worker in self._workers:
            _kill(worker)
        self._workers.clear()
        self._waiting.clear()
        self._deadlines.clear()

    def _turn(self, wait_s: float) -> None:
        """End what is overdue, hand out what waits, and wait once, at most to the next deadline, for the pipes."""
        now = time.monotonic()
        for job_id in [job_id for job_id, deadline in self._deadlines.items() if deadline <= now]:
            self._overdue(job_id)
        self._assign()
        limits_s = [deadline - now for deadline in self._deadlines.values()] + [0.0 if self._ended else wait_s]
        wait_s = max(0.0, min(limits_s))
        busy = [worker for worker in self._workers if worker.job_id]
        by_pipe = {worker.reads: worker for worker in busy} | {w.writes: w for w in busy if w.outgoing}
        readable, writable, _ = select.select(
            [worker.reads for worker in busy], [worker.writes for worker in busy if worker.outgoing], [], wait_s
        )
        for pipe in writable:
            self._write(by_pipe[pipe])
        for pipe in readable:
            self._read(by_pipe[pipe])
        self._assign()

    def _assign(self) -> None:
        idle = [worker for worker in self._workers if not worker.job_id]
        for worker in idle[: len(self._waiting)]:
            # One that died while idle is replaced first: the job is not to blame. Only a job ever starts a process
            # anew, so a command that cannot run costs one process a job and no more.
            fit = worker if worker.process.poll() is None else self._replace(worker)
            job_id = next(iter(self._waiting))
            body = self._waiting.pop(job_id)
            try:
                fit.outgoing = memoryview(frame(JOB, body))
            except FrameBroken as error:
                self._end(JobResult(job_id, "error", reason=str(error)))
                continue
            fit.job_id = job_id
            self._write(fit)

    def _write(self, worker: _Worker) -> None:
        try:
            worker.outgoing = worker.outgoing[os.write(worker.writes, worker.outgoing) :]
        except BlockingIOError:
            return  # its pipe is full: the rest goes when select says so
        except OSError:
            worker.outgoing = NOTHING  # it died; reading will tell

    def _read(self, worker: _Worker) -> None:
        arrived = os.read(worker.reads, CHUNK_BYTES)
        worker.incoming += arrived
        try:
            whole = cut(worker.incoming)
        except FrameBroken as error:
            self._failed(worker, f"the worker's answer is garbled: {error}")
            return
        if not arrived and whole is None:
            self._failed(worker, "")
        elif whole is not None:
            kind, answer = whole
            job_id, worker.job_id = worker.job_id, ""
            if kind == DONE:
                self._end(JobResult(job_id, "done", answer))
            else:
                self._end(JobResult(job_id, "error", reason=answer.decode(errors="replace")))

    def _failed(self, worker: _Worker, reason: str) -> None:
        self._replace(worker)
        reason = reason or f"the worker died (exit status {worker.process.returncode})"
        self._end(JobResult(worker.job_id, "error", reason=reason))

    def _overdue(self, job_id: str) -> None:
        self._waiting.pop(job_id, None)
        for worker in self._workers:
            if worker.job_id == job_id:
                self._replace(worker)
                break
        self._end(JobResult(job_id, "timeout", reason="its time was over"))

    def _end(self, result: JobResult) -> None:
        self._deadlines.pop(result.id, None)
        self._ended[result.id] = result

    def _replace(self, worker: _Worker) -> _Worker:
        _kill(worker)
        fresh = self._start()
        self._workers[self._workers.index(worker)] = fresh
        return fresh

    def _start(self) -> _Worker:
        # A session of its own: a Ctrl-C at the terminal is for us, and a kill reaches what the worker started.
        process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, env=self._env, start_new_session=True,
        )  # fmt: skip
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("a worker has no pipes")
        os.set_blocking(process.stdin.fileno(), False)
        return _Worker(process, process.stdout.fileno(), process.stdin.fileno())


def _kill(worker: _Worker) -> None:
    process = worker.process
    try:
        # Not after it was waited for: its number may be another's by now.
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait(END_TIMEOUT_S)
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
