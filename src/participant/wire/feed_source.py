"""What the configuration says of one provider: its address, and its mapping or its FIX session."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from msgspec import Meta, Struct

from participant.wire.fix.source import FixSource

VENUES = ("one", "two", "three")  # the simulated venue's own providers


class FeedSource(Struct, frozen=True, forbid_unknown_fields=True):
    """A provider of market data, beside the venue's own: JSON over a WebSocket by a `mapping`, or a session of `fix`.

    `place` is its priority: before all of the venue's, or after them; several stand in their order.
    """

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
    url: Annotated[str, Meta(pattern="^(wss?|fixs?)://[^ ]+$")]
    mapping: str = ""
    place: Literal["before", "after"] = "after"
    instruments: str = ""
    names: tuple[str, ...] = ()
    given: dict[str, str] = {}
    secret: str = ""
    fix: FixSource | None = None

    @property
    def fault(self) -> str:
        """Why these cannot be together, or an empty string."""
        return self._fix_fault if self.url.startswith("fix") else self._json_fault

    @property
    def _json_fault(self) -> str:
        if not self.mapping:
            return f'name = "{self.name}": `mapping` is missing, what its messages mean'
        return f'name = "{self.name}": [feeds.fix] needs a url like fixs://HOST:PORT' if self.fix else ""

    @property
    def _fix_fault(self) -> str:
        if self.fix is None:
            return f'name = "{self.name}": a FIX url needs [feeds.fix] with sender and target'
        if "@" in self.url:
            return (
                f'name = "{self.name}": url is HOST:PORT alone: write the key into the secrets file, name it in secret'
            )
        if self.secret and not self.url.startswith("fixs:"):
            return f'name = "{self.name}": secret would be sent in the clear: write the url as fixs://, or no secret'
        given = [n for n in ("mapping", "instruments", "names", "given") if getattr(self, n)]
        if given:
            return f'name = "{self.name}": {given[0]} is for JSON over a WebSocket, and url is of FIX'
        if self.fix.tls_settings and not self.url.startswith("fixs"):
            return f'name = "{self.name}": {self.fix.tls_settings[0]} is for TLS: write the url as fixs://'
        if self.fix.key and not self.fix.certificate:
            return f'name = "{self.name}": key needs the certificate that it is of'
        return ""


def feed_faults(sources: Sequence[FeedSource]) -> Iterator[tuple[str, str]]:
    """What of several cannot be, as a part of the file and a reason."""
    for name, times in Counter(source.name for source in sources).items():
        if name in VENUES:
            yield "[[feeds]]", f'name = "{name}" is one of the venue\'s own ({", ".join(VENUES)})'
        if times > 1:
            yield "[[feeds]]", f'name = "{name}" is there {times} times'
    yield from (("[[feeds]]", source.fault) for source in sources)
