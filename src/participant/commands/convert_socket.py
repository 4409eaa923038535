"""FIX messages off a socket, for `participant convert`: as initiator of a session, or as acceptor of one."""

import socket
import time
from argparse import Namespace
from collections.abc import Iterator

from msgspec.structs import replace

from participant.adapters.clocks.system import SystemClock
from participant.commands.errors import Refused
from participant.links.feed_link import LinkLost
from participant.links.fix_link import Address, FixLink, accepted, connected
from participant.wire.fix import marketdata
from participant.wire.fix.events import Event, LoggedOn, Over, Received, Run
from participant.wire.fix.frames import Garbled
from participant.wire.fix.numbers import MemoryNumbers
from participant.wire.fix.profile import Profile
from participant.wire.fix.reader import Portion, Reader, read
from participant.wire.fix.reader import Refused as Refusal

HEARTBEAT_S = 10
LISTEN_MAX_S = 3_600.0
Portions = Iterator[tuple[bytes, Portion]]


class Heard:
    """Every application message of one session, until it is over, Ctrl-C, or `--seconds` have passed.

    `ended` says which. Raises Refused where the session never stood; what ends it later is no reason to lose the lines.
    """

    def __init__(self, args: Namespace, reader: Reader) -> None:
        self._args, self._reader = args, reader
        self._until = time.monotonic() + (args.seconds or float("inf"))
        self._stands = False
        self.ended = ""

    def __iter__(self) -> Portions:
        where = ":".join(map(str, self._args.connect or self._args.listen))
        try:
            with _linked(self._args, self._until) as link:
                yield from self._heard(link)
        except KeyboardInterrupt:
            self.ended = "stopped"
        except (LinkLost, OSError) as fault:
            self.ended = str(fault) or type(fault).__name__
        if not self._stands:
            mend = "see that the counterpart is there and knows these names (--names OURS:THEIRS)"
            raise Refused(f"convert: no session with {where}: {self.ended or 'its time is over'}; {mend}")

    def _heard(self, link: FixLink) -> Portions:
        while not self.ended and time.monotonic() < self._until:
            for event in link.read():
                yield from self._told(event)
                self._stands = self._stands or isinstance(event, LoggedOn)
                if isinstance(event, LoggedOn) and self._args.ask:
                    link.send(marketdata.request("1"))
        self.ended = self.ended or f"{self._args.seconds:g} s are over"

    def _told(self, event: Event) -> Portions:
        if isinstance(event, Received | Run):
            data = event.data if isinstance(event, Run) else event.frame.raw
            yield data, read(self._reader, data, is_last=True)
        elif isinstance(event, Garbled):
            yield b"", Portion(b"", 0, (Refusal(event.reason, 0, 0),), 0, 0)
        elif isinstance(event, Over):
            self.ended = event.reason


def _linked(args: Namespace, until: float) -> FixLink:
    ours, theirs = args.names
    host, port = args.connect or args.listen
    # Times may be those of a replay, and what is only read is asked for anew with each connection.
    is_initiator = bool(args.connect)
    profile = Profile(ours, theirs, is_initiator, HEARTBEAT_S, resets=is_initiator, runs=marketdata.KINDS)
    profile = replace(profile, limits=replace(profile.limits, sending_time_s=0))
    memory, utc = MemoryNumbers(), SystemClock().now
    if is_initiator:
        return connected(Address(host, port), profile, lambda _: memory, utc)
    with socket.create_server((host, port)) as listener:
        listener.settimeout(min(LISTEN_MAX_S, max(until - time.monotonic(), 0.001)))
        return accepted(listener, profile, lambda _: memory, utc)
