"""Signed limits and the chained log, over the command line: what is tampered with is refused or named."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from participant.links.keys import LIMITS, make_key, public_of, sign
from tests.desk.runs import DAY, MADE, Ended, participant, trade

Calm = tuple[Path, Ended]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder with a configuration and limits of its own, as `participant init` writes them."""
    assert participant(tmp_path, "init").status == 0
    return tmp_path


@contextmanager
def opened(home: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(home / "books.sqlite")
    with connection:
        yield connection
    connection.close()


# --- limits ---


def test_init_makes_limits_that_are_in_force_and_a_key_that_is_its_owners_alone(own: Path) -> None:
    checked = participant(own, "limits", "check")
    assert (checked.status, checked.err) == (0, "")
    assert "signed by" in checked.out
    assert (own / "participant.key").stat().st_mode & 0o777 == 0o600
    again = participant(own, "init")
    assert (again.status, "is there already" in again.err) == (2, True)


def alter(folder: Path) -> None:
    file = folder / "limits.toml"
    file.write_text(file.read_text().replace("lots_max = 10 ", "lots_max = 11 ", 1))


def unset(folder: Path) -> None:
    file = folder / "limits.toml"
    file.write_text(file.read_text().replace("\nlots_max = 10 ", "\n# lots_max = 10 ", 1))
    (folder / "limits.toml.sig").write_text(sign(folder / "participant.key", LIMITS, file.read_bytes()))


def other_key(folder: Path) -> None:
    make_key(folder / "other.key")
    body = (folder / "limits.toml").read_bytes()
    (folder / "limits.toml.sig").write_text(sign(folder / "other.key", LIMITS, body))


BAD: list[tuple[Callable[[Path], object], str]] = [
    (alter, "is not signed by the key"),
    (unset, "does not set lots_max"),
    (other_key, "is not signed by the key"),
    (lambda folder: (folder / "limits.toml.sig").unlink(), "there is no limits.toml.sig"),
    (lambda folder: (folder / "limits.toml").unlink(), "there is no limits.toml"),
    (lambda folder: (folder / "limits.toml").write_bytes(b"\xff\xfe"), "cannot be read"),
    (lambda folder: (folder / "participant.toml").unlink(), "no key is trusted"),
]


@pytest.mark.parametrize(("tamper", "said"), BAD, ids=["altered", "unset", "key", "sig", "file", "bytes", "trust"])
def test_a_day_does_not_begin_with_limits_that_are_not_in_force(
    own: Path, tamper: Callable[[Path], object], said: str
) -> None:
    tamper(own)
    ended = participant(own, "trade", *MADE)
    assert (ended.status, ended.out) == (2, "")
    assert said in ended.err
    assert ended.err.count("\n") == 1
    assert not (own / "var" / "run.json").exists(), "the day has begun"
    assert participant(own, "limits", "check").status == 2


def test_limits_that_were_changed_are_signed_again_only_when_they_are_whole_and_by_the_trusted_key(own: Path) -> None:
    alter(own)
    make_key(own / "other.key")
    assert participant(own, "limits", "sign", "--key", "other.key").status == 2
    signed = participant(own, "limits", "sign")
    assert (signed.status, participant(own, "limits", "check").status) == (0, 0)
    file = own / "limits.toml"
    file.write_text(file.read_text().replace("\nlots_max", "\nlots", 1))
    assert participant(own, "limits", "sign").status == 2


def test_where_two_people_must_sign_a_day_begins_once_both_have(own: Path) -> None:
    keys = [public_of(own / "participant.key"), make_key(own / "ben.key")]
    settings = own / "participant.toml"
    text = settings.read_text()
    settings.write_text(text.replace(f'signed_by = "{keys[0]}"', f"signed_by = {keys}\nsignatures_required = 2", 1))
    ended = participant(own, "trade", *MADE)
    assert (ended.status, ended.out, ended.err.count("\n")) == (2, "", 1)
    said = f"not signed by the key {keys[1][:16]}...: {keys[0][:16]}... has, and 2 must"
    assert said in ended.err
    assert said in participant(own, "limits", "check").err
    again = participant(own, "limits", "sign")
    assert (again.status, "1 more signature must follow" in again.out) == (1, True), "the same person twice is one"
    second = participant(own, "limits", "sign", "--key", "ben.key")
    assert (second.status, "the next day begins with it" in second.out) == (0, True)
    checked = participant(own, "limits", "check")
    assert checked.status == 0
    assert all(f"\nsigned by {key[:16]}..." in checked.out for key in keys)
    alter(own)
    assert participant(own, "limits", "sign", "--key", "ben.key").status == 1, "what was signed before is another text"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ('signed_by = ["ab"]', "is no public key"),
        (f'signed_by = ["{"a" * 64}", "{"a" * 64}"]', "names a key twice"),
        (f'signed_by = "{"a" * 64}"\nsignatures_required = 2', "signed_by names 1 keys"),
        ("signatures_required = 2", "signed_by names 0 keys"),
    ],
)
def test_signers_that_can_never_be_enough_are_refused(tmp_path: Path, said: str, why: str) -> None:
    (tmp_path / "participant.toml").write_text(f"[desk]\n{said}\n")
    ended = participant(tmp_path, "config", "check")
    assert (ended.status, ended.out, ended.err.count("\n"), why in ended.err) == (2, "", 1, True)


