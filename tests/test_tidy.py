"""The house rules that no linter sees."""

import argparse
import ast
import importlib
import inspect
import re
import tomllib
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from tests.source import PACKAGE, ROOT, Source, length, nesting, parameters, sources

CORE_MAY_IMPORT = {
    "__future__", "array", "bisect", "collections", "cython", "dataclasses", "datetime", "enum", "functools", "hashlib",
    "heapq", "itertools", "math", "msgspec", "numpy", "typing", "typing_extensions",
}  # fmt: skip
CORE_MAY_NOT_CALL = {"__import__", "breakpoint", "compile", "eval", "exec", "input", "open", "print"}
CORE_MAY_NOT_USE = (ast.Global, ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await)
QUOTE_TO_FILL = [
    "app.py", "stages/ingest.py", "stages/dispatch.py", "stages/decide.py", "core/brain.py", "stages/execute.py",
    "stages/book.py", "ports.py",
]  # fmt: skip
# folder of adapters -> its port's suite, and how the names of its adapters end
SUITES = {
    "archives": ("test_archive.py", ("Archive",)),
    "brokers": ("test_broker.py", ("Broker", "BrokerBooks")),
    "clocks": ("test_clock.py", ("Clock",)),
    "compute": ("test_compute.py", ("Compute",)),
    "feeds": ("test_feed.py", ("Feed",)),
    "leases": ("test_lease.py", ("Lease",)),
    "notifiers": ("test_notifier.py", ("Notifier",)),
    "queues": ("test_queue.py", ("Queue",)),
    "stores": ("test_store.py", ("Store",)),
}
IGNORE = re.compile(
    r"#\s*(?:noqa(?:: *[A-Z]+\d+(?:, *[A-Z]+\d+)*)?|type: ignore(?:\[[\w, -]+\])?|pragma: no \w+)(?P<reason>.*)"
)


def expect_none(found: list[str]) -> None:
    assert not found, "\n".join(["", *found])


# --- core -------------------------------------------------------------------------------------------------------------


def test_core_imports_only_what_is_on_its_list() -> None:
    strays = [
        f"{source.name}: {name}"
        for source in sources(PACKAGE / "core")
        for name in source.imports()
        if name.split(".")[0] not in CORE_MAY_IMPORT and not name.startswith("participant.core")
    ]
    expect_none(strays)


def test_core_opens_prints_and_awaits_nothing_and_keeps_no_global_state() -> None:
    strays = [
        f"{source.name}:{getattr(node, 'lineno', 0)}: {ast.unparse(node).splitlines()[0]}"
        for source in sources(PACKAGE / "core")
        for node in ast.walk(source.tree)
        if isinstance(node, CORE_MAY_NOT_USE) or called(node) in CORE_MAY_NOT_CALL
    ]
    expect_none(strays)


def called(node: ast.AST) -> str:
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""


# --- budgets ----------------------------------------------------------------------------------------------------------


def test_functions_stay_within_40_lines_5_parameters_and_3_levels() -> None:
    over = []
    for source in sources():
        for function in source.functions():
            if length(function) > 40 and not is_excused(source):
                over.append(f"{source.name}:{function.lineno}: {function.name} has {length(function)} lines")
            if parameters(function) > 5 and not source.is_kernel:
                over.append(f"{source.name}:{function.lineno}: {function.name} has {parameters(function)} parameters")
            if nesting(function) > 3:
                over.append(f"{source.name}:{function.lineno}: {function.name} nests {nesting(function)} deep")
    expect_none(over)


def is_excused(source: Source) -> bool:
    """A kernel and its functions may be long where splitting costs speed, if it says so: `# budget: why`."""
    return source.is_kernel and any(re.match(r"# budget: \S+", comment) for comment in source.comments())


