"""`participant decisions query`: every logged decision once, sealed or not, near or far; and nothing but questions."""

import datetime
import json
import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from participant.adapters.archives.jsonl import JsonlArchive
from participant.adapters.stores.sqlite import SqliteStore
from participant.analysis.log_query import BadQuestion, LogTable
from participant.cli import main
from participant.core.brain import decide
from participant.core.decision import DecisionInput, PositionInfo
from participant.core.market import SECOND
from participant.core.messages import Write
from participant.core.order import Order, orders_of
from participant.core.scrip import Scrip, Weights
from participant.links.parts import pack, split
from participant.ports import StoreBroken
from participant.wire.json import encode
from tests.analysis.buckets import bucket
from tests.core.worlds import RULES, account, chain_state, position

DAY, NEXT = "2026-11-26", "2026-11-27"
SCRIP = Scrip("NIFTY", weights=Weights(iv_rank_min=0.3))
INFO = PositionInfo(position(), account())
STATE = chain_state()
COUNT = "SELECT count(*), count(DISTINCT decision_id) FROM decisions"


def record(n: int) -> tuple[bytes, bytes]:
    """A decision that opens, on a state of its own."""
    state = replace(STATE, snapshot_id=f"s{n}", received_at=STATE.exchange_at + n * SECOND)
    apart = split(DecisionInput(SCRIP, state, INFO))
    return apart.line(decide(SCRIP, state, INFO.position, INFO.account, RULES)), pack(apart.parts)


RECORDS = [record(n) for n in range(6)]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "decisions").mkdir()
    return tmp_path


def archive(home: Path) -> JsonlArchive:
    return JsonlArchive(home / "decisions")


def asked(home: Path | str, question: str) -> list[tuple[object, ...]]:
    log = LogTable(str(home) if isinstance(home, str) else str(home / "decisions"))
    try:
        return list(log.ask(question).rows)
    finally:
        log.close()


# --- each decision once -----------------------------------------------------------------------------------------------


def test_a_decision_counts_once_while_its_day_grows_when_it_is_sealed_and_when_more_follow(home: Path) -> None:
    log = archive(home)
    log.append(DAY, RECORDS[:3])
    assert asked(home, COUNT) == [(3, 3)]
    log.seal(DAY)
    assert asked(home, COUNT) == [(3, 3)], "the lines lie there still"
    log.append(DAY, RECORDS[3:5])
    assert asked(home, COUNT) == [(5, 5)]
    log.seal(DAY)
    assert asked(home, COUNT) == [(5, 5)]
    log.append(NEXT, RECORDS[5:])
    assert asked(home, COUNT) == [(6, 6)]
    by_day = "SELECT day::VARCHAR, count(*) FROM decisions GROUP BY day ORDER BY day"
    assert asked(home, by_day) == [(DAY, 5), (NEXT, 1)]
    (home / "decisions" / f"{DAY}.jsonl").unlink()
    assert asked(home, COUNT) == [(6, 6)], "what is sealed needs its lines no more"


@pytest.mark.parametrize("is_sealed", [False, True])
def test_a_line_that_is_half_written_is_left_out_until_it_is_whole(home: Path, is_sealed: bool) -> None:
    log = archive(home)
    log.append(DAY, RECORDS[:2])
    if is_sealed:
        log.seal(DAY)
    lines = home / "decisions" / f"{DAY}.jsonl"
    whole = RECORDS[2][0]
    lines.write_bytes(lines.read_bytes() + whole[:-5])
    assert asked(home, COUNT) == [(2, 2)]
    lines.write_bytes(lines.read_bytes() + whole[-5:] + b"\n")
    assert asked(home, COUNT) == [(3, 3)]


def test_sealed_and_growing_lines_have_the_same_columns_and_values(home: Path) -> None:
    log, everything = archive(home), "SELECT * FROM decisions ORDER BY snapshot_id"
    log.append(DAY, RECORDS)
    growing = asked(home, everything)
    log.seal(DAY)
    assert asked(home, everything) == growing
    ((spot, provider, told),) = asked(home, "SELECT spot, provider, said FROM decisions LIMIT 1")
    assert (spot, provider) == (STATE.spot, STATE.provider)
    assert re.findall(r"\d+", str(told)) == []


def test_a_day_that_was_sealed_in_an_earlier_form_is_read_as_well(home: Path) -> None:
    import pyarrow.parquet as pq

    log, sealed = archive(home), home / "decisions" / f"{DAY}.parquet"
    log.append(DAY, RECORDS)
    now = asked(home, "SELECT * FROM decisions ORDER BY snapshot_id")
    table = pq.read_table(log.seal(DAY)).select(
        ["decided_at", "scrip", "marketState", "currentPositionInfo", "decisionInfo", "other"]
    )
    pq.write_table(table.replace_schema_metadata(None), sealed)
    assert asked(home, "SELECT * FROM decisions ORDER BY snapshot_id") == now
    (home / "decisions" / f"{DAY}.jsonl").unlink()
    assert asked(home, "SELECT * FROM decisions ORDER BY snapshot_id") == now


