"""The FIX session in storms (`fix_storm`): numbers never go back, nothing comes twice, and nothing is lost."""

import os

import pytest

from tests.wire import fix_storm

SEEDS = int(os.environ.get("PARTICIPANT_SEEDS", "40"))
BLOCK = 20
# Of the thread's own time; in the long run alone, which traces nothing. In others only what does not end is told.
WORK_MAX_S = 0.1 if "PARTICIPANT_SEEDS" in os.environ else 10.0


@pytest.mark.parametrize("first", range(0, SEEDS, BLOCK))
def test_a_counterpart_that_says_anything_breaks_nothing(first: int) -> None:
    counts = [fix_storm.hostile(seed) for seed in range(first, min(first + BLOCK, SEEDS))]
    assert sum(count.received for count in counts) > 0
    assert max(count.slowest_s for count in counts) < WORK_MAX_S


@pytest.mark.parametrize("first", range(0, SEEDS, BLOCK))
def test_a_wire_that_spoils_loses_nothing_and_doubles_nothing(first: int) -> None:
    counts = [fix_storm.spoilt(seed) for seed in range(first, min(first + BLOCK, SEEDS))]
    assert sum(count.received for count in counts) > 0
