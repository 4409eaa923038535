"""The documents agree with each other and with the command line, the Makefile and the order table."""

import argparse
import re
import shlex

import pytest

from participant.cli import parser
from participant.core.order import TRANSITIONS
from tests.docs.pages import blocks, pages, rows, section, text
from tests.source import ROOT

LINK = re.compile(r"(?<!`)\[[^\]\n]*\]\(([^)\s]+)\)")
INTERNAL = {"process", "brain"}  # `trade` and its processes start them; nobody types them


def headings(page: str) -> set[str]:
    """The anchors of a page, as its readers' sites make them."""
    said = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in said}


def test_every_link_leads_to_a_file_and_a_heading_that_exist() -> None:
    broken = []
    for page in pages():
        for target in LINK.findall(page.read_text(encoding="utf-8")):
            if "://" in target:
                continue
            name, _, anchor = target.partition("#")
            file = (page.parent / name) if name else page
            is_whole = file.exists() and (not anchor or anchor in headings(file.read_text(encoding="utf-8")))
            broken += [] if is_whole else [f"{page.relative_to(ROOT)}: {target}"]
    assert not broken


def test_the_first_two_commands_of_the_readme_are_make_run_and_make_test() -> None:
    first = blocks(text("README.md"), "sh")[0].splitlines()
    assert [line.split("#")[0].strip() for line in first] == ["make run", "make test"]


def test_every_make_target_that_a_document_names_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", text("Makefile"), re.MULTILINE))
    named = {name for page in pages() for name in re.findall(r"`make ([a-z]+)", page.read_text(encoding="utf-8"))}
    assert named
    assert named <= targets


def test_every_command_in_a_block_is_understood_by_the_command_line() -> None:
    lines = [
        line
        for page in pages()
        for block in blocks(page.read_text(encoding="utf-8"), "sh")
        for line in block.splitlines()
        if line.startswith("participant ")
    ]
    assert len(lines) >= 8
    for line in lines:
        parser().parse_args(shlex.split(line, comments=True)[1:])


def test_the_readmes_table_has_every_command_and_no_other() -> None:
    table = section(text("README.md"), "Commands")
    named = {re.sub(r" [A-Z\[].*", "", name) for name in re.findall(r"^\| `participant ([^`]+)`", table, re.MULTILINE)}
    assert named == set(commands(parser())) - INTERNAL


def commands(of: argparse.ArgumentParser, before: str = "") -> list[str]:
    """The names of all commands that run something: `trade`, `desk list`."""
    found = []
    for action in of._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, child in action.choices.items():
                found += commands(child, f"{before}{name} ") or [before + name]
    return found


def test_every_option_that_a_document_names_exists() -> None:
    known = {
        option for command in every_parser(parser()) for action in command._actions for option in action.option_strings
    }
    ours = [*(p for p in pages() if p.parent.name != "decisions" and p.name != "CONTRIBUTING.md")]
    named = {name for page in ours for name in re.findall(r"`(--[a-z-]+)", page.read_text(encoding="utf-8"))}
    assert named
    assert named <= known


def every_parser(of: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """A parser and all below it."""
    below = [c for a in of._actions if isinstance(a, argparse._SubParsersAction) for c in a.choices.values()]
    return [of, *(p for child in below for p in every_parser(child))]


def test_the_table_of_statuses_is_that_of_the_code() -> None:
    said = {
        cells[0].strip("`"): dict(re.findall(r"([a-z ]+) → `(\w+)`", cells[2]))
        for cells in rows(section(text("ARCHITECTURE.md"), "The life of an order"))
    }
    code = {str(status): {str(h): str(after) for h, after in row.items()} for status, row in TRANSITIONS.items()}
    assert {s: {h.strip(): after for h, after in row.items()} for s, row in said.items()} == code


@pytest.mark.parametrize("words", ["not advice", "paper by default", "own account only", "lose more than the premium"])
def test_the_readmes_first_screen_says_what_must_be_said(words: str) -> None:
    first_screen = text("README.md").partition("\n## ")[0].lower()
    assert words in first_screen


def test_the_picture_is_a_small_png() -> None:
    picture = (ROOT / "docs" / "images" / "desk.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < 300_000
    assert "docs/images/desk.png" in text("README.md").partition("\n## ")[0]
