"""The whole ingest: a socket, FIX, books, arbitration, states on the queue; how many messages, how late, how it grows.

    python -m bench.ingest [--messages N] [--seconds N] [--contracts N ...] [--out FILE]

A provider in a process of its own sends messages made beforehand. Throughput: as fast as they are taken, on one core.
Latency: 1,000 a second, each with the mark of its instant, from before its last byte is sent to its state being on the
queue; beside it what an echo of as many bytes takes. docs/feeds.md says more.
"""

import argparse
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from msgspec.structs import asdict

from bench.environment import ROOT
from bench.ingest_market import Asked, references
from participant.adapters.clocks.system import SystemClock
from participant.adapters.feeds.fix import FixFeed
from participant.adapters.queues.sqlite import QueueSettings, SqliteQueue
from participant.adapters.stores.sqlite import SqliteStore
from participant.core.feed_rules import Arbitration
from participant.core.messages import Message, QueueDepth
from participant.links.doorbell import Doorbell
from participant.stages.ingest import Ingest, IngestPorts

SECOND = 1_000_000_000
LIMIT_S = 180.0
RATE = 1_000
ECHO_BYTES = 300
HOST = "127.0.0.1"


class Noted:
    """The desk's queue, which also notes when each instant was on it."""

    def __init__(self, queue: SqliteQueue) -> None:
        self._queue = queue
        self.at: dict[str, int] = {}
        self.states = 0

    def put(self, messages: Sequence[Message]) -> int:
        new = self._queue.put(messages)
        self.at[messages[-1].id.removeprefix("mark-")] = time.monotonic_ns()
        self.states += len(messages) - 1
        return new

    def take(self, limit: int, wait_s: float) -> list[Message]:
        return self._queue.take(limit, wait_s)

    def done(self, ids: Sequence[str]) -> None:
        self._queue.done(ids)

    def back(self, ids: Sequence[str], delay_s: float) -> None:
        self._queue.back(ids, delay_s)

    def bury(self, ids: Sequence[str], reason: str) -> None:
        self._queue.bury(ids, reason)

    def depth(self) -> QueueDepth:
        return self._queue.depth()


class Desk:
    """The ingest of a desk with one provider: the real adapters, stage, store and queue."""

    def __init__(self, home: Path, asked: Asked, port: int, every_ms: int) -> None:
        clock, store = SystemClock(), SqliteStore(home / "market.sqlite", is_durable=False)
        bell, settings = Doorbell(home, "market"), QueueSettings(60.0, 5, is_durable=False)
        queue = SqliteQueue(home / "market.sqlite", "market", "ingest", bell, settings)
        self.queue = Noted(queue)
        self.feed = FixFeed("one", (HOST, port), clock)
        self._closed = (self.feed, queue, bell, store)
        ports = IngestPorts({"one": self.feed}, self.queue, store, clock)
        self.stage = Ingest(ports, references(asked), Arbitration(snapshot_every_ms=every_ms))

    def close(self) -> None:
        """End the link, and let go of the files."""
        for one in self._closed:
            one.close()

    def until_told(self) -> None:
        """Run until the snapshot has been published."""
        limit = time.monotonic() + LIMIT_S
        while not self.queue.at:
            self.stage.step(0.05)
            assert time.monotonic() < limit, "no snapshot came"

    def until_over(self) -> None:
        """Run until the last instant has been published."""
        limit = time.monotonic() + LIMIT_S
        arbiter = self.stage.arbiter
        while not arbiter.last_at or self.stage.published_at < arbiter.last_at:
            self.stage.step(0.05)
            assert time.monotonic() < limit, f"it has not ended: {arbiter.judgement.standings}"


@contextlib.contextmanager
def provider(asked: Asked) -> Iterator[tuple["subprocess.Popen[str]", int, int]]:
    """The sender: its process, its port for FIX, its port for echoes."""
    command = [sys.executable, str(ROOT / "bench" / "ingest_sender.py"), json.dumps(asdict(asked))]
    alone = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=alone) as process:
        assert process.stdout is not None
        fix, plain = json.loads(process.stdout.readline())
        yield process, fix, plain
        process.wait(LIMIT_S)


