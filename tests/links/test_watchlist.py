"""Versions of the watchlist in the books: put down once, taken by each day, never under a day that has begun."""

from collections.abc import Sequence
from datetime import date

from msgspec.structs import replace

from participant.adapters.stores.memory import MemoryStore
from participant.core.messages import Write
from participant.core.scrip import Scrip
from participant.core.watchlist import Version
from participant.links.watchlist import add, first, newest_day, take, version_of, versions

OWN = first((Scrip("NIFTY"),), "ann", 1)
SECOND = replace(OWN, number=2, since=date(2026, 12, 2), note="more", scrips=(Scrip("NIFTY"), Scrip("BANKNIFTY")))
DAY, NEXT = date(2026, 12, 1), date(2026, 12, 2)


def test_the_first_day_puts_the_configurations_rows_down_as_the_first_version() -> None:
    books = MemoryStore()
    assert version_of(books, DAY, OWN) == OWN
    assert versions(books) == []
    assert take(books, DAY, OWN)
    assert versions(books) == [OWN]
    later = replace(OWN, scrips=(Scrip("TCS"),))
    assert version_of(books, NEXT, later) == OWN
    assert newest_day(books) == DAY


def test_a_day_keeps_the_version_that_it_began_with_and_the_next_takes_the_newer() -> None:
    books = MemoryStore()
    assert take(books, DAY, OWN)
    assert add(books, [OWN], SECOND)
    assert take(books, DAY, OWN)
    assert version_of(books, DAY, OWN) == OWN
    assert version_of(books, NEXT, OWN) == SECOND
    assert take(books, NEXT, SECOND)
    assert version_of(books, NEXT, OWN) == SECOND
    assert versions(books) == [OWN, SECOND]


def test_no_version_begins_on_a_day_that_has_taken_one() -> None:
    books = MemoryStore()
    assert take(books, DAY, OWN)
    assert take(books, NEXT, OWN)
    assert not add(books, [OWN], SECOND)
    assert versions(books) == [OWN]


def test_a_day_does_not_begin_with_a_version_that_no_longer_rules_it() -> None:
    books = MemoryStore()
    assert add(books, [], OWN)
    picked = version_of(books, NEXT, OWN)
    assert add(books, [OWN], SECOND)
    assert not take(books, NEXT, picked)
    assert take(books, NEXT, version_of(books, NEXT, OWN))


def test_of_two_people_who_put_a_version_down_at_once_the_second_is_told() -> None:
    books = MemoryStore()
    assert add(books, [], OWN)
    mine, theirs = SECOND, replace(SECOND, note="otherwise")
    assert add(books, [OWN], mine)
    assert not add(books, [OWN], theirs)
    assert versions(books) == [OWN, mine]


class Late(MemoryStore):
    """Somebody else commits between this one's look and its commit."""

    other: Version | None = None

    def commit(self, writes: Sequence[Write]) -> bool:
        """First what the other one wants, once."""
        other, self.other = self.other, None
        if other is not None:
            assert add(self, versions(self), other)
        return super().commit(writes)


def test_a_version_that_comes_between_look_and_commit_undoes_the_taking() -> None:
    books = Late()
    assert take(books, DAY, OWN)
    books.other = SECOND
    assert not take(books, NEXT, OWN)
    assert version_of(books, NEXT, OWN) == SECOND
    assert take(books, NEXT, SECOND)


def test_a_day_that_has_begun_counts_though_it_took_no_version() -> None:
    books = MemoryStore()
    assert newest_day(books) is None
    assert books.commit([Write("starts", "2026-11-25", b"1")])
    assert newest_day(books) == date(2026, 11, 25)
