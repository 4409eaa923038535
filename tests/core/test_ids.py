"""Ids follow from their inputs alone."""

from hashlib import blake2b

from hypothesis import given
from hypothesis import strategies as st

from participant.core.ids import canonical, digest
from tests.core.desk import CALL, FUTURE

parts = st.lists(st.one_of(st.integers(-(2**53), 2**53), st.text(max_size=5), st.none(), st.booleans()), max_size=4)


def test_an_id_has_32_hex_digits() -> None:
    assert len(digest("a")) == 32
    assert set(digest("a")) <= set("0123456789abcdef")


def test_an_id_never_changes_from_one_release_to_the_next() -> None:
    assert digest("decision", 1) == blake2b(b'["decision",1]', digest_size=16).hexdigest()
    assert digest("decision", 1) == "b071b6c5479843b32c097ff89a425683"


def test_the_order_of_keys_does_not_change_the_bytes() -> None:
    assert canonical({"b": 1, "a": [2]}) == canonical({"a": [2], "b": 1}) == b'{"a":[2],"b":1}'


def test_values_have_the_id_of_their_content() -> None:
    assert digest(CALL) == digest(type(CALL)(*(getattr(CALL, f) for f in CALL.__struct_fields__)))
    assert digest(CALL) != digest(FUTURE)


@given(parts, parts)
def test_different_parts_have_different_ids(some: list[object], others: list[object]) -> None:
    assert (digest(*some) == digest(*others)) == (canonical(some) == canonical(others))
