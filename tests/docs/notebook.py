"""Runs the notebook of the documents; `python -m tests.docs.notebook` writes what its cells show anew."""

import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path("docs/first-backtest.ipynb")
TIMEOUT_S = 600


def read() -> Any:
    """The notebook as the page shows it."""
    return nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]  # nbformat has half its types


def run(folder: Path) -> Any:
    """The notebook with what its cells show now, run in a kernel of its own in `folder`; raises where a cell does."""
    book = read()
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    NotebookClient(
        book, timeout=TIMEOUT_S, resources={"metadata": {"path": str(folder)}}, record_timing=False
    ).execute()
    return book


def text_of(cell: Any) -> str:
    """What a cell printed."""
    return "".join(output.get("text", "") for output in cell.get("outputs", ()))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        nbformat.write(run(Path(scratch)), NOTEBOOK)  # type: ignore[no-untyped-call]  # nbformat has half its types
