"""The types of a provider's messages, made of a mapping's paths: what no path names is passed over unread.

At first a value at a path's end is a number or a text (a double gives back the digits of any number of up to 15), and
what is one of many has all its values: so no byte of a message can cost much memory. What does not fit is read again
with every value as its bytes (`msgspec.Raw`) and everything optional: then the place of each is known, and a bad one
spoils its row alone.
"""

import re
from collections.abc import Callable
from operator import attrgetter
from types import GenericAlias
from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from participant.wire.json_map.mapping import BadMapping

PART = re.compile(r"([^.\[\]{}/@=]*)(\[\]|\{\})?")
POSITIONS_MAX = 64
PARTS_MAX = 10
VALUE_BYTES, SCALAR_BYTES, OBJECT, LIST = 72, 60, 32, 72  # what each takes at most
SLOT, LIST_SLOT, IN_TABLE = 136, 16, 4  # a place in a table with its key, in a list; the bytes of `"":` and a comma

Getter = Callable[[Any], Any]


class Node:
    """A place in a message: a value, an object of named children, an array by positions, or many of one `item`.

    `made` is how many bytes are made of each that stands there.
    """

    def __init__(self) -> None:
        self.children: dict[str, Node] = {}
        self.item: Node | None = None
        self.many = ""
        self.is_value = False
        self.made = 0

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


def grow(root: Node, path: str, *, made: int = 0) -> None:
    """Add a path to the tree; at its end a value is read, or `made` bytes are made of what stands there."""
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
    node.is_value, node.made = node.is_value or not made, max(node.made, made)


def check(node: Node, path: str = "the message") -> None:
    """Raise BadMapping where a place is a value and a table at once, or by name and by position."""
    if node.is_value and (node.children or node.many):
        raise BadMapping(f"{path} is read as a value and as a table")
    if node.many and node.item is not None and not (node.item.children or node.item.many):
        raise BadMapping(f"{path}: nothing is read of the many that are there")
    digits = [name for name in node.children if name.isdigit()]
    if digits and (len(digits) < len(node.children) or max(map(int, digits)) >= POSITIONS_MAX):
        raise BadMapping(f"{path} has names beside positions, or more than {POSITIONS_MAX} of these")
    for name, child in (*node.children.items(), *([("[]", node.item)] if node.item else [])):
        check(child, f"{path}, {name}")


def type_of(node: Node, *, is_exact: bool, is_many: bool = False) -> Any:
    """The type that msgspec decodes a place into. Not `is_exact`, what is in one of many must have all its values."""
    if node.is_value or not (node.children or node.many):
        return Raw if is_exact else SCALAR
    if node.item is not None:
        item: Any = type_of(node.item, is_exact=is_exact, is_many=True)
        return GenericAlias(list, (item,)) if node.many == "[]" else GenericAlias(dict, (str, item))
    names = {f"f{n}": name for n, name in enumerate(node.children)}
    children = list(node.children.values())
    if node.is_array:
        children = [node.children.get(str(n), VALUE) for n in range(max(map(int, node.children)) + 1)]
    fields: list[Any] = []
    for number, child in enumerate(children):
        kind = type_of(child, is_exact=is_exact, is_many=is_many)
        if child.children or child.many:
            fields.append((f"f{number}", kind | None | UnsetType, UNSET))
        else:
            fields.append((f"f{number}", kind) if is_many and not is_exact else (f"f{number}", kind, UNSET))
    if node.is_array:
        return msgspec.defstruct("Row", fields, gc=False, array_like=True)
    return msgspec.defstruct("Row", fields, gc=False, rename=names, kw_only=True)


VALUE = Node()
VALUE.is_value = True
SCALAR = float | int | str | None


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


def marks_of(node: Node, *, is_many: bool = False) -> frozenset[bytes]:
    """How each object or array begins of which a message may hold many."""
    own = {b"[" if node.is_array else b"{"} if is_many and node.children else set[bytes]()
    below = [(child, is_many) for child in node.children.values()] + ([(node.item, True)] if node.item else [])
    return frozenset(own.union(*(marks_of(child, is_many=many) for child, many in below)))


def cost_of(node: Node, *, is_many: bool = False) -> int:
    """The most bytes that one of many takes with every value as its bytes; 0 where there are not many."""
    own = SLOT + _size(node, VALUE_BYTES) if is_many and node.children else 0
    below = [cost_of(child, is_many=is_many) for child in node.children.values()]
    return max([own, *below, *([cost_of(node.item, is_many=True)] if node.item else [])])


def growth_of(node: Node, *, is_many: bool = False, before: int = 0) -> float:
    """The most bytes of memory that a byte of one of many costs, where it has all its values; at least one.

    `before` are the bytes of its name.
    """
    slot = SLOT if before == IN_TABLE else LIST_SLOT
    own = (slot + _size(node, SCALAR_BYTES)) / (before + _least(node)) if is_many and node.children else 1.0
    below = [growth_of(child, is_many=is_many, before=len(name) + 4) for name, child in node.children.items()]
    if node.item is not None:
        below.append(growth_of(node.item, is_many=True, before=IN_TABLE if node.many == "{}" else 1))
    return max([own, *below])


def _size(node: Node, value_bytes: int) -> int:
    return OBJECT + node.made + sum(8 + (LIST if child.many else value_bytes) for child in node.children.values())


def _least(node: Node) -> int:
    """The bytes of the shortest that has all its values: `{"a":1,"b":1}`, `[1,1]`."""
    if node.is_array:
        return 1 + 2 * (max(map(int, node.children)) + 1)
    return 2 + sum(len(name) + 5 for name, child in node.children.items() if child.is_value)
