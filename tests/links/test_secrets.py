"""Secrets: for their owner alone, of the desk's own profile, and never told."""

import stat
from pathlib import Path

import pytest

from participant.links.secrets import BadSecret, Key, Keyring
from participant.wire.json import decode

CANARY = "canary-7f3a"
LIVE = f'{{"kite": {{"profile": "live", "api_key": "k", "api_secret": "{CANARY}"}}}}'


def kept(folder: Path, body: str = LIVE, mode: int = 0o600) -> Path:
    path = folder / "secrets.json"
    path.write_text(body)
    path.chmod(mode)
    return path


def test_a_key_comes_from_the_file_and_never_shows_what_it_holds(tmp_path: Path) -> None:
    key = Keyring(kept(tmp_path), {}).key("kite", "live")
    assert key.api_secret == CANARY
    assert CANARY not in f"{key!r} {key}"


def test_a_paper_desk_does_not_take_a_live_key(tmp_path: Path) -> None:
    with pytest.raises(BadSecret, match="is a live key: a paper desk does not take it") as told:
        Keyring(kept(tmp_path), {}).key("kite", "paper")
    assert CANARY not in str(told.value)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(BadSecret, match="chmod 600"):
        Keyring(kept(tmp_path, mode=mode), {}).key("kite", "live")


@pytest.mark.parametrize("body", ["", "{", '{"kite": 3}', '{"kite": {"profile": "live", "api_key": "%s", "x": 1}}'])
def test_a_file_that_is_none_is_refused_without_quoting_it(tmp_path: Path, body: str) -> None:
    with pytest.raises(BadSecret, match="must be JSON") as told:
        Keyring(kept(tmp_path, body.replace("%s", CANARY)), {}).key("kite", "live")
    assert CANARY not in str(told.value)


def test_no_key_anywhere_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(BadSecret, match="PARTICIPANT_KITE_API_KEY"):
        Keyring(tmp_path / "none.json", {}).key("kite", "live")
    with pytest.raises(BadSecret, match="cannot be read"):
        Keyring(tmp_path, {}).key("kite", "live")


def test_the_environment_goes_before_the_file_and_says_live_unless_it_says_paper(tmp_path: Path) -> None:
    ring = Keyring(kept(tmp_path), {"PARTICIPANT_OPENALGO_API_KEY": "o", "PARTICIPANT_OPENALGO_PROFILE": "paper"})
    assert ring.key("openalgo", "paper").api_key == "o"
    assert ring.lives(("kite", "openalgo")) == []
    assert Keyring(tmp_path, {"PARTICIPANT_KITE_API_KEY": "k"}).lives(("kite", "openalgo")) == ["kite"]


def test_a_new_token_is_kept_whole_for_its_owner_alone(tmp_path: Path) -> None:
    path = kept(tmp_path)
    Keyring(path, {}).keep_token("kite", "t", "2026-11-25")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert decode(path.read_bytes(), dict[str, Key])["kite"].access_token == "t"
    assert [p.name for p in tmp_path.iterdir()] == ["secrets.json"]
    told = Keyring(path, {"PARTICIPANT_KITE_API_KEY": "k"}).key("kite", "live")
    assert (told.access_token, told.issued) == ("t", "2026-11-25")


def test_what_came_by_the_environment_is_not_written_down_beyond_need(tmp_path: Path) -> None:
    path = kept(tmp_path)
    environ = {"PARTICIPANT_KITE_API_KEY": "other", "PARTICIPANT_KITE_API_SECRET": CANARY}
    Keyring(path, environ).keep_token("kite", "t", "2026-11-25")
    assert CANARY not in path.read_text()
    told = Keyring(path, environ).key("kite", "live")
    assert (told.api_key, told.api_secret, told.access_token) == ("other", CANARY, "t")


def test_a_token_that_cannot_be_kept_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(BadSecret, match="nothing to keep the token with"):
        Keyring(tmp_path / "none.json", {}).keep_token("kite", "t", "2026-11-25")
    with pytest.raises(BadSecret, match="cannot be written"):
        Keyring(tmp_path / "no" / "s.json", {"PARTICIPANT_KITE_API_KEY": "k"}).keep_token("kite", "t", "2026-11-25")
