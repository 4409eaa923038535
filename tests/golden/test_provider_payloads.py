"""The mappings that ship, on what their providers really sent: the recorded payloads, value by value."""

import base64
import datetime
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from participant.core.market import Tick
from participant.history import nse_json
from participant.links.presets import shipped
from participant.wire.json_map.names import Listed
from participant.wire.json_map.plan import plan_of
from participant.wire.json_map.reader import Reader
from participant.wire.json_map.stream import Broken, Ended, Said, Stream
from participant.wire.kite_packets import PacketLevel, packet
from tests.history.recorded import DATA, needs_data

SAMPLES = DATA / "broker_api_samples"
REPLIES = sorted((DATA / "nse_json_chain_2025" / "raw_json").glob("*.json.gz"))
IST = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
SECOND = 10**9
NOW = 1_764_400_000 * SECOND

pytestmark = needs_data


def read(preset: str, path: Path, *listed: Listed, **given: str) -> Any:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return Reader(plan_of(shipped()[preset], given), listed).read(data, 7)


def kite(name: str) -> Any:
    return json.loads((SAMPLES / "kiteconnect_mocks" / name).read_bytes())


def price(rupees: float) -> int:
    return round(rupees * 10_000)


# --- NSE --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.name[20:37])
def test_a_chain_of_the_exchange_is_read_as_the_history_reads_it(path: Path) -> None:
    heard = read("nse_chain", path)
    rows = nse_json.rows(path, None)
    assert rows is not None
    assert heard.refused_count == heard.unknown == 0
    index, *options = heard.ticks
    assert len(options) == rows.num_rows > 1_300
    by_key = {tick.contract: tick for tick in options}
    for row in rows.to_pylist():
        strike, kind = row["strike"] / 10_000, ("CE", "PE")[row["kind"]]
        tick = by_key.pop(f"NIFTY-{row['expiry']:%Y%m%d}-{strike:g}{kind}")
        assert (tick.bid, tick.ask, tick.last) == tuple(row[f"0_{name}"] or 0 for name in ("bid", "ask", "last"))
        assert (tick.bid_size, tick.ask_size) == (row["0_bid_size"] or 0, row["0_ask_size"] or 0)
        assert tick.exchange_at == index.exchange_at == row["at"]
        assert index.last == row["spot"]
    assert not by_key


