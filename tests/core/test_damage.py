"""Damaged inputs of every kind at once: the brain never raises, opens on sound quotes alone, and never bares a call."""

from collections.abc import Callable
from datetime import date, timedelta
from math import nan
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from participant.core.account import Account
from participant.core.brain import decide
from participant.core.decision import Action, Decision
from participant.core.market import Chain, LookBack, MarketState, Quote, quoted
from participant.core.position import Holding, Position, Working
from participant.core.scrip import PRICE_UNITS, Contract, Kind, OwnEvent, Scrip, Side, Weights
from participant.core.session import at_time
from participant.core.volatility import ForwardSource, forward_to
from tests.core.worlds import CRORE, DAY, NOON, RULES, call, chain_state, future, holding, look_back, position

LOT, SECOND = 65, 10**9
OCT_6 = date(2026, 10, 6)
STATE = chain_state()

# --- quotes -----------------------------------------------------------------------------------------------------------

DAMAGE: dict[str, Callable[[Quote], Quote | None]] = {
    "sound": lambda quote: quote,
    "gone": lambda quote: None,
    "crossed": lambda quote: replace(quote, bid=quote.ask + 500, ask=max(1, quote.bid)),
    "locked": lambda quote: replace(quote, bid=quote.ask),
    "empty": lambda quote: Quote(0, 0, 0, 0, quote.exchange_at),
    "no bid": lambda quote: replace(quote, bid=0, bid_size=0),
    "no ask": lambda quote: replace(quote, ask=0, ask_size=0),
    "no size": lambda quote: replace(quote, bid_size=0, ask_size=0),
    "stale": lambda quote: replace(quote, exchange_at=quote.exchange_at - 61 * SECOND),
    "ancient": lambda quote: replace(quote, exchange_at=0),
    "negative": lambda quote: replace(quote, bid=-quote.bid, ask=-quote.ask),
    "absurd": lambda quote: replace(quote, bid=quote.bid * 1000, ask=quote.ask * 1000 + 500),
}
damages = st.sampled_from(["sound"] * len(DAMAGE) + sorted(DAMAGE))


def hit(quote: Quote | None, how: str) -> Quote | None:
    return DAMAGE[how](quote) if quote is not None else None


