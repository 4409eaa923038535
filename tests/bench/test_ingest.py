"""The bench of the whole ingest, on few messages: it ends, and nothing of what was sent is missing."""

import os

from bench.ingest import RATE, SECOND, latency, throughput
from bench.ingest_market import Asked


def test_each_instant_is_late_by_something_and_so_is_its_echo() -> None:
    said = latency(Asked(10, 200, RATE, lead_ns=-SECOND // 2), 0)
    assert 0 < said["states"] <= 200
    assert 0 < said["us"]["p50"] <= said["us"]["p99"]
    assert said["echo_us"]["p50"] > 0


def test_all_that_is_sent_as_fast_as_it_is_taken_is_folded_and_the_cores_are_given_back() -> None:
    cores = os.sched_getaffinity(0)
    said = throughput(Asked(10, 2_000, mark_every=50), 100)
    assert said["ticks"] > 0
    assert said["states"] > 0
    assert said["counts"] == {}
    assert os.sched_getaffinity(0) == cores
