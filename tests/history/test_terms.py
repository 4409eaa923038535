"""Brokers' contract masters as the terms of a day."""

import datetime
import json
from pathlib import Path

import pytest

from participant.cli import main
from participant.config import load_rules
from participant.core.master import Listing
from participant.core.scrip import Kind
from participant.history import catalogue
from participant.history.pages import BadData
from participant.history.recordings import load_day, open_recordings
from participant.history.terms import NO_TERMS, keep_terms, read_terms
from participant.wire.masters import MasterFile
from tests.history.bhavcopies import chain, udiff, udiff_name, zipped
from tests.history.recorded import DATA, needs_data

DAY, EXPIRY = datetime.date(2025, 10, 14), datetime.date(2025, 10, 28)
MASTERS = sorted((DATA / "instruments").glob("*.csv.gz"))


def master(broker: str, *, lot: int = 700, tick: int = 500, freeze: int = 35_000) -> MasterFile:
    listed = [Listing("x", "RELIANCE", EXPIRY, kind, strike * 10_000, lot, tick)
              for strike in (1_380, 1_400) for kind in (Kind.CALL, Kind.PUT)]  # fmt: skip
    return MasterFile(broker, tuple(listed), {"RELIANCE": freeze} if freeze else {})


def test_what_a_master_tells_is_read_back(tmp_path: Path) -> None:
    assert read_terms(tmp_path, DAY) == NO_TERMS
    assert keep_terms(tmp_path, DAY, master("ICICI Breeze"))
    assert not keep_terms(tmp_path, DAY, master("ICICI Breeze")), "the same again changes nothing"
    told = read_terms(tmp_path, DAY)
    assert told.freezes == {"RELIANCE": 35_000}
    assert {(one.lot, one.tick, one.broker) for one in told.of.values()} == {(700, 500, "icici-breeze")}
    assert read_terms(tmp_path, DAY + datetime.timedelta(1)) == NO_TERMS, "of one day alone"


def test_two_masters_of_a_day_must_agree(tmp_path: Path) -> None:
    keep_terms(tmp_path, DAY, master("Kite"))
    assert keep_terms(tmp_path, DAY, master("Upstox", freeze=0))
    with pytest.raises(BadData, match=r"lot 750, tick 0\.05 by ICICI Breeze, lot 700, tick 0\.05 by "):
        keep_terms(tmp_path, DAY, master("ICICI Breeze", lot=750))
    with pytest.raises(BadData, match=r"kite\.csv is there with other contents: remove it"):
        keep_terms(tmp_path, DAY, master("Kite", tick=100))


def test_a_file_that_was_broken_by_hand_is_named(tmp_path: Path) -> None:
    keep_terms(tmp_path, DAY, master("Kite"))
    (file,) = (tmp_path / "terms").iterdir()
    file.write_text(file.read_text().replace("700", "many", 1))
    with pytest.raises(BadData, match=r"kite\.csv: line 2: .*many.*: remove it, and import it again"):
        read_terms(tmp_path, DAY)


def test_a_stock_that_no_rule_knows_is_played_by_the_master_of_its_day(tmp_path: Path) -> None:
    files, folder = tmp_path / "files", tmp_path / "catalogue"
    files.mkdir()
    rows = [row._replace(lot=700) for row in chain(DAY, "RELIANCE", 1_390.0, (EXPIRY,), (1_380, 1_400))]
    zipped(files, udiff_name(DAY), udiff(DAY, rows, is_stock=True))
    assert main(["catalogue", "import", str(files), "--into", str(folder), "--quiet"]) == 0
    assert catalogue.days(folder) == [("RELIANCE", DAY)]
    keep_terms(folder, DAY, master("Kite"))
    market = load_day(open_recordings([folder]), DAY, load_rules())
    options = [one for one in market.contracts() if one.kind in {Kind.CALL, Kind.PUT}]
    assert {(one.lot, one.tick, one.freeze) for one in options} == {(700, 500, 35_000)}
    assert "RELIANCE: lots and ticks by the master of kite" in market.notes()


@needs_data
def test_masters_of_two_brokers_are_imported_and_compared_with_the_rules(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["catalogue", "terms", *map(str, MASTERS), "--on", "2026-07-30", "--into", str(tmp_path), "--json"]
    assert main(words) == 1, "FINNIFTY's strikes differ"
    breeze, upstox = json.loads(capsys.readouterr().out)
    assert (breeze["broker"], breeze["contracts"]) == ("ICICI Breeze", 8_735)
    assert (upstox["broker"], upstox["contracts"]) == ("Upstox", 4_749)
    open_ones = {one["subject"] for told in (breeze, upstox) for one in told["differences"] if not one["explained"]}
    assert open_ones == {"strike step of FINNIFTY"}
    day = datetime.date(2026, 7, 30)
    assert {term.lot for key, term in read_terms(tmp_path, day).of.items() if key.startswith("NIFTY-")} == {65}


@needs_data
def test_a_master_of_another_day_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["catalogue", "terms", str(MASTERS[0]), "--on", "2026-09-30", "--into", str(tmp_path)]
    assert main(words) == 2
    assert "it is not of 2026-09-30" in capsys.readouterr().err
