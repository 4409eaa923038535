"""What each scrip's book can do, kept with its decisions: every decision of an instant sees what was decided before."""

import pytest
from msgspec.structs import replace

from participant.adapters.stores.memory import MemoryStore
from participant.core.account import Account, BookRisk, Portfolio
from participant.core.brain import decide
from participant.core.decision import Decision
from participant.core.messages import Write
from participant.core.scrip import Scrip
from participant.links.books import Books
from participant.links.risks import Risks
from participant.wire.json import encode
from tests.core.worlds import RULES, account, chain_state, position

NIFTY, BANKS, RELIANCE = Scrip("NIFTY"), Scrip("BANKNIFTY", sector="Banks"), Scrip("RELIANCE")
MADE = decide(NIFTY, chain_state(), position(), account(), RULES)
NOTHING = BookRisk()


def decision(scrip: str, at: int, risk: BookRisk | None, outcome: str = "decided") -> Decision:
    return replace(MADE, scrip=scrip, decided_for=at, risk=risk, outcome=outcome)


def books() -> Books:
    store = MemoryStore()
    store.commit([Write("account", "account", encode(Account(100, 100)), 0)])
    return Books(store)


def keep(risks: Risks, *decisions: Decision) -> None:
    for one in decisions:
        risks.books.store.commit(risks.row(one))


def test_a_decision_sees_the_other_books_and_never_its_own() -> None:
    risks = Risks(books())
    keep(risks, decision("NIFTY", 1, BookRisk(delta=7)), decision("RELIANCE", 1, BookRisk(delta=5, beta=2.0)))
    assert risks.account(BANKS, 2).others == Portfolio(delta=17)
    assert risks.account(RELIANCE, 2).others == Portfolio(delta=7)


def test_decisions_of_one_instant_see_the_same_in_whatever_order_they_are_committed() -> None:
    risks = Risks(books())
    keep(risks, decision("NIFTY", 1, BookRisk(delta=7)))
    before = risks.account(BANKS, 2)
    keep(risks, decision("NIFTY", 2, BookRisk(delta=900)))
    assert risks.account(BANKS, 2) == before
    assert risks.account(BANKS, 3).others.delta == 900


def test_an_instant_that_is_decided_on_again_keeps_what_was_before_it() -> None:
    risks = Risks(books())
    keep(risks, *(decision("NIFTY", at, BookRisk(delta=at)) for at in (1, 2, 2)))
    assert risks.account(BANKS, 2).others.delta == 1


def test_a_book_that_became_empty_and_a_job_that_gave_no_decision() -> None:
    risks = Risks(books())
    keep(risks, decision("NIFTY", 1, BookRisk(delta=7)), decision("NIFTY", 2, None, "parked"))
    assert risks.account(BANKS, 3).others.delta == 7
    keep(risks, decision("NIFTY", 3, None))
    assert risks.account(BANKS, 4).others == Portfolio()


def test_a_process_that_begins_anew_reads_what_stands_in_the_books() -> None:
    kept = books()
    keep(Risks(kept), decision("NIFTY", 1, BookRisk(delta=7)), decision("NIFTY", 2, BookRisk(delta=8)))
    again = Risks(kept)
    assert [again.account(BANKS, at).others.delta for at in (1, 2, 3)] == [0, 7, 8]


def test_the_best_close_of_the_days_before_is_the_peak() -> None:
    kept = books()
    kept.store.commit(
        [Write("days", str(i), encode({"day": str(i), "worth": w})) for i, w in enumerate((90, 130, 110))]
    )
    assert Risks(kept).account(NIFTY, 1).peak == 130
    assert Risks(books()).account(NIFTY, 1).peak == 0


@pytest.mark.parametrize(("start", "peak"), [("100", 100), ("80", 90)])
def test_what_the_first_day_began_with_counts_beside_the_closes(start: str, peak: int) -> None:
    kept = books()
    kept.store.commit([Write("starts", "1", start.encode()), Write("starts", "2", b"95")])
    kept.store.commit([Write("days", "1", encode({"day": "1", "worth": 90}))])
    assert Risks(kept).account(NIFTY, 1).peak == peak


def test_a_scrip_with_margin_whose_risk_no_decision_told_is_unknown_to_the_others_alone() -> None:
    kept = books()
    account, version = kept.account()
    kept.store.commit([Write("account", "account", encode(replace(account, used={"RELIANCE": 5})), version)])
    risks = Risks(kept)
    assert risks.account(NIFTY, 1).others.unknown == "RELIANCE"
    assert risks.account(RELIANCE, 1).others.unknown == ""


def test_the_books_of_a_sector_are_summed_for_a_scrip_of_it() -> None:
    risks = Risks(books())
    keep(
        risks,
        decision("HDFCBANK", 1, BookRisk(delta=9, beta=2.0, sector="Banks")),
        decision("TCS", 1, BookRisk(delta=4)),
    )
    assert risks.account(BANKS, 2).others.sector_delta == 9
    assert risks.account(NIFTY, 2).others.sector_delta == 0
