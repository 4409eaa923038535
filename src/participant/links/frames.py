"""Frames on a pipe between the desk and a worker: one byte of kind, four of length (big-endian), then the body."""

import os
import select
import struct
import sys
import threading
from collections.abc import Callable
from typing import BinaryIO

HEAD = struct.Struct(">cI")
FRAME_MAX_BYTES = 64 * 1024 * 1024
REASON_MAX_CHARS = 2_000

JOB = b"j"
DONE = b"d"
ERROR = b"e"

Handle = Callable[[bytes], bytes]


class FrameBroken(Exception):
    """What came is no frame: cut short, too long, or of an unknown kind."""


def frame(kind: bytes, body: bytes) -> bytes:
    """The bytes of a frame; refuses a body over FRAME_MAX_BYTES."""
    if len(body) > FRAME_MAX_BYTES:
        raise FrameBroken(f"a body of {len(body)} bytes is over the limit of {FRAME_MAX_BYTES}")
    return HEAD.pack(kind, len(body)) + body


def cut(buffer: bytearray) -> tuple[bytes, bytes] | None:
    """Take the first whole frame (kind, body) out of what has arrived so far, or None."""
    if len(buffer) < HEAD.size:
        return None
    kind, size = _checked(buffer[: HEAD.size])
    if len(buffer) < HEAD.size + size:
        return None
    body = bytes(buffer[HEAD.size : HEAD.size + size])
    del buffer[: HEAD.size + size]
    return kind, body


def read_frame(stream: BinaryIO) -> tuple[bytes, bytes] | None:
    """The next frame (kind, body), or None where the stream has ended between two frames. Blocks."""
    head = stream.read(HEAD.size)
    if not head:
        return None
    if len(head) < HEAD.size:
        raise FrameBroken("the stream ended within a frame")
    kind, size = _checked(head)
    body = stream.read(size)
    if len(body) < size:
        raise FrameBroken("the stream ended within a frame")
    return kind, body


def write_frame(stream: BinaryIO, kind: bytes, body: bytes) -> None:
    """Write one frame and flush it. Blocks."""
    stream.write(frame(kind, body))
    stream.flush()


def attempt(handle: Handle, body: bytes) -> tuple[bytes, bytes]:
    """Run `handle`: (DONE, its answer), or (ERROR, what it raised as text)."""
    try:
        return DONE, handle(body)
    except Exception as error:  # noqa: BLE001 - a strategy may raise anything; it becomes the job's error and no more
        return ERROR, f"{type(error).__name__}: {error}"[:REASON_MAX_CHARS].encode(errors="replace")


def serve(read: BinaryIO, write: BinaryIO, handle: Handle) -> None:
    """Answer job frames until the stream ends; an exception is answered as an error, and the next job is served."""
    while (arrived := read_frame(read)) is not None:
        kind, answer = attempt(handle, arrived[1])
        if len(answer) > FRAME_MAX_BYTES:
            kind, answer = ERROR, f"an answer of {len(answer)} bytes is over the limit".encode()
        write_frame(write, kind, answer)


def serve_stdio(handle: Handle) -> None:
    """Serve on stdin and stdout, as a worker's whole life: it ends with the desk, even in the middle of a job.

    What the handle prints goes to stderr, not among the frames.
    """
    threading.Thread(target=_end_with_the_desk, daemon=True).start()
    out = os.dup(1)
    os.dup2(2, 1)
    try:
        with open(out, "wb") as write:
            serve(sys.stdin.buffer, write, handle)
    except BrokenPipeError:
        return  # the desk is gone: so is the work


def _end_with_the_desk() -> None:
    # Nobody is left to kill a hung job once the desk was killed. Asked for no event, poll tells of the end only.
    end = select.poll()
    end.register(0, 0)
    end.poll()
    os._exit(0)


def _checked(head: bytes | bytearray) -> tuple[bytes, int]:
    kind, size = HEAD.unpack(head)
    if kind not in {JOB, DONE, ERROR} or size > FRAME_MAX_BYTES:
        raise FrameBroken(f"no frame begins with {bytes(head)!r}")
    return kind, size
