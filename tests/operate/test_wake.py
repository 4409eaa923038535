"""Start of day: what a venue says of it, what is put down, and what an open ticket stands in the way of."""

import datetime
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from msgspec.structs import replace

from participant.adapters.stores.memory import MemoryStore
from participant.core.account import Account
from participant.core.market import LookBack, Reference
from participant.core.messages import Ticket, Write
from participant.core.position import Holding, Position
from participant.links.books import Books
from participant.operate.wake import (
    NotReady,
    ask_venue,
    closed_days,
    open_account,
    open_day,
    open_tickets,
    take_in_revisions,
)
from participant.stages.reconcile import Closed
from participant.wire.json import decode, encode
from tests.core.worlds import RULES
from tests.stages.floor import CONTRACTS, DAY, REFERENCES, START, call, close_ticket, future
from tests.venue import made

LAST = datetime.date(2026, 11, 24)


@pytest.fixture
def books() -> MemoryStore:
    return MemoryStore()


# --- the venue ---


def test_a_venue_is_asked_for_its_day_its_contracts_and_its_look_backs() -> None:
    with made.running(made.MadeMarket()) as venue:
        info = ask_venue(venue.url, 5.0)
    assert info.session.day == made.DAY.isoformat()
    (reference,) = info.references
    assert reference.scrip == "NIFTY"
    assert set(reference.contracts) == set(made.CONTRACTS)
    assert reference.look_back == made.MadeMarket().look_back("NIFTY")
    assert reference.provenance == made.MadeMarket().provenance("NIFTY")


@contextmanager
def stranger() -> Iterator[str]:
    """A web server that is no venue."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>hello</html>")

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "nowhere", "http://127.0.0.1:port"])
def test_where_no_venue_answers_it_is_said_in_one_line(url: str) -> None:
    with pytest.raises(NotReady) as told:
        ask_venue(url, 1.0)
    assert str(told.value).startswith(f"venue: {url} does not answer as a venue (")
    assert str(told.value).endswith("; start it with `participant venue`")
    assert "\n" not in str(told.value)


def test_what_answers_and_is_no_venue_is_told_in_the_same_way() -> None:
    with stranger() as url, pytest.raises(NotReady, match=f"venue: {url} does not answer as a venue"):
        ask_venue(url, 1.0)


# --- the day ---


def closed(books: MemoryStore, day: datetime.date, worth: int) -> None:
    books.commit([Write("days", str(day), encode(Closed(str(day), 1, (), (), {}, worth)))])


def test_a_day_begins_with_its_references_and_without_yesterdays_market(books: MemoryStore) -> None:
    quotes = MemoryStore()
    old = Reference("OLD", CONTRACTS["NIFTY"], LookBack())
    quotes.commit([
        Write("quotes", "NIFTY", b"old"),
        Write("reference", "OLD", encode(old)),
        Write("feeds", "status", b"old"),
    ])  # fmt: skip
    open_account(books, 700)
    open_day(books, quotes, DAY, REFERENCES)
    assert (quotes.rows("quotes"), quotes.get("feeds", "status")) == ([], None)
    assert [decode(r.value, Reference) for r in quotes.rows("reference")] == list(REFERENCES)


def test_the_first_day_starts_with_the_capital(books: MemoryStore) -> None:
    open_account(books, 700)
    open_day(books, MemoryStore(), DAY, ())
    row = books.get("starts", str(DAY))
    assert row is not None
    assert int(row.value) == 700


def test_a_later_day_starts_with_what_the_desk_was_worth_at_the_last_close(books: MemoryStore) -> None:
    open_account(books, 700)
    closed(books, LAST, 650)
    closed(books, datetime.date(2026, 11, 20), 600)
    open_day(books, MemoryStore(), DAY, ())
    row = books.get("starts", str(DAY))
    assert row is not None
    assert int(row.value) == 650


def test_a_day_that_is_opened_again_keeps_what_it_started_with(books: MemoryStore) -> None:
    open_account(books, 700)
    open_day(books, MemoryStore(), DAY, ())
    books.commit([Write("account", "account", encode(Account(700, 500)))])
    open_day(books, MemoryStore(), DAY, ())
    row = books.get("starts", str(DAY))
    assert row is not None
    assert int(row.value) == 700


def test_a_home_that_has_an_account_keeps_it(books: MemoryStore) -> None:
    open_account(books, 700)
    books.commit([Write("account", "account", encode(Account(700, 500)))])
    open_account(books, 900)
    assert Books(books).account()[0] == Account(700, 500)


def test_the_latest_closed_day_is_known(books: MemoryStore) -> None:
    assert closed_days(books) == []
    for day in (LAST, datetime.date(2026, 9, 30)):
        closed(books, day, 1)
    assert closed_days(books)[-1] == LAST


# --- what the exchange has revised ---


def hold(books: MemoryStore, *holdings: Holding) -> None:
    """Held of NIFTY since a day on which a lot was 75."""
    open_account(books, 700)
    books.commit([Write("positions", "NIFTY", encode(Position("NIFTY", holdings)))])


def woken(books: MemoryStore) -> list[Ticket]:
    return take_in_revisions(books, MemoryStore(), RULES, REFERENCES, START)


def test_s28_an_odd_lot_after_a_revision_is_one_ticket_before_the_day_and_never_another(books: MemoryStore) -> None:
    """S28: 75 units were a lot, and a lot is 65 now."""
    hold(books, Holding(replace(call(), lot=75), -150, -500), Holding(replace(future(), lot=75), 75, 1_000))
    second, first = woken(books)
    assert first.title == f"an odd lot: +75 {future().key} are no whole lots of 65"
    assert "the rest of 10 units" in first.detail
    assert second.title == f"an odd lot: -150 {call().key} are no whole lots of 65"
    position, _ = Books(books).position("NIFTY")
    assert position.holdings == (Holding(call(), -150, -500), Holding(future(), 75, 1_000))
    assert Books(books).account()[0].cash == 700
    assert {r.key.partition("-revised-")[2] for r in books.rows("events")} == {call().key, future().key}

    assert woken(books) == []
    assert {t.ticket_id for t in open_tickets(books)} == {first.ticket_id, second.ticket_id}
    for ticket in (first, second):
        close_ticket(books, ticket.ticket_id, "it may expire")
    assert (woken(books), open_tickets(books)) == ([], [])


def test_whole_lots_after_a_revision_are_held_on_the_new_terms_and_no_ticket(books: MemoryStore) -> None:
    hold(books, Holding(replace(future(), lot=130, freeze=130), 130, 1_000))
    assert woken(books) == []
    assert Books(books).position("NIFTY")[0].holdings == (Holding(future(), 130, 1_000),)


def test_terms_that_are_as_they_were_change_nothing(books: MemoryStore) -> None:
    hold(books, Holding(future(), 65, 1_000))
    before = books.get("positions", "NIFTY")
    assert woken(books) == []
    assert books.get("positions", "NIFTY") == before
    assert books.rows("events") == []
