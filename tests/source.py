"""The project's own source as a tree, for the tests that judge it (test_tidy.py)."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src"
PACKAGE = SRC / "participant"
KERNELS = (PACKAGE / "core", PACKAGE / "wire" / "fix")  # where compiled modules stand, each beside its twin
BLOCKS = (ast.For, ast.AsyncFor, ast.While, ast.If, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DOCUMENTED = (ast.Module, ast.ClassDef, *FUNCTIONS)

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One Python file of the project."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def module(self) -> str:
        """participant.core.brain; a package's own file has the package's name."""
        parts = self.path.relative_to(SRC).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def is_kernel(self) -> bool:
        return self.path.parent in KERNELS and bool(re.match("_[a-z]", self.path.name))

    def functions(self) -> list[Function]:
        return [node for node in ast.walk(self.tree) if isinstance(node, FUNCTIONS)]

    def classes(self) -> list[ast.ClassDef]:
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.ClassDef)]

    def imports(self) -> Iterator[str]:
        """Every dotted name that the file imports; `from a import b` gives both a and a.b, for b may be a module."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield node.module or "."
                yield from (f"{node.module}.{alias.name}" for alias in node.names)

    def strings(self) -> set[str]:
        constants = (node.value for node in ast.walk(self.tree) if isinstance(node, ast.Constant))
        return {value for value in constants if isinstance(value, str)}

    def comments(self) -> list[str]:
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        return [token.string for token in tokens if token.type == tokenize.COMMENT]

    def code_lines(self) -> int:
        """Lines with code: without blanks, comments and docstrings."""
        idle = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
        lines: set[int] = set()
        for token in tokenize.generate_tokens(io.StringIO(self.text).readline):
            if token.type not in idle:
                lines.update(range(token.start[0], token.end[0] + 1))
        return len(lines - self._docstring_lines())

    def import_lines(self) -> int:
        """Lines of the imports at the top, which name what is used and tell nothing of the flow."""
        imports = [n for n in self.tree.body if isinstance(n, ast.Import | ast.ImportFrom)]
        return sum((n.end_lineno or n.lineno) - n.lineno + 1 for n in imports)

    def _docstring_lines(self) -> set[int]:
        lines: set[int] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, DOCUMENTED) and ast.get_docstring(node) is not None:
                lines.update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
        return lines


def sources(*folders: Path) -> list[Source]:
    """The Python files below these folders (all of the package by default), in order; never none."""
    found = [Source(path) for folder in folders or (PACKAGE,) for path in sorted(folder.rglob("*.py"))]
    assert found, f"no source below {folders or PACKAGE}"
    return found


def length(function: Function) -> int:
    """Lines of a function from its def to its end."""
    return (function.end_lineno or 0) - function.lineno + 1


def parameters(function: Function) -> int:
    """How many parameters a caller may give; self and cls are not given."""
    args = function.args
    named = [arg.arg for arg in (*args.posonlyargs, *args.args)]
    given = named[1:] if named[:1] in (["self"], ["cls"]) else named
    return len(given) + len(args.kwonlyargs) + bool(args.vararg) + bool(args.kwarg)


def nesting(node: ast.AST) -> int:
    """How deep blocks lie in one another inside a function; elif and functions within do not deepen it."""
    deepest = 0
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (*FUNCTIONS, ast.ClassDef)):
            continue
        is_elif = isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
        deepest = max(deepest, nesting(child) + (isinstance(child, BLOCKS) and not is_elif))
    return deepest
