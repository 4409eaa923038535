"""What the feeds said is recorded beside the desk, and played again to the same decisions."""

import datetime
import json
import subprocess
import sys
from pathlib import Path

from participant.config import load_rules
from participant.core.market import Ticks
from participant.history import heard
from participant.history.heard_market import HeardMarket
from participant.history.synthetic import SyntheticMarket
from tests.desk.runs import DAY, MADE, SEED, Ended, environment, log_bytes, participant, trade

ON = datetime.date.fromisoformat(DAY)


def test_a_day_is_recorded_and_decided_again_from_its_recording_to_the_same_bytes(
    tmp_path: Path, calm: tuple[Path, Ended]
) -> None:
    folder = tmp_path / "recorded"
    done = trade(tmp_path / "first", *MADE, "--record", folder)
    assert done.status == 0, done.err
    assert "sealed" in done.err
    assert log_bytes(tmp_path / "first") == log_bytes(calm[0]), "a recorder changes nothing"
    names = sorted(file.name for file in (folder / DAY).iterdir())
    assert names == ["day.json", "frames.parquet", "quotes.parquet"]
    assert {e.provider for e in heard.events(folder, ON) if isinstance(e, Ticks)} == {"one", "two", "three"}

    again = trade(tmp_path / "again", "--lockstep", "--date", DAY, "--data", folder)
    assert again.status == 0, again.err
    assert log_bytes(tmp_path / "again") == log_bytes(calm[0])
    for figure in ("fills", "result", "charges", "positions"):
        assert again.summary[figure] == done.summary[figure]

    refused = trade(tmp_path / "third", *MADE, "--record", folder)
    assert refused.status == 2
    assert "is recorded there and sealed; name another folder" in refused.err
    backtest = ("backtest", "covered-call", "--underlying", "NIFTY", "--from", DAY, "--to", DAY)
    refused = participant(tmp_path, *backtest, "--data", folder, "--capital", 10_000_000)
    assert refused.status == 2
    assert "holds what feeds said, not chains" in refused.err


def test_a_venue_is_recorded_without_a_desk_until_its_day_is_over(tmp_path: Path) -> None:
    words = ["--speed", "3000", "--date", DAY, "--seed", str(SEED), "--symbols", "NIFTY", "--step", "600"]
    command = [sys.executable, "-m", "participant", "venue", "--home", str(tmp_path / "home"), *words]
    with subprocess.Popen(command, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE) as venue:
        assert venue.stdout is not None
        url = f"http://127.0.0.1:{json.loads(venue.stdout.readline())['http']}"
        done = participant(tmp_path, "record", "--venue", url, "--into", "recorded", "--json")
        again = participant(tmp_path, "record", "--venue", url, "--into", "recorded")
        venue.terminate()
    assert done.status == 0, done.err
    told = json.loads(done.out)
    assert (told["is_sealed"], told["lost"]) == (True, 0)
    assert told["bytes_a_row"] < 40, "few rows, each new"
    assert again.status == 2
    assert "is recorded there and sealed" in again.err
    market = HeardMarket(tmp_path / "recorded", ON)
    made = SyntheticMarket(SEED, ON, load_rules(), ("NIFTY",), 600)
    book, truth = {}, {}
    heard_at = [instant.at for instant in market.instants()]
    for instant in market.instants():
        book.update({tick.contract: tick for tick in instant.ticks})
    for instant in made.instants():
        truth.update({tick.contract: tick for tick in instant.ticks})
    assert book == truth
    assert heard_at == [instant.at for instant in made.instants()]
    assert market.settlements() == made.settlements()


def test_a_venue_in_lockstep_waits_for_a_desk_and_is_not_recorded_without_one(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "participant", "venue", "--home", str(tmp_path / "home"), *MADE]
    with subprocess.Popen(command, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE) as venue:
        assert venue.stdout is not None
        url = f"http://127.0.0.1:{json.loads(venue.stdout.readline())['http']}"
        done = participant(tmp_path, "record", "--venue", url, "--into", "recorded")
        venue.terminate()
    assert done.status == 2
    assert "`participant trade --record recorded` records that" in done.err
