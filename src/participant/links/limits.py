"""The limits in force: read from a signed file when a day begins, kept in the books for the day, verified where used.

Own limits lie beside the configuration as limits.toml and are signed with keys whose public halves the configuration
names (`[desk] signed_by`), by as many people as it requires (`signatures_required`). Where no limits.toml is, the paper
limits that ship serve, on paper alone.

A file of signatures has a line for each: the public key and the signature, as hex digits; a line with a signature alone
counts for whichever trusted key made it.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from importlib import resources
from pathlib import Path

from msgspec import Struct

from participant.core.journal import content_hash
from participant.core.limits import Limits, Terms, no_limits
from participant.core.messages import Write
from participant.links.keys import LIMITS, is_signed, make_key, public_of, sign
from participant.ports import Store
from participant.wire.json import Malformed, decode, encode
from participant.wire.limits import BadLimits, parse_limits

FILE, SIGNATURE, KEY = "limits.toml", "limits.toml.sig", "participant.key"
PAPER = "paper"


class SignedLimits(Struct, frozen=True):
    """A limits file as it was read: its text, its signatures (a line each), and whether it is `own` or `paper`."""

    origin: str
    body: str
    signature: str

    @property
    def hash(self) -> str:
        """The digest of its text."""
        return content_hash(self.body.encode())

    def signatures(self, keys: Iterable[str]) -> dict[str, str]:
        """The signatures of these keys that are good for this text."""
        lines = [words for line in self.signature.splitlines() if (words := line.split())]
        given = [(key, words[-1]) for words in lines for key in keys if words[:-1] in ([key], [])]
        return {key: one for key, one in given if is_signed(key, LIMITS, self.body.encode(), one)}


def read_limits(folder: Path, terms: Terms) -> SignedLimits:
    """The signed limits for a new day: those in `folder`, else on paper those that ship. Raises BadLimits."""
    file = folder / FILE
    if file.exists():
        found = own_limits(folder)
    elif terms.is_paper and not terms.keys:
        found = paper_limits()
    else:
        raise BadLimits(f"there is no {file}; `participant init` writes one, `participant limits sign` signs it")
    verified(found, terms)
    return found


def own_limits(folder: Path) -> SignedLimits:
    """The limits in `folder` with their signatures, not verified. Raises BadLimits where a file cannot be read."""
    return SignedLimits("own", _text(folder / FILE), _text(folder / SIGNATURE).strip())


def paper_limits() -> SignedLimits:
    """The paper limits that ship with the package."""
    shipped = resources.files("participant") / "limits"
    signature = (shipped / "paper.toml.sig").read_text(encoding="ascii").strip()
    return SignedLimits(PAPER, (shipped / "paper.toml").read_text(encoding="utf-8"), signature)


def verified(signed: SignedLimits, terms: Terms) -> Limits:
    """The limits in it, once they are proven to be signed by so many of those who are trusted. Raises BadLimits."""
    name, keys, required = FILE, terms.keys, terms.required
    if signed.origin == PAPER:
        if not terms.is_paper:
            raise BadLimits("paper limits are for paper alone; `participant init` writes a limits.toml to begin with")
        name, required = "participant/limits/paper.toml", 1
        keys = ((resources.files("participant") / "limits" / "paper.pub").read_text(encoding="ascii").strip(),)
    if not keys:
        raise BadLimits(f"{name} is there, but no key is trusted: set [desk] signed_by in participant.toml")
    by = signed.signatures(keys)
    if len(by) < required:
        raise BadLimits(_unsigned(name, keys, by, required))
    limits = parse_limits(name, signed.body.encode())
    fault = terms.fault(limits)
    if fault:
        raise BadLimits(f"{name}: {fault}")
    return limits


def _unsigned(name: str, keys: Sequence[str], by: Collection[str], required: int) -> str:
    """Who has signed, and whose signature is missing."""
    names = {key: f"{key[:16]}..." for key in keys}
    lacking = " or ".join(said for key, said in names.items() if key not in by)
    has = f"{' and '.join(names[key] for key in by) or 'nobody'} has, and {required} must: " if required > 1 else ""
    return (
        f"{name} is not signed by the key {lacking}: {has}it was changed, or signed with another; "
        f"read it again and say `participant limits sign`"
    )


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
    signatures = add_signature(SignedLimits("own", body, ""), (public,), folder / KEY)
    (folder / SIGNATURE).write_text(signatures, encoding="ascii")
    return public


def add_signature(signed: SignedLimits, keys: Iterable[str], key: Path) -> str:
    """The file of signatures with one more: those of `keys` that are good still, and that of the private key."""
    own = {public_of(key): sign(key, LIMITS, signed.body.encode())}
    return "".join(f"{public} {one}\n" for public, one in sorted({**signed.signatures(keys), **own}.items()))


def put_in_force(books: Store, day: str, signed: SignedLimits) -> None:
    """Write down what is in force on a day; what a day began with stays in force until it ends."""
    books.commit([Write("limits", day, encode(signed), expect=0)])


def recorded(books: Store, day: str) -> SignedLimits | None:
    """What was put in force for a day."""
    row = books.get("limits", day)
    return decode(row.value, SignedLimits) if row else None


def in_force(books: Store, day: str, terms: Terms) -> Limits:
    """The limits of a day as the books have them, verified anew; where that fails, limits that let nothing pass."""
    try:
        signed = recorded(books, day)
        if signed is None:
            return no_limits(f"none were put in force for {day}")
        return verified(signed, terms)
    except (BadLimits, Malformed) as fault:
        return no_limits(str(fault))


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except FileNotFoundError as fault:
        raise BadLimits(f"there is no {path}: `participant limits sign` writes it") from fault
    except (OSError, UnicodeDecodeError) as fault:
        raise BadLimits(f"{path} cannot be read: {fault}") from fault
