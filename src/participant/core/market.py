"""The market as the brain may know it, and what feeds say of it."""

import datetime
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from participant.core.once import once
from participant.core.scrip import Contract, Kind, Side

SECOND = 1_000_000_000


# `gc=False`, here and below: quotes come by ten thousands, hold no cycles, and need not be searched for any.
class Quote(Struct, frozen=True, array_like=True, gc=False):
    """Best bid and ask of one contract (prices; sizes in units), and when the exchange said so (ns)."""

    bid: int
    ask: int
    bid_size: int
    ask_size: int
    exchange_at: int

    @property
    def is_valid(self) -> bool:
        """Two-sided, not crossed, not locked, with size on both sides."""
        return 0 < self.bid < self.ask and self.bid_size > 0 and self.ask_size > 0

    def touch(self, side: Side) -> int:
        """The price at which one can buy or sell now, 0 where one cannot. The other side may be empty, not crossed."""
        if self.bid and self.ask and self.bid >= self.ask:
            return 0
        price, size = (self.ask, self.ask_size) if side is Side.BUY else (self.bid, self.bid_size)
        return price if price > 0 and size > 0 else 0

    @property
    def mid(self) -> int:
        """The middle, rounded down to a whole price unit."""
        return (self.bid + self.ask) // 2


class Strike(Struct, frozen=True, array_like=True, gc=False):
    """The call and the put of one strike; `None` where nobody quotes."""

    strike: int
    call: Quote | None
    put: Quote | None


class Chain(Struct, frozen=True, rename="camel", dict=True):
    """All strikes of one expiry, lowest first, with the constants of its contracts; what they say is found out once."""

    expiry: datetime.date
    lot: int
    tick: int
    freeze: int
    strikes: tuple[Strike, ...]


class Future(Struct, frozen=True, rename="camel"):
    """A future and its quote; derived ones (from parity or a basis) say so."""

    contract: Contract
    quote: Quote
    is_derived: bool = False


class LookBack(Struct, frozen=True, rename="camel", dict=True):
    """Earlier sessions, oldest first: closes of the underlying and constant-maturity 30-day at-the-money IV.

    Where `published` names an index of volatility and the day of its last close, `iv30` are its closes, and the last
    stands for the scrip's own IV: a chain of weeklies has no 30-day IV to compare. `opens`, `highs` and `lows` (prices)
    are those of the last sessions of `closes`, as many as are known without a hole.
    """

    closes: tuple[int, ...] = ()
    iv30: tuple[float, ...] = ()
    published: str = ""
    opens: tuple[int, ...] = ()
    highs: tuple[int, ...] = ()
    lows: tuple[int, ...] = ()


class Provenance(Struct, frozen=True):
    """How far a scrip's data are not what an exchange quoted: marks for people, and the keys of derived contracts."""

    marks: tuple[str, ...] = ()
    derived: tuple[str, ...] = ()


class Reference(Struct, frozen=True, dict=True):
    """What is known of a scrip before the day begins: its contracts, its look-back, and where its data come from."""

    scrip: str
    contracts: tuple[Contract, ...]
    look_back: LookBack
    provenance: Provenance = Provenance()


class MarketState(Struct, frozen=True, rename="camel", dict=True):
    """All that the brain may know of a scrip at one instant. `snapshot_id` covers the market content alone.

    `marks` say what of it no exchange quoted; `underlying` is the own quote of a stock, `shares` its listed contract.
    """

    snapshot_id: str
    scrip: str
    exchange_at: int
    received_at: int
    provider: str
    spot: int
    futures: tuple[Future, ...]
    chains: tuple[Chain, ...]
    look_back: LookBack
    marks: tuple[str, ...] = ()
    underlying: Quote | None = None
    shares: Contract | None = None

    def quote(self, key: str) -> Quote | None:
        """The quote of the contract with this key, where the state holds one."""
        of_future = next((f.quote for f in self.futures if f.contract.key == key), None)
        return of_future or next((quote for contract, quote in self.options() if contract.key == key), None)

    def options(self) -> Iterable[tuple[Contract, Quote]]:
        """Every quoted option, by expiry, strike, call before put."""
        for chain, row in ((c, r) for c in self.chains for r in c.strikes):
            for kind, quote in ((Kind.CALL, row.call), (Kind.PUT, row.put)):
                if quote is not None:
                    yield option(self.scrip, chain, kind, row.strike), quote


