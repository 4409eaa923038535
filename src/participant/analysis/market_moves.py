"""What the market would have had to be for another verdict: tried out by deciding again, not worked out.

The quantity behind the rule that spoke (or, of a structure that is held, behind those that might have) is moved until
the rule says otherwise, to within a thousandth; then the search goes on with the next rule in the way.
"""

from collections.abc import Callable
from itertools import pairwise
from math import exp, isfinite, log

from msgspec import Struct
from msgspec.structs import replace

from participant.core.decision import Action, DecisionInput, Figure
from participant.core.market import Chain, MarketState, Quote
from participant.core.position import Holding
from participant.core.pricing import price, years_to
from participant.core.scrip import Kind
from participant.core.session import usual_close
from participant.core.strategy import Gate, Verdict
from participant.core.volatility import forward_to, strike_iv

STEP = 1.15  # each try moves a quantity by so much, ...
TRIES_MAX = 40  # ... up to 230 times it, or down to a 230th
HALVINGS = 14
RULES_MAX = 6
Judge = Callable[[DecisionInput], Verdict]
Move = Callable[[MarketState, float], MarketState]


class MarketMove(Struct, frozen=True):
    """What the quantity behind a rule was and would have had to be, and the verdict then."""

    rule: str
    was: Figure
    then: Figure
    action: Action
    reason: str


class Flip(Struct, frozen=True):
    """The input with the least move of a quantity after which a rule says otherwise, its verdict, and the move."""

    given: DecisionInput
    verdict: Verdict
    move: MarketMove


def market_moves(given: DecisionInput, judge: Judge) -> tuple[MarketMove, ...]:
    """The quantities that would have had to be otherwise.

    Where a rule spoke: one after the other, until another action came of it. Where none did: each by itself.
    """
    verdict, found = judge(given), list[MarketMove]()
    first = verdict.action
    if not any(gate.said for gate in verdict.gates):
        levers = (gate for gate in verdict.gates if gate.is_reached and _lever(gate, given, verdict))
        return tuple(flip.move for gate in levers if (flip := _least(given, verdict, gate, judge)))
    for _ in range(RULES_MAX):
        spoke = next((gate for gate in verdict.gates if gate.said), None)
        flip = _least(given, verdict, spoke, judge) if spoke else None
        if flip is None:
            break
        found.append(flip.move)
        given, verdict = flip.given, flip.verdict
        if verdict.action is not first:
            break
    return tuple(found)


def _least(given: DecisionInput, verdict: Verdict, gate: Gate, judge: Judge) -> Flip | None:
    """The least move after which a rule says otherwise; None where it has no quantity, or none does."""
    lever = _lever(gate, given, verdict)
    if lever is None:
        return None
    move: Move = lever

    def tried(scale: float) -> tuple[DecisionInput, Verdict, Gate | None]:
        one = replace(given, market_state=move(given.market_state, scale))
        after = judge(one)
        return one, after, next((g for g in after.gates if g.name == gate.name and g.is_reached), None)

    def is_other(scale: float) -> bool:
        now = tried(scale)[2]
        return now is not None and bool(now.said) != bool(gate.said)

    for sign in (1, -1):
        beyond = next((n for n in range(1, TRIES_MAX) if is_other(STEP ** (sign * n))), None)
        if beyond is not None:
            one, after, now = tried(_halved(is_other, STEP ** (sign * (beyond - 1)), STEP ** (sign * beyond)))
            was, then = _read(verdict, gate), _read(after, now or gate)
            return Flip(one, after, MarketMove(gate.name, was, then, after.action, after.reason))
    return None


def _halved(is_other: Callable[[float], bool], same: float, other: float) -> float:
    """The scale nearest to the one that changes nothing that changes something."""
    for _ in range(HALVINGS):
        middle = (same + other) / 2
        same, other = (same, middle) if is_other(middle) else (middle, other)
    return other


def _read(verdict: Verdict, gate: Gate) -> Figure:
    """What the quantity is: for the result of a structure the spot that leads to it."""
    return verdict.figures["spot"] if gate.name == "stop" else gate.value


# --- the quantities ---------------------------------------------------------------------------------------------------


