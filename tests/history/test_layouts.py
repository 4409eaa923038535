"""Layouts: the shipped ones, a user's mapping file, and what is said of a bad one."""

import datetime
from pathlib import Path

import pytest

from participant.history.layouts import Layout, fitting, nearest, parse, read_layout, shipped
from participant.history.pages import BadData

OWN = """
name = "own"
shape = "long"
strike = "K"

[time]
date = "D"
time = "T"
format = "%d/%m/%Y %H:%M"

[symbol]
constant = "NIFTY"

[expiry]
column = "E"
format = "%d-%b-%Y"

[kind]
column = "right"
call = "C"
put = "P"

[option]
bid = "b"
ask = "a"
"""


def own(old: str = "", new: str = "") -> bytes:
    assert old in OWN
    return OWN.replace(old, new).encode()


def test_every_shipped_layout_fits_its_own_columns_and_no_two_are_alike() -> None:
    assert len(shipped()) == 7
    for layout in shipped().values():
        assert fitting(layout.columns) == layout


def test_the_layout_with_the_most_columns_wins() -> None:
    both = {*shipped()["nse_minute_chain"].columns, *shipped()["nse_reply_rows"].columns}
    assert fitting(both) == shipped()["nse_reply_rows"]


def test_a_table_with_more_than_a_time_and_a_price_is_no_index() -> None:
    assert fitting(("ts_ist", "price")) == shipped()["index_seconds"]
    assert fitting(("ts_ist", "price", "strike")) is None


def test_the_nearest_layout_is_named_only_where_most_of_it_is_there() -> None:
    columns = set(shipped()["nse_chain"].columns) - {"put_oi"}
    near = nearest(columns)
    assert near is not None
    assert (near.name, near.missing(columns)) == ("nse_chain", ("put_oi",))
    assert nearest({"a", "b"}) is None


def test_sources_without_bids_and_asks_are_modelled() -> None:
    modelled = {name for name, layout in shipped().items() if layout.is_modelled}
    assert modelled == set(shipped()) - {"nse_chain", "nse_reply_rows"}


def test_a_mapping_file_says_all_that_a_table_needs(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_bytes(own())
    layout = read_layout(file)
    assert isinstance(layout, Layout)
    assert layout.columns == ("D", "T", "K", "E", "right", "b", "a")
    assert datetime.timedelta(seconds=layout.time.offset_s) == datetime.timedelta(hours=5, minutes=30)


def test_times_west_of_greenwich_lie_before_it() -> None:
    west = parse("own.toml", own('date = "D"', 'utc_offset = "-03:30"\ndate = "D"'))
    assert west.time.offset_s == -(3 * 3_600 + 30 * 60)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('strike = "K"', 'strike = "K"\nstrikes = "K"', "own.toml: Object contains unknown field `strikes`"),
        ('bid = "b"', 'bids = "b"', "own.toml: option: Object contains unknown field `bids`"),
        ('"long"', '"tall"', "own.toml: shape: Invalid enum value 'tall'"),
        ('name = "own"', "name = own", "own.toml: Invalid value"),
        ('strike = "K"', "", "own.toml: strike: the column of the strikes is not named"),
        ('strike = "K"', 'strike = "K"\nbar_s = -1', "own.toml: bar_s: Expected `int` >= 0"),
        ('[kind]\ncolumn = "right"\ncall = "C"\nput = "P"', "", "own.toml: kind: a layout of shape 'long' needs"),
        ("[option]", "[call]", "own.toml: call: a layout of shape 'long' has no such table"),
        ('constant = "NIFTY"', "", "own.toml: symbol: name either a column or a constant"),
        ('date = "D"', "", "own.toml: time: name either a column, or date and time"),
        ("%d-%b-%Y", "dd-mm-yyyy", "own.toml: format: 'dd-mm-yyyy' names no part of a date"),
        ('date = "D"', 'utc_offset = "IST"\ndate = "D"', "own.toml: time.utc_offset: Expected `str` matching"),
    ],
)
def test_a_bad_mapping_file_is_refused_with_its_key(old: str, new: str, said: str) -> None:
    with pytest.raises(BadData) as refused:
        parse("own.toml", own(old, new))
    text = str(refused.value)
    assert text.startswith(said.replace("Object", "table")), text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("pattern", "said"),
    [("(?P<symbol>[A-Z]+", "ticker.pattern: missing )"), ("(?P<symbol>[A-Z]+)", "no group named expiry, strike, kind")],
)
def test_a_ticker_pattern_names_all_parts_of_a_contract(pattern: str, said: str) -> None:
    body = f"""
        name = "own"
        shape = "ticker"
        [time]
        column = "at"
        [ticker]
        column = "name"
        pattern = '{pattern}'
        [option]
        last = "close"
    """
    with pytest.raises(BadData, match=r"own\.toml: ticker\.pattern") as refused:
        parse("own.toml", body.encode())
    assert said in str(refused.value)


def test_a_strike_is_no_column_of_an_index() -> None:
    body = b'name = "own"\nshape = "index"\nspot = "s"\nstrike = "K"\n[time]\ncolumn = "at"'
    with pytest.raises(BadData, match="strike: a column for shapes 'wide' and 'long' alone, not for 'index'"):
        parse("own.toml", body)


def test_an_index_names_its_column() -> None:
    with pytest.raises(BadData, match="spot: the column of the index is not named"):
        parse("own.toml", b'name = "own"\nshape = "index"\n[time]\ncolumn = "at"')


def test_a_mapping_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="No such file or directory: name a mapping file that can be read"):
        read_layout(tmp_path / "none.toml")
