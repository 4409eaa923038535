"""How to speak with a mapped provider: what is said first on a connection, and how its answers are read."""

from collections.abc import Collection, Iterator, Sequence

import msgspec

from participant.wire.json_map.mapping import BadMapping, Mapping
from participant.wire.json_map.names import Listed
from participant.wire.json_map.plan import plan_of
from participant.wire.json_map.stream import Stream

NAMES = "{names}"


class Tongue:
    """A mapping with what the configuration gives, and the instruments that are asked for by the provider's names.

    Raises BadMapping where the two do not go together.
    """

    def __init__(
        self, mapping: Mapping, given: dict[str, str] | None = None, listed: Collection[Listed] = (),
        names: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self.mapping = mapping
        self._plan, self._listed, self._names = plan_of(mapping, given), listed, names
        if mapping.codes.lookup and not listed:
            raise BadMapping(
                f"its contracts are named by a list of instruments (column {mapping.codes.lookup}): give it"
            )
        if any(NAMES in text for text in mapping.subscribe.messages) and not names:
            raise BadMapping("it must be told which instruments to show, and none is named")
        self.greeting = tuple(self._greet())

    def stream(self) -> Stream:
        """The reader of one connection."""
        return Stream(self._plan, self._listed)

    def _greet(self) -> Iterator[str]:
        words = self.mapping.subscribe
        asked = [words.name.replace("{name}", name) for name in self._names]
        if words.is_number and not all(name.isdigit() for name in asked):
            raise BadMapping(
                f"instruments are asked for by number, and {next(n for n in asked if not n.isdigit())!r} is none"
            )
        values = [int(name) for name in asked] if words.is_number else asked
        for text in words.messages:
            if NAMES not in text:
                yield text
                continue
            for start in range(0, len(values), words.names_max):
                yield text.replace(NAMES, msgspec.json.encode(values[start : start + words.names_max]).decode())
