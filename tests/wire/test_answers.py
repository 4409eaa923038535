"""Recorded answers: every entry of a list of proven rejects was taken from one, and Kite's published mocks are read."""

import datetime
import hashlib
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from participant.core.guarantees import Guarantees
from participant.core.market import Quote
from participant.core.order import Answer, Verdict
from participant.wire import broker as venue
from participant.wire import kite, openalgo
from participant.wire.json import Malformed, decode, encode
from participant.wire.kite_rows import Basket, Frame, Funds, KiteOrder, KiteQuote, KiteTrade, Positions, Profile, Token
from tests.source import ROOT

ANSWERS = ROOT / "tests" / "golden" / "answers"
MOCKS = ROOT.parent / "shared" / "data" / "broker_api_samples" / "kiteconnect_mocks"
READERS: list[tuple[Guarantees, Callable[[int, bytes], Answer]]] = [
    (venue.VENUE, venue.classify),
    (kite.KITE, kite.classify),
    (openalgo.OPENALGO, lambda status, body: openalgo.classify(status, body)[0]),
]


@pytest.mark.parametrize(("guarantees", "classify"), READERS, ids=[g.broker for g, _ in READERS])
def test_every_proven_reject_has_its_recorded_answer_and_that_is_what_it_proves(
    guarantees: Guarantees, classify: Callable[[int, bytes], Answer]
) -> None:
    for reject in guarantees.rejects:
        recorded = json.loads((ANSWERS / f"{reject.recorded}.json").read_text(encoding="utf-8"))
        assert recorded["from"]
        answer = classify(recorded["status"], json.dumps(recorded["body"]).encode())
        assert (answer.verdict, answer.is_retriable) == (Verdict.REJECTED, reject.is_retriable), reject.recorded
    names = {path.stem for path in ANSWERS.iterdir() if path.name.startswith(guarantees.broker)}
    assert names == {reject.recorded for reject in guarantees.rejects}


# --- Kite's published mocks -------------------------------------------------------------------------------------------


def mock(name: str) -> bytes:
    path: Path = MOCKS / name
    if not path.exists():
        pytest.skip(f"{path} is not here: the recorded mocks are shared material and not part of the project")
    return path.read_bytes()


MOCKED: list[tuple[str, Any, Callable[[Any], object], object]] = [
    ("orders.json", list[KiteOrder], lambda rows: [r.status for r in rows][:2], ["CANCELLED", "COMPLETE"]),
    ("order_info.json", list[KiteOrder], lambda rows: {r.status in kite.ALIVE for r in rows}, {True}),
    ("trades.json", list[KiteTrade], kite.traded, {"200000000000000": (1, 42065), "500000000000000": (1, 7276),
        "800000000000000": (1, 485200), "1100000000000000": (1, 485200)}),
    ("order_trades.json", list[KiteTrade], len, 1),
    ("positions.json", Positions, lambda book: [p.quantity for p in book.net], [1, 0, 0]),
    ("margins.json", Funds, lambda f: (f.equity.available.cash, f.equity.utilised.debits),
        (Decimal("245431.6"), Decimal("145706.55"))),
    ("basket_margins.json", Basket, lambda basket: basket.final.total, Decimal("34786.725000000006")),
    ("quote.json", dict[str, KiteQuote], lambda q: kite.quote_of(q["NSE:INFY"]),
        Quote(0, 14_129_500, 0, 5191, kite.instant("2021-06-08 15:45:56"))),
    ("profile.json", Profile, lambda p: p.user_id, "AB1234"),
    ("generate_session.json", Token, lambda t: (t.user_id, t.login_time), ("XX0000", "2021-01-01 16:15:14")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "kind", "look", "expected"), MOCKED, ids=[row[0] for row in MOCKED])
def test_kites_published_answers_are_read(
    name: str, kind: Any, look: Callable[[Any], object], expected: object
) -> None:
    assert look(kite.data_of(200, mock(name), kind)) == expected


@pytest.mark.parametrize("name", ["order_response.json", "order_modify.json", "order_cancel.json"])
def test_kites_published_answers_to_orders_accept(name: str) -> None:
    assert kite.classify(200, mock(name)) == Answer(Verdict.ACCEPTED, "", "151220000000000")


def test_a_sliced_answer_names_the_parent_and_the_error_of_a_child_is_a_listed_one() -> None:
    body = mock("autoslice_response.json")
    assert kite.classify(200, body).broker_order_id == "1914227164488687616"
    child = next(c["error"] for c in json.loads(body)["data"]["children"] if "error" in c)
    answer = kite.classify(child["code"], json.dumps({"status": "error", **child}).encode())
    assert answer.verdict is Verdict.REJECTED


