"""The desk's own look-back: kept as a day ends, used as one begins, and never in the place of what the data bring."""

import datetime

import pytest
from msgspec.structs import replace

from participant.adapters.stores.memory import MemoryStore
from participant.core.brain import decide
from participant.core.market import LookBack, MarketState, Reference
from participant.core.messages import Write
from participant.core.scrip import Scrip
from participant.core.session import at_time
from participant.core.volatility import iv30
from participant.links.look_backs import Closing, closing_rows, kept, with_kept
from participant.operate.wake import open_day
from participant.wire.json import decode, encode
from tests.core.worlds import DAY, RULES, SPOT, account, chain_state, look_back, position

ONE_DAY = datetime.timedelta(days=1)
NOTHING = LookBack(published="India VIX")


def quotes_of(*states: MarketState) -> MemoryStore:
    store = MemoryStore()
    store.commit([Write("quotes", state.scrip, encode(state)) for state in states])
    return store


def closed(books: MemoryStore, day: datetime.date, spot: int = SPOT, iv: float | None = 0.12) -> None:
    books.commit([Write("closings", f"NIFTY/{day}", encode(Closing(spot, iv)))])


def test_a_day_keeps_the_close_and_the_30_day_iv_of_each_scrip_that_was_seen_on_it() -> None:
    state = chain_state()
    before = replace(state, scrip="BANKNIFTY", exchange_at=state.exchange_at - 86_400 * 10**9)
    (row,) = closing_rows(quotes_of(state, before), RULES, DAY, {})
    assert (row.table, row.key) == ("closings", f"NIFTY/{DAY}")
    assert row.value is not None
    assert decode(row.value, Closing) == Closing(SPOT, iv30(state, RULES))
    (row,) = closing_rows(quotes_of(state, before), RULES, DAY, {"NIFTY": SPOT + 7, "BANKNIFTY": 1})
    assert row.value is not None
    assert decode(row.value, Closing).close == SPOT + 7  # the official close goes before the last spot


def test_a_day_whose_last_chain_shows_no_iv_keeps_its_close_alone() -> None:
    state = chain_state()
    beyond = replace(state.chains[0], expiry=datetime.date(1999, 1, 28))  # before any rule
    for chains in ((), (beyond,)):
        (row,) = closing_rows(quotes_of(replace(state, chains=chains)), RULES, DAY, {})
        assert row.value is not None
        assert decode(row.value, Closing) == Closing(SPOT, None)


def test_what_was_kept_runs_back_to_a_hole_of_more_than_a_week_and_never_holds_the_day_itself() -> None:
    books = MemoryStore()
    for days, spot in ((20, 1), (12, 2), (5, 3), (1, 4), (0, 5)):
        closed(books, DAY - days * ONE_DAY, spot, None if spot == 3 else spot / 10)
    books.commit([Write("closings", f"NIFTYNXT50/{DAY - ONE_DAY}", encode(Closing(9, 0.9)))])
    assert kept(books, "NIFTY", DAY) == LookBack((2, 3, 4), (0.2, 0.4))
    assert kept(books, "NIFTY", DAY + 8 * ONE_DAY) == LookBack()
    assert kept(books, "BANKNIFTY", DAY) == LookBack()


def test_no_more_than_250_sessions_are_used() -> None:
    books = MemoryStore()
    for days in range(1, 300):
        closed(books, DAY - days * ONE_DAY, days)
    assert kept(books, "NIFTY", DAY).closes == tuple(range(250, 0, -1))


def test_data_that_bring_a_look_back_keep_theirs_and_others_get_what_was_kept() -> None:
    books = MemoryStore()
    closed(books, DAY - ONE_DAY)
    own = Reference("NIFTY", (), look_back())
    closes_alone = Reference("NIFTY", (), LookBack((SPOT,), (), "India VIX"))
    without = Reference("NIFTY", (), NOTHING)
    strange = Reference("BANKNIFTY", (), NOTHING)
    found = with_kept(books, (own, closes_alone, without, strange), DAY)
    assert found == (own, closes_alone, replace(without, look_back=LookBack((SPOT,), (0.12,))), strange)


@pytest.mark.parametrize("sessions", [59, 60])
def test_a_desk_that_runs_day_after_day_has_a_rank_when_it_has_kept_enough(sessions: int) -> None:
    """Sixty days end, the next begins on data without a look-back: its reference has what the days before kept."""
    books, quotes, state = MemoryStore(), MemoryStore(), chain_state()
    for i in range(sessions, 0, -1):
        day = DAY - i * ONE_DAY
        ending = replace(
            chain_state(at_time(day, 15, 29), day=day, sigma=0.11 + 0.0005 * (i % 7)),
            spot=SPOT + 100_000 * (i % 3),
        )
        books.commit(closing_rows(quotes_of(ending), RULES, day, {}))
    open_day(books, quotes, DAY, (Reference("NIFTY", (), NOTHING),), start=0)
    row = quotes.get("reference", "NIFTY")
    assert row is not None
    known = decode(row.value, Reference).look_back
    assert (len(known.closes), len(known.iv30), known.published) == (sessions, sessions, "")
    decision = decide(Scrip("NIFTY"), replace(state, look_back=known), position(), account(), RULES)
    assert decision.figures["sessions"] == sessions
    assert ("look-back too short" in decision.reason) == (sessions < 60)
    assert decision.figures["iv_rank"] == 1.0  # 14 % is above all that was kept
