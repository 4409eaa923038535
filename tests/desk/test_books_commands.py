"""The books from the command line, on a day that has ended: what is held, what was booked, the report, the note."""

import csv
import io
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.desk.runs import COARSE, DAY, MADE, Ended, broker_of, participant, trade

NOTE = ("day", "contract", "brokerage", "stt", "exchange", "sebi", "stamp", "gst", "ipft")


@pytest.fixture
def home(calm: tuple[Path, Ended], tmp_path: Path) -> Path:
    """A copy of the home of the undisturbed day."""
    copied = tmp_path / "home"
    shutil.copytree(calm[0], copied)
    return copied


def said(home: Path, *words: object) -> tuple[int, object]:
    """What a command says in JSON, and its status."""
    ended = participant(home.parent, *words, "--home", home, "--json")
    assert ended.err == ""
    return ended.status, json.loads(ended.out)


def test_positions_and_tradebook_tell_what_was_booked(home: Path) -> None:
    status, held = said(home, "positions")
    assert status == 0
    assert isinstance(held, list)
    assert sorted(line["quantity"] for line in held) == [-65, 65]
    status, book = said(home, "tradebook", "--day", DAY)
    assert status == 0
    assert isinstance(book, dict)
    assert (len(book["fills"]), [e["kind"] for e in book["events"]]) == (2, ["settled"])
    text = participant(home.parent, "tradebook", "--home", home).out
    assert text.count("decision ") == 2


def test_reconcile_of_a_day_whose_venue_is_gone_says_so_and_needs_a_person(home: Path) -> None:
    ended = participant(home.parent, "reconcile", "--home", home)
    assert ended.status == 1
    assert "does not answer; last compared at" in ended.out
    assert "no breaks" in ended.out
    refused = participant(home.parent, "reconcile", "--adopt", "NIFTY-20261229-FUT", "--home", home)
    assert refused.status == 2
    assert "has no break to take over" in refused.err


def test_a_day_leaves_its_report_and_a_person_signs_it(home: Path) -> None:
    page = home / "reports" / f"{DAY}.html"
    assert "<svg" in page.read_text()
    values = json.loads((home / "reports" / f"{DAY}.json").read_bytes())
    assert sum(e["total"] for e in values["explained"].values()) == values["result"]
    assert participant(home.parent, "report", "sign", DAY, "--home", home).status == 2
    status, signed = said(home, "report", "sign", DAY, "--by", "Asha", "--note", "read")
    assert status == 0
    assert isinstance(signed, dict)
    assert "Asha" in page.read_text()
    shown = participant(home.parent, "report", "--home", home)
    assert (shown.status, "Asha" in shown.out) == (0, True)
    assert participant(home.parent, "report", "--html", "--home", home).out.strip() == str(page)


@pytest.mark.parametrize("words", [("yesterday",), ("2020-01-01",), (DAY, "sign"), (DAY, DAY)])
def test_a_report_of_no_day_is_refused(home: Path, words: tuple[str, ...]) -> None:
    ended = participant(home.parent, "report", *words, "--home", home)
    assert (ended.status, ended.err.count("\n")) == (2, 1)


def test_two_days_are_explained_to_the_paisa_each_from_the_close_before(tmp_path: Path) -> None:
    home = tmp_path / "home"
    days = [word.replace(DAY, f"{DAY}..2026-11-26") for word in COARSE]
    assert participant(tmp_path, "trade", *days, "--home", home, "--quiet").status == 0
    for day in (DAY, "2026-11-26"):
        values = json.loads((home / "reports" / f"{day}.json").read_bytes())
        assert values["not_explained"] == 0
        total = values["explained"]["NIFTY"]
        assert sum(paise for name, paise in total.items() if name != "total") == total["total"] == values["result"]
        assert abs(total["residual"]) < 0.2 * sum(abs(paise) for paise in total.values())


