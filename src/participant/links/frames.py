"""Frames on a pipe between the desk and a worker: one byte of kind, four of length (big-endian), then the body.

A job's body begins with its deadline: eight bytes, nanoseconds of the machine's monotonic clock, which all of its
processes share.
"""

import struct
from typing import BinaryIO

HEAD = struct.Struct(">cI")
DEADLINE = struct.Struct(">q")
FRAME_MAX_BYTES = 64 * 1024 * 1024

JOB = b"j"
DONE = b"d"
ERROR = b"e"
LATE = b"l"  # the deadline is over: nothing of the job counts
FULL = b"f"  # an error for want of memory: who says so ends, and another takes its place

KINDS = frozenset({JOB, DONE, ERROR, LATE, FULL})


class FrameBroken(Exception):
    """What came is no frame: cut short, too long, or of an unknown kind."""


def frame(kind: bytes, body: bytes) -> bytes:
    """The bytes of a frame; refuses a body over FRAME_MAX_BYTES."""
    if len(body) > FRAME_MAX_BYTES:
        raise FrameBroken(f"a body of {len(body)} bytes is over the limit of {FRAME_MAX_BYTES}")
    return HEAD.pack(kind, len(body)) + body


def job_frame(deadline_ns: int, body: bytes) -> bytes:
    """The bytes of a job's frame; refuses a body over FRAME_MAX_BYTES."""
    return frame(JOB, DEADLINE.pack(deadline_ns) + body)


def asked(body: bytes) -> tuple[int, bytes]:
    """The deadline (ns) and the input in the body of a job's frame."""
    if len(body) < DEADLINE.size:
        raise FrameBroken(f"a job of {len(body)} bytes has no deadline")
    return DEADLINE.unpack_from(body)[0], body[DEADLINE.size :]


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


def _checked(head: bytes | bytearray) -> tuple[bytes, int]:
    kind, size = HEAD.unpack(head)
    if kind not in KINDS or size > FRAME_MAX_BYTES:
        raise FrameBroken(f"no frame begins with {bytes(head)!r}")
    return kind, size
