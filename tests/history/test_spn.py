"""A SPAN file of a day: what it asks for, beside our estimate, and every fault in it named. The files are made here."""

import sys
from datetime import date
from pathlib import Path

import pytest

from participant.cli import main
from participant.config import load_rules
from participant.core.margin import MarginRates, margin
from participant.core.pricing import price, years_to
from participant.core.scrip import Contract, Kind
from participant.core.session import at_time, usual_close
from participant.history.pages import BadData
from participant.history.spn import required

DAY, JUNE, JULY = date(2026, 5, 29), date(2026, 6, 30), date(2026, 7, 28)
AT = at_time(DAY, 15, 30)
RULES = load_rules()
RATES = RULES.margin_rates("NIFTY", DAY)
FUTURE_AT, SPOT, SIGMA = 23_748.5, 23_547.75, 0.147
STEPS = (0.0, 1 / 3, -1 / 3, 2 / 3, -2 / 3, 1.0, -1.0)


def contract(kind: Kind, strike: int = 0, expiry: date = JUNE) -> Contract:
    return Contract("NIFTY", expiry, kind, strike * 10_000, 65, 500, 1_800)


def risks(kind: Kind, strike: int, expiry: date, rates: MarginRates) -> str:
    """The array of a unit bought: what it loses in each scenario, in the file's order; then its delta."""
    reach, shift = rates.price_scan_min * FUTURE_AT, max(rates.volatility_scan_min, 0.25 * SIGMA)
    now = worth(kind, strike, expiry, FUTURE_AT, SIGMA)
    moves = [(FUTURE_AT + step * reach, SIGMA + s) for step in STEPS for s in (shift, -shift)]
    losses = [now - worth(kind, strike, expiry, *move) for move in moves]
    far = [0.35 * (now - worth(kind, strike, expiry, FUTURE_AT + 2 * d * reach, SIGMA)) for d in (1, -1)]
    delta = {Kind.FUTURE: 1.0, Kind.CALL: 0.5, Kind.PUT: -0.5}[kind]
    return "<ra>" + "".join(f"<a>{loss:.6f}</a>" for loss in (*losses, *far)) + f"<d>{delta}</d></ra>"


def worth(kind: Kind, strike: int, expiry: date, forward: float, sigma: float) -> float:
    if kind is Kind.FUTURE:
        return forward
    return price(kind is Kind.CALL, forward, strike, years_to(usual_close(expiry), AT), sigma)


def future(expiry: date, at: float = FUTURE_AT) -> str:
    array = risks(Kind.FUTURE, 0, expiry, RATES)
    return f"<fut><cId>1</cId><pe>{expiry:%Y%m%d}</pe><p>{at}</p><d>1</d><v>0</v>{array}</fut>"


def option(side: str, strike: int, expiry: date) -> str:
    kind = Kind.CALL if side == "C" else Kind.PUT
    now = worth(kind, strike, expiry, FUTURE_AT, SIGMA)
    array = risks(kind, strike, expiry, RATES)
    return f"<opt><cId>1</cId><o>{side}</o><k>{strike}</k><p>{now}</p><d>0</d><v>0</v>{array}</opt>"


