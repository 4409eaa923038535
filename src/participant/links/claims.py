"""What was decided is taken on: its margin reserved before any of it is sent; scrips do not spend the same rupee,
and what they bet on the market together stays within its limit.

All that is new is claimed in one commit, one decision after the other, each judged by what those before it have left.
"""

from collections.abc import Sequence

from participant.core.account import Account, reserve
from participant.core.decision import Decision
from participant.core.messages import Write
from participant.core.order import Happening, OrderStatus, advance, denied
from participant.core.risk import Limits, affordable, one_bet
from participant.core.sending import STEPS_MAX
from participant.core.session import day_of
from participant.links.books import Books, Held
from participant.links.risks import Bet
from participant.wire.json import encode


def claim(books: Books, now: int, decisions: Sequence[str], limits: Limits) -> bool:
    """Claim every leg of the decisions that are new, or deny the first leg; False where others were always first."""
    day = day_of(now)
    for _ in range(STEPS_MAX if decisions else 0):
        account, version = books.account()
        writes: list[Write] = []
        new = [legs for name in decisions if (legs := books.legs(day, name))[0].order.status is OrderStatus.DECIDED]
        asked = [(legs, books.decision(legs[0].order)) for legs in new]
        bet = Bet(books.store, (decision for _, decision in asked if decision is not None))
        for legs, decision in asked:
            account, more = _taken_on(books, (legs, decision), (account, bet), limits, now)
            writes += more
        if not writes or books.store.commit([*writes, Write("account", "account", encode(account), version)]):
            return True
    return not decisions


def _taken_on(
    books: Books, asked: tuple[list[Held], Decision | None], left: tuple[Account, Bet], limits: Limits, now: int
) -> tuple[Account, list[Write]]:
    """The account with a decision's margin reserved and its legs claimed, or as it was and the first leg denied."""
    (legs, decision), (account, bet) = asked, left
    orders = [h.order for h in legs]
    if decision is None:
        return account, books.writes(legs[0], denied(orders[0], "provenance: no logged decision asks for it"))
    refusal = affordable(account, orders, decision.action, limits)
    refusal = refusal or one_bet(bet.with_(decision), account, decision, limits)
    if refusal is not None:
        return account, books.refusal(legs[0], refusal, now)
    bet.take(decision)
    claimed = [w for h in legs for w in books.writes(h, advance(h.order, Happening.CLAIM))]
    return reserve(account, {o.order_id: o.margin for o in orders}), claimed
