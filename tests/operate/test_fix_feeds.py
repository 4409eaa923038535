"""[feeds.fix]: a FIX provider by settings, over real sockets and TLS; what cannot be is refused before a day begins."""

import datetime
import json
import time
from pathlib import Path

import pytest

from participant.adapters.clocks.virtual import VirtualClock
from participant.adapters.feeds.fix import FixFeed
from participant.config import BadConfig, Config, Run, load_config
from participant.core.market import Down
from participant.links.fix_journal import FixJournal
from participant.operate.fix_feeds import line_of
from participant.operate.providers import check_feeds, with_mapped
from participant.wire.fix.numbers import MemoryNumbers
from tests.links.certificates import Authority
from tests.links.fix_venue import LIMIT_S, UTC, EchoVenue, server

DAY = datetime.date(2026, 11, 25)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def configured(folder: Path, url: str, /, also: str = "", **fix: object) -> Config:
    """The configuration with one FIX provider, as a file has it, checked as before a day."""
    said = {"sender": "DESK", "target": "VENUE", **fix}
    lines = [f'[broker]\nsecrets = "{folder / "secrets.json"}"', f'[[feeds]]\nname = "far"\nurl = "{url}"', also]
    lines += ["[feeds.fix]", *(f"{key} = {json.dumps(value)}" for key, value in said.items())]
    file = folder / "participant.toml"
    file.write_text("\n".join(lines))
    config = load_config(file, {})
    check_feeds(config, tells_left_out=False)
    return config


def secret(folder: Path, **key: str) -> None:
    file = folder / "secrets.json"
    file.write_text(json.dumps({"far": {"profile": "paper", **key}}))
    file.chmod(0o600)


def feed_of(folder: Path, config: Config) -> FixFeed:
    """The feed as ingest has it."""
    run = Run(str(folder), DAY, "http://127.0.0.1:9", "127.0.0.1", 9, 1.0, config)
    (feed,) = with_mapped({}, run, VirtualClock(UTC), ()).values()
    assert isinstance(feed, FixFeed)
    return feed


def wait_for(memory: MemoryNumbers, next_in: int) -> None:
    limit = time.monotonic() + LIMIT_S
    while memory.numbers().next_in < next_in:
        assert time.monotonic() < limit
        time.sleep(0.01)


def test_a_provider_under_tls_is_logged_on_to_with_its_names_its_key_and_its_journal(
    authority: Authority, tmp_path: Path
) -> None:
    memory = MemoryNumbers()
    secret(tmp_path, api_key="user", api_secret="word")
    certificate, key = authority.sign("desk")
    files = {"authorities": authority.path, "certificate": certificate, "key": key}
    settings = {**{name: str(path) for name, path in files.items()}, "journal": "far.sqlite", "heartbeat_s": 9}
    with EchoVenue(server(authority, asks_client=True), lambda _: memory) as venue:
        config = configured(tmp_path, f"fixs://127.0.0.1:{venue.port}", 'secret = "far"', **settings)
        feed = feed_of(tmp_path, config)
        wait_for(memory, 3)
        feed.close()
        wait_for(memory, 4)
    (logon,) = venue.logons
    told = logon.message()
    assert [told.get(tag) for tag in (108, 141, 553, 554)] == ["9", "", "user", "word"]
    assert (logon.get(49), logon.get(56)) == ("DESK", "VENUE")
    ours = FixJournal(tmp_path / "far.sqlite", "DESK").claim("VENUE")
    assert ours
    assert ours.numbers().next_out == memory.numbers().next_in
    assert 1 < ours.numbers().next_in <= memory.numbers().next_out  # what came after our Logout is not taken
    ours.close()


def test_a_provider_in_the_clear_begins_at_one(tmp_path: Path) -> None:
    memory = MemoryNumbers()
    with EchoVenue(None, lambda _: memory) as venue:
        feed = feed_of(tmp_path, configured(tmp_path, f"fix://127.0.0.1:{venue.port}"))
        wait_for(memory, 3)
        feed.close()
    assert venue.logons[0].version == "FIX.4.4"
    told = venue.logons[0].message()
    assert [told.get(tag) for tag in (141, 553, 554)] == ["Y", "", ""]