def test_limits_in_participant_toml_are_refused_with_where_they_went(tmp_path: Path) -> None:
    (tmp_path / "participant.toml").write_text("[limits]\nlots_max = 3\n")
    ended = participant(tmp_path, "config", "check")
    assert ended.status == 2
    assert "has moved to limits.toml" in ended.err


def test_limits_that_were_altered_in_the_books_of_a_day_end_it_before_it_goes_on(tmp_path: Path, calm: Calm) -> None:
    home = tmp_path / "home"
    shutil.copytree(calm[0], home)
    with opened(home) as books:
        books.execute("DELETE FROM rows WHERE tbl = 'days'")
        books.execute(swap("lots_max = 10 ", "lots_max = 99 ", "tbl = 'limits'"))
    ended = trade(home, *MADE)
    assert ended.status == 2
    assert "is not signed by the key" in ended.err


# --- the log ---


def verify(home: Path, *options: object) -> Ended:
    return participant(home.parent, "log", "verify", "--home", home, *options)


def test_a_day_is_sealed_at_its_end_and_verifies(calm: Calm) -> None:
    home = calm[0]
    for options in ((), (DAY,), ("--key", home / "desk.pub")):
        ended = verify(home, *options)
        assert (ended.status, ended.err) == (0, "")
        assert "all as signed; root " in ended.out
    with opened(home) as books:
        told = {name for (name,) in books.execute("SELECT DISTINCT tbl FROM rows WHERE tbl <> 'journal'")}
        writers = {k.split("/")[1] for (k,) in books.execute("SELECT key FROM rows WHERE tbl = 'journal'")}
    assert {"limits", "log", "orders", "fills", "roots"} <= told
    assert writers == {"trade", "dispatch", "gateway", "desk", "breaker"}


def swap(old: str, new: str, where: str) -> str:
    """The statement that puts `new` for `old` into rows."""
    return f"UPDATE rows SET value = CAST(replace(CAST(value AS TEXT), '{old}', '{new}') AS BLOB) WHERE {where}"


OF_GATEWAY = f"tbl = 'journal' AND key LIKE '{DAY}/gateway/%'"
TAMPERED = {
    "an entry removed": (f"DELETE FROM rows WHERE key = '{DAY}/gateway/00000003'", "gateway entry 3"),
    "a chain cut short": (
        f"DELETE FROM rows WHERE key = (SELECT max(key) FROM rows WHERE {OF_GATEWAY})",
        "gateway entry",
    ),
    "an entry altered": (swap('"at":1', '"at":2', f"key = '{DAY}/desk/00000001'"), "desk entry 1"),
    "an order altered": (swap("filled", "denied", "tbl = 'orders'"), f"orders {DAY}/"),
    "a root removed": ("DELETE FROM rows WHERE tbl = 'roots'", "no signed root"),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_a_log_that_was_tampered_with_does_not_verify_and_the_first_bad_entry_is_named(
    what: str, tmp_path: Path, calm: Calm
) -> None:
    home = tmp_path / "home"
    shutil.copytree(calm[0], home)
    statement, said = TAMPERED[what]
    with opened(home) as books:
        assert books.execute(statement).rowcount > 0
    ended = verify(home)
    assert ended.status == 1
    assert said in ended.out


def test_another_key_than_the_one_that_signed_is_not_taken(tmp_path: Path, calm: Calm) -> None:
    other = tmp_path / "other.pub"
    other.write_text(make_key(tmp_path / "other.key"))
    ended = verify(calm[0], "--key", other)
    assert ended.status == 1
    assert "is signed with key" in ended.out


def test_a_persons_commands_are_in_the_log_under_their_name(tmp_path: Path, calm: Calm) -> None:
    home = tmp_path / "home"
    shutil.copytree(calm[0], home)
    assert participant(tmp_path, "halt", "--home", home, "--reason", "a drill").status == 0
    with opened(home) as books:
        books.execute("INSERT INTO rows VALUES (999999, 'disabled', 'NIFTY', ?, 1)", (DISABLED,))
    assert participant(tmp_path, "resume", "--home", home, "--scrip", "NIFTY", "--reason", "looked at it").status == 0
    again = participant(tmp_path, "resume", "--home", home, "--scrip", "NIFTY")
    assert (again.status, "no control has disabled it" in again.err) == (2, True)
    with opened(home) as books:
        entries = [
            v
            for (v,) in books.execute(
                "SELECT value FROM rows WHERE tbl = 'journal' AND key LIKE ?", (f"{DAY}+/person-%",)
            )
        ]
    assert [word in b"".join(entries) for word in (b"a drill", b"looked at it")] == [True, True]
    assert verify(home).status == 0


DISABLED = b'{"scrip":"NIFTY","why":"PT-12 loop: 4 entries","control":"PT-12","at":1}'


def test_a_home_without_a_closed_day_has_nothing_to_verify(tmp_path: Path) -> None:
    ended = verify(tmp_path / "none")
    assert ended.status == 2
