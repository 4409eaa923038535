"""The breaker's evaluator: reads books and market, judges, writes the breaker's state down. It waits on nothing."""

import datetime

from msgspec import Struct
from msgspec.structs import replace

from participant.core.books import external_id
from participant.core.breaker import BreakerState, Halt, Level, Readings, Triggers, evaluate
from participant.core.breaks import oldest_cycles
from participant.core.escalation import Call, unanswered_s
from participant.core.market import SECOND, MarketState
from participant.core.messages import Ticket, Write
from participant.core.order import Order, OrderStatus
from participant.core.providers import FeedStatus
from participant.core.session import day_of
from participant.links.books import Books, worth
from participant.links.breaks import standing
from participant.ports import Clock, Store
from participant.wire.json import decode, decode_once, encode


class Watch(Struct, frozen=True):
    """What the evaluator needs of the world."""

    books: Store
    quotes: Store
    halts: Store
    wall: Clock
    triggers: Triggers
    is_lockstep: bool = False


def judge(watch: Watch) -> BreakerState:
    """Evaluate every trigger once and write the state; what a person halted stays so until they resume."""
    row = watch.books.get("breaker", "state")
    before = decode(row.value, BreakerState) if row else None
    halt = Books(watch.halts).halt()
    _log(watch.books, halt)
    if halt.level is Level.CLOSED and before is not None and halt.at > before.checked_at:
        before = None
    readings = _readings(watch, halt)
    if watch.is_lockstep and before is not None and before.at == readings.at and halt.at <= before.checked_at:
        # What the desk books within an instant must not change how the rest of the instant is judged.
        state = replace(before, checked_at=readings.checked_at)
    else:
        state = evaluate(before, readings, watch.triggers)
    watch.books.commit([Write("breaker", "state", encode(state)), *_feed_news(watch)])
    return state


def _feed_news(watch: Watch) -> list[Write]:
    """What became of the providers since it was last taken into the log: each switch and quarantine with its reason."""
    row, told = watch.quotes.get("feeds", "status"), watch.books.get("feed_events", "told")
    if row is None:
        return []
    events, until = decode(row.value, FeedStatus).events, int(told.value) if told else 0
    news = [event for event in events if event.since > until]
    writes = [Write("feed_events", f"{e.since}/{e.provider}", encode(e)) for e in news]
    return [*writes, Write("feed_events", "told", str(news[-1].since).encode())] if news else []


def _log(books: Store, halt: Halt) -> None:
    """Take into the log what a person asked for, where their command could not: another process held the books."""
    if halt.at and books.get("halts", str(halt.at)) is None:
        books.commit([Write("halts", str(halt.at), encode(halt), expect=0)])


def _readings(watch: Watch, halt: Halt) -> Readings:
    states = [decode(r.value, MarketState) for r in watch.quotes.rows("quotes")]
    row = watch.quotes.get("feeds", "status")
    feeds = decode(row.value, FeedStatus) if row else None
    at = max([s.exchange_at for s in states] + ([feeds.at] if feeds and not states else []), default=0)
    now = max(at, feeds.at if feeds else 0)
    orders = [decode_once(r.value, Order) for r in watch.books.rows("orders", prefix=f"{day_of(now)}/")] if now else []
    unknown = [o for o in orders if o.status is OrderStatus.UNKNOWN]
    return Readings(
        at=at,
        checked_at=watch.wall.now(),
        halted=halt.level,
        halted_why=halt.why,
        spot_move=max((abs(s.spot / s.look_back.closes[-1] - 1) for s in states if _is_index(s)), default=0.0),
        day_loss=_day_loss(watch, day_of(now)) if now else 0.0,
        providers_well=len(feeds.well) if feeds else 0,
        providers_silent_s=(feeds.at - feeds.silent_since) / SECOND if feeds and feeds.silent_since else 0.0,
        is_disputed=bool(feeds and feeds.disputed_since),
        unknown_count=len(unknown),
        unknown_oldest_s=max(((now - o.sent_at) / SECOND for o in unknown), default=0.0),
        overfilled=tuple(o.order_id for o in orders if o.cum_quantity > o.quantity),
        ticket_unanswered_s=_unanswered_s(watch),
        break_cycles=oldest_cycles(standing(watch.books)),
        foreign_orders=_foreign(watch.books),
    )


def _unanswered_s(watch: Watch) -> float:
    """For how long people have been called without an answer; in lockstep the market waits for us, and nothing ages."""
    if watch.is_lockstep:
        return 0.0
    tickets = {r.key: decode(r.value, Ticket) for r in watch.books.rows("tickets")}
    return unanswered_s([decode(r.value, Call) for r in watch.books.rows("calls")], tickets, watch.wall.now())


def _foreign(books: Store) -> int:
    """How many orders that are not ours wait for a person to say what they are."""
    tickets = [decode(r.value, Ticket) for r in books.rows("tickets")]
    return sum(not t.is_closed and t.order_id.startswith(external_id("")) for t in tickets)


def _is_index(state: MarketState) -> bool:
    """Whether the scrip is an index that was seen before: what trades itself is a stock, and one stock is no market."""
    return bool(state.look_back.closes) and state.underlying is None


def _day_loss(watch: Watch, day: datetime.date) -> float:
    """The fall of our worth since the day began, as a fraction of capital; 0 while our worth cannot be told."""
    account, start = Books(watch.books).account()[0], watch.books.get("starts", str(day))
    now = worth(watch.books, watch.quotes)
    if start is None or now is None or not account.capital:
        return 0.0
    return max(0.0, (int(start.value) - now) / account.capital)
