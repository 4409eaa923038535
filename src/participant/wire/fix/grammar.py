"""What the fields of a FIX message may be, as far as a session judges it: which, in what order, of what form.

The rules of the session's own messages are here; those of application messages come with a session's profile. The
codes are SessionRejectReason (373) of FIX 4.4.
"""

import re
from collections.abc import Mapping
from enum import IntEnum
from functools import lru_cache
from types import MappingProxyType

from msgspec import Struct

from participant.wire.fix.codec import Message
from participant.wire.fix.dictionary import GROUP_MAX
from participant.wire.fix.time import nanoseconds

LAST_TAG = {"FIX.4.2": 446, "FIX.4.4": 956}
USER_DEFINED = 5_000


class Fault(IntEnum):
    """Why a message is rejected by the session."""

    TAG = 0
    MISSING = 1
    NOT_HERE = 2
    EMPTY = 4
    VALUE = 5
    FORMAT = 6
    COMP_ID = 9
    TIME = 10
    TYPE = 11
    TWICE = 13
    ORDER = 14
    COUNT = 16


TEXT = {
    Fault.TAG: "Invalid tag number",
    Fault.MISSING: "Required tag missing",
    Fault.NOT_HERE: "Tag not defined for this message type",
    Fault.EMPTY: "Tag specified without a value",
    Fault.VALUE: "Value is incorrect (out of range) for this tag",
    Fault.FORMAT: "Incorrect data format for value",
    Fault.COMP_ID: "CompID problem",
    Fault.TIME: "SendingTime accuracy problem",
    Fault.TYPE: "Invalid MsgType",
    Fault.TWICE: "Tag appears more than once",
    Fault.ORDER: "Tag specified out of required order",
    Fault.COUNT: "Incorrect NumInGroup count for repeating group",
}


class Problem(Struct, frozen=True):
    """A fault and the tag at which it lies (None: at none in particular)."""

    fault: Fault
    tag: int | None = None


class Rule(Struct, frozen=True):
    """The body of one type of message: the tags that must and those that may stand in it.

    `groups`: count tag -> the tags of an entry, the first of which begins it.
    """

    required: frozenset[int]
    tags: frozenset[int]
    groups: Mapping[int, tuple[int, ...]] = MappingProxyType({})


def rule(text: str, groups: Mapping[int, tuple[int, ...]] = MappingProxyType({})) -> Rule:
    """A rule from its tags in one line; those with a `!` must be there (of a group, its count)."""
    words = text.split()
    required = frozenset(int(word[:-1]) for word in words if word.endswith("!"))
    inner = frozenset(tag for group in groups.values() for tag in group)
    return Rule(required, frozenset(int(word.rstrip("!")) for word in words) | groups.keys() | inner, groups)


HEADER_ORDER = frozenset({8, 9, 35, 49, 56, 115, 128, 90, 91, 34, 50, 142, 57, 143, 116, 144, 129, 145, 43, 97, 52, 122,
                          212, 213, 347, 369, 370, 627, 628, 629, 630})  # fmt: skip
