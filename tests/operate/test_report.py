"""After hours: the report of a day, its signature, and the contract note beside what we booked."""

import datetime

import pytest
from msgspec.structs import replace

from participant.core.books import Fill
from participant.core.breaks import BreakKind
from participant.core.charges import Charges
from participant.core.clearing import book, fill_line
from participant.core.market import SECOND
from participant.core.messages import Write
from participant.core.note import NoteRow
from participant.core.scrip import PRICE_UNITS, Contract, Side
from participant.links.breaks import mended, standing
from participant.links.broker_side import fills_of
from participant.operate.note import import_note
from participant.operate.report import Report, Signature, hash_of, report_of, sign, signatures
from participant.operate.report_page import page
from participant.operate.report_text import lines
from participant.stages.reconcile import Closed, ReconcilePorts, close_day
from participant.wire.json import decode, encode
from participant.wire.note import BadNote
from tests.core.worlds import RULES
from tests.stages.floor import CAPITAL, DAY, SPOTS, START, Floor, call, close_ticket, ending, future

FINAL = {
    "NIFTY": SPOTS["NIFTY"] + 1_200 * PRICE_UNITS,
    future().key: SPOTS["NIFTY"] + 1_300 * PRICE_UNITS,
    "BANKNIFTY": SPOTS["BANKNIFTY"],
    future("BANKNIFTY").key: SPOTS["BANKNIFTY"],
}


def traded(sold: Contract) -> Floor:
    """A day on which a future was bought and a call sold."""
    floor = Floor()
    floor.books.commit([Write("starts", str(DAY), str(CAPITAL).encode())])
    floor.decide(floor.leg(future(), Side.BUY), floor.leg(sold, Side.SELL))
    gateway, desk = floor.gateway(), floor.desk()
    for second, is_last in ((0, False), (300, False), (360, True)):
        floor.at(second)
        floor.mark("orders", START + second * SECOND, is_last=is_last)
        gateway.step(0.0)
        desk.step(0.0)
    return floor


def closed(floor: Floor, prices: dict[str, int]) -> Closed:
    floor.exchange.close_day(floor.clock.now(), FINAL)
    ports = ReconcilePorts(floor.books, floor.market, floor.exchange, floor.queues["fills"])
    done = close_day(ports, RULES, DAY)
    if done is None:
        floor.desk().step(0.0)
        done = close_day(ports, RULES, DAY)
    assert done is not None
    return done


@pytest.fixture
def floor() -> Floor:
    made = traded(call())
    closed(made, FINAL)
    return made


def report(floor: Floor) -> Report:
    found = report_of(floor.books, RULES, DAY)
    assert found is not None
    return found


# --- the report ---


def test_the_parts_of_the_result_add_up_to_what_the_books_say(floor: Floor) -> None:
    found = report(floor)
    row = floor.books.get("days", str(DAY))
    assert row is not None
    assert found.result == decode(row.value, Closed).worth - CAPITAL == found.total.total
    assert (found.not_explained, found.expired_left, found.breaks) == (0, (), ())
    assert set(found.explained) == {"NIFTY"}
    assert found.total.charges == -found.charges.total == -sum(f.charges for f in found.fills)


def test_an_expiry_is_explained_as_well(floor: Floor) -> None:
    made = traded(ending())
    closed(made, FINAL)
    found = report(made)
    assert (found.not_explained, found.expired_left) == (0, ())
    assert [(e.kind, e.quantity) for e in found.events] == [("expired", -65), ("settled", 65)]
    assert [h.contract for h in found.held] == [future().key]


def test_a_day_that_is_not_closed_has_no_report(floor: Floor) -> None:
    assert report_of(floor.books, RULES, DAY + datetime.timedelta(1)) is None


