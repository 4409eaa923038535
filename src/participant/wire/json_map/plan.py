"""A mapping made ready: the types that its messages are decoded into, and how each field of a row is fetched."""

from typing import Any

import msgspec
from msgspec import UNSET, Struct

from participant.wire.json_map.figures import BadWord, text_of
from participant.wire.json_map.mapping import FIELDS, BadMapping, Beat, Mapping, Refuses, RowWords, When
from participant.wire.json_map.tree import (
    Getter,
    Node,
    check,
    cost_of,
    descend,
    getter,
    grow,
    growth_of,
    marks_of,
    type_of,
)

# Bytes: a row's tick with its numbers and where it was found; a level as it is kept; what only holds rows.
MADE_OF_A_ROW, MADE_OF_A_LEVEL, MADE_OF_A_HOLDER = 400, 200, 128
KEY = "@key"


class Fetch(Struct, frozen=True):
    """Where a field is: `get` of the object that the chain (message, rows' holders, row) has at `anchor`.

    Without `get` it is `constant`, or the row's key in its object where that is None.
    """

    path: str
    anchor: int = 0
    get: Getter | None = None
    constant: str | None = None


class Test(Struct, frozen=True):
    """A value that a message must have; with a `*` at the end, how it must begin."""

    get: Getter
    text: str
    is_prefix: bool

    def holds(self, root: Any) -> bool:
        """Whether a message has it."""
        try:
            found = self.get(root)
            word = "" if found is UNSET else text_of(found)
        except (AttributeError, BadWord):
            return False
        return word.startswith(self.text) if self.is_prefix else word == self.text


class RowPlan(Struct, frozen=True):
    """One kind of row. `steps` lead to the rows: what fetches each array or object, and whether it is an object."""

    words: RowWords
    steps: tuple[tuple[Getter | None, bool], ...]
    present: Getter | None
    when: tuple[Test, ...]
    names: tuple[Fetch, ...]
    fields: dict[str, Fetch]
    levels: dict[str, Getter]


class Plan(Struct, frozen=True):
    """All of a mapping. `given` are the words that the configuration gives; BadMapping where one is missing."""

    mapping: Mapping
    tree: Node
    decoder: Any
    exact: Any
    exact_type: Any
    marks: frozenset[bytes]
    row_bytes: int
    growth: float
    rows: tuple[RowPlan, ...]
    numbers: dict[str, Fetch]
    snapshot: tuple[Test, ...]
    beats: tuple[tuple[tuple[Test, ...], str], ...]
    refuses: tuple[tuple[tuple[Test, ...], Fetch], ...]


def plan_of(mapping: Mapping, given: dict[str, str] | None = None) -> Plan:
    """What reads the messages of a mapping; raises BadMapping."""
    return _Planner(mapping, given or {}).plan()


def absolute(row: RowWords, path: str) -> str:
    """A field's path from the message on."""
    if path.startswith("/"):
        return path[1:]
    if path.startswith("../"):
        above, dot, last = row.path.rpartition(".")
        if not dot or last.endswith(("[]", "{}")):
            raise BadMapping(f"{path}: only a row that has a name of its own has something above it")
        return f"{above}.{path[3:]}"
    return f"{row.path}.{path}"


