"""The rows of a message as ticks, or as changes to the levels of a book."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct

from participant.core.ladder import ASK, BID, Change
from participant.core.market import Tick
from participant.wire.json_map.figures import (
    PRICE_DIGITS,
    BadWord,
    price,
    price_of,
    size,
    size_of,
    text_of,
    time_of,
    written,
)
from participant.wire.json_map.mapping import Mapping as Words
from participant.wire.json_map.names import Namer
from participant.wire.json_map.place import offset_of
from participant.wire.json_map.plan import KEY, Fetch, RowPlan
from participant.wire.json_map.tree import Getter
from participant.wire.refused import BadMessage, Refusal

REFUSALS_MAX = 20
PRICES, SIZES = ("bid", "ask", "last"), ("bid_size", "ask_size")
SIDES = (("bids", BID), ("asks", ASK))
CHANGES = {"new": int(Change.NEW), "change": int(Change.CHANGE), "delete": int(Change.DELETE)}

Level = tuple[int, int, int, int]  # side, Change, price, size
Chain = tuple[Any, ...]  # the message, then each row around, then the row


class BookSaid(Struct, frozen=True, gc=False):
    """Changes to the levels of one contract, in order."""

    contract: str
    at: int
    levels: tuple[Level, ...]
    last: int


class Heard(Struct):
    """One message: `ticks` and `books` of what it shows, `voids` the contracts that it spoilt, `unknown` rows of none.

    `beat` is the answer to a heartbeat (empty: none is wanted), `refusal` why the provider refuses us. Of `refused` the
    first REFUSALS_MAX are kept. `seq` and `previous` are -1 where the message says none.
    """

    ticks: list[Tick] = []
    books: list[BookSaid] = []
    voids: list[str] = []
    refused: list[Refusal] = []
    refused_count: int = 0
    unknown: int = 0
    seq: int = -1
    previous: int = -1
    is_snapshot: bool = False
    beat: str | None = None
    refusal: str = ""

    def refuse(self, refusal: Refusal) -> None:
        """Count it, and keep it while there is room."""
        self.refused_count += 1
        if len(self.refused) < REFUSALS_MAX:
            self.refused.append(refusal)


class _Unusable(Exception):
    """A field that cannot be used: which, why, and the value; its place is known where that is Raw."""

    def __init__(self, path: str, reason: str, raw: Any = None) -> None:
        super().__init__(reason)
        self.path, self.reason, self.raw = path, reason, raw


class RowReader:
    """Reads the rows of one kind. `lots` are the units of a lot, by contract."""

    def __init__(self, plan: RowPlan, words: Words, namer: Namer, lots: Mapping[str, int]) -> None:
        self._plan, self._namer, self._lots = plan, namer, lots
        self._is_underlying = plan.words.is_underlying
        self._rows_max = words.rows_max
        self._digits = PRICE_DIGITS[words.units.price]
        self._scale, self._is_lots = words.units.size_scale, words.units.size == "lots"
        self._clock = (words.clock.unit, words.clock.format, words.clock.zone)
        self._is_book = words.stream.kind == "book"
        actions = words.levels.actions if words.levels else {}
        self._named = msgspec.structs.asdict(words.levels) if words.levels else {}
        self._actions = {word: CHANGES[what] for word, what in actions.items()}
        at = plan.fields.get("at")
        self._at, self._last_at = at, plan.fields.get("last")
        figures = [(name, f) for name in (*PRICES, *SIZES) if (f := plan.fields.get(name))]
        self._figures = tuple((name, name in PRICES, f.anchor, f.get, f.path) for name, f in figures if f.get)
        self._sides = tuple((f, side) for name, side in SIDES if (f := plan.fields.get(name)))

    def applies(self, root: Any) -> bool:
        """Whether a message has such rows."""
        return all(test.holds(root) for test in self._plan.when)

    def read(self, data: bytes, root: Any, heard: Heard, received_at: int) -> None:
        """Put what the rows of a message say into `heard`; raises BadMessage where there are too many."""
        for chain, key in self._chains(root):
            contract = ""
            try:
                contract = self._contract(chain, key)
                if not contract:
                    heard.unknown += 1
                    continue
                at = self._time(chain, received_at)
                if self._is_book:
                    heard.books.append(BookSaid(contract, at, self._levels(chain, contract), self._last(chain)))
                else:
                    heard.ticks.append(self._tick(contract, at, chain))
            except _Unusable as wrong:
                offset = offset_of(data, memoryview(wrong.raw)) if isinstance(wrong.raw, Raw) else None
                heard.refuse(Refusal(wrong.reason, f"$.{wrong.path}", offset))
                if contract:
                    heard.voids.append(contract)

    def _chains(self, root: Any) -> list[tuple[Chain, str]]:
        """Each row with what holds it, and its key where it stands in an object."""
        chains: list[tuple[Chain, str]] = [((root,), "")]
        for get, is_object in self._plan.steps:
            inner: list[tuple[Chain, str]] = []
            for chain, key in chains:
                many = _at(get, chain[-1]) or ()
                if len(inner) + len(many) > self._rows_max:
                    raise BadMessage(f"over {self._rows_max} rows at {self._plan.words.path}")
                if is_object:
                    inner += [((*chain, item), name) for name, item in many.items()] if many else []
                else:
                    inner += [((*chain, item), key) for item in many]
            chains = inner
        present = self._plan.present
        return chains if present is None else [(c, key) for c, key in chains if _at(present, c[-1]) is not None]

    # --- the fields of a row ----------------------------------------------------------------------------------------

    def _contract(self, chain: Chain, key: str) -> str:
        words: list[Any] = []
        raw = None
        for fetch in self._plan.names:
            raw = fetch.constant if fetch.constant is not None else self._raw(fetch, chain, key)
            word = bytes(raw) if type(raw) is Raw else raw
            if word is None or word == b"null":
                raise _Unusable(fetch.path, "the row does not say which contract it is of", raw)
            words.append(word)
        try:
            return self._namer.key(tuple(words), is_underlying=self._is_underlying)
        except BadWord as wrong:
            raise _Unusable(self._plan.names[-1].path, str(wrong), raw) from None

    def _time(self, chain: Chain, received_at: int) -> int:
        fetch = self._at
        if fetch is None:
            return received_at
        raw = self._raw(fetch, chain, "")
        if raw is None:
            raise _Unusable(fetch.path, "the row does not say its time")
        try:
            return time_of(written(raw) if type(raw) is Raw else raw, *self._clock)
        except BadWord as wrong:
            raise _Unusable(fetch.path, str(wrong), raw) from None

    def _tick(self, contract: str, at: int, chain: Chain) -> Tick:
        found: dict[str, int] = {}
        is_priced = bool(self._sides)
        for name, is_price, anchor, get, path in self._figures:
            try:
                raw: Any = get(chain[anchor])
            except AttributeError:
                continue
            if raw is UNSET:
                continue
            try:
                found[name] = self._price(raw) if is_price else self._size(raw, contract)
            except BadWord as wrong:
                raise _Unusable(path, str(wrong), raw) from None
            is_priced = is_priced or is_price
        if not is_priced:
            raise _Unusable(self._plan.words.path, "the row has none of the prices: are they called otherwise now?")
        bid, bid_size, ask, ask_size = self._best(chain, contract) if self._sides else _top(found)
        return Tick(contract, bid, ask, bid_size, ask_size, found.get("last", 0), at)

    def _last(self, chain: Chain) -> int:
        fetch = self._last_at
        raw = self._raw(fetch, chain, "") if fetch else None
        try:
            return 0 if raw is None else self._price(raw)
        except BadWord as wrong:
            raise _Unusable(fetch.path if fetch else "", str(wrong), raw) from None

    def _price(self, raw: Any) -> int:
        return price_of(written(raw), self._digits) if type(raw) is Raw else price(raw, self._digits)

    def _size(self, raw: Any, contract: str) -> int:
        scale = 1 if self._is_lots else self._scale
        found = size_of(written(raw), scale) if type(raw) is Raw else size(raw, scale)
        if not self._is_lots:
            return found
        if found and contract not in self._lots:
            raise BadWord(f"a size in lots, and the list of instruments has no lot of {contract}")
        return found * self._lots.get(contract, 0)

    def _best(self, chain: Chain, contract: str) -> tuple[int, int, int, int]:
        """Best bid and ask of whole levels; those without a price or a size stand for none."""
        best = {BID: (0, 0), ASK: (0, 0)}
        for fetch, side in self._sides:
            levels = _at(fetch.get, chain[fetch.anchor]) or ()
            try:
                top = self._top_level(levels, side)
                best[side] = (0, 0) if top is None else self._level(fetch, top, contract)[1:]
            except TypeError:  # texts, or their bytes, have no order: each is read
                read = [self._level(fetch, level, contract)[1:] for level in levels]
                choose = max if side == BID else min
                best[side] = choose((level for level in read if all(level)), default=(0, 0))
        return (*best[BID], *best[ASK])

    def _top_level(self, levels: Any, side: int) -> Any:
        """The level of the highest bid or lowest ask, None where there is none. TypeError where they are no numbers."""
        price_at, size_at = self._plan.levels["price"], self._plan.levels["size"]
        top: Any = None
        best: Any = 0
        for level in levels:
            offered = price_at(level)
            if offered and size_at(level) and (top is None or (offered > best if side == BID else offered < best)):
                top, best = level, offered
        if top is not None and not (isinstance(best, int | float) and isinstance(size_at(top), int | float)):
            raise TypeError
        return top

    def _levels(self, chain: Chain, contract: str) -> tuple[Level, ...]:
        found: list[Level] = []
        for fetch, side in self._sides:
            found += [
                (side, *self._level(fetch, level, contract)) for level in _at(fetch.get, chain[fetch.anchor]) or ()
            ]
        return tuple(found)

    def _level(self, fetch: Fetch, level: Any, contract: str) -> tuple[int, int, int]:
        """Change, price and size."""
        said: dict[str, Any] = {name: _at(get, level) for name, get in self._plan.levels.items()}
        action, name = int(Change.NEW), "action"
        try:
            if name in said:
                action = _known(self._actions, said[name])
            name = "price"
            found = self._price(_there(said[name]))
            name = "size"
            return action, found, self._size(_there(said[name]), contract)
        except BadWord as wrong:
            raise _Unusable(f"{fetch.path}.{self._named[name]}", str(wrong), said[name]) from None

    @staticmethod
    def _raw(fetch: Fetch, chain: Chain, key: str) -> Any:
        """A field as it stands: a number, a text, or Raw; None where it is null or absent."""
        if fetch.get is None:
            return key if fetch.path == KEY else fetch.constant
        return _at(fetch.get, chain[fetch.anchor])


def _at(get: Getter | Callable[[Any], Any] | None, holder: Any) -> Any:
    """What stands there, None where nothing does."""
    if get is None:
        return holder
    try:
        found = get(holder)
    except AttributeError:
        return None
    return None if found is UNSET else found


def _there(raw: Any) -> Any:
    if raw is None:
        raise BadWord("a level without it")
    return raw


def _known(actions: Mapping[str, int], raw: Any) -> int:
    word = text_of(_there(raw))
    if word not in actions:
        raise BadWord(f"{word[:32]} is no action that levels.actions names")
    return actions[word]


def _top(found: Mapping[str, int]) -> tuple[int, int, int, int]:
    return found.get("bid", 0), found.get("bid_size", 0), found.get("ask", 0), found.get("ask_size", 0)