def _lever(gate: Gate, given: DecisionInput, verdict: Verdict) -> Move | None:
    """How to move what a rule goes by; None for a rule that goes by nothing that the market moves."""
    held = [h for h in given.current_position_info.position.holdings if h.contract.kind is Kind.CALL]
    moves: dict[str, Move] = {"rank": _history, "over realised": _realised, "spread": _spread, "displayed": _sizes}
    if held:
        moves |= {"square-off": _priced(held[0]), "stop": _spot}
    if verdict.figures.get("tranches_made"):
        moves["tranche"] = _history
    return moves.get(gate.name)


def _history(state: MarketState, scale: float) -> MarketState:
    """The IVs of the look-back scaled; the last of a published index is the day's own."""
    back = state.look_back
    own = back.iv30[-1:] if back.published else ()
    scaled = tuple(iv * scale for iv in back.iv30[: len(back.iv30) - len(own)])
    return replace(state, look_back=replace(back, iv30=(*scaled, *own)))


def _realised(state: MarketState, scale: float) -> MarketState:
    """The returns of the look-back scaled, back from its last close."""
    closes = state.look_back.closes
    if len(closes) < 2 or min(closes) <= 0:
        return state
    moved = [float(closes[-1])]
    for before, after in reversed(list(pairwise(closes))):
        moved.append(moved[-1] * exp(-scale * log(after / before)))
    return replace(state, look_back=replace(state.look_back, closes=tuple(round(c) for c in reversed(moved))))


def _spread(state: MarketState, scale: float) -> MarketState:
    """The spread of every call scaled about its middle."""

    def one(quote: Quote) -> Quote:
        if not quote.is_valid:
            return quote
        half = (quote.ask - quote.bid) * scale / 2
        return replace(quote, bid=max(1, round(quote.mid - half)), ask=max(2, round(quote.mid + half)))

    return _calls(state, one)


def _sizes(state: MarketState, scale: float) -> MarketState:
    """The sizes of every call and future scaled."""

    def one(quote: Quote) -> Quote:
        return replace(quote, bid_size=round(quote.bid_size * scale), ask_size=round(quote.ask_size * scale))

    futures = tuple(replace(f, quote=one(f.quote)) for f in state.futures)
    return replace(_calls(state, one), futures=futures)


def _spot(state: MarketState, scale: float) -> MarketState:
    """Spot and futures moved by as many points, and every option repriced at its own IV; spreads stay.

    By the eighth root of the scale: an underlying moves by less than volatility, spreads and sizes do.
    """
    points = round(state.spot * (scale ** (1 / 8) - 1))

    def future(quote: Quote) -> Quote:
        return replace(quote, bid=max(1, quote.bid + points), ask=max(2, quote.ask + points))

    futures = tuple(replace(f, quote=future(f.quote)) for f in state.futures)
    chains = tuple(_repriced(state, chain, points) for chain in state.chains)
    return replace(state, spot=state.spot + points, futures=futures, chains=chains)


def _repriced(state: MarketState, chain: Chain, points: int) -> Chain:
    years = years_to(usual_close(chain.expiry), state.exchange_at)
    if years <= 0:
        return chain
    forward = forward_to(state, chain, years).level

    def one(is_call: bool, quote: Quote | None, strike: int) -> Quote | None:
        iv = strike_iv(is_call, quote, forward, strike, years)
        if quote is None or not isfinite(iv):
            return quote
        by = round(price(is_call, forward + points, strike, years, iv) - price(is_call, forward, strike, years, iv))
        return replace(quote, bid=max(0, quote.bid + by), ask=max(chain.tick, quote.ask + by))

    rows = (replace(r, call=one(True, r.call, r.strike), put=one(False, r.put, r.strike)) for r in chain.strikes)
    return replace(chain, strikes=tuple(rows))


def _priced(call: Holding) -> Move:
    """One call's prices scaled."""

    def move(state: MarketState, scale: float) -> MarketState:
        def chain(one: Chain) -> Chain:
            if one.expiry != call.contract.expiry:
                return one
            rows = (
                replace(r, call=replace(r.call, bid=round(r.call.bid * scale), ask=max(1, round(r.call.ask * scale))))
                if r.strike == call.contract.strike and r.call is not None
                else r
                for r in one.strikes
            )
            return replace(one, strikes=tuple(rows))

        return replace(state, chains=tuple(map(chain, state.chains)))

    return move


def _calls(state: MarketState, one: Callable[[Quote], Quote]) -> MarketState:
    chains = (
        replace(c, strikes=tuple(replace(r, call=one(r.call) if r.call is not None else None) for r in c.strikes))
        for c in state.chains
    )
    return replace(state, chains=tuple(chains))
