"""docs/controls.md is the code's own table: every control, its rule, its limits with their defaults, its test."""

import inspect
import re
import tomllib

from participant.core.limits import Limits
from participant.core.risk import CHECKS
from participant.links.limits import paper_limits
from participant.wire.limits import NAMES
from tests.docs.pages import rows, text
from tests.source import ROOT

PAGE = text("docs/controls.md")
TABLE = [cells for cells in rows(PAGE) if len(cells) == 5]
OTHERS = [cells for cells in rows(PAGE) if len(cells) == 3]


def limits_in(cell: str) -> dict[str, object]:
    return {name: tomllib.loads(f"it = {value}")["it"] for name, value in re.findall(r"`(\w+)` = ([\w.]+)", cell)}


def test_the_table_has_every_control_in_the_order_in_which_they_are_asked() -> None:
    assert [(c[0], c[1].strip("`")) for c in TABLE] == [(one.id, one.rule) for one in CHECKS]


def test_the_table_says_of_each_rule_what_its_code_says() -> None:
    said = [" ".join((inspect.getdoc(one.check) or "").split("\n\n")[0].split()) for one in CHECKS]
    assert [cells[2] for cells in TABLE] == said


def test_the_table_gives_the_limits_of_each_control_with_their_defaults() -> None:
    for cells, one in zip(TABLE, CHECKS, strict=True):
        assert limits_in(cells[3]) == {name: getattr(Limits(), name) for name in one.limits}, one.rule


def test_every_limit_belongs_to_a_control_and_to_the_file_that_ships_with_a_remark() -> None:
    told = {name for cells in (*TABLE, *OTHERS) for cell in cells for name in limits_in(cell)}
    assert told == set(NAMES)
    assert set(tomllib.loads(paper_limits().body)) == set(NAMES)


def test_every_pre_trade_control_is_in_one_of_the_tables() -> None:
    assert {cells[0] for cells in (*TABLE, *OTHERS)} == {f"PT-{i:02}" for i in range(1, 24)}


def test_every_test_that_the_tables_name_exists() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "tests").rglob("test_*.py")))
    named = {name for cells in (*TABLE, *OTHERS) for name in re.findall(r"`(test_\w+)`", cells[-1])}
    assert len(named) > 20
    assert [name for name in sorted(named) if f"def {name}(" not in code] == []


def test_the_log_page_names_every_field_of_an_entry() -> None:
    from participant.core.journal import Entry

    page = text("docs/log.md")
    assert [name for name in Entry.__struct_fields__ if f"`{name}`" not in page] == []
