"""What a message of a mapped provider says: contracts as they stand, or changes to their levels; or why it is refused.

A message is refused as a whole where it is no JSON or its rows are not where they should be; a row alone where one of
its words cannot be used: then its contract's quote is void, for what stood before need not stand any more.
"""

from collections.abc import Collection
from typing import Any

import msgspec

from participant.wire.json_map.figures import BadWord, number_of, shown
from participant.wire.json_map.names import Listed, Namer
from participant.wire.json_map.place import misfit, told_byte
from participant.wire.json_map.plan import Plan, Test
from participant.wire.json_map.rows import Heard, RowReader
from participant.wire.refused import BadMessage

VALUE_BYTES = 72  # what a value that stays as bytes takes
MEMORY_TIMES = 2


class Reader:
    """Reads the messages of one plan; `listed` are the instruments that the provider has told of."""

    def __init__(self, plan: Plan, listed: Collection[Listed] = ()) -> None:
        self._plan, self._bytes_max = plan, plan.mapping.bytes_max
        namer, lots = Namer(plan.mapping.codes, listed), {row.key: row.lot for row in listed if row.lot}
        self._rows = [RowReader(row, plan.mapping, namer, lots) for row in plan.rows]
        self._light = MEMORY_TIMES * self._bytes_max // (plan.row_bytes + VALUE_BYTES)

    def read(self, data: bytes, received_at: int) -> Heard:
        """What a message says; raises BadMessage. `received_at` (ns) is the time of rows that tell none."""
        root, heard, plan = self.decode(data), Heard(), self._plan
        for tests, answer in plan.beats:
            if _hold(tests, root):
                heard.beat = answer
                return heard
        for tests, path in plan.refuses:
            if _hold(tests, root):
                heard.refusal = shown(_word(path.get, root).strip(b'"')) or "it does not say why"
                return heard
        heard.seq, heard.previous = self._number("seq", root), self._number("previous", root)
        heard.is_snapshot = bool(plan.snapshot) and _hold(plan.snapshot, root)
        for rows in self._rows:
            if rows.applies(root):
                rows.read(data, root, heard, received_at)
        return heard

    def decode(self, data: bytes) -> Any:
        """The values that paths lead to, as the mapping's types; raises BadMessage with its reason and its offset."""
        size = len(data)
        if size > self._light:
            self._weigh(data, size)
        try:
            return self._plan.decoder.decode(data)
        except msgspec.ValidationError as fault:
            reason, _, path = str(fault).partition(" - at `")
            raise BadMessage(reason, path.rstrip("`") or "$", misfit(data, self._plan.tree)) from None
        except (msgspec.DecodeError, UnicodeError) as fault:
            raise BadMessage(f"no JSON: {fault}", "$", told_byte(str(fault))) from None
        except RecursionError:
            raise BadMessage("no JSON: it nests too deep", "$") from None

    def _weigh(self, data: bytes, size: int) -> None:
        """Refuse what is too long, or could take more memory than MEMORY_TIMES the longest message."""
        most = self._bytes_max
        if size > most:
            raise BadMessage(f"a message of {size} bytes, of at most {most}", "$", most)
        holders, commas = data.count(b"{") + data.count(b"["), data.count(b",")
        weight = holders * (self._plan.row_bytes + VALUE_BYTES) + commas * VALUE_BYTES
        if weight > MEMORY_TIMES * most:
            told = f"{holders} objects and arrays and {commas} commas in {size} bytes"
            raise BadMessage(f"{told} could take more than {MEMORY_TIMES} times {most} bytes of memory", "$")

    def _number(self, name: str, root: Any) -> int:
        fetch = self._plan.numbers.get(name)
        word = _word(fetch.get, root) if fetch else b""
        if not word or word == b"null":
            return -1
        try:
            return number_of(word)
        except BadWord as wrong:
            raise BadMessage(str(wrong), f"$.{fetch.path}" if fetch else "$") from None


def _hold(tests: tuple[Test, ...], root: Any) -> bool:
    return all(test.holds(root) for test in tests)


def _word(get: Any, root: Any) -> bytes:
    try:
        return bytes(get(root))
    except (AttributeError, TypeError):
        return b""