def test_files_stay_within_300_lines_and_adapters_within_250() -> None:
    over = []
    for source in sources():
        limit = 250 if "adapters" in source.path.parts else 300
        lines = len(source.text.splitlines())
        if lines > limit and not is_excused(source):
            over.append(f"{source.name} has {lines} lines, of {limit}")
    expect_none(over)


def test_no_port_asks_for_more_than_6_methods() -> None:
    ports = {port.name: public_methods(port) for port in protocols()}
    assert ports, "ports.py has no Protocol"
    expect_none([f"{name}: {methods}" for name, methods in ports.items() if len(methods) > 6])


def public_methods(protocol: ast.ClassDef) -> list[str]:
    return [node.name for node in protocol.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def protocols() -> list[ast.ClassDef]:
    return [c for c in Source(PACKAGE / "ports.py").classes() if any("Protocol" in ast.unparse(b) for b in c.bases)]


def test_the_path_from_quote_to_fill_reads_in_8_files_and_400_lines_of_code() -> None:
    path = {name: Source(PACKAGE / name) for name in QUOTE_TO_FILL}
    lines = {name: source.code_lines() - source.import_lines() for name, source in path.items()}
    assert len(QUOTE_TO_FILL) <= 8
    assert sum(lines.values()) <= 400, lines


# --- nothing stands alone ---------------------------------------------------------------------------------------------


def test_every_adapter_is_in_its_ports_suite() -> None:
    missing = []
    for source in sources(PACKAGE / "adapters"):
        if source.path.name == "__init__.py":
            continue
        file, endings = SUITES[source.path.parent.name]
        suite = ROOT / "tests" / "ports" / file
        tested = suite.read_text(encoding="utf-8") if suite.exists() else ""
        adapters = [node.name for node in source.classes() if node.name.endswith(endings)]
        if not adapters:
            missing.append(f"{source.name} has no class whose name ends with {endings}")
        missing += [f"{name} is not in tests/ports/{file}" for name in adapters if not names(name, tested)]
    expect_none(missing)


def test_every_module_is_used_by_another() -> None:
    everything = sources()
    used = {"participant.__main__"}
    for source in everything:
        used.update(name for name in (*source.imports(), *source.strings()) if name != source.module)
        # A command is named by "module:function" (participant/cli.py).
        used.update(f"participant.commands.{string.split(':')[0]}" for string in source.strings() if ":" in string)
    # The in-memory adapters are the shape in which the simulation runs: their ports' suites hold them to the promise.
    used.update(name for suite in sources(ROOT / "tests" / "ports") for name in suite.imports() if ".adapters." in name)
    dead = [source.name for source in everything if source.path.name != "__init__.py" and source.module not in used]
    expect_none(dead)


def test_no_test_and_no_code_uses_a_mock() -> None:
    users = [
        source.name
        for source in sources(PACKAGE, ROOT / "tests")
        for name in source.imports()
        if name.startswith(("unittest.mock", "mock", "pytest_mock"))
    ]
    expect_none(users)


# --- documents --------------------------------------------------------------------------------------------------------


def test_the_documents_name_every_command() -> None:
    commands = list(commands_of(command_line()))
    assert commands, "the command line has no command"
    text = documents()
    expect_none([name for name in commands if not re.search(rf"(participant |`){re.escape(name)}(?![\w-])", text)])


def command_line() -> argparse.ArgumentParser:
    """The parser that participant.cli builds: the result of its one function that says it returns one."""
    cli = importlib.import_module("participant.cli")
    for _, function in inspect.getmembers(cli, inspect.isfunction):
        signature = inspect.signature(function)
        is_shared = function.__name__.startswith("_")  # the options that commands share are parsers, too
        if not is_shared and not signature.parameters and "ArgumentParser" in str(signature.return_annotation):
            parser = function()
            assert isinstance(parser, argparse.ArgumentParser)
            return parser
    pytest.fail("participant.cli has no function () -> argparse.ArgumentParser")


def commands_of(parser: argparse.ArgumentParser, before: str = "") -> Iterator[str]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, child in action.choices.items():
                yield before + name
                yield from commands_of(child, f"{before}{name} ")


def test_the_documents_name_every_setting() -> None:
    config = importlib.import_module("participant.config")
    # Run is no setting: it is what `participant trade` hands to its processes.
    structs = [struct for struct in structs_of(config) if struct.__name__ != "Run"]
    settings = {name for struct in structs for name in struct.__struct_fields__}
    assert settings, "participant.config has no Struct"
    text = documents()
    expect_none(sorted(name for name in settings if not names(name, text)))


def structs_of(module: ModuleType) -> list[Any]:
    own = (value for value in vars(module).values() if getattr(value, "__module__", "") == module.__name__)
    return [value for value in own if hasattr(value, "__struct_fields__") and isinstance(value, type)]


def test_the_documents_name_every_port() -> None:
    text = documents()
    expect_none([port.name for port in protocols() if not names(port.name, text)])


def documents() -> str:
    files = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return "\n".join(file.read_text(encoding="utf-8") for file in files if file.exists())


def names(word: str, text: str) -> bool:
    return re.search(rf"\b{re.escape(word)}\b", text) is not None


# --- every exception to a rule has its reason -------------------------------------------------------------------------


def test_every_ignore_and_every_dependency_says_why() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    parts = [
        text.partition("\nignore = [")[2].partition("\n]")[0],
        text.partition("[tool.ruff.lint.per-file-ignores]")[2].partition("\n\n")[0],
        text.partition("\ndependencies = [")[2].partition("\n]")[0],
        text.partition("[project.optional-dependencies]")[2].partition("\n\n")[0],
        text.partition("[dependency-groups]")[2].partition("\n\n")[0],
    ]
    assert all(parts)
    lines = [line for part in parts for line in part.splitlines() if re.search(r'"[A-Z]+\d*"|"[\w\[\]-]+>=', line)]
    expect_none([line for line in lines if not re.search(r"# \S+ \S+", line)])


def test_every_inline_ignore_says_why() -> None:
    bare = []
    for source in sources(PACKAGE, ROOT / "tests"):
        for comment in source.comments():
            ignore = IGNORE.match(comment)
            if ignore and len(ignore["reason"].strip(" -#:")) < 10:
                bare.append(f"{source.name}: {comment}")
    expect_none(bare)


# --- the frame --------------------------------------------------------------------------------------------------------


def test_the_locks_pin_every_dependency_with_hashes_and_name_no_host() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    assert project["build-system"]["requires"] == groups["build"]
    wanted = {
        "run": project["project"]["dependencies"] + groups["build"],
        "dev": groups["dev"] + [one for extra in project["project"]["optional-dependencies"].values() for one in extra],
    }
    for name, requirements in wanted.items():
        text = (ROOT / "locks" / f"{name}.txt").read_text(encoding="utf-8")
        pinned = re.findall(r"^([\w.-]+)(?:\[\w+\])?==\S+.* \\\n    --hash=sha256:[0-9a-f]{64}", text, re.MULTILINE)
        assert {re.split(r"[\[><=]", requirement)[0] for requirement in requirements} <= set(pinned)
        assert not re.search(r"://|--(extra-)?index|--find-links|^-", text, re.MULTILINE)


def test_the_measures_of_this_file_see_what_they_should(tmp_path: Any) -> None:
    path = tmp_path / "planted.py"
    path.write_text(
        '"""A file."""\n\n# a remark\n\n\ndef f(self, a, *b, c=1, **d):\n    """Two\n    lines."""\n    for x in a:\n'
        "        if x:\n            pass\n        elif c:\n            with d:\n                while b:\n"
        '                    x = """one\ntwo"""\n'
    )
    source = Source(path)
    function = source.functions()[0]
    assert (length(function), parameters(function), nesting(function), source.code_lines()) == (11, 4, 4, 9)
