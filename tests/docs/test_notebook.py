"""The notebook of the documents runs as it stands, and shows what it says that it shows."""

from pathlib import Path

import pytest

from tests.docs.notebook import read, run, text_of


# The client of a kernel opens sockets that its own garbage collection closes.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::RuntimeWarning")
def test_every_cell_runs_and_prints_what_the_page_shows(tmp_path: Path) -> None:
    shown, now = read(), run(tmp_path)
    assert [text_of(cell) for cell in now.cells] == [text_of(cell) for cell in shown.cells], (
        "the notebook shows other figures: python -m tests.docs.notebook writes them anew"
    )
    assert any("image/png" in output.get("data", {}) for cell in now.cells for output in cell.get("outputs", ()))
