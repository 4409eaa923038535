"""The parts of a page that stands alone: no script, no other file; it prints well."""

from collections.abc import Iterable, Sequence
from html import escape

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
ROWS_WHOLE = 16  # a table of so many rows is printed on one sheet of paper


def whole_page(title: str, body: Iterable[str]) -> str:
    """The page; `title` is HTML."""
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>{title}</title><style>{STYLE}</style><main>{''.join(body)}</main></html>\n"
    )


def section(title: str, *parts: str) -> str:
    """A box of the page under a title."""
    return f"<section><h2>{escape(title)}</h2>{''.join(parts)}</section>"


def paragraph(text: str) -> str:
    """A text in soft ink."""
    return f"<p class=soft>{escape(text)}</p>"


def bullets(sentences: Sequence[str]) -> str:
    """Sentences in a list."""
    return f"<ul>{''.join(f'<li>{escape(one)}</li>' for one in sentences)}</ul>"


def toned(text: str, value: float) -> str:
    """A text in green or red, by the sign of its value."""
    return f"<span class={'bad' if value < 0 else 'good'}>{text}</span>" if value else text


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, texts: int = 1, is_summed: bool = False) -> str:
    """Rows of HTML; the first `texts` columns are words, the others figures; `is_summed`: the last row is the sum."""
    tones = ["" if i < texts else " class=n" for i in range(len(head))]
    top = "".join(f"<th{tone}>{escape(name)}</th>" for tone, name in zip(tones, head, strict=True))
    lines = ["".join(f"<td{tone}>{cell}</td>" for tone, cell in zip(tones, row, strict=True)) for row in rows]
    last = len(lines) - 1 if is_summed else len(lines)
    marked = [f"<tr{' class=sum' if i == last else ''}>{line}</tr>" for i, line in enumerate(lines)]
    whole = " class=whole" if len(rows) <= ROWS_WHOLE else ""
    return f"<table{whole}><thead><tr>{top}</tr></thead><tbody>{''.join(marked)}</tbody></table>"