def test_every_setting_of_a_session_is_in_its_line(tmp_path: Path) -> None:
    config = configured(
        tmp_path,
        "fix://h:9",
        version="FIX.4.2",
        heartbeat_s=7,
        sending_time_max_s=120,
        journal="/far.sqlite",
        levels_max=5,
    )
    line = line_of(config.feeds[0], config)
    profile = line.profile
    assert (profile.version, profile.heartbeat_s, profile.limits.sending_time_s) == ("FIX.4.2", 7, 120)
    assert (profile.resets, line.journal, line.tls, line.levels_max) == (False, Path("/far.sqlite"), None, 5)


def test_a_provider_whom_our_authorities_did_not_sign_for_is_down(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other")
    with EchoVenue(server(other)) as venue:
        config = configured(tmp_path, f"fixs://127.0.0.1:{venue.port}", authorities=str(authority.path))
        feed = feed_of(tmp_path, config)
        (event,) = feed.poll(LIMIT_S)
        feed.close()
    assert isinstance(event, Down)
    assert "certificate verify failed" in event.reason


@pytest.mark.parametrize(
    ("url", "also", "fix", "reason"),
    [
        ("fix://h", "", {}, "url is no address: write fix://HOST:PORT"),
        ("fix://h:99999", "", {}, "is no address"),
        ("fix://u:other@h:9", "", {}, "write the key into the secrets file"),
        ("fixs://:other@h:9", "", {}, "write the key into the secrets file"),
        ("fix://u:other/x@h:9", "", {}, "write the key into the secrets file"),
        ("fix://u:other@h:9", 'mapping = "deribit_book"', {}, "write the key into the secrets file"),
        ("fix://h:9/other", "", {}, "is no address"),
        ("fix://h:9", 'secret = "far"', {}, "in the clear: write the url as fixs://"),
        ("fix://h:9", 'mapping = "deribit_book"', {}, "mapping is for JSON over a WebSocket"),
        ("ws://h:9", 'mapping = "deribit_book"', {}, r"\[feeds.fix\] needs a url like fixs://"),
        ("ws://h:9", "", {}, "`mapping` is missing"),
        ("fix://h:9", "", {"authorities": "ca.pem"}, "authorities is for TLS: write the url as fixs://"),
        ("fixs://h:9", "", {"key": "desk.key"}, "key needs the certificate"),
        ("fixs://h:9", "", {"authorities": "no.pem"}, "authorities: .*No such file"),
        ("fixs://h:9", "", {"certificate": "participant.toml"}, "certificate: .*PEM"),
        ("fix://h:9", "", {"sender": "a b"}, r"feeds\[0\].fix.sender"),
        ("fix://h:9", "", {"version": "FIX.5.0"}, r"Invalid enum value 'FIX.5.0'"),
        ("fix://h:9", "", {"hartbeat_s": 2}, "hartbeat_s"),
        ("fixs://h:9", 'secret = "near"', {}, "no key for near"),
        ("fixs://h:9", 'secret = "far"', {}, "has a character that no field can hold"),
    ],
)
def test_what_cannot_be_is_refused_with_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, also: str, fix: dict[str, object], reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    secret(tmp_path, api_key="user\x01553=other")
    with pytest.raises(BadConfig, match=reason) as refused:
        configured(tmp_path, url, also, **fix)
    assert "other" not in str(refused.value)


def test_a_fix_address_needs_its_session(tmp_path: Path) -> None:
    file = tmp_path / "participant.toml"
    file.write_text('[[feeds]]\nname = "far"\nurl = "fix://u:other@h:9"\n')
    with pytest.raises(BadConfig, match=r"needs \[feeds.fix\] with sender and target") as refused:
        load_config(file, {})
    assert "other" not in str(refused.value)
