"""A mapped provider's stream without sockets: messages in, what they do to our book of it out.

Losses show in the provider's own numbers: after a gap nothing of it is believed, and the link must begin anew.
"""

from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator

from msgspec import Struct

from participant.core.board import CONTRACTS_MAX
from participant.core.ladder import Ladder, Verdict
from participant.core.market import SECOND, Tick
from participant.wire.json_map.mapping import Mapping
from participant.wire.json_map.names import Listed, Namer
from participant.wire.json_map.plan import Plan
from participant.wire.json_map.reader import Reader
from participant.wire.json_map.rows import REFUSALS_MAX, BookSaid, Heard
from participant.wire.kite_packets import Packet, packets
from participant.wire.refused import BadMessage, Refusal

LADDERS_MAX = 20_000
LEVELS_MAX = 1_000
REPEATS_MAX = 100
MILLISECOND = 1_000_000
TOP = (0, 0, 0, 0)


class Said(Struct, frozen=True):
    """What is known now: a snapshot, or what changed."""

    ticks: tuple[Tick, ...]
    is_snapshot: bool


class Ended(Struct, frozen=True):
    """An instant of exchange time (ns) is over."""

    at: int


class Alive(Struct, frozen=True):
    """A heartbeat, and what is to be answered (empty: nothing)."""

    answer: str


class Broken(Struct, frozen=True):
    """The link must begin anew, and why."""

    reason: str


Outcome = Said | Ended | Alive | Broken


