"""Breaks: every difference over the union of both sides, nothing from what was not read, and their age."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from participant.core.breaks import (
    COMPARED,
    ORDERS,
    POSITIONS,
    REPAIRS,
    Book,
    Break,
    BreakKind,
    Line,
    ReconcileRule,
    age,
    awaits_a_person,
    compare,
    made,
    not_recent,
    oldest_cycles,
)
from participant.core.scrip import Side

K = BreakKind
few = st.integers(0, 3)
lines = st.builds(Line, st.sampled_from("xyz"), st.sampled_from(Side), few, few, st.booleans())
orders = st.dictionaries(st.sampled_from("abc"), lines, max_size=3)
units = st.dictionaries(st.sampled_from("xyz"), st.integers(-3, 3), max_size=3)
books = st.builds(Book, orders, units, st.integers(0, 300), st.integers(0, 300))
breaks = st.builds(Break, st.sampled_from(sorted(COMPARED)), st.sampled_from("abc"), st.just("1"), st.just("2"))
SOLD = Line("x", Side.SELL, 65, 100)


@given(books)
def test_a_book_agrees_with_itself(book: Book) -> None:
    assert compare(book, book) == []


@given(books, books)
def test_every_difference_is_found_once_whichever_side_it_is_on(ours: Book, theirs: Book) -> None:
    assert ours.positions is not None
    assert theirs.positions is not None
    found = compare(ours, theirs)
    names = [b.name for b in found]
    assert len(names) == len(set(names))
    differ = {k for k in {*ours.positions, *theirs.positions} if ours.positions.get(k, 0) != theirs.positions.get(k, 0)}
    assert {b.key for b in found if b.kind is K.POSITION} == differ
    assert {b.key for b in found if b.kind is not K.MARGIN} == {
        b.key for b in compare(theirs, ours) if b.kind is not K.MARGIN
    }


@given(books)
def test_s18_what_could_not_be_read_is_no_empty_book(book: Book) -> None:
    assert compare(book, Book()) == []
    assert {b.kind for b in compare(book, Book(orders={}))} <= {K.MISSING}
    assert {b.kind for b in compare(book, Book(positions={}))} <= {K.POSITION}


def test_each_kind_of_difference_has_its_name_its_figures_and_a_repair() -> None:
    ours = Book({"a": SOLD, "b": SOLD, "c": SOLD}, {"x": 5}, 0, 100)
    theirs = Book({"b": replace(SOLD, quantity=60), "c": replace(SOLD, value=900), "d": SOLD}, {"x": -2}, 101, 900)
    found = {(b.kind, b.key): (b.ours, b.theirs) for b in compare(ours, theirs)}
    assert found == {
        (K.MISSING, "a"): ("sell 65 x", "0"),
        (K.QUANTITY, "b"): ("65", "60"),
        (K.VALUE, "c"): ("100", "900"),
        (K.FOREIGN, "d"): ("0", "sell 65 x"),
        (K.POSITION, "x"): ("5", "-2"),
        (K.CASH, "cash"): ("0", "101"),
        (K.MARGIN, "margin"): ("100", "900"),
    }
    assert all(b.repair for b in compare(ours, theirs))
    assert set(REPAIRS) == set(K)
    assert "--adopt x" in made(K.POSITION, "x", "1", "2", 3).repair


def test_cash_may_differ_by_a_rupee_of_rounding_and_margin_by_our_estimate() -> None:
    assert compare(Book(cash=0), Book(cash=100)) == []
    assert len(compare(Book(cash=0), Book(cash=-101))) == 1
    assert compare(Book(margin=1_000_00), Book(margin=1_501_00)) == []
    assert compare(Book(margin=1_000_00), Book(margin=1_501_01)) != []
    assert compare(Book(margin=1_000_00), Book(margin=0)) == []


def test_a_fill_made_by_hand_for_a_ticket_is_neither_foreign_nor_counted_twice() -> None:
    handed = replace(SOLD, is_handed=True, wanted=65)
    by_hand = Book({"ours": handed})
    assert compare(by_hand, Book({"external-1": SOLD})) == []
    assert (
        compare(
            by_hand, Book({"ours": replace(SOLD, quantity=25, value=40), "external-1": Line("x", Side.SELL, 40, 60)})
        )
        == []
    )
    (other,) = compare(by_hand, Book({"ours": SOLD, "external-1": SOLD}))
    assert (other.kind, other.key) == (K.FOREIGN, "external-1")
    assert awaits_a_person(SOLD, [replace(handed, quantity=0)])
    assert not awaits_a_person(SOLD, [handed])
    assert not awaits_a_person(SOLD, [replace(handed, quantity=0, side=Side.BUY)])


@given(st.lists(breaks, max_size=6), st.lists(breaks, max_size=6), st.sampled_from([ORDERS, POSITIONS, COMPARED]))
def test_what_was_not_looked_at_neither_ages_nor_ends(
    before: list[Break], found: list[Break], kinds: frozenset[BreakKind]
) -> None:
    before = list({b.name: replace(b, first_seen=1, last_seen=1, cycles=3) for b in before}.values())
    found = [b for b in found if b.kind in kinds]
    aged = age(before, found, kinds, 9)
    assert {b.name for b in aged.standing} == {b.name for b in before if b.kind not in kinds} | {b.name for b in found}
    assert all(b in before for b in aged.standing if b.kind not in kinds)
    known = {b.name for b in before}
    assert all(
        (b.cycles, b.first_seen) == ((4, 1) if b.name in known else (1, 9)) for b in aged.standing if b.kind in kinds
    )
    assert all(b.ended_at == 9 and b.how for b in aged.ended)
    assert {b.name for b in aged.ended} == {b.name for b in before if b.kind in kinds} - {b.name for b in found}


def test_what_is_in_motion_is_no_new_break_but_an_old_one_stays() -> None:
    new, old = Break(K.POSITION, "x", "1", "2", "x"), Break(K.QUANTITY, "a", "1", "2", "x")
    assert not_recent([new, old], [old], frozenset({"x"})) == [old]
    assert not_recent([new, old], [], frozenset({"y"})) == [new, old]


def test_the_age_that_trips_the_breaker_is_that_of_the_running_day() -> None:
    old = replace(made(K.CHARGES, "n", "1", "2", 0), cycles=9)
    assert oldest_cycles([]) == oldest_cycles([old]) == 0
    assert oldest_cycles([old, replace(made(K.CASH, "cash", "1", "2", 0), cycles=2)]) == 2
    assert ReconcileRule().orders_every_s <= 30
    assert ReconcileRule().positions_every_s <= 60
    assert ReconcileRule().funds_every_s <= 300