def chain_to(state: MarketState, expiry: datetime.date) -> Chain | None:
    """The chain of an expiry; None where none is listed."""
    return _chains(state).get(expiry)


@once
def _chains(state: MarketState) -> dict[datetime.date, Chain]:
    """By expiry; of two of one expiry the first counts."""
    return {chain.expiry: chain for chain in reversed(state.chains)}


def quoted(state: MarketState, contract: Contract) -> Quote | None:
    """The quote of a contract, found without a walk over the chain; of shares the underlying's own, a fund has none."""
    if contract.kind is Kind.FUTURE:
        return next((f.quote for f in state.futures if f.contract == contract), None)
    if contract.kind is Kind.STOCK:
        return state.underlying if contract.lot == 1 else None
    chain = chain_to(state, contract.expiry)
    return in_chain(chain, contract.kind, contract.strike) if chain is not None else None


def in_chain(chain: Chain, kind: Kind, strike: int) -> Quote | None:
    """The quote of one option of a chain; `None` for a future or shares."""
    rows = chain.strikes
    # Of a recorded page the levels are there already, and a row is made when it is asked for.
    is_made = type(rows) is tuple
    at = bisect_left(rows, strike, key=lambda row: row.strike) if is_made else bisect_left(levels(chain), strike)
    if at == len(rows) or not kind.is_option:
        return None
    row = rows[at]
    if row.strike != strike:
        return None
    return row.call if kind is Kind.CALL else row.put


def levels(chain: Chain) -> Sequence[int]:
    """The prices of a chain's strikes, lowest first; found out once."""
    known: Sequence[int] | None = chain.__dict__.get("levels")
    if known is None:
        known = getattr(chain.strikes, "levels", None) or tuple([row.strike for row in chain.strikes])
        chain.__dict__["levels"] = known
    return known


def option(underlying: str, chain: Chain, kind: Kind, strike: int) -> Contract:
    """The contract of one cell of a chain."""
    return Contract(underlying, chain.expiry, kind, strike, chain.lot, chain.tick, chain.freeze)


# --- what feeds say -------------------------------------------------------------------------------------------------


class Tick(Struct, frozen=True, array_like=True, gc=False):
    """A new best bid and ask of one contract; an underlying's value stands in `last`, for an index the rest is 0."""

    contract: str
    bid: int
    ask: int
    bid_size: int
    ask_size: int
    last: int
    exchange_at: int


class Ticks(Struct, frozen=True, tag="ticks"):
    """What one message of a provider said. A snapshot replaces the provider's whole book, never merges."""

    provider: str
    received_at: int
    ticks: tuple[Tick, ...]
    is_snapshot: bool = False


class Sheets(Ticks, frozen=True, tag="sheets"):
    """Ticks, and beside them whole chains by scrip and expiry, each in the place of all that was said of it before.

    Of a scrip whose chains came whole no tick of an option counts.
    """

    chains: Mapping[str, Mapping[datetime.date, Chain]] = {}


class Mark(Struct, frozen=True, tag="mark"):
    """A provider has said all that belongs to instant `at`; without `at_end` more instants follow."""

    provider: str
    received_at: int
    at: int
    is_last: bool = False


class Held(Struct, frozen=True, tag="held"):
    """A provider is alive and its whole book stands: nothing new, nothing stale."""

    provider: str
    received_at: int


class Down(Struct, frozen=True, tag="down"):
    """A provider's link is lost or its data can no longer be trusted: its book is void until a new snapshot."""

    provider: str
    received_at: int
    reason: str


FeedEvent = Ticks | Mark | Held | Down
