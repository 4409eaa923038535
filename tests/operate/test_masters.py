"""A day's contract master beside the last one's: each revision said once, and again on a day that goes on."""

import datetime
from collections import Counter

from msgspec.structs import replace

from participant.adapters.stores.memory import MemoryStore
from participant.core.market import Reference
from participant.core.messages import Write
from participant.core.scrip import Kind
from participant.core.wording import counted
from participant.operate.masters import revised, take_in_master
from participant.wire.json import encode
from tests.stages.floor import CONTRACTS, DAY, REFERENCES

NEXT = DAY + datetime.timedelta(days=1)
NIFTY = CONTRACTS["NIFTY"]


def test_each_term_that_was_revised_is_said_once_with_its_contracts_counted() -> None:
    now = [replace(c, lot=50) if c.kind is Kind.CALL else replace(c, tick=2_000) for c in NIFTY]
    lots = Counter(c.lot for c in NIFTY if c.kind is Kind.CALL)
    (lot, count), ticks = lots.most_common(1)[0], {c.tick for c in NIFTY if c.kind is Kind.FUTURE}
    found = list(revised(NIFTY, now))
    assert f"the master has revised the lot of NIFTY CE: {lot} -> 50 ({counted(count, 'contract')})" in found
    assert len([line for line in found if " revised the tick of NIFTY FUT: " in line]) == len(ticks)
    assert len(found) == len(lots) + len(ticks)


def test_what_comes_and_what_goes_is_no_revision() -> None:
    assert list(revised(NIFTY, NIFTY[1:])) == []
    assert list(revised(NIFTY[1:], NIFTY)) == []
    assert list(revised((), NIFTY)) == []


def test_a_day_that_goes_on_says_what_it_began_with() -> None:
    books, quotes = MemoryStore(), MemoryStore()
    assert quotes.commit([Write("reference", r.scrip, encode(r)) for r in REFERENCES])
    assert take_in_master(books, quotes, DAY, REFERENCES) == ()
    today = [Reference(r.scrip, tuple(replace(c, freeze=99) for c in r.contracts), r.look_back) for r in REFERENCES]
    said = take_in_master(books, quotes, NEXT, today)
    assert said
    assert all(" revised the freeze of " in line for line in said)
    assert quotes.commit([Write("reference", r.scrip, encode(r)) for r in today])
    assert take_in_master(books, quotes, NEXT, today) == said
    assert take_in_master(books, quotes, NEXT + datetime.timedelta(days=1), today) == ()
