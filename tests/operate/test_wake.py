"""Start of day: what a venue says of it, what is put down, and what an open ticket stands in the way of."""

import datetime
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from participant.adapters.stores.memory import MemoryStore
from participant.core.account import Account
from participant.core.market import LookBack, Reference
from participant.core.messages import Write
from participant.links.books import Books
from participant.operate.wake import (
    NotReady,
    ask_venue,
    closed_days,
    open_account,
    open_day,
)
from participant.stages.reconcile import Closed
from participant.wire.json import decode, encode
from tests.stages.floor import CONTRACTS, DAY, REFERENCES
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