@contextlib.contextmanager
def one_core() -> Iterator[None]:
    """All threads that are begun meanwhile share a core: the sender, which is there already, keeps to all of them."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def go(process: "subprocess.Popen[str]") -> None:
    """Let the sender take its next step."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def throughput(asked: Asked, every_ms: int) -> dict[str, Any]:
    """Messages a second of wall time and of the core's time, with all threads of ingest on one core."""
    with tempfile.TemporaryDirectory() as home, provider(asked) as (process, fix, plain), one_core():
        desk = Desk(Path(home), asked, fix, every_ms)
        desk.until_told()
        before = desk.stage.arbiter.boards["one"].tally.ticks
        go(process)
        began, work = time.monotonic(), time.process_time()
        desk.until_over()
        took, worked = time.monotonic() - began, time.process_time() - work
        ticks = desk.stage.arbiter.boards["one"].tally.ticks - before
        go(process)
        desk.close()
        socket.create_connection((HOST, plain)).close()
    return {"messages": asked.messages, "contracts": asked.contracts, "wall_s": took, "core_s": worked,
            "ticks": ticks, "states": desk.queue.states, "instants": len(desk.queue.at),
            "counts": dict(desk.feed.counts)}  # fmt: skip


def latency(asked: Asked, every_ms: int) -> dict[str, Any]:
    """Microseconds from a message's last byte to its state on the queue, and those of an echo."""
    with tempfile.TemporaryDirectory() as home, provider(asked) as (process, fix, plain):
        assert process.stdout is not None
        desk = Desk(Path(home), asked, fix, every_ms)
        desk.until_told()
        go(process)
        work = time.process_time()
        desk.until_over()
        worked = time.process_time() - work
        go(process)
        sent = json.loads(process.stdout.readline())
        desk.close()
        floor = echoes(plain, min(asked.messages, 3_000))
    us = sorted((desk.queue.at[at] - when) / 1_000 for at, when in sent.items() if at in desk.queue.at)
    return {"contracts": asked.contracts, "every_ms": every_ms, "states": len(us), "messages": asked.messages,
            "core_share": worked * RATE / asked.messages, "us": quantiles(us), "echo_us": quantiles(floor)}  # fmt: skip


def echoes(port: int, count: int) -> list[float]:
    """There and back, at the same pace."""
    us: list[float] = []
    with socket.create_connection((HOST, port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(count):
            time.sleep(1 / RATE)
            began = time.monotonic_ns()
            connection.sendall(b"x" * ECHO_BYTES)
            left = ECHO_BYTES
            while left:
                left -= len(connection.recv(left))
            us.append((time.monotonic_ns() - began) / 1_000)
    return sorted(us)


def quantiles(us: Sequence[float]) -> dict[str, float]:
    """Median and 99th percentile of sorted values."""
    return {"p50": median(us), "p99": us[len(us) * 99 // 100]}


def main(words: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench.ingest")
    parser.add_argument("--messages", type=int, default=300_000)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--contracts", type=int, nargs="+", default=[10, 100, 1_000, 5_000])
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args(words)
    runs = [(contracts, every_ms) for contracts in asked.contracts for every_ms in (0, 100)]
    late = [latency(Asked(n, asked.seconds * RATE, RATE, lead_ns=-SECOND // 2), every) for n, every in runs]
    many = [throughput(Asked(n, asked.messages, mark_every=50), 100) for n in asked.contracts]
    load = os.getloadavg()[0]
    describe(late, many, load)
    if asked.out:
        asked.out.write_text(json.dumps({"load": load, "latency": late, "throughput": many}) + "\n", encoding="utf-8")


def describe(late: list[dict[str, Any]], many: list[dict[str, Any]], load: float) -> None:
    """The tables of docs/feeds.md."""
    print(f"load {load:.1f}\n| contracts | messages/s, wall | of a core | ticks | states |\n|---:|---:|---:|---:|---:|")
    for row in many:
        wall, core = (row["messages"] / row[name] for name in ("wall_s", "core_s"))
        print(f"| {row['contracts']:,} | {wall:,.0f} | {core:,.0f} | {row['ticks']:,} | {row['states']:,} |")
    print("| contracts | snapshot_every_ms | states | p50 | p99 | echo p50 | p99 | core |\n" + "|---:" * 8 + "|")
    for row in late:
        ours, echo = row["us"], row["echo_us"]
        shown = " | ".join(f"{us:,.0f}" for us in (ours["p50"], ours["p99"], echo["p50"], echo["p99"]))
        print(f"| {row['contracts']:,} | {row['every_ms']} | {row['states']:,} | {shown} | {row['core_share']:.0%} |")


if __name__ == "__main__":
    main(sys.argv[1:])
