"""The desk's secrets: a file that its owner alone can read, or the environment; never the settings, never a log.

Rule: each key says whether it is for paper or live, and a desk takes only one of its own profile.
"""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from participant.wire.json import Malformed, decode, encode

PREFIX = "PARTICIPANT"


class BadSecret(Exception):
    """A secret that is missing or may not be used: what, where, how to mend it; never the secret itself."""


class Key(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a broker gave us. `issued` is the day of the access token. Its text never shows what it holds."""

    profile: str
    api_key: str
    api_secret: str = ""
    access_token: str = ""
    issued: str = ""

    def __repr__(self) -> str:
        return f"Key({self.profile}, ...)"

    def __str__(self) -> str:
        return repr(self)


class Keyring(Struct, frozen=True):
    """Where the keys are: a file, or the environment, which goes before it."""

    path: Path
    environ: Mapping[str, str]

    def key(self, broker: str, profile: str) -> Key:
        """The key of this broker for this profile; raises BadSecret."""
        told, kept = self._in_environment(broker), self._in_file().get(broker)
        if told and kept and told.api_key == kept.api_key and not told.access_token:
            told = replace(told, access_token=kept.access_token, issued=kept.issued)
        found = told or kept
        if found is None:
            raise BadSecret(f"no key for {broker} in {self.path} or {PREFIX}_{broker.upper()}_API_KEY: docs/brokers.md")
        if found.profile != profile:
            raise BadSecret(f"the key for {broker} is a {found.profile} key: a {profile} desk does not take it")
        return found

    def lives(self, brokers: tuple[str, ...]) -> list[str]:
        """The brokers of which the environment holds a live key."""
        found = {broker: self._in_environment(broker) for broker in brokers}
        return [broker for broker, key in found.items() if key is not None and key.profile == "live"]

    def keep_token(self, broker: str, access_token: str, issued: str) -> None:
        """Write a new access token into the file, whole or not at all, for its owner alone."""
        keys, told = self._in_file(), self._in_environment(broker)
        key = keys.get(broker)
        if told is not None and (key is None or key.api_key != told.api_key):
            key = replace(told, api_secret="")  # what came by the environment is not written down beyond need
        if key is None:
            raise BadSecret(f"no key for {broker} in {self.path}: nothing to keep the token with")
        keys[broker] = replace(key, access_token=access_token, issued=issued)
        self._write(encode(keys))

    def _in_environment(self, broker: str) -> Key | None:
        names = ("profile", "api_key", "api_secret", "access_token", "issued")
        told = {name: self.environ.get(f"{PREFIX}_{broker.upper()}_{name.upper()}", "") for name in names}
        # A key of which nobody says what it is for is taken for a live one.
        return Key(**{**told, "profile": told["profile"] or "live"}) if told["api_key"] else None

    def _in_file(self) -> dict[str, Key]:
        try:
            with self.path.open("rb") as file:
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                if mode & 0o077:
                    raise BadSecret(f"{self.path} may be read by others (mode {mode:04o}): chmod 600 {self.path}")
                return decode(file.read(), dict[str, Key])
        except FileNotFoundError:
            return {}
        except OSError as fault:
            raise BadSecret(f"{self.path} cannot be read: {fault.strerror}") from fault
        except Malformed:
            # What stands there is not quoted: it may hold the secret.
            raise BadSecret(f'{self.path} must be JSON: {{"kite": {{"profile": "live", "api_key": "..."}}}}') from None

    def _write(self, body: bytes) -> None:
        draft = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            draft.unlink(missing_ok=True)
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)
        except OSError as fault:
            raise BadSecret(f"{self.path} cannot be written: {fault.strerror}") from fault
