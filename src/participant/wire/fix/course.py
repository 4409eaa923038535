"""Where a FIX session stands: its phase, its numbers, what has come too early; and how it ends."""

from enum import StrEnum

from participant.wire.fix.codec import Body, body
from participant.wire.fix.events import Event, Over
from participant.wire.fix.frames import Frame
from participant.wire.fix.grammar import TEXT, Problem
from participant.wire.fix.numbers import Claim, SessionStore
from participant.wire.fix.profile import Moment, Profile
from participant.wire.fix.sending import Sending
from participant.wire.fix.waiting import Waiting


class Phase(StrEnum):
    """Before the counterpart's Logon, after it, after our Logout, and over."""

    OPENING = "opening"
    ACTIVE = "active"
    CLOSING = "closing"
    CLOSED = "closed"


class Course:
    """What both halves of a session share. `target` is the counterpart's CompID, `next_in` the number expected next."""

    def __init__(self, profile: Profile, claim: Claim) -> None:
        self.profile = profile
        self.phase = Phase.OPENING
        self.target = profile.target
        self.next_in = 1
        self._claim = claim
        self._store: SessionStore | None = None
        self._sending: Sending | None = None
        self._waiting = Waiting(profile.limits)
        self._events: list[Event] = []
        self._heartbeat_s = profile.heartbeat_s
        self._settled_in = 1
        self._closing_at = 0
        self._parting = ""  # why we logged out

    def _claimed(self, target: str) -> bool:
        """Take up the session with this counterpart; the session is over where it is not to be had."""
        store = self._claim(target)
        if store is None:
            self._end("the counterpart is unknown, or has a session already")
            return False
        self._store, self.target = store, target
        self._sending = Sending(self.profile, store, target)
        self.next_in = self._settled_in = store.numbers().next_in
        return True

    def _begin_anew(self) -> None:
        """Both sequences begin at 1."""
        assert self._store is not None
        assert self._sending is not None
        self._store.reset()
        self._sending.reset()
        self._waiting.clear()
        self.next_in = self._settled_in = 1

    def _logon(self, is_reset: bool) -> Body:
        fields = [(98, "0"), (108, str(self._heartbeat_s))]
        if is_reset:
            fields.append((141, "Y"))
        if self.profile.tells_expected:
            fields.append((789, str(self.next_in)))
        return body("A", [*fields, *self.profile.logon])

    # --- how it ends ----------------------------------------------------------------------------------------------

    def _part(self, frame: Frame, problem: Problem, now: Moment) -> None:
        """A problem that cannot be lived with: say so, log out, and hear nothing but the answer."""
        self.next_in += frame.seq == self.next_in
        self._reject(frame, problem, now)
        self._farewell(TEXT[problem.fault], now)

    def _farewell(self, text: str, now: Moment, is_final: bool = False) -> None:
        """Log out for this reason; `is_final`: without waiting for an answer. Before a Logon nothing is said."""
        if self.phase is Phase.ACTIVE or (is_final and self._sending):
            self._say(body("5", [(58, text)]), now)
        if is_final or self.phase is not Phase.ACTIVE:
            self._end(text)
            return
        self.phase, self._closing_at, self._parting = Phase.CLOSING, now.at, text

    def _end(self, reason: str) -> None:
        if self.phase is not Phase.CLOSED:
            self.phase = Phase.CLOSED
            self._events.append(Over(reason))

    # --- what is said ---------------------------------------------------------------------------------------------

    def _say(self, content: Body, now: Moment) -> int:
        sending = self._sending
        if sending is None or self.phase is Phase.CLOSED:
            return 0
        if sending.is_full:
            self._end("what is said is not taken, or there are no numbers left")
            return 0
        return sending.say(content, now)

    def _reject(self, frame: Frame, problem: Problem, now: Moment) -> None:
        if self._sending and self.phase is Phase.ACTIVE:
            self._sending.reject(frame, problem, now)
