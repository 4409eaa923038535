"""What is read of FIX 4.2 and 4.4: the fields of nine messages by their tags, their groups, and why one is refused.

One table for the compiled reader and its plain twin. A tag that no scope of a message lists is unknown there.
"""

from collections.abc import Iterable, Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import NamedTuple, Optional

TAGS = 2_048  # a tag from here on is always unknown
GROUP_MAX = 200
DIGITS_MAX = 15  # of a number, in the unit in which it is given: exact as a double, within 64 bits
TEXT_MAX = 32  # bytes of a number as it stands


class Kind(IntEnum):
    """How the bytes of a field are read. All numbers are plain digits, never an exponent."""

    NONE = 0
    STRAY = 1  # of a group of this scope, and therefore not to be found outside it
    TEXT = 2
    NUMBER = 3  # whole, not negative
    SIZE = 4  # the same, where zeros may follow a point
    PRICE = 5  # whole price units; finer is refused
    DECIMAL = 6  # kept as its digits
    TIME = 7  # UTCTimestamp as ns
    FLAG = 8  # Y or N
    WORD = 9  # one letter that stands for a word; another letter stays as it is
    DAY = 10  # 272, and with 273 the time of an entry
    CLOCK = 11
    GROUP = 12


class Fault(IntEnum):
    """Why a message is refused."""

    BEGIN = 1
    VERSION = 2
    LENGTH = 3
    CUT = 4
    TRAILER = 5
    CHECKSUM = 6
    TAG = 7
    EMPTY = 8
    FIELDS = 9
    DATA = 10
    DATA_LENGTH = 11
    TYPE = 12
    TWICE = 13
    NUMBER = 14
    FINE = 15
    NEGATIVE = 16
    WHOLE = 17
    TIME = 18
    FLAG = 19
    COUNT = 20
    SHORT = 21
    MORE = 22
    FIRST = 23
    STRAY = 24


REASONS: Mapping[int, str] = {
    Fault.BEGIN: "it is not one whole message from 8=FIX to its CheckSum",
    Fault.VERSION: "its version is neither FIX.4.2 nor FIX.4.4",
    Fault.LENGTH: "its BodyLength is no number from 1 to 65536",
    Fault.CUT: "it ends before its BodyLength does",
    Fault.TRAILER: "no CheckSum (10=) stands where its BodyLength ends",
    Fault.CHECKSUM: "its CheckSum is wrong",
    Fault.TAG: "a field does not begin with a tag of 1 to 99999 and =",
    Fault.EMPTY: "has no value",
    Fault.FIELDS: "it has more than 1000 fields",
    Fault.DATA: "raw data and its length do not stand side by side",
    Fault.DATA_LENGTH: "is no length of raw data that ends within the message",
    Fault.TYPE: "its first field after BodyLength is not MsgType (35)",
    Fault.TWICE: "stands twice",
    Fault.NUMBER: f"is no plain number of at most {DIGITS_MAX} digits",
    Fault.FINE: "is finer than the unit of prices",
    Fault.NEGATIVE: "is negative",
    Fault.WHOLE: "is not whole",
    Fault.TIME: "is no UTC time of the years 1971 to 2261",
    Fault.FLAG: "is neither Y nor N",
    Fault.COUNT: f"is no count of at most {GROUP_MAX}",
    Fault.SHORT: "counts more entries than there are",
    Fault.MORE: "there are more entries than were counted",
    Fault.FIRST: "begins no entry of its group",
    Fault.STRAY: "stands outside its group",
}


class Field(NamedTuple):
    """One tag in one scope: its name in JSON, how it is read, its words or its group."""

    tag: int
    name: str
    kind: Kind = Kind.TEXT
    words: Mapping[str, str] = MappingProxyType({})
    group: Optional["Scope"] = None


class Scope(NamedTuple):
    """The fields of a message or of a group's entries; `first` begins an entry (0 in a message)."""

    name: str
    first: int
    fields: Mapping[int, Field]


def _scope(name: str, fields: Iterable[Field], first: int = 0) -> Scope:
    own = {field.tag: field for field in fields}
    strays = {tag for field in own.values() if field.group for tag in field.group.fields}
    return Scope(name, first, {**{tag: Field(tag, "", Kind.STRAY) for tag in strays}, **own})


def _group(tag: int, name: str, fields: Iterable[Field]) -> Field:
    """A group whose entries begin with the first of these fields."""
    own = tuple(fields)
    return Field(tag, name, Kind.GROUP, group=_scope(name, own, own[0].tag))


def _words(text: str) -> Mapping[str, str]:
    return {letter: word for letter, _, word in (pair.partition("=") for pair in text.split())}


N, S, P, D, T, F, W = Kind.NUMBER, Kind.SIZE, Kind.PRICE, Kind.DECIMAL, Kind.TIME, Kind.FLAG, Kind.WORD
# House words: an offer is an ask.
ENTRY_WORDS = _words(
    "0=bid 1=ask 2=trade 3=index 4=open 5=close 6=settlement 7=high 8=low 9=vwap B=volume C=openInterest J=empty"
)
ACTION_WORDS = _words("0=new 1=change 2=delete 3=deleteThrough 4=deleteFrom 5=overlay")
SIDE_WORDS = _words("1=buy 2=sell 5=sellShort")
STATUS_WORDS = _words(
    "0=new 1=partiallyFilled 2=filled 3=doneForDay 4=cancelled 5=replaced 6=pendingCancel 7=stopped 8=rejected "
    "9=suspended A=pendingNew B=calculated C=expired D=restated E=pendingReplace F=trade G=tradeCorrect H=tradeCancel "
    "I=orderStatus"
)

