"""A chain in columns, for the decision log and for pricing: by the compiled kernel, or by its plain twin (`kernels`).

A chain that was made of a page keeps the page's numbers, so that they are not read from its quotes again; its quotes
are made of them where somebody asks for one.
"""

import datetime
from array import array
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, overload

from participant.core import chain_columns_plain, kernels, rows
from participant.core.chain_columns_plain import Columns
from participant.core.ids import canonical
from participant.core.market import Chain, Strike
from participant.core.scrip import Contract, Kind


def _load() -> Any:
    from participant.core import _chain_columns

    return _chain_columns


_kernel = kernels.choose(_load, chain_columns_plain)
A_STRIKE = 13  # numbers of each in the kernel's block, the strikes' prices at its end


def columns(chain: Chain) -> Columns:
    """A chain in columns, counted in units that divide all their numbers (`chain_columns_plain.columns`)."""
    found: Columns = _asked("columns", chain)
    return found


def middles(chain: Chain) -> tuple["memoryview[float]", "memoryview[float]"]:
    """The middles of bid and ask (prices), all calls' and then all puts', `nan` where none is valid; and the strikes.

    Both are doubles, two a strike, lowest first, as `pricing.implied_volatilities` takes them.
    """
    found: tuple[bytes, bytes] = _asked("middles", chain)
    return memoryview(found[0]).cast("d"), memoryview(found[1]).cast("d")


def parities(chain: Chain, spot: int, reach: float, most: int) -> Sequence[tuple[float, float]]:
    """What `rows.parities` says of a chain."""
    numbers = chain.__dict__.get("numbers")
    if numbers is None:
        return rows.parities(chain.strikes, spot, reach, most)
    found: Sequence[tuple[float, float]] = _kernel.parities_of(numbers, spot, reach, most)
    return found


def _asked(name: str, chain: Chain) -> Any:
    numbers = chain.__dict__.get("numbers")
    if numbers is not None:
        return getattr(_kernel, f"{name}_of")(numbers)
    return kernels.call(_kernel, chain_columns_plain, name, chain.strikes)


class Shown(Sequence[Strike]):
    """The strikes of a chain as the tuple that they are: each is made of the chain's numbers when it is asked for."""

    __slots__ = ("_count", "_made", "_numbers")

    def __init__(self, numbers: bytes) -> None:
        self._numbers, self._made = numbers, tuple[Strike, ...]()
        self._count = len(numbers) // (8 * A_STRIKE)

    @property
    def levels(self) -> Sequence[int]:
        """Their prices, lowest first."""
        return memoryview(self._numbers).cast("q")[-self._count :] if self._count else ()

    @property
    def whole(self) -> tuple[Strike, ...]:
        """All of them, made once."""
        if not self._made:
            self._made = _kernel.rows_of(self._numbers)
        return self._made

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, at: int) -> Strike: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Strike, ...]: ...
    def __getitem__(self, at: int | slice) -> Strike | tuple[Strike, ...]:
        if self._made or isinstance(at, slice):
            return self.whole[at]
        found: Strike = _kernel.row_of(self._numbers, at if at >= 0 else at + self._count)
        return found

    def __iter__(self) -> Iterator[Strike]:
        return iter(self.whole)

    def __eq__(self, other: object) -> bool:
        return self.whole == (other.whole if isinstance(other, Shown) else other)

    def __hash__(self) -> int:
        return hash(self.whole)

    def __repr__(self) -> str:
        return repr(self.whole)

    def __reduce__(self) -> tuple[type[tuple[Strike, ...]], tuple[tuple[Strike, ...]]]:
        """Copied, and in another process, it is that tuple."""
        return tuple, (self.whole,)


# --- from a page ------------------------------------------------------------------------------------------------------


class Figures(NamedTuple):
    """The columns of recorded pages (64-bit whole numbers): prices, sizes in units."""

    bid: Sequence[int]
    ask: Sequence[int]
    bid_size: Sequence[int]
    ask_size: Sequence[int]


Options = tuple[tuple[int, bool], ...]  # each a strike, and whether it is a call


class Listed:
    """The options of one expiry as a day's pages show them: a strike is there from the first page on that quotes it."""

    def __init__(self, options: Sequence[Contract]) -> None:
        """All options of the expiry that the day knows; at least one."""
        self.options = options
        self.strikes = array("q", sorted({contract.strike for contract in options}))
        self._seen = bytearray(2 * len(self.strikes))
        self._place = {strike: i for i, strike in enumerate(self.strikes)}
        self._last: tuple[Options, Sequence[int]] = (), array("q")
        self._head: tuple[tuple[object, ...], bytes] = (), b""  # the terms, and how the JSON of a chain of them begins

    def shown(self, options: Options, figures: Figures, begin: int, at: int) -> Chain:
        """The chain once a page of time `at` (ns) is shown: of `options`, whose figures stand from `begin` on.

        What the page lacks of what was seen before is dark: a quote of zeros.
        """
        places = self._places(options)
        given = (self.strikes, self._seen, (places, *figures), begin, at)
        strikes, text, numbers = kernels.call(_kernel, chain_columns_plain, "shown", *given)
        terms = self._terms()
        if numbers is None:
            return Chain(*terms, strikes)
        chain = Chain(*terms, Shown(numbers))  # type: ignore[arg-type] # to all who read it, it is the tuple
        if terms != self._head[0]:
            self._head = terms, canonical(Chain(*terms, ())).removesuffix(b"[]}")
        chain.__dict__.update(json=b"%b%b}" % (self._head[1], text), numbers=numbers)
        return chain

    def _terms(self) -> tuple[datetime.date, int, int, int]:
        """Expiry, lot, tick and freeze quantity of the chain: those of the last option that was seen."""
        puts = len(self.strikes)
        for of in reversed(self.options):
            if self._seen[self._place[of.strike] + (0 if of.kind is Kind.CALL else puts)]:
                return of.expiry, of.lot, of.tick, of.freeze
        of = self.options[-1]
        return of.expiry, of.lot, of.tick, of.freeze

    def _places(self, options: Options) -> Sequence[int]:
        """Where these stand among all calls and then all puts; mostly they are those of the page before."""
        if options is not self._last[0]:
            puts = len(self.strikes)
            self._last = options, array("q", [self._place[k] + (0 if is_call else puts) for k, is_call in options])
        return self._last[1]
