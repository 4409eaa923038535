"""All cases of QuickFIX's acceptance definitions, what became of each, and their table for docs/fix-session.md.

python -m tests.wire.fix_conformance     write the table anew
"""

from tests.source import ROOT
from tests.wire import fix_cases_content, fix_cases_numbers
from tests.wire.fix_cases import Case, Failed, Player

CASES: dict[str, Case] = {**fix_cases_numbers.CASES, **fix_cases_content.CASES}
VERSIONS = ("FIX.4.4", "FIX.4.2")
PAGE = ROOT / "docs" / "fix-session.md"
HEAD = "| case | what must happen | 4.4 | 4.2 |\n|---|---|---|---|\n"


def play(name: str, version: str) -> None:
    """Play a case; Failed where the session does otherwise."""
    script = CASES[name].script
    for reason in ("13", "14", "16"):  # FIX 4.2 knows reasons up to 11
        script = script.replace(f"{{{reason}}}", f"373={reason}" if version == "FIX.4.4" else "!373")
    Player(version).play(script)


def result(name: str, version: str) -> str:
    """What became of a case, in a word."""
    if version not in CASES[name].versions:
        return "none"
    try:
        play(name, version)
    except Failed:
        return "**fails**"
    return "passes"


def table() -> str:
    """A row a case."""
    rows = []
    for name, case in sorted(CASES.items()):
        says = f"{case.says}. ({case.note}.)" if case.note else f"{case.says}."
        rows.append(f"| `{name}` | {says} | {' | '.join(result(name, version) for version in VERSIONS)} |\n")
    return HEAD + "".join(rows)


def on_the_page() -> str:
    """The table as it stands in the page."""
    page = PAGE.read_text(encoding="utf-8")
    begin = page.index(HEAD)
    return page[begin:].split("\n\n", 1)[0].rstrip("\n") + "\n"


if __name__ == "__main__":
    PAGE.write_text(PAGE.read_text(encoding="utf-8").replace(on_the_page(), table()), encoding="utf-8")
