"""Given orders through the engine: published oracles, NSE cases worked out by hand, and files that are wrong."""

import datetime
from collections.abc import Mapping
from pathlib import Path

import pytest

from participant.config import load_rules
from participant.history.pages import BadData
from participant.research.orders import Outcome, play_orders
from tests.source import ROOT

EXAMPLES = ROOT / "examples" / "orders"
CAPITAL = 1_000_000_00
TABLES = {
    "fut": 'underlying = "NIFTY"\nkind = "FUT"\nexpiry = 2026-09-29\nlot = 65\n',
    "first": 'underlying = "NIFTY"\nkind = "CE"\nstrike = 25100\nexpiry = 2026-09-29\nlot = 65\n',
    "near": 'underlying = "NIFTY"\nkind = "CE"\nstrike = 25200\nexpiry = 2026-09-22\nlot = 65\n',
    "shares": 'underlying = "RELIANCE"\nkind = "EQ"\n',
    "stock_call": 'underlying = "RELIANCE"\nkind = "CE"\nstrike = 1320\nexpiry = 2026-09-29\nlot = 500\n',
}
KEYS = {
    "fut": "NIFTY-20260929-FUT",
    "first": "NIFTY-20260929-25100CE",
    "near": "NIFTY-20260922-25200CE",
    "shares": "RELIANCE-EQ",
    "stock_call": "RELIANCE-20260929-1320CE",
}
DOUBLE = '[[settlements]]\nday = 2021-01-15\nof = "SPX"\nprice = 3800\n\n[[settlements]]'
MON, TUE, WED = "2026-09-21", "2026-09-22", "2026-09-23"
EXPIRY = "2026-09-29"


def play(folder: Path, events: list[str], settlements: Mapping[tuple[str, str], float]) -> Outcome:
    """Play events like `2026-09-21 buy 65 fut at 25000`, each on a quote of just that price and size."""
    told = ["capital = 1_000_000\n", *(f"[[contracts]]\n{t}" for t in TABLES.values())]
    for n, event in enumerate(events):
        day, side, units, name, _, price = event.split()
        at, is_buy = f"{day}T10:{n:02d}:00", side == "buy"
        bid, ask = (float(price) - 1, float(price)) if is_buy else (float(price), float(price) + 1)
        told.append(
            f'[[quotes]]\nat = {at}\ncontract = "{KEYS[name]}"\nbid = {bid}\nask = {ask}\n'
            f"bid_size = {units}\nask_size = {units}\n"
            f'[[orders]]\nat = {at}\ncontract = "{KEYS[name]}"\nside = "{side}"\nquantity = {units}\nlimit = {price}\n'
        )
    told += [f'[[settlements]]\nday = {d}\nof = "{KEYS.get(o, o)}"\nprice = {p}\n' for (d, o), p in settlements.items()]
    file = folder / "orders.toml"
    file.write_text("\n".join(told))
    return play_orders(file, load_rules())


def charged(outcome: Outcome) -> list[int]:
    return [line.charges for line in outcome.lines if line.charges]


def test_a_short_spx_call_settled_in_cash() -> None:
    """1,000,000 + 100 x 615.50 - 100 x (3,795.54 - 3,200)."""
    outcome = play_orders(EXAMPLES / "spx.toml", load_rules())
    assert outcome.worth == outcome.cash == 1_000_000_00 + 61_550_00 - 59_554_00 == 1_001_996_00
    assert (outcome.held, outcome.notes, outcome.charges) == ({}, (), 0)


def test_goog_shares_with_five_calls_marked_the_same_day() -> None:
    """200,000 - 500 x 749.68 + 500 x 54.00 - 5.75, and then 500 x 748.40 - 500 x 53.75."""
    outcome = play_orders(EXAMPLES / "goog.toml", load_rules())
    assert outcome.cash == 200_000_00 - 374_840_00 + 27_000_00 - 5_75
    assert outcome.worth == outcome.cash + 374_200_00 - 26_875_00 == 199_479_25
    assert outcome.held == {"GOOG-EQ": 500, "GOOG-20160115-700CE": -500}
    assert outcome.notes == ()


