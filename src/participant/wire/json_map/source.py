"""What the configuration says of one JSON provider: its mapping, its address, and what it is asked for."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from msgspec import Meta, Struct

VENUES = ("one", "two", "three")  # the simulated venue's own providers


class FeedSource(Struct, frozen=True, forbid_unknown_fields=True):
    """A provider of market data over a WebSocket, beside the venue's own.

    `place` is its priority: before all of the venue's, or after them; several stand in their order.
    """

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
    mapping: Annotated[str, Meta(min_length=1)]
    url: Annotated[str, Meta(pattern="^wss?://[^ ]+$")]
    place: Literal["before", "after"] = "after"
    instruments: str = ""
    names: tuple[str, ...] = ()
    given: dict[str, str] = {}
    secret: str = ""


def feed_faults(sources: Sequence[FeedSource]) -> Iterator[tuple[str, str]]:
    """What of several cannot be, as a part of the file and a reason."""
    for name, times in Counter(source.name for source in sources).items():
        if name in VENUES:
            yield "[[feeds]]", f'name = "{name}" is one of the venue\'s own ({", ".join(VENUES)})'
        if times > 1:
            yield "[[feeds]]", f'name = "{name}" is there {times} times'
