"""What must be known of the contracts to judge what providers say of them."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from participant.core.market import Reference
from participant.core.scrip import Kind


class Listed(Struct, frozen=True, eq=False):
    """The options and futures of a scrip with their strikes, 0 for a future; one value a day, equal to itself alone."""

    contracts: tuple[tuple[str, int], ...]


class Universe(Struct, frozen=True):
    """What the looks must know of the contracts: by scrip its options and futures, by contract its scrip and tick.

    `quoted` are all options and futures: what they are worth says their quote alone, an underlying's its last trade.
    """

    listed: Mapping[str, Listed] = {}
    scrips: Mapping[str, str] = {}
    ticks: Mapping[str, int] = {}
    quoted: frozenset[str] = frozenset()


def universe(known: Sequence[Reference]) -> Universe:
    """The contracts of the day; what never trades apart from its underlying is left out."""
    contracts = {r.scrip: [c for c in r.contracts if c.kind is not Kind.STOCK] for r in known}
    own = {r.scrip: r.scrip for r in known}
    return Universe(
        {s: Listed(tuple((c.key, c.strike) for c in mine)) for s, mine in contracts.items()},
        own | {c.key: s for s, mine in contracts.items() for c in mine},
        {c.key: c.tick for mine in contracts.values() for c in mine},
        frozenset(c.key for mine in contracts.values() for c in mine),
    )
