"""The addresses of people: from a file that only its owner reads, never repeated in what is said."""

from pathlib import Path

import pytest

from participant.config import BadConfig
from participant.links.addresses import load_addresses


def written(tmp_path: Path, text: str, mode: int = 0o600) -> str:
    path = tmp_path / "people.secrets"
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def test_addresses_come_from_the_file_and_the_environment_which_goes_before(tmp_path: Path) -> None:
    file = written(tmp_path, '[push]\nall = "ntfy://a"\n[voice]\nprimary = "twilio://b"\n')
    environ = {"PARTICIPANT_NOTIFY_PUSH": "ntfy://c", "PARTICIPANT_NOTIFY_VOICE_SECONDARY": "twilio://d", "HOME": "/"}
    assert load_addresses(file, environ) == {
        ("push", "all"): "ntfy://c", ("voice", "primary"): "twilio://b", ("voice", "secondary"): "twilio://d",
    }  # fmt: skip


def test_without_either_there_are_none() -> None:
    assert load_addresses("", {"PARTICIPANT_NOTIFY_PUSH": ""}) == {}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(BadConfig, match=r"is open to others .*chmod 600"):
        load_addresses(written(tmp_path, "", mode), {})


@pytest.mark.parametrize(
    "text",
    [
        "s3cr3t",
        '[pusch]\nall = "s3cr3t"',
        "[push]\nall = 3",
        'push = "s3cr3t"',
        '[push]\nall = ""',
        "[push]\nall = s3cr3t",
    ],
)
def test_what_is_wrong_is_said_without_a_secret(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadConfig) as told:
        load_addresses(written(tmp_path, text), {})
    assert "s3cr3t" not in str(told.value)
    assert "\n" not in str(told.value)


def test_a_file_that_is_not_there_and_a_channel_that_there_is_not_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="cannot be read"):
        load_addresses(str(tmp_path / "none"), {})
    with pytest.raises(BadConfig, match="there is no channel 'pigeon'"):
        load_addresses("", {"PARTICIPANT_NOTIFY_PIGEON": "x"})
