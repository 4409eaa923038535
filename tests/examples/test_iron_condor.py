"""The iron condor of examples/: what it opens, in which order, how large, and when it closes."""

import datetime
from collections.abc import Iterator
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from examples.iron_condor.iron_condor import STRATEGY
from participant.core.book_risk import Fills
from participant.core.brain import decide
from participant.core.charges import charges
from participant.core.decision import Action, Decision, Leg
from participant.core.margin import margin
from participant.core.market import MarketState, quoted
from participant.core.plan import naked_units
from participant.core.position import Holding, Position, Working
from participant.core.risk_limits import SHIPPED
from participant.core.scrip import Kind, OwnEvent, Scrip, Setting, Side, Weights, money
from participant.core.session import at_time
from participant.core.strategies.table import STRATEGIES
from tests.core.worlds import CRORE, DAY, NOON, RULES, SPOT, account, chain_state, look_back, with_quote

BUY, SELL = Side.BUY, Side.SELL
STATE = chain_state()
FLAT, WEIGHTS = Position("NIFTY"), Weights()
LATER = at_time(DAY + datetime.timedelta(1), 12, 0)


@pytest.fixture(autouse=True)
def in_the_table() -> Iterator[None]:
    STRATEGIES["iron_condor"] = STRATEGY
    yield
    del STRATEGIES["iron_condor"]


def decided(
    market: MarketState = STATE,
    held: Position = FLAT,
    weights: Weights = WEIGHTS,
    capital: int = CRORE,
    own: dict[str, Setting] | None = None,
) -> Decision:
    scrip = Scrip("NIFTY", strategy="iron_condor", weights=weights, settings=own or {})
    return decide(scrip, market, held, account(capital), RULES)


def opened(own: dict[str, Setting] | None = None) -> Decision:
    decision = decided(own=own)
    assert decision.action is Action.OPEN, decision.reason
    return decision


def filled(legs: tuple[Leg, ...], day: datetime.date = DAY) -> Position:
    """What is held once these legs have filled at their limits, from a flat book."""
    rates, paid, held = RULES.charge_rates(day), 0, []
    for leg in legs:
        units = leg.side.sign * leg.quantity
        held.append(Holding(leg.contract, units, money(leg.limit, units)))
        paid += charges(rates, leg.contract, leg.side, money(leg.limit, leg.quantity)).total
    return Position("NIFTY", tuple(sorted(held, key=lambda h: h.contract)), structure_result=-paid, entered_on=day)


@pytest.fixture(scope="module")
def held() -> Position:
    STRATEGIES["iron_condor"] = STRATEGY
    return filled(opened().legs)


# --- opening ---


def test_it_buys_both_wings_and_then_sells_a_call_and_a_put_between_them_all_of_one_expiry_and_size() -> None:
    call_wing, put_wing, call, put = opened().legs
    assert [leg.side for leg in opened().legs] == [BUY, BUY, SELL, SELL]
    kinds = [leg.contract.kind for leg in opened().legs]
    assert kinds == [Kind.CALL, Kind.PUT, Kind.CALL, Kind.PUT]
    assert put_wing.contract.strike < put.contract.strike < SPOT < call.contract.strike < call_wing.contract.strike
    assert len({leg.contract.expiry for leg in opened().legs}) == len({leg.quantity for leg in opened().legs}) == 1
    for short, wing in ((call, call_wing), (put, put_wing)):
        assert abs(wing.contract.strike - short.contract.strike) >= 0.01 * SPOT


def test_the_shorts_are_those_nearest_the_delta_asked_for() -> None:
    for target in (0.15, 0.25):
        figures = opened({"short_delta": target}).figures
        for name, sign in (("call_delta", 1), ("put_delta", -1)):
            delta = figures[name]
            assert isinstance(delta, float)
            assert abs(sign * delta - target) < 0.02


