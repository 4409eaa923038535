"""The gateway over the real adapters and sockets: no order goes twice, none is lost, one ticket where a person must."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import replace

from participant.adapters.brokers.kite import KiteAccount, KiteBroker
from participant.adapters.brokers.openalgo import OpenAlgoAccount, OpenAlgoBroker
from participant.core.breaker import Level
from participant.core.messages import Stamp
from participant.core.order import OrderStatus
from participant.core.scrip import Side
from participant.core.sighting import LiveBook
from participant.links.books import Books
from participant.links.faults import Fault, FaultKind, Faults
from participant.links.secrets import Key
from participant.operate.desk import No, found, take
from participant.stages.execute import Gateway
from tests.stages.floor import CONTRACTS, DAY, Floor, future
from tests.vendors import kite, openalgo
from tests.vendors.serving import Served, serving
from tests.venue.made import WAIT_S

ALL = tuple(c for of in CONTRACTS.values() for c in of)
FILLED, UNKNOWN, REJECTED, DEAD = OrderStatus.FILLED, OrderStatus.UNKNOWN, OrderStatus.REJECTED, OrderStatus.DEAD


class Site(Struct):
    """A floor whose gateway trades through a vendor's server; `is_found` is whether a lost order can be found there."""

    floor: Floor
    served: Served
    gateway: Gateway
    is_found: bool

    def after(self, seconds: float) -> None:
        """So much later the gateway looks again."""
        self.served.do(lambda: self.floor.at(seconds))
        self.floor.breaker(Level.CLOSED, self.floor.clock.now())
        self.gateway.step(0.0)

    def fails(self, kind: FaultKind, **more: Any) -> None:
        self.served.do(lambda: self.floor.exchange.fail(Faults(plan={1: Fault(kind, **more)})))

    def sends(self) -> int:
        return len([p for how, p in self.served.asked if how == "POST" and p.endswith(("regular", "placeorder"))])

    def order(self) -> tuple[OrderStatus, int]:
        (one,) = self.floor.orders()
        return one.status, one.cum_quantity


def _gateway(floor: Floor, broker: Any) -> Gateway:
    made = floor.gateway()
    floor.leases.clear()
    return Gateway(replace(made.ports, broker=broker), made.rule)


@contextmanager
def on_kite() -> Iterator[Site]:
    floor = Floor()
    with serving(kite.KiteServer(floor.exchange, ALL)) as served:
        account = KiteAccount(DAY, served.url, served.url.replace("http", "ws", 1), listed_min=3)
        key = Key("live", kite.API_KEY, kite.SECRET, kite.TOKEN, str(DAY))
        broker = KiteBroker(account, lambda: key, WAIT_S)
        yield Site(floor, served, _gateway(floor, broker), True)
        broker.close()


@contextmanager
def on_openalgo() -> Iterator[Site]:
    floor = Floor()
    with serving(openalgo.OpenAlgoServer(floor.exchange, ALL)) as served:
        account = OpenAlgoAccount(DAY, False, served.url, served.url.replace("http", "ws", 1), listed_min=3)
        books, now = Books(floor.books), floor.clock.now
        ours = lambda: [h.order for h in books.orders(DAY)]  # noqa: E731 - as app.py hands it in
        broker = OpenAlgoBroker(account, lambda: Key("live", openalgo.API_KEY), ours, now, WAIT_S)
        yield Site(floor, served, _gateway(floor, broker), False)
        broker.close()


@pytest.fixture(params=[on_kite, on_openalgo], ids=["kite", "openalgo"])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    make: Callable[[], Any] = request.param
    with make() as made:
        made.gateway.step(0.0)
        made.floor.decide(made.floor.leg(future(), Side.BUY))
        yield made


def test_an_order_goes_once_and_its_fill_is_booked(site: Site) -> None:
    site.gateway.step(0.0)
    assert (site.order(), site.sends()) == ((FILLED, 65), 1)
    assert site.floor.tickets() == []


