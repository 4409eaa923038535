"""The report of a day as one page that stands alone: no script, no other file, drawn with inline SVG."""

from collections.abc import Iterable, Sequence
from html import escape

from participant.core.attribution import Explained
from participant.core.charges import Charges
from participant.core.feed_report import FeedReport
from participant.core.session import day_of
from participant.core.wording import at_price, rupees
from participant.operate.feed_page import feeds_section
from participant.operate.report import BreakLine, Report, Signature, is_external
from participant.operate.report_text import PARTS, compared, rows, signed_paise
from participant.operate.shadow import ShadowDay, fate, outcome
from participant.operate.view import clock

INKS = {
    "delta": "#2f6fb0", "gamma": "#7a5ea8", "theta": "#2e8b6f", "vega": "#c98a1b", "carry": "#4f9fae",
    "charges": "#b04a4a", "residual": "#8a8f98", "total": "#1d2733",
}  # fmt: skip
STYLE = """
:root{--ink:#1d2733;--soft:#66707c;--line:#dfe4ea;--bad:#b3261e;--good:#1b7f4d;--paper:#fff}
*{box-sizing:border-box}body{margin:0;background:#f3f5f8;color:var(--ink);font:15px/1.5 system-ui,"Segoe UI",sans-serif}
main{max-width:1080px;margin:0 auto;padding:32px 24px 64px}h1{font-size:26px;margin:0}h2{font-size:16px;margin:0 0 12px}
header{display:flex;justify-content:space-between;align-items:end;margin-bottom:20px;gap:24px}
.soft{color:var(--soft)}.bad{color:var(--bad)}.good{color:var(--good)}section,.card{background:var(--paper);
border:1px solid var(--line);border-radius:10px;padding:18px 20px;margin-bottom:16px;overflow-x:auto}
.cards{display:grid;grid-template-columns:repeat(4,1fr);gap:16px}.card b{display:block;font-size:22px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}th{font-weight:600;color:var(--soft);
text-align:left;border-bottom:1px solid var(--line);padding:4px 10px 6px 0}td{padding:5px 10px 5px 0;
border-bottom:1px solid #eef1f4}tr:last-child td{border:0}.n{text-align:right}
.tag{border-radius:9px;padding:1px 9px;font-size:12px;background:#e7ebf0}.tag.bad{background:#fbe4e2}
.tag.good{background:#dff3e8}svg text{font:12px system-ui,sans-serif;fill:var(--ink)}
@media print{body{background:#fff}section,.card{break-inside:avoid}}
@media(max-width:760px){.cards{grid-template-columns:1fr 1fr}}
"""
BREAK_HEAD = ("", "what", "ours", "the broker's", "age", "repair or reason")
FIGURES = {"units", "ours", "the broker's", "official price", "cash", "mark", "in all", *Charges.__struct_fields__}
WOULD_HEAD = ("at", "what", "scrip", "side", "units", "contract", "fate", "until", "times", "why")
WIDTH, HEIGHT, LEFT, BAR = 1000, 250, 10, 72


class Markup(str):
    """Text of ours that is HTML already."""

    __slots__ = ()


def page(report: Report, signed: Sequence[Signature], feeds: FeedReport | None = None) -> str:
    """The whole page."""
    left = "needs a person" if report.needs_a_person else "clean"
    tone = "bad" if report.needs_a_person else "good"
    body = [
        f"<header><div><h1>{escape(report.day)}</h1><span class=soft>participant · the day as it ended</span></div>"
        f"<span class='tag {tone}'>{left}</span></header>",
        _cards(report),
        *(_shadow(report.shadow) if report.shadow else ()),
        _table("Breaks with the broker", BREAK_HEAD, _breaks(report)),
        _tickets(report),
        f"<section><h2>Where the result came from</h2>{waterfall(report.total)}{_explained(report)}</section>",
        _table("Orders", ("at", "side", "units", "contract", "status", "filled", "why"), _orders(report)),
        _table("Fills that are not ours", ("at", "side", "units", "contract"), _external(report)),
        _table("Settlement", ("what", "units", "contract", "official price", "cash"), _events(report)),
        _table("Held at the close", ("contract", "units", "mark"), _held(report)),
        _charges(report),
        feeds_section(feeds) if feeds else "",
        _signed(report, signed),
    ]
    head = f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(report.day)}</title><style>{STYLE}</style>"
    return f"{head}<main>{''.join(body)}</main></html>\n"


