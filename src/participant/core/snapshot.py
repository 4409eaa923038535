"""From what a provider's board holds to the market state of a scrip, and that state's id."""

import datetime
from collections.abc import Iterable, Sequence

from msgspec import Raw

from participant.core.board import Board
from participant.core.ids import canonical, digest
from participant.core.market import Chain, Future, LookBack, MarketState, Quote, Reference, Strike, Tick
from participant.core.once import once
from participant.core.scrip import Contract, Kind


def snapshot(board: Board, known: Reference) -> MarketState | None:
    """The market state of one scrip from a provider's board, or `None` while its spot is unknown."""
    scrip, look_back = known.scrip, known.look_back
    spot = board.ticks.get(scrip)
    if spot is None or spot.last <= 0:
        return None
    futures = [
        Future(contract, _quote(tick), contract.key in known.provenance.derived)
        for contract in _futures(known)
        if (tick := board.ticks.get(contract.key)) is not None
    ]
    whole = board.chains.get(scrip) or _chains(board, known)
    chains = tuple(whole[expiry] for expiry in sorted(whole))
    futures.sort(key=lambda f: f.contract)
    at = max(spot.exchange_at, board.marked_at)
    own = _quote(spot) if spot.bid or spot.ask else None
    content = (tuple(futures), chains, look_back, known.provenance.marks, own)
    name = digest(scrip, at, spot.last, content[0], chains_json(chains), look_back_json(look_back), *content[3:])
    shares = next((c for c in known.contracts if c.kind is Kind.STOCK), None) if own else None
    return MarketState(name, scrip, at, board.received_at, board.provider, spot.last, *content, shares)


@once
def _futures(known: Reference) -> tuple[Contract, ...]:
    """Shares are none of them: they trade as the underlying itself."""
    return tuple(contract for contract in known.contracts if contract.kind is Kind.FUTURE)


@once
def _options(known: Reference) -> tuple[tuple[datetime.date, tuple[Contract, ...], tuple[str, ...]], ...]:
    """The options of each expiry, and their keys."""
    options = [contract for contract in known.contracts if contract.kind.is_option]
    by_expiry = {expiry: tuple(c for c in options if c.expiry == expiry) for expiry in {c.expiry for c in options}}
    return tuple((expiry, mine, tuple(c.key for c in mine)) for expiry, mine in by_expiry.items())


def _chains(board: Board, known: Reference) -> dict[datetime.date, Chain]:
    """The chain of each expiry. One of which nothing has changed is not made anew: of thousands of contracts few do."""
    kept: dict[datetime.date, tuple[tuple[Tick | None, ...], Chain | None]]
    kept = known.__dict__.setdefault("chains, last", {})
    found = {}
    for expiry, contracts, keys in _options(known):
        ticks = tuple(map(board.ticks.get, keys))
        last = kept.get(expiry)
        if last is None or last[0] != ticks:
            last = kept[expiry] = (ticks, _chain(contracts, ticks))
        if last[1] is not None:
            found[expiry] = last[1]
    return found


def chains_json(chains: Iterable[Chain]) -> Raw:
    """Chains as JSON; the text of each is made once, as it goes into the snapshot's id and into the state's message."""
    return Raw(b"[" + b",".join(map(_chain_json, chains)) + b"]")


@once
def look_back_json(look_back: LookBack) -> Raw:
    """A look-back as JSON: all states of a day have the same."""
    return Raw(canonical(look_back))


def _chain_json(chain: Chain) -> bytes:
    text: bytes | None = chain.__dict__.get("json")
    if text is None:
        text = chain.__dict__["json"] = canonical(chain)
    return text


def _quote(tick: Tick) -> Quote:
    return Quote(tick.bid, tick.ask, tick.bid_size, tick.ask_size, tick.exchange_at)


def _chain(contracts: Sequence[Contract], ticks: Sequence[Tick | None]) -> Chain | None:
    """The chain that these ticks of its contracts make; None of none."""
    rows: dict[int, dict[Kind, Quote]] = {}
    shape = None
    for contract, tick in zip(contracts, ticks, strict=True):
        if tick is not None:
            rows.setdefault(contract.strike, {})[contract.kind] = _quote(tick)
            shape = contract
    if shape is None:
        return None
    strikes = tuple(Strike(k, rows[k].get(Kind.CALL), rows[k].get(Kind.PUT)) for k in sorted(rows))
    return Chain(shape.expiry, shape.lot, shape.tick, shape.freeze, strikes)