def test_a_future_and_a_call_through_expiry_with_daily_settlement_and_all_charges(tmp_path: Path) -> None:
    """In rupees. The future: bought at 25,000, marked at 25,050 and 25,150, ended at 25,120: 65 x 120 = 7,800.

    The call of 25,100: sold at 120, worth 20 at the end: 65 x 100 = 6,500. Charges of April 2026 on:
    - future, value 1,625,000: brokerage 20; exchange 182.99 a crore 29.735875; SEBI 10 a crore 1.625; stamp duty of the
      buyer 0.002 % 32.50; IPFT 0.01 a crore 0.001625; GST 18 % of 51.360875 is 9.2449575: 93.1074575, so 93.11
    - call, premium 7,800: brokerage 20; STT of the seller 0.15 % 11.70; exchange 3,552 a crore 2.77056; SEBI 0.0078;
      IPFT 1 a crore 0.00078; GST 18 % of 22.77836 is 4.1001048: 38.5792448, so 38.58
    """
    outcome = play(
        tmp_path,
        [f"{MON} buy 65 fut at 25000", f"{MON} sell 65 first at 120"],
        {(MON, "fut"): 25_050, (TUE, "fut"): 25_150, (EXPIRY, "NIFTY"): 25_120},
    )
    assert charged(outcome) == [93_11, 38_58]
    moved = [(line.day, line.kind, line.cash) for line in outcome.lines]
    assert moved == [
        (MON, "filled", -93_11),
        (MON, "filled", 7_800_00 - 38_58),
        (MON, "settled", 65 * 50_00),
        (TUE, "settled", 65 * 100_00),
        (EXPIRY, "expired", -65 * 20_00),
        (EXPIRY, "expired", -65 * 30_00),
    ]
    assert outcome.worth == outcome.cash == CAPITAL + 7_800_00 + 6_500_00 - 131_69
    assert (outcome.held, outcome.notes) == ({}, ())


def test_a_weekly_call_is_rolled_into_the_next_against_the_same_future(tmp_path: Path) -> None:
    """In rupees. The near call of 25,200 is sold at 80 on Monday and bought back at 5 on its last day: 65 x 75.

    In its place that of 25,100 is sold at 140, and ends with the future at 25,060: worthless, 65 x 140. The future:
    25,000 to 25,060. Charges:
    - future as above 93.11
    - near call sold, 5,200: 20; STT 7.80; exchange 1.84704; SEBI 0.0052; IPFT 0.00052; GST of 21.85224 3.9334032:
      33.5861632, so 33.59
    - bought back, 325: 20; no STT; exchange 0.11544; SEBI 0.000325; stamp duty 0.003 % 0.00975; IPFT 0.0000325; GST of
      20.115765 3.6208377: 23.7463852, so 23.75
    - next call sold, 9,100: 20; STT 13.65; exchange 3.23232; SEBI 0.0091; IPFT 0.00091; GST of 23.24142 4.1834556:
      41.0757856, so 41.08
    """
    outcome = play(
        tmp_path,
        [
            f"{MON} buy 65 fut at 25000",
            f"{MON} sell 65 near at 80",
            f"{TUE} buy 65 near at 5",
            f"{TUE} sell 65 first at 140",
        ],
        {(MON, "fut"): 25_030, (TUE, "fut"): 25_100, (WED, "fut"): 25_080, (EXPIRY, "NIFTY"): 25_060},
    )
    assert charged(outcome) == [93_11, 33_59, 23_75, 41_08]
    future, near, following = 65 * 60_00, 65 * 75_00, 65 * 140_00
    assert outcome.worth == CAPITAL + future + near + following - (93_11 + 33_59 + 23_75 + 41_08)
    assert (outcome.held, outcome.notes) == ({}, ())


def test_a_stock_call_is_assigned_and_its_shares_are_delivered(tmp_path: Path) -> None:
    """In rupees. 500 shares bought at 1,300, a call of 1,320 sold at 25; the stock ends at 1,350: they go at 1,320.

    Charges:
    - shares, 650,000: brokerage 20; STT 0.1 % 650; exchange 306.99 a crore 19.95435; SEBI 0.65; stamp duty 0.015 %
      97.50; IPFT 0.00065; GST of 40.60435 7.308783: 795.413783, so 795.41
    - call, premium 12,500: 20; STT 18.75; exchange 4.44; SEBI 0.0125; IPFT 0.00125; GST of 24.4525 4.40145:
      47.6052, so 47.61
    - delivery of 660,000: brokerage a quarter of a percent 1,650; STT 0.1 % 660; GST of 1,650 297: 2,607
    """
    outcome = play(
        tmp_path,
        [f"{MON} buy 500 shares at 1300", f"{MON} sell 500 stock_call at 25"],
        {(EXPIRY, "RELIANCE"): 1_350},
    )
    assert charged(outcome) == [795_41, 47_61, 2_607_00]
    assert outcome.cash == CAPITAL - 650_000_00 + 12_500_00 + 660_000_00 - (795_41 + 47_61 + 2_607_00)
    assert [(line.kind, line.quantity) for line in outcome.lines][-2:] == [("delivered", 500), ("shares", -500)]
    assert (outcome.worth, outcome.held, outcome.notes) == (outcome.cash, {}, ())