def waterfall(total: Explained) -> str:
    """The parts of the result, one after the other, as an SVG: each bar begins where the last one ended."""
    steps, level = list[tuple[str, int, int]](), 0
    for part in PARTS[:-1]:
        paise = getattr(total, part)
        steps.append((part, level, level + paise))
        level += paise
    steps.append(("total", 0, total.total))
    low, high = min(0, *(min(a, b) for _, a, b in steps)), max(0, *(max(a, b) for _, a, b in steps))
    scale = (HEIGHT - 70) / ((high - low) or 1)
    step = (WIDTH - 2 * LEFT) / len(steps)

    def y(value: int) -> float:
        return 35 + (high - value) * scale

    drawn = [f"<line x1=0 x2={WIDTH} y1={y(0):.1f} y2={y(0):.1f} stroke=#c5ccd4 />"]
    for i, (part, begin, end) in enumerate(steps):
        x, top, tall = LEFT + i * step + (step - BAR) / 2, y(max(begin, end)), max(1.5, abs(begin - end) * scale)
        middle = x + BAR / 2
        drawn.append(f"<rect x={x:.1f} y={top:.1f} width={BAR} height={tall:.1f} rx=3 fill='{INKS[part]}' />")
        drawn.append(f"<text x={middle:.1f} y={top - 6:.1f} text-anchor=middle>{signed_paise(end - begin)}</text>")
        drawn.append(f"<text x={middle:.1f} y={HEIGHT - 8} text-anchor=middle>{part}</text>")
    return (
        f"<svg viewBox='0 0 {WIDTH} {HEIGHT}' width=100% role=img aria-label='result by source'>{''.join(drawn)}</svg>"
    )


def _cards(report: Report) -> str:
    filled = sum(o.filled > 0 for o in report.orders)
    open_breaks = sum(b.is_open for b in report.breaks)
    cards = (
        ("result after charges", signed_paise(report.result), "good" if report.result >= 0 else "bad"),
        ("worth", rupees(report.worth), ""),
        ("orders filled", f"{filled} of {len(report.orders)}", ""),
        ("open breaks", str(open_breaks), "bad" if open_breaks else "good"),
    )
    boxes = (f"<div class=card><span class=soft>{n}</span><b class='{tone}'>{v}</b></div>" for n, v, tone in cards)
    return f"<div class=cards>{''.join(boxes)}</div>"


def _shadow(day: ShadowDay) -> list[str]:
    """What a shadow day would have done beside what the account did."""
    would = [
        (
            clock(w.first.at),
            w.action,
            w.scrip,
            w.side,
            f"{w.quantity}",
            w.contract,
            fate(w),
            clock(w.last.at),
            f"{w.count}",
            w.reason,
        )
        for w in day.would
    ]
    did = [(clock(v.updated_at), v.side.value, f"{v.quantity}", v.contract, outcome(v)) for v in day.did]
    held = [(key, f"{units:+d}") for key, units in sorted(day.outside.items())]
    said = f"A shadow of {day.broker}, {day.profile}: nothing was sent. Whether an order would have filled is unknown."
    return [
        f"<section class=soft>{escape(said)}</section>",
        _table("What it would have done", WOULD_HEAD, would),
        _table("What the account did", ("at", "side", "units", "contract", "what became of it"), did),
        _table("Held by the account, and not in this market", ("contract", "units"), held),
    ]


