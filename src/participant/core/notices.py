"""What people are told, in the form that suits each channel: a pure function per form.

A phone shows two lines, an SMS holds 160 plain letters, a voice reads everything aloud, an e-mail has room for all.
"""

import datetime
from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct

from participant.core.messages import Evidence, Ticket, Work
from participant.core.scrip import Contract, Kind
from participant.core.tickets import DO_NOT_EXECUTE, MAY_BE_LIVE, lots
from participant.core.wording import at_price, counted, rupees

SMS_MAX = 160
LINES_MAX = 10
SECOND = 1_000_000_000
KOLKATA = datetime.timezone(datetime.timedelta(hours=5, minutes=30), "IST")


class Form(StrEnum):
    """How a channel wants its message."""

    WHOLE = "whole"
    BRIEF = "brief"
    SMS = "sms"
    SPOKEN = "spoken"


FORMS = {"email": Form.WHOLE, "console": Form.WHOLE, "webhook": Form.WHOLE, "sms": Form.SMS, "voice": Form.SPOKEN}


class Notice(Struct, frozen=True):
    """One message to people, worded for its channel. `notice_id` names the attempt that it is."""

    notice_id: str
    title: str
    body: str


class Delivery(Struct, frozen=True):
    """What became of a notice: `failure` is empty when it was delivered, else why not."""

    notice_id: str
    failure: str = ""


def form_of(channel: str) -> Form:
    """The form of a channel; what is not known better is brief."""
    return FORMS.get(channel, Form.BRIEF)


def ticket_words(ticket: Ticket, form: Form) -> tuple[str, str]:
    """Title and body of what a ticket says in a form."""
    name = ticket.ticket_id[:8]
    match form:
        case Form.WHOLE:
            return f"Ticket {name}: {ticket.title}", "\n".join(whole(ticket))
        case Form.BRIEF:
            return f"Ticket {name}: {ticket.title}", _brief(ticket)
        case Form.SMS:
            return "", _sms(ticket)
        case Form.SPOKEN:
            return "", _spoken(ticket)


def lines_words(title: str, lines: Sequence[str], form: Form) -> tuple[str, str]:
    """Title and body of a test or of relayed decisions in a form."""
    if form in (Form.SMS, Form.SPOKEN):
        return "", _ascii(" ".join([f"{title}.", *lines]))[:SMS_MAX]
    return title, "\n".join(lines[:LINES_MAX])


def whole(ticket: Ticket) -> list[str]:
    """Everything: what to do, until when, why, the evidence, and how to answer."""
    name, lines = ticket.ticket_id[:8], [f"{ticket.scrip}: {ticket.title}"]
    if ticket.order_id:
        lines.append(f"order {ticket.order_id}")
    if ticket.work is None:
        return [*lines, *ticket.detail.splitlines(), *_answers(name)]
    work = ticket.work
    lines += [MAY_BE_LIVE] if work.is_doubtful else []
    lines += [
        f"do: {work.side} {lots(work.quantity, work.contract)} {work.contract.key}, limit {at_price(work.limit)}",
        f"until: {clock(work.deadline)} of the market's time, and not after: DO NOT EXECUTE then",
        f"why: {work.why}" if work.why else "why: its decision is not in the log",
        *evidence(work.evidence),
    ]
    return [*lines, *_answers(name)]


def evidence(known: Evidence) -> list[str]:
    """What is known of an order at the broker."""
    said = f"; {known.said}" if known.said else ""
    lines = [f"evidence: sent {counted(known.sends, 'time')}, last under tag {known.tag}{said}"]
    if not known.shown:
        return [*lines, "evidence: the broker's book has not shown it"]
    return lines + [f"evidence: broker order {n}: {u} units filled, {rupees(p)}" for n, (u, p) in known.shown.items()]


def _answers(name: str) -> list[str]:
    return [f"answer: participant desk ack {name} | claim {name} | show {name}"]


def _brief(ticket: Ticket) -> str:
    work = ticket.work
    if work is None:
        return f"{ticket.scrip}: {ticket.detail}\nparticipant desk ack {ticket.ticket_id[:8]}"
    lines = [MAY_BE_LIVE] if work.is_doubtful else []
    lines.append(f"Until {clock(work.deadline)[:5]} IST, then {DO_NOT_EXECUTE.partition(':')[0]}.")
    return "\n".join([*lines, work.why, f"participant desk ack {ticket.ticket_id[:8]}"])


def _sms(ticket: Ticket) -> str:
    """At most 160 letters that every phone shows: what, until when, whether it may be live; the name to answer with."""
    name, work = ticket.ticket_id[:8], ticket.work
    if work is None:
        return _ascii(f"Ticket {name} {ticket.scrip} {ticket.title}")[:SMS_MAX]
    doubt = " MAY BE LIVE, check book." if work.is_doubtful else ""
    price = at_price(work.limit).lstrip("₹")
    what = f"{work.side.upper()} {work.quantity} {work.contract.key} lim {price} till {clock(work.deadline)[:5]}."
    return _ascii(f"{name}: {what}{doubt} Then DO NOT EXECUTE. desk ack {name}")[:SMS_MAX]


def _spoken(ticket: Ticket) -> str:
    """Whole words and no signs: a voice reads it to somebody who has just woken up."""
    work, name = ticket.work, " ".join(ticket.ticket_id[:4])
    head = f"This is the trading desk. Ticket {name} needs you."
    if work is None:
        return _ascii(f"{head} {ticket.scrip}: {ticket.title}. Read it with desk list.")
    what = f"{work.side.capitalize()} {_amount(work)}{_say(work.contract)}"
    price = f"at a limit of {work.limit / 10_000:.2f} rupees, before {clock(work.deadline)[:5]}."
    doubt = "It may already be live: check the broker's book first. " if work.is_doubtful else ""
    return _ascii(f"{head} {what} {price} {doubt}After that time do not execute. Acknowledge it to stop these calls.")


def _amount(work: Work) -> str:
    size = work.quantity // work.contract.lot
    return f"{size} " if work.contract.kind is Kind.STOCK else f"{size} {'lot' if size == 1 else 'lots'} of "


def _say(contract: Contract) -> str:
    if contract.kind is Kind.STOCK:
        return f"{contract.underlying} shares"
    words = {Kind.CALL: "call", Kind.PUT: "put", Kind.FUTURE: "future"}[contract.kind]
    strike = f"{contract.strike / 10_000:.0f} " if contract.strike else ""
    return f"{contract.underlying} {strike}{words}, expiry {contract.expiry.day} {contract.expiry:%B}"


def _ascii(text: str) -> str:
    return text.replace("₹", "Rs ").encode("ascii", "replace").decode().replace("\n", " ")


def clock(at: int) -> str:
    """The time of day in India: `09:31:00 IST`."""
    return f"{datetime.datetime.fromtimestamp(at // SECOND, KOLKATA):%H:%M:%S %Z}"
