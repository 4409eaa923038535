"""What FIX messages say, as typed values: what `reader.decode` gives, and what the JSON of `reader` holds.

Prices are `int` in units of 1/10,000, sizes in units, times ns UTC; a decimal that is no price of the book (an average,
a multiplier) stays its digits. What a message does not say is empty, 0 or None.
"""

from msgspec import Struct

Unknown = tuple[int, str, int]  # tag, value, after how many entries of the group that was open


class Contract(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """Which contract is spoken of, in the venue's words: a name, a number, or what makes it one."""

    symbol: str = ""
    security_id: str = ""
    id_source: str = ""
    cfi_code: str = ""
    security_type: str = ""
    maturity_month: str = ""
    maturity_date: str = ""
    strike: int | None = None
    put_call: str = ""
    exchange: str = ""
    currency: str = ""


class Entry(Contract, frozen=True, kw_only=True, gc=False):
    """One entry of market data. `at` is its time; a date or a time of day (ns) that stands alone is given as such.

    An entry of an increment that names no symbol has that of the entry before it.
    """

    kind: str = ""
    action: str = ""
    price: int | None = None
    size: int | None = None
    orders: int | None = None
    level: int | None = None
    position: int | None = None
    at: int | None = None
    date: str = ""
    time: int | None = None
    id: str = ""
    ref_id: str = ""
    session: str = ""
    quote_condition: str = ""
    trade_condition: str = ""
    open_close: str = ""
    text: str = ""
    order_id: str = ""
    buyer: str = ""
    seller: str = ""


class Underlying(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """What a listed contract stands on."""

    symbol: str = ""
    security_id: str = ""
    id_source: str = ""


class Leg(Underlying, frozen=True, kw_only=True):
    """A leg of a listed combination."""

    ratio: str = ""
    side: str = ""


class AlternativeId(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """Another name of a contract, and whose it is."""

    id: str = ""
    id_source: str = ""


class Event(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A date in the life of a contract (type 5: activation, 7: last eligible trade)."""

    type: int = 0
    date: str = ""
    text: str = ""


class Attribute(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A property of a contract by FIX's number."""

    type: int = 0
    value: str = ""


class Instrument(Contract, frozen=True, kw_only=True):
    """A contract as a venue lists it."""

    multiplier: str = ""
    lot: int | None = None
    smallest_trade: int | None = None
    tick: int | None = None
    description: str = ""
    underlyings: tuple[Underlying, ...] = ()
    legs: tuple[Leg, ...] = ()
    alternative_ids: tuple[AlternativeId, ...] = ()
    events: tuple[Event, ...] = ()
    attributes: tuple[Attribute, ...] = ()


class _Message(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """What every message may say; `other` are the fields that no table lists."""

    version: str
    sender: str = ""
    target: str = ""
    seq: int = 0
    sent_at: int = 0
    is_possdup: bool = False
    first_sent_at: int = 0
    sender_sub: str = ""
    target_sub: str = ""
    other: tuple[Unknown, ...] = ()


class _OfContract(Contract, frozen=True, kw_only=True):
    """The same of a message that is about one contract: a struct has one base, so the header stands here again."""

    version: str
    sender: str = ""
    target: str = ""
    seq: int = 0
    sent_at: int = 0
    is_possdup: bool = False
    first_sent_at: int = 0
    sender_sub: str = ""
    target_sub: str = ""
    other: tuple[Unknown, ...] = ()


class Snapshot(_OfContract, frozen=True, kw_only=True, tag_field="kind", tag="snapshot"):
    """35=W: one contract whole."""

    request_id: str = ""
    entries: tuple[Entry, ...] = ()


class Increment(_Message, frozen=True, kw_only=True, tag_field="kind", tag="increment"):
    """35=X: what changed, of one contract or of many."""

    request_id: str = ""
    entries: tuple[Entry, ...] = ()


class Execution(_OfContract, frozen=True, kw_only=True, tag_field="kind", tag="execution"):
    """35=8: what became of an order."""

    order_id: str = ""
    client_order_id: str = ""
    orig_client_order_id: str = ""
    exec_id: str = ""
    ref_exec_id: str = ""
    trans_type: str = ""
    exec_type: str = ""
    status: str = ""
    side: str = ""
    order_type: str = ""
    time_in_force: str = ""
    quantity: int | None = None
    price: int | None = None
    stop_price: int | None = None
    last_quantity: int | None = None
    last_price: int | None = None
    leaves_quantity: int | None = None
    filled_quantity: int | None = None
    average_price: str = ""
    at: int = 0
    trade_date: str = ""
    account: str = ""
    text: str = ""
    reject_reason: int | None = None
    restatement_reason: int | None = None


class CancelReject(_Message, frozen=True, kw_only=True, tag_field="kind", tag="cancelReject"):
    """35=9: a cancel or a replace that was refused."""

    order_id: str = ""
    client_order_id: str = ""
    orig_client_order_id: str = ""
    status: str = ""
    reason: int | None = None
    answers: str = ""
    at: int = 0
    account: str = ""
    text: str = ""


class Reject(_Message, frozen=True, kw_only=True, tag_field="kind", tag="reject"):
    """35=3: a message of ours that the session refused."""

    ref_seq: int = 0
    ref_tag: int = 0
    ref_msg_type: str = ""
    reason: int | None = None
    text: str = ""


class BusinessReject(_Message, frozen=True, kw_only=True, tag_field="kind", tag="businessReject"):
    """35=j: a message of ours that the application refused."""

    ref_seq: int = 0
    ref_msg_type: str = ""
    ref_id: str = ""
    reason: int | None = None
    text: str = ""


class RequestReject(_Message, frozen=True, kw_only=True, tag_field="kind", tag="requestReject"):
    """35=Y: market data that we do not get."""

    request_id: str = ""
    reason: str = ""
    text: str = ""


class Definition(Instrument, frozen=True, kw_only=True, tag_field="kind", tag="definition"):
    """35=d: one contract. Its header stands here for the same reason."""

    version: str
    sender: str = ""
    target: str = ""
    seq: int = 0
    sent_at: int = 0
    is_possdup: bool = False
    first_sent_at: int = 0
    sender_sub: str = ""
    target_sub: str = ""
    other: tuple[Unknown, ...] = ()
    request_id: str = ""
    response_id: str = ""
    response_type: int | None = None
    text: str = ""


class SecurityList(_Message, frozen=True, kw_only=True, tag_field="kind", tag="securityList"):
    """35=y: contracts as a venue lists them; `is_last` ends a list that came in parts."""

    request_id: str = ""
    response_id: str = ""
    text: str = ""
    result: int | None = None
    total: int | None = None
    is_last: bool = False
    instruments: tuple[Instrument, ...] = ()


class Other(_Message, frozen=True, kw_only=True, tag_field="kind", tag="other"):
    """A message of any other type: its header, and all else unread."""

    msg_type: str


Message = (
    Snapshot | Increment | Execution | CancelReject | Reject | BusinessReject | RequestReject | Definition
    | SecurityList | Other
)  # fmt: skip
