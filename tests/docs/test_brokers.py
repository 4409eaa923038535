"""docs/brokers.md says what the brokers' guarantees say."""

from participant.core.guarantees import Guarantees
from participant.wire.broker import VENUE
from participant.wire.kite import KITE
from participant.wire.openalgo import OPENALGO
from tests.docs.pages import rows, section, text

BROKERS = (VENUE, KITE, OPENALGO)
PAGE = "docs/brokers.md"


def said(g: Guarantees) -> dict[str, str]:
    def number(most: int) -> str:
        return str(most) if most else "not stated"

    def yes(it: bool) -> str:
        return "yes" if it else "no"

    return {
        "keeps a tag of ours, of at most": f"{g.tag_length_max} characters" if g.tag_length_max else "none",
        "takes a tag once only": g.dedup_by_tag,
        "a lost order is found by": g.found_by,
        "requests about orders a second": number(g.per_second),
        "requests about orders a minute": number(g.per_minute),
        "requests about orders a day": number(g.per_day),
        "changes of one order": number(g.modifications_max),
        "a limit can be changed by itself": yes(g.changes_limit_alone),
        "order types": ", ".join(g.order_types),
        "validities": ", ".join(g.validities),
        "products": ", ".join(g.products),
        "a market order can be built": yes(g.has_market_orders),
        "above the freeze quantity": "sliced" if g.is_sliced else "refused",
        "order updates are streamed": yes(g.has_order_updates),
        "the book says why an order was rejected": yes(g.has_reasons),
        "a quote says of when it is": yes(g.has_quote_times),
        "publishes official settlement prices": yes(g.has_settlements),
        "the session ends": g.session_ends or "never",
    }


def test_the_table_of_guarantees_is_that_of_the_code() -> None:
    table = {cells[0]: cells[1:] for cells in rows(section(text(PAGE), "What each guarantees"))}
    told = [said(g) for g in BROKERS]
    assert table == {name: [str(one[name]) for one in told] for name in told[0]}
    fields = set(Guarantees.__struct_fields__) - {"broker", "rejects"}
    assert len(told[0]) == len(fields), "a guarantee is not in the table"


def test_the_table_of_proven_rejects_is_that_of_the_code() -> None:
    table = [
        [cell.replace("\\", "") for cell in cells] for cells in rows(section(text(PAGE), "What proves a rejection"))
    ]
    code = [
        [g.broker, str(r.status), r.error_type, r.begins.strip(), "yes" if r.is_retriable else "no"]
        for g in BROKERS
        for r in g.rejects
    ]
    assert table == code
