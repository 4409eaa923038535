"""The tear sheet as one page that stands alone: no script, no other file, charts inside it; it prints well."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from participant.core.wording import counted, rupees
from participant.research import charts
from participant.research.page_parts import bullets, paragraph, section, table, toned, whole_page
from participant.research.sheet import SERIES, Line, Sheet
from participant.research.sheet_text import figure, interval, method, readings, share

NOTES_SHOWN = 14
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
        section("How to read it", bullets(readings(sheet))),
        section("What became of the capital", charts.equity(sheet), *_equity_notes(sheet)),
        section("Month by month", _months(sheet)),
        section("Return and risk", _statistics(sheet), _beside(sheet), paragraph(method(sheet))),
        section("What made the gain", _attribution(sheet), paragraph("The parts add up to the gain to the paisa.")),
        *_premium(sheet),
        section("Exposure and margin", charts.exposure(sheet)),
        section("Greeks", charts.greeks(sheet), paragraph(GREEKS_SAID)),
        section("Decisions", *(charts.decisions(sheet, scrip) for scrip in of.scrips), _decided(sheet)),
        section("The data", *_data(sheet)),
        section("The run", _run(sheet)),
    ]
    title = f"{escape(of.strategy)} {of.since} to {of.until}"
    return whole_page(title, body)


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
        yield paragraph(
            "Cover alone is an equal share of the capital in each underlying; the overwrite is the same share with a "
            "call at the money sold against it, monthly where a monthly expiry is recorded, else the nearest one. Both "
            "are fully invested, without charges or dividends, from the first close on."
        )
    for name, fall in sheet.drawdowns.items():
        days = [sheet.of.since, *sheet.days] if name == "worth" else sheet.days
        until = f"made good on {days[fall.recovered]}" if fall.recovered is not None else "not made good"
        if fall.depth:
            deep = f"{SERIES[name]}: deepest drawdown {100 * fall.depth:.1f} %"
            yield paragraph(f"{deep}, {days[fall.peak]} to {days[fall.trough]}, {until}.")


def _months(sheet: Sheet) -> str:
    names = list(sheet.series)
    rows = []
    for month in sheet.months:
        mine = month.returns["worth"]
        values = [*month.returns.values(), *(mine - month.returns[other] for other in names[1:])]
        rows.append([month.month, *(toned(share(value, 2), value) for value in values)])
    head = ["month", *(SERIES[name] for name in names), *(f"less {SERIES[name]}" for name in names[1:])]
    return table(head, rows)


def _statistics(sheet: Sheet) -> str:
    return _compared(sheet.lines)


def _beside(sheet: Sheet) -> str:
    return "<h3>The desk beside</h3>" + _compared(sheet.beside) if sheet.beside else ""


def _compared(found: Mapping[str, Sequence[Line]]) -> str:
    """A row a statistic, a column a series."""
    rows = [[escape(lines[0].name), *map(_line, lines)] for lines in zip(*found.values(), strict=True)]
    return table(["", *(SERIES[name] for name in found)], rows)


def _line(line: Line) -> str:
    sure = interval(line)
    return f"{figure(line.name, line.value)}" + (f"<br><small>{sure}</small>" if sure else "")


def _attribution(sheet: Sheet) -> str:
    rows = [[escape(name), toned(_paise(paise), paise)] for name, paise in sheet.attribution.items()]
    rows.append(["gain", _paise(sheet.gain)])
    return table(["", "₹"], rows, is_summed=True)


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
    yield section("Premium captured and given up", charts.premium(sheet), table(head, rows, texts=3), paragraph(said))


def _decided(sheet: Sheet) -> str:
    rows = [
        [mark.day, escape(scrip), escape(mark.kind), escape(mark.text)]
        for scrip in sheet.of.scrips
        for mark in sheet.marks(scrip)
    ]
    counts = ", ".join(f"{count:,} {escape(name)}" for name, count in sheet.of.counts.items())
    head = ["day", "scrip", "what", "the sentence of the decision, or what happened"]
    return paragraph(counts) + "<h3>All that was not maintained</h3>" + table(head, sorted(rows), texts=4)


def _data(sheet: Sheet) -> Iterable[str]:
    played = f"{counted(len(sheet.days), 'day')} played, {len(sheet.unseen)} of them for their official prices alone"
    yield paragraph(played + (f": {', '.join(sheet.unseen)}." if sheet.unseen else "."))
    rows = [[name, f"{count:,}", f"{modelled:,}"] for name, (count, modelled) in sheet.modelled.items()]
    yield "<h3>Fills</h3>" + table(["of", "fills", "at a modelled or derived quote"], rows)
    rows = [
        [how, f"{len(of):,}", *(f"{of[min(len(of) - 1, int(q * len(of)))]:.1f}" for q in (0.5, 0.9, 1.0))]
        for how, of in sorted(sheet.derived_errors.items())
    ]
    if rows:
        yield "<h3>Derived futures at the end of a day, basis points from the official close</h3>"
        yield table(["derived by", "futures and days", "median", "90 %", "worst"], rows)
    skipped = [[n.day, escape(n.note)] for n in sheet.of.data.notes if n.note.startswith("not played")]
    yield "<h3>Days not played</h3>" + table(["day", "why"], skipped, texts=2) if skipped else ""
    rows = [
        [f"{count:,}", f"<span class=d>{day}</span>", escape(text)] for count, day, text in sheet.notes[:NOTES_SHOWN]
    ]
    yield "<h3>Notes, by kind</h3>" + table(["times", "first on", "as on that day"], rows, texts=3)
    more = len(sheet.notes) - NOTES_SHOWN
    yield paragraph(f"{more} more kinds of notes are in summary.json.") if more > 0 else ""


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
    return table(["", ""], rows, texts=2)


def _paise(paise: int) -> str:
    """Money to the paisa: what adds up must be seen to."""
    sign, amount = "-" if paise < 0 else "", abs(paise)
    return f"{sign}{amount // 100:,}.{amount % 100:02d}"
