"""Which quotes of a page cannot be honest."""

import datetime
from typing import Any

import pytest
from msgspec.structs import replace

from participant.core.scrip import Kind
from participant.history.bounds import keep_honest
from participant.history.pages import Cell, Page
from tests.history.test_checks import CELLS, NINE, SPOT, page

FAR = datetime.date(2024, 4, 25)


def emptied(one: Page) -> dict[tuple[Kind, int], str]:
    """Why which contract's quotes are emptied."""
    cells, gone = keep_honest(one)
    changed = {(c.kind, c.strike) for c in cells} - {(c.kind, c.strike) for c in cells if c in one.cells}
    assert changed <= {(e.cell.kind, e.cell.strike) for e in gone}
    return {(e.cell.kind, e.cell.strike): e.reason for e in gone}


def with_cell(kind: Kind, strike: int, **changes: Any) -> Page:
    return page(cells=tuple(replace(c, **changes) if (c.kind, c.strike) == (kind, strike) else c for c in CELLS))


def test_an_honest_page_keeps_every_quote() -> None:
    assert keep_honest(page()) == (CELLS, [])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"bid": 1_010_000, "ask": 1_000_000}, "crossed"),
        ({"bid": 1_000_000, "ask": 1_000_000}, "locked"),
        ({"bid": -500}, "below 0"),
        ({"bid": 1_000_100}, "off the tick"),
        ({"bid": 200_000_000, "ask": 201_000_000}, "bid above all that it can be worth"),
    ],
)
def test_a_quote_that_cannot_be_is_emptied_alone(changes: dict[str, int], reason: str) -> None:
    assert emptied(with_cell(Kind.CALL, SPOT, **changes)) == {(Kind.CALL, SPOT): reason}


@pytest.mark.parametrize("changes", [{"bid_size": 0}, {"ask": 0}])
def test_of_a_price_without_size_or_a_size_without_price_that_side_alone_is_emptied(changes: dict[str, int]) -> None:
    cells, gone = keep_honest(with_cell(Kind.PUT, SPOT, **changes))
    (left,) = (cell for cell in cells if (cell.kind, cell.strike) == (Kind.PUT, SPOT))
    assert [one.reason for one in gone] == ["price without size"]
    assert sorted([bool(left.bid and left.bid_size), bool(left.ask and left.ask_size)]) == [False, True]


def test_what_was_traded_stays_beside_an_emptied_quote() -> None:
    cells, _ = keep_honest(with_cell(Kind.CALL, SPOT, bid=1_010_000, ask=1_000_000, last=7, volume=8, open_interest=9))
    assert Cell(Kind.CALL, SPOT, last=7, volume=8, open_interest=9) in cells


def test_finer_ticks_are_honest_from_the_day_they_came() -> None:
    at = int(datetime.datetime(2025, 11, 3, 6, tzinfo=datetime.UTC).timestamp()) * 1_000_000_000
    assert emptied(replace(with_cell(Kind.CALL, SPOT, bid=1_000_100), at=at, expiry=datetime.date(2025, 11, 25))) == {}


def test_a_contract_that_is_there_twice_is_there_once_and_without_a_quote_if_the_two_differ() -> None:
    cells, gone = keep_honest(page(cells=(*CELLS, CELLS[3])))
    assert (cells, [one.reason for one in gone]) == (CELLS, ["contract twice on one page"])
    cells, gone = keep_honest(page(cells=(*CELLS, replace(CELLS[3], bid=CELLS[3].bid - 500))))
    assert [one.reason for one in gone] == ["contract twice on one page"] * 2
    assert cells == (*CELLS[:3], Cell(CELLS[3].kind, CELLS[3].strike), *CELLS[4:])


def test_shuffled_contracts_are_put_in_order() -> None:
    assert keep_honest(page(cells=CELLS[::-1])) == (CELLS, [])


def test_a_contract_without_a_strike_is_left_out() -> None:
    cells, gone = keep_honest(page(cells=(replace(CELLS[0], strike=0), *CELLS)))
    assert (cells, [one.reason for one in gone]) == (CELLS, ["strike not above 0"])


def test_an_ask_far_under_its_intrinsic_value_is_emptied() -> None:
    deep = Cell(Kind.CALL, 100_000_000, 1_000, 2_000, 75, 75)
    assert emptied(page(cells=(deep, *CELLS))) == {(Kind.CALL, 100_000_000): "asked under its intrinsic value"}


def test_a_deep_put_of_a_far_expiry_is_honestly_worth_less_than_its_intrinsic_value() -> None:
    # 200 million less 116 million is 84; five years at 8 % leave 200 / 1.47 - 116 = 20
    deep = Cell(Kind.PUT, 200_000_000, 19_000_000, 21_000_000, 75, 75)
    assert emptied(page(cells=(deep,), expiry=FAR)) == {}
    assert emptied(page(cells=(deep,))) == {(Kind.PUT, 200_000_000): "asked under its intrinsic value"}


def test_a_bid_above_the_ask_of_a_strike_that_is_worth_more_is_the_wrong_one_where_it_alone_disagrees() -> None:
    assert emptied(with_cell(Kind.CALL, 116_500_000, bid=1_300_000, ask=1_305_000)) == {
        (Kind.CALL, 116_500_000): "dearer than the strike beside it"
    }
    assert emptied(with_cell(Kind.PUT, 115_500_000, bid=1_300_000, ask=1_305_000)) == {
        (Kind.PUT, 115_500_000): "dearer than the strike beside it"
    }


def test_where_nothing_says_which_of_two_is_wrong_both_are_emptied() -> None:
    two = (
        Cell(Kind.CALL, 117_000_000, 400_000, 405_000, 75, 75),
        Cell(Kind.CALL, 117_500_000, 500_000, 505_000, 75, 75),
    )
    assert set(emptied(page(cells=two))) == {(Kind.CALL, 117_000_000), (Kind.CALL, 117_500_000)}


def test_a_bid_above_the_line_of_its_neighbours_is_the_wrong_one() -> None:
    assert emptied(with_cell(Kind.CALL, SPOT, bid=1_220_000, ask=1_225_000)) == {
        (Kind.CALL, SPOT): "above the line of the strikes beside it"
    }


def test_strikes_are_compared_over_one_that_nobody_asks_for() -> None:
    gap = tuple(replace(c, ask=0, ask_size=0) if (c.kind, c.strike) == (Kind.CALL, SPOT) else c for c in CELLS)
    one = page(cells=tuple(
        replace(c, bid=1_500_000, ask=1_505_000) if (c.kind, c.strike) == (Kind.CALL, 116_500_000) else c for c in gap
    ))  # fmt: skip
    assert (Kind.CALL, 116_500_000) in emptied(one)


def test_strikes_that_are_some_ticks_out_of_line_are_an_honest_market() -> None:
    (ask,) = (c.ask for c in CELLS if (c.kind, c.strike) == (Kind.CALL, 117_000_000))
    # 2.30 rupees are less than 2 basis points of the spot, 11,600
    assert emptied(with_cell(Kind.CALL, 117_500_000, bid=ask + 23_000, ask=ask + 25_000)) == {}
    assert emptied(with_cell(Kind.CALL, 117_500_000, bid=ask + 24_000, ask=ask + 25_000)) != {}


def test_a_page_without_contracts_has_nothing_to_empty() -> None:
    assert keep_honest(page(NINE, cells=())) == ((), [])