HEADER_NEEDED = (49, 56, 34, 52)
TRAILER = frozenset({93, 89, 10})
ADMIN: Mapping[str, Rule] = {
    "0": rule("112"),
    "1": rule("112!"),
    "2": rule("7! 16!"),
    "3": rule("45! 371 372 373 58 354 355"),
    "4": rule("36! 123"),
    "5": rule("58 354 355"),
    "A": rule("98! 108! 95 96 141 789 383 464 553 554", {384: (372, 385)}),
}
# All types of FIX 4.4 beside those; one that is none of them is invalid, whoever takes it.
TYPES = frozenset(
    [*"6789BCDEFGHJKLMNPQRSTVWXYZabcdefghijklmnopqrstuvwxyz"]
    + [f"A{letter}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
    + [f"B{letter}" for letter in "ABCDEFGH"]
)

_FORMS = {
    "number": re.compile(r"[0-9]{1,9}"),
    "decimal": re.compile(r"-?[0-9]{1,15}(\.[0-9]{0,15})?"),
    "flag": re.compile(r"[YN]"),
    "date": re.compile(r"[0-9]{8}"),
    "letter": re.compile(r"[!-~]"),
}
_NUMBERS = (
    7, 9, 16, 34, 36, 45, 68, 90, 93, 95, 98, 108, 146, 212, 263, 264, 265, 267, 268, 354, 371, 373, 380, 383, 386, 454,
    627, 789,
)  # fmt: skip
_DECIMALS = (6, 14, 31, 32, 38, 44, 99, 110, 111, 140, 151, 152, 202, 231, 270, 271)
_FLAGS = (43, 97, 123, 130, 141, 464)
FORM: Mapping[int, str] = {
    **dict.fromkeys(_NUMBERS, "number"),
    **dict.fromkeys(_DECIMALS, "decimal"),
    **dict.fromkeys(_FLAGS, "flag"),
    **dict.fromkeys((52, 60, 122, 126, 370), "time"),
    **dict.fromkeys((64, 75, 272, 541), "date"),
    **dict.fromkeys((21, 40, 54, 59, 269), "letter"),
}
VALUES: Mapping[int, frozenset[str]] = {
    21: frozenset("123"),
    40: frozenset("123456789DEGIJKLMP"),
    54: frozenset("123456789ABCDEFG"),
    59: frozenset("01234567"),
    98: frozenset("0"),
    167: frozenset(["CS", "PS", "FUT", "OPT", "WAR", "FOR", "MLEG", "CORP", "CB", "CD", "CP", "REPO", "NONE"]),
    263: frozenset("012"),
    269: frozenset("0123456789ABC"),
}


def check(message: Message, rule: Rule, version: str) -> Problem | None:
    """What is wrong with a message of this rule, the first of it; None where all is well."""
    fields = message.fields
    seen: set[int] = set()
    inner = {tag for group in rule.groups.values() for tag in group}
    is_body = is_over = False
    for tag, value in fields:
        problem = _judged(tag, value, rule.tags, version)
        if problem:
            return problem
        is_header, is_trailer = tag in HEADER_ORDER, tag in TRAILER
        if (is_header and is_body) or (is_over and not is_trailer):
            return Problem(Fault.ORDER, tag)
        if tag in seen and tag not in inner:
            return Problem(Fault.TWICE, tag)
        seen.add(tag)
        is_body, is_over = is_body or not (is_header or is_trailer), is_over or is_trailer
    missing = next((tag for tag in (*HEADER_NEEDED, *sorted(rule.required)) if tag not in seen), None)
    if missing is not None:
        return Problem(Fault.MISSING, missing)
    return _counted(fields, rule.groups)


def _judged(tag: int, value: str, allowed: frozenset[int], version: str) -> Problem | None:
    """One field by itself."""
    is_known = tag in allowed or tag in HEADER_ORDER or tag in TRAILER
    if not is_known and not 0 < tag <= LAST_TAG[version]:
        return Problem(Fault.TAG, tag)
    if not value:
        return Problem(Fault.EMPTY, tag)
    if not _is_formed(tag, value):
        return Problem(Fault.FORMAT, tag)
    if tag in VALUES and value not in VALUES[tag]:
        return Problem(Fault.VALUE, tag)
    return None if is_known else Problem(Fault.NOT_HERE, tag)


def _is_formed(tag: int, value: str) -> bool:
    form = FORM.get(tag)
    if form is None:
        return True
    return is_time(value) if form == "time" else bool(_FORMS[form].fullmatch(value))


@lru_cache(maxsize=1_024)
def is_time(value: str) -> bool:
    """Whether this is a UTCTimestamp."""
    try:
        nanoseconds(value)
    except ValueError:
        return False
    return True


def is_count(value: str) -> bool:
    """Whether this is a plain number of at most nine digits."""
    return bool(_FORMS["number"].fullmatch(value))


def _counted(fields: tuple[tuple[int, str], ...], groups: Mapping[int, tuple[int, ...]]) -> Problem | None:
    """A group holds as many entries as its count says; zero is a count."""
    for count, group in groups.items():
        said = next((value for tag, value in fields if tag == count), None)
        there = sum(tag == group[0] for tag, _ in fields)
        if there > GROUP_MAX or not is_count(said or "0") or there != int(said or "0"):
            return Problem(Fault.COUNT, count)
    return None
