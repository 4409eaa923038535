"""Feed that is another one, and keeps what that says."""

from collections.abc import Callable, Mapping, Sequence

from participant.core.market import FeedEvent
from participant.ports import Feed


class RecordedFeed:
    """Implements Feed: what `feed` says, as it says it; `keep` is told first, on the thread that polls."""

    def __init__(self, feed: Feed, keep: Callable[[Sequence[FeedEvent]], None]) -> None:
        self._feed, self._keep = feed, keep

    @property
    def counts(self) -> Mapping[str, int]:
        """What was dropped so far, by reason."""
        return self._feed.counts

    def poll(self, wait_s: float) -> list[FeedEvent]:
        """What arrived, oldest first; waits up to `wait_s` for the first."""
        events = self._feed.poll(wait_s)
        if events:
            self._keep(events)
        return events

    def close(self) -> None:
        """End the link."""
        self._feed.close()