def test_the_second_day_begins_at_the_marks_of_the_first(floor: Floor) -> None:
    """Without a trade, the next day's result is the move of the marks between two closes."""
    tomorrow = DAY + datetime.timedelta(1)
    row = floor.books.get("days", str(DAY))
    assert row is not None
    before = decode(row.value, Closed)
    marks = floor.books.get("day_marks", str(DAY))
    assert marks is not None
    floor.books.commit(
        [
            Write("day_marks", str(tomorrow), marks.value),
            Write("starts", str(tomorrow), str(before.worth).encode()),
            Write("days", str(tomorrow), encode(replace(before, day=str(tomorrow)))),
        ]
    )
    found = report_of(floor.books, RULES, tomorrow)
    assert found is not None
    assert (found.result, found.total.total, found.not_explained) == (0, 0, 0)


def test_text_and_page_say_what_is_there(floor: Floor) -> None:
    found = report(floor)
    text, html = "\n".join(lines(found, [])), page(found, [])
    for said in (call().key, future().key, "delta", "residual", "nobody yet"):
        assert said in text
    assert html.startswith("<!doctype html>")
    assert "<svg" in html
    for banned in ("<script", "http://", "https://", "src="):
        assert banned not in html
    assert call().key in html


def test_what_came_from_outside_is_not_taken_as_markup(floor: Floor) -> None:
    ticket = b'{"ticket_id":"t1","at":%d,"scrip":"X","title":"<b>bold</b>","detail":"<script>"}' % START
    floor.books.commit([Write("tickets", "t1", ticket)])
    html = page(report(floor), [Signature(str(DAY), "<i>me</i>", "<u>", "h", START)])
    for banned in ("<b>bold", "<script", "<i>me", "<u>"):
        assert banned not in html


# --- signing ---


def test_a_signature_stands_with_the_hash_of_what_was_signed(floor: Floor) -> None:
    found = report(floor)
    signed = Signature(str(DAY), "Asha", "all well", hash_of(found), START)
    assert sign(floor.books, found, signed) == ""
    assert sign(floor.books, found, signed) == ""
    assert signatures(floor.books, DAY) == [signed]
    assert hash_of(report(floor)) == signed.hash
    assert "Asha" in "\n".join(lines(found, [signed]))


def test_a_day_with_a_break_is_signed_only_when_each_has_a_reason() -> None:
    floor = traded(call())
    ledger = floor.exchange.state.ledger
    floor.exchange.state.ledger = book(ledger, fill_line(future("BANKNIFTY"), Side.BUY, 30, 0), charges=0)
    closed(floor, FINAL)
    found = report(floor)
    assert found.needs_a_person
    assert any(b.is_open and b.found.kind is BreakKind.POSITION for b in found.breaks)
    signed = Signature(str(DAY), "Asha", "", hash_of(found), START)
    assert "without a reason yet: 3 breaks" in sign(floor.books, found, signed)
    for ticket in floor.tickets():
        close_ticket(floor.books, ticket.ticket_id, "the broker corrects it tomorrow")
    found = report(floor)
    assert [b.reason for b in found.breaks if b.is_open] == ["the broker corrects it tomorrow"] * len(found.breaks)
    assert sign(floor.books, found, signed) == ""
    assert "the broker corrects it tomorrow" in page(found, [])


def test_an_expiry_without_its_price_is_a_break_that_stands_in_the_report() -> None:
    floor = traded(ending())
    floor.exchange.close_day(floor.clock.now(), FINAL)
    floor.exchange.state.settlements = {k: v for k, v in FINAL.items() if k != "NIFTY"}
    ports = ReconcilePorts(floor.books, floor.market, floor.exchange, floor.queues["fills"])
    done = close_day(ports, RULES, DAY)
    assert done is not None
    assert BreakKind.EXPIRED in {b.kind for b in done.breaks}
    found = report(floor)
    assert (found.expired_left, found.needs_a_person) == ((ending().key,), True)


# --- the contract note ---


def note_rows(floor: Floor, **changes: int) -> list[NoteRow]:
    """The note that says what we booked, but for these changes to its first row."""
    rows = []
    for number, fill in enumerate(fills_of(floor.books, DAY), 2):
        charged = replace(charges_booked(floor, fill.contract.key), **changes if number == 2 else {})
        rows.append(NoteRow(number, str(DAY), fill.contract.key, "", charged))
    return rows


