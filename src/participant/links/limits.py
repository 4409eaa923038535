"""The limits in force: read from a signed file when a day begins, kept in the books for the day, verified where used.

Own limits lie beside the configuration as limits.toml and are signed with a key whose public half the configuration
names (`[desk] signed_by`). Where no limits.toml is, the paper limits that ship serve, on paper alone.
"""

import re
from importlib import resources
from pathlib import Path

from msgspec import Struct

from participant.core.journal import content_hash
from participant.core.limits import Limits, no_limits
from participant.core.messages import Write
from participant.links.keys import LIMITS, is_signed, make_key, sign
from participant.ports import Store
from participant.wire.json import Malformed, decode, encode
from participant.wire.limits import BadLimits, parse_limits

FILE, SIGNATURE, KEY = "limits.toml", "limits.toml.sig", "participant.key"
PAPER = "paper"


class SignedLimits(Struct, frozen=True):
    """A limits file as it was read: its text, its signature (hex digits), and whether it is `own` or `paper`."""

    origin: str
    body: str
    signature: str

    @property
    def hash(self) -> str:
        """The digest of its text."""
        return content_hash(self.body.encode())


def read_limits(folder: Path, signed_by: str, *, is_paper: bool) -> SignedLimits:
    """The signed limits for a new day: those in `folder`, else on paper those that ship. Raises BadLimits."""
    file = folder / FILE
    if file.exists():
        found = SignedLimits("own", _text(file), _text(folder / SIGNATURE).strip())
    elif is_paper and not signed_by:
        found = paper_limits()
    else:
        raise BadLimits(f"there is no {file}; `participant init` writes one, `participant limits sign` signs it")
    verified(found, signed_by, is_paper=is_paper)
    return found


def paper_limits() -> SignedLimits:
    """The paper limits that ship with the package."""
    shipped = resources.files("participant") / "limits"
    signature = (shipped / "paper.toml.sig").read_text(encoding="ascii").strip()
    return SignedLimits(PAPER, (shipped / "paper.toml").read_text(encoding="utf-8"), signature)


def verified(signed: SignedLimits, signed_by: str, *, is_paper: bool) -> Limits:
    """The limits in it, once its signature is proven to be that of the key that is trusted. Raises BadLimits."""
    name, key = FILE, signed_by
    if signed.origin == PAPER:
        if not is_paper:
            raise BadLimits("paper limits are for paper alone; `participant init` writes a limits.toml to begin with")
        name = "participant/limits/paper.toml"
        key = (resources.files("participant") / "limits" / "paper.pub").read_text(encoding="ascii").strip()
    if not key:
        raise BadLimits(f"{name} is there, but no key is trusted: set [desk] signed_by in participant.toml")
    if not is_signed(key, LIMITS, signed.body.encode(), signed.signature):
        raise BadLimits(
            f"{name} is not signed by the key {key[:16]}...: it was changed, or signed with another; "
            f"read it again and say `participant limits sign`"
        )
    return parse_limits(name, signed.body.encode())


def write_own(folder: Path, **changes: int | float | bool) -> str:
    """Write limits of one's own, the paper ones but for `changes`, signed with a new key; returns its public half.

    Raises FileExistsError, and writes nothing, where one of the files is there.
    """
    for name in (KEY, FILE, SIGNATURE):
        if (folder / name).exists():
            raise FileExistsError(f"{name} is there already; move it away to get a new one")
    body = paper_limits().body
    for name, value in changes.items():
        body = re.sub(rf"(?m)^{name} = \S+", f"{name} = {str(value).lower()}", body)
    public = make_key(folder / KEY)
    (folder / FILE).write_text(body, encoding="utf-8")
    (folder / SIGNATURE).write_text(sign(folder / KEY, LIMITS, body.encode()) + "\n", encoding="ascii")
    return public


def put_in_force(books: Store, day: str, signed: SignedLimits) -> None:
    """Write down what is in force on a day; what a day began with stays in force until it ends."""
    books.commit([Write("limits", day, encode(signed), expect=0)])


def recorded(books: Store, day: str) -> SignedLimits | None:
    """What was put in force for a day."""
    row = books.get("limits", day)
    return decode(row.value, SignedLimits) if row else None


def in_force(books: Store, day: str, signed_by: str, *, is_paper: bool) -> Limits:
    """The limits of a day as the books have them, verified anew; where that fails, limits that let nothing pass."""
    try:
        signed = recorded(books, day)
        if signed is None:
            return no_limits(f"none were put in force for {day}")
        return verified(signed, signed_by, is_paper=is_paper)
    except (BadLimits, Malformed) as fault:
        return no_limits(str(fault))


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except FileNotFoundError as fault:
        raise BadLimits(f"there is no {path}: `participant limits sign` writes it") from fault
    except (OSError, UnicodeDecodeError) as fault:
        raise BadLimits(f"{path} cannot be read: {fault}") from fault
