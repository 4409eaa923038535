"""An order that rests follows the market: its limit to the far touch, by the same steps as a send, and no other order.

The change is counted and the new limit on disk before the wire. An answer that proves that nothing changed restores
the limit; one that proves nothing leaves the new one, the nearer to the market, and the broker's book says what filled.
"""

from msgspec.structs import replace

from participant.core.ask import Ask
from participant.core.order import Verdict
from participant.core.risk import check
from participant.links.ask import Gathering
from participant.links.books import Held, refusal_rows
from participant.links.evidence import Evidence
from participant.links.lease import keep
from participant.links.pace import PacedBroker
from participant.ports import Lease


class Changes:
    """Asks for changes of a limit, each of them once."""

    def __init__(self, evidence: Evidence, gathering: Gathering, broker: PacedBroker, lease: Lease) -> None:
        self.evidence, self.gathering, self.broker, self.lease = evidence, gathering, broker, lease

    def follow(self, held: Held, ask: Ask) -> bool:
        """Ask for the limit in `ask`, the far touch of now, if it is nearer to the market and passes every control.

        False where nothing was written: the market is no nearer, or the message found no room in the rate.
        """
        order, limit, books = held.order, ask.order.limit, self.evidence.books
        if order.side.sign * (limit - order.limit) <= 0:
            return False
        counted = replace(order, changes=order.changes + 1)
        refusal = check(ask, is_change=True)
        if refusal is not None:
            name = f"{held.key}/{order.sends}.{counted.changes}"
            return books.save(held, counted, refusal_rows(name, order.scrip, refusal, ask.now))
        if not self.broker.pace.has_room():
            return False
        asked = Held(replace(counted, limit=limit), held.version + 1)
        if not books.save(held, asked.order, [self.gathering.passed(held.key, ask)]):
            return False
        keep(self.lease)
        answer = self.broker.modify(asked.order)
        is_as_before = answer.verdict in (Verdict.REJECTED, Verdict.NOT_SENT)
        after = replace(asked.order, limit=order.limit) if is_as_before else asked.order
        return self.evidence.conclude(asked, after, ask.now)
