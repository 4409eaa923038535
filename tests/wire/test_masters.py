"""Contract masters of three brokers: their futures and options in one form, and every fault named."""

import gzip
from datetime import date

import pytest

from participant.core.scrip import Kind
from participant.wire.json import Malformed
from participant.wire.masters import parse_master
from tests.history.recorded import DATA, needs_data

UPSTOX = (
    '"instrument_key","exchange_token","tradingsymbol","name","last_price","expiry","strike","tick_size","lot_size",'
    '"instrument_type","option_type","exchange"\n'
    '"NSE_FO|1","1","NIFTY26AUGFUT","NIFTY","0","2026-08-25","0.0","0.1","65","FUTIDX","FF","NSE_FO"\n'
    '"NSE_FO|2","2","NIFTY26AUG24000PE","NIFTY","0","2026-08-25","24000.0","0.05","65","OPTIDX","PE","NSE_FO"\n'
    '"NSE_INDEX|Nifty 50","","","Nifty 50","","","","","","INDEX","INDEX","NSE_INDEX"\n'
)
BREEZE = (
    '"Token","InstrumentName","ShortName","ExpiryDate","StrikePrice","OptionType","FreezeQty","LotSize","TickSize",'
    '"ExchangeCode"\n'
    '"1","FUTIDX","CNXBAN","25-Aug-2026","0","XX",600,30,20,"NIFTY BANK"\n'
    '"2","OPTSTK","RELIND","25-Aug-2026","1392.5","CE",0,500,5,"RELIANCE"\n'
)
KITE = (
    "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,lot_size,instrument_type,"
    "segment,exchange\n"
    "1,1,NIFTY26AUG24000CE,NIFTY,0,2026-08-25,24000,0.05,65,CE,NFO-OPT,NFO\n"
)


def test_upstoxs_futures_and_options_are_read_and_its_indices_passed_over() -> None:
    master = parse_master(UPSTOX.encode())
    future, put = master.listings
    assert (master.broker, master.freezes) == ("Upstox", {})
    assert (future.underlying, future.expiry, future.kind, future.lot, future.tick) == (
        "NIFTY", date(2026, 8, 25), Kind.FUTURE, 65, 1_000,
    )  # fmt: skip
    assert (put.kind, put.strike, put.tick) == (Kind.PUT, 240_000_000, 500)


def test_breezes_names_become_the_exchanges_and_its_paise_prices() -> None:
    master = parse_master(gzip.compress(BREEZE.encode()))
    bank, reliance = master.listings
    assert (master.broker, master.freezes) == ("ICICI Breeze", {"BANKNIFTY": 600})
    assert (bank.underlying, bank.kind, bank.lot, bank.tick) == ("BANKNIFTY", Kind.FUTURE, 30, 2_000)
    assert (reliance.underlying, reliance.strike, reliance.tick) == ("RELIANCE", 13_925_000, 500)


def test_kites_list_is_read_as_the_gateway_reads_it() -> None:
    (call,) = parse_master(KITE.encode()).listings
    assert (call.underlying, call.kind, call.strike, call.lot) == ("NIFTY", Kind.CALL, 240_000_000, 65)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"a,b\n1,2\n", "no contract master of Kite, Upstox or ICICI Breeze: it begins 'a,b"),
        (UPSTOX.replace("24000.0", "dear").encode(), "line 3: 'dear' is not a price"),
        (UPSTOX.replace("2026-08-25", "soon", 1).encode(), "line 2: Invalid isoformat string: 'soon'"),
        (UPSTOX.replace('"65"', '"0"', 1).encode(), "line 2: '0' is no quantity"),
        (BREEZE.replace("25-Aug-2026", "25-Aou-2026", 1).encode(), "line 2: "),
        (BREEZE.replace("600,30", "many,30").encode(), "line 2: invalid literal for int"),
        (
            (BREEZE + BREEZE.splitlines()[1].replace("600", "900")).encode(),
            "BANKNIFTY has freeze quantities of 600 and 900",
        ),
        ("\n".join([UPSTOX.splitlines()[0], UPSTOX.splitlines()[3]]).encode(), "the master of Upstox has no future"),
        (UPSTOX.splitlines()[0].encode() + b'\n"NSE_FO|1","1"\n', "the master of Upstox has no future"),
        (gzip.compress(BREEZE.encode())[:-12], "cut off or damaged"),
        (b"\xff\xfe", "cut off or damaged"),
    ],
)
def test_a_fault_is_named_in_one_line(body: bytes, said: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse_master(body)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


@needs_data
@pytest.mark.parametrize(
    ("name", "count", "underlyings"),
    [
        ("upstox_NSE_FO_index_and_majors.csv.gz", 4_749, 5),
        ("icici_breeze_FONSE_index_2026-07-30.csv.gz", 8_735, 6),
    ],
)
def test_whole_masters_are_read(name: str, count: int, underlyings: int) -> None:
    master = parse_master((DATA / "instruments" / name).read_bytes())
    assert len(master.listings) == count
    assert len({one.underlying for one in master.listings}) == underlyings
