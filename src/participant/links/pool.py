"""Processes that serve jobs on their pipes: handed out, awaited, and killed hard at the deadline.

A worker is handed the next jobs while it runs one, so that it need not wait for us; it answers them in order. What was
handed to one that hangs, dies or is slow is handed to another: a job is a function of its bytes, so that running one
twice costs time and nothing else.
"""

import os
import select
import time
from collections import deque
from collections.abc import Mapping, Sequence
from heapq import heappop, heappush
from itertools import count

from msgspec import Struct

from participant.core.market import SECOND
from participant.core.messages import Job, JobResult
from participant.links.frames import DONE, FULL, LATE, FrameBroken, job_frame
from participant.links.workers import Held, Worker

WAITING_MAX = 10_000
# So long may a job wait behind another before an idle worker gets it.
STUCK_NS = 10_000_000
# What a Python worker needs to start; everything else, secrets above all, stays with us.
INHERITED = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "LC_CTYPE")
OVER = "its time was over"


class PoolRule(Struct, frozen=True):
    """How many processes; after how many jobs an idle one is replaced; how long after a deadline one is killed.

    `grace_s` is for processes that keep the deadlines of their jobs themselves.
    """

    workers: int
    jobs_max: int
    grace_s: float = 0.0


class WorkerPool:
    """Keeps processes of `command` warm; each serves frames on stdin and stdout (links/work.py, links/forks.py).

    `env` is the whole environment of the workers; None gives them a search path and a language and nothing more.
    """

    def __init__(self, command: Sequence[str], rule: PoolRule, env: Mapping[str, str] | None = None) -> None:
        self._command, self._jobs_max = list(command), rule.jobs_max
        self._grace_ns = round(rule.grace_s * SECOND)
        self._env = dict(env) if env is not None else {k: os.environ[k] for k in INHERITED if k in os.environ}
        self._jobs: dict[str, Held] = {}  # every job that has not ended
        self._due: list[tuple[int, int, Held]] = []
        self._numbers = count()
        self._waiting: deque[Held] = deque()
        self._ended: dict[str, JobResult] = {}
        self._workers = [Worker.start(self._command, self._env) for _ in range(rule.workers)]

    def submit(self, job: Job) -> None:
        """Hand over a job; it may wait for a free worker, and its time runs. One not yet fetched is passed over.

        A job whose time is over is never started.
        """
        if job.id in self._jobs or job.id in self._ended:
            return
        deadline_ns = time.monotonic_ns() + round(job.timeout_s * SECOND)
        try:
            framed = job_frame(deadline_ns, job.body)
        except FrameBroken as error:
            self._ended[job.id] = JobResult(job.id, "error", reason=str(error))
            return
        held = Held(job.id, deadline_ns, framed, len(framed))
        if job.timeout_s <= 0:
            self._end(held, "timeout", reason=OVER)
        elif len(self._waiting) >= WAITING_MAX:
            self._end(held, "error", reason=f"{WAITING_MAX} jobs wait already")
        else:
            self._jobs[job.id] = held
            heappush(self._due, (deadline_ns, next(self._numbers), held))
            self._waiting.append(held)
            if any(not worker.handed for worker in self._workers):
                self._assign()

    def results(self, wait_s: float) -> list[JobResult]:
        """What ended, one result a job; waits up to `wait_s` for the first."""
        until = time.monotonic() + wait_s
        self._turn(wait_s)
        while not self._ended and self._jobs and (left_s := until - time.monotonic()) > 0:
            self._turn(left_s)
        ended = list(self._ended.values())
        self._ended.clear()
        return ended

    def close(self) -> None:
        """End all workers; jobs that run are lost."""
        for worker in self._workers:
            worker.kill()
        self._workers.clear()
        self._waiting.clear()
        self._jobs.clear()

    # --- time -----------------------------------------------------------------------------------------------------

    def _turn(self, wait_s: float) -> None:
        """End what is overdue, hand out what waits, and wait once, at most to the next deadline, for the pipes."""
        now = time.monotonic_ns()
        self._overdue(now)
        self._assign()
        busy = [worker for worker in self._workers if worker.handed]
        writing = [worker.writes for worker in busy if worker.outgoing]
        wait_s = 0.0 if self._ended else min(wait_s, self._next_look_s(now))
        readable, writable, _ = select.select([worker.reads for worker in busy], writing, [], wait_s)
        for worker in busy:
            if worker.writes in writable:
                worker.write()
            if worker.reads in readable:
                self._read(worker)
        if self._jobs:
            self._assign()
        else:
            self._renew()

    def _next_look_s(self, now: int) -> float:
        """How long the pipes may be waited for: to the next deadline, or until a job counts as stuck behind another."""
        looks = [worker.handed[0].deadline_ns + self._grace_ns for worker in self._workers if worker.handed]
        looks += [deadline_ns for deadline_ns, _, _ in self._due[:1]]
        if any(not worker.handed for worker in self._workers):
            looks += [worker.since_ns + STUCK_NS for worker in self._workers if worker.behind]
        return max(0, min(looks, default=now) - now) / SECOND

    def _overdue(self, now: int) -> None:
        """End the jobs whose time is over, and the workers that are still at one: theirs as soon as the grace is."""
        for worker in list(self._workers):
            if worker.handed and worker.handed[0].deadline_ns + self._grace_ns <= now:
                self._lose(worker, "timeout", OVER)
        while self._due and (self._due[0][0] <= now or not self._due[0][2].is_open):
            job = heappop(self._due)[2]
            is_running = job.worker is not None and job.is_of(job.worker) and job.worker.handed[0] is job
            if job.is_open and not is_running:
                self._end(job, "timeout", reason=OVER)

    # --- handing out ----------------------------------------------------------------------------------------------

    def _assign(self) -> None:
        """Hand out what waits, to the one that has least; with nothing left to hand out, an idle one takes over."""
        while self._waiting and self._workers:
            worker = min(self._workers, key=lambda one: len(one.handed))
            if not worker.has_room:
                break
            job = self._waiting.popleft()
            if job.is_open:
                self._fit(worker).hand(job)
        for worker in list(self._workers):
            if not worker.handed:
                self._relieve(worker)
        for worker in self._workers:
            if worker.outgoing:
                worker.write()

    def _fit(self, worker: Worker) -> Worker:
        """That worker, or another in its place if it died while idle: the job to come is not to blame for that.

        Only a job ever starts a process anew, so a command that cannot run costs one process a job and no more.
        """
        return worker if worker.handed or worker.process.poll() is None else self._replace(worker)

    def _relieve(self, idle: Worker) -> None:
        """Let an idle worker take over what waits behind a job that takes long."""
        stuck = time.monotonic_ns() - STUCK_NS
        for worker in self._workers:
            if worker.since_ns <= stuck and worker.behind:
                self._fit(idle).hand(worker.behind[0])
                return

    # --- answers and lives ----------------------------------------------------------------------------------------

    def _read(self, worker: Worker) -> None:
        is_open = worker.read()
        try:
            while (answer := worker.answer()) is not None:
                self._answered(worker, *answer)
                if answer[0] == FULL:
                    self._lose(worker, "error", "")
                    return
        except FrameBroken as error:
            self._lose(worker, "error", f"the worker's answer is garbled: {error}")
            return
        if worker.handed and not is_open:
            worker.kill()
            self._lose(worker, "error", f"the worker died (exit status {worker.process.returncode})")

    def _answered(self, worker: Worker, kind: bytes, answer: bytes) -> None:
        job = worker.answered()
        if not job.is_of(worker):
            return
        if kind == DONE:
            self._end(job, "done", answer)
        elif kind == LATE:
            self._end(job, "timeout", reason=OVER)
        else:
            self._end(job, "error", reason=answer.decode(errors="replace"))

    def _end(self, job: Held, outcome: str, body: bytes = b"", reason: str = "") -> None:
        job.is_open, job.framed = False, b""
        self._jobs.pop(job.id, None)
        self._ended[job.id] = JobResult(job.id, outcome, body, reason)

    def _lose(self, worker: Worker, outcome: str, reason: str) -> None:
        """Replace a worker; the job that it was at ends so, if it was at one; what it was handed besides waits again.

        The one at fault is the first that it has not answered. Where it ended itself (no reason), none is.
        """
        self._replace(worker)
        lost = [job for job in worker.handed if job.is_of(worker)]
        if reason and lost and lost[0] is worker.handed[0]:
            self._end(lost.pop(0), outcome, reason=reason)
        for job in reversed(lost):
            job.worker = None
            self._waiting.appendleft(job)

    def _renew(self) -> None:
        """Replace, while nothing is to be done, those that have served long: what a worker leaks does not add up."""
        for worker in list(self._workers):
            if worker.served >= self._jobs_max and not worker.handed:
                self._replace(worker)

    def _replace(self, worker: Worker) -> Worker:
        worker.kill()
        fresh = Worker.start(self._command, self._env)
        self._workers[self._workers.index(worker)] = fresh
        return fresh
