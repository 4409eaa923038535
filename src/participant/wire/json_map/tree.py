"""The types of a provider's messages, made of a mapping's paths: what no path names is passed over unread.

A value at a path's end stays as its bytes (`msgspec.Raw`), so that its digits are exact, its place is known, and one
that cannot be used spoils no more than its row.
"""

import re
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from participant.wire.json_map.mapping import BadMapping

PART = re.compile(r"([^.\[\]{}/@=]*)(\[\]|\{\})?")
POSITIONS_MAX = 64
PARTS_MAX = 10

Getter = Callable[[Any], Any]


class Node:
    """A place in a message: a value, an object of named children, an array by positions, or many of one `item`."""

    def __init__(self) -> None:
        self.children: dict[str, Node] = {}
        self.item: Node | None = None
        self.many = ""
        self.is_value = False

    @property
    def is_array(self) -> bool:
        """Whether its children stand at positions."""
        return bool(self.children) and all(name.isdigit() for name in self.children)

    def fits(self, first: bytes) -> bool:
        """Whether a value that begins with this byte can stand here."""
        if self.is_value:
            return True
        return first == (b"[" if self.many == "[]" or self.is_array else b"{")


def parts(path: str) -> list[tuple[str, str]]:
    """A path as names, each with what follows it: nothing, `[]` or `{}`. Raises BadMapping."""
    found = [PART.fullmatch(part) for part in path.split(".")]
    if not path or len(found) > PARTS_MAX:
        raise BadMapping(f"{path!r} is no path of 1 to {PARTS_MAX} parts")
    split = [(match[1], match[2] or "") for match in found if match is not None]
    if len(split) < len(found) or any(not name and (n or not many) for n, (name, many) in enumerate(split)):
        raise BadMapping(f"{path!r} is no path: write a.b, rows[], table{{}}.x or 0")
    return split


def grow(root: Node, path: str, *, is_value: bool) -> None:
    """Add a path to the tree; at its end a value is read, or there is something that holds rows."""
    node = root
    for name, many in parts(path):
        if name:
            if node.many:
                raise BadMapping(f"{path}: what is many there is named as one")
            node = node.children.setdefault(name, Node())
        if many:
            if node.children or node.many not in {"", many}:
                raise BadMapping(f"{path}: what is one there is named as many")
            node.many, node.item = many, node.item or Node()
            node = node.item
    node.is_value = node.is_value or is_value


def check(node: Node, path: str = "the message") -> None:
    """Raise BadMapping where a place is a value and a table at once, or by name and by position."""
    if node.is_value and (node.children or node.many):
        raise BadMapping(f"{path} is read as a value and as a table")
    digits = [name for name in node.children if name.isdigit()]
    if digits and (len(digits) < len(node.children) or max(map(int, digits)) >= POSITIONS_MAX):
        raise BadMapping(f"{path} has names beside positions, or more than {POSITIONS_MAX} of these")
    for name, child in (*node.children.items(), *([("[]", node.item)] if node.item else [])):
        check(child, f"{path}, {name}")


def type_of(node: Node) -> Any:
    """The type that msgspec decodes a place into."""
    if node.is_value or not (node.children or node.many):
        return Raw
    if node.item is not None:
        return list[type_of(node.item)] if node.many == "[]" else dict[str, type_of(node.item)]  # type: ignore[misc] # a type made here is no name that mypy could know
    if node.is_array:
        last = max(map(int, node.children))
        places = [(f"f{n}", _field(node.children.get(str(n), VALUE)), UNSET) for n in range(last + 1)]
        return msgspec.defstruct("Row", places, gc=False, array_like=True)
    fields = [(f"f{n}", _field(child), UNSET) for n, child in enumerate(node.children.values())]
    return msgspec.defstruct("Row", fields, gc=False, rename=_names(node))


VALUE = Node()
VALUE.is_value = True


def _field(node: Node) -> Any:
    kind = type_of(node)
    return Raw if kind is Raw else kind | None | UnsetType


def _names(node: Node) -> dict[str, str]:
    return {f"f{n}": name for n, name in enumerate(node.children)}


def getter(node: Node, path: str) -> tuple[Getter | None, Node]:
    """What fetches the value at a path without `[]` or `{}` from the object of a node, and the node there.

    The getter raises AttributeError where something on the way is absent; it is None for the object itself.
    """
    steps = []
    for name, many in parts(path) if path else []:
        if name:
            steps.append(f"f{name}" if node.is_array else f"f{list(node.children).index(name)}")
            node = node.children[name]
        if many:
            break
    return (attrgetter(".".join(steps)) if steps else None), node


def descend(path: str) -> list[str]:
    """A path cut after each `[]` and `{}`: `a.b[].c` is `a.b[]`, `c`."""
    return [piece for piece in re.split(r"(?<=\]|\})\.?", path) if piece] or [""]


def cost_of(node: Node, made: int) -> int:
    """The most bytes that one object of this tree takes beside its values; `made` is what is made of a row."""
    own = 32 + 8 * len(node.children) + (136 if node.many == "{}" else 16)
    below: Sequence[Node] = [*node.children.values(), *([node.item] if node.item else [])]
    return max([own + made, *(cost_of(child, made) for child in below if not child.is_value)])