class Stream:
    """One connection to a provider. `counts` tells what was dropped, by reason; `refused` the last refusals."""

    def __init__(self, plan: Plan, listed: Collection[Listed] = ()) -> None:
        self._mapping: Mapping = plan.mapping
        self._reader = Reader(plan, listed)
        self._namer = Namer(plan.mapping.codes, listed)
        self._is_fresh = True
        self._seq = -1
        self._ladders: dict[str, Ladder] = {}
        self._seqs: dict[str, int] = {}
        self._repeats: Counter[str] = Counter()
        self._newest_at = self._ended_at = 0
        self._ats: dict[str, int] = {}
        self.counts: Counter[str] = Counter()
        self.refused: deque[Refusal] = deque(maxlen=REFUSALS_MAX)

    def ladder(self, contract: str) -> Ladder | None:
        """The levels of a contract, where the provider shows a book of changes."""
        return self._ladders.get(contract)

    def hear(self, data: bytes | str, received_at: int) -> Iterator[Outcome]:
        """What a message does. `received_at` (ns) stands in where rows tell no time."""
        try:
            heard = self._read(data, received_at)
        except BadMessage as wrong:
            self.counts["malformed"] += 1
            self.refused.append(Refusal(wrong.reason, wrong.path, wrong.offset))
            return
        self.counts["refused row"] += heard.refused_count
        self.counts["unknown instrument"] += heard.unknown
        self.refused.extend(heard.refused)
        if heard.refusal:
            yield Broken(f"the provider refuses: {heard.refusal}")
        elif self._mapping.stream.kind == "book":
            yield from self._books(heard, received_at) if heard.beat is None else [Alive(heard.beat)]
        else:
            yield from self._numbered(heard, received_at)

    # --- what each kind of stream does ------------------------------------------------------------------------------

    def _numbered(self, heard: Heard, received_at: int) -> Iterator[Outcome]:
        """Every message of a connection has its number, whatever it shows; a heartbeat may repeat the last one."""
        before, self._seq = self._seq, max(self._seq, heard.seq)
        if heard.seq >= 0 and before >= 0:
            if heard.seq > before != (heard.previous if heard.previous >= 0 else heard.seq - 1):
                yield Broken(f"messages between numbers {before} and {heard.seq} were lost")
                return
            if heard.seq <= before and heard.beat is None:
                yield from self._repeated("", before)
                return
        if heard.seq > before:
            self._repeats.clear()
        if heard.beat is not None:
            yield Alive(heard.beat)
        elif heard.ticks or heard.voids:
            if self._mapping.stream.seq and heard.seq < 0 and not heard.is_snapshot:
                yield Broken("a message came without its number, so that a loss before it would not show")
                return
            yield from self._ticks(heard, received_at)

    def _repeated(self, contract: str, last: int) -> Iterator[Outcome]:
        """A number that was heard before. Where nothing else comes any more, the provider has begun to count anew."""
        self.counts["duplicate"] += 1
        self._repeats[contract] += 1
        if self._repeats[contract] >= REPEATS_MAX:
            yield Broken(f"{REPEATS_MAX} messages in a row were numbered {last} or lower: their numbers began anew")

    def _ticks(self, heard: Heard, received_at: int) -> Iterator[Outcome]:
        """Contracts as they stand; the first message that shows any is the snapshot."""
        if self._is_fresh and self._mapping.stream.snapshot and not heard.is_snapshot:
            self.counts["before the snapshot"] += 1
            return
        yield from self._say(heard.ticks, heard.voids, received_at)

    def _books(self, heard: Heard, received_at: int) -> Iterator[Outcome]:
        """Changes to levels; a contract is told of by its best bid and ask."""
        if heard.refused:
            yield Broken(f"a change was refused: {heard.refused[0].reason} at {heard.refused[0].path}")
            return
        ticks = []
        for said in heard.books:
            if not heard.is_snapshot and said.contract not in self._ladders:
                self.counts["before the snapshot"] += 1
                continue
            if not heard.is_snapshot and 0 <= heard.seq <= self._seqs[said.contract]:
                yield from self._repeated(said.contract, self._seqs[said.contract])
                continue
            fault = self._follow(said, heard)
            if fault:
                yield Broken(f"{said.contract}: {fault}")
                return
            bid, bid_size, ask, ask_size = self._ladders[said.contract].top()
            ticks.append(Tick(said.contract, bid, ask, bid_size, ask_size, said.last, said.at))
        if ticks:
            yield from self._say(ticks, [], received_at)

    def _follow(self, said: BookSaid, heard: Heard) -> str:
        """Apply one message to its ladder; why the link must begin anew, or nothing."""
        ladder, last = self._ladders.get(said.contract), self._seqs.get(said.contract, -1)
        if heard.is_snapshot or ladder is None:
            if ladder is None:
                if len(self._ladders) >= LADDERS_MAX:
                    return f"books of more than {LADDERS_MAX} contracts"
                ladder = self._ladders[said.contract] = Ladder(LEVELS_MAX)
            ladder.clear()
        elif heard.seq < 0:
            ladder.gap()
            return "a change came without its number"
        elif last != (heard.previous if heard.previous >= 0 else heard.seq - 1):
            ladder.gap()
            return f"changes between numbers {last} and {heard.seq} were lost"
        self._seqs[said.contract] = heard.seq
        self._repeats.pop(said.contract, None)
        return _apply(ladder, said)

    def _say(self, ticks: list[Tick], voids: list[str], received_at: int) -> Iterator[Outcome]:
        """Tell `ticks`, and that the `voids` have no quote: what was refused may have changed what stood before."""
        stream = self._mapping.stream
        latest = received_at + int(stream.ahead_max_s * SECOND)
        sound = [tick for tick in ticks if tick.exchange_at <= latest]
        if len(sound) < len(ticks):  # believed, its time would end instants that are yet to come
            self.counts["ahead of our clock"] += len(ticks) - len(sound)
            voids = [*voids, *(tick.contract for tick in ticks if tick.exchange_at > latest)]
        self._newest_at = max([self._newest_at, *(tick.exchange_at for tick in sound)])
        is_snapshot, self._is_fresh = self._is_fresh or stream.kind == "whole", False
        yield Said((*sound, *self._voided(sound, voids)), is_snapshot)
        if len(self._ats) > CONTRACTS_MAX:
            yield Broken(f"the provider named more than {CONTRACTS_MAX} contracts")
            return
        if self._newest_at - self._ended_at >= stream.instant_ms * MILLISECOND:
            self._ended_at = self._newest_at
            yield Ended(self._newest_at)

    def _voided(self, sound: list[Tick], voids: list[str]) -> Iterator[Tick]:
        """Each at its own last time, for at a later one a right quote would come late; none where nothing stood.

        A whole book replaces the one before, whatever the time.
        """
        if self._mapping.stream.kind == "whole":
            yield from (Tick(contract, *TOP, 0, self._newest_at) for contract in voids)
            return
        ats = self._ats
        for tick in sound:
            if tick.exchange_at > ats.get(tick.contract, 0):  # one that came late is not what stands
                ats[tick.contract] = tick.exchange_at
        yield from (Tick(contract, *TOP, 0, ats[contract]) for contract in voids if contract in ats)

    # --- reading ----------------------------------------------------------------------------------------------------

    def _read(self, data: bytes | str, received_at: int) -> Heard:
        if isinstance(data, str):
            return self._reader.read(data.encode(), received_at)
        if self._mapping.encoding == "json":
            return self._reader.read(data, received_at)
        if len(data) > self._mapping.bytes_max:
            raise BadMessage(f"a frame of {len(data)} bytes, of at most {self._mapping.bytes_max}", "packets", 0)
        return self._packed(packets(data, self._mapping.rows_max), received_at, is_beat=len(data) == 1)

    def _packed(self, found: Iterable[Packet | Refusal], received_at: int, *, is_beat: bool) -> Heard:
        heard = Heard(beat="" if is_beat else None)
        for row in found:
            name = row.name if isinstance(row, Refusal) else str(row.token)
            contract = self._namer.key((name,), is_underlying=False)
            if isinstance(row, Refusal):
                heard.refuse(row)
                heard.voids += [contract] if contract else []
            elif contract:
                heard.ticks.append(_tick(contract, row, received_at))
            else:
                heard.unknown += 1
        return heard


def _apply(ladder: Ladder, said: BookSaid) -> str:
    for side, change, price, size in said.levels:
        verdict = ladder.apply(side, change, price, size)
        if verdict not in {Verdict.TAKEN, Verdict.BEYOND}:
            ladder.gap()
            return f"a change to a level that cannot be ({Verdict(verdict).name.lower()}): something was missed"
    return ""


def _tick(contract: str, row: Packet, received_at: int) -> Tick:
    bid = max(((level.price, level.size) for level in row.bids if level.price and level.size), default=(0, 0))
    ask = min(((level.price, level.size) for level in row.asks if level.price and level.size), default=(0, 0))
    return Tick(contract, bid[0], ask[0], bid[1], ask[1], row.last, row.at or received_at)
