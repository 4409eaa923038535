"""A FIX session (4.2, 4.4) as a state machine, for both sides: bytes in, events and bytes out, no socket and no clock.

One object is one connection; its store remembers the numbers and what may be sent again for the next one. The owner
sends what `take` gives until it gives nothing, hands over what arrived, and calls `pass_time` at least once a second.
What `receive` told counts as dealt with when the session is called again: after a crash before that, it comes again.
"""

from functools import cached_property

from participant.wire.fix.codec import Body, body
from participant.wire.fix.course import Phase
from participant.wire.fix.events import Event, Run
from participant.wire.fix.frames import FAULTS_MAX, Frame, framed
from participant.wire.fix.grammar import Problem
from participant.wire.fix.hearing import Hearing
from participant.wire.fix.numbers import Claim
from participant.wire.fix.profile import SECOND, Moment, Profile, checked
from participant.wire.fix.runs import Runs
from participant.wire.fix.sending import plain

__all__ = ["Phase", "Session"]


class Session(Hearing):
    """One side of one connection. ValueError where its profile cannot be held to."""

    def __init__(self, profile: Profile, claim: Claim) -> None:
        super().__init__(checked(profile), claim)
        self._buffer = b""
        self._connected_at = self._heard_at = self._tested_at = 0

    @property
    def next_out(self) -> int:
        """The number of the next message that is sent."""
        return self._sending.next_out if self._sending else 1

    def connect(self, now: Moment) -> list[Event]:
        """The connection stands: an initiator says its Logon, an acceptor waits for one."""
        self._connected_at = self._heard_at = now.at
        if self.profile.is_initiator and self._claimed(self.profile.target):
            if self.profile.resets:
                self._begin_anew()
            self._say(self._logon(self.profile.resets), now)
        return self._told()

    def receive(self, data: bytes, now: Moment) -> list[Event]:
        """Bytes that arrived, in any portions; what they say, in order."""
        self.settle()
        data, at, faults = self._buffer + data, 0, 0
        while not self._is_over and faults < FAULTS_MAX:
            at = self._hear_run(data, at, now)
            item, end = framed(data, at) if at < len(data) else (None, at)
            if item is None:
                break
            if isinstance(item, Frame):
                self._heard_at, self._tested_at = now.at, 0
                self._hear(item, now)
            else:
                faults += 1
                self._ignore(item)
            at = end
        self._buffer = b"" if self._is_over else data[at:]
        if faults >= FAULTS_MAX:
            self._end(f"{faults} messages of one reading could not be read")
        return self._told()

    def _hear_run(self, data: bytes, at: int, now: Moment) -> int:
        """Past the messages of the profile's `runs` that stand here and follow each other, where nothing is missing."""
        if self.phase is not Phase.ACTIVE or not self.profile.runs or self._waiting.highest:
            return at
        count, end = self._runs.find(data, at, self.next_in, now.utc)
        if count:
            self._events.append(Run(data[at:end], self.next_in, count))
            self.next_in += count
            self._heard_at = self._waiting.moved_at = now.at
            self._tested_at = self._garbled = 0
        return end

    @cached_property
    def _runs(self) -> Runs:
        """Known once the counterpart is."""
        profile = self.profile
        names, apart_ns = (self.target, profile.sender), profile.limits.sending_time_s * SECOND
        return Runs(profile.version, names, profile.runs, apart_ns)

    def send(self, content: Body, now: Moment) -> int:
        """Send an application message; its number, or 0 where the session is not active: then it is not sent."""
        return self._say(content, now) if self.phase is Phase.ACTIVE else 0

    def reject(self, frame: Frame, problem: Problem, now: Moment) -> None:
        """Say that a message that was received breaks the rules of its type (35=3)."""
        self._reject(frame, problem, now)

    def decline(self, frame: Frame, reason: int, text: str, now: Moment) -> None:
        """Say that a message that was received cannot be acted on (35=j); `reason` is a BusinessRejectReason (380)."""
        if self._sending and self.phase is Phase.ACTIVE:
            self._sending.decline(frame, (reason, text, ""), now)

    def log_out(self, text: str, now: Moment) -> None:
        """Ask for the session's end; it is over when the counterpart agrees, or after a while.

        What it still sends is not taken, and comes again with the next connection.
        """
        if self.phase is Phase.ACTIVE:
            self._say(body("5", [(58, plain(text))]), now)
            self.phase, self._closing_at, self._parting = Phase.CLOSING, now.at, text
        elif self.phase is Phase.OPENING:
            self._end(text)

    def pass_time(self, now: Moment) -> list[Event]:
        """Heartbeat when we were quiet for the interval; test the counterpart, then give it up, when it was quiet."""
        self.settle()
        limits = self.profile.limits
        if self.phase is Phase.OPENING and now.at - self._connected_at > limits.logon_s * SECOND:
            self._end(f"no Logon within {limits.logon_s} s")
        elif self.phase is Phase.CLOSING and now.at - self._closing_at > limits.logout_s * SECOND:
            self._end(f"{self._parting}: no Logout within {limits.logout_s} s of ours")
        elif self.phase is Phase.ACTIVE:
            self._keep_alive(now)
        return self._told()

    def _keep_alive(self, now: Moment) -> None:
        gap_s, beat, quiet = self.profile.limits.gap_s, self._heartbeat_s * SECOND, now.at - self._heard_at
        patience = beat + beat // 2
        if self._waiting.highest and now.at - self._waiting.moved_at > gap_s * SECOND:
            self._end(f"messages from {self.next_in} on were not filled in {gap_s} s")
        elif self._tested_at and now.at - self._tested_at > patience:
            self._end(f"nothing heard for {quiet // SECOND} s")
        elif not self._tested_at and quiet > patience:
            self._say(body("1", [(112, f"TEST-{self.next_out}")]), now)
            self._tested_at = now.at
        elif self._sending and now.at - self._sending.sent_at >= beat:
            self._say(body("0"), now)

    def take(self, now: Moment) -> bytes:
        """The bytes to be sent next, a portion at a time; nothing once all is gone."""
        return self._sending.take(now) if self._sending else b""

    @property
    def _is_over(self) -> bool:
        return self.phase is Phase.CLOSED

    def disconnect(self) -> None:
        """The connection is gone: let go of the store, so that the next one may have it."""
        self._end("the connection is gone")
        if self._store:
            self._store.close()
            self._store = self._sending = None

    def settle(self) -> None:
        """All that was told has been dealt with."""
        if self._store and self.next_in != self._settled_in:
            self._store.expected(self.next_in)
            self._settled_in = self.next_in

    def _told(self) -> list[Event]:
        told, self._events = self._events, []
        return told