def note(home: Path, **changes: str) -> Path:
    """The note that agrees with the day's books, but for these cells of its first row."""
    values = json.loads((home / "reports" / f"{DAY}.json").read_bytes())
    total = {name: f"{paise / 100:.2f}" for name, paise in values["charges"].items()}
    keys = [fill["contract"] for fill in values["fills"]]
    file, text = home.parent / "note.csv", io.StringIO()
    writer = csv.DictWriter(text, NOTE)
    writer.writeheader()
    for number, contract in enumerate(keys):
        name = f"{contract['underlying']}-{contract['expiry'].replace('-', '')}"
        strike = contract["strike"] // 10_000
        key = f"{name}-{strike}{contract['kind']}" if strike else f"{name}-FUT"
        row = {"day": DAY, "contract": key, **(total if number == 0 else dict.fromkeys(total, "0"))}
        writer.writerow({**row, **(changes if number == 0 else {})})
    file.write_text(text.getvalue())
    return file


def test_a_note_is_compared_and_recorded_once(home: Path) -> None:
    """All charges stand in the first row, so both rows differ from what was booked."""
    file = note(home)
    ended = participant(home.parent, "note", "import", file, "--home", home)
    assert (ended.status, ended.err) == (1, "")
    assert ended.out.count("charges ") >= 2
    assert "nothing changes" in participant(home.parent, "note", "import", file, "--home", home).out
    refused = participant(home.parent, "report", "sign", DAY, "--by", "Asha", "--home", home)
    assert refused.status == 2
    assert "without a reason yet" in refused.err


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"gst": "x"}, "line 2: gst is 'x'"),
        ({"contract": "ODD"}, "line 2: ODD was not traded"),
        ({"day": "1"}, "line 3"),
    ],
)
def test_a_bad_note_is_refused_with_its_line(home: Path, changes: dict[str, str], why: str) -> None:
    ended = participant(home.parent, "note", "import", note(home, **changes), "--home", home)
    assert (ended.status, ended.err.count("\n")) == (2, 1)
    assert why in ended.err
    assert participant(home.parent, "note", "import", home / "nothing.csv", "--home", home).status == 2


def test_a_day_does_not_begin_on_positions_that_the_broker_does_not_have(home: Path) -> None:
    """S10: the broker has lost what we hold. The day is blocked until a person takes its word for it."""
    lines = json.dumps(broker_of(home)["ledger"]["lines"])
    state = json.dumps(json.loads((home / "venue.json").read_bytes()))
    assert lines in state
    (home / "venue.json").write_text(state.replace(lines, "{}"))
    next_day = [word.replace(DAY, "2026-11-26") for word in MADE]
    ended = participant(home.parent, "trade", *next_day, "--home", home)
    assert ended.status == 1
    assert "unlike the broker's" in ended.err
    assert ended.err.count("\n") == 1
    status, found = said(home, "reconcile")
    assert status == 1
    assert isinstance(found, dict)
    assert {b["key"]: b["theirs"] for b in found["breaks"]} == dict.fromkeys((b["key"] for b in found["breaks"]), "0")
    for broken in found["breaks"]:
        ended = participant(home.parent, "reconcile", "--adopt", broken["key"], "--home", home)
        assert "taken over" in ended.out
    assert said(home, "positions") == (0, [])


def test_s28_a_day_does_not_begin_with_an_odd_lot_before_a_person_has_settled_it(home: Path) -> None:
    """S28: what was bought as a lot of 75 is held, and today a lot is 65."""
    future = "NIFTY-20261229-FUT"
    venue = json.loads((home / "venue.json").read_bytes())
    venue["broker"]["ledger"]["lines"][future]["quantity"] = 75
    (home / "venue.json").write_text(json.dumps(venue))
    with closing(sqlite3.connect(home / "books.sqlite")) as books, books:
        (text,) = books.execute("SELECT CAST(value AS TEXT) FROM rows WHERE tbl = 'positions'").fetchone()
        position = json.loads(text)
        (held,) = (h for h in position["holdings"] if h["contract"]["kind"] == "FUT")
        held["quantity"] = held["contract"]["lot"] = 75
        books.execute("UPDATE rows SET value = ? WHERE tbl = 'positions'", (json.dumps(position).encode(),))
    day = (*MADE[:2], "2026-11-26", *MADE[3:])
    ended = trade(home, *day)
    assert (ended.status, ended.out) == (1, "")
    assert f"an odd lot: +75 {future} are no whole lots of 65, 2026-11-26 does not begin" in ended.err
    again = trade(home, *day)
    assert (again.status, "1 open ticket in" in again.err) == (2, True)
    listed = participant(home.parent, "desk", "list", "--home", home).out
    assert listed.count("an odd lot") == 1
