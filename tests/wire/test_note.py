"""Contract notes as bytes: CSV and JSON give the same rows; whatever is odd is refused with its line and the reason."""

import pytest

from participant.core.charges import Charges
from participant.wire.note import BadNote, NoteMapping, parse_mapping, parse_note

HEAD = "day,contract,order,brokerage,stt,exchange,sebi,stamp,gst"
ROW = '2026-11-25,NIFTY-20261229-FUT,B1,20.00,"1,170.5",4.62,0.01,0,4.43'
PLAIN = NoteMapping()
CHARGES = Charges(20_00, 1_170_50, 4_62, 1, 0, 4_43, 0)


def note(*rows: str, head: str = HEAD) -> bytes:
    return "\n".join([head, *rows]).encode()


def test_csv_and_json_give_the_same_rows() -> None:
    (row,) = parse_note(note(ROW), PLAIN)
    assert (row.line, row.day, row.contract, row.order) == (2, "2026-11-25", "NIFTY-20261229-FUT", "B1")
    assert row.charges == CHARGES
    given = (
        b'[{"day":"2026-11-25","contract":"NIFTY-20261229-FUT","order":"B1","brokerage":20,"stt":1170.5,'
        b'"exchange":4.62,"sebi":0.01,"stamp":0,"gst":"4.43","ipft":0}]'
    )
    (same,) = parse_note(given, PLAIN)
    assert (same.charges, same.contract) == (CHARGES, row.contract)


def test_a_mapping_says_what_columns_and_contracts_are_called() -> None:
    mapping = parse_mapping(b'[columns]\ncontract = "Symbol"\n[contracts]\n"NIFTY26DECFUT" = "NIFTY-20261229-FUT"\n')
    head = HEAD.replace("contract", "Symbol")
    (row,) = parse_note(note(ROW.replace("NIFTY-20261229-FUT", "NIFTY26DECFUT"), head=head), mapping)
    assert row.contract == "NIFTY-20261229-FUT"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "the file is empty"),
        (b"<!doctype html><title>Sign in</title>", "line 1: the file is HTML"),
        (b"\xff\xfe\x00", "no text"),
        (HEAD.encode(), "no row"),
        (note("2026-11-25,X"), "line 2: 2 cells under 9 columns"),
        (note(ROW, head=HEAD.replace("gst", "tax")), "line 2: no column gst"),
        (note(ROW.replace("4.62", "4.625")), "line 2: exchange is '4.625'"),
        (note(ROW.replace("4.62", "-4.62")), "line 2: exchange is '-4.62'"),
        (note(ROW.replace("4.62", "nan")), "line 2: exchange is 'nan'"),
        (note(ROW.replace("4.62", "")), "line 2: exchange is ''"),
        (note(ROW, ROW), "line 3: B1 stands in line 2 already"),
        (note('2026-11-25,"a'), "line 2"),
        (b'{"rows": 1}', "no JSON list"),
        (b"[{", "no JSON list"),
        (note(*["x" * 100] * 50_001), "bytes, of at most"),
        (b"a\n" + b"1\n" * 20_001, "more than 20000 rows"),
    ],
)
def test_what_is_no_note_is_refused_with_its_line_and_the_reason(body: bytes, why: str) -> None:
    with pytest.raises(BadNote, match=why):
        parse_note(body, PLAIN)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"[columns", "not usable"),
        (b"[columns]\ntax = 'x'", "names tax"),
        (b"x = 1", "not usable"),
        (b"\xff", "not usable"),
    ],
)
def test_a_mapping_that_cannot_be_used_is_refused(body: bytes, why: str) -> None:
    with pytest.raises(BadNote, match=why):
        parse_mapping(body)
