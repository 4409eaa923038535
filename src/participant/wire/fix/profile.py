"""What a FIX session is told beforehand: who speaks to whom and how, and the limits on all that it waits for."""

from collections.abc import Mapping

from msgspec import Struct

from participant.wire.fix.grammar import TYPES, Rule

SECOND = 1_000_000_000
VERSIONS = ("FIX.4.2", "FIX.4.4")
HEARTBEAT_MAX_S = 3_600
NUMBER_MAX = 999_999_999
_JUDGED = Rule(frozenset(), frozenset())

# Orders, their changes and their cancels. One of these may have been judged, priced and allowed minutes ago: it is
# never sent a second time by the session, whatever the counterpart asks for, but gap-filled.
NEVER_AGAIN = frozenset({"D", "E", "F", "G", "K", "L", "q", "s", "t", "u", "AB", "AC", "BN"})


class Moment(Struct, frozen=True):
    """Now, twice: ns of a clock that never goes back, for waits; and ns UTC, for SendingTime."""

    at: int
    utc: int


class Limits(Struct, frozen=True):
    """How much a session holds and how long it waits.

    `waiting_max` and `waiting_bytes_max` bound what waits for a gap to be filled: what does not fit is asked for again.
    `sending_time_s` is how far SendingTime may be from ours (0: it is not judged, as in a replay). A ResendRequest is
    answered `portion` kept messages at a time, and so many may be unanswered at once. A message that cannot be
    read may come `unread_max` - 1 times, over all connections; after that it ends each.
    """

    logon_s: int = 10
    logout_s: int = 2
    gap_s: int = 30
    sending_time_s: int = 120
    waiting_max: int = 10_000
    waiting_bytes_max: int = 16_000_000
    portion: int = 500
    requests_max: int = 16
    unsent_bytes_max: int = 64_000_000
    unread_max: int = 3


class Profile(Struct, frozen=True):
    """One side of a session. An acceptor without a `target` takes whoever is known to its store.

    `resets`: the initiator begins both sequences at 1 (ResetSeqNumFlag). `tells_expected`: the Logon says which number
    is expected next (789, FIX 4.4), so that nobody need ask. `kept`: types of messages that may be sent again; None is
    all but orders, and orders never are. `rules`: types of application messages that are taken, each with its rule or
    None (its content is not the session's business); where `rules` itself is None every type is taken. `runs`: types of
    those whose messages are told many at once (`Run`), where nothing else is to be said of them. `logon` holds further
    fields of our Logon (user name, password).
    """

    sender: str
    target: str
    is_initiator: bool
    heartbeat_s: int = 30
    version: str = "FIX.4.4"
    resets: bool = False
    tells_expected: bool = False
    kept: frozenset[str] | None = None
    rules: Mapping[str, Rule | None] | None = None
    runs: frozenset[str] = frozenset()
    logon: tuple[tuple[int, str], ...] = ()
    limits: Limits = Limits()

    def keeps(self, msg_type: str) -> bool:
        """Whether a message of this type may be sent again."""
        return msg_type not in NEVER_AGAIN and (self.kept is None or msg_type in self.kept)

    def hands_on(self, msg_type: str) -> bool:
        """Whether messages of this type are taken unlooked at but for their headers."""
        is_type = (msg_type in TYPES or msg_type.startswith("U")) and msg_type.isascii() and len(msg_type) <= 2
        return is_type and (self.rules is None or self.rules.get(msg_type, _JUDGED) is None)


def checked(profile: Profile) -> Profile:
    """The profile; ValueError where a session cannot be held by it."""
    if profile.version not in VERSIONS:
        raise ValueError(f"version is {profile.version!r}: give one of {', '.join(VERSIONS)}")
    if not 0 < profile.heartbeat_s <= HEARTBEAT_MAX_S:
        raise ValueError(f"heartbeat_s is {profile.heartbeat_s}: give 1 to {HEARTBEAT_MAX_S}")
    if not profile.sender or (profile.is_initiator and not profile.target):
        raise ValueError("sender and, for an initiator, target must be given: the CompIDs of both sides")
    if profile.tells_expected and profile.version == "FIX.4.2":
        raise ValueError("tells_expected needs FIX.4.4: NextExpectedMsgSeqNum (789) is not in FIX.4.2")
    again = sorted((profile.kept or frozenset()) & NEVER_AGAIN)
    if again:
        raise ValueError(f"kept holds {', '.join(again)}: orders are never sent again")
    if judged := sorted(kind for kind in profile.runs if not profile.hands_on(kind)):
        raise ValueError(f"runs holds {', '.join(judged)}: the session itself looks at these, or does not take them")
    return profile
