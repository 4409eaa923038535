"""FIX as bytes to be sent: tag=value fields framed by BodyLength and CheckSum. What comes is found by `frames`."""

from collections.abc import Iterable

from msgspec import Struct

from participant.wire.fix.time import timestamp

SOH = "\x01"
BODY_MAX = 65_536
FIELDS_MAX = 1_000


class Message(Struct, frozen=True):
    """One message as it came: type, sequence number and all fields from tag 35 on, in order."""

    msg_type: str
    seq: int
    fields: tuple[tuple[int, str], ...]

    def get(self, tag: int) -> str:
        """The first value of a tag, or an empty string."""
        for name, value in self.fields:
            if name == tag:
                return value
        return ""


class Body(Struct, frozen=True):
    """What follows a message's header, ready for the wire, so that it is encoded once for many receivers."""

    msg_type: str
    data: bytes
    total: int


class Header(Struct, frozen=True):
    """What differs from receiver to receiver. Times are ns UTC; `more`: further fields of the header, as written."""

    sender: str
    target: str
    seq: int
    sent_at: int
    is_possdup: bool = False
    first_sent_at: int = 0
    version: str = "FIX.4.4"
    more: str = ""


def body(msg_type: str, fields: Iterable[tuple[int, str]] = ()) -> Body:
    """A body from its fields; ValueError where a value is empty or would break the frame."""
    parts = []
    for tag, value in fields:
        if not value or SOH in value:
            raise ValueError(f"tag {tag} cannot hold {value!r}")
        parts.append(f"{tag}={value}{SOH}")
    return body_of(msg_type, "".join(parts))


def body_of(msg_type: str, text: str) -> Body:
    """A body from fields that are already written, each with its SOH."""
    data = text.encode("ascii")
    return Body(msg_type, data, sum(data))


def encode(header: Header, content: Body) -> bytes:
    """The whole frame of a message."""
    possdup = f"43=Y{SOH}" if header.is_possdup else ""
    original = f"122={timestamp(header.first_sent_at)}{SOH}" if header.first_sent_at else ""
    head = (
        f"35={content.msg_type}{SOH}49={header.sender}{SOH}56={header.target}{SOH}34={header.seq}{SOH}"
        f"{possdup}52={timestamp(header.sent_at)}{SOH}{original}{header.more}"
    ).encode("ascii")
    front = f"8={header.version}{SOH}9={len(head) + len(content.data)}{SOH}".encode("ascii") + head
    return b"%b%b10=%03d\x01" % (front, content.data, (sum(front) + content.total) & 255)
