"""The rows of a watchlist as they stand together, at a broker."""

import pytest

from participant.core.scrip import Scrip, Weights
from participant.core.watched import faults

NIFTY, STOCK = Scrip("NIFTY"), Scrip("RELIANCE", weights=Weights(cover="stock"))


@pytest.mark.parametrize("broker", ["kite", "openalgo"])
def test_no_row_asks_a_broker_for_shares_that_loses_sight_of_them(broker: str) -> None:
    said = f'RELIANCE: cover = "stock": no shares are ordered at {broker} yet, only at the venue'
    assert list(faults([NIFTY, STOCK], broker)) == [("[[watchlist]] row 1:", ""), ("[[watchlist]] row 2:", said)]
    assert [why for _, why in faults([Scrip("RELIANCE", weights=Weights(cover="held"))], broker)] == [""]


def test_at_the_venue_shares_are_ordered() -> None:
    assert [why for _, why in faults([NIFTY, STOCK], "venue")] == ["", ""]


def test_a_row_that_comes_twice_or_names_nobodys_strategy_is_named() -> None:
    assert [why for _, why in faults([NIFTY, NIFTY], "venue")][1] == (
        "NIFTY stands on the watchlist twice: leave one row"
    )
    (why,) = (why for _, why in faults([Scrip("NIFTY", strategy="another")], "venue"))
    assert why.startswith("NIFTY: no strategy 'another'; known: covered_call")
