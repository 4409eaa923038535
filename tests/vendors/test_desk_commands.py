"""`participant desk` over sockets, against a broker whose book bears no tags: the live book is asked at each step."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import Struct

from participant.adapters.stores.sqlite import SqliteStore
from participant.cli import main
from participant.config import BrokerLink, Config, Run
from participant.core.breaker import Level
from participant.core.messages import Write
from participant.core.order import Order, OrderStatus
from participant.core.scrip import Side
from participant.links.books import Books
from participant.links.faults import FaultKind, Faults
from participant.wire.json import encode
from tests.stages.floor import CONTRACTS, DAY, Floor, future
from tests.vendors import openalgo
from tests.vendors.serving import Served, Way, serving

TABLES = ("account", "orders", "tickets", "log")


class Home(Struct):
    """A desk's home with one lost order and its ticket, and the broker that it asks."""

    path: Path
    floor: Floor
    served: Served

    def desk(self, *words: object) -> int:
        name = self.floor.tickets()[0].ticket_id[:8]
        told = [str(word) for word in words]
        return main(["desk", told[0], name, "--by", "asha", *told[1:], "--home", str(self.path)])

    def fill(self) -> int:
        limit = self.floor.orders()[0].limit / 10_000
        return self.desk("fill", "--quantity", 65, "--price", limit, "--broker-order-id", "H1")

    def appears(self) -> str:
        """The lost order is in the broker's book after all; its id there."""
        self.served.do(lambda: self.floor.exchange.fail(Faults()))
        self.served.do(lambda: self.floor.exchange.place(self.floor.orders()[0]))
        return self.floor.exchange.state.orders[-1].broker_order_id

    def order(self) -> Order:
        store = SqliteStore(self.path / "books.sqlite", is_durable=False)
        (held,) = Books(store).orders(DAY)
        store.close()
        return held.order


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    floor = Floor()
    floor.exchange.plan(FaultKind.LOSE)
    floor.decide(floor.leg(future(), Side.BUY))
    gateway = floor.gateway()
    for second in (0, 180):
        floor.at(second)
        gateway.step(0.0)
    store = SqliteStore(tmp_path / "books.sqlite", is_durable=False)
    store.commit([Write(r.table, r.key, r.value) for table in TABLES for r in floor.books.rows(table)])
    store.close()
    with serving(openalgo.OpenAlgoServer(floor.exchange, tuple(c for of in CONTRACTS.values() for c in of))) as served:
        secrets = tmp_path / "secrets.json"
        secrets.write_text(json.dumps({"openalgo": {"profile": "live", "api_key": openalgo.API_KEY}}))
        secrets.chmod(0o600)
        stream = served.url.replace("http", "ws", 1)
        link = BrokerLink("openalgo", "live", served.url, stream, secrets=str(secrets), listed_min=3)
        run = Run(str(tmp_path), DAY, "http://127.0.0.1:9", "127.0.0.1", 0, 60.0, Config(broker=link))
        (tmp_path / "run.json").write_bytes(encode(run))
        yield Home(tmp_path, floor, served)


def test_what_the_book_does_not_show_is_claimed_and_done_by_hand(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    assert home.desk("claim") == 0
    assert "the broker's book does not show its order (asha, " in capsys.readouterr().out
    assert home.fill() == 0
    assert (home.order().status, home.order().cum_quantity) == (OrderStatus.DEAD, 65)
    assert not (home.path / "halt.sqlite").exists()


def test_what_may_be_it_is_found_by_a_persons_word_and_not_claimed(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    name = home.appears()
    assert home.desk("claim") == 2
    assert f"the broker's order {name} (buy 65 {future().key}) is complete" in capsys.readouterr().err
    assert home.desk("found", "--broker-order-id", "1") == 2
    assert "has no order 1" in capsys.readouterr().err
    assert home.desk("found", "--broker-order-id", name) == 0
    assert f"closed: found by asha: the broker's order {name} is it, and is filled" in capsys.readouterr().out
    assert (home.order().status, home.order().broker_order_id) == (OrderStatus.FILLED, name)


def test_an_order_that_appears_before_the_fill_is_entered_opens_the_breaker_loudly_and_the_fill_is_booked(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    home.desk("claim")
    name = home.appears()
    capsys.readouterr()
    assert home.fill() == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith(f"BOTH MAY BE FILLED, by hand and by us: the broker's order {name} ")
    assert said[1].startswith("THE BREAKER IS OPEN.")
    halts = SqliteStore(home.path / "halt.sqlite", is_durable=False)
    halt = Books(halts).halt()
    halts.close()
    assert (halt.level, name in halt.why) == (Level.OPEN, True)
    assert (home.order().status, home.order().cum_quantity) == (OrderStatus.UNKNOWN, 65), "it goes on counting"


def test_a_book_that_cannot_be_read_needs_an_explicit_word(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    home.served.ways["/api/v1/orderbook"] = Way(503, b"<html>")
    assert home.desk("claim") == 2
    assert "could not be read" in capsys.readouterr().err
    assert home.desk("claim", "--unchecked") == 0
    assert "NOT PROVEN: the broker's book could not be read" in capsys.readouterr().out
    assert home.desk("found", "--broker-order-id", "1") == 2
    assert home.fill() == 0, "what has happened is booked"


def test_a_ticket_of_another_day_is_not_looked_up_in_todays_book(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    run = json.loads((home.path / "run.json").read_bytes())
    (home.path / "run.json").write_text(json.dumps({**run, "day": "2026-11-26"}))
    assert home.desk("claim") == 2
    assert f"it shows the orders of 2026-11-26, and this one is of {DAY}" in capsys.readouterr().err
