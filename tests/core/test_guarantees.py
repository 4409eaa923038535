"""What answers prove by a broker's guarantees."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from participant.core.guarantees import Guarantees, Said, classify, tag_fault, unread, unsent
from participant.core.order import Verdict
from participant.wire.broker import VENUE
from participant.wire.kite import KITE
from participant.wire.openalgo import OPENALGO
from tests.ports.test_broker import order

BROKERS = [VENUE, KITE, OPENALGO]
STATUSES = st.sampled_from([200, 201, 204, 301, 400, 401, 403, 404, 405, 409, 410, 422, 429, 500, 502, 503, 504])
KINDS = st.sampled_from(["", *(f"{kind}Exception" for kind in ("Input", "Order", "Network", "Margin", "Token"))])


@pytest.mark.parametrize("guarantees", BROKERS, ids=lambda g: g.broker)
@given(status=STATUSES, is_success=st.booleans(), order_id=st.sampled_from(["", "7"]), kind=KINDS, message=st.text())
def test_only_success_with_an_id_accepts_and_only_a_listed_answer_rejects(
    guarantees: Guarantees, status: int, is_success: bool, order_id: str, kind: str, message: str
) -> None:
    answer = classify(guarantees, Said(status, is_success, order_id, kind, message))
    if answer.verdict is Verdict.ACCEPTED:
        assert is_success
        assert 200 <= status < 300
        assert answer.broker_order_id == order_id == "7"
    elif answer.verdict is Verdict.REJECTED:
        assert not is_success
        assert any(
            (r.status, r.error_type) == (status, kind) and message.startswith(r.begins) for r in guarantees.rejects
        )
    else:
        assert answer.verdict is Verdict.UNKNOWN
    assert len(answer.reason) <= 240


@pytest.mark.parametrize("guarantees", BROKERS, ids=lambda g: g.broker)
def test_no_status_alone_and_no_server_error_proves_a_rejection(guarantees: Guarantees) -> None:
    for reject in guarantees.rejects:
        assert 400 <= reject.status < 500
        assert reject.error_type or reject.begins, "a status alone"
    assert [r.status for r in guarantees.rejects if r.is_retriable] == [429]


def test_words_that_kite_lets_an_order_live_after_prove_nothing() -> None:
    timed_out = "Order request timed out. Please check the order book and confirm before placing again."
    for kind in ("OrderException", "NetworkException", "InputException", "GeneralException"):
        assert (
            classify(KITE, Said(400, is_success=False, error_type=kind, message=timed_out)).verdict is Verdict.UNKNOWN
        )


def test_a_brokers_own_words_that_come_through_openalgo_prove_nothing() -> None:
    for status in (400, 403, 429, 500):
        answer = classify(OPENALGO, Said(status, is_success=False, message="Insufficient funds."))
        assert answer.verdict is Verdict.UNKNOWN


def test_what_cannot_be_read_is_unknown_and_what_is_not_sent_is_refused_for_good() -> None:
    assert unread(502, "x" * 500).verdict is Verdict.UNKNOWN
    answer = unsent("no such contract")
    assert (answer.verdict, answer.is_retriable, answer.reason) == (
        Verdict.REJECTED,
        False,
        "not sent: no such contract",
    )


def test_our_tag_fits_where_a_broker_keeps_one_and_another_is_told_of() -> None:
    assert [tag_fault(guarantees, order("a")) for guarantees in BROKERS] == ["", "", ""]
    assert "at most 20 letters" in tag_fault(KITE, order("#"))
