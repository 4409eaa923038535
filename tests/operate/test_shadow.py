"""A shadow's home, the beginning of its day, and what is told at its end: what would have been done, what was done."""

import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from participant.adapters.stores.memory import MemoryStore
from participant.config import BrokerLink, Config, Run
from participant.core.breaker import Level
from participant.core.decision import Action
from participant.core.market import SECOND
from participant.core.matching import OrderRequest
from participant.core.messages import Write
from participant.core.scrip import Side
from participant.core.wording import at_price
from participant.links.books import Books, Shadowed
from participant.links.faults import Faults
from participant.operate.people import people_rule
from participant.operate.report import Report, report_of
from participant.operate.report_page import page
from participant.operate.report_text import lines as report_lines
from participant.operate.screen import Watcher
from participant.operate.shadow import ShadowDay, begin, check_home, claim_home, did_lines, shadow_of, would_lines
from participant.operate.summary import lines, summarise
from participant.operate.view import needs
from participant.operate.wake import Blocked, NotReady, open_account, open_day
from participant.stages.reconcile import Closed, close_day
from participant.wire.json import decode
from tests.core.worlds import RULES
from tests.stages.floor import CAPITAL, DAY, START, call, future
from tests.stages.test_shadow import Shadow

HOME = Path("home")
VENUE, KITE = BrokerLink(), BrokerLink("kite", "live")


# --- the home ---------------------------------------------------------------------------------------------------------


def test_a_home_is_a_desks_or_a_shadows_for_good_and_a_shadows_watches_one_account() -> None:
    shadows, desks = MemoryStore(), MemoryStore()
    check_home(shadows, HOME, KITE, is_shadow=True)
    assert Books(shadows).shadowed is None, "a look is no claim"
    claim_home(shadows, KITE)
    claim_home(shadows, KITE)
    check_home(shadows, HOME, KITE, is_shadow=True)
    assert Books(shadows).shadowed == Shadowed("kite", "live")
    with pytest.raises(NotReady, match=r"home home is a shadow's \(kite, live\): its books are no tradebook"):
        check_home(shadows, HOME, VENUE, is_shadow=False)
    with pytest.raises(NotReady, match=r"watches another account \(kite, live\) than that of \[broker\]"):
        check_home(shadows, HOME, VENUE, is_shadow=True)
    check_home(desks, HOME, VENUE, is_shadow=False)
    open_account(desks, CAPITAL)
    check_home(desks, HOME, VENUE, is_shadow=False)
    with pytest.raises(NotReady, match="home home has traded: its books cannot become a shadow's"):
        check_home(desks, HOME, VENUE, is_shadow=True)
    assert Books(desks).shadowed is None


# --- the beginning ----------------------------------------------------------------------------------------------------


def test_a_day_begins_with_what_the_account_holds_and_is_worth(floor: Shadow) -> None:
    floor.trades()
    start = begin(floor.seen, DAY, START)
    assert floor.position().holdings[0].quantity == 65
    open_day(floor.books, floor.market, DAY, (), start)
    row = floor.books.get("starts", str(DAY))
    assert row is not None
    assert int(row.value) == start
    assert abs((start or 0) - floor.exchange.funds().cash) <= 1
    assert begin(floor.seen, DAY, START) is None, "a day that goes on has begun"


def test_a_day_does_not_begin_where_the_broker_does_not_show_its_books(floor: Shadow) -> None:
    floor.exchange.fail(Faults(books_down=1.0))
    with pytest.raises(Blocked, match=f"the shadow of {DAY} does not begin blind"):
        begin(floor.seen, DAY, START)
    assert floor.exchange.state.reads == 3 * 5, "each book, five times"


def test_what_a_shadow_decides_is_relayed_to_nobody_and_its_tickets_would_be() -> None:
    day = Run("home", DAY, "", "", 0, 0.0, Config())
    assert (people_rule(day).relay, people_rule(replace(day, is_shadow=True)).relay) == ("orders", "none")
    assert people_rule(replace(day, is_shadow=True)).ladder == people_rule(day).ladder


# --- the end ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def floor() -> Shadow:
    return Shadow()


def watched(floor: Shadow) -> ShadowDay:
    """Three minutes on which the same is asked for, then one on which it is refused; and the account buys once."""
    floor.books.commit([Write("starts", str(DAY), str(CAPITAL).encode())])
    gateway = floor.watching()
    for minute in range(4):
        floor.at(60 * minute)
        floor.breaker(Level.CLOSED if minute < 3 else Level.OPEN, floor.clock.now())
        floor.decide()
        gateway.step(0.0)
    floor.trades()
    assert floor.follow()
    day = shadow_of(floor.books, DAY)
    assert day is not None
    return day


