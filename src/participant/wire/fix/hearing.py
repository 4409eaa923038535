"""The incoming half of a FIX session: what the counterpart's messages mean by their numbers and types."""

from participant.wire.fix.codec import Message, body
from participant.wire.fix.course import Course, Phase
from participant.wire.fix.events import Filled, Gapped, LoggedOn, Received
from participant.wire.fix.frames import FAULTS_MAX, Frame, Garbled
from participant.wire.fix.grammar import ADMIN, TYPES, Fault, Problem, check
from participant.wire.fix.logon import Offer, header_problem, logon_fault, low_problem, offered
from participant.wire.fix.numbers import Claim
from participant.wire.fix.profile import Moment, Profile
from participant.wire.fix.sending import plain
from participant.wire.json import Malformed

UNSUPPORTED = (3, "Unsupported Message Type", "")


class Hearing(Course):
    """What `Session` stands on."""

    def __init__(self, profile: Profile, claim: Claim) -> None:
        super().__init__(profile, claim)
        self._garbled = 0

    # --- a message ------------------------------------------------------------------------------------------------

    def _hear(self, frame: Frame, now: Moment) -> None:
        self._garbled = 0
        if frame.version != self.profile.version:
            self._farewell("Incorrect BeginString", now)
        elif self.phase is Phase.OPENING:
            self._open(frame, now)
        elif self.phase is Phase.CLOSING:
            self._hear_last(frame, now)
        elif frame.seq < 0:
            self._farewell("MsgSeqNum missing", now)
        elif problem := header_problem(frame, self.profile, self.target, now):
            self._part(frame, problem, now)
        else:
            self._place(frame, now)

    def _hear_last(self, frame: Frame, now: Moment) -> None:
        """After our Logout nothing is taken but the answer: what else comes, comes again with the next connection."""
        if frame.msg_type == "5":
            self.next_in += frame.seq == self.next_in
            self._end(self._parting)
        elif frame.msg_type == "2" and not header_problem(frame, self.profile, self.target, now):
            self._on_untimely_request(frame, now)

    def _ignore(self, garbled: Garbled) -> None:
        """What cannot be read uses up no number; nothing else may come first, nor for long."""
        self._events.append(garbled)
        self._garbled += 1
        if self.phase is Phase.OPENING:
            self._end(f"the first message cannot be read: {garbled.reason}")
        elif self._garbled >= FAULTS_MAX:
            self._end(f"{FAULTS_MAX} messages in a row could not be read")

    def _place(self, frame: Frame, now: Moment) -> None:
        """By its number: too low, in its turn, or beyond a gap."""
        kind = frame.msg_type
        if kind == "5":
            self._on_logout(frame, now)
        elif kind in {"A", "4"} and self._resets(frame, now):
            pass
        elif kind == "2" and frame.seq != self.next_in:
            self._on_untimely_request(frame, now)
        elif frame.seq < self.next_in:
            self._on_low(frame, now)
        elif frame.seq > self.next_in:
            self._on_high(frame, now)
        else:
            self._act(frame, now)
            self._go_on(now)

    def _act(self, frame: Frame, now: Moment, is_late: bool = False) -> None:
        """A message in its turn: its number is used up, whatever it is, unless it cannot be read at all."""
        try:
            message, problem = self._judged(frame)
        except Malformed as error:
            self._ignore(Garbled(str(error)))
            self._on_unread(frame.seq, str(error), now)
            return
        self.next_in = max(self.next_in, frame.seq + 1)
        self._waiting.moved_at = now.at
        kind = frame.msg_type
        if problem:
            self._reject(frame, problem, now)
        elif message is None or kind not in ADMIN:
            self._on_application(frame, now)
        elif kind == "1":
            self._say(body("0", [(112, plain(message.get(112)))]), now)
        elif kind in {"2", "A"} and is_late:
            pass  # it was answered when it came
        elif kind == "2":
            self._on_request(frame, message, now)
        elif kind == "3":
            self._events.append(Received(frame))
        elif kind == "4":
            self._on_fill(frame, int(message.get(36)), now)
        elif kind == "A":
            self._farewell("a second Logon", now)

    def _on_unread(self, seq: int, why: str, now: Moment) -> None:
        """It is asked for, comes again as it is, and would so for ever: FIX bids an engine to see that."""
        count = self._store.unread(seq) if self._store else 0
        if count >= self.profile.limits.unread_max:
            self._farewell(plain(f"message {seq} came {count} times and cannot be read: {why}"), now)

    def _judged(self, frame: Frame) -> tuple[Message | None, Problem | None]:
        """The fields of a message that the session judges, and what is wrong; Malformed where it is no message."""
        kind, rules = frame.msg_type, self.profile.rules or {}
        rule = ADMIN.get(kind) or rules.get(kind)
        if rule is not None:
            message = frame.message()
            return message, check(message, rule, self.profile.version)
        if kind not in TYPES and not kind.startswith("U") and kind not in rules:
            return None, Problem(Fault.TYPE)
        empty = next((tag for tag in (49, 56, 52) if not frame.get(tag)), None)
        if empty is None:
            return None, None
        return None, Problem(Fault.EMPTY if empty in frame.head else Fault.MISSING, empty)

    def _on_application(self, frame: Frame, now: Moment) -> None:
        rules = self.profile.rules
        if rules is None or frame.msg_type in rules or frame.msg_type == "j":
            self._events.append(Received(frame))
        elif self._sending:
            self._sending.decline(frame, UNSUPPORTED, now)

    # --- the Logon ------------------------------------------------------------------------------------------------

    def _open(self, frame: Frame, now: Moment) -> None:
        try:
            message = frame.message()
        except Malformed as error:
            self._end(str(error))
            return
        fault = logon_fault(frame, message, self.profile, now)
        if fault:
            self._end(fault)
            return
        offer = offered(message)
        if not self.profile.is_initiator and not self._claimed(frame.get(49)):
            return
        if offer.is_reset and not self.profile.is_initiator:
            self._begin_anew()
        if frame.seq < self.next_in:
            self._farewell(f"MsgSeqNum too low, expecting {self.next_in} but received {frame.seq}", now, is_final=True)
            return
        self._agree(frame, offer, now)

    def _agree(self, frame: Frame, offer: Offer, now: Moment) -> None:
        """The Logon is good: an acceptor answers it, and both see what either has missed."""
        sending, tells = self._sending, bool(offer.expected) and self.profile.tells_expected
        assert sending is not None
        first_unsent = sending.next_out  # an acceptor's answer is the first that is not missed
        if tells and offer.expected > first_unsent:
            self._farewell(f"NextExpectedMsgSeqNum {offer.expected}, but {first_unsent} comes next", now, is_final=True)
            return
        if frame.seq == self.next_in:
            self.next_in += 1
        self.phase = Phase.ACTIVE
        if not self.profile.is_initiator:
            self._heartbeat_s = offer.heartbeat_s
            self._say(self._logon(offer.is_reset), now)
        self._events.append(LoggedOn(frame))
        if tells and offer.expected < first_unsent:
            sending.resends.ask(offer.expected, first_unsent - 1)
        if frame.seq > self.next_in:
            self._on_high(frame, now, is_told=tells)

    # --- numbers --------------------------------------------------------------------------------------------------

    def _on_low(self, frame: Frame, now: Moment) -> None:
        if frame.get(43) != "Y":
            self._farewell(f"MsgSeqNum too low, expecting {self.next_in} but received {frame.seq}", now, is_final=True)
            return
        problem = low_problem(frame)
        if problem and problem.fault is Fault.TIME:
            self._part(frame, problem, now)
        elif problem:
            self._reject(frame, problem, now)

    def _on_high(self, frame: Frame, now: Moment, is_told: bool = False) -> None:
        """Beyond a gap: it waits, and what is missing is asked for once (`is_told`: our Logon did)."""
        is_new = not self._waiting.highest
        self._waiting.put(frame)
        if is_new:
            self._waiting.moved_at = now.at
            self._events.append(Gapped(self.next_in, frame.seq - 1))
            if is_told:
                self._waiting.asked_from = self.next_in
            else:
                self._ask(now)

    def _ask(self, now: Moment) -> None:
        self._waiting.asked_from = self.next_in
        self._say(body("2", [(7, str(self.next_in)), (16, "0")]), now)

    def _go_on(self, now: Moment) -> None:
        """Those that waited have their turn; what found no room to wait is asked for again."""
        while self.phase is Phase.ACTIVE and (frame := self._waiting.take(self.next_in)):
            self._act(frame, now, is_late=True)
        if self._waiting.highest and self.next_in > self._waiting.highest:
            self._waiting.clear()
        elif self._waiting.is_due(self.next_in) and self.phase is Phase.ACTIVE:
            self._ask(now)

    def _on_fill(self, frame: Frame, new: int, now: Moment) -> None:
        """A gap fill in its turn. What came early and is passed over by it was sent once, and is here: it is taken."""
        if new <= frame.seq:
            self._reject(frame, Problem(Fault.VALUE, 36), now)
            return
        self._events.append(Filled(frame.seq, new - 1, is_asked=bool(self._waiting.highest)))
        for early in self._waiting.before(new):
            self._act(early, now, is_late=True)
            if self.phase is not Phase.ACTIVE:
                return  # what is not taken by now must be asked for by the next connection
        self.next_in = max(self.next_in, new)

    def _resets(self, frame: Frame, now: Moment) -> bool:
        """Whether this is a Logon or a SequenceReset that sets the numbers, whatever its own; then it is acted on."""
        try:
            message = frame.message()
        except Malformed:
            return False
        is_logon = frame.msg_type == "A"
        if (message.get(141) != "Y") if is_logon else (message.get(123) == "Y"):
            return False
        problem = check(message, ADMIN[frame.msg_type], self.profile.version)
        if problem:
            self._reject(frame, problem, now)
        elif is_logon:
            self._on_anew(frame, message, now)
        else:
            self._on_reset(frame, int(message.get(36)), now)
        return True

    def _on_anew(self, frame: Frame, message: Message, now: Moment) -> None:
        fault = logon_fault(frame, message, self.profile, now)
        if fault:
            self._farewell(fault, now)
            return
        self._begin_anew()
        self.next_in = 2
        self._say(self._logon(is_reset=True), now)
        self._events.append(LoggedOn(frame))

    def _on_reset(self, frame: Frame, new: int, now: Moment) -> None:
        if new < self.next_in:
            self._reject(frame, Problem(Fault.VALUE, 36), now)
            return
        if new > self.next_in:
            self._events.append(Filled(self.next_in, new - 1, is_asked=bool(self._waiting.highest)))
        self._waiting.clear()
        self.next_in = new

    # --- what is asked of us --------------------------------------------------------------------------------------

    def _on_untimely_request(self, frame: Frame, now: Moment) -> None:
        """A ResendRequest is answered at once, or two sides with a gap each would wait for each other."""
        try:
            message, problem = self._judged(frame)
        except Malformed as error:
            self._ignore(Garbled(str(error)))
            return
        is_again = frame.get(43) == "Y"
        if message and not problem and not is_again:
            self._on_request(frame, message, now)
        if frame.seq > self.next_in and self.phase is Phase.ACTIVE:
            self._on_high(frame, now)
        elif is_again and frame.seq < self.next_in:
            self._on_low(frame, now)

    def _on_request(self, frame: Frame, message: Message, now: Moment) -> None:
        sending = self._sending
        assert sending is not None
        first, last, newest = int(message.get(7)), int(message.get(16)), sending.next_out - 1
        last = newest if last == 0 or last > newest else last
        if first < 1 or first > last:
            self._reject(frame, Problem(Fault.VALUE, 7), now)
        elif len(sending.resends) >= self.profile.limits.requests_max:
            self._end(f"{self.profile.limits.requests_max} requests to resend are not answered yet")
        else:
            sending.resends.ask(first, last)

    def _on_logout(self, frame: Frame, now: Moment) -> None:
        if frame.seq == self.next_in:
            self.next_in += 1
        try:
            text = frame.message().get(58)
        except Malformed:
            text = ""
        self._say(body("5"), now)
        self._end(plain(text) if text else "the counterpart logged out")
