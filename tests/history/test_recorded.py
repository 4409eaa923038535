"""A recorded day as an exchange plays it."""

import datetime

import pytest
from msgspec.structs import replace

from participant.config import load_rules
from participant.core.board import Board, observe
from participant.core.market import SECOND, LookBack, Reference, Tick, Ticks
from participant.core.rulerows import Confidence, ScanRow
from participant.core.scrip import Contract, Kind
from participant.core.session import at_time
from participant.core.snapshot import snapshot
from participant.history.official import Official
from participant.history.pages import Cell, Page, rounds
from participant.history.recorded import DERIVED_LOTS, RecordedMarket, Recording

RULES = load_rules()
DAY, BEFORE = datetime.date(2019, 4, 12), datetime.date(2019, 4, 11)
WEEKLY, MONTHLY = datetime.date(2019, 4, 18), datetime.date(2019, 4, 25)
LATER = datetime.date(2019, 5, 30)
NINE = at_time(DAY, 9, 30)
SPOT = 116_000_000
MINUTE = 60 * SECOND
OFFICIAL = Official(
    closes={"NIFTY": {BEFORE: SPOT, DAY: SPOT + 470_000}},
    boards={"NIFTY": {BEFORE: {MONTHLY: SPOT + 700_000}, DAY: {MONTHLY: SPOT + 1_100_000}}},
)


def cells(strike: int = SPOT, call: int = 840_000, put: int = 540_000) -> tuple[Cell, ...]:
    """A strike's call and put, half a rupee wide."""
    return (
        Cell(Kind.CALL, strike, call, call + 5_000, 75, 150),
        Cell(Kind.PUT, strike, put, put + 5_000, 225, 300),
    )


def page(at: int = NINE, expiry: datetime.date = WEEKLY, spot: int = SPOT, **changes: object) -> Page:
    return replace(Page(at, "NIFTY", expiry, spot, cells(), 1, "by hand"), **changes)


def market(*pages: Page, official: Official = OFFICIAL, back: LookBack = LookBack()) -> RecordedMarket:  # noqa: B008 - a frozen value
    by_symbol: dict[str, list[Page]] = {}
    for one in pages:
        by_symbol.setdefault(one.symbol, []).append(one)
    return RecordedMarket(DAY, Recording(by_symbol, dict.fromkeys(by_symbol, back), ("read by hand",)), official, RULES)


def said(played: RecordedMarket, key: str) -> list[Tick]:
    """What the instants say of a contract or an underlying."""
    return [tick for instant in played.instants() for tick in instant.ticks if tick.contract == key]


# --- rounds ---


def test_expiries_polled_within_minutes_are_one_instant_at_the_last_of_them() -> None:
    polled = [page(), page(NINE + 2 * MINUTE, MONTHLY), page(NINE + 15 * MINUTE), page(NINE + 16 * MINUTE, MONTHLY)]
    assert [len(group) for group in rounds(polled[::-1])] == [2, 2]
    instants = list(market(*polled).instants())
    assert [(i.at, i.is_last) for i in instants] == [(NINE + 2 * MINUTE, False), (NINE + 16 * MINUTE, True)]
    by_expiry = {t.contract[:14]: t.exchange_at for t in instants[0].ticks if t.contract.endswith(("CE", "PE"))}
    assert by_expiry == {"NIFTY-20190418": NINE, "NIFTY-20190425": NINE + 2 * MINUTE}, "each page at its own time"
    # The future stands on the page of its own expiry, the index on the newest.
    assert next(t.exchange_at for t in said(market(*polled), "NIFTY-20190425-FUT")) == NINE + 2 * MINUTE
    assert next(t.exchange_at for t in said(market(*polled), "NIFTY")) == NINE + 2 * MINUTE


def test_an_expiry_that_comes_again_begins_a_new_instant() -> None:
    polled = [page(NINE + i * MINUTE) for i in range(4)]
    assert [group[0].at for group in rounds(polled)] == [p.at for p in polled]
    other = [replace(p, symbol="BANKNIFTY") for p in polled]
    assert [len(group) for group in rounds([*polled, *other])] == [2, 2, 2, 2]


def test_pages_further_apart_than_a_round_are_two_instants() -> None:
    assert len(list(rounds([page(), page(NINE + 3 * MINUTE, MONTHLY)]))) == 1
    assert len(list(rounds([page(), page(NINE + 3 * MINUTE + 1, MONTHLY)]))) == 2


def test_instants_only_ever_go_forward() -> None:
    polled = [page(), replace(page(NINE + MINUTE), symbol="BANKNIFTY"), page(NINE + MINUTE)]
    ends = [max(p.at for p in group) for group in rounds(polled)]
    assert ends == sorted(set(ends))


