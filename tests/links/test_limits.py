"""Limits in force: only whole, signed by whom is trusted, unaltered; anything else lets nothing pass and says why."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from participant.adapters.stores.memory import MemoryStore
from participant.core.limits import Limits, Terms
from participant.core.messages import Write
from participant.links.keys import LIMITS, ROOT, BadKey, is_signed, make_key, public_of, sign
from participant.links.limits import (
    FILE,
    KEY,
    SIGNATURE,
    SignedLimits,
    add_signature,
    in_force,
    own_limits,
    paper_limits,
    put_in_force,
    read_limits,
    recorded,
    verified,
    write_own,
)
from participant.wire.json import encode
from participant.wire.limits import NAMES, BadLimits, parse_limits

DAY = "2026-11-25"
BODY = paper_limits().body
LIVE = Terms(is_paper=False)


def live(*keys: str, **changes: Any) -> Terms:
    return Terms(keys, **{"is_paper": False, **changes})


def test_the_paper_limits_that_ship_are_signed_and_are_those_of_the_code(tmp_path: Path) -> None:
    signed = read_limits(tmp_path, Terms())
    assert signed.origin == "paper"
    assert verified(signed, Terms()) == Limits()


def test_paper_limits_are_for_paper_alone(tmp_path: Path) -> None:
    with pytest.raises(BadLimits, match=r"no .*limits.toml"):
        read_limits(tmp_path, LIVE)
    with pytest.raises(BadLimits, match="for paper alone"):
        verified(paper_limits(), LIVE)


def test_own_limits_serve_once_they_are_signed_by_whom_the_configuration_trusts(tmp_path: Path) -> None:
    public = write_own(tmp_path, lots_max=3, ban_list_required=True)
    signed = read_limits(tmp_path, live(public))
    assert verified(signed, live(public)) == Limits(lots_max=3, ban_list_required=True)
    with pytest.raises(FileExistsError, match="is there already"):
        write_own(tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_a_limit_that_is_not_set_is_refused(name: str) -> None:
    with pytest.raises(BadLimits, match=f"does not set {name}"):
        parse_limits("limits.toml", re.sub(rf"(?m)^{name} = .*$", "", BODY).encode())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("lots_max = 10", "lots_max = ", "is not TOML"),
        ("lots_max = 10", "lots_max = -1", ">= 0"),
        ("lots_max = 10", 'lots_max = "10"', "Expected `int`"),
        ("lots_max = 10", "lots_max = 10.5", "Expected `int`"),
        ("lots_max = 10", "lots_max = true", "Expected `int`"),
        ("lots_max = 10", "lots_max = 10\nlots_min = 1", "sets lots_min, which is no limit"),
        ("lots_max = 10", 'lots_max = 10\nfault = "none"', "sets fault, which is no limit"),
        ("drift_max = 0.05", "drift_max = inf", "must have an end"),
        ("drift_max = 0.05", "drift_max = nan", "= nan: not a number; write what"),
        ("drift_max = 0.05", "drift_max = 1.5", "<= 1"),
        ("messages_second_max = 8", "messages_second_max = 2", "keeps every message for cancels"),
        ("messages_second_max = 8", "messages_second_max = 0", ">= 1"),
    ],
)
def test_a_limit_that_is_none_is_refused_with_its_name(old: str, new: str, said: str) -> None:
    with pytest.raises(BadLimits, match=re.escape(said)):
        parse_limits("limits.toml", BODY.replace(f"\n{old}", f"\n{new}", 1).encode())


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(BadLimits, match="is not TOML"):
        parse_limits("limits.toml", b"\xff\xfe")


def change_a_byte(folder: Path) -> None:
    file = folder / FILE
    file.write_bytes(file.read_bytes().replace(b"lots_max = 10", b"lots_max = 11", 1))


def change_the_signature(folder: Path) -> None:
    file = folder / SIGNATURE
    file.write_text("0" + file.read_text()[1:] if not file.read_text().startswith("0") else "1" + file.read_text()[1:])


def sign_with_another_key(folder: Path) -> None:
    make_key(folder / "other.key")
    (folder / SIGNATURE).write_text(sign(folder / "other.key", LIMITS, (folder / FILE).read_bytes()))


def sign_as_something_else(folder: Path) -> None:
    (folder / SIGNATURE).write_text(sign(folder / KEY, ROOT, (folder / FILE).read_bytes()))


BROKEN: list[tuple[Callable[[Path], object], str]] = [
    (change_a_byte, "is not signed by the key"),
    (change_the_signature, "is not signed by the key"),
    (sign_with_another_key, "is not signed by the key"),
    (sign_as_something_else, "is not signed by the key"),
    (lambda folder: (folder / SIGNATURE).write_text("no hex"), "is not signed by the key"),
    (lambda folder: (folder / SIGNATURE).unlink(), "there is no"),
    (lambda folder: (folder / FILE).unlink(), "there is no"),
    (lambda folder: (folder / FILE).write_bytes(b"\xff"), "cannot be read"),
]


@pytest.mark.parametrize(("tamper", "said"), BROKEN, ids=map(str, range(len(BROKEN))))
def test_tampered_limits_are_refused_and_a_gateway_with_them_lets_nothing_pass(
    tmp_path: Path, tamper: Callable[[Path], object], said: str
) -> None:
    public = write_own(tmp_path)
    tamper(tmp_path)
    with pytest.raises(BadLimits, match=said):
        read_limits(tmp_path, Terms((public,)))


def test_own_limits_without_a_trusted_key_are_refused(tmp_path: Path) -> None:
    write_own(tmp_path)
    with pytest.raises(BadLimits, match=r"set \[desk\] signed_by"):
        read_limits(tmp_path, Terms())


# --- two people, and the exchange's threshold ---


def signed_by(folder: Path, *names: str) -> tuple[str, ...]:
    """Limits with the keys of these people; nobody but the first has signed yet."""
    first = write_own(folder)
    return (first, *(make_key(folder / f"{name}.key") for name in names))


def sign_too(folder: Path, keys: tuple[str, ...], name: str) -> None:
    signatures = add_signature(own_limits(folder), keys, folder / f"{name}.key")
    (folder / SIGNATURE).write_text(signatures, encoding="ascii")


def test_where_two_must_sign_one_signature_is_none(tmp_path: Path) -> None:
    keys = signed_by(tmp_path, "ben", "chitra")
    two = live(*keys, required=2)
    first, second, third = (key[:16] for key in keys)
    with pytest.raises(BadLimits, match=f"not signed by the key {second}... or {third}...: {first}... has, and 2 must"):
        read_limits(tmp_path, two)
    sign_too(tmp_path, keys, "ben")
    assert verified(read_limits(tmp_path, two), two) == Limits()
    with pytest.raises(BadLimits, match="and 3 must"):
        read_limits(tmp_path, live(*keys, required=3))
    books = MemoryStore()
    put_in_force(books, DAY, read_limits(tmp_path, two))
    assert in_force(books, DAY, two).fault == ""
    assert "and 3 must" in in_force(books, DAY, live(*keys, required=3)).fault


def test_one_person_who_signs_twice_has_signed_once(tmp_path: Path) -> None:
    keys = signed_by(tmp_path, "ben")
    sign_too(tmp_path, keys, "participant")
    file = tmp_path / SIGNATURE
    (line,) = file.read_text().splitlines()
    file.write_text(f"{line}\n{line}\n{line.split()[1]}\n{keys[1]} {line.split()[1]}\n")
    with pytest.raises(BadLimits, match=f"is not signed by the key {keys[1][:16]}"):
        read_limits(tmp_path, live(*keys, required=2))


def test_a_signature_alone_counts_as_it_did_and_is_kept_beside_the_next_ones(tmp_path: Path) -> None:
    keys = signed_by(tmp_path, "ben")
    body = (tmp_path / FILE).read_bytes()
    (tmp_path / SIGNATURE).write_text(sign(tmp_path / KEY, LIMITS, body) + "\n")
    assert verified(read_limits(tmp_path, live(*keys)), live(*keys)) == Limits()
    sign_too(tmp_path, keys, "ben")
    assert verified(read_limits(tmp_path, live(*keys, required=2)), live(*keys, required=2)) == Limits()


def test_after_a_change_the_signatures_of_before_are_gone(tmp_path: Path) -> None:
    keys = signed_by(tmp_path, "ben")
    change_a_byte(tmp_path)
    sign_too(tmp_path, keys, "ben")
    assert [line.split()[0] for line in (tmp_path / SIGNATURE).read_text().splitlines()] == [keys[1]]


def test_a_strangers_signature_counts_for_nothing(tmp_path: Path) -> None:
    keys = signed_by(tmp_path, "ben")
    sign_too(tmp_path, keys, "ben")
    with pytest.raises(BadLimits, match="is not signed by the key"):
        read_limits(tmp_path, live(keys[0], "f" * 64, required=2))


@pytest.mark.parametrize(
    ("most", "changes", "is_refused"),
    [(9, {}, False), (10, {}, True), (10, {"algo_id": "NSE123"}, False), (10, {"is_paper": True}, False)],
)
def test_ten_orders_a_second_reach_an_exchange_only_under_an_algos_id(
    tmp_path: Path, most: int, changes: dict[str, Any], is_refused: bool
) -> None:
    terms = live(write_own(tmp_path, messages_second_max=most), **changes)
    if is_refused:
        with pytest.raises(BadLimits, match=r"messages_second_max = 10: .*PT-14.* set its id as \[broker\] algo_id"):
            read_limits(tmp_path, terms)
    else:
        assert verified(read_limits(tmp_path, terms), terms).messages_second_max == most


# --- the day's, in the books ---


def test_a_day_keeps_what_it_began_with(tmp_path: Path) -> None:
    books, public = MemoryStore(), write_own(tmp_path)
    first = read_limits(tmp_path, Terms((public,)))
    put_in_force(books, DAY, first)
    changed = SignedLimits("own", first.body + "# more\n", first.signature)
    put_in_force(books, DAY, changed)
    assert recorded(books, DAY) == first
    assert first.hash != changed.hash
    assert in_force(books, DAY, Terms((public,))) == Limits()


def test_what_the_gateway_finds_in_the_books_is_verified_anew(tmp_path: Path) -> None:
    books, public = MemoryStore(), write_own(tmp_path)
    assert in_force(books, DAY, Terms((public,))).fault == f"none were put in force for {DAY}"
    signed = read_limits(tmp_path, Terms((public,)))
    loose = SignedLimits("own", signed.body.replace("lots_max = 10", "lots_max = 99", 1), signed.signature)
    put_in_force(books, DAY, loose)
    assert "is not signed by the key" in in_force(books, DAY, Terms((public,))).fault
    books.commit([Write("limits", DAY, encode(signed))])
    assert in_force(books, DAY, Terms((public,))).fault == ""
    assert "is not signed" in in_force(books, DAY, Terms(("f" * 64,))).fault
    assert "no key is trusted" in in_force(books, DAY, Terms()).fault
    books.commit([Write("limits", DAY, b"<html>")])
    assert in_force(books, DAY, Terms((public,))).fault != ""


# --- keys ---


def test_a_key_is_its_owners_alone_and_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    public = make_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert public_of(path) == public
    with pytest.raises(BadKey, match="cannot be written"):
        make_key(path)
    assert is_signed(public, LIMITS, b"x", sign(path, LIMITS, b"x"))
    assert not is_signed(public, LIMITS, b"y", sign(path, LIMITS, b"x"))
    assert not is_signed("", LIMITS, b"x", sign(path, LIMITS, b"x"))


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [("ab" * 32, 0o644, "can be read by others"), ("zz", 0o600, "is no key"), ("ab", 0o600, "is no key")],
)
def test_a_key_that_is_none_or_open_to_others_is_refused(tmp_path: Path, text: str, mode: int, said: str) -> None:
    path = tmp_path / "a.key"
    path.write_text(text)
    path.chmod(mode)
    with pytest.raises(BadKey, match=said):
        public_of(path)


def test_a_key_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadKey, match="participant init"):
        public_of(tmp_path / "none.key")
