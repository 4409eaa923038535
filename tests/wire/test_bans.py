"""The exchange's ban list as it comes."""

import pytest

from participant.wire.bans import BadBans, parse_bans


@pytest.mark.parametrize(
    ("body", "symbols"),
    [
        (b"Securities in Ban For Trade Date 26-NOV-2026:\n1,RBLBANK\n2,M&MFIN\n", ("M&MFIN", "RBLBANK")),
        (b"Securities in Ban For Trade Date 26-NOV-2026: \r\nNIL\r\n", ()),
        (b"SAIL\nBAJAJ-AUTO\nSAIL\n", ("BAJAJ-AUTO", "SAIL")),
        (b"", ()),
    ],
)
def test_symbols_are_read_from_the_exchanges_file_or_a_plain_list(body: bytes, symbols: tuple[str, ...]) -> None:
    assert parse_bans(body) == symbols


@pytest.mark.parametrize("body", [b"<html>\n", b"1,no symbol\n", b"\xff\xfe"])
def test_what_is_no_list_is_refused(body: bytes) -> None:
    with pytest.raises(BadBans):
        parse_bans(body)
