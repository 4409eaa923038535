"""When the comparison of books need not be made again: while neither side has changed since it found them equal."""

import datetime

from participant.adapters.stores.memory import MemoryStore
from participant.core.account import Account
from participant.core.messages import BrokerPosition, Funds, Write
from participant.core.order import OrderView
from participant.core.scrip import Side
from participant.links.agreement import Agreement
from participant.links.books import Books
from participant.links.broker_side import Shown
from participant.wire.json import encode

DAY = datetime.date(2026, 12, 1)
VIEW = OrderView("tag1", "261201000001", "NIFTY-20261203-25000CE", Side.SELL, 75, 75, 1_000, "complete", "", 5)
HELD = BrokerPosition("NIFTY-20261203-25000CE", -75, -1_000)
SHOWN = Shown([VIEW], [HELD], Funds(1_000, 50))


def agreed(shown: Shown = SHOWN) -> tuple[MemoryStore, Agreement]:
    store = MemoryStore()
    store.commit([Write("account", "account", encode(Account(1_000, 1_000)))])
    agreement = Agreement(store)
    agreement.keep(Books(store), DAY, shown, agreement.newest(DAY))
    return store, agreement


def test_it_holds_while_both_sides_are_as_they_were_and_for_what_of_them_is_shown() -> None:
    _, agreement = agreed()
    for shown in (SHOWN, Shown([VIEW]), Shown([VIEW], [HELD]), Shown([VIEW], None, SHOWN.funds)):
        assert agreement.holds(DAY, shown)


def test_it_ends_where_the_broker_shows_anything_else() -> None:
    _, agreement = agreed()
    for shown in (Shown([]), Shown([VIEW], []), Shown([VIEW], [HELD], Funds(1_000, 51)), Shown([VIEW, VIEW])):
        assert not agreement.holds(DAY, shown)
    assert not agreement.holds(DAY + datetime.timedelta(days=1), SHOWN)


def test_it_ends_where_any_row_that_is_compared_is_written() -> None:
    for table in ("orders", "fills", "external", "positions", "account", "breaks"):
        store, agreement = agreed()
        store.commit([Write("looks", f"{DAY}", b"{}"), Write("log", f"{DAY}/1", b"{}")])
        assert agreement.holds(DAY, SHOWN)
        store.commit([Write(table, f"{DAY}/1", b"{}")])
        assert not agreement.holds(DAY, SHOWN), table


def test_what_was_not_shown_then_is_not_agreed_on() -> None:
    store, agreement = agreed(Shown([VIEW]))
    assert agreement.holds(DAY, Shown([VIEW]))
    assert not agreement.holds(DAY, Shown([VIEW], [HELD]))
    agreement.keep(Books(store), DAY, Shown([VIEW], [HELD]), agreement.newest(DAY))
    agreement.keep(Books(store), DAY, Shown([VIEW]), agreement.newest(DAY))
    assert agreement.holds(DAY, Shown([VIEW], [HELD])), "nothing was written in between: both parts still stand"


def test_nothing_is_kept_while_an_order_is_open_at_the_broker() -> None:
    _, agreement = agreed(Shown([OrderView("tag1", "1", "NIFTY-FUT", Side.BUY, 75, 0, 0, "open", "", 5)]))
    assert not agreement.holds(DAY, Shown([OrderView("tag1", "1", "NIFTY-FUT", Side.BUY, 75, 0, 0, "open", "", 5)]))