def test_the_chains_of_the_exchange_are_those_of_the_table_beside_them() -> None:
    """The scraper's own table of the same day, where it kept the same instants."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table(next((DATA / "nse_json_chain_2025").glob("*.parquet")))
    compared = 0
    for path in REPLIES:
        heard = read("nse_chain", path)
        at = datetime.datetime.fromtimestamp(heard.ticks[0].exchange_at // SECOND, IST)
        rows = table.filter(pc.equal(table["ts_ist"], at)).to_pylist()
        by_key = {tick.contract: tick for tick in heard.ticks}
        for row in rows:
            tick = by_key[f"NIFTY-{row['expiry'].replace('-', '')}-{row['strike']}{row['cp']}"]
            assert (tick.bid, tick.ask, tick.last) == (price(row["bid"]), price(row["ask"]), price(row["ltp"]))
            assert (tick.bid_size, tick.ask_size) == (row["bid_qty"], row["ask_qty"])
            assert by_key["NIFTY"].last == price(row["records_underlying"])
        compared += len(rows)
    assert compared > 1_000


# --- Kite -------------------------------------------------------------------------------------------------------------


def test_a_kite_quote() -> None:
    heard = read("kite_quote", SAMPLES / "kiteconnect_mocks" / "quote.json", Listed("408065", "INFY"))
    at = int(datetime.datetime(2021, 6, 8, 15, 45, 56, tzinfo=IST).timestamp()) * SECOND
    assert heard.ticks == [Tick("INFY", 0, 14_129_500, 0, 5_191, 14_129_500, at)]


def test_a_kite_quote_of_what_the_list_does_not_name_is_left_out() -> None:
    heard = read("kite_quote", SAMPLES / "kiteconnect_mocks" / "quote.json", Listed("1", "INFY"))
    assert (heard.ticks, heard.unknown) == ([], 1)


@pytest.mark.parametrize("mode", ["quote", "full"])
def test_a_kite_packet_says_what_its_json_says(mode: str) -> None:
    """The two samples were taken moments apart; of the full one the JSON tells what is not moving."""
    found = packet(base64.b64decode((SAMPLES / "kiteconnect_mocks" / f"ticker_{mode}.packet").read_bytes()))
    said = kite(f"ticker_{mode}.json")
    day = said["ohlc"]
    assert (found.token, found.mode) == (said["instrument_token"], said["mode"])
    assert found.last == price(said["last_price"])
    assert found.average == price(said["average_price"])
    assert (found.last_size, found.volume) == (said["last_quantity"], said["volume"])
    assert (found.buy_size, found.sell_size) == (said["buy_quantity"], said["sell_quantity"])
    assert found.ohlc == tuple(price(day[name]) for name in ("open", "high", "low", "close"))
    if mode == "full":
        moments = [datetime.datetime.fromisoformat(said[name]) for name in ("last_trade_time", "timestamp")]
        assert [found.last_trade_at, found.at] == [int(moment.timestamp()) * SECOND for moment in moments]
        assert (found.open_interest, found.open_interest_high, found.open_interest_low) == (0, 0, 0)
        for levels, name in ((found.bids, "buy"), (found.asks, "sell")):
            told = [PacketLevel(price(one["price"]), one["quantity"], one["orders"]) for one in said["depth"][name]]
            assert list(levels) == told


def test_a_kite_packet_of_the_last_price_alone_says_what_its_json_says() -> None:
    """Of this mode the samples hold the JSON alone: the first eight bytes of every packet are its packet."""
    quote = base64.b64decode((SAMPLES / "kiteconnect_mocks" / "ticker_quote.packet").read_bytes())
    found, said = packet(quote[:8]), kite("ticker_ltp.json")
    assert (found.token, found.mode, found.last) == (said["instrument_token"], said["mode"], price(said["last_price"]))


# --- Dhan -------------------------------------------------------------------------------------------------------------


def test_dhans_reply_without_a_chain_tells_the_underlying() -> None:
    heard = read("dhan_chain", SAMPLES / "dhanhq" / "option_chain.json", underlying="NIFTY", expiry="2025-12-30")
    assert heard.ticks == [Tick("NIFTY", 0, 0, 0, 0, 200_000_000, 7)]


# --- Deribit ----------------------------------------------------------------------------------------------------------


def test_a_deribit_ticker() -> None:
    heard = read("deribit_ticker", SAMPLES / "deribit" / "ws_ticker.json")
    at = 1_765_541_474_086 * 10**6
    assert heard.ticks == [Tick("BTC-PERPETUAL", 922_835_000, 922_840_000, 1_176_600, 1_865_200, 922_835_000, at)]


def test_a_deribit_depth_of_ten_levels() -> None:
    heard = read("deribit_depth", SAMPLES / "deribit" / "ws_book_grouped_snapshot.json")
    at = 1_769_246_173_071 * 10**6
    assert heard.ticks == [Tick("BTC-PERPETUAL", 895_325_000, 895_330_000, 2_549_000, 915_700, 0, at)]


def test_a_deribit_book_becomes_a_ladder() -> None:
    book = Stream(plan_of(shipped()["deribit_book"]))
    files = [SAMPLES / "deribit" / f"ws_book_{name}.json" for name in ("snapshot", "delta")]
    said = [outcome for file in files for outcome in book.hear(file.read_bytes(), NOW)]
    ticks = [outcome for outcome in said if isinstance(outcome, Said)]
    assert [s.is_snapshot for s in ticks] == [True, False]
    before, after = 1_699_999_999_000 * 10**6, 1_699_999_999_500 * 10**6
    assert ticks[0].ticks == (Tick("BTC-PERPETUAL", 425_000_000, 425_010_000, 10_000, 8_000, 0, before),)
    assert ticks[1].ticks == (Tick("BTC-PERPETUAL", 425_000_000, 425_015_000, 9_500, 7_000, 0, after),)
    assert [outcome for outcome in said if isinstance(outcome, Ended)] == [Ended(before)]
    ladder = book.ladder("BTC-PERPETUAL")
    assert ladder is not None
    assert ladder.levels(0, 9)[:2] == [(425_000_000, 9_500, 0), (424_995_000, 5_000, 0)]
    assert [level[0] for level in ladder.levels(1, 9)] == [425_015_000, 425_020_000, 425_025_000, 425_030_000]


def test_a_deribit_book_that_misses_a_change_is_void() -> None:
    book = Stream(plan_of(shipped()["deribit_book"]))
    snapshot = (SAMPLES / "deribit" / "ws_book_snapshot.json").read_bytes()
    later = (SAMPLES / "deribit" / "ws_book_delta.json").read_bytes().replace(b"123456789,", b"123456788,")
    list(book.hear(snapshot, NOW))
    assert list(book.hear(later, NOW)) == [
        Broken("BTC-PERPETUAL: changes between numbers 123456789 and 123456790 were lost")
    ]
    ladder = book.ladder("BTC-PERPETUAL")
    assert ladder is not None
    assert not ladder.is_valid


@pytest.mark.parametrize("preset", ["deribit_ticker", "deribit_book", "deribit_depth"])
def test_what_else_deribit_says_is_no_quote(preset: str) -> None:
    names = ("subscribe_response", "test_request", "error", "portfolio", "volatility_index", "order_buy_response")
    heard = {name: read(preset, SAMPLES / "deribit" / f"ws_{name}.json") for name in names}
    assert not any(said.ticks or said.books or said.refused for said in heard.values())
    assert heard["error"].refusal == "too_many_requests"
    assert [name for name in names if heard[name].beat is not None] == ["test_request"]
    assert "public/test" in heard["test_request"].beat
