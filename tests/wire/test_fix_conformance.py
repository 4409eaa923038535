"""Every case of QuickFIX's public acceptance definitions, FIX 4.4 and 4.2, and the page that lists them."""

import pytest

from tests.wire.fix_cases import Failed, Player
from tests.wire.fix_conformance import CASES, VERSIONS, on_the_page, play, table


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", sorted(CASES))
def test_a_case_of_the_acceptance_definitions(name: str, version: str) -> None:
    if version in CASES[name].versions:
        play(name, version)


def test_the_page_lists_every_case_with_its_result() -> None:
    assert len(CASES) == 59
    assert on_the_page() == table(), "write it anew: python -m tests.wire.fix_conformance"


@pytest.mark.parametrize(
    "script",
    [
        "> A 1 98=0 108=30",  # the answer is not looked for
        "> A 1 98=0 108=30\n< A 2",
        "> A 1 98=0 108=30\n< A 1 108=31",
        "> A 1 98=0 108=30\n< A 1 !108",
        "> A 1 98=0 108=30\n< A 1\nover",
        "> A 1 98=0 108=30\n< A 1\n> 0 2\n< 0 2",
        "shout",
    ],
)
def test_a_script_that_is_not_so_fails(script: str) -> None:
    with pytest.raises(Failed):
        Player("FIX.4.4").play(script)
