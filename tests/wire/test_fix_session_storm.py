"""The FIX session in storms (`fix_storm`): numbers never go back, nothing comes twice, and nothing is lost."""

import gc
import os
from collections.abc import Iterator

import pytest

from tests.wire import fix_storm

SEEDS = int(os.environ.get("PARTICIPANT_SEEDS", "40"))
BLOCK = 20
WORK_MAX_S = 0.1  # of the thread's own time, so that it is no matter of the machine's load


@pytest.fixture(autouse=True)
def no_pauses() -> Iterator[None]:
    """What the collector does for thousands of other tests' objects is no work of a session's step."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("first", range(0, SEEDS, BLOCK))
def test_a_counterpart_that_says_anything_breaks_nothing(first: int) -> None:
    counts = [fix_storm.hostile(seed) for seed in range(first, min(first + BLOCK, SEEDS))]
    assert sum(count.received for count in counts) > 0
    assert max(count.slowest_s for count in counts) < WORK_MAX_S


@pytest.mark.parametrize("first", range(0, SEEDS, BLOCK))
def test_a_wire_that_spoils_loses_nothing_and_doubles_nothing(first: int) -> None:
    counts = [fix_storm.spoilt(seed) for seed in range(first, min(first + BLOCK, SEEDS))]
    assert sum(count.received for count in counts) > 0
