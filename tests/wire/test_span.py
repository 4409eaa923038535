"""Published scan ranges: a table to rows of the rulebook, and every fault in one named."""

import gzip
import math
from datetime import date
from pathlib import Path

import pytest

from participant.config import BadConfig, load_rules
from participant.core.margin import margin
from participant.core.scrip import Contract, Kind
from participant.core.session import at_time
from participant.wire.span import BadScans, parse_scans
from tests.history.recorded import DATA, needs_data

HEAD = "date,symbol,expiry,futures_price,price_scan,price_scan_pct,vol_scan\n"
NIFTY = "2025-10-28,NIFTY,20251028,26046.1,2414.69,9.2708,0.04\n"
BANK = "2025-10-28,BANKNIFTY,20251028,58250.4,6500.0,11.1588,0.05\n"


def test_a_row_is_the_share_of_the_futures_price_for_its_day_alone() -> None:
    bank, nifty = parse_scans((HEAD + NIFTY + BANK + NIFTY).encode(), "a file")
    assert (nifty.symbol, nifty.since, nifty.until) == ("NIFTY", date(2025, 10, 28), date(2025, 10, 28))
    assert nifty.price_scan == pytest.approx(2414.69 / 26046.1, rel=1e-9)
    assert (nifty.volatility_scan, nifty.source, bank.volatility_scan) == (0.04, "a file", 0.05)
    assert parse_scans(gzip.compress((HEAD + NIFTY).encode()), "a file") == (nifty,)


FAULTS = [
    ("date,symbol\n", "no column futures_price; needed are date, symbol, futures_price, price_scan, vol_scan"),
    (HEAD + NIFTY + NIFTY.replace("0.04", "0.05"), "line 3: NIFTY on 2025-10-28 is there already"),
    (HEAD + NIFTY.replace("2414.69", "nan"), "line 2: a scan of nan on 26046.1 with 0.04 of volatility cannot be"),
    (HEAD + NIFTY.replace("2414.69", "-1"), "line 2: a scan of -1 on 26046.1"),
    (HEAD + NIFTY.replace("2414.69", "27000"), "line 2: a scan of 27000 on 26046.1"),
    (HEAD + NIFTY.replace("0.04", "4"), "line 2: a scan of 2414.69 on 26046.1 with 4 of volatility"),
    (HEAD + NIFTY.replace("2025-10-28", "28/10/2025"), "line 2: Invalid isoformat"),
    (HEAD + NIFTY.replace("NIFTY", " "), "line 2: no symbol"),
    (HEAD + "2025-10-28,NIFTY\n", "line 2: could not convert string to float"),
]


@pytest.mark.parametrize(("text", "said"), FAULTS)
def test_a_fault_is_named_by_its_line(text: str, said: str) -> None:
    with pytest.raises(BadScans) as caught:
        parse_scans(text.encode(), "a file")
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("body", [gzip.compress(HEAD.encode(), mtime=0)[:-9], b"\xff\xfe\x00"])
def test_a_file_that_is_cut_off_or_no_text_is_refused(body: bytes) -> None:
    with pytest.raises(BadScans, match="cut off or damaged"):
        parse_scans(body, "a file")


def test_a_setting_that_names_no_good_file_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"\[desk\] span_scans: .*none\.csv cannot be read: No such file"):
        load_rules(str(tmp_path / "none.csv"))
    bad = tmp_path / "bad.csv"
    bad.write_text(HEAD + NIFTY.replace("2414.69", "x"))
    with pytest.raises(BadConfig, match=r"\[desk\] span_scans: .*bad\.csv: line 2: could not convert"):
        load_rules(str(bad))


# --- against the exchange's own figures -------------------------------------------------------------------------------


# The worst error of the dated rules alone at a volatility of 15 %, by underlying and year (of the days in the table).
WORST = {
    ("BANKNIFTY", 2018): 0.01, ("BANKNIFTY", 2019): -0.23, ("BANKNIFTY", 2022): -0.27, ("BANKNIFTY", 2025): -0.18,
    ("FINNIFTY", 2022): -0.26, ("FINNIFTY", 2025): -0.18, ("MIDCPNIFTY", 2022): -0.33, ("MIDCPNIFTY", 2025): -0.09,
    ("NIFTY", 2018): 0.01, ("NIFTY", 2019): 0.01, ("NIFTY", 2022): -0.06, ("NIFTY", 2025): 0.01,
    ("NIFTYNXT50", 2025): -0.03,
}  # fmt: skip


@needs_data
def test_with_the_days_file_the_scan_of_a_future_is_the_published_one_and_without_it_off_by_so_much() -> None:
    rules, plain = load_rules(str(DATA / "nse_daily_official" / "span_price_scan.csv.gz")), load_rules()
    days = [row for row in rules.scans if row.since.year >= 2018]
    assert len(days) == 909
    worst: dict[tuple[str, int], float] = {}
    for row in days:
        contract = Contract(row.symbol, date(row.since.year + 1, 1, 30), Kind.FUTURE, 0, 1, 5, 1)
        level, at = 10_000_0000, at_time(row.since, 10, 0)
        scans = []
        for rates in (rules.margin_rates(row.symbol, row.since), plain.margin_rates(row.symbol, row.since)):
            exposure = rates.exposure * level
            scans.append(margin(rates, [(contract, 1)], level, 0.15, at) * 100 - exposure)
        published = row.price_scan * level
        assert scans[0] == pytest.approx(published, abs=101)  # a paisa is 100 price units, rounded up
        error = scans[1] / published - 1
        key = (row.symbol, row.since.year)
        worst[key] = max(error, worst.get(key, 0.0), key=math.fabs)
    assert {key: round(error, 2) for key, error in sorted(worst.items())} == WORST
