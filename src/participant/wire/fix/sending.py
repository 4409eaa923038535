"""The outgoing half of a FIX session: every message gets its number and is written down before its bytes may leave."""

from collections.abc import Sequence

from participant.wire.fix.codec import Body, Header, body, encode
from participant.wire.fix.frames import Frame
from participant.wire.fix.grammar import ADMIN, TEXT, Fault, Problem
from participant.wire.fix.numbers import Kept, SessionStore
from participant.wire.fix.profile import NUMBER_MAX, Moment, Profile
from participant.wire.fix.resend import Again, Resends

# A message that was routed for others goes back the way it came.
ROUTE = {115: 128, 116: 129, 144: 145, 128: 115, 129: 116, 145: 144}
LAST_REASON = {"FIX.4.2": Fault.TYPE, "FIX.4.4": Fault.COUNT}


class Sending:
    """Numbers, keeps and frames what is said. `sent_at` is when (steady ns) anything was said last."""

    def __init__(self, profile: Profile, store: SessionStore, target: str) -> None:
        self._profile, self._store, self._target = profile, store, target
        self._unsent: list[bytes] = []
        self._bytes = 0
        self.next_out = store.numbers().next_out
        self.sent_at = 0
        self.resends = Resends(store, profile.limits.portion)

    @property
    def is_full(self) -> bool:
        """Whether no more can be said: nobody takes it, or the numbers are used up."""
        return self._bytes > self._profile.limits.unsent_bytes_max or self.next_out > NUMBER_MAX

    def say(self, content: Body, now: Moment, more: str = "") -> int:
        """Say this under the next number, which is returned; `more`: further fields of the header."""
        seq = self.next_out
        is_kept = content.msg_type not in ADMIN and self._profile.keeps(content.msg_type)
        self._store.sent(seq, Kept(seq, content, now.utc) if is_kept else None)
        self.next_out = seq + 1
        self.sent_at = now.at
        self._frame(Header(self._profile.sender, self._target, seq, now.utc, more=more), content)
        return seq

    def reset(self) -> None:
        """The next number is 1, and nothing is sent again."""
        self.next_out = 1
        self.resends.clear()

    def take(self, now: Moment) -> bytes:
        """The bytes to be sent next: what was said, then a portion of what is sent again; nothing once all is gone."""
        if not self._unsent:
            for again in self.resends.portion():
                self._again(again, now)
        data = b"".join(self._unsent)
        self._unsent.clear()
        self._bytes = 0
        return data

    def _again(self, again: Again, now: Moment) -> None:
        first = again.first_sent_at or now.utc or 1
        self._frame(Header(self._profile.sender, self._target, again.seq, now.utc, True, first), again.content)
        self.sent_at = now.at

    def _frame(self, header: Header, content: Body) -> None:
        data = encode(header if header.version == self._profile.version else self._older(header), content)
        self._unsent.append(data)
        self._bytes += len(data)

    def _older(self, header: Header) -> Header:
        times = (header.sent_at, header.is_possdup, header.first_sent_at)
        return Header(header.sender, header.target, header.seq, *times, self._profile.version, header.more)

    # --- what is said about the counterpart's messages ------------------------------------------------------------

    def reject(self, frame: Frame, problem: Problem, now: Moment) -> None:
        """Say that a message breaks the session's rules (35=3); nothing is said about a Reject."""
        if frame.msg_type == "3":
            return
        fields = [(45, str(max(frame.seq, 0)))]
        if problem.tag is not None:
            fields.append((371, str(problem.tag)))
        fields.append((372, plain(frame.msg_type)))
        if problem.fault <= LAST_REASON[self._profile.version]:
            fields.append((373, str(int(problem.fault))))
        self.say(body("3", [*fields, (58, TEXT[problem.fault])]), now, _back(frame))

    def decline(self, frame: Frame, said: tuple[int, str, str], now: Moment) -> None:
        """Say that a message cannot be acted on (35=j): BusinessRejectReason, text, the id it is known by ("": none).

        Nothing is said about a business reject.
        """
        if frame.msg_type == "j":
            return
        reason, text, known_by = said
        named: Sequence[tuple[int, str]] = [(379, plain(known_by))] if known_by else []
        fields = [(45, str(frame.seq)), (372, plain(frame.msg_type)), *named, (380, str(reason)), (58, plain(text))]
        self.say(body("j", fields), now, _back(frame))


def plain(text: str) -> str:
    """The text as it may stand in a field of ours: printable ASCII, never empty, at most 256 characters."""
    return "".join(letter if " " <= letter <= "~" else "?" for letter in text[:256]) or "?"


def _back(frame: Frame) -> str:
    return "".join(f"{to}={plain(frame.head[tag])}\x01" for tag, to in ROUTE.items() if frame.head.get(tag))