def test_no_prefix_of_its_legs_is_naked() -> None:
    legs = [(leg.contract, leg.side.sign * leg.quantity) for leg in opened().legs]
    for kind in (Kind.CALL, Kind.PUT):
        assert naked_units(Fills([], [], legs), kind) == 0
        assert naked_units(Fills([], [], legs[::-1]), kind) > 0, "the other way round it would be"


def test_what_it_can_lose_and_its_margin_are_those_of_the_whole_structure() -> None:
    decision = opened()
    units, width, net = decision.legs[0].quantity, decision.figures["width_price"], decision.figures["net_credit_paise"]
    assert isinstance(width, int)
    assert isinstance(net, int)
    paid = sum(
        charges(RULES.charge_rates(DAY), leg.contract, leg.side, money(leg.limit, units)).total for leg in decision.legs
    )
    assert net == -sum(leg.side.sign * money(leg.limit, units) for leg in decision.legs) - paid
    most = money(width, units) - net
    assert most <= 0.005 * CRORE < most / units * (units + 65)
    assert f"it can lose ₹{most // 100:,}"[:-2] in decision.reason
    rates = RULES.margin_rates("NIFTY", DAY)
    ways = accumulate(([(leg.contract, leg.side.sign * leg.quantity)] for leg in decision.legs), lambda a, b: a + b)
    wings = sum(money(leg.limit, units) for leg in decision.legs[:2])
    needed = [wings + margin(rates, way, SPOT, 0.14, NOON) for way in ways]
    assert sum(leg.margin for leg in decision.legs) == pytest.approx(max(needed), rel=0.01)


@pytest.mark.parametrize("days", range(1, 40, 4))
def test_the_estimate_of_its_margin_is_its_largest_loss_and_the_exposure_of_what_is_sold(days: int) -> None:
    """No scenario loses more than the width: the rest is the exposure margin, on each short, whatever the wings."""
    at = at_time(DAY, 12, 0)
    rates = RULES.margin_rates("NIFTY", DAY)
    legs = [(leg.contract, leg.side.sign * leg.quantity) for leg in opened().legs]
    later = [(replace(c, expiry=DAY + datetime.timedelta(days)), q) for c, q in legs]
    width, units = 250 * 10_000, abs(legs[0][1])
    exposure = 2 * rates.exposure * SPOT / 100 * units
    span = margin(rates, later, SPOT, 0.14, at) - exposure
    assert 0 < span <= money(width, units) * 1.000_001


CASES: list[tuple[str, MarketState, Weights, dict[str, Setting], str]] = [
    ("IV is not rich", chain_state(history=look_back(low=0.13, high=0.2)), Weights(), {}, "IV rank"),
    ("little history", chain_state(history=look_back(59)), Weights(), {}, "look-back too short"),
    ("a wide spread", chain_state(spread=0.05), Weights(), {}, "the spread of"),
    ("old quotes", replace(STATE, exchange_at=NOON + 61 * 10**9), Weights(), {}, "a quote is 61 s old"),
    ("quotes ahead", replace(STATE, exchange_at=NOON - 61 * 10**9), Weights(), {}, "a quote is 61 s ahead of now"),
    ("no expiry in time", STATE, Weights(days_to_expiry_min=2, days_to_expiry_max=3), {}, "no expiry within 2-3 days"),
    ("no delta near", STATE, Weights(), {"short_delta": 0.2, "delta_error_max": 0.000_001}, "near delta 0.2"),
    ("no wing so far out", STATE, Weights(), {"wing_share": 0.5}, "no expiry within"),
    ("a poor credit", STATE, Weights(), {"credit_share_min": 0.9}, "the credit after charges"),
    ("a loss beyond its share", STATE, Weights(), {"loss_share_max": 0.000_1}, "no lot fits: loss"),
    ("no margin", STATE, Weights(margin_share_max=0.000_1), {}, "no lot fits: margin"),
    ("little shown", chain_state(lots_shown=0), Weights(), {}, "no 30-day"),
    ("closed", chain_state(at_time(DAY, 8, 0)), Weights(), {}, "the market is not open"),
]  # fmt: skip


