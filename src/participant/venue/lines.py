"""A provider's line to one client: bounded, in order, as late as its delay; and what may go wrong on it."""

import asyncio
import contextlib
from collections.abc import Coroutine
from random import Random
from typing import Annotated, Generic, TypeVar

from msgspec import Meta, Struct

BATCHES_MAX = 2_000
GARBLED_BYTES = 8

Share = Annotated[float, Meta(ge=0.0, le=1.0)]
T = TypeVar("T")


class FeedFaults(Struct, frozen=True, forbid_unknown_fields=True):
    """What goes wrong at a provider: shares (0..1) of the messages of its stream, a delay, and dead silence.

    Snapshots and the session's own messages are late and silent with the rest, but never lost, repeated or garbled.
    """

    drop: Share = 0.0
    duplicate: Share = 0.0
    garble: Share = 0.0
    delay_ms: Annotated[int, Meta(ge=0, le=60_000)] = 0
    is_silent: bool = False


class Batch(Struct, Generic[T], frozen=True):
    """What goes out together. `seq` is the stream's number after it; a steady batch is spared the stream's faults."""

    payloads: tuple[T, ...]
    seq: int = 0
    is_steady: bool = False


class LineLost(Exception):
    """The client did not read in time."""


class Line(Generic[T]):
    """Batches on their way to one client, which is fresh until it was given a snapshot."""

    def __init__(self) -> None:
        self.is_fresh = True
        self._waiting: asyncio.Queue[tuple[float, Batch[T]]] = asyncio.Queue(BATCHES_MAX)
        self._is_lost = False

    def put(self, batch: Batch[T], delay_ms: int) -> None:
        """Send a batch, that much later. Never waits: a client with BATCHES_MAX waiting is given up."""
        if self._waiting.full():
            self._is_lost = True
            return
        self._waiting.put_nowait((asyncio.get_running_loop().time() + delay_ms / 1000, batch))

    async def take(self, wait_s: float) -> Batch[T] | None:
        """The next batch when it is due; None after `wait_s` without one."""
        try:
            async with asyncio.timeout(wait_s):
                due, batch = await self._waiting.get()
        except TimeoutError:
            return None
        if self._is_lost:
            raise LineLost(f"{BATCHES_MAX} batches were not read")
        wait = due - asyncio.get_running_loop().time()
        if wait > 0:
            await asyncio.sleep(wait)
        return batch


class Fate:
    """Draws what becomes of each message of a stream, by the faults in force; the same for the same seed."""

    def __init__(self, seed: str) -> None:
        self.faults = FeedFaults()
        self._rng = Random(seed)

    def copies(self, batch: Batch[T]) -> int:
        """How often the next message of a batch goes out."""
        if self.faults.is_silent:
            return 0
        if batch.is_steady:
            return 1
        if self._falls(self.faults.drop):
            return 0
        return 2 if self._falls(self.faults.duplicate) else 1

    def spoilt(self, batch: Batch[T], data: bytes) -> bytes:
        """The message's bytes as they go out."""
        if batch.is_steady or not self._falls(self.faults.garble):
            return data
        at = self._rng.randrange(max(1, len(data) - GARBLED_BYTES))
        return data[:at] + bytes(min(GARBLED_BYTES, len(data) - at)) + data[at + GARBLED_BYTES :]

    def _falls(self, share: float) -> bool:
        return share > 0.0 and self._rng.random() < share


async def first_of(*works: Coroutine[None, None, None]) -> None:
    """Run these together until the first ends, then end the others; what the first raised is raised."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