def _table(title: str, head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """A section with a table; every cell is text from outside but those that are `Markup`."""
    lines = [f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in body]
    if not lines:
        return f"<section><h2>{title}</h2><span class=soft>none</span></section>"
    names = "".join(f"<th{' class=n' if name in FIGURES else ''}>{name}</th>" for name in head)
    return f"<section><h2>{title}</h2><table><tr>{names}</tr>{''.join(lines)}</table></section>"


def _cell(text: str) -> str:
    if isinstance(text, Markup):
        return f"<td>{text}</td>"
    is_figure = text.lstrip("+-−₹").replace(",", "").replace(".", "").isdigit()
    return f"<td{' class=n' if is_figure else ''}>{escape(text)}</td>"


def _tag(text: str, tone: str = "") -> Markup:
    return Markup(f"<span class='tag {tone}'>{escape(text)}</span>")


def _breaks(report: Report) -> list[tuple[str, ...]]:
    return [_break(line) for line in report.breaks]


def _break(line: BreakLine) -> tuple[str, ...]:
    found = line.found
    state = _tag("open", "bad") if line.is_open else _tag("mended", "good")
    age = f"{clock(found.first_seen)}, {found.cycles} times"
    return state, f"{found.kind} {found.key}", found.ours, found.theirs, age, line.reason or found.repair


def _tickets(report: Report) -> str:
    states = {True: _tag("closed", "good"), False: _tag("open", "bad")}
    lines = [(states[t.is_closed], t.ticket_id[:8], t.scrip, t.title, t.detail) for t in report.tickets]
    lines += [(_tag("unknown fate", "bad"), name[:8], "", "order", "") for name in report.unknown]
    lines += [(_tag("expired", "bad"), "", "", name, "still held") for name in report.expired_left]
    lines += [
        (_tag("late", "bad"), name[:8], "", "order", "booked after the close: not in what is held")
        for name in report.late
    ]
    return _table("Tickets and what is left", ("", "id", "scrip", "what", "more"), lines)


def _explained(report: Report) -> str:
    head = "".join(f"<th class=n>{part}</th>" for part in PARTS)
    body = "".join(
        f"<tr><td>{escape(name)}</td>{''.join(f'<td class=n>{rupees(getattr(e, part))}</td>' for part in PARTS)}</tr>"
        for name, e in rows(report)
    )
    rest = f"<p class=soft>Not of a structure: {rupees(report.not_explained)}</p>" if report.not_explained else ""
    return f"<table><tr><th>structure</th>{head}</tr>{body}</table>{rest}"


def _orders(report: Report) -> list[tuple[str, ...]]:
    return [
        (clock(o.decided_at), o.side, f"{o.quantity}", o.contract, _tag(o.status), _filled(o.filled, o.price), o.reason)
        for o in report.orders
    ]


def _filled(units: int, price: int) -> str:
    return f"{units} at {at_price(price)}" if units else ""


def _external(report: Report) -> list[tuple[str, ...]]:
    return [(clock(f.at), f.side.value, f"{f.quantity}", f.contract.key) for f in report.fills if is_external(f)]


def _events(report: Report) -> list[tuple[str, ...]]:
    return [(e.kind, f"{e.quantity:+d}", e.contract.key, at_price(e.price), rupees(e.cash)) for e in report.events]


def _held(report: Report) -> list[tuple[str, ...]]:
    return [(h.contract, f"{h.quantity:+d}", at_price(h.mark)) for h in report.held]


def _charges(report: Report) -> str:
    names = report.charges.__struct_fields__
    figures = [rupees(getattr(report.charges, name)) for name in names]
    return _table("Charges", (*names, "in all"), [(*figures, rupees(report.charges.total))] if report.fills else [])


def _signed(report: Report, signed: Sequence[Signature]) -> str:
    lines = [(s.by, f"{day_of(s.at)} {clock(s.at)}", s.hash[:16], s.note) for s in signed]
    table = _table("Signed", ("by", "at", "hash", "note"), lines)
    return table.replace("</section>", f"<p class=soft>The books were compared {compared(report)}.</p></section>")
