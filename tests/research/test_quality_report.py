"""The data-quality report: one page and a summary, of files and of a catalogue."""

import datetime
import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from participant.cli import main
from tests.history.bhavcopies import chain, udiff, udiff_name, zipped
from tests.history.recorded import DATA, needs_data

DAYS = tuple(datetime.date(2025, 10, day) for day in (13, 14, 16))  # a Monday, a Tuesday and a Thursday
EXPIRY = datetime.date(2025, 10, 28)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    for day in DAYS:
        rows = chain(day, "NIFTY", 25_100.0, (EXPIRY,), range(24_500, 25_700, 50))
        zipped(folder, udiff_name(day), udiff(day, rows))
    return folder


@pytest.fixture(scope="module")
def catalogue(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kept") / "catalogue"
    assert main(["catalogue", "import", str(files), "--into", str(folder), "--quiet"]) == 0
    return folder


class Outline(HTMLParser):
    """Titles, and what would be fetched from elsewhere."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.titles, self.pictures, self.foreign, self.unsafe = list[str](), 0, list[str](), list[str]()
        self._is_title = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._is_title = tag in {"h1", "h2"}
        self.pictures += tag == "svg"
        self.unsafe += [tag] if tag in {"script", "img", "link", "iframe"} else []
        self.foreign += [v for k, v in attrs if k in {"src", "href"} and v and not v.startswith("#")]

    def handle_data(self, data: str) -> None:
        self.titles += [data] if self._is_title else []
        self._is_title = False


def test_the_page_stands_alone_and_is_the_same_each_time(files: Path, tmp_path: Path) -> None:
    pages = []
    for name in ("a.html", "b.html"):
        assert main(["catalogue", "report", str(files), "--out", str(tmp_path / name), "--quiet"]) == 0
        pages.append((tmp_path / name).read_text())
    assert pages[0] == pages[1]
    outline = Outline(pages[0])
    assert outline.titles == [
        "Data quality: NIFTY", "What to know first", "Coverage", "What is kept apart", "Spreads",
        "Do the prices agree with each other", "Stale quotes and gaps", "Quotes, scrip by scrip",
        "What is missing, modelled or derived", "Days to look at",
    ]  # fmt: skip
    assert (outline.pictures, outline.foreign, outline.unsafe) == (3, [], [])
    assert "quotes of NIFTY are a model" in pages[0]


def test_a_catalogue_and_the_files_that_it_came_from_say_the_same(
    files: Path, catalogue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = []
    for place in (files, catalogue):
        main(["catalogue", "report", str(place), "--out", str(tmp_path / "page.html"), "--json"])
        told.append(json.loads(capsys.readouterr().out))
    assert told[0] == told[1]
    (nifty,) = told[0]["scrips"]
    assert (nifty["days"], nifty["sessions_missing"], nifty["modelled"]) == (3, 1, 1.0)
    assert (nifty["without_close"], nifty["futures_by_parity"]) == (0, 2), "the first day knows no listed future"


def test_a_damaged_day_is_named_and_a_person_asked(
    catalogue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = catalogue / "chains" / "NIFTY" / f"{DAYS[1]}.parquet"
    whole = file.read_bytes()
    file.write_bytes(whole[:200])
    try:
        assert main(["catalogue", "report", str(catalogue), "--out", str(tmp_path / "page.html")]) == 1
    finally:
        file.write_bytes(whole)
    assert f"cannot be read: {file} is no day of a catalogue" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--symbols", "TCS"], "has nothing of these --symbols and --date: `participant catalogue list"),
        (["--date", "2024-01-01"], "has nothing of these --symbols and --date: `participant catalogue list"),
        (["--out", "/nowhere/page.html"], "/nowhere/page.html cannot be written: No such file or directory"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    more: list[str], said: str, catalogue: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["catalogue", "report", str(catalogue), *more]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1


@needs_data
def test_recorded_days_are_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    places = [str(DATA / "nse_chain_multi_expiry_2019_06"), str(DATA / "nse_daily_official")]
    span = ["--symbols", "NIFTY", "--date", "2019-06-03..2019-06-06"]
    assert main(["catalogue", "report", *places, *span, "--out", str(tmp_path / "page.html"), "--json"]) == 0
    (nifty,) = json.loads(capsys.readouterr().out)["scrips"]
    assert (nifty["days"], nifty["days_without"], nifty["sessions_missing"]) == (3, 0, 0), "the fifth was a holiday"
    assert 0.005 < nifty["spread"] < 0.05
    assert 0 < nifty["residual_bp"] < 20
    assert nifty["modelled"] == 0
