"""The chain and its root: whatever is done to an entry, its neighbours, its chain or its day, it is found."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace

from participant.core.journal import (
    START,
    Chain,
    Entry,
    Fault,
    compare,
    content_hash,
    entry_hash,
    follow,
    key_of,
    merkle,
    root_of,
)
from participant.wire.json import decode, encode

Rows = list[tuple[str, bytes, Entry]]
DAY = "2026-11-25"


def chain(count: int, writer: str = "gateway") -> Rows:
    rows, head = [], START
    for number in range(1, count + 1):
        said = encode({"n": number})
        entry = Entry(DAY, writer, number, head, number, "orders", f"k{number}", None, content_hash(said), Raw(said))
        body = encode(entry)
        rows.append((key_of(DAY, writer, number), body, decode(body, Entry)))
        head = entry_hash(body)
    return rows


def altered(rows: Rows, place: int, **changes: Any) -> Rows:
    key, _, entry = rows[place]
    entry = replace(entry, **changes)
    return [*rows[:place], (key, encode(entry), entry), *rows[place + 1 :]]


def end(rows: Rows) -> Chain:
    found = follow(rows)
    assert isinstance(found, Chain)
    return found


def test_a_chain_that_nobody_touched_is_whole() -> None:
    assert end(chain(5)) == Chain(DAY, "gateway", 5, entry_hash(chain(5)[-1][1]))


CHANGES: list[dict[str, Any]] = [
    {"day": "2026-11-26"},
    {"writer": "desk"},
    {"number": 9},
    {"previous": "f" * 64},
    {"at": 99},
    {"table": "fills"},
    {"key": "other"},
    {"expect": 3},
    {"content": "f" * 64},
    {"said": Raw(b'{"n":7}')},
]


@pytest.mark.parametrize("at", [0, 2, 4])
@pytest.mark.parametrize("changes", CHANGES, ids=[next(iter(c)) for c in CHANGES])
def test_an_altered_entry_is_found_whatever_of_it_was_altered(at: int, changes: dict[str, Any]) -> None:
    rows = altered(chain(5), at, **changes)
    found = follow(rows)
    sealed = root_of(DAY, [end(chain(5))], START)
    fault = found if isinstance(found, Fault) else compare(sealed, {(DAY, "gateway"): found})
    assert fault is not None
    assert (fault.writer, abs(fault.number - (at + 1)) <= 1) == ("gateway", True)


@pytest.mark.parametrize("at", [0, 2, 4])
def test_a_removed_entry_is_found_at_its_place(at: int) -> None:
    rows = chain(5)
    left = rows[:at] + rows[at + 1 :]
    found = follow(left)
    if at == 4:
        assert isinstance(found, Chain)
        fault = compare(root_of(DAY, [end(rows)], START), {(DAY, "gateway"): found})
    else:
        fault = found if isinstance(found, Fault) else None
    assert fault is not None
    assert fault.number == at + 1


def test_two_entries_that_changed_places_are_found() -> None:
    rows = chain(5)
    swapped = [rows[0], (rows[1][0], *rows[2][1:]), (rows[2][0], *rows[1][1:]), *rows[3:]]
    found = follow(swapped)
    assert isinstance(found, Fault)
    assert found.number == 2


def test_a_chain_of_which_every_hash_was_made_anew_does_not_meet_the_signed_root() -> None:
    sealed = root_of(DAY, [end(chain(5))], START)
    forged = [replace(e, at=7) for _, _, e in chain(5)]
    head, rows = START, []
    for entry in forged:
        body = encode(replace(entry, previous=head))
        rows.append((key_of(DAY, "gateway", entry.number), body, decode(body, Entry)))
        head = entry_hash(body)
    fault = compare(sealed, {(DAY, "gateway"): end(rows)})
    assert fault == Fault("gateway", 5, "its hash is not the one that was signed")


def test_a_chain_that_is_gone_or_went_on_is_found() -> None:
    sealed = root_of(DAY, [end(chain(3)), end(chain(2, "desk"))], START)
    gone = compare(sealed, {(DAY, "gateway"): end(chain(3))})
    assert gone is not None
    assert gone.writer == "desk"
    longer = compare(sealed, {(DAY, "gateway"): end(chain(4)), (DAY, "desk"): end(chain(2, "desk"))})
    assert longer == Fault("gateway", 4, "it was added after the day was signed")


hashes = st.lists(st.integers(0, 2**64).map(lambda n: content_hash(str(n).encode())), max_size=9, unique=True)


@given(hashes, st.integers(0, 8))
def test_a_root_changes_with_every_leaf_and_with_their_order(leaves: list[str], at: int) -> None:
    root = merkle(leaves)
    if not leaves:
        assert root == START
        return
    at %= len(leaves)
    assert merkle([*leaves[:at], START, *leaves[at + 1 :]]) != root
    assert merkle([*leaves, START]) != root
    assert merkle(leaves[:-1]) != root
    assert merkle(leaves[::-1]) != root or len(leaves) == 1


def test_a_root_depends_on_the_one_before_and_not_on_the_order_of_writers() -> None:
    chains = [end(chain(3)), end(chain(2, "desk"))]
    assert root_of(DAY, chains, START) == root_of(DAY, chains[::-1], START)
    assert root_of(DAY, chains, START).root != root_of(DAY, chains, "f" * 64).root
