"""What a broker guarantees, as data, and what its answers prove by it.

Rule: an answer proves a rejection only where the broker's list below says so, by status, kind and words, each entry
with the answer it was taken from. Everything that is neither a proven acceptance nor listed leaves the order UNKNOWN.
"""

from enum import StrEnum

from msgspec import Struct

from participant.core.order import Answer, Order, Verdict

REASON_MAX = 200


class Dedup(StrEnum):
    """Whether the broker takes a tag once only: where it is not `yes`, a second send may be a second order."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Finding(StrEnum):
    """By what an order of unknown fate is found again in the broker's book."""

    TAG = "our tag"
    ORDER_ID = "the broker's order id alone"


class Reject(Struct, frozen=True):
    """An answer that proves a rejection: HTTP status, kind of error, and how its message begins (empty: however).

    `recorded` names the answer that it was taken from, kept in `tests/golden/answers`.
    """

    status: int
    error_type: str
    begins: str
    recorded: str
    is_retriable: bool = False


class Guarantees(Struct, frozen=True):
    """What one broker promises, and what it does not. Rates are requests about orders, 0 where it states none.

    `tag_length_max` is 0 where no tag of ours is kept. Above the freeze quantity an order `is_sliced` or is refused.
    `changes_limit_alone` is whether a limit can be changed so that what may still fill stays as it is.
    `has_reasons` is whether the order book says why an order was rejected, `has_quote_times` whether a quote says of
    when it is. `session_ends` says in words when a login is over; empty where it never is.
    """

    broker: str
    tag_length_max: int
    dedup_by_tag: Dedup
    found_by: Finding
    per_second: int
    per_minute: int
    per_day: int
    modifications_max: int
    changes_limit_alone: bool
    order_types: tuple[str, ...]
    validities: tuple[str, ...]
    products: tuple[str, ...]
    has_market_orders: bool
    is_sliced: bool
    has_order_updates: bool
    has_settlements: bool
    has_reasons: bool
    has_quote_times: bool
    session_ends: str
    rejects: tuple[Reject, ...]


class Said(Struct, frozen=True):
    """What an answer says, whatever tongue it came in."""

    status: int
    is_success: bool
    order_id: str = ""
    error_type: str = ""
    message: str = ""


def classify(guarantees: Guarantees, said: Said) -> Answer:
    """What an answer proves: success with an order id accepts, a listed answer rejects, all else is unknown."""
    is_good = said.is_success and 200 <= said.status < 300
    if is_good and said.order_id:
        return Answer(Verdict.ACCEPTED, "", said.order_id)
    reason = f"{said.error_type}: {said.message}"[:REASON_MAX] if said.error_type else said.message[:REASON_MAX]
    listed = None if said.is_success else _listed(guarantees, said)
    if listed is not None:
        return Answer(Verdict.REJECTED, reason, "", listed.is_retriable)
    return Answer(Verdict.UNKNOWN, "no order id" if is_good else f"answer {said.status}, {reason}")


def _listed(guarantees: Guarantees, said: Said) -> Reject | None:
    for reject in guarantees.rejects:
        is_kind = (reject.status, reject.error_type) == (said.status, said.error_type)
        if is_kind and said.message.startswith(reject.begins):
            return reject
    return None


def unread(status: int, why: object) -> Answer:
    """What an answer proves that cannot be read: nothing."""
    return Answer(Verdict.UNKNOWN, f"answer {status}: {why}"[:REASON_MAX])


def unsent(why: object) -> Answer:
    """The adapter itself refused the order: no byte has left, and none would the next time."""
    return Answer(Verdict.REJECTED, f"not sent: {why}"[:REASON_MAX])


def tag_fault(guarantees: Guarantees, order: Order) -> str:
    """Why the broker could not keep an order's tag as it is, or an empty string."""
    most, tag = guarantees.tag_length_max, order.tag
    if most and (len(tag) > most or not (tag.isascii() and tag.isalnum())):
        return f"{guarantees.broker} keeps tags of at most {most} letters and digits, {tag!r} is none"
    return ""
