"""Ed25519 keys in files, and what is signed with them. A private key's file is its owner's alone (0600)."""

import os
from pathlib import Path

LIMITS, ROOT = (
    b"participant limits 1\n",
    b"participant log root 1\n",
)  # what is signed as one is never taken for the other


class BadKey(Exception):
    """A key that cannot be used: which file, what is wrong with it, how to mend it."""


def make_key(path: Path) -> str:
    """Make a private key at `path`, which must not exist, and return its public key as hex digits."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(key.private_bytes_raw().hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as fault:
        raise BadKey(f"key {path} cannot be written: {fault.strerror}") from fault
    return key.public_key().public_bytes_raw().hex()


def public_of(path: Path) -> str:
    """The public key, as hex digits, of the private key in a file."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(_read(path)).public_key().public_bytes_raw().hex()


def sign(path: Path, purpose: bytes, body: bytes) -> str:
    """The signature, as hex digits, by the private key in a file. Raises BadKey."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(_read(path)).sign(purpose + body).hex()


def is_signed(public: str, purpose: bytes, body: bytes, signature: str) -> bool:
    """Whether the signature is that of this key over these bytes; False for what is no key or no signature."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
        key.verify(bytes.fromhex(signature), purpose + body)
    except (ValueError, InvalidSignature):
        return False
    return True


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_mode & 0o077:
            raise BadKey(f"key {path} can be read by others; say chmod 600 {path}")
        secret = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except OSError as fault:
        raise BadKey(f"key {path} cannot be read: {fault.strerror}; `participant init` makes one") from fault
    except ValueError as fault:
        raise BadKey(f"key {path} is no key: it must hold 64 hex digits") from fault
    if len(secret) != 32:
        raise BadKey(f"key {path} is no key: it must hold 64 hex digits")
    return secret
