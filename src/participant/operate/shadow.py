"""A shadow day: whose account it watches, how it begins, and what it would have done beside what the account did."""

import datetime
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from participant.config import BrokerLink
from participant.core.messages import Write
from participant.core.order import Order, OrderView
from participant.core.risk import SHADOW, Refusal
from participant.core.scrip import PRICE_UNITS_PER_PAISA
from participant.core.wording import at_price
from participant.links.books import Books, Held, Shadowed
from participant.links.shadow import Seen, account_orders, follow, outside, worth_at_wake
from participant.operate.view import clock
from participant.operate.wake import Blocked, NotReady
from participant.ports import Store
from participant.wire.json import decode, encode

READS_MAX = 5


class Touch(Struct, frozen=True):
    """An order as it was judged at an instant (ns): its limit and the quote then; 0 where no quote was kept."""

    at: int
    limit: int
    bid: int = 0
    ask: int = 0


class Would(Struct, frozen=True):
    """What a shadow day asked for, again and again, as one: how it began and ended, and how often it was asked for.

    `control` is the id of the one that the order ended at (the last of all: it would have been sent), `reason` the
    decision's first sentence.
    """

    scrip: str
    action: str
    reason: str
    leg: int
    side: str
    contract: str
    quantity: int
    control: str
    why: str
    first: Touch
    last: Touch
    count: int = 1

    @property
    def is_sent(self) -> bool:
        """Whether every control let it pass: on a real day it would have gone to the broker."""
        return self.control == SHADOW.id


class ShadowDay(Struct, frozen=True):
    """What would have been done, what the account did, and what it held (units) that the market does not have."""

    broker: str
    profile: str
    would: tuple[Would, ...]
    did: tuple[OrderView, ...]
    outside: dict[str, int]


# --- before the day ---------------------------------------------------------------------------------------------------


def check_home(books: Store, home: Path, link: BrokerLink, *, is_shadow: bool) -> None:
    """A home is a desk's or a shadow's for good, and a shadow's watches one account; raises NotReady otherwise."""
    known, wanted = Books(books).shadowed, Shadowed(link.name, link.profile)
    if not is_shadow and known is not None:
        raise NotReady(
            f"home {home} is a shadow's ({known.broker}, {known.profile}): its books are no tradebook and cannot be "
            "traded on; give this desk another --home, or say --shadow"
        )
    if is_shadow and known is None and books.get("account", "account") is not None:
        raise NotReady(f"home {home} has traded: its books cannot become a shadow's; give --shadow a --home of its own")
    if is_shadow and known not in (None, wanted):
        raise NotReady(
            f"home {home} watches another account ({known.broker}, {known.profile}) than that of [broker]; "
            "give each its own --home"
        )


def claim_home(books: Store, link: BrokerLink) -> None:
    """Make these the books of a shadow, before anything else stands in them."""
    books.commit([Write("mode", "shadow", encode(Shadowed(link.name, link.profile)), 0)])


def begin(seen: Seen, day: datetime.date, at: int) -> int | None:
    """Take the account over as the day begins; what it is worth then (paise), None for a day that goes on."""
    if seen.books.get("starts", str(day)) is not None:
        return None
    if not any(follow(seen, at) for _ in range(READS_MAX)):
        raise Blocked(f"the broker does not show its books: the shadow of {day} does not begin blind")
    return worth_at_wake(seen.books)


# --- after the day ----------------------------------------------------------------------------------------------------


def shadow_of(store: Store, day: datetime.date) -> ShadowDay | None:
    """What a shadow day leaves; None in the home of a desk."""
    books = Books(store)
    account = books.shadowed
    if account is None:
        return None
    found: dict[tuple[object, ...], Would] = {}
    for held in sorted(books.orders(day), key=lambda h: (h.order.decided_at, h.order.scrip, h.order.leg, h.order.part)):
        one = _would(books, held)
        same = (one.scrip, one.action, one.leg, one.side, one.contract, one.quantity, one.control or one.why)
        before = found.get(same)
        found[same] = replace(before, last=one.last, count=before.count + 1) if before else one
    did = tuple(account_orders(store, day))
    return ShadowDay(account.broker, account.profile, tuple(found.values()), did, outside(store, day))


def _would(books: Books, held: Held) -> Would:
    order, decision = held.order, books.decision(held.order)
    row = books.store.get("refusals", held.key)
    touch = _touch(order, decode(row.value, Refusal) if row else None)
    action, reason = (decision.action.value, decision.reason) if decision else ("", "")
    what = (order.side.value, order.contract.key, order.quantity)
    return Would(order.scrip, action, reason, order.leg, *what, order.denied_by, order.reason, touch, touch)


def _touch(order: Order, refusal: Refusal | None) -> Touch:
    """An order that would have been sent has its limit and quote of that moment, any other the limit decided on."""
    if refusal is None or refusal.control != SHADOW.id:
        return Touch(order.decided_at, order.limit)
    at, limit, bid, ask = (int(refusal.figures[name] or 0) for name in ("now", "limit", "bid", "ask"))
    return Touch(at, limit, bid, ask)


def would_lines(day: ShadowDay) -> list[str]:
    """What would have been done, a line for each order however often it was asked for."""
    return [
        f"{clock(one.first.at)} {one.action} {one.scrip}: {one.side} {one.quantity} {one.contract} {fate(one)}"
        + (f"; asked for {one.count} times until {clock(one.last.at)}" if one.count > 1 else "")
        for one in day.would
    ]


def fate(one: Would) -> str:
    """What would have become of an order, in words; whether it would have filled, nobody can say."""
    limit = f"at limit {at_price(one.first.limit)}"
    if one.is_sent:
        return f"{limit} would have been sent; {at_price(one.first.bid)} to {at_price(one.first.ask)} was quoted then"
    if one.control:
        return f"{limit} refused by {one.control}, {one.why}"
    return f"{limit} not judged: {one.why}"


def did_lines(day: ShadowDay) -> list[str]:
    """The account's own orders of the day, from the broker's book."""
    return [f"{clock(v.updated_at)} {v.side} {v.quantity} {v.contract} {outcome(v)}" for v in day.did]


def outcome(view: OrderView) -> str:
    """What became of an order of the account."""
    units = view.cum_quantity
    filled = f"{units} filled at {at_price(view.cum_value * PRICE_UNITS_PER_PAISA // units)}" if units else "0 filled"
    return f"{view.status}, {filled}{f'; {view.reason}' if view.reason else ''}"


def outside_lines(day: ShadowDay) -> list[str]:
    """What the account held of contracts that the watched market does not have: no decision saw it."""
    return [f"{units:+d} {key}" for key, units in sorted(day.outside.items())]
