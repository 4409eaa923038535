"""What people are told: every form has what its reader needs, and fits its channel."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from participant.core.messages import Ticket
from participant.core.notices import SMS_MAX, Form, form_of, lines_words, ticket_words
from participant.core.order import Order, OrderStatus
from participant.core.scrip import Contract, Kind, Side
from participant.core.session import at_time
from participant.core.tickets import order_ticket

AT = at_time(datetime.date(2026, 11, 25), 10, 0)
CALL = Contract("BANKNIFTY", datetime.date(2026, 12, 29), Kind.CALL, 545_000_000, 30, 500, 600)
ORDER = Order("ab" * 16, "d", "BANKNIFTY", 0, CALL, Side.SELL, 60, 10_523_500, 0, AT, AT + 600 * 10**9,
              0, OrderStatus.UNKNOWN, 1, reason="timed out")  # fmt: skip
TICKET = order_ticket(ORDER, AT, "Sell the call: ₹ 5 more.")
BREAK = Ticket("cd" * 16, AT, "NIFTY", "break: position NIFTY", "ours 65, the broker's 0")


@pytest.mark.parametrize("form", Form)
def test_every_form_says_what_to_do_until_when_and_that_it_may_be_live(form: Form) -> None:
    text = " ".join(ticket_words(TICKET, form)).lower()
    assert "sell" in text
    assert "1052.35" in text.replace(",", "")
    assert "10:10" in text
    assert "live" in text
    assert "do not execute" in text
    assert TICKET.ticket_id[:8] in text or form is Form.SPOKEN


def test_a_proven_reject_is_not_said_to_be_live() -> None:
    sure = order_ticket(replace(ORDER, status=OrderStatus.DEAD), AT)
    assert not [form for form in Form if "live" in " ".join(ticket_words(sure, form)).lower()]


@pytest.mark.parametrize("form", Form)
def test_a_break_says_what_differs(form: Form) -> None:
    text = " ".join(ticket_words(BREAK, form))
    assert "break: position NIFTY" in text
    assert "ours 65" in text or form in (Form.SMS, Form.SPOKEN)


@given(st.text(max_size=300), st.integers(1, 10**6), st.integers(1, 10**9))
def test_an_sms_has_at_most_160_plain_letters_and_a_voice_reads_no_signs(why: str, lots: int, limit: int) -> None:
    order = replace(ORDER, quantity=lots * 30, limit=limit * 500)
    for ticket in (order_ticket(order, AT, why), replace(BREAK, title=why)):
        sms = ticket_words(ticket, Form.SMS)[1]
        assert (len(sms) <= SMS_MAX, sms.isascii()) == (True, True)
        assert ticket_words(ticket, Form.SPOKEN)[1].isascii()


def test_the_whole_form_has_the_evidence() -> None:
    shown = order_ticket(replace(ORDER, shown={"B7": (30, 31_570_50)}, cum_quantity=30), AT, "why")
    _, body = ticket_words(shown, Form.WHOLE)
    assert "broker order B7: 30 units filled, ₹31,571" in body
    assert "sell 30 units (1 lot)" in body
    assert "the broker's book has not shown it" in ticket_words(TICKET, Form.WHOLE)[1]
    assert "its decision is not in the log" in ticket_words(order_ticket(ORDER, AT), Form.WHOLE)[1]


def test_a_call_of_a_future_speaks_no_strike() -> None:
    future = order_ticket(replace(ORDER, contract=replace(CALL, kind=Kind.FUTURE, strike=0)), AT)
    assert "2 lots of BANKNIFTY future, expiry 29 December" in ticket_words(future, Form.SPOKEN)[1]


def test_other_news_fit_their_channel() -> None:
    lines = [f"line {i}" for i in range(30)]
    assert lines_words("Test", lines, Form.BRIEF)[1].count("line") == 10
    assert len(lines_words("Test", lines, Form.SMS)[1]) == SMS_MAX
    assert [form_of(c) for c in ("push", "voice", "sms", "email")] == [Form.BRIEF, Form.SPOKEN, Form.SMS, Form.WHOLE]
