"""One worker process as its owner sees it: started, written to, read from, killed with all that it started."""

import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Self

from msgspec import Struct, field

from participant.links.frames import cut

CHUNK_BYTES = 1 << 20
END_TIMEOUT_S = 5.0
# Of small jobs a worker is handed more than of large ones; always one beyond the one that it runs.
HANDED_MAX = 32
HANDED_MAX_BYTES = 1 << 16


class Held(Struct, eq=False):
    """A job that has not ended, or has just: its deadline (ns, monotonic), its frame and that one's bytes.

    `worker` is who is to answer it.
    """

    id: str
    deadline_ns: int
    framed: bytes
    size: int
    worker: "Worker | None" = None
    is_open: bool = True

    def is_of(self, worker: "Worker") -> bool:
        """Whether the answer of this worker is waited for."""
        return self.is_open and self.worker is worker


class Worker(Struct, eq=False):
    """A process, what it was handed and has not answered, what is still to be written, and what it said so far."""

    process: subprocess.Popen[bytes]
    reads: int
    writes: int
    handed: deque[Held] = field(default_factory=deque)
    size: int = 0
    outgoing: bytearray = field(default_factory=bytearray)
    incoming: bytearray = field(default_factory=bytearray)
    served: int = 0
    since_ns: int = 0

    @classmethod
    def start(cls, command: Sequence[str], env: Mapping[str, str]) -> Self:
        """A fresh process with no pipes but its own two, in a session of its own.

        So a Ctrl-C at the terminal is for us, and a kill reaches what it started.
        """
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, env=env, start_new_session=True
        )
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("a worker has no pipes")
        os.set_blocking(process.stdin.fileno(), False)
        return cls(process, process.stdout.fileno(), process.stdin.fileno())

    @property
    def has_room(self) -> bool:
        """Whether it may be handed another job."""
        return len(self.handed) < 2 or (len(self.handed) < HANDED_MAX and self.size < HANDED_MAX_BYTES)

    @property
    def behind(self) -> list[Held]:
        """The jobs that wait behind the one that it runs, the last handed first."""
        return [job for job in reversed(self.handed) if job.is_of(self) and job is not self.handed[0]]

    def hand(self, job: Held) -> None:
        """Give it a job, to be written by the next `write`."""
        if not self.handed:
            self.since_ns = time.monotonic_ns()
        job.worker = self
        self.handed.append(job)
        self.size += job.size
        self.outgoing += job.framed

    def answered(self) -> Held:
        """It has answered the oldest job that it was handed: that one."""
        job = self.handed.popleft()
        self.size -= job.size
        self.served += 1
        self.since_ns = time.monotonic_ns()
        return job

    def write(self) -> None:
        """Write what the pipe has room for."""
        try:
            del self.outgoing[: os.write(self.writes, self.outgoing)]
        except BlockingIOError:
            return  # its pipe is full: the rest goes when select says so
        except OSError:
            self.outgoing.clear()  # it died; reading will tell

    def read(self) -> bool:
        """Take in what has come; False where it has shut its pipe."""
        arrived = os.read(self.reads, CHUNK_BYTES)
        self.incoming += arrived
        return bool(arrived)

    def answer(self) -> tuple[bytes, bytes] | None:
        """The next whole answer (kind, body) to a job; raises FrameBroken where it is garbled."""
        return cut(self.incoming) if self.handed else None

    def kill(self) -> None:
        """End it and what it started, and wait for that."""
        try:
            # Not after it was waited for: its number may be another's by now.
            if self.process.returncode is None:
                os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait(END_TIMEOUT_S)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
