"""What every test shares: properties that draw the same examples each time, and the number of simulated days."""

import os

import pytest
from hypothesis import HealthCheck, settings

SEEDS_DEFAULT = 500
SEEDS_A_BLOCK = 25

# How long drawing an example takes says how busy the machine is, and nothing of the code.
SLOW = [HealthCheck.too_slow]
settings.register_profile("participant", derandomize=True, deadline=None, database=None, suppress_health_check=SLOW)
settings.load_profile("participant")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--seeds",
        type=int,
        default=int(os.environ.get("PARTICIPANT_SEEDS", SEEDS_DEFAULT)),
        help="simulated days in tests/sim (default %(default)s; PARTICIPANT_SEEDS does the same)",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for `seed_block` runs once a block of seeds, so that the cores share them."""
    if "seed_block" in metafunc.fixturenames:
        count = metafunc.config.getoption("--seeds")
        blocks = [range(first, min(first + SEEDS_A_BLOCK, count)) for first in range(0, count, SEEDS_A_BLOCK)]
        metafunc.parametrize("seed_block", blocks, ids=[f"seeds {block.start}-{block.stop - 1}" for block in blocks])


@pytest.fixture(scope="session")
def seeds(pytestconfig: pytest.Config) -> range:
    """All the seeds at once, for a test that walks them itself."""
    return range(pytestconfig.getoption("--seeds"))
