"""The providers of the configuration as feeds: mappings, lists of instruments, addresses; FIX stands apart."""

import datetime
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from msgspec.structs import replace

from participant.adapters.feeds.mapped_ws import MappedWsFeed
from participant.config import BadConfig, Config, Run, load_rules
from participant.core.market import Reference
from participant.links.feed_link import INTAKE, Intake
from participant.links.presets import mapping_of
from participant.links.secrets import BadSecret, Keyring
from participant.operate.fix_feeds import fix_address, fix_feed, line_of
from participant.ports import Clock, Feed
from participant.wire.feed_source import FeedSource
from participant.wire.json import Malformed
from participant.wire.json_map.mapping import BadMapping
from participant.wire.json_map.names import Listed, read_listed
from participant.wire.json_map.tongue import Tongue
from participant.wire.packed import text_of

LIST_BYTES_MAX = 200_000_000


def check_feeds(config: Config, *, tells_left_out: bool) -> None:
    """Say before a day begins what would keep a feed of [[feeds]] from being read; raises BadConfig.

    `tells_left_out`: the day is played in lockstep, where they have no part, and that is told.
    """
    for source in config.feeds:
        if source.fix is not None:
            fix_address(source)
            line_of(source, config)
        else:
            tongue_of(source)
            address(source, config)
    if config.feeds and tells_left_out:
        named = ", ".join(source.name for source in config.feeds)
        sys.stderr.write(f"participant: in lockstep the market waits for the desk: {named} of [[feeds]] left out\n")


def with_mapped(
    venue: dict[str, Feed], run: Run, clock: Clock, references: Sequence[Reference], intake: Intake = INTAKE
) -> dict[str, Feed]:
    """The venue's feeds, and before or after them those of [[feeds]]; in lockstep none. Raises BadConfig."""
    wanted = {r.scrip for r in references} | {c.key for r in references for c in r.contracts}
    intake = replace(intake, ends_at=closing(run.config.desk.span_scans, run.day))
    feeds: dict[str, dict[str, Feed]] = {"before": {}, "after": {}}
    for source in run.config.feeds if not run.is_lockstep else ():
        if source.fix is not None:
            feeds[source.place][source.name] = fix_feed(source, run, clock, intake)
            continue
        url, tongue = address(source, run.config), tongue_of(source, wanted)
        if tongue is None:
            sys.stderr.write(f"participant: {source.name} of [[feeds]] lists nothing of {run.day}: left out\n")
            continue
        feeds[source.place][source.name] = MappedWsFeed(source.name, url, clock, tongue, intake)
    return {**feeds["before"], **venue, **feeds["after"]}


def closing(scans: str, day: datetime.date) -> int:
    """When the market closes on a day (ns); 0 where it stays shut."""
    session = load_rules(scans).session(day)
    return session.close_at if session is not None else 0


def tongue_of(source: FeedSource, wanted: Collection[str] | None = None) -> Tongue | None:
    """How to speak with a provider; of its list of instruments those are asked for that are `wanted` (None: all).

    None where none of the list is. Raises BadConfig.
    """
    try:
        mapping = mapping_of(source.mapping)
        listed = read_listed(_text(source.instruments), mapping.codes) if source.instruments else []
        shown = [row for row in listed if wanted is None or row.key in wanted]
        if listed and not shown:
            return None
        return Tongue(mapping, source.given, shown, (*source.names, *_names(shown)))
    except (BadMapping, Malformed) as wrong:
        raise BadConfig(f'[[feeds]] name = "{source.name}": {wrong}') from None


def address(source: FeedSource, config: Config) -> str:
    """Where a provider is, with its key where the address asks for one. Raises BadConfig, which never tells the key."""
    holes = {"{api_key}": "api_key", "{access_token}": "access_token"}
    asked = [hole for hole in holes if hole in source.url]
    if not asked:
        return source.url
    if not source.secret:
        raise BadConfig(
            f'[[feeds]] name = "{source.name}": {asked[0]} in url needs secret, the name of the key to put there'
        )
    try:
        key = Keyring(config.broker.secrets_path, {}).key(source.secret, config.broker.profile)
    except BadSecret as wrong:
        raise BadConfig(f'[[feeds]] name = "{source.name}": {wrong}') from None
    url = source.url
    for hole in asked:
        url = url.replace(hole, getattr(key, holes[hole]))
    return url


def _names(listed: Sequence[Listed]) -> list[str]:
    return list(dict.fromkeys(row.name for row in listed))


def _text(path: str) -> str:
    file = Path(path).expanduser()
    try:
        return text_of(file.read_bytes(), LIST_BYTES_MAX)
    except OSError as fault:
        raise Malformed(f"instruments: {file} cannot be read: {fault.strerror}") from fault
