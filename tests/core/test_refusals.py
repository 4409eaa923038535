"""What the brain is given and cannot be: every such input ends in a maintain that says why, and opens nothing."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from participant.core.brain import decide
from participant.core.brain_checks import judged
from participant.core.decision import Action, Decision, Leg
from participant.core.market import SECOND, Chain, MarketState, Quote, Strike
from participant.core.position import Position
from participant.core.risk_limits import SHIPPED
from participant.core.rulebook import Rulebook
from participant.core.scrip import Kind, Scrip, Side, Weights
from participant.core.session import at_time
from participant.core.strategy import Case, Verdict
from participant.core.structure import closing_price, unquoted
from tests.core.worlds import DAY, NOON, RULES, account, call, chain_state, future, holding, position, with_quote

STATE = chain_state()
SCRIP = Scrip("NIFTY", weights=Weights(iv_rank_min=0.3, iv_over_realised_min=1.0))
MONTH = date(2026, 9, 29)


def decided(state: MarketState = STATE, held: Position | None = None, rules: Rulebook = RULES) -> Decision:
    return decide(SCRIP, state, held or position(), account(), rules)


def refusal(decision: Decision) -> str:
    assert (decision.action, decision.legs) == (Action.MAINTAIN, ())
    return decision.reason


def chains(change: dict[str, Quote | None] | None, *, bid: bool = True, ask: bool = True) -> MarketState:
    """The state with sides of every chain taken away: whole calls or puts, or bids or asks of all."""

    def one(quote: Quote | None) -> Quote | None:
        if quote is None:
            return None
        gone = ({} if bid else {"bid": 0, "bid_size": 0}) | ({} if ask else {"ask": 0, "ask_size": 0})
        return replace(quote, **gone)

    def row(strike: Strike) -> Strike:
        return replace(strike, **{"call": one(strike.call), "put": one(strike.put), **(change or {})})

    return replace(STATE, chains=tuple(replace(c, strikes=tuple(map(row, c.strikes))) for c in STATE.chains))


def test_what_is_given_whole_opens() -> None:
    # So the refusals below are each of what was taken away.
    assert decided().action is Action.OPEN


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (at_time(date(2027, 1, 4), 12, 0), "no rule for the trading calendar on 2027-01-04; known: 2018-01-01 to 2026"),
        (at_time(date(2017, 6, 1), 12, 0), "no rule for the trading calendar on 2017-06-01"),
        (0, "no rule for the trading calendar on 1970-01-01"),
        (-1, "no rule for the trading calendar on 1970-01-01"),
    ],
)
def test_a_time_that_no_rule_covers_opens_nothing(at: int, said: str) -> None:
    reason = refusal(decided(replace(STATE, exchange_at=at)))
    assert reason.startswith(f"nothing is done without a rule: {said}")
    assert "add a row to rules/calendar.toml" in reason


def test_rules_without_charges_or_margins_of_the_day_open_nothing() -> None:
    for table in ("charges", "margins"):
        rules = replace(RULES, **{table: tuple(row for row in getattr(RULES, table) if not row.holds(DAY))})
        assert refusal(decided(rules=rules)).startswith(f"nothing is done without a rule: no rule for {table} on {DAY}")


def test_a_holiday_that_the_table_lacks_is_a_day_like_any_other_and_one_that_it_has_is_none() -> None:
    (row,) = (row for row in RULES.holidays if row.holds(DAY))
    shut = replace(RULES, holidays=(replace(row, days=(*row.days, DAY)),))
    assert refusal(decided(rules=shut)) == "the market is not open: closed"


def test_without_a_future_there_is_no_cover() -> None:
    assert refusal(decided(replace(STATE, futures=()))) == "no future lives as long as a call within 5-35 days"


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (chains({"call": None}), "no call within 5-35 days has a valid quote"),
        (chains(None, bid=False), "no 30-day at-the-money IV can be read from the chain"),
        (chains(None, ask=False), "no 30-day at-the-money IV can be read from the chain"),
        (chains({"call": None, "put": None}), "no 30-day at-the-money IV can be read from the chain"),
        (replace(STATE, chains=()), "no 30-day at-the-money IV can be read from the chain"),
    ],
)
def test_a_chain_of_one_side_opens_nothing(state: MarketState, said: str) -> None:
    assert refusal(decided(state)) == said


def test_a_chain_without_puts_opens_nothing_though_its_future_is_quoted() -> None:
    said = "near spot has both its call and its put quoted, so the limit of 3.0% cannot be checked"
    assert refusal(decided(chains({"put": None}))).endswith(said)


@pytest.mark.parametrize(("age_s", "opens"), [(60, True), (61, False), (3_600, False)])
def test_a_chain_of_long_ago_opens_nothing_though_the_call_that_is_sold_is_of_now(age_s: int, opens: bool) -> None:
    (sold,) = (leg.contract for leg in decided().legs if leg.contract.kind is Kind.CALL)

    def aged(quote: Quote | None) -> Quote | None:
        return quote and replace(quote, exchange_at=STATE.exchange_at - age_s * SECOND)

    chains = [
        replace(c, strikes=tuple(replace(s, call=aged(s.call), put=aged(s.put)) for s in c.strikes))
        for c in STATE.chains
    ]
    decision = decided(with_quote(replace(STATE, chains=tuple(chains)), sold.key, exchange_at=STATE.exchange_at))
    assert (decision.action is Action.OPEN) is opens
    if not opens:
        said = f"refused by basis: {sold.expiry} was quoted at the money {age_s:,} s ago, over 60 s"
        assert refusal(decision).startswith(said)


def test_a_future_of_another_underlying_in_the_market_state_opens_nothing() -> None:
    other = replace(STATE.futures[0], contract=replace(STATE.futures[0].contract, underlying="BANKNIFTY"))
    reason = refusal(decided(replace(STATE, futures=(other, *STATE.futures[1:]))))
    assert reason == f"nothing is done for NIFTY on a market state with {other.contract.key} in it"


@pytest.mark.parametrize(("after_s", "is_old"), [(-3_600, True), (-61, True), (-60, False), (60, False), (61, True)])
def test_a_structure_is_not_judged_by_a_quote_of_another_time(after_s: int, is_old: bool) -> None:
    cover, sold = future(STATE), call(STATE, MONTH, 260_000_000)
    held = position(holding(cover, 65, 290_000_000), holding(sold, -65, 1_000_000))  # a loss far beyond any stop
    odd = with_quote(STATE, cover.key, exchange_at=STATE.exchange_at + after_s * SECOND)
    decision = decided(odd, held)
    assert (decision.action is Action.CLOSE) is not is_old
    if is_old:
        assert refusal(decision).startswith(f"{cover.key} is held and its quote is ")
        verdict = Verdict(Action.CLOSE, "as I say", {}, (Leg(cover, Side.SELL, 65, 250_000_000),))
        alone = Case(SCRIP, odd, position(holding(cover, 65, 290_000_000)), account(), RULES)
        said = judged(lambda *_: verdict, alone)[0]  # any strategy's close: a plug-in may not look at ages
        assert (said.action, said.legs) == (Action.MAINTAIN, ())
        assert said.reason.startswith(f"nothing is closed: the quote of {cover.key} is ")


def test_an_expired_contract_is_never_opened() -> None:
    yesterday = DAY - timedelta(days=1)
    dead = tuple(replace(c, expiry=yesterday) for c in STATE.chains)
    assert "IV can be read" in refusal(decided(replace(STATE, chains=dead)))
    gone = replace(STATE.futures[0], contract=replace(STATE.futures[0].contract, expiry=yesterday))
    assert "no future lives as long" in refusal(decided(replace(STATE, futures=(gone,))))


def test_an_expired_contract_that_is_held_is_not_traded_and_said_to_be_over() -> None:
    yesterday = DAY - timedelta(days=1)
    dead = replace(call(STATE, MONTH, 260_000_000), expiry=yesterday)
    held = position(holding(future(STATE), 65, 250_000_000), holding(dead, -65, 1_000_000))
    said = f"{dead.key} is held and expired on {yesterday}: the books have not settled it yet"
    assert refusal(decided(held=held)) == said


def test_what_ends_today_is_over_from_its_last_instant_on() -> None:
    late = chain_state(RULES.expiry_at(MONTH), day=MONTH)
    sold = call(late, MONTH, 260_000_000)
    blind = replace(with_quote(late, sold.key, gone=1), exchange_at=RULES.expiry_at(MONTH) - 1)
    held = position(holding(future(late), 65, 250_000_000), holding(sold, -65, 1_000_000))
    assert refusal(decided(blind, held=held)) == f"{sold.key} is held and has no valid quote"
    case = Case(Scrip("NIFTY"), late, held, account(), RULES)
    assert closing_price(case, held.holdings[1]) == 0, "its last quote stands there still"
    assert unquoted(replace(case, market=with_quote(late, sold.key, gone=1)), Kind.CALL) == (
        f"{sold.key} is held and expired on {MONTH}: the books have not settled it yet"
    )


@pytest.mark.parametrize("weights", [{}, {"structure_loss_share_max": 1e-6}, {"roll_at_days": 2}])
def test_a_call_that_is_over_while_others_trade_on_is_not_bought_back_at_its_last_quote(
    weights: dict[str, Any],
) -> None:
    """From December 2026 expiring index contracts stop a quarter of an hour before the session does."""
    day = date(2026, 12, 8)
    state = replace(chain_state(at_time(day, 15, 29), day=day), exchange_at=at_time(day, 15, 35))
    sold = call(state, day, 240_000_000)
    held = position(holding(future(state), 65, 250_000_000), holding(sold, -65, 1_000_000))
    decision = decide(Scrip("NIFTY", weights=Weights(**weights)), state, held, account(), RULES)
    assert refusal(decision) == f"{sold.key} is held and expired on {day}: the books have not settled it yet"


def test_a_contract_that_is_held_on_terms_of_before_is_said_to_be() -> None:
    listed = future(STATE)
    for changes, said in (
        ({"lot": 13}, "its lot has changed from 13 to 65 units: the books have it on its old terms"),
        ({"tick": 7}, "its tick or freeze quantity has changed: the books have it on its old terms"),
    ):
        old = replace(listed, **changes)
        assert (
            refusal(decided(held=position(holding(old, 65, 250_000_000), alone_since=NOON)))
            == f"{old.key} is held and {said}"
        )
    sold = replace(call(STATE, MONTH, 260_000_000), lot=13)
    held = position(holding(listed, 65, 250_000_000), holding(sold, -65, 1_000_000))
    blind = decided(with_quote(STATE, sold.key, ask=0), held=held)
    assert refusal(blind).startswith(f"{sold.key} is held and its lot has changed from 13 to 65 units")


def test_a_contract_that_is_held_and_not_listed_is_said_to_be() -> None:
    far = replace(future(STATE), expiry=MONTH + timedelta(days=700))
    for stray, units in ((replace(call(STATE, MONTH, 260_000_000), strike=1_234_500), -65), (far, 65)):
        held = position(holding(future(STATE), 65, 250_000_000), holding(stray, units, 1_000_000), alone_since=NOON)
        assert refusal(decided(held=held)) == f"{stray.key} is held and the market state does not list it"


def test_a_scrip_that_is_disabled_is_left_as_it_is_and_says_so() -> None:
    off = decide(Scrip("NIFTY", is_enabled=False), STATE, position(), account(), RULES)
    assert refusal(off) == "nothing is done for NIFTY: it is disabled in the watchlist (is_enabled = false)"
    held = position(holding(future(STATE), 65, 250_000_000))
    assert decide(Scrip("NIFTY", is_enabled=False), STATE, held, account(), RULES).risk is not None


@pytest.mark.parametrize("name", ["delta_share_max", "portfolio_delta_share_max"])
def test_a_limit_of_the_bet_that_is_not_set_is_said_to_be_not_set(name: str) -> None:
    scrip = Scrip("NIFTY", limits=replace(SHIPPED, **{name: None}))
    said = refusal(decide(scrip, STATE, position(), account(), RULES))
    assert said == f"no lot passes the bet on the market: {name} is not set in the scrip's limits"


@pytest.mark.parametrize("hour", [15, 16])
def test_with_no_time_left_nothing_opens(hour: int) -> None:
    at = at_time(MONTH, hour, 40)
    state = chain_state(at, day=MONTH)
    today = replace(state, chains=tuple(c for c in state.chains if c.expiry == MONTH))
    assert refusal(decided(today))


@given(st.lists(st.sampled_from([0, 1, 2, 3]), min_size=4, max_size=4), st.booleans(), st.integers(0, 3))
def test_whatever_part_of_the_market_is_gone_what_opens_has_a_valid_quote_on_both_legs(
    kept: list[int], has_puts: bool, futures: int
) -> None:
    rows: list[Chain] = []
    for i, chain in enumerate(STATE.chains):
        share = kept[i % 4]
        strikes = [
            replace(s, call=s.call if j % 4 >= share else None, put=s.put if has_puts else None)
            for j, s in enumerate(chain.strikes)
        ]
        rows.append(replace(chain, strikes=tuple(strikes)))
    state = replace(STATE, chains=tuple(rows), futures=STATE.futures[:futures])
    decision = decided(state)
    if decision.action is Action.OPEN:
        quoted = {f.contract.key: f.quote for f in state.futures} | {c.key: q for c, q in state.options()}
        assert all(quoted[leg.contract.key].is_valid for leg in decision.legs)
    else:
        assert refusal(decision)


FLOATS = [name for name in Weights.__struct_fields__ if isinstance(getattr(Weights(), name), float)]


@pytest.mark.parametrize("name", FLOATS)
def test_a_weight_that_is_no_number_opens_nothing_even_where_it_got_past_the_configuration(name: str) -> None:
    # Whatever is compared with it is neither more nor less: a gate that asks so stands open.
    scrip = replace(SCRIP, weights=replace(SCRIP.weights, **{name: float("nan")}))
    reason = refusal(decide(scrip, STATE, position(), account(), RULES))
    assert reason == f"nothing is done on weights that cannot be: {name} is not a number"


def test_a_window_of_days_that_ends_before_it_begins_opens_nothing() -> None:
    scrip = replace(SCRIP, weights=replace(SCRIP.weights, days_to_expiry_min=40))
    reason = refusal(decide(scrip, STATE, position(), account(), RULES))
    assert reason.endswith("days_to_expiry_min = 40 is over days_to_expiry_max = 35")


SIGNALS = list(Weights().signal_weights)


def test_weights_that_sum_to_zero_open_nothing() -> None:
    scrip = replace(SCRIP, weights=replace(SCRIP.weights, **{f"weight_{name}": 0.0 for name in SIGNALS}))
    reason = refusal(decide(scrip, STATE, position(), account(), RULES))
    assert reason.endswith("weight_liquidity, weight_trend, weight_event sum to zero: give one of them a weight")


@pytest.mark.parametrize("name", SIGNALS)
def test_a_negative_weight_opens_nothing(name: str) -> None:
    scrip = replace(SCRIP, weights=replace(SCRIP.weights, **{f"weight_{name}": -0.1}))
    reason = refusal(decide(scrip, STATE, position(), account(), RULES))
    assert reason == f"nothing is done on weights that cannot be: weight_{name} = -0.1 is negative"


def test_a_measure_without_a_target_opens_nothing() -> None:
    scrip = replace(SCRIP, weights=replace(SCRIP.weights, choose_by="premium"))
    assert refusal(decide(scrip, STATE, position(), account(), RULES)).endswith(
        'choose_by = "premium" needs a choose_target above 0'
    )
