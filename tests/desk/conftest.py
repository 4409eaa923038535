"""The undisturbed day that other days are compared with; made once a test process."""

from pathlib import Path

import pytest

from tests.desk.runs import MADE, Ended, trade


@pytest.fixture(scope="session")
def calm(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ended]:
    """The home of a day on which nothing goes wrong, and how it ended."""
    home = tmp_path_factory.mktemp("calm") / "home"
    return home, trade(home, *MADE)
