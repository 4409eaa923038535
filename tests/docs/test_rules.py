"""docs/rules.md against the tables: every one with its rows, its span and how far it can be trusted."""

from collections import Counter
from collections.abc import Sequence

from participant.config import load_rules
from participant.core.rulerows import Confidence, Dated
from participant.wire.rules import FILES
from tests.docs.pages import rows, text

RULES = load_rules()


def table() -> list[list[str]]:
    """A line for each table of rules/*.toml: file, name, rows, span, and how many rows of each confidence."""
    return [line(file, name) for file, kind in FILES.items() for name in kind.__struct_fields__]


def line(file: str, name: str) -> list[str]:
    found: Sequence[Dated] = getattr(RULES, name)
    counted = Counter(row.confidence for row in found)
    ends = [row.until for row in found]
    last = "" if None in ends else max(str(end) for end in ends)
    span = f"{min(row.since for row in found)} to {last}" if last else f"{min(row.since for row in found)} on"
    return [f"`{file}`", f"`{name}`", str(len(found)), span, *(str(counted[c]) for c in Confidence)]


def test_the_page_has_every_table_with_its_rows_its_span_and_their_confidence() -> None:
    written = [row for row in rows(text("docs/rules.md")) if row[0].endswith(".toml`")]
    wanted = table()
    assert written == wanted, "\n".join(f"| {' | '.join(row)} |" for row in wanted)


def test_every_row_names_a_source_and_says_how_far_it_can_be_trusted() -> None:
    found = [row for kind in FILES.values() for name in kind.__struct_fields__ for row in getattr(RULES, name)]
    assert len(found) == sum(int(row[2]) for row in table())
    assert [row for row in found if len(row.source.strip()) < 10 or row.confidence not in Confidence] == []
    # Words that say where a thing is known from: a circular or a page, the press, a broker, our own measurement.
    assert [row.source for row in found if row.source.strip().lower() in ("unknown", "none", "n/a", "todo")] == []
