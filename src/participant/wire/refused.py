"""What becomes of foreign input that cannot be used: refused with the reason, the path and the place in bytes."""

from msgspec import Struct

from participant.wire.json import Malformed


class BadMessage(Malformed):
    """A message that is refused as a whole: the reason, the path and the offset in bytes where it is known."""

    def __init__(self, reason: str, path: str = "", offset: int | None = None) -> None:
        super().__init__(reason)
        self.reason, self.path, self.offset = reason, path, offset


class Refusal(Struct, frozen=True):
    """Something that was refused: why, at which path, and how many bytes into the message (None: not found).

    `name` is what the provider calls the contract, where that is known.
    """

    reason: str
    path: str
    offset: int | None
    name: str = ""
