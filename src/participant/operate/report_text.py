"""The report of a day as lines of text for a terminal."""

from participant.core.attribution import Explained
from participant.core.session import day_of
from participant.core.wording import at_price, rupees
from participant.operate.report import Report, Signature, is_external
from participant.operate.shadow import did_lines, outside_lines, would_lines
from participant.operate.view import clock

PARTS = ("delta", "gamma", "theta", "vega", "carry", "charges", "residual", "total")


def lines(report: Report, signed: list[Signature]) -> list[str]:
    """What a person reads after hours, most important first."""
    text = [f"Report of {report.day}: {signed_paise(report.result)} after charges, worth {rupees(report.worth)}"]
    if report.shadow:
        text[0] += f"; a shadow of {report.shadow.broker}, {report.shadow.profile}: nothing was sent"
        text += _section("would have done", would_lines(report.shadow))
        text += _section("the account did", did_lines(report.shadow))
        text += _section("not in this market", outside_lines(report.shadow))
    text += _section("breaks with the broker", _breaks(report))
    text += _section("orders of unknown fate", list(report.unknown))
    text += _section("expired and still held", list(report.expired_left))
    text += _section("booked after the close", list(report.late)) if report.late else []
    tickets = [f"{t.ticket_id[:8]} {'closed' if t.is_closed else 'OPEN'} {t.title}" for t in report.tickets]
    text += _section("tickets", tickets)
    text += _section("P&L explained", _explained(report))
    orders = [
        f"{clock(o.decided_at)} {o.side:<4} {o.quantity:>6} {o.contract:<28} {o.status:<9} {o.filled} filled"
        + (f" at {at_price(o.price)}" if o.filled else f"; {o.reason}" if o.reason else "")
        for o in report.orders
    ]
    text += _section("orders", orders)
    text += _section("not ours", [f"{f.side} {f.quantity} {f.contract.key}" for f in report.fills if is_external(f)])
    events = [f"{e.kind} {e.quantity:+d} {e.contract.key}, cash {rupees(e.cash)}" for e in report.events]
    text += _section("settlement", events)
    text += _section("held", [f"{h.quantity:+d} {h.contract} at {at_price(h.mark)}" for h in report.held])
    items = ((name, getattr(report.charges, name)) for name in report.charges.__struct_fields__)
    text += _section("charges", [", ".join(f"{name} {rupees(paise)}" for name, paise in items)])
    text += _section("compared", [compared(report)])
    by = [f"{s.by} at {day_of(s.at)} {clock(s.at)}, hash {s.hash[:16]} {s.note}".rstrip() for s in signed]
    return text + _section("signed by", by or ["nobody yet: `participant report sign DAY --by NAME`"])


def compared(report: Report) -> str:
    """How often the books were compared with the broker's on the day."""
    return f"{report.looks.compared} times with the broker's books; {report.looks.failed} reads failed"


def signed_paise(paise: int) -> str:
    """An amount with its sign: `+₹812.50`."""
    return f"+{rupees(paise)}" if paise > 0 else rupees(paise)


def rows(report: Report) -> list[tuple[str, Explained]]:
    """The structures and their sum."""
    return [*report.explained.items(), ("in all", report.total)] if report.explained else []


def _section(name: str, text: list[str]) -> list[str]:
    return [f"  {name:<24}{text[0]}", *(f"  {'':<24}{line}" for line in text[1:])] if text else [f"  {name:<24}none"]


def _breaks(report: Report) -> list[str]:
    return [
        f"{'OPEN' if b.is_open else 'mended'} {b.found.kind} {b.found.key}: "
        f"ours {b.found.ours}, theirs {b.found.theirs}, found {b.found.cycles} times; {b.reason or b.found.repair}"
        for b in report.breaks
    ]


def _explained(report: Report) -> list[str]:
    found = rows(report)
    if not found:
        return []
    head = f"{'':<12}" + "".join(f"{part:>13}" for part in PARTS)
    text = [head, *(f"{name:<12}" + "".join(f"{rupees(getattr(e, p)):>13}" for p in PARTS) for name, e in found)]
    return [*text, f"not of a structure: {rupees(report.not_explained)}"] if report.not_explained else text
