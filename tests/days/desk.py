"""The product's desk in one process (`research/engine.py`) on recorded days, and what must never be seen of it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from participant.core.decision import Action, Decision, DecisionInput
from participant.core.limits import Limits
from participant.core.market import SECOND, Quote, quoted
from participant.core.order import OVER, Order
from participant.core.risk import Refusal
from participant.core.rulebook import Rulebook
from participant.core.scrip import Contract, Kind, Scrip, Side
from participant.history.recorded import RecordedMarket
from participant.research import engine
from participant.research.engine import PAPER
from participant.wire.json import decode

CAPITAL = 1_00_00_000_00


@dataclass
class Counts:
    """What was decided, and why nothing was done: of a group of scrips on a day."""

    decisions: int = 0
    opens: int = 0
    closes: int = 0
    fills: int = 0
    denied: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)


@dataclass
class Told(Counts):
    """What became of one day, of each group of its scrips, and what should never have been."""

    day: str = ""
    symbols: tuple[str, ...] = ()
    groups: dict[str, Counts] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    breaks: int = 0
    worth: int = 0

    def of(self, scrip: str) -> tuple[Counts, Counts]:
        """Where a scrip counts: in the day, and in its group."""
        return self, self.groups.setdefault(scrip if scrip in INDICES else "stocks", Counts())


INDICES = ("NIFTY", "BANKNIFTY")


class InlineDesk:
    """The product's desk, watched."""

    def __init__(self, watchlist: Sequence[Scrip], rules: Rulebook, limits: Limits = PAPER) -> None:
        self.inner = engine.InlineDesk(watchlist, rules, CAPITAL, limits)
        self.watchlist, self.positions, self.stranded = self.inner.watchlist, self.inner.positions, self.inner.stranded

    def play(self, market: RecordedMarket) -> Told:
        """One day from its first instant to the comparison of books in the evening."""
        watch = _Watch(self.inner, market)
        closed = self.inner.play(market, watch)
        told = watch.told
        told.breaks, told.worth = len(closed.breaks), closed.worth
        told.faults += [f"{told.day}: {b.kind} {b.key} {b.ours} {b.theirs}" for b in closed.breaks]
        for order in watch.orders():
            for counts in told.of(order.scrip):
                counts.fills += order.cum_quantity > 0
        scrips = {order.order_id: order.scrip for order in watch.orders()}
        for row in self.inner.books.rows("refusals", prefix=f"{market.day}/"):
            refusal = decode(row.value, Refusal)
            for counts in told.of(scrips.get(row.key.rsplit("/", 1)[-1], "")):
                counts.denied[f"{refusal.control} {refusal.check}"] += 1
        return told


class _Watch:
    """Looks at a day as it goes by."""

    def __init__(self, desk: engine.InlineDesk, market: RecordedMarket) -> None:
        self.desk, self.market, self.told = desk, market, Told(day=str(market.day), symbols=tuple(market.symbols))

    def orders(self) -> Iterator[Order]:
        """The day's orders."""
        rows = self.desk.books.rows("orders", prefix=f"{self.market.day}/")
        return (decode(r.value, Order) for r in rows)

    def decided(self, given_as: bytes, answer: bytes) -> None:
        """Look at what was decided on."""
        given, decision = decode(given_as, DecisionInput), decode(answer, Decision)
        for counts in self.told.of(decision.scrip):
            counts.decisions += 1
            counts.opens += decision.action is Action.OPEN
            counts.closes += decision.action is Action.CLOSE
            if decision.action is Action.MAINTAIN:
                counts.refusals[kind_of(decision.reason)] += 1
        for leg in decision.legs:
            quote = quoted(given.market_state, leg.contract)
            if quote is None or not _may_be_traded(quote, leg.side):
                self.told.faults.append(f"{self.told.day}: {decision.action} of {leg.contract.key} on {quote}")
            elif abs(given.market_state.exchange_at - quote.exchange_at) > given.scrip.weights.quote_age_max_s * SECOND:
                self.told.faults.append(f"{self.told.day}: {decision.action} of {leg.contract.key} on an old quote")

    def looked(self) -> None:
        """Calls sold never exceed the cover, whichever of the orders that work or are unknown fill."""
        alive = [o for o in self.orders() if o.status not in OVER]
        for position in self.desk.positions():
            held: dict[Contract, int] = {h.contract: h.quantity for h in position.holdings}
            booked = position.booked
            for order in (o for o in self.orders() if o.scrip == position.scrip):
                done = booked[order.order_id].quantity if order.order_id in booked else 0
                late = order.side.sign * (order.cum_quantity - done)
                held[order.contract] = held.get(order.contract, 0) + late
            for order in (o for o in alive if o.scrip == position.scrip and o.side is Side.SELL and o.sends):
                held[order.contract] = held.get(order.contract, 0) + order.unfilled
            cover = sum(q for c, q in held.items() if c.kind not in (Kind.CALL, Kind.PUT))
            calls = sum(max(0, -q) for c, q in held.items() if c.kind is Kind.CALL)
            if calls > cover:
                self.told.faults.append(f"{self.told.day}: {calls} {position.scrip} calls against {cover} of cover")


def _may_be_traded(quote: Quote, side: Side) -> bool:
    """Neither crossed nor locked, with a price and a size on the side that is taken."""
    return quote.touch(side) > 0


def kind_of(reason: str) -> str:
    """A reason without its figures, so that reasons of one kind can be counted."""
    words = []
    for word in reason.split(":", maxsplit=1)[0].split():
        is_figure = any(c.isdigit() for c in word) or word.isupper()
        words.append("…" if is_figure else word)
    return " ".join(words)
