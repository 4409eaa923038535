"""From what a provider's board holds to the market state of a scrip, and that state's id."""

import datetime
from collections.abc import Iterable, Mapping

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
    futures: list[Future] = []
    cells: dict[datetime.date, dict[int, dict[Kind, Quote]]] = {}
    shapes: dict[datetime.date, Contract] = {}
    whole = board.chains.get(scrip, {})
    for contract in _covers(known) if whole else known.contracts:
        tick = board.ticks.get(contract.key)
        if tick is None or contract.kind is Kind.STOCK:  # shares trade as the underlying itself
            continue
        quote = _quote(tick)
        if contract.kind is Kind.FUTURE:
            futures.append(Future(contract, quote, contract.key in known.provenance.derived))
        else:
            cells.setdefault(contract.expiry, {}).setdefault(contract.strike, {})[contract.kind] = quote
            shapes[contract.expiry] = contract
    whole = whole or {expiry: _chain(shapes[expiry], cells[expiry]) for expiry in cells}
    chains = tuple(whole[expiry] for expiry in sorted(whole))
    futures.sort(key=lambda f: f.contract)
    at = max(spot.exchange_at, board.marked_at)
    own = _quote(spot) if spot.bid or spot.ask else None
    content = (tuple(futures), chains, look_back, known.provenance.marks, own)
    name = digest(scrip, at, spot.last, content[0], chains_json(chains), look_back_json(look_back), *content[3:])
    shares = next((c for c in known.contracts if c.kind is Kind.STOCK), None) if own else None
    return MarketState(name, scrip, at, board.received_at, board.provider, spot.last, *content, shares)


@once
def _covers(known: Reference) -> tuple[Contract, ...]:
    """What is no option."""
    return tuple(contract for contract in known.contracts if not contract.kind.is_option)


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


def _chain(shape: Contract, rows: Mapping[int, Mapping[Kind, Quote]]) -> Chain:
    strikes = tuple(Strike(k, rows[k].get(Kind.CALL), rows[k].get(Kind.PUT)) for k in sorted(rows))
    return Chain(shape.expiry, shape.lot, shape.tick, shape.freeze, strikes)
