"""docs/write-a-strategy.md, done as it says: its files are installed, trade a day, and pass their own test."""

import importlib
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.docs.pages import blocks, rows, section, text
from tests.source import ROOT, SRC

LIMIT_S = 300
PAGE = text("docs/write-a-strategy.md")
FILES = dict(re.findall(r"^`([\w.]+)`\n\n```\w+\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
COMMANDS = [shlex.split(line) for line in blocks(PAGE, "sh")[1].splitlines()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page's files, and the package installed beside them as its user would, but without a network."""
    folder = tmp_path_factory.mktemp("written") / "put_spread"
    folder.mkdir()
    for name, body in FILES.items():
        (folder / name).write_text(body, encoding="utf-8")
    assert blocks(PAGE, "sh")[0] == "pip install .\n"
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check", "--quiet"]
    done(run(folder, sys.executable, "-m", "pip", "install", *offline, "--target", "installed", "."))
    return folder


@pytest.fixture(scope="module")
def traded(folder: Path) -> str:
    """The id of the decision of the day that opened."""
    trade, replay, grep, *_ = COMMANDS
    assert "filled" in done(participant(folder, trade))
    assert ", 0 not, " in done(participant(folder, replay))
    day = (folder / grep[-1]).read_text().splitlines()
    (opened,) = (line for line in day if '"action":"open"' in line)
    listed = re.findall(grep[2], "\n".join(day))
    (mine,) = (one for one in listed if one in opened)
    return str(mine.split('"')[3])


def participant(folder: Path, command: list[str]) -> subprocess.CompletedProcess[str]:
    assert command[0] == "participant"
    return run(folder, sys.executable, "-m", *command)


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, cwd=folder, env=environment(folder), capture_output=True, text=True, timeout=LIMIT_S, check=False
    )


def environment(folder: Path) -> Mapping[str, str]:
    where = os.pathsep.join([str(SRC), str(folder / "installed")])
    return {"PATH": os.environ["PATH"], "PYTHONPATH": where, "PYTHONIOENCODING": "utf-8", "HOME": str(folder)}


def done(ended: subprocess.CompletedProcess[str]) -> str:
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_its_files_are_whole_and_as_the_house_writes_them(folder: Path) -> None:
    assert set(FILES) == {"pyproject.toml", "put_spread.py", "participant.toml", "test_put_spread.py"}
    code = [name for name in FILES if name.endswith(".py")]
    config = ["--no-cache", "--config", str(ROOT / "pyproject.toml")]
    done(run(folder, sys.executable, "-m", "ruff", "format", "--check", *config, *code))
    done(run(folder, sys.executable, "-m", "ruff", "check", *config, "--ignore", "INP,S,D,I", *code))


def test_its_row_of_the_watchlist_is_taken_and_its_settings_are_held_to_what_it_says(folder: Path) -> None:
    assert '"distance": 0.03' in done(participant(folder, ["participant", "config", "check"]))
    body = FILES["participant.toml"].replace("distance = 0.03", "distance = 0.6")
    (folder / "wrong.toml").write_text(body, encoding="utf-8")
    refused = participant(folder, ["participant", "config", "check", "--config", "wrong.toml"])
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "[watchlist.settings] of NIFTY, for put_spread" in refused.stderr


def test_the_commands_of_the_page_do_what_it_says_and_its_own_test_passes(folder: Path, traded: str) -> None:
    explain, decide = (
        ["participant" if w == "participant" else w.replace("ID", traded) for w in c] for c in COMMANDS[3:]
    )
    explained = done(participant(folder, explain))
    assert "strategy put_spread" in explained
    assert explained.count("order   ") == 2
    assert '"action":"open"' in done(participant(folder, decide))
    ran = done(run(folder, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_put_spread.py"))
    assert "2 passed" in ran


def test_every_name_of_the_toolkit_is_there() -> None:
    missing = []
    for modules, names in rows(section(PAGE, "The toolkit")):
        found = [importlib.import_module(f"participant.core.{name}") for name in re.findall(r"`(\w+)`", modules)]
        listed = re.findall(r"`(\w+)`", names)
        missing += [name for name in listed if not any(hasattr(module, name) for module in found)]
    assert not missing
