"""The journal as values: one chain of entries a writer and day, each holding the hash of the one before it.

Whoever alters, removes, adds or reorders an entry breaks the chain behind it; whoever cuts a chain short or drops one
breaks the root, which is made of all chains' last hashes and signed at the end of the day.
"""

from collections.abc import Mapping, Sequence
from hashlib import blake2b

from msgspec import Raw, Struct

from participant.core.ids import canonical

START = "0" * 64


class Entry(Struct, frozen=True):
    """What one commit did to one row: its content's hash, and the row itself where it is small (else `said` is null).

    `number` counts from 1 in the chain of `writer` and `day`, `at` is the machine's time (ns), `expect` the version
    that the commit asked for (null: any). `content` is empty where the row was deleted.
    """

    day: str
    writer: str
    number: int
    previous: str
    at: int
    table: str
    key: str
    expect: int | None
    content: str
    said: Raw


class Chain(Struct, frozen=True):
    """A chain as it ends: how many entries, and the hash of the last."""

    day: str
    writer: str
    count: int
    head: str


class Root(Struct, frozen=True):
    """A day's end of the journal: every chain that no earlier root has, the root before, and the hash over both."""

    day: str
    chains: tuple[Chain, ...]
    previous: str
    root: str


class Signed(Struct, frozen=True):
    """A root with its signature and the public key that proves it, both as hex digits."""

    root: Root
    key: str
    signature: str


class Fault(Struct, frozen=True):
    """The first thing that is wrong with a chain: which writer's, at which number (0: the chain as a whole), what."""

    writer: str
    number: int
    what: str


def content_hash(value: bytes) -> str:
    """64 hex digits over the bytes of a row."""
    return blake2b(value, digest_size=32).hexdigest()


def entry_hash(body: bytes) -> str:
    """64 hex digits over an entry's bytes, which hold the hash of the one before."""
    return blake2b(body, digest_size=32, person=b"participant log").hexdigest()


def key_of(day: str, writer: str, number: int) -> str:
    """The row of an entry: in the order of keys a chain is in order."""
    return f"{day}/{writer}/{number:08d}"


def merkle(leaves: Sequence[str]) -> str:
    """The root over hashes in their order; of none it is START. Leaves and nodes are hashed apart."""
    level = [_node(b"leaf", leaf) for leaf in leaves]
    while len(level) > 1:
        pairs = [level[i : i + 2] for i in range(0, len(level), 2)]
        level = [_node(b"node", *pair) for pair in pairs]
    return level[0] if level else START


def _node(kind: bytes, *parts: str) -> str:
    return blake2b("|".join(parts).encode(), digest_size=32, person=kind).hexdigest()


def root_of(day: str, chains: Sequence[Chain], previous: str) -> Root:
    """The root of a day over its chains, by day and writer, and over the root before it."""
    ordered = tuple(sorted(chains, key=lambda c: (c.day, c.writer)))
    leaves = [content_hash(canonical(chain)) for chain in ordered]
    return Root(day, ordered, previous, merkle([previous, *leaves]))


def follow(entries: Sequence[tuple[str, bytes, Entry]]) -> Fault | Chain:
    """Where a chain ends, or the first entry that is not what its place says. Entries come with their key and bytes."""
    day, writer, _ = entries[0][0].split("/")
    head = START
    for number, (key, body, entry) in enumerate(entries, 1):
        if key != key_of(day, writer, number):
            return Fault(writer, number, f"the entry is missing: {key} stands in its place")
        if (entry.day, entry.writer, entry.number) != (day, writer, number):
            return Fault(writer, number, f"it says that it is {entry.day}/{entry.writer}/{entry.number}")
        if entry.previous != head:
            return Fault(writer, max(1, number - 1), _broken(number))
        if bytes(entry.said) != b"null" and content_hash(bytes(entry.said)) != entry.content:
            return Fault(writer, number, "what it says is not what its hash was taken over")
        head = entry_hash(body)
    return Chain(day, writer, len(entries), head)


def _broken(number: int) -> str:
    if number == 1:
        return "it does not begin the chain: it holds the hash of an entry before it"
    return f"its hash is not the one that entry {number} holds of it"


def compare(sealed: Root, found: Mapping[tuple[str, str], Chain]) -> Fault | None:
    """The first chain that is not as the signed root has it: gone, cut short, or gone on after it was signed."""
    for chain in sealed.chains:
        now = found.get((chain.day, chain.writer))
        if now is None:
            return Fault(chain.writer, 0, f"its chain of {chain.day} is gone: {chain.count} entries were signed")
        if now.count < chain.count:
            return Fault(chain.writer, now.count + 1, f"the chain ends before it: {chain.count} entries were signed")
        if now.count > chain.count:
            return Fault(chain.writer, chain.count + 1, "it was added after the day was signed")
        if now.head != chain.head:
            return Fault(chain.writer, chain.count, "its hash is not the one that was signed")
    return None
