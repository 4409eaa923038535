"""`participant decisions ask`: each question on logs of which the answer is known, and on a day that was traded."""

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from participant.analysis.log_query import ALL_DAYS, LogTable
from participant.analysis.questions import QUESTIONS, ask, wanted_by
from participant.cli import main
from participant.core.decision import undecided
from participant.core.market import SECOND, MarketState
from participant.core.messages import JobResult
from participant.core.order import OrderStatus, orders_of
from participant.core.scrip import Side
from tests.analysis.logs import decided, record, write_log, write_orders
from tests.core.worlds import DAY, NOON, SPOT, chain_state
from tests.desk.runs import COARSE, decisions_of, trade
from tests.desk.runs import DAY as TRADED

NEXT = DAY + datetime.timedelta(1)
A_DAY = 86_400 * SECOND


def state(minutes: int = 0, spot: int = SPOT, day: datetime.date = DAY) -> MarketState:
    """The market so many minutes after noon of a day."""
    at = NOON + (day - DAY).days * A_DAY + minutes * 60 * SECOND
    return chain_state(at, day=day, spot=spot)


def rows(home: Path, capsys: pytest.CaptureFixture[str], name: str, *words: str) -> list[dict[str, Any]]:
    assert main(["decisions", "ask", name, "--home", str(home), "--json", *words]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


# --- what each says ---------------------------------------------------------------------------------------------------


def test_why_nothing_was_done_is_told_by_sentences_without_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    poor = [replace(chain_state(NOON + i * SECOND, sigma=0.10 + i / 100)) for i in range(2)]
    closed = chain_state(NOON + 10 * 3600 * SECOND)
    write_log(tmp_path, str(DAY), map(record, (*poor, closed, state())))
    found = rows(tmp_path, capsys, "why-nothing")
    assert [(row["times"], row["percent"], row["scrips"]) for row in found] == [(2, 66.7, 1), (1, 33.3, 1)]
    assert found[0]["reason"].startswith("IV rank # is under #")
    assert found[0]["first"] != found[0]["last"]
    assert found[1]["reason"].startswith("the market is not open")


def test_orders_that_were_refused_are_counted_by_control_and_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    decision = decided(state())
    write_log(tmp_path, str(DAY), [record(state())])
    orders = orders_of(decision)
    write_orders(
        tmp_path,
        str(DAY),
        (
            replace(orders[0], status=OrderStatus.DENIED, denied_by="PT-03", reason="₹61.05 is 5.2% off"),
            replace(orders[0], order_id="a", status=OrderStatus.DENIED, denied_by="PT-03", reason="₹70 is 9% off"),
            replace(orders[1], status=OrderStatus.REJECTED, reason="margin exceeds"),
            replace(orders[1], order_id="b", status=OrderStatus.FILLED),
        ),
    )
    found = [(r["status"], r["control"], r["reason"], r["times"]) for r in rows(tmp_path, capsys, "refusals")]
    assert found == [("denied", "PT-03", "# is # off", 2), ("rejected", "", "margin exceeds", 1)]


def test_slippage_is_what_filled_against_what_the_decision_saw(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    decision = decided(state())
    write_log(tmp_path, str(DAY), [record(state())])
    buy, sell = (next(o for o in orders_of(decision) if o.side is side) for side in Side)
    # Half a rupee dearer than seen, and a quarter of one cheaper sold: both against us.
    dearer = buy.quantity * (buy.limit + 5_000) // 100
    cheaper = sell.quantity * (sell.limit - 2_500) // 100
    write_orders(
        tmp_path,
        str(DAY),
        (
            replace(buy, cum_quantity=buy.quantity, cum_value=dearer, status=OrderStatus.FILLED),
            replace(sell, cum_quantity=sell.quantity, cum_value=cheaper, status=OrderStatus.FILLED),
            replace(sell, order_id="none of it filled"),
        ),
    )
    found = {r["side"]: r for r in rows(tmp_path, capsys, "slippage")}
    assert {side: (r["orders"], r["slip_a_unit"], r["slip_rupees"]) for side, r in found.items()} == {
        "buy": (1, 0.5, 0.5 * buy.quantity),
        "sell": (1, 0.25, 0.25 * sell.quantity),
    }


def test_a_call_that_went_in_the_money_is_told_with_the_day_and_one_that_did_not_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    opened = decided(state())
    call = next(leg.contract for leg in opened.legs if leg.side is Side.SELL)
    beyond = call.strike + 500_000
    write_log(tmp_path, str(DAY), [record(state(-5, beyond)), record(state()), record(state(5))])
    assert rows(tmp_path, capsys, "in-the-money") == [], "before it was sold does not count"
    write_log(tmp_path, str(NEXT), [record(state(0, beyond, NEXT)), record(state(9, SPOT, NEXT))])
    (first, *others) = rows(tmp_path, capsys, "in-the-money")
    assert (first["contract"], first["strike"], first["first_day"]) == (call.key, call.strike / 10_000, str(NEXT))
    assert (first["spot"], first["highest"], first["last_spot"]) == (SPOT / 1e4, beyond / 1e4, SPOT / 1e4)
    assert first["is_in_at_last"] is False
    assert all(other["contract"] != call.key or other["first_day"] == str(NEXT) for other in others)


def test_a_call_that_went_in_the_money_on_the_day_of_its_sale_counts_from_the_sale_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = next(leg.contract for leg in decided(state()).legs if leg.side is Side.SELL)
    write_log(tmp_path, str(DAY), [record(state()), record(state(5, call.strike + 10_000))])
    first = rows(tmp_path, capsys, "in-the-money")[0]
    assert (first["contract"], first["first_day"], first["is_in_at_last"]) == (call.key, str(DAY), True)


def test_a_day_that_stood_higher_before_the_sale_counts_by_what_came_after(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = next(leg.contract for leg in decided(state()).legs if leg.side is Side.SELL)
    after = call.strike + 10_000
    write_log(tmp_path, str(DAY), [record(state(-5, call.strike + 900_000)), record(state()), record(state(5, after))])
    found = [row for row in rows(tmp_path, capsys, "in-the-money") if row["contract"] == call.key]
    assert [(row["first_day"], row["highest"]) for row in found] == [(str(DAY), after / 10_000)]


def test_where_there_was_no_decision_is_told_with_its_share(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    late = [undecided(state(i), JobResult("j", "timeout", reason=f"after {i} s")) for i in range(3)]
    lines = [record(state(i), one) for i, one in enumerate(late)]
    write_log(tmp_path, str(DAY), [*lines, *(record(state(i)) for i in range(3, 8))])
    (found,) = rows(tmp_path, capsys, "undecided")
    assert (found["day"], found["outcome"], found["times"], found["percent"]) == (str(DAY), "timed out", 3, 37.5)


def test_moves_are_held_against_what_volatility_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_log(tmp_path, str(DAY), [record(state()), record(state(60, SPOT * 103 // 100))])
    write_log(tmp_path, str(NEXT), [record(state(day=NEXT)), record(state(60, day=NEXT))])
    (found,) = rows(tmp_path, capsys, "moves")
    assert (found["days"], found["beyond"], found["moved_percent"]) == (2, 1, 1.5)


# --- on a day that was traded -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short made day, by the real desk."""
    home = tmp_path_factory.mktemp("asked") / "home"
    assert trade(home, *COARSE).status == 0
    return home


def test_a_traded_day_answers_every_question_of_what_its_log_says(
    traded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = decisions_of(traded, TRADED)
    answers = {name: rows(traded, capsys, name) for name in QUESTIONS}
    actions = [line["action"] for line in log]
    assert sum(row["times"] for row in answers["why-nothing"]) == actions.count("maintain")
    assert [row["action"] for row in answers["actions"]] == [action for action in actions if action != "maintain"]
    assert answers["actions"][0]["legs"].startswith("buy ")
    (built,) = answers["builds"]
    assert (built["decisions"], built["open"]) == (len(log), actions.count("open"))
    (rich,) = answers["richness"]
    assert rich["rank_highest"] == round(100 * max(line["figures"]["iv_rank"] for line in log), 1)
    assert sum(row["decisions"] for row in answers["data-age"]) == len(log)
    assert {row["slip_rupees"] for row in answers["slippage"]} == {0}, "the venue fills at the touch"
    assert answers["refusals"] == answers["undecided"] == []
    (moved,) = answers["moves"]
    assert moved["days"] == 1


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_columns_that_a_question_names_are_all_that_it_needs(name: str, tmp_path: Path) -> None:
    decision = decided(state())
    lost = undecided(state(1), JobResult("j", "timeout", reason="after 3 s"))
    write_log(tmp_path, str(DAY), [record(state()), record(state(1), lost), record(state(5, SPOT + 10**7))])
    write_orders(tmp_path, str(DAY), [replace(o, cum_quantity=1, cum_value=o.limit) for o in orders_of(decision)])
    given = str(tmp_path / "decisions"), ALL_DAYS, tmp_path / "books.sqlite"
    few, all_of_them = LogTable(*given, wanted_by(QUESTIONS[name])), LogTable(*given)
    assert list(ask(few, name).rows) == list(ask(all_of_them, name).rows)
    few.close()
    all_of_them.close()


def test_an_answer_for_people_begins_with_the_question_and_a_scrip_is_chosen(
    traded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["decisions", "ask", "why-nothing", "--home", str(traded), "--day", TRADED]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Why was nothing done?\n")
    assert rows(traded, capsys, "why-nothing", "--scrip", "banknifty") == []
    assert rows(traded, capsys, "why-nothing", "--scrip", "nifty")


def test_the_questions_are_listed_and_an_unknown_one_is_refused(
    traded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["decisions", "ask"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(QUESTIONS)
    assert len(lines) == 10
    assert main(["decisions", "ask", "why", "--home", str(traded)]) == 2
    assert "no question 'why'; there are: why-nothing, refusals" in capsys.readouterr().err
    assert main(["decisions", "ask", "slippage", "--log", str(traded / "decisions")]) == 2
    assert "use --home, not --log" in capsys.readouterr().err


# --- sealing ----------------------------------------------------------------------------------------------------------


def test_days_that_no_desk_has_sealed_are_sealed_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_log(tmp_path, str(DAY), [record(state())])
    write_log(tmp_path, str(NEXT), [record(state(day=NEXT))]).seal(str(NEXT))
    words = ["decisions", "seal", "--home", str(tmp_path)]
    assert main(words) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.partition(", ")[0] for line in said] == [f"{DAY}: sealed", f"{NEXT}: was sealed"]
    assert (tmp_path / "decisions" / f"{DAY}.parquet").exists()
    assert main(words) == 0
    assert capsys.readouterr().out.count("was sealed") == 2
    sealed = (tmp_path / "decisions" / f"{DAY}.parquet").read_bytes()
    (tmp_path / "decisions" / f"{DAY}.jsonl").write_bytes(record(state(1))[0] + b"\n" + record(state(2))[0] + b"\n")
    assert main(words) == 2
    assert "is not overwritten" in capsys.readouterr().err
    assert (tmp_path / "decisions" / f"{DAY}.parquet").read_bytes() == sealed
    assert main(["decisions", "seal", "--home", str(tmp_path), "--day", "2020-01-01"]) == 2
    assert "has no day that was asked for" in capsys.readouterr().err
