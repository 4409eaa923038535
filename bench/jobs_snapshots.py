"""Snapshots that bench/jobs.py decides on: recorded days of NIFTY, by the branch that the strategy takes on them."""

import datetime
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from participant.core.account import Account
from participant.core.board import Board, observe
from participant.core.brain import decide
from participant.core.decision import DecisionInput, PositionInfo
from participant.core.market import LookBack, MarketState, Reference, Ticks
from participant.core.position import Position
from participant.core.rulebook import Rulebook
from participant.core.scrip import Scrip, Weights
from participant.core.session import Phase, phase
from participant.core.snapshot import snapshot
from participant.history.recordings import load_day, open_recordings
from participant.history.synthetic import SyntheticMarket
from participant.wire.json import decode, encode

SYMBOL = "NIFTY"
CAPITAL = 100_000_000_00  # ten crore rupees, in paise
# Gates that let through what is tradable at all, so that every part of the strategy runs.
OPEN = Weights(iv_rank_min=0.0, iv_over_realised_min=0.0, look_back_sessions_min=0, spread_max=0.1)
CLOSES = 30
MICROSECOND = 1_000
DAYS = (
    ("five expiries of 13 June 2019", "nse_chain_multi_expiry_2019_06", datetime.date(2019, 6, 13)),
    ("18 expiries of 28 October 2025", "nse_json_chain_2025/raw_json", datetime.date(2025, 10, 28)),
)


class Snapshots(Struct, frozen=True):
    """A recorded day's inputs, by branch."""

    name: str
    branches: dict[str, list[DecisionInput]]

    @staticmethod
    def strikes(inputs: Sequence[DecisionInput]) -> float:
        """Strikes of a snapshot, of all expiries, on average."""
        return sum(len(c.strikes) for one in inputs for c in one.market_state.chains) / len(inputs)


def anew(inputs: Sequence[DecisionInput], turn: int) -> list[DecisionInput]:
    """The inputs as a worker gets them: values of their own, at an instant of their own, a microsecond later a turn.

    So nothing that was kept of an earlier turn serves, neither by identity nor by value.
    """
    given = [decode(encode(one), DecisionInput) for one in inputs]
    return [
        replace(one, market_state=replace(s, exchange_at=s.exchange_at + MICROSECOND * (turn + 1)))
        for one in given
        for s in (one.market_state,)
    ]


def recorded(data: Path, rules: Rulebook) -> list[Snapshots]:
    """The days that lie at `data`, else a made one."""
    found = [
        Snapshots(name, _branches(_states(data, folder, day, rules), rules))
        for name, folder, day in DAYS
        if (data / folder).exists()
    ]
    return found or [Snapshots("made, seed 5", _branches(_made(rules), rules))]


def _branches(states: Iterator[MarketState], rules: Rulebook) -> dict[str, list[DecisionInput]]:
    """What is decided to the end (an opening, or a refusal by size or risk), and what the shipped weights end early.

    To the end both ways: by the published index that stands in for the IV, and by the chain's own.
    """
    seen = [s for s in states if phase(rules, s.exchange_at) is Phase.OPEN]
    own = [replace(s, look_back=_own(s)) for s in seen]
    by_branch = {
        "to the end": [_input(s, OPEN) for s in seen if len(s.look_back.closes) > 20] or [_input(s, OPEN) for s in own],
        "to the end, IV from the chain": [_input(s, OPEN) for s in own],
        "ended by an early gate": [_input(s, Weights()) for s in seen],
    }
    whole = {name: [one for one in inputs if name.startswith("ended") or _is_whole(one, rules)]
             for name, inputs in by_branch.items()}  # fmt: skip
    return {name: inputs for name, inputs in whole.items() if inputs}


def _is_whole(given: DecisionInput, rules: Rulebook) -> bool:
    """Whether the decision came to the margin of what it would open."""
    info = given.current_position_info
    return "margin_paise" in decide(given.scrip, given.market_state, info.position, info.account, rules).figures


def _own(state: MarketState) -> LookBack:
    """A look-back as of a scrip whose own IV is known: closes about the spot, as none before the day are recorded."""
    closes = tuple(state.spot + (i % 3 - 1) * state.spot // 200 for i in range(CLOSES))
    return replace(state.look_back, closes=closes, iv30=state.look_back.iv30 or (0.1, 0.2), published="")


def _input(state: MarketState, weights: Weights) -> DecisionInput:
    return DecisionInput(
        Scrip(SYMBOL, weights=weights), state, PositionInfo(Position(SYMBOL), Account(CAPITAL, CAPITAL))
    )


def _states(data: Path, folder: str, day: datetime.date, rules: Rulebook) -> Iterator[MarketState]:
    market = load_day(open_recordings([data / folder, data / "nse_daily_official"]), day, rules, [SYMBOL])
    return _folded(market, rules)


def _made(rules: Rulebook) -> Iterator[MarketState]:
    return _folded(SyntheticMarket(5, datetime.date(2026, 11, 26), rules, (SYMBOL,), 900), rules)


def _folded(market: object, rules: Rulebook) -> Iterator[MarketState]:
    known = Reference(SYMBOL, tuple(market.contracts()), market.look_back(SYMBOL), market.provenance(SYMBOL))
    board = Board("recorded")
    for instant in market.instants():
        board = observe(board, Ticks("recorded", instant.at, instant.ticks, is_snapshot=True))
        state = snapshot(board, known)
        if state is not None:
            yield state
