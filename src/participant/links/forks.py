"""A zygote's side of its pipes: a fresh process for every job, forked from one that is warm and has one thread.

The zygote itself never runs a job. A child has no pipe but the one for its own answer, a group of its own, so that a
kill reaches what it started, and it ends with its zygote.
"""

import ctypes
import gc
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import BinaryIO, NoReturn

from participant.core.market import SECOND
from participant.links.frames import ERROR, FULL, LATE, asked, cut, frame, read_frame, write_frame
from participant.links.work import READ_BYTES, Answer, Handle, answers, in_time, limit_memory, limit_processor

PR_SET_PDEATHSIG = 1
CHUNK_BYTES = 1 << 20
LOOK_MAX_MS = 60_000.0  # what poll takes is bounded, a deadline is not
LIBC = ctypes.CDLL(None)
GONE: Answer = (LATE, b"the desk is gone")


def serve_forking(handle: Handle, memory_mb: int) -> None:
    """Serve on stdin and stdout, as a zygote's whole life; each job has `memory_mb` for itself.

    It ends with the desk, in the middle of a job as well. Raises RuntimeError where a thread runs that a fork would
    leave behind in the middle of whatever it holds.
    """
    if len(os.listdir("/proc/self/task")) > 1:
        raise RuntimeError("a zygote must have one thread: what others hold would be held for ever in its children")
    gc.freeze()  # what is there now stays on pages that all children share
    try:
        with open(0, "rb", READ_BYTES, closefd=False) as read, answers() as write:
            _serve(read, write, handle, memory_mb)
    except BrokenPipeError:
        return  # the desk is gone: so is the work


def _serve(read: BinaryIO, write: BinaryIO, handle: Handle, memory_mb: int) -> None:
    while (arrived := read_frame(read)) is not None:
        deadline_ns, body = asked(arrived[1])
        if time.monotonic_ns() >= deadline_ns:
            write_frame(write, LATE, b"")
            continue
        kind, answer = _in_a_child(partial(_run, handle, body, deadline_ns, memory_mb), deadline_ns, write.fileno())
        if (kind, answer) == GONE:
            return
        write_frame(write, ERROR if kind == FULL else kind, answer)


def _run(handle: Handle, body: bytes, deadline_ns: int, memory_mb: int) -> Answer:
    limit_memory(memory_mb)
    limit_processor(deadline_ns)
    return in_time(handle, body, deadline_ns)


def _in_a_child(run: Callable[[], Answer], deadline_ns: int, out: int) -> Answer:
    """Run one job in a child of its own, which is over when this returns; `out` is the pipe that it must not have."""
    ours, (reads, writes) = os.getpid(), os.pipe()
    pid = os.fork()
    if pid == 0:
        _be_a_child(ours, reads, out)
        _answer_and_end(writes, run)
    os.setpgid(pid, pid)  # here as well as there: whoever comes first
    os.close(writes)
    try:
        answer = _heard(reads, deadline_ns)
    finally:
        os.close(reads)
    if answer is None:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    os.killpg(pid, signal.SIGKILL)  # not waited for yet, so the number is still its own
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return answer or (ERROR, f"the worker died (exit status {status})".encode())


def _heard(reads: int, deadline_ns: int) -> Answer | None:
    """What the child answers by its deadline; None where it dies without a word."""
    arrived, watched = bytearray(), select.poll()
    watched.register(reads, select.POLLIN)
    watched.register(0, 0)  # asked for no event, poll tells of the desk's end only
    while (left_ns := deadline_ns - time.monotonic_ns()) > 0:
        events = dict(watched.poll(min(LOOK_MAX_MS, left_ns * 1_000 / SECOND)))
        if 0 in events:
            return GONE
        if reads in events:
            chunk = os.read(reads, CHUNK_BYTES)
            arrived += chunk
            answer = cut(arrived)
            if answer is not None or not chunk:
                return answer
    return LATE, b""


def _be_a_child(zygote: int, *pipes: int) -> None:
    """Nothing of the zygote's but the pipe for the answer, and no life after it."""
    os.setpgid(0, 0)
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != zygote:
        os._exit(0)
    for pipe in pipes:
        os.close(pipe)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)


def _answer_and_end(writes: int, run: Callable[[], Answer]) -> NoReturn:
    """Run the job and write its answer; what the job printed goes out before it."""
    status = 1
    try:
        kind, answer = run()
        sys.stdout.flush()
        left = memoryview(frame(kind, answer))
        while left:
            left = left[os.write(writes, left) :]
        status = 0
    finally:
        os._exit(status)
