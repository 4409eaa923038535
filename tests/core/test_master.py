"""A broker's list of contracts: only what it holds, as it holds it."""

import datetime

import pytest
from msgspec.structs import replace

from participant.core.master import Listing, Master, Unlisted
from tests.venue.made import CALL, DAY, FUTURE


def listing(contract: object = CALL) -> Listing:
    c = CALL if contract is CALL else FUTURE
    return Listing(f"SYM{c.kind}", c.underlying, c.expiry, c.kind, c.strike, c.lot, c.tick)


def test_a_contract_and_its_symbol_find_each_other() -> None:
    master = Master([listing(), listing(FUTURE)], DAY, 2)
    assert master.symbol(CALL) == "SYMCE"
    assert (master.key_of("SYMCE"), master.symbol_of(CALL.key)) == (CALL.key, "SYMCE")
    assert (master.tick_of("SYMFUT"), len(master)) == (FUTURE.tick, 2)
    assert (master.key_of("SBIN"), master.symbol_of("X-FUT"), master.tick_of("SBIN")) == (None, None, 0)


@pytest.mark.parametrize(("change", "told"), [({"lot": 75}, "lot 75"), ({"tick": 1000}, "tick 1000")])
def test_another_lot_or_tick_than_ours_is_no_symbol(change: dict[str, int], told: str) -> None:
    with pytest.raises(Unlisted, match=told):
        Master([replace(listing(), **change)], DAY, 1).symbol(CALL)


def test_what_is_not_listed_has_no_symbol() -> None:
    with pytest.raises(Unlisted, match="not in the broker's list of today"):
        Master([listing()], DAY, 1).symbol(FUTURE)


def test_a_list_of_an_older_day_and_a_short_one_are_refused() -> None:
    old = replace(listing(), expiry=DAY - datetime.timedelta(days=1))
    for rows, told in (([old, listing()], "expired"), ([], "at least 1")):
        with pytest.raises(Unlisted, match=told):
            Master(rows, DAY, 1)


@pytest.mark.parametrize("other", [{"symbol": "OTHER"}, {"strike": 1}, {}], ids=["a contract", "a symbol", "both"])
def test_what_a_list_names_twice_has_no_symbol_and_the_rest_has(other: dict[str, object]) -> None:
    master = Master([listing(), listing(FUTURE), replace(listing(), **other)], DAY, 1)
    assert master.symbol(FUTURE) == "SYMFUT"
    with pytest.raises(Unlisted, match="not in the broker's list"):
        master.symbol(CALL)
    assert (master.key_of("SYMCE"), master.key_of("OTHER")) == (None, None)
