"""What a brain job is given and cannot be decided on: a refusal with its reason in the log, nothing opened, no one else
stopped. Each case goes the whole way: a state on the queue, the job's bytes, the commit, the log, and its replay.

Rules that contradict themselves never get this far: nothing starts on them (tests/desk/test_bad_input.py).
"""

from collections.abc import Callable
from datetime import date, timedelta
from math import nan
from typing import Any

import pytest
from msgspec.structs import replace

from participant.adapters.archives.memory import MemoryArchive
from participant.adapters.clocks.virtual import VirtualClock
from participant.adapters.compute.inline import InlineCompute
from participant.analysis.lookup import lookup
from participant.analysis.replay import Replay, replay_day
from participant.core.decision import Action, Decision
from participant.core.market import MarketState
from participant.core.messages import Message, Write
from participant.core.position import Position
from participant.core.scrip import Scrip, Weights
from participant.core.session import at_time, day_of
from participant.links.decision_log import DecisionLog
from participant.stages.decide import run
from participant.stages.dispatch import Dispatch, DispatchPorts, DispatchRule
from participant.wire.json import Malformed, decode, encode
from tests.core.worlds import DAY, NOON, RULES, chain_state, future, holding, position
from tests.stages.floor import Floor

STATE = chain_state()
WEIGHTS = Weights(iv_rank_min=0.3)
MONTH = date(2026, 9, 29)


def row(**weights: Any) -> Scrip:
    return Scrip("NIFTY", weights=replace(WEIGHTS, **weights))


def decided(state: MarketState = STATE, scrip: Scrip | None = None, held: Position | None = None) -> Floor:
    """A floor on which NIFTY was decided on, and BANKNIFTY at the same step."""
    floor = Floor()
    floor.books.commit([Write("positions", "NIFTY", encode(held))] if held else [])
    queue, compute = floor.queues["market"], InlineCompute(lambda body: run(body, RULES))
    for symbol, one in {"NIFTY": state, "BANKNIFTY": floor.states["BANKNIFTY"]}.items():
        queue.put([Message(one.snapshot_id, symbol, encode(one))])
    rows = {"NIFTY": scrip or row(), "BANKNIFTY": Scrip("BANKNIFTY")}
    ports = DispatchPorts(queue, floor.queues["orders"], floor.books, compute, VirtualClock(0), floor.park)
    Dispatch(ports, rows, DispatchRule(600.0, 3, is_lockstep=True)).step(0.0)
    return floor


def of_the_log(floor: Floor, state: MarketState) -> Decision:
    """The decision on a state as its day's log has it, found by its id, and equal to the byte when decided again."""
    archive, day = MemoryArchive(), str(day_of(state.exchange_at))
    DecisionLog(floor.books, archive).write(day)
    assert replay_day(archive.read(day), RULES) == Replay(archive.count(day), 0, ())
    infos = [decode(found.logged, Decision) for found in lookup(archive.read(day), "")]
    return next(info for info in infos if info.snapshot_id == state.snapshot_id)


def one_sided(state: MarketState) -> MarketState:
    chains = []
    for chain in state.chains:
        strikes = (
            replace(s, call=replace(s.call, bid=0, bid_size=0), put=replace(s.put, bid=0, bid_size=0))
            for s in chain.strikes
            if s.call and s.put
        )
        chains.append(replace(chain, strikes=tuple(strikes)))
    return replace(state, chains=tuple(chains))


def expired(state: MarketState) -> MarketState:
    """Every option has been over since the day before."""
    return replace(state, chains=tuple(replace(c, expiry=DAY - timedelta(days=1)) for c in state.chains))


def last_minute() -> MarketState:
    """The calls of the day that ends, a moment after their last."""
    state = chain_state(at_time(MONTH, 15, 29), day=MONTH)
    ending = tuple(chain for chain in state.chains if chain.expiry == MONTH)
    return replace(state, exchange_at=at_time(MONTH, 15, 31), chains=ending)


def odd() -> Position:
    """75 units of a future of which a lot has been 65 since."""
    return position(holding(future(STATE, 1), 75, 251_500_000))