class _Planner:
    def __init__(self, mapping: Mapping, given: dict[str, str]) -> None:
        self._mapping, self._given, self._tree = mapping, given, Node()

    def plan(self) -> Plan:
        mapping, stream = self._mapping, self._mapping.stream
        self._grow()
        numbers = {name: path for name in ("seq", "previous") if (path := getattr(stream, name))}
        exact_type = type_of(self._tree, is_exact=True)
        return Plan(
            mapping=mapping,
            tree=self._tree,
            decoder=msgspec.json.Decoder(type_of(self._tree, is_exact=False)),
            exact=msgspec.json.Decoder(exact_type),
            exact_type=exact_type,
            marks=marks_of(self._tree),
            row_bytes=cost_of(self._tree),
            growth=growth_of(self._tree),
            rows=tuple(self._row(row) for row in mapping.rows),
            numbers={name: self._fetch(None, path) for name, path in numbers.items()},
            snapshot=self._tests(stream.snapshot),
            beats=tuple((self._tests(beat.when), beat.answer) for beat in mapping.beats),
            refuses=tuple((self._tests(said.when), self._fetch(None, said.text)) for said in mapping.refuses),
        )

    # --- the tree ---------------------------------------------------------------------------------------------------

    def _grow(self) -> None:
        mapping, stream = self._mapping, self._mapping.stream
        told_apart: tuple[Beat | Refuses | RowWords, ...] = (*mapping.beats, *mapping.refuses, *mapping.rows)
        whens = [stream.snapshot, *(said.when for said in told_apart)]
        told = [stream.seq, stream.previous, *(said.text for said in mapping.refuses)]
        for path in (*(path for when in whens for path in when), *(path for path in told if path)):
            grow(self._tree, path.removeprefix("/"))
        for row in mapping.rows:
            grow(self._tree, row.path, made=MADE_OF_A_ROW)
            for piece in range(1, len(descend(row.path))):
                grow(self._tree, ".".join(descend(row.path)[:piece]), made=MADE_OF_A_HOLDER)
            for name in FIELDS:
                path = getattr(row, name)
                if path and path != KEY and not path.startswith("="):
                    grow(self._tree, absolute(row, path))
            for side in filter(None, (row.bids, row.asks)):
                self._grow_levels(absolute(row, side))
        check(self._tree)

    def _grow_levels(self, path: str) -> None:
        words = self._mapping.levels
        if words is None or not path.endswith("[]"):
            raise BadMapping(f"{path}: levels are an array, so write {path.removesuffix('[]')}[]")
        grow(self._tree, path, made=MADE_OF_A_LEVEL)
        for inner in filter(None, (words.price, words.size, words.action)):
            grow(self._tree, f"{path}.{inner}")

    # --- what fetches -----------------------------------------------------------------------------------------------

    def _row(self, row: RowWords) -> RowPlan:
        steps, node, pieces = [], self._tree, descend(row.path)
        while pieces and pieces[0].endswith(("[]", "{}")):
            get, node = getter(node, pieces.pop(0))
            steps.append((get, node.many == "{}"))
            node = node.item or Node()
        named = [row.name] if row.name else [row.underlying, row.expiry, row.strike, row.kind]
        fields = {name: self._fetch(row, path) for name in FIELDS[5:] if (path := getattr(row, name))}
        fields |= {side: self._fetch(row, path) for side in ("bids", "asks") if (path := getattr(row, side))}
        return RowPlan(
            words=row,
            steps=tuple(steps),
            present=getter(node, pieces[0])[0] if pieces and pieces[0] else None,
            when=self._tests(row.when),
            names=tuple(self._fetch(row, path or "=") for path in named),
            fields=fields,
            levels=self._levels(row),
        )

    def _levels(self, row: RowWords) -> dict[str, Getter]:
        words = self._mapping.levels
        if words is None or not row.bids:
            return {}
        node = self._tree
        for piece in descend(absolute(row, row.bids)):
            node = getter(node, piece)[1]
            node = node.item or node
        named = {"price": words.price, "size": words.size, "action": words.action}
        found = {name: getter(node, path)[0] for name, path in named.items() if path}
        return {name: get for name, get in found.items() if get is not None}

    def _fetch(self, row: RowWords | None, path: str) -> Fetch:
        if path == KEY:
            return Fetch(KEY)
        if path.startswith("="):
            return Fetch(path, constant=self._constant(path[1:]))
        whole = path.removeprefix("/") if row is None else absolute(row, path)
        pieces, node = descend(whole), self._tree
        many = [piece.endswith(("[]", "{}")) for piece in pieces]
        inner = pieces[-1] if many[-1] else ""  # of levels: the array itself is fetched
        for piece in pieces[:-1]:
            node = getter(node, piece)[1].item or Node()
        anchors = [p for p in descend(row.path) if p.endswith(("[]", "{}"))] if row else []
        if pieces[:-1] != anchors[: len(pieces) - 1]:
            raise BadMapping(f"{path}: it lies in other rows than those at {row.path if row else 'the message'}")
        get = getter(node, inner or pieces[-1])[0]
        if get is None:
            raise BadMapping(f"{path}: there is no value")
        return Fetch(whole, len(pieces) - 1, get)

    def _constant(self, text: str) -> str:
        if not text.startswith("$"):
            return text
        if text[1:] not in self._given:
            raise BadMapping(f"={text}: the configuration gives no {text[1:]}: set it in given of this feed")
        return self._given[text[1:]]

    def _tests(self, when: When) -> tuple[Test, ...]:
        return tuple(self._test(path.removeprefix("/"), text) for path, text in when.items())

    def _test(self, path: str, text: str) -> Test:
        get = self._fetch(None, path).get
        assert get is not None  # _fetch refuses what has no value
        return Test(get, text.removesuffix("*"), text.endswith("*"))
