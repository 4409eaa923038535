"""Feed over a WebSocket in any tongue that a mapping describes (`wire/json_map/`); docs/json-feeds.md."""

import time
from collections import Counter
from collections.abc import Iterator

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection

from participant.core.market import FeedEvent
from participant.links.feed_link import INTAKE, FeedLink, Intake, LinkLost
from participant.links.feed_socket import dialled
from participant.ports import Clock
from participant.wire.json_map.stream import Alive, Ended, Outcome, Said, Stream
from participant.wire.json_map.tongue import Tongue
from participant.wire.refused import Refusal

CONNECT_MAX_S = 10.0
PASS_TIME_S = 0.2


class MappedWsFeed:
    """Implements Feed for the provider `name` at `url`. From the intake's `ends_at` on an instant is the last.

    The address may hold a key, so that nothing that is said or counted quotes it.
    """

    def __init__(self, name: str, url: str, clock: Clock, tongue: Tongue, intake: Intake = INTAKE) -> None:
        self._url, self._tongue, self._ends_at = url, tongue, intake.ends_at
        self._refused: tuple[Refusal, ...] = ()
        self._link = FeedLink(name, clock, self._converse, intake)
        self._link.start()

    @property
    def counts(self) -> Counter[str]:
        """What was dropped so far, by reason."""
        return self._link.counts

    @property
    def refused(self) -> tuple[Refusal, ...]:
        """The last messages and rows that were refused, each with its reason, path and offset."""
        return self._refused

    def poll(self, wait_s: float) -> list[FeedEvent]:
        """What arrived, oldest first; waits up to `wait_s` for the first."""
        return self._link.poll(wait_s)

    def close(self) -> None:
        """End the link."""
        self._link.close()

    def _converse(self, link: FeedLink) -> None:
        try:
            with dialled(self._url, self._tongue.mapping.bytes_max, CONNECT_MAX_S) as socket:
                for text in self._tongue.greeting:
                    socket.send(text)
                self._listen(link, socket, self._tongue.stream())
        except (WebSocketException, ValueError) as error:  # ValueError: an address that is none
            raise LinkLost(f"{type(error).__name__}: {error}".replace(self._url, "the provider")) from None

    def _listen(self, link: FeedLink, socket: ClientConnection, stream: Stream) -> None:
        is_bytes = False if self._tongue.mapping.encoding == "json" else None  # packets: texts stay apart from them
        silence_max_s, heard_at = self._tongue.mapping.stream.silence_max_s, time.monotonic()
        while link.is_open:
            try:
                data = socket.recv(timeout=PASS_TIME_S, decode=is_bytes)
            except TimeoutError:
                if time.monotonic() - heard_at > silence_max_s:
                    raise LinkLost(f"nothing heard for {silence_max_s:g} s") from None
                continue
            link.stamp()
            heard_at = time.monotonic()
            link.heard(data)
            try:
                self._act(link, socket, stream.hear(data, link.stamped_at))
            finally:
                self._count(link, stream)

    def _act(self, link: FeedLink, socket: ClientConnection, outcomes: Iterator[Outcome]) -> None:
        for outcome in outcomes:
            if isinstance(outcome, Said):
                link.say(outcome.ticks, is_snapshot=outcome.is_snapshot)
            elif isinstance(outcome, Ended):
                link.mark(outcome.at, is_last=0 < self._ends_at <= outcome.at)
            elif isinstance(outcome, Alive):
                link.hold()
                if outcome.answer:
                    socket.send(outcome.answer)
            else:
                raise LinkLost(outcome.reason)

    def _count(self, link: FeedLink, stream: Stream) -> None:
        if stream.counts:
            link.counts.update(stream.counts)
            stream.counts.clear()
            self._refused = tuple(stream.refused)