# --- the master ---


def test_the_master_is_what_is_on_the_pages_and_what_is_listed() -> None:
    master = market(page()).contracts()
    assert [c.key for c in master] == ["NIFTY-20190425-FUT", "NIFTY-20190418-11600CE", "NIFTY-20190418-11600PE"]
    assert {(c.lot, c.tick) for c in master} == {(75, 500)}


def test_a_future_without_an_official_price_tonight_is_not_in_the_master() -> None:
    unknown = replace(OFFICIAL, boards={"NIFTY": {BEFORE: OFFICIAL.boards["NIFTY"][BEFORE]}})
    assert [c.kind for c in market(page(), official=unknown).contracts()] == [Kind.CALL, Kind.PUT]


def test_a_listed_future_that_is_not_in_the_master_is_named() -> None:
    board = {MONTHLY: SPOT + 700_000, LATER: SPOT + 900_000}
    partly = replace(OFFICIAL, boards={"NIFTY": {BEFORE: board, DAY: {MONTHLY: SPOT + 1_100_000}}})
    played = market(page(), official=partly)
    assert [c.expiry for c in played.contracts() if c.kind is Kind.FUTURE] == [MONTHLY]
    lacks = "NIFTY-20190530-FUT: listed, but without an official price on 2019-04-12: not in the master"
    assert lacks in played.notes()
    assert not any("not in the master" in note for note in market(page()).notes())


def test_the_value_of_tonights_official_price_changes_nothing_that_is_said_during_the_day() -> None:
    other = replace(OFFICIAL, boards={"NIFTY": {**OFFICIAL.boards["NIFTY"], DAY: {MONTHLY: SPOT + 9_000_000}}})
    one, two = market(page()), market(page(), official=other)
    assert (one.contracts(), list(one.instants())) == (two.contracts(), list(two.instants()))


def test_what_expires_today_is_in_the_master_only_if_it_can_be_settled() -> None:
    today = page(expiry=DAY)
    assert len(market(today).contracts()) == 3
    played = market(today, page(NINE + MINUTE), official=Official())
    assert [c.expiry for c in played.contracts()] == [WEEKLY, WEEKLY]
    assert f"NIFTY has no official close on {DAY}: what would settle tonight is not in the master" in played.notes()


def test_settlements_are_the_official_prices() -> None:
    assert market(page()).settlements() == {"NIFTY": SPOT + 470_000, "NIFTY-20190425-FUT": SPOT + 1_100_000}


# --- instants ---


def test_every_contract_of_a_page_is_said_with_its_quote_and_the_rest_goes_dark() -> None:
    fewer = page(NINE + 15 * MINUTE, cells=cells()[:1])
    played = market(page(), fewer)
    (first, second) = said(played, "NIFTY-20190418-11600PE")
    assert first == Tick("NIFTY-20190418-11600PE", 540_000, 545_000, 225, 300, 0, NINE)
    assert second == Tick("NIFTY-20190418-11600PE", 0, 0, 0, 0, 0, NINE + 15 * MINUTE)
    assert [t.last for t in said(played, "NIFTY")] == [SPOT, SPOT]


def test_a_future_stands_on_parity_where_its_own_options_are_on_the_page() -> None:
    (tick,) = said(market(page(expiry=MONTHLY)), "NIFTY-20190425-FUT")
    size = DERIVED_LOTS * 75
    # 11,600 + 84.00 - 54.50 and 11,600 + 84.50 - 54.00
    assert tick == Tick("NIFTY-20190425-FUT", 116_295_000, 116_305_000, size, size, 0, NINE)


def test_a_future_stands_on_the_basis_of_the_day_before_where_only_weeklies_are_recorded() -> None:
    (tick,) = said(market(page()), "NIFTY-20190425-FUT")
    middle = (tick.bid + tick.ask) / 2 - SPOT
    # 70 points a day before, two weeks ahead of its expiry: a little less is left.
    assert 640_000 < middle < 700_000


def test_a_stock_has_a_quote_of_its_own_around_its_spot() -> None:
    stock = page(symbol="RELIANCE", spot=13_000_000, cells=cells(13_000_000), expiry=datetime.date(2019, 6, 27))
    played = RecordedMarket(datetime.date(2019, 6, 13), Recording({"RELIANCE": [stock]}, {}), Official(), RULES)
    (tick,) = said(played, "RELIANCE")
    assert tick.bid < tick.last < tick.ask
    assert tick.last == 13_000_000
    assert played.provenance("RELIANCE").marks == ("recorded", "the stock's own quote derived")


