"""A worker's side of its pipes: jobs in, answers out, nothing after the deadline, and no more memory than allowed."""

import os
import resource
import select
import threading
import time
from collections.abc import Callable
from typing import BinaryIO

from participant.core.market import SECOND
from participant.links.frames import (
    DONE,
    ERROR,
    FRAME_MAX_BYTES,
    FULL,
    LATE,
    asked,
    read_frame,
    write_frame,
)

REASON_MAX_CHARS = 2_000
MB = 1 << 20
READ_BYTES = 1 << 16
NO_MEMORY = b"it needs more memory than job_memory_mb allows"

Handle = Callable[[bytes], bytes]
Clock = Callable[[], int]
Answer = tuple[bytes, bytes]
Run = Callable[[int, bytes], Answer]


def attempt(handle: Handle, body: bytes) -> Answer:
    """Run `handle`: (DONE, its answer), or (ERROR or FULL, what it raised as text)."""
    try:
        answer = handle(body)
    except MemoryError:
        return FULL, NO_MEMORY
    except Exception as error:  # noqa: BLE001 - a strategy may raise anything; it becomes the job's error and no more
        return ERROR, f"{type(error).__name__}: {error}"[:REASON_MAX_CHARS].encode(errors="replace")
    if len(answer) > FRAME_MAX_BYTES:
        return ERROR, f"an answer of {len(answer)} bytes is over the limit of {FRAME_MAX_BYTES}".encode()
    return DONE, answer


def in_time(handle: Handle, body: bytes, deadline_ns: int, clock: Clock = time.monotonic_ns) -> Answer:
    """Run `handle` if the deadline is not over, and keep its answer if it is not over then either; else (LATE, "")."""
    if clock() >= deadline_ns:
        return LATE, b""
    answer = attempt(handle, body)
    return answer if clock() < deadline_ns else (LATE, b"")


# --- what a process that runs jobs may take of the machine ------------------------------------------------------------


def limit_memory(memory_mb: int) -> None:
    """This process gets no more memory from now on, its own code and data counted; nor does it leave a core file.

    Data are limited, not addresses: what is mapped and never written costs nothing.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    allowed = memory_mb * MB if most == resource.RLIM_INFINITY else min(memory_mb * MB, most)
    resource.setrlimit(resource.RLIMIT_DATA, (allowed, allowed))


def limit_processor(deadline_ns: int) -> None:
    """The kernel ends this process (SIGXCPU) once it has computed for a second or two longer than is left.

    So even a job that holds the interpreter, and whose desk is gone, ends.
    """
    left_s = (deadline_ns - time.monotonic_ns()) / SECOND
    allowed = int(time.process_time() + max(0.0, left_s)) + 2
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    if most == resource.RLIM_INFINITY or allowed <= most:
        resource.setrlimit(resource.RLIMIT_CPU, (allowed, most))


# --- serving ----------------------------------------------------------------------------------------------------------


def serve(read: BinaryIO, write: BinaryIO, run: Run) -> None:
    """Answer jobs until the stream ends; an exception is answered as an error, and the next job is served.

    Each answer is written before the next job is looked at, so that a death is the fault of the first one unanswered.
    Who has run out of memory ends with that answer: what is left of the heap is nothing to go on with.
    """
    while (answer := _answer(read, run)) is not None:
        write_frame(write, *answer)
        if answer[0] == FULL:
            return


def _answer(read: BinaryIO, run: Run) -> Answer | None:
    """The answer to the next job; None where the stream has ended."""
    try:
        arrived = read_frame(read)
        return None if arrived is None else run(*asked(arrived[1]))
    except MemoryError:
        return FULL, NO_MEMORY


def serve_stdio(handle: Handle, memory_mb: int) -> None:
    """Serve on stdin and stdout, as a worker's whole life: it ends with the desk, even in the middle of a job.

    What the handle prints goes to stderr, not among the frames.
    """

    def run(deadline_ns: int, body: bytes) -> Answer:
        limit_processor(deadline_ns)
        return in_time(handle, body, deadline_ns)

    threading.Thread(target=_end_with_the_desk, daemon=True).start()
    limit_memory(memory_mb)
    try:
        with open(0, "rb", READ_BYTES, closefd=False) as read, answers() as write:
            serve(read, write, run)
    except BrokenPipeError:
        return  # the desk is gone: so is the work


def answers() -> BinaryIO:
    """The pipe of the answers, taken off stdout, which goes to stderr from now on."""
    out = os.dup(1)
    os.dup2(2, 1)
    return open(out, "wb")


def _end_with_the_desk() -> None:
    # Nobody is left to kill a hung job once the desk was killed. Asked for no event, poll tells of the end only.
    end = select.poll()
    end.register(0, 0)
    end.poll()
    os._exit(0)