def spn(day: date = DAY, expiry: date = JUNE) -> str:
    """A file as the clearing corporation writes it: three contracts of NIFTY in one month, a future in the next."""
    options = option("C", 23_700, expiry) + option("P", 23_000, expiry)
    spread = (
        "<dSpread><spread>1</spread><chargeMeth>F</chargeMeth><rate><r>1</r><val>420</val></rate>"
        f"<pLeg><cc>NIFTY</cc><pe>{expiry:%Y%m%d}</pe><rs>A</rs><i>1</i></pLeg>"
        f"<pLeg><cc>NIFTY</cc><pe>{JULY:%Y%m%d}</pe><rs>B</rs><i>1</i></pLeg></dSpread>"
    )
    return (
        f"<spanFile><fileFormat>4.00</fileFormat><pointInTime><date>{day:%Y%m%d}</date><isSetl>1</isSetl><clearingOrg>"
        f"<ec>NSE</ec><exchange><phyPf><pfId>1</pfId><pfCode>NIFTY</pfCode><phy><p>{SPOT}</p></phy></phyPf>"
        f"<futPf><pfId>2</pfId><pfCode>NIFTY</pfCode>{future(expiry)}{future(JULY)}</futPf><oopPf><pfId>3</pfId>"
        f"<pfCode>NIFTY</pfCode><series><pe>{expiry:%Y%m%d}</pe>{options}</series></oopPf></exchange>"
        f"<ccDef><cc>NIFTY</cc><name>NIFTY</name>{spread}</ccDef></clearingOrg></pointInTime></spanFile>"
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "nsccl.20260529.s.spn"
    path.write_text(spn())
    return path


LONG, CALL, PUT = (contract(Kind.FUTURE), 65), (contract(Kind.CALL, 23_700), -65), (contract(Kind.PUT, 23_000), 65)


@pytest.mark.parametrize("legs", [(LONG,), (CALL,), (LONG, CALL), (LONG, PUT)])
def test_on_the_files_own_scenarios_the_estimate_is_the_files_figure_but_for_where_exposure_is_taken(
    legs: tuple[tuple[Contract, int], ...], file: Path
) -> None:
    found = required(file, legs, RULES)
    assert (found.symbol, found.day, found.level) == ("NIFTY", DAY, 237_485_000)
    assert found.volatility == pytest.approx(SIGMA, rel=1e-6)
    # An option's exposure is of the spot, where our estimate takes the future's price.
    sold = sum(-units for held, units in legs if held.kind is not Kind.FUTURE and units < 0)
    assert found.estimate == pytest.approx(found.total + sold * (FUTURE_AT - SPOT) * RATES.exposure * 100, abs=5)
    assert found.estimate == margin(RATES, legs, found.level, found.volatility or 0.0, AT)


def test_a_future_needs_the_scan_and_two_percent(file: Path) -> None:
    found = required(file, (LONG,), RULES)
    assert found.span == pytest.approx(0.093 * FUTURE_AT * 65 * 100, abs=1)
    assert found.exposure == pytest.approx(0.02 * FUTURE_AT * 65 * 100, abs=1)


def test_a_calendar_spread_pays_the_files_rate_and_on_the_last_day_each_leg_for_itself(tmp_path: Path) -> None:
    path = tmp_path / "file.spn"
    path.write_text(spn())
    legs = (LONG, (contract(Kind.FUTURE, expiry=JULY), -65))
    assert required(path, legs, RULES).span == 420 * 65 * 100
    path.write_text(spn(day=DAY, expiry=DAY))
    last = ((contract(Kind.FUTURE, expiry=DAY), 65), legs[1])
    assert required(path, last, RULES).span == pytest.approx(2 * 0.093 * FUTURE_AT * 65 * 100, abs=2)


FAULTS = [
    ("<pointInTime>", "<pointInTime", "damaged, or no SPAN file"),
    ("<date>20260529</date>", "<date>May</date>", "damaged, or no SPAN file"),
    (f"<phy><p>{SPOT}</p>", "<phy><p>n/a</p>", "NIFTY has no price of the underlying"),
    (f"<p>{FUTURE_AT}</p>", "<p>n/a</p>", "NIFTY-20260630-FUT has no price or no risks"),
    ("<a>0.000000</a>", "<a>nil</a>", "damaged, or no SPAN file"),
    ("<a>0.000000</a>", "", "damaged, or no SPAN file"),
    ("<pfCode>NIFTY</pfCode><phy>", "<pfCode>FINNIFTY</pfCode><phy>", "NIFTY has no price of the underlying"),
]


@pytest.mark.parametrize(("old", "new", "said"), FAULTS)
def test_a_damaged_file_is_refused_and_never_read_as_nothing(old: str, new: str, said: str, file: Path) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    with pytest.raises(BadData, match=said):
        required(file, (LONG,), RULES)


def test_what_the_file_does_not_hold_is_refused(file: Path) -> None:
    with pytest.raises(BadData, match=r"has no NIFTY-20260630-25000CE: name a contract that was listed"):
        required(file, ((contract(Kind.CALL, 25_000), -65),), RULES)
    with pytest.raises(BadData, match="has nothing of BANKNIFTY"):
        required(file, ((Contract("BANKNIFTY", JUNE, Kind.FUTURE, 0, 30, 1, 1), 30),), RULES)
    with pytest.raises(BadData, match=r"none\.spn cannot be read: No such file"):
        required(file.parent / "none.spn", (LONG,), RULES)


def test_without_the_extra_it_is_said_how_to_have_it(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "marginism.algorithm", None)
    with pytest.raises(BadData, match=r"needs the extra `span`: say `pip install 'participant\[span\]'`"):
        required(file, (LONG,), RULES)


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_says_both_figures_and_how_far_apart_they_are(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["margin", str(file), "NIFTY-20260630-FUT=65"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("NIFTY by the file of 2026-05-29: ₹174,433 = SPAN ₹143,560, exposure ₹30,873")
    assert "our estimate: ₹174,433, 0.0% off, at ₹23,748.50 and 14.7% a year" in text


def test_a_file_without_calls_has_no_estimate(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(file.read_text().replace("<o>C</o>", "<o>P</o>"))
    assert main(["margin", str(file), "NIFTY-20260630-FUT=65"]) == 0
    assert "no estimate: the file has no call at the money" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["NIFTY-20260630-FUT=65", "BANKNIFTY-20260630-FUT=30"], "name legs of one underlying"),
        (["NIFTY-20260630-FUT=65", "NIFTY-20260630-FUT=65"], "each contract once"),
        (["NIFTY-20260630-24000CE=-65"], "has no NIFTY-20260630-24000CE"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_one_line(
    words: list[str], said: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["margin", str(file), *words]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("word", ["NIFTY", "NIFTY-20260630-FUT", "NIFTY-20261330-FUT=65", "NIFTY-20260630-CE=1"])
def test_a_word_that_is_no_leg_is_refused(word: str, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["margin", str(file), word])
    assert caught.value.code == 2
    assert "is no leg; write CONTRACT=UNITS" in capsys.readouterr().err
