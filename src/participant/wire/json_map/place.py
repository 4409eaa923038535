"""Where in a message something stands, in bytes from its beginning; looked for only when something was refused."""

import re

from participant.wire.json_map.tree import Node

TOKENS_MAX, BYTES_MAX = 20_000, 1_000_000  # some ten milliseconds each; what lies behind is not looked for

# Possessive: what may be taken back is remembered, 150 bytes for each of a text, and a text may be the whole message.
_TOKEN = re.compile(rb'[\s,:]*+("(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[\]{}]|[^\s\[\]{},:"]++)', re.DOTALL)
_BYTE = re.compile(r"\(byte (\d+)\)")


def told_byte(fault: str) -> int | None:
    """The offset that the decoder's own message names."""
    found = _BYTE.search(fault)
    return int(found[1]) if found else None


def offset_of(data: bytes, raw: memoryview) -> int:
    """Where in `data` a part of it lies, by the addresses of both: the decoder does not copy what stays as bytes."""
    import numpy as np  # only what was refused is looked for

    whole, part = (np.frombuffer(b, np.uint8).__array_interface__["data"][0] for b in (data, raw))
    return int(part) - int(whole)


def misfit(data: bytes, root: Node) -> int | None:
    """Where the first value begins that cannot stand at its place in the tree; None where none is found."""
    stack: list[_Frame] = []
    for count, found in enumerate(_TOKEN.finditer(data, 0, BYTES_MAX)):
        token = found[1]
        if count > TOKENS_MAX or (token in b"]}" and not stack):
            return None
        if token in b"]}":
            stack.pop()
            continue
        top = stack[-1] if stack else None
        if top is not None and top.awaits_key:
            top.key, top.awaits_key = token[1:-1].decode("utf-8", "replace"), False
            continue
        node = root if top is None else top.child()
        if node is not None and not node.fits(token[:1]) and (token != b"null" or top is None):
            return found.start(1)
        if token in b"[{":
            stack.append(_Frame(node, is_object=token == b"{"))
    return None


class _Frame:
    """An object or array that the walk is in; `node` is None where no path leads."""

    def __init__(self, node: Node | None, *, is_object: bool) -> None:
        self.node, self.is_object = node, is_object
        self.awaits_key, self.key, self.position = is_object, "", 0

    def child(self) -> Node | None:
        """The place of the value that comes now; afterwards the next one is awaited."""
        name = self.key if self.is_object else str(self.position)
        self.position += 1
        self.awaits_key = self.is_object
        if self.node is None:
            return None
        return self.node.item or self.node.children.get(name)