def test_what_the_day_does_not_fill_is_said_and_ends(tmp_path: Path) -> None:
    outcome = play(tmp_path, [f"{MON} buy 65 fut at 25000"], {})
    assert outcome.held == {"NIFTY-20260929-FUT": 65}
    file = tmp_path / "orders.toml"
    file.write_text(file.read_text().replace("limit = 25000", "limit = 24000"))
    outcome = play_orders(file, load_rules())
    assert (outcome.worth, outcome.held) == (CAPITAL, {})
    assert outcome.notes == ("2026-09-21: 65 of 65 NIFTY-20260929-FUT were not filled",)


def test_an_order_larger_than_what_is_shown_fills_in_parts_and_is_charged_once(tmp_path: Path) -> None:
    """130 are wanted and 65 shown; the rest fills at its own limit when a new quote comes."""
    play(tmp_path, [f"{MON} buy 65 fut at 25000"], {})
    file = tmp_path / "orders.toml"
    more = f'[[quotes]]\nat = {MON}T11:00:00\ncontract = "{KEYS["fut"]}"\nbid = 24985\nask = 24990\n'
    shown = "bid_size = 650\nask_size = 650\n"
    file.write_text(file.read_text().replace("quantity = 65", "quantity = 130") + "\n" + more + shown)
    outcome = play_orders(file, load_rules())
    assert [(line.quantity, line.price) for line in outcome.lines] == [(65, 250_000_000), (65, 250_000_000)]
    # 3,250,000: 20 + 59.47175 + 3.25 + 65 + 0.00325 + 18 % of 82.72175 (14.889915): 162.614915
    assert outcome.charges == 162_61


def test_nothing_settles_without_its_official_price(tmp_path: Path) -> None:
    outcome = play(tmp_path, [f"{MON} sell 65 first at 120"], {(EXPIRY, "RELIANCE"): 1_350})
    assert outcome.held == {"NIFTY-20260929-25100CE": -65}
    said = "2026-09-29: NIFTY-20260929-25100CE is held and stays unsettled: there is no official price of NIFTY"
    assert said in outcome.notes


def test_a_price_of_a_later_day_settles_nothing_that_has_expired(tmp_path: Path) -> None:
    outcome = play(tmp_path, [f"{MON} sell 65 first at 120"], {("2026-09-30", "NIFTY"): 25_350})
    assert outcome.held == {"NIFTY-20260929-25100CE": -65}
    said = "NIFTY-20260929-25100CE is held and stays unsettled: there is no official price of NIFTY on 2026-09-29"
    assert f"2026-09-30: {said}" in outcome.notes


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("capital = 1_000_000", "capital = 0", "capital"),
        ("capital = 1_000_000", "money = 1", "money"),
        ('contract = "SPX-20210115-3200CE"', 'contract = "SPX"', "quotes[0].contract: SPX is none of SPX-20210115"),
        ("price = 3795.54", "price = 3795.543217", "3795.543217: finer than 1/10,000"),
        ("bid = 615.50", "bid = nan", "bid"),
        ("bid = 615.50", "bid = -1", "bid"),
        ("quantity = 100", "quantity = 150", "orders[0], SPX-20210115-3200CE: the quantity is not a multiple"),
        ("limit = 615.50", "limit = 615.51", "orders[0], SPX-20210115-3200CE: the price is not a multiple of the tick"),
        ("strike = 3200", "strike = 0", "an option has a strike"),
        ('of = "SPX"', 'of = "NDX"', "settlements[0].of: NDX"),
        ("at = 2021-01-04T10:00:00", "at = 2021-01-04T10:00:00Z", "without a zone"),
        ("expiry = 2021-01-15", "", "it needs an expiry"),
        ("at = 2021-01-04T10:00:00", "at = 2021-01-18T10:00:00", "SPX-20210115-3200CE ended on 2021-01-15, before"),
        ("[[settlements]]", DOUBLE, "settlements[1]: SPX has a price on 2021-01-15 already"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_the_place(tmp_path: Path, old: str, new: str, said: str) -> None:
    file = tmp_path / "orders.toml"
    body = (EXAMPLES / "spx.toml").read_text()
    assert old in body
    file.write_text(body.replace(old, new))
    with pytest.raises(BadData) as refused:
        play_orders(file, load_rules())
    assert said in str(refused.value)
    assert str(file) in str(refused.value)


def test_days_without_rules_are_refused_where_no_fee_is_given(tmp_path: Path) -> None:
    file = tmp_path / "orders.toml"
    file.write_text((EXAMPLES / "goog.toml").read_text().replace("fee = 2.50\n", ""))
    with pytest.raises(BadData, match="no rule for charges on 2015-12-24"):
        play_orders(file, load_rules())
    with pytest.raises(BadData, match="cannot be read"):
        play_orders(tmp_path / "none.toml", load_rules())


def test_the_dates_of_the_cases_are_sessions() -> None:
    rules = load_rules()
    assert all(rules.session(datetime.date.fromisoformat(day)) for day in (MON, TUE, WED, EXPIRY))
