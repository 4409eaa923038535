"""The scenarios that went wrong at others, S01 to S30, and the tests that hold each: `python -m tests.scenarios`.

A test names its scenario at the beginning of its docstring ("S04: ...") or in its name (`test_s04_...`).
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parent

SCENARIOS = {
    "S01": "sent, the answer timed out, the order lives",
    "S02": "a 400 that says 'timed out', accepted 8 s later",
    "S03": "accepted 95 s later, the book empty until then",
    "S04": "a retry is due and the stream acknowledges first",
    "S05": "the book cannot find an order that lives",
    "S06": "a fill seen in the book, and its event later",
    "S07": "restarted twice, the fills come again",
    "S08": "restarted with books and a broker's position",
    "S09": "killed with fourteen orders working",
    "S10": "a position older than the look-back",
    "S11": "the link lost in the middle of a batch of fills",
    "S12": "the stream is well and one fill was never told",
    "S13": "a fill while a change is under way",
    "S14": "a fill of an order that is not known (yet)",
    "S15": "the broker's own liquidation",
    "S16": "expiries: worthless, in cash, on a holiday's eve, an empty row",
    "S17": "placing timed out, no id came back",
    "S18": "the order book hangs",
    "S19": "a broker that takes a tag once",
    "S20": "the breaker's own evaluation fails",
    "S21": "a person's order rests, nothing is held, a halt",
    "S22": "a halt in the middle of a loop over orders",
    "S23": "the token died over night, or on one plane alone",
    "S24": "a second instance begins to send",
    "S25": "a lock that exists and is not wired",
    "S26": "a message that outlives its hiding comes again",
    "S27": "the exchange cancels what rests; a session is extended",
    "S28": "an odd lot after a revision",
    "S29": "one node runs an old build",
    "S30": "a fat finger in a ticket by hand",
}

# What needs a shape that is not built yet: with its reason.
NOT_BUILT: dict[str, str] = {
    "S29": "a desk on several nodes: with the shapes of AWS and Kubernetes",
}


def held() -> Iterator[tuple[str, str]]:
    """(scenario, test) of every test that names one."""
    for file in sorted(TESTS.rglob("test_*.py")):
        nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        for test in (n for n in nodes if isinstance(n, ast.FunctionDef) and n.name.startswith("test_")):
            for number in _named(test):
                yield f"S{number}", f"{file.relative_to(TESTS.parent)}::{test.name}"


def _named(test: ast.FunctionDef) -> list[str]:
    said = re.findall(r"_s(\d\d)(?=_|$)", test.name) + re.findall(r"\bS(\d\d)\b", ast.get_docstring(test) or "")
    return list(dict.fromkeys(said))


def main() -> int:
    """Print the list; 1 where a scenario has no test and no reason."""
    tests: dict[str, list[str]] = {}
    for name, test in held():
        tests.setdefault(name, []).append(test)
    missing = [name for name in SCENARIOS if name not in tests and name not in NOT_BUILT]
    for name, what in SCENARIOS.items():
        print(f"{name}  {what}")
        said = [NOT_BUILT[name]] if name in NOT_BUILT and name not in tests else ["NO TEST"]
        print("".join(f"       {line}\n" for line in tests.get(name, said)), end="")
    print(f"{len(SCENARIOS)} scenarios, {len(missing)} without a test: {', '.join(missing) or 'none'}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