def test_kites_published_list_of_instruments_is_read() -> None:
    text = mock("instruments_all.csv").decode()
    assert list(kite.listings(text)) == [], "its lines name no underlying, and none is guessed"
    named = text.replace("BANKNIFTY18JAN23500CE,,", "BANKNIFTY18JAN23500CE,BANKNIFTY,")
    (call,) = kite.listings(named)
    assert (call.expiry, call.strike, call.lot, call.tick) == (datetime.date(2018, 1, 25), 235_000_000, 40, 500)
    assert call.key == "BANKNIFTY-20180125-23500CE"
    assert list(kite.listings(mock("instruments_nse.csv").decode())) == []


def test_kites_published_postback_is_read_and_proves_nothing_without_the_secret() -> None:
    body = mock("postback.json")
    assert decode(body, KiteOrder).status == "COMPLETE"
    with pytest.raises(Malformed, match="checksum"):
        kite.postback(body, "not the secret")


# --- without the mocks ------------------------------------------------------------------------------------------------


def test_a_postback_is_proven_by_its_checksum_alone() -> None:
    row = {"order_id": "7", "status": "COMPLETE", "exchange": "NFO", "tradingsymbol": "X", "transaction_type": "BUY",
           "quantity": 65, "order_timestamp": "2026-11-25 09:15:00"}  # fmt: skip
    good = hashlib.sha256(b"72026-11-25 09:15:00secret").hexdigest()
    assert kite.postback(encode({**row, "checksum": good}), "secret").order_id == "7"
    for bad in ({**row, "checksum": good[:-1] + "x"}, row, {**row, "order_id": "8", "checksum": good}):
        with pytest.raises(Malformed):
            kite.postback(encode(bad), "secret")


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01 00:00:00"])
def test_a_time_that_is_none_is_told_of_by_kite_and_0_with_openalgo(text: str) -> None:
    with pytest.raises(Malformed):
        kite.instant(text)
    assert openalgo.instant(text) == 0


@pytest.mark.parametrize(
    ("login_time", "day"),
    [
        ("2026-11-25 06:00:00", "2026-11-25"),
        ("2026-11-25 05:59:59", "2026-11-24"),
        ("2026-11-25 23:59:59", "2026-11-25"),
    ],
)
def test_a_token_is_good_until_six_in_the_morning(login_time: str, day: str) -> None:
    assert kite.good_on(login_time) == day


def test_times_are_those_of_india() -> None:
    at = kite.instant("2026-11-25 09:15:00")
    assert at == 1_795_578_300_000_000_000
    assert {openalgo.instant(t) for t in ("25-Nov-2026 09:15:00", "25-11-2026 09:15:00", "2026-11-25 09:15:00")} == {at}


@pytest.mark.parametrize("frame", [b"\0", b"", b'{"type":"message","data":"welcome"}', b'{"type":"error","data":"x"}'])
def test_a_frame_that_is_no_order_is_passed_over(frame: bytes) -> None:
    assert kite.order_in(frame) is None


@pytest.mark.parametrize(
    "csv", ["", "a,b\n", f"{','.join(sorted(kite.COLUMNS))}\nNFO,2026-12-29,CE,x,NIFTY,26000,0.05,X\n"]
)
def test_a_list_of_instruments_that_is_none_is_told_of(csv: str) -> None:
    with pytest.raises(Malformed, match="list of instruments"):
        list(kite.listings(csv))


def test_a_list_of_openalgo_that_is_none_is_told_of() -> None:
    row = openalgo.ListRow("X", "NFO", "CE", "NIFTY", "29-DEC-26", Decimal(26000), Decimal("65.5"), Decimal("0.05"))
    with pytest.raises(Malformed, match="X in the list of contracts"):
        list(openalgo.listings([row]))


def test_an_order_id_that_is_none_is_no_acceptance() -> None:
    for orderid in (None, "", 0, "None"):
        body = encode({"status": "success", "orderid": orderid})
        assert openalgo.classify(200, body)[0].verdict is Verdict.UNKNOWN
    assert (
        openalgo.classify(200, encode({"status": "success", "orderid": 1110913228}))[0].broker_order_id == "1110913228"
    )


def test_frames_are_structs_that_pass_over_what_they_do_not_know() -> None:
    assert msgspec.json.decode(b'{"type":"order","id":"","data":{"a":1}}', type=Frame).type == "order"


@pytest.mark.parametrize(
    "body", [b'{"status":"error","message":"Order \x93timed out\x94"}', b"[" * 100_000], ids=["windows", "deep"]
)
@pytest.mark.parametrize(("guarantees", "classify"), READERS, ids=[g.broker for g, _ in READERS])
def test_bytes_that_are_no_text_and_nesting_without_end_prove_nothing_and_stop_nobody(
    guarantees: Guarantees, classify: Callable[[int, bytes], Answer], body: bytes
) -> None:
    assert classify(400, body).verdict is Verdict.UNKNOWN
    with pytest.raises(Malformed):
        decode(body, dict[str, str])


@pytest.mark.parametrize("bid", ["", "nan", "12.3.4", "1e5"])
def test_a_price_of_the_brokers_that_is_none_is_malformed(bid: str) -> None:
    with pytest.raises(Malformed):
        venue.quote_of(venue.QuoteRow(bid, "101.00", 65, 65, 0))