def test_a_line_of_another_kind_is_no_decision(home: Path) -> None:
    archive(home).append(DAY, [(b'{"command":"stop"}', pack([])), *RECORDS[:1]])
    assert asked(home, COUNT) == [(1, 1)]


def test_a_bucket_is_asked_as_a_folder_is(home: Path) -> None:
    log = archive(home)
    log.append(DAY, RECORDS[:4])
    log.seal(DAY)
    log.append(DAY, RECORDS[4:5])
    log.append(NEXT, RECORDS[5:])
    question = "SELECT day::VARCHAR, snapshot_id, spot, len(legs) FROM decisions WHERE action = 'open' ORDER BY 2"
    with bucket(home) as where:
        assert asked(where, question) == asked(home, question)
        assert len(asked(home, question)) == 6
        assert main(["decisions", "query", COUNT, "--log", where]) == 0


def test_the_orders_of_the_books_stand_beside_the_decisions(home: Path) -> None:
    archive(home).append(DAY, RECORDS[:1])
    decision = decide(SCRIP, replace(STATE, snapshot_id="s0"), INFO.position, INFO.account, RULES)
    orders = orders_of(decision)
    books = SqliteStore(home / "books.sqlite", is_durable=True)
    rows = [Write("orders", f"{DAY}/{order.order_id}", encode(_filled(order)), 0) for order in orders]
    assert books.commit(rows)
    books.close()
    log = LogTable(str(home / "decisions"), books=home / "books.sqlite")
    both = "SELECT o.contract, o.filled, o.value FROM orders o JOIN decisions d USING (decision_id) ORDER BY o.contract"
    found = [(o.contract.key, o.quantity, _filled(o).cum_value) for o in orders]
    assert list(log.ask(both).rows) == sorted(found)
    log.close()


