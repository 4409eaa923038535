"""docs/json-feeds.md shows what works: its mappings, its example, its settings."""

import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from participant.links.presets import shipped
from participant.wire.feed_source import FeedSource
from tests.docs.pages import blocks, rows, text

PAGE = text("docs/json-feeds.md")


def test_the_page_lists_the_mappings_that_ship_with_their_streams() -> None:
    listed = {cells[0].strip("`"): cells[2].strip("`") for cells in rows(PAGE) if len(cells) == 3}
    assert listed == {name: mapping.stream.kind for name, mapping in shipped().items()}


def test_the_mapping_of_the_page_reads_its_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, mapping = blocks(PAGE, "toml")
    (tmp_path / "mine.toml").write_text(mapping)
    (tmp_path / "saved.json").write_text(blocks(PAGE, "json")[0])
    monkeypatch.chdir(tmp_path)
    found: dict[str, Any] = {}
    exec(blocks(PAGE, "python")[0], found)
    (tick,) = found["heard"].ticks
    assert found["heard"].refused == []
    assert found["heard"].seq == 41
    assert tick == type(tick)("NIFTY-20251230-26000CE", 1_013_000, 1_014_500, 150, 75, 1_013_500, 1_764_400_000 * 10**9)


def test_the_configuration_of_the_page_is_understood() -> None:
    (source,) = msgspec.convert(tomllib.loads(blocks(PAGE, "toml")[0])["feeds"], tuple[FeedSource, ...])
    assert source.mapping in shipped()
