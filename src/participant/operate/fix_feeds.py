"""The FIX providers of the configuration: where they are, how they are spoken to, and what must be there for it."""

from pathlib import Path
from urllib.parse import urlsplit

from msgspec.structs import replace

from participant.adapters.feeds.fix import PROFILE, FixFeed, Line
from participant.config import BadConfig, Config, Run
from participant.links.feed_link import Intake
from participant.links.secrets import BadSecret, Keyring
from participant.links.tls import Tls, client_context
from participant.ports import Clock
from participant.wire.feed_source import FeedSource
from participant.wire.fix.source import FixSource

USER_NAME, PASSWORD = 553, 554  # of a Logon


def fix_feed(source: FeedSource, run: Run, clock: Clock, intake: Intake) -> FixFeed:
    """The feed of a FIX provider; its journal lies in the home. Raises BadConfig."""
    line = line_of(source, run.config)
    line = replace(line, journal=run.path / line.journal if line.journal else None)
    return FixFeed(source.name, fix_address(source), clock, line, intake)


def fix_address(source: FeedSource) -> tuple[str, int]:
    """Host and port of a FIX provider. Raises BadConfig, which never tells the url: a key may stand there."""
    try:
        at = urlsplit(source.url)
        if at.hostname and at.port and not ("@" in source.url or at.query or at.path.strip("/")):
            return at.hostname, at.port
    except ValueError:
        pass  # a port that is none: said below
    raise _bad(source, "url is no address: write fix://HOST:PORT, or fixs://HOST:PORT under TLS")


def line_of(source: FeedSource, config: Config) -> Line:
    """How a FIX provider is spoken to; what cannot be is said before a day begins. Raises BadConfig, without a key."""
    fix = source.fix
    if fix is None:
        raise _bad(source, "[feeds.fix] is missing")
    profile = replace(
        PROFILE, sender=fix.sender, target=fix.target, version=fix.version, heartbeat_s=fix.heartbeat_s,
        resets=not fix.journal, logon=_logon(source, config),
        limits=replace(PROFILE.limits, sending_time_s=fix.sending_time_max_s),
    )  # fmt: skip
    try:
        tls = _tls(fix) if source.url.startswith("fixs:") else None
    except (OSError, ValueError) as fault:
        raise _bad(source, f"{', '.join(fix.tls_settings) or 'TLS'}: {fault}") from None
    return Line(profile, tls, _path(fix.journal), levels_max=fix.levels_max)


def _tls(fix: FixSource) -> Tls:
    authorities, certificate, key = map(_path, (fix.authorities, fix.certificate, fix.key))
    tls = Tls(authorities, certificate, key, fix.hostname)
    client_context(tls)  # so that a file that cannot be used is found now, and not at nine o'clock
    return tls


def _path(name: str) -> Path | None:
    return Path(name).expanduser() if name else None


def _logon(source: FeedSource, config: Config) -> tuple[tuple[int, str], ...]:
    """User name and password, where a secret is named."""
    if not source.secret:
        return ()
    try:
        key = Keyring(config.broker.secrets_path, {}).key(source.secret, config.broker.profile)
    except BadSecret as wrong:
        raise _bad(source, str(wrong)) from None
    if not (key.api_key + key.api_secret).isprintable():
        raise _bad(source, f"the key of {source.secret} has a character that no field can hold")
    return ((USER_NAME, key.api_key), *(((PASSWORD, key.api_secret),) if key.api_secret else ()))


def _bad(source: FeedSource, why: str) -> BadConfig:
    return BadConfig(f'[[feeds]] name = "{source.name}": {why}')