def test_the_brain_is_told_what_no_exchange_quoted() -> None:
    back = LookBack((SPOT,), (0.2,), "India VIX of 2019-04-11")
    played = market(page(is_modelled=True), back=back)
    provenance = played.provenance("NIFTY")
    assert provenance.marks == ("recorded", "covers derived", "quotes modelled", "IV of India VIX of 2019-04-11")
    assert provenance.derived == ("NIFTY-20190425-FUT",)
    (instant,) = played.instants()
    board = observe(Board("one"), Ticks("one", instant.at, instant.ticks, is_snapshot=True))
    state = snapshot(board, Reference("NIFTY", played.contracts(), back, provenance))
    assert state is not None
    assert [f.is_derived for f in state.futures] == [True]
    assert state.marks == provenance.marks


def test_people_are_told_that_the_volatility_of_an_index_is_unknown() -> None:
    played = market(page(), back=LookBack((SPOT,), (), "India VIX"))
    assert played.provenance("NIFTY").marks[-1] == "IV unknown for want of India VIX"
    assert "NIFTY: recorded, covers derived, IV unknown for want of India VIX" in played.notes()


def test_people_are_told_how_far_off_a_derived_future_was() -> None:
    notes = market(page(expiry=MONTHLY)).notes()
    # 11,630 against the official 11,710
    expected = "NIFTY-20190425-FUT derived by parity: -68.3 basis points from the official close at the end"
    assert expected in notes
    assert notes[0] == "read by hand"


def test_people_are_told_by_which_scan_ranges_margins_go() -> None:
    assert not [note for note in market(page()).notes() if note.startswith("NIFTY") and "scan range" in note]
    scan = ScanRow(
        since=DAY, until=DAY, source="a table", confidence=Confidence.SECOND_HAND, symbol="NIFTY",
        price_scan=0.0707, volatility_scan=0.04,
    )  # fmt: skip
    recording = Recording({"NIFTY": [page()]}, {})
    for row, expected in (
        (
            scan,
            "NIFTY: margins by the published scan ranges of the day, 7.07% of the price and 4% of volatility (a table)",
        ),
        (replace(scan, symbol="BANKNIFTY"), "NIFTY: no scan range was published for the day, margins by the rules"),
    ):
        assert expected in RecordedMarket(DAY, recording, OFFICIAL, replace(RULES, scans=(row,))).notes()


def test_a_day_begins_and_ends_with_what_was_recorded() -> None:
    played = market(page(), page(NINE + 30 * MINUTE))
    assert [i.is_last for i in played.instants()] == [False, True]
    assert (played.symbols, played.day) == (("NIFTY",), DAY)
    assert list(played.instants()) == list(played.instants()), "the same each time"


def test_another_recording_has_another_seed() -> None:
    seeds = {market(page()).seed, market(page(spot=SPOT + 500)).seed, market(page(), official=Official()).seed}
    assert len(seeds) == 3
    assert market(page()).seed == market(page()).seed


def test_what_comes_later_changes_nothing_that_was_said_before() -> None:
    listed_later = page(NINE + 30 * MINUTE, cells=(*cells(), *cells(SPOT + 500_000)))
    short, whole = market(page(), page(NINE + 15 * MINUTE)), market(page(), page(NINE + 15 * MINUTE), listed_later)
    before, after = list(short.instants()), list(whole.instants())
    assert [i.ticks for i in before] == [i.ticks for i in after[:2]], "not even the names of strikes to come"
    assert len(after[2].ticks) == len(after[1].ticks) + 2


def test_a_day_of_which_nothing_is_recorded_has_its_close_alone() -> None:
    played = market()
    (instant,) = played.instants()
    assert (instant.at, instant.ticks, instant.is_last) == (at_time(DAY, 15, 30), (), True)
    assert played.contracts() == ()
    assert played.settlements()["NIFTY-20190425-FUT"] == SPOT + 1_100_000


@pytest.mark.parametrize("symbol", ["NIFTY", "BANKNIFTY"])
def test_a_look_back_that_is_not_known_is_empty(symbol: str) -> None:
    assert market(page()).look_back("BANKNIFTY" if symbol == "NIFTY" else symbol) == LookBack()


def test_contracts_are_ordered_futures_first() -> None:
    kinds = [c.kind for c in market(page(), page(expiry=MONTHLY)).contracts()]
    assert kinds == [Kind.FUTURE, *[Kind.CALL, Kind.PUT] * 2]
    assert all(isinstance(c, Contract) for c in market(page()).contracts())
