"""Sealing a day and verifying it: every class of tampering with books, files, root and key is named."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from participant.adapters.clocks.virtual import VirtualClock
from participant.adapters.stores.memory import MemoryStore
from participant.core.journal import Entry, Signed
from participant.core.messages import Row, Write
from participant.links.journal import JOURNAL, ROOTS, JournalStore
from participant.links.keys import ROOT, make_key, sign
from participant.operate.journal import KEY, PUBLIC, days_to_verify, for_people, seal, seal_ended, verify
from participant.wire.json import decode, encode

DAY, NEXT = "2026-11-25", "2026-11-26"
DECIDED = [b'{"decisionInfo":1}', b'{"decisionInfo":2}']


class Home:
    """A home with books of a day that has ended: decisions, orders, a command of a person, a chain each."""

    def __init__(self, path: Path) -> None:
        self.path, self.books = path, MemoryStore()
        self.trade(DAY)

    def trade(self, day: str) -> None:
        (self.path / "decisions").mkdir(exist_ok=True)
        (self.path / "run.json").write_text(f'{{"day":"{day}"}}')
        dispatch, gateway, desk = (
            JournalStore(self.books, n, day, VirtualClock(5)) for n in ("dispatch", "gateway", "desk")
        )
        for i, line in enumerate(DECIDED):
            dispatch.commit([Write("log", f"{day}/{i}", line, 0), Write("orders", f"{day}/{i}", b'{"s":0}', 0)])
        for version in (1, 2):
            gateway.commit([Write("orders", f"{day}/0", b'{"s":%d}' % version, version)])
        for_people(self.books, self.path, VirtualClock(6)).commit([Write("breaker", "halt", b"{}")])
        desk.commit([Write("fills", f"{day}/0", b"{}", 0), Write("days", day, b"{}")])
        (self.path / "decisions" / f"{day}.jsonl").write_bytes(b"".join(line + b"\n" for line in DECIDED))

    def row(self, number: int, writer: str = "gateway") -> Row:
        row = self.books.get(JOURNAL, f"{DAY}/{writer}/{number:08d}")
        assert row is not None
        return row

    def fault(self, day: str = DAY, key: str = "") -> str:
        key = key or (self.path / PUBLIC).read_text().strip()
        found = verify(self.books, day, self.path, key).fault
        return f"{found.writer} {found.number} {found.what}" if found else ""

    def force(self, table: str, key: str, value: bytes | None) -> None:
        """Change a row as somebody would who opens the file, without the journal; its version stays."""
        before = self.books.get(table, key)
        if before is not None and value is not None:
            self.books._tables[table][key] = replace(before, value=value)
        else:
            self.books.commit([Write(table, key, value)])

    def alter(self, number: int, writer: str = "gateway", **changes: object) -> None:
        row = self.row(number, writer)
        self.force(JOURNAL, row.key, encode(replace(decode(row.value, Entry), **changes)))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path)
    (sealed,) = seal_ended(made.books, tmp_path)
    assert sealed.root.day == DAY
    return made


def test_a_day_that_nobody_touched_is_as_signed(home: Home) -> None:
    assert home.fault() == ""
    assert verify(home.books, DAY, home.path, (home.path / PUBLIC).read_text().strip()).entries == 9
    assert (home.path / KEY).stat().st_mode & 0o777 == 0o600


def test_sealing_again_signs_nothing_again(home: Home) -> None:
    before = home.books.rows(ROOTS)
    assert seal_ended(home.books, home.path) == []
    assert home.books.rows(ROOTS) == before


def cut(home: Home) -> None:
    home.force(JOURNAL, home.row(2).key, None)


def take_out(home: Home) -> None:
    home.force(JOURNAL, home.row(1).key, None)


def drop_chain(home: Home) -> None:
    for number in (1, 2):
        home.force(JOURNAL, home.row(number).key, None)


def swap(home: Home) -> None:
    one, two = home.row(1), home.row(2)
    home.force(JOURNAL, one.key, two.value)
    home.force(JOURNAL, two.key, one.value)


def add(home: Home) -> None:
    JournalStore(home.books, "gateway", DAY, VirtualClock(9)).commit([Write("told", "t", b"{}")])


def add_chain(home: Home) -> None:
    JournalStore(home.books, "intruder", DAY, VirtualClock(9)).commit([Write("told", "t", b"{}")])


def garble(home: Home) -> None:
    home.force(JOURNAL, home.row(2).key, b"\xff not json")


def alter_root(home: Home) -> None:
    row = home.books.get(ROOTS, DAY)
    assert row is not None
    signed = decode(row.value, Signed)
    home.force(ROOTS, DAY, encode(replace(signed, root=replace(signed.root, chains=signed.root.chains[1:]))))


def wrong_root(home: Home) -> None:
    """A root that does not follow from its chains, signed with the right key."""
    row = home.books.get(ROOTS, DAY)
    assert row is not None
    signed = decode(row.value, Signed)
    root = replace(signed.root, root="f" * 64)
    home.force(ROOTS, DAY, encode(Signed(root, signed.key, sign(home.path / KEY, ROOT, encode(root)))))


def other_key(home: Home) -> None:
    row = home.books.get(ROOTS, DAY)
    assert row is not None
    root, other = decode(row.value, Signed).root, home.path / "other.key"
    home.force(ROOTS, DAY, encode(Signed(root, make_key(other), sign(other, ROOT, encode(root)))))


TAMPERED: list[tuple[str, Callable[[Home], object], str]] = [
    ("the last entry", cut, "gateway 2 the chain ends before it: 2 entries were signed"),
    ("an entry", take_out, "gateway 1 the entry is missing"),
    ("a whole chain", drop_chain, "gateway 0 its chain of 2026-11-25 is gone: 2 entries were signed"),
    ("the order", swap, "gateway 1 it says that it is 2026-11-25/gateway/2"),
    ("one more entry", add, "gateway 3 it was added after the day was signed"),
    ("one more chain", add_chain, "intruder 1 its chain is not in the signed root"),
    ("bytes", garble, " 0 an entry cannot be read: 2026-11-25/gateway/00000002"),
    ("what an entry says", lambda h: h.alter(1, said=b"1"), "gateway 1 what it says is not what its hash"),
    ("when", lambda h: h.alter(1, at=99), "gateway 1 its hash is not the one that entry 2 holds of it"),
    ("when, in the last", lambda h: h.alter(2, at=99), "gateway 2 its hash is not the one that was signed"),
    ("the content", lambda h: h.alter(2, content="f" * 64), "gateway 2 what it says is not what its hash"),
    ("the root", alter_root, " 0 the signature of its root is not that of the desk's key"),
    ("a root of nothing", wrong_root, " 0 its root does not follow from its chains"),
    ("the key", other_key, " 0 its root is signed with key"),
    ("no root", lambda h: h.force(ROOTS, DAY, None), " 0 the day has no signed root"),
    ("an unreadable root", lambda h: h.force(ROOTS, DAY, b"{}"), " 0 its root cannot be read"),
    ("an order", lambda h: h.force("orders", f"{DAY}/0", b'{"s":9}'), f"gateway 2 orders {DAY}/0 is not what"),
    ("an older order", lambda h: h.force("orders", f"{DAY}/0", b'{"s":1}'), f"gateway 2 orders {DAY}/0 is not what"),
    ("a fill that is gone", lambda h: h.force("fills", f"{DAY}/0", None), f"desk 1 fills {DAY}/0 is gone"),
    ("a decision", lambda h: h.force("log", f"{DAY}/1", b"{}"), f"dispatch 3 log {DAY}/1 is not what the entry tells"),
    ("a planted order", lambda h: h.force("orders", f"{DAY}/9", b"{}"), f" 0 orders {DAY}/9 stands in"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "tamper", "said"), TAMPERED, ids=[name for name, _, _ in TAMPERED])
def test_whatever_is_tampered_with_is_named(home: Home, what: str, tamper: Callable[[Home], object], said: str) -> None:
    tamper(home)
    assert home.fault().startswith(said), what


@pytest.mark.parametrize("name", [f"journal/{DAY}.jsonl", f"decisions/{DAY}.jsonl", f"journal/{DAY}.root.json"])
def test_a_file_that_differs_from_the_books_is_named(home: Home, name: str) -> None:
    path = home.path / name
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    changes = [whole.replace(b"1", b"7", 1), b"".join(lines[:-1]), whole + b"{}\n", b""]
    for changed in changes:
        path.write_bytes(changed)
        assert path.name in home.fault(), changed[:60]
    path.unlink()
    assert path.name in home.fault()
    path.write_bytes(whole)
    assert home.fault() == ""


def test_without_a_public_key_to_trust_no_signature_counts(home: Home) -> None:
    assert "not with any that is trusted" in _fault_with(home, "")
    assert "not with ffffffffffffffff" in _fault_with(home, "f" * 64)


def _fault_with(home: Home, key: str) -> str:
    found = verify(home.books, DAY, home.path, key).fault
    assert found is not None
    return found.what


def test_a_day_is_signed_on_the_day_before_and_one_that_is_taken_away_is_missed(home: Home) -> None:
    home.trade(NEXT)
    seal_ended(home.books, home.path)
    assert days_to_verify(home.books) == [DAY, NEXT]
    assert (home.fault(), home.fault(NEXT)) == ("", "")
    home.force(ROOTS, DAY, None)
    assert home.fault(NEXT) == " 0 the root before it is not the one that it was signed on"


def test_what_a_person_does_after_the_day_was_signed_goes_into_the_next_root(home: Home) -> None:
    for_people(home.books, home.path, VirtualClock(7)).commit([Write("tickets", "late", b"{}")])
    assert home.fault() == "", "the signed day stays as it was"
    home.trade(NEXT)
    (signed,) = seal_ended(home.books, home.path)
    assert f"{DAY}+" in {chain.day for chain in signed.root.chains}
    assert (home.fault(), home.fault(NEXT)) == ("", "")


def test_a_command_before_any_day_has_a_chain_too(tmp_path: Path) -> None:
    books = MemoryStore()
    (tmp_path / "run.json").write_text("{")
    for_people(books, tmp_path, VirtualClock(0)).commit([Write("breaker", "halt", b"{}")])
    assert books.rows(JOURNAL)[0].key.startswith("before/person-")


def test_a_chain_that_was_broken_when_the_day_was_signed_stays_broken(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.alter(1, at=99)
    assert seal(home.books, DAY, tmp_path) is not None
    assert home.fault().startswith("gateway 1 its hash is not the one that entry 2 holds of it")


def test_a_day_without_a_journal_is_not_signed(tmp_path: Path) -> None:
    books = MemoryStore()
    books.commit([Write("days", DAY, b"{}")])
    assert seal_ended(books, tmp_path) == []