HEADER = (
    Field(49, "sender"), Field(56, "target"), Field(34, "seq", N), Field(52, "sentAt", T), Field(43, "isPossdup", F),
    Field(122, "firstSentAt", T), Field(50, "senderSub"), Field(57, "targetSub"),
)  # fmt: skip
INSTRUMENT = (
    Field(55, "symbol"), Field(48, "securityId"), Field(22, "idSource"), Field(461, "cfiCode"),
    Field(167, "securityType"), Field(200, "maturityMonth"), Field(541, "maturityDate"), Field(202, "strike", P),
    Field(201, "putCall", W, _words("0=put 1=call")), Field(207, "exchange"), Field(15, "currency"),
)  # fmt: skip
FIGURES = (
    Field(270, "price", P), Field(271, "size", S), Field(272, "date", Kind.DAY), Field(273, "time", Kind.CLOCK),
    Field(346, "orders", N), Field(1023, "level", N), Field(290, "position", N), Field(278, "id"),
    Field(336, "session"),
    Field(276, "quoteCondition"), Field(277, "tradeCondition"), Field(286, "openClose"), Field(58, "text"),
    Field(37, "orderId"), Field(288, "buyer"), Field(289, "seller"),
)  # fmt: skip
KIND = Field(269, "kind", W, ENTRY_WORDS)
UNDERLYINGS = _group(711, "underlyings", (Field(311, "symbol"), Field(309, "securityId"), Field(305, "idSource")))
LEGS = _group(
    555, "legs",
    (Field(600, "symbol"), Field(602, "securityId"), Field(603, "idSource"), Field(623, "ratio", D),
     Field(624, "side", W, SIDE_WORDS)),
)  # fmt: skip
LISTED = (
    *INSTRUMENT, Field(231, "multiplier", D), Field(561, "lot", S), Field(562, "smallestTrade", S),
    Field(969, "tick", P), Field(107, "description"), UNDERLYINGS, LEGS,
    _group(454, "alternativeIds", (Field(455, "id"), Field(456, "idSource"))),
    _group(864, "events", (Field(865, "type", N), Field(866, "date"), Field(868, "text"))),
    _group(870, "attributes", (Field(871, "type", N), Field(872, "value"))),
)  # fmt: skip
EXECUTION = (
    Field(37, "orderId"), Field(11, "clientOrderId"), Field(41, "origClientOrderId"), Field(17, "execId"),
    Field(19, "refExecId"), Field(20, "transType"),
    Field(150, "execType", W, {**STATUS_WORDS, "1": "partialFill", "2": "fill"}),
    Field(39, "status", W, STATUS_WORDS), Field(54, "side", W, SIDE_WORDS),
    Field(40, "orderType", W, _words("1=market 2=limit 3=stop 4=stopLimit")), Field(59, "timeInForce"),
    Field(38, "quantity", S), Field(44, "price", P), Field(99, "stopPrice", P), Field(32, "lastQuantity", S),
    Field(31, "lastPrice", P), Field(151, "leavesQuantity", S), Field(14, "filledQuantity", S),
    Field(6, "averagePrice", D), Field(60, "at", T), Field(75, "tradeDate"), Field(1, "account"), Field(58, "text"),
    Field(103, "rejectReason", N), Field(378, "restatementReason", N),
)  # fmt: skip
ASKED = (Field(320, "requestId"), Field(322, "responseId"), Field(58, "text"))

MESSAGES: Mapping[str, Scope] = {
    kind: _scope(name, (*HEADER, *fields))
    for kind, name, fields in (
        ("W", "snapshot", (Field(262, "requestId"), *INSTRUMENT, _group(268, "entries", (KIND, *FIGURES)))),
        ("X", "increment", (
            Field(262, "requestId"),
            _group(268, "entries", (
                Field(279, "action", W, ACTION_WORDS), KIND, Field(280, "refId"), *INSTRUMENT, *FIGURES,
            )),
        )),
        ("8", "execution", (*EXECUTION, *INSTRUMENT)),
        ("9", "cancelReject", (
            Field(37, "orderId"), Field(11, "clientOrderId"), Field(41, "origClientOrderId"),
            Field(39, "status", W, STATUS_WORDS), Field(102, "reason", N),
            Field(434, "answers", W, _words("1=cancel 2=replace")), Field(60, "at", T), Field(1, "account"),
            Field(58, "text"),
        )),
        ("3", "reject", (
            Field(45, "refSeq", N), Field(371, "refTag", N), Field(372, "refMsgType"), Field(373, "reason", N),
            Field(58, "text"),
        )),
        ("j", "businessReject", (
            Field(45, "refSeq", N), Field(372, "refMsgType"), Field(379, "refId"), Field(380, "reason", N),
            Field(58, "text"),
        )),
        ("Y", "requestReject", (Field(262, "requestId"), Field(281, "reason"), Field(58, "text"))),
        ("d", "definition", (*ASKED, Field(323, "responseType", N), *LISTED)),
        ("y", "securityList", (
            *ASKED, Field(560, "result", N), Field(393, "total", N), Field(893, "isLast", F),
            _group(146, "instruments", LISTED),
        )),
    )
}  # fmt: skip
OTHER = _scope("other", HEADER)  # a message of any other type: its header, and all else unknown

# Raw data that may hold anything, by the field that says how many bytes of it follow.
DATA_OF: Mapping[int, int] = {
    90: 91, 93: 89, 95: 96, 212: 213, 348: 349, 350: 351, 352: 353, 354: 355, 356: 357, 358: 359, 360: 361, 362: 363,
    364: 365, 445: 446, 618: 619, 621: 622,
}  # fmt: skip


def reason_of(fault: int, tag: int) -> str:
    """Why a message is refused, in words; 0 is no tag."""
    return f"tag {tag} {REASONS[fault]}" if tag else REASONS[fault]
