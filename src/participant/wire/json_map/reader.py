"""What a message of a mapped provider says: contracts as they stand, or changes to their levels; or why it is refused.

A message is refused as a whole where it is no JSON or its rows are not where they should be; a row alone where one of
its words cannot be used: then its contract's quote is void, for what stood before need not stand any more.
"""

from collections.abc import Collection
from typing import Any

import msgspec
from msgspec import UNSET

from participant.wire.json_map.figures import BadWord, number_of, shown, written
from participant.wire.json_map.names import Listed, Namer
from participant.wire.json_map.place import misfit, told_byte
from participant.wire.json_map.plan import Plan, Test
from participant.wire.json_map.rows import Heard, RowReader
from participant.wire.refused import BadMessage

MEMORY_TIMES = 2
# Bytes for each of a text, beside itself: one character beyond the Basic Multilingual Plane makes all of it four wide;
# where it has an escape it is read into a buffer first, which grows by half.
WIDE, ESCAPED = 4.0, 1.5
LONG = 32_768


class Reader:
    """Reads the messages of one plan; `listed` are the instruments that the provider has told of."""

    def __init__(self, plan: Plan, listed: Collection[Listed] = ()) -> None:
        self._plan, self._bytes_max = plan, plan.mapping.bytes_max
        namer, lots = Namer(plan.mapping.codes, listed), {row.key: row.lot for row in listed if row.lot}
        self._rows = [RowReader(row, plan.mapping, namer, lots) for row in plan.rows]
        self._light = min(self._bytes_max, int(MEMORY_TIMES * self._bytes_max / (plan.growth + 1 + WIDE + ESCAPED)))

    def read(self, data: bytes, received_at: int) -> Heard:
        """What a message says; raises BadMessage. `received_at` (ns) is the time of rows that tell none."""
        root, heard, plan = self.decode(data), Heard(), self._plan
        for tests, answer in plan.beats:
            if _hold(tests, root):
                heard.beat, heard.seq, heard.previous = (
                    answer,
                    self._number("seq", root),
                    self._number("previous", root),
                )
                return heard
        for tests, path in plan.refuses:
            if _hold(tests, root):
                heard.refusal = _why(path.get, root)
                return heard
        self._take(data, root, heard, received_at)
        is_exact = type(root) is plan.exact_type
        del root  # one reading's memory at a time
        return heard if is_exact or not heard.refused_count else self._reread(data, heard, received_at)

    def _reread(self, data: bytes, heard: Heard, received_at: int) -> Heard:
        """The same by the exact words, so that it is known where what was refused stands; else as it was heard."""
        exactly = Heard()
        try:
            self._take(data, self._decode_exactly(data), exactly, received_at)
        except BadMessage:
            return heard
        return exactly

    def _take(self, data: bytes, root: Any, heard: Heard, received_at: int) -> None:
        heard.seq, heard.previous = self._number("seq", root), self._number("previous", root)
        heard.is_snapshot = bool(self._plan.snapshot) and _hold(self._plan.snapshot, root)
        for rows in self._rows:
            if rows.applies(root):
                rows.read(data, root, heard, received_at)

    def decode(self, data: bytes) -> Any:
        """The values that paths lead to, as the mapping's types; raises BadMessage with its reason and its offset."""
        size = len(data)
        if size > self._light:
            self._weigh(data, size)
        try:
            return self._plan.decoder.decode(data)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return self._decode_exactly(data)

    def _decode_exactly(self, data: bytes) -> Any:
        """What was refused once may be a message of which a word alone cannot be used."""
        self._weigh(data, len(data))
        try:
            return self._plan.exact.decode(data)
        except msgspec.ValidationError as fault:
            reason, _, path = str(fault).partition(" - at `")
            raise BadMessage(reason, path.rstrip("`") or "$", misfit(data, self._plan.tree)) from None
        except (msgspec.DecodeError, UnicodeError) as fault:
            raise BadMessage(f"no JSON: {fault}", "$", told_byte(str(fault))) from None
        except RecursionError:
            raise BadMessage("no JSON: it nests too deep", "$") from None

    def _weigh(self, data: bytes, size: int) -> None:
        """Refuse what is too long, or could take more memory than MEMORY_TIMES the longest message."""
        most, each = self._bytes_max, self._plan.row_bytes
        if size > most:
            raise BadMessage(f"a message of {size} bytes, of at most {most}", "$", most)
        count = sum(_count(data, mark) for mark in self._plan.marks)
        is_escaped = b"\\" in data
        is_wide = not data.isascii() or (is_escaped and b"\\u" in data)
        grown = WIDE * is_wide + ESCAPED * is_escaped
        texts = int(size * (1 + grown)) if grown else 0
        if count * each + texts > MEMORY_TIMES * most:
            told = f"{count} rows and levels in {size} bytes, of {each} bytes of memory each, and {texts} of texts"
            raise BadMessage(f"{told}, over {MEMORY_TIMES} times {most}", "$")

    def _number(self, name: str, root: Any) -> int:
        fetch = self._plan.numbers.get(name)
        try:
            word = _word(fetch.get, root) if fetch else b""
            return -1 if word in {b"", b"null"} else number_of(word)
        except BadWord as wrong:
            raise BadMessage(str(wrong), f"$.{fetch.path}" if fetch else "$") from None


def _count(data: bytes, mark: bytes) -> int:
    """How often a byte is there; of what is long in a quarter of the time that `bytes.count` takes."""
    if len(data) < LONG:
        return data.count(mark)
    import numpy as np  # the few who send so much pay for it

    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == mark[0]))


def _hold(tests: tuple[Test, ...], root: Any) -> bool:
    return all(test.holds(root) for test in tests)


def _why(get: Any, root: Any) -> str:
    try:
        return shown(_word(get, root).strip(b'"')) or "it does not say why"
    except BadWord as long:
        return str(long)


def _word(get: Any, root: Any) -> bytes:
    try:
        found = get(root)
    except AttributeError:
        return b""
    return b"" if found is UNSET else written(found)
