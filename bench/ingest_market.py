"""The market of bench/ingest.py: so many contracts, in scrips of as many as one has."""

import datetime

from msgspec import Struct

from participant.core.market import LookBack, Reference
from participant.core.scrip import Contract, Kind

SPOT = 240_000_000
A_SCRIP = 250  # contracts
AN_EXPIRY = 50
STRIKE = 500_000


class Asked(Struct, frozen=True):
    """What a run is: `rate` messages a second (0: as fast as they are taken), an instant ends each `mark_every`.

    `lead_ns` is how far ahead of now the market's time begins: making the messages takes a while.
    """

    contracts: int
    messages: int
    rate: int = 0
    mark_every: int = 1
    spot_every: int = 50
    lead_ns: int = 0


def scrips_of(asked: Asked) -> list[str]:
    """The underlyings."""
    return [f"SCRIP{n}" for n in range(-(-asked.contracts // A_SCRIP))]


def contracts_of(asked: Asked) -> list[Contract]:
    """Calls and puts by strike and expiry."""
    return [contract(n) for n in range(asked.contracts)]


def contract(n: int) -> Contract:
    """The n-th contract."""
    within = n % A_SCRIP
    expiry = datetime.date(2026, 12, 1) + datetime.timedelta(days=7 * (within // AN_EXPIRY + 1))
    kind = Kind.PUT if n % 2 else Kind.CALL
    strike = SPOT + STRIKE * (within % AN_EXPIRY // 2 - AN_EXPIRY // 4)
    return Contract(f"SCRIP{n // A_SCRIP}", expiry, kind, strike, 75, 500, 1_800)


def references(asked: Asked) -> list[Reference]:
    """What ingest knows of them beforehand."""
    known = contracts_of(asked)
    return [Reference(s, tuple(c for c in known if c.underlying == s), LookBack()) for s in scrips_of(asked)]