PAST = [
    *[look_back()] * 5,
    LookBack(),
    look_back(5),
    LookBack((0,) * 60, (nan,) * 60),
    replace(look_back(), published="an index"),
    LookBack((25_000_0000,) * 60, (-1.0, 0.0, nan) * 20, "an index"),
]
TIMES = [NOON] * 12 + [0, -1, at_time(DAY, 9, 14), at_time(date(2027, 6, 1), 12, 0), NOON + 2 * SECOND]
SPOTS = [STATE.spot] * 8 + [1, STATE.spot * 3, STATE.spot * 104 // 100]


class Broken(NamedTuple):
    """What is done to a sound market: to calls and puts of every third chain, to each future, and to the rest."""

    calls: list[str]
    puts: list[str]
    every: int
    chains: int
    lot: int
    moved_days: int
    futures: list[str]
    is_derived: bool
    past: int
    time: int
    spot: int


broken = st.builds(
    Broken,
    calls=st.lists(damages, min_size=3, max_size=3),
    puts=st.lists(damages, min_size=3, max_size=3),
    every=st.integers(1, 7),
    chains=st.integers(0, 7).map(lambda left: 7 - left),
    lot=st.sampled_from([LOT] * 8 + [75, 1]),
    moved_days=st.sampled_from([0, 0, 0, -30, 400]),
    futures=st.lists(damages, min_size=1, max_size=3),
    is_derived=st.booleans(),
    past=st.integers(0, len(PAST) - 1),
    time=st.integers(0, len(TIMES) - 1),
    spot=st.integers(0, len(SPOTS) - 1),
)


def market(how: Broken) -> MarketState:
    """The market so damaged."""

    def chain(i: int, one: Chain) -> Chain:
        rows = (
            replace(
                r,
                call=hit(r.call, how.calls[i % 3] if j % how.every == 0 else "sound"),
                put=hit(r.put, how.puts[i % 3]),
            )
            for j, r in enumerate(one.strikes)
        )
        expiry = one.expiry + timedelta(days=how.moved_days if i == 0 else 0)
        return replace(one, expiry=expiry, lot=how.lot, strikes=tuple(rows))

    futures = tuple(
        replace(f, quote=hit(f.quote, damage) or Quote(0, 0, 0, 0, 0), is_derived=how.is_derived)
        for f, damage in zip(STATE.futures, how.futures, strict=False)
    )
    chains = tuple(chain(i, c) for i, c in enumerate(STATE.chains[: how.chains]))
    past, at, spot = PAST[how.past], TIMES[how.time], SPOTS[how.spot]
    return replace(STATE, futures=futures, chains=chains, look_back=past, exchange_at=at, spot=spot)


# --- what is held -----------------------------------------------------------------------------------------------------

CONTRACTS = [
    future(STATE, 0),
    future(STATE, 1),
    call(STATE, OCT_6, 256_500_000),
    call(STATE, date(2026, 9, 29), 245_000_000),
    replace(call(STATE, OCT_6, 256_500_000), expiry=DAY - timedelta(days=1)),  # expired
    replace(call(STATE, OCT_6, 250_000_000), kind=Kind.PUT),
]


@st.composite
def positions(draw: st.DrawFn) -> Position:
    """Flat, a cover, a structure of so many lots each, or anything at all."""
    kind = draw(st.sampled_from(["flat", "flat", "whole", "whole", "uneven", "anything"]))
    held: list[Holding] = []
    if kind in ("whole", "uneven"):
        cover, sold = draw(st.integers(1, 3)), draw(st.integers(0, 3))
        held = [holding(CONTRACTS[1], cover * LOT, 251_500_000)]
        calls = cover if kind == "whole" else sold
        held += [holding(draw(st.sampled_from(CONTRACTS[2:4])), -calls * LOT, 1_300_000)] if calls else []
    if kind == "anything":
        for contract in draw(st.lists(st.sampled_from(CONTRACTS), max_size=3, unique=True)):
            sign = draw(st.sampled_from([1, 1, 1, -1])) * (1 if contract.kind is Kind.FUTURE else -1)
            units = sign * draw(st.sampled_from([LOT, LOT, 2 * LOT, 75]))
            held.append(holding(contract, units, draw(st.sampled_from([0, 1_000_000, 251_000_000]))))
    one = position(*sorted(held, key=lambda h: h.contract), alone_since=NOON - 60 * SECOND)
    working = (Working(CONTRACTS[0], LOT),) if draw(st.integers(0, 19)) == 7 else ()
    entered = draw(st.sampled_from([None, DAY - timedelta(days=1), DAY]))
    result = draw(st.sampled_from([0, 0, 0, -CRORE]))
    return replace(one, working=working, entered_on=entered, structure_result=result, sold_at=NOON - 3600 * SECOND)


# --- settings ---------------------------------------------------------------------------------------------------------

SETTINGS: dict[str, list[Any]] = {
    "iv_rank_min": [0.0, 0.5, 0.0],
    "iv_over_realised_min": [0.0, 1.1],
    "look_back_sessions_min": [0, 60],
    "days_to_expiry_min": [0, 5, 14],
    "spread_max": [0.0, 0.03, 100.0],
    "target_delta": [0.25, 0.35],
    "weight_trend": [0.15, 0.0],
    "score_min": [0.0, 0.0, 0.9],
    "tranches_max": [1, 3],
    "tranche_share": [0.3, 1.0],
    "roll_at_days": [0, 20],
    "roll_at_profit": [0.0, 0.01],
    "roll_at_delta": [0.0, 0.2],
    "roll_in_the_money": [0.0, 0.001],
    "after_call": ["flatten", "resell"],
    "blackout": ["off", "maintain", "close"],
    "expiry_shortfall_close_s": [0, 10**6],
    "structure_loss_share_max": [0.015, 1.0],
    "crash_loss_share_max": [0.02, 1.0],
}
CHOICE = [
    {},
    {},
    {"choose_by": "moneyness", "choose_target": 0.02, "choose_error_max": 0.01},
    {"choose_by": "sigmas", "choose_target": 0.5, "choose_error_max": 9.0},
    {"choose_by": "premium", "choose_target": 100.0, "choose_error_max": 1e6},
    {"choose_by": "yield", "choose_target": 0.1, "choose_error_max": 1e6},
]
FAULTS = [{}] * 30 + [{"target_delta": nan}, {"weight_trend": -1.0}, {"days_to_expiry_min": 36}, {"tranche_every_s": 0}]


@st.composite
def weights(draw: st.DrawFn) -> dict[str, Any]:
    """Settings, now and then such that cannot be."""
    some = draw(st.fixed_dictionaries({}, optional={name: st.sampled_from(v) for name, v in SETTINGS.items()}))
    return {"tranche_every_s": 60} | some | draw(st.sampled_from(CHOICE)) | draw(st.sampled_from(FAULTS))


def units(legs: list[tuple[Contract, Side, int]], kind: Kind, side: Side) -> int:
    return sum(quantity for contract, one, quantity in legs if contract.kind is kind and one is side)


def is_sound(state: MarketState, contract: Contract, quote_age_max_s: int) -> bool:
    quote = quoted(state, contract)
    return (
        quote is not None
        and quote.is_valid
        and state.exchange_at - quote.exchange_at <= quote_age_max_s * SECOND
        and contract.expiry > DAY - timedelta(days=1)
    )


ROLLS: list[dict[str, Any]] = [
    {"roll_at_days": 20, "days_to_expiry_min": 21},
    {"roll_at_profit": 0.01, "target_delta": 0.35},
    {"roll_at_delta": 0.2, "target_delta": 0.12},
    {"tranches_max": 3, "tranche_share": 0.3, "crash_loss_share_max": 1.0},
]
SOUND = Broken(["sound"] * 3, ["sound"] * 3, 1, 7, LOT, 0, ["sound"] * 3, False, 0, 0, 0)


@settings(max_examples=150)
@given(
    broken,
    st.booleans(),
    st.integers(1, 3),
    st.sampled_from([holding(c, -LOT, at) for c in CONTRACTS[2:4] for at in (1_000_000, 20_000_000)]),
    st.builds(
        lambda rule, after: {"after_call": after, **rule},
        st.sampled_from(ROLLS),
        st.sampled_from(["flatten", "resell"]),
    ),
)
def test_what_is_held_is_rolled_and_added_to_on_sound_quotes_and_never_bare(
    how: Broken, is_sound_market: bool, lots: int, sold: Holding, rule: dict[str, Any]
) -> None:
    state = market(SOUND if is_sound_market else how)
    held = position(
        holding(CONTRACTS[1], lots * LOT, 251_500_000),
        replace(sold, quantity=lots * sold.quantity, cost=lots * sold.cost),
    )
    held = replace(held, sold_at=NOON - 3600 * SECOND, tranches=1)
    chosen = {"tranche_every_s": 60, "structure_loss_share_max": 1.0, **rule}
    scrip = Scrip("NIFTY", weights=Weights(**chosen))
    decision = decide(scrip, state, held, Account(CRORE, CRORE), RULES)
    if decision.action is Action.OPEN:
        assert all(is_sound(state, leg.contract, 60) for leg in decision.legs)
        assert len(decision.legs) == 2
    assert_never_bare(held, decision)


@settings(max_examples=400)
@given(
    broken,
    positions(),
    weights(),
    st.sampled_from([CRORE] * 6 + [1000, 0, -CRORE]),
    st.sampled_from([(), (), (), (OwnEvent(DAY, "results"),)]),
)
def test_whatever_is_damaged_nothing_raises_opens_unsoundly_or_bares_a_call(
    how: Broken, held: Position, chosen: dict[str, Any], cash: int, events: tuple[OwnEvent, ...]
) -> None:
    state, scrip = market(how), Scrip("NIFTY", weights=Weights(**chosen), events=events)
    decision = decide(scrip, state, held, Account(CRORE, cash), RULES)
    assert decision.reason
    if decision.action is Action.MAINTAIN:
        assert decision.legs == ()
        return
    assert decision.legs
    if decision.action is Action.OPEN:
        assert not scrip.weights.fault
        assert all(is_sound(state, leg.contract, scrip.weights.quote_age_max_s) for leg in decision.legs)
    assert_never_bare(held, decision)


def assert_never_bare(held: Position, decision: Decision) -> None:
    """In the order of the legs and in any other, calls sold never exceed cover and what the decision itself buys."""
    legs = [(leg.contract, leg.side, leg.quantity) for leg in decision.legs]
    assert all(quantity > 0 for *_, quantity in legs)
    bare = max(0, held.short_calls - held.cover)
    calls, cover = held.short_calls, held.cover
    for contract, side, quantity in legs:
        calls -= side.sign * quantity * (contract.kind is Kind.CALL)
        cover += side.sign * quantity * (contract.kind is Kind.FUTURE)
        assert calls <= cover + bare
    bought = units(legs, Kind.FUTURE, Side.BUY) + units(legs, Kind.CALL, Side.BUY)
    sold = units(legs, Kind.CALL, Side.SELL) + units(legs, Kind.FUTURE, Side.SELL)
    assert held.short_calls + sold <= held.cover + bare + bought


def test_a_sound_market_still_opens() -> None:
    # Or the test above would prove nothing of openings.
    decision = decide(Scrip("NIFTY"), STATE, position(), Account(CRORE, CRORE), RULES)
    assert decision.action is Action.OPEN
    assert all(is_sound(STATE, leg.contract, 60) for leg in decision.legs)


def test_a_lot_that_changed_in_the_middle_of_a_position_is_left_to_a_person() -> None:
    old = replace(future(STATE, 1), lot=75)
    held = position(holding(replace(old, lot=65), 75, 251_500_000))
    decision = decide(Scrip("NIFTY"), STATE, held, Account(CRORE, CRORE), RULES)
    assert (decision.action, decision.legs) == (Action.MAINTAIN, ())
    assert "are no whole lots of 65: a person must look at it" in decision.reason


def test_a_spot_without_a_price_opens_nothing() -> None:
    for spot in (0, -25_000 * PRICE_UNITS):
        decision = decide(Scrip("NIFTY"), replace(STATE, spot=spot), position(), Account(CRORE, CRORE), RULES)
        assert (decision.action, decision.legs) == (Action.MAINTAIN, ())
        assert decision.reason == "the underlying has no price"


def test_puts_above_their_strikes_leave_no_forward_below_nothing() -> None:
    rows = [[replace(r, put=hit(r.put, "absurd")) for r in c.strikes] for c in STATE.chains]
    absurd = tuple(replace(c, strikes=tuple(r)) for c, r in zip(STATE.chains, rows, strict=True))
    forward = forward_to(replace(STATE, futures=()), absurd[0], 0.1)
    assert (forward.source, forward.level > 0) == (ForwardSource.CARRY, True)
