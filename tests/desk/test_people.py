"""The desk's commands over a real home: an order that nobody knows of, done by hand; channels that are quiet."""

import json
import shutil
from pathlib import Path

import pytest

from tests.desk.runs import COARSE, DAY, Ended, participant, trade


@pytest.fixture(scope="module")
def lost(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A day with one order that the broker never showed, and its ticket's name."""
    folder = tmp_path_factory.mktemp("lost")
    faults = folder / "faults.toml"
    faults.write_text('[broker]\n[broker.plan.2]\nkind = "lose"\n')
    ended = trade(folder / "home", *COARSE, "--faults", faults)
    (ticket,) = ended.summary["tickets"]
    return folder / "home", ticket["ticket_id"]


def said_no(ended: Ended, *words: str) -> None:
    assert (ended.status, ended.out, ended.err.count("\n")) == (2, "", 1), ended
    for word in words:
        assert word in ended.err


def test_a_fill_entered_once_the_desk_has_stopped_is_booked_by_the_command(
    tmp_path: Path, lost: tuple[Path, str]
) -> None:
    home, name = tmp_path / "home", lost[1]
    shutil.copytree(lost[0], home)

    def desk(*words: object) -> Ended:
        return participant(tmp_path, *words, "--home", home, "--json")

    work = json.loads(desk("desk", "show", name).out)["work"]
    before = json.loads(desk("tradebook", "--day", DAY).out)["fills"]
    assert desk("desk", "claim", name, "--by", "asha", "--unchecked").status == 0
    figures = ("--quantity", work["quantity"], "--price", work["limit"] / 10_000)
    filled = desk("desk", "fill", name, "--by", "asha", "--broker-order-id", "H1", *figures)
    assert filled.status == 0, filled
    after = json.loads(desk("tradebook", "--day", DAY).out)["fills"]
    assert len(after) == len(before) + 1


def test_a_ticket_from_the_first_look_to_the_end(tmp_path: Path, lost: tuple[Path, str]) -> None:
    home, name = lost

    def desk(*words: object) -> Ended:
        return participant(tmp_path, "desk", *words, "--home", home)

    fill = ("fill", name[:8], "--by", "asha", "--broker-order-id", "H1")
    shown = desk("show", name[:8])
    assert shown.status == 1
    for word in ("DO NOT EXECUTE", "MAY ALREADY BE LIVE", "why: ", "sent 1 time, last under tag"):
        assert word in shown.out
    said_no(desk("show", "zzz"), "no ticket begins with 'zzz'")
    said_no(desk(*fill, "--quantity", 65, "--price", 100), "nobody has claimed it")
    said_no(desk(*fill, "--quantity", "many", "--price", 100), "'many' is no number")
    said_no(desk(*fill, "--quantity", 65, "--price", "1.00001"), "is no price")
    said_no(desk(*fill, "--quantity", 65, "--price", 100, "--at", "25:00"), "is no time of day")
    said_no(desk("ack", name[:8], "--by", "a\nb"), "--by takes")
    assert desk("ack", name[:8], "--by", "asha").status == 0
    said_no(desk("claim", name[:8], "--by", "asha"), "the broker's book could not be read", "--unchecked")
    claimed = desk("claim", name[:8], "--by", "asha", "--unchecked").out
    assert "claimed by asha" in claimed
    assert "NOT PROVEN: the broker's book could not be read" in claimed
    said_no(desk("found", name[:8], "--by", "asha", "--broker-order-id", "H1"), "the broker's book cannot be read now")
    said_no(desk("claim", name[:8], "--by", "ben"), "it is claimed by asha")
    said_no(desk("reject", name[:8], "--by", "ben", "--reason", "no"), "it is claimed by asha")
    said_no(desk(*fill, "--quantity", 1, "--price", 100), "no whole lots")
    said_no(desk(*fill, "--quantity", 65, "--price", 99_999), "is not within")
    assert desk("reject", name[:8], "--by", "asha", "--reason", "expired").status == 0
    said_no(desk("close", name[:8], "--reason", "again"), "it is closed: expired")
    assert desk("list").status == 0


def test_a_channel_that_is_quiet_is_named_and_needs_a_person(tmp_path: Path) -> None:
    secrets, config = tmp_path / "people.secrets", tmp_path / "own.toml"
    secrets.write_text('[webhook]\nall = "json://127.0.0.1:9/s3cr3t"\n')
    secrets.chmod(0o600)
    config.write_text(f'[people]\nsecrets = "{secrets}"\nretry_after_s = 0.1\n')
    home = tmp_path / "home"
    ended = trade(home, *COARSE, "--config", config)
    assert ended.status == 1
    assert ended.summary["quiet"] == {"webhook to all": "connection refused"}
    status = participant(tmp_path, "status", "--home", home)
    assert (status.status, "quiet channel webhook to all: connection refused" in status.out) == (1, True)
    assert not [f for f in home.rglob("*") if f.is_file() and b"s3cr3t" in f.read_bytes()]


def test_addresses_that_others_can_read_stop_the_day_before_it_begins(tmp_path: Path) -> None:
    secrets, config = tmp_path / "people.secrets", tmp_path / "own.toml"
    secrets.write_text("")
    secrets.chmod(0o644)
    config.write_text(f'[people]\nsecrets = "{secrets}"\n')
    said_no(trade(tmp_path / "home", *COARSE, "--config", config), "is open to others")