@pytest.mark.parametrize(
    "row", [b"no order", b'{"order_id":', b'{"quantity":"many","contract":{"strike":"x"}}', b"[1]"]
)
def test_an_order_that_is_none_of_ours_is_said_with_the_file_that_it_is_in(
    home: Path, row: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    archive(home).append(DAY, RECORDS[:1])
    books = SqliteStore(home / "books.sqlite", is_durable=True)
    assert books.commit([Write("orders", f"{DAY}/mine", row, 0)])
    books.close()
    assert main(["decisions", "query", "SELECT * FROM orders", "--home", str(home)]) == 2
    said = capsys.readouterr().err
    assert f"database {home / 'books.sqlite'}: an order or a fill in it is none of ours" in said
    assert said.endswith(": restore it from a copy\n")


def _filled(order: Order) -> Order:
    return replace(order, cum_quantity=order.quantity, cum_value=order.quantity * order.limit // 100)


# --- nothing but questions --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("selec 1", "syntax error"),
        ("SELECT nope FROM decisions", '"nope" not found'),
        ("SELECT * FROM decission", "decission does not exist"),
        ("SELECT 1; SELECT 2", "this is 2 statements"),
        ("  ", "this is no statements"),
        ("COPY decisions TO 'out.csv'", "nothing is written"),
        ("EXPLAIN ANALYZE COPY (SELECT 1) TO 'out.csv'", "nothing is written"),
        ("ATTACH 'out.db'", "nothing is written"),
        ("CREATE TABLE mine AS SELECT 1", "nothing is written"),
        ("DROP VIEW decisions", "nothing is written"),
        ("SET enable_external_access = true", "nothing is written"),
        ("EXPORT DATABASE 'out'", "nothing is written"),
        ("INSTALL httpfs", "nothing is written"),
        ("PRAGMA enable_profiling", "nothing is written"),
        ("CALL pragma_version()", "nothing is written"),
        ("SELECT * FROM read_text('/etc/passwd')", "disabled by configuration"),
        ("SELECT * FROM glob('/*')", "disabled by configuration"),
        ("SELECT * FROM 'decisions/2026-11-27.jsonl'", "disabled by configuration"),
        ("SELECT * FROM query('COPY decisions TO ''out.csv''')", "single SELECT"),
        ("SELECT * FROM home", "does not exist"),
        ("SELECT CAST('x' AS INTEGER)", "Could not convert"),
    ],
)
def test_what_is_no_question_is_refused_in_one_line_and_nothing_is_written(
    question: str, said: str, home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = archive(home)
    log.append(DAY, RECORDS[:1])
    log.seal(DAY)
    monkeypatch.chdir(home)
    before = sorted(home.rglob("*"))
    assert main(["decisions", "query", question, "--home", str(home)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("participant: decisions query: ")
    assert said in err
    assert err.count("\n") == 1
    assert sorted(home.rglob("*")) == before


def test_a_file_of_the_log_itself_cannot_be_written_over(home: Path) -> None:
    log = archive(home)
    log.append(DAY, RECORDS[:1])
    sealed = Path(log.seal(DAY))
    before = sealed.read_bytes()
    table = LogTable(str(home / "decisions"))
    with pytest.raises(BadQuestion):
        table.ask(f"COPY (SELECT 1) TO '{sealed}'")
    assert sealed.read_bytes() == before


# --- the command ------------------------------------------------------------------------------------------------------


def said(capsys: pytest.CaptureFixture[str], *words: object, status: int = 0) -> str:
    assert main([str(word) for word in words]) == status
    out, err = capsys.readouterr()
    return err if status else out


def test_an_answer_is_a_table_or_json_or_csv(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive(home).append(DAY, RECORDS[:2])
    question = "SELECT snapshot_id AS id, 0.25 AS rank, NULL AS none, DATE '2026-11-26' AS d, legs[1].side AS side "
    words = ("decisions", "query", f"{question} FROM decisions ORDER BY 1", "--home", home)
    assert said(capsys, *words).splitlines() == [
        "id  rank  none  d           side",
        "--  ----  ----  ----------  ----",
        "s0  0.25        2026-11-26  buy",
        "s1  0.25        2026-11-26  buy",
    ]
    first, _ = said(capsys, *words, "--json").splitlines()
    assert json.loads(first) == {"id": "s0", "rank": 0.25, "none": None, "d": "2026-11-26", "side": "buy"}
    assert said(capsys, *words, "--csv").splitlines()[:2] == ["id,rank,none,d,side", "s0,0.25,,2026-11-26,buy"]
    assert said(capsys, *words, "--quiet") == ""


def test_values_of_every_kind_are_written(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive(home).append(DAY, RECORDS[:1])
    kinds = "9223372036854775807::HUGEINT * 4 AS long, 'a'::BLOB AS b, INTERVAL 2 DAY AS i, 'x\ny' AS t, [1, 2] AS l, "
    question = f"SELECT {kinds} {{'k': 1.5}} AS s, uuid() AS u, TIME '10:05' AS c, 'nan'::DOUBLE AS n"
    words = ("decisions", "query", question, "--home", home)
    told = json.loads(said(capsys, *words, "--json"))
    assert (told["long"], told["l"], told["s"], told["c"]) == ("36893488147419103228", [1, 2], {"k": 1.5}, "10:05:00")
    assert told["n"] is None
    assert len(said(capsys, *words).splitlines()) == 3, "a line break in a value breaks no line of a table"
    assert said(capsys, *words, "--csv")


def test_a_table_for_people_ends_and_the_other_forms_do_not(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive(home).append(DAY, RECORDS[:1])
    words = ("decisions", "query", "SELECT range AS n FROM range(5000)", "--home", home)
    shown = said(capsys, *words).splitlines()
    assert len(shown) == 1003
    assert shown[-1] == "... and more than the 1,000 rows shown: --csv and --json have them all"
    assert len(said(capsys, *words, "--csv").splitlines()) == 5001


def test_days_are_chosen_and_a_span_without_any_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = archive(home)
    log.append(DAY, RECORDS[:2])
    log.append(NEXT, RECORDS[2:])
    words = ("decisions", "query", "SELECT count(*) AS n FROM decisions", "--home", home, "--csv")
    assert said(capsys, *words, "--day", DAY) == "n\n2\n"
    assert said(capsys, *words, "--from", NEXT) == "n\n4\n"
    assert said(capsys, *words, "--to", NEXT) == "n\n6\n"
    assert "no day that was asked for: it holds 2026-11-26..2026-11-27" in said(
        capsys, *words, "--day", "2026-12-01", status=2
    )
    assert "--day is one day alone" in said(capsys, *words, "--day", DAY, "--to", NEXT, status=2)
    assert "--from 2026-11-27 is after" in said(capsys, *words, "--from", NEXT, "--to", DAY, status=2)


@pytest.mark.parametrize("where", ["nowhere", "s3://key:secret@desk/?endpoint_override=127.0.0.1%3A9&scheme=http"])
def test_a_log_that_is_not_there_is_told(where: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "decisions", "query", "SELECT 1", "--log", tmp_path / where if "//" not in where else where,
                status=2)  # fmt: skip
    assert told.startswith("participant: decision log ")
    assert told.count("\n") == 1


def test_a_home_without_a_log_is_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "decisions", "query", "SELECT 1", "--home", home, status=2)
    assert "it holds no day; `participant trade` writes one" in told


def test_a_sealed_file_that_is_damaged_is_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = archive(home)
    log.append(DAY, RECORDS)
    sealed = Path(log.seal(DAY))
    body = sealed.read_bytes()
    (home / "decisions" / f"{DAY}.jsonl").unlink()
    for broken in (b"", body[: len(body) // 2], b"PAR1" + b"\0" * 100):
        sealed.write_bytes(broken)
        with pytest.raises(StoreBroken, match=f"{DAY}.parquet: it cannot be read"):
            LogTable(str(home / "decisions"))
    sealed.write_bytes(body[:500] + bytes(200) + body[700:])
    told = said(capsys, "decisions", "query", "SELECT * FROM decisions", "--home", home, status=2)
    assert told.startswith("participant: decisions query: ")


def test_the_days_of_a_log_are_dates(home: Path) -> None:
    archive(home).append(DAY, RECORDS[:1])
    log = LogTable(str(home / "decisions"))
    assert [day.day for day in log.days] == [datetime.date(2026, 11, 26)]
    log.close()