def test_what_was_asked_for_again_and_again_is_told_once_with_its_first_its_last_and_how_often(floor: Shadow) -> None:
    day = watched(floor)
    told = [(w.side, w.contract, w.control, w.count) for w in day.would]
    assert told == [
        ("buy", future().key, "PT-23", 3), ("sell", call().key, "", 4), ("buy", future().key, "PT-17", 1),
    ]  # fmt: skip
    first, quote = day.would[0], floor.quotes[future().key]
    assert (first.is_sent, first.action, first.reason, first.quantity) == (True, Action.OPEN, "because", 65)
    assert (first.first.at, first.first.limit, first.first.bid, first.first.ask) == (
        START, quote.ask, quote.bid, quote.ask,
    )  # fmt: skip
    assert first.last.at == START + 120 * SECOND
    bid, ask = at_price(quote.bid), at_price(quote.ask)
    assert would_lines(day) == [
        f"10:00:00 open NIFTY: buy 65 {future().key} at limit {ask} would have been sent; {bid} to {ask} was quoted "
        "then; asked for 3 times until 10:02:00",
        f"10:00:00 open NIFTY: sell 65 {call().key} at limit {at_price(floor.quotes[call().key].bid)} not judged: an "
        "earlier leg did not fill; asked for 4 times until 10:03:00",
        f"10:03:00 open NIFTY: buy 65 {future().key} at limit {ask} refused by PT-17, breaker: the breaker is OPEN: a "
        "test asked for it",
    ]


def test_what_the_account_did_is_its_own_order_book(floor: Shadow) -> None:
    day = watched(floor)
    ask = at_price(floor.quotes[future().key].ask)
    assert did_lines(day) == [f"10:03:00 buy 65 {future().key} complete, 65 filled at {ask}"]
    floor.exchange.enter(OrderRequest("", future().key, Side.BUY, 65, floor.quotes[future().key].bid))
    floor.follow()
    again = shadow_of(floor.books, DAY)
    assert again is not None
    assert did_lines(again)[-1] == f"10:03:00 buy 65 {future().key} open, 0 filled"


def test_a_home_of_a_desk_has_no_shadow() -> None:
    assert shadow_of(MemoryStore(), DAY) is None


def reported(floor: Shadow) -> Report:
    watched(floor)
    floor.mark("fills", START + 360 * SECOND, is_last=True)
    floor.booking.step(0.0)
    floor.prices = {}
    assert isinstance(close_day(floor.ports, RULES, DAY), Closed)
    found = report_of(floor.books, RULES, DAY)
    assert found is not None
    return found


def test_the_report_sets_both_side_by_side_and_lists_no_order_of_its_own(floor: Shadow) -> None:
    found = reported(floor)
    assert (found.orders, found.needs_a_person, found.breaks, found.tickets) == ((), False, (), ())
    text, html = "\n".join(report_lines(found, [])), page(found, [])
    assert "a shadow of venue, paper: nothing was sent" in text
    for said in ("would have been sent", "refused by PT-17", "complete, 65 filled at"):
        assert said in text
        assert said in html
    for head in ("What it would have done", "What the account did"):
        assert head in html


def test_the_summary_says_what_would_have_been_done_beside_what_the_account_did(floor: Shadow) -> None:
    reported(floor)
    row = floor.books.get("days", str(DAY))
    assert row is not None
    screen = Watcher(floor.books, floor.market, dict(floor.queues), DAY).look()
    assert screen.shadow == "a shadow of venue, paper: nothing is sent"
    assert [line.plain for line in needs(screen)] == [screen.shadow, "breaker OPEN: a test asked for it"]
    told = summarise(screen, decode(row.value, Closed), {}, ("home", "log"))
    text = "\n".join(lines(replace(told, shadow=shadow_of(floor.books, DAY))))
    assert f"Summary of {DAY}, a shadow: nothing was sent" in text
    assert re.search(r"  would have done +10:00:00 open NIFTY: buy 65", text)
    assert re.search(r"  the account \(venue\) did +10:03:00 buy 65", text)
    assert "  fills" not in text


def test_what_the_market_does_not_have_is_told_with_its_units(floor: Shadow) -> None:
    found = reported(floor)
    assert found.shadow is not None
    found = replace(found, shadow=replace(found.shadow, outside={"NSE:SBIN": 10}))
    assert "+10 NSE:SBIN" in "\n".join(report_lines(found, []))
    assert "NSE:SBIN" in page(found, [])