def test_s01_an_order_whose_answer_timed_out_is_found_or_becomes_one_ticket_and_is_never_sent_again(site: Site) -> None:
    site.fails(FaultKind.ACCEPT_SILENTLY)
    site.gateway.step(0.0)
    for seconds in (10, 100, 181, 200, 400):
        site.after(seconds)
    assert site.sends() == 1
    assert site.order() == ((FILLED, 65) if site.is_found else (UNKNOWN, 0))
    assert len(site.floor.tickets()) == (0 if site.is_found else 1)


@pytest.mark.parametrize("late_s", [8, 95, 170])
def test_s02_s03_an_order_that_lives_late_is_never_sent_again(site: Site, late_s: int) -> None:
    site.fails(FaultKind.ACCEPT_LATE, late_s=late_s)
    site.gateway.step(0.0)
    assert site.order() == (UNKNOWN, 0)
    site.after(late_s - 1)
    assert site.order() == (UNKNOWN, 0)
    for seconds in (late_s + 5, 190, 400):
        site.after(seconds)
    assert (site.sends(), len(site.floor.sent())) == (1, 1)
    assert site.order() == ((FILLED, 65) if site.is_found else (UNKNOWN, 0))
    assert len(site.floor.tickets()) == (0 if site.is_found else 1)


def test_an_order_that_was_lost_for_good_is_one_ticket_and_no_second_send(site: Site) -> None:
    site.fails(FaultKind.LOSE)
    site.gateway.step(0.0)
    for seconds in (100, 181, 300, 500):
        site.after(seconds)
    assert (site.sends(), site.floor.sent(), len(site.floor.tickets())) == (1, [], 1)


def test_a_throttled_order_is_sent_once_more(site: Site) -> None:
    site.fails(FaultKind.THROTTLE)
    site.gateway.step(0.0)
    assert (site.order(), site.sends(), len(site.floor.sent())) == ((FILLED, 65), 2, 1)


def test_an_order_that_the_book_shows_rejected_is_a_persons(site: Site) -> None:
    site.fails(FaultKind.REFUSE)
    site.gateway.step(0.0)
    site.after(10)
    assert (site.order(), site.sends(), len(site.floor.tickets())) == ((DEAD, 0), 1, 1)


def test_after_a_restart_in_the_middle_the_fill_is_found_and_nothing_goes_again(site: Site) -> None:
    site.served.do(lambda: site.floor.move_away(future()))
    site.gateway.step(0.0)
    assert site.order()[0] is OrderStatus.WORKING
    site.gateway = _gateway(site.floor, site.gateway.ports.broker)
    site.after(20)
    assert (site.order(), site.sends()) == ((FILLED, 65), 1)


def test_the_brokers_order_that_a_person_found_is_ours_from_then_on_where_the_book_bears_no_tags() -> None:
    with on_openalgo() as site:
        site.gateway.step(0.0)
        site.floor.decide(site.floor.leg(future(), Side.BUY))
        site.fails(FaultKind.ACCEPT_SILENTLY)
        site.served.do(lambda: site.floor.move_away(future()))
        site.gateway.step(0.0)
        for seconds in (100, 181):
            site.served.do(lambda: site.floor.move_away(future()))
            site.after(seconds)
        (ticket,) = site.floor.tickets()
        broker = site.gateway.ports.broker
        assert isinstance(broker, OpenAlgoBroker)
        look = lambda _: LiveBook(tuple(broker.orders()), has_tags=False)  # noqa: E731 - as the command hands it in
        (view,) = broker.orders()
        asha = Stamp("asha", 1)
        with pytest.raises(No, match="may be it"):
            take(site.floor.books, ticket.ticket_id, asha, look)
        assert found(site.floor.books, ticket.ticket_id, view.broker_order_id, asha, look).is_closed
        assert [v.tag for v in broker.find("")] == [site.floor.orders()[0].tag]
        site.after(300)
        assert (site.order(), site.sends()) == ((FILLED, 65), 1)
