"""The project's documents as text, for the tests that hold them against the code."""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.source import ROOT

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\|(.+)\|$", re.MULTILINE)


def pages() -> list[Path]:
    """Every document, the README first."""
    return [ROOT / "README.md", *sorted(p for p in ROOT.glob("*.md") if p.name != "README.md"), *docs()]


def docs() -> list[Path]:
    """The documents in docs/."""
    return sorted((ROOT / "docs").rglob("*.md"))


def text(name: str) -> str:
    """A document by its path from the root."""
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of a page in one language."""
    return [body for name, body in FENCE.findall(page) if name == language]


def section(page: str, heading: str) -> str:
    """What stands under a heading, up to the next one."""
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", page, re.MULTILINE | re.DOTALL)
    assert found, f"no heading {heading!r}"
    return found[1]


def rows(page: str) -> Iterator[list[str]]:
    """The rows of a page's tables, without their heads and rules."""
    lines = [[cell.strip() for cell in row.split("|")] for row in ROW.findall(page)]
    rules = {i for i, cells in enumerate(lines) if set("".join(cells)) <= set("-: ")}
    yield from (cells for i, cells in enumerate(lines) if i not in rules and i + 1 not in rules)
