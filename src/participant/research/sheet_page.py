"""The tear sheet as one page that stands alone: no script, no other file, charts inside it; it prints well."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from participant.core.wording import counted, rupees
from participant.research import charts
from participant.research.sheet import SERIES, Line, Sheet
from participant.research.sheet_text import figure, interval, method, readings, share

STYLE = """
:root{--ink:#1d2733;--soft:#55606d;--line:#dfe4ea;--bad:#b3261e;--good:#1b7f4d}
*{box-sizing:border-box}body{margin:0;background:#f3f5f8;color:var(--ink);font:15px/1.5 system-ui,"Segoe UI",
"DejaVu Sans",sans-serif}main{max-width:1080px;margin:0 auto;padding:32px 24px 64px}h1{font-size:26px;margin:0}
h2{font-size:17px;margin:0 0 10px}h3{font-size:14px;margin:14px 0 6px}header{margin-bottom:20px}
.soft{color:var(--soft)}.bad{color:var(--bad)}.good{color:var(--good)}
section,.card{background:#fff;border:1px solid var(--line);border-radius:10px;padding:18px 20px;margin-bottom:16px;
overflow-x:auto}.cards{display:grid;grid-template-columns:repeat(4,1fr);gap:16px}.card b{display:block;font-size:22px;
font-variant-numeric:tabular-nums}.card span{font-size:13px;color:var(--soft)}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:14px}
th{font-weight:600;color:var(--soft);text-align:left;border-bottom:1px solid var(--line);padding:4px 10px 6px 0;
vertical-align:bottom}td{padding:5px 10px 5px 0;border-bottom:1px solid #eef1f4;vertical-align:top}
td:first-child,.d{white-space:nowrap}
tr:last-child td{border:0}.n{text-align:right;white-space:nowrap}.sum td{font-weight:600;
border-top:1px solid var(--ink)}small{color:var(--soft);font-size:12px;white-space:nowrap}
ul{margin:0;padding-left:20px}li{margin-bottom:6px}
p{margin:8px 0 0}svg{display:block;width:100%;height:auto}
svg text{font-family:system-ui,"Segoe UI","DejaVu Sans",sans-serif!important}
@page{size:A4;margin:12mm}
@media print{body{background:#fff;font-size:11px;-webkit-print-color-adjust:exact;print-color-adjust:exact}
main{max-width:none;padding:0}section,.card{border:0;border-radius:0;padding:0 0 10px;margin-bottom:10px}
table{font-size:10.5px}small{font-size:9.5px}.card b{font-size:16px}h1{font-size:20px}h2{font-size:14px}
svg,tr,.card,.whole{break-inside:avoid}h2,h3{break-after:avoid}}
@media screen and (max-width:760px){.cards{grid-template-columns:1fr 1fr}}
"""
NOTES_SHOWN = 14
ROWS_WHOLE = 16  # a table of so many rows is printed on one sheet of paper
GREEKS_SAID = (
    "At the last decisions of each day; a gap is a day without any. The axes show the usual: on a day of expiry gamma "
    "and theta of an option at the money run out of the picture."
)


def page(sheet: Sheet) -> str:
    """The whole page."""
    of = sheet.of
    body = [
        f"<header><h1>{escape(of.strategy.replace('_', ' '))} on {escape(', '.join(of.scrips))}</h1><span class=soft>"
        f"{of.since} to {of.until} · {counted(len(sheet.days), 'day')} · {escape(of.status)} · recorded days, played "
        "through the whole desk; not advice</span></header>",
        _cards(sheet),
        _section("How to read it", _list(readings(sheet))),
        _section("What became of the capital", charts.equity(sheet), *_equity_notes(sheet)),
        _section("Month by month", _months(sheet)),
        _section("Return and risk", _statistics(sheet), _beside(sheet), _p(method(sheet))),
        _section("What made the gain", _attribution(sheet), _p("The parts add up to the gain to the paisa.")),
        *_premium(sheet),
        _section("Exposure and margin", charts.exposure(sheet)),
        _section("Greeks", charts.greeks(sheet), _p(GREEKS_SAID)),
        _section("Decisions", *(charts.decisions(sheet, scrip) for scrip in of.scrips), _decided(sheet)),
        _section("The data", *_data(sheet)),
        _section("The run", _run(sheet)),
    ]
    title = f"{escape(of.strategy)} {of.since} to {of.until}"
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>{title}</title><style>{STYLE}</style><main>{''.join(body)}</main></html>\n"
    )


def _cards(sheet: Sheet) -> str:
    whole = sheet.lines["worth"][0].value or 0.0
    falls = sheet.drawdowns["worth"]
    cells = [(rupees(sheet.gain), f"gain after charges, {share(whole, 2)} of {rupees(sheet.of.capital)}")]
    cells += [
        (share(worths[-1] / sheet.of.capital - 1), f"{SERIES[name]}, without charges")
        for name, worths in sheet.series.items()
        if name != "worth"
    ]
    cells.append((f"{100 * falls.depth:.1f} %", "the desk's deepest drawdown at a close"))
    found = "".join(f"<div class=card><b>{b}</b><span>{escape(t)}</span></div>" for b, t in cells)
    return f"<div class=cards>{found}</div>"


def _equity_notes(sheet: Sheet) -> Iterable[str]:
    names = [SERIES[name] for name in sheet.series if name != "worth"]
    if names:
        yield _p(
            "Cover alone is an equal share of the capital in each underlying; the overwrite is the same share with a "
            "call at the money sold against it, monthly where a monthly expiry is recorded, else the nearest one. Both "
            "are fully invested, without charges or dividends, from the first close on."
        )
    for name, fall in sheet.drawdowns.items():
        days = [sheet.of.since, *sheet.days] if name == "worth" else sheet.days
        until = f"made good on {days[fall.recovered]}" if fall.recovered is not None else "not made good"
        if fall.depth:
            deep = f"{SERIES[name]}: deepest drawdown {100 * fall.depth:.1f} %"
            yield _p(f"{deep}, {days[fall.peak]} to {days[fall.trough]}, {until}.")


def _months(sheet: Sheet) -> str:
    names = list(sheet.series)
    rows = []
    for month in sheet.months:
        mine = month.returns["worth"]
        values = [*month.returns.values(), *(mine - month.returns[other] for other in names[1:])]
        rows.append([month.month, *(_toned(share(value, 2), value) for value in values)])
    head = ["month", *(SERIES[name] for name in names), *(f"less {SERIES[name]}" for name in names[1:])]
    return _table(head, rows)


def _statistics(sheet: Sheet) -> str:
    return _compared(sheet.lines)


def _beside(sheet: Sheet) -> str:
    return "<h3>The desk beside</h3>" + _compared(sheet.beside) if sheet.beside else ""


def _compared(found: Mapping[str, Sequence[Line]]) -> str:
    """A row a statistic, a column a series."""
    rows = [[escape(lines[0].name), *map(_line, lines)] for lines in zip(*found.values(), strict=True)]
    return _table(["", *(SERIES[name] for name in found)], rows)


def _line(line: Line) -> str:
    sure = interval(line)
    return f"{figure(line.name, line.value)}" + (f"<br><small>{sure}</small>" if sure else "")


def _attribution(sheet: Sheet) -> str:
    rows = [[escape(name), _toned(_paise(paise), paise)] for name, paise in sheet.attribution.items()]
    rows.append(["gain", _paise(sheet.gain)])
    return _table(["", "₹"], rows, is_summed=True)


def _premium(sheet: Sheet) -> Iterable[str]:
    if not sheet.written:
        return
    rows = []
    for one in sheet.sold:
        kept = one.received - one.paid_back
        endings = ", ".join(f"{count} {name}" for name, count in one.endings.most_common())
        part = f"{100 * kept / one.received:.0f} %" if one.received else "–"
        money = (_paise(p) for p in (one.received, one.paid_back, one.given_up, kept))
        rows.append([escape(one.scrip), f"{one.contracts:,}", escape(endings), *money, part])
    head = ["scrip", "contracts", "how they ended", "received", "paid back", "of it at expiry", "kept", "share"]
    said = "What a call cost at its expiry is what the cover made above the strike. What is still held counts as kept."
    yield _section("Premium captured and given up", charts.premium(sheet), _table(head, rows, texts=3), _p(said))


def _decided(sheet: Sheet) -> str:
    rows = [
        [mark.day, escape(scrip), escape(mark.kind), escape(mark.text)]
        for scrip in sheet.of.scrips
        for mark in sheet.marks(scrip)
    ]
    counts = ", ".join(f"{count:,} {escape(name)}" for name, count in sheet.of.counts.items())
    head = ["day", "scrip", "what", "the sentence of the decision, or what happened"]
    return _p(counts) + "<h3>All that was not maintained</h3>" + _table(head, sorted(rows), texts=4)


def _data(sheet: Sheet) -> Iterable[str]:
    played = f"{counted(len(sheet.days), 'day')} played, {len(sheet.unseen)} of them for their official prices alone"
    yield _p(played + (f": {', '.join(sheet.unseen)}." if sheet.unseen else "."))
    rows = [[name, f"{count:,}", f"{modelled:,}"] for name, (count, modelled) in sheet.modelled.items()]
    yield "<h3>Fills</h3>" + _table(["of", "fills", "at a modelled or derived quote"], rows)
    rows = [
        [how, f"{len(of):,}", *(f"{of[min(len(of) - 1, int(q * len(of)))]:.1f}" for q in (0.5, 0.9, 1.0))]
        for how, of in sorted(sheet.derived_errors.items())
    ]
    if rows:
        yield "<h3>Derived futures at the end of a day, basis points from the official close</h3>"
        yield _table(["derived by", "futures and days", "median", "90 %", "worst"], rows)
    skipped = [[n.day, escape(n.note)] for n in sheet.of.data.notes if n.note.startswith("not played")]
    yield "<h3>Days not played</h3>" + _table(["day", "why"], skipped, texts=2) if skipped else ""
    rows = [
        [f"{count:,}", f"<span class=d>{day}</span>", escape(text)] for count, day, text in sheet.notes[:NOTES_SHOWN]
    ]
    yield "<h3>Notes, by kind</h3>" + _table(["times", "first on", "as on that day"], rows, texts=3)
    more = len(sheet.notes) - NOTES_SHOWN
    yield _p(f"{more} more kinds of notes are in summary.json.") if more > 0 else ""


def _run(sheet: Sheet) -> str:
    of = sheet.of
    weights = {
        f"{escape(scrip)}: {escape(', '.join(f'{k}={v}' for k, v in sorted(found.items())))}"
        for scrip, found in of.weights.items()
    }
    rows = [
        ["data", escape(", ".join(of.data.paths))],
        ["rules", of.rules_hash],
        ["build", of.build_id],
        *(["weights", found] for found in sorted(weights)),
    ]
    return _table(["", ""], rows, texts=2)


# --- parts -----------------------------------------------------------------------------------------------------------


def _section(title: str, *parts: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{''.join(parts)}</section>"


def _p(text: str) -> str:
    return f"<p class=soft>{escape(text)}</p>"


def _list(sentences: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(one)}</li>' for one in sentences)}</ul>"


def _paise(paise: int) -> str:
    """Money to the paisa: what adds up must be seen to."""
    sign, amount = "-" if paise < 0 else "", abs(paise)
    return f"{sign}{amount // 100:,}.{amount % 100:02d}"


def _toned(text: str, value: float) -> str:
    return f"<span class={'bad' if value < 0 else 'good'}>{text}</span>" if value else text


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], *, texts: int = 1, is_summed: bool = False) -> str:
    """Rows of HTML; the first `texts` columns are words, the others figures; `is_summed`: the last row is the sum."""
    tones = ["" if i < texts else " class=n" for i in range(len(head))]
    top = "".join(f"<th{tone}>{escape(name)}</th>" for tone, name in zip(tones, head, strict=True))
    lines = ["".join(f"<td{tone}>{cell}</td>" for tone, cell in zip(tones, row, strict=True)) for row in rows]
    last = len(lines) - 1 if is_summed else len(lines)
    marked = [f"<tr{' class=sum' if i == last else ''}>{line}</tr>" for i, line in enumerate(lines)]
    whole = " class=whole" if len(rows) <= ROWS_WHOLE else ""
    return f"<table{whole}><thead><tr>{top}</tr></thead><tbody>{''.join(marked)}</tbody></table>"