NOBODYS = Scrip("NIFTY", strategy="luck")
ZERO = row(**{f"weight_{name}": 0.0 for name in Weights().signal_weights})
CASES: dict[str, tuple[Callable[[], Floor], MarketState, str]] = {
    "expired contracts": (lambda: decided(expired(STATE)), STATE, "no 30-day at-the-money IV can be read"),
    "no time left": (lambda: decided(last_minute()), last_minute(), "no 30-day at-the-money IV can be read"),
    "no future": (
        lambda: decided(replace(STATE, futures=())),
        STATE,
        "no future lives as long as a call within 5-35 days",
    ),
    "a chain of one side": (lambda: decided(one_sided(STATE)), STATE, "no 30-day at-the-money IV can be read"),
    "a lot that changed": (
        lambda: decided(held=odd()),
        STATE,
        "+75 NIFTY-20261027-FUT are no whole lots of 65: a person must look at it",
    ),
    "a day outside the tables": (
        lambda: decided(replace(STATE, exchange_at=at_time(date(2027, 1, 4), 12, 0))),
        replace(STATE, exchange_at=at_time(date(2027, 1, 4), 12, 0)),
        "nothing is done without a rule: no rule for the trading calendar on 2027-01-04",
    ),
    "a weight that is no number": (
        lambda: decided(scrip=row(spread_max=nan)),
        STATE,
        "nothing is done on a row of the watchlist that cannot be: spread_max is not a number",
    ),
    "weights that sum to zero": (
        lambda: decided(scrip=ZERO),
        STATE,
        "nothing is done on weights that cannot be: weight_richness, weight_depth, weight_liquidity, weight_trend, "
        "weight_event sum to zero: give one of them a weight",
    ),
    "nobody's strategy": (
        lambda: decided(scrip=NOBODYS),
        STATE,
        "nothing is done by a strategy that nobody provides: no strategy 'luck'; known: ",
    ),
}


def test_the_same_input_opens_where_nothing_of_it_is_bad() -> None:
    # Or the refusals below would prove nothing.
    floor = decided()
    assert of_the_log(floor, STATE).action is Action.OPEN
    assert floor.orders()


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_refused_in_the_log_with_its_reason_and_opens_nothing(case: str) -> None:
    floor_of, state, said = CASES[case]
    floor = floor_of()
    refusal = of_the_log(floor, state)
    assert (refusal.action, refusal.legs, refusal.outcome) == (Action.MAINTAIN, (), "decided")
    assert refusal.reason.startswith(said)
    assert (floor.orders(), floor.parked, floor.queues["market"].dead_letters()) == ([], {}, [])
    other = floor.states["BANKNIFTY"]
    assert of_the_log(floor, other).reason.startswith("look-back too short")


@pytest.mark.parametrize("name", ["negative", "long ago"])
def test_a_time_that_cannot_be_is_refused_as_well(name: str) -> None:
    at = {"negative": -1, "long ago": 0}[name]
    state = replace(STATE, exchange_at=at)
    assert of_the_log(decided(state), state).reason.startswith("nothing is done without a rule: ")


def test_a_row_that_cannot_be_leaves_what_is_held_as_it_is_and_its_risk_known() -> None:
    whole = position(holding(future(STATE, 1), 65, 251_500_000), alone_since=NOON)
    risks = []
    for scrip in (row(), row(spread_max=nan), NOBODYS, ZERO):
        decision = of_the_log(decided(scrip=scrip, held=whole), STATE)
        assert decision.risk is not None
        assert decision.risk.unknown == ""
        risks.append(decision.risk)
        assert scrip == row() or decision.legs == ()
    assert risks[1:] == [risks[1]] * 3


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (b'"spread_max":0.03', b'"spread_max":-1.0', "spread_max: Expected `float` >= 0.0"),
        (b'"spread_max":0.03', b'"spread_mux":0.03', "Object contains unknown field `spread_mux`"),
        (
            b'"depth_move_share":0.5',
            b'"depth_move_share":null',
            "depth_move_share is not a number (JSON writes that as",
        ),
        (b'"lots_max":10', b'"lots_max":-3', "limits.lots_max: Expected `int` >= 0"),
        (b'"delta_share_max":0.6', b'"delta_share_max":1e308', "limits.delta_share_max: Expected `float` <= 1000000.0"),
    ],
)
def test_a_job_from_elsewhere_whose_row_cannot_be_is_answered_with_the_reason(
    before: bytes, after: bytes, said: str
) -> None:
    job = encode_job()
    assert before in job
    refusal = decode(run(job.replace(before, after, 1), RULES), Decision)
    assert (refusal.action, refusal.legs) == (Action.MAINTAIN, ())
    assert refusal.reason.startswith("nothing is done on a row of the watchlist that cannot be: ")
    assert said in refusal.reason


@pytest.mark.parametrize("gone", [b'"symbol":"NIFTY"', b'"marketState"', b'"beta":1.0'])
def test_a_job_of_which_more_than_settings_is_wrong_is_no_job(gone: bytes) -> None:
    job = encode_job()
    assert gone in job
    with pytest.raises(Malformed, match="no DecisionInput"):
        run(
            job.replace(gone, b'"symbol":5' if b"symbol" in gone else b'"beta":-1' if b"beta" in gone else b'"x"'),
            RULES,
        )


def encode_job() -> bytes:
    floor = decided()
    archive = MemoryArchive()
    DecisionLog(floor.books, archive).write(str(DAY))
    return lookup(archive.read(str(DAY)), "")[0].given
