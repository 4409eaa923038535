"""What was decided is taken on: its margin reserved before any of it is sent; scrips do not spend the same rupee.

All that is new is claimed in one commit, one decision after the other, each judged by what those before it have left.
"""

import datetime
from collections.abc import Sequence

from participant.core.account import Account, reserve
from participant.core.messages import Write
from participant.core.order import Happening, OrderStatus, advance, denied
from participant.core.risk import Limits, affordable
from participant.core.sending import STEPS_MAX
from participant.links.books import Books, Held
from participant.wire.json import encode


def claim(books: Books, day: datetime.date, decisions: Sequence[str], limits: Limits) -> bool:
    """Claim every leg of the decisions that are new, or deny the first leg; False where others were always first."""
    for _ in range(STEPS_MAX):
        account, version = books.account()
        writes: list[Write] = []
        for legs in (books.legs(day, name) for name in decisions):
            if legs[0].order.status is OrderStatus.DECIDED:
                account, more = _taken_on(books, legs, account, limits)
                writes += more
        if not writes or books.store.commit([*writes, Write("account", "account", encode(account), version)]):
            return True
    return False


def _taken_on(books: Books, legs: list[Held], account: Account, limits: Limits) -> tuple[Account, list[Write]]:
    """The account with a decision's margin reserved and its legs claimed, or as it was and the first leg denied."""
    orders = [h.order for h in legs]
    decision = books.decision(orders[0])
    if decision is None:
        return account, books.writes(legs[0], denied(orders[0], "provenance: no logged decision asks for it"))
    refusal = affordable(account, orders, decision.action, limits)
    if refusal is not None:
        return account, books.writes(legs[0], denied(orders[0], refusal.said, refusal.control))
    claimed = [w for h in legs for w in books.writes(h, advance(h.order, Happening.CLAIM))]
    return reserve(account, {o.order_id: o.margin for o in orders}), claimed
