"""The simulation is worth what it catches: each planted bug must break an invariant within a few hundred days."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

import participant.core.books
import participant.core.guarantees
import participant.core.order
import participant.core.position
import participant.core.risk
import participant.links.books
import participant.links.changes
import participant.links.claims
import participant.links.evidence
import participant.stages.decide
import participant.stages.execute
import participant.stages.reconcile
import tests.sim.line
from participant.core.brain import decide
from participant.core.decision import Action, Decision
from participant.core.guarantees import Reject, Said
from participant.core.messages import Message, Ticket, Write
from participant.core.order import Answer, Happening, Order, OrderStatus, Verdict, advance, answered, evidenced
from participant.core.position import Filled, Position
from participant.core.sending import Act, Step, next_step
from participant.core.tickets import order_ticket
from participant.links.evidence import Evidence
from tests.sim.desk import Sim
from tests.sim.invariants import Invariants, Violation

DAYS_MAX = 300


def _without(*names: str) -> Callable[[pytest.MonkeyPatch], None]:
    def plant(patch: pytest.MonkeyPatch) -> None:
        left = [c for c in participant.core.risk.CHECKS if c.rule not in names]
        assert len(left) == len(participant.core.risk.CHECKS) - len(names)
        patch.setattr(participant.core.risk, "CHECKS", left)

    return plant


def a_timeout_is_taken_for_a_reject(patch: pytest.MonkeyPatch) -> None:
    def wrong(order: Order, answer: Answer) -> Order:
        if answer.verdict is Verdict.UNKNOWN:
            return advance(order, Happening.REJECT, is_retriable=True)
        return answered(order, answer)

    patch.setattr(participant.stages.execute, "answered", wrong)


def an_order_absent_from_the_book_is_taken_for_rejected(patch: pytest.MonkeyPatch) -> None:
    def wrong(order: Order, views: list[Any]) -> Order:
        if not views and order.status is OrderStatus.UNKNOWN:
            return advance(order, Happening.REJECT, is_retriable=True)
        return evidenced(order, views)

    patch.setattr(participant.links.evidence, "evidenced", wrong)


def working_orders_are_not_counted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(participant.core.books, "working", lambda orders: [])


def the_send_is_not_written_down_first(patch: pytest.MonkeyPatch) -> None:
    save = participant.links.books.Books.save

    def wrong(self: Any, held: Any, after: Order, extra: Any = ()) -> bool:
        return after.status is OrderStatus.SENDING or save(self, held, after, extra)

    patch.setattr(participant.links.books.Books, "save", wrong)


def margin_is_not_reserved_with_the_claim(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(participant.links.claims, "reserve", lambda account, margins: account)


def fills_are_added_instead_of_merged(patch: pytest.MonkeyPatch) -> None:
    filled = participant.core.position._filled

    def wrong(position: Position, event: Filled) -> tuple[Position, int]:
        return filled(replace(position, booked={}), event)

    patch.setattr(participant.core.position, "_filled", wrong)


def the_cover_is_sold_before_its_call_is_bought_back(patch: pytest.MonkeyPatch) -> None:
    def wrong(*arguments: Any) -> Decision:
        decision = decide(*arguments)
        return replace(decision, legs=decision.legs[::-1]) if decision.action is Action.CLOSE else decision

    patch.setattr(participant.stages.decide, "decide", wrong)
    _without("covered")(patch)


def the_cover_check_is_gone_and_legs_do_not_wait(patch: pytest.MonkeyPatch) -> None:
    _without("covered")(patch)

    def wrong(orders: list[Order], now: int, rule: Any, **how: bool) -> Any:
        return next_step([o for o in orders if o.leg == max(x.leg for x in orders)] or orders, now, rule, **how)

    patch.setattr(participant.stages.execute, "next_step", wrong)


def a_ticket_has_a_new_id_each_time(patch: pytest.MonkeyPatch) -> None:
    save = participant.links.books.Books.save

    def wrong(order: Order, now: int, why: str = "") -> Ticket:
        return replace(order_ticket(order, now, why), ticket_id=f"{order.order_id}{now}")

    def forgets(self: Any, held: Any, after: Order, extra: Any = ()) -> bool:
        return save(self, held, replace(after, is_ticketed=False), extra)

    patch.setattr(participant.links.books, "order_ticket", wrong)
    patch.setattr(participant.links.books.Books, "save", forgets)


def every_4xx_is_taken_for_a_reject(patch: pytest.MonkeyPatch) -> None:
    listed = participant.core.guarantees._listed

    def wrong(guarantees: Any, said: Said) -> Reject | None:
        is_4xx = 400 <= said.status < 500
        return listed(guarantees, said) or (Reject(said.status, "", "", "", is_retriable=True) if is_4xx else None)

    patch.setattr(participant.core.guarantees, "_listed", wrong)


def an_answer_that_was_lost_counts_as_not_sent(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(tests.sim.line, "LOST_ANSWER", tests.sim.line.NO_CONNECTION)


def what_was_being_sent_when_the_gateway_died_counts_as_not_sent(patch: pytest.MonkeyPatch) -> None:
    def wrong(order: Order, happening: Happening, **changes: object) -> Order:
        if happening is Happening.DOUBT:
            return advance(order, Happening.REJECT, is_retriable=True)
        return advance(order, happening, **changes)

    patch.setattr(participant.stages.execute, "advance", wrong)


def the_last_update_stands_whatever_came_before(patch: pytest.MonkeyPatch) -> None:
    def added(shown: dict[str, tuple[int, int]], _: Any, __: Any) -> tuple[int, int]:
        return sum(u for u, _ in shown.values()), sum(p for _, p in shown.values())

    patch.setattr(participant.core.order, "merged", lambda shown, views: {**shown, **{n: (u, p) for n, u, p in views}})
    patch.setattr(participant.core.order, "filled", added)


def the_book_is_looked_into_only_before_a_person_is_called(patch: pytest.MonkeyPatch) -> None:
    ask = Evidence.ask

    def wrong(self: Evidence, act: Act, *what: Any, is_end: bool) -> bool:
        return act is Act.TICKET and ask(self, act, *what, is_end=is_end)

    patch.setattr(Evidence, "ask", wrong)
    patch.setattr(participant.stages.reconcile, "take_over", lambda *_: False)


def nobody_is_called_before_the_day_is_over(patch: pytest.MonkeyPatch) -> None:
    def wrong(*what: Any, is_halted: bool) -> Step:
        step = next_step(*what, is_halted=is_halted)
        return replace(step, act=Act.FIND) if step.act is Act.TICKET else step

    patch.setattr(participant.stages.execute, "next_step", wrong)


def a_promise_is_struck_off_before_it_is_kept(patch: pytest.MonkeyPatch) -> None:
    def wrong(store: Any, name: str, queue: Any) -> int:
        rows = store.rows("outbox", prefix=f"{name}/")
        if rows:
            store.commit([Write("outbox", r.key, None) for r in rows])
            queue.put([Message(r.key.rsplit("/", 1)[1], r.key.split("/")[1], r.value) for r in rows])
        return len(rows)

    patch.setattr(participant.stages.execute, "relay", wrong)


def a_change_is_not_written_down_first(patch: pytest.MonkeyPatch) -> None:
    save = participant.links.books.Books.save

    def wrong(self: Any, held: Any, after: Order, extra: Any = ()) -> bool:
        return after.changes > held.order.changes or save(self, held, after, extra)

    patch.setattr(participant.links.books.Books, "save", wrong)


def a_change_of_unknown_fate_counts_as_refused(patch: pytest.MonkeyPatch) -> None:
    class Wrong:
        REJECTED, NOT_SENT = Verdict.REJECTED, Verdict.UNKNOWN

    patch.setattr(participant.links.changes, "Verdict", Wrong)


def an_order_follows_the_market_without_end(patch: pytest.MonkeyPatch) -> None:
    def wrong(orders: list[Order], *what: Any, is_halted: bool) -> Step:
        step = next_step([replace(o, changes=0) for o in orders], *what, is_halted=is_halted)
        mine = next((o for o in orders if step.order and o.order_id == step.order.order_id), None)
        return replace(step, order=mine)

    patch.setattr(participant.stages.execute, "next_step", wrong)


BUGS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "a time-out is taken for a reject and sent again": a_timeout_is_taken_for_a_reject,
    "an order absent from the book is taken for rejected": an_order_absent_from_the_book_is_taken_for_rejected,
    "working orders are not counted": working_orders_are_not_counted,
    "the send is not written down first": the_send_is_not_written_down_first,
    "margin is not reserved with the claim": margin_is_not_reserved_with_the_claim,
    "fills are added instead of merged": fills_are_added_instead_of_merged,
    "the cover is sold before its call is bought back": the_cover_is_sold_before_its_call_is_bought_back,
    "legs do not wait for each other": the_cover_check_is_gone_and_legs_do_not_wait,
    "a ticket has a new id each time": a_ticket_has_a_new_id_each_time,
    "the deadline is ignored": _without("deadline"),
    "the breaker is ignored": _without("breaker"),
    "stale quotes are good enough": _without("freshness"),
    "every 4xx is taken for a reject": every_4xx_is_taken_for_a_reject,
    "an answer that was lost counts as not sent": an_answer_that_was_lost_counts_as_not_sent,
    "what was being sent when the gateway died counts as not sent": (
        what_was_being_sent_when_the_gateway_died_counts_as_not_sent
    ),
    "the last update stands whatever came before": the_last_update_stands_whatever_came_before,
    "the book is looked into only before a person is called": the_book_is_looked_into_only_before_a_person_is_called,
    "nobody is called before the day is over": nobody_is_called_before_the_day_is_over,
    "a promise is struck off before it is kept": a_promise_is_struck_off_before_it_is_kept,
    "a change is not written down first": a_change_is_not_written_down_first,
    "a change of unknown fate counts as refused": a_change_of_unknown_fate_counts_as_refused,
    "an order follows the market without end": an_order_follows_the_market_without_end,
}
# Where a bug could break more than one invariant, the one that it is planted for.
CAUGHT_BY = {
    "a change is not written down first": "invariant 5: the change was not written down first",
    "a change of unknown fate counts as refused": "invariant 5: what may have been changed is asked for again",
    "an order follows the market without end": "invariant 5: changed \\d+ times",
    "every 4xx is taken for a reject": "invariant 5: a second send",
    "an answer that was lost counts as not sent": "invariant 5: a second send",
    "what was being sent when the gateway died counts as not sent": "invariant 5: a second send",
    "the last update stands whatever came before": "invariant 7: a fill was forgotten",
    "the book is looked into only before a person is called": "invariant 10: the books were the same only",
    "nobody is called before the day is over": "invariant 6: 0 tickets",
    "a promise is struck off before it is kept": "invariant 10: the books were the same only",
    "a ticket has a new id each time": "invariant 6: (more|[2-9]|\\d\\d+) ",
}


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    BUGS[name](monkeypatch)

    with pytest.raises(Violation, match=CAUGHT_BY.get(name, "invariant")):
        _run_days()


def _run_days() -> None:
    for seed in range(DAYS_MAX):
        Sim(seed, watcher=Invariants()).run()