@pytest.mark.parametrize(("market", "weights", "own", "said"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_it_leaves_everything_as_it_is_and_says_why(
    market: MarketState, weights: Weights, own: dict[str, Setting], said: str
) -> None:
    decision = decided(market, weights=weights, own=own)
    assert (decision.action, decision.legs) == (Action.MAINTAIN, ())
    assert said in decision.reason


def test_a_limit_of_its_size_that_is_not_set_is_said_to_be_not_set() -> None:
    scrip = Scrip("NIFTY", strategy="iron_condor", limits=replace(SHIPPED, lots_max=None))
    assert decide(scrip, STATE, FLAT, account(), RULES).reason == "no lot fits: lots_max is not set"


def test_one_entry_a_session_and_none_while_orders_work(held: Position) -> None:
    done = Position("NIFTY", entered_on=DAY)
    assert "one entry a session" in decided(held=done).reason
    works = replace(FLAT, working=(Working(held.holdings[0].contract, 65),))
    assert decided(held=works).reason == "1 order of it still work"


def test_a_day_on_which_too_much_would_expire_bounds_its_lots() -> None:
    own: dict[str, Setting] = {"loss_share_max": 0.5}
    decision = opened(own)
    assert decision.figures["lots"] == decision.figures["lots_by_expiring"] == 4
    scrip, taken = Scrip("NIFTY", strategy="iron_condor", settings=own), account()
    busy = replace(taken, others=replace(taken.others, short={str(decision.legs[0].contract.expiry): CRORE}))
    assert decide(scrip, STATE, FLAT, busy, RULES).figures["lots"] == 1


# --- holding and closing ---


def quotes_at(held: Position, share: float, state: MarketState | None = None) -> MarketState:
    """The market a day later, in which each option can be closed at such a share of the price it was opened at."""
    state = chain_state(LATER, day=DAY) if state is None else state
    for holding in held.holdings:
        price = max(500, round(share * abs(holding.cost / holding.quantity) * 100 / 500) * 500)
        changes = {"bid": price - 500, "ask": price} if holding.quantity < 0 else {"bid": price, "ask": price + 500}
        state = with_quote(state, holding.contract.key, **changes, bid_size=650, ask_size=650)
    return state


@pytest.mark.parametrize(
    ("share", "action", "said"),
    [
        (1.0, Action.MAINTAIN, "held at"),
        (0.6, Action.MAINTAIN, "held at"),
        (0.3, Action.CLOSE, "50.0% of its credit of"),
        (2.2, Action.MAINTAIN, "held at"),
        (3.0, Action.CLOSE, "it lost over 1.5 times its credit of"),
    ],
)
def test_it_is_held_until_a_share_is_won_or_a_multiple_is_lost(
    held: Position, share: float, action: Action, said: str
) -> None:
    decision = decided(quotes_at(held, share), held)
    assert (decision.action, said in decision.reason) == (action, True), decision.reason


def test_it_closes_shorts_first_and_never_naked_on_the_way(held: Position) -> None:
    decision = decided(quotes_at(held, 0.3), held)
    assert [leg.side for leg in decision.legs] == [BUY, BUY, SELL, SELL]
    assert {leg.contract: leg.side.sign * leg.quantity for leg in decision.legs} == {
        h.contract: -h.quantity for h in held.holdings
    }
    have = [(h.contract, h.quantity) for h in held.holdings]
    legs = [(leg.contract, leg.side.sign * leg.quantity) for leg in decision.legs]
    for kind in (Kind.CALL, Kind.PUT):
        assert naked_units(Fills(have, [], legs), kind) == 0
    for leg in decision.legs:
        quote = quoted(quotes_at(held, 0.3), leg.contract)
        assert quote is not None
        assert leg.limit == quote.touch(leg.side)


@pytest.mark.parametrize(("close_days", "action"), [(4, Action.MAINTAIN), (5, Action.CLOSE), (6, Action.CLOSE)])
def test_it_closes_some_days_before_expiry(held: Position, close_days: int, action: Action) -> None:
    at = at_time(held.holdings[0].contract.expiry - datetime.timedelta(5), 12, 0)
    market = quotes_at(held, 0.9, chain_state(at))
    assert decided(market, held, own={"close_days": close_days}).action is action


@pytest.mark.parametrize("is_closing", [True, False])
def test_an_event_near_closes_it_where_the_row_says_so(held: Position, is_closing: bool) -> None:
    event = OwnEvent(DAY + datetime.timedelta(2), "results")
    weights = Weights(blackout="close" if is_closing else "maintain", blackout_sessions_before=2)
    scrip = Scrip("NIFTY", "iron_condor", weights=weights, events=(event,))
    decision = decide(scrip, quotes_at(held, 0.9), held, account(), RULES)
    assert (decision.action is Action.CLOSE, "results is near" in decision.reason) == (is_closing, is_closing)


def test_a_part_of_it_is_closed_at_once(held: Position) -> None:
    for gone in range(4):
        left = tuple(h for i, h in enumerate(held.holdings) if i != gone)
        decision = decided(quotes_at(held, 1.0), replace(held, holdings=left))
        assert decision.action is Action.CLOSE
        assert "only a part of it is held" in decision.reason
        assert len(decision.legs) == 3


def test_a_wing_without_a_bid_is_left_and_a_short_without_an_offer_waits(held: Position) -> None:
    market = quotes_at(held, 0.1)
    wings = [h.contract for h in held.holdings if h.quantity > 0]
    shorts = [h.contract for h in held.holdings if h.quantity < 0]
    no_bid = with_quote(market, wings[0].key, bid=0, bid_size=0)
    assert len(decided(no_bid, held).legs) == 3
    no_ask = with_quote(market, shorts[0].key, gone=1)
    assert decided(no_ask, held).reason == f"{shorts[0].key} is sold and nobody offers it"
    alone = replace(held, holdings=tuple(h for h in held.holdings if h.contract == wings[0]))
    assert "carried to their expiry" in decided(no_bid, alone).reason


def test_what_is_no_part_of_a_condor_is_left_to_a_person(held: Position) -> None:
    future = STATE.futures[0].contract
    strange = replace(held, holdings=(*held.holdings, Holding(future, 65, money(SPOT, 65))))
    assert f"{future.key} is no whole part" in decided(held=strange).reason
    odd = replace(held, holdings=(replace(held.holdings[0], quantity=64), *held.holdings[1:]))
    assert "a person must look at it" in decided(held=odd).reason


@given(
    st.floats(0.05, 0.45), st.floats(0.002, 0.05), st.floats(0.08, 0.4), st.integers(1, 40),
    st.floats(0.001, 0.02), st.sampled_from([CRORE // 10, CRORE, 10 * CRORE]),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_whatever_its_settings_it_never_opens_naked_nor_beyond_its_share_of_loss(
    short_delta: float, wing_share: float, sigma: float, shown: int, loss: float, capital: int
) -> None:
    market = chain_state(sigma=sigma, lots_shown=shown, history=look_back(low=0.01, high=sigma, realised=sigma / 2))
    own: dict[str, Setting] = {
        "short_delta": round(short_delta, 3), "wing_share": round(wing_share, 4), "loss_share_max": round(loss, 4),
        "credit_share_min": 0.01, "wing_spread_max": 1.0,
    }  # fmt: skip
    decision = decided(market, capital=capital, weights=Weights(iv_rank_min=0.0, spread_max=1.0), own=own)
    if decision.action is Action.OPEN:
        legs = [(leg.contract, leg.side.sign * leg.quantity) for leg in decision.legs]
        assert max(naked_units(Fills([], [], legs), kind) for kind in (Kind.CALL, Kind.PUT)) == 0
        width, net = decision.figures["width_price"], decision.figures["net_credit_paise"]
        assert isinstance(width, int)
        assert isinstance(net, int)
        assert money(width, decision.legs[0].quantity) - net <= round(loss, 4) * capital
        assert all(leg.quantity <= shown * 65 for leg in decision.legs)
    else:
        assert decision.action is Action.MAINTAIN
