"""Replay: every logged decision again from its own logged input, equal to the byte, or what differs and why."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from participant.analysis.replay import Difference, Replay, replay_day
from participant.cli import main
from participant.core.brain import BUILD_ID, decide
from participant.core.decision import Action, DecisionInput, DecisionRecord, PositionInfo, undecided
from participant.core.messages import JobResult
from participant.core.scrip import Scrip, Weights
from participant.links.parts import PartMissing, pack, split, whole
from participant.wire.json import Malformed, decode
from tests.analysis.logs import write_log
from tests.core.worlds import RULES, account, chain_state, position

SCRIP = Scrip("NIFTY", weights=Weights(iv_rank_min=0.3))
STATE = chain_state()
INFO = PositionInfo(position(), account())
RECORD = DecisionRecord(SCRIP, STATE, INFO, decide(SCRIP, STATE, INFO.position, INFO.account, RULES))
APART = split(DecisionInput(SCRIP, STATE, INFO))
LINE = APART.line(RECORD.decision_info)
LOGGED = LINE, pack(APART.parts)
AGAIN = LINE, pack([])


def logged(record: DecisionRecord) -> tuple[bytes, bytes]:
    """A line of the log with its pack of parts."""
    apart = split(DecisionInput(record.scrip, record.market_state, record.current_position_info))
    return apart.line(record.decision_info), pack(apart.parts)


def test_decisions_that_come_out_the_same_are_equal_to_the_byte() -> None:
    assert RECORD.decision_info.action is Action.OPEN
    assert replay_day([LOGGED, AGAIN], RULES) == Replay(2, 0, ())


def test_every_logged_day_is_replayed_where_none_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_log(tmp_path, "2026-11-23", [LOGGED, AGAIN])
    write_log(tmp_path, "2026-11-24", [LOGGED])
    assert main(["replay", "--home", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "2026-11-23: 2 decisions equal to the byte, 0 not, 0 outcomes without a decision",
        "2026-11-24: 1 decisions equal to the byte, 0 not, 0 outcomes without a decision",
        "2 days: 3 of 3 decisions equal to the byte",
    ]
    other = replace(RECORD, decision_info=replace(RECORD.decision_info, reason="altered"))
    write_log(tmp_path, "2026-11-25", [logged(other)])
    assert main(["replay", "--home", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert said.endswith("(in reason)\n3 days: 3 of 4 decisions equal to the byte\n")


def test_a_home_without_a_log_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "--home", str(tmp_path)]) == 2
    assert "has no log of any day" in capsys.readouterr().err


def test_an_empty_log_replays_to_nothing() -> None:
    assert replay_day([], RULES) == Replay(0, 0, ())


@pytest.mark.parametrize(("outcome", "counted"), [("timeout", 1), ("error", 1)])
def test_what_was_not_decided_is_counted_and_not_decided_again(outcome: str, counted: int) -> None:
    lost = replace(RECORD, decision_info=undecided(STATE, JobResult("j", outcome, reason="why")))
    assert replay_day([logged(lost), LOGGED], RULES) == Replay(1, counted, ())


def test_a_decision_that_comes_out_otherwise_is_told_with_its_line_and_both_sentences() -> None:
    other = replace(RECORD, decision_info=replace(RECORD.decision_info, action=Action.MAINTAIN, reason="altered"))
    found = replay_day([LOGGED, logged(other)], RULES)
    rules = RULES.content_hash[:8]
    now = f"open by this build, rules {rules}: {RECORD.decision_info.reason}"
    said = f"maintain by this build, rules {rules}: altered"
    assert found == Replay(1, 0, (Difference(2, said, now, ("action", "reason")),))


def test_a_decision_of_another_build_is_named_as_such() -> None:
    other = replace(RECORD, decision_info=replace(RECORD.decision_info, build_id="0123456789abcdef"))
    (difference,) = replay_day([logged(other)], RULES).differences
    assert difference.logged.startswith("open by build 01234567, ")
    assert difference.now.startswith("open by this build, ")
    assert RECORD.decision_info.build_id == BUILD_ID
    assert difference.fields == (), "a name is no field of what was decided"


def test_an_input_that_was_altered_after_the_fact_is_found() -> None:
    other = replace(RECORD, market_state=chain_state(sigma=0.10))
    assert len(replay_day([logged(other)], RULES).differences) == 1


def test_one_byte_of_the_decision_is_enough() -> None:
    """Equal as a value and not to the byte is not equal: the log must be what this build writes."""
    spaced = LINE.replace(b'"decisionInfo":{', b'"decisionInfo":{ ')
    parts = {part.id: part.part for part in APART.parts}
    assert decode(whole(spaced, parts), DecisionRecord) == RECORD
    assert len(replay_day([(spaced, LOGGED[1])], RULES).differences) == 1


def test_a_line_that_is_no_record_is_refused() -> None:
    with pytest.raises(Malformed, match="no LogLine"):
        replay_day([(b"{}", pack([]))], RULES)


def test_a_line_whose_part_is_not_there_is_named() -> None:
    with pytest.raises(PartMissing, match=r"^line 1: its part [0-9a-f]{32}$"):
        replay_day([AGAIN, LOGGED], RULES)