def charges_booked(floor: Floor, contract: str) -> Charges:
    from participant.operate.report import charges_of

    return charges_of(RULES, DAY, [f for f in fills_of(floor.books, DAY) if f.contract.key == contract])


def test_a_note_that_agrees_is_recorded_and_importing_it_twice_changes_nothing(floor: Floor) -> None:
    note, is_new = import_note(floor.books, RULES, note_rows(floor), "hash", START)
    assert (note.breaks, is_new) == ((), True)
    assert import_note(floor.books, RULES, note_rows(floor), "hash", START + 1) == (note, False)
    assert len(floor.books.rows("notes")) == 1


def test_a_paisa_more_is_a_break_with_a_ticket_until_a_corrected_note_comes(floor: Floor) -> None:
    wrong = note_rows(floor, gst=1)
    note, _ = import_note(floor.books, RULES, wrong, "one", START)
    (found,) = note.breaks
    assert found.kind is BreakKind.CHARGES
    assert (found.ours.split()[0], found.theirs) == ("gst", "gst ₹0.01")
    assert [t.is_closed for t in floor.tickets()] == [False]
    assert [b.found.kind for b in report(floor).breaks] == [BreakKind.CHARGES]
    note, _ = import_note(floor.books, RULES, note_rows(floor), "two", START + 1)
    assert (note.breaks, standing(floor.books)) == ((), [])
    assert [t.is_closed for t in floor.tickets()] == [True]
    assert [b.kind for b in mended(floor.books, DAY)] == [BreakKind.CHARGES]


def test_what_only_one_side_has_is_a_break_too(floor: Floor) -> None:
    note, _ = import_note(floor.books, RULES, note_rows(floor)[:1], "half", START)
    assert len(note.breaks) == 1


def test_a_note_by_order_is_compared_by_order(floor: Floor) -> None:
    names = {o.contract.key: o.broker_order_id for o in floor.orders()}
    rows = [replace(row, order=names[row.contract]) for row in note_rows(floor)]
    note, _ = import_note(floor.books, RULES, rows, "by order", START)
    assert note.breaks == ()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"day": "2026-11-24"}, "line 3: the day is"),
        ({"contract": "NIFTY-20261229-1CE"}, "line 3: NIFTY-20261229-1CE was not traded"),
    ],
)
def test_a_note_that_is_not_of_the_day_is_refused(floor: Floor, changes: dict[str, str], why: str) -> None:
    first, second = note_rows(floor)
    with pytest.raises(BadNote, match=why):
        import_note(floor.books, RULES, [first, replace(second, **changes)], "hash", START)
    assert floor.books.rows("notes") == []


@pytest.mark.parametrize(("day", "why"), [("2026-11-24", "no day that these books"), ("today", "is no day; write")])
def test_a_note_of_another_day_is_refused(floor: Floor, day: str, why: str) -> None:
    rows = [replace(row, day=day) for row in note_rows(floor)]
    with pytest.raises(BadNote, match=why):
        import_note(floor.books, RULES, rows, "hash", START)


def test_a_fill_booked_after_the_close_stands_out_and_is_signed_only_with_a_note(floor: Floor) -> None:
    assert report(floor).late == ()
    (row, *_) = floor.books.rows("fills", prefix=f"{DAY}/")
    fill = decode(row.value, Fill)
    floor.books.commit([Write("fills", row.key, encode(replace(fill, revision=fill.revision + 1)))])
    found = report(floor)
    assert found.late == (fill.order_id,)
    assert found.needs_a_person
    assert "booked after the close" in "\n".join(lines(found, []))
    assert "booked after the close" in page(found, [])
    signed = Signature(str(DAY), "Asha", "", hash_of(found), START)
    assert "say in `--note`" in sign(floor.books, found, signed)
    assert sign(floor.books, found, replace(signed, note="entered by hand in the evening")) == ""
