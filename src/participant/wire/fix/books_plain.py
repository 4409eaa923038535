"""What a provider's FIX market data add up to, in plain Python: the twin of the kernel `_books`, and its oracle."""

from participant.core.ladder import LEVELS_MAX, Ladder
from participant.core.market import Tick
from participant.wire.fix.codec import Message
from participant.wire.fix.frames import Frame, framed
from participant.wire.fix.marketdata import INCREMENT, MARK, SNAPSHOT, TRADE, Entry, changes, read_mark, whole
from participant.wire.json import Malformed

IS_COMPILED = False

BLANK = (0, 0, 0, 0, 0, 0)  # bid, ask, bid size, ask size, last, exchange time


class Books:
    """The books of one provider's instruments, kept from 35=W and 35=X.

    It gathers a snapshot that was asked for, and then takes what changes, or an instrument's whole under the same id.
    `levels_max` > 0 keeps a ladder of so many levels a side of each instrument, 0 the best of each side alone.
    `misfits` counts changes and ends of levels that are not there; `broken` names an instrument whose ladder has run
    out of the levels that it knows (empty: none has).
    """

    def __init__(self, levels_max: int = 0) -> None:
        """ValueError where a ladder does not keep so many levels."""
        if not 0 <= levels_max <= LEVELS_MAX:
            raise ValueError(
                f"levels_max is {levels_max}: a ladder keeps 1 to {LEVELS_MAX} levels a side, 0 is the top"
            )
        self.levels_max, self.misfits = levels_max, 0
        self.ask("")

    def __len__(self) -> int:
        """How many instruments were named."""
        return len(self._held)

    def ask(self, request_id: str) -> None:
        """All is void; what comes under this id (262) is gathered from now on."""
        self._request_id, self.is_gathering, self.broken = request_id, True, ""
        self._held: dict[str, list[int]] = {}
        self._ladders: dict[str, Ladder] = {}
        self._changed: dict[str, None] = {}

    def stand(self) -> tuple[Tick, ...]:
        """The snapshot is whole: what it holds. Nothing, and it is still gathered, where nothing of it came."""
        self.is_gathering = self.is_gathering and not self._held
        self._changed = {} if self.is_gathering else dict.fromkeys(self._held)
        return self.changed()

    def changed(self) -> tuple[Tick, ...]:
        """The instruments that have changed since this was asked last, as they are now; none while it gathers."""
        if self.is_gathering:
            return ()
        found, self._changed = self._changed, {}
        return tuple(Tick(symbol, *self._held[symbol]) for symbol in found)

    def ladder(self, symbol: str) -> Ladder | None:
        """The ladder of an instrument."""
        return self._ladders.get(symbol)

    def take(self, message: Message) -> None:
        """A message; Malformed where it cannot be read. What is no 35=W or X, or is none for now, changes nothing."""
        kind, is_deep = message.msg_type, self.levels_max > 0
        if kind == SNAPSHOT and message.get(262) == self._request_id:
            symbol, entries = whole(message, is_deep)
            self._held[symbol] = [*BLANK[:5], self._held.get(symbol, BLANK)[5]]
            self._ladders.pop(symbol, None)
            self._put(symbol, entries)
        elif kind == INCREMENT and not self.is_gathering:
            for entry in changes(message, is_deep):
                self._put(entry.symbol, [entry])

    def fold(self, data: bytes, at: int) -> int:
        """Take the 35=W and X that stand in a row from byte `at` on; where the first begins that must be taken singly.

        That is every other message, and one that cannot be read. It also ends behind one that broke a ladder.
        """
        while not self.broken:
            item, end = framed(data, at)
            if not isinstance(item, Frame) or item.msg_type not in {SNAPSHOT, INCREMENT}:
                break
            try:
                self.take(item.message())
            except Malformed:
                break
            at = end
        return at

    def mark(self, data: bytes, at: int) -> tuple[int, bool, int] | None:
        """The instant (ns UTC) that a `UM` at byte `at` ends, whether it is the last, and where the message ends.

        None where another message stands there, or one that must be taken singly.
        """
        item, end = framed(data, at)
        if not isinstance(item, Frame) or item.msg_type != MARK:
            return None
        try:
            return *read_mark(item.message()), end
        except Malformed:
            return None

    def _put(self, symbol: str, entries: list[Entry]) -> None:
        held = self._held.setdefault(symbol, [*BLANK])
        if self.levels_max and symbol not in self._ladders:
            self._ladders[symbol] = Ladder(self.levels_max)
            self._ladders[symbol].clear()
        self._changed[symbol] = None
        for _, side, change, price, size, orders, at in entries:
            held[5] = max(at, held[5])  # a last trade is older than the quote it stands beside
            if side == TRADE:
                held[4] = price
            elif self.levels_max:
                held[:4] = self._level(symbol, (side, change, price, size, orders))
            else:
                held[side], held[2 + side] = price, size

    def _level(self, symbol: str, said: tuple[int, int, int, int, int]) -> tuple[int, int, int, int]:
        """The top after a level has changed: bid, ask, their sizes."""
        ladder = self._ladders[symbol]
        self.misfits += ladder.apply(*said) == 2
        if not ladder.is_valid:
            self.broken = self.broken or symbol
        bid, bid_size, ask, ask_size = ladder.top()
        return bid, ask, bid_size, ask_size
